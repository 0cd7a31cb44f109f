//! What a column of AWS's types can hold.

use std::io;

use crate::record::{Field, FieldType, Value};

/// A value as a signed number, if it is one and fits.
pub(super) fn number(value: Value<'_>) -> Option<i64> {
    match value {
        Value::UInt(number) => i64::try_from(number).ok(),
        Value::Int(number) => Some(number),
        Value::Missing | Value::Addr(_) | Value::Text(_) => None,
    }
}

/// Whether a field's column can hold the value.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] where it cannot.
pub(super) fn check(field: Field, value: Value<'_>) -> io::Result<()> {
    let fits = match field.field_type() {
        FieldType::Int32 => value.is_missing() || number(value).is_some_and(|n| i32::try_from(n).is_ok()),
        FieldType::Int64 => value.is_missing() || number(value).is_some(),
        FieldType::String => true,
    };
    if fits {
        return Ok(());
    }
    let text = format!("`{field}` is `{value}`, which Parquet's {} cannot hold", field.field_type());
    Err(io::Error::new(io::ErrorKind::InvalidData, text))
}
