//! The captures and logs that were named: files, folders, `s3://` addresses.

use std::fs::File;
use std::io::{Cursor, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use flowtruth::capture::{Capture, CaptureError, CaptureInput, Openable, PcapPieces, expand_inputs};
use flowtruth::flowlog::read::sniff_log;
use flowtruth::pipeline::kind::{Kind, apart, head, in_directory, kind, split};
use flowtruth::pipeline::{DiffSide, LogInput, find_logs};
use flowtruth::record::LogFormat;

use super::error::Trouble;
use super::objects::{Found, Objects};

/// The captures that the paths name, in their order; a folder's in the order of their names.
pub fn captures(paths: &[PathBuf]) -> Result<Vec<CaptureInput>, Trouble> {
    if paths.is_empty() {
        return Err(Trouble::new("no capture was named"));
    }
    let (paths, mut logs) = apart(paths);
    let (mut found, mut named) = (Vec::new(), Vec::new());
    let mut objects = Objects::default();
    for path in paths {
        match objects.find(&path).transpose()? {
            Some(Found::Object(object)) => {
                found.extend(split(vec![CaptureInput::Openable(object)], false, &mut logs));
            }
            Some(Found::Below(below)) => {
                let (kind, chosen) = of_one_kind(&path, below)?;
                match kind {
                    Kind::Capture => found.extend(chosen.into_iter().map(CaptureInput::Openable)),
                    Kind::Log => logs.extend(chosen.into_iter().map(LogInput::Openable)),
                }
            }
            None if path.is_dir() => {
                let expanded = expand_inputs([&path])?;
                let captures = expanded.captures.into_iter().map(CaptureInput::Path).collect();
                found.extend(split(captures, false, &mut logs));
            }
            None => {
                // a FIFO is opened when it is read: that waits for somebody to write to it
                let is_stream = path.metadata().is_ok_and(|metadata| !metadata.is_file());
                if is_stream {
                    found.push(CaptureInput::Path(path));
                } else {
                    found.extend(split(vec![CaptureInput::Path(path.clone())], false, &mut logs));
                    named.push(path);
                }
            }
        }
    }
    if let Some(log) = logs.first() {
        return Err(Trouble::new(format!("`{}` is a flow log, expected a capture", log.name())));
    }
    named.iter().try_for_each(|path| check(path))?;
    Ok(found)
}

/// The flow logs that the paths name, in their order; a folder's in the order of their paths.
pub fn logs(paths: &[PathBuf]) -> Result<Vec<LogInput>, Trouble> {
    if paths.is_empty() {
        return Err(Trouble::new("no flow log was named"));
    }
    let mut logs = Vec::new();
    let mut objects = Objects::default();
    for path in paths {
        let shown = path.display();
        match objects.find(path).transpose()? {
            Some(Found::Object(object)) => logs.push(LogInput::Openable(object)),
            Some(Found::Below(below)) => match of_one_kind(path, below)? {
                (Kind::Log, chosen) => logs.extend(chosen.into_iter().map(LogInput::Openable)),
                (Kind::Capture, _) => {
                    return Err(Trouble::new(format!("`{shown}` holds captures, expected flow logs")));
                }
            },
            None if path.is_dir() => {
                let found = find_logs(path)
                    .map_err(|error| Trouble::new(format!("`{shown}` cannot be read")).caused_by(&error))?;
                if found.logs.is_empty() {
                    let hint = "files that do not begin as one are left alone; name the file itself to read it all the same";
                    return Err(Trouble::new(format!("`{shown}` holds no flow log")).with_hint(Some(hint)));
                }
                logs.extend(found.logs.into_iter().map(LogInput::Path));
            }
            None => logs.push(LogInput::Path(path.clone())),
        }
    }
    Ok(logs)
}

/// What one side of a comparison is made of, `reference` or `candidate`: captures or flow logs.
pub fn side(name: &str, paths: &[PathBuf], format: Option<LogFormat>) -> Result<DiffSide, Trouble> {
    if paths.is_empty() {
        return Err(Trouble::new(format!("the {name} to compare must be named")));
    }
    let (mut captures, mut logs) = (Vec::new(), Vec::new());
    let mut objects = Objects::default();
    for path in paths {
        let shown = path.display();
        let (found, chosen) = match objects.find(path).transpose()? {
            Some(Found::Object(object)) => {
                let cannot_read = |error| Trouble::new(format!("`{shown}` cannot be read")).caused_by(&error);
                let mut reader = object.open().map_err(cannot_read)?;
                (kind(&head(&mut reader).map_err(cannot_read)?, Some(path)), vec![object])
            }
            Some(Found::Below(below)) => of_one_kind(path, below)?,
            None => {
                files_of_side(path, &mut captures, &mut logs)?;
                continue;
            }
        };
        match found {
            Kind::Capture => captures.extend(chosen.into_iter().map(CaptureInput::Openable)),
            Kind::Log => logs.extend(chosen.into_iter().map(LogInput::Openable)),
        }
    }
    match (captures.is_empty(), logs.is_empty()) {
        (false, true) => Ok(DiffSide::Captures(captures)),
        (true, _) => Ok(DiffSide::Logs(logs, format)),
        (false, false) => {
            let hint = "a side is either; name the captures for one and the logs for the other";
            Err(Trouble::new(format!("the {name} is made of captures and of flow logs"))
                .with_hint(Some(hint)))
        }
    }
}

/// Adds a file, or those of a folder, to what it is by its first bytes.
fn files_of_side(
    path: &Path,
    captures: &mut Vec<CaptureInput>,
    logs: &mut Vec<LogInput>,
) -> Result<(), Trouble> {
    let shown = path.display();
    let files = match path.is_dir() {
        true => {
            let found = in_directory(path)
                .map_err(|error| Trouble::new(format!("`{shown}` cannot be read")).caused_by(&error))?;
            if found.files.is_empty() {
                return Err(Trouble::new(format!("`{shown}` holds neither captures nor flow logs")));
            }
            found.files
        }
        false => vec![path.to_owned()],
    };
    for file in files {
        let cannot = |error| Trouble::new(format!("`{}` cannot be opened", file.display())).caused_by(&error);
        let first = head(&mut File::open(&file).map_err(cannot)?).map_err(cannot)?;
        match kind(&first, Some(&file)) {
            Kind::Capture => captures.push(CaptureInput::Path(file)),
            Kind::Log => logs.push(LogInput::Path(file)),
        }
    }
    Ok(())
}

/// One piece of one uncompressed pcap file.
pub fn piece(paths: &[PathBuf], range: Range<u64>) -> Result<Vec<CaptureInput>, Trouble> {
    let [path] = paths else {
        return Err(Trouble::new(format!("`byte_range` is of one capture, and {} are named", paths.len())));
    };
    if range.start > range.end {
        let Range { start, end } = range;
        return Err(Trouble::new(format!("`byte_range` ends at {end}, before its start at {start}")));
    }
    Ok(vec![CaptureInput::Openable(pieces(path)??.piece(range)?)])
}

/// An uncompressed pcap that can be read in pieces.
pub fn pieces(path: &Path) -> Result<Result<PcapPieces, CaptureError>, Trouble> {
    match Objects::default().find(path).transpose()? {
        Some(Found::Object(object)) => Ok(PcapPieces::of(object)),
        Some(Found::Below(_)) => Err(Trouble::new(format!("`{}` is no object", path.display()))),
        None => Ok(PcapPieces::open(path)),
    }
}

/// An error at once for a file that cannot be begun: who names it means a capture.
fn check(path: &Path) -> Result<(), Trouble> {
    // a FIFO is opened when it is read: that waits for somebody to write to it
    match path.metadata() {
        Ok(metadata) if !metadata.is_file() => Ok(()),
        _ => Ok(Capture::open(path).map(drop)?),
    }
}

/// The objects of one kind: captures if there are any, else flow logs. What is neither is left alone.
fn of_one_kind(name: &Path, objects: Vec<Openable>) -> Result<(Kind, Vec<Openable>), Trouble> {
    let (mut captures, mut logs) = (Vec::new(), Vec::new());
    let all = objects.len();
    for object in objects {
        let cannot_read =
            |error| Trouble::new(format!("`{}` cannot be read", object.name())).caused_by(&error);
        let mut reader = object.open().map_err(cannot_read)?;
        let first = head(&mut reader).map_err(cannot_read)?;
        if sniff_log(&first).is_some() {
            logs.push(object);
        } else if Capture::from_reader(object.name(), Cursor::new(first).chain(reader)).is_ok() {
            captures.push(object);
        }
    }
    match (captures.is_empty(), logs.is_empty()) {
        (false, _) => Ok((Kind::Capture, captures)),
        (true, false) => Ok((Kind::Log, logs)),
        (true, true) => {
            let count = if all == 1 { "1 object".to_owned() } else { format!("{all} objects") };
            let name = name.display();
            Err(Trouble::new(format!("`{name}` holds neither captures nor flow logs among its {count}")))
        }
    }
}
