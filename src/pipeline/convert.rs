//! `convert`: captures in, records out.

use std::error::Error;
use std::io::{self, Write};
use std::thread;

use super::background::background;
use super::emit::{Direct, Emitter, Lines, Output, RecordEmitter, shows_direction};
use super::intake::{Intake, Taken, Taker};
use super::ledger::Ledger;
use super::ordered::{Ordered, Sink, Stopped};
use super::partials::PartialSights;
use super::vpc::InterfacesSeen;
use super::watch::{Watch, Watched};
use super::workers::{Worker, remote};
use super::{MeterOptions, Progress, RecordOptions, RecordSink};
use crate::capture::{CaptureError, CaptureInput, MergeStep, MergedCaptures};
use crate::meter::SpillError;

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
    in_background(meter, records, output, |output| {
        let worker = Worker::new(Emitter::new(records, output), meter.table_memory());
        let reading = Reading {
            meter,
            with_direction: shows_direction(&records.format),
            interfaces: None,
            partials: None,
        };
        let (mut conversion, worker) = reading.walk(inputs, worker, write_after_interrupt, progress);
        let emitter = worker.finish(!conversion.interrupted || write_after_interrupt)?;
        emitter.written().account(&mut conversion.ledger);
        Ok(conversion)
    })
}

/// [`convert`], with the records handed to a sink instead of written as lines.
///
/// The sink is finished unless reading was broken off before its end.
///
/// # Errors
/// As `convert`.
pub fn convert_into(
    inputs: Vec<CaptureInput>,
    meter: &MeterOptions,
    records: &RecordOptions,
    sink: &mut dyn RecordSink,
    write_after_interrupt: bool,
    progress: &Progress,
) -> Result<Conversion, ConvertError> {
    convert_watched(inputs, meter, records, sink, &mut (), write_after_interrupt, progress)
}

/// [`convert_into`], with somebody who watches the packets.
pub(super) fn convert_watched(
    inputs: Vec<CaptureInput>,
    meter: &MeterOptions,
    records: &RecordOptions,
    sink: &mut dyn RecordSink,
    watch: &mut impl Watch,
    write_after_interrupt: bool,
    progress: &Progress,
) -> Result<Conversion, ConvertError> {
    let worker = Worker::new(RecordEmitter::new(records, &mut *sink), meter.table_memory());
    let reading =
        Reading { meter, with_direction: shows_direction(&records.format), interfaces: None, partials: None };
    let watched = Watched::new(watch, worker);
    let (mut conversion, watched) = reading.walk(inputs, watched, write_after_interrupt, progress);
    let worker = watched.into_inner();
    let write_open_windows = !conversion.interrupted || write_after_interrupt;
    let emitter = worker.finish(write_open_windows)?;
    emitter.written().account(&mut conversion.ledger);
    if write_open_windows {
        sink.finish().map_err(ConvertError::Write)?;
    }
    Ok(conversion)
}

/// Runs a conversion; what it writes is written on a thread of its own where there may be several.
pub(super) fn in_background(
    meter: &MeterOptions,
    records: &RecordOptions,
    output: impl Write + Send,
    convert: impl FnOnce(&mut (dyn Output + Send)) -> Result<Conversion, ConvertError>,
) -> Result<Conversion, ConvertError> {
    if meter.threads < 2 {
        return convert(&mut Direct(output));
    }
    let (mut end, writer) = background();
    thread::scope(|scope| {
        let writing = scope.spawn(|| writer.run(Lines::new(records), output));
        let converted = convert(&mut end);
        // which ends the writing
        drop(end);
        let written = writing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // the output's own error says more than what it stopped
        written.map_err(ConvertError::Write)?;
        converted
    })
}

/// How captures are read.
pub(super) struct Reading<'a> {
    pub(super) meter: &'a MeterOptions,
    pub(super) with_direction: bool,
    /// Looks for the interfaces of a VPC, if there is one.
    pub(super) interfaces: Option<InterfacesSeen>,
    /// Fills the keys of partial records, if those are asked for.
    pub(super) partials: Option<PartialSights>,
}

impl Reading<'_> {
    /// Gives all packets to a sink: the ledger without what only the sink knows, and the sink.
    pub(super) fn walk<S: Sink + Send>(
        self,
        inputs: Vec<CaptureInput>,
        sink: S,
        write_after_interrupt: bool,
        progress: &Progress,
    ) -> (Conversion, S) {
        let meter = self.meter;
        let mut captures = MergedCaptures::new(inputs).reading_ahead(meter.threads > 1);
        let mut ordered = Ordered::new(meter, captures.count(), sink);
        let mut walk =
            Walk { captures: &mut captures, write_after_interrupt, progress, failures: Vec::new() };
        // whether there are enough packets is known only where they are judged
        let taken = if meter.threads > 1 && meter.count.is_none() {
            let (taker, remote_ordered) = remote();
            thread::scope(|scope| {
                scope.spawn(|| remote_ordered.run(&mut ordered));
                // the taker is dropped with the walk, which ends the other thread
                walk.run(self, taker)
            })
        } else {
            walk.run(self, &mut ordered)
        };
        let failures = walk.failures;
        ordered.end();
        let interrupted = progress.is_interrupted();
        let (ledger, sink) = ordered.into_ledger(taken, |capture, interface| {
            let name = captures.name(capture).unwrap_or_default().to_owned();
            let interfaces = captures.info(capture).map_or(&[][..], |info| &info.interfaces);
            let named = interfaces.get(interface as usize).filter(|_| interfaces.len() > 1);
            (name, named.map(|named| named.name.clone().unwrap_or_else(|| interface.to_string())))
        });
        (Conversion { ledger, failures, interrupted }, sink)
    }
}

/// The walk over all packets.
struct Walk<'a> {
    captures: &'a mut MergedCaptures,
    write_after_interrupt: bool,
    progress: &'a Progress,
    failures: Vec<CaptureError>,
}

impl Walk<'_> {
    fn run(&mut self, reading: Reading<'_>, taker: impl Taker) -> Taken {
        let Reading { meter, with_direction, interfaces, partials } = reading;
        let mut intake = Intake::new(meter, with_direction, &names(self.captures), taker)
            .looking_for(interfaces)
            .telling(partials);
        // a failed output is reported by the worker, which keeps the error
        let _ = self.read(&mut intake);
        self.progress.report(intake.packets(), self.captures.bytes_read());
        intake.into_taken()
    }

    fn read(&mut self, intake: &mut Intake<'_, impl Taker>) -> Result<(), Stopped> {
        while intake.room() > 0
            && (self.write_after_interrupt || !self.progress.is_interrupted())
            && let Some(step) = self.captures.step()
        {
            match step {
                MergeStep::Packet(capture) => {
                    intake.take(capture, &self.captures.current(), self.captures.info(capture));
                }
                MergeStep::Paused => intake.hand_over()?,
                MergeStep::Failed { capture, error } => {
                    intake.failed(capture, with_causes(&error));
                    self.failures.push(error);
                }
            }
            self.captures.each_at_hand(intake.room(), intake);
            intake.hand_over_if_full()?;
            self.progress.report(intake.packets(), self.captures.bytes_read());
        }
        intake.ended((0..self.captures.count()).map(|capture| self.captures.info(capture)));
        intake.hand_over()
    }
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
