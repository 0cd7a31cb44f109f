//! Records that look for packets of their own counts within the reach of lag.

use super::aligner::Aligner;
use super::components::Component;
use super::{Fit, LAG};
use crate::diff::cell::overlapping;
use crate::diff::{Cell, Claim, Sum};

/// Places open records of an island on free cells that follow one another, hold exactly their counts, and begin and
/// end within the reach of lag; the nearest first. Returns the records that were placed.
pub(super) fn search(aligner: &mut Aligner<'_>, island: &Component) -> Vec<usize> {
    let cells = aligner.cells(&island.cells);
    let first = island.cells.start;
    let mut found = Vec::new();
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
        let own = cells.get(overlapping(cells, claim.start, claim.end)).unwrap_or_default();
        if own.first().is_some_and(|cell| cell.start == claim.start)
            && own.last().is_some_and(|cell| cell.end == claim.end)
        {
            // its own times are right, so its counts are wrong
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
        found.push(index);
    }
    found
}

/// How many records are tried at the places of an island.
const BUDGET: usize = 100_000;

/// How many records an island may have for that.
const MOST: usize = 2000;

/// Places all records of an island whose totals balance on its cells one after another, in whatever order they lag
/// into; `false` where that cannot be done.
pub(super) fn assign(aligner: &mut Aligner<'_>, island: &Component, view: &[usize]) -> bool {
    if view.len() > MOST {
        return false;
    }
    let cells = aligner.cells(&island.cells);
    let claims: Vec<(usize, Claim)> = view.iter().copied().zip(aligner.claims(view)).collect();
    let mut search = Search { cells, claims: &claims, used: vec![false; claims.len()], budget: BUDGET };
    let mut places = Vec::with_capacity(claims.len());
    if !search.place_from(0, &mut places) {
        return false;
    }
    for (index, at, end) in places {
        let Some((claim, first, last)) = claims
            .get(index)
            .and_then(|(_, claim)| Some((claim, cells.get(at)?, cells.get(end.checked_sub(1)?)?)))
        else {
            continue;
        };
        let fit = aligner.fit_of(claim, claim.start - first.start, claim.end - last.end);
        let from = island.cells.start;
        aligner.place(view.get(index).copied().unwrap_or_default(), fit, from + at..from + end);
    }
    true
}

/// A search for a record for the next cells, and so on, with going back.
struct Search<'a> {
    cells: &'a [Cell],
    claims: &'a [(usize, Claim)],
    used: Vec<bool>,
    budget: usize,
}

impl Search<'_> {
    /// Places records from a cell on: the record's place, its first cell, and the one behind its last.
    fn place_from(&mut self, at: usize, places: &mut Vec<(usize, usize, usize)>) -> bool {
        if at == self.cells.len() {
            return places.len() == self.claims.len();
        }
        let mut fitting: Vec<(u64, usize, usize)> = Vec::new();
        for (index, (_, claim)) in self.claims.iter().enumerate() {
            self.budget = match self.budget.checked_sub(1) {
                Some(budget) => budget,
                None => return false,
            };
            if self.used.get(index) != Some(&false) {
                continue;
            }
            let Some(first) = self.cells.get(at) else { return false };
            let reach = i64::try_from(LAG).unwrap_or(i64::MAX) + 1;
            if claim.start > first.start.saturating_add(reach) {
                // the records are in order of their start
                break;
            }
            let mut sum = Sum::ZERO;
            let end = self.cells.get(at..).unwrap_or_default().iter().position(|cell| {
                sum = sum.plus(cell.sum());
                sum.packets >= claim.packets
            });
            let Some(end) = end.map(|end| at + end).filter(|_| sum == claim.sum()) else { continue };
            let off = self.cells.get(end).and_then(|last| off(claim.start, claim.end, first, last));
            fitting.extend(off.map(|off| (off, index, end + 1)));
        }
        fitting.sort_unstable();
        for (_, index, end) in fitting {
            self.mark(index, true);
            places.push((index, at, end));
            if self.place_from(end, places) {
                return true;
            }
            places.pop();
            self.mark(index, false);
        }
        false
    }

    fn mark(&mut self, index: usize, used: bool) {
        if let Some(mark) = self.used.get_mut(index) {
            *mark = used;
        }
    }
}

/// How far off the times are, if within reach.
fn off(start: i64, end: i64, first: &Cell, last: &Cell) -> Option<u64> {
    let (start, end) = (start.abs_diff(first.start), end.abs_diff(last.end));
    // out of reach the sum may be more than can be held
    (start <= LAG + 1 && end <= LAG + 1).then(|| start + end)
}

/// Whether no placed record has any of these cells.
fn is_free(aligner: &Aligner<'_>, first: usize, at: usize, end: usize) -> bool {
    let covers = aligner.alignment.cover.get(first + at..first + end);
    covers.is_some_and(|covers| covers.iter().all(|cover| *cover == 0))
}
