//! The work of aligning one flow.

use std::ops::Range;

use super::components::Component;
use super::{Alignment, Fit, LAG, Placed, Run, Sides, chain, lag, rank};
use crate::diff::cell::overlapping;
use crate::diff::{Cell, Claim, Sum, Tolerance};

/// Some of a component's records.
struct View {
    of: Of,
    claims: Vec<usize>,
}

/// What the records of a view have in common.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    All,
    Action,
    Interface,
}

/// The work on one flow.
pub(super) struct Aligner<'a> {
    sides: Sides<'a>,
    pub(super) alignment: Alignment,
    groups: usize,
}

impl<'a> Aligner<'a> {
    /// Nothing is placed yet.
    pub(super) fn new(sides: Sides<'a>) -> Aligner<'a> {
        let open = Placed { fit: Fit::Open, cells: 0..0, expected: Sum::ZERO };
        let alignment = Alignment {
            placed: vec![open; sides.claims.len()],
            runs: Vec::new(),
            cover: vec![0; sides.cells.len()],
        };
        Aligner { sides, alignment, groups: 0 }
    }

    /// Whether some record was not placed.
    pub(super) fn has_open(&self) -> bool {
        self.alignment.placed.iter().any(|placed| placed.fit == Fit::Open)
    }

    pub(super) fn cells(&self, range: &Range<usize>) -> &'a [Cell] {
        self.sides.cells.get(range.clone()).unwrap_or_default()
    }

    pub(super) fn claim(&self, index: usize) -> Option<&'a Claim> {
        self.sides.claims.get(index)
    }

    pub(super) fn claims(&self, indices: &[usize]) -> Vec<Claim> {
        indices.iter().filter_map(|index| self.claim(*index)).copied().collect()
    }

    /// Places a record for good.
    pub(super) fn place(&mut self, claim: usize, fit: Fit, cells: Range<usize>) {
        let Some(expected) = self.claim(claim).map(Claim::sum) else { return };
        self.alignment
            .cover
            .get_mut(cells.clone())
            .unwrap_or_default()
            .iter_mut()
            .for_each(|cover| *cover += 1);
        if let Some(placed) = self.alignment.placed.get_mut(claim) {
            *placed = Placed { fit, cells, expected };
        }
    }

    /// How times that are off by so much fit.
    pub(super) fn fit_of(&self, claim: &Claim, start: i64, end: i64) -> Fit {
        let duration = claim.start.abs_diff(claim.end);
        let Tolerance { start: start_delta, end: end_delta, .. } = self.sides.tolerance;
        let off =
            start.unsigned_abs() > start_delta.of(duration) || end.unsigned_abs() > end_delta.of(duration);
        if off { Fit::Times { start, end } } else { Fit::Matched }
    }

    /// The records that could together be what the cells are: all of them, or those of one action, or of one
    /// interface, where there are several.
    fn views(&self, claims: &Range<usize>) -> Vec<View> {
        let all: Vec<usize> = claims.clone().collect();
        let mut views = vec![View { of: Of::All, claims: all.clone() }];
        let mut by = |of: Of, what: &dyn Fn(&Claim) -> u32| {
            let mut kinds: Vec<u32> = self.claims(&all).iter().map(what).collect();
            kinds.sort_unstable();
            kinds.dedup();
            if kinds.len() > 1 {
                for kind in kinds {
                    let is_kind = |index: &usize| self.claim(*index).is_some_and(|claim| what(claim) == kind);
                    views.push(View { of, claims: all.iter().copied().filter(is_kind).collect() });
                }
            }
        };
        by(Of::Action, &|claim| claim.action.map_or(0, |action| action as u32 + 1));
        by(Of::Interface, &|claim| claim.interface);
        views
    }

    /// Whether some view of a component's records fits its cells; those records are placed then. Where one
    /// interface's records fit, another's may say the same once more.
    pub(super) fn solve(&mut self, component: &Component) -> bool {
        if component.claims.is_empty() || component.cells.is_empty() {
            return false;
        }
        let cells = self.cells(&component.cells);
        if !self.sides.joins_runs && cells.len() + component.claims.len() > 2 {
            return self.solve_records(component);
        }
        let mut solved = None;
        for view in self.views(&component.claims) {
            let claims = self.claims(&view.claims);
            if solved.is_some_and(|of| of != view.of) || !chain::fits(cells, &claims, self.sides.tolerance) {
                continue;
            }
            let is_off = |(claim, place): &(&Claim, &rank::Place)| {
                self.fit_of(claim, place.start, place.end) != Fit::Matched
            };
            // one record with wrong times; where several seem wrong, late packets have records of their own
            let in_turn = rank::in_turn(cells, &claims)
                .filter(|places| claims.iter().zip(places).filter(is_off).count() <= 1)
                .unwrap_or_default();
            for (place, (index, claim)) in view.claims.iter().zip(&claims).enumerate() {
                let (inside, start, end) = match in_turn.get(place) {
                    Some(place) => (place.cells.clone(), place.start, place.end),
                    None => {
                        let inside = overlapping(cells, claim.start, claim.end);
                        let ends =
                            cells.get(inside.clone()).and_then(|cells| cells.first().zip(cells.last()));
                        let Some((first, last)) = ends else { continue };
                        let off = |second: i64, of: i64| second.saturating_sub(of);
                        (inside, off(claim.start, first.start), off(claim.end, last.end))
                    }
                };
                let fit = match solved {
                    Some(_) => Fit::SeenTwice,
                    None => self.fit_of(claim, start, end),
                };
                let from = component.cells.start;
                self.place(*index, fit, from + inside.start..from + inside.end);
            }
            if view.of != Of::Interface {
                return true;
            }
            solved = Some(view.of);
        }
        solved.is_some()
    }

    /// The same for records against records, of which one side at least has several: they are the same one by one, or
    /// their totals are.
    fn solve_records(&mut self, component: &Component) -> bool {
        let cells = self.cells(&component.cells);
        let all: Vec<usize> = component.claims.clone().collect();
        let claims = self.claims(&all);
        let Tolerance { packets, bytes, .. } = self.sides.tolerance;
        let agree = |claimed: Sum, said: Sum| {
            packets.allows(claimed.packets, said.packets) && bytes.allows(claimed.bytes, said.bytes)
        };
        let off = |claim: &Claim, cell: &Cell| {
            (claim.start.saturating_sub(cell.start), claim.end.saturating_sub(cell.end))
        };
        // the same records one by one, as far apart as lag puts them
        let is_same = |(claim, cell): (&Claim, &Cell)| {
            let (start, end) = off(claim, cell);
            let fit = self.fit_of(claim, start, end);
            let lags = start.unsigned_abs() <= LAG + 1 && start.abs_diff(end) <= lag::SLACK;
            agree(claim.sum(), cell.sum()) && (fit == Fit::Matched || lags)
        };
        if cells.len() == claims.len() && claims.iter().zip(cells).all(is_same) {
            for ((index, claim), at) in component.claims.clone().zip(&claims).zip(component.cells.clone()) {
                let Some(cell) = self.sides.cells.get(at) else { continue };
                let (start, end) = off(claim, cell);
                self.place(index, self.fit_of(claim, start, end), at..at + 1);
            }
            return true;
        }
        agree(Claim::total(&claims), Sum::of(cells)) && self.split(component, &all, &claims)
    }

    /// Works on what lies between components that fit.
    pub(super) fn island(&mut self, island: Option<Component>) {
        let Some(island) = island else { return };
        if island.claims.is_empty() || island.cells.is_empty() {
            return;
        }
        if !self.balanced(&island) {
            self.place_from_both_ends(&island);
            let lagging = lag::search(self, &island);
            if self.loses_packets(&island) {
                lagging.into_iter().for_each(|claim| self.take_back(claim));
            }
        }
    }

    /// Whether an island's records are all placed and its cells all covered, and yet the totals differ: packets of a
    /// second that records share are then told nowhere.
    fn loses_packets(&self, island: &Component) -> bool {
        let placed = self.alignment.placed.get(island.claims.clone()).unwrap_or_default();
        let cover = self.alignment.cover.get(island.cells.clone()).unwrap_or_default();
        let is_told = |placed: &Placed| matches!(placed.fit, Fit::Matched | Fit::Times { .. });
        let counted = Claim::total(self.sides.claims.get(island.claims.clone()).unwrap_or_default());
        let Tolerance { packets, bytes, .. } = self.sides.tolerance;
        let total = Sum::of(self.cells(&island.cells));
        placed.iter().all(is_told)
            && cover.iter().all(|cover| *cover > 0)
            && !(packets.allows(counted.packets, total.packets) && bytes.allows(counted.bytes, total.bytes))
    }

    /// Opens a placed record again.
    fn take_back(&mut self, claim: usize) {
        let Some(placed) = self.alignment.placed.get_mut(claim) else { return };
        let covers = self.alignment.cover.get_mut(placed.cells.clone()).unwrap_or_default();
        covers.iter_mut().for_each(|cover| *cover = cover.saturating_sub(1));
        *placed = Placed { fit: Fit::Open, cells: 0..0, expected: Sum::ZERO };
    }

    /// Places the records of an island whose totals balance.
    pub(super) fn balanced(&mut self, island: &Component) -> bool {
        let cells = self.cells(&island.cells);
        let total = Sum::of(cells);
        for View { claims: view, .. } in self.views(&island.claims) {
            let claims = self.claims(&view);
            let sum = Claim::total(&claims);
            let Tolerance { packets, bytes, .. } = self.sides.tolerance;
            if sum.packets == 0
                || !packets.allows(sum.packets, total.packets)
                || !bytes.allows(sum.bytes, total.bytes)
            {
                continue;
            }
            let by_rank = rank::all(cells, &claims).filter(|places| self.fit_by_rank(&claims, places));
            let in_order: Option<lag::Places> =
                by_rank.as_ref().map(|places| places.iter().map(|place| place.cells.clone()).collect());
            let odd = |places: &lag::Places| lag::odd(cells, &claims, places);
            let is_near = |(claim, place): (&Claim, &rank::Place)| {
                self.fit_of(claim, place.start, place.end) == Fit::Matched
            };
            let all_near = by_rank.as_ref().is_some_and(|places| claims.iter().zip(places).all(is_near));
            let odd_in_order = if all_near { Some(0) } else { in_order.as_ref().map(odd) };
            if odd_in_order != Some(0)
                && let Some(places) = lag::assign(cells, &claims)
                && odd_in_order.is_none_or(|in_order| odd(&places) < in_order)
            {
                // records that lag past each other
                for ((index, claim), place) in view.iter().zip(&claims).zip(places) {
                    let ends = cells.get(place.clone()).and_then(|cells| cells.first().zip(cells.last()));
                    let Some((first, last)) = ends else { continue };
                    let fit = self.fit_of(claim, claim.start - first.start, claim.end - last.end);
                    self.place(*index, fit, island.cells.start + place.start..island.cells.start + place.end);
                }
                return true;
            }
            if let Some(places) = by_rank {
                for ((index, claim), place) in view.iter().zip(&claims).zip(places) {
                    let fit = self.fit_of(claim, place.start, place.end);
                    let from = island.cells.start;
                    self.place(*index, fit, from + place.cells.start..from + place.cells.end);
                }
                return true;
            }
            if self.split(island, &view, &claims) {
                return true;
            }
        }
        false
    }

    /// Whether places by rank are within the reach of lag. A second that two records share can be divided where a record
    /// is right, or lags as a whole; else a packet that was counted in the wrong record would pass for lag.
    fn fit_by_rank(&self, claims: &[Claim], places: &[rank::Place]) -> bool {
        let reach = |off: i64| off.unsigned_abs() <= LAG + 1;
        let fits = |(claim, place): (&Claim, &rank::Place)| {
            let is_near = self.fit_of(claim, place.start, place.end) == Fit::Matched;
            let lags_as_a_whole = place.start.abs_diff(place.end) <= lag::SLACK;
            let can_be_divided = is_near || lags_as_a_whole;
            reach(place.start) && reach(place.end) && (can_be_divided || place.is_whole())
        };
        claims.iter().zip(places).all(fits)
    }

    /// The same totals over other records, where every record meets cells.
    fn split(&mut self, island: &Component, view: &[usize], claims: &[Claim]) -> bool {
        let cells = self.cells(&island.cells);
        let meets = |claim: &Claim| !overlapping(cells, claim.start, claim.end).is_empty();
        let covered = |cell: &Cell| {
            claims.iter().any(|claim| {
                claim.start <= cell.end.saturating_add(1) && cell.start <= claim.end.saturating_add(1)
            })
        };
        let many = claims.len() > 1 || (!self.sides.joins_runs && cells.len() > 1);
        // packets have times of their own: only records whose seconds they share can be divided otherwise
        let is_apart = |pair: &[Claim]| matches!(pair, [a, b] if a.end < b.start);
        let is_apart = self.sides.joins_runs && claims.windows(2).any(is_apart);
        if !many || is_apart || !claims.iter().all(meets) || !cells.iter().all(covered) {
            return false;
        }
        for index in view {
            self.place(*index, Fit::Split(self.groups), island.cells.clone());
        }
        self.groups += 1;
        true
    }

    /// Places records by rank from the first and from the last, as long as counts and times fit to a second.
    fn place_from_both_ends(&mut self, island: &Component) {
        let cells = self.cells(&island.cells);
        let all: Vec<usize> = island.claims.clone().collect();
        let claims = self.claims(&all);
        let near = |place: &rank::Place| place.start.unsigned_abs() <= 1 && place.end.unsigned_abs() <= 1;
        let mut front = rank::from_front(cells, &claims, near);
        let (in_front, free) = claims.split_at(front.len());
        let mut back = rank::from_back(cells, free, near, Claim::total(in_front));
        rank::without_loose_ends(cells, &claims, &mut front, &mut back);
        let from = island.cells.start;
        let places = all.iter().zip(&claims).zip(front).chain(all.iter().zip(&claims).rev().zip(back));
        let places: Vec<_> = places.map(|((index, claim), place)| (*index, *claim, place)).collect();
        for (index, claim, place) in places {
            let fit = self.fit_of(&claim, place.start, place.end);
            self.place(index, fit, from + place.cells.start..from + place.cells.end);
        }
    }

    /// Gives open records the cells of their own span, and finds the runs.
    pub(super) fn finish(mut self) -> Alignment {
        let left = self.left_over();
        self.take_spans(left);
        let cells = self.sides.cells;
        let mut runs: Vec<Run> = Vec::new();
        for (index, (cell, cover)) in cells.iter().zip(&self.alignment.cover).enumerate() {
            if *cover > 0 {
                continue;
            }
            match runs.last_mut() {
                Some(run) if self.sides.joins_runs && run.cells.end == index => {
                    run.cells.end = index + 1;
                    run.sum = run.sum.plus(cell.sum());
                }
                _ => runs.push(Run { cells: index..index + 1, sum: cell.sum() }),
            }
        }
        if let [run] = runs.as_mut_slice()
            && !self.has_open()
        {
            run.sum = run.sum.plus(left);
        }
        self.alignment.runs = runs;
        self.alignment
    }

    /// What the placed records leave of their cells.
    fn left_over(&self) -> Sum {
        let covered = self.sides.cells.iter().zip(&self.alignment.cover).filter(|(_, cover)| **cover > 0);
        let covered = covered.fold(Sum::ZERO, |sum, (cell, _)| sum.plus(cell.sum()));
        let placed = self.alignment.placed.iter().zip(self.sides.claims);
        let counted = placed.filter(|(placed, _)| !matches!(placed.fit, Fit::Open | Fit::SeenTwice));
        covered.minus(Claim::total(counted.map(|(_, claim)| claim)))
    }

    /// Open records take the cells of their span that no placed record has. What placed records leave of a second
    /// that they share with one counts for it.
    fn take_spans(&mut self, left: Sum) {
        let placed = self.alignment.cover.clone();
        for index in 0..self.sides.claims.len() {
            let is_open = self.alignment.placed.get(index).is_some_and(|placed| placed.fit == Fit::Open);
            let Some(claim) = self.claim(index).copied().filter(|_| is_open) else { continue };
            let (mut own, mut shared) = (Sum::ZERO, Sum::ZERO);
            let mut range: Option<Range<usize>> = None;
            for at in overlapping(self.sides.cells, claim.start, claim.end) {
                let Some(cell) = self.sides.cells.get(at) else { continue };
                if !cell.is_inside(claim.start, claim.end) {
                    continue;
                }
                if placed.get(at) != Some(&0) {
                    shared = shared.plus(cell.sum());
                    continue;
                }
                own = own.plus(cell.sum());
                range = Some(range.map_or(at, |range| range.start)..at + 1);
                if let Some(cover) = self.alignment.cover.get_mut(at) {
                    *cover += 1;
                }
            }
            let rest = Sum { packets: left.packets.min(shared.packets), bytes: left.bytes.min(shared.bytes) };
            if let Some(placed) = self.alignment.placed.get_mut(index) {
                placed.cells = range.unwrap_or(0..0);
                placed.expected = own.plus(rest);
            }
        }
    }
}
