//! The outcome: differences in order, and what is behind many of them.

use std::collections::{BTreeMap, BTreeSet};

use super::words::counted;
use super::{Differs, FlowState, Settled, State, fits, rules, twice};
use crate::diff::report::{Comparison, Difference, Finding, Outside, PacketSpan, Said, Verdict};
use crate::diff::{Cause, Cell, Claim, Kind};
use crate::flow::FlowKey;

/// From how many flows on a cause is told on top.
const MANY: usize = 2;

/// Puts the outcome together.
pub(super) fn comparison(state: &State<'_>) -> Comparison {
    let mut outcome = Outcome { matched: state.settled_records, ..Outcome::default() };
    for flow in &state.flows {
        outcome.flow(state, flow);
    }
    let Outcome { matched, mut differences, records_outside, packets_outside, packets_not_expected } =
        outcome;
    differences.sort_by_key(|difference| (difference.key, difference.start, difference.end, difference.line));
    let mut causes = BTreeMap::new();
    differences.iter().for_each(|difference| *causes.entry(difference.cause).or_default() += 1);
    let verdict = match differences.as_slice() {
        [] => Verdict::Same,
        some if some.iter().all(|difference| difference.explained) => Verdict::Explained,
        _ => Verdict::Different,
    };
    let findings = findings(state, &differences, &causes);
    let (of_witness, of_claims) = (packets_outside, records_outside);
    let (reference_outside, candidate_outside) =
        if state.options.witness_is_candidate { (of_claims, of_witness) } else { (of_witness, of_claims) };
    let sign = if state.options.witness_is_candidate { -1.0 } else { 1.0 };
    Comparison {
        verdict,
        // no minus in front of zero
        clock_offset_seconds: sign * state.offset.seconds + 0.0,
        matched,
        differences,
        causes,
        findings,
        reference_outside,
        candidate_outside,
        packets_not_expected,
    }
}

#[derive(Default)]
struct Outcome {
    matched: u64,
    differences: Vec<Difference>,
    records_outside: Outside,
    packets_outside: Outside,
    packets_not_expected: u64,
}

impl Outcome {
    fn flow(&mut self, state: &State<'_>, flow: &FlowState) {
        for claim in &flow.paired {
            let said = Cell {
                start: claim.start,
                end: claim.end,
                packets: claim.packets,
                bytes: claim.bytes,
                tcp_flags: claim.tcp_flags,
                ..Cell::default()
            };
            match fits::clock(state, claim, Some(said)) {
                Settled::Differs(differs) => {
                    self.differences.push(difference(state, flow.id.key, Some(claim), &differs));
                }
                _ => self.matched += 1,
            }
        }
        for (claim, verdict) in flow.claims.iter().zip(&flow.claim_verdicts) {
            match verdict {
                Some(Settled::Differs(differs)) => {
                    self.differences.push(difference(state, flow.id.key, Some(claim), differs));
                }
                Some(Settled::Outside) => add(&mut self.records_outside, claim.packets),
                Some(Settled::Agrees) => self.matched += 1,
                Some(Settled::ToldElsewhere) | None => {}
            }
        }
        for (run, verdict) in flow.run_verdicts.iter().enumerate() {
            match verdict {
                Some(Settled::Differs(differs)) => {
                    self.differences.push(difference(state, flow.id.key, None, differs));
                }
                Some(Settled::Outside) => {
                    add(&mut self.packets_outside, flow.run_total(run).map_or(0, |total| total.packets));
                }
                None if state.not_expected.contains(&flow.id.key) => {
                    self.packets_not_expected += flow.run_total(run).map_or(0, |total| total.packets);
                }
                _ => {}
            }
        }
        for duplicate in &flow.duplicates {
            let differs = twice::told(state, flow, duplicate);
            self.differences.push(difference(state, flow.id.key, Some(&duplicate.claim), &differs));
        }
    }
}

fn add(outside: &mut Outside, packets: u64) {
    outside.records += 1;
    outside.packets = outside.packets.saturating_add(packets);
}

fn difference(state: &State<'_>, key: FlowKey, claim: Option<&Claim>, differs: &Differs) -> Difference {
    let Differs { kind, cause, explained, detail, said, flows } = differs;
    let shift = state.offset.shift;
    let of_cell = |cell: &Cell| Said {
        packets: cell.packets,
        bytes: cell.bytes,
        start: cell.start,
        end: cell.end,
        tcp_flags: cell.tcp_flags.filter(|_| key.protocol == crate::packet::Protocol::TCP),
    };
    let own_clock = claim.map(|claim| claim.later(shift));
    let of_claim = |claim: &Claim| Said {
        packets: claim.packets,
        bytes: claim.bytes,
        start: claim.start,
        end: claim.end,
        tcp_flags: claim.tcp_flags,
    };
    // what only one side has, the other does not say
    let is_alone = matches!(kind, Kind::Missing | Kind::Extra);
    let witness = said.as_ref().filter(|_| claim.is_none() || !is_alone).map(of_cell);
    let claimed = own_clock.as_ref().map(of_claim);
    let (reference, candidate) =
        if state.options.witness_is_candidate { (claimed, witness) } else { (witness, claimed) };
    let (start, end) = match (claim, own_clock) {
        (Some(_), Some(own)) if state.options.witness_is_candidate => (own.start, own.end),
        (Some(claim), _) => (claim.start, claim.end),
        (None, _) => said.map_or((0, 0), |cell| (cell.start, cell.end)),
    };
    let number = |number: u64| (number > 0).then_some(number);
    let mut packets: Vec<PacketSpan> = Vec::new();
    if let Some(cell) = said.as_ref().filter(|_| state.witness_is_capture) {
        let flows = if flows.is_empty() { std::slice::from_ref(&key) } else { flows };
        packets.extend(flows.iter().map(|flow| PacketSpan { flow: *flow, start: cell.start, end: cell.end }));
    }
    if let Some(own) = own_clock.filter(|_| !state.claims_are_log) {
        packets.push(PacketSpan { flow: key, start: own.start, end: own.end });
    }
    Difference {
        kind: *kind,
        key,
        start,
        end,
        reference,
        candidate,
        cause: *cause,
        explained: *explained,
        detail: format!("{detail}{}", rules::remark(state, &key, claim, differs)),
        line: match claim {
            Some(claim) => number(claim.line),
            None => said.and_then(|cell| number(cell.line)),
        },
        first_packet: said
            .and_then(|cell| number(cell.facts.first_packet))
            .or_else(|| claim.and_then(|claim| number(claim.first_packet))),
        packets,
    }
}

/// Causes that are behind differences of several flows, those that are wrong first, then by their number.
fn findings(state: &State<'_>, differences: &[Difference], causes: &BTreeMap<Cause, u64>) -> Vec<Finding> {
    let mut flows: BTreeMap<Cause, BTreeSet<FlowKey>> = BTreeMap::new();
    for difference in differences {
        flows.entry(difference.cause).or_default().insert(difference.key);
    }
    let many = flows.into_iter().filter(|(_, flows)| flows.len() >= MANY);
    let mut findings: Vec<Finding> = many
        .map(|(cause, flows)| {
            let differences = causes.get(&cause).copied().unwrap_or(0);
            let flows = flows.len() as u64;
            let mut what = cause.finding().to_owned();
            if cause == Cause::ClockOffset {
                let seconds = state.offset.seconds.abs();
                what = format!("{what} by {seconds} s");
            } else if let (Cause::Sampled, Some(share)) = (cause, state.share) {
                what = format!("{what}, {:.3} % of them are left", share * 100.0);
            }
            let text =
                format!("{what}: {} of {}", counted(differences, "difference"), counted(flows, "flow"));
            Finding { cause, differences, flows, text }
        })
        .collect();
    findings.sort_by_key(|finding| {
        (finding.cause.is_explained(), std::cmp::Reverse(finding.differences), finding.cause)
    });
    findings
}
