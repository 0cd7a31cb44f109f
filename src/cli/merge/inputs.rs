//! The partial records that were named: files, folders, objects, standard input; none of them twice.

use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use flowtruth::pipeline::PartialInput;

use crate::cli::identity::Identity;
use crate::cli::messages::{Trouble, clean};
use crate::cli::objects::{Found, Objects};

/// What is to be merged.
#[derive(Default)]
pub struct Inputs {
    pub parts: Vec<PartialInput>,
    /// The regular files and objects among them.
    pub files: Vec<(PathBuf, Identity)>,
    seen: HashMap<Identity, String>,
    reads_standard_input: bool,
}

/// Finds what the arguments name.
pub fn find(arguments: &[PathBuf]) -> Result<Inputs, Trouble> {
    let mut inputs = Inputs::default();
    let mut objects = Objects::default();
    for argument in arguments {
        if argument.as_os_str() == "-" {
            inputs.standard_input()?;
        } else if let Some(found) = objects.find(argument) {
            let found = match found? {
                Found::Object(object) => vec![object],
                Found::Below(below) => below,
            };
            for object in found {
                inputs.once(Path::new(object.name()))?;
                inputs.parts.push(PartialInput::Openable(object));
            }
        } else if argument.is_dir() {
            let shown = || clean(&argument.display().to_string());
            let files = PartialInput::in_folder(argument).map_err(|error| {
                Trouble::new(format!("`{}` cannot be searched", shown())).caused_by(error)
            })?;
            if files.is_empty() {
                return Err(Trouble::new(format!("`{}` holds no partial records", shown()))
                    .with_hint("`flowtruth convert --partials -o FILE` makes them"));
            }
            files.into_iter().try_for_each(|file| inputs.file(file))?;
        } else {
            inputs.file(argument.clone())?;
        }
    }
    Ok(inputs)
}

impl Inputs {
    fn standard_input(&mut self) -> Result<(), Trouble> {
        if self.reads_standard_input {
            return Err(Trouble::new("standard input is named twice; it can be read once"));
        }
        if io::stdin().is_terminal() {
            return Err(Trouble::new("standard input is a terminal, expected partial records")
                .with_hint("pipe them in: `flowtruth convert --partials capture.pcap | flowtruth merge -`"));
        }
        self.reads_standard_input = true;
        let name = "standard input";
        if let Some(identity) = Identity::of_standard_input() {
            self.note(identity, Path::new(name))?;
        }
        self.parts.push(PartialInput::Reader(name.to_owned(), Box::new(io::stdin())));
        Ok(())
    }

    fn file(&mut self, path: PathBuf) -> Result<(), Trouble> {
        self.once(&path)?;
        self.parts.push(PartialInput::Path(path));
        Ok(())
    }

    fn once(&mut self, path: &Path) -> Result<(), Trouble> {
        // what is wrong with what does not exist is said when it is opened
        Identity::of_file(path).map_or(Ok(()), |identity| self.note(identity, path))
    }

    /// A part that is named twice would count twice; nobody means that.
    fn note(&mut self, identity: Identity, path: &Path) -> Result<(), Trouble> {
        let name = clean(&path.display().to_string());
        self.files.push((path.to_owned(), identity.clone()));
        match self.seen.insert(identity, name.clone()) {
            Some(first) if first == name => {
                Err(Trouble::new(format!("`{name}` is named twice, and its packets would count twice"))
                    .with_hint("name each part once"))
            }
            Some(first) => Err(Trouble::new(format!(
                "`{first}` and `{name}` are one file, and its packets would count twice"
            ))
            .with_hint("name each part once")),
            None => Ok(()),
        }
    }
}
