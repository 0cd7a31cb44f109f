//! `explain`: what a packet knew, what the record kept, and what was lost.

pub mod args;
mod flow;
mod json;
mod loss;
mod packet;
mod record;
pub mod text;
mod typed;

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use flowtruth::capture::CaptureError;
use flowtruth::flow::FlowPattern;
use flowtruth::pipeline::{
    ConvertError, ExplainOptions, Explained, ExplainedRecord, MeterOptions, RecordOptions, explain_flow,
    explain_packet, loss,
};
use flowtruth::record::Field;
use tempfile::NamedTempFile;

use self::args::{ExplainArgs, ExplainedRecordArgs};
use super::messages::{Trouble, cannot_write, clean};
use super::settings::{identity, log_format, window_origin};
use super::{Exit, Result, extract, inputs};
use crate::cli::args::RecordArgs;
use flowtruth::decode::Tunnels;

/// What all explanations of a capture need.
struct Asked {
    /// What the capture is called.
    name: String,
    records: RecordOptions,
    /// How many packets of a record are listed.
    limit: usize,
    json: bool,
}

pub fn run(args: &ExplainArgs) -> Result {
    let mask = args.mask.mask()?;
    let Some(path) = &args.capture else {
        let line = args.record.as_deref().unwrap_or_default();
        return show(&typed::explain(line, args.input_format.as_deref(), args.json, mask.as_ref())?);
    };
    let (options, records) = settings(&args.records)?;
    let flow = args.flow.as_deref().map(pattern).transpose()?;
    let spooled = if path.as_os_str() == "-" { Some(spool()?) } else { None };
    let capture: &Path = spooled.as_ref().map_or(path, |file| file.path());
    if capture.is_dir() {
        return Err(Trouble::new(format!("`{}` is a directory", clean(&path.display().to_string())))
            .with_hint("name one capture: a packet's number is its place in it"));
    }
    let name = if spooled.is_some() { "standard input".to_owned() } else { path.display().to_string() };
    let owners = clean(&name);
    // errors are for who typed the names, the page may be for others
    let mask = mask.as_ref();
    let asked = Asked {
        name: match mask {
            Some(mask) if spooled.is_none() => mask.file(&name),
            _ => owners.clone(),
        },
        records: mask.map_or_else(|| records.clone(), |mask| records.masked(mask)),
        limit: args.limit,
        json: args.json,
    };
    match (args.packet, flow) {
        (Some(number), _) => {
            let explained = explain_packet(capture, number, &options);
            let Explained { found, packets_read, failure } = explained;
            let Some(found) = found else {
                report(failure);
                return Err(Trouble::new(format!(
                    "`{owners}` has no packet {number}: it has {packets_read}"
                ))
                .with_hint("packets are numbered from 1, those that are not IP included"));
            };
            let found = match mask {
                Some(mask) => found.masked(mask),
                None => found,
            };
            finish(&packet::explain(&found, &asked), failure)
        }
        (None, Some(pattern)) => {
            let Explained { found, packets_read, failure } = explain_flow(capture, &pattern, &options);
            if found.is_empty() {
                report(failure);
                let shown = extract::flow::Shown(pattern);
                return Err(Trouble::new(format!(
                    "no packet of `{shown}` among {packets_read} packets read"
                ))
                .with_hint("`flowtruth convert` lists the flows of a capture"));
            }
            let found = match mask {
                Some(mask) => ExplainedRecord::all_masked(found, mask),
                None => found,
            };
            finish(&flow::explain(&found, &asked), failure)
        }
        (None, None) => {
            let explained = loss(capture, &options, &records).map_err(|error| match error {
                ConvertError::Write(error) => cannot_write("the records", error),
                ConvertError::Spill(error) => Trouble::new(error.to_string()).caused_by(error.source),
            })?;
            if explained.packets_read == 0 && explained.failure.is_some() {
                report(explained.failure);
                return Ok(Exit::Trouble);
            }
            finish(&loss::explain(&explained.found, &asked), explained.failure)
        }
    }
}

/// Shows what was found also where the capture could not be read to its end.
fn finish(text: &str, failure: Option<CaptureError>) -> Result {
    let failed = failure.is_some();
    show(text)?;
    report(failure);
    Ok(if failed { Exit::Trouble } else { Exit::Fine })
}

fn report(failure: Option<CaptureError>) {
    inputs::report(failure.as_slice());
}

fn show(text: &str) -> Result {
    let mut output = anstream::stdout();
    output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
        .map_err(|error| cannot_write("standard output", error))?;
    Ok(Exit::Fine)
}

/// How records are made and how they look.
pub fn settings(args: &ExplainedRecordArgs) -> std::result::Result<(ExplainOptions, RecordOptions), Trouble> {
    let format = log_format("--log-format", &args.log_format)?;
    let identity = identity(&RecordArgs {
        log_format: args.log_format.clone(),
        header: false,
        account_id: args.account_id.clone(),
        interface_id: args.interface_id.clone(),
        constants: args.constants.clone(),
        interface_addresses: Vec::new(),
        output: None,
    })?;
    let meter = MeterOptions {
        interval: args.max_aggregation_interval,
        origin: window_origin(&args.window_origin)?,
        tunnels: args.decap.unwrap_or(Tunnels::NONE),
        ..MeterOptions::default()
    };
    let with_direction = format.contains(Field::FlowDirection);
    Ok((ExplainOptions { meter, with_direction }, RecordOptions { format, header: false, identity }))
}

fn pattern(text: &str) -> std::result::Result<FlowPattern, Trouble> {
    extract::flow::parse(text).map_err(|error| {
        let hint = error.hint;
        Trouble::new("`--flow` cannot be read").caused_by(error).with_hint(hint)
    })
}

/// Copies standard input to a file, to be read twice.
pub fn spool() -> std::result::Result<NamedTempFile, Trouble> {
    if io::stdin().is_terminal() {
        return Err(Trouble::new("standard input is a terminal").with_hint("name a capture, or pipe one in"));
    }
    let copy = || {
        let file = NamedTempFile::new()?;
        let mut writer: &File = file.as_file();
        io::copy(&mut io::stdin().lock(), &mut writer)?;
        io::Result::Ok(file)
    };
    copy().map_err(|error| {
        let directory: PathBuf = std::env::temp_dir();
        Trouble::new(format!("standard input cannot be copied to `{}`", directory.display()))
            .caused_by(error)
            .with_hint("set `TMPDIR` to a directory with more room, or name the capture as a file")
    })
}
