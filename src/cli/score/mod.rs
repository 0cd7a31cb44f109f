//! `score`: a truth and what another tool says, what of it is right.

pub mod args;

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use flowtruth::pipeline::{Against, ColumnMap, OutputError, Score, ScoreError, Share, score};
use indicatif::HumanCount;

use self::args::{AgainstArg, ScoreArgs};
use super::messages::{Trouble, cannot_write, clean};
use super::summary::counted;
use super::{Exit, Result};

pub fn run(args: ScoreArgs) -> Result {
    let truth = fs::read_to_string(&args.truth).map_err(|error| cannot_read(&args.truth, error))?;
    let (name, output) = read(&args.output)?;
    let against = match args.against {
        AgainstArg::Captured => Against::Captured,
        AgainstArg::Logged => Against::Logged,
    };
    let columns: ColumnMap = args.columns.into_iter().collect();
    if let Some(field) = columns.named_twice() {
        return Err(Trouble::new(format!("`--column` names two columns for `{field}`"))
            .with_hint("a field has one column; add up what stands in two before"));
    }
    let score = score(&truth, against, &name, &output, &columns).map_err(|error| {
        let hint = match &error {
            ScoreError::Truth(_) => {
                return Trouble::new(format!("`{}` cannot be read", clean(&args.truth.display().to_string())))
                    .caused_by(error)
                    .with_hint("`flowtruth generate` writes it beside the capture");
            }
            ScoreError::Output(OutputError::Value { .. }) => {
                "numbers are whole, times Unix seconds or RFC 3339; `--column FIELD=COLUMN` names another column"
            }
            ScoreError::Output(OutputError::Column { .. } | OutputError::Named { .. }) => {
                "name it with `--column FIELD=COLUMN`"
            }
            ScoreError::Output(_) => "it takes flow log records, CSV with a header line, or JSON",
        };
        Trouble::new(format!("`{}` cannot be scored", clean(&name))).caused_by(error).with_hint(hint)
    })?;
    let text = if args.json {
        let mut text = serde_json::to_string_pretty(&score).unwrap_or_default();
        text.push('\n');
        text
    } else {
        people(&score)
    };
    let mut standard = anstream::stdout();
    standard
        .write_all(text.as_bytes())
        .and_then(|()| standard.flush())
        .map_err(|error| cannot_write("standard output", error))?;
    Ok(if score.is_perfect() { Exit::Fine } else { Exit::Differences })
}

fn cannot_read(path: &Path, error: io::Error) -> Trouble {
    Trouble::new(format!("`{}` cannot be read", clean(&path.display().to_string()))).caused_by(error)
}

/// The output's name and bytes.
fn read(path: &Path) -> std::result::Result<(String, Vec<u8>), Trouble> {
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        let read = io::stdin().lock().read_to_end(&mut bytes);
        read.map_err(|error| Trouble::new("`standard input` cannot be read").caused_by(error))?;
        return Ok(("standard input".to_owned(), bytes));
    }
    let bytes = fs::read(path).map_err(|error| cannot_read(path, error))?;
    Ok((path.display().to_string(), bytes))
}

/// The score for people.
fn people(score: &Score) -> String {
    let mut text = String::new();
    for (name, share) in [("flows", &score.flows), ("packets", &score.packets), ("bytes", &score.bytes)] {
        let Share { right, all, share } = *share;
        // writing to a string cannot fail
        let _ = writeln!(
            text,
            "{name:8} {} of {} right ({:.2} %)",
            HumanCount(right),
            HumanCount(all),
            // what is not all is never shown as all
            if right == all { 100.0 } else { (share * 100.0).min(99.99) }
        );
    }
    if score.extra_flows > 0 {
        let _ = writeln!(text, "extra    {} that the truth has not", counted(score.extra_flows, "flow"));
    }
    for (cause, wrong) in &score.causes {
        let explained = if cause.is_explained() { ", explained" } else { "" };
        let _ = writeln!(
            text,
            "\n{cause}{explained}: {}, {} and {}\n  first: {}",
            counted(wrong.differences, "difference"),
            counted(wrong.packets, "packet"),
            counted(wrong.bytes, "byte"),
            clean(&wrong.example)
        );
    }
    text
}
