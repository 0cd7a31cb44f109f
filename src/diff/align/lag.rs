//! Records that look for packets of their own counts within the reach of lag.

use std::ops::Range;

use super::aligner::Aligner;
use super::components::Component;
use super::{Fit, LAG};
use crate::diff::cell::overlapping;
use crate::diff::{Cell, Claim, Sum};
use crate::packet::TcpFlags;

/// Places open records of an island on free cells that follow one another, hold exactly their counts, and begin and
/// end within the reach of lag; the best first. Returns the records that were placed.
pub(super) fn search(aligner: &mut Aligner<'_>, island: &Component) -> Vec<usize> {
    let cells = aligner.cells(&island.cells);
    let first = island.cells.start;
    let mut found = Vec::new();
    let mut before = Vec::with_capacity(cells.len() + 1);
    before.push(Sum::ZERO);
    for cell in cells {
        before.push(before.last().copied().unwrap_or_default().plus(cell.sum()));
    }
    let mut looks = MOST_LOOKS;
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
        let mut best: Option<(Off, usize, usize)> = None;
        looks = looks.saturating_sub(to.saturating_sub(from));
        if looks == 0 {
            // more records in the same seconds than traffic has; what is not looked for is told as it is
            break;
        }
        for at in from..to {
            let Some(wanted) = before.get(at).map(|sum| sum.plus(claim.sum())) else { continue };
            let end = before.partition_point(|sum| sum.packets < wanted.packets);
            if before.get(end) != Some(&wanted) || !is_free(aligner, first, at, end) {
                continue;
            }
            // totals do not vouch for it, so its duration and flags have to
            let off = cells.get(at..end).and_then(|cells| Off::new(&claim, cells));
            let off = off.filter(|off| !off.by_flags && !off.by_duration);
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

/// How many places of an island are looked at in search of packets.
const MOST_LOOKS: usize = 5_000_000;

/// How many records are tried at the places of an island.
const BUDGET: usize = 100_000;

/// How many records an island may have for that.
const MOST: usize = 2000;

/// Where records of an island are: each one's first cell, and the one behind its last.
pub(super) type Places = Vec<Range<usize>>;

/// Finds places for all records of an island whose totals balance, in whatever order they lag into, that hold exactly
/// their counts.
pub(super) fn assign(cells: &[Cell], claims: &[Claim]) -> Option<Places> {
    if claims.len() > MOST {
        return None;
    }
    let mut search = Search { cells, claims, used: vec![false; claims.len()], budget: BUDGET };
    let mut found = Vec::with_capacity(claims.len());
    if !search.place_from(0, &mut found) {
        return None;
    }
    let mut places = vec![0..0; claims.len()];
    for (index, at, end) in found {
        if let Some(place) = places.get_mut(index) {
            *place = at..end;
        }
    }
    Some(places)
}

/// How many records have another duration or other flags than the cells in their places.
pub(super) fn odd(cells: &[Cell], claims: &[Claim], places: &[Range<usize>]) -> usize {
    let off = |(claim, place): (&Claim, &Range<usize>)| Off::new(claim, cells.get(place.clone())?);
    let is_odd = |off: Option<Off>| off.is_none_or(|off| off.by_flags || off.by_duration);
    claims.iter().zip(places).map(off).filter(|off| is_odd(*off)).count()
}

/// A search for a record for the next cells, and so on, with going back.
struct Search<'a> {
    cells: &'a [Cell],
    claims: &'a [Claim],
    used: Vec<bool>,
    budget: usize,
}

impl Search<'_> {
    /// Places records from a cell on: the record's place, its first cell, and the one behind its last.
    fn place_from(&mut self, at: usize, places: &mut Vec<(usize, usize, usize)>) -> bool {
        if at == self.cells.len() {
            return places.len() == self.claims.len();
        }
        let mut fitting: Vec<(Off, usize, usize)> = Vec::new();
        for (index, claim) in self.claims.iter().enumerate() {
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
            let off = self.cells.get(at..=end).and_then(|cells| Off::new(claim, cells));
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

/// How much `start` of one record may lag more or less than its `end`, in seconds.
pub(super) const SLACK: u64 = 2;

/// How far off a record's times and flags are from cells, the least being the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Off {
    /// Whether the record has other TCP flags than they.
    by_flags: bool,
    /// Whether it takes more or less time than they: `start` and `end` lag alike, or nearly so.
    by_duration: bool,
    /// By how many seconds `start` and `end` are off, together.
    seconds: u64,
}

impl Off {
    /// `None` beyond the reach of lag.
    fn new(claim: &Claim, cells: &[Cell]) -> Option<Off> {
        let (first, last) = cells.first().zip(cells.last())?;
        let (start, end) = (claim.start.abs_diff(first.start), claim.end.abs_diff(last.end));
        let flags = cells.iter().try_fold(TcpFlags(0), |flags, cell| Some(flags | cell.tcp_flags?));
        let duration = |from: i64, to: i64| from.abs_diff(to);
        (start <= LAG + 1 && end <= LAG + 1).then(|| Off {
            by_flags: claim.tcp_flags.zip(flags).is_some_and(|(flags, others)| flags != others),
            by_duration: duration(claim.start, claim.end).abs_diff(duration(first.start, last.end)) > SLACK,
            seconds: start + end,
        })
    }
}

/// Whether no placed record has any of these cells.
fn is_free(aligner: &Aligner<'_>, first: usize, at: usize, end: usize) -> bool {
    let covers = aligner.alignment.cover.get(first + at..first + end);
    covers.is_some_and(|covers| covers.iter().all(|cover| *cover == 0))
}
