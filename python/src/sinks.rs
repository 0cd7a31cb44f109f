//! What a conversion writes to: a channel to whoever reads the batches.

use std::io;
use std::sync::mpsc::SyncSender;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use flowtruth::flowlog::encode::RecordBatchBuilder;
use flowtruth::partial::{BatchSink, Closing};
use flowtruth::pipeline::RecordSink;
use flowtruth::record::{FlowRecord, LogFormat};

/// How many records a batch has at most.
const RECORDS: usize = 1 << 16;

/// The sending side of a channel.
pub struct Sender(pub SyncSender<RecordBatch>);

/// Gathers records until a batch is full: readers of tables want large ones, wherever windows end.
pub struct RecordChannel {
    batch: RecordBatchBuilder,
    sender: Sender,
}

/// Hands on the batches of partial records.
pub struct PartialChannel {
    schema: SchemaRef,
    sender: Sender,
}

/// Takes records and forgets them.
pub struct Nowhere;

impl Sender {
    /// Hands a batch on, and waits while the reader has enough to do.
    fn send(&self, batch: RecordBatch) -> io::Result<()> {
        // the reader is gone, and with it whoever would ask why
        self.0.send(batch).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl RecordChannel {
    /// A channel for records in a format.
    pub fn new(format: &LogFormat, sender: Sender) -> Self {
        RecordChannel { batch: RecordBatchBuilder::new(format, 0), sender }
    }

    fn hand_on(&mut self) -> io::Result<()> {
        match self.batch.is_empty() {
            true => Ok(()),
            false => self.sender.send(self.batch.finish()?),
        }
    }
}

impl RecordSink for RecordChannel {
    fn record(&mut self, record: &FlowRecord) -> io::Result<()> {
        self.batch.push(record)?;
        if self.batch.len() < RECORDS { Ok(()) } else { self.hand_on() }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.hand_on()
    }
}

impl PartialChannel {
    /// A channel for partial records; the schema has their metadata.
    pub fn new(schema: SchemaRef, sender: Sender) -> Self {
        PartialChannel { schema, sender }
    }
}

impl BatchSink for PartialChannel {
    fn batch(&mut self, batch: &RecordBatch) -> io::Result<()> {
        // the columns are shared
        let batch = batch.clone().with_schema(SchemaRef::clone(&self.schema)).map_err(io::Error::other)?;
        self.sender.send(batch)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self, _: &Closing) -> io::Result<()> {
        Ok(())
    }
}

impl RecordSink for Nowhere {
    fn record(&mut self, _: &FlowRecord) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}
