//! What nothing fits.

use super::words::sum;
use super::{Settled, State};
use crate::diff::Cause;
use crate::diff::report::Kind;

/// Settles everything that is still open.
pub(super) fn settle(state: &mut State<'_>) {
    state.for_open_claims(|state, flow, index| {
        let claim = flow.claims.get(index)?;
        let said = flow.said(index);
        let evidence = state.both(claim, said.as_ref());
        Some(match said {
            Some(said) => {
                let off = |ours: u64, theirs: u64| i128::from(ours) - i128::from(theirs);
                let (packets, bytes) = (off(claim.packets, said.packets), off(claim.bytes, said.bytes));
                let detail =
                    format!("{evidence}: {packets:+} packets and {bytes:+} bytes, which nothing explains");
                Settled::differs(Kind::Counts, Cause::Unexplained, Some(said), detail)
            }
            None => {
                let kind = state.record_alone();
                Settled::differs(kind, alone(kind), None, format!("{evidence} in that time"))
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

fn alone(kind: Kind) -> Cause {
    if kind == Kind::Missing { Cause::MissingRecord } else { Cause::ExtraRecord }
}
