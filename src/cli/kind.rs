//! Captures and flow logs, told apart by their first bytes.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flowtruth::capture::{Sniffed, expand_inputs, sniff};
use flowtruth::flowlog::read::{SNIFF_LENGTH, sniff_log};
use flowtruth::pipeline::find_logs;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Capture,
    Log,
}

/// What a directory holds, all of it of one kind.
pub struct InDirectory {
    pub kind: Kind,
    pub files: Vec<PathBuf>,
}

/// The first bytes of a file or stream.
pub fn head(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(SNIFF_LENGTH);
    reader.take(SNIFF_LENGTH as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// What something is by its first bytes. Text is a log, whatever its lines say; so is nothing at all, as the log of a
/// capture without IP packets is, unless its name says otherwise.
pub fn kind(head: &[u8], path: Option<&Path>) -> Kind {
    if sniff_log(head).is_some() {
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
    let is_log = |file: &PathBuf| {
        File::open(file).and_then(|mut file| head(&mut file)).is_ok_and(|head| sniff_log(&head).is_some())
    };
    // compressed logs look like compressed captures at first sight; a directory without captures is no error
    let captures: Vec<PathBuf> = match expand_inputs([path]) {
        Ok(found) => found.captures.into_iter().filter(|file| !is_log(file)).collect(),
        Err(_) => Vec::new(),
    };
    if !captures.is_empty() {
        return Ok(InDirectory { kind: Kind::Capture, files: captures });
    }
    Ok(InDirectory { kind: Kind::Log, files: find_logs(path)?.logs })
}
