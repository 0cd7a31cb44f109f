//! Many records of one interface as lines: what they share is made into text once.
//!
//! A value is put together in a register, with the space behind it, and stored as eight bytes, over whose rest the next
//! is stored: one store of a fixed size is faster than the few bytes that are wanted.
//!
//! Invariant: a line is what [`write_record_line`](super::write_record_line) writes.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};

use super::{OCTETS, write_value};
use crate::record::{Action, Field, FlowRecord, LogFormat, LogStatus, Origin, Value};

/// A part of every line.
#[derive(Clone, Debug)]
enum Piece {
    /// Values that all records share.
    Text(Vec<u8>),
    SrcAddr,
    DstAddr,
    SrcPort,
    DstPort,
    Protocol,
    Packets,
    Bytes,
    Start,
    End,
    Action,
    LogStatus,
    /// Any other value.
    Other(Field),
}

/// Writes records in one format that share what is constant for their interface.
#[derive(Clone, Debug)]
pub struct LineWriter {
    pieces: Vec<Piece>,
}

impl LineWriter {
    /// A writer for records whose fields with the origins [`Origin::Constant`], [`Origin::Vpc`] and [`Origin::Unknown`] are those of
    /// this record.
    pub fn new(format: &LogFormat, shared: &FlowRecord) -> Self {
        Self::with(format, Some(shared))
    }

    /// A writer for any records.
    pub fn of_any(format: &LogFormat) -> Self {
        Self::with(format, None)
    }

    fn with(format: &LogFormat, shared: Option<&FlowRecord>) -> Self {
        let mut pieces: Vec<Piece> = Vec::new();
        for &field in format.fields() {
            let piece = match field {
                Field::SrcAddr => Piece::SrcAddr,
                Field::DstAddr => Piece::DstAddr,
                Field::SrcPort => Piece::SrcPort,
                Field::DstPort => Piece::DstPort,
                Field::Protocol => Piece::Protocol,
                Field::Packets => Piece::Packets,
                Field::Bytes => Piece::Bytes,
                Field::Start => Piece::Start,
                Field::End => Piece::End,
                Field::Action => Piece::Action,
                Field::LogStatus => Piece::LogStatus,
                _ => match shared_value(format, field, shared) {
                    Some(value) => {
                        let mut text = Vec::new();
                        write_value(value, &mut text);
                        text.push(b' ');
                        if let Some(Piece::Text(before)) = pieces.last_mut() {
                            before.append(&mut text);
                            continue;
                        }
                        Piece::Text(text)
                    }
                    None => Piece::Other(field),
                },
            };
            pieces.push(piece);
        }
        LineWriter { pieces }
    }

    /// Appends one record as a line.
    pub fn write(&self, record: &FlowRecord, out: &mut Vec<u8>) {
        let mut line = Line { bytes: [0; LINE], length: 0, out };
        for piece in &self.pieces {
            // or the compiler makes every field's digits before it looks which fields there are
            let record = black_box(record);
            match piece {
                Piece::Text(text) => line.long(|out| out.extend_from_slice(text)),
                Piece::SrcAddr => line.address(record.srcaddr),
                Piece::DstAddr => line.address(record.dstaddr),
                Piece::SrcPort => line.number(record.srcport.map(u64::from)),
                Piece::DstPort => line.number(record.dstport.map(u64::from)),
                Piece::Protocol => line.number(record.protocol.map(|protocol| u64::from(protocol.0))),
                Piece::Packets => line.number(record.packets),
                Piece::Bytes => line.number(record.bytes),
                Piece::Start => line.seconds(record.start),
                Piece::End => line.seconds(record.end),
                Piece::Action => line.short(match record.action {
                    Some(Action::Accept) => const { Short::word("ACCEPT ") },
                    Some(Action::Reject) => const { Short::word("REJECT ") },
                    None => MISSING,
                }),
                Piece::LogStatus if record.log_status == Some(LogStatus::Ok) => {
                    line.short(const { Short::word("OK ") });
                }
                Piece::LogStatus => line.value(Field::LogStatus.get(record)),
                Piece::Other(field) => line.value(field.get(record)),
            }
        }
        line.end();
    }
}

/// The value of a field that all records share.
fn shared_value<'a>(format: &LogFormat, field: Field, shared: Option<&'a FlowRecord>) -> Option<Value<'a>> {
    match field {
        Field::Version => Some(Value::UInt(u64::from(format.version()))),
        _ if matches!(field.origin(), Origin::Constant | Origin::Vpc | Origin::Unknown) => {
            shared.map(|record| field.get(record))
        }
        _ => None,
    }
}

/// How many bytes of short values are gathered.
const LINE: usize = 128;

/// A line that is being made. Short values are gathered beside the output, because its length would have to be read
/// and written for every one of them, and each would wait for the one before.
struct Line<'a> {
    bytes: [u8; LINE],
    length: usize,
    out: &'a mut Vec<u8>,
}

impl Line<'_> {
    /// Adds a short text.
    #[inline(always)]
    fn short(&mut self, short: Short) {
        if self.length > LINE - size_of::<u64>() {
            self.long(|_| {});
        }
        if let Some(place) = self.bytes.get_mut(self.length..).and_then(|rest| rest.first_chunk_mut()) {
            *place = short.text.to_le_bytes();
            self.length += short.length as usize;
        }
    }

    /// Adds text of any length.
    #[inline]
    fn long(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.out.extend_from_slice(self.bytes.get(..self.length).unwrap_or_default());
        self.length = 0;
        write(self.out);
    }

    /// Adds any value and a space.
    #[inline(never)]
    fn value(&mut self, value: Value<'_>) {
        self.long(|out| {
            write_value(value, out);
            out.push(b' ');
        });
    }

    #[inline(always)]
    fn address(&mut self, address: Option<IpAddr>) {
        match address {
            Some(IpAddr::V4(address)) => {
                let [upper, lower] = ipv4(address);
                self.short(upper);
                self.short(lower);
            }
            Some(address) => self.value(Value::Addr(address)),
            None => self.short(MISSING),
        }
    }

    #[inline(always)]
    fn number(&mut self, number: Option<u64>) {
        match number {
            Some(number @ 0..SEVEN_DIGITS) => self.short(small(number as u32)),
            Some(number @ SEVEN_DIGITS..FIFTEEN_DIGITS) => {
                let [upper, lower] = large(number);
                self.short(upper);
                self.short(lower);
                self.short(const { Short::word(" ") });
            }
            Some(number) => self.value(Value::UInt(number)),
            None => self.short(MISSING),
        }
    }

    #[inline(always)]
    fn seconds(&mut self, seconds: Option<i64>) {
        match seconds {
            Some(seconds @ 0..) => self.number(Some(seconds.unsigned_abs())),
            Some(seconds) => self.value(Value::Int(seconds)),
            None => self.short(MISSING),
        }
    }

    /// Ends the line: the last value's space becomes the line's end.
    #[inline]
    fn end(mut self) {
        self.long(|out| {
            if let Some(last) = out.last_mut() {
                *last = b'\n';
            }
        });
    }
}

/// What stands for a missing value.
const MISSING: Short = Short::word("- ");

/// Up to eight bytes of text, the first in the lowest byte.
#[derive(Clone, Copy)]
struct Short {
    text: u64,
    length: u32,
}

impl Short {
    const fn word(word: &str) -> Self {
        let mut text = 0;
        let mut bytes = word.as_bytes();
        while let Some((last, before)) = bytes.split_last() {
            text = text << 8 | *last as u64;
            bytes = before;
        }
        Short { text, length: word.len() as u32 }
    }
}

/// Two octets with a dot behind each: 4 to 8 bytes.
#[inline(always)]
fn octets(first: u8, second: u8) -> Short {
    let text = |octet: u8| OCTETS.get(usize::from(octet)).copied().unwrap_or_default();
    let ((first, first_length), (second, second_length)) = (text(first), text(second));
    Short {
        text: u64::from(first) | u64::from(second) << (8 * first_length),
        length: first_length + second_length,
    }
}

/// Both halves of an address, with the space behind it.
#[inline(always)]
fn ipv4(address: Ipv4Addr) -> [Short; 2] {
    let [a, b, c, d] = address.octets();
    let lower = octets(c, d);
    // the last octet too ends with a dot
    let text = lower.text ^ u64::from(b'.' ^ b' ') << (8 * (lower.length - 1));
    [octets(a, b), Short { text, ..lower }]
}

/// Numbers below have, with a space, at most eight characters.
const SEVEN_DIGITS: u64 = 10_000_000;
/// One more than the largest number of eight digits.
const EIGHT_DIGITS: u64 = 100_000_000;
/// Numbers below have at most seven digits in front of their last eight.
const FIFTEEN_DIGITS: u64 = 1_000_000_000_000_000;

/// The eight digits of a number below 10^8, the first in the lowest byte.
///
/// Halves, then quarters, then eighths are divided side by side, each by a multiplication: n / 100 is n × 10486 >> 20
/// below 10^4, and n / 10 is n × 103 >> 10 below 100.
#[inline(always)]
const fn digits(number: u32) -> u64 {
    let number = number as u64;
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = (fours * 10_486) >> 20 & 0x0000_007f_0000_007f;
    let twos = (fours - hundreds * 100) << 16 | hundreds;
    let tens = (twos * 103) >> 10 & 0x000f_000f_000f_000f;
    (twos - tens * 10) << 8 | tens
}

/// Digits to characters.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// A number of at most seven digits, and a space.
#[inline(always)]
fn small(number: u32) -> Short {
    let digits = digits(number);
    // a zero has one digit all the same
    let leading = (digits.trailing_zeros() / 8).min(7);
    let length = 8 - leading;
    let text = (digits | ZEROS) >> (8 * leading);
    // of seven digits at most, so that the space is not shifted out
    Short { text: text | u64::from(b' ') << (8 * (length & 7)), length: length + 1 }
}

/// A number of eight to fifteen digits: those in front of the last eight, and these; without a space.
#[inline(always)]
fn large(number: u64) -> [Short; 2] {
    let (upper, lower) = ((number / EIGHT_DIGITS) as u32, (number % EIGHT_DIGITS) as u32);
    let front = small(upper);
    // its space is stored over, and so is the zero of a number of eight digits
    let length = if upper == 0 { 0 } else { front.length - 1 };
    [Short { length, ..front }, Short { text: digits(lower) | ZEROS, length: 8 }]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a line's part is written as.
    fn text(add: impl FnOnce(&mut Line<'_>)) -> String {
        let mut out = Vec::new();
        let mut line = Line { bytes: [0; LINE], length: 0, out: &mut out };
        add(&mut line);
        line.long(|_| {});
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_at_every_change_of_length() {
        for exponent in 0..20 {
            let power = 10_u64.pow(exponent);
            for number in [power - 1, power, power + 1, power.saturating_mul(9), u64::MAX] {
                assert_eq!(text(|line| line.number(Some(number))), format!("{number} "));
            }
        }
    }

    #[test]
    fn more_short_values_than_are_gathered() {
        let many = text(|line| (0..100).for_each(|number| line.number(Some(number * 1_000_000_000))));
        let expected: String = (0..100_u64).map(|number| format!("{} ", number * 1_000_000_000)).collect();
        assert_eq!(many, expected);
    }

    proptest! {
        #[test]
        fn numbers_are_plain_decimals(number in any::<u64>(), shift in 0..64) {
            let number = number >> shift;
            prop_assert_eq!(text(|line| line.number(Some(number))), format!("{number} "));
        }

        #[test]
        fn seconds_may_be_negative(seconds in any::<i64>(), shift in 0..64) {
            let seconds = seconds >> shift;
            prop_assert_eq!(text(|line| line.seconds(Some(seconds))), format!("{seconds} "));
        }

        #[test]
        fn addresses_are_in_dots(bits in any::<u32>()) {
            let address = Ipv4Addr::from_bits(bits);
            prop_assert_eq!(text(|line| line.address(Some(address.into()))), format!("{address} "));
        }
    }
}
