//! A point in time, in nanoseconds since the Unix epoch.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

/// Nanoseconds in a second.
const NANOS: i64 = 1_000_000_000;

/// A point in time: signed nanoseconds since 1970-01-01T00:00:00Z, so 1677-09-21 to 2262-04-11.
///
/// Leap seconds are not counted, as in POSIX time and in flow logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest time that can be held.
    pub const MIN: Timestamp = Timestamp(i64::MIN);
    /// The latest time that can be held.
    pub const MAX: Timestamp = Timestamp(i64::MAX);

    /// The time `nanos` nanoseconds after the epoch (before it, when negative).
    #[inline]
    pub const fn from_nanos(nanos: i64) -> Self {
        Timestamp(nanos)
    }

    /// The time `seconds` and `nanos` after the epoch; `nanos` of a second and more carry into the seconds.
    ///
    /// `None` where 64 bits of nanoseconds cannot hold it.
    #[inline]
    pub fn from_parts(seconds: i64, nanos: u32) -> Option<Self> {
        seconds.checked_mul(NANOS)?.checked_add(i64::from(nanos)).map(Timestamp)
    }

    /// The time `nanos` nanoseconds after the epoch, or `None` where 64 bits cannot hold it.
    #[inline]
    pub fn from_wide_nanos(nanos: i128) -> Option<Self> {
        i64::try_from(nanos).ok().map(Timestamp)
    }

    /// Nanoseconds since the epoch.
    #[inline]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down (also before 1970): what a flow log's `start` and `end` hold.
    #[inline]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(NANOS)
    }
}

/// RFC 3339 in UTC with as many fraction digits as are needed, `2021-06-07T20:57:27.5Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = DateTime::<Utc>::from_timestamp_nanos(self.0);
        let text = time.format("%Y-%m-%dT%H:%M:%S%.9f").to_string();
        write!(f, "{}Z", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// What is wrong with a time that was typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a time: expected Unix seconds (`1623101047` or `1623101047.5`) or RFC 3339 (`2021-06-07T21:24:07Z`)"
)]
pub struct ParseTimestampError {
    /// The text found.
    pub text: String,
}

/// Unix seconds with up to nine digits of fraction, RFC 3339, or a date alone (midnight UTC).
impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = unix_seconds(text).or_else(|| rfc3339(text));
        parsed.ok_or_else(|| ParseTimestampError { text: text.to_owned() })
    }
}

/// Reads `[-]SECONDS[.FRACTION]`.
fn unix_seconds(text: &str) -> Option<Timestamp> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let seconds: i128 = whole.parse().ok()?;
    let scale = 10_i128.pow(9 - u32::try_from(fraction.len()).ok()?);
    let nanos =
        seconds.checked_mul(i128::from(NANOS))?.checked_add(fraction.parse::<i128>().ok()? * scale)?;
    Timestamp::from_wide_nanos(if negative { -nanos } else { nanos })
}

/// Reads RFC 3339, a date and time without an offset (UTC), or a date.
fn rfc3339(text: &str) -> Option<Timestamp> {
    let nanos = if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        time.timestamp_nanos_opt()
    } else if let Ok(time) = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f") {
        time.and_utc().timestamp_nanos_opt()
    } else {
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_nanos_opt()
    };
    nanos.map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_round_down_before_1970() {
        assert_eq!(Timestamp::from_nanos(-1).seconds(), -1);
        assert_eq!(Timestamp::from_nanos(-NANOS).seconds(), -1);
        assert_eq!(Timestamp::from_nanos(NANOS - 1).seconds(), 0);
    }

    #[test]
    fn a_sub_second_field_over_a_second_carries() {
        let time = Timestamp::from_parts(10, 2_500_000_000).unwrap();
        assert_eq!(time.nanos(), 12_500_000_000);
        assert_eq!(Timestamp::from_parts(i64::MAX, 0), None);
    }

    #[test]
    fn reads_unix_seconds_and_rfc_3339() {
        let nanos = |text: &str| text.parse::<Timestamp>().map(Timestamp::nanos);
        assert_eq!(nanos("1623101047"), Ok(1_623_101_047 * NANOS));
        assert_eq!(nanos("1623101047.25"), Ok(1_623_101_047_250_000_000));
        assert_eq!(nanos("-0.5"), Ok(-500_000_000));
        assert_eq!(nanos("2021-06-07T21:24:07Z"), Ok(1_623_101_047 * NANOS));
        assert_eq!(nanos("2021-06-07T23:24:07+02:00"), Ok(1_623_101_047 * NANOS));
        assert_eq!(nanos("2021-06-07T21:24:07"), Ok(1_623_101_047 * NANOS));
        assert_eq!(nanos("1970-01-02"), Ok(86_400 * NANOS));
        for bad in ["", "-", ".", "1.", ".5", "1e9", "noon", "99999999999", "1.0000000001", "+1"] {
            assert!(nanos(bad).is_err(), "{bad:?} was read");
        }
    }

    #[test]
    fn seconds_that_fit_only_without_their_fraction_do_not_overflow() {
        let text = "170141183460469231731687303715.999999999";
        assert!(text.parse::<Timestamp>().is_err());
        assert!(format!("-{text}").parse::<Timestamp>().is_err());
    }

    #[test]
    fn prints_what_it_reads() {
        for text in ["2021-06-07T21:24:07Z", "2021-06-07T21:24:07.5Z", "1969-12-31T23:59:59.999999999Z"] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
    }
}
