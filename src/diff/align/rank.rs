//! Packets by their rank: where records and packets balance, the k-th packet of the flow is the one that the records
//! count as the k-th.

use std::ops::Range;

use crate::diff::{Cell, Claim, Sum};

/// Where a record's packets are, and how far its times are from theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The record's `start` less the first packet's second.
    pub(super) start: i64,
    /// The record's `end` less the last packet's second.
    pub(super) end: i64,
    pub(super) cells: Range<usize>,
    /// What of its first cell comes before it.
    pub(super) before: Sum,
    /// What of its last cell comes after it.
    pub(super) after: Sum,
}

impl Place {
    /// Whether it begins and ends with whole cells.
    pub(super) fn is_whole(&self) -> bool {
        self.before == Sum::ZERO && self.after == Sum::ZERO
    }
}

/// A place for every record in turn, or `None` where the bytes do not come out.
pub(super) fn all(cells: &[Cell], claims: &[Claim]) -> Option<Vec<Place>> {
    let places = from_front(cells, claims, |_| true);
    (places.len() == claims.len()).then_some(places)
}

/// Places for records some of which overlap by more than the second they touch in: one interface writes the records of
/// a flow in turn, so their packets do not mix, and times that say otherwise are wrong. `None` where none overlap, where
/// they are of several interfaces or actions, or where the bytes do not come out.
pub(super) fn in_turn(cells: &[Cell], claims: &[Claim]) -> Option<Vec<Place>> {
    let first = claims.first()?;
    let mut latest = first.end;
    let overlaps = claims.windows(2).any(|pair| {
        let [before, claim] = pair else { return false };
        latest = latest.max(before.end);
        let is_moment = claim.start == claim.end || before.start == before.end;
        claim.start < latest || (claim.start == latest && is_moment)
    });
    let are_of_one =
        claims.iter().all(|claim| (claim.interface, claim.action) == (first.interface, first.action));
    if overlaps && are_of_one { all(cells, claims) } else { None }
}

/// Places from the first record on, as long as they fit and are wanted.
pub(super) fn from_front(cells: &[Cell], claims: &[Claim], wanted: impl Fn(&Place) -> bool) -> Vec<Place> {
    let ranks = Ranks::new(cells);
    let mut before = Sum::ZERO;
    let mut places = Vec::new();
    for claim in claims {
        let Some(place) = ranks.place(cells, claim, before).filter(&wanted) else { break };
        places.push(place);
        before = before.plus(claim.sum());
    }
    places
}

/// Places from the last record on, backwards, without the packets in front that others have.
pub(super) fn from_back(
    cells: &[Cell],
    claims: &[Claim],
    wanted: impl Fn(&Place) -> bool,
    in_front: Sum,
) -> Vec<Place> {
    let ranks = Ranks::new(cells);
    let mut left = Sum::of(cells);
    let mut places = Vec::new();
    for claim in claims.iter().rev() {
        let taken = in_front.plus(claim.sum());
        if taken.packets > left.packets || taken.bytes > left.bytes {
            break;
        }
        left = left.minus(claim.sum());
        let Some(place) = ranks.place(cells, claim, left).filter(&wanted) else { break };
        places.push(place);
    }
    places
}

/// Takes back the innermost places that leave a part of a second to nobody: neither to a record that is not placed, nor to
/// a run of packets without a record. Somebody should have counted that part, so the record is not right. `front` are
/// places of the first records, `back` those of the last, backwards.
pub(super) fn without_loose_ends(
    cells: &[Cell],
    claims: &[Claim],
    front: &mut Vec<Place>,
    back: &mut Vec<Place>,
) {
    let sum = |cells: Option<&[Cell]>| cells.map_or(Sum::ZERO, Sum::of);
    loop {
        let behind = claims.len().saturating_sub(back.len());
        let open = claims.get(front.len()..behind).unwrap_or_default();
        let meets = |cell: &Cell, slack: i64| {
            open.iter().any(|claim| {
                claim.start <= cell.end.saturating_add(slack) && cell.start <= claim.end.saturating_add(slack)
            })
        };
        // the seconds between the places
        let free = front.last().map_or(0, |place| place.cells.end)
            ..back.last().map_or(cells.len(), |place| place.cells.start);
        let is_taken = |shared: usize, next: Option<usize>| {
            let is_run = next.filter(|next| free.contains(next)).and_then(|next| cells.get(next));
            is_run.is_some_and(|cell| !meets(cell, 0)) || cells.get(shared).is_some_and(|cell| meets(cell, 1))
        };
        if let Some(Place { cells: Range { end, .. }, .. }) = front.last()
            && sum(cells.get(..*end)) != Claim::total(claims.iter().take(front.len()))
            && !is_taken(end.saturating_sub(1), Some(*end))
        {
            front.pop();
        } else if let Some(Place { cells: Range { start, .. }, .. }) = back.last()
            && sum(cells.get(*start..)) != Claim::total(claims.iter().skip(behind))
            && !is_taken(*start, start.checked_sub(1))
        {
            back.pop();
        } else {
            return;
        }
    }
}

/// The packets and bytes in front of each cell, and behind the last.
struct Ranks(Vec<Sum>);

impl Ranks {
    fn new(cells: &[Cell]) -> Ranks {
        let mut sums = Vec::with_capacity(cells.len() + 1);
        let mut sum = Sum::ZERO;
        sums.push(sum);
        sums.extend(cells.iter().map(|cell| {
            sum = sum.plus(cell.sum());
            sum
        }));
        Ranks(sums)
    }

    /// The cell of the k-th packet, from 0.
    fn cell_of(&self, packet: u64) -> usize {
        self.0.partition_point(|sum| sum.packets <= packet).saturating_sub(1)
    }

    /// The place of a record in front of which so much was counted.
    fn place(&self, cells: &[Cell], claim: &Claim, before: Sum) -> Option<Place> {
        let last_packet = before.packets.checked_add(claim.packets)?.checked_sub(1)?;
        if claim.packets == 0 || last_packet >= self.0.last()?.packets {
            return None;
        }
        let (first, last) = (self.cell_of(before.packets), self.cell_of(last_packet));
        let bytes_fit = |at: usize, sum: Sum| {
            let (from, to) = (self.0.get(at)?, self.0.get(at + 1)?);
            // a cell that is not divided has no choice
            let fits = match sum.packets {
                packets if packets == from.packets => sum.bytes == from.bytes,
                packets if packets == to.packets => sum.bytes == to.bytes,
                _ => from.bytes <= sum.bytes && sum.bytes <= to.bytes,
            };
            fits.then_some(())
        };
        let through = before.plus(claim.sum());
        bytes_fit(first, before)?;
        bytes_fit(last, through)?;
        let (from, to) = (cells.get(first)?, cells.get(last)?);
        let is_first = self.0.get(first)?.packets == before.packets;
        let is_last = self.0.get(last + 1)?.packets == last_packet + 1;
        Some(Place {
            start: distance(claim.start, from.start, if is_first { from.start } else { from.end }),
            end: distance(claim.end, if is_last { to.end } else { to.start }, to.end),
            cells: first..last + 1,
            before: before.minus(*self.0.get(first)?),
            after: self.0.get(last + 1)?.minus(through),
        })
    }
}

/// How far a second lies from the nearest of `from..=to`.
fn distance(second: i64, from: i64, to: i64) -> i64 {
    second.saturating_sub(second.clamp(from, to.max(from)))
}
