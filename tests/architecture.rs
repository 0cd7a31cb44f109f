//! The floors of `docs/architecture.md` against the `use crate::` lines of the source: the page and the code cannot
//! part.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room and its floor. A file imports only from floors below its own, from its own room, and on floor 0 from
/// the rooms named before its own.
const FLOORS: &[(&str, usize)] = &[
    ("random", 0),
    ("packet", 0),
    ("flow", 0),
    ("record", 0),
    ("consumer", 0),
    ("capture", 1),
    ("decode", 1),
    ("filter", 1),
    ("meter", 1),
    ("flowlog", 1),
    ("lint", 1),
    ("diff", 1),
    ("dissect", 1),
    ("vpc", 1),
    ("deliver", 1),
    ("store", 1),
    ("kit", 1),
    ("mask", 1),
    ("quiz", 1),
    ("generate", 1),
    ("report", 1),
    ("partial", 1),
    ("pipeline", 2),
    ("cli", 3),
];

/// Crates that only these rooms may name.
const CRATES: &[(&str, &[&str])] = &[
    ("pcap_file", &["capture"]),
    ("etherparse", &["decode"]),
    ("parquet", &["flowlog", "partial"]),
    ("arrow_array", &["flowlog", "partial"]),
    ("arrow_ipc", &["partial"]),
    ("arrow_schema", &["flowlog", "partial"]),
    ("ipnet", &["vpc"]),
    ("prefix_trie", &["vpc"]),
    ("serde_json_borrow", &["vpc"]),
    ("indexmap", &["pipeline"]),
    ("toml", &["vpc", "generate"]),
    ("async_trait", &["store"]),
    ("aws_config", &["store"]),
    ("aws_credential_types", &["store"]),
    ("futures_util", &["store"]),
    ("object_store", &["store"]),
    ("tokio", &["store"]),
    ("hmac", &["mask"]),
    ("ipcrypt_rs", &["mask"]),
    ("csv", &["pipeline"]),
    ("getrandom", &["cli"]),
    ("askama", &["report"]),
    ("sha2", &["mask", "report"]),
    ("clap", &["cli"]),
    ("ctrlc", &["cli"]),
    ("indicatif", &["cli"]),
    ("comfy_table", &["cli"]),
];

fn source_files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            source_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Room → its files' code without comments.
fn rooms() -> BTreeMap<String, Vec<(PathBuf, String)>> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    source_files(&source, &mut files);
    let mut rooms: BTreeMap<String, Vec<(PathBuf, String)>> = BTreeMap::new();
    for file in files {
        let inside = file.strip_prefix(&source).unwrap();
        let room = inside.iter().next().unwrap().to_string_lossy().trim_end_matches(".rs").to_owned();
        let code: String = fs::read_to_string(&file)
            .unwrap()
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .flat_map(|line| [line, "\n"])
            .collect();
        rooms.entry(room).or_default().push((inside.to_owned(), code));
    }
    rooms
}

/// The room names that follow `crate::` in the code, also in nested imports.
fn imports(code: &str) -> Vec<&str> {
    code.match_indices("crate::")
        .filter(|(at, _)| !code[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$'))
        .map(|(at, found)| {
            let rest = &code[at + found.len()..];
            rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap()
        })
        .collect()
}

#[test]
fn files_import_only_from_floors_below() {
    let place = |room: &str| FLOORS.iter().position(|(name, _)| *name == room);
    let mut wrong = Vec::new();
    let mut checked = 0;
    for (room, files) in rooms() {
        let Some(own) = place(&room) else { continue };
        for (file, code) in files {
            // the command line is not part of the library: its `crate::` is the binary
            for import in imports(&code.replace("flowtruth::", "crate::")) {
                if import == room || (room == "cli" && place(import).is_none()) {
                    continue;
                }
                checked += 1;
                let Some(other) = place(import) else {
                    wrong.push(format!("{}: `crate::{import}` is no room", file.display()));
                    continue;
                };
                let (own_floor, other_floor) = (FLOORS[own].1, FLOORS[other].1);
                let below = other_floor < own_floor || (own_floor == 0 && other_floor == 0 && other < own);
                if !below {
                    wrong.push(format!("{}: imports `{import}`, which is not below it", file.display()));
                }
            }
        }
    }
    assert!(checked > 50, "only {checked} imports were found");
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_folder_of_the_source_is_a_room() {
    let known: Vec<_> = FLOORS.iter().map(|(name, _)| *name).chain(["lib", "main"]).collect();
    let unknown: Vec<_> = rooms().into_keys().filter(|room| !known.contains(&room.as_str())).collect();
    assert_eq!(unknown, Vec::<String>::new());
}

#[test]
fn crates_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for (name, allowed) in CRATES {
        let mut found = false;
        for (room, files) in rooms() {
            for (file, code) in files {
                let named = code.contains(&format!("{name}::")) || code.contains(&format!("use {name}"));
                found |= named;
                if named && !allowed.contains(&room.as_str()) {
                    wrong.push(format!("{}: names `{name}`", file.display()));
                }
            }
        }
        assert!(found, "`{name}` is named nowhere");
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn files_are_short_enough_to_read() {
    let mut long = Vec::new();
    for (file, _) in rooms().into_values().flatten() {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(&file)).unwrap();
        let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count();
        if lines > 400 && !file.to_string_lossy().contains("tests") {
            long.push(format!("{}: {lines} lines", file.display()));
        }
    }
    assert_eq!(long, Vec::<String>::new(), "split by noun");
}
