//! The comparison: flow by flow first, then what does not fit across flows.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use super::align::{Alignment, Sides, align};
use super::judge::{self, FlowState, State};
use super::offset::{ClockOffset, OffsetVotes};
use super::report::Comparison;
use super::{Cell, Claim, Claims, Surroundings, Tolerance, Witness};
use crate::flow::UnloggedTraffic;

/// How two sides are compared.
#[derive(Clone, Debug, Default)]
pub struct CompareOptions {
    /// What numbers may differ by.
    pub tolerance: Tolerance,
    /// What AWS never logs.
    pub unlogged: UnloggedTraffic,
    /// The VPC around the traffic, where it is described.
    pub vpc: Option<Arc<dyn Surroundings>>,
    /// Whether the candidate bears witness, and the reference makes the claims.
    pub witness_is_candidate: bool,
}

/// Compares the two sides. The clock offset is estimated, unless it is known already.
pub fn compare(
    witness: Witness,
    mut claims: Claims,
    options: &CompareOptions,
    offset: Option<ClockOffset>,
) -> Comparison {
    let mut pairs: BTreeMap<_, (Vec<Cell>, Vec<Claim>)> = BTreeMap::new();
    let Witness { flows, is_capture, span, skipped, lost, windows, other_side, through, not_expected } =
        witness;
    for (id, mut cells) in flows {
        cells.sort_by_key(|cell| (cell.start, cell.end, cell.line));
        pairs.entry(id).or_default().0 = cells;
    }
    for (id, mut records) in std::mem::take(&mut claims.flows) {
        records.sort_by_key(|claim| (claim.start, claim.end, claim.line));
        pairs.entry(id).or_default().1 = records;
    }
    let offset = offset.unwrap_or_else(|| clock_offset(&pairs, span));
    let shift = offset.shift;
    let earlier = |(start, end): (i64, i64)| (start.saturating_sub(shift), end.saturating_sub(shift));
    let flows = pairs.into_iter().map(|(id, (mut cells, records))| {
        let mut claims: Vec<Claim> = records.into_iter().map(|claim| claim.earlier(shift)).collect();
        let paired = if is_capture { Vec::new() } else { pair_equal(&mut cells, &mut claims) };
        let (claims, duplicates, alignment) =
            without_duplicates(&cells, claims, &paired, &options.tolerance, is_capture);
        FlowState::new(id, cells, claims, paired, duplicates, alignment)
    });
    let state = State {
        flows: flows.collect(),
        options,
        offset,
        witness_is_capture: is_capture,
        witness_span: span,
        witness_skipped: skipped,
        witness_lost: lost,
        other_side,
        through,
        not_expected,
        claims_are_log: claims.is_log,
        claims_span: claims.span.map(earlier),
        claims_skipped: claims.skipped.into_iter().map(earlier).collect(),
        interfaces: claims.interfaces,
        settled_records: claims.settled_records,
        settled_flows: claims.settled_flows,
        settled_large_flows: claims.settled_large_flows,
        contradicted: claims.contradicted,
        witness_windows: windows,
        claims_windows: claims.windows,
        own_addresses: claims.own_addresses,
        share: None,
    };
    judge::judge(state)
}

/// The offset that many flows agree on.
fn clock_offset<K>(pairs: &BTreeMap<K, (Vec<Cell>, Vec<Claim>)>, span: Option<(i64, i64)>) -> ClockOffset {
    let mut votes = OffsetVotes::default();
    for (cells, claims) in pairs.values() {
        votes.flow(cells, claims, span.unwrap_or_default());
    }
    votes.offset()
}

/// What a record says, so that equal ones are found.
type Saying = (i64, i64, u64, u64);

/// Takes out the records that stand in both logs alike, each once; returns those of the claims.
fn pair_equal(cells: &mut Vec<Cell>, claims: &mut Vec<Claim>) -> Vec<Claim> {
    let mut by_saying: HashMap<Saying, VecDeque<usize>> = HashMap::new();
    for (at, claim) in claims.iter().enumerate() {
        let saying = (claim.start, claim.end, claim.packets, claim.bytes);
        by_saying.entry(saying).or_default().push_back(at);
    }
    let mut is_paired = vec![false; claims.len()];
    cells.retain(|cell| {
        let flags_agree =
            |at: &usize| match (claims.get(*at).and_then(|claim| claim.tcp_flags), cell.tcp_flags) {
                (Some(flags), Some(others)) => flags == others,
                _ => true,
            };
        let equal = by_saying.get_mut(&(cell.start, cell.end, cell.packets, cell.bytes));
        let found = equal.and_then(|equal| equal.pop_front_if(|at| flags_agree(at)));
        if let Some(is_paired) = found.and_then(|at| is_paired.get_mut(at)) {
            *is_paired = true;
        }
        found.is_none()
    });
    let (paired, left): (Vec<_>, Vec<_>) =
        claims.drain(..).zip(is_paired).partition(|(_, is_paired)| *is_paired);
    claims.extend(left.into_iter().map(|(claim, _)| claim));
    paired.into_iter().map(|(claim, _)| claim).collect()
}

/// Whether two logs say the same of a flow, each record of one standing for one of the other.
pub fn agree(cells: &[Cell], claims: &[Claim]) -> bool {
    if cells.len() != claims.len() {
        return false;
    }
    let (mut cells, mut claims) = (cells.to_vec(), claims.to_vec());
    pair_equal(&mut cells, &mut claims);
    cells.is_empty() && claims.is_empty()
}

/// A record that stands twice in a log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Duplicate {
    /// The later one.
    pub(super) claim: Claim,
    /// The earlier one's line.
    pub(super) of_line: u64,
    /// The earlier one's interface.
    pub(super) of_interface: u32,
}

/// Aligns a flow without its duplicate records, unless they fit as they are.
fn without_duplicates(
    cells: &[Cell],
    claims: Vec<Claim>,
    paired: &[Claim],
    tolerance: &Tolerance,
    joins_runs: bool,
) -> (Vec<Claim>, Vec<Duplicate>, Alignment) {
    let aligned = |claims: &[Claim]| align(Sides { cells, claims, tolerance, joins_runs });
    let mut once: Vec<Claim> = Vec::with_capacity(claims.len());
    let mut duplicates: Vec<Duplicate> = Vec::new();
    let saying = |claim: &Claim| {
        let flags = claim.tcp_flags.map(|flags| flags.0);
        (claim.start, claim.end, claim.packets, claim.bytes, flags, claim.action)
    };
    let mut said: HashMap<_, Claim> = paired.iter().map(|claim| (saying(claim), *claim)).collect();
    for claim in &claims {
        match said.entry(saying(claim)) {
            Entry::Occupied(first) => duplicates.push(Duplicate {
                claim: *claim,
                of_line: first.get().line,
                of_interface: first.get().interface,
            }),
            Entry::Vacant(place) => {
                place.insert(*claim);
                once.push(*claim);
            }
        }
    }
    if !duplicates.is_empty() {
        let alignment = aligned(&claims);
        if alignment.is_clean() {
            return (claims, Vec::new(), alignment);
        }
    }
    let alignment = aligned(&once);
    (once, duplicates, alignment)
}
