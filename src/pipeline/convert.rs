//! `convert`: captures in, records out.

use std::error::Error;
use std::io::{self, Write};
use std::thread;

use super::emit::{Emitter, Written, shows_direction};
use super::intake::Intake;
use super::ledger::Ledger;
use super::workers::{Sink, Stopped, Worker, remote};
use super::{MeterOptions, Progress, RecordOptions};
use crate::capture::{CaptureError, CaptureInput, MergeStep, MergedCaptures};
use crate::meter::SpillError;

/// After how many packets progress is reported.
const REPORT_EVERY: u64 = 4096;

/// What a conversion came to.
#[derive(Debug)]
pub struct Conversion {
    /// Every packet accounted for.
    pub ledger: Ledger,
    /// The captures that could not be read to their end, in the order in which that was found. What came before
    /// the damage is in the records.
    pub failures: Vec<CaptureError>,
    /// Whether it was broken off by [`Progress::interrupt`].
    pub interrupted: bool,
}

/// Why a conversion gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// The records could not be written.
    #[error("cannot write the records")]
    Write(#[source] io::Error),
    /// The flows outgrew the memory, and the temporary directory could not take them.
    #[error(transparent)]
    Spill(#[from] SpillError),
}

/// Reads captures in time order as one and writes the flow log records of their packets.
///
/// A closed window's records are written and flushed as soon as the packets' time has passed it. A capture that
/// cannot be read to its end is reported in [`Conversion::failures`], and the others go on. After an interruption
/// reading stops at once, and the open windows are not written; with `write_after_interrupt` it goes on until the
/// inputs end, which is theirs to do soon.
///
/// # Errors
/// Only where the output cannot be written, or the temporary directory is needed and cannot be used.
pub fn convert(
    inputs: Vec<CaptureInput>,
    meter: &MeterOptions,
    records: &RecordOptions,
    output: impl Write + Send,
    write_after_interrupt: bool,
    progress: &Progress,
) -> Result<Conversion, ConvertError> {
    let with_direction = shows_direction(&records.format);
    let mut worker = Worker::new(Emitter::new(records, output), meter.table_memory());
    let mut conversion = if meter.threads > 1 {
        let (sink, remote_worker) = remote();
        thread::scope(|scope| {
            scope.spawn(|| remote_worker.run(&mut worker));
            // the sink is dropped with the walk, which ends the worker
            walk(inputs, meter, with_direction, sink, write_after_interrupt, progress)
        })
    } else {
        walk(inputs, meter, with_direction, &mut worker, write_after_interrupt, progress)
    };
    let write_open_windows = !conversion.interrupted || write_after_interrupt;
    let written = worker.finish(write_open_windows)?;
    let total = &mut conversion.ledger.total;
    let Written { records, late_records, packets, bytes } = written;
    (total.records, total.late_records) = (records, late_records);
    (total.written_packets, total.written_bytes) = (packets, bytes);
    Ok(conversion)
}

/// The sequential walk over all packets.
fn walk(
    inputs: Vec<CaptureInput>,
    options: &MeterOptions,
    with_direction: bool,
    sink: impl Sink,
    read_after_interrupt: bool,
    progress: &Progress,
) -> Conversion {
    let mut captures = MergedCaptures::new(inputs);
    let mut intake = Intake::new(options, with_direction, &names(&captures), sink);
    let mut failures = Vec::new();
    let result = (|| -> Result<(), Stopped> {
        while !intake.has_enough()
            && (read_after_interrupt || !progress.is_interrupted())
            && let Some(step) = captures.step()
        {
            match step {
                MergeStep::Packet(capture) => {
                    intake.take(capture, &captures.current(), captures.info(capture))?;
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

/// The captures' names, in the order of the arguments.
pub(super) fn names(captures: &MergedCaptures) -> Vec<String> {
    (0..captures.count()).filter_map(|capture| captures.name(capture)).map(str::to_owned).collect()
}

/// An error with everything that caused it, in one line, as the ledger and messages show it.
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let reason = error.to_string();
        // some errors end with their source's text already
        if !text.ends_with(&reason) {
            text = format!("{text}: {reason}");
        }
        cause = error.source();
    }
    text
}
