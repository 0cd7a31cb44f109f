//! How each type of value is read from text and shown as a [`Value`].

use std::net::IpAddr;

use crate::packet::{Protocol, TcpFlags};

use super::{Action, FlowDirection, LogStatus, RecordType, Value};

/// A type that a record's field can have.
pub(super) trait Cell: Sized {
    /// What a text of this type looks like, as an error message says it.
    const EXPECTED: &'static str;

    /// The value.
    fn value(&self) -> Value<'_>;

    /// Reads the text of a value that is not missing.
    fn read(text: &str) -> Option<Self>;

    /// Reads the text into a record's slot; `false` leaves the slot as it was.
    #[inline]
    fn read_into(slot: &mut Option<Self>, text: &str) -> bool {
        let value = Self::read(text);
        let is_read = value.is_some();
        if is_read {
            *slot = value;
        }
        is_read
    }
}

/// Reads decimal digits: no sign, no leading zero, nothing over `max`.
#[inline]
fn digits(text: &str, max: u64) -> Option<u64> {
    let bytes = text.as_bytes();
    if bytes.is_empty() || (bytes.len() > 1 && bytes.first() == Some(&b'0')) {
        return None;
    }
    let mut number: u64 = 0;
    for byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    (number <= max).then_some(number)
}

macro_rules! unsigned_cells {
    ($($type:ty, $expected:literal, $make:expr, $number:expr;)*) => {$(
        impl Cell for $type {
            const EXPECTED: &'static str = $expected;

            #[inline]
            fn value(&self) -> Value<'_> {
                Value::UInt($number(*self))
            }

            #[inline]
            fn read(text: &str) -> Option<Self> {
                digits(text, u64::MAX)?.try_into().ok().map($make)
            }
        }
    )*};
}

unsigned_cells! {
    u8, "a whole number from 0 to 255", |n: u8| n, u64::from;
    u16, "a whole number from 0 to 65535", |n: u16| n, u64::from;
    u64, "a whole number from 0 to 18446744073709551615", |n: u64| n, |n: u64| n;
    Protocol, "an IP protocol number from 0 to 255", Protocol, |p: Protocol| u64::from(p.0);
    TcpFlags, "a whole number from 0 to 255", TcpFlags, |f: TcpFlags| u64::from(f.0);
}

impl Cell for i64 {
    const EXPECTED: &'static str = "Unix seconds, a whole number";

    #[inline]
    fn value(&self) -> Value<'_> {
        Value::Int(*self)
    }

    #[inline]
    fn read(text: &str) -> Option<Self> {
        match text.strip_prefix('-') {
            None => digits(text, i64::MAX.unsigned_abs()).map(u64::cast_signed),
            Some(rest) => match digits(rest, i64::MIN.unsigned_abs())? {
                0 => None,
                magnitude => Some(0_i64.wrapping_sub_unsigned(magnitude)),
            },
        }
    }
}

impl Cell for IpAddr {
    const EXPECTED: &'static str = "an IPv4 or IPv6 address";

    #[inline]
    fn value(&self) -> Value<'_> {
        Value::Addr(*self)
    }

    #[inline]
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Cell for Box<str> {
    const EXPECTED: &'static str = "text without white space or control characters";

    #[inline]
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }

    #[inline]
    fn read(text: &str) -> Option<Self> {
        let forbidden = |c: char| c.is_whitespace() || c.is_control();
        (!text.is_empty() && !text.contains(forbidden)).then(|| text.into())
    }

    /// Keeps the text that is there where it is the same: the identity of an interface is read a million times
    /// and allocated once.
    #[inline]
    fn read_into(slot: &mut Option<Self>, text: &str) -> bool {
        if slot.as_deref() == Some(text) {
            return true;
        }
        let value = Self::read(text);
        let is_read = value.is_some();
        if is_read {
            *slot = value;
        }
        is_read
    }
}

macro_rules! word_cells {
    ($($type:ty)*) => {$(
        impl Cell for $type {
            const EXPECTED: &'static str = <$type>::EXPECTED;

            #[inline]
            fn value(&self) -> Value<'_> {
                Value::Text(self.as_str())
            }

            #[inline]
            fn read(text: &str) -> Option<Self> {
                <$type>::from_word(text)
            }
        }
    )*};
}

word_cells! { Action LogStatus FlowDirection RecordType }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_plain_decimals_within_their_range() {
        assert_eq!(u8::read("0"), Some(0));
        assert_eq!(u8::read("255"), Some(255));
        assert_eq!(u16::read("65535"), Some(65535));
        assert_eq!(u64::read("18446744073709551615"), Some(u64::MAX));
        for bad in
            ["", "-", "-1", "+1", "00", "01", " 1", "1 ", "1.0", "0x1", "٣", "1_0", "18446744073709551616"]
        {
            assert_eq!(u64::read(bad), None, "{bad:?}");
        }
        assert_eq!(u8::read("256"), None);
        assert_eq!(u16::read("65536"), None);
    }

    #[test]
    fn seconds_reach_both_ends_of_64_bits() {
        for number in [0, 1, -1, i64::MAX, i64::MIN, 1_623_101_047] {
            assert_eq!(i64::read(&number.to_string()), Some(number));
        }
        for bad in ["", "-0", "--1", "-01", "9223372036854775808", "-9223372036854775809", "1.5"] {
            assert_eq!(i64::read(bad), None, "{bad:?}");
        }
        assert_eq!(i64::read("2021-06-07T21:24:07Z"), None);
    }

    #[test]
    fn text_has_no_white_space_or_control_characters() {
        for good in ["unknown", "eni-1", "a%20b", "é", "arn:aws:ecs:us-east-1:1:task/x"] {
            assert_eq!(<Box<str>>::read(good).as_deref(), Some(good));
        }
        for bad in ["", " ", "a b", "a\tb", "a\r", "a\u{a0}b", "a\u{3000}", "\u{1b}[0m", "\0", "\u{85}"] {
            assert_eq!(<Box<str>>::read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_same_text_is_not_allocated_again() {
        let mut slot: Option<Box<str>> = Some("eni-1".into());
        let before = slot.as_deref().map(str::as_ptr);
        assert!(<Box<str>>::read_into(&mut slot, "eni-1"));
        assert_eq!(slot.as_deref().map(str::as_ptr), before);
        assert!(!<Box<str>>::read_into(&mut slot, "a b"));
        assert_eq!(slot.as_deref(), Some("eni-1"));
        assert!(<Box<str>>::read_into(&mut slot, "eni-2"));
        assert_eq!(slot.as_deref(), Some("eni-2"));
    }
}
