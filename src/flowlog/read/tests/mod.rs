//! What the tests of the log reader share: samples, and a log read as owned entries.

mod events;
mod limits;
mod lines;
mod records;
mod written;

use std::io::{self, Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;
use crate::flowlog::text::{LineError, write_header_line, write_record_line};
use crate::record::{Field, FlowRecord, LogFormat, LogStatus};

const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";
const RECORD: &str = "2 123456789010 eni-1235b8ca123456789 192.0.2.1 198.51.100.2 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK";
const NODATA: &str = "2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - NODATA";

/// What was read, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Record(Box<FlowRecord>, Vec<(String, String)>),
    Header(Vec<String>),
    Blank,
    Comment,
    Control,
    Bad(LineProblem),
}

/// An owned entry.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Owned {
    place: Place,
    text: Vec<u8>,
    event: Option<(Option<i64>, Option<String>, Option<String>)>,
    seen: Seen,
    leniencies: Leniencies,
}

fn owned(entry: Entry<'_>) -> Owned {
    let seen = match entry.content {
        Content::Record(read) => {
            let others = read.others().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
            Seen::Record(Box::new(read.record.clone()), others)
        }
        Content::Header(columns) => {
            Seen::Header(columns.columns().iter().map(|column| column.name().to_owned()).collect())
        }
        Content::Blank => Seen::Blank,
        Content::Comment => Seen::Comment,
        Content::Control => Seen::Control,
        Content::Bad(bad) => {
            assert_eq!(bad.place, entry.place);
            assert!(!bad.to_string().is_empty());
            assert!(!bad.text.chars().any(char::is_control));
            Seen::Bad(bad.problem.clone())
        }
    };
    let event = entry
        .event
        .map(|event| (event.timestamp, event.stream.map(str::to_owned), event.id.map(str::to_owned)));
    Owned { place: entry.place, text: entry.text.to_vec(), event, seen, leniencies: entry.leniencies }
}

type All = (Vec<Owned>, Option<String>, LogReadSummary);

/// Reads to the end, and checks what always holds.
fn read_from(reader: Box<dyn Read + Send>, format: Option<LogFormat>) -> All {
    let mut reader = LogReader::new("log", reader, LogReadOptions { format });
    let mut entries = Vec::new();
    let error = loop {
        match reader.advance() {
            Ok(true) => entries.push(owned(reader.entry())),
            Ok(false) => break None,
            Err(error) => break Some(error.to_string()),
        }
    };
    assert!(!reader.advance().unwrap(), "the end is the end");
    let summary = reader.summary().clone();
    assert_eq!(summary.lines, entries.len() as u64);
    for (index, entry) in entries.iter().enumerate() {
        assert_eq!(entry.place.line, index as u64 + 1);
    }
    let kinds = summary.records + summary.headers + summary.bad + summary.control;
    assert_eq!(summary.lines, kinds + summary.blank() + summary.comments());
    let statuses = summary.ok + summary.nodata + summary.skipdata + summary.without_status;
    assert_eq!(summary.records, statuses);
    (entries, error, summary)
}

fn read(bytes: impl AsRef<[u8]>) -> All {
    read_from(Box::new(io::Cursor::new(bytes.as_ref().to_vec())), None)
}

/// Reads what has no error.
fn read_whole(bytes: impl AsRef<[u8]>) -> (Vec<Owned>, LogReadSummary) {
    let (entries, error, summary) = read(bytes);
    assert_eq!(error, None);
    (entries, summary)
}

/// Yields so many bytes at once.
struct Pieces(Vec<u8>, usize, usize);

impl Read for Pieces {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let rest = &self.0[self.1..];
        let count = rest.len().min(self.2).min(target.len());
        target[..count].copy_from_slice(&rest[..count]);
        self.1 += count;
        Ok(count)
    }
}

fn in_pieces(bytes: &[u8], size: usize) -> All {
    read_from(Box::new(Pieces(bytes.to_vec(), 0, size)), None)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn record_of(line: &str) -> FlowRecord {
    crate::flowlog::text::parse_line(&LogFormat::default(), line.as_bytes()).unwrap()
}

/// The records, as they would be written in AWS's default format.
fn lines_of(entries: &[Owned]) -> Vec<String> {
    let mut lines = Vec::new();
    for entry in entries {
        if let Seen::Record(record, _) = &entry.seen {
            let mut line = Vec::new();
            write_record_line(&LogFormat::default(), record, &mut line);
            lines.push(String::from_utf8(line).unwrap().trim_end().to_owned());
        }
    }
    lines
}

fn json(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// Subscription data with these messages.
fn subscription(kind: &str, messages: &[&str]) -> String {
    let events: Vec<String> = messages
        .iter()
        .enumerate()
        .map(|(index, message)| {
            format!(
                r#"{{"id":"{index}","timestamp":{index},"message":{},"extractedFields":{{"a":[1]}}}}"#,
                json(message)
            )
        })
        .collect();
    format!(
        r#"{{"messageType":"{kind}","owner":"123456789010","logGroup":"g","logStream":"eni-1-all","subscriptionFilters":["f"],"logEvents":[{}]}}"#,
        events.join(",")
    )
}
