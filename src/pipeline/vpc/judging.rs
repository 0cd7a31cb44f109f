//! Judging, in front of metering and writing.

use super::flows::Judged;
use super::judge::Judge;
use crate::flow::{WindowIndex, Windows};
use crate::meter::{Batch, Lost};
use crate::packet::Timestamp;
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
        // an output that has failed keeps its error
        let _ = self.flush(None);
        (self.judge.into_judged(), self.sink)
    }

    fn flush(&mut self, passed: Option<WindowIndex>) -> Result<(), Stopped> {
        let Judging { judge, judged, sink } = self;
        judge.flush(passed, judged, |judged| hand_on(judged, sink))
    }
}

fn hand_on(judged: &mut Batch, sink: &mut impl Sink) -> Result<(), Stopped> {
    if judged.is_empty() {
        return Ok(());
    }
    let counted = sink.count(judged);
    judged.clear();
    counted
}

impl<S: Sink> Sink for Judging<S> {
    fn count(&mut self, batch: &Batch) -> Result<(), Stopped> {
        self.judge.judge(batch, &mut self.judged);
        hand_on(&mut self.judged, &mut self.sink)
    }

    fn close(&mut self, passed: WindowIndex) -> Result<(), Stopped> {
        self.flush(Some(passed))?;
        self.sink.close(passed)
    }

    fn begin(&mut self, windows: Windows, first: Timestamp) {
        self.judge.begin(first);
        self.sink.begin(windows, first);
    }

    fn lost(&mut self, lost: Lost) {
        self.sink.lost(lost);
    }
}
