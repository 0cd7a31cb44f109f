//! `--write-packets`: the packets behind the differences, as a capture.

use std::path::Path;
use std::sync::Arc;

use flowtruth::capture::{CaptureInput, WriteFormat};
use flowtruth::pipeline::{DiffReport, ExtractError, ExtractOptions, MeterOptions, Progress, extract};

use super::sides::Opened;
use crate::cli::extract::is_pcapng;
use crate::cli::messages::{Trouble, cannot_write, say, warning};
use crate::cli::output::Output;
use crate::cli::summary::counted;

/// Refuses, before anything is read, what cannot be read a second time, and what would be written over.
pub fn check(path: Option<&Path>, opened: &Opened) -> Result<(), Trouble> {
    let Some(path) = path else { return Ok(()) };
    if opened.captures.is_empty() && opened.objects.is_empty() && !opened.has_streams {
        return Err(Trouble::new("`--write-packets` needs a capture, and both sides are flow logs"));
    }
    if opened.has_streams {
        return Err(Trouble::new("`--write-packets` reads the captures again, and a pipe can be read once")
            .with_hint("write the capture to a file first"));
    }
    opened.refuse_to_overwrite(path)
}

/// Reads the captures again and writes the packets.
pub fn write(
    (path, mut output): (&Path, Output),
    report: &DiffReport,
    opened: &Opened,
    meter: &MeterOptions,
    progress: &Arc<Progress>,
    quiet: bool,
) -> Result<(), Trouble> {
    let selection = report.packets();
    if selection.entries() == 0 {
        if !quiet {
            say(format_args!("no packets are behind the differences; `{}` was not written", path.display()));
        }
        return Ok(());
    }
    let files = opened.captures.iter().cloned().map(CaptureInput::Path);
    let captures = files.chain(opened.objects.iter().cloned().map(CaptureInput::Openable)).collect();
    let options = ExtractOptions {
        meter: meter.clone(),
        format: is_pcapng(Some(path)).then_some(WriteFormat::Pcapng),
        ..ExtractOptions::default()
    };
    let name = output.name().to_owned();
    match extract(captures, &options, &selection, &mut output, progress) {
        Ok(extraction) if extraction.interrupted => {
            warning(format_args!("interrupted; {name} was not written"));
            Ok(())
        }
        Ok(extraction) => {
            output.finish()?;
            if !quiet {
                let packets = counted(extraction.packets_written, "packet");
                say(format_args!("{packets} behind the differences written to {name}"));
            }
            Ok(())
        }
        Err(ExtractError::Output(error)) => Err(cannot_write(name, error)),
        Err(error @ ExtractError::Packet { .. }) => {
            Err(Trouble::new(format!("{name} was not written")).caused_by(error))
        }
    }
}
