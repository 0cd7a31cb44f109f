//! `convert --vpc` against itself, where what is asked for must not change what is found.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use flowtruth::capture::CaptureInput;
use flowtruth::pipeline::{
    Conversion, MeterOptions, Progress, RecordOptions, VpcOptions, convert, convert_with_vpc,
};
use flowtruth::record::{FlowRecord, LogFormat};
use proptest::prelude::*;

mod vpc_traffic;

use vpc_traffic::{Plan, VPC, capture, plan, vpc};

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
    let options = VpcOptions::new(vpc("# nobody"));
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
    let known_only = VpcOptions { known_only: true, ..VpcOptions::new(vpc("# nobody")) };
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
