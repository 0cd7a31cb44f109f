//! What was read, in numbers.

use serde::Serialize;

use crate::record::LogStatus;

use super::{Leniencies, Leniency, LeniencyCounts};

/// The way in which a log comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogShape {
    /// Lines of text, as in files on S3; also with the times and log streams that `aws logs tail` writes in front.
    Text,
    /// JSON: events of CloudWatch Logs, or records.
    Json,
    /// Parquet.
    Parquet,
}

/// How many lines or events of each kind were read.
///
/// `lines` = `records` + `headers` + `bad` + `control` + the blank lines and comments among the leniencies, and
/// `records` = `ok` + `nodata` + `skipdata` + `without_status`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LogReadSummary {
    /// The shape, once something was read.
    pub shape: Option<LogShape>,
    /// Layers of gzip that were opened.
    pub gzip_layers: u64,
    /// Lines, or of JSON events and records, or of Parquet records.
    pub lines: u64,
    /// Records of every log status.
    pub records: u64,
    /// Records with log status `OK`.
    pub ok: u64,
    /// Records with log status `NODATA`.
    pub nodata: u64,
    /// Records with log status `SKIPDATA`.
    pub skipdata: u64,
    /// Records without a log status: the log has no such column, or it holds `-`.
    pub without_status: u64,
    /// Header lines.
    pub headers: u64,
    /// Lines or events that were not understood.
    pub bad: u64,
    /// Control messages of CloudWatch Logs.
    pub control: u64,
    /// Lines behind a time that `aws logs tail` wrote.
    pub tail_lines: u64,
    /// What was read all the same, by kind.
    pub leniencies: LeniencyCounts,
}

impl LogReadSummary {
    /// Blank lines.
    pub fn blank(&self) -> u64 {
        self.leniencies.get(Leniency::BlankLine)
    }

    /// Comment lines.
    pub fn comments(&self) -> u64 {
        self.leniencies.get(Leniency::CommentLine)
    }

    /// Adds what was read of another log.
    pub fn add(&mut self, other: &LogReadSummary) {
        self.shape = other.shape.or(self.shape);
        self.gzip_layers = self.gzip_layers.max(other.gzip_layers);
        self.lines += other.lines;
        self.records += other.records;
        self.ok += other.ok;
        self.nodata += other.nodata;
        self.skipdata += other.skipdata;
        self.without_status += other.without_status;
        self.headers += other.headers;
        self.bad += other.bad;
        self.control += other.control;
        self.tail_lines += other.tail_lines;
        self.leniencies.add(&other.leniencies);
    }

    /// Counts a record with log status `OK` that was passed by.
    #[inline]
    pub(super) fn count_plain(&mut self) {
        self.records += 1;
        self.ok += 1;
    }

    /// Counts a record.
    #[inline]
    pub(super) fn count_record(&mut self, status: Option<LogStatus>, leniencies: Leniencies) {
        self.records += 1;
        let by_status = match status {
            Some(LogStatus::Ok) => &mut self.ok,
            Some(LogStatus::NoData) => &mut self.nodata,
            Some(LogStatus::SkipData) => &mut self.skipdata,
            None => &mut self.without_status,
        };
        *by_status += 1;
        self.leniencies.count(leniencies);
    }
}
