use super::*;
use crate::generate::{Extent, Truth, Yield, run};
use crate::packet::Timestamp;
use crate::record::FlowRecord;

const TEXT: &str = r#"
title = "t"
duration = 60
[[interface]]
id = "eni-web"
addresses = ["10.0.1.10"]
[[host]]
name = "client"
addresses = ["203.0.113.0/30"]
[[conversation]]
kind = "tcp"
from = "client"
to = "eni-web:443"
count = 3
"#;

fn read(text: &str) -> Result<Scenario> {
    let interface = Interface {
        id: "eni-web".to_owned(),
        addresses: vec!["10.0.1.10".parse().unwrap()],
        mac: [2, 0, 0, 0, 0, 1],
        identity: FlowRecord::default(),
    };
    Scenario::read("t", "t.toml", text, vec![interface])
}

#[test]
fn what_is_left_out_has_its_default() {
    let scenario = read(TEXT).unwrap();
    assert_eq!((scenario.seed, scenario.log.interval), (1, 600));
    assert_eq!(scenario.expected.verdict, "same");
    let conversation = &scenario.conversations[0];
    assert_eq!((conversation.count, conversation.exchanges, conversation.response), (3, 1, 4000));
    assert_eq!(conversation.copies_of_clients, 3);
    assert_eq!(conversation.from.places[0].count, 4);
}

#[test]
fn errors_say_where() {
    let place = |from: &str, to: &str| {
        let error = read(&TEXT.replace(from, to)).unwrap_err();
        (error.line, error.column)
    };
    assert_eq!(place("count = 3", "cuont = 3"), (14, 1));
    assert_eq!(place("count = 3", "count = \"3\""), (14, 9));
    assert_eq!(place("\"eni-web:443\"", "\"ëni:443\""), (13, 6));
    assert_eq!(place("kind = \"tcp\"", ""), (10, 1));
    assert_eq!(locate(TEXT, "interface[0].addresses[0]"), Some((6, 14)));
    assert_eq!(locate(TEXT, "interface[0].nothing"), Some((4, 1)));
    assert_eq!(locate(TEXT, ""), None);
}

/// Counts what it takes.
#[derive(Default)]
struct Counter {
    frames: Vec<Timestamp>,
    records: u64,
    truths: Vec<Truth>,
}

impl Yield for Counter {
    type Error = std::convert::Infallible;

    fn frame(&mut self, time: Timestamp, _: &[u8], _: u32) -> std::result::Result<(), Self::Error> {
        self.frames.push(time);
        Ok(())
    }

    fn record(
        &mut self,
        _: &FlowRecord,
        _: crate::generate::RecordContext,
    ) -> std::result::Result<(), Self::Error> {
        self.records += 1;
        Ok(())
    }

    fn truth(&mut self, truth: &Truth) -> std::result::Result<(), Self::Error> {
        self.truths.push(*truth);
        Ok(())
    }
}

#[test]
fn a_run_is_in_the_order_of_time_and_adds_up() {
    let scenario = read(TEXT).unwrap();
    let mut counter = Counter::default();
    let outcome =
        run(&scenario, Extent { repetitions: 2, ..Extent::UNBOUNDED }, false, &mut counter).unwrap();
    assert!(counter.frames.is_sorted());
    assert_eq!((outcome.conversations, outcome.repetitions), (6, 2));
    assert_eq!(outcome.captured_frames, counter.frames.len() as u64);
    let sum: u64 = counter.truths.iter().map(|truth| truth.captured.packets).sum();
    assert_eq!(sum, outcome.captured_frames);
    assert_eq!(outcome.sent_packets, sum);
    // each direction of each conversation, in windows of 600 s that two repetitions of 60 s may share
    assert_eq!(counter.truths.len(), 12);
    assert!(counter.records >= 12);
}
