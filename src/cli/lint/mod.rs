//! `lint`: what in flow logs cannot be true, or breaks what reads them.

pub mod args;
mod machine;
mod people;
mod sarif;

use std::io::{self, BufWriter, IsTerminal, Write};
use std::sync::Arc;

use flowtruth::flow::AggregationInterval;
use flowtruth::lint::{Finding, Level, LintOptions, Rule};
use flowtruth::pipeline::{LintSummary, LogInput, Progress, find_logs, lint};

use self::args::LintArgs;
use super::interrupt::Interrupt;
use super::messages::{Trouble, advice, cannot_write, clean, error, hint, say};
use super::objects::{self, Objects};
use super::settings::log_format;
use super::summary::counted;
use super::{Exit, Result, live};

/// How many findings people are shown, unless they say otherwise.
const SHOWN: u64 = 20;

/// Somewhere that findings are written, one after another.
trait Report {
    fn begin(&mut self) -> io::Result<()>;
    fn finding(&mut self, log: &str, finding: &Finding) -> io::Result<()>;
    fn end(&mut self, summary: &LintSummary, shown: u64) -> io::Result<()>;
}

pub fn run(args: LintArgs) -> Result {
    let options = options(&args)?;
    if args.list_rules {
        let text = people::rules(&options);
        let mut output = anstream::stdout();
        let written = output.write_all(text.as_bytes()).and_then(|()| output.flush());
        return written.map(|()| Exit::Fine).map_err(|error| cannot_write("standard output", error));
    }
    let format = args.input_format.as_deref().map(|text| log_format("--input-format", text)).transpose()?;
    let progress = Arc::new(Progress::new());
    let inputs = inputs(&args, &progress)?;
    let _interrupt = Interrupt::watch(&progress);
    let output = BufWriter::new(anstream::stdout());
    let mut report: Box<dyn Report> = match (args.json, args.sarif) {
        (true, _) => Box::new(machine::Lines::new(output)),
        (_, true) => Box::new(sarif::Sarif::new(output, options.clone())),
        _ => Box::new(people::People::new(output)),
    };
    let limit = args.limit.unwrap_or(if args.json || args.sarif { u64::MAX } else { SHOWN });
    let mut shown = 0;
    let mut written = report.begin();
    let summary = lint(inputs, format, options, &progress, |log, finding| {
        if shown < limit && written.is_ok() {
            written = report.finding(log, &finding);
            shown += 1;
        }
        written.is_ok()
    });
    written
        .and_then(|()| report.end(&summary, shown))
        .map_err(|error| cannot_write("standard output", error))?;
    if progress.is_interrupted() {
        return Ok(Exit::Interrupted);
    }
    conclude(&summary, args.quiet)
}

/// Says what else there is to say, and how the run ended.
fn conclude(summary: &LintSummary, quiet: bool) -> Result {
    let mut given = Vec::new();
    for failure in &summary.failures {
        error(failure);
        if let Some(advice) = advice(failure.hint(), failure).filter(|advice| !given.contains(advice)) {
            hint(&advice);
            given.push(advice);
        }
    }
    let bad = summary.of_level(Level::Error) + summary.of_level(Level::Warning);
    if !quiet {
        let of_level = |level: Level| counted(summary.of_level(level), level.name());
        say(format_args!(
            "{} in {} read: {}, {}, {}",
            counted(summary.records, "record"),
            counted(summary.logs, "log"),
            of_level(Level::Error),
            of_level(Level::Warning),
            of_level(Level::Note)
        ));
    }
    Ok(match (summary.failures.is_empty(), bad) {
        (false, _) => Exit::Trouble,
        (true, 0) => Exit::Fine,
        (true, _) => Exit::Differences,
    })
}

/// Settles the levels: what is switched off first, then warnings, then errors.
fn options(args: &LintArgs) -> std::result::Result<LintOptions, Trouble> {
    let mut options = LintOptions::default();
    options.target = args.target;
    options.max_aggregation_interval = match args.max_aggregation_interval {
        AggregationInterval::Seconds(seconds) => u64::from(seconds.get()),
        AggregationInterval::Capture => u64::MAX,
    };
    let choices = [
        ("--allow", &args.allow, None),
        ("--warn", &args.warn, Some(Level::Warning)),
        ("--deny", &args.deny, Some(Level::Error)),
    ];
    for (option, names, level) in choices {
        for name in names {
            if name == "all" {
                Rule::ALL.into_iter().for_each(|rule| options.set_level(rule, level));
                continue;
            }
            let rule: Rule = name.parse().map_err(|error: flowtruth::lint::UnknownRule| {
                Trouble::new(format!("`{option}` cannot be used"))
                    .caused_by(error)
                    .with_hint("`flowtruth lint --list-rules` lists the rules")
            })?;
            options.set_level(rule, level);
        }
    }
    Ok(options)
}

/// The logs that were named.
fn inputs(args: &LintArgs, progress: &Arc<Progress>) -> std::result::Result<Vec<LogInput>, Trouble> {
    let mut inputs = Vec::new();
    let mut objects = Objects::default();
    let mut reads_standard_input = false;
    for path in &args.logs {
        let shown = clean(&path.display().to_string());
        if path.as_os_str() == "-" {
            if reads_standard_input {
                return Err(Trouble::new("standard input is named twice; it can be read once"));
            }
            if io::stdin().is_terminal() {
                return Err(Trouble::new("standard input is a terminal, expected a flow log"));
            }
            reads_standard_input = true;
            inputs.push(LogInput::Reader("standard input".to_owned(), live::standard_input(progress)));
        } else if let Some(found) = objects.find(path) {
            inputs.extend(objects::logs(path, found?, args.quiet)?.into_iter().map(LogInput::Openable));
        } else if path.is_dir() {
            let found = find_logs(path)
                .map_err(|error| Trouble::new(format!("`{shown}` cannot be read")).caused_by(error))?;
            if found.logs.is_empty() {
                return Err(Trouble::new(format!("`{shown}` holds no flow log"))
                    .with_hint("files that do not begin as one are left alone; name the file itself to read it all the same"));
            }
            if !args.quiet {
                let others = counted(found.others, "other file");
                say(format_args!(
                    "`{shown}`: {} found, {others} left alone",
                    counted(found.logs.len() as u64, "log")
                ));
            }
            inputs.extend(found.logs.into_iter().map(LogInput::Path));
        } else {
            inputs.push(LogInput::Path(path.clone()));
        }
    }
    Ok(inputs)
}
