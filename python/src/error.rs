//! Errors of the library → `FlowtruthError`, with the text and the hint of the command line.

use std::error::Error;

use flowtruth::capture::CaptureError;
use flowtruth::flowlog::read::LogReadError;
use flowtruth::pipeline::{ConvertError, NotInParts, with_causes};
use flowtruth::store::StoreTrouble;
use pyo3::prelude::*;

mod exception {
    // written in Python, so that it has a `hint` and can be pickled
    pyo3::import_exception!(flowtruth._errors, FlowtruthError);
}

/// What went wrong, and what to do about it.
#[derive(Debug)]
pub struct Trouble {
    message: String,
    hint: Option<String>,
}

impl Trouble {
    /// Something that went wrong.
    pub fn new(message: impl Into<String>) -> Self {
        Trouble { message: message.into(), hint: None }
    }

    /// An error with its causes; of trouble with a store behind it, its hint.
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        Trouble { message: with_causes(error), hint: StoreTrouble::hint_behind(error) }
    }

    /// Because of this.
    pub fn caused_by(mut self, error: &(dyn Error + 'static)) -> Self {
        self.message = format!("{}: {}", self.message, with_causes(error));
        self.hint = self.hint.or_else(|| StoreTrouble::hint_behind(error));
        self
    }

    /// What to do about it, if that is known.
    pub fn with_hint(mut self, hint: Option<impl Into<String>>) -> Self {
        self.hint = hint.map(Into::into).or(self.hint);
        self
    }

    /// An option with a value that it cannot take.
    pub fn invalid(option: &str, value: &str, reason: impl std::fmt::Display) -> Self {
        Trouble::new(format!("`{value}` cannot be used for `{option}`: {reason}"))
    }

    /// Captures that could not be read to their end; `None` where there are none.
    pub fn of_captures(failures: &[CaptureError]) -> Option<Self> {
        Trouble::of_many(failures.iter().map(Trouble::from))
    }

    /// Logs that could not; `None` where there are none.
    pub fn of_logs(failures: &[LogReadError]) -> Option<Self> {
        Trouble::of_many(failures.iter().map(|error| Trouble::of(error).with_hint(error.hint())))
    }

    /// Several at once, a line each, and each hint once.
    fn of_many(mut all: impl Iterator<Item = Trouble>) -> Option<Self> {
        let mut trouble = all.next()?;
        for Trouble { message, hint } in all {
            trouble.message = format!("{}\n{message}", trouble.message);
            trouble.hint = match (trouble.hint, hint) {
                (Some(known), Some(hint)) if !known.split('\n').any(|line| line == hint) => {
                    Some(format!("{known}\n{hint}"))
                }
                (known, hint) => known.or(hint),
            };
        }
        Some(trouble)
    }
}

impl From<&CaptureError> for Trouble {
    fn from(error: &CaptureError) -> Self {
        Trouble::of(error).with_hint(error.hint())
    }
}

impl From<CaptureError> for Trouble {
    fn from(error: CaptureError) -> Self {
        Trouble::from(&error)
    }
}

impl From<NotInParts> for Trouble {
    fn from(why: NotInParts) -> Self {
        Trouble::new(why.to_string()).with_hint(Some(why.hint()))
    }
}

impl From<ConvertError> for Trouble {
    fn from(error: ConvertError) -> Self {
        let hint = match &error {
            ConvertError::Write(_) => None,
            ConvertError::Spill(_) => {
                Some("set `TMPDIR` to a directory with more room, or raise `memory_limit`")
            }
        };
        Trouble::of(&error).with_hint(hint)
    }
}

impl From<Trouble> for PyErr {
    fn from(Trouble { message, hint }: Trouble) -> PyErr {
        exception::FlowtruthError::new_err((message, hint))
    }
}
