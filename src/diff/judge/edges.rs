//! The edges of the time that both sides cover.

use super::words::{counted, sum};
use super::{FlowState, Settled, State};
use crate::diff::coverage::LogWindows;
use crate::diff::report::Kind;
use crate::diff::{Cause, Cell, Claim};

/// The first and last second that a side covers.
#[derive(Clone, Copy)]
struct Span {
    first: i64,
    last: i64,
}

impl Span {
    fn is_outside(self, start: i64, end: i64) -> bool {
        end < self.first || self.last < start
    }

    fn is_inside(self, start: i64, end: i64) -> bool {
        self.first <= start && end <= self.last
    }
}

/// Sets aside what lies outside the time that both sides cover, and what reaches over its edges.
pub(super) fn settle(state: &mut State<'_>) {
    if let Some((first, last)) = state.witness_span {
        let span = if state.witness_is_capture {
            Span { first, last }
        } else {
            state.log_span(Span { first, last }, state.witness_windows, 0, |flow, second| {
                (
                    flow.cells.iter().any(|cell| cell.is_inside(second.first, second.last)),
                    flow.reach_of_claims(),
                )
            })
        };
        claims(state, span);
    }
    if let Some((first, last)) = state.claims_span {
        let span = if state.claims_are_log {
            state.log_span(Span { first, last }, state.claims_windows, state.offset.shift, |flow, second| {
                let inside = |claim: &Claim| second.is_inside(claim.start, claim.end);
                (flow.claims.iter().any(inside), flow.reach_of_runs())
            })
        } else {
            Span { first, last }
        };
        runs(state, span);
    }
}

impl FlowState {
    /// The first and last second of the open runs.
    fn reach_of_runs(&self) -> Option<(i64, i64)> {
        let totals = self.open_runs().into_iter().filter_map(|run| self.run_total(run));
        totals.map(|cell| (cell.start, cell.end)).reduce(|all, one| (all.0.min(one.0), all.1.max(one.1)))
    }

    /// The first and last second of the open records.
    fn reach_of_claims(&self) -> Option<(i64, i64)> {
        let claims = self.open_claims().into_iter().filter_map(|claim| self.claims.get(claim));
        claims.map(|claim| (claim.start, claim.end)).reduce(|all, one| (all.0.min(one.0), all.1.max(one.1)))
    }
}

impl State<'_> {
    /// A log's span, widened to its windows where it was not cut. `shift` is what was taken from its times; `flow` says
    /// whether a flow has a record within some seconds, and how far the other side reaches without a record.
    fn log_span(
        &self,
        span: Span,
        windows: LogWindows,
        shift: i64,
        flow: impl Fn(&FlowState, Span) -> (bool, Option<(i64, i64)>),
    ) -> Span {
        let first = windows.start_of(span.first.saturating_add(shift)).saturating_sub(shift);
        let last = windows.end_of(span.last.saturating_add(shift)).saturating_sub(shift);
        let end_window =
            Span { first: windows.start_of(span.last.saturating_add(shift)).saturating_sub(shift), last };
        let start_window =
            Span { first, last: windows.end_of(span.first.saturating_add(shift)).saturating_sub(shift) };
        let is_cut = |window: Span, beyond: &dyn Fn((i64, i64)) -> bool| {
            self.flows.iter().any(|state| {
                let (has_record, reach) = flow(state, window);
                has_record && reach.is_some_and(beyond)
            })
        };
        let is_cut_before = is_cut(start_window, &|(from, to)| from < span.first && first <= to);
        let is_cut_behind = is_cut(end_window, &|(from, to)| span.last < to && from <= last);
        Span {
            first: if is_cut_before { span.first } else { first },
            last: if is_cut_behind { span.last } else { last },
        }
    }
}

/// Which ends of a capture were cut in the middle of a second.
#[derive(Clone, Copy)]
struct Cut {
    first: bool,
    last: bool,
}

impl Cut {
    fn is_at(self, claim: &Claim, span: Span) -> bool {
        (self.first && claim.start == span.first) || (self.last && claim.end == span.last)
    }
}

/// Where the log goes on beyond the capture, or records of several flows have more than the capture in its first or
/// last second, the capture may have been cut in the middle of that second. One such record alone is just wrong.
fn cut(state: &State<'_>, span: Span) -> Option<Cut> {
    let (first, last) = state.claims_span.filter(|_| state.witness_is_capture && state.claims_are_log)?;
    let has_more = |is_at: &dyn Fn(&Claim) -> bool| {
        let flows = state.flows.iter().filter(|flow| {
            flow.open_claims().into_iter().any(|index| {
                let claim = flow.claims.get(index).filter(|claim| is_at(claim));
                claim.is_some_and(|claim| is_of_cut_second(claim, flow, flow.said(index), span))
            })
        });
        flows.take(2).count() == 2
    };
    Some(Cut {
        first: first < span.first || has_more(&|claim| claim.start == span.first),
        last: span.last < last || has_more(&|claim| claim.end == span.last),
    })
}

/// Records at the edges of what the witness covers.
fn claims(state: &mut State<'_>, span: Span) {
    let cut = cut(state, span);
    state.for_open_claims(|state, flow, index| {
        let claim = flow.claims.get(index)?;
        if span.is_outside(claim.start, claim.end) {
            return Some(Settled::Outside);
        }
        let said = flow.said(index);
        let has_more = said.is_none_or(|said| claim.packets > said.packets && claim.bytes > said.bytes);
        let reaches_over = !span.is_inside(claim.start, claim.end);
        let in_cut_second =
            is_of_cut_second(claim, flow, said, span) && cut.is_some_and(|cut| cut.is_at(claim, span));
        let fits = has_more
            && (reaches_over || in_cut_second)
            && !lacks_flags(claim, said.as_ref())
            && is_plausible(claim, flow, said, span);
        fits.then(|| {
            let kind = if said.is_some() { Kind::Counts } else { state.record_alone() };
            let side = if claim.start <= span.first { "first" } else { "last" };
            let detail = format!(
                "{}; the record reaches {} the {side} second of {}",
                state.both(claim, said.as_ref()),
                if reaches_over { "over" } else { "into" },
                state.witness_name()
            );
            Settled::differs(kind, Cause::CaptureEdge, said, detail)
        })
    });
}

/// Whether packets that were seen have TCP flags that the record has not: what was not seen cannot take them away.
pub(super) fn lacks_flags(claim: &Claim, said: Option<&Cell>) -> bool {
    let flags = claim.tcp_flags.zip(said.and_then(|said| said.tcp_flags));
    flags.is_some_and(|(flags, seen)| !flags.contains(seen))
}

/// Whether what a record has more can lie beyond the edge: where that is no more than a second it holds no hundreds of
/// packets of a flow that has a few a second.
fn is_plausible(claim: &Claim, flow: &FlowState, said: Option<Cell>, span: Span) -> bool {
    let beyond = span.first.saturating_sub(claim.start).max(claim.end.saturating_sub(span.last));
    let Some(said) = said.filter(|_| beyond <= 1) else { return true };
    let fullest = flow.cells.iter().map(|cell| cell.packets).max().unwrap_or(0);
    claim.packets.saturating_sub(said.packets) <= fullest.saturating_mul(10).saturating_add(50)
}

/// The largest IP packet outside of a network of jumbo frames, in bytes.
pub(super) const ORDINARY_MTU: u32 = 1500;

/// Whether what a record has more can lie in the part of the capture's first or last second that was cut off: no more
/// than twice the flow's fullest second, in packets that have a header and are no larger than an ordinary link, or the
/// flow's largest. What little the capture has of the flow does not tell what sizes the others had.
fn is_of_cut_second(claim: &Claim, flow: &FlowState, said: Option<Cell>, span: Span) -> bool {
    if claim.start != span.first && claim.end != span.last {
        return false;
    }
    let Some(said) = said else { return false };
    let fullest = flow.cells.iter().map(|cell| cell.packets).max().unwrap_or(0);
    let smallest: u32 = if flow.id.key.srcaddr.is_ipv4() { 20 } else { 40 };
    let largest = flow.cells.iter().map(|cell| cell.facts.largest).fold(ORDINARY_MTU, u32::max);
    let (packets, bytes) =
        (claim.packets.saturating_sub(said.packets), claim.bytes.saturating_sub(said.bytes));
    let sizes = u64::from(smallest).saturating_mul(packets)..=u64::from(largest).saturating_mul(packets);
    packets > 0 && packets <= fullest.saturating_mul(2) && sizes.contains(&bytes)
}

/// Records that lie in the capture's first or last second, of whose packets it has none, and which fit no other flow:
/// the second may have been cut in the middle.
pub(super) fn within_a_second(state: &mut State<'_>) {
    let Some((first, last)) = state.witness_span.filter(|_| state.witness_is_capture) else { return };
    state.for_open_claims(|state, flow, index| {
        let claim = flow.claims.get(index)?;
        let is_at_edge = claim.start == claim.end && (claim.start == first || claim.end == last);
        (is_at_edge && flow.said(index).is_none()).then(|| {
            let side = if claim.start == first { "first" } else { "last" };
            let detail = format!(
                "{}; the record lies in the {side} second of {}",
                state.both(claim, None),
                state.witness_name()
            );
            Settled::differs(state.record_alone(), Cause::CaptureEdge, None, detail)
        })
    });
}

/// Packets at the edges of what the records cover.
fn runs(state: &mut State<'_>, span: Span) {
    state.for_open_runs(|state, _, total| {
        if span.is_outside(total.start, total.end) {
            return Some(Settled::Outside);
        }
        if span.is_inside(total.start, total.end) {
            return None;
        }
        let (before, behind) = (span.first.saturating_sub(total.start), total.end.saturating_sub(span.last));
        let (by, side) = if before > behind { (before, "before") } else { (behind, "behind") };
        let detail = format!(
            "{} has {}, which reach {} {side} what {} covers",
            state.witness_name(),
            sum(total.sum()),
            counted(by.unsigned_abs(), "second"),
            state.claims_name()
        );
        Some(Settled::differs(state.packets_alone(), Cause::CaptureEdge, Some(*total), detail))
    });
}
