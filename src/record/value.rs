//! One value of a record, whatever its field.

use std::fmt;
use std::net::IpAddr;

use serde::{Serialize, Serializer};

/// The value of one field in one record, borrowed from the record.
///
/// Missing is not zero: [`Value::Missing`] prints `-`, `Value::UInt(0)` prints `0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// No value: `-`.
    Missing,
    /// A whole number that may be negative: `start` and `end`, Unix seconds.
    Int(i64),
    /// A whole number that is never negative.
    UInt(u64),
    /// An IPv4 or IPv6 address.
    Addr(IpAddr),
    /// A word or an identifier, without white space.
    Text(&'a str),
}

impl Value<'_> {
    /// Whether there is no value.
    #[inline]
    pub const fn is_missing(&self) -> bool {
        matches!(self, Value::Missing)
    }
}

/// As a text record holds it: decimal numbers, IPv6 as RFC 5952 has it, `-` for a missing value.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Missing => f.write_str("-"),
            Value::Int(number) => number.fmt(f),
            Value::UInt(number) => number.fmt(f),
            Value::Addr(address) => address.fmt(f),
            Value::Text(text) => f.write_str(text),
        }
    }
}

/// A number, a string, or null for a missing value.
impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Missing => serializer.serialize_none(),
            Value::Int(number) => serializer.serialize_i64(*number),
            Value::UInt(number) => serializer.serialize_u64(*number),
            Value::Addr(address) => serializer.collect_str(address),
            Value::Text(text) => serializer.serialize_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_is_not_zero() {
        let cases = [
            (Value::Missing, "-", "null"),
            (Value::UInt(0), "0", "0"),
            (Value::UInt(u64::MAX), "18446744073709551615", "18446744073709551615"),
            (Value::Int(-1), "-1", "-1"),
            (Value::Addr("2001:DB8:0:0:0:0:0:1".parse().unwrap()), "2001:db8::1", "\"2001:db8::1\""),
            (Value::Text("NODATA"), "NODATA", "\"NODATA\""),
        ];
        for (value, text, json) in cases {
            assert_eq!(value.to_string(), text);
            assert_eq!(serde_json::to_string(&value).unwrap(), json);
            assert_eq!(value.is_missing(), text == "-");
        }
    }
}
