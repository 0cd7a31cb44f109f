//! The closed sets of words that a record can hold.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// What is wrong with a word that was read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}: expected {expected}")]
pub struct ParseWordError {
    /// The text found.
    pub text: String,
    /// What it should have been, with its article: `an action`.
    pub what: &'static str,
    /// The words that are allowed.
    pub expected: &'static str,
}

macro_rules! words {
    ($(
        $(#[$doc:meta])* $name:ident, $what:literal, $expected:literal {
            $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)*
        }
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Every word.
            pub const ALL: &'static [$name] = &[$($name::$variant),*];
            /// The allowed words, as an error message names them.
            pub(super) const EXPECTED: &'static str = $expected;

            /// The word as AWS spells it.
            #[inline]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)*
                }
            }

            /// Reads the word exactly as AWS spells it.
            #[inline]
            pub(super) fn from_word(text: &str) -> Option<Self> {
                match text {
                    $($word => Some($name::$variant),)*
                    _ => None,
                }
            }
        }

        /// The word as AWS spells it.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        /// Reads the word exactly as AWS spells it.
        impl FromStr for $name {
            type Err = ParseWordError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::from_word(text).ok_or_else(|| ParseWordError {
                    text: super::error::shown(text),
                    what: $what,
                    expected: $expected,
                })
            }
        }
    )*};
}

words! {
    /// The verdict over the traffic, field `action`.
    Action, "an action", "`ACCEPT` or `REJECT`" {
        /// Let through.
        Accept = "ACCEPT",
        /// Refused, or came after the connection was closed.
        Reject = "REJECT",
    }

    /// Whether the interval could be logged, field `log-status`.
    LogStatus, "a log status", "`OK`, `NODATA` or `SKIPDATA`" {
        /// Logged normally.
        Ok = "OK",
        /// The interface had no traffic in the interval.
        NoData = "NODATA",
        /// Some flows of the interval were not logged.
        SkipData = "SKIPDATA",
    }

    /// Which way the traffic passed the interface, field `flow-direction`.
    FlowDirection, "a flow direction", "`ingress` or `egress`" {
        /// Into the interface.
        Ingress = "ingress",
        /// Out of the interface.
        Egress = "egress",
    }

    /// The kind of traffic, field `type`.
    RecordType, "a traffic type", "`IPv4`, `IPv6` or `EFA`" {
        /// IPv4.
        Ipv4 = "IPv4",
        /// IPv6.
        Ipv6 = "IPv6",
        /// Elastic Fabric Adapter.
        Efa = "EFA",
    }
}

/// The type of traffic that an address belongs to.
impl From<IpAddr> for RecordType {
    #[inline]
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => RecordType::Ipv4,
            IpAddr::V6(_) => RecordType::Ipv6,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads_itself<T: FromStr<Err = ParseWordError> + fmt::Display + PartialEq + fmt::Debug + Copy>(
        all: &[T],
        expected: &str,
    ) {
        for word in all {
            let text = word.to_string();
            assert_eq!(text.parse(), Ok(*word));
            assert!(expected.contains(&format!("`{text}`")), "{expected} does not name {text}");
            for bad in [text.to_lowercase() + "x", format!(" {text}"), text.chars().rev().collect()] {
                assert!(bad.parse::<T>().is_err(), "{bad:?} was read");
            }
        }
        assert_eq!(expected.matches('`').count(), 2 * all.len());
    }

    #[test]
    fn every_word_reads_what_it_prints() {
        reads_itself(Action::ALL, Action::EXPECTED);
        reads_itself(LogStatus::ALL, LogStatus::EXPECTED);
        reads_itself(FlowDirection::ALL, FlowDirection::EXPECTED);
        reads_itself(RecordType::ALL, RecordType::EXPECTED);
    }

    #[test]
    fn the_error_names_what_was_found_and_expected() {
        let error = "accept".parse::<Action>().unwrap_err();
        assert_eq!(error.to_string(), "`accept` is not an action: expected `ACCEPT` or `REJECT`");
    }
}
