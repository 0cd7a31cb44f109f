//! ICMP's type and code where a flow log has ports `0 0`.

use std::collections::HashMap;

use super::identity;
use crate::diff::judge::{FlowState, State};
use crate::diff::{Cause, FlowId};
use crate::flow::FlowKey;
use crate::packet::Protocol;

/// Records of ICMP with ports, which are those of the flow without; between logs also the other way round.
pub(in super::super) fn icmp_ports(state: &mut State<'_>) {
    let without_ports = |id: FlowId| FlowId { key: FlowKey { srcport: 0, dstport: 0, ..id.key }, ..id };
    let mut by_addresses: HashMap<FlowId, Vec<usize>> = HashMap::new();
    for (at, flow) in state.flows.iter().enumerate() {
        if matches!(flow.id.key.protocol, Protocol::ICMP | Protocol::ICMPV6) {
            by_addresses.entry(without_ports(flow.id)).or_default().push(at);
        }
    }
    for flow in 0..state.flows.len() {
        let Some(id) = state.flows.get(flow).map(|flow| flow.id) else { continue };
        let claims = state.flows.get(flow).map(FlowState::open_claims).unwrap_or_default();
        if claims.is_empty() {
            continue;
        }
        let has_ports = id != without_ports(id);
        let others =
            by_addresses.get(&without_ports(id)).map(Vec::as_slice).unwrap_or_default().iter().copied();
        let loose = others.filter(|other| *other != flow).filter_map(|other| {
            let of = state.flows.get(other)?;
            let others_have_ports = of.id != without_ports(of.id);
            (has_ports != others_have_ports).then(|| (other, of.loose(false)))
        });
        let found = state.fitting(flow, &claims, &state.gather(&loose.collect::<Vec<_>>()));
        let witness = state.witness_name();
        let FlowKey { srcport, dstport, .. } = id.key;
        state.settle_found(flow, found, |found| {
            let detail = if has_ports {
                format!(
                    "ports `{srcport} {dstport}` for ICMP, which has none: {witness} has the packets as {}, equal in \
                     counts and times",
                    without_ports(id).key
                )
            } else {
                format!("{witness} has them with ports, and ICMP has none: equal in counts and times")
            };
            identity(Cause::IcmpPorts, found.said, detail)
        });
    }
}
