//! `convert --partials` and `merge` through the real binary: every fixture in parts of its own, merged to what one conversion
//! writes, in every file format and layout.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod captures;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use flowtruth::capture::CaptureInput;
use flowtruth::flow::{AggregationInterval, FlowCounters, FlowKey};
use flowtruth::flowlog::encode::{RecordBatchBuilder, record_schema};
use flowtruth::packet::{IpPacket, PacketDirection, Timestamp};
use flowtruth::partial::RecordBatch;
use flowtruth::partial::{
    BatchSink, Closing, Opening, PartialForm, PartialKeys, PartialReader, PartialRow, PartialWriter,
    RowBuilder, Rows, Settings,
};
use flowtruth::pipeline::{
    MergedPartials, MeterOptions, PartialInput, Progress, RecordOptions, RecordSink, RowsError, convert_into,
    convert_to_partials, records_of_rows,
};
use flowtruth::record::{FlowRecord, LogFormat};

/// So late that nothing is, whatever the fixtures' times.
const NEVER_LATE: [&str; 2] = ["--allowed-lateness", "9000000000"];

/// Identity, and a field that not all captures know.
const RECORDS: [&str; 8] = [
    "--account-id",
    "123456789012",
    "--set",
    "region=us-east-1",
    "--log-format",
    "${account-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} \
     ${action} ${tcp-flags} ${flow-direction} ${region}",
    "--interface-id",
    "eni-1",
];

/// What each way to write is asked for with, and whether it writes a folder.
const WAYS: [(&str, &[&str], bool); 8] = [
    ("text.log", &["--header"], false),
    ("text.gz", &[], false),
    ("rows.parquet", &[], false),
    ("rows.ndjson", &[], false),
    ("rebased.log", &["--rebase", "1700000000"], false),
    ("s3", &["--layout", "s3", "--hive-compatible-partitions"], true),
    ("s3-parquet", &["--layout", "s3", "--file-format", "parquet"], true),
    ("events", &["--layout", "cloudwatch"], true),
];

fn flowtruth<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Output {
    let output =
        Command::new(env!("CARGO_BIN_EXE_flowtruth")).args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(!said(&output).contains("panicked"), "{}", said(&output));
    output
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn words<'a>(texts: &[&'a str]) -> Vec<&'a OsStr> {
    texts.iter().copied().map(OsStr::new).collect()
}

/// Everything below a folder, or one file: names and bytes.
fn content(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fn gather(root: &Path, path: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
        if path.is_dir() {
            fs::read_dir(path).unwrap().for_each(|entry| gather(root, &entry.unwrap().path(), found));
        } else {
            found.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(path).unwrap());
        }
    }
    let mut found = BTreeMap::new();
    gather(path, path, &mut found);
    assert!(found.values().any(|bytes| !bytes.is_empty()), "{} is empty", path.display());
    found
}

/// Converts each capture to a part of its own; both forms take turns.
fn parts(captures: &[PathBuf], options: &[&str], folder: &Path) -> Vec<PathBuf> {
    captures
        .iter()
        .enumerate()
        .filter_map(|(number, capture)| {
            let part = folder.join(format!("{number}.{}", if number % 2 == 0 { "parquet" } else { "arrow" }));
            let mut arguments = words(&["convert", "--quiet", "--partials"]);
            arguments.extend(words(options));
            arguments.extend([capture.as_os_str(), OsStr::new("-o"), part.as_os_str()]);
            let output = flowtruth(arguments);
            // what could not be read at all makes no part
            assert!(output.status.success() || output.status.code() == Some(2), "{}", said(&output));
            part.exists().then_some(part)
        })
        .collect()
}

#[test]
fn the_parts_of_all_fixtures_merge_to_one_conversion() {
    let captures = captures::below("fixtures/captures");
    let folder = tempfile::tempdir().unwrap();
    let options =
        ["--max-aggregation-interval", "60", "--decap", "all", "--partial-keys", "icmp,observation-point"];
    let mut parts = parts(&captures, &options, folder.path());
    assert!(parts.len() > 100, "only {} parts", parts.len());
    parts.reverse();
    for (name, way, is_folder) in WAYS {
        let [one, merged] = ["one", "merged"].map(|side| folder.path().join(side).join(name));
        for path in [&one, &merged] {
            fs::create_dir_all(if is_folder { path } else { path.parent().unwrap() }).unwrap();
        }
        let mut convert = words(&["convert", "--quiet", "-o"]);
        convert.push(one.as_os_str());
        convert.extend(words(&NEVER_LATE));
        convert.extend(words(&options[..4]));
        convert.extend(words(&RECORDS));
        convert.extend(words(way));
        convert.extend(captures.iter().map(|capture| capture.as_os_str()));
        // some fixtures are damaged
        assert_eq!(flowtruth(convert).status.code(), Some(2));
        let mut merge = words(&["merge", "--quiet", "-o"]);
        merge.push(merged.as_os_str());
        merge.extend(words(&RECORDS));
        merge.extend(words(way));
        merge.extend(parts.iter().map(|part| part.as_os_str()));
        let output = flowtruth(merge);
        assert!(output.status.success(), "{name}: {}", said(&output));
        assert!(said(&output).contains("was not read to its end"), "{}", said(&output));
        let (one, merged) = (content(&one), content(&merged));
        assert_eq!(one.keys().collect::<Vec<_>>(), merged.keys().collect::<Vec<_>>(), "{name}");
        for (file, bytes) in &one {
            assert!(merged[file] == *bytes, "{name}: {} differs", file.display());
        }
    }
}

#[test]
fn a_folder_a_pipe_and_little_memory_change_nothing() {
    let mut captures = captures::below("fixtures/captures");
    captures.retain(|capture| capture.to_string_lossy().contains("/traffic/"));
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("parts/below");
    fs::create_dir_all(&below).unwrap();
    fs::write(below.join("_SUCCESS"), "").unwrap();
    let parts = parts(&captures, &["--memory-limit", "16MiB", "--threads", "1"], &below);
    assert_eq!(parts.len(), captures.len());
    let merge = |arguments: &[&OsStr]| {
        let output = flowtruth(words(&["merge", "--quiet"]).into_iter().chain(arguments.iter().copied()));
        assert!(output.status.success(), "{}", said(&output));
        output.stdout
    };
    let expected = merge(&parts.iter().map(|part| part.as_os_str()).collect::<Vec<_>>());
    assert!(expected.len() > 1000);
    assert_eq!(merge(&[folder.path().join("parts").as_os_str()]), expected);
    assert_eq!(merge(&[below.as_os_str(), OsStr::new("--memory-limit"), OsStr::new("16MiB")]), expected);
    // a Parquet file and a stream, through standard input
    for part in &parts[..2] {
        let alone = merge(&[part.as_os_str()]);
        let piped = Command::new(env!("CARGO_BIN_EXE_flowtruth"))
            .args(["merge", "--quiet", "-"])
            .stdin(File::open(part).unwrap())
            .output()
            .unwrap();
        assert_eq!(piped.stdout, alone, "{}", said(&piped));
    }
}

#[cfg(unix)]
/// What a program said on standard output.
fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_capture_in_byte_ranges_is_the_capture() {
    let capture = "fixtures/captures/traffic/windows.pcap";
    let folder = tempfile::tempdir().unwrap();
    let whole = flowtruth(["convert", "--quiet", capture]);
    let split = flowtruth(["split-points", "-n", "2", capture]);
    assert!(split.status.success(), "{}", said(&split));
    let good: Vec<String> = printed(&split).lines().map(str::to_owned).collect();
    assert_eq!(good.len(), 2, "{good:?}");
    // whoever does not ask for good places gets the same
    let odd: Vec<String> = ["0-25", "25-25", "25-301", "301-"].map(str::to_owned).to_vec();
    for (way, ranges) in [("good", good), ("odd", odd)] {
        let parts = folder.path().join(way);
        fs::create_dir(&parts).unwrap();
        let mut packets = Vec::new();
        for range in &ranges {
            let part = parts.join(format!("{range}.parquet"));
            let mut arguments = words(&["convert", "--partials", "--byte-range", range, "-o"]);
            arguments.extend([part.as_os_str(), OsStr::new(capture)]);
            let output = flowtruth(arguments);
            assert!(output.status.success(), "{}", said(&output));
            packets.push(said(&output).split(' ').next().unwrap().to_owned());
            let records = flowtruth(["convert", "--byte-range", range, capture]);
            let read = said(&records).split(' ').next().unwrap().to_owned();
            assert_eq!(packets.last(), Some(&read), "{}", said(&records));
        }
        let sum: u64 = packets.iter().map(|packets| packets.parse::<u64>().unwrap()).sum();
        assert_eq!(sum, 12, "{packets:?}");
        let merged = flowtruth([OsStr::new("merge"), OsStr::new("--quiet"), parts.as_os_str()]);
        assert_eq!(printed(&merged), printed(&whole), "{}", said(&merged));
    }
}

#[test]
fn what_has_no_pieces_is_told() {
    let told = |arguments: &[&str]| {
        let output = flowtruth(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        said(&output)
    };
    let capture = "fixtures/captures/seed.pcap";
    let two = told(&["convert", "--byte-range", "0-9", capture, "fixtures/captures/traffic/windows.pcap"]);
    assert!(two.contains("`--byte-range` reads a piece of one capture, and 2 were named"), "{two}");
    let range = told(&["convert", "--byte-range", "9-7", capture]);
    assert!(range.contains("it ends at 7, before its start"), "{range}");
    let gone = told(&["convert", "--byte-range", "0-9", "gone.pcap"]);
    assert!(gone.contains("`gone.pcap`"), "{gone}");
    for arguments in [
        &["split-points", "-n", "2", "fixtures/captures"][..],
        &[
            "convert",
            "--partials",
            "-o",
            "unwritten.parquet",
            "--byte-range",
            "0-9",
            "fixtures/captures/containers/conversation.le.pcapng",
        ],
    ] {
        let said = told(arguments);
        assert!(said.contains("expected an uncompressed pcap file") || said.contains("gone"), "{said}");
    }
    assert!(!Path::new("unwritten.parquet").exists());
}

#[test]
fn a_part_is_read_from_a_named_pipe() {
    let folder = tempfile::tempdir().unwrap();
    for part in parts(&captures::below("fixtures/captures")[..2], &[], folder.path()) {
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let bytes = fs::read(&part).unwrap();
        let writer = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::write(pipe, bytes).unwrap()
        });
        let merge = |path: &Path| flowtruth([OsStr::new("merge"), OsStr::new("-q"), path.as_os_str()]);
        let piped = merge(&pipe);
        writer.join().unwrap();
        assert_eq!(piped.stdout, merge(&part).stdout, "{}", said(&piped));
        assert!(!piped.stdout.is_empty());
        fs::remove_file(pipe).unwrap();
    }
}

#[test]
fn the_flags_and_keys_of_rows_are_those_of_packets() {
    let folder = tempfile::tempdir().unwrap();
    let part = folder.path().join("part.arrow");
    let mut arguments =
        words(&["convert", "-q", "--partials", "--partial-keys", "icmp,observation-point", "-o"]);
    arguments.push(part.as_os_str());
    arguments.extend(words(&["fixtures/captures/aws/ping.pcap", "fixtures/captures/aws/ipv6-ssh.pcap"]));
    assert!(flowtruth(arguments).status.success());
    let mut reader = PartialReader::open(&part).unwrap();
    let (mut icmp, mut raw, mut points) = (0, 0, Vec::new());
    while let Some(batch) = reader.next_batch().unwrap() {
        for row in Rows::new(&batch).unwrap().iter() {
            let row = row.unwrap();
            icmp += u64::from(row.icmp.is_some_and(|icmp| matches!(icmp.icmp_type, 0 | 8)));
            // acknowledgments are in the headers, and alone in no log
            raw +=
                u64::from(row.counters.raw_tcp_flags.0 & 0x10 != 0 && row.counters.tcp_flags.0 & 0x10 == 0);
            points.push(row.observation_point.unwrap().to_owned());
        }
    }
    points.sort();
    points.dedup();
    assert!(icmp >= 2 && raw >= 1, "{icmp} {raw}");
    assert_eq!(points, ["fixtures/captures/aws/ipv6-ssh.pcap", "fixtures/captures/aws/ping.pcap"]);
}

#[test]
fn nothing_is_written_of_damaged_parts() {
    let folder = tempfile::tempdir().unwrap();
    let good = parts(&vec![PathBuf::from("fixtures/captures/seed.pcap"); 2], &[], folder.path());
    let out = folder.path().join("out.log");
    for part in good {
        let bytes = fs::read(&part).unwrap();
        let bad = folder.path().join("bad");
        for end in [0, 4, 9, bytes.len() / 2, bytes.len() - 9, bytes.len() - 1] {
            fs::write(&bad, &bytes[..end]).unwrap();
            let output = flowtruth([OsStr::new("merge"), bad.as_os_str(), OsStr::new("-o"), out.as_os_str()]);
            assert_eq!(output.status.code(), Some(2), "cut at {end}");
            assert!(said(&output).contains("bad` cannot be merged: it "), "{}", said(&output));
            assert!(!out.exists());
        }
    }
}

#[test]
fn whoever_closes_the_pipe_has_seen_enough() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_flowtruth"))
        .args(["convert", "-q", "--partials", "fixtures/captures/seed.pcap"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), said(&output)), (Some(0), String::new()));
}

/// What merging says of a part of these windows and counters, whose ledger is of nothing.
fn said_of(rows: &[(i64, FlowCounters)]) -> String {
    let settings = Settings {
        interval: AggregationInterval::MINUTE,
        origin: Timestamp::from_nanos(0),
        decap: "none".to_owned(),
        filter: None,
        from: None,
        until: None,
    };
    let opening = Opening { settings, keys: PartialKeys::default(), captures: Vec::new() };
    let mut builder = RowBuilder::new(rows.len());
    for (window_start, counters) in rows {
        let (window_start, counters) = (Some(*window_start), *counters);
        let flow = FlowKey::from(&IpPacket::default());
        let direction = PacketDirection::Unknown;
        let row = PartialRow { window_start, flow, direction, icmp: None, observation_point: None, counters };
        builder.push(&row).unwrap();
    }
    let mut bytes = Vec::new();
    let mut writer = PartialWriter::new(PartialForm::Arrow, &mut bytes, &opening).unwrap();
    writer.batch(&builder.finish().unwrap()).unwrap();
    let ledger = r#"{"captures": [], "total": {}}"#.to_owned();
    writer.finish(&Closing { ledger, rows: rows.len() as u64, first_packet: None }).unwrap();
    drop(writer);
    let part = PartialInput::Reader("part".to_owned(), Box::new(Cursor::new(bytes)));
    let merged = MergedPartials::read(vec![part], &MeterOptions::default(), &Progress::new());
    merged.err().unwrap().to_string()
}

#[test]
fn rows_that_cannot_be_added_up_are_named() {
    let counted = |packets: u64, first: i64, last: i64| {
        let (first, last) = (Timestamp::from_nanos(first), Timestamp::from_nanos(last));
        FlowCounters { packets, bytes: packets, first, last, ..FlowCounters::EMPTY }
    };
    let minute = 60_000_000_000;
    let cases: [(&[(i64, FlowCounters)], &str); 4] = [
        (&[(0, counted(u64::MAX, 1, 2)), (0, counted(1, 1, 2))], "more packets than can be counted"),
        (&[(0, counted(1, 1, 2)), (0, counted(1, 1, minute))], "row 2: `first_ns` and `last_ns`"),
        (&[(minute, counted(1, 1, 2))], "row 1: `window_start_ns` is 60000000000, and packets of"),
        (&[(0, counted(1, 1, 2))], "its rows count 1 packets of 1 bytes, and its ledger does not agree"),
    ];
    for (rows, expected) in cases {
        let said = said_of(rows);
        assert!(said.contains(expected), "{said}");
    }
}

/// Keeps batches.
#[derive(Default)]
struct Kept(Vec<RecordBatch>);

impl BatchSink for Kept {
    fn batch(&mut self, batch: &RecordBatch) -> std::io::Result<()> {
        self.0.push(batch.clone());
        Ok(())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }

    fn finish(&mut self, _: &Closing) -> std::io::Result<()> {
        Ok(())
    }
}

/// Keeps records.
struct KeptRecords(RecordBatchBuilder);

impl RecordSink for KeptRecords {
    fn record(&mut self, record: &FlowRecord) -> std::io::Result<()> {
        self.0.push(record)
    }

    fn finish(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn complete_rows_are_the_records_of_a_conversion() {
    let meter = MeterOptions { allowed_lateness: 9_000_000_000_000_000_000, ..MeterOptions::default() };
    let options = RecordOptions {
        format: LogFormat::preset("all").unwrap(),
        header: false,
        identity: FlowRecord { account_id: Some("123456789012".into()), ..FlowRecord::default() },
    };
    let mut records = 0;
    for capture in captures::below("fixtures/captures") {
        let input = || vec![CaptureInput::Path(capture.clone())];
        let (mut rows, progress) = (Kept::default(), Progress::new());
        convert_to_partials(input(), &meter, PartialKeys::default(), &mut rows, false, &progress).unwrap();
        let mut sink = KeptRecords(RecordBatchBuilder::new(&options.format, 0));
        convert_into(input(), &meter, &options, &mut sink, false, &progress).unwrap();
        let expected = sink.0.finish().unwrap();
        let mut at = 0;
        for batch in rows.0 {
            let found = records_of_rows(&batch, &meter, &options).unwrap();
            assert_eq!(found, expected.slice(at, found.num_rows()), "{}", capture.display());
            at += found.num_rows();
        }
        assert_eq!(at, expected.num_rows(), "{}", capture.display());
        records += at;
    }
    assert!(records > 200, "only {records} records were compared");
    let other = RecordBatchBuilder::new(&options.format, 0).finish().unwrap();
    assert_eq!(other.schema(), record_schema(&options.format));
    let error = records_of_rows(&other, &meter, &options).unwrap_err();
    assert!(matches!(error, RowsError::Columns(_)), "{error}");
}
