use super::*;
use crate::record::Action;

fn cells(seconds: &[(i64, u64)]) -> Vec<Cell> {
    let cell = |(start, packets): &(i64, u64)| Cell {
        start: *start,
        end: *start,
        packets: *packets,
        bytes: packets * 100,
        tcp_flags: Some(TcpFlags(0)),
        ..Cell::default()
    };
    seconds.iter().map(cell).collect()
}

fn claim(start: i64, end: i64, packets: u64) -> Claim {
    Claim {
        start,
        end,
        packets,
        bytes: packets * 100,
        tcp_flags: None,
        action: Some(Action::Accept),
        interface: 1,
        line: 1,
        first_packet: 0,
    }
}

fn aligned(cells: &[Cell], claims: &[Claim]) -> Alignment {
    align(Sides { cells, claims, tolerance: &Tolerance::default(), joins_runs: true })
}

fn fits(alignment: &Alignment) -> Vec<Fit> {
    alignment.placed.iter().map(|placed| placed.fit).collect()
}

#[test]
fn records_apart_are_compared_each() {
    let cells = cells(&[(0, 1), (5, 2), (10, 3)]);
    let alignment = aligned(&cells, &[claim(0, 5, 3), claim(10, 10, 4)]);
    assert_eq!(fits(&alignment), [Fit::Matched, Fit::Open]);
    assert_eq!(alignment.placed[1].expected.packets, 3);
    assert!(alignment.runs.is_empty());
}

#[test]
fn touching_records_share_a_second() {
    let cells = cells(&[(0, 1), (5, 4), (10, 3)]);
    assert!(aligned(&cells, &[claim(0, 5, 2), claim(5, 10, 6)]).is_clean());
    assert!(aligned(&cells, &[claim(0, 5, 5), claim(5, 10, 3)]).is_clean());
    // the shared second cannot give what it does not have
    let wrong = aligned(&cells, &[claim(0, 5, 2), claim(5, 10, 7)]);
    assert_eq!(fits(&wrong), [Fit::Matched, Fit::Open]);
    assert_eq!(wrong.placed[1].expected.packets, 6);
}

#[test]
fn a_wrong_record_in_a_chain_of_touching_ones_is_found() {
    let cells = cells(&[(0, 5), (10, 2), (15, 5), (20, 2), (25, 5), (30, 2), (35, 5)]);
    let chain = [claim(0, 10, 6), claim(10, 20, 7), claim(20, 30, 7), claim(30, 35, 6)];
    assert!(aligned(&cells, &chain).is_clean());
    for wrong in 0..4 {
        let mut chain = chain;
        chain[wrong].packets += 30;
        chain[wrong].bytes += 3000;
        let alignment = aligned(&cells, &chain);
        for (index, fit) in fits(&alignment).into_iter().enumerate() {
            assert_eq!(fit == Fit::Open, index == wrong, "{wrong}: {fit:?} at {index}");
        }
    }
}

#[test]
fn clocks_that_differ_by_a_fraction_fit() {
    // packets at n.7 of every third second, on a clock that is 0.4 s ahead of the records'
    let cells = cells(&[(2, 1), (5, 1), (8, 1), (11, 1), (14, 1), (17, 1)]);
    let alignment = aligned(&cells, &[claim(3, 9, 3), claim(12, 18, 3)]);
    assert!(alignment.is_clean(), "{alignment:?}");
}

#[test]
fn a_record_that_lags_is_found_by_its_counts() {
    let cells = cells(&[(0, 1), (5, 2), (100, 3), (200, 4)]);
    let alignment = aligned(&cells, &[claim(30, 35, 3), claim(100, 100, 3), claim(200, 200, 4)]);
    assert_eq!(fits(&alignment), [Fit::Times { start: 30, end: 30 }, Fit::Matched, Fit::Matched]);
    // one is wrong besides, so that the totals do not balance
    let alignment = aligned(&cells, &[claim(30, 35, 3), claim(100, 100, 3), claim(200, 200, 5)]);
    assert_eq!(fits(&alignment), [Fit::Times { start: 30, end: 30 }, Fit::Matched, Fit::Open]);
}

#[test]
fn what_no_record_covers_is_one_run() {
    let cells = cells(&[(0, 1), (5, 2), (100, 3), (200, 4)]);
    let alignment = aligned(&cells, &[claim(0, 0, 1), claim(200, 200, 4)]);
    assert_eq!(fits(&alignment), [Fit::Matched, Fit::Matched]);
    assert_eq!(alignment.runs, [Run { cells: 1..3, sum: Sum { packets: 5, bytes: 500 } }]);
}

#[test]
fn a_run_beside_a_shared_second_has_its_part_of_it() {
    // the record 5..=10 is missing; two of the second's four packets were its
    let cells = cells(&[(0, 1), (5, 4), (10, 3)]);
    let alignment = aligned(&cells, &[claim(0, 5, 3)]);
    assert_eq!(fits(&alignment), [Fit::Matched]);
    assert_eq!(alignment.runs, [Run { cells: 2..3, sum: Sum { packets: 5, bytes: 500 } }]);
}

#[test]
fn accept_and_reject_in_the_same_seconds() {
    let cells = cells(&[(0, 1), (40, 1)]);
    let reject = Claim { action: Some(Action::Reject), ..claim(0, 40, 2) };
    // the capture saw the accepted ones only
    assert_eq!(fits(&aligned(&cells, &[claim(0, 40, 2), reject])), [Fit::Matched, Fit::Open]);
    // or both
    let one = Claim { packets: 1, bytes: 100, ..reject };
    assert!(aligned(&cells, &[claim(0, 40, 1), one]).is_clean());
}

#[test]
fn both_ends_may_log_a_flow() {
    let cells = cells(&[(0, 2), (40, 2)]);
    let other = Claim { interface: 2, ..claim(0, 0, 2) };
    let more = Claim { interface: 2, ..claim(40, 40, 2) };
    let alignment = aligned(&cells, &[other, claim(0, 40, 4), more]);
    assert_eq!(fits(&alignment), [Fit::SeenTwice, Fit::Matched, Fit::SeenTwice]);
    assert!(alignment.runs.is_empty());
}

#[test]
fn the_same_totals_over_other_records() {
    let cells = cells(&[(0, 2), (100, 2), (200, 2), (300, 2)]);
    assert_eq!(fits(&aligned(&cells, &[claim(0, 200, 1), claim(100, 300, 7)])), [Fit::Split(0); 2]);
    let wide: Vec<Cell> = [(0, 59), (60, 119)]
        .map(|(start, end)| Cell { start, end, packets: 5, bytes: 500, ..Cell::default() })
        .to_vec();
    let sides = Sides {
        cells: &wide,
        claims: &[claim(0, 119, 10)],
        tolerance: &Tolerance::default(),
        joins_runs: false,
    };
    assert_eq!(fits(&align(sides)), [Fit::Split(0)]);
}

#[test]
fn a_record_with_too_few_packets_of_one_second_is_wrong() {
    let one = cells(&[(5, 10)]);
    let alignment = aligned(&one, &[claim(5, 5, 9)]);
    assert_eq!(fits(&alignment), [Fit::Open]);
    assert_eq!(alignment.placed[0].expected, Sum { packets: 10, bytes: 1000 });
    let two = cells(&[(5, 10), (100, 10)]);
    assert_eq!(fits(&aligned(&two, &[claim(5, 5, 9), claim(100, 100, 10)])), [Fit::Open, Fit::Matched]);
}

#[test]
fn a_packet_that_moved_from_one_record_to_another_is_no_lag() {
    let cells = cells(&[(0, 2), (9, 2), (12, 2), (20, 2)]);
    let alignment = aligned(&cells, &[claim(0, 9, 5), claim(12, 20, 3)]);
    assert_eq!(fits(&alignment), [Fit::Open; 2], "{alignment:?}");
}

#[test]
fn a_record_that_is_a_packet_short_does_not_fit() {
    let cells = cells(&[(0, 3), (5, 1), (10, 2), (40, 2)]);
    // its last second could be divided, but nobody has the rest of it; nor of its first second
    let alignment = aligned(&cells, &[claim(0, 10, 5), claim(40, 40, 2)]);
    assert_eq!(fits(&alignment), [Fit::Open, Fit::Matched]);
    assert_eq!(alignment.placed[0].expected, Sum { packets: 6, bytes: 600 });
    assert!(alignment.runs.is_empty());
    // of records that touch, the one is short or the other
    let alignment = aligned(&cells, &[claim(0, 10, 5), claim(10, 40, 2)]);
    assert!(!alignment.is_clean() && fits(&alignment).contains(&Fit::Open));
    // another record has the rest
    assert!(aligned(&cells, &[claim(0, 10, 5), claim(10, 40, 3)]).is_clean());
}
