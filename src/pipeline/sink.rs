//! Where records go that are more than lines on one output: any file format, many files, other times.

use std::io::{self, Write};

use crate::flow::Windows;
use crate::flowlog::encode::RecordEncoder;
use crate::meter::Placement;
use crate::packet::Timestamp;
use crate::record::FlowRecord;

/// How many bytes are gathered before they are written.
const BUFFER: usize = 256 * 1024;

/// Takes records one after another, window by window.
///
/// An error of the kind [`io::ErrorKind::InvalidData`] is about the record alone: nothing of it was taken, and others may
/// follow. After any other error the sink is not used again.
pub trait RecordSink: Send {
    /// Learns how time is cut and the time of the first packet, before any record comes. It is not called where there is
    /// no packet.
    fn begin(&mut self, _windows: Windows, _first: Timestamp) {}

    /// Learns of which capture window the records are that come next.
    fn begin_window(&mut self, _placement: Placement) {}

    /// Takes a record.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn record(&mut self, record: &FlowRecord) -> io::Result<()>;

    /// Takes a record and why it has its action, for people to read.
    ///
    /// # Errors
    /// As [`record`](RecordSink::record); [`io::ErrorKind::Unsupported`] where there is no room for reasons.
    fn explained(&mut self, _record: &FlowRecord, _why: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Learns that all records of a capture window have come.
    ///
    /// # Errors
    /// As [`record`](RecordSink::record).
    fn end_of_window(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Learns that from now on only late records end before this second.
    ///
    /// # Errors
    /// As [`record`](RecordSink::record).
    fn passed(&mut self, _second: i64) -> io::Result<()> {
        Ok(())
    }

    /// Hands everything that is complete to whoever reads it.
    ///
    /// # Errors
    /// As [`record`](RecordSink::record).
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Completes what was begun; nothing comes after it.
    ///
    /// # Errors
    /// As [`record`](RecordSink::record).
    fn finish(&mut self) -> io::Result<()>;
}

impl<S: RecordSink + ?Sized> RecordSink for &mut S {
    fn begin(&mut self, windows: Windows, first: Timestamp) {
        (**self).begin(windows, first);
    }

    fn begin_window(&mut self, placement: Placement) {
        (**self).begin_window(placement);
    }

    fn record(&mut self, record: &FlowRecord) -> io::Result<()> {
        (**self).record(record)
    }

    fn explained(&mut self, record: &FlowRecord, why: &str) -> io::Result<()> {
        (**self).explained(record, why)
    }

    fn end_of_window(&mut self) -> io::Result<()> {
        (**self).end_of_window()
    }

    fn passed(&mut self, second: i64) -> io::Result<()> {
        (**self).passed(second)
    }

    fn flush(&mut self) -> io::Result<()> {
        (**self).flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        (**self).finish()
    }
}

/// One output with all records in one file format.
pub struct EncodedOutput<W> {
    encoder: Box<dyn RecordEncoder>,
    buffer: Vec<u8>,
    output: W,
}

impl<W: Write + Send> EncodedOutput<W> {
    /// Begins the file.
    pub fn new(mut encoder: Box<dyn RecordEncoder>, output: W) -> Self {
        let mut buffer = Vec::with_capacity(BUFFER + 4096);
        encoder.begin(&mut buffer);
        EncodedOutput { encoder, buffer, output }
    }

    /// Gives the header line, if there is one, a column for reasons. The format must be plain text.
    pub fn with_reasons(mut self) -> Self {
        if self.buffer.pop().is_some() {
            self.buffer.extend_from_slice(b"\twhy\n");
        }
        self
    }

    fn write(&mut self) -> io::Result<()> {
        self.output.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    fn write_if_full(&mut self) -> io::Result<()> {
        if self.buffer.len() < BUFFER { Ok(()) } else { self.write() }
    }
}

impl<W: Write + Send> RecordSink for EncodedOutput<W> {
    fn record(&mut self, record: &FlowRecord) -> io::Result<()> {
        self.encoder.record(record, &mut self.buffer)?;
        self.write_if_full()
    }

    /// The reason stands behind the line, after a tab.
    fn explained(&mut self, record: &FlowRecord, why: &str) -> io::Result<()> {
        self.encoder.record(record, &mut self.buffer)?;
        self.buffer.pop();
        self.buffer.push(b'\t');
        self.buffer.extend_from_slice(why.as_bytes());
        self.buffer.push(b'\n');
        self.write_if_full()
    }

    fn end_of_window(&mut self) -> io::Result<()> {
        self.encoder.end_of_window(&mut self.buffer)?;
        self.write_if_full()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write()?;
        self.output.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.encoder.finish(&mut self.buffer)?;
        self.flush()
    }
}
