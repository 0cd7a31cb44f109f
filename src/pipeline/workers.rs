//! Metering and writing: on the calling thread, or on one of its own.
//!
//! Packets come in batches, in the order in which they were read, and windows close between batches, so the
//! output is the same either way.

use std::io::Write;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use super::ConvertError;
use super::emit::{Emitter, Written};
use crate::flow::WindowIndex;
use crate::meter::{Batch, ClosedWindow, Meter};

/// How many batches may wait between reading and metering.
const QUEUE: usize = 128;

/// The writing side has failed; its error is kept there, and reading should stop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopped;

/// Where batches go.
pub(super) trait Sink {
    /// Counts a batch and gives an empty one back.
    fn count(&mut self, batch: Batch) -> Result<Batch, Stopped>;

    /// Closes the windows below `passed` and writes them.
    fn close(&mut self, passed: WindowIndex) -> Result<(), Stopped>;
}

impl<S: Sink> Sink for &mut S {
    fn count(&mut self, batch: Batch) -> Result<Batch, Stopped> {
        (**self).count(batch)
    }

    fn close(&mut self, passed: WindowIndex) -> Result<(), Stopped> {
        (**self).close(passed)
    }
}

/// Meters batches and writes closed windows.
pub(super) struct Worker<W> {
    meter: Meter,
    emitter: Emitter<W>,
    error: Option<ConvertError>,
}

impl<W: Write> Worker<W> {
    /// A worker whose flow tables may hold `memory` bytes.
    pub(super) fn new(emitter: Emitter<W>, memory: usize) -> Self {
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

    /// Closes and writes what is still open, unless reading was broken off.
    ///
    /// # Errors
    /// The first error of the output or the temporary file.
    pub(super) fn finish(mut self, write_open_windows: bool) -> Result<Written, ConvertError> {
        if self.error.is_none() && write_open_windows {
            let windows = self.meter.finish();
            let _ = self.write(windows).and_then(|()| {
                let flushed = self.emitter.flush();
                self.keep(flushed)
            });
        }
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.emitter.written()),
        }
    }
}

impl<W: Write> Sink for Worker<W> {
    fn count(&mut self, mut batch: Batch) -> Result<Batch, Stopped> {
        let counted = self.meter.count(&batch);
        self.keep(counted.map_err(ConvertError::from))?;
        batch.clear();
        Ok(batch)
    }

    fn close(&mut self, passed: WindowIndex) -> Result<(), Stopped> {
        let windows = self.meter.close(passed);
        self.write(windows)
    }
}

enum Message {
    Count(Batch),
    Close(WindowIndex),
}

/// The reading end of a worker on another thread.
pub(super) struct RemoteSink {
    messages: SyncSender<Message>,
    empty: Receiver<Batch>,
}

impl Sink for RemoteSink {
    fn count(&mut self, batch: Batch) -> Result<Batch, Stopped> {
        self.messages.send(Message::Count(batch)).map_err(|_| Stopped)?;
        Ok(self.empty.try_recv().unwrap_or_default())
    }

    fn close(&mut self, passed: WindowIndex) -> Result<(), Stopped> {
        self.messages.send(Message::Close(passed)).map_err(|_| Stopped)
    }
}

/// The working end: runs until the reading end is dropped or the output fails.
pub(super) struct RemoteWorker {
    messages: Receiver<Message>,
    empty: Sender<Batch>,
}

impl RemoteWorker {
    pub(super) fn run(self, worker: &mut Worker<impl Write>) {
        for message in self.messages {
            let result = match message {
                Message::Count(batch) => worker.count(batch).map(|batch| {
                    // the reading end may be gone already; then nobody needs the memory
                    let _ = self.empty.send(batch);
                }),
                Message::Close(passed) => worker.close(passed),
            };
            if result.is_err() {
                break;
            }
        }
    }
}

/// The two ends.
pub(super) fn remote() -> (RemoteSink, RemoteWorker) {
    let (messages, received) = sync_channel(QUEUE);
    let (empty, recycled) = channel();
    (RemoteSink { messages, empty: recycled }, RemoteWorker { messages: received, empty })
}
