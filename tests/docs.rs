//! The commands in `README.md`, `CONTRIBUTING.md`, `docs/*.md` and `docs/lessons/*.md`, run; and the files that these
//! pages name, looked for.
//!
//! A fenced block of ```` ```console ```` is one session of `sh`: lines that begin with `$ ` are commands (`> ` goes on with the
//! line before), what follows is their output, standard error included, to the letter. A line `…` in it stands for any
//! number of lines. A command that does not end with status 0 must be followed by `$ echo $?`. The blocks of one page
//! share a working directory, in which `fixtures` is the repository's; `cargo run … -- ` runs the binary at hand.
//!
//! `OVERWRITE=1 cargo test --test docs` writes the outputs anew where they have no `…`; read them before you commit
//! them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the session prints after each command, followed by the status. No document holds it.
const MARK: &str = "\u{1}status ";

/// One command of a block, and the output that the page shows.
struct Step {
    command: String,
    shown: Vec<String>,
    /// Its lines in the page, to be written again.
    typed: Vec<String>,
}

/// A page in pieces: text as it stands, and the sessions in it.
enum Piece {
    Text(String),
    Session { line: usize, steps: Vec<Step> },
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<_> = ["docs", "docs/lessons"]
        .iter()
        .flat_map(|folder| fs::read_dir(root().join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    pages.extend(["README.md", "CONTRIBUTING.md"].map(|page| root().join(page)));
    pages
}

fn pieces(page: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        text.push_str(line);
        text.push('\n');
        if line != "```console" {
            continue;
        }
        pieces.push(Piece::Text(std::mem::take(&mut text)));
        let block: Vec<_> =
            lines.by_ref().map(|(_, line)| line.to_owned()).take_while(|line| line != "```").collect();
        pieces.push(Piece::Session { line: number + 1, steps: steps(&block) });
        text.push_str("```\n");
    }
    pieces.push(Piece::Text(text));
    pieces
}

fn steps(block: &[String]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in block {
        if let Some(command) = line.strip_prefix("$ ") {
            let (command, typed) = (command.to_owned(), vec![line.clone()]);
            steps.push(Step { command, shown: Vec::new(), typed });
            continue;
        }
        let step = steps.last_mut().expect("a console block begins with a command");
        match line.strip_prefix("> ") {
            Some(rest) if step.shown.is_empty() => {
                step.command.push('\n');
                step.command.push_str(rest);
                step.typed.push(line.clone());
            }
            _ => step.shown.push(line.clone()),
        }
    }
    steps
}

/// Runs a session; gives each command's output lines and status.
fn run(steps: &[Step], directory: &Path) -> Vec<(Vec<String>, i32)> {
    let mut script = String::from("exec 2>&1\n");
    for step in steps {
        let command = match step.command.split_once(" -- ") {
            Some((cargo, rest)) if cargo.starts_with("cargo run ") => format!("flowtruth {rest}"),
            _ => step.command.clone(),
        };
        writeln!(script, "{command}\nlast=$?; printf '\\n{MARK}%d\\n' $last; (exit $last)").unwrap();
    }
    let binary = Path::new(env!("CARGO_BIN_EXE_flowtruth")).parent().unwrap();
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(directory)
        .env("PATH", format!("{}:{}", binary.display(), std::env::var("PATH").unwrap()))
        .env("LC_ALL", "C.UTF-8")
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .env_remove("COLUMNS")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut results = Vec::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once(&format!("\n{MARK}")) {
        let (status, after) = after.split_once('\n').unwrap();
        results.push((before.lines().map(str::to_owned).collect(), status.parse().unwrap()));
        rest = after;
    }
    results
}

/// Whether the lines are those shown, where `…` is any number of lines.
fn agrees(shown: &[String], lines: &[String]) -> bool {
    match shown {
        [] => lines.is_empty(),
        [first, rest @ ..] if first == "…" => {
            (0..=lines.len()).any(|skipped| agrees(rest, &lines[skipped..]))
        }
        [first, rest @ ..] => lines.first() == Some(first) && agrees(rest, &lines[1..]),
    }
}

/// Runs a page's sessions; gives what is wrong, and the page with the outputs as they are.
fn check(name: &str, page: &str, sessions: &mut usize) -> (String, String) {
    let directory = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(root().join("fixtures"), directory.path().join("fixtures")).unwrap();
    let (mut wrong, mut written) = (String::new(), String::new());
    for piece in pieces(page) {
        let (line, steps) = match piece {
            Piece::Text(text) => {
                written.push_str(&text);
                continue;
            }
            Piece::Session { line, steps } => (line, steps),
        };
        *sessions += 1;
        let results = run(&steps, directory.path());
        if results.len() != steps.len() {
            let _ = writeln!(wrong, "{name}:{line}: the session ended after {} commands", results.len());
        }
        for (index, (step, (lines, status))) in steps.iter().zip(&results).enumerate() {
            let place = format!("{name}:{line}: `{}`", step.command);
            let asked = steps.get(index + 1).is_some_and(|next| next.command == "echo $?");
            if matches!(status, 126 | 127) || (*status != 0 && !asked) {
                let _ = writeln!(wrong, "{place} ended with status {status}: {}", lines.join("\n"));
            }
            if !agrees(&step.shown, lines) {
                let (shown, got) = (step.shown.join("\n"), lines.join("\n"));
                let _ = writeln!(wrong, "{place}\n+++ shown\n{shown}\n+++ got\n{got}");
            }
            let keep = step.shown.iter().any(|line| line == "…");
            for line in step.typed.iter().chain(if keep { &step.shown } else { lines }) {
                written.push_str(line);
                written.push('\n');
            }
        }
    }
    (wrong, written)
}

#[test]
fn the_commands_of_the_pages_print_what_the_pages_show() {
    let overwrite = std::env::var_os("OVERWRITE").is_some();
    let (mut wrong, mut sessions) = (String::new(), 0);
    for path in pages() {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        let page = fs::read_to_string(&path).unwrap();
        let (mut problems, written) = check(&name, &page, &mut sessions);
        if overwrite && written != page {
            fs::write(&path, &written).unwrap();
            // what is still wrong has a `…` in it, or does not run
            (problems, _) = check(&name, &written, &mut 0);
        }
        wrong.push_str(&problems);
    }
    assert!(sessions >= 5, "only {sessions} sessions were found");
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_difference_is_noticed() {
    let page = "```console\n$ echo one; echo two; echo three\none\n…\nthree\n$ false\n$ echo $?\n1\n```\n";
    assert_eq!(check("page", page, &mut 0), (String::new(), page.to_owned()));
    for (from, to) in [
        ("\nthree\n", "\nfour\n"),
        ("\n1\n", "\n0\n"),
        ("$ echo $?\n1\n", ""),
        ("$ false", "$ no-such-command"),
        ("$ false", "$ exit 3"),
        ("…\n", ""),
    ] {
        let changed = page.replacen(from, to, 1);
        assert_ne!(changed, page);
        assert_ne!(check("page", &changed, &mut 0).0, "", "{changed}");
    }
    let (_, written) = check("page", "```console\n$ echo one\ntwo\n```\n", &mut 0);
    assert_eq!(written, "```console\n$ echo one\none\n```\n");
}

/// The repository's files that a page names, in links and between backticks.
fn named_files(page: &str) -> Vec<(String, bool)> {
    let mut named = Vec::new();
    for (at, _) in page.match_indices("](") {
        let target = page[at + 2..].split([')', '#']).next().unwrap();
        if !target.is_empty() && !target.contains("://") {
            named.push((target.to_owned(), true));
        }
    }
    for quoted in page.split('`').skip(1).step_by(2) {
        let folder =
            ["src/", "tests/", "docs/", "fixtures/", ".ci/"].iter().any(|top| quoted.starts_with(top));
        if folder
            && !quoted.contains(|c: char| c.is_whitespace() || "*$<".contains(c))
            && !quoted.contains("CASE")
        {
            named.push((quoted.to_owned(), false));
        }
    }
    named
}

#[test]
fn the_files_that_the_pages_name_exist() {
    let (mut missing, mut found) = (Vec::new(), 0);
    for path in pages() {
        // outside of fenced blocks, whose backticks are others
        let page = fs::read_to_string(&path).unwrap();
        let text: String = page.split("```").step_by(2).collect();
        for (named, is_link) in named_files(&text) {
            let from = if is_link { path.parent().unwrap() } else { root() };
            found += 1;
            if !from.join(&named).exists() {
                missing.push(format!("{}: `{named}`", path.display()));
            }
        }
    }
    assert!(found > 20, "only {found} files are named");
    assert_eq!(missing, Vec::<String>::new());
}
