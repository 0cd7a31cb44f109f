//! The captures that were named: files, directories, standard input.

use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flowtruth::capture::{CaptureError, CaptureErrorKind, CaptureInput, Openable, expand_inputs};
use flowtruth::pipeline::Progress;

use super::identity::Identity;
use super::live;
use super::messages::{self, Trouble, clean, error, hint, say, warning};
use super::objects::{self, Found, Objects};
use super::summary::counted;

/// The captures to read, and what was wrong with those that cannot be.
#[derive(Default)]
pub struct Inputs {
    /// In the order of the arguments, a directory's in the order of their names.
    pub captures: Vec<CaptureInput>,
    /// The regular files among them, one that standard input is read from included.
    pub files: Vec<(PathBuf, Identity)>,
    /// Their size in bytes, where all of them are regular files.
    pub total_bytes: Option<u64>,
    /// Arguments that could not be opened at all.
    pub failures: Vec<CaptureError>,
}

/// Finds the captures that the arguments name; without arguments, standard input.
pub fn find(arguments: &[PathBuf], quiet: bool, progress: &Arc<Progress>) -> Result<Inputs, Trouble> {
    raise_open_files();
    let standard_input = [PathBuf::from("-")];
    let arguments = if arguments.is_empty() { &standard_input[..] } else { arguments };
    let mut inputs =
        Inputs { captures: Vec::new(), files: Vec::new(), total_bytes: Some(0), failures: Vec::new() };
    let mut objects = Objects::default();
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
            inputs.standard_input(progress);
        } else if let Some(found) = objects.find(argument) {
            match found? {
                Found::Object(object) => inputs.object(object),
                Found::Below(below) => inputs.objects(argument, below, quiet)?,
            }
        } else if argument.is_dir() {
            inputs.directory(argument, quiet, progress);
        } else {
            inputs.file(argument.clone(), progress);
        }
    }
    inputs.warn_of_repeated_files();
    Ok(inputs)
}

/// Lets the process open as many files as the system allows it to: captures that overlap in time are open together.
fn raise_open_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        if current < maximum {
            // with the old limit fewer captures can overlap; that is said when it happens
            let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
        }
    }
}

impl Inputs {
    /// Whether all of them go on as long as somebody writes to them, so that an interruption is their end.
    pub fn is_live(&self) -> bool {
        let from_reader = |capture: &CaptureInput| matches!(capture, CaptureInput::Reader(..));
        self.files.is_empty() && !self.captures.is_empty() && self.captures.iter().all(from_reader)
    }

    fn standard_input(&mut self, progress: &Arc<Progress>) {
        const NAME: &str = "standard input";
        let identity = Identity::of_standard_input();
        self.files.extend(identity.map(|identity| (PathBuf::from(NAME), identity)));
        self.total_bytes = None;
        self.captures.push(CaptureInput::Reader(NAME.to_owned(), live::standard_input(progress)));
    }

    fn file(&mut self, path: PathBuf, progress: &Arc<Progress>) {
        match path.metadata() {
            Ok(metadata) if metadata.is_file() => {
                self.total_bytes = self.total_bytes.map(|total| total + metadata.len());
                if let Some(identity) = Identity::of_file(&path) {
                    self.files.push((path.clone(), identity));
                }
            }
            Ok(_) => {
                self.total_bytes = None;
                if let Ok(reader) = live::open(&path, progress) {
                    self.captures.push(CaptureInput::Reader(path.display().to_string(), reader));
                    return;
                }
            }
            // whatever is wrong with it is said when it is opened
            Err(_) => {}
        }
        self.captures.push(CaptureInput::Path(path));
    }

    fn directory(&mut self, path: &Path, quiet: bool, progress: &Arc<Progress>) {
        let found = match expand_inputs([path]) {
            Ok(found) => found,
            Err(failure) => {
                self.failures.push(failure);
                return;
            }
        };
        let is_empty = |error: &CaptureError| matches!(error.kind(), CaptureErrorKind::Empty);
        for file in &found.skipped {
            if file.error.as_ref().is_some_and(is_empty) {
                warning(format_args!(
                    "`{}` is empty and left alone",
                    clean(&file.path.display().to_string())
                ));
            }
        }
        if !found.skipped.is_empty() && !quiet {
            say(format_args!(
                "`{}`: {} found, {} left alone",
                clean(&path.display().to_string()),
                counted(found.captures.len() as u64, "capture"),
                counted(found.skipped.len() as u64, "other file")
            ));
        }
        found.captures.into_iter().for_each(|capture| self.file(capture, progress));
    }

    fn object(&mut self, object: Openable) {
        self.total_bytes = self.total_bytes.map(|total| total + object.size());
        let path = PathBuf::from(object.name());
        self.files.extend(Identity::of_file(&path).map(|identity| (path, identity)));
        self.captures.push(CaptureInput::Openable(object));
    }

    fn objects(&mut self, name: &Path, below: Vec<Openable>, quiet: bool) -> Result<(), Trouble> {
        let (_, chosen) = objects::of_one_kind(name, below, quiet)?;
        chosen.into_iter().for_each(|object| self.object(object));
        Ok(())
    }

    /// A capture that is named twice counts twice; nobody means that.
    fn warn_of_repeated_files(&self) {
        let mut seen: HashMap<&Identity, u32> = HashMap::new();
        for (path, identity) in &self.files {
            let times = seen.entry(identity).or_default();
            *times += 1;
            if *times == 2 {
                let path = clean(&path.display().to_string());
                warning(format_args!("`{path}` is named more than once; its packets count each time"));
            }
        }
    }
}

/// Reports captures that could not be read to their end, each kind of advice once.
pub fn report(failures: &[CaptureError]) {
    let mut given = Vec::new();
    for failure in failures {
        error(failure);
        if let Some(advice) = messages::advice(failure.hint(), failure)
            && !given.contains(&advice)
        {
            hint(&advice);
            given.push(advice);
        }
    }
    if failures.len() > 1 {
        warning(format_args!("{} captures could not be read to their end", failures.len()));
    }
}
