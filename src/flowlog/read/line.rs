//! One line or message: what it is, and the record in it.
//!
//! 1. Try the strict parser of [`text`](crate::flowlog::text), which most lines of most logs please.
//! 2. If it refuses, look at the line as people and tools write it: without byte order mark, carriage return and
//!    terminal colours, cut into words at any number of spaces and tabs, without a comment at its end.
//! 3. No words: blank. Words that name fields: a header. A time in front: cut off with the log stream behind it.
//! 4. As many words as columns: read them one by one.
//!
//! If you change this: a line that the strict parser takes must never be a comment or a header. That is why it is
//! not asked where every column takes any text, and not where the first byte is `#`, or may begin a byte order mark.

use std::ops::Range;

use crate::flowlog::text::{LineError, parse_line_into};
use crate::record::{
    Action, Field, FieldValueError, FlowDirection, FlowRecord, LogFormat, LogStatus, RecordType,
};

use super::columns::{Column, LogColumns};
use super::tail::{prefix, without_colours};
use super::{Leniencies, Leniency};

/// What a line is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Record,
    Header,
    Blank,
    Comment,
    Bad(LineError),
}

/// The columns of the log and the last line that was read.
pub(super) struct LineReader {
    pub(super) columns: LogColumns,
    /// Neither a header nor anybody else said what the columns are.
    columns_are_assumed: bool,
    /// The columns as a format, if the strict parser can be asked.
    strict: Option<LogFormat>,
    pub(super) record: FlowRecord,
    /// The text of the columns that are no fields.
    pub(super) others: Vec<String>,
    pub(super) leniencies: Leniencies,
    /// What `aws logs tail` wrote in front.
    pub(super) tail: Option<Tail>,
    words: Vec<Range<usize>>,
    /// The text without colours.
    plain: String,
}

/// The time, in milliseconds since 1970, and the log stream.
pub(super) struct Tail {
    pub(super) time: i64,
    pub(super) stream: Option<String>,
}

impl LineReader {
    /// With these columns, or those of AWS's default format.
    pub(super) fn new(format: Option<LogFormat>) -> Self {
        let columns_are_assumed = format.is_none();
        let mut reader = LineReader {
            columns: LogColumns::of_format(LogFormat::default()),
            columns_are_assumed,
            strict: None,
            record: FlowRecord::default(),
            others: Vec::new(),
            leniencies: Leniencies::NONE,
            tail: None,
            words: Vec::new(),
            plain: String::new(),
        };
        reader.set_columns(LogColumns::of_format(format.unwrap_or_default()));
        reader.columns_are_assumed = columns_are_assumed;
        reader
    }

    /// Whether a line without a header is a transit gateway's: nothing said what the columns are, and it begins as such
    /// a record does in AWS's default format, which is as long.
    fn looks_like_transit_gateway<'a>(&self, mut words: impl ExactSizeIterator<Item = &'a str>) -> bool {
        let length = LogColumns::TRANSIT_GATEWAY_LENGTH;
        self.columns_are_assumed
            && (length..=length + 2).contains(&words.len())
            && words.by_ref().take(4).any(|word| word == "TransitGateway")
    }

    /// From here on these are the columns.
    fn set_columns(&mut self, columns: LogColumns) {
        let strict = columns.is_complete() && !columns.all_text();
        self.strict = columns.format().filter(|_| strict).cloned();
        self.others = columns.others().map(|_| String::new()).collect();
        self.record = FlowRecord::default();
        self.columns = columns;
        self.columns_are_assumed = false;
    }

    /// Reads a line without its `\n`.
    #[inline]
    pub(super) fn read(&mut self, line: &[u8]) -> Verdict {
        self.leniencies = Leniencies::NONE;
        self.tail = None;
        if let (Some(format), Some(first)) = (&self.strict, line.first())
            && !matches!(first, b'#' | 0xef)
            && parse_line_into(format, line, &mut self.record).is_ok()
        {
            self.leniencies.insert_if(line.last() == Some(&b'\r'), Leniency::CarriageReturn);
            return Verdict::Record;
        }
        self.read_leniently(line)
    }

    /// Reads a line that the strict parser was not asked about, or did not take.
    fn read_leniently(&mut self, line: &[u8]) -> Verdict {
        let text = match std::str::from_utf8(line) {
            Ok(text) => text,
            Err(error) => return Verdict::Bad(LineError::NotUtf8 { position: error.valid_up_to() + 1 }),
        };
        let mut plain = std::mem::take(&mut self.plain);
        let mut words = std::mem::take(&mut self.words);
        let verdict = self.read_words(text, &mut plain, &mut words);
        self.plain = plain;
        self.words = words;
        if matches!(verdict, Verdict::Bad(_)) {
            self.leniencies = Leniencies::NONE;
        }
        verdict
    }

    fn read_words(&mut self, text: &str, plain: &mut String, words: &mut Vec<Range<usize>>) -> Verdict {
        let mut text = text;
        if let Some(rest) = text.strip_prefix('\u{feff}') {
            self.leniencies.insert(Leniency::ByteOrderMark);
            text = rest;
        }
        let trimmed = text.trim_end_matches('\r');
        self.leniencies.insert_if(trimmed.len() < text.len(), Leniency::CarriageReturn);
        text = trimmed;
        if text.contains("\u{1b}[") {
            self.leniencies.insert(Leniency::AnsiColour);
            without_colours(text, plain);
            text = plain;
        }
        let has_comment = self.cut_words(text, words);
        if words.is_empty() {
            // a line without values has nothing else to remark on
            self.leniencies = Leniencies::NONE;
            let (leniency, verdict) = match has_comment {
                true => (Leniency::CommentLine, Verdict::Comment),
                false => (Leniency::BlankLine, Verdict::Blank),
            };
            self.leniencies.insert(leniency);
            return verdict;
        }
        let word = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
        if let Some((columns, leniencies)) = LogColumns::from_header(words.iter().map(word)) {
            self.leniencies.extend(leniencies);
            self.set_columns(columns);
            return Verdict::Header;
        }
        if self.looks_like_transit_gateway(words.iter().map(word)) {
            self.set_columns(LogColumns::of_transit_gateway());
        }
        let mut values = words.as_slice();
        if let Some(prefix) = prefix(text, words, &self.columns) {
            let stream = words.get(1).filter(|_| prefix.words == 2).map(|range| word(range).to_owned());
            self.tail = Some(Tail { time: prefix.time, stream });
            values = words.get(prefix.words..).unwrap_or_default();
        }
        match self.read_values(text, values) {
            Ok(()) => Verdict::Record,
            Err(error) => Verdict::Bad(error),
        }
    }

    /// Cuts a text into words at spaces and tabs, up to a comment; returns whether there was one.
    fn cut_words(&mut self, text: &str, words: &mut Vec<Range<usize>>) -> bool {
        words.clear();
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
        let mut at = 0;
        loop {
            let rest = text.as_bytes().get(at..).unwrap_or_default();
            let spaces = rest.iter().take_while(|byte| is_space(byte)).count();
            let (space, rest) = rest.split_at_checked(spaces).unwrap_or((rest, &[]));
            let next = rest.first();
            let (found, leniency) = match next {
                _ if words.is_empty() => (spaces > 0, Leniency::LeadingSpace),
                None => (spaces > 0, Leniency::TrailingSpace),
                // what is in front of a comment belongs to it
                Some(b'#') => (true, Leniency::TrailingComment),
                Some(_) => (spaces > 1, Leniency::RepeatedSpace),
            };
            self.leniencies.insert_if(found, leniency);
            if matches!(next, None | Some(b'#')) {
                return next.is_some();
            }
            self.leniencies.insert_if(space.contains(&b'\t'), Leniency::Tab);
            at += spaces;
            let length = rest.iter().position(is_space).unwrap_or(rest.len());
            words.push(at..at + length);
            at += length;
        }
    }

    /// Reads the values of a record.
    fn read_values(&mut self, text: &str, values: &[Range<usize>]) -> Result<(), LineError> {
        let columns = self.columns.columns();
        if values.len() != columns.len() {
            return Err(LineError::FieldCount { found: values.len(), expected: columns.len() });
        }
        let mut others = self.others.iter_mut();
        for (index, (column, range)) in columns.iter().zip(values).enumerate() {
            let value = text.get(range.clone()).unwrap_or_default();
            match column {
                Column::Other(_) => {
                    if let Some(other) = others.next() {
                        other.clear();
                        other.push_str(value);
                    }
                }
                Column::Field(field) => match read_value(*field, &mut self.record, value) {
                    Ok(other_case) => self.leniencies.insert_if(other_case, Leniency::WordCase),
                    Err(error) => return Err(value_error(text, range, index, error)),
                },
            }
        }
        Ok(())
    }
}

/// Reads a field's value; whether it is a word in another letter case than AWS's.
pub(super) fn read_value(field: Field, record: &mut FlowRecord, text: &str) -> Result<bool, FieldValueError> {
    match field.read(record, text) {
        Ok(()) => Ok(false),
        Err(_) if read_word(field, record, text) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Where a value is that cannot be read.
#[cold]
fn value_error(text: &str, range: &Range<usize>, index: usize, error: FieldValueError) -> LineError {
    let before = text.get(..range.start).map_or(0, |before| before.chars().count());
    LineError::Value { number: index + 1, position: before + 1, error }
}

/// Reads a word that AWS spells in one letter case only, in any.
#[cold]
fn read_word(field: Field, record: &mut FlowRecord, text: &str) -> bool {
    fn find<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str, text: &str) -> Option<&'static str> {
        all.iter().map(|one| word(*one)).find(|word| word.eq_ignore_ascii_case(text))
    }
    let word = match field {
        Field::Action => find(Action::ALL, Action::as_str, text),
        Field::LogStatus => find(LogStatus::ALL, LogStatus::as_str, text),
        Field::FlowDirection => find(FlowDirection::ALL, FlowDirection::as_str, text),
        Field::Type => find(RecordType::ALL, RecordType::as_str, text),
        _ => None,
    };
    word.is_some_and(|word| field.read(record, word).is_ok())
}
