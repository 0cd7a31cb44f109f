//! Metering and writing, and the queue to a thread of their own.
//!
//! Packets come in the order in which they were read, and everything that depends on it is on one side of the queue, so
//! the output is the same with and without.

use std::sync::mpsc::{Receiver, Sender, SyncSender, TryRecvError, TrySendError, channel, sync_channel};
use std::thread;

use super::ConvertError;
use super::intake::Taker;
use super::ordered::{Ordered, Sink, Stopped};
use crate::flow::{WindowIndex, Windows};
use crate::meter::{Batch, ClosedWindow, Lost, Meter, Sightings};
use crate::packet::Timestamp;

/// How many batches may wait between reading and what depends on order.
const QUEUE: usize = 64;

/// How often a thread gives way before it sleeps: for some microseconds.
const PATIENCE: usize = 30;

/// Writes the records of closed windows.
pub(super) trait Emit {
    /// Writes a window's.
    fn window(&mut self, meter: &Meter, window: &ClosedWindow) -> Result<(), ConvertError>;

    /// Hands everything written so far to whoever reads the output.
    fn flush(&mut self) -> Result<(), ConvertError>;

    /// Learns how time is cut and the time of the first packet, before any window is closed.
    fn begin(&mut self, _windows: Windows, _first: Timestamp) {}

    /// Learns that the windows below `passed` are written next.
    fn closing(&mut self, _passed: WindowIndex) {}

    /// A capture lost packets. It may be said before [`begin`](Self::begin).
    fn lost(&mut self, _lost: Lost) {}
}

/// Meters batches and has closed windows written.
pub(super) struct Worker<E> {
    meter: Meter,
    emitter: E,
    error: Option<ConvertError>,
}

impl<E: Emit> Worker<E> {
    /// A worker whose flow tables may hold `memory` bytes.
    pub(super) fn new(emitter: E, memory: usize) -> Self {
        Worker { meter: Meter::new(memory), emitter, error: None }
    }

    fn write(&mut self, windows: Vec<ClosedWindow>) -> Result<(), Stopped> {
        if windows.is_empty() {
            return Ok(());
        }
        for window in windows {
            let written = self.emitter.window(&self.meter, &window);
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

    /// Closes and writes what is still open, unless reading was broken off; gives the emitter back.
    ///
    /// # Errors
    /// The first error of the output or the temporary file.
    pub(super) fn finish(mut self, write_open_windows: bool) -> Result<E, ConvertError> {
        if self.error.is_none() && write_open_windows {
            let windows = self.meter.finish();
            let _ = self.write(windows).and_then(|()| {
                let flushed = self.emitter.flush();
                self.keep(flushed)
            });
        }
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.emitter),
        }
    }
}

impl<E: Emit> Sink for Worker<E> {
    fn count(&mut self, batch: &Batch) -> Result<(), Stopped> {
        let counted = self.meter.count(batch);
        self.keep(counted.map_err(ConvertError::from))
    }

    fn close(&mut self, passed: WindowIndex) -> Result<(), Stopped> {
        self.emitter.closing(passed);
        let windows = self.meter.close(passed);
        self.write(windows)
    }

    fn begin(&mut self, windows: Windows, first: Timestamp) {
        self.emitter.begin(windows, first);
    }

    fn lost(&mut self, lost: Lost) {
        self.emitter.lost(lost);
    }
}

/// The ordered side on the reading side's own thread.
impl<S: Sink> Taker for &mut Ordered<'_, S> {
    fn take(&mut self, mut sightings: Sightings) -> Result<Sightings, Stopped> {
        Ordered::take(self, &sightings)?;
        sightings.clear();
        Ok(sightings)
    }

    fn kept(&self) -> u64 {
        Ordered::kept(self)
    }
}

/// The reading end of an ordered side on another thread.
pub(super) struct RemoteTaker {
    full: SyncSender<Sightings>,
    empty: Receiver<Sightings>,
}

impl Taker for RemoteTaker {
    fn take(&mut self, sightings: Sightings) -> Result<Sightings, Stopped> {
        let mut sightings = Some(sightings);
        patiently(|| match sightings.take().map(|waiting| self.full.try_send(waiting)) {
            Some(Err(TrySendError::Full(back))) => {
                sightings = Some(back);
                None
            }
            Some(Err(TrySendError::Disconnected(_))) => Some(Err(Stopped)),
            Some(Ok(())) | None => Some(Ok(())),
        })
        .unwrap_or(Ok(()))?;
        if let Some(sightings) = sightings {
            self.full.send(sightings).map_err(|_| Stopped)?;
        }
        Ok(self.empty.try_recv().unwrap_or_default())
    }

    /// Not known on this side.
    fn kept(&self) -> u64 {
        0
    }
}

/// The ordered end: runs until the reading end is dropped or the output fails.
pub(super) struct RemoteOrdered {
    full: Receiver<Sightings>,
    empty: Sender<Sightings>,
}

impl RemoteOrdered {
    pub(super) fn run(self, ordered: &mut Ordered<'_, impl Sink>) {
        loop {
            let received = patiently(|| match self.full.try_recv() {
                Err(TryRecvError::Empty) => None,
                received => Some(received.ok()),
            });
            let Some(mut sightings) = received.unwrap_or_else(|| self.full.recv().ok()) else { break };
            if ordered.take(&sightings).is_err() {
                break;
            }
            sightings.clear();
            // the reading end may be gone already; then nobody needs the memory
            let _ = self.empty.send(sightings);
        }
    }
}

/// Tries something that may be possible in a moment; `None` where it was not for a while.
///
/// A thread that sleeps at every batch is woken on the processor of the one that wakes it, and stays there: two threads
/// then share one processor beside an idle one. A thread that only gives way is moved to the idle one.
fn patiently<T>(mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    for _ in 0..PATIENCE {
        if let Some(done) = attempt() {
            return Some(done);
        }
        thread::yield_now();
    }
    attempt()
}

/// The two ends.
pub(super) fn remote() -> (RemoteTaker, RemoteOrdered) {
    let (full, received) = sync_channel(QUEUE);
    let (empty, recycled) = channel();
    (RemoteTaker { full, empty: recycled }, RemoteOrdered { full: received, empty })
}
