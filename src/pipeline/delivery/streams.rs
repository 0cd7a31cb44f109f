//! Records → batches of events for CloudWatch Logs, a folder for each log stream.
//!
//! A batch is written when a record has no room in it any more, or at the end; the one that was used least lately when
//! [`OPEN_STREAMS`] are open. Batches are numbered within their stream.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::deliver::{EventBatch, Events, NamePart, ObjectStore};
use crate::flowlog::text::write_record_line;
use crate::pipeline::RecordSink;
use crate::record::{FlowRecord, LogFormat};

/// How many streams have an open batch at most.
const OPEN_STREAMS: usize = 64;

/// Which form batches are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventForm {
    /// JSON for `aws logs put-log-events --cli-input-json`.
    Put,
    /// Gzip JSON as a subscription filter sends it.
    Subscription,
}

struct Open {
    batch: EventBatch,
    /// The number of the record that came last.
    used: u64,
}

/// Writes batches of events into a store.
pub struct EventSink<S> {
    form: EventForm,
    format: LogFormat,
    group: String,
    owner: String,
    store: S,
    open: BTreeMap<String, Open>,
    /// How many batches of each stream were written.
    written: HashMap<String, u64>,
    records: u64,
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
            written: HashMap::new(),
            records: 0,
            line: Vec::new(),
        }
    }

    /// How many batches were written.
    pub fn batches(&self) -> u64 {
        self.written.values().sum()
    }

    fn close(&mut self, stream: &str) -> io::Result<()> {
        let Some(mut open) = self.open.remove(stream).filter(|open| !open.batch.is_empty()) else {
            return Ok(());
        };
        let number = self.written.entry(stream.to_owned()).or_default();
        *number += 1;
        let (group, batch) = (&*self.group, *number);
        let (how, suffix) = match self.form {
            EventForm::Put => (Events::Put { group, stream }, "json"),
            EventForm::Subscription => {
                (Events::Subscription { owner: &self.owner, group, stream, batch }, "json.gz")
            }
        };
        let mut content = open.batch.write(how)?;
        if self.form == EventForm::Subscription {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(&content)?;
            content = encoder.finish()?;
        }
        self.store.put(&format!("{stream}/{batch:08}.{suffix}"), &content)
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
        self.records += 1;
        if let Some(open) = self.open.get(&stream)
            && !open.batch.has_room(start, &line).map_err(invalid)?
        {
            self.close(&stream)?;
        }
        if !self.open.contains_key(&stream) {
            EventBatch::default().has_room(start, &line).map_err(invalid)?;
            if self.open.len() >= OPEN_STREAMS
                && let Some(oldest) =
                    self.open.iter().min_by_key(|(_, open)| open.used).map(|(name, _)| name.clone())
            {
                self.close(&oldest)?;
            }
        }
        let open = self.open.entry(stream).or_insert_with(|| Open { batch: EventBatch::default(), used: 0 });
        open.used = self.records;
        open.batch.push(start, &line).map_err(invalid)
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
        // more streams than may be open, each in two turns; the second a day and a second later
        for turn in [0, 86_401] {
            for n in 0..100 {
                sink.record(&record(&format!("eni-{n}"), turn)).unwrap();
            }
        }
        for bad in [record("a/b", 0), record("eni-1", -1), FlowRecord::default()] {
            assert_eq!(sink.record(&bad).unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
        sink.finish().unwrap();
        assert_eq!(sink.batches(), 200);
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
}
