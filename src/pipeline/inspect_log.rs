//! `inspect` of a flow log: what is in it, and how each line was understood.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{LogInput, Progress};
use crate::flowlog::read::{
    BadLine, Content, Entry, LogColumns, LogReadError, LogReadOptions, LogReadSummary,
};
use crate::record::{Action, FlowRecord, LogFormat};

/// How many bad lines are kept to be shown.
const KEPT: usize = 10;

/// After how many entries an interruption is looked for.
const LOOK_EVERY: u64 = 65_536;

/// What is in one log.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LogInspection {
    /// The log, as it was named.
    pub path: String,
    /// How its lines were understood.
    pub read: LogReadSummary,
    /// The columns of each header, or of the log without one, each once, with the records under it.
    pub columns: Vec<ColumnsOfLog>,
    /// The earliest `start`, in Unix seconds.
    pub start: Option<i64>,
    /// The latest `end`.
    pub end: Option<i64>,
    /// The sum of `packets`.
    pub packets: u64,
    /// The sum of `bytes`.
    pub bytes: u64,
    /// Records with action `ACCEPT`.
    pub accepted: u64,
    /// Records with action `REJECT`.
    pub rejected: u64,
    /// The first lines that were not understood.
    #[serde(skip)]
    pub bad: Vec<BadLine>,
}

/// Columns that a log has, and how many records have them.
#[derive(Clone, Debug, Serialize)]
pub struct ColumnsOfLog {
    /// The names in their order.
    pub names: Vec<String>,
    /// Those among them that no flow log of AWS has.
    pub unknown: Vec<String>,
    /// The highest version among the fields, which is what `version` should say.
    pub version: Option<u8>,
    /// Records.
    pub records: u64,
}

/// How many sets of columns are told apart; JSON may have others in every record.
const SETS: usize = 100;

/// Reads a log to its end, shows every entry to `each`, and says what is in it.
///
/// The second value is why reading ended early, if it did; the inspection holds what came before. `each` stops the
/// reading by returning `false`, and so does an interruption.
pub fn inspect_log(
    input: LogInput,
    format: Option<LogFormat>,
    progress: &Progress,
    mut each: impl FnMut(Entry<'_>) -> bool,
) -> (LogInspection, Option<LogReadError>) {
    let mut inspection = LogInspection { path: input.name(), ..LogInspection::default() };
    let mut reader = match input.open(LogReadOptions { format }) {
        Ok(reader) => reader,
        Err(error) => return (inspection, Some(error)),
    };
    let mut sets: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    // the set of the last record, so that it is not looked for again
    let mut last: Option<(LogColumns, Option<usize>)> = None;
    let error = loop {
        match reader.advance() {
            Ok(true) => {}
            Ok(false) => break None,
            Err(error) => break Some(error),
        }
        let entry = reader.entry();
        match entry.content {
            Content::Record(read) => {
                inspection.take(read.record);
                let place = match &last {
                    Some((columns, place)) if columns == read.columns => *place,
                    _ => {
                        let place = inspection.place_of(read.columns, &mut sets);
                        last = Some((read.columns.clone(), place));
                        place
                    }
                };
                if let Some(set) = place.and_then(|place| inspection.columns.get_mut(place)) {
                    set.records += 1;
                }
            }
            Content::Bad(bad) if inspection.bad.len() < KEPT => inspection.bad.push(bad.clone()),
            _ => {}
        }
        let looks = entry.place.line.is_multiple_of(LOOK_EVERY);
        if !each(entry) || (looks && progress.is_interrupted()) {
            break None;
        }
    };
    inspection.read = reader.summary().clone();
    (inspection, error)
}

impl LogInspection {
    fn take(&mut self, record: &FlowRecord) {
        self.start = self.start.into_iter().chain(record.start).min();
        self.end = self.end.max(record.end);
        self.packets = self.packets.saturating_add(record.packets.unwrap_or(0));
        self.bytes = self.bytes.saturating_add(record.bytes.unwrap_or(0));
        match record.action {
            Some(Action::Accept) => self.accepted += 1,
            Some(Action::Reject) => self.rejected += 1,
            None => {}
        }
    }

    /// Where the set of these columns is.
    fn place_of(&mut self, columns: &LogColumns, sets: &mut BTreeMap<Vec<String>, usize>) -> Option<usize> {
        let names: Vec<String> = columns.columns().iter().map(|column| column.name().to_owned()).collect();
        if let Some(place) = sets.get(&names) {
            return Some(*place);
        }
        if sets.len() == SETS {
            return None;
        }
        let unknown = columns.columns().iter().filter(|column| !column.is_known());
        self.columns.push(ColumnsOfLog {
            unknown: unknown.map(|column| column.name().to_owned()).collect(),
            version: columns.format().map(LogFormat::version),
            names: names.clone(),
            records: 0,
        });
        sets.insert(names, self.columns.len() - 1);
        Some(self.columns.len() - 1)
    }
}
