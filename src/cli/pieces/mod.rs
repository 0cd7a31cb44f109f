//! `convert --byte-range` and `split-points`: one big pcap in pieces.

pub mod args;

use std::io::Write;
use std::path::Path;

use flowtruth::capture::{CaptureError, CaptureInput, PcapPieces};

use self::args::{ByteRange, SplitPointsArgs};
use super::inputs::Inputs;
use super::messages::{Trouble, advice, cannot_write, clean};
use super::objects::{Found, Objects};
use super::output::Output;
use super::{Exit, Result};

/// Writes the ranges of a capture's pieces, a line each.
pub fn split_points(args: &SplitPointsArgs) -> Result {
    let pieces = match Objects::default().find(&args.capture).transpose()? {
        Some(Found::Object(object)) => PcapPieces::of(object),
        Some(Found::Below(_)) => return Err(not_one(&args.capture)),
        None => PcapPieces::open(&args.capture),
    };
    let ranges = pieces.and_then(|pieces| pieces.split(args.pieces)).map_err(refused)?;
    let mut output = Output::standard();
    for range in ranges {
        writeln!(output, "{}-{}", range.start, range.end)
            .map_err(|error| cannot_write("standard output", error))?;
    }
    output.finish()?;
    Ok(Exit::Fine)
}

/// Puts the piece that was asked for in the place of the capture that was named.
pub fn cut(inputs: &mut Inputs, range: Option<ByteRange>) -> std::result::Result<(), Trouble> {
    let Some(range) = range else { return Ok(()) };
    let named = inputs.captures.len() + inputs.failures.len();
    if named != 1 {
        return Err(Trouble::new(format!(
            "`--byte-range` reads a piece of one capture, and {named} were named"
        ))
        .with_hint("name one pcap file"));
    }
    // one that could not be found is reported as ever
    let Some(capture) = inputs.captures.pop() else { return Ok(()) };
    let pieces = match capture {
        CaptureInput::Path(path) => PcapPieces::open(&path),
        CaptureInput::Openable(object) => PcapPieces::of(object),
        CaptureInput::Reader(name, _) => {
            return Err(Trouble::new(format!(
                "`{}` cannot be read in pieces: it is no regular file",
                clean(&name)
            ))
            .with_hint("write it to a file first"));
        }
    };
    let piece = pieces.and_then(|pieces| pieces.piece(range.range())).map_err(refused)?;
    inputs.total_bytes = Some(piece.size());
    inputs.captures.push(CaptureInput::Openable(piece));
    Ok(())
}

/// The same of a flow log, which has no pieces.
pub fn of_a_log(name: &str) -> Trouble {
    Trouble::new(format!("`{}` is a flow log, and `--byte-range` is about captures", clean(name)))
        .with_hint("convert the log whole")
}

fn not_one(path: &Path) -> Trouble {
    Trouble::new(format!("`{}` is no object, and a folder is not cut", clean(&path.display().to_string())))
        .with_hint("name one pcap")
}

fn refused(error: CaptureError) -> Trouble {
    let hint = advice(error.hint(), &error);
    let trouble = Trouble::new(flowtruth::pipeline::with_causes(&error));
    match hint {
        Some(hint) => trouble.with_hint(hint),
        None => trouble,
    }
}
