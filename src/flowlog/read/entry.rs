//! What a log yields: an entry for every line or event.

use std::fmt;

use crate::flowlog::text::LineError;
use crate::record::{Field, FieldValueError, FlowRecord};

use super::{Leniencies, LogColumns};

/// Where in a log something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The line, the event or the record, from 1; [`LogUnit`] says which.
    pub line: u64,
    /// Where it begins, in bytes from the start of the (uncompressed) log; 0 in Parquet, which has columns.
    pub offset: u64,
}

/// What [`Place::line`] counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LogUnit {
    /// Lines of text.
    #[default]
    Line,
    /// Events of CloudWatch Logs.
    Event,
    /// Records: of Parquet, or JSON that is a record itself.
    Record,
}

impl LogUnit {
    /// The word, `line`.
    pub const fn name(self) -> &'static str {
        match self {
            LogUnit::Line => "line",
            LogUnit::Event => "event",
            LogUnit::Record => "record",
        }
    }
}

/// The word, `line`.
impl fmt::Display for LogUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What CloudWatch Logs says about the event that a line came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventInfo<'a> {
    /// The event's time in milliseconds since 1970.
    pub timestamp: Option<i64>,
    /// The log stream, where it is named before the event.
    pub stream: Option<&'a str>,
    /// The event's identifier.
    pub id: Option<&'a str>,
}

/// One line or event.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Where it is.
    pub place: Place,
    /// What the place counts.
    pub unit: LogUnit,
    /// The line as it is in the log, or the event's message, without a line end; of JSON that is a record itself the
    /// JSON, of Parquet the record's values with a space between them; of something that is too long or no event its
    /// first bytes, if any.
    pub text: &'a [u8],
    /// What CloudWatch Logs says about it; `None` for a plain line.
    pub event: Option<EventInfo<'a>>,
    /// What it is.
    pub content: Content<'a>,
    /// What it has that AWS does not write; nothing for a bad line.
    pub leniencies: Leniencies,
}

/// What a line or event is.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// A record: of traffic, or one that says NODATA or SKIPDATA.
    Record(ReadRecord<'a>),
    /// A header line: from here on these are the columns.
    Header(&'a LogColumns),
    /// No value.
    Blank,
    /// A comment.
    Comment,
    /// A control message, with which CloudWatch Logs tries whether a subscription works.
    Control,
    /// Not understood, and skipped.
    Bad(&'a BadLine),
}

/// A record and what stands beside it.
#[derive(Clone, Copy, Debug)]
pub struct ReadRecord<'a> {
    /// The record; fields that the log does not have are missing.
    pub record: &'a FlowRecord,
    /// The columns of the log.
    pub columns: &'a LogColumns,
    pub(super) others: &'a [String],
}

impl<'a> ReadRecord<'a> {
    /// The columns that are no fields of VPC flow logs: name and text, `-` included.
    pub fn others(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.columns.others().zip(self.others.iter().map(String::as_str))
    }
}

/// A line or event that was not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Where it is.
    pub place: Place,
    /// What [`Place::line`] counts.
    pub unit: LogUnit,
    /// Its text; control characters are escaped, a long text is cut.
    pub text: String,
    /// What is wrong with it.
    pub problem: LineProblem,
}

impl BadLine {
    /// The field whose value was not understood, if it is about one value.
    pub fn field(&self) -> Option<Field> {
        match &self.problem {
            LineProblem::Line(LineError::Value { error, .. }) | LineProblem::Value(error) => {
                Some(error.field)
            }
            _ => None,
        }
    }
}

/// `line 3: found 13 values, expected the format's 14`.
impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.unit, self.place.line, self.problem)
    }
}

/// What is wrong with a line or event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineProblem {
    /// The values do not fit the columns. They are numbered without what `aws logs tail` writes in front; positions
    /// count characters without terminal colours and byte order mark.
    #[error(transparent)]
    Line(#[from] LineError),
    /// A named value that its field cannot hold, in JSON or Parquet.
    #[error(transparent)]
    Value(#[from] FieldValueError),
    /// Longer than a line, an event or a value can be.
    #[error("found {found} bytes, expected at most {limit}")]
    TooLong {
        /// Its bytes.
        found: u64,
        /// The most that is held.
        limit: usize,
    },
    /// JSON that is not well formed; what follows it in its line is skipped.
    #[error("found `{found}` in the JSON, expected {expected}")]
    Json {
        /// The text found, escaped and cut.
        found: String,
        /// What was expected instead.
        expected: &'static str,
    },
    /// JSON that ends before it is complete.
    #[error("the JSON ends too early, expected {expected}")]
    JsonCut {
        /// What was expected instead.
        expected: &'static str,
    },
    /// Something in a list of events that is no event of CloudWatch Logs, and no record.
    #[error("neither an event of CloudWatch Logs nor a record: {reason}")]
    Event {
        /// The decoder's words.
        reason: String,
    },
    /// A JSON document that is no record, and in which nothing holds events.
    #[error(
        "the JSON document has neither events nor fields of a record, expected `events`, `logEvents`, `awslogs`, `Records`, `message` or fields such as `srcaddr`"
    )]
    NoEvents,
    /// The data in `awslogs`, or of a record of Kinesis or Firehose, is not base64, or what is in it is damaged.
    #[error("the data cannot be decoded: {reason}")]
    Data {
        /// The decoder's words.
        reason: String,
    },
}

/// How many characters of a text are shown.
const SHOWN: usize = 80;

/// A text as a message shows it: UTF-8 repaired, control characters escaped, and cut where it is long.
pub(super) fn excerpt(bytes: &[u8]) -> String {
    // a character has at most four bytes
    let head = bytes.get(..(SHOWN + 1) * 4).unwrap_or(bytes);
    let mut shown = String::new();
    for (index, character) in String::from_utf8_lossy(head).chars().enumerate() {
        if index == SHOWN {
            shown.push('…');
            break;
        }
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}
