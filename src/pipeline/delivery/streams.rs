//! Records → batches of events for CloudWatch Logs, a folder for each log stream.
//!
//! A batch is written when a record has no room in it any more, or at the end. When all batches together take [`ALL_BYTES`],
//! the largest are written until half of that is left. Batches are numbered within their stream.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::deliver::{EventBatch, Events, NamePart, ObjectStore};
use crate::flowlog::text::write_record_line;
use crate::pipeline::RecordSink;
use crate::record::{FlowRecord, LogFormat};

/// How much memory all open batches take together, by and large.
const ALL_BYTES: usize = 128 << 20;

/// What a stream takes beside its events, in bytes, by and large.
const BESIDE: usize = 256;

/// Which form batches are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventForm {
    /// JSON for `aws logs put-log-events --cli-input-json`.
    Put,
    /// Gzip JSON as a subscription filter sends it.
    Subscription,
}

/// Writes batches of events into a store.
pub struct EventSink<S> {
    form: EventForm,
    format: LogFormat,
    group: String,
    owner: String,
    store: S,
    open: BTreeMap<String, EventBatch>,
    /// How much memory the open batches take.
    held: usize,
    /// How much they may take.
    most: usize,
    /// How many batches of each stream were written.
    written: HashMap<String, u64>,
    line: Vec<u8>,
}

impl<S: ObjectStore> EventSink<S> {
    /// A sink for a store. The owner is the account that a subscription names.
    pub fn new(form: EventForm, format: LogFormat, group: String, owner: String, store: S) -> Self {
        EventSink {
            form,
            format,
            group,
            owner,
            store,
            open: BTreeMap::new(),
            held: 0,
            most: ALL_BYTES,
            written: HashMap::new(),
            line: Vec::new(),
        }
    }

    /// How many batches were written.
    pub fn batches(&self) -> u64 {
        self.written.values().sum()
    }

    fn close(&mut self, stream: &str) -> io::Result<()> {
        let Some(mut batch) = self.open.remove(stream) else { return Ok(()) };
        self.held -= (batch.held() + BESIDE).min(self.held);
        let number = self.written.entry(stream.to_owned()).or_default();
        *number += 1;
        let (group, number) = (&*self.group, *number);
        let (how, suffix) = match self.form {
            EventForm::Put => (Events::Put { group, stream }, "json"),
            EventForm::Subscription => {
                (Events::Subscription { owner: &self.owner, group, stream, batch: number }, "json.gz")
            }
        };
        let mut content = batch.write(how)?;
        if self.form == EventForm::Subscription {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(&content)?;
            content = encoder.finish()?;
        }
        self.store.put(&format!("{stream}/{number:08}.{suffix}"), &content)
    }

    /// Writes the largest batches until half of the memory is left.
    fn close_the_largest(&mut self) -> io::Result<()> {
        let mut streams: Vec<(usize, String)> =
            self.open.iter().map(|(stream, batch)| (batch.held(), stream.clone())).collect();
        streams.sort_by(|(a, a_name), (b, b_name)| b.cmp(a).then_with(|| a_name.cmp(b_name)));
        for (_, stream) in streams {
            if self.held <= self.most / 2 {
                break;
            }
            self.close(&stream)?;
        }
        Ok(())
    }
}

/// The log stream of a record, as AWS names it: `eni-…-all`.
fn stream(record: &FlowRecord) -> io::Result<String> {
    let of = record.interface_id.as_deref().or(record.resource_id.as_deref()).unwrap_or("unknown");
    let of: NamePart = of.parse().map_err(invalid)?;
    Ok(format!("{of}-all"))
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl<S: ObjectStore> RecordSink for EventSink<S> {
    fn record(&mut self, record: &FlowRecord) -> io::Result<()> {
        let stream = stream(record)?;
        let Some(start) = record.start else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a record without `start` can be no event",
            ));
        };
        self.line.clear();
        write_record_line(&self.format, record, &mut self.line);
        self.line.pop();
        let line = String::from_utf8_lossy(&self.line).into_owned();
        let has_room = match self.open.get(&stream) {
            Some(batch) => batch.has_room(start, &line),
            None => EventBatch::default().has_room(start, &line),
        };
        if !has_room.map_err(invalid)? {
            self.close(&stream)?;
        }
        let is_new = !self.open.contains_key(&stream);
        let batch = self.open.entry(stream).or_default();
        let before = if is_new { 0 } else { batch.held() + BESIDE };
        batch.push(start, &line).map_err(invalid)?;
        self.held = self.held + batch.held() + BESIDE - before.min(self.held);
        if self.held < self.most { Ok(()) } else { self.close_the_largest() }
    }

    fn finish(&mut self) -> io::Result<()> {
        while let Some(stream) = self.open.keys().next().cloned() {
            self.close(&stream)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::DirectoryStore;

    fn record(interface: &str, start: i64) -> FlowRecord {
        FlowRecord { interface_id: Some(interface.into()), start: Some(start), ..FlowRecord::default() }
    }

    #[test]
    fn every_record_is_in_one_batch_of_its_stream() {
        let directory = tempfile::tempdir().unwrap();
        let store = DirectoryStore::new(directory.path()).unwrap();
        let format: LogFormat = "${interface-id} ${start}".parse().unwrap();
        let mut sink = EventSink::new(EventForm::Put, format, "g".into(), "1".into(), store);
        // each stream in two turns, the second a day and a second later
        for turn in [0, 86_401] {
            for n in 0..100 {
                sink.record(&record(&format!("eni-{n}"), turn)).unwrap();
            }
        }
        for bad in [record("a/b", 0), record("eni-1", -1), FlowRecord::default()] {
            assert_eq!(sink.record(&bad).unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
        sink.finish().unwrap();
        assert_eq!((sink.batches(), sink.held), (200, 0));
        for n in 0..100 {
            for (batch, start) in [(1, 0), (2, 86_401)] {
                let path = directory.path().join(format!("eni-{n}-all/{batch:08}.json"));
                let text = std::fs::read(path).unwrap();
                let json: serde_json::Value = serde_json::from_slice(&text).unwrap();
                assert_eq!(json["logStreamName"], format!("eni-{n}-all"));
                assert_eq!(json["logEvents"].as_array().unwrap().len(), 1);
                assert_eq!(json["logEvents"][0]["message"], format!("eni-{n} {start}"));
            }
        }
    }

    #[test]
    fn open_batches_never_take_more_memory_than_they_may() {
        let directory = tempfile::tempdir().unwrap();
        let store = DirectoryStore::new(directory.path()).unwrap();
        let format: LogFormat = "${interface-id}".parse().unwrap();
        let mut sink = EventSink::new(EventForm::Put, format, "g".into(), "1".into(), store);
        sink.most = 20_000;
        for n in 0..1000 {
            sink.record(&record(&format!("eni-{}", n % 50), n)).unwrap();
            assert!(sink.held < sink.most);
            let held: usize = sink.open.values().map(|batch| batch.held() + BESIDE).sum();
            assert_eq!(sink.held, held);
        }
        sink.finish().unwrap();
        assert!((50..500).contains(&sink.batches()), "{}", sink.batches());
    }
}
