//! How AWS delivers flow logs: which objects there are, what they are called, which events make a batch.
//!
//! - [`ObjectNames`] makes the keys of objects on S3 from an account, a Region, a [`Slot`] of five minutes and a hash;
//!   [`DestinationOptions`] says which of AWS's layouts.
//! - [`EventBatch`] gathers records as CloudWatch Logs takes them, and writes them as its commands and subscriptions do.
//! - An [`ObjectStore`] puts whole objects under keys. [`DirectoryStore`] is one of files.
//!
//! Nothing here knows how a record becomes bytes, or which record comes next.
//!
//! Invariant: names depend on the records and the options, never on the time of day or the machine, so that the same input
//! gives the same objects again.

mod cloudwatch;
mod directory;
mod names;
mod options;
mod slot;
mod store;

pub use cloudwatch::{EventBatch, EventError, Events, MOST_BATCH_BYTES, MOST_BATCH_EVENTS};
pub use directory::DirectoryStore;
pub use names::{FlowLogId, MissingInName, NamePart, NamePartError, ObjectNames};
pub use options::{DestinationOptions, DestinationOptionsError, Partitions};
pub use slot::Slot;
pub use store::{KeyError, ObjectStore, check_key};
