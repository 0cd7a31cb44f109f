//! Records that look for packets of their own counts within the reach of lag.

use super::components::Component;
use super::{Aligner, Fit, LAG};
use crate::diff::{Cell, Sum};

/// Places open records of an island on free cells that follow one another, hold exactly their counts, and begin and
/// end within the reach of lag; the nearest first.
pub(super) fn search(aligner: &mut Aligner<'_>, island: &Component) {
    let cells = aligner.cells(&island.cells);
    let first = island.cells.start;
    let mut before = Vec::with_capacity(cells.len() + 1);
    before.push(Sum::ZERO);
    for cell in cells {
        before.push(before.last().copied().unwrap_or_default().plus(cell.sum()));
    }
    for index in island.claims.clone() {
        if aligner.alignment.placed.get(index).is_none_or(|placed| placed.fit != Fit::Open) {
            continue;
        }
        let Some(claim) = aligner.claim(index).copied() else { continue };
        if claim.packets == 0 {
            continue;
        }
        let reach = i64::try_from(LAG).unwrap_or(i64::MAX) + 1;
        let from = cells.partition_point(|cell| cell.start < claim.start.saturating_sub(reach));
        let to = cells.partition_point(|cell| cell.start <= claim.start.saturating_add(reach));
        let mut best: Option<(u64, usize, usize)> = None;
        for at in from..to {
            let Some(wanted) = before.get(at).map(|sum| sum.plus(claim.sum())) else { continue };
            let end = before.partition_point(|sum| sum.packets < wanted.packets);
            let Some((begin, last)) = cells.get(at).zip(end.checked_sub(1).and_then(|last| cells.get(last)))
            else {
                continue;
            };
            if before.get(end) != Some(&wanted) || !is_free(aligner, first, at, end) {
                continue;
            }
            let off = off(claim.start, claim.end, begin, last);
            if let Some(off) = off
                && best.is_none_or(|(least, ..)| off < least)
            {
                best = Some((off, at, end));
            }
        }
        let Some((_, at, end)) = best else { continue };
        let Some((begin, last)) = cells.get(at).zip(end.checked_sub(1).and_then(|last| cells.get(last)))
        else {
            continue;
        };
        let fit = aligner.fit_of(&claim, claim.start - begin.start, claim.end - last.end);
        aligner.place(index, fit, first + at..first + end);
    }
}

/// How far off the times are, if within reach.
fn off(start: i64, end: i64, first: &Cell, last: &Cell) -> Option<u64> {
    let (start, end) = (start.abs_diff(first.start), end.abs_diff(last.end));
    (start <= LAG + 1 && end <= LAG + 1).then_some(start + end)
}

/// Whether no placed record has any of these cells.
fn is_free(aligner: &Aligner<'_>, first: usize, at: usize, end: usize) -> bool {
    let covers = aligner.alignment.cover.get(first + at..first + end);
    covers.is_some_and(|covers| covers.iter().all(|cover| *cover == 0))
}
