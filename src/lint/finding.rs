//! What was found, and where.

use std::ops::Range;

use super::{Level, Rule};

/// Where something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FindingPlace {
    /// `line`, `event` or `record`.
    pub unit: &'static str,
    /// Which of them, from 1; 0 for the log as a whole.
    pub number: u64,
}

/// Something that a rule found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// By which rule.
    pub rule: Rule,
    /// How bad it is.
    pub level: Level,
    /// Where it is.
    pub place: FindingPlace,
    /// The value's column, from 1.
    pub column: Option<usize>,
    /// The field, or the column's name.
    pub field: Option<Box<str>>,
    /// Where in the text it is, in bytes.
    pub span: Option<Range<usize>>,
    /// What was found and what was expected, without a full stop.
    pub message: String,
    /// The line, the event's message or the record; cut where it is long, and control characters as they are.
    pub text: String,
}
