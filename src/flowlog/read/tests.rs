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

#[test]
fn a_file_of_s3_has_a_header_and_clean_lines() {
    let (entries, summary) = read_whole(format!("{HEADER}\n{RECORD}\n{NODATA}\n"));
    assert!(matches!(&entries[0].seen, Seen::Header(names) if names.join(" ") == HEADER));
    assert_eq!(lines_of(&entries), [RECORD, NODATA]);
    assert_eq!(entries[2].place, Place { line: 3, offset: (HEADER.len() + RECORD.len() + 2) as u64 });
    assert_eq!(entries[1].text, RECORD.as_bytes());
    let expected = LogReadSummary {
        shape: Some(LogShape::Text),
        lines: 3,
        records: 2,
        ok: 1,
        nodata: 1,
        headers: 1,
        ..LogReadSummary::default()
    };
    assert_eq!(summary, expected);
    // no line end at the end is nothing to remark on
    let (again, summary) = read_whole(format!("{HEADER}\n{RECORD}\n{NODATA}"));
    assert_eq!((again, summary), (entries, expected));
}

#[test]
fn an_empty_log_has_no_lines() {
    for bytes in [vec![], gzip(b"")] {
        let (entries, summary) = read_whole(bytes);
        assert_eq!((entries.len(), summary.shape), (0, None));
    }
}

#[test]
fn every_leniency_is_read_and_counted_once_a_line() {
    use Leniency::*;
    let header = |from: &str, to: &str| format!("{}\n{RECORD}", HEADER.replace(from, to));
    let record = |from: &str, to: &str| RECORD.replace(from, to);
    let braces = HEADER.split(' ').map(|name| format!("${{{name}}}")).collect::<Vec<_>>().join(" ");
    let cases: Vec<(String, Vec<Leniency>)> = vec![
        (format!("\u{feff}{RECORD}"), vec![ByteOrderMark]),
        (format!("{NODATA}\n\u{feff}{RECORD}"), vec![ByteOrderMark]),
        (format!("\u{feff}{HEADER}\n{RECORD}"), vec![ByteOrderMark]),
        (format!("{RECORD}\r\n"), vec![CarriageReturn]),
        (format!("{RECORD}\r"), vec![CarriageReturn]),
        (format!("{RECORD} \r\r\n"), vec![CarriageReturn, TrailingSpace]),
        (format!("{HEADER}\r\n{RECORD}"), vec![CarriageReturn]),
        (format!("  {RECORD}"), vec![LeadingSpace]),
        (format!("{RECORD} "), vec![TrailingSpace]),
        (record(" 22 ", "  22   "), vec![RepeatedSpace]),
        (record(" ", "\t"), vec![Tab]),
        (record(" 22", "\t 22") + "\t", vec![TrailingSpace, RepeatedSpace, Tab]),
        (format!("{RECORD} # ssh, allowed"), vec![TrailingComment]),
        (format!("{RECORD}\t\t#"), vec![TrailingComment]),
        (format!("# made by hand\n{RECORD}"), vec![CommentLine]),
        (format!(" \t#\r\n{RECORD}"), vec![CommentLine]),
        (format!("\n{RECORD}"), vec![BlankLine]),
        (format!(" \t\r\n{RECORD}"), vec![BlankLine]),
        (format!("\u{1b}[32m{RECORD}\u{1b}[0m"), vec![AnsiColour]),
        (header("-", "_"), vec![HeaderUnderscores]),
        (format!("{braces}\n{RECORD}"), vec![HeaderBraces]),
        (header("log-status", "LOG_Status"), vec![HeaderUnderscores, HeaderCase]),
        (format!("{HEADER} end\n{RECORD} 7"), vec![RepeatedColumn]),
        (record("ACCEPT OK", "accept Ok"), vec![WordCase]),
    ];
    let mut met = Leniencies::NONE;
    for (text, expected) in &cases {
        let (entries, summary) = read_whole(text);
        assert_eq!(summary.bad, 0, "{text:?}");
        let counts: Vec<_> = expected.iter().map(|leniency| (*leniency, 1)).collect();
        assert_eq!(summary.leniencies.iter().collect::<Vec<_>>(), counts, "{text:?}");
        assert_eq!(lines_of(&entries).last().map(String::as_str), Some(RECORD), "{text:?}");
        let of_lines: Vec<_> = entries.iter().flat_map(|entry| entry.leniencies.iter()).collect();
        assert_eq!(&of_lines, expected, "{text:?}");
        expected.iter().for_each(|leniency| met.insert(*leniency));
    }
    assert_eq!(met.iter().collect::<Vec<_>>(), Leniency::ALL);
}

#[test]
fn leniencies_have_names_of_their_own() {
    let mut names: Vec<_> = Leniency::ALL.into_iter().map(Leniency::name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Leniency::ALL.len());
    let (_, summary) = read_whole(format!("{RECORD} \n\n{RECORD} \n"));
    let report = serde_json::to_value(&summary).unwrap();
    assert_eq!(report["leniencies"], serde_json::json!({"trailing-space": 2, "blank-line": 1}));
    assert_eq!(report["shape"], "text");
}

#[test]
fn the_double_space_of_aws_s_own_page_is_read() {
    let header = "version vpc-id subnet-id instance-id interface-id account-id type srcaddr dstaddr srcport dstport pkt-srcaddr pkt-dstaddr protocol bytes packets start end action tcp-flags log-status";
    let line = "3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 123456789010 IPv4 10.0.0.62 52.213.180.42 5001 43638  10.0.0.62 52.213.180.42 6 967 14 1566933133 1566933193 ACCEPT 19 OK";
    let (entries, summary) = read_whole(format!("{header}\n{line}\n"));
    assert_eq!(summary.leniencies.iter().collect::<Vec<_>>(), [(Leniency::RepeatedSpace, 1)]);
    let Seen::Record(record, _) = &entries[1].seen else { panic!("{entries:?}") };
    assert_eq!((record.bytes, record.packets, record.dstport), (Some(967), Some(14), Some(43638)));
}

#[test]
fn a_header_changes_the_columns_from_there_on() {
    let text = format!("{HEADER}\n{RECORD}\nsrcaddr bytes\n192.0.2.9 7\n{RECORD}\n{HEADER}\n{RECORD}\n");
    let (entries, summary) = read_whole(text);
    assert_eq!((summary.headers, summary.records, summary.bad), (3, 3, 1));
    let Seen::Record(record, others) = &entries[3].seen else { panic!("{entries:?}") };
    // nothing is left of the record before it
    let expected =
        FlowRecord { srcaddr: Some("192.0.2.9".parse().unwrap()), bytes: Some(7), ..FlowRecord::default() };
    assert_eq!((&**record, others.len()), (&expected, 0));
    assert_eq!(entries[4].seen, Seen::Bad(LineError::FieldCount { found: 14, expected: 2 }.into()));
    assert_eq!(entries[6].seen, Seen::Record(Box::new(record_of(RECORD)), vec![]));
}

#[test]
fn a_header_is_seen_where_every_column_takes_any_text() {
    let (entries, _) =
        read_whole("interface-id vpc-id\neni-1 vpc-1\nvpc-id interface-id\n# eni\nvpc-2 eni-2\n");
    let seen: Vec<_> = entries
        .iter()
        .map(|entry| match &entry.seen {
            Seen::Record(record, _) => {
                format!("{} {}", record.interface_id.as_ref().unwrap(), record.vpc_id.as_ref().unwrap())
            }
            seen => format!("{seen:?}"),
        })
        .collect();
    assert_eq!(
        seen,
        [
            r#"Header(["interface-id", "vpc-id"])"#,
            "eni-1 vpc-1",
            r#"Header(["vpc-id", "interface-id"])"#,
            "Comment",
            "eni-2 vpc-2"
        ]
    );
    let (entries, summary) = read_whole("interface-id vpc-id\n\u{feff}eni-1 vpc-1\n");
    let Seen::Record(record, _) = &entries[1].seen else { panic!("{entries:?}") };
    assert_eq!(record.interface_id.as_deref(), Some("eni-1"));
    assert_eq!(summary.leniencies.get(Leniency::ByteOrderMark), 1);
}

#[test]
fn a_given_format_holds_until_a_header() {
    let format: LogFormat = "${bytes} ${srcaddr}".parse().unwrap();
    let text = format!("7 192.0.2.9\n{HEADER}\n{RECORD}\n7 192.0.2.9\n");
    let (entries, error, summary) = read_from(Box::new(io::Cursor::new(text)), Some(format));
    assert_eq!((error, summary.records, summary.bad), (None, 2, 1));
    assert!(matches!(&entries[0].seen, Seen::Record(record, _) if record.bytes == Some(7)));
    assert_eq!(entries[3].seen, Seen::Bad(LineError::FieldCount { found: 2, expected: 14 }.into()));
}

#[test]
fn columns_that_are_no_fields_are_kept_as_text() {
    let text = "version resource-type tgw-id srcaddr shiny-new packets-lost-mtu-exceeded start log-status\n\
                6 TransitGateway tgw-1 192.0.2.1 - 3 1700000000 OK\n\
                6 TransitGateway tgw-2 192.0.2.1 yes 4 1700000000 SKIPDATA\n";
    let (entries, summary) = read_whole(text);
    assert_eq!((summary.records, summary.ok, summary.skipdata, summary.bad), (2, 1, 1, 0));
    let Seen::Record(record, others) = &entries[1].seen else { panic!("{entries:?}") };
    assert_eq!((record.version, record.start), (Some(6), Some(1_700_000_000)));
    let others: Vec<_> = others.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let expected = [
        ("resource-type", "TransitGateway"),
        ("tgw-id", "tgw-1"),
        ("shiny-new", "-"),
        ("packets-lost-mtu-exceeded", "3"),
    ];
    assert_eq!(others, expected);
    let Seen::Record(_, others) = &entries[2].seen else { panic!("{entries:?}") };
    assert_eq!(others[2].1, "yes");
    let reader = {
        let mut reader = LogReader::new("log", Box::new(text.as_bytes()), LogReadOptions::default());
        assert!(reader.advance().unwrap());
        reader
    };
    let columns = reader.columns();
    assert!(!columns.is_complete());
    assert_eq!(columns.format().unwrap().header(), "version srcaddr start log-status");
    assert_eq!(columns.columns()[1], Column::Other("resource-type".into()));
}

#[test]
fn words_that_are_mostly_no_names_are_no_header() {
    for text in ["type eni-1 vpc-1", "a b c region", "resource-type tgw-id"] {
        let (entries, _) = read_whole(text);
        assert!(matches!(entries[0].seen, Seen::Bad(_)), "{text}");
    }
}

#[test]
fn a_repeated_column_keeps_the_first_value() {
    let (entries, _) = read_whole("bytes srcaddr bytes\n1 192.0.2.1 2\n");
    let Seen::Record(record, others) = &entries[1].seen else { panic!("{entries:?}") };
    assert_eq!(record.bytes, Some(1));
    assert_eq!(others, &[("bytes".to_owned(), "2".to_owned())]);
}

#[test]
fn a_bad_line_says_what_and_where_and_stops_nothing() {
    let bad = |line: &str| {
        let text = format!("{RECORD}\n{line}\n{RECORD}\n");
        let mut reader = LogReader::new("log", Box::new(io::Cursor::new(text)), LogReadOptions::default());
        assert!(reader.advance().unwrap() && reader.advance().unwrap());
        let Content::Bad(bad) = reader.entry().content else { panic!("{line:?} was read") };
        let bad = bad.clone();
        assert!(reader.entry().leniencies.is_empty());
        assert!(reader.advance().unwrap());
        assert!(matches!(reader.entry().content, Content::Record(_)));
        assert_eq!((reader.summary().records, reader.summary().bad), (2, 1));
        assert_eq!(reader.summary().leniencies, LeniencyCounts::default());
        bad
    };
    let line = bad(&RECORD.replace("20641", "NaN"));
    assert_eq!(line.field(), Some(Field::SrcPort));
    assert_eq!(line.place, Place { line: 2, offset: RECORD.len() as u64 + 1 });
    assert!(line.text.starts_with("2 123456789010 eni-"));
    assert_eq!(
        line.to_string(),
        "line 2: value 6, character 61 of the line: `srcport` cannot be `NaN`: expected a whole number from 0 to 65535"
    );
    // the position is that in the line as it is
    let line = bad(&format!("  {}", RECORD.replace(" 20641", "   65536")));
    assert_eq!(
        line.to_string(),
        "line 2: value 6, character 65 of the line: `srcport` cannot be `65536`: expected a whole number from 0 to 65535"
    );
    let messages = [
        (RECORD.replace(" OK", ""), "line 2: found 13 values, expected the format's 14"),
        (format!("{RECORD} OK  # more"), "line 2: found 15 values, expected the format's 14"),
        ("hello".to_owned(), "line 2: found 1 values, expected the format's 14"),
    ];
    for (text, message) in messages {
        let line = bad(&text);
        assert_eq!((line.to_string().as_str(), line.field()), (message, None));
    }
    let line = bad(&RECORD.replace("eni-", "\u{1}\u{1b}eni-"));
    assert!(line.text.contains("\\u{1}\\u{1b}eni-"), "{}", line.text);
    assert_eq!(line.field(), Some(Field::InterfaceId));
    // times as RFC 3339 are wrong data, not another spelling
    assert_eq!(bad(&RECORD.replace("1418530010", "2014-12-14T04:06:50Z")).field(), Some(Field::Start));

    let (entries, _) = read_whole(b"2 \xff\n".as_slice());
    assert_eq!(entries[0].seen, Seen::Bad(LineError::NotUtf8 { position: 3 }.into()));
}

#[test]
fn lines_behind_a_time_are_those_of_aws_logs_tail() {
    let stream = "eni-1235b8ca123456789-all";
    let time = 1_700_000_000_123;
    let tail = |time: &str, rest: &str| format!("{time} {rest}");
    let cases = [
        (tail("2023-11-14T22:13:20.123456+00:00", &format!("{stream} {RECORD}")), Some(stream)),
        (tail("2023-11-14T22:13:20.123Z", &format!("{stream} {NODATA}")), Some(stream)),
        (tail("2023-11-14T23:13:20.123+01:00", RECORD), None),
        (tail("2023-11-14T22:13:20.123", RECORD), None),
    ];
    for (line, stream) in &cases {
        let (entries, summary) = read_whole(line);
        assert_eq!((summary.records, summary.tail_lines, summary.bad), (1, 1, 0), "{line}");
        assert!(summary.leniencies.iter().next().is_none(), "{line}");
        let event = Some((Some(time), stream.map(str::to_owned), None));
        assert_eq!(entries[0].event, event, "{line}");
        assert_eq!(lines_of(&entries).len(), 1);
    }
    let coloured = format!(
        "\u{1b}[32m2023-11-14T22:13:20+00:00\u{1b}[0m \u{1b}[36m{stream}\u{1b}[0m {RECORD}\n{RECORD}\n"
    );
    let (entries, summary) = read_whole(coloured);
    assert_eq!(summary.leniencies.iter().collect::<Vec<_>>(), [(Leniency::AnsiColour, 1)]);
    assert_eq!(entries[0].event, Some((Some(1_700_000_000_000), Some(stream.to_owned()), None)));
    assert_eq!(lines_of(&entries), [RECORD, RECORD]);
    // the next line has no time, and keeps none
    assert_eq!(entries[1].event, None);

    // values are counted without what stands in front
    let short = RECORD.replace(" OK", "");
    for front in ["2023-11-14T22:13:20Z", &format!("2023-11-14T22:13:20Z {stream}")] {
        let (entries, _) = read_whole(format!("{front} {short}"));
        assert_eq!(entries[0].seen, Seen::Bad(LineError::FieldCount { found: 13, expected: 14 }.into()));
    }
    let (entries, _) = read_whole("2023-11-14T22:13:20Z");
    assert!(matches!(entries[0].seen, Seen::Bad(_)));
}

#[test]
fn a_time_that_is_a_value_is_no_front() {
    let (entries, _) = read_whole("start srcaddr dstaddr\n2023-11-14T22:13:20Z 192.0.2.1 192.0.2.2\n");
    let Seen::Bad(LineProblem::Line(LineError::Value { number: 1, error, .. })) = &entries[1].seen else {
        panic!("{entries:?}")
    };
    assert_eq!(error.field, Field::Start);
}

#[test]
fn events_of_get_log_events_and_filter_log_events() {
    let (record, nodata) = (json(RECORD), json(NODATA));
    let get = format!(
        r#"{{"nextForwardToken":"f/1","events":[{{"ingestionTime":9,"timestamp":1418530010000,"message":{record}}},{{"timestamp":2,"message":{nodata}}}],"nextBackwardToken":"b/1"}}"#
    );
    let pretty =
        serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&get).unwrap()).unwrap();
    for text in [&get, &pretty, &format!("\u{feff} \r\n{get}")] {
        let (entries, summary) = read_whole(text);
        assert_eq!(lines_of(&entries), [RECORD, NODATA]);
        assert_eq!((summary.shape, summary.lines, summary.bad), (Some(LogShape::Json), 2, 0));
        assert_eq!(entries[0].event, Some((Some(1_418_530_010_000), None, None)));
        assert_eq!(entries[0].text, RECORD.as_bytes());
        let offset = usize::try_from(entries[1].place.offset).unwrap();
        assert!(text[offset..].starts_with('{'));
    }
    let filter = format!(
        r#"{{"events":[{{"logStreamName":"eni-1-all","timestamp":1,"message":{record},"ingestionTime":2,"eventId":"36"}}],"searchedLogStreams":[],"nextToken":null}}"#
    );
    let (entries, _) = read_whole(filter);
    assert_eq!(entries[0].event, Some((Some(1), Some("eni-1-all".to_owned()), Some("36".to_owned()))));
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

const CONTROL: &str = "CWL CONTROL MESSAGE: Checking health of destination Firehose.";

#[test]
fn subscription_data_plain_packed_and_many_times() {
    let one = subscription("DATA_MESSAGE", &[RECORD, NODATA]);
    let control = subscription("CONTROL_MESSAGE", &[CONTROL]);
    let packed =
        |text: &str| format!(r#"{{"awslogs":{{"data":"{}"}}}}"#, STANDARD.encode(gzip(text.as_bytes())));
    let many = [one.as_str(), &control, &one].concat();
    for text in [
        many.clone(),
        [one.as_str(), &control, &one].join("\n"),
        format!("{} {control}\r\n{}", packed(&one), packed(&one)),
        packed(&many),
        format!(r#"{{"awslogs":{{"data":"{}"}}}}"#, STANDARD.encode(&many)),
    ] {
        let (entries, summary) = read_whole(&text);
        assert_eq!((summary.lines, summary.records, summary.control, summary.bad), (5, 4, 1, 0), "{text}");
        assert_eq!(lines_of(&entries), [RECORD, NODATA, RECORD, NODATA]);
        assert_eq!(entries[2].seen, Seen::Control);
        assert_eq!(entries[2].text, CONTROL.as_bytes());
        assert_eq!(entries[4].event, Some((Some(1), Some("eni-1-all".to_owned()), Some("1".to_owned()))));
        // Firehose compresses what is compressed
        for bytes in [gzip(text.as_bytes()), gzip(&gzip(text.as_bytes()))] {
            let (compressed, summary) = read_whole(bytes);
            assert_eq!(compressed, entries);
            assert!(summary.gzip_layers > 0);
        }
    }
    let members = [gzip(one.as_bytes()), gzip(control.as_bytes()), gzip(one.as_bytes())].concat();
    assert_eq!(read_whole(members).1.records, 4);
}

#[test]
fn a_control_message_is_known_by_its_type_or_its_text() {
    let event = format!(r#"{{"id":"","timestamp":1,"message":{}}}"#, json(CONTROL));
    for text in [
        format!(r#"{{"logEvents":[{event}],"messageType":"CONTROL_MESSAGE"}}"#),
        r#"{"messageType":"CONTROL_MESSAGE","logEvents":[]}"#.to_owned(),
        r#"{"messageType":"CONTROL_MESSAGE","logEvents":[{"message":"anything"}]}"#.to_owned(),
        event,
    ] {
        let (_, summary) = read_whole(&text);
        assert_eq!((summary.lines, summary.control), (1, 1), "{text}");
    }
}

#[test]
fn events_without_a_document_around_them() {
    let event = format!(r#"{{"timestamp":5,"message":{},"logStreamName":"s","eventId":"e"}}"#, json(RECORD));
    for text in [
        format!("[{event},\n{event}]"),
        format!("[\n{event}\n,\n{event}\n]\n"),
        format!("{event}\n{event}\n"),
        format!("{event}{event}"),
    ] {
        let (entries, summary) = read_whole(&text);
        assert_eq!((summary.records, summary.bad), (2, 0), "{text}");
        assert_eq!(entries[1].event, Some((Some(5), Some("s".to_owned()), Some("e".to_owned()))));
    }
    let (_, summary) = read_whole("[] {\"events\":[]}\n{\"events\":[],\"nextToken\":\"x\"}");
    assert_eq!((summary.lines, summary.shape), (0, Some(LogShape::Json)));
}

#[test]
fn messages_are_read_like_lines() {
    let messages = [
        format!("{RECORD}\n"),
        format!(" {RECORD}"),
        String::new(),
        "srcaddr".to_owned(),
        "192.0.2.7".to_owned(),
    ];
    let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
    let (entries, summary) = read_whole(subscription("DATA_MESSAGE", &messages));
    assert_eq!((summary.records, summary.headers, summary.bad), (3, 1, 0));
    assert_eq!(
        summary.leniencies.iter().collect::<Vec<_>>(),
        [(Leniency::LeadingSpace, 1), (Leniency::BlankLine, 1)]
    );
    assert_eq!(entries[0].text, RECORD.as_bytes());
    assert!(matches!(&entries[4].seen, Seen::Record(record, _) if record.srcaddr.is_some()));
}

#[test]
fn json_that_is_no_event_or_not_well_formed_is_bad_and_stops_nothing() {
    let good = subscription("DATA_MESSAGE", &[RECORD]);
    let data = |text: &str| format!(r#"{{"awslogs":{{"data":{}}}}}"#, json(text));
    let packed = STANDARD.encode(gzip(good.as_bytes()));
    let nested = STANDARD.encode(data(&packed));
    let cut = STANDARD.encode(&gzip(good.as_bytes())[..40]);
    // one bad entry each, then the good document
    let cases = [
        (
            r#"{"events":[{"timestamp":1}]}"#.to_owned(),
            "not an event of CloudWatch Logs: missing field `message`",
        ),
        (r#"{"events":[{"message":1}]}"#.to_owned(), "not an event of CloudWatch Logs: invalid type"),
        (r#"{"events":["x"]}"#.to_owned(), "not an event of CloudWatch Logs: invalid type"),
        (r#"{"events":[{"message":"\q"}]}"#.to_owned(), "not an event of CloudWatch Logs: invalid escape"),
        ("{}".to_owned(), "the JSON document has no events"),
        (r#"{"events":null,"foo":[{"message":"x"}]}"#.to_owned(), "the JSON document has no events"),
        ("hello".to_owned(), "found `hello` in the JSON, expected `{` or `[`"),
        (r#"{"events":[{"message":"x"#.to_owned(), "found `\\n` in the JSON, expected a well-formed value"),
        (r#"{"events":[{"message":"x""#.to_owned(), "found `{\"messageType\":"),
        (r#"{"events":[] "x"#.to_owned(), "found `\"x` in the JSON, expected `,` or `}`"),
        (r#"{"events":[]"#.to_owned(), "found `{\"messageType\":"),
        (r#"{"events":[}"#.to_owned(), "found `}` in the JSON, expected a well-formed value"),
        (r#"{events:1}"#.to_owned(), "found `events:1}` in the JSON, expected a key"),
        (r#"{"events" 1}"#.to_owned(), "found `1}` in the JSON, expected `:`"),
        (data("****"), "the data in `awslogs` cannot be decoded: Invalid symbol"),
        (data(&nested), "the data in `awslogs` cannot be decoded: found `awslogs` inside `awslogs`"),
        (data(&cut), "the data in `awslogs` cannot be decoded: the gzip data is cut short after byte 40"),
        (
            r#"{"awslogs":{"dat":""}}"#.to_owned(),
            "the data in `awslogs` cannot be decoded: missing field `data`",
        ),
    ];
    for (bad, message) in cases {
        // a document in front, so that it is JSON for sure
        let nothing = "{\"events\":[]}\n";
        let (entries, summary) = read_whole(format!("{nothing}{bad}\n{good}\n"));
        assert_eq!((summary.bad, summary.records), (1, 1), "{bad}: {entries:?}");
        let Seen::Bad(problem) = &entries[0].seen else { panic!("{bad}") };
        assert!(problem.to_string().starts_with(message), "{bad}: {problem}");
        assert_eq!(lines_of(&entries), [RECORD]);
    }
}

#[test]
fn json_that_is_cut_yields_what_came_before() {
    let text = subscription("DATA_MESSAGE", &[RECORD, NODATA]);
    let whole = read_whole(&text).0;
    for end in 1..text.len() {
        let (entries, summary) = read_whole(&text[..end]);
        assert_eq!(summary.bad, 1, "at {end}");
        let (last, before) = entries.split_last().unwrap();
        assert!(matches!(last.seen, Seen::Bad(LineProblem::JsonCut { .. })), "at {end}: {last:?}");
        assert_eq!(before, &whole[..before.len()]);
    }
}

#[test]
fn every_shorter_log_is_read_without_panic_and_adds_up() {
    let text = format!(
        "\u{feff}{HEADER}\r\n{RECORD} # é\n\n\u{1b}[1m2023-11-14T22:13:20Z s {NODATA}\ntgw-id bytes é\nx 1 é\n"
    );
    let packed = format!(r#"{{"awslogs":{{"data":"{}"}}}}"#, STANDARD.encode(gzip(text.as_bytes())));
    for bytes in [text.as_bytes(), packed.as_bytes(), &gzip(text.as_bytes())] {
        for end in 0..bytes.len() {
            read(&bytes[..end]);
        }
    }
}

#[test]
fn gzip_that_is_cut_or_damaged_yields_the_whole_lines_before() {
    let text = format!("{HEADER}\n{RECORD}\n{NODATA}\n");
    let whole = read_whole(&text).0;
    let compressed = gzip(text.as_bytes());
    for end in 2..compressed.len() {
        let (entries, error, _) = read(&compressed[..end]);
        assert_eq!(entries, &whole[..entries.len()]);
        let error = error.unwrap_or_else(|| panic!("nothing was missed at {end}"));
        assert!(
            error.ends_with(&format!("the gzip data is cut short after byte {end} of the file")),
            "{error}"
        );
    }
    // all is there but the checksum
    let (entries, error, _) = read(&compressed[..compressed.len() - 1]);
    assert_eq!(entries, whole);
    let (line, offset) = (whole.len() + 1, text.len());
    assert!(
        error.unwrap().starts_with(&format!("`log`: line {line} at byte {offset}: the gzip data is cut"))
    );

    let mut damaged = compressed.clone();
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 1;
    let (entries, error, _) = read(&damaged);
    assert_eq!(entries, whole);
    assert!(error.unwrap().contains("the gzip data cannot be decoded near byte"));

    // a second member that is damaged at its beginning
    let (entries, error, _) = read([&compressed[..], b"\x1f\x8b\x08\xff\0\0"].concat());
    assert_eq!(entries, whole);
    assert!(error.is_some());
}

#[test]
fn what_is_behind_gzip_data_is_padding_or_told() {
    let compressed = gzip(format!("{RECORD}\n").as_bytes());
    let padded = [&compressed[..], &[0; 700], &compressed, &[0; 3]].concat();
    assert_eq!(read_whole(padded).1.records, 2);
    let (entries, error, _) = read([&compressed[..], b"\0\0junk"].concat());
    assert_eq!(entries.len(), 1);
    let position = compressed.len() + 2;
    let expected = format!(
        "`log`: line 2 at byte {}: found something else behind the gzip data at byte {position} of the file, expected its end",
        RECORD.len() + 1
    );
    assert_eq!(error.unwrap(), expected);
}

#[test]
fn what_is_no_text_is_named_and_refused() {
    let cases: [(&[u8], &str); 6] = [
        (b"PAR1\x15\x04", "a Parquet file"),
        (b"\xd4\xc3\xb2\xa1\x02\0\x04\0", "a pcap capture"),
        (b"\x0a\x0d\x0d\x0a\x1c\0\0\0", "a pcapng capture"),
        (b"\xff\xfe2\0 \x001\0", "UTF-16 text"),
        (b"\x28\xb5\x2f\xfd\0", "a zstd stream"),
        (b"\x01\0\x02", "binary data"),
    ];
    for (bytes, name) in cases {
        for bytes in [bytes.to_vec(), gzip(bytes)] {
            let mut reader =
                LogReader::new("x", Box::new(io::Cursor::new(bytes.clone())), LogReadOptions::default());
            let error = reader.advance().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "`x`: is {name}, expected a flow log: lines of text or JSON of CloudWatch Logs, gzip or not"
                )
            );
            assert!(error.hint().is_some() && error.place().is_none());
            assert!(!reader.advance().unwrap());
            assert_eq!(sniff_log(&bytes), None);
        }
    }
    let three = gzip(&gzip(&gzip(RECORD.as_bytes())));
    assert!(read(&three).1.unwrap().contains("gzip inside gzip inside gzip"));
    assert_eq!(sniff_log(&three), None);
}

#[test]
fn a_zero_behind_the_beginning_is_a_bad_line() {
    let (_, summary) = read_whole(format!("{RECORD}\n{RECORD}\0\n{RECORD}\n"));
    assert_eq!((summary.records, summary.bad), (2, 1));
}

#[test]
fn a_line_has_a_limit() {
    let longest = "x".repeat(MAX_LINE);
    let (entries, _) = read_whole(format!("{longest}\n{longest}x\n{RECORD}\n{longest}xx"));
    assert_eq!(entries[0].seen, Seen::Bad(LineError::FieldCount { found: 1, expected: 14 }.into()));
    let too_long =
        |more: u64| Seen::Bad(LineProblem::TooLong { found: MAX_LINE as u64 + more, limit: MAX_LINE });
    assert_eq!(entries[1].seen, too_long(1));
    assert!(!entries[1].text.is_empty() && entries[1].text.len() <= 1024);
    assert!(matches!(entries[2].seen, Seen::Record(..)));
    assert_eq!(entries[3].seen, too_long(2));
    // the same for a message
    let (entries, _) = read_whole(subscription("DATA_MESSAGE", &[&longest, &format!("{longest}x"), RECORD]));
    assert_eq!(entries[1].seen, too_long(1));
    assert!(matches!(entries[2].seen, Seen::Record(..)));
}

#[test]
fn json_that_is_too_long_is_skipped_without_being_held() {
    let long = "x".repeat(5 << 20);
    let record = json(RECORD);
    // a long value that nobody asked for is no trouble
    let (_, summary) = read_whole(format!(r#"{{"nextToken":"{long}","events":[{{"message":{record}}}]}}"#));
    assert_eq!((summary.records, summary.bad), (1, 0));
    for text in [
        format!(r#"{{"events":[{{"message":"{long}"}},{{"message":{record}}}]}}"#),
        format!(r#"{{"messageType":"{long}","events":[{{"message":{record}}}]}}"#),
        format!(r#"{{"message":"{long}"}}{{"message":{record}}}"#),
    ] {
        let (entries, summary) = read_whole(text);
        assert_eq!((summary.records, summary.bad), (1, 1));
        assert!(matches!(entries[0].seen, Seen::Bad(LineProblem::TooLong { .. })));
    }
}

#[test]
fn a_reader_that_fails_is_an_error_with_a_place() {
    struct Failing(bool);
    impl Read for Failing {
        fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(io::Error::other("the disk is gone"));
            }
            let text = format!("{RECORD}\n{RECORD}");
            target[..text.len()].copy_from_slice(text.as_bytes());
            Ok(text.len())
        }
    }
    let mut reader = LogReader::new("log", Box::new(Failing(false)), LogReadOptions::default());
    assert!(reader.advance().unwrap());
    let error = reader.advance().unwrap_err();
    assert!(matches!(error.kind(), LogReadErrorKind::Read(_)));
    assert_eq!(error.place(), Some(Place { line: 2, offset: RECORD.len() as u64 + 1 }));
    assert_eq!(error.name(), "log");
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the disk is gone");

    let missing = LogReader::open(std::path::Path::new("no/such/file"), LogReadOptions::default());
    let error = missing.err().unwrap();
    assert_eq!(error.to_string(), "`no/such/file`: cannot be opened");
}

#[test]
fn logs_are_told_from_captures_and_other_text() {
    let event = format!(r#"{{"events":[{{"message":{}}}]}}"#, json(RECORD));
    let cases = [
        (RECORD.to_owned(), Some(LogShape::Text)),
        (format!("\u{feff}\n# made by hand\n{NODATA}\r\n"), Some(LogShape::Text)),
        (HEADER.to_owned(), Some(LogShape::Text)),
        ("log_status srcaddr".to_owned(), Some(LogShape::Text)),
        ("192.0.2.1 2001:db8::1 443 6".to_owned(), Some(LogShape::Text)),
        (format!("2023-11-14T22:13:20Z eni-1-all {RECORD}"), Some(LogShape::Text)),
        (event.clone(), Some(LogShape::Json)),
        (event[..40].to_owned(), Some(LogShape::Json)),
        (subscription("DATA_MESSAGE", &[RECORD]), Some(LogShape::Json)),
        ("{\"foo\":1}".to_owned(), None),
        ("20:57:27 IP 10.0.0.1 > 10.0.0.2: ICMP echo request".to_owned(), None),
        ("hello world".to_owned(), None),
        (String::new(), None),
    ];
    for (text, shape) in cases {
        assert_eq!(sniff_log(text.as_bytes()), shape, "{text}");
        assert_eq!(sniff_log(&gzip(text.as_bytes())), shape, "{text}");
        assert_eq!(sniff_log(&gzip(&gzip(text.as_bytes()))), shape, "{text}");
    }
    assert_eq!(sniff_log("2 é 192.0.2.1 1 2 3 é".as_bytes().split_last().unwrap().1), Some(LogShape::Text));
    assert_eq!(sniff_log(b"\xff"), None);
    // the beginning of a long one
    let long = gzip(format!("{RECORD}\n").repeat(5000).as_bytes());
    assert_eq!(sniff_log(&long[..100]), Some(LogShape::Text));
}

/// Text that looks like a log, or like one that was damaged.
fn any_log() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(HEADER.as_bytes().to_vec()),
        Just(RECORD.as_bytes().to_vec()),
        Just(NODATA.as_bytes().to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b" ".to_vec()),
        Just(b"\t# ".to_vec()),
        Just(b"\xef\xbb\xbf".to_vec()),
        Just(b"\x1b[0m".to_vec()),
        Just(b"2023-11-14T22:13:20Z ".to_vec()),
        Just(b"srcaddr bytes new\n192.0.2.1 7 x\n".to_vec()),
        Just(br#"{"events":[{"message":""#.to_vec()),
        Just(br#""}]}"#.to_vec()),
        Just(br#"{"message":"x"}"#.to_vec()),
        Just(br#"{"awslogs":{"data":"e30="}}"#.to_vec()),
        Just(br#"{"messageType":"CONTROL_MESSAGE","#.to_vec()),
        Just(b"[".to_vec()),
        Just(b"{".to_vec()),
        Just(b",".to_vec()),
        Just(b"]".to_vec()),
        Just(b"}".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"\\".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

prop_compose! {
    fn any_format()(fields in Just(Field::ALL.to_vec()).prop_shuffle(), count in 1..=Field::ALL.len())
        -> LogFormat {
        LogFormat::new(fields.into_iter().take(count)).unwrap()
    }
}

prop_compose! {
    /// A record that a capture or AWS may give, with nothing outside the format.
    fn any_record(format: LogFormat)(
        addresses in any::<(Option<[u8; 4]>, Option<[u8; 16]>)>(),
        numbers in any::<(Option<u16>, Option<u64>, Option<u64>, Option<i64>, Option<u8>)>(),
        status in proptest::sample::select(LogStatus::ALL),
        text in proptest::option::of("[a-z][!-~é]{0,12}"),
    ) -> FlowRecord {
        let mut record = FlowRecord {
            srcaddr: addresses.0.map(Into::into),
            pkt_dstaddr: addresses.1.map(Into::into),
            srcport: numbers.0,
            packets: numbers.1,
            bytes: numbers.2,
            start: numbers.3,
            traffic_path: numbers.4,
            log_status: Some(status),
            interface_id: text.as_deref().map(Into::into),
            instance_tag: text.map(Into::into),
            ..FlowRecord::default()
        };
        record.version = Some(format.version());
        for field in Field::ALL {
            if !format.contains(field) {
                field.clear(&mut record);
            }
        }
        record
    }
}

fn any_written() -> impl Strategy<Value = (LogFormat, Vec<FlowRecord>)> {
    any_format().prop_flat_map(|format| {
        let records = proptest::collection::vec(any_record(format.clone()), 0..20);
        (Just(format), records)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn what_is_written_is_read_back_however_it_comes(
        (format, records) in any_written(),
        with_header in any::<bool>(),
        size in 1..300_usize,
        split in any::<proptest::sample::Index>(),
    ) {
        let mut text = Vec::new();
        if with_header {
            write_header_line(&format, &mut text);
        }
        for record in &records {
            write_record_line(&format, record, &mut text);
        }
        let (first, second) = text.split_at(split.index(text.len() + 1));
        let members = [gzip(first), gzip(second)].concat();
        for bytes in [text.clone(), gzip(&text), members, gzip(&gzip(&text))] {
            let given = (!with_header).then(|| format.clone());
            let (entries, error, summary) = read_from(Box::new(Pieces(bytes, 0, size)), given);
            prop_assert_eq!(error, None);
            prop_assert_eq!((summary.bad, summary.headers), (0, u64::from(with_header)));
            prop_assert_eq!(summary.leniencies, LeniencyCounts::default());
            let read: Vec<FlowRecord> = entries
                .into_iter()
                .filter_map(|entry| match entry.seen {
                    Seen::Record(record, _) => Some(*record),
                    _ => None,
                })
                .collect();
            prop_assert_eq!(&read, &records);
        }
    }

    #[test]
    fn what_is_written_is_read_back_from_events(
        (format, records) in any_written(),
        size in 1..300_usize,
    ) {
        let messages: Vec<String> = records
            .iter()
            .map(|record| {
                let mut line = Vec::new();
                write_record_line(&format, record, &mut line);
                String::from_utf8(line).unwrap()
            })
            .collect();
        let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
        let text = subscription("DATA_MESSAGE", &messages);
        let pieces = Pieces(text.into_bytes(), 0, size);
        let (entries, error, _) = read_from(Box::new(pieces), Some(format));
        prop_assert_eq!(error, None);
        prop_assert_eq!(entries.len(), records.len());
        for (entry, record) in entries.iter().zip(&records) {
            prop_assert_eq!(&entry.seen, &Seen::Record(Box::new(record.clone()), vec![]));
        }
    }

    #[test]
    fn no_bytes_panic_and_the_pieces_they_come_in_change_nothing(
        bytes in prop_oneof![proptest::collection::vec(any::<u8>(), 0..400), any_log()],
        size in 1..40_usize,
    ) {
        let whole = read(&bytes);
        prop_assert_eq!(&in_pieces(&bytes, size), &whole);
        let compressed = in_pieces(&gzip(&bytes), size);
        if !bytes.starts_with(b"\x1f\x8b") && whole.1.is_none() {
            prop_assert_eq!(&compressed.0, &whole.0);
        }
        sniff_log(&bytes);
    }
}
