//! Captures and flow logs, told apart by their first bytes.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{LogInput, find_logs};
use crate::capture::{CaptureInput, Sniffed, expand_inputs, sniff};
use crate::flowlog::read::{SNIFF_LENGTH, sniff_log};

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A packet capture.
    Capture,
    /// A flow log.
    Log,
}

/// What a directory holds, all of it of one kind.
pub struct InDirectory {
    /// Which.
    pub kind: Kind,
    /// The files, in the order of their names.
    pub files: Vec<PathBuf>,
}

/// The first bytes of a file or stream.
///
/// # Errors
/// It cannot be read.
pub fn head(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(SNIFF_LENGTH);
    reader.take(SNIFF_LENGTH as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// Whether what was named begins as a flow log, or as JSON, which no capture is: whoever names a file means it, however few
/// of its fields tell. What is only found in a directory or below an address has to look like a log.
fn is_named_log(head: &[u8]) -> bool {
    let first = head.iter().find(|byte| !byte.is_ascii_whitespace());
    sniff_log(head).is_some() || matches!(first, Some(b'{' | b'['))
}

/// What something is by its first bytes. Text is a log, whatever its lines say; so is nothing at all, as the log of a
/// capture without IP packets is, unless its name says otherwise.
pub fn kind(head: &[u8], path: Option<&Path>) -> Kind {
    if is_named_log(head) {
        return Kind::Log;
    }
    match sniff(head) {
        Sniffed::Empty => {
            let extension = path.and_then(Path::extension).map(|extension| extension.to_ascii_lowercase());
            let is_capture = extension.is_some_and(|extension| extension == "pcap" || extension == "pcapng");
            if is_capture { Kind::Capture } else { Kind::Log }
        }
        Sniffed::Other(_) if std::str::from_utf8(head).is_ok_and(|text| !text.contains('\0')) => Kind::Log,
        _ => Kind::Capture,
    }
}

/// The captures of a directory; if it has none, the logs in it and in the directories below it, as the layouts of S3 have
/// them.
///
/// # Errors
/// It cannot be listed.
pub fn in_directory(path: &Path) -> io::Result<InDirectory> {
    let holds_log = |file: &PathBuf| {
        File::open(file).and_then(|mut file| head(&mut file)).is_ok_and(|head| sniff_log(&head).is_some())
    };
    // compressed logs look like compressed captures at first sight; a directory without captures is no error
    let captures: Vec<PathBuf> = match expand_inputs([path]) {
        Ok(found) => found.captures.into_iter().filter(|file| !holds_log(file)).collect(),
        Err(_) => Vec::new(),
    };
    if !captures.is_empty() {
        return Ok(InDirectory { kind: Kind::Capture, files: captures });
    }
    Ok(InDirectory { kind: Kind::Log, files: find_logs(path)?.logs })
}

/// The paths without those directories that hold logs, and these logs.
pub fn apart(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<LogInput>) {
    let (mut others, mut logs) = (Vec::new(), Vec::new());
    for path in paths {
        match path.is_dir().then(|| in_directory(path)) {
            Some(Ok(found)) if found.kind == Kind::Log && !found.files.is_empty() => {
                logs.extend(found.files.into_iter().map(LogInput::Path));
            }
            _ => others.push(path.clone()),
        }
    }
    (others, logs)
}

/// Takes the logs out of what was opened as captures: all of it, where the user says so. A stream is looked at no further
/// than it takes to know a capture, which somebody may still be writing.
pub fn split(captures: Vec<CaptureInput>, are_logs: bool, logs: &mut Vec<LogInput>) -> Vec<CaptureInput> {
    let mut kept = Vec::new();
    for capture in captures {
        match capture {
            CaptureInput::Path(path) if are_logs => logs.push(LogInput::Path(path)),
            CaptureInput::Reader(name, reader) if are_logs => logs.push(LogInput::Reader(name, reader)),
            CaptureInput::Openable(object) => {
                let head = || object.open().and_then(|mut reader| head(&mut reader));
                match are_logs || head().is_ok_and(|head| is_named_log(&head)) {
                    true => logs.push(LogInput::Openable(object)),
                    false => kept.push(CaptureInput::Openable(object)),
                }
            }
            CaptureInput::Path(path) => {
                let head = File::open(&path).and_then(|mut file| head(&mut file));
                match head.is_ok_and(|head| is_named_log(&head)) {
                    true => logs.push(LogInput::Path(path)),
                    false => kept.push(CaptureInput::Path(path)),
                }
            }
            CaptureInput::Reader(name, mut reader) => {
                // what cannot be read is said when it is read on
                let head = head_of_stream(&mut reader).unwrap_or_default();
                let is_log = is_named_log(&head);
                let whole: Box<dyn Read + Send> = Box::new(io::Cursor::new(head).chain(reader));
                match is_log {
                    true => logs.push(LogInput::Reader(name, whole)),
                    false => kept.push(CaptureInput::Reader(name, whole)),
                }
            }
        }
    }
    kept
}

/// The first bytes of a stream: all that are looked at, or as many as it takes to know a container of packets.
fn head_of_stream(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut piece = [0; SNIFF_LENGTH];
    let is_container = |head: &[u8]| matches!(sniff(head), Sniffed::Pcap(..) | Sniffed::Pcapng);
    while head.len() < SNIFF_LENGTH && !is_container(&head) {
        match reader.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => head.extend_from_slice(piece.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(head)
}
