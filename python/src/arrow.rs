//! Batches and schemas, handed over through the Arrow C data interface: two capsules, and no byte copied.
//!
//! Anything that knows the protocol takes them: `pyarrow.record_batch(batch)`, `pyarrow.schema(columns)`.

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, to_ffi};
use arrow_array::{Array, RecordBatch, StructArray};
use arrow_schema::{ArrowError, Schema};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use super::error::Trouble;

/// A record batch.
#[pyclass(frozen, name = "Batch")]
pub struct Batch(pub RecordBatch);

/// A schema.
#[pyclass(frozen, name = "Columns")]
pub struct Columns(pub Schema);

#[pymethods]
impl Batch {
    /// The batch as the two capsules of the Arrow PyCapsule interface. Other schemas than its own are not made.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        // it is a wish, by the interface
        let _ = requested_schema;
        let columns = StructArray::from(self.0.clone());
        let (array, _) = to_ffi(&columns.into_data()).map_err(failed)?;
        Ok((schema_capsule(py, &self.0.schema())?, array_capsule(py, array)?))
    }

    fn __len__(&self) -> usize {
        self.0.num_rows()
    }
}

#[pymethods]
impl Columns {
    /// The schema as the capsule of the Arrow PyCapsule interface.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.0)
    }
}

fn schema_capsule<'py>(py: Python<'py>, schema: &Schema) -> PyResult<Bound<'py, PyCapsule>> {
    let schema = FFI_ArrowSchema::try_from(schema).map_err(failed)?;
    PyCapsule::new_with_value(py, schema, c"arrow_schema")
}

fn array_capsule(py: Python<'_>, array: FFI_ArrowArray) -> PyResult<Bound<'_, PyCapsule>> {
    PyCapsule::new_with_value(py, array, c"arrow_array")
}

fn failed(error: ArrowError) -> Trouble {
    Trouble::of(&error)
}
