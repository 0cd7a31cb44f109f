//! What `aws logs tail` writes around a message: a time, the log stream, terminal colours.

use std::ops::Range;

use chrono::{DateTime, NaiveDateTime};

use crate::record::{Field, FieldType};

use super::columns::{Column, LogColumns};

/// Reads an ISO time with seconds, perhaps a fraction and an offset (without one: UTC), as milliseconds since 1970.
pub(super) fn iso_time(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if !marks.into_iter().all(|(at, mark)| bytes.get(at) == Some(&mark)) {
        return None;
    }
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => Some(time.timestamp_millis()),
        Err(_) => {
            let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?;
            Some(time.and_utc().timestamp_millis())
        }
    }
}

/// What stands in front of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prefix {
    /// The time in milliseconds since 1970.
    pub(super) time: i64,
    /// How many words it has: the time, or the time and the log stream.
    pub(super) words: usize,
}

/// Recognises the prefix of a line by its words.
///
/// A line that begins with a time has a prefix if what is left then is as many words as there are columns, or one
/// more for the log stream; or if its first column cannot hold a time, however many are left. The log stream is
/// missing where the second word may be the first value.
pub(super) fn prefix(text: &str, words: &[Range<usize>], columns: &LogColumns) -> Option<Prefix> {
    let word = |index: usize| words.get(index).and_then(|range| text.get(range.clone()));
    let time = iso_time(word(0)?)?;
    let words = match words.len().checked_sub(columns.columns().len()) {
        Some(2) => 2,
        Some(1) => {
            if begins_record(columns, word(1)) {
                1
            } else {
                2
            }
        }
        _ if takes_a_time(columns) => return None,
        _ => {
            if begins_record(columns, word(1)) {
                1
            } else {
                2.min(words.len())
            }
        }
    };
    Some(Prefix { time, words })
}

/// Whether a word can be the first value of a record.
fn begins_record(columns: &LogColumns, word: Option<&str>) -> bool {
    match (columns.columns().first(), word) {
        (Some(Column::Field(field)), Some(word)) => field.read(&mut Default::default(), word).is_ok(),
        _ => true,
    }
}

/// Whether the first column may hold a time: as text, or because it is one that others write as a time.
fn takes_a_time(columns: &LogColumns) -> bool {
    match columns.columns().first() {
        Some(Column::Field(field)) => {
            matches!(field, Field::Start | Field::End) || field.field_type() == FieldType::String
        }
        _ => true,
    }
}

/// A text without the escape sequences that set a terminal's colours (ECMA-48, control sequences).
pub(super) fn without_colours(text: &str, out: &mut String) {
    out.clear();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        out.push_str(before);
        // parameters, then one final byte
        let last = after.trim_start_matches(|c: char| matches!(c, '\u{20}'..='\u{3f}'));
        rest = last.strip_prefix(|c: char| matches!(c, '\u{40}'..='\u{7e}')).unwrap_or(last);
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_with_and_without_fraction_and_offset() {
        for (text, expected) in [
            ("2021-06-07T21:24:07+00:00", Some(1_623_101_047_000)),
            ("2021-06-07T21:24:07Z", Some(1_623_101_047_000)),
            ("2021-06-07T21:24:07", Some(1_623_101_047_000)),
            ("2021-06-07T21:24:07.123456", Some(1_623_101_047_123)),
            ("2021-06-07T23:24:07.123456+02:00", Some(1_623_101_047_123)),
            ("1969-12-31T23:59:59.5Z", Some(-500)),
            ("2021-06-07", None),
            ("2021-06-07 21:24:07", None),
            ("2021-13-07T21:24:07Z", None),
            ("2021-06-07T21:24:07Zx", None),
            ("eni-1235b8ca123456789", None),
            ("", None),
        ] {
            assert_eq!(iso_time(text), expected, "{text}");
        }
    }

    #[test]
    fn colours_go_and_text_stays() {
        let mut out = "old".to_owned();
        for (text, expected) in [
            ("", ""),
            ("plain", "plain"),
            ("\u{1b}[32ma\u{1b}[0m b\u{1b}[1;31mé\u{1b}[m", "a bé"),
            ("a\u{1b}[", "a"),
            ("a\u{1b}[12", "a"),
            ("a\u{1b}[1é", "aé"),
            ("a\u{1b}b", "a\u{1b}b"),
            ("\u{1b}[\u{1b}[0mx", "x"),
        ] {
            without_colours(text, &mut out);
            assert_eq!(out, expected, "{text:?}");
        }
    }
}
