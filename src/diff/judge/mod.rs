//! What does not fit, and why: the causes, tried in their order.

mod absent;
mod edges;
mod elsewhere;
mod findings;
mod fits;
mod lost;
mod measures;
mod offload;
mod rest;
mod rules;
mod sampled;
mod twice;
mod words;

pub use sampled::LARGE_FLOW;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use super::align::{Alignment, Fit};
use super::cell::overlapping;
use super::compare::{CompareOptions, Duplicate};
use super::coverage::LogWindows;
use super::offset::ClockOffset;
use super::report::{Comparison, Kind};
use super::{Cause, Cell, Claim, FlowId, Sum};
use crate::flow::FlowKey;

/// Everything a judgement rests on.
pub(super) struct State<'a> {
    pub(super) flows: Vec<FlowState>,
    pub(super) options: &'a CompareOptions,
    pub(super) offset: ClockOffset,
    pub(super) witness_is_capture: bool,
    pub(super) witness_span: Option<(i64, i64)>,
    pub(super) witness_skipped: Vec<(i64, i64)>,
    /// Packets that the capture says it lost.
    pub(super) witness_lost: u64,
    pub(super) other_side: HashMap<FlowKey, Vec<Cell>>,
    pub(super) through: HashMap<FlowKey, BTreeSet<FlowKey>>,
    /// Flows whose packets need no record, but may be those of records under another name.
    pub(super) not_expected: HashSet<FlowKey>,
    pub(super) claims_are_log: bool,
    /// On the cells' clock.
    pub(super) claims_span: Option<(i64, i64)>,
    /// On the cells' clock.
    pub(super) claims_skipped: Vec<(i64, i64)>,
    pub(super) interfaces: Vec<String>,
    pub(super) settled_records: u64,
    pub(super) settled_flows: u64,
    pub(super) settled_large_flows: u64,
    /// Records with another action than the VPC's rules come to.
    pub(super) contradicted: HashSet<(FlowKey, u64)>,
    pub(super) witness_windows: LogWindows,
    pub(super) claims_windows: LogWindows,
    /// The addresses that all records of an interface have in common.
    pub(super) own_addresses: HashMap<u32, Vec<IpAddr>>,
    /// The share of the packets that is left, where they are sampled.
    pub(super) share: Option<f64>,
}

/// One flow on both sides.
pub(super) struct FlowState {
    id: FlowId,
    cells: Vec<Cell>,
    /// On the cells' clock.
    claims: Vec<Claim>,
    /// Records that stand in both logs alike.
    paired: Vec<Claim>,
    duplicates: Vec<Duplicate>,
    alignment: Alignment,
    /// Of each claim, once it is settled.
    claim_verdicts: Vec<Option<Settled>>,
    /// Of each run, once it is settled.
    run_verdicts: Vec<Option<Settled>>,
    /// Cells whose packets are in a record of another flow.
    taken: Vec<bool>,
}

/// What became of a record or a run.
#[derive(Clone, Debug)]
enum Settled {
    /// Both sides agree.
    Agrees,
    /// It lies outside the time that both sides cover.
    Outside,
    /// It differs.
    Differs(Box<Differs>),
    /// It is told with another record.
    ToldElsewhere,
}

/// A difference that has its cause.
#[derive(Clone, Debug)]
struct Differs {
    kind: Kind,
    cause: Cause,
    explained: bool,
    /// The evidence, as a sentence.
    detail: String,
    /// What the cells say, where they say something.
    said: Option<Cell>,
    /// The flows whose cells these are, if they are not its own.
    flows: Vec<FlowKey>,
}

impl Settled {
    fn differs(kind: Kind, cause: Cause, said: Option<Cell>, detail: String) -> Settled {
        Settled::Differs(Box::new(Differs {
            kind,
            cause,
            explained: cause.is_explained(),
            detail,
            said,
            flows: Vec::new(),
        }))
    }
}

impl FlowState {
    pub(super) fn new(
        id: FlowId,
        cells: Vec<Cell>,
        claims: Vec<Claim>,
        paired: Vec<Claim>,
        duplicates: Vec<Duplicate>,
        alignment: Alignment,
    ) -> FlowState {
        FlowState {
            claim_verdicts: vec![None; claims.len()],
            run_verdicts: vec![None; alignment.runs.len()],
            taken: vec![false; cells.len()],
            id,
            cells,
            claims,
            paired,
            duplicates,
            alignment,
        }
    }

    /// Whether records and cells come to different totals, by more than is allowed, and there are both.
    fn is_unbalanced(&self) -> bool {
        !self.claims.is_empty()
            && !self.alignment.is_clean()
            && !self.cells.is_empty()
            && Claim::total(&self.claims) != Sum::of(&self.cells)
    }

    /// Takes another alignment of the same records and cells.
    fn realign(&mut self, alignment: Alignment) {
        self.run_verdicts = vec![None; alignment.runs.len()];
        self.alignment = alignment;
    }

    /// The records that nothing fitted so far.
    fn open_claims(&self) -> Vec<usize> {
        let placed = self.alignment.placed.iter().zip(&self.claim_verdicts).enumerate();
        placed
            .filter(|(_, (placed, verdict))| placed.fit == Fit::Open && verdict.is_none())
            .map(|(index, _)| index)
            .collect()
    }

    /// The runs that nothing fitted so far, with the cells that are no other record's.
    fn open_runs(&self) -> Vec<usize> {
        let verdicts = self.run_verdicts.iter().enumerate();
        verdicts.filter(|(_, verdict)| verdict.is_none()).map(|(index, _)| index).collect()
    }

    /// The cells of a run that are no other record's.
    fn run_cells(&self, run: usize) -> Vec<Cell> {
        let Some(run) = self.alignment.runs.get(run) else { return Vec::new() };
        let cells = self.cells.get(run.cells.clone()).unwrap_or_default();
        let taken = self.taken.get(run.cells.clone()).unwrap_or_default();
        cells.iter().zip(taken).filter(|(_, taken)| !**taken).map(|(cell, _)| *cell).collect()
    }

    /// What a run comes to; `None` where other records have all of it.
    fn run_total(&self, run: usize) -> Option<Cell> {
        let cells = self.run_cells(run);
        let whole = self.alignment.runs.get(run)?;
        let mut total = Cell::joined(&cells)?;
        if cells.len() == whole.cells.len() {
            // with its part of the seconds that it shares with records
            (total.packets, total.bytes) = (whole.sum.packets, whole.sum.bytes);
        }
        Some(total)
    }

    /// Cells that fit nothing: those of open runs, and if asked those under open records.
    fn loose(&self, with_records: bool) -> Vec<usize> {
        let runs =
            self.open_runs().into_iter().filter_map(|run| Some(self.alignment.runs.get(run)?.cells.clone()));
        let mut loose: Vec<usize> = runs.flatten().collect();
        if with_records {
            let claims = self.open_claims().into_iter();
            loose.extend(
                claims.filter_map(|claim| Some(self.alignment.placed.get(claim)?.cells.clone())).flatten(),
            );
        }
        loose.sort_unstable();
        loose.dedup();
        loose.retain(|at| self.taken.get(*at) == Some(&false));
        loose
    }

    /// What the cells say for an open record: `None` where they have no packets for it.
    fn said(&self, claim: usize) -> Option<Cell> {
        let placed = self.alignment.placed.get(claim)?;
        let Sum { packets, bytes } = placed.expected;
        if packets == 0 {
            return None;
        }
        let joined = Cell::joined(self.cells.get(placed.cells.clone())?);
        // all of it may lie in seconds that other records have
        let near = joined.or_else(|| {
            let claim = self.claims.get(claim)?;
            self.cells.get(overlapping(&self.cells, claim.start, claim.end))?.first().copied()
        });
        Some(Cell { packets, bytes, ..near? })
    }

    fn settle_claim(&mut self, claim: usize, settled: Settled) {
        if let Some(verdict) = self.claim_verdicts.get_mut(claim) {
            *verdict = Some(settled);
        }
    }

    fn settle_run(&mut self, run: usize, settled: Settled) {
        if let Some(verdict) = self.run_verdicts.get_mut(run) {
            *verdict = Some(settled);
        }
    }
}

impl State<'_> {
    /// The kind of a record without packets.
    fn record_alone(&self) -> Kind {
        if self.options.witness_is_candidate { Kind::Missing } else { Kind::Extra }
    }

    /// The kind of packets without a record.
    fn packets_alone(&self) -> Kind {
        if self.options.witness_is_candidate { Kind::Extra } else { Kind::Missing }
    }

    /// The open records of all flows.
    fn open_claims(&self) -> Vec<(usize, usize)> {
        let flows = self.flows.iter().enumerate();
        flows
            .flat_map(|(flow, state)| state.open_claims().into_iter().map(move |claim| (flow, claim)))
            .collect()
    }

    /// The open runs of all flows.
    fn open_runs(&self) -> Vec<(usize, usize)> {
        let flows = self.flows.iter().enumerate();
        flows.flat_map(|(flow, state)| state.open_runs().into_iter().map(move |run| (flow, run))).collect()
    }

    /// Settles each open record for which the cause's arithmetic fits.
    fn for_open_claims(&mut self, judge: impl Fn(&Self, &FlowState, usize) -> Option<Settled>) {
        for (flow, claim) in self.open_claims() {
            let settled = self.flows.get(flow).and_then(|state| judge(self, state, claim));
            if let (Some(settled), Some(state)) = (settled, self.flows.get_mut(flow)) {
                state.settle_claim(claim, settled);
            }
        }
    }

    /// Settles each open run for which the cause's arithmetic fits, but those that need no record.
    fn for_open_runs(&mut self, judge: impl Fn(&Self, &FlowState, &Cell) -> Option<Settled>) {
        for (flow, run) in self.open_runs() {
            let expected = self.flows.get(flow).filter(|state| !self.not_expected.contains(&state.id.key));
            let settled = expected.and_then(|state| {
                let total = state.run_total(run)?;
                judge(self, state, &total)
            });
            if let (Some(settled), Some(state)) = (settled, self.flows.get_mut(flow)) {
                state.settle_run(run, settled);
            }
        }
    }
}

/// Gives everything that does not fit its cause.
pub(super) fn judge(mut state: State<'_>) -> Comparison {
    let state = &mut state;
    sampled::reopen(state);
    elsewhere::whole_flows_mirrored(state);
    measures::whole_flows(state);
    fits::settle(state);
    twice::settle(state);
    absent::never_logged(state);
    absent::skipdata(state);
    lost::with_lag(state);
    edges::settle(state);
    sampled::settle(state);
    offload::settle(state);
    absent::rejected_unseen(state);
    elsewhere::tunnelled(state);
    elsewhere::translated(state);
    elsewhere::late_reject(state);
    lost::settle(state);
    measures::frame_bytes(state);
    measures::captured_bytes(state);
    elsewhere::fragment_ports(state);
    elsewhere::reassembled(state);
    elsewhere::icmp_ports(state);
    elsewhere::direction_reversed(state);
    elsewhere::ports_swapped(state);
    elsewhere::addresses_exchanged(state);
    edges::within_a_second(state);
    rest::settle(state);
    findings::comparison(state)
}
