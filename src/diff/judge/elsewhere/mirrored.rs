//! Records under the reverse of their flow, or with its ports exchanged.
//!
//! A flow whose two directions have the same counts and times cannot tell; those that differ do. A record beside packets
//! of its own flow is only taken for a mirrored one where the other way round it is the same: else it is a record with
//! wrong counts that happen to be those of the answers.

use std::collections::BTreeSet;

use super::{Found, identity};
use crate::diff::align::{Alignment, Sides, align};
use crate::diff::judge::{FlowState, State};
use crate::diff::{Cause, FlowId};
use crate::flow::FlowKey;

/// Another name for a flow.
struct Mirror {
    of: fn(&FlowKey) -> FlowKey,
    cause: Cause,
    what: &'static str,
}

const REVERSED: Mirror = Mirror {
    of: FlowKey::reversed,
    cause: Cause::DirectionReversed,
    what: "the packets of the reverse direction",
};

const SWAPPED: Mirror =
    Mirror { of: swapped, cause: Cause::PortsSwapped, what: "the packets with the ports exchanged" };

const EXCHANGED: Mirror = Mirror {
    of: exchanged,
    cause: Cause::DirectionReversed,
    what: "packets with these ports, but from the other end",
};

fn swapped(key: &FlowKey) -> FlowKey {
    FlowKey { srcport: key.dstport, dstport: key.srcport, ..*key }
}

fn exchanged(key: &FlowKey) -> FlowKey {
    FlowKey { srcaddr: key.dstaddr, dstaddr: key.srcaddr, ..*key }
}

/// Flows that do not balance, all of whose records fit all packets of the mirrored flow.
pub(in super::super) fn whole_flows_mirrored(state: &mut State<'_>) {
    if state.share.is_some() {
        // what is left of a sampled flow fits anything now and then
        return;
    }
    for mirror in [REVERSED, SWAPPED] {
        whole_flows(state, &mirror);
    }
}

/// Records that say of A→B what the packets of B→A say.
pub(in super::super) fn direction_reversed(state: &mut State<'_>) {
    single_records(state, &REVERSED);
}

/// Records whose ports are exchanged.
pub(in super::super) fn ports_swapped(state: &mut State<'_>) {
    single_records(state, &SWAPPED);
}

/// Records whose addresses are exchanged, but not their ports.
pub(in super::super) fn addresses_exchanged(state: &mut State<'_>) {
    single_records(state, &EXCHANGED);
}

/// The flows that have a mirrored one: both places.
fn pairs(state: &State<'_>, mirror: &Mirror) -> Vec<(usize, usize)> {
    let places = state.places();
    let flows = state.flows.iter().enumerate().filter(|(_, flow)| !flow.claims.is_empty());
    let pairs = flows.filter_map(|(at, flow)| {
        let other = FlowId { key: (mirror.of)(&flow.id.key), ..flow.id };
        Some((at, places.get(&other).copied().filter(|place| *place != at)?))
    });
    pairs.collect()
}

fn whole_flows(state: &mut State<'_>, mirror: &Mirror) {
    let mut fitting = Vec::new();
    for (at, place) in pairs(state, mirror) {
        let Some((flow, other)) = state.flows.get(at).zip(state.flows.get(place)) else { continue };
        let has_no_packets = flow.cells.is_empty() && other.alignment.runs.len() == 1;
        let is_open = flow.claim_verdicts.iter().all(Option::is_none);
        let joins_runs = state.witness_is_capture;
        let sides = Sides {
            cells: &other.cells,
            claims: &flow.claims,
            tolerance: &state.options.tolerance,
            joins_runs,
        };
        if is_open && (flow.is_unbalanced() || has_no_packets) && align(sides).is_clean() {
            fitting.push((at, place, has_no_packets || other.claims.is_empty()));
        }
    }
    let both: BTreeSet<(usize, usize)> = fitting.iter().map(|(at, place, _)| (*at, *place)).collect();
    fitting.retain(|(at, place, is_alone)| *is_alone || both.contains(&(*place, *at)));
    // all of them before any is settled: one flow's packets are the other's records, and the other way round
    for (at, place, _) in fitting {
        let (claims, loose) = match state.flows.get(at).zip(state.flows.get(place)) {
            Some((flow, other)) => {
                ((0..flow.claims.len()).collect::<Vec<_>>(), (0..other.cells.len()).collect())
            }
            None => continue,
        };
        let found = state.fitting(at, &claims, &state.gather(&[(place, loose)]));
        if let Some(flow) = state.flows.get_mut(at) {
            // its own packets are another flow's, or missing
            let without_records = Alignment::without_records(&flow.cells, flow.claims.len(), true);
            flow.realign(without_records);
        }
        settle(state, at, place, found, mirror);
    }
}

fn single_records(state: &mut State<'_>, mirror: &Mirror) {
    // all of them before any is settled, as one is the other's evidence
    let mut asked = Vec::new();
    for (at, place) in pairs(state, mirror) {
        let open = |flow: usize| state.flows.get(flow).map(FlowState::open_claims).unwrap_or_default();
        let claims = open(at);
        if claims.is_empty() {
            continue;
        }
        let is_mutual = [(at, place), (place, at)].into_iter().all(|(one, other)| {
            let found = state.fitting(one, &open(one), &state.gather_loose(other));
            !found.is_empty()
        });
        asked.push((at, place, if is_mutual { claims } else { state.homeless(at) }));
    }
    for (at, place, claims) in asked {
        let found = state.fitting(at, &claims, &state.gather_loose(place));
        settle(state, at, place, found, mirror);
    }
}

fn settle(state: &mut State<'_>, at: usize, place: usize, found: Vec<Found>, mirror: &Mirror) {
    let Some(other) = state.flows.get(place).map(|other| other.id.key.to_string()) else { return };
    let (witness, what) = (state.witness_name(), mirror.what);
    state.settle_found(at, found, |found| {
        let detail = format!("fits {what}, {other} in {witness}, in counts and times");
        identity(mirror.cause, found.said, detail)
    });
}
