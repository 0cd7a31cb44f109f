//! Flow logs as they come: read leniently, with every line accounted for.
//!
//! ```text
//! file, pipe ─ source ─ [gzip] ─┬─ lines ──────────────────┬─ line ──┬─ LogReader
//!                               └─ json ─┬─ [packed] events ─┘         │
//!                                        └─ records ────────── named ──┤
//! file ─ parquet ───────────────────────────────────────────── named ──┘
//! ```
//!
//! 1. gzip, JSON and Parquet are recognised by content, never by a name. Parquet is read at places, so from a pipe it is
//!    copied to a temporary file without a name.
//! 2. A line, or an event's message, is a header, a record, blank, a comment or bad. A header names the columns from
//!    there on; without one they are those of [`LogReadOptions::format`], or AWS's default format, or that of transit
//!    gateways. JSON records and Parquet name their columns themselves, in either spelling.
//! 3. Columns that are no fields of VPC flow logs (transit gateway flow logs have such) are kept as text.
//! 4. What AWS does not write but people and tools do is read and counted as a [`Leniency`].
//!
//! Invariants:
//! - every line or event is one [`Entry`], and [`LogReadSummary`] adds up;
//! - a bad line stops nothing; damaged gzip data yields every whole line in front of the damage, then an error;
//! - memory is bounded: a line by [`MAX_LINE`], JSON by one event or one packed value, Parquet by a page of each column;
//! - how the bytes arrive (in one piece, one by one, compressed) changes nothing in what is yielded.

mod columns;
mod document;
mod entry;
mod error;
mod gzip;
mod json;
mod leniency;
mod line;
mod members;
mod named;
mod ocsf;
mod packed;
mod parquet;
mod reader;
mod scan;
mod sniff;
mod source;
mod summary;
mod tail;
#[cfg(test)]
mod tests;
mod understood;

pub use columns::{Column, LogColumns};
pub use entry::{BadLine, Content, Entry, EventInfo, LineProblem, LogUnit, Place, ReadRecord};
pub use error::{LogReadError, LogReadErrorKind, NotText};
pub use leniency::{Leniencies, Leniency, LeniencyCounts};
pub use reader::{LogReadOptions, LogReader, MAX_LINE};
pub use sniff::{SNIFF_LENGTH, sniff_log};
pub use summary::{LogReadSummary, LogShape};
pub use understood::Understood;
