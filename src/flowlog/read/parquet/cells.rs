//! Values of one column as text.

use std::fmt::Write as _;
use std::ops::Range;

use parquet::basic::{ConvertedType, LogicalType, TimeUnit};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::schema::types::ColumnDescriptor;

/// One value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    /// Null, or a number that is none.
    Missing,
    /// Its text.
    Text(&'a str),
    /// Bytes that are not UTF-8.
    NotText,
}

/// Where in the text a value is.
#[derive(Clone, Debug)]
enum Slot {
    Missing,
    Text(Range<usize>),
    NotText,
}

/// How a whole number is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Signed,
    Unsigned,
    /// A time: so many of it are a second.
    Time(i64),
}

/// Some values of a column.
pub(super) struct Cells {
    reader: ColumnReader,
    name: String,
    /// The definition level of a value that is there.
    defined: i16,
    meaning: Meaning,
    text: String,
    slots: Vec<Slot>,
}

impl Cells {
    pub(super) fn new(column: &ColumnDescriptor, reader: ColumnReader) -> Self {
        Cells {
            reader,
            name: column.path().string(),
            defined: column.max_def_level(),
            meaning: meaning(column),
            text: String::new(),
            slots: Vec::new(),
        }
    }

    /// The value of a row that was read last.
    pub(super) fn get(&self, row: usize) -> Cell<'_> {
        match self.slots.get(row) {
            Some(Slot::Text(range)) => Cell::Text(self.text.get(range.clone()).unwrap_or_default()),
            Some(Slot::NotText) => Cell::NotText,
            Some(Slot::Missing) | None => Cell::Missing,
        }
    }

    /// Reads so many values; they take the place of those before.
    pub(super) fn read(&mut self, count: usize) -> Result<(), ParquetError> {
        self.text.clear();
        self.slots.clear();
        let (defined, name, meaning) = (self.defined, self.name.as_str(), self.meaning);
        let (text, slots) = (&mut self.text, &mut self.slots);
        macro_rules! read {
            ($reader:expr, $write:expr) => {
                read_into($reader, defined, name, count, text, slots, $write)
            };
        }
        match &mut self.reader {
            ColumnReader::BoolColumnReader(reader) => {
                read!(reader, |value, text: &mut String| put(text, value))
            }
            ColumnReader::Int32ColumnReader(reader) => read!(reader, |value: &i32, text: &mut String| {
                match meaning {
                    Meaning::Unsigned => put(text, value.cast_unsigned()),
                    Meaning::Signed | Meaning::Time(_) => put(text, value),
                }
            }),
            ColumnReader::Int64ColumnReader(reader) => read!(reader, |value: &i64, text: &mut String| {
                match meaning {
                    Meaning::Signed => put(text, value),
                    Meaning::Unsigned => put(text, value.cast_unsigned()),
                    Meaning::Time(unit) => put(text, value.div_euclid(unit)),
                }
            }),
            ColumnReader::Int96ColumnReader(reader) => {
                read!(reader, |value: &parquet::data_type::Int96, text: &mut String| put(
                    text,
                    value.to_seconds()
                ))
            }
            ColumnReader::FloatColumnReader(reader) => {
                read!(reader, |value: &f32, text: &mut String| put_float(text, f64::from(*value)))
            }
            ColumnReader::DoubleColumnReader(reader) => {
                read!(reader, |value: &f64, text: &mut String| put_float(text, *value))
            }
            ColumnReader::ByteArrayColumnReader(reader) => {
                read!(reader, |value: &parquet::data_type::ByteArray, text: &mut String| put_bytes(
                    text,
                    value.data()
                ))
            }
            ColumnReader::FixedLenByteArrayColumnReader(reader) => {
                read!(reader, |value: &parquet::data_type::FixedLenByteArray, text: &mut String| {
                    put_bytes(text, value.data())
                })
            }
        }
    }
}

/// What appending a value came to.
enum Put {
    Done,
    Missing,
    NotText,
}

fn put(text: &mut String, value: impl std::fmt::Display) -> Put {
    // writing to a string cannot fail
    let _ = write!(text, "{value}");
    Put::Done
}

/// Numbers of data frames are often floating-point, with NaN for what is missing.
fn put_float(text: &mut String, value: f64) -> Put {
    if value.is_nan() { Put::Missing } else { put(text, value) }
}

fn put_bytes(text: &mut String, bytes: &[u8]) -> Put {
    match std::str::from_utf8(bytes) {
        Ok("-") => Put::Missing,
        Ok(value) => {
            text.push_str(value);
            Put::Done
        }
        Err(_) => Put::NotText,
    }
}

/// Reads so many values of a column of one type.
fn read_into<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    defined: i16,
    name: &str,
    count: usize,
    text: &mut String,
    slots: &mut Vec<Slot>,
    write: impl Fn(&T::T, &mut String) -> Put,
) -> Result<(), ParquetError> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let mut rows = 0;
    while rows < count {
        let (read, _, _) = reader.read_records(count - rows, Some(&mut levels), None, &mut values)?;
        if read == 0 {
            return Err(ParquetError::EOF(format!(
                "the column `{name}` has fewer values than the row group rows"
            )));
        }
        rows += read;
    }
    let mut values = values.iter();
    let is_there = |row: usize| defined == 0 || levels.get(row) == Some(&defined);
    for row in 0..count {
        let start = text.len();
        let put = match is_there(row).then(|| values.next()).flatten() {
            Some(value) => write(value, text),
            None => Put::Missing,
        };
        slots.push(match put {
            Put::Done => Slot::Text(start..text.len()),
            Put::Missing => Slot::Missing,
            Put::NotText => Slot::NotText,
        });
    }
    Ok(())
}

/// How the whole numbers of a column are meant.
fn meaning(column: &ColumnDescriptor) -> Meaning {
    match column.logical_type_ref() {
        Some(LogicalType::Timestamp(time)) => {
            return Meaning::Time(match time.unit {
                TimeUnit::MILLIS => 1_000,
                TimeUnit::MICROS => 1_000_000,
                TimeUnit::NANOS => 1_000_000_000,
            });
        }
        Some(LogicalType::Integer(integer)) if !integer.is_signed => return Meaning::Unsigned,
        _ => {}
    }
    match column.converted_type() {
        ConvertedType::TIMESTAMP_MILLIS => Meaning::Time(1_000),
        ConvertedType::TIMESTAMP_MICROS => Meaning::Time(1_000_000),
        ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64 => {
            Meaning::Unsigned
        }
        _ => Meaning::Signed,
    }
}
