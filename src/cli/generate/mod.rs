//! `generate`: a scenario in, a folder with a capture, a flow log, a VPC and the truth out.

pub mod args;
mod folder;
mod list;

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use flowtruth::generate::{Extent, GenerateError, READY};
use flowtruth::pipeline::{
    Container, GenerateOptions, Generated, Progress, ReadScenario, WriteScenarioError, generate,
    read_scenario, write_adversarial,
};
use indicatif::HumanCount;

use self::args::{ExtentArgs, GenerateArgs};
use self::folder::Folder;
use super::interrupt::Interrupt;
use super::messages::{Trouble, cannot_write, clean, say, warning};
use super::progress::Bar;
use super::settings::log_format;
use super::summary::counted;
use super::{Exit, Result};

/// How many characters of a title are shown.
const LONGEST_TITLE: usize = 200;

pub fn run(args: GenerateArgs) -> Result {
    let Some(output) = &args.output else { return list::run(args.json) };
    let Some(scenario) = &args.scenario else { return adversarial(output, args.quiet) };
    let read = read(scenario)?;
    let format = args.log.log_format.as_deref().map(|text| log_format("--log-format", text)).transpose()?;
    let options = GenerateOptions {
        format,
        header: !args.log.no_header,
        interval: args.log.max_aggregation_interval.map(Into::into),
        seed: args.extent.seed,
        extent: extent(&args.extent),
        container: if args.capture.pcapng { Container::Pcapng } else { Container::Fitting },
        split: args.capture.split,
    };
    let progress = Arc::new(Progress::new());
    // a second Ctrl-C ends the process at once and leaves the temporary folder behind
    let _interrupt = Interrupt::watch(&progress);
    let folder = Folder::create(output)?;
    let bar = (!args.quiet).then(|| Bar::follow(&progress, None, false));
    let generated = generate(&read, folder.path(), &options, &progress);
    drop(bar);
    let generated = match generated {
        Ok(generated) => generated,
        Err(GenerateError::Sink(WriteScenarioError::Interrupted)) => {
            warning(format_args!("interrupted; `{}` was not written", output.display()));
            return Ok(Exit::Interrupted);
        }
        Err(GenerateError::Sink(WriteScenarioError::File { name, source })) => {
            return Err(cannot_write(format_args!("`{}`", output.join(name).display()), source));
        }
        Err(error @ GenerateError::TooLate { .. }) => {
            return Err(Trouble::new(error.to_string())
                .with_hint("ask for less, or let the scenario begin earlier or say more in its `duration`"));
        }
        Err(GenerateError::Scenario(error)) => {
            let trouble = Trouble::new(error.to_string());
            return Err(error.hint.into_iter().fold(trouble, Trouble::with_hint));
        }
        Err(error) => return Err(Trouble::new(error.to_string())),
    };
    folder.finish()?;
    if !args.quiet {
        show(&read, output, &generated);
    }
    Ok(Exit::Fine)
}

/// Writes the corpus of wrong input.
fn adversarial(output: &Path, quiet: bool) -> Result {
    let folder = Folder::create(output)?;
    let (lines, captures) = write_adversarial(folder.path()).map_err(|error| match error {
        WriteScenarioError::File { name, source } => {
            cannot_write(format_args!("`{}`", output.join(name).display()), source)
        }
        WriteScenarioError::Interrupted => Trouble::new("interrupted"),
    })?;
    folder.finish()?;
    if !quiet {
        say(format_args!(
            "`{}`: {} and {}; `manifest.json` says what is wrong with each",
            output.display(),
            counted(lines as u64, "flow log"),
            counted(captures as u64, "capture"),
        ));
    }
    Ok(Exit::Fine)
}

/// A ready scenario by its name, or one in a file.
fn read(scenario: &Path) -> std::result::Result<ReadScenario, Trouble> {
    let name = scenario.to_string_lossy();
    let ready = READY.iter().find(|ready| ready.name == name);
    let (name, file, text) = match ready {
        Some(ready) => (ready.name.to_owned(), format!("{}.toml", ready.name), ready.text.to_owned()),
        None => {
            let text = fs::read_to_string(scenario).map_err(|error| cannot_read(&name, error))?;
            let stem = scenario.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            (stem, name.into_owned(), text)
        }
    };
    read_scenario(&name, &file, &text).map_err(|error| {
        let hint = error.hint().map(str::to_owned);
        let trouble = Trouble::new(error.to_string());
        match hint {
            Some(hint) => trouble.with_hint(hint),
            None => trouble,
        }
    })
}

fn cannot_read(name: &str, error: io::Error) -> Trouble {
    let by_likeness = |ready: &&flowtruth::generate::ReadyScenario| strsim::jaro(ready.name, name);
    let nearest = READY.iter().max_by(|a, b| by_likeness(a).total_cmp(&by_likeness(b)));
    if error.kind() != io::ErrorKind::NotFound || name.contains(['/', '.']) {
        return Trouble::new(format!("`{name}` cannot be read")).caused_by(error);
    }
    let trouble = Trouble::new(format!("`{name}` is neither a ready scenario nor a file"));
    match nearest {
        Some(near) => trouble.with_hint(format!(
            "the nearest is `{}`; `flowtruth generate --list` has all of them",
            near.name
        )),
        None => trouble,
    }
}

fn extent(args: &ExtentArgs) -> Extent {
    let ExtentArgs { seed: _, repeat, flows, packets, duration } = *args;
    if (repeat, flows, packets, duration) == (None, None, None, None) {
        return Extent::default();
    }
    Extent {
        repetitions: repeat.unwrap_or(u64::MAX),
        flows: flows.unwrap_or(u64::MAX),
        packets: packets.unwrap_or(u64::MAX),
        duration: duration.map_or(i64::MAX, |nanos| i64::try_from(nanos).unwrap_or(i64::MAX)),
    }
}

fn show(read: &ReadScenario, output: &Path, generated: &Generated) {
    let Generated { outcome, records, flows, files, .. } = generated;
    let captures = files.iter().filter(|name| name.starts_with("capture")).count();
    let lost = match outcome.lost_frames {
        0 => String::new(),
        lost => format!(" and {} lost", HumanCount(lost)),
    };
    let title: String = read.scenario.title.chars().take(LONGEST_TITLE).collect();
    say(format_args!("`{}`: {}", clean(&output.display().to_string()), clean(&title)));
    say(format_args!(
        "{} sent in {}; {} captured{lost} in {}, {}, {} at their interfaces",
        counted(outcome.sent_packets, "packet"),
        counted(outcome.conversations, "conversation"),
        counted(outcome.captured_frames, "frame"),
        counted(captures as u64, "file"),
        counted(*records, "record"),
        counted(*flows, "flow"),
    ));
    if outcome.repetitions > 1 {
        say(format_args!("run {} times", HumanCount(outcome.repetitions)));
    }
    let over = (outcome.last_packet.nanos() - outcome.end.nanos()) as f64 / 1e9;
    if over > 0.0 && outcome.sent_packets > 0 {
        say(format_args!("the last conversation goes on until {over:.1} s after the scenario's `duration`"));
    }
}
