//! Records whose span lies over other records of their flow: which of the packets there can be their own.

use std::ops::Range;

use crate::diff::cell::overlapping;
use crate::diff::{Cell, Claim, Delta, Sum, Tolerance};

/// How many other records are looked at: spans over more are left alone.
const MOST: usize = 1000;

/// How often packets are added up at most.
const MOST_LOOKS: usize = 1_000_000;

/// Records that fit together, and their cells.
pub(super) struct Spans<'a> {
    cells: &'a [Cell],
    claims: &'a [Claim],
    /// How many records' spans each cell lies in.
    covers: Vec<u32>,
}

impl<'a> Spans<'a> {
    /// `None` where no two records have a second in common, or counts may differ: then there is nothing to find.
    pub(super) fn new(cells: &'a [Cell], claims: &'a [Claim], tolerance: &Tolerance) -> Option<Spans<'a>> {
        let mut latest = i64::MIN;
        let meets = |claim: &Claim| {
            let meets = claim.start <= latest;
            latest = latest.max(claim.end);
            meets
        };
        if tolerance.packets != Delta::Absolute(0) || claims.len() < 2 || !claims.iter().any(meets) {
            return None;
        }
        let mut changes = vec![0i64; cells.len() + 1];
        let mut change = |at: usize, by: i64| {
            if let Some(change) = changes.get_mut(at) {
                *change += by;
            }
        };
        for claim in claims {
            let inside = overlapping(cells, claim.start, claim.end);
            change(inside.start, 1);
            change(inside.end, -1);
        }
        let mut cover = 0;
        let covers = changes.iter().take(cells.len()).map(|change| {
            cover += change;
            u32::try_from(cover).unwrap_or(0)
        });
        Some(Spans { cells, claims, covers: covers.collect() })
    }

    /// The cells in a record's span, from the first to the last that can hold packets of its own; `None` if all can.
    pub(super) fn own(&self, claim: &Claim, inside: Range<usize>) -> Option<Range<usize>> {
        if claim.start == claim.end {
            return None;
        }
        self.alone(claim, inside.clone()).or_else(|| self.beside_nested(claim, inside))
    }

    /// Where the cells that no other record covers hold all of its packets, it has none in the others.
    fn alone(&self, claim: &Claim, inside: Range<usize>) -> Option<Range<usize>> {
        let covers = self.covers.get(inside.clone())?;
        let cells = self.cells.get(inside.clone())?;
        let mut own: Option<Range<usize>> = None;
        let mut packets = 0u64;
        for ((at, cell), _) in inside.zip(cells).zip(covers).filter(|(_, cover)| **cover == 1) {
            own = Some(own.map_or(at, |own| own.start)..at + 1);
            packets = packets.saturating_add(cell.packets);
        }
        own.filter(|_| packets == claim.packets)
    }

    /// Where all packets from some second on belong to records that lie wholly behind it, it ended before.
    fn beside_nested(&self, claim: &Claim, inside: Range<usize>) -> Option<Range<usize>> {
        let from = self.claims.partition_point(|other| other.start < claim.start);
        let to = self.claims.partition_point(|other| other.start <= claim.end);
        let near = self.claims.get(from..to).filter(|near| near.len() > 1 && near.len() <= MOST)?;
        let span = |claim: &Claim| (claim.start, claim.end);
        let nested: Vec<&Claim> =
            near.iter().filter(|other| other.end <= claim.end && span(other) != span(claim)).collect();
        if nested.is_empty() {
            return None;
        }
        let cells =
            self.cells.get(inside.clone()).filter(|cells| cells.len() * nested.len() <= MOST_LOOKS)?;
        let of_others = |is_within: &dyn Fn(&Claim) -> bool| {
            Claim::total(nested.iter().copied().filter(|other| is_within(other))).packets
        };
        let has_own =
            |part: &[Cell], is_within: &dyn Fn(&Claim) -> bool| Sum::of(part).packets > of_others(is_within);
        // a packet of its own in some cell leaves one less to the others in every stretch around that cell
        let from_here = |at: &usize| {
            let part = cells.get(*at..).unwrap_or_default();
            part.first().is_some_and(|first| has_own(part, &|other| other.start >= first.start))
        };
        let up_to_here = |at: &usize| {
            let part = cells.get(..=*at).unwrap_or_default();
            part.last().is_some_and(|last| has_own(part, &|other| other.end <= last.end))
        };
        let last = (0..cells.len()).take_while(from_here).last()?;
        let first = (0..cells.len()).rev().take_while(up_to_here).last()?;
        // a record of one packet has one second
        let last = if claim.packets == 1 { first } else { last };
        Some(inside.start + first..inside.start + last.max(first) + 1)
    }
}
