//! Records that were placed: those that agree, and those whose times, flags or split do not.

use std::collections::BTreeMap;

use super::words::{counted, seconds, sum};
use super::{FlowState, Settled, State, elsewhere};
use crate::diff::align::{Fit, LAG, Placed};
use crate::diff::report::Kind;
use crate::diff::{Cause, Cell, Claim, Sum};
use crate::packet::{Protocol, TcpFlags};

/// Settles all records that were placed.
pub(super) fn settle(state: &mut State<'_>) {
    for at in 0..state.flows.len() {
        let Some(flow) = state.flows.get(at) else { continue };
        let mut groups: Groups = BTreeMap::new();
        for (placed, claim) in flow.alignment.placed.iter().zip(&flow.claims) {
            if let Fit::Split(group) = placed.fit {
                let group = groups.entry(group).or_default();
                group.records += 1;
                group.total = group.total.plus(claim.sum());
            }
        }
        let mut found = Vec::new();
        for (index, (placed, claim)) in flow.alignment.placed.iter().zip(&flow.claims).enumerate() {
            let is_settled = flow.claim_verdicts.get(index).is_some_and(Option::is_some);
            if placed.fit != Fit::Open && !is_settled {
                found.push((index, placed_one(state, flow, placed, claim, &mut groups)));
            }
        }
        if let Some(flow) = state.flows.get_mut(at) {
            found.into_iter().for_each(|(index, settled)| flow.settle_claim(index, settled));
        }
    }
}

fn placed_one(
    state: &State<'_>,
    flow: &FlowState,
    placed: &Placed,
    claim: &Claim,
    groups: &mut Groups,
) -> Settled {
    let said = flow.cells.get(placed.cells.clone()).and_then(Cell::joined).map(|cell| Cell {
        packets: placed.expected.packets,
        bytes: placed.expected.bytes,
        ..cell
    });
    match placed.fit {
        Fit::Split(group) => {
            // told once, with the first of its records
            return match groups.remove(&group) {
                Some(group) => split(state, flow, &group, placed),
                None => Settled::ToldElsewhere,
            };
        }
        Fit::SeenTwice => {
            let detail = format!(
                "the same packets are in records of another interface: both ends of the flow logged it, here `{}`",
                state.interface(claim.interface)
            );
            let kind = state.record_alone();
            let settled = Settled::differs(kind, Cause::DuplicateRecord, said, detail);
            return explained(settled);
        }
        _ => {}
    }
    if let Some(settled) = flags(state, flow, placed, claim, said) {
        return settled;
    }
    if let Some(settled) = elsewhere::other_action(state, &flow.id.key, claim, said) {
        return settled;
    }
    match placed.fit {
        Fit::Times { start, end } => {
            let detail = format!(
                "counts agree; `start` is {} and `end` {} by the packets of {}",
                seconds(start),
                seconds(end),
                state.witness_name()
            );
            let is_lag = start.unsigned_abs() <= LAG + 1 && end.unsigned_abs() <= LAG + 1;
            let cause = if is_lag { Cause::LogLag } else { Cause::Unexplained };
            Settled::differs(Kind::Times, cause, said, detail)
        }
        _ => clock(state, claim, said),
    }
}

/// A record that fits once the clock offset is taken off.
pub(super) fn clock(state: &State<'_>, claim: &Claim, said: Option<Cell>) -> Settled {
    let shift = state.offset.shift;
    let duration = claim.start.abs_diff(claim.end);
    let tolerance = &state.options.tolerance;
    let allowed = tolerance.start.of(duration).min(tolerance.end.of(duration));
    if shift.unsigned_abs() <= allowed {
        return Settled::Agrees;
    }
    let (claims, witness) = (state.claims_name(), state.witness_name());
    let way = if shift > 0 { "ahead of" } else { "behind" };
    let detail = format!(
        "the clock of {claims} is {} s {way} that of {witness}, as {} agree; without that the record fits",
        shift.unsigned_abs(),
        counted(state.offset.flows, "flow")
    );
    Settled::differs(Kind::Times, Cause::ClockOffset, said, detail)
}

fn explained(settled: Settled) -> Settled {
    match settled {
        Settled::Differs(mut differs) => {
            differs.explained = true;
            Settled::Differs(differs)
        }
        other => other,
    }
}

/// A record whose counts fit, but whose TCP flags do not.
fn flags(
    state: &State<'_>,
    flow: &FlowState,
    placed: &Placed,
    claim: &Claim,
    said: Option<Cell>,
) -> Option<Settled> {
    let flags = claim.tcp_flags.filter(|_| flow.id.key.protocol == Protocol::TCP)?;
    let bounds = |of: fn(&Cell) -> Option<TcpFlags>| flow.alignment.flag_bounds(&flow.cells, placed, of);
    let within = |(must, may): (TcpFlags, TcpFlags)| flags.contains(must) && may.contains(flags);
    let logged = bounds(|cell| cell.tcp_flags)?;
    if within(logged) {
        return None;
    }
    let is_raw =
        only_raw_bits(flags, logged.1) || (!state.witness_is_capture && only_raw_bits(logged.1, flags));
    let cause = if is_raw { Cause::RawTcpFlags } else { Cause::Unexplained };
    let detail = format!(
        "`tcp-flags` is {} in {}, the packets of {} give {}",
        flags.0,
        state.claims_name(),
        state.witness_name(),
        logged.1.0
    );
    Some(Settled::differs(Kind::Flags, cause, said, detail))
}

/// Whether flags are others and bits that AWS does not log there: ACK without SYN, PSH and above.
fn only_raw_bits(raw: TcpFlags, logged: TcpFlags) -> bool {
    let low = |flags: TcpFlags| flags.0 & 0x07;
    low(raw) == low(logged) && raw.contains(logged)
}

/// Records that are split differently together.
#[derive(Default)]
struct Group {
    records: u64,
    total: Sum,
}

/// By their number.
type Groups = BTreeMap<usize, Group>;

/// The same totals over other records.
fn split(state: &State<'_>, flow: &FlowState, group: &Group, placed: &Placed) -> Settled {
    let cells = flow.cells.get(placed.cells.clone()).unwrap_or_default();
    let witness = if state.witness_is_capture {
        "the packets are split into other records".to_owned()
    } else {
        format!("{} in {}", counted(cells.len() as u64, "record"), state.witness_name())
    };
    let detail = format!(
        "{} in {}, {witness}, with the same total of {}",
        counted(group.records, "record"),
        state.claims_name(),
        sum(group.total)
    );
    Settled::differs(Kind::Counts, Cause::SplitDifferently, Cell::joined(cells), detail)
}
