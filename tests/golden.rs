//! Golden cases through the real binary: `tests/golden/CASE/command` is run by `sh` from the repository's root, and
//! its exit status, standard output and standard error must be `tests/golden/CASE/result`.
//!
//! `OVERWRITE=1 cargo test --test golden` writes the results anew; read them before you commit them. In a command,
//! `flowtruth` is the binary and `$TMP` an empty directory, which results show as `$TMP`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::process::Command;

fn run(command: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let binary = Path::new(env!("CARGO_BIN_EXE_flowtruth"));
    let temporary = tempfile::tempdir().unwrap();
    let path = format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(root)
        .env("PATH", path)
        .env("TMP", temporary.path())
        .env("LC_ALL", "C.UTF-8")
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .env_remove("COLUMNS")
        .output()
        .unwrap();
    let text =
        |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&*temporary.path().to_string_lossy(), "$TMP");
    let status = output.status.code().map_or("by a signal".to_owned(), |code| code.to_string());
    format!("exit {status}\n--- stdout\n{}--- stderr\n{}", text(&output.stdout), text(&output.stderr))
}

#[test]
fn golden_cases() {
    let overwrite = std::env::var_os("OVERWRITE").is_some();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut cases: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    let mut wrong = String::new();
    for case in &cases {
        let command = fs::read_to_string(case.join("command")).unwrap();
        let result = run(&command);
        if overwrite {
            fs::write(case.join("result"), &result).unwrap();
        }
        let expected = fs::read_to_string(case.join("result")).unwrap_or_default();
        if result != expected {
            let name = case.file_name().unwrap().to_string_lossy();
            wrong.push_str(&format!("=== {name}\n+++ expected\n{expected}\n+++ got\n{result}\n"));
        }
    }
    assert!(cases.len() > 20, "only {} cases were found", cases.len());
    assert!(wrong.is_empty(), "{wrong}");
}
