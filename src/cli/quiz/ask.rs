//! Questions one after the other: an answer is read, judged and explained.

use std::io::BufRead;

use anstyle::{AnsiColor, Style};
use flowtruth::quiz::Question;

use super::show;
use super::text::{hanging, letter, page, question as question_text};
use crate::cli::messages::Trouble;
use crate::cli::{Exit, Result};

const RIGHT: Style = AnsiColor::Green.on_default().bold();
const WRONG: Style = AnsiColor::Red.on_default().bold();

/// What was typed for an answer.
enum Typed {
    Choice(usize),
    Quit,
    Other,
}

/// Asks them all, or until the input ends. Fine where every answer was right.
pub fn ask(questions: &[Question], input: &mut dyn BufRead) -> Result {
    let (mut right, mut asked) = (0, 0);
    for (number, question) in (1..).zip(questions) {
        if number > 1 {
            show("\n")?;
        }
        show(&question_text(number, questions.len(), question))?;
        let Some(choice) = read(question.choices.len(), input)? else { break };
        asked += 1;
        let verdict = if choice == question.answer {
            right += 1;
            format!("{RIGHT}right{RIGHT:#}\n")
        } else {
            format!("{WRONG}wrong{WRONG:#}, it is {}\n", letter(question.answer))
        };
        show(&verdict)?;
        show(&hanging("  ", &question.explanation))?;
        show(&page(question))?;
    }
    let all = questions.len();
    let rest = if asked < all { format!(", {} not answered", all - asked) } else { String::new() };
    show(&format!("\n{right} of {all} right{rest}\n"))?;
    Ok(if right == all { Exit::Fine } else { Exit::Differences })
}

/// Reads an answer, and asks again where it is none; nothing where the input ends or somebody has had enough.
fn read(choices: usize, input: &mut dyn BufRead) -> std::result::Result<Option<usize>, Trouble> {
    loop {
        show("> ")?;
        let mut line = Vec::new();
        // a longer line is no answer, and its rest is none either
        let read = std::io::Read::take(&mut *input, 1024).read_until(b'\n', &mut line);
        let read = read.map_err(|error| Trouble::new("answers cannot be read").caused_by(error))?;
        if read == 0 {
            show("\n")?;
            return Ok(None);
        }
        match typed(&String::from_utf8_lossy(&line), choices) {
            Typed::Choice(choice) => return Ok(Some(choice)),
            Typed::Quit => return Ok(None),
            Typed::Other => {
                let last = letter(choices.saturating_sub(1));
                show(&format!("type a letter from a to {last}, or q to end\n"))?;
            }
        }
    }
}

/// A letter or a number of a choice, or the wish to end.
fn typed(line: &str, choices: usize) -> Typed {
    let word = line.trim().to_lowercase();
    let choice =
        (0..choices).find(|choice| word == letter(*choice).to_string() || word == (choice + 1).to_string());
    match choice {
        Some(choice) => Typed::Choice(choice),
        None if matches!(word.as_str(), "q" | "quit") => Typed::Quit,
        None => Typed::Other,
    }
}
