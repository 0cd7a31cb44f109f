//! A line of text: its spacing, and where its values are.

use std::ops::Range;

use super::linter::Report;
use super::{Finding, FindingPlace, Linter, Rule, target};

/// What begins an escape sequence that sets a terminal's colours.
const ESCAPE: &str = "\u{1b}[";

impl Linter {
    /// A line with a record, or an event's message, without its end. So many words in front are none of its values: the time
    /// and the log stream that `aws logs tail` writes. A `timestamp` is the event's, in milliseconds.
    pub fn line(
        &mut self,
        place: FindingPlace,
        line: &[u8],
        words_in_front: usize,
        timestamp: Option<i64>,
        out: &mut Vec<Finding>,
    ) {
        let Some(words) = self.words(place, line, out) else { return };
        let text = std::str::from_utf8(line).unwrap_or_default();
        let spans = words.get(words_in_front..).unwrap_or_default();
        if spans.len() != self.columns.all.len() {
            self.records += 1;
            let (found, expected) = (spans.len(), self.columns.all.len());
            Report::new(&self.options, &self.columns, place, line, &[], out).add(
                Rule::FieldCount,
                None,
                || {
                    let values = if found == 1 { "value" } else { "values" };
                    format!("the line has {found} {values}, expected {expected}")
                },
            );
            return;
        }
        target::words_in_front(self, place, line, words_in_front, out);
        let values = spans.iter().map(|span| text.get(span.clone()).unwrap_or_default());
        self.values(place, values, line, spans, timestamp, out);
    }

    /// A line without a value: blank, or a comment.
    pub fn line_without_values(&mut self, place: FindingPlace, line: &[u8], out: &mut Vec<Finding>) {
        if self.words(place, line, out).is_some_and(|words| words.is_empty()) {
            let mut report = Report::new(&self.options, &self.columns, place, line, &[], out);
            if line.contains(&b'#') {
                report.add(Rule::Comment, None, || "the line is a comment, expected a record".to_owned());
            } else {
                report.add(Rule::BlankLine, None, || "the line is blank, expected a record".to_owned());
            }
        }
    }

    /// Cuts a line into words and says what is wrong between them; nothing where the line is no text, or where it is blank
    /// or a comment the words are none.
    pub(super) fn words(
        &self,
        place: FindingPlace,
        line: &[u8],
        out: &mut Vec<Finding>,
    ) -> Option<Vec<Range<usize>>> {
        let mut report = Report::new(&self.options, &self.columns, place, line, &[], out);
        let text = match std::str::from_utf8(line) {
            Ok(text) => text,
            Err(error) => {
                let at = error.valid_up_to();
                report.add(Rule::NotUtf8, None, || format!("byte {} of the line is not UTF-8", at + 1));
                return None;
            }
        };
        let begin = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let end = text.trim_end_matches('\r').len().max(begin);
        let words = cut(text, begin..end);
        if begin > 0 {
            report.at(Rule::ByteOrderMark, 0..begin, || {
                "a byte order mark stands in front of the line".to_owned()
            });
        }
        if end < text.len() {
            report.at(Rule::CarriageReturn, end..text.len(), || {
                "the line ends with a carriage return".to_owned()
            });
        }
        if let Some(at) = text.find(ESCAPE) {
            report.at(Rule::TerminalColour, at..at + ESCAPE.len(), || {
                "the line has escape sequences of a terminal".to_owned()
            });
        }
        spacing(&mut report, text, begin..end, &words);
        Some(words.values)
    }
}

/// A line in pieces.
struct Words {
    values: Vec<Range<usize>>,
    comment: Option<usize>,
}

/// Cuts at spaces and tabs, up to a comment.
fn cut(text: &str, within: Range<usize>) -> Words {
    let bytes = text.as_bytes();
    let is_space = |at: usize| matches!(bytes.get(at), Some(b' ' | b'\t'));
    let mut words = Words { values: Vec::new(), comment: None };
    let mut at = within.start;
    loop {
        while at < within.end && is_space(at) {
            at += 1;
        }
        if at >= within.end {
            return words;
        }
        if bytes.get(at) == Some(&b'#') {
            words.comment = Some(at);
            return words;
        }
        let start = at;
        while at < within.end && !is_space(at) {
            at += 1;
        }
        words.values.push(start..at);
    }
}

/// Says what is wrong in front of, between and behind the words.
fn spacing(report: &mut Report<'_>, text: &str, within: Range<usize>, words: &Words) {
    let (Some(first), Some(last)) = (words.values.first(), words.values.last()) else { return };
    if first.start > within.start {
        report
            .at(Rule::LeadingSpace, within.start..first.start, || "the line begins with a space".to_owned());
    }
    let gaps = words.values.windows(2).filter_map(|pair| match pair {
        [before, after] => Some(before.end..after.start),
        _ => None,
    });
    let (mut repeated, mut tab) = (None, None);
    for gap in gaps {
        let has_tab = text.get(gap.clone()).is_some_and(|gap| gap.contains('\t'));
        if gap.len() > 1 && repeated.is_none() {
            repeated = Some(gap.clone());
        }
        if has_tab && tab.is_none() {
            tab = Some(gap);
        }
    }
    if let Some(gap) = repeated {
        let count = gap.len();
        report.at(Rule::RepeatedSpace, gap, || {
            format!("{count} spaces stand between two values, expected one")
        });
    }
    if let Some(gap) = tab {
        report.at(Rule::Tab, gap, || "a tab stands between two values, expected a space".to_owned());
    }
    match words.comment {
        Some(at) => {
            report.at(Rule::Comment, at..within.end, || "the line has a comment at its end".to_owned())
        }
        None if last.end < within.end => {
            report.at(Rule::TrailingSpace, last.end..within.end, || "the line ends with a space".to_owned());
        }
        None => {}
    }
}
