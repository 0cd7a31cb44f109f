//! Records that name their values: rows of Parquet, and JSON that is a record itself.

use crate::record::FieldValueError;

use super::super::{LineProblem, LogReadError, LogUnit, Place};
use super::{Current, LogReader, Mode, Text};

impl LogReader {
    /// Reads the next row of Parquet.
    pub(super) fn advance_row(&mut self) -> Result<bool, LogReadError> {
        let Mode::Parquet(rows) = &mut self.mode else { return Ok(false) };
        self.place = Place { line: self.summary.lines + 1, offset: 0 };
        match rows.advance() {
            Ok(true) => {}
            Ok(false) => {
                self.mode = Mode::Ended;
                return Ok(false);
            }
            Err(kind) => {
                self.mode = Mode::Ended;
                return Err(LogReadError::at(&self.name, self.place, LogUnit::Record, kind));
            }
        }
        let mut text = match std::mem::replace(&mut self.text, Text::Json) {
            Text::Kept(text) => text,
            _ => Vec::new(),
        };
        text.clear();
        for value in rows.texts() {
            text.extend_from_slice(value.unwrap_or("-").as_bytes());
            text.push(b' ');
        }
        text.pop();
        self.text = Text::Kept(text);
        let not_text = rows.not_text().map(|name| format!("the value of `{name}` is not UTF-8"));
        let read = self.named.read(rows.texts());
        match not_text {
            Some(reason) => self.count_bad(LineProblem::Data { reason }),
            None => self.take_named(read),
        }
        self.summary.lines += 1;
        Ok(true)
    }

    /// Counts a record of named values, and makes it the current entry.
    pub(super) fn take_named(&mut self, read: Result<(), FieldValueError>) {
        match read {
            Ok(()) => {
                self.summary.count_record(self.named.record.log_status, self.named.leniencies);
                self.current = Current::NamedRecord;
            }
            Err(error) => self.count_bad(LineProblem::Value(error)),
        }
    }
}
