//! What `convert --vpc` once got wrong, as the smallest traffic that shows it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::io::Cursor;

use flowtruth::capture::CaptureInput;
use flowtruth::packet::Timestamp;
use flowtruth::pipeline::{
    Conversion, MeterOptions, Progress, RecordOptions, VpcOptions, WindowOrigin, convert_with_vpc,
};
use flowtruth::record::{FlowRecord, LogFormat};
use proptest::prelude::*;

mod vpc_traffic;

use vpc_traffic::{VPC, capture, plan, vpc};

/// The first second of all captures here, a full minute.
const START: i64 = 1_700_000_040;

const TWO: &str = r#"
[vpc]
id = "vpc-1"
cidrs = ["10.0.0.0/16"]
[[subnet]]
id = "subnet-1"
cidrs = ["10.0.0.0/24"]
[[interface]]
id = "eni-1"
subnet = "subnet-1"
addresses = ["10.0.0.10"]
groups = ["sg-1"]
[[interface]]
id = "eni-2"
subnet = "subnet-1"
addresses = ["10.0.0.20"]
groups = ["sg-1"]
[[security-group]]
id = "sg-1"
"#;

fn run(bytes: &[u8], options: &VpcOptions, meter: &MeterOptions) -> (String, Conversion) {
    let format = "${interface-id} ${srcaddr} ${dstaddr} ${packets} ${start} ${end} ${action} ${log-status}";
    run_as(format.parse().unwrap(), bytes, options, meter)
}

fn run_as(
    format: LogFormat,
    bytes: &[u8],
    options: &VpcOptions,
    meter: &MeterOptions,
) -> (String, Conversion) {
    let input = CaptureInput::Reader("capture".to_owned(), Box::new(Cursor::new(bytes.to_vec())));
    let records = RecordOptions { format, header: false, identity: FlowRecord::default() };
    let mut output = Vec::new();
    let conversion =
        convert_with_vpc(vec![input], meter, &records, options, &mut output, false, &Progress::new())
            .unwrap();
    conversion.ledger.check().unwrap();
    (String::from_utf8(output).unwrap(), conversion)
}

fn minutes() -> MeterOptions {
    MeterOptions { interval: "60".parse().unwrap(), ..MeterOptions::default() }
}

/// A UDP packet, or with other protocols one whose payload begins with these bytes.
fn frame(from: [u8; 4], to: [u8; 4], protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = (20 + payload.len()) as u16;
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    frame.extend([0x45, 0, (length >> 8) as u8, length as u8, 0, 0, 0, 0, 64, protocol, 0, 0]);
    frame.extend([from, to].concat());
    frame.extend(payload);
    frame
}

fn udp(from: [u8; 4], to: [u8; 4], srcport: u16, dstport: u16) -> Vec<u8> {
    frame(from, to, 17, &[&srcport.to_be_bytes()[..], &dstport.to_be_bytes(), &[0, 8, 0, 0]].concat())
}

/// Blocks of a pcapng capture with two interfaces.
struct Pcapng(Vec<u8>);

impl Pcapng {
    fn new() -> Pcapng {
        let mut file = Pcapng(Vec::new());
        file.block(0x0a0d_0d0a, &[&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat());
        (0..2).for_each(|_| file.block(1, &[1, 0, 0, 0, 0, 0, 0, 0]));
        file
    }

    fn block(&mut self, kind: u32, body: &[u8]) {
        let padding = body.len().next_multiple_of(4) - body.len();
        let length = (12 + body.len() + padding) as u32;
        self.0.extend(kind.to_le_bytes());
        self.0.extend(length.to_le_bytes());
        self.0.extend(body);
        self.0.extend(vec![0; padding]);
        self.0.extend(length.to_le_bytes());
    }

    fn time(seconds: i64) -> [u8; 8] {
        let micros = (seconds * 1_000_000) as u64;
        let (high, low) = ((micros >> 32) as u32, micros as u32);
        [high.to_le_bytes(), low.to_le_bytes()].concat().try_into().unwrap()
    }

    fn packet(&mut self, interface: u32, seconds: i64, frame: &[u8]) {
        let length = (frame.len() as u32).to_le_bytes();
        let body = [&interface.to_le_bytes()[..], &Self::time(seconds), &length, &length, frame].concat();
        self.block(6, &body);
    }

    /// Interface statistics: so many packets were dropped by then.
    fn statistics(&mut self, interface: u32, seconds: i64, dropped: u64) {
        let option = [&[5, 0, 8, 0][..], &dropped.to_le_bytes(), &[0; 4]].concat();
        self.block(5, &[&interface.to_le_bytes()[..], &Self::time(seconds), &option].concat());
    }
}

#[test]
fn losses_were_those_of_the_window_and_the_interface_of_the_next_packet() {
    const OUT: [u8; 4] = [203, 0, 113, 5];
    let mut file = Pcapng::new();
    file.packet(0, START, &udp([10, 0, 0, 10], OUT, 40_000, 443));
    file.packet(1, START + 1, &udp([10, 0, 0, 20], OUT, 40_000, 443));
    // both tell of minutes in which nobody has packets, and the next packet is the other interface's
    file.statistics(0, START + 70, 5);
    file.statistics(0, START + 130, 9);
    file.statistics(0, START + 190, 9);
    file.packet(1, START + 300, &udp([10, 0, 0, 20], OUT, 40_000, 443));
    let options = VpcOptions::new(vpc(TWO));
    let (text, conversion) = run(&file.0, &options, &minutes());
    let skipdata: Vec<&str> = text.lines().filter(|line| line.ends_with("SKIPDATA")).collect();
    assert_eq!(
        skipdata,
        ["eni-1 - - - 1700000100 1700000160 - SKIPDATA", "eni-1 - - - 1700000160 1700000220 - SKIPDATA"]
    );
    assert_eq!(conversion.ledger.total.vpc.unwrap().losses_of_no_known_interface, 0);
    // what is lost is not empty
    let nodata = VpcOptions { nodata: true, ..options.clone() };
    file.packet(0, START + 310, &udp([10, 0, 0, 10], OUT, 40_000, 443));
    let (text, _) = run(&file.0, &nodata, &minutes());
    let of_first: Vec<&str> = text.lines().filter(|line| line.starts_with("eni-1 -")).collect();
    assert_eq!(
        of_first,
        [
            "eni-1 - - - 1700000100 1700000160 - SKIPDATA",
            "eni-1 - - - 1700000160 1700000220 - SKIPDATA",
            "eni-1 - - - 1700000220 1700000280 - NODATA",
            "eni-1 - - - 1700000280 1700000340 - NODATA",
        ]
    );
}

#[test]
fn losses_behind_the_last_packet_are_told_by_their_own_time() {
    let mut file = Pcapng::new();
    file.packet(0, START, &udp([10, 0, 0, 10], [203, 0, 113, 5], 40_000, 443));
    file.statistics(0, START + 70, 5);
    // an interface without any packet, and statistics without a time
    file.statistics(1, 0, 7);
    let (text, conversion) = run(&file.0, &VpcOptions::new(vpc(TWO)), &minutes());
    assert!(text.ends_with("eni-1 - - - 1700000100 1700000160 - SKIPDATA\n"), "{text}");
    let total = conversion.ledger.total.vpc.unwrap();
    assert_eq!((total.records_skipdata, total.losses_of_no_known_interface), (1, 1));
}

/// The two lines of "Flow log record examples" that have no traffic.
#[test]
fn the_documented_lines_without_data() {
    const WINDOW: i64 = 1_431_280_876;
    const OUT: [u8; 4] = [203, 0, 113, 5];
    let text = TWO
        .replace("id = \"eni-1\"", "id = \"eni-1235b8ca123456789\"\naccount = \"123456789010\"")
        .replace("id = \"eni-2\"", "id = \"eni-11111111aaaaaaaaa\"\naccount = \"123456789010\"");
    let mut file = Pcapng::new();
    file.packet(0, WINDOW - 10, &udp([10, 0, 0, 10], OUT, 40_000, 443));
    file.packet(1, WINDOW - 10, &udp([10, 0, 0, 20], OUT, 40_000, 443));
    file.statistics(1, WINDOW + 20, 3);
    file.packet(0, WINDOW + 60, &udp([10, 0, 0, 10], OUT, 40_000, 443));
    let meter = MeterOptions {
        interval: "58".parse().unwrap(),
        origin: WindowOrigin::At(Timestamp::from_nanos(WINDOW * 1_000_000_000)),
        ..MeterOptions::default()
    };
    let options = VpcOptions { nodata: true, ..VpcOptions::new(vpc(&text)) };
    let (text, _) = run_as(LogFormat::preset("v2").unwrap(), &file.0, &options, &meter);
    let without_data: Vec<&str> = text.lines().filter(|line| line.ends_with("DATA")).collect();
    assert_eq!(
        without_data,
        [
            "2 123456789010 eni-11111111aaaaaaaaa - - - - - - - 1431280876 1431280934 - SKIPDATA",
            "2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - NODATA",
        ]
    );
}

#[test]
fn an_address_of_two_interfaces_was_accepted_without_a_word() {
    let text = TWO.replace("10.0.0.20", "10.0.0.10");
    let mut file = Pcapng::new();
    file.packet(0, START, &udp([203, 0, 113, 5], [10, 0, 0, 10], 40_000, 443));
    file.packet(0, START, &udp([203, 0, 113, 5], [10, 0, 0, 99], 40_000, 443));
    let (text, conversion) = run(&file.0, &VpcOptions::new(vpc(&text)), &minutes());
    assert_eq!(
        text,
        "- 203.0.113.5 10.0.0.10 1 1700000040 1700000040 - OK\n- 203.0.113.5 10.0.0.99 1 1700000040 1700000040 ACCEPT OK\n"
    );
    let total = conversion.ledger.total.vpc.unwrap();
    assert_eq!((total.packets_undecided, total.packets_of_no_known_interface), (1, 2));
}

#[test]
fn what_aws_never_logs_of_unknown_interfaces_was_written() {
    let mut file = Pcapng::new();
    // a lookup of a host that is not described, at the resolver of its VPC
    file.packet(0, START, &udp([10, 0, 0, 99], [10, 0, 0, 2], 40_000, 53));
    file.packet(0, START, &udp([10, 0, 0, 2], [10, 0, 0, 99], 53, 40_000));
    // a neighbour solicitation between two such hosts
    let mut solicitation =
        vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 24, 58, 255];
    solicitation.extend([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    solicitation.extend([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    solicitation.extend([135, 0, 0, 0, 0, 0, 0, 0]);
    solicitation.extend([0; 16]);
    file.packet(0, START, &solicitation);
    let all = VpcOptions::new(vpc(TWO));
    assert_eq!(run(&file.0, &all, &minutes()).0.lines().count(), 3);
    let like_aws = VpcOptions { like_aws: true, ..all };
    let (text, conversion) = run(&file.0, &like_aws, &minutes());
    assert_eq!(text, "");
    let skipped: Vec<String> = conversion
        .ledger
        .total
        .tally
        .packets_skipped
        .iter()
        .map(|(reason, packets)| format!("{reason} {packets}"))
        .collect();
    assert_eq!(skipped, ["never-logged-amazon-dns 2", "never-logged-neighbour-discovery 1"]);
}

#[test]
fn answers_that_from_or_a_filter_cut_off_were_refused_and_not_counted() {
    const RESOLVER: [u8; 4] = [203, 0, 113, 53];
    let mut file = Pcapng::new();
    file.packet(0, START, &udp([10, 0, 0, 10], RESOLVER, 40_000, 53));
    file.packet(0, START + 1, &udp(RESOLVER, [10, 0, 0, 10], 53, 40_000));
    file.packet(0, START + 2, &frame([10, 0, 0, 10], RESOLVER, 1, &[8, 0, 0, 0, 0, 0, 0, 0]));
    file.packet(0, START + 3, &frame(RESOLVER, [10, 0, 0, 10], 1, &[0, 0, 0, 0, 0, 0, 0, 0]));
    let filtered =
        MeterOptions { filter: Some("src host 203.0.113.53".parse().unwrap()), ..MeterOptions::default() };
    let (text, conversion) = run(&file.0, &VpcOptions::new(vpc(TWO)), &filtered);
    assert_eq!(text.matches("ACCEPT").count(), 2, "{text}");
    assert_eq!(conversion.ledger.total.vpc.unwrap().connections_judged_mid_stream, 2);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn connections_of_other_interfaces_were_counted_as_joined(
        plans in proptest::collection::vec(plan(), 1..200),
    ) {
        let bytes = capture(&plans);
        let all = VpcOptions::new(vpc(VPC));
        let joined = |options: &VpcOptions| {
            run(&bytes, options, &minutes()).1.ledger.total.vpc.unwrap().connections_judged_mid_stream
        };
        let apart: u64 = ["eni-1", "eni-2", "eni-3"]
            .map(|id| joined(&VpcOptions { only: [id.to_owned()].into(), ..all.clone() }))
            .iter()
            .sum();
        prop_assert_eq!(apart, joined(&all));
    }

    #[test]
    fn every_window_between_the_first_and_the_last_has_a_record(
        plans in proptest::collection::vec(plan(), 2..120),
    ) {
        let bytes = capture(&plans);
        let options = VpcOptions { nodata: true, ..VpcOptions::new(vpc(VPC)) };
        let (text, conversion) = run(&bytes, &options, &minutes());
        let cells = |line: &'_ str| -> (String, i64, i64, bool) {
            let cells: Vec<&str> = line.split(' ').collect();
            let time = |cell: &str| cell.parse::<i64>().unwrap();
            (cells[0].to_owned(), time(cells[4]), time(cells[5]), cells[7] == "NODATA")
        };
        let lines: Vec<_> = text.lines().map(cells).collect();
        for id in ["eni-1", "eni-2", "eni-3"] {
            let own = lines.iter().filter(|(of, ..)| of == id);
            let mut minutes: Vec<(i64, bool)> =
                own.map(|(_, start, _, is_empty)| (start.div_euclid(60), *is_empty)).collect();
            // the records of a window in their order, and each empty window in front of the next with records
            prop_assert!(minutes.is_sorted_by_key(|(minute, _)| *minute), "{}", text);
            minutes.dedup();
            for pair in minutes.windows(2) {
                prop_assert_eq!(pair[1].0, pair[0].0 + 1, "{} {}", id, text);
            }
            prop_assert!(minutes.first().is_none_or(|(_, is_empty)| !is_empty));
            prop_assert!(minutes.last().is_none_or(|(_, is_empty)| !is_empty));
        }
        let empty = lines.iter().filter(|(.., is_empty)| *is_empty).count() as u64;
        prop_assert_eq!(empty, conversion.ledger.total.vpc.unwrap().records_nodata);
    }
}
