//! The captures that a command line names.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{Capture, CaptureError, CaptureErrorKind, Openable};

/// One capture to read.
pub enum CaptureInput {
    /// A file, a FIFO or a device.
    Path(PathBuf),
    /// Something already open, standard input for one, and its name for messages.
    Reader(String, Box<dyn Read + Send>),
    /// Something else that can be opened more than once.
    Openable(Openable),
}

/// What [`expand_inputs`] found.
#[derive(Debug, Default)]
pub struct ExpandedInputs {
    /// The captures, in the arguments' order; a directory's in the order of their names.
    pub captures: Vec<PathBuf>,
    /// Files of directories that are no captures.
    pub skipped: Vec<SkippedFile>,
}

/// A file of a directory that is no capture.
#[derive(Debug)]
pub struct SkippedFile {
    /// The file.
    pub path: PathBuf,
    /// Why, or `None` for what is not a regular file: a directory in the directory, a FIFO, a device.
    pub error: Option<CaptureError>,
}

/// Puts in a directory's place the captures in it, recognised by content; other paths stay, whatever they are.
///
/// The directories inside a directory are not searched. A file that cannot be read, or whose content begins as a
/// capture and is then damaged, counts as a capture: it is reported when it is read, not passed over.
///
/// # Errors
///
/// A directory that cannot be listed or holds no capture.
pub fn expand_inputs<P: AsRef<Path>>(
    paths: impl IntoIterator<Item = P>,
) -> Result<ExpandedInputs, CaptureError> {
    let mut found = ExpandedInputs::default();
    for path in paths {
        let path = path.as_ref();
        if path.is_dir() { expand_directory(path, &mut found)? } else { found.captures.push(path.to_owned()) }
    }
    Ok(found)
}

/// Adds a directory's captures.
fn expand_directory(directory: &Path, found: &mut ExpandedInputs) -> Result<(), CaptureError> {
    let name = directory.to_string_lossy();
    let fail = |error| CaptureError::new(&name, CaptureErrorKind::List(error));
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(fail)? {
        files.push(entry.map_err(fail)?.path());
    }
    files.sort_unstable();
    let (captures, count) = (found.captures.len(), files.len());
    for path in files {
        if !path.is_file() {
            found.skipped.push(SkippedFile { path, error: None });
            continue;
        }
        match Capture::open(&path) {
            Err(error) if is_no_capture(&error) => {
                found.skipped.push(SkippedFile { path, error: Some(error) });
            }
            _ => found.captures.push(path),
        }
    }
    if found.captures.len() == captures {
        return Err(CaptureError::new(&name, CaptureErrorKind::NoCaptures { files: count }));
    }
    Ok(())
}

/// Whether an opening error says that this never was a capture.
fn is_no_capture(error: &CaptureError) -> bool {
    matches!(
        error.kind(),
        CaptureErrorKind::Empty
            | CaptureErrorKind::NotACapture { .. }
            | CaptureErrorKind::NestedCompression { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::testing::{gzip, pcap};

    #[test]
    fn a_directory_stands_for_its_captures() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(directory.path().join(name), bytes).unwrap();
        write("b.log", &pcap(&[(1, b"x")]));
        write("a.bin", &gzip(&pcap(&[(1, b"x")])));
        write("c.pcap", b"not a capture");
        write("d.pcap", b"");
        write("e.gz", &gzip(b"text"));
        write("f.pcap", &pcap(&[])[..20]);
        fs::create_dir(directory.path().join("g.pcap")).unwrap();
        let lone = PathBuf::from("no such file");
        let expanded = expand_inputs([lone.as_path(), directory.path()]).unwrap();
        let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        let captures: Vec<_> = expanded.captures.iter().map(name).collect();
        assert_eq!(captures, ["no such file", "a.bin", "b.log", "f.pcap"]);
        let skipped: Vec<_> =
            expanded.skipped.iter().map(|file| (name(&file.path), file.error.is_some())).collect();
        let expected = [("c.pcap", true), ("d.pcap", true), ("e.gz", true), ("g.pcap", false)];
        assert_eq!(skipped, expected.map(|(name, error)| (name.to_owned(), error)));
    }

    #[test]
    fn a_directory_without_captures_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("notes.txt"), "notes").unwrap();
        let error = expand_inputs([directory.path()]).unwrap_err();
        assert!(matches!(error.kind(), CaptureErrorKind::NoCaptures { files: 1 }), "{error}");
    }
}
