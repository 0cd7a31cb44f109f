//! The adversarial corpus as files, and the manifest that says what each is.

use std::fs;
use std::path::Path;

use serde::Serialize;

use super::WriteScenarioError;
use super::files::at;
use crate::generate::adversarial::{CaptureCase, LineCase, captures, lines};

/// The manifest's name.
const MANIFEST: &str = "manifest.json";

#[derive(Serialize)]
struct Manifest<'a> {
    lines: &'a [LineCase],
    captures: &'a [CaptureCase],
}

/// Writes the corpus into a folder that is there and empty; gives how many files of lines and captures there are.
///
/// # Errors
/// [`WriteScenarioError::File`] where a file cannot be written.
pub fn write_adversarial(folder: &Path) -> Result<(usize, usize), WriteScenarioError> {
    let (lines, captures) = (lines(), captures());
    for name in ["lines", "captures"] {
        at(name, fs::create_dir(folder.join(name)))?;
    }
    let of_lines = lines.iter().map(|case| (&case.file, &case.bytes));
    for (file, bytes) in of_lines.chain(captures.iter().map(|case| (&case.file, &case.bytes))) {
        at(file, fs::write(folder.join(file), bytes))?;
    }
    let manifest = Manifest { lines: &lines, captures: &captures };
    // plain structs of numbers and text always become JSON
    let text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
    at(MANIFEST, fs::write(folder.join(MANIFEST), format!("{text}\n")))?;
    Ok((lines.len(), captures.len()))
}
