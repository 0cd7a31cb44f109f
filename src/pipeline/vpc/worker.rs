//! Judging, and behind it metering and writing.

use std::collections::BTreeSet;
use std::io::Write;

use super::emit::VpcEmitter;
use super::flows::Judged;
use super::judge::Judge;
use crate::flow::{WindowIndex, Windows};
use crate::meter::{Batch, ClosedWindow, Meter};
use crate::packet::Timestamp;
use crate::pipeline::ConvertError;
use crate::pipeline::emit::Written;
use crate::pipeline::ordered::{Sink, Stopped};

/// Judges batches and hands them on.
pub(super) struct Judging<S> {
    judge: Judge,
    judged: Batch,
    sink: S,
}

impl<S: Sink> Judging<S> {
    pub(super) fn new(judge: Judge, sink: S) -> Self {
        Judging { judge, judged: Batch::default(), sink }
    }

    /// Hands on what is still counted here; gives what was counted beside the records, and the sink.
    pub(super) fn end(mut self) -> (Judged, S) {
        self.judge.flush(None, &mut self.judged);
        // an output that has failed keeps its error
        let _ = self.hand_on();
        (self.judge.into_judged(), self.sink)
    }

    fn hand_on(&mut self) -> Result<(), Stopped> {
        if self.judged.is_empty() {
            return Ok(());
        }
        let counted = self.sink.count(&self.judged);
        self.judged.clear();
        counted
    }
}

impl<S: Sink> Sink for Judging<S> {
    fn count(&mut self, batch: &Batch) -> Result<(), Stopped> {
        self.judge.judge(batch, &mut self.judged);
        self.hand_on()
    }

    fn close(&mut self, passed: WindowIndex) -> Result<(), Stopped> {
        self.judge.flush(Some(passed), &mut self.judged);
        self.hand_on()?;
        self.sink.close(passed)
    }

    fn begin(&mut self, windows: Windows) {
        self.sink.begin(windows);
    }

    fn lost(&mut self, time: Timestamp) {
        self.sink.lost(time);
    }
}

/// Meters judged batches, and writes closed windows.
pub(super) struct VpcWriter<W> {
    meter: Meter,
    emitter: VpcEmitter<W>,
    windows: Option<Windows>,
    /// Windows in which packets were lost, and which are not written yet.
    lost: BTreeSet<WindowIndex>,
    /// When packets were lost before it is known how time is cut.
    lost_early: Vec<Timestamp>,
    passed: WindowIndex,
    error: Option<ConvertError>,
}

/// What a conversion has written.
pub(super) struct VpcWritten {
    pub(super) written: Written,
    pub(super) nodata: u64,
    pub(super) nodata_left_out: u64,
    pub(super) skipdata: u64,
}

impl<W: Write> VpcWriter<W> {
    /// A writer whose flow tables may hold `memory` bytes.
    pub(super) fn new(emitter: VpcEmitter<W>, memory: usize) -> Self {
        VpcWriter {
            meter: Meter::new(memory),
            emitter,
            windows: None,
            lost: BTreeSet::new(),
            lost_early: Vec::new(),
            passed: WindowIndex(i64::MIN),
            error: None,
        }
    }

    fn write(&mut self, windows: Vec<ClosedWindow>) -> Result<(), Stopped> {
        if windows.is_empty() {
            return Ok(());
        }
        for window in windows {
            let placement = window.placement();
            let lost = !placement.late && self.lost.remove(&placement.window);
            let written = self.emitter.window(&self.meter, &window, lost);
            self.keep(written)?;
            self.meter.recycle(window);
        }
        let flushed = self.emitter.flush();
        self.keep(flushed)
    }

    fn keep(&mut self, result: Result<(), ConvertError>) -> Result<(), Stopped> {
        result.map_err(|error| {
            self.error = Some(error);
            Stopped
        })
    }

    /// Closes and writes what is still open, unless reading was broken off.
    ///
    /// # Errors
    /// The first error of the output or the temporary file.
    pub(super) fn finish(mut self, write_open_windows: bool) -> Result<VpcWritten, ConvertError> {
        if self.error.is_none() && write_open_windows {
            let windows = self.meter.finish();
            let _ = self.write(windows).and_then(|()| {
                let flushed = self.emitter.flush();
                self.keep(flushed)
            });
        }
        match self.error {
            Some(error) => Err(error),
            None => {
                let VpcEmitter { written, nodata, nodata_left_out, skipdata, .. } = self.emitter;
                Ok(VpcWritten { written, nodata, nodata_left_out, skipdata })
            }
        }
    }
}

impl<W: Write> Sink for VpcWriter<W> {
    fn count(&mut self, batch: &Batch) -> Result<(), Stopped> {
        let counted = self.meter.count(batch);
        self.keep(counted.map_err(ConvertError::from))
    }

    fn close(&mut self, passed: WindowIndex) -> Result<(), Stopped> {
        self.passed = passed;
        let windows = self.meter.close(passed);
        self.write(windows)
    }

    fn begin(&mut self, windows: Windows) {
        self.windows = Some(windows);
        self.emitter.set_windows(windows);
        std::mem::take(&mut self.lost_early).into_iter().for_each(|time| self.lost(time));
    }

    fn lost(&mut self, time: Timestamp) {
        match &self.windows {
            // a window that is written already cannot say it any more; the earliest open one does
            Some(windows) => {
                self.lost.insert(windows.index_of(time).max(self.passed));
            }
            None => self.lost_early.push(time),
        }
    }
}
