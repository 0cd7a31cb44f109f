//! `generate` against the rest of the program: every ready scenario and random ones.
//!
//! What a scenario says of its traffic is added up from its words; here it is held against what comes of reading the
//! files that were written: `diff` gives the declared verdict, `convert --vpc` the truth's `captured`, the log its `sent`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "generate/random.rs"]
mod random;
#[path = "generate/tshark.rs"]
mod tshark;
#[path = "generate/written.rs"]
mod written;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use flowtruth::capture::CaptureInput;
use flowtruth::flowlog::read::{Content, LogReadOptions, LogReader};
use flowtruth::generate::READY;
use flowtruth::generate::adversarial::{Should, Then, captures, lines};
use flowtruth::pipeline::{MeterOptions, Progress, RecordOptions, convert, read_scenario};
use flowtruth::record::{Field, FlowRecord, LogFormat};
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
fn the_example_of_the_docs_differs_as_it_declares() {
    let docs = include_str!("../docs/scenarios.md");
    let (_, example) = docs.split_once("```toml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let scenario = folder.path().join("example.toml");
    fs::write(&scenario, example).unwrap();
    let written = Written::of(scenario.to_str().unwrap(), &folder.path().join("out"), &[]);
    assert_eq!(written.wrong_verdict(), None);
    assert_eq!(written.converted(), written.truth("captured"));
    assert_ne!(written.json["expected"]["causes"], serde_json::json!([]));
}

#[test]
fn loss_together_with_lag_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let text = include_str!("../src/generate/scenarios/late-log.toml");
    let scenario = folder.path().join("both.toml");
    let text = text
        .replace("causes = [\"log-lag\"]", "causes = [\"capture-loss\", \"log-lag\"]")
        .replace("[log]\n", "[capture]\nloss = 0.01\n\n[log]\n");
    fs::write(&scenario, text).unwrap();
    for seed in ["18", "19", "20"] {
        let output = folder.path().join(seed);
        let written = Written::of(scenario.to_str().unwrap(), &output, &["--seed", seed]);
        assert_eq!(written.wrong_verdict(), None, "{seed}");
        assert_eq!(written.converted(), written.truth("captured"), "{seed}");
        // a capture that says it lost fewer explains nothing
        let mut bytes = fs::read(written.capture()).unwrap();
        let drops = [5, 0, 8, 0];
        let at = bytes.windows(4).rposition(|window| window == drops).unwrap() + 4;
        let lost = written.json["capture"]["lost"].as_u64().unwrap();
        assert_eq!(bytes[at..at + 8], lost.to_le_bytes());
        bytes[at..at + 8].copy_from_slice(&(lost / 2).to_le_bytes());
        fs::write(written.capture(), bytes).unwrap();
        assert!(written.wrong_verdict().unwrap().contains("different"), "{seed}");
    }
}

#[test]
fn a_title_does_not_steer_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let text = include_str!("../src/generate/scenarios/asymmetric-ping.toml");
    let (_, rest) = text.split_once('\n').unwrap();
    let long = "x".repeat(5000);
    let scenario = folder.path().join("evil.toml");
    fs::write(&scenario, format!("title = \"red \\u001b[31m\\u0007\\n{long}\"\n{rest}")).unwrap();
    let mut command = flowtruth(&["generate"]);
    let output = command.arg(&scenario).arg("-o").arg(folder.path().join("out")).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains("red \\u{1b}[31m\\u{7}\\nxxx"), "{said}");
    assert!(said.len() < 1000 && !said.contains('\u{1b}'), "{said}");
}

#[test]
fn a_folder_that_is_there_and_empty_is_filled() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = flowtruth(&["generate", "-q", "asymmetric-ping", "-o"]);
        command.current_dir(folder.path()).args(arguments).output().unwrap()
    };
    assert!(run(&["."]).status.success());
    let mut names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["capture.pcap", "flow.log", "truth.json", "vpc"]);
    assert_eq!(run(&["."]).status.code(), Some(2));
    for wrong in [["x", "--duration", "0"], ["x", "--split", "0"], ["x", "--duration", "9000000000"]] {
        assert_eq!(run(&wrong).status.code(), Some(2), "{wrong:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
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
