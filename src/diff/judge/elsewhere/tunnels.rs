//! One side sees a tunnel, the other the packets inside it.

use std::collections::BTreeMap;

use super::{Gathered, identity};
use crate::diff::judge::words::sum;
use crate::diff::judge::{Differs, Settled, State};
use crate::diff::{Cause, Cell};
use crate::flow::FlowKey;

/// Records of the other side of tunnels, and the packets that they are.
pub(in super::super) fn tunnelled(state: &mut State<'_>) {
    if state.other_side.is_empty() {
        return;
    }
    let mut told: BTreeMap<FlowKey, u64> = BTreeMap::new();
    for flow in 0..state.flows.len() {
        let Some(key) = state.flows.get(flow).map(|flow| flow.id.key) else { continue };
        let Some(cells) = state.other_side.get(&key) else { continue };
        let mut cells = cells.clone();
        cells.sort_by_key(|cell| cell.start);
        let sources = vec![Vec::new(); cells.len()];
        let claims = state.homeless(flow);
        let found = state.fitting(flow, &claims, &Gathered { cells, sources });
        let packets: u64 = found.iter().map(|found| found.said.packets).sum();
        *told.entry(key).or_default() += packets;
        let flows: Vec<FlowKey> =
            state.through.iter().filter(|(_, others)| others.contains(&key)).map(|(flow, _)| *flow).collect();
        state.settle_found(flow, found, |found| {
            let detail =
                "the packets are in the capture on the other side of a tunnel, equal in counts and times";
            Differs { flows: flows.clone(), ..identity(Cause::Tunnelled, found.said, detail.to_owned()) }
        });
    }
    state.for_open_runs(|state, flow, total: &Cell| {
        let others = state.through.get(&flow.id.key)?;
        let packets: u64 = others.iter().filter_map(|key| told.get(key)).sum();
        let first = others.iter().find(|key| told.get(key).is_some_and(|packets| *packets > 0))?;
        (packets >= total.packets).then(|| {
            let detail = format!(
                "{} that {} has on the other side of the tunnel, such as {}",
                sum(total.sum()),
                state.claims_name(),
                first
            );
            Settled::differs(state.packets_alone(), Cause::Tunnelled, Some(*total), detail)
        })
    });
}
