//! Addresses that were translated on the way, and secondary addresses of an interface.
//!
//! One end of the flow is the same, the other is not; counts and times are equal. A translation changes all packets of a
//! connection, so neither side has anything else of the flow or its reverse under the other side's addresses.

use std::collections::HashMap;
use std::net::IpAddr;

use super::identity;
use crate::diff::judge::{FlowState, Settled, State};
use crate::diff::{Cause, Claim, FlowId, Sum};
use crate::flow::FlowKey;
use crate::packet::Protocol;

/// How many flows with the same end are tried for a record.
const TRIED: usize = 32;

/// One end of a flow: which end, and its address and port.
type End = (Protocol, bool, IpAddr, u16);

fn ends(key: &FlowKey) -> [End; 2] {
    [(key.protocol, true, key.srcaddr, key.srcport), (key.protocol, false, key.dstaddr, key.dstport)]
}

/// Records whose packets have another address at one end.
pub(in super::super) fn translated(state: &mut State<'_>) {
    let places = state.places();
    let mut by_end: HashMap<End, Vec<usize>> = HashMap::new();
    for (at, flow) in state.flows.iter().enumerate() {
        if !flow.open_runs().is_empty() {
            ends(&flow.id.key).into_iter().for_each(|end| by_end.entry(end).or_default().push(at));
        }
    }
    for flow in 0..state.flows.len() {
        let claims = state.homeless(flow);
        let Some(id) = state.flows.get(flow).map(|flow| flow.id).filter(|_| !claims.is_empty()) else {
            continue;
        };
        if either_way(state, &places, &id, has_own_cells) {
            continue;
        }
        let key = id.key;
        let mut candidates: Vec<usize> = ends(&key)
            .iter()
            .filter_map(|end| by_end.get(end))
            .flatten()
            .copied()
            // the same flow under another action is translated from nothing
            .filter(|at| state.flows.get(*at).is_some_and(|other| other.id.key != key))
            .collect();
        // translation that keeps the ports is the likelier one
        let keeps_ports = |at: &usize| {
            state.flows.get(*at).is_some_and(|other| {
                (other.id.key.srcport, other.id.key.dstport) == (key.srcport, key.dstport)
            })
        };
        candidates.sort_by_key(|at| (!keeps_ports(at), *at));
        candidates.dedup();
        try_candidates(state, &places, flow, &key, &claims, &candidates);
    }
}

/// Whether something is true of a flow or of its reverse.
fn either_way(
    state: &State<'_>,
    places: &HashMap<FlowId, usize>,
    id: &FlowId,
    what: impl Fn(&FlowState) -> bool,
) -> bool {
    [id.key, id.key.reversed()].into_iter().any(|key| {
        let flow = places.get(&FlowId { key, ..*id }).and_then(|place| state.flows.get(*place));
        flow.is_some_and(&what)
    })
}

/// Records under its own name: a translation would have changed those too.
fn has_own_records(flow: &FlowState) -> bool {
    !flow.claims.is_empty() || !flow.paired.is_empty()
}

/// Packets, or the other log's records, under its own name.
fn has_own_cells(flow: &FlowState) -> bool {
    !flow.cells.is_empty() || !flow.paired.is_empty()
}

fn try_candidates(
    state: &mut State<'_>,
    places: &HashMap<FlowId, usize>,
    flow: usize,
    key: &FlowKey,
    claims: &[usize],
    candidates: &[usize],
) {
    let records = |state: &State<'_>| -> Vec<Claim> {
        let of = state.flows.get(flow);
        claims.iter().filter_map(|claim| of?.claims.get(*claim)).copied().collect()
    };
    let claimed = Claim::total(&records(state));
    let mut tried = 0;
    for candidate in candidates {
        let Some(other) = state.flows.get(*candidate) else { continue };
        let other_key = other.id.key;
        let keeps_addresses = (other_key.srcaddr, other_key.dstaddr) == (key.srcaddr, key.dstaddr);
        if keeps_addresses || either_way(state, places, &other.id, has_own_records) {
            continue;
        }
        let loose = other.loose(false);
        let available = loose
            .iter()
            .filter_map(|at| other.cells.get(*at))
            .fold(Sum::ZERO, |sum, cell| sum.plus(cell.sum()));
        if available.packets < claimed.packets || available.bytes < claimed.bytes {
            continue;
        }
        tried += 1;
        if tried > TRIED {
            return;
        }
        let gathered = state.gather(&[(*candidate, loose)]);
        let found = state.fitting(flow, claims, &gathered);
        if found.len() < claims.len() {
            continue;
        }
        let interface = records(state).first().map_or(0, |claim| claim.interface);
        let is_secondary = is_secondary(state, key, &other_key, interface);
        let translator = translator(state, key, &other_key);
        if !is_secondary
            && state.options.vpc.is_some()
            && translator.is_none()
            && !goes_both_ways(state, places, flow, *candidate)
        {
            // the VPC knows of no such translation, and nothing comes back
            continue;
        }
        let by = translator
            .map(|by| format!("; `{by}` translates the one address into the other"))
            .unwrap_or_default();
        let witness = state.witness_name();
        let (cause, what) = if is_secondary {
            (Cause::SecondaryAddress, "which the log shows under the interface's primary address")
        } else {
            (Cause::AddressTranslated, "on the other side of a translation")
        };
        state.settle_found(flow, found, |found| {
            let detail =
                format!("{witness} has the packets as {}, {what}: counts and times are equal{by}", other_key);
            identity(cause, found.said, detail)
        });
        return;
    }
}

/// What translates the address that differs, by the VPC's description.
fn translator(state: &State<'_>, key: &FlowKey, other: &FlowKey) -> Option<String> {
    let vpc = state.options.vpc.as_ref()?;
    match (key.srcaddr == other.srcaddr, key.dstaddr == other.dstaddr) {
        (false, true) => vpc.translator(key.srcaddr, other.srcaddr),
        (true, false) => vpc.translator(key.dstaddr, other.dstaddr),
        _ => None,
    }
}

/// Whether the replies are translated back: records of the reverse flow fit the packets of the other's reverse.
fn goes_both_ways(state: &State<'_>, places: &HashMap<FlowId, usize>, flow: usize, other: usize) -> bool {
    let reverse = |at: usize| {
        let id = state.flows.get(at)?.id;
        places.get(&FlowId { key: id.key.reversed(), ..id }).copied()
    };
    let Some((flow, other)) = reverse(flow).zip(reverse(other)) else { return false };
    let is_told = |settled: &Option<Settled>| matches!(settled, Some(Settled::Differs(differs)) if differs.cause == Cause::AddressTranslated);
    if state.flows.get(flow).is_some_and(|flow| flow.claim_verdicts.iter().any(is_told)) {
        return true;
    }
    let claims = state.homeless(flow);
    let loose = state.flows.get(other).map(|other| other.loose(false)).unwrap_or_default();
    !claims.is_empty() && state.fitting(flow, &claims, &state.gather(&[(other, loose)])).len() >= claims.len()
}

/// Whether the log's address is one that all records of its interface have, the capture sees it elsewhere, and nothing
/// but the address differs.
fn is_secondary(state: &State<'_>, logged: &FlowKey, seen: &FlowKey, interface: u32) -> bool {
    let own = state.own_addresses.get(&interface).map(Vec::as_slice).unwrap_or_default();
    let same_ports = (logged.srcport, logged.dstport) == (seen.srcport, seen.dstport);
    let (primary, other) = match (logged.srcaddr == seen.srcaddr, logged.dstaddr == seen.dstaddr) {
        (true, false) => (logged.dstaddr, seen.dstaddr),
        (false, true) => (logged.srcaddr, seen.srcaddr),
        _ => return false,
    };
    if same_ports && state.options.vpc.as_ref().is_some_and(|vpc| vpc.is_primary_of(primary, other)) {
        return true;
    }
    let is_seen = state.settled_flows > 0
        || state.flows.iter().any(|flow| {
            !flow.cells.is_empty() && (flow.id.key.srcaddr == primary || flow.id.key.dstaddr == primary)
        });
    interface != 0 && same_ports && primary.is_ipv4() && own.contains(&primary) && is_seen
}
