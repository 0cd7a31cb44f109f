//! The captures that were named: files, directories, standard input.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use flowtruth::capture::{CaptureError, CaptureInput, expand_inputs};

use super::messages::{Trouble, error, hint, say, warning};

/// The captures to read, and what was wrong with those that cannot be.
pub struct Inputs {
    /// In the order of the arguments, a directory's in the order of their names.
    pub captures: Vec<CaptureInput>,
    /// The regular files among them.
    pub files: Vec<PathBuf>,
    /// Their size in bytes, where all of them are regular files.
    pub total_bytes: Option<u64>,
    /// Whether there is one that goes on as long as somebody writes to it.
    pub is_live: bool,
    /// Arguments that could not be opened at all.
    pub failures: Vec<CaptureError>,
}

/// Finds the captures that the arguments name; without arguments, standard input.
pub fn find(arguments: &[PathBuf], quiet: bool) -> Result<Inputs, Trouble> {
    let standard_input = [PathBuf::from("-")];
    let arguments = if arguments.is_empty() { &standard_input[..] } else { arguments };
    let mut inputs = Inputs {
        captures: Vec::new(),
        files: Vec::new(),
        total_bytes: Some(0),
        is_live: false,
        failures: Vec::new(),
    };
    let mut reads_standard_input = false;
    for argument in arguments {
        if argument.as_os_str() == "-" {
            if reads_standard_input {
                return Err(Trouble::new("standard input is named twice; it can be read once"));
            }
            if io::stdin().is_terminal() {
                return Err(Trouble::new("no capture was named, and standard input is a terminal")
                    .with_hint("name a capture, or pipe one in: `tcpdump -w - | flowtruth convert -`"));
            }
            reads_standard_input = true;
            inputs.is_live = true;
            inputs.total_bytes = None;
            inputs.captures.push(CaptureInput::Reader("standard input".to_owned(), Box::new(io::stdin())));
        } else if argument.is_dir() {
            inputs.directory(argument, quiet);
        } else {
            inputs.file(argument.clone());
        }
    }
    Ok(inputs)
}

impl Inputs {
    fn file(&mut self, path: PathBuf) {
        match path.metadata() {
            Ok(metadata) if metadata.is_file() => {
                self.total_bytes = self.total_bytes.map(|total| total + metadata.len());
                self.files.push(path.clone());
            }
            // whatever is wrong with it is said when it is opened
            Ok(_) => {
                self.total_bytes = None;
                self.is_live = true;
            }
            Err(_) => {}
        }
        self.captures.push(CaptureInput::Path(path));
    }

    fn directory(&mut self, path: &Path, quiet: bool) {
        match expand_inputs([path]) {
            Ok(found) => {
                if !found.skipped.is_empty() && !quiet {
                    say(format_args!(
                        "`{}`: {} captures read, {} other files left alone",
                        path.display(),
                        found.captures.len(),
                        found.skipped.len()
                    ));
                }
                found.captures.into_iter().for_each(|capture| self.file(capture));
            }
            Err(failure) => self.failures.push(failure),
        }
    }
}

/// Reports captures that could not be read to their end.
pub fn report(failures: &[CaptureError]) {
    for failure in failures {
        error(failure);
        if let Some(advice) = failure.hint() {
            hint(advice);
        }
    }
    if failures.len() > 1 {
        warning(format_args!("{} captures could not be read to their end", failures.len()));
    }
}
