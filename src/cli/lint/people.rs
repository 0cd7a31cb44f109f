//! Findings for people, as compilers show them.

use std::io::{self, BufWriter, Write};
use std::ops::Range;

use anstyle::{AnsiColor, Style};
use flowtruth::lint::{Finding, Level, LintOptions, Rule};
use flowtruth::pipeline::LintSummary;
use indicatif::HumanCount;

use super::Report;
use crate::cli::messages::clean;
use crate::cli::summary::counted;
use crate::cli::table;

/// How many characters of a line are shown around what is wrong.
const SHOWN: usize = 160;
/// How many of them stand in front of it.
const BEFORE: usize = 60;

const BOLD: Style = Style::new().bold();
const ARROW: Style = AnsiColor::Blue.on_default().bold();

/// The colour of a level.
fn style(level: Level) -> Style {
    match level {
        Level::Error => AnsiColor::Red,
        Level::Warning => AnsiColor::Yellow,
        Level::Note => AnsiColor::Cyan,
    }
    .on_default()
    .bold()
}

/// Writes findings one under another, and the numbers at the end.
pub struct People<W: Write> {
    output: BufWriter<W>,
}

impl<W: Write> People<W> {
    pub fn new(output: BufWriter<W>) -> Self {
        People { output }
    }
}

impl<W: Write> Report for People<W> {
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn finding(&mut self, log: &str, finding: &Finding) -> io::Result<()> {
        let Finding { rule, level, place, message, .. } = finding;
        let style = style(*level);
        writeln!(self.output, "{style}{level}[{rule}]{style:#}{BOLD}: {}{BOLD:#}", clean(message))?;
        write!(self.output, "  {ARROW}-->{ARROW:#} {}", clean(log))?;
        if place.number > 0 {
            write!(self.output, ", {} {}", place.unit, place.number)?;
        }
        if let (Some(column), Some(field)) = (finding.column, &finding.field) {
            write!(self.output, ", value {column}, `{}`", clean(field))?;
        }
        writeln!(self.output)?;
        if !finding.text.is_empty() {
            let (line, marks) = excerpt(&finding.text, finding.span.clone());
            writeln!(self.output, "  {ARROW}|{ARROW:#} {line}")?;
            if let Some(marks) = marks {
                writeln!(self.output, "  {ARROW}|{ARROW:#} {style}{marks}{style:#}")?;
            }
        }
        writeln!(self.output)
    }

    fn end(&mut self, summary: &LintSummary, shown: u64) -> io::Result<()> {
        let all: u64 = summary.findings.iter().map(|(.., count)| count).sum();
        if all > shown {
            let more = counted(all - shown, "more finding");
            writeln!(self.output, "… {more}; `--limit` says how many are shown\n")?;
        }
        let mut rows = table::plain();
        for (rule, level, count) in &summary.findings {
            let count = HumanCount(*count).to_string();
            rows.add_row([rule.name(), level.name(), &count, rule.what()]);
        }
        table::right_align(&mut rows, &[2]);
        if !rows.is_empty() {
            self.output.write_all(table::text(&rows).as_bytes())?;
        }
        self.output.flush()
    }
}

/// A part of a line that can be shown, and marks below what is wrong.
fn excerpt(text: &str, span: Option<Range<usize>>) -> (String, Option<String>) {
    let characters: Vec<(usize, char)> = text.char_indices().collect();
    let place = |at: usize| characters.partition_point(|(index, _)| *index < at);
    let marked = span.map(|span| place(span.start)..place(span.end));
    let first = marked.as_ref().map_or(0, |marked| marked.start);
    let begin = if characters.len() <= SHOWN { 0 } else { first.saturating_sub(BEFORE) };
    let end = characters.len().min(begin + SHOWN);
    let mut line = String::from(if begin > 0 { "…" } else { "" });
    let mut marks = String::from(if begin > 0 { " " } else { "" });
    for (number, (_, character)) in characters.iter().enumerate().take(end).skip(begin) {
        let shown = match character {
            // a tab has no fixed width
            '\t' => "→".to_owned(),
            character => clean(&character.to_string()),
        };
        let is_marked = marked.as_ref().is_some_and(|marked| marked.contains(&number));
        let mark = if is_marked { '^' } else { ' ' };
        marks.extend(shown.chars().map(|_| mark));
        line.push_str(&shown);
    }
    if end < characters.len() {
        line.push('…');
    }
    let marks = marks.trim_end();
    (line, (!marks.is_empty()).then(|| marks.to_owned()))
}

/// All rules, with the levels that they have.
pub fn rules(options: &LintOptions) -> String {
    let mut rows = table::plain();
    for rule in Rule::ALL {
        let level = options.level(rule).map_or("off", Level::name);
        rows.add_row([rule.name(), level, rule.what()]);
    }
    table::text(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_marked_in_characters() {
        let (line, marks) = excerpt("é\ta\u{1b}b", Some(1..4));
        assert_eq!(line, "é→a\\u{1b}b");
        assert_eq!(marks.as_deref(), Some(" ^^"));
        assert_eq!(excerpt("ab", None), ("ab".to_owned(), None));
        let long = format!("{}X{}", "a".repeat(500), "b".repeat(500));
        let (line, marks) = excerpt(&long, Some(500..501));
        assert_eq!(line, format!("…{}X{}…", "a".repeat(60), "b".repeat(99)));
        assert_eq!(marks.unwrap(), format!("{}^", " ".repeat(61)));
    }
}
