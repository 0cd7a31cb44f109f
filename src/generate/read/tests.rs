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

/// Reads a scenario; its second interface is `eni-b`.
fn read(text: &str) -> Result<Scenario> {
    let interface = |(id, address): (&str, &str)| Interface {
        id: id.to_owned(),
        addresses: vec![address.parse().unwrap()],
        mac: [2, 0, 0, 0, 0, 1],
        identity: FlowRecord::default(),
    };
    let text = text.replace(
        "[[host]]\nname = \"client\"",
        "[[interface]]\nid = \"eni-b\"\naddresses = [\"10.0.1.20\"]\n[[host]]\nname = \"client\"",
    );
    let interfaces = [("eni-web", "10.0.1.10"), ("eni-b", "10.0.1.20")].map(interface);
    Scenario::read("t", "t.toml", &text, interfaces.into())
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
    assert_eq!(place("count = 3", "cuont = 3"), (17, 1));
    assert_eq!(place("count = 3", "count = \"3\""), (17, 9));
    assert_eq!(place("\"eni-web:443\"", "\"ëni:443\""), (16, 6));
    assert_eq!(place("kind = \"tcp\"", ""), (13, 1));
    assert_eq!(locate(TEXT, "interface[0].addresses[0]"), Some((6, 14)));
    assert_eq!(locate(TEXT, "interface[0].nothing"), Some((4, 1)));
    assert_eq!(locate(TEXT, ""), None);
}

/// What is wrong with the scenario that has these lines more in its conversation or behind it.
fn mistake(more: &str) -> String {
    match read(&format!("{TEXT}{more}")) {
        Err(error) => error.what,
        Ok(_) => panic!("{more} was accepted"),
    }
}

/// The conversation of the scenario written in another way.
fn conversation(words: &str) -> Result<Scenario> {
    let (before, _) = TEXT.split_once("[[conversation]]").unwrap();
    read(&format!("{before}[[conversation]]\n{words}"))
}

#[test]
fn a_rejection_where_the_packets_do_not_pass_is_an_error() {
    for (key, wrong) in [
        ("rejected", "eni-b ingress"),
        ("rejected", "eni-web egress"),
        ("replies-rejected", "eni-web ingress"),
        ("replies-rejected", "eni-b egress"),
    ] {
        let what = mistake(&format!("{key} = \"{wrong}\""));
        assert_eq!(what, format!("`{wrong}` is not on the way of every such packet"));
    }
    let right = ["rejected = \"eni-web ingress\"", "replies-rejected = \"eni-web egress\""];
    assert!(right.iter().all(|right| read(&format!("{TEXT}{right}")).is_ok()));
    // half of these come out of another interface
    let some = "kind = \"udp\"\nfrom = [\"client\", \"eni-b\"]\nto = \"eni-web:53\"\ncount = 2\n";
    assert!(conversation(&format!("{some}rejected = \"eni-b egress\"")).is_err());
    assert!(conversation(&format!("{some}rejected = \"eni-web ingress\"")).is_ok());
    assert!(
        mistake("rejected = \"eni-web ingress\"\nreplies-rejected = \"eni-web egress\"").contains("no reply")
    );
}

#[test]
fn two_interfaces_of_one_identifier_are_an_error() {
    let what = mistake("[[interface]]\nid = \"eni-web\"\naddresses = [\"10.0.1.11\"]");
    assert_eq!(what, "there are two `[[interface]]` with the `id` `eni-web`");
    assert!(mistake("[[host]]\nname = \"eni-b\"\naddresses = [\"192.0.2.1\"]").contains("two are called"));
    assert!(
        mistake("[[host]]\nname = \"h\"\naddresses = [\"192.0.2.1\", \"192.0.2.0/30\"]").contains("twice")
    );
}

#[test]
fn a_host_called_like_an_address_is_an_error() {
    for name in ["10.0.1.10", "::1", "a:80", "[x]"] {
        let what = mistake(&format!("[[host]]\nname = \"{name}\"\naddresses = [\"192.0.2.1\"]"));
        assert!(what.contains("cannot be told from an address"), "{what}");
    }
}

#[test]
fn copies_that_come_round_to_the_same_hosts_and_ports_are_an_error() {
    let udp = "kind = \"udp\"\nto = \"eni-web:53\"\nfrom-port = 53\nevery = 0.1\n";
    // a list of two hosts, of which one is all that the range has
    let listed = format!("{udp}from = [\"203.0.113.1\", \"203.0.113.2\"]\n");
    assert!(conversation(&format!("{listed}count = 2")).is_ok());
    assert!(conversation(&format!("{listed}count = 3")).unwrap_err().what.contains("would share one flow"));
    let ports = udp.replace(":53", ":1-20") + "from = \"203.0.113.1\"\n";
    assert!(conversation(&format!("{ports}count = 20")).is_ok());
    assert!(conversation(&format!("{ports}count = 21")).is_err());
    // each side has the port of the other
    let mutual = "kind = \"udp\"\nfrom-port = 123\nfrom = \"eni-b\"\nto = \"eni-web:123\"\n[[conversation]]\n\
                  kind = \"udp\"\nfrom-port = 123\nfrom = \"eni-web\"\nto = \"eni-b:123\"\n";
    assert!(conversation(mutual).unwrap_err().what.contains("has the same flow"));
    assert!(mistake("from-port = 60999").contains("may be another client's"));
}

#[test]
fn words_without_a_meaning_are_errors() {
    let udp = "kind = \"udp\"\nfrom = \"client\"\nto = \"eni-web:53\"\n";
    for word in [
        "handshake = \"full\"",
        "ending = \"fin\"",
        "retries = 1",
        "retransmit = 2",
        "rate = 9",
        "exchanges = 0",
    ] {
        assert!(conversation(&format!("{udp}{word}")).is_err(), "{word}");
    }
    let ping = "kind = \"ping\"\nfrom = \"client\"\nto = \"eni-web\"\n";
    assert!(conversation(ping).is_ok() && conversation(&format!("{ping}response = 56")).is_err());
    for more in [
        "ip = 5",
        "through = [\"eni-b\", \"eni-b\", \"eni-b\"]",
        "through = \"eni-web\"",
        "nat = \"eni-web\"",
        "ip = 6",
        "[capture]\nat = []",
        "[expected]\nverdict = \"same\"\ncauses = [\"log-lag\"]",
        "[expected]\nverdict = \"explained\"",
    ] {
        mistake(more);
    }
    let nobody = ["from = []", "to = []", "from = \"eni-web\""];
    for nobody in nobody {
        let (key, _) = nobody.split_once(' ').unwrap();
        let words = ["kind = \"tcp\"", "from = \"client\"", "to = \"eni-web:443\""];
        let words = words.map(|word| if word.starts_with(key) { nobody } else { word }).join("\n");
        let error = conversation(&words).unwrap_err();
        assert!(error.line > 1 && error.file == "t.toml", "{error}");
    }
}

#[test]
fn times_that_no_capture_holds_are_errors() {
    let late = format!("begin = \"2106-02-07T06:28:00Z\"{TEXT}");
    assert!(read(&late).unwrap_err().what.contains("expected no time after 4294967295 s"));
    let years = Extent { duration: 5_000_000_000 * SECOND, ..Extent::UNBOUNDED };
    assert!(run(&read(TEXT).unwrap(), years, false, &mut Counter::default()).is_err());
    let pauses = read(&format!("{TEXT}pause = 4e9\nexchanges = 2")).unwrap();
    let error = run(&pauses, Extent::default(), false, &mut Counter::default()).unwrap_err().to_string();
    assert!(error.starts_with("`t.toml`, line 13, column 1: a conversation would go on until"), "{error}");
}

#[test]
fn a_long_name_makes_no_long_message() {
    let name = "x".repeat(10_000);
    let error = read(&TEXT.replace("from = \"client\"", &format!("from = \"{name}\""))).unwrap_err();
    assert!(error.to_string().len() < 500 && error.hint.unwrap().len() < 500);
}

#[test]
fn an_address_in_the_range_of_a_host_is_his_and_every_range_is_used() {
    let one = read(&TEXT.replace("from = \"client\"", "from = \"203.0.113.3\"")).unwrap();
    assert_eq!(one.conversations[0].from.places[0].first.to_string(), "203.0.113.3");
    let two = read(&TEXT.replace("\"203.0.113.0/30\"", "\"203.0.113.0/30\", \"198.51.100.0/24\"")).unwrap();
    assert_eq!(two.conversations[0].from.places.len(), 2);
}

/// The 5-tuples of a run, and how many packets each has.
fn flows(text: &str, extent: Extent) -> std::result::Result<Vec<Truth>, String> {
    let mut counter = Counter::default();
    let result = run(&read(text).unwrap(), extent, false, &mut counter);
    result.map(|_| counter.truths).map_err(|error| error.to_string())
}

#[test]
fn ports_that_wrap_round_are_taken_when_they_are_free_and_not_before() {
    let many = |pause: &str| {
        let text =
            TEXT.replace("count = 3", "count = 30000\nevery = 0.001\nexchanges = 2").replace("/30", "");
        format!("{text}\npause = {pause}\n").replace("duration = 60", "duration = 60\nseed = 7")
    };
    // more than there are ports, but never so many at one time
    let truths = flows(&many("0.1"), Extent::default()).unwrap();
    assert_eq!(truths.len(), 60_000);
    let error = flows(&many("40"), Extent::default()).unwrap_err();
    assert!(
        error.contains("all 28232 ports that `203.0.113.0` has towards `10.0.1.10`, port 443"),
        "{error}"
    );
}

#[test]
fn conversations_of_one_client_under_two_names_do_not_share_a_port() {
    // the second is one of the first's addresses
    let text = TEXT.replace("count = 3", "count = 40\nevery = 0.1\npause = 5\nexchanges = 3");
    let more = "[[conversation]]\nkind = \"tcp\"\nfrom = \"203.0.113.0\"\nto = \"eni-web:443\"\ncount = 40\nevery = 0.1";
    let truths = flows(&format!("{text}{more}"), Extent::default()).unwrap();
    assert_eq!(truths.len(), 2 * 80);
    let syn_ack = crate::packet::TcpFlags(0x13);
    assert!(
        truths.iter().filter(|truth| !truth.observed.egress).all(|truth| truth.sent.tcp_flags.0 & 2 == 2)
    );
    assert!(truths.iter().filter(|truth| truth.observed.egress).all(|truth| truth.sent.tcp_flags == syn_ack));
}

#[test]
fn flows_that_nobody_answers_are_one_each() {
    let silent = format!("{TEXT}rejected = \"eni-web ingress\"");
    let enough = Extent { flows: 7, ..Extent::UNBOUNDED };
    // three flows a time, and six where they are answered
    assert_eq!(flows(&silent, enough).unwrap().len(), 9);
    assert_eq!(flows(TEXT, enough).unwrap().len(), 12);
}

#[test]
fn a_conversation_that_outlasts_the_repetition_is_not_mixed_with_the_next() {
    let udp =
        "kind = \"udp\"\nfrom = \"eni-b\"\nto = \"eni-web:123\"\nfrom-port = 123\npause = 30\nexchanges = ";
    let (before, _) = TEXT.split_once("[[conversation]]").unwrap();
    let text = |exchanges| format!("{before}[[conversation]]\n{udp}{exchanges}");
    let twice = Extent { repetitions: 2, ..Extent::UNBOUNDED };
    assert!(flows(&text(2), twice).is_ok() && flows(&text(4), Extent::default()).is_ok());
    let error = flows(&text(4), twice).unwrap_err();
    assert!(error.contains("begins while another goes on there"), "{error}");
    // where ports are taken in turn it has one of its own
    let free = text(4).replace("from-port = 123\n", "");
    assert_eq!(flows(&free, twice).unwrap().len(), 2 * 4);
}

#[test]
fn windows_without_traffic_are_told_one_after_another_however_many() {
    let text = TEXT.replace("count = 3", "exchanges = 2\npause = 5000\n[log]\ninterval = 1\nnodata = true");
    let mut counter = Counter::default();
    let outcome = run(&read(&text).unwrap(), Extent::default(), false, &mut counter).unwrap();
    assert!(outcome.last_packet > outcome.end);
    // `eni-b`, which is silent, has them until the end
    assert!((5040..5090).contains(&counter.records), "{}", counter.records);
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
