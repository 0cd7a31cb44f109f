//! Packets that one log accepts and the other rejects, and rejected last packets of closed connections.

use super::{Found, identity};
use crate::diff::judge::words::sum;
use crate::diff::judge::{Settled, State};
use crate::diff::report::Kind;
use crate::diff::{Cause, Cell, Claim, FlowId};
use crate::flow::FlowKey;
use crate::packet::{Protocol, TcpFlags};
use crate::record::Action;

/// REJECT records of connections that were closed before.
pub(in super::super) fn late_reject(state: &mut State<'_>) {
    if state.witness_is_capture {
        partly_seen(state);
    } else {
        in_other_log(state);
    }
}

/// The first second by which a connection is closing: FIN or RST in either direction, but for the record of these lines
/// that is asked about.
fn closes_at(state: &State<'_>, key: &FlowKey, but: &Claim, and: u64) -> Option<i64> {
    let reverse = key.reversed();
    let closing = TcpFlags::FIN.0 | TcpFlags::RST.0;
    let is_closing = |flags: Option<TcpFlags>| flags.is_some_and(|flags| flags.0 & closing != 0);
    let of_connection = state.flows.iter().filter(|flow| flow.id.key == *key || flow.id.key == reverse);
    of_connection
        .flat_map(|flow| {
            let cells = flow.cells.iter().filter(|cell| cell.line == 0 || cell.line != and);
            let cells = cells.filter(|cell| is_closing(cell.tcp_flags)).map(|cell| cell.end);
            let claims = flow.claims.iter().chain(&flow.paired).filter(|claim| claim.line != but.line);
            cells.chain(claims.filter(|claim| is_closing(claim.tcp_flags)).map(|claim| claim.end))
        })
        .min()
}

/// Whether a record begins a connection, so that it is not about its end.
fn begins(claim: &Claim) -> bool {
    claim.tcp_flags.is_some_and(|flags| flags.contains(TcpFlags::SYN))
}

/// A REJECT of packets that the capture shows only some of, after the connection closed.
fn partly_seen(state: &mut State<'_>) {
    state.for_open_claims(|state, flow, index| {
        let claim = flow.claims.get(index)?;
        let said = flow.said(index)?;
        let is_reject = claim.action == Some(Action::Reject) && flow.id.key.protocol == Protocol::TCP;
        if !is_reject || begins(claim) || claim.packets <= said.packets || claim.bytes <= said.bytes {
            return None;
        }
        let closed = closes_at(state, &flow.id.key, claim, 0).filter(|closed| *closed <= claim.start)?;
        let detail = format!(
            "{}: a REJECT of the last packets of a connection that closed at {closed}",
            state.both(claim, Some(&said))
        );
        Some(Settled::differs(Kind::Counts, Cause::LateReject, Some(said), detail))
    });
}

/// Records that the other log has with the other action.
fn in_other_log(state: &mut State<'_>) {
    let places = state.places();
    for flow in 0..state.flows.len() {
        let Some(id) = state.flows.get(flow).map(|flow| flow.id) else { continue };
        let other = match id.action {
            Some(Action::Reject) => FlowId { action: Some(Action::Accept), ..id },
            Some(Action::Accept) => FlowId { action: Some(Action::Reject), ..id },
            None => continue,
        };
        let Some(place) = places.get(&other).copied() else { continue };
        let claims = state.homeless(flow);
        let loose = state.flows.get(place).map(|other| other.loose(false)).unwrap_or_default();
        let found = state.fitting(flow, &claims, &state.gather(&[(place, loose)]));
        if found.is_empty() {
            continue;
        }
        let is_late = |found: &Found| {
            let claim = state.flows.get(flow).and_then(|flow| flow.claims.get(found.claim));
            claim.filter(|claim| id.key.protocol == Protocol::TCP && !begins(claim)).is_some_and(|claim| {
                closes_at(state, &id.key, claim, found.said.line)
                    .is_some_and(|closed| closed <= found.said.start)
            })
        };
        let late: Vec<usize> = found.iter().filter(|found| is_late(found)).map(|found| found.claim).collect();
        let (claims, witness) = (state.claims_name(), state.witness_name());
        let (here, there) = (id.action.map_or("-", Action::as_str), other.action.map_or("-", Action::as_str));
        state.settle_found(flow, found, |found| {
            let what = format!(
                "{here} in {claims}, {there} in {witness}, equal in {} and times",
                sum(found.said.sum())
            );
            if late.contains(&found.claim) {
                identity(Cause::LateReject, found.said, format!("{what}; the connection was closed by then"))
            } else {
                identity(Cause::Unexplained, found.said, what)
            }
        });
    }
}

/// A record that agrees with its packets, of which some or all have another action by the VPC's rules.
pub(in super::super) fn other_action(
    state: &State<'_>,
    key: &FlowKey,
    claim: &Claim,
    said: Option<Cell>,
) -> Option<Settled> {
    let action = claim.action.filter(|_| state.contradicted.contains(&(*key, claim.line)))?;
    let is_late = action == Action::Reject && key.protocol == Protocol::TCP && !begins(claim);
    if is_late && closes_at(state, key, claim, 0).is_some_and(|closed| closed <= claim.start) {
        let detail = "counts and times agree; it is REJECT, and the connection was closed by then".to_owned();
        return Some(Settled::differs(Kind::Identity, Cause::LateReject, said, detail));
    }
    let interface = (claim.interface > 0).then(|| state.interface(claim.interface));
    let ruling = state.options.vpc.as_ref().and_then(|vpc| vpc.ruling(key, interface));
    let rule = match ruling.filter(|ruling| ruling.action != action) {
        Some(ruling) => format!(" at `{}`: {}", ruling.interface, ruling.rule),
        // decided by what came before
        None => String::new(),
    };
    let what = if action == Action::Reject { "let packets of it pass" } else { "refuse packets of it" };
    let detail = format!("counts and times agree, but it is {action}, and the rules {what}{rule}");
    Some(Settled::differs(Kind::Identity, Cause::OtherAction, said, detail))
}
