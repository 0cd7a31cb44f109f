//! The events and records of JSON documents.
//!
//! A document is walked, not held: what is in memory is one event or record, or one `awslogs` value. These hold events:
//!
//! - an array `events` (`aws logs get-log-events`, `filter-log-events`) or `logEvents` (subscription data);
//! - an array that is the document (`--query events`), and an object that is an event itself;
//! - subscription data as base64 of gzip in `{"awslogs": {"data": …}}`;
//! - `Records` of Kinesis and `records` of Firehose, whose data is base64 of subscription data or of lines.
//!
//! In the place of an event may stand a record, an object whose names are those of fields (`members.rs`).
//!
//! Documents follow each other with white space or nothing between. JSON that is not well formed is reported once,
//! and reading goes on at the next line that begins with a bracket.

use std::io;

use super::document::{Document, Event, is_control, read_event};
use super::entry::{LineProblem, excerpt};
use super::members::{Members, NamedText};
use super::packed::Packed;
use super::scan::{Cut, cut_value, find_value_end, skip_space, skip_to_document};
use super::source::Source;

/// The most bytes of an event that are held. CloudWatch Logs takes 1 MiB; escapes make it longer.
const EVENT_LIMIT: usize = 4 << 20;
/// The most bytes of an `awslogs` value that are held. Lambda takes 6 MB.
const DATA_LIMIT: usize = 16 << 20;
/// The most bytes of an object that is looked at as a whole, to see whether it is a record.
const RECORD_LIMIT: usize = 256 << 10;
/// The most bytes of a key or a short value that are held.
const SHORT_LIMIT: usize = 4 << 10;
/// How many bytes of something that is not understood are kept to be shown.
const SHOWN: usize = 1 << 10;

/// What the documents yield.
pub(super) enum Step {
    /// An event with a message; it is in [`JsonEvents::event`].
    Event,
    /// A record; it is in [`JsonEvents::record`].
    Record,
    /// A control message; its text is in [`JsonEvents::event`].
    Control,
    /// Something that is not understood, and its first bytes.
    Bad(LineProblem, Vec<u8>),
    /// No more.
    End,
}

/// Where in a document the walk is.
#[derive(Clone, Copy)]
enum At {
    /// In front of a document.
    Between,
    /// In the document's object, in front of a key; the flag is for the first one.
    Key(bool),
    /// Behind a value of the document's object.
    AfterValue,
    /// In an array of events that is the document or is in it; in front of the first event or behind one.
    Events { is_document: bool, first: bool },
    /// Behind something that is not well formed.
    Lost,
}

/// Walks documents.
pub(super) struct JsonEvents {
    at: At,
    document: Document,
    pub(super) event: Event,
    pub(super) record: Record,
    /// Where the event begins.
    pub(super) offset: u64,
    /// What a value that is packed holds.
    packed: Option<Box<Packed>>,
    is_inner: bool,
}

/// A record that is JSON itself.
#[derive(Default)]
pub(super) struct Record {
    /// Its columns with their texts.
    pub(super) members: Vec<NamedText>,
    /// The JSON.
    pub(super) text: Vec<u8>,
}

impl JsonEvents {
    pub(super) fn new() -> Self {
        JsonEvents {
            at: At::Between,
            document: Document::default(),
            event: Event::default(),
            record: Record::default(),
            offset: 0,
            packed: None,
            is_inner: false,
        }
    }

    /// Walks what was packed in another document.
    pub(super) fn inner() -> Self {
        JsonEvents { is_inner: true, ..JsonEvents::new() }
    }

    /// The next event.
    pub(super) fn next(&mut self, source: &mut Source) -> io::Result<Step> {
        loop {
            if let Some(mut packed) = self.packed.take()
                && let Some(step) = packed.next(self)
            {
                self.packed = Some(packed);
                return Ok(step);
            }
            let step = match self.at {
                At::Between => match skip_space(source)? {
                    None => Some(Step::End),
                    Some(_) => self.open(source),
                },
                At::Key(first) => self.key(source, first)?,
                At::AfterValue => self.after_value(source)?,
                At::Events { is_document, first } => self.array(source, is_document, first)?,
                At::Lost => {
                    self.at = At::Between;
                    (!skip_to_document(source)?).then_some(Step::End)
                }
            };
            if let Some(step) = step {
                return Ok(step);
            }
        }
    }

    /// Opens a document.
    fn open(&mut self, source: &mut Source) -> Option<Step> {
        self.document = Document::default();
        self.offset = source.offset();
        self.at = match source.bytes().first() {
            Some(b'{') => {
                if let Some(length) = find_value_end(source, RECORD_LIMIT)
                    && self.is_record(source.head(length))
                {
                    source.consume(length);
                    return Some(Step::Record);
                }
                At::Key(true)
            }
            Some(b'[') => {
                self.document.is_known = true;
                At::Events { is_document: true, first: true }
            }
            _ => return Some(self.lost(source, 0, "`{` or `[`")),
        };
        source.consume(1);
        None
    }

    /// Whether an object is a record, which is then kept.
    fn is_record(&mut self, bytes: &[u8]) -> bool {
        let Ok(members) = serde_json::from_slice::<Members>(bytes) else { return false };
        let Some(record) = members.record().filter(|_| !members.holds_events()) else { return false };
        self.record.members = record;
        self.record.text.clear();
        self.record.text.extend_from_slice(bytes);
        true
    }

    /// Reads a key, or the end of the document.
    fn key(&mut self, source: &mut Source, first: bool) -> io::Result<Option<Step>> {
        match skip_space(source)? {
            Some(b'}') if first => {
                source.consume(1);
                return Ok(self.close());
            }
            Some(b'"') => {}
            found => return Ok(Some(self.unexpected(source, found, "a key"))),
        }
        let key = match self.value(source, SHORT_LIMIT)? {
            Ok(None) => String::new(),
            Ok(Some(length)) => {
                let key = serde_json::from_slice(source.head(length));
                source.consume(length);
                key.unwrap_or_default()
            }
            Err(step) => return Ok(Some(step)),
        };
        match skip_space(source)? {
            Some(b':') => source.consume(1),
            found => return Ok(Some(self.unexpected(source, found, "`:`"))),
        }
        let Some(found) = skip_space(source)? else {
            return Ok(Some(self.unexpected(source, None, "a value")));
        };
        self.at = At::AfterValue;
        self.value_of(source, &key, found)
    }

    /// Reads the value of a key.
    fn value_of(&mut self, source: &mut Source, key: &str, found: u8) -> io::Result<Option<Step>> {
        let limit = match (key, found) {
            ("events" | "logEvents" | "Records" | "records", b'[') => {
                source.consume(1);
                self.document.is_known = true;
                self.at = At::Events { is_document: false, first: true };
                return Ok(None);
            }
            ("awslogs", b'{') => DATA_LIMIT,
            ("message", b'"') => EVENT_LIMIT,
            ("messageType" | "logStream" | "logStreamName" | "id" | "eventId", b'"') => SHORT_LIMIT,
            ("timestamp", b'0'..=b'9' | b'-') => SHORT_LIMIT,
            _ => 0,
        };
        let offset = source.offset();
        let length = match self.value(source, limit)? {
            Ok(Some(length)) => length,
            Ok(None) if limit > 0 => {
                self.document.is_known = true;
                let found = source.offset() - offset;
                return Ok(Some(Step::Bad(LineProblem::TooLong { found, limit }, Vec::new())));
            }
            Ok(None) => return Ok(None),
            Err(step) => return Ok(Some(step)),
        };
        let bytes = source.head(length);
        let step = if key == "awslogs" {
            self.document.is_known = true;
            self.offset = offset;
            self.unpack(bytes, Packed::of_object)
        } else {
            self.document.note(key, bytes).err().map(|problem| Step::Bad(problem, shown(bytes)))
        };
        source.consume(length);
        Ok(step)
    }

    /// Opens a value that is packed.
    fn unpack<T: AsRef<[u8]> + ?Sized>(
        &mut self,
        value: &T,
        open: impl Fn(&T) -> Result<Packed, String>,
    ) -> Option<Step> {
        let opened = match self.is_inner {
            true => Err("found packed data inside packed data".to_owned()),
            false => open(value),
        };
        match opened {
            Ok(packed) => {
                self.packed = Some(Box::new(packed));
                None
            }
            Err(reason) => Some(Step::Bad(LineProblem::Data { reason }, shown(value.as_ref()))),
        }
    }

    /// Goes on behind a value of the document's object.
    fn after_value(&mut self, source: &mut Source) -> io::Result<Option<Step>> {
        match skip_space(source)? {
            Some(b',') => {
                source.consume(1);
                self.at = At::Key(false);
                Ok(None)
            }
            Some(b'}') => {
                source.consume(1);
                Ok(self.close())
            }
            found => Ok(Some(self.unexpected(source, found, "`,` or `}`"))),
        }
    }

    /// Ends a document.
    fn close(&mut self) -> Option<Step> {
        self.at = At::Between;
        let document = &mut self.document;
        if document.is_control && !document.had_control {
            self.event = Event::default();
            return Some(Step::Control);
        }
        if document.is_control || document.is_known {
            return None;
        }
        let Some(event) = document.take_bare() else {
            return Some(Step::Bad(LineProblem::NoEvents, Vec::new()));
        };
        self.event = event;
        Some(if is_control(&self.event.message) { Step::Control } else { Step::Event })
    }

    /// Reads an event, or the end of the array.
    fn array(&mut self, source: &mut Source, is_document: bool, first: bool) -> io::Result<Option<Step>> {
        let mut next = skip_space(source)?;
        if next == Some(b']') {
            source.consume(1);
            self.at = At::AfterValue;
            return Ok(if is_document { self.close() } else { None });
        }
        if !first {
            if next != Some(b',') {
                return Ok(Some(self.unexpected(source, next, "`,` or `]`")));
            }
            source.consume(1);
            next = skip_space(source)?;
        }
        self.at = At::Events { is_document, first: false };
        self.offset = source.offset();
        if next.is_none() {
            return Ok(Some(self.unexpected(source, None, "an event")));
        }
        let length = match self.value(source, EVENT_LIMIT)? {
            Ok(Some(length)) => length,
            Ok(None) => {
                let found = source.offset() - self.offset;
                let problem = LineProblem::TooLong { found, limit: EVENT_LIMIT };
                return Ok(Some(Step::Bad(problem, Vec::new())));
            }
            Err(step) => return Ok(Some(step)),
        };
        let step = self.element(source.head(length));
        source.consume(length);
        Ok(step)
    }

    /// Reads an element of a list: an event, a record, or data that is packed, whose events come next.
    fn element(&mut self, bytes: &[u8]) -> Option<Step> {
        Some(match read_event(bytes, &self.document, &mut self.event) {
            Err(_) if self.is_record(bytes) => Step::Record,
            Err(reason) => {
                let members: Members = serde_json::from_slice(bytes).unwrap_or_default();
                match members.packed() {
                    Some(text) => return self.unpack(text, Packed::of_text),
                    None => Step::Bad(LineProblem::Event { reason }, shown(bytes)),
                }
            }
            Ok(()) if self.document.is_control || is_control(&self.event.message) => {
                self.document.had_control = true;
                Step::Control
            }
            Ok(()) => Step::Event,
        })
    }

    /// Cuts the value that comes next: its length, or nothing where it was too long and is skipped.
    fn value(&mut self, source: &mut Source, limit: usize) -> io::Result<Result<Option<usize>, Step>> {
        Ok(match cut_value(source, limit)? {
            Cut::Value(length) => Ok(Some(length)),
            Cut::Skipped => Ok(None),
            Cut::Broken(at) => Err(self.lost(source, at, "a well-formed value")),
            Cut::Ended => Err(self.ended(source, "the end of a value")),
        })
    }

    /// Something else than expected comes next.
    fn unexpected(&mut self, source: &mut Source, found: Option<u8>, expected: &'static str) -> Step {
        match found {
            Some(_) => self.lost(source, 0, expected),
            None => self.ended(source, expected),
        }
    }

    /// The byte that comes so much later cannot be there.
    fn lost(&mut self, source: &mut Source, at: usize, expected: &'static str) -> Step {
        source.consume(at);
        // the same text however the bytes come
        let line_end = source.look_for_line_end(SHOWN);
        let text = source.head(line_end.max(1)).to_vec();
        let found = excerpt(&text);
        // what cannot be there may be the next document, in a line of its own
        let is_document = matches!(text.first(), Some(b'{' | b'[')) && source.is_at_line_start();
        self.at = if is_document { At::Between } else { At::Lost };
        Step::Bad(LineProblem::Json { found, expected }, text)
    }

    /// The documents end too early.
    fn ended(&mut self, source: &mut Source, expected: &'static str) -> Step {
        let text = shown(source.bytes());
        source.consume(source.bytes().len());
        self.at = At::Between;
        Step::Bad(LineProblem::JsonCut { expected }, text)
    }
}

/// The first bytes of something, to be shown.
fn shown(bytes: &[u8]) -> Vec<u8> {
    bytes.get(..SHOWN).unwrap_or(bytes).to_vec()
}
