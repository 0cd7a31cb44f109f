//! ICMP's type and code where a flow log has ports `0 0`.

use super::identity;
use crate::diff::judge::{FlowState, State};
use crate::diff::{Cause, FlowId};
use crate::flow::FlowKey;
use crate::packet::Protocol;

/// Records of ICMP with ports, which are those of the flow without.
pub(in super::super) fn icmp_ports(state: &mut State<'_>) {
    let places = state.places();
    for flow in 0..state.flows.len() {
        let Some(id) = state.flows.get(flow).map(|flow| flow.id) else { continue };
        let is_icmp = matches!(id.key.protocol, Protocol::ICMP | Protocol::ICMPV6);
        let claims = state.flows.get(flow).map(FlowState::open_claims).unwrap_or_default();
        let without_ports = FlowId { key: FlowKey { srcport: 0, dstport: 0, ..id.key }, ..id };
        let place = places.get(&without_ports).copied().filter(|place| *place != flow);
        let Some(place) = place.filter(|_| is_icmp && !claims.is_empty()) else { continue };
        let loose = state.flows.get(place).map(|other| other.loose(false)).unwrap_or_default();
        let found = state.fitting(flow, &claims, &state.gather(&[(place, loose)]));
        let witness = state.witness_name();
        let FlowKey { srcport, dstport, .. } = id.key;
        state.settle_found(flow, found, |found| {
            let detail = format!(
                "ports `{srcport} {dstport}` for ICMP, which has none: {witness} has the packets as {}, equal in counts and \
                 times",
                without_ports.key
            );
            identity(Cause::IcmpPorts, found.said, detail)
        });
    }
}
