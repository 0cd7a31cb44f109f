//! One flow's records against what the other side says of it: which record stands for which cells.
//!
//! 1. [`components`]: records and cells that share seconds, directly or through others, belong together. A component
//!    whose sums are equal, and in which every record can have its count, fits ([`chain`]).
//! 2. Between components that fit lie islands that do not. In one whose totals balance, the k-th packet belongs to
//!    the record in which it is counted k-th ([`rank`]): that gives each record the times it should have, which are
//!    a second off where clocks differ by a fraction, and up to a minute off where the log lags. Where the totals do
//!    not balance, the same is done from either end, as far as it goes.
//! 3. What is left looks for cells of its own counts within the reach of lag ([`lag`]).
//! 4. Records that still fit nothing keep the cells in their own span; cells that no record has are runs.

mod aligner;
mod chain;
mod components;
mod lag;
mod rank;
#[cfg(test)]
mod tests;

use std::ops::Range;

use super::{Cell, Claim, Sum, Tolerance};
use crate::packet::TcpFlags;
use aligner::Aligner;
use components::Component;

/// AWS's times may be this many seconds off ("Flow log records", `start` and `end`).
pub const LAG: u64 = 60;

/// How a record stands to the cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Counts and times are right.
    Matched,
    /// Counts are right; `start` and `end` are off by so many seconds, the record's less the cells'.
    Times {
        /// By how much `start` is off.
        start: i64,
        /// By how much `end` is off.
        end: i64,
    },
    /// The totals of the records and cells around it are equal, though its own are not. The number is that of the
    /// group.
    Split(usize),
    /// The same cells fit the records of another interface.
    SeenTwice,
    /// It fits nothing.
    Open,
}

/// Where a record was placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// How it fits.
    pub fit: Fit,
    /// The cells that hold its packets; for an open one those in its span that nothing else has.
    pub cells: Range<usize>,
    /// What the other side says for it: counts of its cells without what others have of them.
    pub expected: Sum,
}

/// Cells without a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Which.
    pub cells: Range<usize>,
    /// Their counts, without what a record in their first or last second has of them.
    pub sum: Sum,
}

/// The outcome for one flow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alignment {
    /// Each record, in their order.
    pub placed: Vec<Placed>,
    /// What no record covers, in order.
    pub runs: Vec<Run>,
    /// How many records hold packets of each cell.
    cover: Vec<u32>,
}

impl Alignment {
    /// Of cells that no record of their flow is about.
    pub fn without_records(cells: &[Cell], claims: usize, joins_runs: bool) -> Alignment {
        let sides = Sides { cells, claims: &[], tolerance: &Tolerance::default(), joins_runs };
        let open = Placed { fit: Fit::Open, cells: 0..0, expected: Sum::ZERO };
        Alignment { placed: vec![open; claims], ..align(sides) }
    }

    /// With the records alone that are matched; each other one is given the cells of its span.
    pub fn only_matched(&self, sides: Sides<'_>) -> Alignment {
        let mut aligner = Aligner::new(sides);
        for (index, placed) in self.placed.iter().enumerate().filter(|(_, placed)| placed.fit == Fit::Matched)
        {
            aligner.place(index, Fit::Matched, placed.cells.clone());
        }
        aligner.finish()
    }

    /// Whether every record is matched and every cell has a record.
    pub fn is_clean(&self) -> bool {
        self.runs.is_empty() && self.placed.iter().all(|placed| placed.fit == Fit::Matched)
    }

    /// The TCP flags that a record must have, and those that it may have, by its cells. `None` where the cells do
    /// not say.
    pub fn flag_bounds(
        &self,
        cells: &[Cell],
        placed: &Placed,
        of: impl Fn(&Cell) -> Option<TcpFlags>,
    ) -> Option<(TcpFlags, TcpFlags)> {
        let (mut must, mut may) = (TcpFlags(0), TcpFlags(0));
        let covers = self.cover.get(placed.cells.clone())?;
        for (cell, cover) in cells.get(placed.cells.clone())?.iter().zip(covers) {
            let flags = of(cell)?;
            may |= flags;
            if *cover <= 1 {
                must |= flags;
            }
        }
        Some((must, may))
    }
}

/// What is compared: the cells of one flow on one side, its records on the other, both in order of time.
#[derive(Clone, Copy)]
pub struct Sides<'a> {
    /// In order of their start.
    pub cells: &'a [Cell],
    /// In order of their start, then their end.
    pub claims: &'a [Claim],
    /// What is allowed.
    pub tolerance: &'a Tolerance,
    /// Whether a run of cells is one thing (a capture's packets) or each cell is (a log's records).
    pub joins_runs: bool,
}

/// Places every record.
pub fn align(sides: Sides<'_>) -> Alignment {
    let components = components::components(sides);
    let mut aligner = Aligner::new(sides);
    let mut island: Option<Component> = None;
    for component in &components {
        if aligner.solve(component) {
            aligner.island(island.take());
        } else {
            let from = island.take().unwrap_or_else(|| component.clone());
            island = Some(from.through(component));
        }
    }
    aligner.island(island);
    if aligner.has_open() && Claim::total(sides.claims) == Sum::of(sides.cells) {
        // a component may have fitted by chance, so that what is left cannot fit
        let mut whole = Aligner::new(sides);
        let all = Component { claims: 0..sides.claims.len(), cells: 0..sides.cells.len() };
        if !sides.claims.is_empty() && whole.balanced(&all) && !whole.has_open() {
            aligner = whole;
        }
    }
    aligner.finish()
}

/// Whether every record fits its own span exactly, and every cell has a record: no rank and no lag needed. Cells may
/// take more than a second here, as long as each lies in one record or in one second.
pub fn fits_exactly(sides: Sides<'_>) -> Option<Alignment> {
    let mut aligner = Aligner::new(sides);
    let all_fit = components::components(sides).iter().all(|component| aligner.solve(component));
    let alignment = aligner.finish();
    (all_fit && alignment.is_clean()).then_some(alignment)
}

/// How far each record's `start` is from the packet that is its first by rank, in seconds; `None` where the records
/// cannot be those of the cells.
pub fn first_places(cells: &[Cell], claims: &[Claim]) -> Option<Vec<i64>> {
    Some(rank::all(cells, claims)?.into_iter().map(|place| place.start).collect())
}
