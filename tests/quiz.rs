//! `quiz` on every fixture, under many seeds: exactly one choice of every question is right. Right is what `convert`,
//! `decode` and `explain` say, asked anew; nothing of what the questions were made of is used.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod captures;

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use flowtruth::capture::CaptureInput;
use flowtruth::decode::Tunnels;
use flowtruth::dissect::Fate;
use flowtruth::flow::{AggregationInterval, FlowKey, UnloggedTraffic};
use flowtruth::flowlog::text::write_record_line;
use flowtruth::mask::Mask;
use flowtruth::packet::{SkipReason, TcpFlags, Timestamp};
use flowtruth::pipeline::{
    ExplainOptions, ExplainedPacket, MeterOptions, Progress, QuizOptions, RecordOptions, convert,
    explain_packet, quiz_facts,
};
use flowtruth::quiz::{Facts, Question, Subject, questions};
use flowtruth::record::{FlowRecord, LogFormat};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures").join(name)
}

/// A capture, how it is counted, and its records as they are written.
struct Asked {
    path: PathBuf,
    options: QuizOptions,
    lines: Vec<String>,
}

impl Asked {
    fn new(path: &Path, seconds: u32, tunnels: Tunnels, format: &str) -> Asked {
        let interval = AggregationInterval::Seconds(seconds.try_into().unwrap());
        let meter = MeterOptions { interval, tunnels, ..MeterOptions::default() };
        let format = LogFormat::preset(format).unwrap();
        let records = RecordOptions { format, header: false, identity: FlowRecord::default() };
        let explain = ExplainOptions { meter, with_direction: false };
        let options = QuizOptions { explain, records, seed: 0 };
        let lines = converted(path, &options);
        Asked { path: path.to_owned(), options, lines }
    }

    fn facts(&self, seed: u64) -> Facts {
        quiz_facts(&self.path, &QuizOptions { seed, ..self.options.clone() }, None).found
    }

    fn packet(&self, number: u64) -> ExplainedPacket {
        explain_packet(&self.path, number, &self.options.explain).found.unwrap()
    }

    fn line_of(&self, packet: &ExplainedPacket) -> Option<String> {
        let record = packet.record.as_ref()?.filled(&self.options.records);
        let mut line = Vec::new();
        write_record_line(&self.options.records.format, &record, &mut line);
        Some(String::from_utf8(line).unwrap().trim_end().to_owned())
    }
}

fn converted(path: &Path, options: &QuizOptions) -> Vec<String> {
    let mut output = Vec::new();
    let inputs = vec![CaptureInput::Path(path.to_owned())];
    convert(inputs, &options.explain.meter, &options.records, &mut output, false, &Progress::new()).unwrap();
    String::from_utf8(output).unwrap().lines().map(str::to_owned).collect()
}

/// The number behind `packet `.
fn number(text: &str) -> u64 {
    let (_, rest) = text.split_once("packet ").unwrap();
    rest.split([',', ':']).next().unwrap().parse().unwrap()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The words of a line in the default format.
fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

/// Which choices are right, found out anew.
fn right(asked: &Asked, question: &Question) -> Vec<bool> {
    let Question { shown, choices, text, .. } = question;
    let by = |is_right: &dyn Fn(&str) -> bool| choices.iter().map(|choice| is_right(choice)).collect();
    match question.subject {
        Subject::WhichRecord => {
            let line = asked.line_of(&asked.packet(number(&shown[0]))).unwrap();
            assert!(asked.lines.contains(&line), "{line} is not written");
            by(&|choice| choice == line)
        }
        Subject::Ports => {
            let words = words(&shown[0]);
            let port = if text.starts_with("From") { words[5] } else { words[6] };
            assert!(text.contains(if text.starts_with("From") { words[3] } else { words[4] }));
            assert!(asked.lines.contains(&shown[0]));
            by(&|choice| choice == port)
        }
        Subject::PacketBytes => {
            let length = asked.packet(number(&shown[0])).decoded.unwrap().ip_length;
            by(&|choice| choice.parse() == Ok(length))
        }
        Subject::PacketCount => {
            let flow = text.split_once("record of ").unwrap().1.trim_end_matches('?');
            let count = shown.iter().filter(|line| line.ends_with(&format!(": {flow}"))).count();
            by(&|choice| choice.parse() == Ok(count))
        }
        Subject::TwoRecords => {
            assert!(shown.iter().all(|line| asked.lines.contains(line)));
            let (one, other) = (words(&shown[0]), words(&shown[1]));
            let turned = one[3] == other[4] && one[4] == other[3] && one[5] == other[6] && one[6] == other[5];
            let same = one[3..8] == other[3..8];
            assert!(turned != same, "{shown:?}");
            by(&|choice| {
                choice.starts_with("each direction") && turned
                    || (choice.starts_with("the aggregation interval")
                        || choice.starts_with("the second one's packets"))
                        && same
            })
        }
        Subject::StartEnd => {
            let (_, rest) = shown[1].split_once("came at ").unwrap();
            let (first, rest) = rest.split_once(", its last at ").unwrap();
            let last = rest.split(';').next().unwrap();
            let span = (time(first).seconds(), time(last).seconds());
            by(&|choice| {
                let (start, end) = choice.split_once(" to ").unwrap();
                (time(start).nanos(), time(end).nanos()) == (span.0 * 1_000_000_000, span.1 * 1_000_000_000)
            })
        }
        Subject::Interval => {
            let (_, rest) = text.split_once("are they with ").unwrap();
            let seconds: u32 = rest.split(' ').next().unwrap().parse().unwrap();
            let other = Asked::new(&asked.path, seconds, asked.options.explain.meter.tunnels, "v2");
            let flow = FlowKey::from(&asked.packet(number(&shown[1])).decoded.unwrap());
            let of_flow = |line: &&String| {
                let words = words(line);
                words[3] == flow.srcaddr.to_string()
                    && words[4] == flow.dstaddr.to_string()
                    && words[5] == flow.srcport.to_string()
                    && words[6] == flow.dstport.to_string()
                    && words[7] == flow.protocol.to_string()
            };
            let count = other.lines.iter().filter(of_flow).count();
            by(&|choice| choice.parse() == Ok(count))
        }
        Subject::TcpFlags => {
            let mut logged = 0;
            for line in &shown[1..] {
                let set = line.split_once("flags ").unwrap().1;
                let has = |name| set.split(' ').any(|flag| flag == name);
                logged |= u8::from(has("FIN")) | u8::from(has("SYN")) << 1 | u8::from(has("RST")) << 2;
                logged |= u8::from(has("SYN") && has("ACK")) << 4;
            }
            let packet = asked.packet(number(&shown[1]));
            assert_eq!(packet.record.unwrap().counters.tcp_flags, TcpFlags(logged));
            by(&|choice| choice.parse() == Ok(logged))
        }
        Subject::Protocol => {
            let protocol = asked.packet(number(&shown[0])).decoded.unwrap().protocol;
            by(&|choice| choice.parse() == Ok(protocol.0))
        }
        Subject::Survives => {
            let packet = asked.packet(number(&shown[0]));
            let format = &asked.options.records.format;
            let survives = |choice: &str| {
                let parts =
                    packet.layers.iter().flat_map(|layer| layer.parts.iter().map(move |part| (layer, part)));
                let bare = choice.strip_prefix("outer ").unwrap_or(choice);
                let mut named = parts.filter(|(layer, part)| {
                    let like = packet.layers.iter().filter(|other| other.name == layer.name).count();
                    let is_meant = if bare == choice { layer.counted || like == 1 } else { !layer.counted };
                    is_meant
                        && part
                            .value
                            .as_ref()
                            .is_some_and(|value| bare == format!("{}, {}: {value}", layer.name, part.name))
                });
                named.any(|(_, part)| {
                    matches!(part.fate, Fate::Kept(fields) if fields.iter().any(|field| format.contains(*field)))
                })
            };
            // a field of several facts, of which one is kept, was called kept
            assert!(!choices.iter().any(|choice| choice.contains(", version")));
            by(&survives)
        }
        Subject::NoRecord => {
            let packet = asked.packet(number(&shown[0]));
            assert!(packet.record.is_none());
            // nobody saw that such a packet is cut or has no time
            assert!(!shown[0].contains("IPv"), "{}", shown[0]);
            by(&|choice| choice == "none")
        }
        Subject::NeverLogged => by(&|choice| {
            let packet = asked.packet(number(choice));
            match packet.decoded {
                Err(reason) => reason == SkipReason::Ethertype(0x0806),
                Ok(ip) => UnloggedTraffic::default().of(&FlowKey::from(&ip)).is_some(),
            }
        }),
        // what AWS's own examples of a ping say
        Subject::Rules => {
            let expected = match text {
                _ if text.contains("no rule that lets it in") || text.contains("on the way in") => {
                    "and no record of answers"
                }
                _ if text.contains("lets it in, and has no rule") => "`ACCEPT` for the answers",
                _ => "`REJECT` for the answers",
            };
            let begins = if expected.starts_with("and") { "`REJECT`" } else { "`ACCEPT`" };
            by(&|choice| choice.starts_with(begins) && choice.ends_with(expected))
        }
        Subject::Missing => {
            let field = text.split('`').nth(1).unwrap();
            let expected = match field {
                "srcport" | "dstport" | "tcp-flags" => "`0`",
                "instance-id" | "pkt-src-aws-service" => "`-`",
                other => panic!("{other}"),
            };
            by(&|choice| choice == expected)
        }
    }
}

/// Checks all questions of a capture under some seeds; counts them by subject.
fn check(asked: &Asked, seeds: std::ops::Range<u64>, count: usize, found: &mut BTreeMap<Subject, usize>) {
    for seed in seeds {
        let questions = questions(&asked.facts(seed), &Subject::ALL, seed, count);
        assert!(questions.len() <= count);
        for question in questions {
            let place = || format!("{} seed {seed}: {question:#?}", asked.path.display());
            assert!((3..=4).contains(&question.choices.len()), "{}", place());
            let right = right(asked, &question);
            assert_eq!(right.iter().filter(|is_right| **is_right).count(), 1, "{}", place());
            assert!(right[question.answer], "{}", place());
            assert!(!question.explanation.is_empty() && !question.text.is_empty());
            *found.entry(question.subject).or_default() += 1;
        }
    }
}

#[test]
fn exactly_one_choice_is_right_on_every_fixture_under_many_seeds() {
    let mut found = BTreeMap::new();
    for path in captures::below("fixtures") {
        check(&Asked::new(&path, 600, Tunnels::NONE, "v2"), 1..7, 30, &mut found);
        check(&Asked::new(&path, 60, "all".parse().unwrap(), "v2"), 7..9, 30, &mut found);
    }
    for subject in Subject::ALL {
        let count = found.get(&subject).copied().unwrap_or(0);
        assert!(count >= 10, "{} was asked {count} times", subject.name());
    }
}

#[test]
fn one_second_intervals_make_no_question_wrong() {
    let mut found = BTreeMap::new();
    for path in captures::below("fixtures") {
        check(&Asked::new(&path, 1, Tunnels::NONE, "v2"), 1..3, 40, &mut found);
    }
    assert!(found.len() >= 12, "{found:?}");
}

#[test]
fn the_same_seed_asks_the_same_and_another_something_else() {
    let asked = Asked::new(&fixture("traffic/thirty-four.pcap"), 600, Tunnels::NONE, "v2");
    let ask = |seed| questions(&asked.facts(seed), &Subject::ALL, seed, 10);
    assert_eq!(ask(3), ask(3));
    assert_ne!(ask(3), ask(4));
    let subjects =
        |questions: &[Question]| questions.iter().map(|question| question.subject).collect::<Vec<_>>();
    let mut once = subjects(&ask(5));
    assert_eq!(once.len(), 10);
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), 10, "a subject came twice before all others had come");
}

/// The rarest reason for two records.
#[test]
fn packets_that_come_late_are_asked_about() {
    let asked = Asked::new(&fixture("traffic/late.pcap"), 60, Tunnels::NONE, "v2");
    let asks = questions(&asked.facts(1), &[Subject::TwoRecords], 1, 100);
    assert!(
        asks.iter().any(|question| question.right().contains("after the interval's records")),
        "{asks:#?}"
    );
}

/// A capture of raw IP: connections of one datagram there and two back, all mixed, and again eleven minutes later.
fn many_connections(connections: u16) -> Vec<u8> {
    let mut capture = Vec::new();
    // version 2.4 stands in one word, the lower half first
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 101] {
        capture.extend(word.to_le_bytes());
    }
    for (second, back) in [(0_u32, false), (1, true), (2, true), (660, false)] {
        for connection in 0..connections {
            let (host, peer) = ([10, 0, 3, 4], [10, 9, (connection >> 8) as u8, connection as u8]);
            let (from, to) = if back { (peer, host) } else { (host, peer) };
            let (own, other) = if back { (53, 4000) } else { (4000, 53) };
            let mut packet = vec![0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0];
            packet.extend(from);
            packet.extend(to);
            for word in [own, other, 8, 0_u16] {
                packet.extend(word.to_be_bytes());
            }
            for word in [1_700_000_000 + second, u32::from(connection), 28, 28] {
                capture.extend(word.to_le_bytes());
            }
            capture.extend(packet);
        }
    }
    capture
}

/// Of many connections each that is looked at is looked at whole.
#[test]
fn of_a_large_capture_some_connections_are_asked_about_and_all_of_each() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.pcap");
    fs::write(&path, many_connections(1000)).unwrap();
    let asked = Asked::new(&path, 600, Tunnels::NONE, "v2");
    assert_eq!(asked.lines.len(), 3000);
    let mut chosen = Vec::new();
    for seed in 1..4 {
        let facts = asked.facts(seed);
        assert_eq!(facts.connections.len(), 48);
        assert_eq!(facts.records.len(), 3 * 48);
        assert!(facts.records.iter().all(|record| record.whole));
        assert!(facts.packets.iter().all(|packet| packet.record.is_some()));
        assert_eq!(facts.packets.len(), 4 * 48);
        chosen.push(facts.connections.iter().map(|connection| connection.flow).collect::<Vec<_>>());
    }
    assert_ne!(chosen[0], chosen[1]);
    let mut found = BTreeMap::new();
    check(&asked, 1..4, 30, &mut found);
    assert!(found.len() >= 8, "{found:?}");
}

#[test]
fn masked_questions_name_no_address() {
    let key = "5b1f0c6d7e8a99aa0b1c2d3e4f506172839405a6b7c8d9eafb0c1d2e3f405162";
    let mask = Mask::new(&key.parse().unwrap());
    for path in captures::below("fixtures") {
        let asked = Asked::new(&path, 600, Tunnels::NONE, "v2");
        let plain = questions(&asked.facts(2), &Subject::ALL, 2, 12);
        let options = QuizOptions { seed: 2, ..asked.options.clone() };
        let masked = questions(&quiz_facts(&path, &options, Some(&mask)).found, &Subject::ALL, 2, 12);
        assert_eq!(plain.is_empty(), masked.is_empty(), "{}", path.display());
        let text = serde_json::to_string(&masked).unwrap();
        for line in &asked.lines {
            for address in &words(line)[3..5] {
                let address: IpAddr = address.parse().unwrap();
                let changed = mask.address(address) != address;
                let shown = address.to_string();
                let stands =
                    text.split(|c: char| !(c.is_ascii_hexdigit() || c == '.' || c == ':')).any(|word| {
                        word.trim_end_matches(['.', ':']) == shown
                            || word
                                .strip_prefix(&shown)
                                .is_some_and(|rest| rest.starts_with(':') && shown.contains('.'))
                    });
                assert!(!(changed && stands), "{shown} is in {text}");
            }
        }
    }
}
