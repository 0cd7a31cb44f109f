//! Records → the bytes of a file, in any file format.
//!
//! A [`RecordEncoder`] appends to a buffer what a record comes to; where the bytes go is not its business. All formats
//! hold the same values of the same fields, those of the log format, and show a missing value as what it is:
//!
//! | format | names | numbers | missing |
//! |---|---|---|---|
//! | plain text | `srcaddr`, `log-status` in the header line | decimal | `-` |
//! | JSON | `srcaddr`, `log_status` | numbers | `null` |
//! | Parquet | `srcaddr`, `log_status` | `INT32`, `INT64` | null; in a string `-` |
//! | Arrow, in memory | as Parquet | `int32`, `int64` | as Parquet |
//! | OCSF | the schema's | numbers | absent |
//!
//! Invariant: what is appended depends on the records and where windows end, on nothing else.

mod arrow;
mod json;
mod ocsf;
mod parquet;
mod text;
mod values;

use std::io;

pub use arrow::{RecordBatchBuilder, record_schema};

use crate::record::{FileFormat, FlowRecord, LogFormat};

/// Makes the bytes of one file of records.
///
/// The calls come in this order: [`begin`](RecordEncoder::begin) once, [`record`](RecordEncoder::record) and
/// [`end_of_window`](RecordEncoder::end_of_window) as often as there is something, [`finish`](RecordEncoder::finish) once.
pub trait RecordEncoder: Send {
    /// Appends what stands before the first record.
    fn begin(&mut self, out: &mut Vec<u8>);

    /// Takes a record, and appends whatever is complete by now.
    ///
    /// # Errors
    /// Where the format cannot hold a value.
    fn record(&mut self, record: &FlowRecord, out: &mut Vec<u8>) -> io::Result<()>;

    /// Learns that all records of a capture window have come: a good place to cut.
    ///
    /// # Errors
    /// As [`record`](RecordEncoder::record).
    fn end_of_window(&mut self, _out: &mut Vec<u8>) -> io::Result<()> {
        Ok(())
    }

    /// Appends what is still missing for the file to be complete.
    ///
    /// # Errors
    /// As [`record`](RecordEncoder::record).
    fn finish(&mut self, _out: &mut Vec<u8>) -> io::Result<()> {
        Ok(())
    }

    /// About how many bytes of memory records take that were taken and not yet appended.
    fn held(&self) -> usize {
        0
    }
}

/// An encoder for a file format; `header` is for AWS's header line, which only plain text has.
pub fn encoder(file_format: FileFormat, format: &LogFormat, header: bool) -> Box<dyn RecordEncoder> {
    match file_format {
        FileFormat::PlainText => Box::new(text::TextEncoder::new(format, header)),
        FileFormat::Json => Box::new(json::JsonEncoder::new(format)),
        FileFormat::Parquet => Box::new(parquet::ParquetEncoder::new(format)),
        FileFormat::Ocsf => Box::new(ocsf::OcsfEncoder::new(format)),
    }
}

#[cfg(test)]
mod tests;
