//! `extract`: captures in, the packets behind a flow or a record out.

pub mod args;
pub mod flow;
mod report;
mod wanted;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flowtruth::capture::{CaptureError, WriteFormat};
use flowtruth::decode::Tunnels;
use flowtruth::pipeline::{ExtractError, ExtractOptions, Fragments, MeterOptions, Progress, extract};

use self::args::ExtractArgs;
use self::wanted::Wanted;
use super::args::FragmentsArg;
use super::identity::Identity;
use super::interrupt::Interrupt;
use super::messages::{Trouble, cannot_write, warning};
use super::output::Output;
use super::progress::Bar;
use super::settings::{check_outputs, check_times};
use super::{Exit, Result, inputs};

pub fn run(args: ExtractArgs) -> Result {
    check_times(args.from, args.until)?;
    let to_standard_output = args.output.as_deref().is_none_or(|path| path.as_os_str() == "-");
    if to_standard_output && std::io::stdout().is_terminal() {
        return Err(Trouble::new("a capture is binary, and standard output is a terminal")
            .with_hint("name a file with `-o`, or pipe it: `flowtruth extract … | tcpdump -n -r -`"));
    }
    let wanted = Wanted::new(&args)?;
    let progress = Arc::new(Progress::new());
    let inputs = inputs::find(&args.captures, args.quiet, &progress)?;
    check_outputs(args.output.as_deref(), None, &files_read(&inputs.files, args.log.as_deref()))?;
    let interrupt = Interrupt::watch(&progress);
    let mut output = match &args.output {
        Some(path) => Output::file(path)?,
        None => Output::standard(),
    };
    let name = output.name().to_owned();
    interrupt.removes(&output);
    let to_file = output.is_whole_or_not();
    // a live capture that is stopped has ended; a file that is stopped has not been read
    let read_after_interrupt = inputs.is_live() && !to_file;
    let options = ExtractOptions {
        meter: meter_options(&args),
        format: is_pcapng(args.output.as_deref()).then_some(WriteFormat::Pcapng),
        read_after_interrupt,
    };
    let bar = (!args.quiet).then(|| Bar::follow(&progress, inputs.total_bytes, false));
    let extracted = extract(inputs.captures, &options, &wanted.selection(), &mut output, &progress);
    drop(bar);
    let mut extraction = match extracted {
        Ok(extraction) => extraction,
        Err(ExtractError::Output(error)) => return Err(cannot_write(name, error)),
        Err(error @ ExtractError::Packet { .. }) => {
            return Err(Trouble::new(format!("{name} was not written"))
                .caused_by(error)
                .with_hint("pcapng holds more than pcap; name a file that ends with `.pcapng`"));
        }
    };
    if extraction.interrupted && !read_after_interrupt {
        let state = if to_file { "was not written" } else { "is incomplete" };
        warning(format_args!("interrupted; {name} {state}"));
        return Ok(Exit::Interrupted);
    }
    // a live capture that was interrupted may end in the middle of a packet
    let interrupted = extraction.interrupted;
    let expected = |failure: &CaptureError| interrupted && failure.is_cut();
    let failures: Vec<_> = (inputs.failures.into_iter())
        .chain(std::mem::take(&mut extraction.failures))
        .filter(|failure| !expected(failure))
        .collect();
    inputs::report(&failures);
    if extraction.packets_written == 0 {
        if !failures.is_empty() && extraction.packets_read == 0 {
            return Ok(Exit::Trouble);
        }
        return Err(report::nothing(&extraction, &wanted, &args));
    }
    output.finish()?;
    if !args.quiet {
        report::summary(&extraction, &name);
    }
    report::compare(&extraction, &wanted, &args);
    match (interrupted, failures.is_empty()) {
        (true, _) => Ok(Exit::Interrupted),
        (false, true) => Ok(Exit::Fine),
        (false, false) => Ok(Exit::Trouble),
    }
}

fn meter_options(args: &ExtractArgs) -> MeterOptions {
    MeterOptions {
        tunnels: args.decap.unwrap_or(Tunnels::NONE),
        fragments: match args.fragments {
            FragmentsArg::Zero => Fragments::Zero,
            FragmentsArg::Track => Fragments::Track,
        },
        filter: args.filter.clone(),
        from: args.from,
        until: args.until,
        count: args.count,
        ..MeterOptions::default()
    }
}

/// Whether a file's name asks for pcapng; `.gz` behind it says nothing about that.
pub fn is_pcapng(path: Option<&Path>) -> bool {
    let name = path.map(|path| path.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    name.strip_suffix(".gz").unwrap_or(&name).ends_with(".pcapng")
}

/// The regular files that are read: captures and the log.
fn files_read(captures: &[(PathBuf, Identity)], log: Option<&Path>) -> Vec<(PathBuf, Identity)> {
    let log = log.and_then(|path| Some((path.to_owned(), Identity::of_file(path)?)));
    captures.iter().cloned().chain(log).collect()
}
