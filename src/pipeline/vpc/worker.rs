//! Judging, and metering and writing: on the calling thread, or each on one of its own.
//!
//! Messages pass from one to the next in the order in which they were sent, so the output is the same either way.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use super::emit::VpcEmitter;
use super::flows::Judged;
use super::judge::Judge;
use crate::flow::{WindowIndex, Windows};
use crate::meter::{Batch, ClosedWindow, Meter};
use crate::packet::Timestamp;
use crate::pipeline::ConvertError;
use crate::pipeline::emit::Written;
use crate::pipeline::workers::{Sink, Stopped};

/// How many batches may wait between reading and judging.
const QUEUE: usize = 128;

/// What only the walk of a conversion with a VPC has to say.
pub(super) trait VpcSink: Sink {
    /// How time is cut; said before anything else.
    fn set_windows(&mut self, windows: Windows) -> Result<(), Stopped>;

    /// The capture says at this time that it lost packets.
    fn lost(&mut self, time: Timestamp) -> Result<(), Stopped>;
}

/// Judges batches and hands them on.
pub(super) struct Judging<S> {
    judge: Judge,
    judged: Batch,
    sink: S,
}

impl<S: VpcSink> Judging<S> {
    pub(super) fn new(judge: Judge, sink: S) -> Self {
        Judging { judge, judged: Batch::default(), sink }
    }

    /// Hands on what is still counted here; gives what was counted beside the records.
    pub(super) fn into_judged(mut self) -> Judged {
        // an output that has failed keeps its error
        let _ = self.flush(None);
        self.judge.into_judged()
    }

    fn flush(&mut self, passed: Option<WindowIndex>) -> Result<(), Stopped> {
        self.judge.flush(passed, &mut self.judged);
        if !self.judged.is_empty() {
            self.judged = self.sink.count(std::mem::take(&mut self.judged))?;
        }
        Ok(())
    }
}

impl<S: VpcSink> Sink for Judging<S> {
    fn count(&mut self, mut batch: Batch) -> Result<Batch, Stopped> {
        self.judge.judge(&batch, &mut self.judged);
        if !self.judged.is_empty() {
            self.judged = self.sink.count(std::mem::take(&mut self.judged))?;
        }
        batch.clear();
        Ok(batch)
    }

    fn close(&mut self, passed: WindowIndex) -> Result<(), Stopped> {
        self.flush(Some(passed))?;
        self.sink.close(passed)
    }
}

impl<S: VpcSink> VpcSink for Judging<S> {
    fn set_windows(&mut self, windows: Windows) -> Result<(), Stopped> {
        self.sink.set_windows(windows)
    }

    fn lost(&mut self, time: Timestamp) -> Result<(), Stopped> {
        self.sink.lost(time)
    }
}

/// Meters judged batches, and writes closed windows.
pub(super) struct VpcWriter<W> {
    meter: Meter,
    emitter: VpcEmitter<W>,
    windows: Option<Windows>,
    /// Windows in which packets were lost, and which are not written yet.
    lost: BTreeSet<WindowIndex>,
    passed: WindowIndex,
    error: Option<ConvertError>,
}

/// What a conversion has written.
pub(super) struct VpcWritten {
    pub(super) written: Written,
    pub(super) nodata: u64,
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
                let VpcEmitter { written, nodata, skipdata, .. } = self.emitter;
                Ok(VpcWritten { written, nodata, skipdata })
            }
        }
    }
}

impl<W: Write> Sink for VpcWriter<W> {
    fn count(&mut self, mut batch: Batch) -> Result<Batch, Stopped> {
        let counted = self.meter.count(&batch);
        self.keep(counted.map_err(ConvertError::from))?;
        batch.clear();
        Ok(batch)
    }

    fn close(&mut self, passed: WindowIndex) -> Result<(), Stopped> {
        self.passed = passed;
        let windows = self.meter.close(passed);
        self.write(windows)
    }
}

impl<W: Write> VpcSink for VpcWriter<W> {
    fn set_windows(&mut self, windows: Windows) -> Result<(), Stopped> {
        self.windows = Some(windows);
        self.emitter.set_windows(windows);
        Ok(())
    }

    fn lost(&mut self, time: Timestamp) -> Result<(), Stopped> {
        if let Some(windows) = &self.windows {
            // a window that is written already cannot say it any more; the earliest open one does
            self.lost.insert(windows.index_of(time).max(self.passed));
        }
        Ok(())
    }
}

enum Message {
    Windows(Windows),
    Lost(Timestamp),
    Count(Batch),
    Close(WindowIndex),
}

/// The sending end of a sink on another thread.
pub(super) struct RemoteSink {
    messages: SyncSender<Message>,
    empty: Receiver<Batch>,
}

impl RemoteSink {
    fn send(&mut self, message: Message) -> Result<(), Stopped> {
        self.messages.send(message).map_err(|_| Stopped)
    }
}

impl Sink for RemoteSink {
    fn count(&mut self, batch: Batch) -> Result<Batch, Stopped> {
        self.send(Message::Count(batch))?;
        Ok(self.empty.try_recv().unwrap_or_default())
    }

    fn close(&mut self, passed: WindowIndex) -> Result<(), Stopped> {
        self.send(Message::Close(passed))
    }
}

impl VpcSink for RemoteSink {
    fn set_windows(&mut self, windows: Windows) -> Result<(), Stopped> {
        self.send(Message::Windows(windows))
    }

    fn lost(&mut self, time: Timestamp) -> Result<(), Stopped> {
        self.send(Message::Lost(time))
    }
}

impl<S: VpcSink> VpcSink for &mut S {
    fn set_windows(&mut self, windows: Windows) -> Result<(), Stopped> {
        (**self).set_windows(windows)
    }

    fn lost(&mut self, time: Timestamp) -> Result<(), Stopped> {
        (**self).lost(time)
    }
}

/// The working end: runs until the reading end is dropped or the output fails.
pub(super) struct RemoteWorker {
    messages: Receiver<Message>,
    empty: Sender<Batch>,
}

impl RemoteWorker {
    pub(super) fn run(self, worker: &mut impl VpcSink) {
        for message in self.messages {
            let result = match message {
                Message::Windows(windows) => worker.set_windows(windows),
                Message::Lost(time) => worker.lost(time),
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
