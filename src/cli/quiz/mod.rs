//! `quiz`: questions about a capture and its records, asked or printed.

pub mod args;
mod ask;
mod json;
mod text;

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use flowtruth::pipeline::{Explained, QuizOptions, quiz_facts};
use flowtruth::quiz::{Question, Subject, questions};

use self::args::QuizArgs;
use super::explain::{settings, spool};
use super::messages::{Trouble, cannot_write, clean, hint};
use super::summary::counted;
use super::{Exit, Result, inputs};

pub fn run(args: &QuizArgs) -> Result {
    let mask = args.mask.mask()?;
    let (explain, records) = settings(&args.records)?;
    let is_standard = args.capture.as_os_str() == "-";
    if is_standard && args.ask {
        return Err(Trouble::new("standard input holds the capture, so answers cannot come from it")
            .with_hint("name the capture as a file"));
    }
    let spooled = if is_standard { Some(spool()?) } else { None };
    let capture: &Path = spooled.as_ref().map_or(&args.capture, |file| file.path());
    let owners = if is_standard { "standard input".to_owned() } else { args.capture.display().to_string() };
    if capture.is_dir() {
        return Err(
            Trouble::new(format!("`{}` is a directory", clean(&owners))).with_hint("name one capture")
        );
    }
    let options = QuizOptions { explain, records, seed: args.seed };
    let Explained { found: facts, packets_read, failure } = quiz_facts(capture, &options, mask.as_ref());
    let about = if args.about.is_empty() { &Subject::ALL[..] } else { &args.about };
    let questions = questions(&facts, about, args.seed, usize::from(args.questions));
    let failed = failure.is_some();
    inputs::report(failure.as_slice());
    if questions.is_empty() && failed {
        return Ok(Exit::Trouble);
    }
    if questions.is_empty() {
        return Err(nothing(args, &owners, packets_read));
    }
    if questions.len() < usize::from(args.questions) {
        hint(format_args!("the capture has enough for {}", counted(questions.len() as u64, "question")));
    }
    let name = match &mask {
        Some(mask) if !is_standard => mask.file(&owners),
        _ => clean(&owners),
    };
    let prints = args.print || args.json || args.answer_key || args.answers || is_standard;
    let is_live = io::stdin().is_terminal() && io::stdout().is_terminal();
    let exit = if args.ask || (is_live && !prints) {
        ask::ask(&questions, &mut io::stdin().lock())?
    } else {
        show(&page(args, &name, &questions))?;
        Exit::Fine
    };
    Ok(if failed { Exit::Trouble } else { exit })
}

/// The capture has no facts for a question.
fn nothing(args: &QuizArgs, name: &str, packets_read: u64) -> Trouble {
    let read = counted(packets_read, "packet");
    let advice = match args.about.is_empty() {
        true => "`flowtruth generate ssh-and-rdp -o lesson` makes a capture to learn from",
        false => "leave out `--about`",
    };
    Trouble::new(format!(
        "nothing can be asked of `{}`: {read} read, and none is enough for a question",
        clean(name)
    ))
    .with_hint(advice)
}

fn page(args: &QuizArgs, name: &str, questions: &[Question]) -> String {
    if args.json {
        return json::questions(name, args.seed, questions, args.answers);
    }
    if args.answer_key {
        return text::key(questions);
    }
    let blocks: Vec<String> = (1..)
        .zip(questions)
        .map(|(number, question)| {
            let mut block = text::question(number, questions.len(), question);
            if args.answers {
                block.push_str(&text::answer(question));
            }
            block
        })
        .collect();
    blocks.join("\n")
}

fn show(text: &str) -> std::result::Result<(), Trouble> {
    let mut output = anstream::stdout();
    output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
        .map_err(|error| cannot_write("standard output", error))
}
