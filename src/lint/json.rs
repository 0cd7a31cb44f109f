//! A finding as a JSON object, for programs.

use std::ops::Range;

use serde::Serialize;

use super::{Finding, Level, Rule};

/// A finding, and the log that it is of.
#[derive(Debug, Serialize)]
pub struct FindingJson<'a> {
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

impl<'a> FindingJson<'a> {
    /// A finding in a log of this name.
    pub fn new(log: &'a str, finding: &'a Finding) -> Self {
        let is_in_log = finding.place.number > 0;
        FindingJson {
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
        }
    }
}

/// A range of bytes as characters, from 1.
pub fn characters(text: &str, span: Range<usize>) -> Range<usize> {
    let place = |at: usize| text.char_indices().take_while(|(index, _)| *index < at).count() + 1;
    place(span.start)..place(span.end)
}
