//! Somebody who watches packets on their way into their windows, and changes nothing.

use super::ordered::{Sink, Stopped};
use crate::flow::{WindowIndex, Windows};
use crate::meter::{Batch, Lost};
use crate::packet::Timestamp;

/// Watches what a [`Sink`] is given.
pub(super) trait Watch: Send {
    /// Packets are counted next.
    fn counting(&mut self, _batch: &Batch) {}

    /// Windows were closed, and their records written.
    fn closed(&mut self) {}
}

/// Nobody: costs nothing.
impl Watch for () {}

/// A sink that is watched.
pub(super) struct Watched<'a, W, S> {
    watch: &'a mut W,
    sink: S,
}

impl<'a, W: Watch, S: Sink> Watched<'a, W, S> {
    pub(super) fn new(watch: &'a mut W, sink: S) -> Self {
        Watched { watch, sink }
    }

    pub(super) fn into_inner(self) -> S {
        self.sink
    }
}

impl<W: Watch, S: Sink> Sink for Watched<'_, W, S> {
    fn count(&mut self, batch: &Batch) -> Result<(), Stopped> {
        self.watch.counting(batch);
        self.sink.count(batch)
    }

    fn close(&mut self, passed: WindowIndex) -> Result<(), Stopped> {
        let closed = self.sink.close(passed);
        self.watch.closed();
        closed
    }

    fn begin(&mut self, windows: Windows, first: Timestamp) {
        self.sink.begin(windows, first);
    }

    fn lost(&mut self, lost: Lost) {
        self.sink.lost(lost);
    }
}
