//! The words of the log: the fields, the record, and the format that chooses among the fields.
//!
//! One table (`table.rs`) names the fields of a VPC flow log up to version 11. From it are made
//! [`Field`] (names, versions, types, the reference), [`FlowRecord`] (a typed value for every field), and the
//! access of one to the other. [`LogFormat`] is the choice and order of fields that a log has.
//!
//! - A missing value is `None`, and prints `-`; zero is `Some(0)`, and prints `0`.
//! - Reading is lenient about values that AWS may add ([`Field::read`]), setting is not ([`Field::set`]).
//! - No value holds white space or control characters, so a record is always one line of so many words.
//! - The `version` that a record prints is its format's, whatever the record says.
//!
//! Floor 0: no I/O.

mod cell;
mod delivery;
mod error;
mod field;
mod flow_record;
mod format;
mod info;
#[cfg(test)]
mod page;
mod table;
#[cfg(test)]
mod tests;
mod value;
mod words;

pub use delivery::{FileFormat, Layout, UnknownDelivery};
pub(crate) use error::shown;
pub use error::{FieldValueError, UnknownField, UnknownFieldReason};
pub use field::Field;
pub use flow_record::FlowRecord;
pub use format::{LogFormat, LogFormatError};
pub use info::{FieldInfo, FieldType, Origin, Values};
pub use value::Value;
pub use words::{Action, FlowDirection, LogStatus, ParseWordError, RecordType};
