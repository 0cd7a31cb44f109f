//! Every fixture against the truth that its generator computed by arithmetic of its own (`fixtures/README.md`), with
//! one worker and with several.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const FORMAT: &str = "${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${tcp-flags}";

fn captures(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            captures(&path, found);
        } else if !name.ends_with(".tsv") && !name.ends_with(".expected") {
            found.push(path);
        }
    }
}

/// The file of this extension that the captures of one stem share.
fn beside(capture: &Path, extension: &str) -> PathBuf {
    let name = capture.file_name().unwrap().to_string_lossy();
    capture.with_file_name(format!("{}.{extension}", name.split('.').next().unwrap()))
}

fn convert(arguments: &[&str], captures: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flowtruth"))
        .args(["convert", "--quiet"])
        .args(arguments)
        .args(captures)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The truth's rows as `convert` prints them.
fn truth(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.lines().skip(1).map(|line| line.replace('\t', " ") + "\n").collect())
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures")
}

#[test]
fn every_fixture_yields_the_records_of_its_truth() {
    let mut found = Vec::new();
    captures(&fixtures(), &mut found);
    found.sort();
    let mut checked = 0;
    let mut wrong = Vec::new();
    for capture in &found {
        let rotated = capture.parent().unwrap().ends_with("rotated");
        for (extension, decap) in
            [("truth.tsv", &[][..]), ("decap.truth.tsv", &["--decap", "vxlan,geneve,gre"])]
        {
            let Some(expected) = truth(&beside(capture, extension)) else { continue };
            if rotated {
                continue;
            }
            for threads in ["1", "2", "5"] {
                let mut arguments =
                    vec!["--max-aggregation-interval", "60", "--log-format", FORMAT, "--threads", threads];
                arguments.extend(decap);
                let output = convert(&arguments, &[capture]);
                if stdout(&output) != expected {
                    wrong.push(format!(
                        "{} --threads {threads} {decap:?}\nexpected\n{expected}got\n{}{}",
                        capture.display(),
                        stdout(&output),
                        String::from_utf8_lossy(&output.stderr)
                    ));
                }
                let damaged = capture.parent().unwrap().ends_with("damaged");
                let statuses: &[i32] = if damaged { &[0, 2] } else { &[0] };
                assert!(statuses.contains(&output.status.code().unwrap()), "{}", capture.display());
                checked += 1;
            }
        }
    }
    assert!(checked > 250, "only {checked} conversions were checked");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rotated_files_are_one_capture_in_any_order_of_the_arguments() {
    let part = |n: u32| fixtures().join(format!("traffic/rotated/part{n}.pcap"));
    let expected = truth(&fixtures().join("traffic/rotated.truth.tsv")).unwrap();
    let parts = [part(0), part(1), part(2)];
    for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
        let captures: Vec<&Path> = order.iter().map(|n| parts[*n].as_path()).collect();
        let output = convert(&["--max-aggregation-interval", "60", "--log-format", FORMAT], &captures);
        assert_eq!(stdout(&output), expected, "{order:?}");
    }
    let directory = fixtures().join("traffic/rotated");
    let output = convert(&["--max-aggregation-interval", "60", "--log-format", FORMAT], &[&directory]);
    assert_eq!(stdout(&output), expected);
}

#[test]
fn every_documented_record_comes_out() {
    let mut found = Vec::new();
    captures(&fixtures(), &mut found);
    let mut checked = 0;
    for capture in found {
        let Ok(expected) = fs::read_to_string(beside(&capture, "expected")) else { continue };
        let (header, lines) = expected.split_once('\n').unwrap();
        let format: Vec<String> = header.split(' ').map(|field| format!("${{{field}}}")).collect();
        let interval = if capture.ends_with("seed.pcap") { "600" } else { "capture" };
        let output = convert(
            &["--max-aggregation-interval", interval, "--log-format", &format.join(" ")],
            &[&capture],
        );
        let got = stdout(&output);
        for line in lines.lines() {
            assert!(got.lines().any(|got| got == line), "{}: {line} is not in\n{got}", capture.display());
        }
        checked += lines.lines().count();
    }
    assert!(checked >= 14, "only {checked} records were checked");
}

#[test]
fn every_skipped_packet_is_in_the_ledger_by_its_reason() {
    let mut found = Vec::new();
    captures(&fixtures(), &mut found);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.json");
    let mut checked = 0;
    for capture in found {
        if truth(&beside(&capture, "truth.tsv")).is_none() {
            continue;
        }
        let expected: BTreeMap<String, u64> = truth(&beside(&capture, "skipped.tsv"))
            .unwrap_or_default()
            .lines()
            .map(|line| line.split_once(' ').unwrap())
            .map(|(reason, packets)| (reason.to_owned(), packets.parse().unwrap()))
            .collect();
        convert(&["--ledger", path.to_str().unwrap()], &[&capture]);
        let ledger: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let skipped: BTreeMap<String, u64> =
            serde_json::from_value(ledger["total"]["packets_skipped"].clone()).unwrap();
        assert_eq!(skipped, expected, "{}", capture.display());
        let sum: u64 = skipped.values().sum();
        let total = &ledger["total"];
        assert_eq!(
            total["packets_read"].as_u64().unwrap(),
            total["packets_in_records"].as_u64().unwrap() + sum,
            "{}",
            capture.display()
        );
        checked += 1;
    }
    assert!(checked > 90, "only {checked} ledgers were checked");
}
