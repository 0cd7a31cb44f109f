//! Inputs that once failed, and every fixture, through the checks of the fuzz targets (`fuzz/README.md`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test's own data")]

use std::fs;
use std::path::{Path, PathBuf};

mod checks;

/// A check's name, the check, and how many bytes that choose stand in front of what it checks.
type Check = (&'static str, fn(&[u8]), usize);

const OF_CAPTURES: [Check; 5] = [
    ("convert", checks::convert, 9),
    ("capture", checks::capture, 1),
    ("pcap", checks::pcap, 7),
    ("pcapng", checks::pcapng, 0),
    ("merge", checks::merge, 2),
];

const OF_LOGS: [Check; 3] =
    [("flowlog_read", checks::flowlog_read, 4), ("lint", checks::lint, 3), ("relog", checks::relog, 12)];

/// Takes any bytes for some traffic.
const OF_BYTES: [Check; 1] = [("diff", checks::diff, 3)];

/// Takes two descriptions of a VPC, a zero behind each, and a capture.
const OF_VPCS: [Check; 1] = [("vpc", checks::vpc, 3)];

const OF_TEXTS: [Check; 4] = [
    ("filter", checks::filter, 0),
    ("log_format", checks::log_format, 0),
    ("flow_log", checks::flow_log, 1),
    ("times", checks::times, 16),
];

/// Failed once, found by a check or by reading: the check's name and the input.
const FOUND: &[(&str, &[u8])] = &[
    // what was no capture was named by all bytes at hand, so that the name depended on how they came
    ("capture", b"\0........................\0"),
    ("merge", b"\0\0........................\0"),
    // a record that is as long as time itself was asked how far it lags
    ("diff", b"\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\0\0\0\x01\0\x02\x6d"),
    // clocks that differ by the least of 64 bits
    ("diff", b"\0\0\0\x01\0\0\0\0\x01\0\x02\x01\0\0\0\0\0\0\0\0\0\x01\0\x02\xdd"),
    // frame lengths of a record with as many bytes, or packets, as 64 bits hold
    ("diff", b"\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\0\0\0\x01\0\x04\x05"),
    ("diff", b"\0\0\0\0\0\0\0\x01\0\0\0\0\0\x01\0\x03\x0e"),
    // two such records outside the time that both sides cover
    (
        "diff",
        b"\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\x0b\0\0\0\0\0\0\0\0\0\x0a\0\0\0\x03\0\x02\xe7\0\x03\x05\x07",
    ),
    // the lines that gzip gave in the same step as damage were lost, all or few of them as the bytes came
    (
        "flowlog_read",
        b"\0\x01\0\0\x1f\x8b\x08\0\0\0\0\0\0\xff\xd2\x55\xd0\xe5\x02\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff",
    ),
    // the packets of a NODATA record that has some were lost where its interface has traffic
    (
        "relog",
        b"\0\0\x03\0\0\0\0\0\0\0\0\0interface-id packets start end log-status\neni-1 12 0 1 NODATA\neni-1 1 0 1 OK\n",
    ),
    // the seconds fit 128 bits, but not together with their fraction
    ("times", b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x00170141183460469231731687303715.999999999"),
];

#[test]
fn what_once_failed_passes() {
    for (name, bytes) in FOUND {
        let decode: Check = ("decode", checks::decode, 2);
        let mut all = OF_CAPTURES
            .iter()
            .chain(&OF_TEXTS)
            .chain(&OF_LOGS)
            .chain(&OF_BYTES)
            .chain(&OF_VPCS)
            .chain([&decode]);
        let (_, check, _) = all.find(|(other, ..)| other == name).unwrap();
        check(bytes);
    }
}

fn fixtures() -> (Vec<PathBuf>, Vec<PathBuf>) {
    fn find(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { find(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    find(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures"), &mut found);
    found.sort();
    let is_text = |path: &PathBuf| path.extension().is_some_and(|name| name == "tsv" || name == "expected");
    found.into_iter().partition(|path| !is_text(path))
}

fn flow_logs() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/flowlogs");
    let mut found: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

fn descriptions() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/vpc");
    let mut found = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Runs a check and says what it was run on where that fails.
fn run((name, check, front): Check, choice: u8, bytes: &[u8], path: &Path) {
    let bytes = [vec![choice; front], bytes.to_vec()].concat();
    let passed = std::panic::catch_unwind(|| check(&bytes));
    assert!(passed.is_ok(), "{name} of {} behind bytes of {choice}", path.display());
}

#[test]
fn every_fixture_passes_every_check() {
    let (captures, texts) = fixtures();
    assert!(captures.len() > 100 && texts.len() > 50);
    for path in captures {
        let bytes = fs::read(&path).unwrap();
        for check in OF_CAPTURES {
            for choice in [0, 1, 2, 0x6b, 0x9f] {
                run(check, choice, &bytes, &path);
            }
        }
        // its first packets, as what describes some traffic
        let frame = bytes.get(40..).unwrap_or_default();
        for check in OF_BYTES {
            run(check, 0, &frame[..frame.len().min(400)], &path);
        }
        // the frame of a pcap's first packet, as if it were of every link type
        for link_type in 0..34 {
            for tunnels in [0, 7, 15] {
                let chosen = [&[link_type, tunnels], &frame[..frame.len().min(1500)]].concat();
                run(("decode", checks::decode, 0), 0, &chosen, &path);
            }
        }
    }
    for path in texts {
        for line in fs::read_to_string(&path).unwrap().lines() {
            for check in OF_TEXTS {
                run(check, 0, line.as_bytes(), &path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures");
    let captures =
        ["vpc/vpn-ping.pcap", "vpc/nat.pcap", "aws/ssh.pcap", "containers/conversation.told.pcapng"]
            .map(|name| fs::read(root.join(name)).unwrap());
    let descriptions = descriptions();
    assert!(descriptions.len() > 20);
    for path in descriptions {
        let text = fs::read(&path).unwrap();
        let half = text.get(..text.len() / 2).unwrap_or_default();
        for capture in &captures {
            // one whole, one cut short
            let bytes = [&text[..], &[0], half, &[0], capture].concat();
            for check in OF_VPCS {
                for choice in [0, 0xff, 0x91, 0xe6] {
                    run(check, choice, &bytes, &path);
                }
            }
        }
    }
    let logs = flow_logs();
    assert!(logs.len() > 10);
    for path in logs {
        let bytes = fs::read(&path).unwrap();
        for check in OF_LOGS {
            for choice in 0..8 {
                run(check, choice, &bytes, &path);
            }
        }
    }
}
