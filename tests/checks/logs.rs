//! The flow log reader.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use flowtruth::flowlog::read::{
    Content, Entry, Leniencies, LineProblem, LogReadErrorKind, LogReadOptions, LogReadSummary, LogReader,
    LogShape, LogUnit, MAX_LINE, Place, SNIFF_LENGTH, sniff_log,
};
use flowtruth::flowlog::text::{write_header_line, write_record_line};
use flowtruth::record::{Field, FlowRecord, LogFormat};

use super::{Bytes, Pieces, WHOLE};

/// More entries than this are not looked at: a few compressed bytes can hold millions.
const ENOUGH: usize = 20_000;

/// What a line or event is.
#[derive(Clone, Debug, PartialEq)]
enum What {
    Record(Box<FlowRecord>, Vec<(String, String)>),
    Header(Vec<String>),
    Blank,
    Comment,
    Control,
    Bad(LineProblem),
}

/// An entry, owned.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    place: Place,
    unit: LogUnit,
    text: Vec<u8>,
    event: Option<(Option<i64>, Option<String>, Option<String>)>,
    what: What,
    leniencies: Leniencies,
}

impl Seen {
    fn of(entry: Entry<'_>) -> Seen {
        let what = match entry.content {
            Content::Record(read) => {
                let others = read.others().map(|(name, text)| (name.to_owned(), text.to_owned()));
                What::Record(Box::new(read.record.clone()), others.collect())
            }
            Content::Header(columns) => {
                What::Header(columns.columns().iter().map(|column| column.name().to_owned()).collect())
            }
            Content::Blank => What::Blank,
            Content::Comment => What::Comment,
            Content::Control => What::Control,
            Content::Bad(bad) => {
                assert_eq!(bad.place, entry.place);
                assert!(!bad.to_string().is_empty());
                assert!(!bad.text.chars().any(char::is_control), "{:?}", bad.text);
                What::Bad(bad.problem.clone())
            }
        };
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let event = entry.event.map(|event| (event.timestamp, owned(event.stream), owned(event.id)));
        let (place, text, leniencies) = (entry.place, entry.text.to_vec(), entry.leniencies);
        Seen { place, unit: entry.unit, text, event, what, leniencies }
    }

    /// What it says, wherever it stands.
    fn said(&self) -> (&What, Leniencies) {
        (&self.what, self.leniencies)
    }
}

/// Why reading ended early. How far the decompressor says it came into a damaged stream depends on how the bytes come.
#[derive(Clone, Debug, PartialEq)]
enum Ended {
    Well,
    Cut,
    Damaged,
    Other(String),
}

/// What a log was read as.
#[derive(Clone, Debug, PartialEq)]
struct Log {
    entries: Vec<Seen>,
    ended: Ended,
    summary: LogReadSummary,
}

/// Reads a log; every line is accounted for.
fn read(bytes: &[u8], format: &Option<LogFormat>, piece: usize) -> Log {
    let options = LogReadOptions { format: format.clone() };
    let mut reader = LogReader::new("bytes", Box::new(Pieces::new(bytes, piece)), options);
    let mut entries: Vec<Seen> = Vec::new();
    let ended = loop {
        if entries.len() >= ENOUGH {
            break Ended::Well;
        }
        match reader.advance() {
            Ok(true) => entries.push(Seen::of(reader.entry())),
            Ok(false) => break Ended::Well,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                break match error.kind() {
                    LogReadErrorKind::GzipCut { .. } => Ended::Cut,
                    LogReadErrorKind::GzipDamaged { .. } => Ended::Damaged,
                    _ => Ended::Other(error.to_string()),
                };
            }
        }
    };
    if entries.len() < ENOUGH {
        assert!(matches!(reader.advance(), Ok(false)), "it went on after its end");
    }
    let summary = reader.summary().clone();
    assert_eq!(summary.lines, entries.len() as u64);
    let kinds = summary.records + summary.headers + summary.bad + summary.control;
    assert_eq!(summary.lines, kinds + summary.blank() + summary.comments());
    assert_eq!(summary.records, summary.ok + summary.nodata + summary.skipdata + summary.without_status);
    for (entry, line) in entries.iter().zip(1..) {
        assert_eq!(entry.place.line, line);
        // a record that is JSON itself may be longer than a line
        assert!(entry.unit == LogUnit::Record || entry.text.len() <= MAX_LINE);
    }
    if summary.shape == Some(LogShape::Text) {
        let offsets = entries.windows(2).map(|pair| (pair[0].place.offset, pair[1].place.offset));
        offsets.for_each(|(one, next)| assert!(one < next, "lines lie one behind another"));
    }
    Log { entries, ended, summary }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Any bytes as a flow log: every line is accounted for, the same however the bytes come, as text, compressed, or as
/// events of CloudWatch Logs; and records that are written in AWS's default format read back.
pub fn flowlog_read(data: &[u8]) {
    let mut bytes = Bytes(data);
    let format =
        bytes.one_of(&["", "v2", "v5", "${srcaddr} ${bytes}", "${account-id}", "${start} ${action}"]);
    let format: Option<LogFormat> = match format {
        "" => None,
        preset if preset.starts_with('v') => Some(LogFormat::preset(preset).unwrap()),
        format => Some(format.parse().unwrap()),
    };
    let (piece, cut) = (usize::from(bytes.u8()), usize::from(bytes.u16()));
    let log = read(bytes.0, &format, WHOLE);
    for piece in [1, piece] {
        let pieces = read(bytes.0, &format, piece);
        assert_eq!(log, pieces, "in pieces of {piece}");
    }
    let sniffed = sniff_log(&bytes.0[..bytes.0.len().min(SNIFF_LENGTH)]);
    if let Some(shape) = sniffed
        && log.ended == Ended::Well
    {
        assert_eq!(log.summary.shape, Some(shape), "it was recognised as another shape");
    }
    written_again(&log);
    let is_parquet = log.summary.shape == Some(LogShape::Parquet);
    if log.ended == Ended::Well && log.summary.gzip_layers < 2 && !is_parquet {
        compressed(&log, &format, bytes.0, cut);
    }
    if log.ended == Ended::Well && log.summary.shape == Some(LogShape::Text) {
        as_events(&log, &format);
    }
}

/// The records in AWS's default format, read once more.
fn written_again(log: &Log) {
    let format = LogFormat::default();
    let mut text = Vec::new();
    write_header_line(&format, &mut text);
    let mut expected = Vec::new();
    for entry in &log.entries {
        let What::Record(record, _) = &entry.what else { continue };
        let from = text.len();
        write_record_line(&format, record, &mut text);
        if text.len() - from > MAX_LINE {
            text.truncate(from);
            continue;
        }
        let mut projected = FlowRecord { version: Some(2), ..FlowRecord::default() };
        for field in format.fields().iter().filter(|field| **field != Field::Version) {
            field.set(&mut projected, &field.get(record).to_string()).expect("a value reads back");
        }
        expected.push(projected);
    }
    let again = read(&text, &None, WHOLE);
    assert_eq!((again.summary.headers, again.summary.bad), (1, 0));
    let records = again.entries.iter().filter_map(|entry| match &entry.what {
        What::Record(record, others) => {
            assert!(others.is_empty() && entry.leniencies.is_empty());
            Some(&**record)
        }
        _ => None,
    });
    // as many as were looked at
    let expected = expected.iter().take(ENOUGH - 1);
    assert!(records.eq(expected), "records that were written do not read back");
}

/// Compressed it is the same; compressed and cut, the lines in front of the cut are.
fn compressed(log: &Log, format: &Option<LogFormat>, bytes: &[u8], cut: usize) {
    let file = gzip(bytes);
    let mut other = read(&file, format, WHOLE);
    assert_eq!(other.summary.gzip_layers, log.summary.gzip_layers + 1);
    other.summary.gzip_layers -= 1;
    assert_eq!(log, &other, "compressed");
    // behind the header of ten bytes
    let cut = 10 + cut % (file.len() - 10);
    let other = read(&file[..cut], format, WHOLE);
    if log.entries.len() < ENOUGH {
        assert_ne!(other.ended, Ended::Well, "cut after {cut}");
    }
    if other.summary.shape == log.summary.shape {
        // of what is wrong in JSON a beginning is shown, which may be cut; so may be what is skipped because of it
        let mut length = other.entries.len();
        if other.summary.shape == Some(LogShape::Json) {
            let is_bad = |entry: &Seen| matches!(entry.what, What::Bad(_));
            length = other.entries.iter().position(is_bad).unwrap_or(length.saturating_sub(1));
        }
        assert_eq!(log.entries.get(..length), other.entries.get(..length), "cut after {cut}");
    }
}

/// The lines as events say the same as in a file.
fn as_events(log: &Log, format: &Option<LogFormat>) {
    let mut messages = Vec::new();
    for entry in &log.entries {
        let Ok(text) = std::str::from_utf8(&entry.text) else { return };
        if matches!(entry.what, What::Bad(LineProblem::TooLong { .. })) || text.starts_with("CWL CONTROL") {
            return;
        }
        messages.push(format!("{{\"message\":{}}}", serde_json::to_string(text).unwrap()));
    }
    let messages = messages.join(",");
    let events = format!("{{\"events\":[{messages}]}}");
    let document = format!("{{\"messageType\":\"DATA_MESSAGE\",\"logEvents\":[{messages}]}}");
    let data = STANDARD.encode(gzip(document.as_bytes()));
    let subscribed = format!("{{\"awslogs\":{{\"data\":\"{data}\"}}}}");
    for document in [events, document, subscribed] {
        let other = read(document.as_bytes(), format, WHOLE);
        assert_eq!((&other.ended, other.summary.shape), (&Ended::Well, Some(LogShape::Json)));
        let said =
            |log: &Log| log.entries.iter().map(|entry| entry.said()).eq(other.entries.iter().map(Seen::said));
        assert!(said(log), "as events\n{:#?}\n{:#?}", log.entries, other.entries);
    }
}
