//! The first bytes: gzip or not, lines, JSON or Parquet, or no log at all.

use std::io::Seek;

use super::super::columns::Column;
use super::super::error::{FIRST_BYTES, LogReadErrorKind, NotText};
use super::super::json::JsonEvents;
use super::super::parquet::{self, ParquetRows};
use super::super::{Leniencies, Leniency, LogReadError, LogShape, LogUnit};
use super::{LogReader, MAX_LINE, Mode};
use crate::record::shown;

/// How many columns an error names.
const SHOWN_NAMES: usize = 5;

/// A byte order mark in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl LogReader {
    /// Reads the first bytes, if that was not done: the way in which the log comes, `None` if it is empty.
    ///
    /// # Errors
    ///
    /// As [`advance`](LogReader::advance).
    pub fn look(&mut self) -> Result<Option<LogShape>, LogReadError> {
        if matches!(self.mode, Mode::NotBegun) {
            self.begin()?;
        }
        Ok(self.summary.shape)
    }

    /// Reads the first bytes: gzip or not, lines or JSON, or no log at all.
    pub(super) fn begin(&mut self) -> Result<(), LogReadError> {
        self.source.begin();
        self.summary.gzip_layers = self.source.layers() as u64;
        self.source.look_ahead(FIRST_BYTES);
        if self.source.layers() == 0 && self.source.bytes().starts_with(parquet::MAGIC) {
            return self.begin_parquet();
        }
        if let Some(looks_like) = NotText::recognise(self.source.bytes()) {
            self.mode = Mode::Ended;
            return Err(LogReadError::new(&self.name, LogReadErrorKind::NotALog { looks_like }));
        }
        let is_json = self.begins_with_bracket();
        if is_json {
            if self.source.bytes().starts_with(BYTE_ORDER_MARK) {
                let mut leniencies = Leniencies::NONE;
                leniencies.insert(Leniency::ByteOrderMark);
                self.summary.leniencies.count(leniencies);
                self.source.consume(BYTE_ORDER_MARK.len());
            }
            self.mode = Mode::Json(Box::new(JsonEvents::new()));
        } else {
            self.mode = Mode::Lines;
        }
        let shape = if is_json { LogShape::Json } else { LogShape::Text };
        self.unit = if is_json { LogUnit::Event } else { LogUnit::Line };
        self.summary.shape = self.source.bytes().first().map(|_| shape);
        Ok(())
    }

    /// Opens the file as Parquet; what comes from elsewhere is copied to a temporary file first.
    fn begin_parquet(&mut self) -> Result<(), LogReadError> {
        self.summary.shape = Some(LogShape::Parquet);
        self.unit = LogUnit::Record;
        self.mode = Mode::Ended;
        let file = match self.file.take() {
            Some(mut file) => file.rewind().map(|()| file),
            None => self.source.copy_to_file(),
        };
        let rows = file.map_err(LogReadErrorKind::Read).and_then(ParquetRows::open);
        let rows = rows.map_err(|kind| LogReadError::new(&self.name, kind))?;
        self.named.set_names(rows.names());
        if !self.named.columns.columns().iter().any(Column::is_known) {
            return Err(LogReadError::new(&self.name, no_field(rows.names())));
        }
        self.mode = Mode::Parquet(Box::new(rows));
        Ok(())
    }

    /// Whether the first byte that is no white space begins JSON. Only so much white space is looked through as a
    /// line may have.
    fn begins_with_bracket(&mut self) -> bool {
        let mut spaces = 0;
        while spaces <= MAX_LINE {
            let bytes = self.source.bytes();
            let length = bytes.len();
            let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
            spaces += text.iter().skip(spaces).take_while(|byte| byte.is_ascii_whitespace()).count();
            if let Some(byte) = text.get(spaces) {
                return matches!(byte, b'{' | b'[');
            }
            if !self.source.look_ahead(length + 1) {
                break;
            }
        }
        false
    }
}

/// An error for a file of these columns, which are of something else.
fn no_field<'a>(mut names: impl Iterator<Item = &'a str>) -> LogReadErrorKind {
    let first: Vec<String> =
        names.by_ref().take(SHOWN_NAMES).map(|name| format!("`{}`", shown(name))).collect();
    let more = if names.next().is_some() { ", …" } else { "" };
    LogReadErrorKind::NoField { columns: first.join(", ") + more }
}
