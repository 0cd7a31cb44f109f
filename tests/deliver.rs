//! Every way to write records, read back by the way to read logs: whatever the file format, the layout and the number of
//! threads, the records are those of plain text.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const FORMAT: [&str; 2] = ["--log-format", "v5"];
const MINUTE: [&str; 2] = ["--max-aggregation-interval", "60"];

/// What each way to write is asked for with, and whether it writes a folder.
const WAYS: [(&str, &[&str], bool); 9] = [
    ("parquet", &["--file-format", "parquet"], false),
    ("json", &["--file-format", "json"], false),
    ("text.gz", &["--header"], false),
    ("s3", &["--layout", "s3"], true),
    ("s3-hive", &["--layout", "s3", "--hive-compatible-partitions", "--per-hour-partition"], true),
    ("s3-parquet", &["--layout", "s3", "--file-format", "parquet"], true),
    ("s3-json", &["--layout", "s3", "--file-format", "json"], true),
    ("events", &["--layout", "cloudwatch"], true),
    ("messages", &["--layout", "cloudwatch-subscription"], true),
];

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

fn captures() -> Vec<PathBuf> {
    let mut found = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures"), &mut found);
    found.retain(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        !name.ends_with(".tsv") && !name.ends_with(".expected")
    });
    found.sort();
    found
}

fn convert(arguments: &[&str], inputs: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flowtruth"))
        .args(["convert", "--quiet", "--account-id", "123456789012", "--set", "region=us-east-1"])
        .args(["--interface-id", "eni-1"])
        .args(FORMAT)
        .args(arguments)
        .args(inputs)
        .output()
        .unwrap()
}

/// The records of logs, in order.
fn records(log: &Path) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_flowtruth"))
        .args(["convert", "--quiet", "--input-format", "v5"])
        .args(FORMAT)
        .arg(log)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}: {}", log.display(), String::from_utf8_lossy(&output.stderr));
    sorted(&output.stdout)
}

fn sorted(text: &[u8]) -> Vec<String> {
    let mut lines: Vec<String> = std::str::from_utf8(text).unwrap().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// The content of everything in a folder by its name, or of a file.
fn contents(place: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    if place.is_file() {
        return BTreeMap::from([(PathBuf::new(), fs::read(place).unwrap())]);
    }
    let mut found = Vec::new();
    files(place, &mut found);
    let inside = |path: PathBuf| (path.strip_prefix(place).unwrap().to_owned(), fs::read(&path).unwrap());
    found.into_iter().map(inside).collect()
}

#[test]
fn every_way_to_write_holds_the_same_records_whatever_the_threads() {
    let directory = tempfile::tempdir().unwrap();
    let mut checked = 0;
    for (at, capture) in captures().into_iter().enumerate() {
        let text = convert(&MINUTE, &[&capture]);
        let expected = sorted(&text.stdout);
        if expected.is_empty() {
            continue;
        }
        // events cannot be older than 1970
        let start = |line: &String| line.split(' ').nth(10).unwrap().parse::<i64>().unwrap();
        let has_early = expected.iter().any(|line| start(line) < 0);
        for (name, options, is_folder) in WAYS {
            if has_early && matches!(name, "events" | "messages") {
                continue;
            }
            let stem = capture.file_name().unwrap().to_string_lossy();
            let mut before = None;
            // threads are compared for some, because processes are not cheap
            let threads: &[&str] = if at.is_multiple_of(5) { &["1", "4"] } else { &["1"] };
            for &threads in threads {
                let place = directory.path().join(format!("{stem}-{threads}-{name}"));
                let mut arguments = vec!["--threads", threads, "-o", place.to_str().unwrap()];
                arguments.extend(MINUTE.iter().chain(options));
                let output = convert(&arguments, &[&capture]);
                assert_eq!(output.status.code(), text.status.code(), "{stem} {name}");
                assert_eq!(place.is_dir(), is_folder);
                let written = contents(&place);
                assert!(before.as_ref().is_none_or(|before| *before == written), "{stem} {name}: threads");
                before = Some(written);
                if threads == "1" {
                    assert_eq!(records(&place), expected, "{stem} {name}");
                }
            }
            checked += 1;
        }
    }
    assert!(checked > 200, "only {checked} were checked");
}

#[test]
fn logs_of_minutes_become_logs_of_ten_minutes() {
    let directory = tempfile::tempdir().unwrap();
    let mut checked = 0;
    for capture in captures() {
        let minutes = directory.path().join("minutes.log");
        // nothing is late where everything is waited for
        let patient = ["--allowed-lateness", "100000000"];
        let written =
            convert(&[&patient[..], &MINUTE, &["-o", minutes.to_str().unwrap()]].concat(), &[&capture]);
        let at_once = convert(&[&patient[..], &["--max-aggregation-interval", "600"]].concat(), &[&capture]);
        if !written.status.success() || at_once.stdout.is_empty() {
            continue;
        }
        let columns = ["--input-format", "v5"];
        let merged =
            convert(&[&patient[..], &columns, &["--max-aggregation-interval", "600"]].concat(), &[&minutes]);
        assert!(merged.status.success(), "{}", String::from_utf8_lossy(&merged.stderr));
        assert_eq!(sorted(&merged.stdout), sorted(&at_once.stdout), "{}", capture.display());
        checked += 1;
    }
    assert!(checked > 30, "only {checked} were checked");
}

#[test]
fn an_error_of_the_store_leaves_no_half_object() {
    let directory = tempfile::tempdir().unwrap();
    let logs = directory.path().join("logs");
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures/traffic/thirty-four.pcap");
    let arguments = ["--layout", "s3", "-o", logs.to_str().unwrap()];
    // files may not become larger than nothing, as on a full disk
    let shell = format!(
        "ulimit -f 0; trap '' XFSZ; exec {} convert --account-id 1 --set region=r --layout s3 -o {} {}",
        env!("CARGO_BIN_EXE_flowtruth"),
        logs.display(),
        capture.display()
    );
    let output = Command::new("sh").args(["-c", &shell]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("error: cannot write") && message.contains(".log.gz"), "{message}");
    assert!(contents(&logs).is_empty(), "{:?}", contents(&logs).keys());
    // and again, with room
    assert!(convert(&arguments, &[&capture]).status.success());
    assert!(!contents(&logs).is_empty());
}

#[test]
fn a_log_whose_region_nobody_knows_was_refused_without_a_word_on_how_to_give_it() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("flow.log");
    fs::write(&log, "2 unknown - 192.168.1.1 10.0.0.1 443 12345 6 10 840 1623101047 1623101107 ACCEPT OK\n")
        .unwrap();
    let objects = directory.path().join("objects");
    let convert = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_flowtruth"))
            .args(["convert", "--quiet", "--layout", "s3", "-o", objects.to_str().unwrap()])
            .args(arguments)
            .arg(&log)
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let account = ["--account-id", "123456789012"];
    for (arguments, field, hint) in [
        (&[][..], "account-id", "give it with `--account-id 123456789012`"),
        (&account, "region", "give it with `--set region=us-east-1`"),
    ] {
        let (code, said) = convert(arguments);
        assert_eq!(code, Some(2));
        assert!(said.contains(&format!("a record has no `{field}`")) && said.contains(hint), "{said}");
    }
    assert_eq!(convert(&[&account[..], &["--set", "region=us-east-1"]].concat()), (Some(0), String::new()));
    assert_eq!(contents(&objects).len(), 1);
}
