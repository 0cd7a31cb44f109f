//! Objects in S3, and in what speaks as S3 does: listed, read and written.
//!
//! ```text
//! s3://bucket/key ─ ObjectAddress ─ Store ─┬─ find ──► objects, in the order of their keys
//!                                          ├─ read ──► ObjectReader  (io::Read, goes on after a dropped connection)
//!                                          └─ write ─► ObjectWriter  (io::Write, whole or not at all)
//! ```
//!
//! Everything that is asynchronous stays in this room. It is built with the feature `s3`; without it addresses are
//! still understood, and [`Store::connect`] says what is missing.
//!
//! Invariants:
//! - an object that is written appears when it is complete, and not at all if that fails;
//! - memory is bounded by a few parts of an upload, and by what a connection hands over at once;
//! - no error of a connection shows as a closed pipe: errors carry text, not the errors underneath.

#[cfg(not(feature = "s3"))]
mod absent;
mod address;
#[cfg(feature = "s3")]
mod cause;
#[cfg(feature = "s3")]
mod client;
#[cfg(feature = "s3")]
mod credentials;
mod error;
#[cfg(feature = "s3")]
mod read;
#[cfg(feature = "s3")]
mod write;

#[cfg(not(feature = "s3"))]
pub use absent::{ObjectReader, ObjectWriter, Store};
pub use address::{AddressError, ObjectAddress};
#[cfg(feature = "s3")]
pub use client::Store;
pub use error::{StoreError, StoreTrouble};
#[cfg(feature = "s3")]
pub use read::ObjectReader;
#[cfg(feature = "s3")]
pub use write::ObjectWriter;

/// An object that was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundObject {
    /// Where it is.
    pub address: ObjectAddress,
    /// Its size in bytes.
    pub size: u64,
}
