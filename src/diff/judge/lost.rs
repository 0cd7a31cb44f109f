//! Packets that the capture lost, and says so: records with more than it shows.
//!
//! A capture tells how many packets it lost, not which. So the records of all flows together may have that many more, and
//! where they have more than that none of them is explained.

use super::edges::{ORDINARY_MTU, lacks_flags};
use super::words::{counted, sum};
use super::{FlowState, Settled, State};
use crate::diff::align::LAG;
use crate::diff::report::Kind;
use crate::diff::{Cause, Cell, Claim, Sum};
use crate::packet::TcpFlags;

/// How far lag reaches, in seconds.
const REACH: i64 = LAG as i64 + 1;

/// Flows whose records lag as well, so that no record stands beside its packets: their open records together have packets
/// more than the capture shows of the flow within the reach of lag, and all flows together no more than were lost.
/// Only where other records of the log lag by so much, with right counts.
pub(super) fn with_lag(state: &mut State<'_>) {
    if state.witness_lost == 0 || !state.flows.iter().any(lags) {
        return;
    }
    let lagging = state.flows.iter().enumerate().filter_map(|(at, flow)| Some((at, missing_of_flow(flow)?)));
    let lagging: Vec<(usize, Sum)> = lagging.collect();
    let total = lagging.iter().map(|(_, missing)| missing.packets).fold(0, u64::saturating_add);
    if total > state.witness_lost {
        return;
    }
    for (at, missing) in lagging {
        let Some(flow) = state.flows.get(at) else { continue };
        let detail = format!(
            "the records of the flow that lag have {} more than the packets within {LAG} s of them; {} says that it lost \
             {}, which covers the {total} that all such records have more than it",
            sum(missing),
            state.witness_name(),
            counted(state.witness_lost, "packet"),
        );
        let settled = |index: &usize| {
            let said = flow.said(*index);
            let kind = if said.is_some() { Kind::Counts } else { state.record_alone() };
            (*index, Settled::differs(kind, Cause::CaptureLoss, said, detail.clone()))
        };
        let claims: Vec<_> = flow.open_claims().iter().map(settled).collect();
        let Some(flow) = state.flows.get_mut(at) else { continue };
        for (index, settled) in claims {
            flow.settle_claim(index, settled);
        }
        for run in flow.open_runs() {
            flow.settle_run(run, Settled::ToldElsewhere);
        }
    }
    // no packet is lost twice
    state.witness_lost = state.witness_lost.saturating_sub(total);
}

/// Whether a record of the flow was found to lag, with right counts.
fn lags(flow: &FlowState) -> bool {
    let is_lag = |verdict: &Option<Settled>| matches!(verdict, Some(Settled::Differs(differs)) if differs.cause == Cause::LogLag);
    flow.claim_verdicts.iter().any(is_lag)
}

/// What the open records of a flow have more than its open packets, if those all lie within the reach of lag.
fn missing_of_flow(flow: &FlowState) -> Option<Sum> {
    let claims = flow.open_claims();
    let records: Vec<&Claim> = claims.iter().filter_map(|index| flow.claims.get(*index)).collect();
    let said = claims.iter().filter_map(|index| flow.said(*index));
    let runs: Vec<Cell> = flow.open_runs().into_iter().filter_map(|run| flow.run_total(run)).collect();
    let is_near = |run: &Cell| {
        records.iter().any(|claim| {
            claim.start.saturating_sub(REACH) <= run.start && run.end <= claim.end.saturating_add(REACH)
        })
    };
    if !runs.iter().all(is_near) {
        return None;
    }
    let seen: Vec<Cell> = said.chain(runs).collect();
    let recorded = Claim::total(records.iter().copied());
    let flags =
        |all: Vec<Option<TcpFlags>>| all.into_iter().try_fold(TcpFlags(0), |flags, more| Some(flags | more?));
    let told = flags(records.iter().map(|claim| claim.tcp_flags).collect());
    let shown = flags(seen.iter().map(|cell| cell.tcp_flags).collect());
    let has_flags = told.zip(shown).is_none_or(|(told, shown)| told.contains(shown));
    missing(flow, recorded, Sum::of(&seen)).filter(|_| has_flags)
}

/// Records with packets more, if the capture lost as many as all of them have more.
pub(super) fn settle(state: &mut State<'_>) {
    if state.witness_lost == 0 {
        return;
    }
    let open = state.open_claims();
    let of_record = |(flow, index): &(usize, usize)| {
        let flow = state.flows.get(*flow)?;
        missing_of_record(flow, flow.claims.get(*index)?, flow.said(*index))
    };
    let total = open.iter().filter_map(of_record).map(|missing| missing.packets).fold(0, u64::saturating_add);
    if total > state.witness_lost {
        return;
    }
    state.for_open_claims(|state, flow, index| {
        let claim = flow.claims.get(index)?;
        let said = flow.said(index);
        let more = missing_of_record(flow, claim, said)?;
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

/// What a record has more than the capture. What was lost takes no flags away.
fn missing_of_record(flow: &FlowState, claim: &Claim, said: Option<Cell>) -> Option<Sum> {
    let seen = said.map_or(Sum::ZERO, |said| said.sum());
    missing(flow, claim.sum(), seen).filter(|_| !lacks_flags(claim, said.as_ref()))
}

/// What is recorded and was not seen, if that can be packets: of a header at least, and no larger than those of an ordinary
/// link or the largest of the flow.
fn missing(flow: &FlowState, recorded: Sum, seen: Sum) -> Option<Sum> {
    let packets = recorded.packets.checked_sub(seen.packets).filter(|packets| *packets > 0)?;
    let bytes = recorded.bytes.checked_sub(seen.bytes)?;
    let smallest: u32 = if flow.id.key.srcaddr.is_ipv4() { 20 } else { 40 };
    let largest = flow.cells.iter().map(|cell| cell.facts.largest).fold(ORDINARY_MTU, u32::max);
    let sizes = u64::from(smallest).saturating_mul(packets)..=u64::from(largest).saturating_mul(packets);
    sizes.contains(&bytes).then_some(Sum { packets, bytes })
}
