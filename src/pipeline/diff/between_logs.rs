//! Logs compared with logs.

use super::again::Logs;
use super::flow_index::FlowIndex;
use super::log_flows::LogFlows;
use super::log_side::{Addresses, Identities, LogSide};
use super::{LogInput, SideSummary, Work};
use crate::diff::{Cell, Claim, Claims, Comparison, FlowId, OffsetVotes, Witness, agree};
use crate::flow::FlowKey;
use crate::record::LogFormat;

/// What is left to be compared once flows that agree are settled.
#[derive(Default)]
struct Open {
    witness: Witness,
    claims: Claims,
    reference_flows: u64,
    candidate_flows: u64,
}

/// What both logs say of a flow.
type Both = (FlowId, Vec<Cell>, Vec<Claim>);

/// One share of both logs.
struct Share<'a, I> {
    reference: &'a LogFlows,
    candidate: &'a LogFlows,
    /// What has to be equal.
    id: I,
}

impl<I: Fn(FlowId) -> FlowId> Share<'_, I> {
    /// Calls `each` with the flows under one key, the same in either direction of time.
    fn for_each(&self, mut each: impl FnMut(&FlowKey, Vec<Both>)) {
        let (reference, candidate) = (self.reference, self.candidate);
        for (flow, key) in reference.flows() {
            let other = candidate.index().find(key, candidate.index().hash(key));
            let cells = reference.cells(flow, &self.id);
            let claims = other.map(|other| candidate.claims(other, &self.id)).unwrap_or_default();
            each(key, both(cells, claims));
        }
        for (flow, key) in candidate.flows() {
            if reference.index().find(key, reference.index().hash(key)).is_none() {
                each(key, both(Vec::new(), candidate.claims(flow, &self.id)));
            }
        }
    }
}

/// Brings together what is under the same identity on both sides.
fn both(cells: Vec<(FlowId, Vec<Cell>)>, claims: Vec<(FlowId, Vec<Claim>)>) -> Vec<Both> {
    let mut flows: Vec<Both> = cells.into_iter().map(|(id, cells)| (id, cells, Vec::new())).collect();
    for (id, claims) in claims {
        match flows.iter_mut().find(|(other, ..)| *other == id) {
            Some((.., place)) => *place = claims,
            None => flows.push((id, Vec::new(), claims)),
        }
    }
    flows
}

impl Open {
    /// Takes the flows of a share that do not agree, or whose reverse does not: what one direction says bears on the
    /// other.
    fn take<I: Fn(FlowId) -> FlowId>(&mut self, share: &Share<'_, I>, may_settle: bool) {
        self.reference_flows += share.reference.with_records();
        self.candidate_flows += share.candidate.with_records();
        let mut differing = FlowIndex::default();
        share.for_each(|key, flows| {
            if !may_settle || flows.iter().any(|(_, cells, claims)| !agree(cells, claims)) {
                differing.number(key);
            }
        });
        let differs = |key: &FlowKey| differing.find(key, differing.hash(key)).is_some();
        share.for_each(|key, flows| {
            let is_open = differs(key) || differs(&key.reversed());
            for (id, cells, claims) in flows {
                if is_open {
                    if !cells.is_empty() {
                        self.witness.flows.insert(id, cells);
                    }
                    if !claims.is_empty() {
                        self.claims.flows.insert(id, claims);
                    }
                } else {
                    self.claims.settled_flows += 1;
                    self.claims.settled_records += claims.len() as u64;
                }
            }
        });
    }
}

impl Work<'_> {
    /// Compares logs with logs.
    pub(super) fn logs(
        &mut self,
        (reference, reference_format): (Vec<LogInput>, Option<&LogFormat>),
        (candidate, candidate_format): (Vec<LogInput>, Option<&LogFormat>),
    ) -> (Comparison, SideSummary, SideSummary) {
        let (mut reference, mut candidate) = (Logs::from(reference), Logs::from(candidate));
        let mut identities = Identities::default();
        let budget = self.budget() / 2;
        let mut sides = [
            self.read_logs(&mut reference, reference_format, &mut identities, LogSide::within(budget)),
            self.read_logs(&mut candidate, candidate_format, &mut identities, LogSide::within(budget)),
        ];
        let [one, other] = &sides;
        let with_action = one.facts.has_actions() && other.facts.has_actions();
        let with_interface = one.facts.shares_interfaces(&other.facts);
        let id = |id: FlowId| FlowId {
            action: id.action.filter(|_| with_action),
            interface: if with_interface { id.interface } else { 0 },
            key: id.key,
        };
        let of_packets = one.facts.has_packet_addresses() && other.facts.has_packet_addresses();
        let addresses = if of_packets { Addresses::OfPackets } else { Addresses::OfInterface };
        let shares = one.partition.finer(other.partition);
        let facts = sides.each_mut().map(|side| std::mem::take(&mut side.facts));
        let mut read = Some(sides.map(|side| side.by(addresses))).filter(|_| shares.is_whole());
        let mut open = Open::default();
        let mut clocks = None;
        for partition in shares.all() {
            let [one, other] = read.take().unwrap_or_else(|| {
                let side = || LogSide::of(partition, addresses);
                [
                    self.read_logs(&mut reference, reference_format, &mut identities, side()),
                    self.read_logs(&mut candidate, candidate_format, &mut identities, side()),
                ]
            });
            let share = Share { reference: &one.into_flows().0, candidate: &other.into_flows().0, id };
            let offset = *clocks.get_or_insert_with(|| {
                let mut votes = OffsetVotes::default();
                let span = facts[0].span.unwrap_or_default();
                share.for_each(|_, flows| {
                    flows.iter().for_each(|(_, cells, claims)| votes.flow(cells, claims, span))
                });
                votes.offset()
            });
            open.take(&share, offset.shift == 0);
            if self.progress.is_interrupted() {
                break;
            }
        }
        let [one, other] = facts;
        let summaries = (
            SideSummary::of_log(&one, open.reference_flows),
            SideSummary::of_log(&other, open.candidate_flows),
        );
        let Open { witness, claims, .. } = open;
        let witness = Witness { flows: witness.flows, ..one.into_witness() };
        let claims = Claims {
            flows: claims.flows,
            settled_flows: claims.settled_flows,
            settled_records: claims.settled_records,
            ..other.into_claims(&identities)
        };
        (self.compare(witness, claims, false, clocks), summaries.0, summaries.1)
    }
}
