//! What nothing fits.

use super::words::sum;
use super::{FlowState, Settled, State};
use crate::diff::align::LAG;
use crate::diff::report::Kind;
use crate::diff::{Cause, Cell, Claim};

/// How far lag reaches, in seconds.
const REACH: i64 = LAG as i64 + 1;

/// Settles everything that is still open.
pub(super) fn settle(state: &mut State<'_>) {
    join(state);
    state.for_open_claims(|state, flow, index| {
        let claim = flow.claims.get(index)?;
        let said = flow.said(index);
        Some(match said {
            Some(said) => wrong_counts(state, claim, said),
            None => {
                let kind = state.record_alone();
                Settled::differs(kind, alone(kind), None, format!("{} in that time", state.both(claim, None)))
            }
        })
    });
    state.for_open_runs(|state, _, total| {
        let kind = state.packets_alone();
        let detail = format!(
            "{} has {}, {} no record of them",
            state.witness_name(),
            sum(total.sum()),
            state.claims_name()
        );
        Some(Settled::differs(kind, alone(kind), Some(*total), detail))
    });
}

fn wrong_counts(state: &State<'_>, claim: &Claim, said: Cell) -> Settled {
    let off = |ours: u64, theirs: u64| i128::from(ours) - i128::from(theirs);
    let (packets, bytes) = (off(claim.packets, said.packets), off(claim.bytes, said.bytes));
    let evidence = state.both(claim, Some(&said));
    let detail = format!("{evidence}: {packets:+} packets and {bytes:+} bytes, which nothing explains");
    Settled::differs(Kind::Counts, Cause::Unexplained, Some(said), detail)
}

/// Brings an open record together with packets beside its span that are no other record's: those a second off where
/// the clocks differ by a fraction, and those within the reach of lag that make its number of packets right. Then only
/// its counts are wrong, and no record is missing.
fn join(state: &mut State<'_>) {
    if !state.witness_is_capture {
        return;
    }
    let clocks_differ = state.offset.seconds != state.offset.shift as f64;
    for (at, index) in state.open_claims() {
        let Some((settled, runs)) = state.flows.get(at).and_then(|flow| {
            let claim = flow.claims.get(index)?;
            let beside = |reach: i64| beside(flow, index, claim, reach);
            let (near, far) = (beside(1), beside(REACH));
            let joined = |runs: &[usize]| {
                let totals = runs.iter().filter_map(|run| flow.run_total(*run));
                Cell::joined(&flow.said(index).into_iter().chain(totals).collect::<Vec<_>>())
            };
            let is_whole = |runs: &Vec<usize>| joined(runs).is_some_and(|all| all.packets == claim.packets);
            let runs = [near.clone(), far].into_iter().find(is_whole).or(clocks_differ.then_some(near))?;
            let said = joined(&runs)?;
            (!runs.is_empty()).then(|| (wrong_counts(state, claim, said), runs))
        }) else {
            continue;
        };
        if let Some(flow) = state.flows.get_mut(at) {
            flow.settle_claim(index, settled);
            runs.into_iter().for_each(|run| flow.settle_run(run, Settled::ToldElsewhere));
        }
    }
}

/// The open runs that lie within so many seconds of a record, and of no other open record of the flow.
fn beside(flow: &FlowState, index: usize, claim: &Claim, reach: i64) -> Vec<usize> {
    let is_near = |claim: &Claim, total: &Cell| {
        claim.start.saturating_sub(reach) <= total.start && total.end <= claim.end.saturating_add(reach)
    };
    let others: Vec<&Claim> = flow
        .open_claims()
        .into_iter()
        .filter(|other| *other != index)
        .filter_map(|other| flow.claims.get(other))
        .collect();
    let is_its_own = |run: &usize| {
        flow.run_total(*run)
            .is_some_and(|total| is_near(claim, &total) && !others.iter().any(|other| is_near(other, &total)))
    };
    flow.open_runs().into_iter().filter(is_its_own).collect()
}

fn alone(kind: Kind) -> Cause {
    if kind == Kind::Missing { Cause::MissingRecord } else { Cause::ExtraRecord }
}
