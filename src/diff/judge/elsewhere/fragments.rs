//! Later fragments have no ports of their own, and are metered under `0 0`; some tools count them under the ports of
//! their first.

use super::{Found, identity};
use crate::diff::judge::words::counted;
use crate::diff::judge::{Differs, State};
use crate::diff::report::Kind;
use crate::diff::{Cause, FlowId};
use crate::flow::FlowKey;

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
    // without fragments it is another matter
    let found: Vec<Found> =
        found.into_iter().filter(|found| found.sources.iter().any(|(of, _)| *of == zero)).collect();
    state.settle_found(flow, found, |found| {
        let fragments = found.said.facts.later_fragments;
        let detail = format!(
            "fits with {} that are later fragments, which have no ports of their own",
            counted(fragments, "packet")
        );
        Differs { kind: Kind::Counts, ..identity(Cause::FragmentPorts, found.said, detail) }
    });
}
