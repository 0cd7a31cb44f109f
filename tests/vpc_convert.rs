//! `convert --vpc` against itself, where what is asked for must not change what is found.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flowtruth::capture::CaptureInput;
use flowtruth::pipeline::{
    Conversion, MeterOptions, Progress, RecordOptions, VpcOptions, convert, convert_with_vpc,
};
use flowtruth::record::{FlowRecord, LogFormat};
use flowtruth::vpc::{ModelBuilder, Vpc};
use proptest::prelude::*;
use proptest::sample::select;

const VPC: &str = r#"
account = "123456789012"

[vpc]
id = "vpc-1"
cidrs = ["10.0.0.0/16"]

[[acl]]
id = "acl-1"
ingress = ["100 allow tcp 22 from 0.0.0.0/0", "200 deny udp 53 from 0.0.0.0/0", "300 allow all from 10.0.0.0/8"]
egress = ["100 deny icmp to 203.0.113.0/24", "200 allow all to 0.0.0.0/0"]

[[route-table]]
id = "rtb-1"
routes = ["0.0.0.0/0 nat-1"]

[[subnet]]
id = "subnet-1"
cidrs = ["10.0.0.0/24"]
acl = "acl-1"
route-table = "rtb-1"

[[subnet]]
id = "subnet-2"
cidrs = ["10.0.1.0/24"]

[[nat-gateway]]
id = "nat-1"
regional = true
public-addresses = ["198.51.100.1"]

[[interface]]
id = "eni-1"
addresses = ["10.0.0.1", "10.0.0.2"]
subnet = "subnet-1"
groups = ["sg-1"]

[[interface]]
id = "eni-2"
mac = "02:00:00:00:00:02"
addresses = ["10.0.1.1"]
subnet = "subnet-2"
groups = ["sg-2"]

[[interface]]
id = "eni-3"
addresses = ["10.0.1.2"]
subnet = "subnet-2"
groups = ["sg-1", "sg-gone"]

[[security-group]]
id = "sg-1"
ingress = ["tcp 22 from 0.0.0.0/0", "udp from sg-2"]
egress = ["all to 10.0.0.0/8"]

[[security-group]]
id = "sg-2"
ingress = ["icmp 8 from 0.0.0.0/0"]
"#;

fn vpc(text: &str) -> Arc<Vpc> {
    let mut builder = ModelBuilder::default();
    builder.add("vpc.toml", text).unwrap();
    Arc::new(Vpc::new(builder.finish()))
}

fn records(format: &str) -> RecordOptions {
    let identity = FlowRecord { account_id: Some("unknown".into()), ..FlowRecord::default() };
    RecordOptions { format: LogFormat::preset(format).unwrap(), header: false, identity }
}

/// The records and the ledger, which adds up.
fn run(
    capture: &[u8],
    meter: &MeterOptions,
    format: &str,
    options: Option<&VpcOptions>,
) -> (String, Conversion) {
    let inputs = vec![CaptureInput::Reader("capture".to_owned(), Box::new(Cursor::new(capture.to_vec())))];
    let (records, progress) = (records(format), Progress::new());
    let mut output = Vec::new();
    let conversion = match options {
        None => convert(inputs, meter, &records, &mut output, false, &progress),
        Some(options) => convert_with_vpc(inputs, meter, &records, options, &mut output, false, &progress),
    }
    .unwrap();
    conversion.ledger.check().unwrap();
    (String::from_utf8(output).unwrap(), conversion)
}

fn fixtures(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.to_string_lossy().into_owned();
        if path.is_dir() {
            fixtures(&path, found);
        } else if !name.ends_with(".tsv") && !name.ends_with(".expected") {
            found.push(path);
        }
    }
}

#[test]
fn a_vpc_without_interfaces_changes_nothing() {
    let mut found = Vec::new();
    fixtures(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures"), &mut found);
    let options = VpcOptions::new(vpc(""));
    let meter = MeterOptions::default();
    let mut records = 0;
    for path in &found {
        let bytes = fs::read(path).unwrap();
        for format in ["v2", "v5"] {
            let (plain, conversion) = run(&bytes, &meter, format, None);
            let (around, with_vpc) = run(&bytes, &meter, format, Some(&options));
            // what the capture lost is said only where somebody's records are asked for
            let around: String = around
                .lines()
                .filter(|line| !line.contains(" SKIPDATA"))
                .flat_map(|line| [line, "\n"])
                .collect();
            assert_eq!(around, plain, "{}", path.display());
            let total = with_vpc.ledger.total.vpc.unwrap();
            let in_records = conversion.ledger.total.tally.packets_in_records;
            assert_eq!(total.packets_of_no_known_interface, in_records, "{}", path.display());
            records += conversion.ledger.total.records;
        }
    }
    assert!(records > 300, "only {records} records");
}

#[test]
fn packets_that_were_left_out_stayed_among_the_notes() {
    let mut found = Vec::new();
    fixtures(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures"), &mut found);
    let known_only = VpcOptions { known_only: true, ..VpcOptions::new(vpc("")) };
    let meter = MeterOptions::default();
    let mut noted = 0;
    for path in &found {
        let bytes = fs::read(path).unwrap();
        let (_, plain) = run(&bytes, &meter, "v2", None);
        let (_, left_out) = run(&bytes, &meter, "v2", Some(&known_only));
        noted += plain.ledger.total.tally.notes.iter().count();
        let tally = &left_out.ledger.total.tally;
        assert_eq!(tally.packets_in_records, 0, "{}", path.display());
        assert_eq!(tally.notes.iter().collect::<Vec<_>>(), [], "{}", path.display());
        let totals = [
            tally.fragmented_packets,
            tally.offloaded_packets,
            tally.snaplen_cut_packets,
            tally.decapsulated_packets,
        ];
        assert_eq!(totals, [0; 4], "{}", path.display());
    }
    assert!(noted > 10, "only {noted} notes");
}

#[test]
fn a_long_silence_was_left_out_without_a_word() {
    let packet = |from: usize, pause_ms: u32| Plan {
        ends: (from, 5),
        protocol: 17,
        ports: (40_000, 53),
        flags: 0,
        icmp: 0,
        mac: false,
        pause_ms,
    };
    // eni-1 and the NAT gateway behind it are quiet for 138 days, eni-3 for a third of that at a time
    let third = 4_000_000_000;
    let of_others = |count: usize| vec![packet(3, 10); count];
    let plans = [
        vec![packet(0, 10)],
        of_others(5),
        vec![packet(3, third)],
        of_others(5),
        vec![packet(3, third)],
        of_others(5),
        vec![packet(3, third)],
        of_others(5),
        vec![packet(0, 10)],
    ]
    .concat();
    let options = VpcOptions { nodata: true, ..VpcOptions::new(vpc(VPC)) };
    let meter = MeterOptions { interval: "60".parse().unwrap(), ..MeterOptions::default() };
    let (_, conversion) = run(&capture(&plans), &meter, "v2", Some(&options));
    let total = conversion.ledger.total.vpc.unwrap();
    let minutes = 3 * u64::from(third) / 60_000;
    assert!(total.records_nodata_left_out.abs_diff(2 * minutes) <= 2, "{total:?}");
    assert!(total.records_nodata.abs_diff(minutes) <= 3, "{total:?}");
}

/// A packet: between which of the addresses, of which protocol, how long after the one before.
#[derive(Clone, Debug)]
struct Plan {
    ends: (usize, usize),
    protocol: u8,
    ports: (u16, u16),
    flags: u8,
    icmp: u8,
    mac: bool,
    pause_ms: u32,
}

const ADDRESSES: [[u8; 4]; 8] = [
    [10, 0, 0, 1],
    [10, 0, 0, 2],
    [10, 0, 1, 1],
    [10, 0, 1, 2],
    [10, 0, 7, 7],
    [203, 0, 113, 5],
    [198, 51, 100, 1],
    [192, 0, 2, 1],
];

fn plan() -> impl Strategy<Value = Plan> {
    let ports = || select(vec![22_u16, 53, 40_000]);
    let protocol = select(vec![6_u8, 6, 6, 17, 17, 1, 47]);
    let flags = select(vec![0x02_u8, 0x12, 0x10, 0x10, 0x11, 0x14]);
    let pause = select(vec![1_u32, 10, 1_000, 11_000, 40_000, 70_000]);
    (
        (0..8_usize, 0..8_usize),
        protocol,
        (ports(), ports()),
        flags,
        select(vec![0_u8, 8, 3]),
        any::<bool>(),
        pause,
    )
        .prop_map(|(ends, protocol, ports, flags, icmp, mac, pause_ms)| Plan {
            ends,
            protocol,
            ports,
            flags,
            icmp,
            mac,
            pause_ms,
        })
}

fn capture(plans: &[Plan]) -> Vec<u8> {
    let mut file =
        vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0];
    let mut time_ms = 1_700_000_000_000_u64;
    for (number, plan) in plans.iter().enumerate() {
        time_ms += u64::from(plan.pause_ms);
        let mut frame = vec![2, 0, 0, 0, 0, 0xfe, 2, 0, 0, 0, 0, if plan.mac { 2 } else { 0xff }, 8, 0];
        let mut payload = match plan.protocol {
            1 => vec![plan.icmp, 0, 0, 0],
            _ => [plan.ports.0.to_be_bytes(), plan.ports.1.to_be_bytes()].concat(),
        };
        payload.resize(20, 0);
        if plan.protocol == 6 {
            payload[13] = plan.flags;
        }
        let id = (number as u16).to_be_bytes();
        frame.extend([0x45, 0, 0, 40, id[0], id[1], 0x40, 0, 64, plan.protocol, 0, 0]);
        frame.extend(ADDRESSES[plan.ends.0]);
        frame.extend(ADDRESSES[plan.ends.1]);
        frame.extend(&payload);
        let length = (frame.len() as u32).to_le_bytes();
        file.extend(((time_ms / 1000) as u32).to_le_bytes());
        file.extend(((time_ms % 1000) as u32 * 1000).to_le_bytes());
        file.extend(length);
        file.extend(length);
        file.extend(frame);
    }
    file
}

fn lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn neither_threads_nor_memory_change_a_byte(plans in proptest::collection::vec(plan(), 1..300), why: bool) {
        let options = VpcOptions { why, nodata: true, ..VpcOptions::new(vpc(VPC)) };
        let capture = capture(&plans);
        let meter = MeterOptions {
            interval: "60".parse().unwrap(),
            ..MeterOptions::default()
        };
        let (whole, conversion) = run(&capture, &meter, "v5", Some(&options));
        for threads in [2, 5] {
            let meter = MeterOptions { threads, ..meter.clone() };
            let (text, other) = run(&capture, &meter, "v5", Some(&options));
            prop_assert_eq!(&text, &whole);
            prop_assert_eq!(other.ledger, conversion.ledger.clone());
        }
        let narrow = MeterOptions { memory_limit: Some(1 << 12), ..meter };
        prop_assert_eq!(run(&capture, &narrow, "v5", Some(&options)).0, whole);
    }

    #[test]
    fn the_records_of_each_interface_are_the_records_of_all(plans in proptest::collection::vec(plan(), 1..200)) {
        let capture = capture(&plans);
        let meter = MeterOptions::default();
        let all = VpcOptions { known_only: true, ..VpcOptions::new(vpc(VPC)) };
        let (whole, conversion) = run(&capture, &meter, "all", Some(&all));
        let mut apart = String::new();
        for id in ["eni-1", "eni-2", "eni-3", "nat-1"] {
            let options = VpcOptions { only: [id.to_owned()].into(), ..VpcOptions::new(vpc(VPC)) };
            let (text, _) = run(&capture, &meter, "all", Some(&options));
            apart.push_str(&text);
        }
        prop_assert_eq!(lines(&apart), lines(&whole));
        let total = conversion.ledger.total;
        prop_assert_eq!(total.vpc.unwrap().packets_of_no_known_interface, 0);
        // accepted, refused and undecided records are all records
        let mut by_action = 0;
        for traffic_type in ["ACCEPT", "REJECT"] {
            let options = VpcOptions { traffic_type: traffic_type.parse().unwrap(), ..all.clone() };
            by_action += run(&capture, &meter, "all", Some(&options)).1.ledger.total.records;
        }
        let undecided = whole.lines().filter(|line| line.split(' ').nth(12) == Some("-")).count() as u64;
        prop_assert_eq!(by_action + undecided, total.records);
    }
}
