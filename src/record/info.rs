//! What is known about a field: the types of the table's columns.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};

use super::Value;

/// A field's type in AWS's Parquet files. In text every field is a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldType {
    /// `INT_32`.
    Int32,
    /// `INT_64`.
    Int64,
    /// `STRING`.
    String,
}

/// AWS's word for it.
impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FieldType::Int32 => "INT_32",
            FieldType::Int64 => "INT_64",
            FieldType::String => "STRING",
        })
    }
}

impl Serialize for FieldType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Where this program takes a field's value from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// From the packets, the capture windows or the format.
    Computed,
    /// From what the user says about the interface: one value for all its records.
    Constant,
    /// From the capture where it tells, else from what the user says.
    Mixed,
    /// From the VPC around the capture, where one is described.
    Vpc,
    /// From nowhere: a capture does not show it, and it is no constant of the interface.
    Unknown,
}

impl Origin {
    /// What it means for the user, as the field reference says it.
    pub const fn explanation(self) -> &'static str {
        match self {
            Origin::Computed => "computed",
            Origin::Constant => "the value you give, else `-`",
            Origin::Mixed => "computed where the capture tells, else the value you give",
            Origin::Vpc => "from the VPC that `--vpc` describes, else the value you give, else `-`",
            Origin::Unknown => "not known from a capture: `-`",
        }
    }
}

/// The values that a field can have, `-` aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Values {
    /// What a value looks like.
    Described(&'static str),
    /// Whole numbers from the first to the second.
    Range(u64, u64),
    /// Exactly these, each with its meaning.
    Listed(&'static [(&'static str, &'static str)]),
    /// The sum of some of these, each with its meaning.
    Bits(&'static [(&'static str, &'static str)]),
    /// These today; AWS adds to them.
    Codes(&'static [&'static str]),
}

impl Values {
    /// Whether the documentation allows the value.
    ///
    /// Open sets allow everything here; only [`Values::Range`] and [`Values::Listed`] can refuse. A missing
    /// value is always allowed.
    pub fn allow(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Values::Range(min, max), Value::UInt(number)) => (min..=max).contains(&number),
            (Values::Listed(list), Value::Text(text)) => list.iter().any(|(word, _)| word == text),
            (Values::Listed(list), Value::UInt(number)) => {
                list.iter().any(|(word, _)| word.parse() == Ok(*number))
            }
            _ => true,
        }
    }

    /// What [`allow`](Values::allow) allows, as an error message says it; `None` where it refuses nothing.
    pub(super) fn expected(&self) -> Option<Cow<'static, str>> {
        match self {
            Values::Range(min, max) => Some(format!("a whole number from {min} to {max}").into()),
            Values::Listed(list) => {
                let words: Vec<String> = list.iter().map(|(word, _)| format!("`{word}`")).collect();
                let (last, rest) = words.split_last()?;
                if rest.is_empty() {
                    return Some(last.clone().into());
                }
                Some(format!("{} or {last}", rest.join(", ")).into())
            }
            Values::Described(_) | Values::Bits(_) | Values::Codes(_) => None,
        }
    }
}

/// One row of the field table: the reference of one field, ready to be shown or serialised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FieldInfo {
    /// The name in a log format, in lower case with hyphens: `log-status`.
    pub name: &'static str,
    /// The column name in Athena and Parquet: `log_status`.
    pub column: &'static str,
    /// The first flow log version that has the field, 2 to 11.
    pub version: u8,
    /// The type in Parquet.
    #[serde(rename = "type")]
    pub field_type: FieldType,
    /// What the value says.
    pub meaning: &'static str,
    /// When there is no value.
    pub missing: &'static str,
    /// Which values there are.
    pub values: Values,
    /// Where this program takes the value from.
    pub origin: Origin,
    /// The titles of the AWS pages that say so (Amazon VPC User Guide), separated by `; `.
    pub source: &'static str,
}
