//! Findings for programs: a line of JSON each.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::ops::Range;

use flowtruth::lint::{Finding, Level, Rule};
use flowtruth::pipeline::LintSummary;
use serde::Serialize;
use serde_json::json;

use super::Report;

/// Writes findings a line each, and the numbers at the end.
pub struct Lines<W: Write> {
    output: BufWriter<W>,
}

impl<W: Write> Lines<W> {
    pub fn new(output: BufWriter<W>) -> Self {
        Lines { output }
    }

    fn line(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.output, value)?;
        self.output.write_all(b"\n")
    }
}

#[derive(Serialize)]
struct Line<'a> {
    rule: Rule,
    level: Level,
    log: &'a str,
    /// `line`, `event` or `record`, or nothing for the log as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    /// Where in the text it is, in characters from 1; the end is behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    characters: Option<Range<usize>>,
    message: &'a str,
    text: &'a str,
}

impl<W: Write> Report for Lines<W> {
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn finding(&mut self, log: &str, finding: &Finding) -> io::Result<()> {
        let is_in_log = finding.place.number > 0;
        let line = Line {
            rule: finding.rule,
            level: finding.level,
            log,
            unit: is_in_log.then_some(finding.place.unit),
            number: is_in_log.then_some(finding.place.number),
            column: finding.column,
            field: finding.field.as_deref(),
            characters: finding.span.clone().map(|span| characters(&finding.text, span)),
            message: &finding.message,
            text: &finding.text,
        };
        self.line(&line)
    }

    fn end(&mut self, summary: &LintSummary, shown: u64) -> io::Result<()> {
        let findings: BTreeMap<&str, u64> =
            summary.findings.iter().map(|(rule, _, count)| (rule.name(), *count)).collect();
        self.line(&json!({ "summary": {
            "logs": summary.logs,
            "entries": summary.entries,
            "records": summary.records,
            "errors": summary.of_level(Level::Error),
            "warnings": summary.of_level(Level::Warning),
            "notes": summary.of_level(Level::Note),
            "shown": shown,
            "findings": findings,
        }}))?;
        self.output.flush()
    }
}

/// A range of bytes as characters, from 1.
pub fn characters(text: &str, span: Range<usize>) -> Range<usize> {
    let place = |at: usize| text.char_indices().take_while(|(index, _)| *index < at).count() + 1;
    place(span.start)..place(span.end)
}
