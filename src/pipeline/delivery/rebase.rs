//! The same records at another time.
//!
//! `start` and `end` of all records are shifted by the same number of seconds, a whole number of aggregation intervals:
//! the window of the first packet becomes the window that the wanted time lies in. So order, durations and places within
//! windows stay what they were. With one window for everything, the first packet gets the wanted second itself.

use std::io;

use crate::flow::Windows;
use crate::packet::Timestamp;
use crate::pipeline::RecordSink;
use crate::record::FlowRecord;

/// Nanoseconds in a second.
const NANOS: i128 = 1_000_000_000;

/// Where to shift to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RebaseTo(pub Timestamp);

impl RebaseTo {
    /// By how many seconds everything is shifted, given the first packet's time.
    fn shift(self, windows: Windows, first: Timestamp) -> i64 {
        let begin = |time: Timestamp| match windows.window(windows.index_of(time)) {
            Some(window) => window.start,
            None => i128::from(time.seconds()) * NANOS,
        };
        // of two times of 64 bits in nanoseconds: it fits many times over
        i64::try_from((begin(self.0) - begin(first)) / NANOS).unwrap_or(0)
    }
}

/// Shifts the times of records on their way to a sink.
pub struct Rebased<S> {
    to: RebaseTo,
    shift: i64,
    record: FlowRecord,
    sink: S,
}

impl<S: RecordSink> Rebased<S> {
    /// Shifts what goes to this sink.
    pub fn new(to: RebaseTo, sink: S) -> Self {
        Rebased { to, shift: 0, record: FlowRecord::default(), sink }
    }

    /// Keeps a shifted copy.
    fn copy(&mut self, record: &FlowRecord) -> io::Result<()> {
        let shifted = |second: Option<i64>| match second.map(|second| second.checked_add(self.shift)) {
            Some(None) => {
                Err(io::Error::new(io::ErrorKind::InvalidData, "a record's time cannot be shifted that far"))
            }
            Some(second) => Ok(second),
            None => Ok(None),
        };
        let (start, end) = (shifted(record.start)?, shifted(record.end)?);
        self.record.clone_from(record);
        (self.record.start, self.record.end) = (start, end);
        Ok(())
    }
}

impl<S: RecordSink> RecordSink for Rebased<S> {
    fn begin(&mut self, windows: Windows, first: Timestamp) {
        self.shift = self.to.shift(windows, first);
        self.sink.begin(windows, first);
    }

    fn record(&mut self, record: &FlowRecord) -> io::Result<()> {
        self.copy(record)?;
        self.sink.record(&self.record)
    }

    fn explained(&mut self, record: &FlowRecord, why: &str) -> io::Result<()> {
        self.copy(record)?;
        self.sink.explained(&self.record, why)
    }

    fn end_of_window(&mut self) -> io::Result<()> {
        self.sink.end_of_window()
    }

    fn passed(&mut self, second: i64) -> io::Result<()> {
        self.sink.passed(second.saturating_add(self.shift))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.sink.finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::flow::AggregationInterval;

    fn seconds(n: i64) -> Timestamp {
        Timestamp::from_nanos(n * 1_000_000_000)
    }

    #[test]
    fn the_first_window_becomes_the_window_of_the_wanted_time() {
        let windows = Windows::new("600".parse().unwrap(), seconds(0));
        assert_eq!(RebaseTo(seconds(1_700_000_123)).shift(windows, seconds(1234)), 1_699_999_800 - 1200);
        let whole = Windows::new(AggregationInterval::Capture, seconds(0));
        assert_eq!(RebaseTo(seconds(1000)).shift(whole, seconds(1)), 999);
        // an origin with a fraction: still whole seconds
        let windows = Windows::new("60".parse().unwrap(), Timestamp::from_nanos(500_000_000));
        assert_eq!(RebaseTo(seconds(600)).shift(windows, seconds(60)), 540);
    }

    proptest! {
        #[test]
        fn a_shift_keeps_the_alignment(
            interval in 1..=u32::MAX,
            origin in any::<i64>(),
            to in any::<i64>(),
            first in any::<i64>(),
        ) {
            let interval_text = interval.to_string();
            let windows = Windows::new(interval_text.parse().unwrap(), Timestamp::from_nanos(origin));
            let (to, first) = (Timestamp::from_nanos(to), Timestamp::from_nanos(first));
            let shift = RebaseTo(to).shift(windows, first);
            prop_assert_eq!(shift % i64::from(interval), 0);
            let shifted = i128::from(first.nanos()) + i128::from(shift) * NANOS;
            let window = windows.window(windows.index_of(to)).unwrap();
            prop_assert!(window.start <= shifted && shifted < window.end);
        }
    }
}
