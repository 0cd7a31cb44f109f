//! Records that have everything in common but their times, and the packets that the VPC would count into them.

use std::collections::BTreeMap;

use super::super::screen::agrees;
use crate::diff::{Cell, Claim, Sum, Tolerance};
use crate::flow::FlowKey;
use crate::pipeline::vpc::Sight;

/// Records of one name, interface, direction and action, and what the packets come to.
pub(super) struct Group {
    /// Each record once.
    pub(super) claims: Vec<Claim>,
    /// How often each record is there.
    pub(super) copies: usize,
    /// Whether records overlap.
    is_odd: bool,
    pub(super) packets: Counted,
    /// Packets that would be in these records if the rules came to the other action.
    pub(super) others: Counted,
    /// The flows of packets that are counted into them.
    pub(super) flows: Vec<usize>,
}

impl Group {
    pub(super) fn new(mut claims: Vec<Claim>) -> Group {
        claims.sort_by_key(|claim| (claim.start, claim.end, claim.packets, claim.bytes));
        let copies = claims.chunk_by(|a, b| a.says_the_same(b)).map(<[Claim]>::len).max().unwrap_or(0);
        let all = claims.len();
        claims.dedup_by(|later, first| later.says_the_same(first));
        let is_in_turn = |pair: &[Claim]| matches!(pair, [a, b] if a.start < b.start && a.end <= b.start);
        Group {
            is_odd: claims.len() * copies != all || !claims.windows(2).all(is_in_turn),
            copies,
            claims,
            packets: Counted::default(),
            others: Counted::default(),
            flows: Vec::new(),
        }
    }

    pub(super) fn fits(&self, key: &FlowKey, tolerance: &Tolerance) -> bool {
        let cells = self.packets.cells();
        let sum = Sum::of(&cells);
        let legs = &self.packets.legs;
        let is_once_a_leg = self.copies == legs.len() && legs.iter().all(|leg| leg.sum == sum);
        !self.is_odd && !self.packets.is_odd && is_once_a_leg && agrees(tolerance, key, &cells, &self.claims)
    }

    /// The records that count packets with the other action: with them, and only with them, they agree.
    pub(super) fn contradicted(&self) -> impl Iterator<Item = &Claim> {
        let spans = self.claims.iter().enumerate().filter(|(at, claim)| {
            let own = self.packets.spans.get(at).map_or(Sum::ZERO, Cell::sum);
            let others = self.others.spans.get(at).filter(|cell| cell.packets > 0);
            others.is_some_and(|cell| own.plus(cell.sum()) == claim.sum())
        });
        spans.map(|(_, claim)| claim)
    }
}

/// Packets counted into the records of a group.
#[derive(Default)]
pub(super) struct Counted {
    /// The packets in each record's span alone, of the first leg.
    spans: BTreeMap<usize, Cell>,
    /// Those of a second that a record shares with the next.
    shared: BTreeMap<i64, Cell>,
    /// Where packets passed that are in such records. A log that does not name interfaces, or directions, has a copy of
    /// each record for each of them.
    legs: Vec<Leg>,
    /// Whether some packet is in no record.
    is_odd: bool,
}

/// An interface that packets passed one way.
struct Leg {
    owner: Option<String>,
    egress: bool,
    sum: Sum,
}

impl Counted {
    /// Counts packets into these records.
    pub(super) fn count(&mut self, sight: &Sight<'_>, claims: &[Claim]) {
        let cell = cell(sight);
        let is_leg = |leg: &Leg| leg.owner.as_deref() == sight.owner && leg.egress == sight.egress;
        let leg = self.legs.iter().position(is_leg).unwrap_or_else(|| {
            let owner = sight.owner.map(str::to_owned);
            self.legs.push(Leg { owner, egress: sight.egress, sum: Sum::ZERO });
            self.legs.len() - 1
        });
        if let Some(leg) = self.legs.get_mut(leg) {
            leg.sum = leg.sum.plus(cell.sum());
        }
        if leg > 0 {
            return;
        }
        let Some(at) = record_of(claims, cell.start) else {
            self.is_odd = true;
            return;
        };
        let ends = claims.get(at).is_some_and(|claim| claim.end == cell.start);
        let is_shared = ends && claims.get(at + 1).is_some_and(|next| next.start == cell.start);
        let empty = Cell { packets: 0, bytes: 0, ..cell };
        let place = match is_shared {
            true => self.shared.entry(cell.start).or_insert(empty),
            false => self.spans.entry(at).or_insert(empty),
        };
        place.add(&cell);
    }

    fn cells(&self) -> Vec<Cell> {
        let mut cells: Vec<Cell> = self.spans.values().chain(self.shared.values()).copied().collect();
        cells.sort_by_key(|cell| (cell.start, cell.end));
        cells
    }
}

/// The first record with a second.
pub(super) fn record_of(claims: &[Claim], second: i64) -> Option<usize> {
    let at = claims.partition_point(|claim| claim.end < second);
    claims.get(at).filter(|claim| claim.start <= second).map(|_| at)
}

fn cell(sight: &Sight<'_>) -> Cell {
    let second = sight.counters.first.seconds();
    Cell {
        start: second,
        end: second,
        packets: sight.counters.packets,
        bytes: sight.counters.bytes,
        tcp_flags: Some(sight.counters.tcp_flags),
        ..Cell::default()
    }
}
