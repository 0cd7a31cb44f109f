//! Flow logs as inputs: files, streams, and folders of files as S3 holds them.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::capture::Openable;
use crate::flowlog::read::{LogReadError, LogReadOptions, LogReader, SNIFF_LENGTH, sniff_log};

/// How deep folders are searched: AWS's own layout has 12 levels.
const DEPTH: usize = 32;

/// One log to read.
pub enum LogInput {
    /// A file.
    Path(PathBuf),
    /// Something already open, and its name for messages.
    Reader(String, Box<dyn Read + Send>),
    /// Something else that can be opened more than once.
    Openable(Openable),
}

impl LogInput {
    /// The name in messages.
    pub fn name(&self) -> String {
        match self {
            LogInput::Path(path) => path.display().to_string(),
            LogInput::Reader(name, _) => name.clone(),
            LogInput::Openable(openable) => openable.name().to_owned(),
        }
    }

    /// Opens it.
    ///
    /// # Errors
    ///
    /// Where a file cannot be opened.
    pub fn open(self, options: LogReadOptions) -> Result<LogReader, LogReadError> {
        match self {
            LogInput::Path(path) => LogReader::open(&path, options),
            LogInput::Reader(name, reader) => Ok(LogReader::new(&name, reader, options)),
            LogInput::Openable(openable) => match openable.open() {
                Ok(reader) => Ok(LogReader::new(openable.name(), reader, options)),
                Err(error) => Err(LogReadError::cannot_open(openable.name(), error)),
            },
        }
    }
}

/// What a folder holds.
#[derive(Debug, Default)]
pub struct FoundLogs {
    /// The logs, sorted by their paths, which is by time in the layouts of AWS.
    pub logs: Vec<PathBuf>,
    /// How many other files there are.
    pub others: u64,
}

/// Finds the flow logs in a folder and in all folders below it, by their first bytes and never by their names.
///
/// Links to folders are not followed. A file that cannot be opened counts as a log, so that it is reported when it is
/// read.
///
/// # Errors
///
/// A folder that cannot be listed.
pub fn find_logs(directory: &Path) -> io::Result<FoundLogs> {
    let mut found = FoundLogs::default();
    search(directory, DEPTH, &mut found)?;
    found.logs.sort();
    Ok(found)
}

fn search(directory: &Path, depth: usize, found: &mut FoundLogs) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            match depth.checked_sub(1) {
                Some(depth) => search(&path, depth, found)?,
                None => found.others += 1,
            }
        } else if path.is_file() && File::open(&path).map_or(true, is_log) {
            found.logs.push(path);
        } else {
            found.others += 1;
        }
    }
    Ok(())
}

/// Whether a file begins as a flow log.
fn is_log(file: File) -> bool {
    let mut head = Vec::with_capacity(SNIFF_LENGTH);
    let read = file.take(SNIFF_LENGTH as u64).read_to_end(&mut head);
    read.is_ok() && sniff_log(&head).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_searched_to_the_bottom_and_logs_are_told_by_their_content() {
        let root = tempfile::tempdir().unwrap();
        let day = root.path().join("AWSLogs/1/vpcflowlogs/us-east-1/2021/06/07");
        fs::create_dir_all(&day).unwrap();
        let log = "version srcaddr\n2 10.0.0.1\n";
        for (name, text) in [("b.log", log), ("a.bin", log), ("_SUCCESS", ""), ("c.log", "no log at all\n")] {
            fs::write(day.join(name), text).unwrap();
        }
        fs::write(root.path().join("top.log"), log).unwrap();
        let found = find_logs(root.path()).unwrap();
        let names: Vec<_> = found.logs.iter().map(|path| path.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["a.bin", "b.log", "top.log"]);
        assert_eq!(found.others, 2);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_folder_above_is_not_followed() {
        let root = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(root.path(), root.path().join("loop")).unwrap();
        assert_eq!(find_logs(root.path()).unwrap().logs, Vec::<PathBuf>::new());
    }
}
