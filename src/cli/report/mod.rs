//! `report`: one page of HTML about captures, their records and a log.

pub mod args;

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use flowtruth::capture::{CaptureError, CaptureInput};
use flowtruth::diff::{CompareOptions, Surroundings};
use flowtruth::mask::Mask;
use flowtruth::pipeline::{
    Conversion, ConvertError, DiffOptions, DiffVpc, Fragments, LogInput, MeterOptions, Progress,
    ReportOptions, ReportQuiz, ReportSources, Reported, report,
};
use flowtruth::report::page;

use self::args::ReportArgs;
use super::args::ConvertArgs;
use super::delivery::args::DeliveryArgs;
use super::delivery::destination::write_ledger;
use super::inputs;
use super::interrupt::Interrupt;
use super::kind::{Kind, apart, head, kind, split};
use super::messages::{Trouble, advice, cannot_write, clean, error, hint, warning};
use super::output::Output;
use super::progress::Bar;
use super::settings::{ConvertSettings, check_outputs};
use super::{Exit, Result, summary, vpc};

pub fn run(args: ReportArgs) -> Result {
    let with_payload = args.with_payload;
    let mask = args.mask.mask()?;
    if with_payload && mask.is_some() {
        return Err(Trouble::new("payload may hold any name and any address, so that it cannot be masked")
            .with_hint("leave out `--with-payload`, or show the page as it is"));
    }
    let quiz = args.quiz.then_some(ReportQuiz { seed: args.seed, questions: usize::from(args.questions) });
    let settings = settings(args)?;
    let progress = Arc::new(Progress::new());
    let interrupt = Interrupt::watch(&progress);
    let (paths, mut logs) = apart(&settings.captures);
    let mut inputs = inputs::find(&paths, settings.quiet, &progress)?;
    let (captures, texts) = captures_and_texts(std::mem::take(&mut inputs.captures));
    inputs.captures = split(captures, false, &mut logs);
    logs.extend(texts);
    if inputs.captures.is_empty() && inputs.failures.is_empty() {
        return Err(Trouble::new("no capture is among what was named: a report is about packets").with_hint(
            "`flowtruth inspect` shows what is in a flow log, `flowtruth lint` what is wrong in it",
        ));
    }
    let selects =
        [settings.meter.from.is_some(), settings.meter.until.is_some(), settings.meter.count.is_some()];
    if !logs.is_empty() && selects.contains(&true) {
        return Err(Trouble::new(
            "a log is compared with whole captures, and `--from`, `--until` or `-c` leaves packets out",
        )
        .with_hint("leave out the log, or these options; `--filter` works with both"));
    }
    if quiz.is_some() {
        check_quiz(&settings, &inputs.captures)?;
    }
    inputs.files.extend(settings.vpc.iter().flat_map(|vpc| vpc.files.clone()));
    let standard = Path::new("-");
    let path = settings.output.as_deref().unwrap_or(standard);
    check_outputs(Some(path), settings.ledger.as_deref(), &inputs.files)?;
    if settings.output.is_none() && io::stdout().is_terminal() {
        return Err(Trouble::new("the page would be written to the terminal")
            .with_hint("name a file with `-o report.html`; `-o -` writes it here all the same"));
    }
    let output = Output::file(path)?;
    let ledger_output = settings.ledger.as_deref().map(Output::file).transpose()?;
    [Some(&output), ledger_output.as_ref()]
        .into_iter()
        .flatten()
        .for_each(|output| interrupt.removes(output));
    let bar = (!settings.quiet).then(|| Bar::follow(&progress, inputs.total_bytes, false));
    let sources =
        ReportSources { captures: inputs.captures, logs, log_format: settings.input_format.clone() };
    let reported =
        report(sources, &ReportOptions { quiz, ..options(&settings, with_payload, mask) }, &progress);
    drop(bar);
    let Reported { data, conversion, comparison } = reported.map_err(cannot_convert)?;
    let Conversion { ledger, failures, interrupted } = conversion;
    if interrupted || comparison.as_ref().is_some_and(|comparison| comparison.interrupted) {
        warning(format_args!("interrupted; {} was not written", output.name()));
        return Ok(Exit::Interrupted);
    }
    let failures: Vec<CaptureError> = inputs.failures.into_iter().chain(failures).collect();
    inputs::report(&failures);
    let mut is_whole = failures.is_empty();
    if let Some(comparison) = &comparison {
        for failure in &comparison.log_failures {
            error(failure);
            advice(failure.hint(), failure).iter().for_each(hint);
        }
        if let Some(problem) = comparison.problems.first() {
            warning(format_args!("{}", clean(&problem.to_string())));
            hint("`flowtruth diff` shows all lines that cannot be compared");
        }
        is_whole &= comparison.log_failures.is_empty();
    }
    if let Some(output) = ledger_output {
        write_ledger(&ledger, output)?;
    }
    if !is_whole && ledger.total.tally.packets_read == 0 {
        // nothing was read, so nothing may take the place of an earlier page
        return Ok(Exit::Trouble);
    }
    let page = page(&data).map_err(|error| Trouble::new("the page cannot be made").caused_by(error))?;
    write(&page, output)?;
    if !settings.quiet {
        summary::show(&ledger);
        vpc::convert::show(&ledger);
    }
    ledger.check().map_err(|imbalance| Trouble::new(imbalance.to_string()))?;
    Ok(if is_whole { Exit::Fine } else { Exit::Trouble })
}

/// Files of text are logs, whatever their lines say, as they are for `diff`.
fn captures_and_texts(inputs: Vec<CaptureInput>) -> (Vec<CaptureInput>, Vec<LogInput>) {
    let (mut captures, mut logs) = (Vec::new(), Vec::new());
    for input in inputs {
        match input {
            CaptureInput::Path(path) => {
                let head = File::open(&path).and_then(|mut file| head(&mut file));
                // what cannot be read is said when it is read as a capture
                match head.map_or(Kind::Capture, |head| kind(&head, Some(&path))) {
                    Kind::Log => logs.push(LogInput::Path(path)),
                    Kind::Capture => captures.push(CaptureInput::Path(path)),
                }
            }
            other => captures.push(other),
        }
    }
    (captures, logs)
}

/// What was typed means what it means for `convert`.
fn settings(args: ReportArgs) -> std::result::Result<ConvertSettings, Trouble> {
    let ReportArgs { files, input_format, metering, selection, records, vpc, run, .. } = args;
    ConvertSettings::new(ConvertArgs {
        captures: files,
        input_format,
        metering,
        selection,
        records,
        delivery: DeliveryArgs::default(),
        vpc,
        run,
        partials: Default::default(),
        piece: Default::default(),
        typed: Vec::new(),
    })
}

fn options(settings: &ConvertSettings, with_payload: bool, mask: Option<Mask>) -> ReportOptions {
    let vpc = settings.vpc.as_ref().map(|vpc| vpc.options.clone());
    let of_vpc = vpc.as_ref().map(|options| DiffVpc {
        vpc: Arc::clone(&options.vpc),
        traffic_type: Some(options.traffic_type),
        only: options.only.clone(),
    });
    let around = vpc.as_ref().map(|options| Arc::clone(&options.vpc));
    let unlogged = around.as_ref().map_or_else(Default::default, |vpc| vpc.unlogged().clone());
    let MeterOptions { tunnels, threads, memory_limit, .. } = settings.meter;
    let compare = DiffOptions {
        meter: MeterOptions {
            tunnels,
            threads,
            memory_limit,
            filter: settings.meter.filter.clone(),
            ..MeterOptions::default()
        },
        compare: CompareOptions {
            unlogged,
            vpc: around.map(|vpc| vpc as Arc<dyn Surroundings>),
            ..CompareOptions::default()
        },
        vpc: of_vpc,
    };
    ReportOptions {
        meter: settings.meter.clone(),
        records: settings.records.clone(),
        vpc,
        compare,
        with_payload,
        mask,
        quiz: None,
    }
}

/// Questions are about the packets of one capture and the records that `explain` shows of them.
fn check_quiz(settings: &ConvertSettings, captures: &[CaptureInput]) -> std::result::Result<(), Trouble> {
    if !matches!(captures, [CaptureInput::Path(_)]) {
        return Err(Trouble::new("`--quiz` asks about one capture, a file")
            .with_hint("name one, or write a page for each"));
    }
    let MeterOptions { filter, from, until, count, dedup, fragments, .. } = &settings.meter;
    let besides = [
        ("--filter", filter.is_some()),
        ("--from", from.is_some()),
        ("--until", until.is_some()),
        ("-c", count.is_some()),
        ("--dedup", *dedup),
        ("--fragments track", *fragments == Fragments::Track),
        ("--vpc", settings.vpc.is_some()),
    ];
    match besides.iter().find(|(_, is_there)| *is_there) {
        None => Ok(()),
        Some((option, _)) => Err(Trouble::new(format!(
            "questions are about the records of all packets as `explain` shows them, and with `{option}` the page has others"
        ))
        .with_hint(format!("make two pages: one with `--quiz`, one with `{option}`"))),
    }
}

fn cannot_convert(error: ConvertError) -> Trouble {
    match error {
        ConvertError::Write(error) => cannot_write("the page", error),
        ConvertError::Spill(error) => Trouble::new(error.to_string())
            .caused_by(error.source)
            .with_hint("set `TMPDIR` to a directory with more room, or raise `--memory-limit`"),
    }
}

fn write(page: &str, mut output: Output) -> std::result::Result<(), Trouble> {
    output
        .write_all(page.as_bytes())
        .and_then(|()| output.flush())
        .map_err(|error| cannot_write(output.name(), error))?;
    output.finish()
}
