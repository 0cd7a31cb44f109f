//! The records of logs, one after another.

use std::collections::VecDeque;

use crate::flowlog::read::{Content, LogReadError, LogReadOptions, LogReader, ReadRecord};
use crate::pipeline::{BadRecord, LogInput, LogProblem};
use crate::record::LogFormat;

/// How many problems are kept to be shown.
const KEPT: usize = 100;

/// Reads logs one after another as one.
pub struct LogRecords {
    inputs: VecDeque<LogInput>,
    format: Option<LogFormat>,
    reader: Option<LogReader>,
    /// Whether the reader stands at a record that nobody has taken.
    is_ahead: bool,
    logs: u64,
    bad: u64,
    failures: Vec<LogReadError>,
    problems: Vec<LogProblem>,
}

impl LogRecords {
    /// The records of these logs. The format names the columns where no header does. Nothing is read yet.
    pub fn new(inputs: Vec<LogInput>, format: Option<LogFormat>) -> LogRecords {
        LogRecords {
            inputs: inputs.into(),
            format,
            reader: None,
            is_ahead: false,
            logs: 0,
            bad: 0,
            failures: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// The fields of the first record, for which it reads ahead; `None` if there is no record.
    pub fn first_format(&mut self) -> Option<LogFormat> {
        if !self.advance() {
            return None;
        }
        self.is_ahead = true;
        self.record().and_then(|read| read.columns.format().cloned())
    }

    /// Goes to the next record; `false` at the end of all logs.
    pub(super) fn advance(&mut self) -> bool {
        if std::mem::take(&mut self.is_ahead) {
            return true;
        }
        loop {
            let Some(reader) = &mut self.reader else {
                let Some(input) = self.inputs.pop_front() else { return false };
                self.logs += 1;
                match input.open(LogReadOptions { format: self.format.clone() }) {
                    Ok(reader) => self.reader = Some(reader),
                    Err(error) => self.failures.push(error),
                }
                continue;
            };
            match reader.advance() {
                Ok(true) => {}
                Ok(false) => {
                    self.reader = None;
                    continue;
                }
                Err(error) => {
                    self.failures.push(error);
                    self.reader = None;
                    continue;
                }
            }
            match reader.entry().content {
                Content::Record(_) => return true,
                Content::Bad(bad) => {
                    self.bad += 1;
                    if self.problems.len() < KEPT {
                        let log = reader.name().to_owned();
                        self.problems.push(LogProblem { log, what: BadRecord::Line(bad.clone()) });
                    }
                }
                _ => {}
            }
        }
    }

    /// The record that [`advance`](Self::advance) went to.
    pub(super) fn record(&self) -> Option<ReadRecord<'_>> {
        match self.reader.as_ref()?.entry().content {
            Content::Record(read) => Some(read),
            _ => None,
        }
    }

    /// How many logs were opened.
    pub(super) fn logs(&self) -> u64 {
        self.logs
    }

    /// How many lines were not understood.
    pub(super) fn bad(&self) -> u64 {
        self.bad
    }

    pub(super) fn into_troubles(self) -> (Vec<LogReadError>, Vec<LogProblem>) {
        (self.failures, self.problems)
    }
}
