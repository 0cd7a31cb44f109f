//! The flow logs of `fixtures/flowlogs`: what the reader finds in each, and what it needs for what is hostile.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flowtruth::flowlog::read::{
    Content, LogReadErrorKind, LogReadOptions, LogReadSummary, LogReader, LogShape, SNIFF_LENGTH, sniff_log,
};
use flowtruth::flowlog::text::write_record_line;
use flowtruth::record::LogFormat;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/flowlogs")
}

/// The records as lines in AWS's default format, the bad lines' messages, and the numbers.
fn read(name: &str) -> (Vec<String>, Vec<String>, LogReadSummary) {
    let mut reader = LogReader::open(&directory().join(name), LogReadOptions::default()).unwrap();
    let (mut records, mut bad) = (Vec::new(), Vec::new());
    loop {
        match reader.advance() {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                assert!(matches!(error.kind(), LogReadErrorKind::GzipCut { .. }), "{error}");
                bad.push(error.to_string().rsplit(": ").next().unwrap().to_owned());
                break;
            }
        }
        match reader.entry().content {
            Content::Record(read) => {
                let mut line = Vec::new();
                write_record_line(&LogFormat::default(), read.record, &mut line);
                records.push(String::from_utf8(line).unwrap().trim_end().to_owned());
            }
            Content::Bad(line) => bad.push(line.to_string()),
            _ => {}
        }
    }
    (records, bad, reader.summary().clone())
}

/// Every log, with its shape and how many records, headers, control messages, bad lines and leniencies it has.
const LOGS: &[(&str, LogShape, [u64; 5])] = &[
    ("bad.log", LogShape::Text, [3, 1, 0, 4, 0]),
    ("concatenated.log", LogShape::Text, [4, 3, 0, 0, 0]),
    ("cut.log.gz", LogShape::Text, [6, 1, 0, 0, 0]),
    ("filter-log-events.json", LogShape::Json, [3, 0, 0, 0, 0]),
    ("get-log-events.json", LogShape::Json, [3, 0, 0, 0, 0]),
    ("lambda.json", LogShape::Json, [3, 0, 0, 0, 0]),
    ("members.log.gz", LogShape::Text, [6, 1, 0, 0, 0]),
    ("no-header.log", LogShape::Text, [6, 0, 0, 0, 0]),
    ("s3.log", LogShape::Text, [6, 1, 0, 0, 0]),
    ("s3.log.gz", LogShape::Text, [6, 1, 0, 0, 0]),
    ("subscription-twice.gz", LogShape::Json, [3, 0, 0, 0, 0]),
    ("subscription.json.gz", LogShape::Json, [3, 0, 1, 0, 0]),
    ("subscription.jsonl", LogShape::Json, [4, 0, 1, 0, 0]),
    ("tail-coloured.log", LogShape::Text, [4, 0, 0, 0, 4]),
    ("tail-short.log", LogShape::Text, [4, 0, 0, 0, 0]),
    ("tail.log", LogShape::Text, [4, 0, 0, 0, 0]),
    ("transit-gateway.log", LogShape::Text, [1, 1, 0, 0, 0]),
    ("untidy.log", LogShape::Text, [6, 1, 0, 0, 11]),
    ("faulty.log", LogShape::Text, [5, 0, 0, 3, 1]),
    ("firehose.json", LogShape::Json, [2, 0, 0, 0, 0]),
    ("kinesis.json", LogShape::Json, [1, 0, 0, 0, 0]),
    ("ocsf.json", LogShape::Json, [1, 0, 0, 0, 0]),
    ("records.json", LogShape::Json, [3, 0, 0, 0, 0]),
    ("records.ndjson", LogShape::Json, [3, 0, 0, 0, 0]),
    ("transit-gateway-no-header.log", LogShape::Text, [1, 0, 0, 0, 0]),
];

#[test]
fn every_log_holds_what_is_expected_and_is_recognised() {
    let files: BTreeSet<String> = fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(files, LOGS.iter().map(|(name, ..)| (*name).to_owned()).collect());
    for (name, shape, expected) in LOGS {
        let (_, _, summary) = read(name);
        let leniencies = summary.leniencies.iter().map(|(_, count)| count).sum();
        let found = [summary.records, summary.headers, summary.control, summary.bad, leniencies];
        assert_eq!((found, summary.shape), (*expected, Some(*shape)), "{name}: {summary:?}");
        let bytes = fs::read(directory().join(name)).unwrap();
        assert_eq!(sniff_log(&bytes[..bytes.len().min(SNIFF_LENGTH)]), Some(*shape), "{name}");
    }
}

#[test]
fn the_same_records_come_out_of_every_shape() {
    let (s3, bad, summary) = read("s3.log");
    assert_eq!((summary.ok, summary.nodata, summary.skipdata, bad.len()), (4, 1, 1, 0));
    let text = fs::read_to_string(directory().join("s3.log")).unwrap();
    assert_eq!(s3, text.lines().skip(1).collect::<Vec<_>>());
    for name in ["s3.log.gz", "members.log.gz", "no-header.log", "untidy.log", "cut.log.gz"] {
        assert_eq!(read(name).0, s3, "{name}");
    }
    for name in ["get-log-events.json", "filter-log-events.json", "lambda.json", "subscription-twice.gz"] {
        assert_eq!(read(name).0, s3[..3], "{name}");
    }
    assert_eq!(read("subscription.json.gz").0, s3[..3]);
    let with_nodata = [&s3[..3], &s3[4..5]].concat();
    for name in ["subscription.jsonl", "tail.log", "tail-short.log", "tail-coloured.log"] {
        assert_eq!(read(name).0, with_nodata, "{name}");
    }
}

#[test]
fn bad_lines_and_cuts_are_told() {
    assert_eq!(
        read("bad.log").1,
        [
            "line 3: found 13 values, expected the format's 14",
            "line 4: value 7, character 69 of the line: `dstport` cannot be `https`: expected a whole number from 0 to 65535",
            "line 5: value 11, character 83 of the line: `start` cannot be `2023-11-14T22:13:25Z`: expected Unix seconds, a whole number",
            "line 7: found 5 values, expected the format's 14",
        ]
    );
    let length = fs::metadata(directory().join("cut.log.gz")).unwrap().len();
    assert_eq!(read("cut.log.gz").1, [format!("the gzip data is cut short after byte {length} of the file")]);
}

#[test]
fn a_directory_is_no_log() {
    let result = LogReader::open(&directory(), LogReadOptions::default());
    let error = match result {
        Ok(mut reader) => reader.advance().unwrap_err(),
        Err(error) => error,
    };
    assert!(matches!(error.kind(), LogReadErrorKind::Read(_) | LogReadErrorKind::Open(_)), "{error}");
}

/// Yields a beginning, then one byte many times over, then an end.
struct Long {
    begin: &'static [u8],
    fill: u64,
    end: &'static [u8],
}

impl Read for Long {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if !self.begin.is_empty() {
            return self.begin.read(target);
        }
        let count = target.len().min(usize::try_from(self.fill).unwrap());
        if count > 0 {
            target[..count].fill(b'x');
            self.fill -= count as u64;
            return Ok(count);
        }
        self.end.read(target)
    }
}

/// The most memory that the process had so far, in KiB.
#[cfg(target_os = "linux")]
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn two_hundred_megabytes_in_one_line_are_not_held() {
    const LINE: &[u8] = b"\n2 123456789012 eni-1 192.0.2.1 192.0.2.2 1 2 6 3 180 5 6 ACCEPT OK\n";
    const EVENT: &[u8] =
        br#""},{"message":"2 123456789012 eni-1 192.0.2.1 192.0.2.2 1 2 6 3 180 5 6 ACCEPT OK"}]}"#;
    let cases: [(&'static [u8], &'static [u8]); 4] = [
        (b"2 ", LINE),
        (br#"{"events":[{"message":""#, EVENT),
        (br#"{"x":""#, br#"","events":[{"message":""},{"message":"srcaddr"},{"message":"192.0.2.1"}]}"#),
        (br#"{"events":[]} y"#, LINE),
    ];
    let before = peak();
    for (begin, end) in cases {
        let long = Long { begin, fill: 200 << 20, end };
        let mut reader = LogReader::new("long", Box::new(long), LogReadOptions::default());
        let mut last = 0;
        while reader.advance().unwrap() {
            last = reader.entry().place.offset;
        }
        let summary = reader.summary();
        if begin.ends_with(b" y") {
            assert_eq!((summary.records, summary.bad), (0, 1), "{summary:?}");
        } else {
            assert!(last > 200 << 20, "the last entry is at {last}");
            assert_eq!(
                (summary.records, summary.bad),
                (1, u64::from(!begin.ends_with(b"\"x\":\""))),
                "{summary:?}"
            );
        }
    }
    let grown = peak() - before;
    assert!(grown < 32 << 10, "{grown} KiB more");
}
