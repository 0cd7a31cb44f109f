//! The fields of a log as other programs want to be told of them.

use crate::record::{Field, FieldType, LogFormat};

/// AWS's names with a space between them: the header line.
pub(super) fn aws_names(format: &LogFormat) -> String {
    let names: Vec<&str> = format.fields().iter().map(|field| field.name()).collect();
    names.join(" ")
}

/// The columns' names with a space between them.
pub(super) fn column_names(format: &LogFormat) -> String {
    let names: Vec<&str> = format.fields().iter().map(|field| field.column()).collect();
    names.join(" ")
}

/// How many values stand before a field's; 0 where the log does not have it.
pub(super) fn position(format: &LogFormat, field: Field) -> usize {
    format.fields().iter().position(|one| *one == field).unwrap_or(0)
}

/// The type of a column, as the words for 32 bits, 64 bits and text.
pub(super) fn column_type(field: Field, [int32, int64, text]: [&'static str; 3]) -> &'static str {
    match field.field_type() {
        FieldType::Int32 => int32,
        FieldType::Int64 => int64,
        FieldType::String => text,
    }
}
