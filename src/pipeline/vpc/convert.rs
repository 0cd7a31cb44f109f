//! `convert` with the VPC around the captures.

use std::io::Write;
use std::thread::{self, ScopedJoinHandle};

use super::drops::Drops;
use super::emit::VpcEmitter;
use super::flows::Judged;
use super::judge::Judge;
use super::options::VpcOptions;
use super::sighting::Sighting;
use super::worker::{Judging, VpcSink, VpcWriter, VpcWritten, remote};
use crate::capture::{CaptureInput, MergeStep, MergedCaptures};
use crate::packet::{PacketTime, Timestamp};
use crate::pipeline::convert::{names, with_causes};
use crate::pipeline::emit::{Written, shows_direction};
use crate::pipeline::intake::Intake;
use crate::pipeline::ledger::Ledger;
use crate::pipeline::workers::Stopped;
use crate::pipeline::{Conversion, ConvertError, MeterOptions, Progress, RecordOptions};

/// After how many packets progress is reported.
const REPORT_EVERY: u64 = 4096;

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
    let (sighting, points) = Sighting::new(options.vpc.clone());
    let judge = Judge::new(options.clone(), points, records.identity.action);
    // half of the memory for flow tables, half for the rows of the window that is written
    let memory = meter.table_memory() / 2;
    let emitter = VpcEmitter::new(options.clone(), records, judge.class_reader(), memory, output);
    let mut writer = VpcWriter::new(emitter, memory);
    let with_direction = shows_direction(&records.format);
    let walk = Walk { meter, with_direction, write_after_interrupt, progress };
    let (mut conversion, mut judged) = if meter.threads > 1 {
        let (walked, judging_worker) = remote();
        let (judged, writing_worker) = remote();
        thread::scope(|scope| {
            scope.spawn(|| writing_worker.run(&mut writer));
            let judging = scope.spawn(move || {
                let mut judging = Judging::new(judge, judged);
                judging_worker.run(&mut judging);
                // its sink is dropped with it, which ends the writing
                judging.into_judged()
            });
            // the sink is dropped with the walk, which ends the judging
            let conversion = walk.run(inputs, sighting, walked);
            (conversion, joined(judging))
        })
    } else {
        let mut judging = Judging::new(judge, &mut writer);
        let conversion = walk.run(inputs, sighting, &mut judging);
        (conversion, judging.into_judged())
    };
    let write_open_windows = !conversion.interrupted || write_after_interrupt;
    let VpcWritten { written, nodata, skipdata } = writer.finish(write_open_windows)?;
    (judged.total.records_nodata, judged.total.records_skipdata) = (nodata, skipdata);
    account(&mut conversion.ledger, &written, &judged);
    Ok(conversion)
}

/// What a thread returns; its panic goes on here.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    match thread.join() {
        Ok(returned) => returned,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// What the judge and the writer have to add to the ledger.
fn account(ledger: &mut Ledger, written: &Written, judged: &Judged) {
    for (capture, reason, back) in &judged.taken_back {
        if let Some(capture) = ledger.captures.get_mut(*capture) {
            capture.tally.take_back(*reason, back.packets, back.bytes, back.late);
        }
    }
    ledger.add_up();
    let total = &mut ledger.total;
    (total.records, total.late_records) = (written.records, written.late_records);
    (total.written_packets, total.written_bytes) = (written.packets, written.bytes);
    total.vpc = Some(judged.total);
}

/// The sequential walk over all packets.
struct Walk<'a> {
    meter: &'a MeterOptions,
    with_direction: bool,
    write_after_interrupt: bool,
    progress: &'a Progress,
}

impl Walk<'_> {
    fn run(&self, inputs: Vec<CaptureInput>, sighting: Sighting, sink: impl VpcSink) -> Conversion {
        let Walk { meter, with_direction, write_after_interrupt, progress } = *self;
        let mut captures = MergedCaptures::new(inputs);
        let mut intake = Intake::new(meter, with_direction, &names(&captures), sink).with_sighting(sighting);
        let mut failures = Vec::new();
        let mut drops = Drops::default();
        let mut last: Option<Timestamp> = None;
        let result = (|| -> Result<(), Stopped> {
            while !intake.has_enough()
                && (write_after_interrupt || !progress.is_interrupted())
                && let Some(step) = captures.step()
            {
                match step {
                    MergeStep::Packet(capture) => {
                        let packet = captures.current();
                        let info = captures.info(capture);
                        if let PacketTime::At(time) = packet.time {
                            if last.is_none() {
                                intake.sink().set_windows(meter.windows(time))?;
                            }
                            last = Some(time);
                            if drops.grew(capture, packet.interface as usize, info) {
                                intake.sink().lost(time)?;
                            }
                        }
                        intake.take(capture, &packet, info)?;
                        if intake.packets().is_multiple_of(REPORT_EVERY) {
                            progress.report(intake.packets(), captures.bytes_read());
                        }
                    }
                    MergeStep::Paused => intake.settle()?,
                    MergeStep::Failed { capture, error } => {
                        intake.failed(capture, with_causes(&error));
                        failures.push(error);
                    }
                }
            }
            // statistics of interfaces stand behind the last packet
            if let Some(time) = last
                && (0..captures.count()).any(|capture| {
                    let info = captures.info(capture);
                    let interfaces = info.map_or(0, |info| info.interfaces.len());
                    (0..interfaces).any(|interface| drops.grew(capture, interface, info))
                })
            {
                intake.sink().lost(time)?;
            }
            intake.end()
        })();
        // a failed output is reported by the worker, which keeps the error
        let _ = result;
        progress.report(intake.packets(), captures.bytes_read());
        let (ledger, _) = intake.into_ledger(|capture, interface| {
            let name = captures.name(capture).unwrap_or_default().to_owned();
            let interfaces = captures.info(capture).map_or(&[][..], |info| &info.interfaces);
            let named = interfaces.get(interface as usize).filter(|_| interfaces.len() > 1);
            (name, named.map(|named| named.name.clone().unwrap_or_else(|| interface.to_string())))
        });
        Conversion { ledger, failures, interrupted: progress.is_interrupted() }
    }
}
