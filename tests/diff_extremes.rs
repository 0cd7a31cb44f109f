//! `diff` of logs whose numbers are as large as they can be written: nothing overflows, and every record is told.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::io::Cursor;

use flowtruth::capture::CaptureInput;
use flowtruth::diff::{Cause, Comparison};
use flowtruth::pipeline::{DiffOptions, DiffSide, LogInput, Progress, diff};

const MAX: &str = "18446744073709551615";

/// A log of records: source port, packets, bytes, start, end.
fn log(records: &[(u16, &str, &str, i64, i64)]) -> DiffSide {
    let mut text = "srcaddr dstaddr srcport dstport protocol packets bytes start end\n".to_owned();
    for (port, packets, bytes, start, end) in records {
        text += &format!("10.0.0.1 10.0.0.2 {port} 443 6 {packets} {bytes} {start} {end}\n");
    }
    DiffSide::Logs(vec![LogInput::Reader("log".to_owned(), Box::new(Cursor::new(text)))], None)
}

/// One packet of that flow from port 5000 at second 100, and one of another flow at second 101.
fn capture() -> DiffSide {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    let mut file = words(&[0xa1b2_c3d4, 4 << 16 | 2, 0, 0, 65_535, 101]);
    for (second, port) in [(100, 5000_u16), (101, 5001)] {
        file.extend(words(&[second, 0, 40, 40]));
        file.extend([0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        file.extend([port.to_be_bytes(), 443_u16.to_be_bytes()].concat());
        file.extend([0, 0, 0, 0, 0, 0, 0, 0, 0x50, 2, 0, 0, 0, 0, 0, 0]);
    }
    DiffSide::Captures(vec![CaptureInput::Reader("capture".to_owned(), Box::new(Cursor::new(file)))])
}

fn compared(reference: DiffSide, candidate: DiffSide) -> Comparison {
    let report = diff(reference, candidate, &DiffOptions::default(), &Progress::new());
    assert!(
        report.problems.is_empty() && report.log_failures.is_empty() && report.capture_failures.is_empty()
    );
    report.comparison
}

#[test]
fn frame_lengths_of_more_packets_than_there_can_be_do_not_overflow() {
    for (packets, bytes) in [(MAX, "40"), ("1", MAX), (MAX, MAX)] {
        let (one, other) = ([(5000, "1", "40", 100, 100)], [(5000, packets, bytes, 100, 100)]);
        for (reference, candidate) in [(one, other), (other, one)] {
            let comparison = compared(log(&reference), log(&candidate));
            assert_eq!(comparison.differences.len(), 1, "{comparison:#?}");
            assert_eq!(comparison.causes[&Cause::Unexplained], 1);
        }
    }
}

#[test]
fn a_record_of_all_seconds_does_not_lag() {
    // its end is as far from any packet as can be
    let records =
        [(5000, "1", "40", i64::MIN, i64::MAX), (5000, "1", "40", 100, 100), (5001, "1", "40", 101, 101)];
    let comparison = compared(capture(), log(&records));
    assert_eq!((comparison.matched, comparison.differences.len()), (2, 1), "{comparison:#?}");
    assert_eq!(comparison.differences[0].line, Some(2));
}

/// Two flows with all they have in one second.
fn log_at(second: i64) -> DiffSide {
    log(&[(5000, "1", "40", second, second), (5001, "2", "80", second, second)])
}

#[test]
fn clocks_may_be_as_far_apart_as_can_be_told() {
    for (reference, candidate) in [(0, i64::MAX - 1), (i64::MAX - 1, 0), (0, i64::MIN + 1)] {
        let comparison = compared(log_at(reference), log_at(candidate));
        let causes: Vec<_> = comparison.causes.into_iter().collect();
        assert_eq!(causes, [(Cause::ClockOffset, 2)], "{:#?}", comparison.differences);
        for said in comparison.differences.iter().filter_map(|difference| difference.candidate) {
            assert_eq!(said.start, candidate);
        }
    }
}

#[test]
fn clocks_further_apart_than_can_be_told_have_no_offset() {
    for (reference, candidate) in [(i64::MIN, i64::MAX), (i64::MAX, i64::MIN)] {
        let comparison = compared(log_at(reference), log_at(candidate));
        assert_eq!(comparison.clock_offset_seconds, 0.0);
        assert_eq!((comparison.matched, comparison.differences), (0, Vec::new()));
        assert_eq!(comparison.reference_outside.records, 2);
        assert_eq!(comparison.candidate_outside.records, 2);
    }
}

#[test]
fn packets_outside_are_counted_up_to_what_can_be_held() {
    let records = [
        (5000, "1", "40", 100, 100),
        (5001, "1", "40", 101, 101),
        (5000, MAX, MAX, 10_000, 10_000),
        (5001, MAX, MAX, 20_000, 20_000),
    ];
    let outside = compared(capture(), log(&records)).candidate_outside;
    assert_eq!((outside.records, outside.packets), (2, u64::MAX));
}
