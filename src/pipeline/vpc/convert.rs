//! `convert` with the VPC around the captures.

use std::io::Write;

use super::emit::VpcEmitter;
use super::flows::Judged;
use super::judge::Judge;
use super::judging::Judging;
use super::options::VpcOptions;
use super::sighting::InterfacesSeen;
use crate::capture::CaptureInput;
use crate::pipeline::convert::{Reading, in_background};
use crate::pipeline::emit::{Written, shows_direction};
use crate::pipeline::ledger::Ledger;
use crate::pipeline::workers::Worker;
use crate::pipeline::{Conversion, ConvertError, MeterOptions, Progress, RecordOptions};

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
        let (interfaces, points) = InterfacesSeen::new(options.vpc.clone());
        let judge = Judge::new(options.clone(), points, records.identity.action);
        // half of the memory for flow tables, half for the rows of the window that is written
        let memory = meter.table_memory() / 2;
        let (classes, seen_on) = judge.readers();
        let emitter = VpcEmitter::new(options.clone(), records, classes, seen_on, memory, output);
        let sink = Judging::new(judge, Worker::new(emitter, memory));
        let with_direction = shows_direction(&records.format);
        let reading = Reading { meter, with_direction, interfaces: Some(interfaces) };
        let (mut conversion, sink) = reading.walk(inputs, sink, write_after_interrupt, progress);
        let (mut judged, worker) = sink.end();
        let write_open_windows = !conversion.interrupted || write_after_interrupt;
        let mut emitter = worker.finish(write_open_windows)?;
        if write_open_windows {
            emitter.end()?;
        }
        let VpcEmitter { written, nodata, nodata_left_out, skipdata, .. } = emitter;
        judged.total.losses_of_no_known_interface = emitter.losses_of_nobody_known();
        judged.total.records_nodata_left_out = nodata_left_out;
        (judged.total.records_nodata, judged.total.records_skipdata) = (nodata, skipdata);
        account(&mut conversion.ledger, &written, &judged);
        Ok(conversion)
    })
}

/// What the judge and the writer have to add to the ledger.
fn account(ledger: &mut Ledger, written: &Written, judged: &Judged) {
    for (capture, notes, reason, back) in &judged.taken_back {
        if let Some(capture) = ledger.captures.get_mut(*capture) {
            capture.tally.take_back(*reason, *notes, *back);
        }
    }
    ledger.add_up();
    let total = &mut ledger.total;
    (total.records, total.late_records) = (written.records, written.late_records);
    (total.written_packets, total.written_bytes) = (written.packets, written.bytes);
    total.vpc = Some(judged.total);
}
