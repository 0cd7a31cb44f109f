//! How far two numbers may be apart and still be the same.

use std::fmt;
use std::str::FromStr;

/// An allowed difference: so much, or so many percent of what the reference says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Delta {
    /// So many packets, bytes or seconds.
    Absolute(u64),
    /// So many percent of the reference's number; of a time, of the record's duration.
    Percent(f64),
}

impl Delta {
    /// How much that is of a number, rounded down.
    pub fn of(self, number: u64) -> u64 {
        match self {
            Delta::Absolute(delta) => delta,
            // a number of any size times a percentage; `as` stops at the largest that can be held
            Delta::Percent(percent) => (number as f64 * percent / 100.0) as u64,
        }
    }

    /// Whether a number is as near to another as this allows.
    pub fn allows(self, number: u64, reference: u64) -> bool {
        number.abs_diff(reference) <= self.of(reference)
    }
}

impl fmt::Display for Delta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Delta::Absolute(delta) => write!(f, "{delta}"),
            Delta::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// What is wrong with an allowed difference that was typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no allowed difference: expected a whole number such as `5`, or a percentage such as `1%`")]
pub struct ParseDeltaError(String);

impl FromStr for Delta {
    type Err = ParseDeltaError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseDeltaError(text.to_owned());
        match text.strip_suffix('%') {
            None => text.parse().map(Delta::Absolute).map_err(|_| error()),
            Some(percent) => match percent.parse::<f64>() {
                Ok(percent) if percent.is_finite() && percent >= 0.0 => Ok(Delta::Percent(percent)),
                _ => Err(error()),
            },
        }
    }
}

/// What is allowed of each number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Of `packets`.
    pub packets: Delta,
    /// Of `bytes`.
    pub bytes: Delta,
    /// Of `start`, in seconds.
    pub start: Delta,
    /// Of `end`, in seconds.
    pub end: Delta,
}

/// Exact counts, and one second for times.
impl Default for Tolerance {
    fn default() -> Self {
        Tolerance {
            packets: Delta::Absolute(0),
            bytes: Delta::Absolute(0),
            start: Delta::Absolute(1),
            end: Delta::Absolute(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_read_as_people_type_them() {
        assert_eq!("5".parse(), Ok(Delta::Absolute(5)));
        assert_eq!("1.5%".parse(), Ok(Delta::Percent(1.5)));
        for bad in ["", "-1", "1.5", "%", "-1%", "inf%", "NaN%", "5 packets"] {
            assert!(bad.parse::<Delta>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_percentage_is_of_the_reference() {
        let delta = Delta::Percent(10.0);
        assert!(delta.allows(110, 100) && delta.allows(90, 100));
        assert!(!delta.allows(111, 100) && !delta.allows(100, 0));
        assert!(Delta::Absolute(1).allows(0, 1) && !Delta::Absolute(1).allows(0, 2));
        assert_eq!(Delta::Percent(1000.0).of(u64::MAX), u64::MAX);
    }
}
