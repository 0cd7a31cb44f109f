//! Later fragments have no ports of their own, and are metered under `0 0`; some tools count them under the ports of
//! their first.

use std::collections::{BTreeSet, HashMap};

use super::{Found, identity};
use crate::diff::judge::words::counted;
use crate::diff::judge::{Differs, State};
use crate::diff::report::Kind;
use crate::diff::{Cause, Cell, FlowId};
use crate::flow::FlowKey;

/// Records of a packet that came in fragments, counted once: as many packets less as there are later fragments, and as
/// many IP headers.
pub(in super::super) fn reassembled(state: &mut State<'_>) {
    if !state.witness_is_capture {
        return;
    }
    let places = state.places();
    for flow in 0..state.flows.len() {
        let Some(state_of) = state.flows.get(flow) else { continue };
        let id = state_of.id;
        let without_ports = FlowId { key: FlowKey { srcport: 0, dstport: 0, ..id.key }, ..id };
        let Some(zero) = places.get(&without_ports).copied() else { continue };
        // the header of a later fragment: IPv4's, or IPv6's with the fragment header
        let header = if id.key.srcaddr.is_ipv4() { 20 } else { 48 };
        let mut found = Vec::new();
        for index in state_of.open_claims() {
            let Some(claim) = state_of.claims.get(index) else { continue };
            let inside = |of: usize, slack: i64| {
                let state = state.flows.get(of)?;
                let (from, to) = (claim.start.saturating_sub(slack), claim.end.saturating_add(slack));
                let is_inside =
                    |at: &usize| state.cells.get(*at).is_some_and(|cell| cell.is_inside(from, to));
                Some((of, state.loose(true).into_iter().filter(is_inside).collect()))
            };
            let fitting = |slack: i64| {
                let others = (zero != flow).then(|| inside(zero, slack)).flatten();
                let sources: Vec<(usize, Vec<usize>)> =
                    inside(flow, slack).into_iter().chain(others).collect();
                let gathered = state.gather(&sources);
                let all = Cell::joined(&gathered.cells)?;
                let later = all.facts.later_fragments;
                let fits = later > 0
                    && claim.packets.checked_add(later) == Some(all.packets)
                    && claim.bytes.checked_add(later * header) == Some(all.bytes);
                fits.then(|| Found { claim: index, said: all, sources: gathered.sources.concat() })
            };
            // a fragment may come a moment after its first
            found.extend(fitting(0).or_else(|| fitting(1)));
        }
        state.settle_found(flow, found, |found| {
            let detail = format!(
                "{} less, the later fragments, and {header} bytes less for the IP header of each",
                counted(found.said.facts.later_fragments, "packet")
            );
            Differs { kind: Kind::Counts, ..identity(Cause::Reassembled, found.said, detail) }
        });
    }
}

/// Records that count later fragments under the ports of their first.
pub(in super::super) fn fragment_ports(state: &mut State<'_>) {
    if !state.witness_is_capture {
        return;
    }
    let places = state.places();
    for flow in 0..state.flows.len() {
        let Some(id) = state.flows.get(flow).map(|flow| flow.id) else { continue };
        if !id.key.protocol.has_ports() || (id.key.srcport, id.key.dstport) == (0, 0) {
            continue;
        }
        let without_ports = FlowId { key: FlowKey { srcport: 0, dstport: 0, ..id.key }, ..id };
        let Some(zero) = places.get(&without_ports).copied() else { continue };
        under_their_ports(state, flow, zero);
    }
}

/// The records of one flow, with the later fragments between its addresses.
fn under_their_ports(state: &mut State<'_>, flow: usize, zero: usize) {
    let claims = state.flows.get(flow).map(super::super::FlowState::open_claims).unwrap_or_default();
    let Some((own, others)) = state.flows.get(flow).zip(state.flows.get(zero)) else { return };
    let own: Vec<usize> = own.loose(true);
    let is_fragment = |at: &usize| others.cells.get(*at).is_some_and(|cell| cell.facts.later_fragments > 0);
    let others: Vec<usize> = others.loose(true).into_iter().filter(is_fragment).collect();
    if claims.is_empty() || others.is_empty() {
        return;
    }
    let found = state.fitting(flow, &claims, &state.gather(&[(flow, own), (zero, others)]));
    let packets = |(of, at): &(usize, usize)| {
        state.flows.get(*of).and_then(|flow| flow.cells.get(*at)).map_or(0, |cell| cell.packets)
    };
    // packets that no record has were counted in another way
    let taken: BTreeSet<&(usize, usize)> = found.iter().flat_map(|found| &found.sources).collect();
    if taken.into_iter().map(packets).sum::<u64>()
        != found.iter().map(|found| found.said.packets).sum::<u64>()
    {
        return;
    }
    // without fragments it is another matter
    let found: Vec<Found> =
        found.into_iter().filter(|found| found.sources.iter().any(|(of, _)| *of == zero)).collect();
    // what the capture says without them
    let own: HashMap<usize, Option<Cell>> = found
        .iter()
        .map(|found| (found.claim, state.flows.get(flow).and_then(|flow| flow.said(found.claim))))
        .collect();
    state.settle_found(flow, found, |found| {
        let fragments = found.said.facts.later_fragments;
        let detail = format!(
            "fits with {} that are later fragments, which have no ports of their own",
            counted(fragments, "packet")
        );
        let said = own.get(&found.claim).copied().flatten();
        Differs { kind: Kind::Counts, said, ..identity(Cause::FragmentPorts, found.said, detail) }
    });
}
