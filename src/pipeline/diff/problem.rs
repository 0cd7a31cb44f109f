//! Lines of a log that cannot be compared.

use std::fmt;

use crate::flowlog::read::BadLine;
use crate::record::Field;

/// A line that cannot be compared.
#[derive(Clone, Debug)]
pub struct LogProblem {
    /// The log, as it was named.
    pub log: String,
    /// What is wrong.
    pub what: BadRecord,
}

/// What is wrong with a line.
#[derive(Clone, Debug)]
pub enum BadRecord {
    /// It is not understood.
    Line(BadLine),
    /// It is a record, but lacks what a comparison needs.
    Lacks {
        /// Its line, from 1.
        line: u64,
        /// The field.
        field: Field,
    },
    /// Its end comes before its start.
    EndsEarly {
        /// Its line, from 1.
        line: u64,
        /// Its `start`.
        start: i64,
        /// Its `end`.
        end: i64,
    },
}

impl fmt::Display for LogProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: ", self.log)?;
        match &self.what {
            BadRecord::Line(bad) => write!(f, "{bad}: `{}`", bad.text),
            BadRecord::Lacks { line, field } => {
                write!(f, "line {line}: the record has no `{field}`, without which it cannot be compared")
            }
            BadRecord::EndsEarly { line, start, end } => {
                write!(f, "line {line}: `end` {end} comes before `start` {start}")
            }
        }
    }
}
