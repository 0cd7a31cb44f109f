//! Which fields a log has, and in which order.

use std::fmt;
use std::str::FromStr;

use super::error::shown;
use super::{Field, FlowRecord, UnknownField, Value};

/// The presets that a format can be named by.
const PRESETS: [(&str, u8); 11] = [
    ("default", 2),
    ("v2", 2),
    ("v3", 3),
    ("v4", 4),
    ("v5", 5),
    ("v7", 7),
    ("v8", 8),
    ("v9", 9),
    ("v10", 10),
    ("v11", 11),
    ("all", 11),
];

/// What is wrong with a log format. Positions count characters from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogFormatError {
    /// There is no field in it.
    #[error(
        "a log format needs at least one field, such as `${{version}}`; within double quotes a shell replaces `${{…}}`, within single quotes it does not"
    )]
    Empty,
    /// Text that is not white space stands outside `${}`.
    #[error("character {position} of the log format: `{text}` stands outside `${{}}`, expected `${{field}}`")]
    OutsideBraces {
        /// Where the text begins.
        position: usize,
        /// The text found, up to the next field or white space.
        text: String,
    },
    /// A `${` without its `}`.
    #[error("character {position} of the log format: `{text}` is not closed, expected `}}`")]
    Unclosed {
        /// Where the `${` is.
        position: usize,
        /// The text found from there, up to white space.
        text: String,
    },
    /// Two fields without a space between them.
    #[error("character {position} of the log format: found `{text}`, expected a space before it")]
    NoSpace {
        /// Where the second field begins.
        position: usize,
        /// The second field.
        text: String,
    },
    /// A name that is no field.
    #[error("character {position} of the log format: {unknown}")]
    UnknownField {
        /// Where the name is.
        position: usize,
        /// What is known about it.
        unknown: UnknownField,
    },
    /// A field that is there already.
    #[error("character {position} of the log format: `{field}` is there twice")]
    Duplicate {
        /// Where the second one is.
        position: usize,
        /// The field.
        field: Field,
    },
    /// `v6`, which VPC flow logs do not have.
    #[error(
        "there is no `v6` of VPC flow logs: version 6 is for transit gateways only; expected {}",
        Presets
    )]
    TransitGateway,
    /// A preset that does not exist.
    #[error("`{text}` is no log format: expected {} or fields such as `${{srcaddr}} ${{dstaddr}}`", Presets)]
    UnknownPreset {
        /// The text found.
        text: String,
    },
}

/// The presets' names, as an error message lists them.
struct Presets;

impl fmt::Display for Presets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, _)) in PRESETS.iter().enumerate() {
            let before = if index == 0 { "" } else { ", " };
            write!(f, "{before}`{name}`")?;
        }
        Ok(())
    }
}

/// The fields of a log in their order: at least one, none twice.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LogFormat {
    fields: Vec<Field>,
    version: u8,
}

/// The fields of a format that is being put together.
#[derive(Default)]
struct Builder {
    fields: Vec<Field>,
}

impl Builder {
    fn push(&mut self, field: Field, position: usize) -> Result<(), LogFormatError> {
        if self.fields.contains(&field) {
            return Err(LogFormatError::Duplicate { position, field });
        }
        self.fields.push(field);
        Ok(())
    }

    fn push_name(&mut self, name: &str, position: usize) -> Result<(), LogFormatError> {
        let field =
            Field::from_name(name).map_err(|unknown| LogFormatError::UnknownField { position, unknown })?;
        self.push(field, position)
    }

    fn finish(self) -> Result<LogFormat, LogFormatError> {
        let version = self.fields.iter().map(|field| field.version()).max().ok_or(LogFormatError::Empty)?;
        Ok(LogFormat { fields: self.fields, version })
    }
}

impl LogFormat {
    /// The format with these fields in this order.
    ///
    /// # Errors
    ///
    /// [`LogFormatError::Empty`] without a field; [`LogFormatError::Duplicate`] where a field is there twice
    /// (the position then counts fields).
    pub fn new(fields: impl IntoIterator<Item = Field>) -> Result<LogFormat, LogFormatError> {
        let mut builder = Builder::default();
        for (index, field) in fields.into_iter().enumerate() {
            builder.push(field, index + 1)?;
        }
        builder.finish()
    }

    /// All fields up to a version, in the order of AWS's documentation.
    fn up_to(version: u8) -> LogFormat {
        let fields = Field::ALL.into_iter().filter(|field| field.version() <= version).collect();
        LogFormat { fields, version }
    }

    /// The format of a preset: `v2` (also `default`), `v3`, `v4`, `v5`, `v7` … `v11` (also `all`). Each has all
    /// fields up to its version in the order of AWS's documentation.
    ///
    /// # Errors
    ///
    /// [`LogFormatError::TransitGateway`] for `v6`, [`LogFormatError::UnknownPreset`] for any other text.
    pub fn preset(name: &str) -> Result<LogFormat, LogFormatError> {
        if name == "v6" {
            return Err(LogFormatError::TransitGateway);
        }
        match PRESETS.into_iter().find(|(preset, _)| *preset == name) {
            Some((_, version)) => Ok(LogFormat::up_to(version)),
            None => Err(LogFormatError::UnknownPreset { text: shown(name) }),
        }
    }

    /// Reads a header line: plain field names with white space between them.
    ///
    /// # Errors
    ///
    /// [`LogFormatError`] at the first name that is no field or is there twice, or if there is none.
    pub fn from_header(line: &str) -> Result<LogFormat, LogFormatError> {
        let mut builder = Builder::default();
        let mut position = 1;
        for piece in line.split_inclusive(char::is_whitespace) {
            let name = piece.trim_end();
            if !name.is_empty() {
                builder.push_name(name, position)?;
            }
            position += piece.chars().count();
        }
        builder.finish()
    }

    /// Reads AWS's syntax, `${version} ${account-id} …`. AWS wants one space between fields; more white space
    /// is read all the same.
    ///
    /// # Errors
    ///
    /// [`LogFormatError`] at the first thing that is not as it should be.
    pub fn from_fields(text: &str) -> Result<LogFormat, LogFormatError> {
        let mut builder = Builder::default();
        let mut rest = text;
        let mut spaced = true;
        loop {
            let trimmed = rest.trim_start();
            spaced |= trimmed.len() < rest.len();
            rest = trimmed;
            if rest.is_empty() {
                return builder.finish();
            }
            let consumed = text.len().saturating_sub(rest.len());
            let position = text.get(..consumed).map_or(1, |before| before.chars().count() + 1);
            let word = |text: &str| shown(text.split(char::is_whitespace).next().unwrap_or(text));
            let Some(inner) = rest.strip_prefix("${") else {
                let outside = rest.split("${").next().unwrap_or(rest);
                return Err(LogFormatError::OutsideBraces { position, text: word(outside) });
            };
            // a name has no white space and no further `${`
            let end = inner.find(|c: char| c == '}' || c == '$' || c.is_whitespace());
            let Some((name, after)) =
                end.and_then(|end| inner.split_at_checked(end)).filter(|(_, after)| after.starts_with('}'))
            else {
                return Err(LogFormatError::Unclosed { position, text: word(rest) });
            };
            if !spaced {
                return Err(LogFormatError::NoSpace { position, text: shown(&format!("${{{name}}}")) });
            }
            builder.push_name(name, position + 2)?;
            rest = after.strip_prefix('}').unwrap_or(after);
            spaced = false;
        }
    }

    /// The fields in their order.
    #[inline]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Whether the field is in the format.
    pub fn contains(&self, field: Field) -> bool {
        self.fields.contains(&field)
    }

    /// What the `version` field of every record in this format says: the highest version among the fields.
    ///
    /// The default format has 2; there is never a 6. Source: AWS "Flow log records", `version`.
    #[inline]
    pub const fn version(&self) -> u8 {
        self.version
    }

    /// What a record in this format prints for a field: the record's value, but for `version` always the
    /// format's.
    #[inline]
    pub fn value<'a>(&self, field: Field, record: &'a FlowRecord) -> Value<'a> {
        match field {
            Field::Version => Value::UInt(u64::from(self.version)),
            _ => field.get(record),
        }
    }

    /// What a record in this format prints, field by field.
    pub fn values<'a>(&'a self, record: &'a FlowRecord) -> impl ExactSizeIterator<Item = Value<'a>> {
        self.fields.iter().map(|field| self.value(*field, record))
    }

    /// The header line of a text file, without a line end: the names with one space between them.
    pub fn header(&self) -> String {
        let names: Vec<&str> = self.fields.iter().map(|field| field.name()).collect();
        names.join(" ")
    }
}

/// AWS's default format, `v2`.
impl Default for LogFormat {
    fn default() -> Self {
        LogFormat::up_to(2)
    }
}

/// AWS's syntax, `${version} ${account-id} …`.
impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, field) in self.fields.iter().enumerate() {
            let before = if index == 0 { "" } else { " " };
            write!(f, "{before}${{{field}}}")?;
        }
        Ok(())
    }
}

/// Reads a preset's name or AWS's syntax.
impl FromStr for LogFormat {
    type Err = LogFormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let trimmed = text.trim();
        let is_word = !trimmed.is_empty() && trimmed.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if is_word { LogFormat::preset(trimmed) } else { LogFormat::from_fields(text) }
    }
}
