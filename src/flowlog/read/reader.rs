//! The reader: lines or events, one after another.

mod begin;
mod lines;
mod row;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::flowlog::text::LineError;
use crate::record::LogFormat;

use super::entry::{Content, excerpt};
use super::error::LogReadErrorKind;
use super::json::{JsonEvents, Step};
use super::line::{LineReader, Verdict};
use super::named::NamedReader;
use super::parquet::ParquetRows;
use super::source::Source;
use super::{
    BadLine, Entry, EventInfo, Leniencies, LineProblem, LogColumns, LogReadError, LogReadSummary, LogUnit,
    Place, ReadRecord,
};

/// The most bytes of a line; a longer one is bad, and skipped without being held.
pub const MAX_LINE: usize = 64 << 10;

/// How to read a log.
#[derive(Clone, Debug, Default)]
pub struct LogReadOptions {
    /// The columns of a log without a header; AWS's default format if not given. A header in the log wins.
    pub format: Option<LogFormat>,
}

/// Reads a flow log entry by entry.
///
/// [`advance`](LogReader::advance) reads the next line or event, [`entry`](LogReader::entry) says what it is. A line
/// that is not understood is an entry too; only what makes reading on impossible is an error.
///
/// ```
/// use flowtruth::flowlog::read::{Content, LogReadOptions, LogReader};
///
/// let log = "srcaddr dstaddr bytes\n192.0.2.1 192.0.2.2 84\n";
/// let mut reader = LogReader::new("example", Box::new(log.as_bytes()), LogReadOptions::default());
/// let mut bytes = 0;
/// while reader.advance()? {
///     if let Content::Record(read) = reader.entry().content {
///         bytes += read.record.bytes.unwrap_or(0);
///     }
/// }
/// assert_eq!(bytes, 84);
/// assert_eq!(reader.summary().headers, 1);
/// # Ok::<(), flowtruth::flowlog::read::LogReadError>(())
/// ```
pub struct LogReader {
    name: String,
    source: Source,
    /// The file that the source reads, where it is one that can be read at places.
    file: Option<File>,
    mode: Mode,
    lines: LineReader,
    named: NamedReader,
    unit: LogUnit,
    current: Current,
    place: Place,
    text: Text,
    summary: LogReadSummary,
}

enum Mode {
    /// Nothing was read.
    NotBegun,
    Lines,
    Json(Box<JsonEvents>),
    Parquet(Box<ParquetRows>),
    /// All was read, or reading failed.
    Ended,
}

/// What the current entry is.
enum Current {
    /// Of a line or a message.
    Record,
    /// Of named values.
    NamedRecord,
    Header,
    Blank,
    Comment,
    Control,
    Bad(BadLine),
}

/// Where the current entry's text is.
enum Text {
    /// In the source: so many of its next bytes, and so many to take before the next line.
    Source { length: usize, taken: usize },
    /// In the event: so many bytes of its message.
    Event { length: usize },
    /// In the record that is JSON.
    Json,
    /// Here.
    Kept(Vec<u8>),
}

impl LogReader {
    /// A reader of what another yields; the name is for messages. Nothing is read yet.
    pub fn new(name: &str, reader: Box<dyn Read + Send>, options: LogReadOptions) -> LogReader {
        LogReader {
            name: name.to_owned(),
            source: Source::new(reader),
            file: None,
            mode: Mode::NotBegun,
            lines: LineReader::new(options.format),
            named: NamedReader::new(),
            unit: LogUnit::Line,
            current: Current::Blank,
            place: Place::default(),
            text: Text::Kept(Vec::new()),
            summary: LogReadSummary::default(),
        }
    }

    /// Opens a file.
    ///
    /// # Errors
    ///
    /// [`LogReadErrorKind::Open`] where that fails.
    pub fn open(path: &Path, options: LogReadOptions) -> Result<LogReader, LogReadError> {
        let name = path.display().to_string();
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) => return Err(LogReadError::new(&name, LogReadErrorKind::Open(error))),
        };
        let places = file.metadata().is_ok_and(|metadata| metadata.is_file());
        let places = places.then(|| file.try_clone().ok()).flatten();
        Ok(LogReader { file: places, ..LogReader::new(&name, Box::new(file), options) })
    }

    /// The name, as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What was read so far.
    pub fn summary(&self) -> &LogReadSummary {
        &self.summary
    }

    /// The columns that hold now: of the last header, or of the format without one; of records that name their values
    /// those of the last one.
    pub fn columns(&self) -> &LogColumns {
        match self.unit {
            LogUnit::Record => &self.named.columns,
            LogUnit::Line | LogUnit::Event => &self.lines.columns,
        }
    }

    /// Reads the next line or event; `false` at the end of the log.
    ///
    /// # Errors
    ///
    /// [`LogReadError`] where the log cannot be read further: reading fails, gzip data is cut or damaged, or it is
    /// no text to begin with. What was read before stands; the reader is at its end then.
    #[inline]
    pub fn advance(&mut self) -> Result<bool, LogReadError> {
        if matches!(self.mode, Mode::NotBegun) {
            self.begin()?;
        }
        match self.mode {
            Mode::Lines => self.advance_line(|_, _| false),
            Mode::Json(_) => self.advance_event(),
            Mode::Parquet(_) => self.advance_row(),
            Mode::NotBegun | Mode::Ended => Ok(false),
        }
    }

    /// What the last [`advance`](LogReader::advance) that was `true` read; meaningless before it.
    #[inline]
    pub fn entry(&self) -> Entry<'_> {
        let content = match &self.current {
            Current::Record => Content::Record(ReadRecord {
                record: &self.lines.record,
                columns: &self.lines.columns,
                others: &self.lines.others,
            }),
            Current::NamedRecord => Content::Record(ReadRecord {
                record: &self.named.record,
                columns: &self.named.columns,
                others: &self.named.others,
            }),
            Current::Header => Content::Header(&self.lines.columns),
            Current::Blank => Content::Blank,
            Current::Comment => Content::Comment,
            Current::Control => Content::Control,
            Current::Bad(bad) => Content::Bad(bad),
        };
        let text = match (&self.text, &self.mode) {
            (Text::Source { length, .. }, _) => self.source.head(*length),
            (Text::Event { length }, Mode::Json(events)) => {
                events.event.message.as_bytes().get(..*length).unwrap_or_default()
            }
            (Text::Json, Mode::Json(events)) => &events.record.text,
            (Text::Event { .. } | Text::Json, _) => &[],
            (Text::Kept(text), _) => text,
        };
        let leniencies = match self.current {
            Current::Bad(_) | Current::Control => Leniencies::NONE,
            Current::NamedRecord => self.named.leniencies,
            _ => self.lines.leniencies,
        };
        Entry { place: self.place, unit: self.unit, text, event: self.event(), content, leniencies }
    }

    /// What CloudWatch Logs says about the current entry.
    #[inline]
    fn event(&self) -> Option<EventInfo<'_>> {
        match (&self.mode, &self.text) {
            (Mode::Json(events), Text::Event { .. }) => {
                let event = &events.event;
                let (stream, id) = (event.stream.as_deref(), event.id.as_deref());
                Some(EventInfo { timestamp: event.timestamp, stream, id })
            }
            (Mode::Json(_) | Mode::Parquet(_), _) => None,
            _ => self.lines.tail.as_ref().map(|tail| EventInfo {
                timestamp: Some(tail.time),
                stream: tail.stream.as_deref(),
                id: None,
            }),
        }
    }

    /// Ends the log with an error.
    #[cold]
    fn fail(&mut self, error: io::Error) -> LogReadError {
        let unit = if matches!(self.mode, Mode::Json(_)) { LogUnit::Event } else { LogUnit::Line };
        let place = Place { line: self.summary.lines + 1, offset: self.source.offset() };
        self.mode = Mode::Ended;
        LogReadError::at(&self.name, place, unit, LogReadErrorKind::of_read(error))
    }

    /// Reads the next event.
    fn advance_event(&mut self) -> Result<bool, LogReadError> {
        let Mode::Json(events) = &mut self.mode else { return Ok(false) };
        let step = match events.next(&mut self.source) {
            Ok(step) => step,
            Err(error) => return Err(self.fail(error)),
        };
        self.place = Place { line: self.summary.lines + 1, offset: events.offset };
        self.unit = if matches!(step, Step::Record) { LogUnit::Record } else { LogUnit::Event };
        let message = events.event.message.trim_end_matches('\n').as_bytes();
        self.text = Text::Event { length: message.len() };
        match step {
            Step::End => {
                self.mode = Mode::Ended;
                return Ok(false);
            }
            Step::Control => {
                self.summary.control += 1;
                self.current = Current::Control;
            }
            Step::Record => {
                self.text = Text::Json;
                let members = &events.record.members;
                self.named.set_names(members.iter().map(|(name, _)| name.as_str()));
                let read = self.named.read(members.iter().map(|(_, text)| text.as_deref()));
                self.take_named(read);
            }
            Step::Event if message.len() > MAX_LINE => {
                let found = message.len() as u64;
                self.count_bad(LineProblem::TooLong { found, limit: MAX_LINE });
            }
            Step::Event => {
                let verdict = self.lines.read(message);
                self.take(verdict);
            }
            Step::Bad(problem, text) => {
                self.text = Text::Kept(text);
                self.count_bad(problem);
            }
        }
        self.summary.lines += 1;
        Ok(true)
    }

    /// Counts what a line is, and makes it the current entry.
    #[inline]
    fn take(&mut self, verdict: Verdict) {
        let leniencies = self.lines.leniencies;
        self.current = match verdict {
            Verdict::Record => {
                self.summary.count_record(self.lines.record.log_status, leniencies);
                Current::Record
            }
            Verdict::Bad(error) => return self.take_bad(error),
            Verdict::Header => {
                self.summary.headers += 1;
                self.summary.leniencies.count(leniencies);
                Current::Header
            }
            Verdict::Blank => {
                self.summary.leniencies.count(leniencies);
                Current::Blank
            }
            Verdict::Comment => {
                self.summary.leniencies.count(leniencies);
                Current::Comment
            }
        };
    }

    #[cold]
    fn take_bad(&mut self, error: LineError) {
        self.count_bad(LineProblem::Line(error));
    }

    /// Makes something that is not understood the current entry; its text is set already.
    fn count_bad(&mut self, problem: LineProblem) {
        self.summary.bad += 1;
        let text = excerpt(self.entry().text);
        self.current = Current::Bad(BadLine { place: self.place, unit: self.unit, text, problem });
    }
}
