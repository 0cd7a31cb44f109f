//! Partial records that somebody else has added up → records.

use std::io;

use crate::flow::MeteringKey;
use crate::flowlog::encode::RecordBatchBuilder;
use crate::meter::Flow;
use crate::partial::{RecordBatch, Rows};
use crate::pipeline::emit::Records;
use crate::pipeline::{MeterOptions, RecordOptions};

/// Why rows are no records.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    /// The columns are not those of partial records.
    #[error("the rows cannot be made into records: {0}")]
    Columns(String),
    /// A row that cannot be.
    #[error("row {row} cannot be made into a record: {reason}")]
    Row {
        /// Which, from 1.
        row: usize,
        /// What cannot be.
        reason: String,
    },
    /// A value that the record's column cannot hold.
    #[error("row {row} cannot be made into a record")]
    Value {
        /// Which row, from 1.
        row: usize,
        /// Which value.
        #[source]
        source: io::Error,
    },
}

/// Makes a record of each row, in the rows' order. The rows must be complete: one of each window and key, with the counts of
/// all parts added up.
///
/// Of the metering options only the addresses of the interface count, which tell a record's direction.
///
/// # Errors
/// The first row that cannot be.
pub fn records_of_rows(
    rows: &RecordBatch,
    meter: &MeterOptions,
    options: &RecordOptions,
) -> Result<RecordBatch, RowsError> {
    let mut records = Records::new(options);
    let mut batch = RecordBatchBuilder::new(&options.format, rows.num_rows());
    for (number, row) in (1..).zip(Rows::new(rows).map_err(RowsError::Columns)?.iter()) {
        let row = row.map_err(|reason| RowsError::Row { row: number, reason })?;
        let given = meter.direction((row.flow.srcaddr, row.flow.dstaddr));
        let direction = given.unwrap_or(row.direction);
        let key = MeteringKey { direction, ..MeteringKey::from(row.flow) };
        let flow = Flow { key, counters: row.counters };
        batch.push(records.fill(&flow)).map_err(|source| RowsError::Value { row: number, source })?;
    }
    batch.finish().map_err(|error| RowsError::Columns(error.to_string()))
}
