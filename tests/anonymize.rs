//! `--anonymize` through the real binary, on every fixture: no address, no hardware address and no name of the original
//! stands in any output, and the mask of one output is that of another.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod captures;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use flowtruth::capture::{CaptureInput, MergeStep, MergedCaptures};
use flowtruth::decode::{Tunnels, decode};
use flowtruth::dissect::{Holds, dissect};
use flowtruth::mask::Mask;

const KEY: &str = "5b1f0c6d7e8a99aa0b1c2d3e4f506172839405a6b7c8d9eafb0c1d2e3f405162";
const NAMES: [&str; 12] = [
    "--log-format",
    "all",
    "--account-id",
    "123456789012",
    "--interface-id",
    "eni-1235b8ca123456789",
    "--set",
    "vpc-id=vpc-abcdefab012345678",
    "--set",
    "instance-tag=acme-20260115",
    "--set",
    "ecs-task-arn=arn:aws:ecs:us-east-1:123456789012:task/acme/0123456789abcdef0123456789abcdef",
];
const HIDDEN: [&str; 5] =
    ["123456789012", "1235b8ca123456789", "abcdefab012345678", "acme", "0123456789abcdef"];

fn key_file(folder: &Path) -> PathBuf {
    let path = folder.join("key");
    fs::write(&path, KEY).unwrap();
    path
}

fn flowtruth(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowtruth"));
    command.args(args).env("COLUMNS", "400").env_remove("CLICOLOR_FORCE").output().unwrap()
}

/// What must not be seen: texts of addresses, and their first bytes as a page shows them.
#[derive(Default)]
struct Secrets {
    texts: BTreeSet<String>,
    bytes: BTreeSet<String>,
}

/// The addresses of a packet, or of all packets, but those that are the same for everybody.
fn secrets(path: &Path, number: Option<u64>, mask: &Mask) -> Secrets {
    let mut secrets = Secrets::default();
    let hex =
        |bytes: &[u8]| bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    let mut captures = MergedCaptures::new(vec![CaptureInput::Path(path.to_owned())]);
    while let Some(step) = captures.step() {
        let MergeStep::Packet(_) = step else { continue };
        let packet = captures.current();
        if number.is_some_and(|number| number != packet.number) {
            continue;
        }
        let counted = decode(&packet, Tunnels::NONE);
        for part in dissect(&packet, counted.as_ref().ok()).iter().flat_map(|layer| &layer.parts) {
            let (Some(value), bytes) = (&part.value, &packet.data[part.bytes.clone()]) else { continue };
            let masked: Vec<u8> = match part.holds {
                Holds::Address => {
                    let Ok(address) = value.parse() else { continue };
                    match mask.address(address) {
                        std::net::IpAddr::V4(v4) => v4.octets().to_vec(),
                        std::net::IpAddr::V6(v6) => v6.octets().to_vec(),
                    }
                }
                Holds::Hardware if value.len() == 17 => {
                    mask.hardware(bytes[..6].try_into().unwrap()).to_vec()
                }
                _ => continue,
            };
            if masked != bytes[..masked.len()] {
                secrets.texts.insert(value.clone());
            }
            if hex(&masked) != hex(bytes) {
                secrets.bytes.insert(hex(bytes));
            }
        }
    }
    secrets
}

/// Whether an address stands in a text by itself, not as a piece of another.
fn contains(text: &str, address: &str) -> bool {
    let piece = |c: char| c.is_ascii_hexdigit() || (address.contains(':') && c == ':');
    text.match_indices(address).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let mut after = text[at + found.len()..].chars();
        let (next, second) = (after.next(), after.next());
        let goes_on = next == Some('.') && second.is_some_and(|c| c.is_ascii_digit());
        !before.is_some_and(|c| piece(c) || c == '.') && !next.is_some_and(piece) && !goes_on
    })
}

#[test]
fn no_original_survives_in_any_explanation() {
    let folder = tempfile::tempdir().unwrap();
    let key = key_file(folder.path());
    let mask = Mask::new(&KEY.parse().unwrap());
    let (mut looked_for, mut changed) = (0, 0);
    for path in captures::below("fixtures/captures") {
        let name = path.to_str().unwrap();
        let file = path.file_name().unwrap().to_str().unwrap();
        let mut check = |extra: &[&str], secrets: &Secrets| {
            let named = [&["explain", name], extra, &NAMES].concat();
            let plain = flowtruth(&named);
            let anonymous =
                flowtruth(&[&named[..], &["--anonymize-key-file", key.to_str().unwrap()]].concat());
            assert_eq!(plain.status.code(), anonymous.status.code(), "{name} {extra:?}");
            let text = String::from_utf8(anonymous.stdout).unwrap();
            let original = String::from_utf8(plain.stdout).unwrap();
            changed += usize::from(text != original);
            looked_for += secrets.texts.iter().filter(|secret| contains(&original, secret)).count();
            for secret in &secrets.texts {
                assert!(!contains(&text, secret), "{secret} is in {name} {extra:?}\n{text}");
            }
            for secret in &secrets.bytes {
                assert!(!text.contains(secret.as_str()), "{secret} is in {name} {extra:?}\n{text}");
            }
            for hidden in HIDDEN.iter().chain([&file]) {
                assert!(!text.contains(hidden), "{hidden} is in {name} {extra:?}\n{text}");
            }
        };
        for number in [1, 2, 7] {
            let secrets = secrets(&path, Some(number), &mask);
            check(&["--packet", &number.to_string()], &secrets);
            check(&["--packet", &number.to_string(), "--json"], &secrets);
        }
        let secrets = secrets(&path, None, &mask);
        check(&["--flow", "*->*"], &secrets);
        check(&["--flow", "*->*", "--json"], &secrets);
        check(&[], &secrets);
        check(&["--json"], &secrets);
    }
    assert!(looked_for > 1000 && changed > 800, "{looked_for} secrets, {changed} outputs");
}

/// Every fixture, and captures beside logs with and without a VPC, whose evidence holds names and addresses.
#[test]
fn no_original_survives_in_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let key = key_file(folder.path());
    let mask = Mask::new(&KEY.parse().unwrap());
    let mut looked_for = 0;
    let mut check = |capture: &Path, extra: &[&str], hidden: &[&str]| {
        let named = [&["report", capture.to_str().unwrap(), "-q", "-o", "-"], extra].concat();
        let plain = flowtruth(&named);
        let anonymous = flowtruth(&[&named[..], &["--anonymize-key-file", key.to_str().unwrap()]].concat());
        assert_eq!(plain.status.code(), anonymous.status.code(), "{named:?}");
        let (original, text) =
            (String::from_utf8(plain.stdout).unwrap(), String::from_utf8(anonymous.stdout).unwrap());
        let secrets = secrets(capture, None, &mask);
        looked_for += secrets.texts.iter().filter(|secret| contains(&original, secret)).count();
        let texts = secrets.texts.iter().filter(|secret| contains(&text, secret));
        let bytes =
            secrets.bytes.iter().filter(|bytes| text.contains(&format!("\"{}\"", bytes.replace(' ', ""))));
        let file = capture.file_name().unwrap().to_str().unwrap();
        let names = hidden.iter().copied().chain([file]).filter(|name| text.contains(name));
        let found: Vec<&str> = texts.chain(bytes).map(String::as_str).chain(names).collect();
        assert!(found.is_empty(), "{found:?} in {named:?}");
    };
    for path in captures::below("fixtures/captures") {
        check(&path, &NAMES, &HIDDEN);
    }
    for entry in fs::read_dir("fixtures/diff").unwrap() {
        let case = entry.unwrap().path();
        let (capture, log) = (case.join("reference.pcap"), case.join("candidate.log"));
        if !capture.exists() || !log.exists() {
            continue;
        }
        let log = log.to_str().unwrap();
        check(&capture, &[log], &[log, "candidate.log", "eni-0a1b2c3d"]);
        let hidden = ["candidate.log", "eni-0a1b2c3d", "sg-hosts", "office"];
        check(&capture, &[log, "--vpc", "fixtures/vpc/office.toml"], &hidden);
    }
    check(
        Path::new("fixtures/captures/vpc/nat.pcap"),
        &["--vpc", "fixtures/vpc/nat", "--log-format", "all"],
        &["1235b8ca123456789", "abcdefab012345678", "123456789010", "203.0.113.5"],
    );
    assert!(looked_for > 300, "{looked_for} secrets");
}

#[test]
fn a_record_alone_is_masked_as_in_a_capture() {
    let folder = tempfile::tempdir().unwrap();
    let key = key_file(folder.path());
    let key = key.to_str().unwrap();
    let line = "2 123456789012 eni-1235b8ca123456789 192.168.1.1 10.0.0.1 443 12345 6 10 840 1623101047 1623101107 ACCEPT OK";
    let words = |output: Output| String::from_utf8(output.stdout).unwrap();
    let seed = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/captures/seed.pcap");
    let args = ["--account-id", "123456789012", "--interface-id", "eni-1235b8ca123456789"];
    let flow = words(flowtruth(
        &[&["explain", seed, "--flow", "*->*", "--anonymize-key-file", key][..], &args].concat(),
    ));
    let shown = flow.lines().find_map(|text| text.strip_prefix("= ")).unwrap();
    for extra in [&[][..], &["--json"]] {
        let text = words(flowtruth(
            &[&["explain", "--record", line, "--anonymize-key-file", key][..], extra].concat(),
        ));
        for (masked, original) in shown.split(' ').zip(line.split(' ')) {
            assert!(text.contains(masked), "{masked} is not in {text}");
            assert!(masked == original || !contains(&text, original), "{original} is in {text}");
        }
    }
}

#[test]
fn a_key_of_one_run_is_another_each_time_and_never_told() {
    let seed = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/captures/seed.pcap");
    let run = || flowtruth(&["explain", seed, "--flow", "*->*", "--anonymize"]);
    let (one, other) = (run(), run());
    assert!(one.status.success());
    assert_ne!(one.stdout, other.stdout);
    // the hint is the same, so it has no key in it
    assert_eq!(one.stderr, other.stderr);
    assert!(String::from_utf8(one.stderr).unwrap().starts_with("hint: "));
}
