//! Batches → an Arrow IPC stream or a Parquet file.

use std::io::{self, Write};

use arrow_array::RecordBatch;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::metadata::{Closing, Opening};
use super::schema::{COLUMNS, Column, schema, with_metadata};

/// How many rows a row group of Parquet has: it is held in memory, compressed, until it is complete.
const ROWS_OF_A_GROUP: usize = 1 << 18;

/// Takes batches one after another.
pub trait BatchSink: Send {
    /// Takes a batch.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn batch(&mut self, batch: &RecordBatch) -> io::Result<()>;

    /// Hands everything that is complete to whoever reads it.
    ///
    /// # Errors
    /// As [`batch`](BatchSink::batch).
    fn flush(&mut self) -> io::Result<()>;

    /// Completes what was begun; nothing comes after it.
    ///
    /// # Errors
    /// As [`batch`](BatchSink::batch).
    fn finish(&mut self, closing: &Closing) -> io::Result<()>;
}

/// The two forms of partial records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartialForm {
    /// An Arrow IPC stream.
    Arrow,
    /// A Parquet file.
    Parquet,
}

/// Writes partial records in one of their forms.
pub struct PartialWriter<W: Write + Send> {
    opening: Opening,
    inner: Inner<W>,
}

enum Inner<W: Write + Send> {
    Arrow(Box<StreamWriter<W>>),
    Parquet(Box<ArrowWriter<W>>),
}

impl<W: Write + Send> PartialWriter<W> {
    /// Begins with what is known before the first row.
    ///
    /// # Errors
    /// Where the output cannot be written.
    pub fn new(form: PartialForm, output: W, opening: &Opening) -> io::Result<Self> {
        let inner = match form {
            PartialForm::Arrow => {
                Inner::Arrow(Box::new(StreamWriter::try_new(output, &opening.schema()).map_err(of_arrow)?))
            }
            PartialForm::Parquet => {
                let writer =
                    ArrowWriter::try_new(output, schema(), Some(properties())).map_err(of_parquet)?;
                Inner::Parquet(Box::new(writer))
            }
        };
        Ok(PartialWriter { opening: opening.clone(), inner })
    }
}

impl<W: Write + Send> BatchSink for PartialWriter<W> {
    fn batch(&mut self, batch: &RecordBatch) -> io::Result<()> {
        match &mut self.inner {
            Inner::Arrow(writer) => writer.write(batch).map_err(of_arrow),
            Inner::Parquet(writer) => writer.write(batch).map_err(of_parquet),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.inner {
            Inner::Arrow(writer) => writer.flush().map_err(of_arrow),
            // a row group is complete when it is large enough
            Inner::Parquet(_) => Ok(()),
        }
    }

    fn finish(&mut self, closing: &Closing) -> io::Result<()> {
        let pairs = self.opening.pairs().into_iter().chain(closing.pairs());
        match &mut self.inner {
            Inner::Arrow(writer) => {
                writer.finish().map_err(of_arrow)?;
                let schema = with_metadata(pairs);
                let mut end = StreamWriter::try_new(writer.get_mut(), &schema).map_err(of_arrow)?;
                end.finish().map_err(of_arrow)?;
                end.flush().map_err(of_arrow)
            }
            Inner::Parquet(writer) => {
                pairs.for_each(|(name, value)| {
                    writer.append_key_value_metadata(KeyValue::new(name, value));
                });
                writer.finish().map_err(of_parquet)?;
                writer.inner_mut().flush()
            }
        }
    }
}

/// Snappy, which every reader opens. Times hardly repeat, so that a dictionary of them would only cost.
fn properties() -> WriterProperties {
    let times = [Column::First, Column::Last].into_iter().filter_map(|place| COLUMNS.get(place as usize));
    times
        .fold(WriterProperties::builder(), |properties, (name, _, _)| {
            properties.set_column_dictionary_enabled(ColumnPath::from(*name), false)
        })
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(ROWS_OF_A_GROUP))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_created_by(concat!("flowtruth version ", env!("CARGO_PKG_VERSION")).to_owned())
        .build()
}

/// An error of the Arrow crate as the output's own, where it is one.
pub(super) fn of_arrow(error: ArrowError) -> io::Error {
    match error {
        ArrowError::IoError(_, error) => error,
        ArrowError::ExternalError(error) => match error.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error),
        },
        error => io::Error::other(error),
    }
}

/// The same of the Parquet crate.
pub(super) fn of_parquet(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(error) => match error.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error),
        },
        error => io::Error::other(error),
    }
}
