//! What is not there for a reason: traffic that is never logged, records that a log says it missed, packets that were
//! rejected on their way.

use super::words::sum;
use super::{Settled, State};
use crate::diff::report::Kind;
use crate::diff::{Cause, Cell};
use crate::record::Action;

/// Packets without a record, of a kind that AWS never logs.
pub(super) fn never_logged(state: &mut State<'_>) {
    if !state.claims_are_log {
        return;
    }
    state.for_open_runs(|state, flow, total| {
        let what = state.options.unlogged.of(&flow.id.key)?;
        let detail = format!("{}: {} that AWS never logs", what.meaning(), sum(total.sum()));
        Some(Settled::differs(state.packets_alone(), Cause::NeverLogged, Some(*total), detail))
    });
}

/// What is missing inside the span of a SKIPDATA record.
pub(super) fn skipdata(state: &mut State<'_>) {
    let skips = |spans: &[(i64, i64)], start: i64, end: i64| {
        // a packet's second may be cut by the span's
        spans
            .iter()
            .copied()
            .find(|(from, to)| *from <= start.saturating_add(1) && end <= to.saturating_add(1))
    };
    let evidence = |what: String, (start, end): (i64, i64)| {
        format!("{what}; a SKIPDATA record says that records of {start} to {end} were skipped")
    };
    state.for_open_runs(|state, _, total| {
        let span = skips(&state.claims_skipped, total.start, total.end)?;
        let what = format!("{} has no record of {}", state.claims_name(), sum(total.sum()));
        Some(Settled::differs(state.packets_alone(), Cause::SkipData, Some(*total), evidence(what, span)))
    });
    state.for_open_claims(|state, flow, index| {
        let claim = flow.claims.get(index)?;
        let said = flow.said(index);
        let packets = said.map_or(0, |said| said.packets);
        let (span, kind) = if packets > claim.packets {
            (skips(&state.claims_skipped, claim.start, claim.end)?, Kind::Counts)
        } else {
            let kind = if packets == 0 { state.record_alone() } else { Kind::Counts };
            (skips(&state.witness_skipped, claim.start, claim.end)?, kind)
        };
        Some(Settled::differs(kind, Cause::SkipData, said, evidence(state.both(claim, said.as_ref()), span)))
    });
}

/// A REJECT of packets that the capture point never saw.
pub(super) fn rejected_unseen(state: &mut State<'_>) {
    if !state.witness_is_capture {
        return;
    }
    state.for_open_claims(|state, flow, index| {
        let claim = flow.claims.get(index)?;
        if claim.action != Some(Action::Reject) || flow.said(index).is_some() {
            return None;
        }
        let detail = format!(
            "a REJECT of {}, none of which the capture shows: they were rejected before the capture point",
            sum(claim.sum())
        );
        Some(Settled::differs(state.record_alone(), Cause::RejectedUnseen, None::<Cell>, detail))
    });
}
