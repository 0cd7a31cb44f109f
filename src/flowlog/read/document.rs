//! What is read from the values of a JSON document: its events, and what it says about them.

use std::borrow::Cow;

use serde::Deserialize;

use super::entry::LineProblem;

/// An event; its memory is used again.
#[derive(Default)]
pub(super) struct Event {
    pub(super) message: String,
    /// In milliseconds since 1970.
    pub(super) timestamp: Option<i64>,
    pub(super) id: Option<String>,
    pub(super) stream: Option<String>,
}

impl Event {
    /// Forgets what it held.
    pub(super) fn clear(&mut self) {
        self.message.clear();
        (self.timestamp, self.id, self.stream) = (None, None, None);
    }
}

/// What is known about the document that is being walked.
#[derive(Default)]
pub(super) struct Document {
    /// It says that it is a control message.
    pub(super) is_control: bool,
    /// A control message of it was yielded.
    pub(super) had_control: bool,
    /// Something in it holds events, or says why there are none.
    pub(super) is_known: bool,
    stream: Option<String>,
    /// What it has of an event itself.
    bare: Event,
    has_message: bool,
}

impl Document {
    /// Notes a value that stands beside the events, or makes the document an event itself.
    pub(super) fn note(&mut self, key: &str, bytes: &[u8]) -> Result<(), LineProblem> {
        if key == "timestamp" {
            let number: Option<serde_json::Number> = serde_json::from_slice(bytes).ok();
            self.bare.timestamp = number.and_then(|number| number.as_i64());
            return Ok(());
        }
        let text: String = serde_json::from_slice(bytes)
            .map_err(|error| LineProblem::Event { reason: format!("`{key}`: {error}") })?;
        match key {
            "messageType" => {
                self.is_known = true;
                self.is_control = text == "CONTROL_MESSAGE";
            }
            "logStream" | "logStreamName" => self.stream = Some(text),
            "message" => {
                self.has_message = true;
                self.bare.message = text;
            }
            _ => self.bare.id = Some(text),
        }
        Ok(())
    }

    /// The event that the document is.
    pub(super) fn take_bare(&mut self) -> Option<Event> {
        let stream = self.stream.take();
        self.has_message.then(|| Event { stream, ..std::mem::take(&mut self.bare) })
    }
}

/// An event as the documents have it.
#[derive(Deserialize)]
struct RawEvent<'a> {
    #[serde(borrow)]
    message: Cow<'a, str>,
    timestamp: Option<serde_json::Number>,
    #[serde(alias = "eventId")]
    id: Option<String>,
    #[serde(rename = "logStreamName")]
    stream: Option<String>,
}

/// Reads one event of a document; the decoder's words where that fails.
pub(super) fn read_event(bytes: &[u8], document: &Document, event: &mut Event) -> Result<(), String> {
    let raw: RawEvent<'_> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    event.message.clear();
    event.message.push_str(&raw.message);
    event.timestamp = raw.timestamp.and_then(|number| number.as_i64());
    event.id = raw.id;
    match raw.stream {
        Some(stream) => event.stream = Some(stream),
        None => event.stream.clone_from(&document.stream),
    }
    Ok(())
}

/// Whether a message is what CloudWatch Logs sends to try a subscription.
pub(super) fn is_control(message: &str) -> bool {
    message.starts_with("CWL CONTROL MESSAGE")
}

/// `{"data": …}`.
#[derive(Deserialize)]
pub(super) struct RawData<'a> {
    #[serde(borrow)]
    pub(super) data: Cow<'a, str>,
}
