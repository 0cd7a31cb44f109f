//! Messages on standard error: errors, warnings and hints.

use std::error::Error;
use std::fmt;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use flowtruth::pipeline::with_causes;
use flowtruth::store::StoreTrouble;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// An error that ends the run: what happened, its causes, and what to do about it.
#[derive(Debug)]
pub struct Trouble {
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    hint: Option<String>,
}

impl Trouble {
    /// Something that went wrong.
    pub fn new(message: impl Into<String>) -> Self {
        Trouble { message: message.into(), source: None, hint: None }
    }

    /// Because of this.
    pub fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// What to do about it.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Whether the reader of standard output closed it.
    pub fn is_closed_pipe(&self) -> bool {
        let mut cause: Option<&(dyn Error + 'static)> =
            self.source.as_deref().map(|source| source as &(dyn Error + 'static));
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<io::Error>()
                && error.kind() == io::ErrorKind::BrokenPipe
            {
                return true;
            }
            cause = error.source();
        }
        false
    }

    /// Writes it to standard error.
    pub fn report(&self) {
        let message = match self.source.as_deref() {
            Some(source) => format!("{}: {}", self.message, with_causes(source)),
            None => self.message.clone(),
        };
        write("error", ERROR, clean(&message));
        if let Some(hint) = &self.hint {
            self::hint(clean(hint));
        }
    }
}

/// A text from outside, so that it neither breaks the line nor steers the terminal.
pub fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            cleaned.extend(character.escape_default());
        } else {
            cleaned.push(character);
        }
    }
    cleaned
}

/// Reports an error although the run goes on.
pub fn error(error: &(dyn Error + 'static)) {
    write("error", ERROR, clean(&with_causes(error)));
}

/// Says that something is not as it should be, although the run goes on.
pub fn warning(text: impl fmt::Display) {
    write("warning", WARNING, text);
}

/// Says what could be done.
pub fn hint(text: impl fmt::Display) {
    write("hint", HINT, text);
}

/// What to do about an error: its own advice, or what the trouble with a store behind it advises.
pub fn advice(own: Option<&str>, error: &(dyn Error + 'static)) -> Option<String> {
    own.map(str::to_owned).or_else(|| StoreTrouble::hint_behind(error))
}

/// Says something plainly.
pub fn say(text: impl fmt::Display) {
    // nobody is left to hear that standard error is closed
    let _ = writeln!(anstream::stderr(), "{text}");
}

fn write(label: &str, style: Style, text: impl fmt::Display) {
    say(format_args!("{style}{label}:{style:#} {text}"));
}

/// An error of standard output or a file that was to be written.
pub fn cannot_write(what: impl fmt::Display, error: io::Error) -> Trouble {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let of_store = StoreTrouble::hint_behind(&error);
    let trouble = Trouble::new(format!("cannot write {what}")).caused_by(error);
    match of_store {
        _ if full => trouble.with_hint("free some space, or write to another disk with `-o`"),
        Some(hint) => trouble.with_hint(hint),
        None => trouble,
    }
}
