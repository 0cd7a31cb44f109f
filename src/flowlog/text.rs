//! Plain-text flow logs: one line a record, one space between values.
//!
//! [`write_header_line`] and [`write_record_line`] append to a buffer exactly what AWS's files hold: single
//! spaces, no trailing space, `\n` at the end; [`LineWriter`] does the same for many records. [`parse_line`] reads such a line and is as strict about its
//! shape; about values it is as lenient as [`Field::read`](crate::record::Field::read).
//!
//! Invariant: a record whose fields outside the format are missing, and whose `version` is the format's, is read
//! back as it was written.

mod lines;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use lines::LineWriter;

use crate::record::{FieldValueError, FlowRecord, LogFormat, Value};

/// Appends the header line: the fields' names.
pub fn write_header_line(format: &LogFormat, out: &mut Vec<u8>) {
    out.extend_from_slice(format.header().as_bytes());
    out.push(b'\n');
}

/// Appends one record as a line.
#[inline]
pub fn write_record_line(format: &LogFormat, record: &FlowRecord, out: &mut Vec<u8>) {
    for value in format.values(record) {
        write_value(value, out);
        out.push(b' ');
    }
    // a format has a field, so that the last byte is a space
    if let Some(last) = out.last_mut() {
        *last = b'\n';
    }
}

/// Appends one value.
#[inline]
fn write_value(value: Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Missing => out.push(b'-'),
        Value::UInt(number) => out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
        Value::Int(number) => out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
        Value::Text(text) => out.extend_from_slice(text.as_bytes()),
        Value::Addr(IpAddr::V4(address)) => write_ipv4(address, out),
        Value::Addr(IpAddr::V6(address)) => write_ipv6(address, out),
    }
}

/// One octet in decimal with a dot behind it, first character in the lowest byte, and how many bytes that is.
const OCTETS: [(u32, u32); 256] = {
    let mut table = [(0, 0); 256];
    let mut octet: u32 = 0;
    while octet < 256 {
        let (hundreds, tens, ones) = (octet / 100, octet / 10 % 10, octet % 10);
        let mut text = 0x2e_00 | (0x30 + ones);
        let mut length = 2;
        if octet >= 10 {
            text = text << 8 | (0x30 + tens);
            length = 3;
        }
        if octet >= 100 {
            text = text << 8 | (0x30 + hundreds);
            length = 4;
        }
        #[allow(clippy::indexing_slicing, reason = "run by the compiler")]
        {
            table[octet as usize] = (text, length);
        }
        octet += 1;
    }
    table
};

/// Appends an IPv4 address: its 8 to 16 bytes are put together in one 128-bit number, the dot at the end cut off.
#[inline]
fn write_ipv4(address: Ipv4Addr, out: &mut Vec<u8>) {
    let mut text: u128 = 0;
    let mut length = 0;
    for octet in address.octets() {
        let (digits, count) = OCTETS.get(usize::from(octet)).copied().unwrap_or_default();
        text |= u128::from(digits) << (8 * length);
        length += count;
    }
    let end = out.len() + length as usize - 1;
    // sixteen bytes in one store are faster than the few that are wanted
    out.extend_from_slice(&text.to_le_bytes());
    out.truncate(end);
}

/// Appends an IPv6 address as RFC 5952 has it: lower case, no leading zeros, the first of the longest runs of two
/// and more zero segments as `::`, IPv4-mapped addresses with the IPv4 address in dots.
fn write_ipv6(address: Ipv6Addr, out: &mut Vec<u8>) {
    if let Some(v4) = address.to_ipv4_mapped() {
        out.extend_from_slice(b"::ffff:");
        write_ipv4(v4, out);
        return;
    }
    let segments = address.segments();
    let (mut run_start, mut run_length) = (segments.len(), 1);
    let mut zeros = 0;
    for (index, segment) in segments.into_iter().enumerate() {
        zeros = if segment == 0 { zeros + 1 } else { 0 };
        if zeros > run_length {
            (run_start, run_length) = (index + 1 - zeros, zeros);
        }
    }
    out.reserve(40);
    for (index, segment) in segments.into_iter().enumerate() {
        if (run_start..run_start + run_length).contains(&index) {
            if index == run_start {
                out.extend_from_slice(b"::");
            }
            continue;
        }
        if index > 0 && index != run_start + run_length {
            out.push(b':');
        }
        write_hexadecimal(segment, out);
    }
}

/// Appends a number in lower-case hexadecimal.
#[inline]
fn write_hexadecimal(number: u16, out: &mut Vec<u8>) {
    let digit = |shift: u32| {
        let digit = (number >> shift & 0xf) as u8;
        digit + if digit < 10 { b'0' } else { b'a' - 10 }
    };
    let digits = [digit(12), digit(8), digit(4), digit(0)];
    // a zero has one digit all the same
    let leading = number.leading_zeros().min(15) / 4;
    out.extend_from_slice(digits.get(leading as usize..).unwrap_or_default());
}

/// What is wrong with a line. Positions count characters from 1, fields from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// The line is not UTF-8.
    #[error("byte {position} of the line is not UTF-8")]
    NotUtf8 {
        /// The first wrong byte, from 1.
        position: usize,
    },
    /// A space too many: at the start, at the end, or two in a row.
    #[error("character {position} of the line: found a space too many, expected one between values")]
    Spacing {
        /// The space that is too many.
        position: usize,
    },
    /// More or fewer values than the format has fields.
    #[error("found {found} values, expected the format's {expected}")]
    FieldCount {
        /// Values in the line.
        found: usize,
        /// Fields in the format.
        expected: usize,
    },
    /// A value that its field cannot hold.
    #[error("value {number}, character {position} of the line: {error}")]
    Value {
        /// The value's place in the line.
        number: usize,
        /// Where the value begins.
        position: usize,
        /// The field, the text found and what was expected.
        error: FieldValueError,
    },
}

/// Reads one line in the format; a line end (`\n` or `\r\n`) is cut off.
///
/// # Errors
///
/// [`LineError`] where the line is not exactly so many values with one space between them, or a value is not one
/// of its field.
pub fn parse_line(format: &LogFormat, line: &[u8]) -> Result<FlowRecord, LineError> {
    let mut record = FlowRecord::default();
    parse_line_into(format, line, &mut record)?;
    Ok(record)
}

/// Reads one line in the format into a record that is used again; text that it holds already is not allocated
/// again. Fields that are not in the format stay as they are.
///
/// # Errors
///
/// As [`parse_line`]; the record then holds some of the line's values.
pub fn parse_line_into(format: &LogFormat, line: &[u8], record: &mut FlowRecord) -> Result<(), LineError> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line)
        .map_err(|error| LineError::NotUtf8 { position: error.valid_up_to() + 1 })?;
    let mut rest = Some(text);
    for (index, field) in format.fields().iter().enumerate() {
        let Some(left) = rest else { return Err(shape_error(format, text)) };
        let value;
        (value, rest) = cut_at_space(left);
        if let Err(error) = field.read(record, value) {
            return Err(value_error(format, text, index, error));
        }
    }
    match rest {
        None => Ok(()),
        Some(_) => Err(shape_error(format, text)),
    }
}

/// The text up to the first space, and what is behind it. Values are short, so a plain loop beats `split`, which
/// starts a search for every one.
#[inline]
fn cut_at_space(text: &str) -> (&str, Option<&str>) {
    let end = text.bytes().position(|byte| byte == b' ').unwrap_or(text.len());
    match text.split_at_checked(end) {
        Some((value, rest)) => (value, rest.strip_prefix(' ')),
        None => (text, None),
    }
}

/// What is wrong with a line that has too many or too few values.
#[cold]
fn shape_error(format: &LogFormat, text: &str) -> LineError {
    if let Some(position) = space_too_many(text) {
        return LineError::Spacing { position };
    }
    let found = if text.is_empty() { 0 } else { text.split(' ').count() };
    LineError::FieldCount { found, expected: format.fields().len() }
}

/// What is wrong with a line whose value at `index` cannot be read: rather its shape, if that is wrong.
#[cold]
fn value_error(format: &LogFormat, text: &str, index: usize, error: FieldValueError) -> LineError {
    if text.split(' ').count() != format.fields().len() || space_too_many(text).is_some() || text.is_empty() {
        return shape_error(format, text);
    }
    let before: usize = text.split(' ').take(index).map(|value| value.chars().count() + 1).sum();
    LineError::Value { number: index + 1, position: before + 1, error }
}

/// The position of the first space that does not stand alone between two values.
fn space_too_many(text: &str) -> Option<usize> {
    let mut before_is_space = true;
    let mut count = 0;
    for character in text.chars() {
        count += 1;
        let is_space = character == ' ';
        if is_space && before_is_space {
            return Some(count);
        }
        before_is_space = is_space;
    }
    (count > 0 && before_is_space).then_some(count)
}

#[cfg(test)]
mod tests;
