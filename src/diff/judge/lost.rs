//! Packets that the capture lost, and says so: records with more than it shows.
//!
//! A capture tells how many packets it lost, not which. So the records of all flows together may have that many more, and
//! where they have more than that none of them is explained.

use super::edges::{ORDINARY_MTU, lacks_flags};
use super::words::{counted, sum};
use super::{FlowState, Settled, State};
use crate::diff::report::Kind;
use crate::diff::{Cause, Cell, Claim, Sum};

/// Records with packets more, if the capture lost as many as all of them have more.
pub(super) fn settle(state: &mut State<'_>) {
    if state.witness_lost == 0 {
        return;
    }
    let open = state.open_claims();
    let of_record = |(flow, index): &(usize, usize)| {
        let flow = state.flows.get(*flow)?;
        missing(flow, flow.claims.get(*index)?, flow.said(*index))
    };
    let total = open.iter().filter_map(of_record).map(|missing| missing.packets).fold(0, u64::saturating_add);
    if total > state.witness_lost {
        return;
    }
    state.for_open_claims(|state, flow, index| {
        let claim = flow.claims.get(index)?;
        let said = flow.said(index);
        let more = missing(flow, claim, said)?;
        let kind = if said.is_some() { Kind::Counts } else { state.record_alone() };
        let detail = format!(
            "{}; {} says that it lost {}, which covers the {} that all records have more than it, {} here",
            state.both(claim, said.as_ref()),
            state.witness_name(),
            counted(state.witness_lost, "packet"),
            total,
            sum(more)
        );
        Some(Settled::differs(kind, Cause::CaptureLoss, said, detail))
    });
}

/// What a record has more than the capture, if that can be packets: of a header at least, and no larger than those of an
/// ordinary link or the largest of the flow. What was lost takes no flags away.
fn missing(flow: &FlowState, claim: &Claim, said: Option<Cell>) -> Option<Sum> {
    let seen = said.map_or(Sum::ZERO, |said| said.sum());
    let packets = claim.packets.checked_sub(seen.packets).filter(|packets| *packets > 0)?;
    let bytes = claim.bytes.checked_sub(seen.bytes)?;
    let smallest: u32 = if flow.id.key.srcaddr.is_ipv4() { 20 } else { 40 };
    let largest = flow.cells.iter().map(|cell| cell.facts.largest).fold(ORDINARY_MTU, u32::max);
    let sizes = u64::from(smallest).saturating_mul(packets)..=u64::from(largest).saturating_mul(packets);
    (sizes.contains(&bytes) && !lacks_flags(claim, said.as_ref())).then_some(Sum { packets, bytes })
}
