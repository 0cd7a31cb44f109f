//! What was read of a side, in numbers.

use serde::Serialize;

use super::log_side::LogFacts;
use super::walk::Walked;
use crate::flowlog::read::LogReadSummary;
use crate::pipeline::Tally;

/// What was read of a side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SideSummary {
    /// `capture` or `log`.
    pub kind: &'static str,
    /// The files, as they were named.
    pub paths: Vec<String>,
    /// Flows, in one direction each.
    pub flows: u64,
    /// Packets: those that a record would count, or those that the records say.
    pub packets: u64,
    /// IP bytes, likewise.
    pub bytes: u64,
    /// The first second, since 1970.
    pub start: Option<i64>,
    /// The last second.
    pub end: Option<i64>,
    /// Of a log: its records of traffic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
    /// Of a log: how its lines were understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<LogReadSummary>,
    /// Of a log: lines that could not be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bad_lines: Option<u64>,
    /// Of captures: what became of every packet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Tally>,
}

impl SideSummary {
    pub(super) fn of_log(log: &LogFacts, flows: u64) -> SideSummary {
        SideSummary {
            kind: "log",
            paths: log.names.clone(),
            flows,
            packets: log.packets,
            bytes: log.bytes,
            start: log.span.map(|(first, _)| first),
            end: log.span.map(|(_, last)| last),
            records: Some(log.records),
            read: Some(log.summary.clone()),
            bad_lines: Some(log.bad_lines),
            ledger: None,
        }
    }

    pub(super) fn of_captures(walked: &Walked, flows: u64) -> SideSummary {
        SideSummary {
            kind: "capture",
            paths: walked.names.clone(),
            flows,
            packets: walked.tally.packets_in_records,
            bytes: walked.tally.ip_bytes_in_records,
            start: walked.span.map(|(first, _)| first),
            end: walked.span.map(|(_, last)| last),
            records: None,
            read: None,
            bad_lines: None,
            ledger: Some(walked.tally.clone()),
        }
    }
}
