//! Partial records: the counters of flows and windows as rows that add up, in Arrow or Parquet.
//!
//! One row stands for what a conversion counted of a metering key in a window. Rows of the same window and key add up to
//! one, whoever counted them and in whatever order, so captures can be metered in parts, on many machines, and the parts
//! merged. Metadata say with which settings the rows were counted: only rows of equal settings add up.
//!
//! 1. [`schema`] is the one place where the columns are named and typed.
//! 2. [`RowBuilder`] gathers rows, which become a [`RecordBatch`]; [`Rows`] gives the rows of a batch back, checked.
//! 3. [`PartialWriter`] is a [`BatchSink`] that writes an Arrow IPC stream or a Parquet file; [`PartialReader`] reads
//!    either.
//!
//! What is known before the first row is in the [`Opening`], what only the end tells in the [`Closing`]. A Parquet file
//! holds both in its footer's key-value metadata. An Arrow stream holds the opening in its schema's metadata; behind it
//! stands a second stream without rows, whose schema's metadata is both. So rows can be streamed, and a stream without
//! its end is known to be cut.

mod build;
mod error;
mod metadata;
mod read;
mod row;
mod schema;
#[cfg(test)]
mod tests;
mod write;

pub use arrow_array::RecordBatch;
pub use build::RowBuilder;
pub use error::{PartialError, PartialErrorKind};
pub use metadata::{Closing, FORMAT_VERSION, Opening, PartialKeys, Setting, Settings};
pub use read::{PARTIAL_SNIFF_LENGTH, PartialReader, sniff_partial};
pub use row::{PartialRow, Rows};
pub use schema::schema;
pub use write::{BatchSink, PartialForm, PartialWriter};
