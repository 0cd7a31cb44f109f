//! The fields, made from the table.

use std::fmt;
use std::net::IpAddr;

use serde::{Serialize, Serializer};

use crate::packet::{Protocol, TcpFlags};

use super::cell::Cell;
use super::error::{UnknownField, UnknownFieldReason, shown};
use super::info::{FieldInfo, FieldType, Origin, Values};
use super::table::{AWS_SERVICES, INTERFACE_TYPES, NOT_ECS, field_table, page};
use super::{Action, FieldValueError, FlowDirection, FlowRecord, LogStatus, RecordType, Value};

/// Fields that only transit gateway flow logs have (AWS "Transit Gateway Flow Logs").
const TRANSIT_GATEWAY_FIELDS: [&str; 18] = [
    "resource-type",
    "tgw-id",
    "tgw-attachment-id",
    "tgw-src-vpc-account-id",
    "tgw-dst-vpc-account-id",
    "tgw-src-vpc-id",
    "tgw-dst-vpc-id",
    "tgw-src-subnet-id",
    "tgw-dst-subnet-id",
    "tgw-src-eni",
    "tgw-dst-eni",
    "tgw-src-az-id",
    "tgw-dst-az-id",
    "tgw-pair-attachment-id",
    "packets-lost-no-route",
    "packets-lost-blackhole",
    "packets-lost-mtu-exceeded",
    "packets-lost-ttl-expired",
];

/// How much a text must be like a field's name (Jaro–Winkler, 0 to 1) for that to be suggested.
const SIMILAR: f64 = 0.8;

/// A name's bytes with `_` for `-`: the column name.
#[allow(clippy::indexing_slicing, reason = "run by the compiler; N is the name's length")]
const fn underscored<const N: usize>(name: &str) -> [u8; N] {
    let mut column = [0; N];
    let mut index = 0;
    while index < N {
        let byte = name.as_bytes()[index];
        column[index] = if byte == b'-' { b'_' } else { byte };
        index += 1;
    }
    column
}

macro_rules! define_field {
    ($(
        $variant:ident $member:ident : $type:ty = $name:literal, $version:literal, $parquet:ident, $origin:ident,
        $source:path {
            meaning: $meaning:literal,
            missing: $missing:expr,
            values: $values:expr
        }
    )*) => {
        /// A field of a VPC flow log, in the order of AWS's documentation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Field {
            $(
                #[doc = concat!("`", $name, "`: ", $meaning)]
                $variant,
            )*
        }

        impl Field {
            /// Every field, in the order of AWS's documentation.
            pub const ALL: [Field; [$($name),*].len()] = [$(Field::$variant),*];

            /// The field's row of the table.
            pub const fn info(self) -> &'static FieldInfo {
                match self {
                    $(Field::$variant => {
                        const COLUMN: [u8; $name.len()] = underscored($name);
                        const INFO: FieldInfo = FieldInfo {
                            name: $name,
                            column: match std::str::from_utf8(&COLUMN) {
                                Ok(column) => column,
                                Err(_) => $name,
                            },
                            version: $version,
                            field_type: FieldType::$parquet,
                            meaning: $meaning,
                            missing: $missing,
                            values: $values,
                            origin: Origin::$origin,
                            source: $source,
                        };
                        &INFO
                    })*
                }
            }

            /// The field's value in a record.
            ///
            /// [`LogFormat::value`](super::LogFormat::value) is what a record *prints*; the two differ in
            /// `version` only.
            #[inline]
            pub fn get(self, record: &FlowRecord) -> Value<'_> {
                match self {
                    $(Field::$variant => record.$member.as_ref().map_or(Value::Missing, Cell::value),)*
                }
            }

            /// Removes the field's value from a record.
            pub fn clear(self, record: &mut FlowRecord) {
                match self {
                    $(Field::$variant => record.$member = None,)*
                }
            }

            /// Reads a value that is not `-`; `false` where the field's type cannot hold it.
            #[inline]
            fn read_value(self, record: &mut FlowRecord, text: &str) -> bool {
                match self {
                    $(Field::$variant => Cell::read_into(&mut record.$member, text),)*
                }
            }

            /// What a value of the field's type looks like.
            const fn expected(self) -> &'static str {
                match self {
                    $(Field::$variant => <$type as Cell>::EXPECTED,)*
                }
            }
        }
    };
}

field_table!(define_field);

impl Field {
    /// The name in a log format: `log-status`.
    #[inline]
    pub const fn name(self) -> &'static str {
        self.info().name
    }

    /// The column name in Athena and Parquet: `log_status`.
    pub const fn column(self) -> &'static str {
        self.info().column
    }

    /// The first flow log version that has the field: 2 to 5 or 7 to 11.
    pub const fn version(self) -> u8 {
        self.info().version
    }

    /// The type in Parquet.
    pub const fn field_type(self) -> FieldType {
        self.info().field_type
    }

    /// Whether its values are addresses.
    pub const fn is_address(self) -> bool {
        matches!(self, Field::SrcAddr | Field::DstAddr | Field::PktSrcAddr | Field::PktDstAddr)
    }

    /// Where this program takes the value from.
    pub const fn origin(self) -> Origin {
        self.info().origin
    }

    /// The field of this exact name.
    ///
    /// # Errors
    ///
    /// [`UnknownField`] for any other text; it names the field that was probably meant.
    pub fn from_name(name: &str) -> Result<Field, UnknownField> {
        Field::ALL.into_iter().find(|field| field.name() == name).ok_or_else(|| {
            let lower = name.trim().to_ascii_lowercase();
            let named = |text: &str| Field::ALL.into_iter().find(|field| field.name() == text);
            let reason = if Field::is_of_transit_gateway(&lower) {
                UnknownFieldReason::TransitGateway
            } else if let Some(field) = named(&lower) {
                UnknownFieldReason::Case(field)
            } else if let Some(field) = named(&lower.replace('_', "-")) {
                UnknownFieldReason::Underscores(field)
            } else {
                nearest(&lower).map_or(UnknownFieldReason::Unlike, UnknownFieldReason::Similar)
            };
            UnknownField { text: shown(name), reason }
        })
    }

    /// Whether this is the name of a field that only transit gateway flow logs have, in any letter case and with `_` for
    /// `-`. To ask [`from_name`](Field::from_name) costs the search for what was meant.
    pub(crate) fn is_of_transit_gateway(name: &str) -> bool {
        let same = |(a, b): (u8, u8)| a.to_ascii_lowercase() == b || (a == b'_' && b == b'-');
        let is_one = |field: &&str| field.len() == name.len() && name.bytes().zip(field.bytes()).all(same);
        TRANSIT_GATEWAY_FIELDS.iter().any(is_one)
    }

    /// The field of this exact column name.
    pub fn from_column(column: &str) -> Option<Field> {
        Field::ALL.into_iter().find(|field| field.column() == column)
    }

    /// Sets the field to a value that a user gave; `-` removes the value.
    ///
    /// # Errors
    ///
    /// [`FieldValueError`] where the field's type cannot hold the text, or the documentation does not allow
    /// the value. The record is then as it was.
    pub fn set(self, record: &mut FlowRecord, text: &str) -> Result<(), FieldValueError> {
        let values = &self.info().values;
        let mut scratch = FlowRecord::default();
        self.read(&mut scratch, text).map_err(|error| match values.expected() {
            Some(expected) => FieldValueError { expected, ..error },
            None => error,
        })?;
        if let (false, Some(expected)) = (values.allow(&self.get(&scratch)), values.expected()) {
            return Err(FieldValueError { field: self, text: shown(text), expected });
        }
        self.read(record, text)
    }

    /// Reads the field as a log holds it; `-` is a missing value.
    ///
    /// More lenient than [`set`](Field::set): a value that the documentation does not list (yet) is read where
    /// the field's type can hold it. A text that the record already holds is kept and not allocated again.
    ///
    /// # Errors
    ///
    /// [`FieldValueError`] where the field's type cannot hold the text. The record is then as it was.
    #[inline]
    pub fn read(self, record: &mut FlowRecord, text: &str) -> Result<(), FieldValueError> {
        if text == "-" {
            self.clear(record);
            return Ok(());
        }
        if self.read_value(record, text) {
            return Ok(());
        }
        Err(self.value_error(text))
    }

    #[cold]
    fn value_error(self, text: &str) -> FieldValueError {
        FieldValueError { field: self, text: shown(text), expected: self.expected().into() }
    }
}

/// The field whose name is most like the text, if one is at all.
fn nearest(text: &str) -> Option<Field> {
    // a comparison takes the product of both lengths; no misspelt name is this long
    if text.len() > 64 {
        return None;
    }
    let mut best = None;
    let mut best_score = SIMILAR;
    for field in Field::ALL {
        let score = strsim::jaro_winkler(text, field.name());
        if score > best_score {
            (best, best_score) = (Some(field), score);
        }
    }
    best
}

/// The name in a log format.
impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name in a log format.
impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
