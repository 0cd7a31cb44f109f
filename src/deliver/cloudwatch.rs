//! Records as events of CloudWatch Logs.
//!
//! The limits are those of `PutLogEvents`: a batch has at most 10,000 events and 1,048,576 bytes, 26 for each event beside
//! its text; its events are in the order of their time and span at most 24 hours. Batches may come in any order.

use serde::Serialize;

/// The most events of a batch.
pub const MOST_BATCH_EVENTS: usize = 10_000;

/// The most bytes of a batch.
pub const MOST_BATCH_BYTES: usize = 1_048_576;

/// What an event counts beside its text.
const BESIDE_TEXT: usize = 26;

/// The longest time between the first and the last event of a batch, in milliseconds.
const LONGEST_SPAN: i64 = 24 * 60 * 60 * 1000;

/// Why a record cannot be an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Its time is before 1970, or further off than milliseconds can tell.
    #[error("an event cannot have the time `{0}` s: expected Unix seconds from 0 to {max}", max = i64::MAX / 1000)]
    Time(i64),
    /// It does not even fit a batch of its own.
    #[error("an event of {0} bytes is too long: expected at most {max}", max = MOST_BATCH_BYTES - BESIDE_TEXT)]
    Long(usize),
}

#[derive(Clone, Debug)]
struct Event {
    timestamp: i64,
    message: Box<str>,
}

/// The events of one log stream that go together.
#[derive(Clone, Debug, Default)]
pub struct EventBatch {
    events: Vec<Event>,
    bytes: usize,
    /// The first and last time among them.
    span: Option<(i64, i64)>,
}

/// How a batch is written.
#[derive(Clone, Copy, Debug)]
pub enum Events<'a> {
    /// What `aws logs put-log-events --cli-input-json` takes.
    Put {
        /// The log group.
        group: &'a str,
        /// The log stream.
        stream: &'a str,
    },
    /// What a subscription filter sends, before it is compressed.
    Subscription {
        /// The account that owns the log group.
        owner: &'a str,
        /// The log group.
        group: &'a str,
        /// The log stream.
        stream: &'a str,
        /// The batch's number among those of the stream, from 1, which makes identifiers differ.
        batch: u64,
    },
}

impl EventBatch {
    /// Whether a record of this second still goes into the batch.
    ///
    /// # Errors
    /// [`EventError`] where it goes into none.
    pub fn has_room(&self, second: i64, message: &str) -> Result<bool, EventError> {
        let timestamp = milliseconds(second)?;
        let bytes = message.len() + BESIDE_TEXT;
        if bytes > MOST_BATCH_BYTES {
            return Err(EventError::Long(message.len()));
        }
        let (first, last) = self.span.unwrap_or((timestamp, timestamp));
        let spans = last.max(timestamp) - first.min(timestamp);
        Ok(self.events.len() < MOST_BATCH_EVENTS
            && self.bytes + bytes <= MOST_BATCH_BYTES
            && spans <= LONGEST_SPAN)
    }

    /// Adds a record, for which there must be [room](Self::has_room).
    ///
    /// # Errors
    /// [`EventError`] where it can be no event.
    pub fn push(&mut self, second: i64, message: &str) -> Result<(), EventError> {
        let timestamp = milliseconds(second)?;
        let (first, last) = self.span.unwrap_or((timestamp, timestamp));
        self.span = Some((first.min(timestamp), last.max(timestamp)));
        self.bytes += message.len() + BESIDE_TEXT;
        self.events.push(Event { timestamp, message: message.into() });
        Ok(())
    }

    /// Whether there is no event.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// About how much memory it takes, in bytes.
    pub fn held(&self) -> usize {
        self.bytes
    }

    /// Writes the events, in the order of their time, and empties the batch.
    ///
    /// # Errors
    /// None that a buffer in memory could have.
    pub fn write(&mut self, how: Events<'_>) -> serde_json::Result<Vec<u8>> {
        self.events.sort_by_key(|event| event.timestamp);
        let mut out = match how {
            Events::Put { group, stream } => {
                let message = PutLogEvents {
                    log_group_name: group,
                    log_stream_name: stream,
                    log_events: self.events.iter().map(|event| event.input()).collect(),
                };
                serde_json::to_vec(&message)?
            }
            Events::Subscription { owner, group, stream, batch } => {
                let ids: Vec<String> =
                    (1..=self.events.len()).map(|n| format!("{batch:028}{n:028}")).collect();
                let events = self.events.iter().zip(&ids);
                let message = DataMessage {
                    message_type: "DATA_MESSAGE",
                    owner,
                    log_group: group,
                    log_stream: stream,
                    subscription_filters: ["flowtruth"],
                    log_events: events.map(|(event, id)| event.sent(id)).collect(),
                };
                serde_json::to_vec(&message)?
            }
        };
        out.push(b'\n');
        *self = EventBatch::default();
        Ok(out)
    }
}

fn milliseconds(second: i64) -> Result<i64, EventError> {
    second.checked_mul(1000).filter(|milliseconds| *milliseconds >= 0).ok_or(EventError::Time(second))
}

impl Event {
    fn input(&self) -> InputEvent<'_> {
        InputEvent { timestamp: self.timestamp, message: &self.message }
    }

    fn sent<'a>(&'a self, id: &'a str) -> SentEvent<'a> {
        SentEvent { id, timestamp: self.timestamp, message: &self.message }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PutLogEvents<'a> {
    log_group_name: &'a str,
    log_stream_name: &'a str,
    log_events: Vec<InputEvent<'a>>,
}

#[derive(Serialize)]
struct InputEvent<'a> {
    timestamp: i64,
    message: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DataMessage<'a> {
    message_type: &'static str,
    owner: &'a str,
    log_group: &'a str,
    log_stream: &'a str,
    subscription_filters: [&'static str; 1],
    log_events: Vec<SentEvent<'a>>,
}

#[derive(Serialize)]
struct SentEvent<'a> {
    id: &'a str,
    timestamp: i64,
    message: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_written_in_the_order_of_their_time() {
        let mut batch = EventBatch::default();
        for (second, message) in [(60, "b"), (0, "a \"quoted\""), (60, "c")] {
            assert_eq!(batch.has_room(second, message), Ok(true));
            batch.push(second, message).unwrap();
        }
        let put =
            String::from_utf8(batch.write(Events::Put { group: "g", stream: "eni-1-all" }).unwrap()).unwrap();
        assert_eq!(
            put,
            "{\"logGroupName\":\"g\",\"logStreamName\":\"eni-1-all\",\"logEvents\":[\
             {\"timestamp\":0,\"message\":\"a \\\"quoted\\\"\"},\
             {\"timestamp\":60000,\"message\":\"b\"},{\"timestamp\":60000,\"message\":\"c\"}]}\n"
        );
        assert!(batch.is_empty());
        batch.push(1, "d").unwrap();
        let how = Events::Subscription { owner: "1", group: "g", stream: "s", batch: 7 };
        let sent: serde_json::Value = serde_json::from_slice(&batch.write(how).unwrap()).unwrap();
        assert_eq!(sent["messageType"], "DATA_MESSAGE");
        assert_eq!(sent["logEvents"][0]["timestamp"], 1000);
        assert_eq!(sent["logEvents"][0]["id"].as_str().map(str::len), Some(56));
    }

    #[test]
    fn a_batch_keeps_every_limit() {
        let mut batch = EventBatch::default();
        let long = "x".repeat(MOST_BATCH_BYTES - BESIDE_TEXT);
        assert_eq!(batch.has_room(0, &long), Ok(true));
        assert_eq!(batch.has_room(0, &format!("{long}x")), Err(EventError::Long(long.len() + 1)));
        batch.push(0, "a").unwrap();
        assert_eq!(batch.has_room(0, &long), Ok(false));
        assert_eq!(batch.has_room(86_400, "a"), Ok(true));
        assert_eq!(batch.has_room(86_401, "a"), Ok(false));
        for _ in 1..MOST_BATCH_EVENTS {
            assert_eq!(batch.has_room(5, "a"), Ok(true));
            batch.push(5, "a").unwrap();
        }
        assert_eq!(batch.has_room(5, "a"), Ok(false));
    }

    #[test]
    fn times_that_cannot_be_told_are_refused() {
        let batch = EventBatch::default();
        for second in [-1, i64::MIN, i64::MAX, i64::MAX / 1000 + 1] {
            assert_eq!(batch.has_room(second, ""), Err(EventError::Time(second)));
        }
        assert_eq!(batch.has_room(i64::MAX / 1000, ""), Ok(true));
        let mut batch = EventBatch::default();
        batch.push(0, "").unwrap();
        assert_eq!(batch.has_room(i64::MAX / 1000, ""), Ok(false));
    }
}
