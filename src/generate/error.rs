//! What is wrong with a scenario.

use crate::record::Field;

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
            what,
            hint,
        }
    }
}

/// Why a run broke off.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError<E> {
    /// Whoever takes frames, records and truth cannot take more.
    #[error(transparent)]
    Sink(E),
    /// A packet would come after the last time that captures hold.
    #[error(
        "a conversation would go on until {seconds} s after 1970, expected no time after {last} s, the last that a pcap holds"
    )]
    TooLate {
        /// Its second.
        seconds: i64,
        /// The last second.
        last: i64,
    },
    /// A value that the scenario gives its records cannot be one of the field.
    #[error("`{value}` cannot be the value of `{field}`")]
    Value {
        /// The field.
        field: Field,
        /// The text.
        value: String,
    },
}
