//! Records into the files that AWS would have delivered.
//!
//! What `deliver` knows of names and batches, and `flowlog` of bytes, meets here. Every sink holds a bounded number of open
//! objects or batches, of bounded size; what it closes early is complete, and what comes for it later goes into another
//! object, as AWS may deliver several for one slot too.

mod bucket;
mod objects;
mod rebase;
mod streams;

pub use bucket::BucketStore;
pub use objects::{ObjectDelivery, ObjectSink};
pub use rebase::{RebaseTo, Rebased};
pub use streams::{EventForm, EventSink};
