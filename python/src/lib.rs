//! The native part of the Python package `flowtruth`.
//!
//! ```text
//! Python thread                         │ a thread of its own, without the interpreter
//!                                       │
//! flows(), partials() ──► stream::start ┼──► pipeline ──► sink
//! next(stream) ◄── arrow::Batch ◄───────┼──── channel ◄─────┘
//! ```
//!
//! The package's Python side checks and settles what was given, and hands over plain texts and numbers; [`options`] gives
//! them the meaning that the command line gives them. Batches leave through the Arrow C data interface ([`arrow`]); nothing
//! of them is copied. Whatever goes wrong is a `FlowtruthError` ([`error`]).

mod arrow;
mod diff;
mod error;
mod inputs;
mod lint;
mod objects;
mod options;
mod outcome;
mod packed;
mod scale;
mod sinks;
mod stream;

use pyo3::prelude::*;

/// What `flowtruth/__init__.py` builds on.
#[pymodule]
mod _native {
    #[pymodule_export]
    use super::arrow::{Batch, Columns};
    #[pymodule_export]
    use super::diff::diff;
    #[pymodule_export]
    use super::lint::lint;
    #[pymodule_export]
    use super::outcome::{ledger, partial_schema, record_schema, records};
    #[pymodule_export]
    use super::packed::{packed, packed_schema, unpacked};
    #[pymodule_export]
    use super::scale::{can_be_cut, check_partials, objects, write_flow_log};
    #[pymodule_export]
    use super::stream::{Stream, flows, partials};

    /// The version of the library.
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}
