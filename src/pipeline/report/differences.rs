//! A comparison, as a page shows it.

use super::shown::Shown;
use crate::diff::{Comparison, Difference, Kind, Outside, Said, Verdict};
use crate::flow::FlowKey;
use crate::packet::Timestamp;
use crate::pipeline::{DiffReport, SideSummary};
use crate::report::{CauseAbout, ComparisonAbout, DifferenceAbout, Sample};

/// How many differences are on a page at most.
pub(super) const DIFFERENCES: usize = 500;

/// A record on the page: its flow, its first and its last second.
pub(super) type Span = (Option<FlowKey>, Option<i64>, Option<i64>);

/// What a comparison of captures (the reference) with logs came to.
pub(super) fn about(
    report: &DiffReport,
    records: &[Span],
    with_vpc: bool,
    shown: Shown<'_>,
) -> ComparisonAbout {
    let Comparison { verdict, clock_offset_seconds, matched, differences, causes, findings, .. } =
        &report.comparison;
    let all = differences;
    let mut causes: Vec<CauseAbout> = causes
        .iter()
        .map(|(cause, differences)| CauseAbout {
            name: cause.code(),
            meaning: cause.finding().to_owned(),
            differences: *differences,
            // what a cause explains may hang on the evidence
            explained: all.iter().filter(|found| found.cause == *cause).all(|found| found.explained),
        })
        .collect();
    causes.sort_by_key(|cause| (cause.explained, std::cmp::Reverse(cause.differences)));
    // what nothing explains first; within either, the comparison's own order
    let mut chosen: Vec<&Difference> = differences.iter().collect();
    chosen.sort_by_key(|difference| difference.explained);
    chosen.truncate(DIFFERENCES);
    if shown.reorders() {
        chosen.sort_by_cached_key(|difference| {
            (difference.explained, shown.flow(&difference.key), difference.start)
        });
    }
    ComparisonAbout {
        logs: report.candidate.paths.iter().map(|path| shown.file(path)).collect(),
        verdict: match verdict {
            Verdict::Same => "same",
            Verdict::Explained => "explained",
            Verdict::Different => "different",
        },
        matched: *matched,
        clock_offset_seconds: *clock_offset_seconds,
        causes,
        findings: findings
            .iter()
            .map(|finding| shown.sentence(&format!("{}: {}", finding.cause.code(), finding.text)))
            .collect(),
        differences: Sample {
            shown: chosen.into_iter().map(|difference| of(difference, records, shown)).collect(),
            total: differences.len() as u64,
            rule: "those that nothing explains first, by flow and time".to_owned(),
        },
        not_compared: not_compared(report, with_vpc, shown),
    }
}

/// What lies outside of the comparison, and what went wrong with it.
fn not_compared(report: &DiffReport, with_vpc: bool, shown: Shown<'_>) -> Vec<String> {
    let comparison = &report.comparison;
    let mut said = Vec::new();
    let outside = [("captures", comparison.reference_outside), ("log", comparison.candidate_outside)];
    for (name, Outside { records, packets }) in outside {
        if records > 0 {
            said.push(format!(
                "{records} records or runs of the {name} ({packets} packets) lie outside the time that both cover, and are not compared."
            ));
        }
    }
    if comparison.packets_not_expected > 0 {
        said.push(format!(
            "{} packets need no record: the log is of other interfaces or actions.",
            comparison.packets_not_expected
        ));
    }
    if let SideSummary { bad_lines: Some(bad @ 1..), .. } = report.candidate {
        said.push(format!("{bad} lines of the log could not be compared."));
    }
    if !with_vpc {
        said.push("Actions are not compared: packets do not say them, and records of captures have `ACCEPT` where nothing else is \
                   known. With `--vpc` the rules say them.".to_owned());
    }
    said.extend(report.log_failures.iter().map(|failure| shown.sentence(&failure.to_string())));
    said
}

fn of(difference: &Difference, records: &[Span], shown: Shown<'_>) -> DifferenceAbout {
    let Difference { kind, key, start, end, reference, candidate, cause, explained, detail, line, .. } =
        difference;
    let is_about = |(flow, first, last): &Span| {
        *flow == Some(*key)
            && first.is_some_and(|first| first <= *end)
            && last.is_some_and(|last| last >= *start)
    };
    DifferenceAbout {
        kind: match kind {
            Kind::Missing => "missing",
            Kind::Extra => "extra",
            Kind::Counts => "counts",
            Kind::Times => "times",
            Kind::Flags => "flags",
            Kind::Identity => "identity",
        },
        flow: shown.flow(key),
        start: *start,
        end: *end,
        capture: said(reference.as_ref(), candidate.as_ref(), *kind),
        log: said(candidate.as_ref(), reference.as_ref(), *kind),
        cause: cause.code(),
        explained: *explained,
        detail: shown.sentence(detail),
        line: line.filter(|_| !shown.reorders()),
        records: (records.iter().enumerate()).filter(|(_, span)| is_about(span)).map(|(at, _)| at).collect(),
    }
}

/// What one side says, beside the other: its counts, and what else differs.
fn said(own: Option<&Said>, other: Option<&Said>, kind: Kind) -> String {
    let Some(own) = own else { return "nothing".to_owned() };
    let counts = format!("{} packets, {} bytes", own.packets, own.bytes);
    let second =
        |second| Timestamp::from_parts(second, 0).map_or_else(|| second.to_string(), |time| time.to_string());
    match (kind, own.tcp_flags) {
        (Kind::Times, _) => format!("{} to {}", second(own.start), second(own.end)),
        (Kind::Flags, Some(flags)) if other.is_some() => format!("tcp-flags {}", flags.0),
        _ => counts,
    }
}
