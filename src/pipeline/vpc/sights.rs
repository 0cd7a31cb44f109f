//! What a conversion would count, for others than a log: each flow of each second at each interface that it passed.

use std::num::NonZeroU32;

use super::classes::{ClassReader, Owner};
use super::judge::Judge;
use super::judging::Judging;
use super::options::VpcOptions;
use super::sighting::InterfacesSeen;
use crate::capture::{CaptureError, CaptureInput};
use crate::flow::{AggregationInterval, FlowCounters, FlowKey};
use crate::meter::{ClosedWindow, Meter};
use crate::pipeline::convert::Reading;
use crate::pipeline::workers::{Emit, Worker};
use crate::pipeline::{ConvertError, MeterOptions, Progress};
use crate::record::Action;

/// A flow's packets of one second at one interface.
pub(in crate::pipeline) struct Sight<'a> {
    /// As the packets name it.
    pub(in crate::pipeline) packets: FlowKey,
    /// As a record of the interface names it.
    pub(in crate::pipeline) shown: FlowKey,
    /// The identifier of the VPC's interface, or of the regional NAT gateway.
    pub(in crate::pipeline) owner: Option<&'a str>,
    /// Whether a record names it as its interface: a regional NAT gateway is none.
    pub(in crate::pipeline) is_interface: bool,
    pub(in crate::pipeline) egress: bool,
    /// `None` where it cannot be decided.
    pub(in crate::pipeline) action: Option<Action>,
    pub(in crate::pipeline) counters: &'a FlowCounters,
}

/// Gives every sight of the captures' packets to `take`; what the captures could not be read of is given back.
///
/// # Errors
/// The temporary file's, where flows do not fit the memory.
pub(in crate::pipeline) fn each_sight(
    inputs: Vec<CaptureInput>,
    meter: &MeterOptions,
    options: &VpcOptions,
    progress: &Progress,
    take: impl FnMut(&Sight<'_>) + Send,
) -> Result<Vec<CaptureError>, ConvertError> {
    let meter = MeterOptions { interval: AggregationInterval::Seconds(NonZeroU32::MIN), ..meter.clone() };
    let (interfaces, points) = InterfacesSeen::new(options.vpc.clone());
    let judge = Judge::new(options.clone(), points, None);
    let (classes, _) = judge.readers();
    let sights = Sights { options: options.clone(), classes, take };
    let sink = Judging::new(judge, Worker::new(sights, meter.table_memory()));
    let reading =
        Reading { meter: &meter, with_direction: false, interfaces: Some(interfaces), partials: None };
    let (conversion, sink) = reading.walk(inputs, sink, false, progress);
    let (_, worker) = sink.end();
    worker.finish(!conversion.interrupted)?;
    Ok(conversion.failures)
}

struct Sights<F> {
    options: VpcOptions,
    classes: ClassReader,
    take: F,
}

impl<F: FnMut(&Sight<'_>)> Emit for Sights<F> {
    fn window(&mut self, meter: &Meter, window: &ClosedWindow) -> Result<(), ConvertError> {
        self.classes.refresh();
        let vpc = &self.options.vpc;
        meter.for_each_key(window, |flow| -> Result<(), ConvertError> {
            let packets = flow.key.flow;
            for sighted in self.classes.get(flow.key.point.0) {
                let shown = match sighted.owner {
                    Owner::Interface(at) if sighted.egress => {
                        FlowKey { srcaddr: vpc.shown_address(at, packets.srcaddr), ..packets }
                    }
                    Owner::Interface(at) => {
                        FlowKey { dstaddr: vpc.shown_address(at, packets.dstaddr), ..packets }
                    }
                    Owner::RegionalNat(_) | Owner::Unknown => packets,
                };
                (self.take)(&Sight {
                    packets,
                    shown,
                    owner: self.options.id_of(sighted.owner),
                    is_interface: matches!(sighted.owner, Owner::Interface(_)),
                    egress: sighted.egress,
                    action: sighted.action,
                    counters: &flow.counters,
                });
            }
            Ok(())
        })
    }

    fn flush(&mut self) -> Result<(), ConvertError> {
        Ok(())
    }
}
