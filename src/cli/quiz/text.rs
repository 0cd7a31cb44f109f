//! How questions look.

use std::fmt::Write as _;

use anstyle::Style;
use flowtruth::quiz::Question;

use crate::cli::explain::text::{heading, width, wrap};

/// The letter of a choice.
pub fn letter(choice: usize) -> char {
    u8::try_from(choice).map_or('?', |choice| char::from(b'a'.saturating_add(choice)))
}

/// A question with its choices.
pub fn question(number: usize, all: usize, question: &Question) -> String {
    let mut text = heading("", &format!("Question {number} of {all}"));
    let bold = Style::new().bold();
    for line in &question.shown {
        text.push_str(&hanging("  ", line));
    }
    let asked = wrap(&question.text, 0, width());
    let _ = writeln!(text, "{bold}{}{bold:#}", asked.trim_end());
    for (at, choice) in question.choices.iter().enumerate() {
        text.push_str(&hanging(&format!("  {}  ", letter(at)), choice));
    }
    text
}

/// The right choice, why, and where to read on.
pub fn answer(question: &Question) -> String {
    let right = format!("{} is right: {}", letter(question.answer), question.explanation);
    let mut text = hanging("  ", &right);
    text.push_str(&page(question));
    text
}

/// Where to read on.
pub fn page(question: &Question) -> String {
    let dimmed = Style::new().dimmed();
    format!("  {dimmed}{}{dimmed:#}\n", question.page)
}

/// Which choices are right.
pub fn key(questions: &[Question]) -> String {
    let mut text = String::new();
    for (number, question) in (1..).zip(questions) {
        let _ = writeln!(text, "{number}  {}", letter(question.answer));
    }
    text
}

/// A text behind a label, with its further lines below its first word.
pub fn hanging(label: &str, text: &str) -> String {
    let indent = label.chars().count();
    let lines = wrap(text, indent, width());
    format!("{label}{}", lines.get(indent..).unwrap_or_default())
}
