//! `convert` with the VPC around the captures.

use std::io::Write;

use super::emit::VpcEmitter;
use super::flows::Judged;
use super::judge::Judge;
use super::judging::Judging;
use super::options::VpcOptions;
use super::sighting::InterfacesSeen;
use crate::capture::CaptureInput;
use crate::flowlog::encode::encoder;
use crate::pipeline::convert::{Reading, in_background};
use crate::pipeline::emit::{Written, shows_direction};
use crate::pipeline::ledger::Ledger;
use crate::pipeline::watch::{Watch, Watched};
use crate::pipeline::workers::Worker;
use crate::pipeline::{
    Conversion, ConvertError, EncodedOutput, MeterOptions, Progress, RecordOptions, RecordSink,
};
use crate::record::FileFormat;

/// [`convert`](crate::pipeline::convert) with a VPC: a record for every interface that a packet passed, with the action
/// that its rules come to.
///
/// # Errors
/// As `convert`.
pub fn convert_with_vpc(
    inputs: Vec<CaptureInput>,
    meter: &MeterOptions,
    records: &RecordOptions,
    options: &VpcOptions,
    output: impl Write + Send,
    write_after_interrupt: bool,
    progress: &Progress,
) -> Result<Conversion, ConvertError> {
    in_background(meter, records, output, |output| {
        let encoder = encoder(FileFormat::PlainText, &records.format, records.header);
        let mut sink = EncodedOutput::new(encoder, output);
        if options.why {
            sink = sink.with_reasons();
        }
        convert_with_vpc_into(inputs, meter, records, options, &mut sink, write_after_interrupt, progress)
    })
}

/// [`convert_with_vpc`], with the records handed to a sink.
///
/// # Errors
/// As `convert`.
pub fn convert_with_vpc_into(
    inputs: Vec<CaptureInput>,
    meter: &MeterOptions,
    records: &RecordOptions,
    options: &VpcOptions,
    sink: &mut (dyn RecordSink + '_),
    write_after_interrupt: bool,
    progress: &Progress,
) -> Result<Conversion, ConvertError> {
    let converting = Converting { meter, records, options, write_after_interrupt, progress };
    converting.run(inputs, sink, &mut ())
}

/// How captures are converted with a VPC.
pub(in crate::pipeline) struct Converting<'a> {
    pub(in crate::pipeline) meter: &'a MeterOptions,
    pub(in crate::pipeline) records: &'a RecordOptions,
    pub(in crate::pipeline) options: &'a VpcOptions,
    pub(in crate::pipeline) write_after_interrupt: bool,
    pub(in crate::pipeline) progress: &'a Progress,
}

impl Converting<'_> {
    /// Converts, with somebody who watches the packets before they are judged.
    ///
    /// # Errors
    /// As `convert`.
    pub(in crate::pipeline) fn run(
        self,
        inputs: Vec<CaptureInput>,
        sink: &mut (dyn RecordSink + '_),
        watch: &mut impl Watch,
    ) -> Result<Conversion, ConvertError> {
        let Converting { meter, records, options, write_after_interrupt, progress } = self;
        let (interfaces, points) = InterfacesSeen::new(options.vpc.clone());
        let judge = Judge::new(options.clone(), points, records.identity.action);
        // half of the memory for flow tables, half for the rows of the window that is written
        let memory = meter.table_memory() / 2;
        let (classes, seen_on) = judge.readers();
        let emitter = VpcEmitter::new(options.clone(), records, classes, seen_on, memory, &mut *sink);
        let judging = Judging::new(judge, Worker::new(emitter, memory));
        let with_direction = shows_direction(&records.format);
        let reading = Reading { meter, with_direction, interfaces: Some(interfaces), partials: None };
        let watched = Watched::new(watch, judging);
        let (mut conversion, watched) = reading.walk(inputs, watched, write_after_interrupt, progress);
        let (mut judged, worker) = watched.into_inner().end();
        let write_open_windows = !conversion.interrupted || write_after_interrupt;
        let mut emitter = worker.finish(write_open_windows)?;
        if write_open_windows {
            emitter.end()?;
        }
        judged.total.losses_of_no_known_interface = emitter.losses_of_nobody_known();
        let VpcEmitter { written, nodata, nodata_left_out, skipdata, .. } = emitter;
        if write_open_windows {
            sink.finish().map_err(ConvertError::Write)?;
        }
        judged.total.records_nodata_left_out = nodata_left_out;
        (judged.total.records_nodata, judged.total.records_skipdata) = (nodata, skipdata);
        account(&mut conversion.ledger, written, &judged);
        Ok(conversion)
    }
}

/// What the judge and the writer have to add to the ledger.
fn account(ledger: &mut Ledger, written: Written, judged: &Judged) {
    for (capture, notes, reason, back) in &judged.taken_back {
        if let Some(capture) = ledger.captures.get_mut(*capture) {
            capture.tally.take_back(*reason, *notes, *back);
        }
    }
    ledger.add_up();
    written.account(ledger);
    ledger.total.vpc = Some(judged.total);
}
