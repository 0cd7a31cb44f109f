//! Every record of a log that was read is written, merged, or bad for a named reason.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::record::FlowRecord;

/// Why a record is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BadRecordReason {
    /// Its line or event is not understood.
    NotUnderstood,
    /// The output cannot hold it: a number too large for Parquet, a time that is in no object's name.
    NotWritable,
}

/// What a record tells of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    packets: u64,
    bytes: u64,
}

impl Told {
    pub(super) fn of(record: &FlowRecord) -> Told {
        Told { packets: record.packets.unwrap_or(0), bytes: record.bytes.unwrap_or(0) }
    }
}

/// What became of the records of logs.
///
/// Invariant: `records_read` is `records_written` plus `records_merged` plus the sum of `records_bad`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LogLedger {
    /// Logs read.
    pub logs: u64,
    /// Records read, lines included that were to be records and are not understood.
    pub records_read: u64,
    /// Records written.
    pub records_written: u64,
    /// Records that another record stands for: of the same flow and window, or of the traffic that makes NODATA wrong.
    pub records_merged: u64,
    /// Records not written: reason → records.
    pub records_bad: BTreeMap<BadRecordReason, u64>,
    /// The sum of `packets` of all records that were understood.
    pub packets_read: u128,
    /// The sum of `packets` of all records written.
    pub packets_written: u128,
    /// The sum of `packets` of understood records that were not written.
    pub packets_bad: u128,
    /// The sum of `bytes` of all records that were understood.
    pub bytes_read: u128,
    /// The sum of `bytes` of all records written.
    pub bytes_written: u128,
    /// The sum of `bytes` of understood records that were not written.
    pub bytes_bad: u128,
    /// How often all open windows were written early because the memory was full; their records may then be followed by
    /// others of the same flow and window.
    pub windows_written_early: u64,
}

/// Numbers of a ledger that do not add up, which is a bug.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the ledger does not add up: {read} {what} read, {accounted} accounted for")]
pub struct LogImbalance {
    /// What was counted.
    pub what: &'static str,
    /// How many were read.
    pub read: u128,
    /// How many are somewhere.
    pub accounted: u128,
}

impl LogLedger {
    /// Checks the invariant.
    ///
    /// # Errors
    /// [`LogImbalance`] at the first sum that is wrong.
    pub fn check(&self) -> Result<(), LogImbalance> {
        let bad: u64 = self.records_bad.values().sum();
        let records = u128::from(self.records_written) + u128::from(self.records_merged) + u128::from(bad);
        let sums = [
            ("records", self.records_read.into(), records),
            ("packets", self.packets_read, self.packets_written + self.packets_bad),
            ("bytes", self.bytes_read, self.bytes_written + self.bytes_bad),
        ];
        match sums.into_iter().find(|(_, read, accounted)| read != accounted) {
            Some((what, read, accounted)) => Err(LogImbalance { what, read, accounted }),
            None => Ok(()),
        }
    }

    pub(super) fn read(&mut self, record: &FlowRecord) {
        let Told { packets, bytes } = Told::of(record);
        self.records_read += 1;
        self.packets_read += u128::from(packets);
        self.bytes_read += u128::from(bytes);
    }

    /// A record was written that `parts` were merged into.
    pub(super) fn written(&mut self, parts: u64, told: &Told) {
        self.records_written += 1;
        self.records_merged += parts.saturating_sub(1);
        self.packets_written += u128::from(told.packets);
        self.bytes_written += u128::from(told.bytes);
    }

    pub(super) fn refused(&mut self, parts: u64, told: &Told) {
        *self.records_bad.entry(BadRecordReason::NotWritable).or_default() += parts;
        self.packets_bad += u128::from(told.packets);
        self.bytes_bad += u128::from(told.bytes);
    }

    /// Records that say that there was no traffic, beside records of traffic.
    pub(super) fn merged_away(&mut self, records: u64) {
        self.records_merged += records;
    }

    pub(super) fn not_understood(&mut self, lines: u64) {
        if lines > 0 {
            self.records_read += lines;
            *self.records_bad.entry(BadRecordReason::NotUnderstood).or_default() += lines;
        }
    }
}
