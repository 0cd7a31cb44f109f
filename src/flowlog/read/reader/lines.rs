//! Lines of text.

use super::super::{LineProblem, LogReadError, Place};
use super::{LogReader, MAX_LINE, Mode, Text};

impl LogReader {
    /// As [`advance`](LogReader::advance), but of text passes by the lines that `is_plain` knows: it is asked with a line
    /// and its number, and answers `true` only for a record with the log status `OK` in the columns that hold now. Those are
    /// counted and no entry.
    ///
    /// # Errors
    ///
    /// As [`advance`](LogReader::advance).
    #[inline]
    pub fn advance_past(&mut self, is_plain: impl FnMut(&[u8], u64) -> bool) -> Result<bool, LogReadError> {
        self.look()?;
        match self.mode {
            Mode::Lines => self.advance_line(is_plain),
            _ => self.advance(),
        }
    }

    /// Reads the next line that is not plain.
    #[inline]
    pub(super) fn advance_line(
        &mut self,
        mut is_plain: impl FnMut(&[u8], u64) -> bool,
    ) -> Result<bool, LogReadError> {
        if let Text::Source { taken, .. } = self.text {
            self.source.consume(taken);
        }
        self.text = Text::Source { length: 0, taken: 0 };
        let line = loop {
            let line = match self.source.line(MAX_LINE) {
                Ok(Some(line)) => line,
                Ok(None) => {
                    self.mode = Mode::Ended;
                    return Ok(false);
                }
                Err(error) => return Err(self.fail(error)),
            };
            match line {
                Ok(line) if is_plain(self.source.head(line.length), self.summary.lines + 1) => {
                    self.source.consume(line.taken);
                    self.summary.lines += 1;
                    self.summary.count_plain();
                }
                line => break line,
            }
        };
        self.place = Place { line: self.summary.lines + 1, offset: self.source.offset() };
        let Ok(line) = line else { return self.skip_line() };
        self.text = Text::Source { length: line.length, taken: line.taken };
        self.summary.lines += 1;
        let verdict = self.lines.read(self.source.head(line.length));
        self.summary.tail_lines += u64::from(self.lines.tail.is_some());
        self.take(verdict);
        Ok(true)
    }

    /// Skips a line that is too long.
    #[cold]
    fn skip_line(&mut self) -> Result<bool, LogReadError> {
        let (found, kept) = match self.source.skip_line() {
            Ok(skipped) => skipped,
            Err(error) => return Err(self.fail(error)),
        };
        self.summary.lines += 1;
        self.lines.tail = None;
        self.text = Text::Kept(kept);
        self.count_bad(LineProblem::TooLong { found, limit: MAX_LINE });
        Ok(true)
    }
}
