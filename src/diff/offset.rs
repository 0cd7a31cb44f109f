//! How far the two sides' clocks are apart.
//!
//! A flow whose packets and records balance tells it: its k-th packet has a time on either side. Flows that would fit
//! many offsets are left out: those whose records all say the same, and, where there are others, those that reach the
//! first or last second, of which more may lie outside. The offset is believed if half of the flows agree on it to a
//! second; of less than ten flows three in four have to, of three all.

use std::collections::BTreeMap;

use super::align::first_places;
use super::{Cell, Claim, Sum};

/// What the flows say of the clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClockOffset {
    /// The records' clock less the cells', in seconds; tenths are estimated.
    pub seconds: f64,
    /// The same in whole seconds, to be taken from the records' times.
    pub shift: i64,
    /// How many flows agree on it.
    pub flows: u64,
}

/// Gathers what flows say.
#[derive(Debug, Default)]
pub struct OffsetVotes {
    /// Seconds → flows, of flows inside the time that the cells cover.
    inner: BTreeMap<i64, u64>,
    /// The same of all flows.
    all: BTreeMap<i64, u64>,
}

/// How many flows have to agree at least.
const FEWEST: u64 = 2;

impl OffsetVotes {
    /// Takes a flow's vote, if it has one; cells and records are in order of time. `span` is the first and last second of all cells.
    pub fn flow(&mut self, cells: &[Cell], claims: &[Claim], span: (i64, i64)) {
        let (Some(first), Some(last)) = (cells.first(), cells.last()) else { return };
        let mut once = claims.to_vec();
        once.dedup_by(|later, earlier| later.says_the_same(earlier));
        let claims = once.as_slice();
        // bytes may be counted in another way; packets alone give the ranks
        let cells: Vec<Cell> = cells.iter().map(|cell| Cell { bytes: cell.packets, ..*cell }).collect();
        let claims: Vec<Claim> =
            claims.iter().map(|claim| Claim { bytes: claim.packets, ..*claim }).collect();
        let (cells, claims) = (cells.as_slice(), claims.as_slice());
        let sum = Claim::total(claims);
        let is_periodic =
            |claims: &[Claim]| claims.windows(2).all(|pair| matches!(pair, [a, b] if a.sum() == b.sum()));
        if sum != Sum::of(cells) || sum.packets == 0 || (claims.len() > 1 && is_periodic(claims)) {
            return;
        }
        let Some(mut places) = first_places(cells, claims) else { return };
        places.sort_unstable();
        // at the ends of what can be held it is further, nobody knows how far
        let is_held = |vote: &&i64| ![i64::MIN, i64::MAX].contains(*vote);
        let Some(vote) = places.get(places.len() / 2).filter(is_held) else { return };
        *self.all.entry(*vote).or_default() += 1;
        if first.start > span.0.saturating_add(1) && last.end < span.1.saturating_sub(1) {
            *self.inner.entry(*vote).or_default() += 1;
        }
    }

    /// The offset on which most flows agree; none where they do not.
    pub fn offset(&self) -> ClockOffset {
        let votes = if self.inner.values().sum::<u64>() >= FEWEST { &self.inner } else { &self.all };
        let total: u64 = votes.values().sum();
        // two neighbouring seconds, because a fraction of a second shows as either
        let agreeing = |second: i64| {
            let of = |second: i64| votes.get(&second).copied().unwrap_or(0);
            (of(second), of(second.saturating_add(1)))
        };
        let Some((second, (here, next))) = votes
            .keys()
            .flat_map(|second| [*second, second.saturating_sub(1)])
            .map(|second| (second, agreeing(second)))
            .max_by_key(|(second, (here, next))| {
                (here + next, *here, std::cmp::Reverse(second.unsigned_abs()))
            })
        else {
            return ClockOffset::default();
        };
        let flows = here + next;
        // of few flows more must agree: two of them may lag alike by chance
        let enough = match total {
            0..=3 => total,
            4..=9 => (total * 3).div_ceil(4),
            _ => total.div_ceil(2),
        };
        if flows < FEWEST.max(enough) {
            return ClockOffset::default();
        }
        // `second` is small enough for an exact conversion wherever an offset makes sense
        let share = next as f64 / flows as f64;
        let share = if share < 0.1 {
            0.0
        } else if share > 0.9 {
            1.0
        } else {
            (share * 10.0).round() / 10.0
        };
        let shift = if share < 0.5 { second } else { second.saturating_add(1) };
        ClockOffset { seconds: ((second as f64 + share) * 10.0).round() / 10.0, shift, flows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(start: i64, off: i64, packets: u64) -> (Vec<Cell>, Vec<Claim>) {
        let cell = Cell { start, end: start, packets, bytes: packets * 60, ..Cell::default() };
        let claim = Claim {
            start: start + off,
            end: start + off,
            packets,
            bytes: packets * 60,
            tcp_flags: None,
            action: None,
            interface: 0,
            line: 1,
            first_packet: 0,
        };
        (vec![cell], vec![claim])
    }

    fn offset(flows: &[(i64, i64, u64)]) -> ClockOffset {
        let mut votes = OffsetVotes::default();
        for (start, off, packets) in flows {
            let (cells, claims) = flow(*start, *off, *packets);
            votes.flow(&cells, &claims, (0, 1000));
        }
        votes.offset()
    }

    #[test]
    fn many_flows_tell_the_offset() {
        let found = offset(&[(10, 37, 1), (20, 37, 2), (30, 37, 3), (40, 12, 4)]);
        assert_eq!((found.seconds, found.shift, found.flows), (37.0, 37, 3));
        assert_eq!(offset(&[(10, -3600, 1), (20, -3600, 2)]).shift, -3600);
    }

    #[test]
    fn a_fraction_shows_as_two_seconds() {
        let found = offset(&[(10, 0, 1), (20, 1, 2), (30, 0, 3), (40, 1, 4), (50, 0, 4)]);
        assert_eq!((found.seconds, found.shift), (0.4, 0));
    }

    #[test]
    fn lag_is_no_offset() {
        assert_eq!(offset(&[(10, 3, 1), (20, 17, 2), (30, 31, 3), (40, 58, 4), (50, 44, 9)]).flows, 0);
        assert_eq!(offset(&[(10, 30, 1)]), ClockOffset::default());
    }

    #[test]
    fn flows_at_the_edges_do_not_count_beside_others() {
        let found = offset(&[(0, 300, 1), (0, 300, 2), (1000, 300, 3), (20, 0, 4), (30, 0, 5)]);
        assert_eq!(found.shift, 0);
    }

    #[test]
    fn periodic_flows_do_not_count() {
        let mut votes = OffsetVotes::default();
        for port in 0..5 {
            let minutes = |first: i64| (0..5).map(move |minute| first + minute * 60 + port);
            let cells: Vec<Cell> = minutes(10).flat_map(|start| flow(start, 0, 5).0).collect();
            let claims: Vec<Claim> = minutes(70).flat_map(|start| flow(start, 0, 5).1).collect();
            votes.flow(&cells, &claims, (0, 1000));
        }
        assert_eq!(votes.offset(), ClockOffset::default());
    }
}
