//! Data that is packed in a JSON string: base64, perhaps of gzip, of events or of lines.

use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::from_slice;

use super::document::RawData;
use super::entry::LineProblem;
use super::json::{JsonEvents, Step};
use super::reader::MAX_LINE;
use super::scan::skip_space;
use super::source::Source;

/// What a string held, walked event by event or line by line.
pub(super) struct Packed {
    source: Source,
    /// The events; `None` where it is text.
    events: Option<JsonEvents>,
    /// Nothing comes behind what could not be read.
    failed: bool,
}

impl Packed {
    /// Opens the object `{"data": …}`; the decoder's words where that fails.
    pub(super) fn of_object(bytes: &[u8]) -> Result<Packed, String> {
        let raw: RawData<'_> = from_slice(bytes).map_err(|error| error.to_string())?;
        Packed::of_text(&raw.data)
    }

    /// Opens base64; the decoder's words where that fails.
    pub(super) fn of_text(text: &str) -> Result<Packed, String> {
        let data = STANDARD.decode(text.trim_end()).map_err(|error| error.to_string())?;
        let mut source = Source::new(Box::new(io::Cursor::new(data)));
        source.begin();
        // what cannot be read fails again when it is walked
        let first = skip_space(&mut source).ok().flatten();
        let is_json = first.is_none_or(|byte| matches!(byte, b'{' | b'['));
        Ok(Packed { source, events: is_json.then(JsonEvents::inner), failed: false })
    }

    /// The next event or line, which `outer` then holds; `None` at the end.
    pub(super) fn next(&mut self, outer: &mut JsonEvents) -> Option<Step> {
        if self.failed {
            return None;
        }
        let step = match &mut self.events {
            Some(events) => events.next(&mut self.source).inspect(|_| {
                std::mem::swap(&mut outer.event, &mut events.event);
                std::mem::swap(&mut outer.record, &mut events.record);
            }),
            None => self.line(outer),
        };
        match step {
            Ok(Step::End) => None,
            Ok(step) => Some(step),
            Err(error) => {
                self.failed = true;
                Some(Step::Bad(LineProblem::Data { reason: error.to_string() }, Vec::new()))
            }
        }
    }

    fn line(&mut self, outer: &mut JsonEvents) -> io::Result<Step> {
        let line = match self.source.line(MAX_LINE)? {
            None => return Ok(Step::End),
            Some(Ok(line)) => line,
            Some(Err(_)) => {
                let (found, kept) = self.source.skip_line()?;
                return Ok(Step::Bad(LineProblem::TooLong { found, limit: MAX_LINE }, kept));
            }
        };
        let step = match std::str::from_utf8(self.source.head(line.length)) {
            Ok(text) => {
                outer.event.clear();
                outer.event.message.push_str(text);
                Step::Event
            }
            Err(error) => {
                let reason = format!("byte {} of a line is not UTF-8", error.valid_up_to() + 1);
                Step::Bad(LineProblem::Data { reason }, self.source.head(line.length).to_vec())
            }
        };
        self.source.consume(line.taken);
        Ok(step)
    }
}
