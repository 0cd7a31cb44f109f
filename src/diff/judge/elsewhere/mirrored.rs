//! Records under the reverse of their flow, or with its ports exchanged.
//!
//! A flow whose two directions have the same counts and times cannot tell; those that differ do.

use super::{arrow, identity};
use crate::diff::judge::State;
use crate::diff::{Cause, FlowId};
use crate::flow::FlowKey;

/// Records that say of A→B what the packets of B→A say.
pub(in super::super) fn direction_reversed(state: &mut State<'_>) {
    let ends = |key: &FlowKey| FlowKey { srcaddr: key.dstaddr, dstaddr: key.srcaddr, ..*key };
    let reversed = |key: &FlowKey| swapped(&ends(key));
    mirror(state, reversed, Cause::DirectionReversed, "the packets of the reverse direction");
    mirror(state, ends, Cause::DirectionReversed, "packets with these ports, but from the other end");
}

/// Records whose ports are exchanged.
pub(in super::super) fn ports_swapped(state: &mut State<'_>) {
    mirror(state, swapped, Cause::PortsSwapped, "the packets with the ports exchanged");
}

fn swapped(key: &FlowKey) -> FlowKey {
    FlowKey { srcport: key.dstport, dstport: key.srcport, ..*key }
}

fn mirror(state: &mut State<'_>, of: impl Fn(&FlowKey) -> FlowKey, cause: Cause, what: &str) {
    let places = state.places();
    for flow in 0..state.flows.len() {
        let Some(id) = state.flows.get(flow).map(|flow| flow.id) else { continue };
        let other = FlowId { key: of(&id.key), ..id };
        let Some(place) = places.get(&other).copied().filter(|place| *place != flow) else { continue };
        let claims = state.flows.get(flow).map(super::super::FlowState::open_claims).unwrap_or_default();
        if claims.is_empty() {
            continue;
        }
        let loose = state.flows.get(place).map(|other| other.loose(true)).unwrap_or_default();
        let gathered = state.gather(&[(place, loose)]);
        let found = state.fitting(flow, &claims, &gathered);
        let witness = state.witness_name();
        state.settle_found(flow, found, |found| {
            let detail = format!("fits {what}, {} in {witness}, in counts and times", arrow(&other.key));
            identity(cause, found.said, detail)
        });
    }
}
