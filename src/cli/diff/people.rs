//! The outcome for people: what was compared, the verdict, the findings, and the differences by cause.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use flowtruth::diff::{Cause, Difference, Outside, Said, Verdict};
use flowtruth::packet::Timestamp;
use flowtruth::pipeline::{DiffReport, SideSummary};
use indicatif::HumanCount;

use crate::cli::messages::clean;
use crate::cli::summary::counted;
use crate::cli::table;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const EXPLAINED: Style = AnsiColor::Cyan.on_default().bold();
const WRONG: Style = AnsiColor::Red.on_default().bold();

/// The page, with colours.
pub fn text(report: &DiffReport, limit: usize) -> String {
    let mut text = String::new();
    let comparison = &report.comparison;
    let mut add = |line: std::fmt::Arguments<'_>| {
        // writing to a string cannot fail
        let _ = text.write_fmt(line);
        text.push('\n');
    };
    add(format_args!("{BOLD}reference{BOLD:#}  {}", side(&report.reference)));
    add(format_args!("{BOLD}candidate{BOLD:#}  {}", side(&report.candidate)));
    let (style, word) = match comparison.verdict {
        Verdict::Same => (GOOD, "same"),
        Verdict::Explained => (EXPLAINED, "explained"),
        Verdict::Different => (WRONG, "different"),
    };
    let explained = comparison.differences.iter().filter(|difference| difference.explained).count() as u64;
    let different = comparison.differences.len() as u64 - explained;
    add(format_args!(
        "{BOLD}verdict{BOLD:#}    {style}{word}{style:#}: {} matched, {} explained, {} not",
        counted(comparison.matched, "record"),
        counted(explained, "difference"),
        HumanCount(different)
    ));
    if comparison.clock_offset_seconds != 0.0 {
        let seconds = comparison.clock_offset_seconds;
        let way = if seconds > 0.0 { "ahead of" } else { "behind" };
        add(format_args!(
            "{BOLD}clocks{BOLD:#}     the candidate is {} s {way} the reference",
            seconds.abs()
        ));
    }
    for (name, outside) in
        [("reference", comparison.reference_outside), ("candidate", comparison.candidate_outside)]
    {
        let Outside { records, packets } = outside;
        if records > 0 {
            add(format_args!(
                "{BOLD}outside{BOLD:#}    {} of the {name} ({}) lie outside the time that both cover, and are not compared",
                if records == 1 {
                    "1 record or run".to_owned()
                } else {
                    format!("{} records or runs", HumanCount(records))
                },
                counted(packets, "packet")
            ));
        }
    }
    if comparison.packets_not_expected > 0 {
        add(format_args!(
            "{BOLD}outside{BOLD:#}    {} need no record: the log is of other interfaces or actions (`--only-interface`, `--traffic-type`)",
            counted(comparison.packets_not_expected, "packet")
        ));
    }
    for finding in &comparison.findings {
        add(format_args!("{BOLD}finding{BOLD:#}    {BOLD}{}{BOLD:#}: {}", finding.cause, finding.text));
    }
    differences(&mut text, &comparison.differences, limit);
    text
}

/// `capture.pcap: capture, 10 packets in 2 flows, 2021-06-07T21:24:07Z to 2021-06-07T21:25:07Z`
fn side(side: &SideSummary) -> String {
    let mut text = match side.paths.as_slice() {
        [path] => clean(path),
        [first, rest @ ..] => format!("{} and {} more", clean(first), rest.len()),
        [] => String::new(),
    };
    let _ = write!(text, ": {}, ", side.kind);
    if let Some(records) = side.records {
        let _ = write!(text, "{}, ", counted(records, "record"));
    }
    let _ = write!(text, "{} in {}", counted(side.packets, "packet"), counted(side.flows, "flow"));
    if let (Some(start), Some(end)) = (side.start, side.end) {
        let _ = write!(text, ", {} to {}", time(start), time(end));
    }
    text
}

fn time(second: i64) -> String {
    Timestamp::from_parts(second, 0).map_or_else(|| second.to_string(), |time| time.to_string())
}

/// The differences by cause: what is wrong first, then what is explained; within a cause the largest first.
fn differences(text: &mut String, differences: &[Difference], limit: usize) {
    let mut causes: Vec<(Cause, Vec<&Difference>)> = Vec::new();
    for difference in differences {
        match causes.iter_mut().find(|(cause, _)| *cause == difference.cause) {
            Some((_, of_cause)) => of_cause.push(difference),
            None => causes.push((difference.cause, vec![difference])),
        }
    }
    causes.sort_by_key(|(cause, of_cause)| {
        (of_cause.iter().all(|difference| difference.explained), std::cmp::Reverse(of_cause.len()), *cause)
    });
    // every cause shows one, the first ones as many as there is room for
    let mut left = limit.saturating_sub(causes.len());
    for (rank, (cause, mut of_cause)) in causes.into_iter().enumerate() {
        let explained = of_cause.iter().all(|difference| difference.explained);
        let (style, word) = if explained { (EXPLAINED, "explained") } else { (WRONG, "different") };
        let _ = write!(
            text,
            "\n{style}{cause}{style:#} ({word}): {}\n",
            counted(of_cause.len() as u64, "difference")
        );
        of_cause.sort_by_key(|difference| {
            (std::cmp::Reverse(size(difference)), difference.key, difference.start)
        });
        let own = usize::from(rank < limit);
        let shown = of_cause.len().min(own + left);
        left -= shown.saturating_sub(own);
        let mut rows = table::plain();
        rows.set_header(["kind", "flow", "start", "reference", "candidate", "where"]);
        for difference in of_cause.iter().take(shown) {
            rows.add_row([
                format!("{:?}", difference.kind).to_lowercase(),
                flow(difference),
                difference.start.to_string(),
                said(difference.reference.as_ref()),
                said(difference.candidate.as_ref()),
                place(difference),
            ]);
        }
        if shown > 0 {
            text.push_str(&table::text(&rows));
            if let Some(first) = of_cause.first() {
                let _ = writeln!(text, "{DIM}first: {}{DIM:#}", first.detail);
            }
        }
        if shown < of_cause.len() {
            let _ = writeln!(text, "{DIM}and {} more; `--limit` shows them{DIM:#}", of_cause.len() - shown);
        }
    }
}

/// How many packets a difference is about.
fn size(difference: &Difference) -> u64 {
    let packets = |said: Option<&Said>| said.map_or(0, |said| said.packets);
    packets(difference.reference.as_ref()).abs_diff(packets(difference.candidate.as_ref()))
}

fn said(said: Option<&Said>) -> String {
    said.map_or_else(|| "-".to_owned(), |said| format!("{} / {} B", said.packets, said.bytes))
}

fn place(difference: &Difference) -> String {
    match (difference.line, difference.first_packet) {
        (Some(line), Some(packet)) => format!("line {line}, packet {packet}"),
        (Some(line), None) => format!("line {line}"),
        (None, Some(packet)) => format!("packet {packet}"),
        (None, None) => String::new(),
    }
}

fn flow(difference: &Difference) -> String {
    let key = &difference.key;
    let protocol = key.protocol.name().map_or_else(|| key.protocol.0.to_string(), str::to_owned);
    format!("{key} {protocol}")
}

/// A difference in one line.
pub fn line(difference: &Difference) -> String {
    format!("{} at {}: {}", flow(difference), difference.start, difference.detail)
}
