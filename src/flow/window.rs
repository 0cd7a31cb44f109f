//! Time cut into capture windows.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use crate::packet::Timestamp;

/// Nanoseconds in a second.
const NANOS: i64 = 1_000_000_000;

/// How long packets are gathered into one record at most: AWS's maximum aggregation interval.
///
/// AWS offers 60 and 600 seconds (default 600); any other number of seconds up to 136 years, or the whole
/// capture, is this program's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AggregationInterval {
    /// So many seconds.
    Seconds(NonZeroU32),
    /// One window for everything.
    Capture,
}

impl AggregationInterval {
    /// AWS's default, 600 seconds.
    pub const DEFAULT: AggregationInterval = match NonZeroU32::new(600) {
        Some(seconds) => AggregationInterval::Seconds(seconds),
        None => AggregationInterval::Capture,
    };

    /// AWS's other choice, 60 seconds.
    pub const MINUTE: AggregationInterval = match NonZeroU32::new(60) {
        Some(seconds) => AggregationInterval::Seconds(seconds),
        None => AggregationInterval::Capture,
    };
}

impl Default for AggregationInterval {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl fmt::Display for AggregationInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AggregationInterval::Seconds(seconds) => seconds.fmt(f),
            AggregationInterval::Capture => f.write_str("capture"),
        }
    }
}

/// What is wrong with an aggregation interval that was typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not an aggregation interval: expected whole seconds (AWS has `60` and `600`) or `capture`"
)]
pub struct ParseIntervalError {
    /// The text found.
    pub text: String,
}

impl FromStr for AggregationInterval {
    type Err = ParseIntervalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "capture" {
            return Ok(AggregationInterval::Capture);
        }
        let seconds = text.parse().map_err(|_| ParseIntervalError { text: text.to_owned() })?;
        Ok(AggregationInterval::Seconds(seconds))
    }
}

/// A window's place: 0 begins at the origin, 1 follows it, -1 comes before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowIndex(pub i64);

/// A half-open span of time, `[start, end)`, in nanoseconds since the epoch.
///
/// Wider than [`Timestamp`], because a window that holds the first or last possible time reaches past it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaptureWindow {
    /// The first nanosecond inside.
    pub start: i128,
    /// The first nanosecond after it.
    pub end: i128,
}

/// How time is cut into windows: an interval and the origin that they are aligned to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// The interval in nanoseconds, or `None` for one window that holds everything.
    interval: Option<i64>,
    /// A time at which a window begins.
    origin: Timestamp,
}

impl Windows {
    /// Windows of this interval, one of which begins at the origin.
    pub fn new(interval: AggregationInterval, origin: Timestamp) -> Self {
        let interval = match interval {
            AggregationInterval::Seconds(seconds) => Some(i64::from(seconds.get()) * NANOS),
            AggregationInterval::Capture => None,
        };
        Windows { interval, origin }
    }

    /// The window that a time falls in; rounds down, also before the origin.
    #[inline]
    pub fn index_of(&self, time: Timestamp) -> WindowIndex {
        self.index_of_wide(i128::from(time.nanos()))
    }

    /// How many windows have wholly passed at a time (which may lie outside what [`Timestamp`] holds): those
    /// with a smaller index than the one returned. With one window for everything none ever passes.
    #[inline]
    pub fn passed_at(&self, nanos: i128) -> WindowIndex {
        match self.interval {
            Some(_) => self.index_of_wide(nanos),
            None => WindowIndex(0),
        }
    }

    fn index_of_wide(&self, nanos: i128) -> WindowIndex {
        let Some(interval) = self.interval else { return WindowIndex(0) };
        let index = (nanos - i128::from(self.origin.nanos())).div_euclid(i128::from(interval));
        // an index of i64 nanoseconds, cut by an interval of a second and more, fits many times over
        WindowIndex(i64::try_from(index).unwrap_or(if index < 0 { i64::MIN } else { i64::MAX }))
    }

    /// The window's span, or `None` for the one window that holds everything.
    pub fn window(&self, index: WindowIndex) -> Option<CaptureWindow> {
        let interval = i128::from(self.interval?);
        let start = i128::from(self.origin.nanos()) + i128::from(index.0) * interval;
        Some(CaptureWindow { start, end: start + interval })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: i64) -> Timestamp {
        Timestamp::from_nanos(n * NANOS)
    }

    #[test]
    fn windows_are_half_open_and_round_down() {
        let windows = Windows::new("60".parse().unwrap(), seconds(0));
        assert_eq!(windows.index_of(seconds(59)), WindowIndex(0));
        assert_eq!(windows.index_of(seconds(60)), WindowIndex(1));
        assert_eq!(windows.index_of(Timestamp::from_nanos(-1)), WindowIndex(-1));
        assert_eq!(windows.index_of(seconds(-60)), WindowIndex(-1));
        assert_eq!(windows.index_of(seconds(-61)), WindowIndex(-2));
        let window = windows.window(WindowIndex(-1)).unwrap();
        assert_eq!((window.start, window.end), (-60 * i128::from(NANOS), 0));
    }

    #[test]
    fn the_origin_may_have_fractions() {
        let windows = Windows::new("60".parse().unwrap(), Timestamp::from_nanos(500_000_000));
        assert_eq!(windows.index_of(seconds(60)), WindowIndex(0));
        assert_eq!(windows.index_of(Timestamp::from_nanos(60_500_000_000)), WindowIndex(1));
        assert_eq!(windows.index_of(seconds(0)), WindowIndex(-1));
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        for origin in [Timestamp::MIN, seconds(0), Timestamp::MAX] {
            let windows = Windows::new("1".parse().unwrap(), origin);
            for time in [Timestamp::MIN, Timestamp::MAX] {
                let window = windows.window(windows.index_of(time)).unwrap();
                let nanos = i128::from(time.nanos());
                assert!(window.start <= nanos && nanos < window.end);
            }
        }
    }

    #[test]
    fn one_window_for_everything_never_passes() {
        let windows = Windows::new(AggregationInterval::Capture, seconds(0));
        assert_eq!(windows.index_of(Timestamp::MAX), WindowIndex(0));
        assert_eq!(windows.passed_at(i128::MAX), WindowIndex(0));
        assert_eq!(windows.window(WindowIndex(0)), None);
    }

    #[test]
    fn zero_is_no_interval() {
        for bad in ["0", "-1", "60s", "", "1.5", "4294967296"] {
            assert!(bad.parse::<AggregationInterval>().is_err(), "{bad:?} was read");
        }
    }
}
