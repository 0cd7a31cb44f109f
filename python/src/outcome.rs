//! What is given back whole: schemas, records of a batch, documents as JSON.

use std::path::PathBuf;

use arrow_array::RecordBatch;
use arrow_pyarrow::PyArrowType;
use arrow_schema::Schema;
use flowtruth::flowlog;
use flowtruth::partial;
use flowtruth::pipeline::{Progress, convert_into, records_of_rows};
use pyo3::prelude::*;

use super::arrow::{Batch, Columns};
use super::error::Trouble;
use super::inputs;
use super::options::{Metering, Recording, log_format};
use super::sinks::Nowhere;

/// The columns of partial records.
#[pyfunction]
pub fn partial_schema() -> Columns {
    Columns(Schema::clone(&partial::schema()))
}

/// The columns of records in a format.
#[pyfunction]
pub fn record_schema(format: &str) -> PyResult<Columns> {
    let format = log_format("format", format)?;
    Ok(Columns(Schema::clone(&flowlog::encode::record_schema(&format))))
}

/// A record for each row of partial records that are complete.
#[pyfunction]
pub fn records(
    py: Python<'_>,
    rows: PyArrowType<RecordBatch>,
    metering: Metering,
    recording: Recording,
) -> PyResult<Batch> {
    py.detach(move || {
        let (meter, options) = (metering.options()?, recording.options()?);
        records_of_rows(&rows.0, &meter, &options).map(Batch).map_err(|error| Trouble::of(&error))
    })
    .map_err(PyErr::from)
}

/// The ledger of a conversion, as JSON.
#[pyfunction]
pub fn ledger(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    metering: Metering,
    recording: Recording,
) -> PyResult<String> {
    py.detach(move || {
        let (meter, records) = (metering.options()?, recording.options()?);
        let inputs = inputs::captures(&paths)?;
        let conversion = convert_into(inputs, &meter, &records, &mut Nowhere, false, &Progress::new())?;
        conversion.ledger.check().map_err(|imbalance| Trouble::of(&imbalance))?;
        if let Some(trouble) = Trouble::of_captures(&conversion.failures)
            && conversion.ledger.total.tally.packets_read == 0
        {
            return Err(trouble);
        }
        // a capture that was not read to its end is in the ledger, with the reason
        serde_json::to_string(&conversion.ledger).map_err(|error| Trouble::of(&error))
    })
    .map_err(PyErr::from)
}
