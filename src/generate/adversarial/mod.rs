//! Input that is wrong on purpose, to test parsers with: each piece with what is wrong and what a right parser does.
//!
//! Only what is beyond dispute is here. Whether a parser takes two spaces for one is a matter of taste, and in no case.

mod captures;
mod lines;

pub use captures::captures;
pub use lines::lines;

use serde::Serialize;

/// What a right parser does with the line in question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Should {
    /// Read it.
    Accept,
    /// Read it; the named fields have no value, which is not 0.
    Null,
    /// Refuse it, say so, and go on with the next line.
    Reject,
}

/// A flow log with one line in question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LineCase {
    /// Its file's name.
    pub file: String,
    /// What is the matter with it.
    pub what: &'static str,
    /// What a right parser does.
    pub should: Should,
    /// Records that a right parser reads of the whole file.
    pub records: u64,
    /// Fields of the last record that have no value.
    pub null: Vec<&'static str>,
    /// The file.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

/// How a capture ends for who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Then {
    /// As captures do.
    End,
    /// With an error, after the packets in front of it were read.
    Error,
}

/// A capture that is damaged, or holds packets that are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaptureCase {
    /// Its file's name.
    pub file: String,
    /// What is the matter with it.
    pub what: &'static str,
    /// Packets that a right reader reads.
    pub packets: u64,
    /// How many of them have an IP header that makes sense.
    pub ip_packets: u64,
    /// What comes behind them.
    pub then: Then,
    /// The file.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}
