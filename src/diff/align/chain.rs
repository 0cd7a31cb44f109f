//! Whether records that share seconds can have the counts they claim.
//!
//! Packets in a second that only one record covers are that record's. Of a second that two records share, either may
//! have any part, so each record in turn says what it leaves to the next: a range, because the first shared second may
//! have been divided in many ways. A record whose count lies outside what it can have does not fit, however the
//! shared seconds are divided.

use crate::diff::{Cell, Claim, Sum, Tolerance};

/// Whether the records can have their counts, and all packets a record.
pub(super) fn fits(cells: &[Cell], claims: &[Claim], tolerance: &Tolerance) -> bool {
    let total = Sum::of(cells);
    let sum = Claim::total(claims);
    let allowed = |number: fn(&Claim) -> u64, delta: crate::diff::Delta| {
        claims.iter().fold(0u64, |all, claim| all.saturating_add(delta.of(number(claim))))
    };
    if claims.is_empty()
        || sum.packets.abs_diff(total.packets) > allowed(|claim| claim.packets, tolerance.packets)
        || sum.bytes.abs_diff(total.bytes) > allowed(|claim| claim.bytes, tolerance.bytes)
    {
        return false;
    }
    let Some(shares) = shares(cells, claims) else {
        // a cell that is wider than a record can be divided in any way: with one record there is no other
        return claims.len() == 1 && cells.len() == 1;
    };
    let (mut packets, mut bytes) = (Left::NOTHING, Left::NOTHING);
    for (claim, share) in claims.iter().zip(&shares) {
        let takes_packets = packets.take(
            claim.packets,
            tolerance.packets.of(claim.packets),
            share.own.packets,
            share.with_next.packets,
            share.others.packets,
        );
        let takes_bytes = bytes.take(
            claim.bytes,
            tolerance.bytes.of(claim.bytes),
            share.own.bytes,
            share.with_next.bytes,
            share.others.bytes,
        );
        if !takes_packets || !takes_bytes {
            return false;
        }
    }
    true
}

/// What of the cells can be one record's.
#[derive(Clone, Copy, Default)]
struct Share {
    /// In seconds that only it covers.
    own: Sum,
    /// In seconds that only it and the next record cover.
    with_next: Sum,
    /// In seconds that it shares in any other way.
    others: Sum,
}

/// Each record's share; `None` where a cell lies only partly in a record.
fn shares(cells: &[Cell], claims: &[Claim]) -> Option<Vec<Share>> {
    let mut shares = vec![Share::default(); claims.len()];
    let mut active: Vec<usize> = Vec::new();
    let mut next = 0;
    for cell in cells {
        while let Some(claim) = claims.get(next)
            && claim.start <= cell.end
        {
            active.push(next);
            next += 1;
        }
        active.retain(|index| claims.get(*index).is_some_and(|claim| claim.end >= cell.start));
        let inside =
            |index: &usize| claims.get(*index).is_some_and(|claim| cell.is_inside(claim.start, claim.end));
        if !active.iter().all(inside) {
            return None;
        }
        match active.as_slice() {
            // no record covers it: the sums would not be equal
            [] => return None,
            [alone] => add(&mut shares, *alone, |share| &mut share.own, cell),
            [first, second] if *second == *first + 1 => {
                add(&mut shares, *first, |share| &mut share.with_next, cell);
            }
            many => many.iter().for_each(|index| add(&mut shares, *index, |share| &mut share.others, cell)),
        }
    }
    Some(shares)
}

fn add(shares: &mut [Share], index: usize, part: fn(&mut Share) -> &mut Sum, cell: &Cell) {
    if let Some(share) = shares.get_mut(index) {
        let sum = part(share);
        *sum = sum.plus(cell.sum());
    }
}

/// How much the record before left of the seconds shared with it: at least and at most.
#[derive(Clone, Copy)]
struct Left {
    least: i128,
    most: i128,
}

impl Left {
    const NOTHING: Left = Left { least: 0, most: 0 };

    /// Takes a record's count; `false` where it cannot have it.
    fn take(&mut self, count: u64, delta: u64, own: u64, with_next: u64, others: u64) -> bool {
        let (count, delta) = (i128::from(count), i128::from(delta));
        let (own, with_next, others) = (i128::from(own), i128::from(with_next), i128::from(others));
        // what it takes of the seconds shared with the next: the rest of its count
        let least = (count - delta - own - others - self.most).max(0);
        let most = (count + delta - own - self.least).min(with_next);
        *self = Left { least: with_next - most, most: with_next - least };
        least <= most
    }
}
