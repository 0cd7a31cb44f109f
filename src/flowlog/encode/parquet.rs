//! Parquet with AWS's column names and types.
//!
//! - `INT_32`, `INT_64` and `STRING` as AWS documents them for each field; every column is optional. A missing number is
//!   null, a missing string is `-`, as it seems to be in AWS's files (its pages do not say).
//! - Version 1 data pages, `PLAIN`, no dictionary, gzip: what every reader understands, some of them nothing else.
//! - A row group ends with a capture window, once it has [`ROWS_WORTH_A_GROUP`] rows, and has at most [`MOST_ROWS`] rows.
//!   That bounds the memory, which holds one row group before it is compressed.

use std::io;
use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, Encoding, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;

use super::RecordEncoder;
use super::values::{check, number};
use crate::record::{Field, FieldType, FlowRecord, LogFormat, Value};

/// A row group of so many rows ends with its window.
const ROWS_WORTH_A_GROUP: usize = 8192;

/// No row group has more rows.
const MOST_ROWS: usize = 131_072;

/// No row group takes more memory, by and large.
const MOST_BYTES: usize = 16 << 20;

/// How many strings are handed to a column at once.
const TOGETHER: usize = 1024;

/// The values of a column in the row group that is being gathered.
enum Values {
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    /// All strings one after another, and where each ends.
    Text(Vec<u8>, Vec<usize>),
}

struct Column {
    field: Field,
    values: Values,
    /// 1 where there is a value, 0 where there is none.
    present: Vec<i16>,
}

pub(super) struct ParquetEncoder {
    format: LogFormat,
    columns: Vec<Column>,
    rows: usize,
    writer: io::Result<SerializedFileWriter<Vec<u8>>>,
}

impl ParquetEncoder {
    pub(super) fn new(format: &LogFormat) -> Self {
        let columns = format.fields().iter().map(|field| Column::new(*field)).collect();
        ParquetEncoder { format: format.clone(), columns, rows: 0, writer: writer(format) }
    }

    /// Writes the gathered rows as a row group.
    fn end_row_group(&mut self) -> io::Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let writer = self.writer.as_mut().map_err(failed)?;
        let mut group = writer.next_row_group().map_err(other)?;
        for column in &mut self.columns {
            let Some(chunk) = group.next_column().map_err(other)? else { break };
            column.write(chunk).map_err(other)?;
        }
        group.close().map_err(other)?;
        self.rows = 0;
        Ok(())
    }

    /// Moves what was written to the output.
    fn hand_over(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        let writer = self.writer.as_mut().map_err(failed)?;
        writer.flush()?;
        out.append(writer.inner_mut());
        Ok(())
    }
}

impl RecordEncoder for ParquetEncoder {
    fn begin(&mut self, _: &mut Vec<u8>) {}

    fn record(&mut self, record: &FlowRecord, out: &mut Vec<u8>) -> io::Result<()> {
        for column in &self.columns {
            check(column.field, self.format.value(column.field, record))?;
        }
        for column in &mut self.columns {
            column.push(self.format.value(column.field, record));
        }
        self.rows += 1;
        if self.rows >= MOST_ROWS || (self.rows.is_multiple_of(TOGETHER) && self.held() >= MOST_BYTES) {
            self.end_row_group()?;
            self.hand_over(out)?;
        }
        Ok(())
    }

    fn end_of_window(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        if self.rows < ROWS_WORTH_A_GROUP {
            return Ok(());
        }
        self.end_row_group()?;
        self.hand_over(out)
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        self.end_row_group()?;
        self.writer.as_mut().map_err(failed)?.finish().map_err(other)?;
        self.hand_over(out)
    }

    fn held(&self) -> usize {
        self.columns.iter().map(Column::held).sum()
    }
}

impl Column {
    fn new(field: Field) -> Self {
        let values = match field.field_type() {
            FieldType::Int32 => Values::Int32(Vec::new()),
            FieldType::Int64 => Values::Int64(Vec::new()),
            FieldType::String => Values::Text(Vec::new(), Vec::new()),
        };
        Column { field, values, present: Vec::new() }
    }

    fn held(&self) -> usize {
        let values = match &self.values {
            Values::Int32(values) => size_of_val(values.as_slice()),
            Values::Int64(values) => size_of_val(values.as_slice()),
            Values::Text(text, ends) => text.len() + size_of_val(ends.as_slice()),
        };
        values + size_of_val(self.present.as_slice())
    }

    /// Takes a value that the column can hold.
    fn push(&mut self, value: Value<'_>) {
        let is_present = match &mut self.values {
            Values::Int32(values) => {
                let number = number(value).and_then(|number| i32::try_from(number).ok());
                values.extend(number);
                number.is_some()
            }
            Values::Int64(values) => {
                let number = number(value);
                values.extend(number);
                number.is_some()
            }
            Values::Text(text, ends) => {
                // memory takes everything
                let _ = io::Write::write_fmt(text, format_args!("{value}"));
                ends.push(text.len());
                true
            }
        };
        self.present.push(i16::from(is_present));
    }

    /// Writes and forgets the values.
    fn write(&mut self, mut chunk: SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let present = Some(self.present.as_slice());
        match &mut self.values {
            Values::Int32(values) => {
                chunk.typed::<Int32Type>().write_batch(values, present, None)?;
                values.clear();
            }
            Values::Int64(values) => {
                chunk.typed::<Int64Type>().write_batch(values, present, None)?;
                values.clear();
            }
            Values::Text(text, ends) => {
                let whole = ByteArray::from(std::mem::take(text));
                let mut start = 0;
                for (ends, present) in ends.chunks(TOGETHER).zip(self.present.chunks(TOGETHER)) {
                    let value = |end: &usize| {
                        let value = whole.slice(start, end.saturating_sub(start));
                        start = *end;
                        value
                    };
                    let values: Vec<ByteArray> = ends.iter().map(value).collect();
                    chunk.typed::<ByteArrayType>().write_batch(&values, Some(present), None)?;
                }
                ends.clear();
            }
        }
        self.present.clear();
        chunk.close()
    }
}

fn writer(format: &LogFormat) -> io::Result<SerializedFileWriter<Vec<u8>>> {
    let columns = format.fields().iter().map(|field| column_type(*field).map(Arc::new));
    let columns: Result<Vec<_>, _> = columns.collect();
    let schema = columns
        .and_then(|columns| Type::group_type_builder("vpc_flow_log").with_fields(columns).build())
        .map_err(other)?;
    let properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_encoding(Encoding::PLAIN)
        .set_dictionary_enabled(false)
        .set_compression(Compression::GZIP(Default::default()))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_created_by(concat!("flowtruth version ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties)).map_err(other)
}

fn column_type(field: Field) -> Result<Type, ParquetError> {
    let (physical, logical, converted) = match field.field_type() {
        FieldType::Int32 => (Physical::INT32, None, ConvertedType::NONE),
        FieldType::Int64 => (Physical::INT64, None, ConvertedType::NONE),
        FieldType::String => (Physical::BYTE_ARRAY, Some(LogicalType::String), ConvertedType::UTF8),
    };
    Type::primitive_type_builder(field.column(), physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .with_converted_type(converted)
        .build()
}

/// An error of the Parquet crate, as the output's error.
fn other(error: ParquetError) -> io::Error {
    io::Error::other(error)
}

/// The error with which the file could not be begun, once more.
fn failed(error: &mut io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}
