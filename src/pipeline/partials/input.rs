//! Partial records that were named.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::capture::Openable;
use crate::partial::{PARTIAL_SNIFF_LENGTH, PartialError, PartialErrorKind, PartialReader, sniff_partial};

/// How deep folders are searched.
const DEPTH: usize = 32;

/// Partial records to read.
pub enum PartialInput {
    /// A file.
    Path(PathBuf),
    /// Something already open, and its name for messages.
    Reader(String, Box<dyn Read + Send>),
    /// Something else that can be opened.
    Openable(Openable),
}

impl PartialInput {
    /// The files of a folder, and of all folders below it, that begin as partial records do, sorted by their paths. Links
    /// to folders are not followed.
    ///
    /// # Errors
    /// A folder that cannot be listed.
    pub fn in_folder(folder: &Path) -> io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        search(folder, DEPTH, &mut found)?;
        found.sort();
        Ok(found)
    }

    /// Opens it.
    ///
    /// # Errors
    /// Where it cannot be read or is something else.
    pub(super) fn open(self) -> Result<PartialReader, PartialError> {
        match self {
            PartialInput::Path(path) => PartialReader::open(&path),
            PartialInput::Reader(name, reader) => PartialReader::new(&name, reader),
            PartialInput::Openable(object) => match object.open() {
                Ok(reader) => PartialReader::new(object.name(), reader),
                Err(error) => {
                    let kind = PartialErrorKind::Read(error);
                    Err(PartialError { name: object.name().to_owned(), kind })
                }
            },
        }
    }
}

fn search(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            if let Some(depth) = depth.checked_sub(1) {
                search(&path, depth, found)?;
            }
        } else if path.is_file() && File::open(&path).map_or(true, is_partial) {
            found.push(path);
        }
    }
    Ok(())
}

/// Whether a file begins as partial records do.
fn is_partial(file: File) -> bool {
    let mut head = Vec::with_capacity(PARTIAL_SNIFF_LENGTH);
    let read = file.take(PARTIAL_SNIFF_LENGTH as u64).read_to_end(&mut head);
    read.is_ok() && sniff_partial(&head).is_some()
}
