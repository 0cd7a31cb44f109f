//! `lint`: logs in, what is wrong with them out.
//!
//! Text in AWS's default format goes past [`Linter::is_clean`], which takes most lines; every other entry is handed to the
//! rules as the line that it was, or with its values by name.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{LogInput, Progress};
use crate::flowlog::read::{
    BadLine, Column, Content, Entry, Leniency, LineProblem, LogColumns, LogReadError, LogReadOptions,
    LogReader, LogShape, LogUnit, ReadRecord,
};
use crate::lint::{Finding, FindingPlace, Level, LintColumn, LintOptions, Linter, LogFacts, LogKind, Rule};
use crate::record::{Field, LogFormat};

/// After how many lines an interruption is looked for.
const LOOK_EVERY: u64 = 65_536;

/// What begins an escape sequence of a terminal.
const ESCAPE: &[u8] = b"\x1b[";

/// What came of it.
#[derive(Debug, Default)]
pub struct LintSummary {
    /// Logs that were read, in part at least.
    pub logs: u64,
    /// Lines, events and records.
    pub entries: u64,
    /// Records among them.
    pub records: u64,
    /// How many findings each rule had, in the rules' order.
    pub findings: Vec<(Rule, Level, u64)>,
    /// Logs that could not be read to their end.
    pub failures: Vec<LogReadError>,
}

impl LintSummary {
    fn count(&mut self, finding: &Finding) {
        let Finding { rule, level, .. } = *finding;
        let place = self.findings.partition_point(|(other, ..)| *other < rule);
        match self.findings.get_mut(place) {
            Some((other, _, count)) if *other == rule => *count += 1,
            _ => self.findings.insert(place, (rule, level, 1)),
        }
    }

    /// The numbers as a JSON object; of the findings, so many were shown.
    pub fn to_json(&self, shown: u64) -> serde_json::Value {
        let findings: BTreeMap<&str, u64> =
            self.findings.iter().map(|(rule, _, count)| (rule.name(), *count)).collect();
        serde_json::json!({
            "logs": self.logs,
            "entries": self.entries,
            "records": self.records,
            "errors": self.of_level(Level::Error),
            "warnings": self.of_level(Level::Warning),
            "notes": self.of_level(Level::Note),
            "shown": shown,
            "findings": findings,
        })
    }

    /// How many findings of a level there are.
    pub fn of_level(&self, level: Level) -> u64 {
        self.findings.iter().filter(|(_, other, _)| *other == level).map(|(.., count)| count).sum()
    }
}

/// Reads logs, and hands every finding to `each` with the log's name.
///
/// `format` names the columns of logs without a header. `each` stops the reading by returning `false`; so does an
/// interruption.
pub fn lint(
    inputs: Vec<LogInput>,
    format: Option<LogFormat>,
    options: LintOptions,
    progress: &Progress,
    mut each: impl FnMut(&str, Finding) -> bool,
) -> LintSummary {
    let mut summary = LintSummary::default();
    let mut work =
        Work { linter: Linter::new(options), out: Vec::new(), columns: None, values: Values::default() };
    if let Some(format) = &format {
        work.linter.set_default_columns(format);
    }
    for input in inputs {
        let name = input.name();
        let mut hand_over = |out: &mut Vec<Finding>, summary: &mut LintSummary| {
            out.drain(..).all(|finding| {
                summary.count(&finding);
                each(&name, finding)
            })
        };
        let mut reader = match input.open(LogReadOptions { format: format.clone() }) {
            Ok(reader) => reader,
            Err(error) => {
                summary.failures.push(error);
                continue;
            }
        };
        let mut goes_on = true;
        let result = work.read(&name, &mut reader, |out| {
            goes_on = hand_over(out, &mut summary) && !progress.is_interrupted();
            goes_on
        });
        summary.logs += 1;
        summary.entries += reader.summary().lines;
        summary.records += reader.summary().records;
        summary.failures.extend(result.err());
        if !goes_on {
            break;
        }
    }
    summary
}

/// What is used again from entry to entry.
struct Work {
    linter: Linter,
    out: Vec<Finding>,
    /// The columns that the linter was told last, of records that name their values.
    columns: Option<LogColumns>,
    values: Values,
}

/// The texts of a record's values.
#[derive(Default)]
struct Values {
    text: String,
    ranges: Vec<std::ops::Range<usize>>,
}

impl Work {
    /// Reads one log; `hand_over` is called with what was found, and stops the reading by `false`.
    fn read(
        &mut self,
        name: &str,
        reader: &mut LogReader,
        mut hand_over: impl FnMut(&mut Vec<Finding>) -> bool,
    ) -> Result<(), LogReadError> {
        let shape = reader.look()?;
        let is_gzip = reader.summary().gzip_layers > 0;
        let facts = |kind| LogFacts { name: name.to_owned(), kind, is_gzip };
        self.columns = None;
        // what JSON holds shows with its first entry
        let mut is_begun = shape != Some(LogShape::Json);
        if is_begun {
            let kind = if shape == Some(LogShape::Parquet) { LogKind::Parquet } else { LogKind::Text };
            self.linter.begin_log(facts(kind), &mut self.out);
        }
        loop {
            let linter = &mut self.linter;
            let more = reader.advance_past(|line, number| {
                !number.is_multiple_of(LOOK_EVERY) && linter.is_clean(line, number)
            });
            let more = match more {
                Ok(more) => more,
                Err(error) => {
                    hand_over(&mut self.out);
                    return Err(error);
                }
            };
            if !more {
                hand_over(&mut self.out);
                return Ok(());
            }
            let entry = reader.entry();
            if !is_begun {
                is_begun = true;
                let kind = if entry.unit == LogUnit::Record { LogKind::Json } else { LogKind::Events };
                self.linter.begin_log(facts(kind), &mut self.out);
            }
            self.entry(&entry, reader.columns());
            let looks = entry.place.line.is_multiple_of(LOOK_EVERY);
            if (looks || !self.out.is_empty()) && !hand_over(&mut self.out) {
                return Ok(());
            }
        }
    }

    fn entry(&mut self, entry: &Entry<'_>, columns: &LogColumns) {
        let place = FindingPlace { unit: entry.unit.name(), number: entry.place.line };
        let is_coloured = memchr::memmem::find(entry.text, ESCAPE).is_some();
        match entry.content {
            Content::Record(read) if entry.unit == LogUnit::Record => {
                self.names(place, columns, entry.text);
                if entry.leniencies.contains(Leniency::WordCase) {
                    let why = "a word is in other letter case than AWS's";
                    self.linter.unreadable(place, Rule::WordCase, why, entry.text, &mut self.out);
                }
                self.named(place, &read, entry.text);
            }
            Content::Bad(BadLine { problem: LineProblem::Value(error), .. }) => {
                self.names(place, columns, entry.text);
                self.linter.refused(place, error.field, &error.text, entry.text, &mut self.out);
            }
            Content::Record(read) if is_coloured => {
                let why = "the line has escape sequences of a terminal";
                self.linter.unreadable(place, Rule::TerminalColour, why, entry.text, &mut self.out);
                self.named(place, &read, entry.text);
            }
            Content::Header(columns) => {
                let names = lint_columns(columns);
                self.linter.header(place, entry.text, names, &mut self.out);
            }
            Content::Blank | Content::Comment => {
                self.linter.line_without_values(place, entry.text, &mut self.out);
            }
            Content::Control => {}
            Content::Record(_) | Content::Bad(BadLine { problem: LineProblem::Line(_), .. }) => {
                let event = entry.event.unwrap_or_default();
                let (in_front, timestamp) = match (entry.unit, entry.event.is_some()) {
                    // what `aws logs tail` writes in front
                    (LogUnit::Line, true) => (1 + usize::from(event.stream.is_some()), None),
                    _ => (0, event.timestamp),
                };
                self.tell_columns(columns);
                self.linter.line(place, entry.text, in_front, timestamp, &mut self.out);
            }
            Content::Bad(bad) => {
                let why = bad.problem.to_string();
                self.linter.unreadable(place, Rule::Unreadable, &why, entry.text, &mut self.out);
            }
        }
    }

    /// Tells the linter the names of a record's values, where they are others than before.
    fn names(&mut self, place: FindingPlace, columns: &LogColumns, text: &[u8]) {
        if self.columns.as_ref() != Some(columns) {
            self.linter.names(place, lint_columns(columns), text, &mut self.out);
            self.columns = Some(columns.clone());
        }
    }

    /// Tells the linter the columns of lines that no header named, where records that name their values stood between, or
    /// where the lines are a transit gateway's.
    fn tell_columns(&mut self, columns: &LogColumns) {
        if columns.columns().len() != self.linter.column_count() || self.columns.is_some() {
            self.linter.assume_columns(lint_columns(columns));
            self.columns = None;
        }
    }

    fn named(&mut self, place: FindingPlace, read: &ReadRecord<'_>, text: &[u8]) {
        let Values { text: values, ranges } = &mut self.values;
        values.clear();
        ranges.clear();
        let mut others = read.others();
        for column in read.columns.columns() {
            let start = values.len();
            match column {
                // writing to a string cannot fail
                Column::Field(field) => {
                    let _ = write!(values, "{}", field.get(read.record));
                }
                Column::Other(_) => values.push_str(others.next().map_or("-", |(_, text)| text)),
            }
            ranges.push(start..values.len());
        }
        let texts: Vec<Option<&str>> = ranges.iter().map(|range| values.get(range.clone())).collect();
        self.linter.record(place, &texts, text, &mut self.out);
    }
}

/// The columns of a log as the rules see them.
fn lint_columns(columns: &LogColumns) -> Vec<LintColumn> {
    let column = |column: &Column| match column {
        Column::Field(field) => LintColumn::Field(*field),
        Column::Other(name) => match Field::from_name(&name.to_ascii_lowercase().replace('_', "-")) {
            Ok(field) => LintColumn::Repeated(field),
            Err(_) if column.is_known() => LintColumn::TransitGateway(name.clone()),
            Err(_) => LintColumn::Unknown(name.clone()),
        },
    };
    columns.columns().iter().map(column).collect()
}
