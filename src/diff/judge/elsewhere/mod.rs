//! The same packets under another name: records that fit the cells of another flow.
//!
//! Open records are aligned with cells of other flows that fit nothing where they are. Counts and times must be
//! equal; cells that a record has found are then no longer missing where they were.

mod action;
mod fragments;
mod icmp;
mod mirrored;
mod translated;
mod tunnels;

pub(super) use action::{late_reject, other_action};
pub(super) use fragments::{fragment_ports, reassembled};
pub(super) use icmp::icmp_ports;
pub(super) use mirrored::{addresses_exchanged, direction_reversed, ports_swapped, whole_flows_mirrored};
pub(super) use translated::translated;
pub(super) use tunnels::tunnelled;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Differs, Settled, State};
use crate::diff::align::{Fit, Sides, align};
use crate::diff::report::Kind;
use crate::diff::{Cause, Cell, Claim, FlowId};
use crate::flow::FlowKey;

/// Flows, and places among their cells.
type Sources = Vec<(usize, usize)>;

/// Cells of other flows, second by second, and where they came from.
#[derive(Default)]
struct Gathered {
    cells: Vec<Cell>,
    /// What each cell is made of.
    sources: Vec<Sources>,
}

/// A record that fits gathered cells.
struct Found {
    claim: usize,
    said: Cell,
    sources: Sources,
}

impl State<'_> {
    /// The flows' places, to find them by their key.
    fn places(&self) -> HashMap<FlowId, usize> {
        self.flows.iter().enumerate().map(|(at, flow)| (flow.id, at)).collect()
    }

    /// Cells of several flows as those of one.
    fn gather(&self, from: &[(usize, Vec<usize>)]) -> Gathered {
        let mut by_second: BTreeMap<(i64, i64), (Cell, Sources)> = BTreeMap::new();
        for (flow, cells) in from {
            let Some(state) = self.flows.get(*flow) else { continue };
            for at in cells {
                let Some(cell) = state.cells.get(*at) else { continue };
                by_second
                    .entry((cell.start, cell.end))
                    .and_modify(|(sum, sources)| {
                        sum.add(cell);
                        sources.push((*flow, *at));
                    })
                    .or_insert_with(|| (*cell, vec![(*flow, *at)]));
            }
        }
        let (cells, sources) = by_second.into_values().unzip();
        Gathered { cells, sources }
    }

    /// A flow's cells that fit nothing, those under open records too.
    fn gather_loose(&self, flow: usize) -> Gathered {
        let loose = self.flows.get(flow).map(|flow| flow.loose(true)).unwrap_or_default();
        self.gather(&[(flow, loose)])
    }

    /// Which of a flow's records fit these cells, in counts and times.
    fn fitting(&self, flow: usize, claims: &[usize], gathered: &Gathered) -> Vec<Found> {
        let Some(state) = self.flows.get(flow) else { return Vec::new() };
        let records: Vec<Claim> =
            claims.iter().filter_map(|claim| state.claims.get(*claim)).copied().collect();
        if records.is_empty() || gathered.cells.is_empty() {
            return Vec::new();
        }
        let alignment = align(Sides {
            cells: &gathered.cells,
            claims: &records,
            tolerance: &self.options.tolerance,
            joins_runs: self.witness_is_capture,
        });
        let matched = alignment.placed.iter().zip(claims).zip(&records);
        matched
            .filter(|((placed, _), _)| placed.fit == Fit::Matched)
            .filter_map(|((placed, claim), record)| {
                let joined = Cell::joined(gathered.cells.get(placed.cells.clone())?)?;
                let said = Cell { packets: record.packets, bytes: record.bytes, ..joined };
                let sources = gathered.sources.get(placed.cells.clone())?.concat();
                Some(Found { claim: *claim, said, sources })
            })
            .collect()
    }

    /// Settles records that were found to be another flow's packets.
    fn settle_found(&mut self, flow: usize, found: Vec<Found>, settle: impl Fn(&Found) -> Differs) {
        for found in found {
            for (of, at) in &found.sources {
                if let Some(taken) = self.flows.get_mut(*of).and_then(|flow| flow.taken.get_mut(*at)) {
                    *taken = true;
                }
            }
            let mut differs = settle(&found);
            let flows = found.sources.iter().filter_map(|(of, _)| Some(self.flows.get(*of)?.id.key));
            let flows: BTreeSet<FlowKey> = differs.flows.drain(..).chain(flows).collect();
            differs.flows = flows.into_iter().collect();
            if let Some(flow) = self.flows.get_mut(flow) {
                flow.settle_claim(found.claim, Settled::Differs(Box::new(differs)));
            }
        }
    }

    /// The open records of a flow for which its own cells say nothing.
    fn homeless(&self, flow: usize) -> Vec<usize> {
        let Some(state) = self.flows.get(flow) else { return Vec::new() };
        state.open_claims().into_iter().filter(|claim| state.said(*claim).is_none()).collect()
    }
}

/// The same packets under another identity.
fn identity(cause: Cause, said: Cell, detail: String) -> Differs {
    Differs {
        kind: Kind::Identity,
        cause,
        explained: cause.is_explained(),
        detail,
        said: Some(said),
        flows: Vec::new(),
    }
}
