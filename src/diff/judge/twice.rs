//! Records that stand twice in one log.

use super::words::sum;
use super::{Differs, FlowState, State};
use crate::diff::cell::overlapping;
use crate::diff::compare::Duplicate;
use crate::diff::{Cause, Cell};

/// What a duplicate is told as.
pub(super) fn told(state: &State<'_>, flow: &FlowState, duplicate: &Duplicate) -> Differs {
    let Duplicate { claim, of_line, of_interface } = duplicate;
    let both_ends = claim.interface != *of_interface && claim.interface != 0 && *of_interface != 0;
    // without the interfaces' names the VPC tells that there are two, and that each may log it once
    let is_unnamed = claim.interface == 0 || *of_interface == 0;
    let is_second = |duplicate: &&Duplicate| duplicate.of_line == *of_line;
    let is_the_second =
        flow.duplicates.iter().find(is_second).is_some_and(|first| first.claim.line == claim.line);
    let described = state.options.vpc.as_ref().filter(|_| is_unnamed && is_the_second);
    let described = described.and_then(|vpc| vpc.both_ends(&flow.id.key));
    let first = if *of_line > 0 { format!("line {of_line}") } else { "another".to_owned() };
    let detail = if both_ends {
        format!(
            "says the same as {first}, of another interface: `{}` and `{}` are the two ends of the flow",
            state.interface(*of_interface),
            state.interface(claim.interface)
        )
    } else if let Some([one, other]) = &described {
        format!(
            "says the same as {first}: the flow is between two interfaces of the VPC, `{one}` and `{other}`, which both log it"
        )
    } else {
        format!("says the same as {first}: {} over the same seconds", sum(claim.sum()))
    };
    let near = flow.cells.get(overlapping(&flow.cells, claim.start, claim.end)).unwrap_or_default();
    let inside: Vec<Cell> =
        near.iter().filter(|cell| cell.is_inside(claim.start, claim.end)).copied().collect();
    Differs {
        kind: state.record_alone(),
        cause: Cause::DuplicateRecord,
        explained: both_ends || described.is_some(),
        detail,
        said: Cell::joined(&inside),
        flows: Vec::new(),
    }
}

/// Settles the records of a log that bears witness which stand there twice.
pub(super) fn settle(state: &mut State<'_>) {
    if state.witness_is_capture {
        return;
    }
    state.for_open_runs(|state, flow, total| {
        let is_same = |start: i64, end: i64, packets: u64, bytes: u64| {
            (start, end, packets, bytes) == (total.start, total.end, total.packets, total.bytes)
        };
        // both are in order of their start
        let from = flow.paired.partition_point(|claim| claim.start < total.start);
        let paired = flow.paired.get(from..).unwrap_or_default().iter();
        let paired = paired
            .take_while(|claim| claim.start == total.start)
            .find(|claim| is_same(claim.start, claim.end, claim.packets, claim.bytes));
        let from = flow.cells.partition_point(|cell| cell.start < total.start);
        let earlier = flow.cells.get(from..).unwrap_or_default().iter();
        let earlier = earlier
            .take_while(|cell| cell.start == total.start)
            .find(|cell| cell.line < total.line && is_same(cell.start, cell.end, cell.packets, cell.bytes));
        let first = paired
            .map(|_| String::new())
            .or_else(|| earlier.map(|cell| format!(", as line {}", cell.line)))?;
        let detail = format!("{} has it twice{first}: {}", state.witness_name(), sum(total.sum()));
        Some(super::Settled::differs(state.packets_alone(), Cause::DuplicateRecord, Some(*total), detail))
    });
}
