//! Arrow batches with AWS's column names and types: what the Parquet of the same records holds, in memory.
//!
//! A number is `int32` or `int64`, anything else text; every column is nullable. A missing number is null, a missing string
//! is `-`, as in AWS's Parquet.

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use arrow_array::builder::{Int32Builder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field as ArrowField, Schema, SchemaRef};

use super::values::{check, number};
use crate::record::{Field, FieldType, FlowRecord, LogFormat, Value};

/// About how long a text is, in bytes: room for an IPv4 address.
const TEXT: usize = 14;

/// Gathers records, column by column.
#[derive(Debug)]
pub struct RecordBatchBuilder {
    format: LogFormat,
    schema: SchemaRef,
    columns: Vec<Column>,
    rows: usize,
}

#[derive(Debug)]
struct Column {
    field: Field,
    values: Values,
}

#[derive(Debug)]
enum Values {
    Int32(Int32Builder),
    Int64(Int64Builder),
    Text(StringBuilder),
}

/// The columns of records in a format.
pub fn record_schema(format: &LogFormat) -> SchemaRef {
    let column = |field: &Field| {
        let kind = match field.field_type() {
            FieldType::Int32 => DataType::Int32,
            FieldType::Int64 => DataType::Int64,
            FieldType::String => DataType::Utf8,
        };
        ArrowField::new(field.column(), kind, true)
    };
    Arc::new(Schema::new(format.fields().iter().map(column).collect::<Vec<_>>()))
}

impl RecordBatchBuilder {
    /// An empty batch with room for so many records.
    pub fn new(format: &LogFormat, rows: usize) -> Self {
        let column = |field: &Field| Column { field: *field, values: Values::new(*field, rows) };
        RecordBatchBuilder {
            format: format.clone(),
            schema: record_schema(format),
            columns: format.fields().iter().map(column).collect(),
            rows: 0,
        }
    }

    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// How many records it holds.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Adds a record.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] where a column cannot hold a value; nothing of the record was added.
    pub fn push(&mut self, record: &FlowRecord) -> io::Result<()> {
        for column in &self.columns {
            check(column.field, self.format.value(column.field, record))?;
        }
        for column in &mut self.columns {
            column.values.push(self.format.value(column.field, record));
        }
        self.rows += 1;
        Ok(())
    }

    /// The records as a batch; the builder is empty again.
    ///
    /// # Errors
    /// None that records can cause.
    pub fn finish(&mut self) -> io::Result<RecordBatch> {
        let columns = self.columns.iter_mut().map(|column| column.values.finish()).collect();
        self.rows = 0;
        RecordBatch::try_new(self.schema(), columns).map_err(io::Error::other)
    }
}

impl Values {
    fn new(field: Field, rows: usize) -> Values {
        match field.field_type() {
            FieldType::Int32 => Values::Int32(Int32Builder::with_capacity(rows)),
            FieldType::Int64 => Values::Int64(Int64Builder::with_capacity(rows)),
            FieldType::String => Values::Text(StringBuilder::with_capacity(rows, rows * TEXT)),
        }
    }

    /// Takes a value that the column can hold.
    fn push(&mut self, value: Value<'_>) {
        match self {
            Values::Int32(values) => {
                values.append_option(number(value).and_then(|number| i32::try_from(number).ok()));
            }
            Values::Int64(values) => values.append_option(number(value)),
            Values::Text(text) => {
                // memory takes everything
                let _ = write!(text, "{value}");
                text.append_value("");
            }
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Values::Int32(values) => Arc::new(values.finish()),
            Values::Int64(values) => Arc::new(values.finish()),
            Values::Text(text) => Arc::new(text.finish()),
        }
    }
}
