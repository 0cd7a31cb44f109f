//! Records whose span holds other records of their flow.

use std::ops::Range;

use crate::diff::{Cell, Claim, Delta, Sum, Tolerance};

/// How many other records are looked at: spans over more are left alone.
const MOST: usize = 1000;

/// How often packets are added up at most.
const MOST_LOOKS: usize = 1_000_000;

/// The first and the last cell in a record's span that can hold packets of its own: where all packets from some second
/// on belong to records that lie wholly behind it, the record ended before. `None` if its span holds no
/// other record, or counts may differ.
pub(super) fn ends<'a>(
    cells: &'a [Cell],
    claims: &[Claim],
    claim: &Claim,
    inside: Range<usize>,
    tolerance: &Tolerance,
) -> Option<(&'a Cell, &'a Cell)> {
    let exact = Delta::Absolute(0);
    if claim.start == claim.end || tolerance.packets != exact {
        return None;
    }
    let from = claims.partition_point(|other| other.start < claim.start);
    let to = claims.partition_point(|other| other.start <= claim.end);
    let near = claims.get(from..to).filter(|near| near.len() > 1 && near.len() <= MOST)?;
    let span = |claim: &Claim| (claim.start, claim.end);
    let nested: Vec<&Claim> =
        near.iter().filter(|other| other.end <= claim.end && span(other) != span(claim)).collect();
    if nested.is_empty() {
        return None;
    }
    let cells = cells.get(inside).filter(|cells| cells.len() * nested.len() <= MOST_LOOKS)?;
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
    cells.get(first).zip(cells.get(last))
}
