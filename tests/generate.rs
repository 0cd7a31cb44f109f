//! `generate` against the rest of the program: every ready scenario and random ones.
//!
//! What a scenario says of its traffic is added up from its words; here it is held against what comes of reading the
//! files that were written: `diff` gives the declared verdict, `convert --vpc` the truth's `captured`, the log its `sent`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "generate/written.rs"]
mod written;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use flowtruth::capture::CaptureInput;
use flowtruth::flowlog::read::{Content, LogReadOptions, LogReader};
use flowtruth::generate::READY;
use flowtruth::generate::adversarial::{Should, Then, captures, lines};
use flowtruth::pipeline::{MeterOptions, Progress, RecordOptions, convert, read_scenario};
use flowtruth::record::{Field, FlowRecord, LogFormat};
use proptest::prelude::*;
use written::{FORMAT, Written, flowtruth};

fn ready() -> impl Iterator<Item = (&'static str, tempfile::TempDir)> {
    assert!(READY.len() >= 17);
    READY.iter().map(|ready| (ready.name, tempfile::tempdir().unwrap()))
}

#[test]
fn ready_scenarios_differ_as_they_declare() {
    let mut wrong = Vec::new();
    for (name, folder) in ready() {
        let written = Written::of(name, folder.path(), &[]);
        wrong.extend(written.wrong_verdict().map(|what| format!("{name}: {what}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_capture_of_a_ready_scenario_is_what_the_truth_calls_captured() {
    for (name, folder) in ready() {
        let written = Written::of(name, folder.path(), &[]);
        assert_eq!(written.converted(), written.truth("captured"), "{name}");
    }
}

#[test]
fn the_log_of_a_ready_scenario_is_what_was_sent_less_what_aws_never_logs() {
    for (name, folder) in ready() {
        let written = Written::of(name, folder.path(), &["--log-format", FORMAT]);
        let (mut logged, mut sent) = (written.logged(), written.truth_of_the_log());
        let text = fs::read_to_string(written.file("flow.log")).unwrap();
        if text.contains("SKIPDATA") {
            let total = |flows: &BTreeMap<_, written::Counts>| {
                flows.values().map(|counts| counts.packets).sum::<u64>()
            };
            assert!(0 < total(&logged) && total(&logged) < total(&sent), "{name}");
            continue;
        }
        if name == "late-log" {
            // its times are late, its counts are not
            for counts in logged.values_mut().chain(sent.values_mut()) {
                (counts.start, counts.end) = (0, 0);
            }
        }
        assert_eq!(logged, sent, "{name}");
    }
}

#[test]
fn ready_scenarios_declare_their_lesson() {
    for ready in READY {
        let read = read_scenario(ready.name, ready.name, ready.text).unwrap();
        let expected = &read.scenario.expected;
        assert!(read.scenario.about.split_whitespace().count() >= 30, "{}", ready.name);
        assert_eq!(expected.verdict == "same", expected.causes.is_empty(), "{}", ready.name);
    }
}

#[test]
fn tshark_finds_nothing_wrong_where_it_is_installed() {
    if Command::new("tshark").arg("--version").output().is_err() {
        return;
    }
    for (name, folder) in ready() {
        let written = Written::of(name, folder.path(), &[]);
        let wrong = "_ws.malformed || ip.checksum.status==0 || tcp.checksum.status==0 || udp.checksum.status==0 \
                     || icmp.checksum.status==0 || icmpv6.checksum.status==0";
        let checks = ["ip", "tcp", "udp"].map(|protocol| format!("{protocol}.check_checksum:TRUE"));
        let options = checks.iter().flat_map(|check| ["-o", check]);
        let tshark = |filter: &str| {
            let output = Command::new("tshark")
                .args(options.clone())
                .args(["-T", "fields", "-e", "frame.len", "-Y", filter, "-r"])
                .arg(written.capture())
                .output()
                .unwrap();
            assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap().lines().count() as u64
        };
        let frames = written.json["capture"]["packets"].as_u64().unwrap();
        assert_eq!(tshark("frame"), frames, "{name}");
        // a packet that was cut cannot be summed up
        let cut = if name == "mirror" { " && frame.cap_len == frame.len" } else { "" };
        assert_eq!(tshark(&format!("({wrong}){cut}")), 0, "{name}");
    }
}

#[test]
fn a_seed_gives_the_same_bytes_and_another_seed_others() {
    let folder = tempfile::tempdir().unwrap();
    let [one, same, other] = ["one", "same", "other"].map(|name| folder.path().join(name));
    let read = |path: &Path| fs::read(path.join("capture.pcap")).unwrap();
    let log = |path: &Path| fs::read(path.join("flow.log")).unwrap();
    Written::of("web-session", &one, &[]);
    Written::of("web-session", &same, &["--seed", "1"]);
    Written::of("web-session", &other, &["--seed", "2"]);
    assert_eq!((read(&one), log(&one)), (read(&same), log(&same)));
    assert_ne!(read(&one), read(&other));
}

#[test]
fn repetitions_are_longer_and_still_true() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&str, &[&str], u64); 4] = [
        ("repeat", &["--repeat", "3"], 3 * 552),
        ("packets", &["--packets", "1000"], 2 * 552),
        ("flows", &["--flows", "17"], 3 * 552),
        ("duration", &["--duration", "301"], 2 * 552),
    ];
    for (name, options, packets) in cases {
        let written = Written::of("web-session", &folder.path().join(name), options);
        assert_eq!(written.json["sent_packets"], packets, "{name}");
        assert_eq!(written.wrong_verdict(), None, "{name}");
        assert_eq!(written.converted(), written.truth("captured"), "{name}");
    }
}

#[test]
fn a_split_capture_is_the_whole_in_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let whole = Written::of("web-session", &folder.path().join("whole"), &[]);
    let split = Written::of("web-session", &folder.path().join("split"), &["--split", "100kB"]);
    let files: Vec<_> = split.json["capture"]["files"].as_array().unwrap().clone();
    assert!(files.len() > 3, "{files:?}");
    let header = 24;
    let mut joined = fs::read(whole.capture()).unwrap()[..header].to_vec();
    for file in &files {
        joined.extend(&fs::read(split.file(file.as_str().unwrap())).unwrap()[header..]);
    }
    assert_eq!(joined, fs::read(whole.capture()).unwrap());
}

#[test]
fn flows_may_share_what_a_record_shows() {
    // two pings through one transit gateway differ in nothing that a record of version 2 shows at its interface
    let folder = tempfile::tempdir().unwrap();
    let text = include_str!("../src/generate/scenarios/transit-gateway.toml");
    let (vpc, _) = text.split_once("[[conversation]]").unwrap();
    let pings = ["10.1.1.20", "10.1.1.21"].map(|address| {
        format!("[[conversation]]\nkind = \"ping\"\nfrom = \"eni-app\"\nto = \"{address}\"\nthrough = [\"eni-tgw-apps\", \"eni-tgw-data\"]\n")
    });
    let vpc = vpc
        .replace("addresses = [\"10.1.1.20\"]", "addresses = [\"10.1.1.20\", \"10.1.1.21\"]")
        .replace("\"tcp 5432 from", "\"all from");
    let scenario = folder.path().join("pings.toml");
    fs::write(&scenario, format!("{vpc}{}", pings.join("\n"))).unwrap();
    let output = folder.path().join("out");
    Written::of(scenario.to_str().unwrap(), &output, &["--log-format", "v2"]);
    let log = fs::read_to_string(output.join("flow.log")).unwrap();
    let of_gateway: Vec<_> = log.lines().filter(|line| line.contains(" eni-tgw-apps ")).collect();
    assert_eq!(of_gateway.len(), 2, "{of_gateway:?}");
    assert!(of_gateway.iter().all(|line| line.contains(" 1 8 672 ")), "{of_gateway:?}");
}

#[test]
fn wrong_input_is_read_as_its_manifest_says() {
    let mut wrong = Vec::new();
    for case in lines() {
        let reader = Box::new(std::io::Cursor::new(case.bytes.clone()));
        let mut reader = LogReader::new(&case.file, reader, LogReadOptions::default());
        let (mut records, mut bad, mut null) = (0, 0, Vec::new());
        while reader.advance().unwrap() {
            match reader.entry().content {
                Content::Record(read) => {
                    records += 1;
                    let is_null = |name: &&str| Field::from_name(name).unwrap().get(read.record).is_missing();
                    null = case.null.iter().map(is_null).collect();
                }
                Content::Bad(_) => bad += 1,
                _ => {}
            }
        }
        let expected = u64::from(case.should == Should::Reject);
        if (records, bad) != (case.records, expected) || null.contains(&false) {
            wrong.push(format!("{} ({}): {records} records, {bad} bad, {null:?}", case.file, case.what));
        }
    }
    for case in captures() {
        let reader = Box::new(std::io::Cursor::new(case.bytes.clone()));
        let input = CaptureInput::Reader(case.file.clone(), reader);
        let format = LogFormat::preset("v2").unwrap();
        let records = RecordOptions { format, header: false, identity: FlowRecord::default() };
        let mut output = Vec::new();
        let options = MeterOptions::default();
        let converted =
            convert(vec![input], &options, &records, &mut output, false, &Progress::new()).unwrap();
        let tally = &converted.ledger.total.tally;
        let then = if converted.failures.is_empty() { Then::End } else { Then::Error };
        let got = (tally.packets_read, tally.packets_in_records, then);
        if got != (case.packets, case.ip_packets, case.then) {
            wrong.push(format!("{} ({}): {got:?}", case.file, case.what));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn this_program_scores_full_marks_and_a_wrong_tool_does_not() {
    for (name, folder) in ready().filter(|(name, _)| *name != "datacentre") {
        let written = Written::of(name, folder.path(), &[]);
        let records = written.records();
        let score = |text: &str| {
            let path = folder.path().join("output");
            fs::write(&path, text).unwrap();
            let mut command = flowtruth(&["score", "--json"]);
            let scored = command.arg(written.file("truth.json")).arg(path).output().unwrap();
            let json: serde_json::Value = serde_json::from_slice(&scored.stdout).unwrap();
            (scored.status.code(), json)
        };
        let (status, json) = score(&records);
        assert_eq!((status, &json["flows"]["share"]), (Some(0), &serde_json::json!(1.0)), "{name}: {json}");
        let (status, json) = score(&with_frames(&records));
        assert_eq!((status, &json["flows"]["right"]), (Some(1), &serde_json::json!(0)), "{name}: {json}");
        assert!(json["causes"]["frame-bytes"]["differences"].as_u64().unwrap() > 0, "{name}: {json}");
    }
}

/// Records of a tool that counts Ethernet frames.
fn with_frames(records: &str) -> String {
    let mut lines = Vec::new();
    for line in records.lines() {
        let mut values: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let number = |at: usize| values[at].parse::<u64>().unwrap();
        values[9] = (number(9) + 14 * number(8)).to_string();
        lines.push(values.join(" ") + "\n");
    }
    lines.concat()
}

/// A conversation of a random scenario, and what its fate is.
#[derive(Debug, Clone)]
struct Talk {
    kind: &'static str,
    v6: bool,
    inside: bool,
    rejected: bool,
    numbers: [u32; 6],
    flags: [bool; 3],
}

fn talk() -> impl Strategy<Value = Talk> {
    let kind = prop_oneof![Just("tcp"), Just("udp"), Just("ping")];
    let numbers = [0_u32..400, 1..5, 0..7, 1..9000, 0..60_000, 0..90];
    (kind, any::<bool>(), any::<bool>(), any::<bool>(), numbers, any::<[bool; 3]>()).prop_map(
        |(kind, v6, inside, rejected, numbers, flags)| Talk { kind, v6, inside, rejected, numbers, flags },
    )
}

impl Talk {
    fn toml(&self) -> String {
        let [start, count, exchanges, request, response, pause] = self.numbers;
        let exchanges = if self.kind == "tcp" { exchanges } else { exchanges.max(1) };
        let (from, to) = match self.inside {
            true => ("eni-a", "eni-b"),
            false => ("client", "eni-b"),
        };
        let port = match (self.kind, self.rejected) {
            ("ping", _) => "",
            (_, false) => ":443",
            (_, true) => ":3389",
        };
        // a group that lets no ping in is another interface's
        let to = if self.kind == "ping" && self.rejected { "eni-closed" } else { to };
        let fate = if self.rejected { format!("rejected = \"{to} ingress\"\n") } else { String::new() };
        let [retransmitted, reset, half_open] = self.flags;
        let mut more = String::new();
        if self.kind == "tcp" {
            more += if retransmitted { "retransmit = 3\n" } else { "" };
            more += if reset { "ending = \"reset\"\n" } else { "" };
            more += if half_open { "handshake = \"half-open\"\n" } else { "" };
        }
        let response = if self.kind == "ping" { 0 } else { response };
        // later fragments of what passes and of what does not are one flow, of which a capture cannot tell which is which
        let request = if self.rejected { request.min(1200) } else { request };
        format!(
            "[[conversation]]\nkind = \"{}\"\nfrom = \"{from}\"\nto = \"{to}{port}\"\nip = {}\n{fate}{more}start = {start}\n\
             count = {count}\nevery = 3.5\njitter = 0.3\nexchanges = {exchanges}\nrequest = {request}\n\
             response = {response}\npause = {}.{pause}\n",
            self.kind,
            if self.v6 { 6 } else { 4 },
            pause / 7,
        )
    }
}

const RANDOM_VPC: &str = r#"title = "random"
duration = 600
account = "123456789012"

[vpc]
id = "vpc-random"
cidrs = ["10.0.0.0/16", "2001:db8:1::/56"]

[[subnet]]
id = "subnet-random"
cidrs = ["10.0.1.0/24", "2001:db8:1:1::/64"]

[[security-group]]
id = "sg-random"
ingress = [
    "tcp 443 from 0.0.0.0/0", "tcp 443 from ::/0", "udp 443 from 0.0.0.0/0", "udp 443 from ::/0",
    "icmp 8 from 0.0.0.0/0", "icmpv6 128 from ::/0",
]

[[security-group]]
id = "sg-closed"

[[interface]]
id = "eni-a"
subnet = "subnet-random"
addresses = ["10.0.1.10", "2001:db8:1:1::10"]
groups = ["sg-random"]

[[interface]]
id = "eni-b"
subnet = "subnet-random"
addresses = ["10.0.1.20", "2001:db8:1:1::20"]
groups = ["sg-random"]

[[interface]]
id = "eni-closed"
subnet = "subnet-random"
addresses = ["10.0.1.30", "2001:db8:1:1::30"]
groups = ["sg-closed"]

[[host]]
name = "client"
addresses = ["203.0.113.5", "2001:db8:ff::5"]

"#;

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn random_scenarios_agree_with_the_program(
        talks in prop::collection::vec(talk(), 1..6),
        wire in any::<bool>(),
        loss in prop_oneof![Just(0.0), Just(0.05)],
        seed in 0_u64..1000,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let conversations: String = talks.iter().map(Talk::toml).collect();
        let placement = if wire { "wire" } else { "host" };
        // a lost SYN would have the rest of its connection judged in the middle; a lost packet that both ends logged is
        // missing twice
        let loss = if talks.iter().any(|talk| talk.kind == "tcp" || talk.inside) { 0.0 } else { loss };
        // an answer that is read before its question is judged without it
        let reorder = if talks.iter().any(|talk| talk.inside) { 0.0 } else { 0.01 };
        let text = format!(
            "{RANDOM_VPC}{conversations}\n[capture]\nplacement = \"{placement}\"\nloss = {loss}\nreorder = {reorder}\n\n[log]\n\
             interval = 60\ndelay = 30\n"
        );
        let scenario = folder.path().join("random.toml");
        fs::write(&scenario, &text).unwrap();
        let seed = seed.to_string();
        let options = ["--log-format", FORMAT, "--seed", &seed];
        let written = Written::of(scenario.to_str().unwrap(), &folder.path().join("out"), &options);
        prop_assert_eq!(written.converted(), written.truth("captured"), "{}", text);
        prop_assert_eq!(written.logged(), written.truth_of_the_log(), "{}", text);
        let explained = flowtruth(&["diff", "--quiet", "--vpc"])
            .arg(written.file("vpc")).arg(written.capture()).arg(written.file("flow.log")).output().unwrap();
        prop_assert!(explained.status.success(), "{}\n{}", text, String::from_utf8_lossy(&explained.stdout));
    }
}
