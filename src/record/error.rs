//! What is wrong with a field's name or value.

use std::borrow::Cow;
use std::fmt;

use super::Field;

/// How many characters of a text an error message shows.
const SHOWN: usize = 80;

/// A text as an error message shows it: control characters escaped, and cut where it is long.
pub(crate) fn shown(text: &str) -> String {
    let mut result = String::new();
    for (index, character) in text.chars().enumerate() {
        if index == SHOWN {
            result.push('…');
            break;
        }
        if character.is_control() {
            result.extend(character.escape_default());
        } else {
            result.push(character);
        }
    }
    result
}

/// A value that its field cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` cannot be `{text}`: expected {expected}")]
pub struct FieldValueError {
    /// The field.
    pub field: Field,
    /// The text found; control characters are escaped, a long text is cut.
    pub text: String,
    /// What was expected instead.
    pub expected: Cow<'static, str>,
}

/// A name that is no field of a VPC flow log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownField {
    /// The text found; control characters are escaped, a long text is cut.
    pub text: String,
    /// What it may have been meant as.
    pub reason: UnknownFieldReason,
}

/// What a name that is no field may have been meant as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownFieldReason {
    /// The field's column name in Athena and Parquet.
    Underscores(Field),
    /// The field, but in other letter case.
    Case(Field),
    /// A field that only transit gateway flow logs (version 6) have.
    TransitGateway,
    /// No field is spelled like this; this one comes nearest.
    Similar(Field),
    /// Nothing comes near.
    Unlike,
}

impl UnknownFieldReason {
    /// The field that was probably meant.
    pub const fn suggestion(self) -> Option<Field> {
        match self {
            UnknownFieldReason::Underscores(field)
            | UnknownFieldReason::Case(field)
            | UnknownFieldReason::Similar(field) => Some(field),
            UnknownFieldReason::TransitGateway | UnknownFieldReason::Unlike => None,
        }
    }
}

impl std::error::Error for UnknownField {}

impl fmt::Display for UnknownField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.text;
        match self.reason {
            UnknownFieldReason::Underscores(field) => {
                write!(f, "`{text}` is a column name; as a flow log field it is spelled `{field}`")
            }
            UnknownFieldReason::Case(field) => {
                write!(f, "`{text}` is no field; expected lower case, `{field}`")
            }
            UnknownFieldReason::TransitGateway => {
                write!(
                    f,
                    "`{text}` is a field of transit gateway flow logs (version 6), not of VPC flow logs"
                )
            }
            UnknownFieldReason::Similar(field) => {
                write!(f, "`{text}` is no field of a VPC flow log; the nearest is `{field}`")
            }
            UnknownFieldReason::Unlike => write!(f, "`{text}` is no field of a VPC flow log"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_text_is_escaped_and_cut() {
        assert_eq!(shown("a\u{1b}[31m\n"), "a\\u{1b}[31m\\n");
        assert_eq!(shown(&"x".repeat(80)), "x".repeat(80));
        assert_eq!(shown(&"é".repeat(5000)), format!("{}…", "é".repeat(80)));
    }
}
