//! Sampling: one share of the packets and bytes of all flows.
//!
//! Flows of 100 packets and more fix the share. Then every record whose packets are within three standard deviations
//! of it (binomial, none left included) is sampled.

use super::words::counted;
use super::{Settled, State};
use crate::diff::align::{Fit, Sides};
use crate::diff::report::Kind;
use crate::diff::{Cause, Claim, Sum};

/// How many packets a flow needs to say something about the share.
pub const LARGE_FLOW: u64 = 100;

/// How many such flows are needed.
const FEWEST: u64 = 2;

/// A share above this is no sampling.
const MOST: f64 = 0.95;

/// The share of the packets that was sampled, if large flows agree on one.
fn share(state: &State<'_>) -> Option<f64> {
    if !state.witness_is_capture || state.settled_large_flows > 0 {
        return None;
    }
    let totals = state.flows.iter().map(|flow| {
        let claimed = Claim::total(&flow.claims);
        (Sum::of(&flow.cells), claimed)
    });
    let large: Vec<(Sum, Sum)> = totals.filter(|(seen, _)| seen.packets >= LARGE_FLOW).collect();
    let (seen, claimed) = large
        .iter()
        .fold((Sum::ZERO, Sum::ZERO), |(a, b), (seen, claimed)| (a.plus(*seen), b.plus(*claimed)));
    if (large.len() as u64) < FEWEST || claimed.packets == 0 {
        return None;
    }
    let share = claimed.packets as f64 / seen.packets as f64;
    let of_bytes = claimed.bytes as f64 / seen.bytes.max(1) as f64;
    // large packets and small ones need not be drawn alike, less so the fewer were drawn
    let bytes_agree = (of_bytes / share - 1.0).abs() <= 0.1 + 6.0 / (claimed.packets as f64).sqrt();
    if has_whole_records(state, share) {
        return None;
    }
    let agree =
        large.iter().filter(|(seen, claimed)| is_drawn(claimed.packets, seen.packets, share, 0.0)).count();
    (share < MOST && bytes_agree && agree * 10 >= large.len() * 9).then_some(share)
}

/// Whether more records have all their packets than chance would have left whole.
fn has_whole_records(state: &State<'_>, share: f64) -> bool {
    let records = state.flows.iter().flat_map(|flow| flow.claims.iter().zip(&flow.alignment.placed));
    let (whole, expected) = records.fold((0u64, 0.0), |(whole, expected), (claim, placed)| {
        let is_whole = placed.fit == Fit::Matched;
        (whole + u64::from(is_whole), expected + share.powf(claim.packets as f64))
    });
    whole as f64 > 3.0 + 3.0 * expected
}

/// Whether so many packets of so many can have been drawn; `slack` are packets more or less.
fn is_drawn(drawn: u64, of: u64, share: f64, slack: f64) -> bool {
    let of = of as f64;
    let sigma = (of * share * (1.0 - share)).sqrt();
    (drawn as f64 - share * of).abs() <= 3.0 * sigma + slack
}

/// Opens records again that were placed at other times in flows whose totals do not balance: where packets are sampled
/// that is chance.
pub(super) fn reopen(state: &mut State<'_>) {
    state.share = share(state);
    if state.share.is_none() {
        return;
    }
    for flow in &mut state.flows {
        let claimed = Claim::total(&flow.claims);
        if claimed == Sum::of(&flow.cells) {
            continue;
        }
        let sides = Sides {
            cells: &flow.cells,
            claims: &flow.claims,
            tolerance: &state.options.tolerance,
            joins_runs: true,
        };
        let alignment = flow.alignment.only_matched(sides);
        flow.realign(alignment);
    }
}

/// Settles what sampling explains.
pub(super) fn settle(state: &mut State<'_>) {
    let Some(share) = state.share else { return };
    let percent = share * 100.0;
    state.for_open_claims(|state, flow, index| {
        let claim = flow.claims.get(index)?;
        let said = flow.said(index)?;
        // the first and the last packet of a sampled record were drawn, that is what its times say
        if claim.packets > said.packets || !is_drawn(claim.packets, said.packets, share, 2.0) {
            return None;
        }
        let detail =
            format!("{}: packets are sampled, {percent:.3} % are left", state.both(claim, Some(&said)));
        Some(Settled::differs(Kind::Counts, Cause::Sampled, Some(said), detail))
    });
    state.for_open_runs(|state, _, total| {
        // the gap in front of a drawn packet and the one behind it
        is_drawn(0, total.packets, share, 2.0).then(|| {
            let detail = format!(
                "none of {} is left where {percent:.3} % are: packets are sampled",
                counted(total.packets, "packet")
            );
            Settled::differs(state.packets_alone(), Cause::Sampled, Some(*total), detail)
        })
    });
}
