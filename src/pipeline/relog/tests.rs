use std::io::Cursor;

use proptest::prelude::*;

use super::*;
use crate::flowlog::encode::encoder;
use crate::pipeline::{EncodedOutput, LogInput};
use crate::record::{FileFormat, LogFormat};

fn options(interval: Option<&str>) -> RelogOptions {
    RelogOptions {
        interval: interval.map(|interval| interval.parse().unwrap()),
        origin: Timestamp::from_nanos(0),
        allowed_lateness: 10,
        memory: u64::MAX,
        constants: FlowRecord::default(),
        own_format: None,
    }
}

fn run(log: &str, options: &RelogOptions) -> (String, Relogged) {
    let input = LogInput::Reader("log".into(), Box::new(Cursor::new(log.to_owned())));
    let mut records = LogRecords::new(vec![input], None);
    let format = records.first_format().unwrap_or_default();
    let mut output = Vec::new();
    let mut sink = EncodedOutput::new(encoder(FileFormat::PlainText, &format, false), &mut output);
    let relogged = relog(records, options, &mut sink, &Progress::new()).unwrap();
    relogged.ledger.check().unwrap();
    (String::from_utf8(output).unwrap(), relogged)
}

const HEADER: &str = "interface-id srcaddr packets bytes start end action tcp-flags log-status\n";

fn merged(lines: &str) -> (String, Relogged) {
    run(&format!("{HEADER}{lines}"), &options(Some("600")))
}

#[test]
fn records_of_one_flow_and_window_become_one() {
    let (text, relogged) = merged(
        "eni-1 10.0.0.1 1 40 60 119 ACCEPT 2 OK\n\
         eni-1 10.0.0.2 1 40 61 61 ACCEPT 0 OK\n\
         eni-1 10.0.0.1 3 400 0 59 ACCEPT 1 OK\n\
         eni-1 10.0.0.1 1 40 120 120 REJECT 4 OK\n\
         eni-1 10.0.0.1 5 500 600 601 ACCEPT 16 OK\n",
    );
    assert_eq!(
        text,
        "eni-1 10.0.0.1 4 440 0 119 ACCEPT 3 OK\n\
         eni-1 10.0.0.2 1 40 61 61 ACCEPT 0 OK\n\
         eni-1 10.0.0.1 1 40 120 120 REJECT 4 OK\n\
         eni-1 10.0.0.1 5 500 600 601 ACCEPT 16 OK\n"
    );
    let ledger = relogged.ledger;
    assert_eq!((ledger.records_read, ledger.records_written, ledger.records_merged), (5, 4, 1));
}

#[test]
fn what_does_not_lie_in_one_window_is_left_alone() {
    let (text, _) = merged(
        "eni-1 10.0.0.1 1 40 0 10 ACCEPT 0 OK\n\
         eni-1 10.0.0.1 1 40 590 601 ACCEPT 0 OK\n\
         eni-1 10.0.0.1 - 40 20 30 ACCEPT 0 OK\n\
         eni-1 10.0.0.1 1 40 40 30 ACCEPT 0 OK\n\
         eni-1 10.0.0.1 1 40 9223372036854775807 9223372036854775807 ACCEPT 0 OK\n",
    );
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines.len(), 5, "{text}");
}

#[test]
fn sums_that_are_too_large_stay_apart() {
    let line = "eni-1 10.0.0.1 18446744073709551615 1 0 10 ACCEPT 0 OK\n";
    let (text, relogged) = merged(&line.repeat(2));
    assert_eq!(text, line.repeat(2));
    assert_eq!(relogged.ledger.packets_written, 2 * u128::from(u64::MAX));
}

#[test]
fn no_traffic_is_said_of_windows_without_traffic_only() {
    let (text, relogged) = merged(
        "eni-1 - - - 0 60 - - NODATA\n\
         eni-1 - - - 60 120 - - NODATA\n\
         eni-2 - - - 0 60 - - NODATA\n\
         eni-2 10.0.0.1 1 40 70 70 ACCEPT 0 OK\n\
         eni-2 - - - 120 180 - - SKIPDATA\n\
         eni-1 - - - 540 600 - - NODATA\n",
    );
    assert_eq!(
        text,
        "eni-1 - - - 0 600 - - NODATA\n\
         eni-2 10.0.0.1 1 40 70 70 ACCEPT 0 OK\n\
         eni-2 - - - 120 180 - - SKIPDATA\n"
    );
    assert_eq!(relogged.ledger.records_merged, 3);
}

#[test]
fn columns_that_are_no_fields_keep_records_apart_and_are_not_written() {
    let (text, _) = run(
        "srcaddr tgw-id bytes start end\n10.0.0.1 a 1 0 1\n10.0.0.1 b 1 0 1\n10.0.0.1 a 1 0 1\n",
        &options(Some("60")),
    );
    assert_eq!(text, "10.0.0.1 2 0 1\n10.0.0.1 1 0 1\n");
}

#[test]
fn bad_lines_and_constants() {
    let mut options = options(None);
    Field::InterfaceId.set(&mut options.constants, "eni-9").unwrap();
    Field::AccountId.set(&mut options.constants, "123456789012").unwrap();
    let (text, relogged) =
        run("account-id interface-id bytes\nunknown - 1\n1 eni-1 x\n1 eni-1 2\n", &options);
    assert_eq!(text, "123456789012 eni-9 1\n1 eni-1 2\n");
    assert_eq!(relogged.problems.len(), 1);
    assert_eq!(relogged.ledger.records_bad[&BadRecordReason::NotUnderstood], 1);
}

#[test]
fn a_full_memory_loses_nothing() {
    let lines: String =
        (0..1000).map(|n| format!("eni-1 10.0.0.{} 1 40 {} {n} ACCEPT 0 OK\n", n % 100, n)).collect();
    let tight = RelogOptions { memory: 2000, ..options(Some("600")) };
    let (text, relogged) = run(&format!("{HEADER}{lines}"), &tight);
    assert!(relogged.ledger.windows_written_early > 0);
    assert!(text.lines().count() > 200);
    assert_eq!(relogged.ledger.packets_written, 1000);
}

proptest! {
    #[test]
    fn merging_neither_loses_nor_lengthens(
        records in proptest::collection::vec((0..3_u8, 0..5_u8, 0..5000_i64, 0..60_i64, any::<u64>()), 0..60),
    ) {
        let format: LogFormat = "${interface-id} ${srcaddr} ${packets} ${start} ${end}".parse().unwrap();
        let lines: String = records
            .iter()
            .map(|(interface, host, start, length, packets)| {
                format!("eni-{interface} 10.0.0.{host} {packets} {start} {}\n", start + length)
            })
            .collect();
        let (text, relogged) = run(&format!("{}\n{lines}", format.header()), &options(Some("600")));
        let total: u128 = records.iter().map(|record| u128::from(record.4)).sum();
        let written: u128 = text.lines().map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let [start, end] = [3, 4].map(|at: usize| words[at].parse::<i64>().unwrap());
            assert!(end - start <= 600);
            words[2].parse::<u128>().unwrap()
        }).sum();
        prop_assert_eq!(total, written);
        prop_assert_eq!(text.lines().count() as u64, relogged.ledger.records_written);
    }
}
