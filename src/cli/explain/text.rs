//! How explanations look: marks, colours, and lines that fit the terminal.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use flowtruth::dissect::Fate;
use flowtruth::packet::Timestamp;
use flowtruth::record::LogFormat;

use crate::cli::table;

/// The width where nobody says one.
const WIDTH: usize = 100;

/// Where lines end.
pub fn width() -> usize {
    table::width().map_or(WIDTH, usize::from).max(40)
}

/// A heading.
pub fn heading(text: &str, title: &str) -> String {
    let bold = Style::new().bold();
    format!("{text}{bold}{title}{bold:#}\n")
}

/// What a record has of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Kept,
    Summed,
    Steers,
    Lost,
}

impl Mark {
    /// What a log format has of a header field.
    pub fn of(fate: Fate, format: &LogFormat) -> Mark {
        match fate {
            Fate::Kept(fields) if fields.iter().any(|field| format.contains(*field)) => Mark::Kept,
            Fate::Summed(field) if format.contains(field) => Mark::Summed,
            Fate::Steers => Mark::Steers,
            Fate::Kept(_) | Fate::Summed(_) | Fate::Lost => Mark::Lost,
        }
    }

    /// One character, so that it is seen without colours too.
    pub const fn sign(self) -> char {
        match self {
            Mark::Kept => '=',
            Mark::Summed => '+',
            Mark::Steers => '>',
            Mark::Lost => '.',
        }
    }

    /// The word for it in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Mark::Kept => "kept",
            Mark::Summed => "summed",
            Mark::Steers => "steers",
            Mark::Lost => "lost",
        }
    }

    pub fn style(self) -> Style {
        match self {
            Mark::Kept => AnsiColor::Green.on_default().bold(),
            Mark::Summed => AnsiColor::Yellow.on_default().bold(),
            Mark::Steers => AnsiColor::Cyan.on_default(),
            Mark::Lost => Style::new().dimmed(),
        }
    }
}

/// What the marks mean.
pub fn legend() -> String {
    let mut text = String::new();
    for (mark, meaning) in [
        (Mark::Kept, "kept in the record"),
        (Mark::Summed, "added up in it"),
        (Mark::Steers, "says what follows"),
        (Mark::Lost, "lost"),
    ] {
        let style = mark.style();
        let _ = write!(text, "  {style}{}{style:#} {meaning}", mark.sign());
    }
    text.push('\n');
    text
}

/// The text cut to so many characters, the last one an ellipsis where something is missing.
pub fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(width.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// Words in lines of a width, each behind an indent.
pub fn wrap(words: &str, indent: usize, width: usize) -> String {
    let mut text = String::new();
    let mut line = String::new();
    for word in words.split(' ') {
        let length = line.chars().count();
        if length > 0 && indent + length + 1 + word.chars().count() > width {
            let _ = writeln!(text, "{:indent$}{line}", "");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(text, "{:indent$}{line}", "");
    text
}

/// Whole seconds as a time.
pub fn second(seconds: i64) -> String {
    Timestamp::from_parts(seconds, 0).map_or_else(|| format!("{seconds} s"), |time| time.to_string())
}
