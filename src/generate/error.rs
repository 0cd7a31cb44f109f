//! What is wrong with a scenario.

use super::scenario::{Scenario, Template};

/// The last second that a pcap holds.
pub(super) const LAST_SECOND: i64 = u32::MAX as i64;

/// A scenario that cannot be run: where, what was found, what was expected, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{file}`, line {line}, column {column}: {what}")]
pub struct ScenarioError {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    /// What was found, and what was expected.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl ScenarioError {
    /// An error at a byte of a text.
    pub(super) fn at(file: &str, text: &str, offset: usize, what: String, hint: Option<String>) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        ScenarioError {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            what: shortened(what),
            hint: hint.map(shortened),
        }
    }

    /// With advice.
    pub(super) fn advised(self, hint: impl Into<String>) -> Self {
        ScenarioError { hint: Some(shortened(hint.into())), ..self }
    }
}

/// A message of which a text from a file is a part, no longer than can be read.
fn shortened(message: String) -> String {
    const MOST: usize = 400;
    match message.char_indices().nth(MOST) {
        None => message,
        Some((end, _)) => format!("{}…", message.get(..end).unwrap_or_default()),
    }
}

impl Scenario {
    /// What is wrong with one of its conversations.
    pub(super) fn error_in(&self, plan: &Template, what: String, hint: String) -> ScenarioError {
        let (line, column) = plan.begins_at;
        ScenarioError { file: self.file.clone(), line, column, what, hint: Some(hint) }
    }

    /// One of its conversations would go on until a second that no capture holds.
    pub(super) fn too_late(&self, plan: &Template, seconds: i64) -> ScenarioError {
        let what = format!(
            "a conversation would go on until {seconds} s after 1970, expected no time after {LAST_SECOND} s, the last \
             that a pcap holds"
        );
        self.error_in(
            plan,
            what,
            "lower `exchanges`, `pause` or `rtt`, or let the scenario begin earlier".to_owned(),
        )
    }
}

/// Why a run broke off.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError<E> {
    /// Whoever takes frames, records and truth cannot take more.
    #[error(transparent)]
    Sink(E),
    /// What was asked for takes longer than there are times that captures hold.
    #[error(
        "the scenario would be run again until {seconds} s after 1970, expected no time after {last} s, the last that a pcap holds"
    )]
    TooLate {
        /// Its second.
        seconds: i64,
        /// The last second.
        last: i64,
    },
    /// Something of the scenario cannot be, which only its run shows.
    #[error(transparent)]
    Scenario(ScenarioError),
}
