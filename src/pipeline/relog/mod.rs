//! Flow logs in, the same records out: in another format, in other files, over longer intervals.
//!
//! 1. [`LogRecords`] reads logs one after another and yields their records; lines that are not understood are counted.
//! 2. Values that a record lacks and the user knows are filled in.
//! 3. With an interval, `merge` puts records of one flow and window together; without, they go on as they are.
//! 4. A sink takes them. A record that it cannot hold is counted as bad.
//!
//! Invariant: records read = records written + records merged into others + bad records by reason; and what packets and
//! bytes the records tell of is written, or counted as bad.

mod ledger;
mod merge;
mod records;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io;

pub use ledger::{BadRecordReason, LogImbalance, LogLedger};
pub use records::LogRecords;

use super::{ConvertError, LogProblem, Progress, RecordSink};
use crate::flow::{AggregationInterval, Windows};
use crate::flowlog::read::{LogColumns, LogReadError, ReadRecord};
use crate::packet::Timestamp;
use crate::record::{Field, FlowRecord, LogFormat, LogStatus, Origin};
use ledger::Told;
use merge::{Closed, Merge};

/// How many refused records are kept to be shown.
const KEPT: usize = 100;

/// What is done to the records of logs.
#[derive(Clone, Debug)]
pub struct RelogOptions {
    /// Put records together that lie in one window of this length; as they are, if `None`.
    pub interval: Option<AggregationInterval>,
    /// What windows are aligned to.
    pub origin: Timestamp,
    /// How long after a window's end records may still come for it, in seconds. Logs are less in order than packets: the
    /// window's own length is added.
    pub allowed_lateness: u64,
    /// How much memory the open windows may take, in bytes. Where it is not enough they are written early.
    pub memory: u64,
    /// Values for records that have none of their own.
    pub constants: FlowRecord,
    /// The fields that are written, where they are the first record's: what others have beside them is told.
    pub own_format: Option<LogFormat>,
}

/// What became of logs.
#[derive(Debug)]
pub struct Relogged {
    /// Every record accounted for.
    pub ledger: LogLedger,
    /// Logs that could not be read to their end.
    pub failures: Vec<LogReadError>,
    /// The first lines that were not understood.
    pub problems: Vec<LogProblem>,
    /// Why the sink refused records; the first ones.
    pub refused: Vec<io::Error>,
    /// Fields of which values were not written, because the first record does not have them.
    pub left_out: BTreeSet<Field>,
    /// Whether it was broken off by [`Progress::interrupt`].
    pub interrupted: bool,
}

/// Reads the records of logs and hands them to a sink, which is finished unless reading was broken off.
///
/// # Errors
/// Only where the records cannot be written.
pub fn relog(
    mut records: LogRecords,
    options: &RelogOptions,
    sink: &mut dyn RecordSink,
    progress: &Progress,
) -> Result<Relogged, ConvertError> {
    let constants: Vec<Field> =
        Field::ALL.into_iter().filter(|field| !field.get(&options.constants).is_missing()).collect();
    let windows = Windows::new(options.interval.unwrap_or_default(), options.origin);
    let mut merge = options.interval.map(|_| Merge::new(windows, options));
    let mut writing = Writing { sink, ledger: LogLedger::default(), refused: Vec::new() };
    let mut has_begun = false;
    let mut filled = FlowRecord::default();
    let mut beside = Beside::default();
    while !progress.is_interrupted() && records.advance() {
        let Some(read) = records.record() else { continue };
        writing.ledger.read(read.record);
        beside.look(&read, options.own_format.as_ref());
        progress.report(writing.ledger.records_read, 0);
        filled.clone_from(read.record);
        for field in &constants {
            fill(*field, &mut filled, &options.constants);
        }
        if let (false, Some(start)) = (has_begun, filled.start.and_then(merge::timestamp)) {
            writing.sink.begin(windows, start);
            has_begun = true;
        }
        let Some(merge) = &mut merge else {
            writing.write(&filled, 1, &Told::of(&filled))?;
            continue;
        };
        if !merge.take(&filled, read.others()) {
            writing.write(&filled, 1, &Told::of(&filled))?;
        }
        for closed in merge.passed() {
            writing.write_window(closed)?;
        }
        if merge.is_full() {
            writing.ledger.windows_written_early += 1;
            for closed in merge.all() {
                writing.write_window(closed)?;
            }
        }
    }
    let interrupted = progress.is_interrupted();
    if !interrupted {
        for closed in merge.iter_mut().flat_map(Merge::all) {
            writing.write_window(closed)?;
        }
        writing.sink.finish().map_err(ConvertError::Write)?;
    }
    let Writing { mut ledger, refused, .. } = writing;
    ledger.logs = records.logs();
    ledger.not_understood(records.bad());
    let (failures, problems) = records.into_troubles();
    Ok(Relogged { ledger, failures, problems, refused, left_out: beside.left_out, interrupted })
}

/// Values for which nothing is written.
#[derive(Default)]
struct Beside {
    columns: Option<LogColumns>,
    /// The fields of these columns that are not written.
    fields: Vec<Field>,
    left_out: BTreeSet<Field>,
}

impl Beside {
    fn look(&mut self, read: &ReadRecord<'_>, written: Option<&LogFormat>) {
        let Some(written) = written else { return };
        if self.columns.as_ref() != Some(read.columns) {
            self.columns = Some(read.columns.clone());
            let fields = read.columns.format().map_or(&[][..], LogFormat::fields);
            self.fields = fields.iter().copied().filter(|field| !written.contains(*field)).collect();
        }
        let has_value = |field: &&Field| !field.get(read.record).is_missing();
        self.left_out.extend(self.fields.iter().filter(has_value));
    }
}

/// Gives a record the constant's value where it has none.
fn fill(field: Field, record: &mut FlowRecord, constants: &FlowRecord) {
    let has_no_traffic = matches!(record.log_status, Some(LogStatus::NoData | LogStatus::SkipData));
    if has_no_traffic && field.origin() != Origin::Constant {
        return;
    }
    let value = field.get(record);
    let is_unknown = field == Field::AccountId && value.to_string() == "unknown";
    if value.is_missing() || is_unknown {
        // a value of the same field is read back as it is shown
        let _ = field.read(record, &field.get(constants).to_string());
    }
}

/// What was written of what was read.
struct Writing<'a> {
    sink: &'a mut dyn RecordSink,
    ledger: LogLedger,
    refused: Vec<io::Error>,
}

impl Writing<'_> {
    /// Writes a record that so many were merged into.
    fn write(&mut self, record: &FlowRecord, parts: u64, told: &Told) -> Result<(), ConvertError> {
        match self.sink.record(record) {
            Ok(()) => {
                self.ledger.written(parts, told);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                self.ledger.refused(parts, told);
                if self.refused.len() < KEPT {
                    self.refused.push(error);
                }
                Ok(())
            }
            Err(error) => Err(ConvertError::Write(error)),
        }
    }

    fn write_window(&mut self, closed: Closed) -> Result<(), ConvertError> {
        let passed = closed.end();
        self.ledger.merged_away(closed.without_traffic());
        for (record, parts) in closed.records() {
            self.write(&record, parts, &Told::of(&record))?;
        }
        self.sink.end_of_window().map_err(ConvertError::Write)?;
        passed.map_or(Ok(()), |second| self.sink.passed(second).map_err(ConvertError::Write))
    }
}
