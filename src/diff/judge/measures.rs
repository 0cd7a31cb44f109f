//! Bytes that are counted, but not as IP length.
//!
//! A flow's cells are given other bytes, and its records are aligned anew: those that fit now were counted that way.

use super::words::counted;
use super::{FlowState, Settled, State};
use crate::diff::align::{Alignment, Fit, Sides, align};
use crate::diff::report::Kind;
use crate::diff::{Cause, Cell, Claim, Delta, Sum, Tolerance};

/// Another way to count bytes.
struct Measure {
    bytes: fn(&Cell) -> u64,
    /// What it is, as a phrase.
    name: &'static str,
    /// Whether the counts of a record are enough for it; else it takes packets.
    of_logs: bool,
}

const FCS: u64 = 4;
const ETHERNET: u64 = 14;

/// So many bytes for each packet; a log may say any number of packets.
fn each(bytes: u64, cell: &Cell) -> u64 {
    bytes.saturating_mul(cell.packets)
}

/// The ways to count bytes, and the causes that they are.
const MEASURES: [(Cause, Measure); 10] = [
    (
        Cause::FrameBytes,
        Measure {
            bytes: |cell| cell.facts.frame_bytes,
            name: "the length of the frames, link header and padding included",
            of_logs: false,
        },
    ),
    (
        Cause::FrameBytes,
        Measure {
            bytes: |cell| cell.bytes.saturating_add(cell.facts.link_bytes),
            name: "the IP length and the link header, without padding",
            of_logs: false,
        },
    ),
    (
        Cause::FrameBytes,
        Measure {
            bytes: |cell| cell.bytes.saturating_add(each(ETHERNET, cell)),
            name: "the IP length and an Ethernet header of 14 bytes",
            of_logs: true,
        },
    ),
    (
        Cause::FrameBytes,
        Measure {
            bytes: |cell| cell.bytes.saturating_sub(each(ETHERNET, cell)),
            name: "the IP length without an Ethernet header of 14 bytes, which the other side counts",
            of_logs: true,
        },
    ),
    (
        Cause::FrameBytes,
        Measure {
            bytes: |cell| cell.bytes.saturating_add(each(ETHERNET + FCS, cell)),
            name: "the IP length, an Ethernet header of 14 bytes and a frame check sequence of 4 bytes",
            of_logs: true,
        },
    ),
    (
        Cause::FrameBytes,
        Measure {
            bytes: |cell| cell.bytes.saturating_sub(each(ETHERNET + FCS, cell)),
            name: "the IP length without an Ethernet header and a frame check sequence of 18 bytes, which the other side counts",
            of_logs: true,
        },
    ),
    (
        Cause::FrameBytes,
        Measure {
            bytes: |cell| cell.facts.frame_bytes.saturating_add(each(FCS, cell)),
            name: "the length of the frames and a frame check sequence of 4 bytes each",
            of_logs: false,
        },
    ),
    (
        Cause::FrameBytes,
        Measure {
            bytes: |cell| cell.facts.frame_bytes.saturating_sub(each(FCS, cell)),
            name: "the length of the frames without a frame check sequence of 4 bytes each",
            of_logs: false,
        },
    ),
    (
        Cause::FrameBytes,
        Measure {
            bytes: |cell| cell.facts.frame_bytes.saturating_sub(cell.facts.link_bytes),
            name: "the length of the frames behind the link header, padding included",
            of_logs: false,
        },
    ),
    (
        Cause::CapturedBytes,
        Measure {
            bytes: |cell| cell.facts.captured_bytes,
            name: "what the snap length kept of the IP packets",
            of_logs: false,
        },
    ),
];

/// Flows all of whose records fit with another measure, and do not balance without.
pub(super) fn whole_flows(state: &mut State<'_>) {
    if state.share.is_some() {
        // what is left of a sampled flow fits anything now and then
        return;
    }
    by_the_most(state, MEASURES.iter().collect(), true);
}

/// Bytes of whole frames, or of IP packets and link headers.
pub(super) fn frame_bytes(state: &mut State<'_>) {
    single_records(state, Cause::FrameBytes);
}

/// Bytes that the snap length kept.
pub(super) fn captured_bytes(state: &mut State<'_>) {
    single_records(state, Cause::CapturedBytes);
}

fn single_records(state: &mut State<'_>, wanted: Cause) {
    by_the_most(state, MEASURES.iter().filter(|(cause, _)| *cause == wanted).collect(), false);
}

/// Tries the measures, the one that fits the most first: packets without padding fit several.
fn by_the_most(state: &mut State<'_>, measures: Vec<&(Cause, Measure)>, whole_flows: bool) {
    let mut ranked: Vec<(usize, &(Cause, Measure))> = measures
        .into_iter()
        .filter(|(_, measure)| state.witness_is_capture || measure.of_logs)
        .map(|measure| {
            let flows = state.flows.iter().filter(|flow| is_asked(flow, whole_flows));
            (flows.map(|flow| measured(state, flow, measure, whole_flows).0.len()).sum(), measure)
        })
        .filter(|(fitting, _)| *fitting > 0)
        .collect();
    ranked.sort_by_key(|(fitting, _)| std::cmp::Reverse(*fitting));
    for (fitting, measure) in ranked {
        // one record alone must fit to the byte, without any choice in seconds that it shares
        try_measure(state, measure, whole_flows, fitting == 1);
    }
}

/// Whether a flow's bytes can be counted in another way: of whole flows, where they do not balance and nothing fitted
/// before.
fn is_asked(flow: &FlowState, whole_flows: bool) -> bool {
    !whole_flows || (flow.is_unbalanced() && flow.claim_verdicts.iter().all(Option::is_none))
}

fn try_measure(state: &mut State<'_>, measure: &(Cause, Measure), whole_flows: bool, exactly: bool) {
    for at in 0..state.flows.len() {
        let Some(flow) = state.flows.get(at).filter(|flow| is_asked(flow, whole_flows)) else { continue };
        let (fitting, alignment) = measured(state, flow, measure, whole_flows);
        if exactly && fitting.iter().any(|fitting| !fitting.is_exact) {
            continue;
        }
        if let Some(flow) = state.flows.get_mut(at) {
            if let Some(alignment) = alignment {
                flow.realign(alignment);
            }
            fitting.into_iter().for_each(|Fitting { claim, settled, .. }| flow.settle_claim(claim, settled));
        }
    }
}

/// A record that fits with another measure.
struct Fitting {
    claim: usize,
    /// Whether its cells hold its counts and nothing else.
    is_exact: bool,
    settled: Settled,
}

/// The records that fit with another measure. Of whole flows all must, and the alignment says how.
fn measured(
    state: &State<'_>,
    flow: &FlowState,
    (cause, measure): &(Cause, Measure),
    whole_flow: bool,
) -> (Vec<Fitting>, Option<Alignment>) {
    let open = if whole_flow { (0..flow.claims.len()).collect() } else { flow.open_claims() };
    if open.is_empty() {
        return (Vec::new(), None);
    }
    let other = |cell: &Cell| Cell { bytes: (measure.bytes)(cell), ..*cell };
    let cells: Vec<Cell> = flow.cells.iter().map(other).collect();
    // a measure is a number to the byte, whatever else is allowed
    let exact = Delta::Absolute(0);
    let tolerance = Tolerance { packets: exact, bytes: exact, ..state.options.tolerance };
    let alignment = align(Sides {
        cells: &cells,
        claims: &flow.claims,
        tolerance: &tolerance,
        joins_runs: state.witness_is_capture,
    });
    let is_placed = |fit: Fit| matches!(fit, Fit::Matched | Fit::Times { .. });
    let fits_whole = alignment.runs.is_empty() && alignment.placed.iter().all(|placed| is_placed(placed.fit));
    if whole_flow && !fits_whole {
        return (Vec::new(), None);
    }
    let mut found = Vec::new();
    for index in open {
        let Some((claim, placed)) = flow.claims.get(index).zip(alignment.placed.get(index)) else { continue };
        let said = flow.said(index);
        let is_about_bytes =
            said.is_some_and(|said| said.packets == claim.packets && said.bytes != claim.bytes);
        let said = said.filter(|_| is_about_bytes || matches!(placed.fit, Fit::Times { .. }));
        // some seconds within a minute add up to any number now and then: other times only where all of the flow fits
        let fits = placed.fit == Fit::Matched || (matches!(placed.fit, Fit::Times { .. }) && fits_whole);
        if !fits {
            continue;
        }
        let total = |cells: &[Cell]| cells.get(placed.cells.clone()).map(Sum::of);
        if total(&cells) == total(&flow.cells) {
            // it is the same measure here
            continue;
        }
        let Some(said) = said.or_else(|| other_said(flow, placed.cells.clone(), claim)) else { continue };
        let detail = format!(
            "the {} of {} are {}; their IP length is {}",
            counted(claim.bytes, "byte"),
            counted(claim.packets, "packet"),
            measure.name,
            counted(said.bytes, "byte")
        );
        found.push(Fitting {
            claim: index,
            is_exact: total(&cells) == Some(claim.sum()),
            settled: Settled::differs(Kind::Counts, *cause, Some(said), detail),
        });
    }
    (found, whole_flow.then_some(alignment))
}

/// What the cells say where the record was placed once its bytes were understood.
fn other_said(flow: &FlowState, cells: std::ops::Range<usize>, claim: &Claim) -> Option<Cell> {
    let joined = Cell::joined(flow.cells.get(cells)?)?;
    Some(Cell { packets: claim.packets, ..joined })
}
