//! `convert`: captures in, records out.

use std::io::IsTerminal;
use std::sync::Arc;

use flowtruth::capture::{CaptureError, CaptureInput};
use flowtruth::pipeline::{
    Conversion, ConvertError, Ledger, Progress, convert, convert_into, convert_with_vpc,
    convert_with_vpc_into,
};

use super::args::ConvertArgs;
use super::delivery::destination::{Destination, cannot_deliver, write_ledger};
use super::delivery::logs;
use super::inputs::{self, Inputs};
use super::interrupt::Interrupt;
use super::kind::{apart, split};
use super::messages::{Trouble, clean, hint, warning};
use super::output::Output;
use super::pieces;
use super::progress::Bar;
use super::settings::{ConvertSettings, check_outputs};
use super::{Exit, Result, summary, vpc};

pub fn run(args: ConvertArgs) -> Result {
    let settings = ConvertSettings::new(args)?;
    let progress = Arc::new(Progress::new());
    // before anything is waited for
    let interrupt = Interrupt::watch(&progress);
    let (paths, mut logs) = apart(&settings.captures);
    let mut inputs = match paths.is_empty() && !logs.is_empty() {
        true => Inputs::default(),
        false => inputs::find(&paths, settings.quiet, &progress)?,
    };
    let are_logs = settings.input_format.is_some();
    inputs.captures = split(std::mem::take(&mut inputs.captures), are_logs, &mut logs);
    inputs.files.extend(settings.vpc.iter().flat_map(|vpc| vpc.files.clone()));
    check_outputs(settings.output.as_deref(), settings.ledger.as_deref(), &inputs.files)?;
    if let Some(log) = logs.first() {
        if !inputs.captures.is_empty() {
            return Err(Trouble::new(format!(
                "`{}` is a flow log, and others are captures",
                clean(&log.name())
            ))
            .with_hint("convert the captures in one run and the logs in another"));
        }
        if settings.byte_range.is_some() {
            return Err(pieces::of_a_log(&log.name()));
        }
        inputs::report(&inputs.failures);
        let exit = logs::run(settings, logs, &interrupt, &progress)?;
        return Ok(if inputs.failures.is_empty() { exit } else { Exit::Trouble });
    }
    settings.check_captures()?;
    pieces::cut(&mut inputs, settings.byte_range)?;
    let mut destination = Destination::open(&settings.delivery, settings.output.as_deref())?;
    let ledger_output = settings.ledger.as_deref().map(Output::file).transpose()?;
    [destination.output(), ledger_output.as_ref()]
        .into_iter()
        .flatten()
        .for_each(|output| interrupt.removes(output));
    let to_file = destination.output().is_some_and(Output::is_whole_or_not);
    let to_standard = destination.output().is_some_and(|output| !output.is_whole_or_not());
    let writes_to_terminal = to_standard && std::io::stdout().is_terminal();
    let bar = (!settings.quiet).then(|| Bar::follow(&progress, inputs.total_bytes, writes_to_terminal));
    // a live capture that is stopped has ended; a file that is stopped has not been read
    let write_after_interrupt = inputs.is_live() && !to_file;
    let converted = match &mut destination {
        // lines on one output have a faster way of their own
        Destination::Output(output) if settings.delivery.is_plain() => {
            write_lines(inputs.captures, &settings, output, write_after_interrupt, &progress)
        }
        delivered => deliver(inputs.captures, &settings, delivered, write_after_interrupt, &progress)?,
    };
    drop(bar);
    if let (Err(_), Some(ledger)) = (&converted, &ledger_output) {
        warning(format_args!(
            "{} was not written: the records could not be written to their end",
            ledger.name()
        ));
    }
    let Conversion { ledger, failures, interrupted } = match converted {
        Ok(conversion) => conversion,
        Err(error) => return Err(cannot_deliver(&destination, error)),
    };
    if interrupted && !write_after_interrupt {
        let state = if to_file { "was not written" } else { "is incomplete" };
        warning(format_args!("interrupted; {} {state}", destination.name()));
        return Ok(Exit::Interrupted);
    }

    let failures = inputs.failures.into_iter().chain(failures);
    let Some(is_whole) = settle(failures, interrupted, &ledger, ledger_output)? else {
        return Ok(Exit::Trouble);
    };
    destination.finish()?;
    if !settings.quiet {
        summary::show(&ledger);
        vpc::convert::show(&ledger);
        if ledger.total.records > 0 {
            settings.hints.iter().for_each(hint);
            let strangers = ledger.total.vpc.map_or(0, |vpc| vpc.packets_of_no_known_interface);
            settings.hints_without_strangers.iter().filter(|_| strangers == 0).for_each(hint);
        }
    }
    ledger.check().map_err(|imbalance| Trouble::new(imbalance.to_string()))?;
    Ok(exit(interrupted, is_whole))
}

/// Reports what could not be read to its end and writes the ledger. Returns whether everything was read; `None` where
/// nothing was, so that nothing may take the place of an earlier output.
pub fn settle(
    failures: impl Iterator<Item = CaptureError>,
    interrupted: bool,
    ledger: &Ledger,
    output: Option<Output>,
) -> std::result::Result<Option<bool>, Trouble> {
    // a live capture that was interrupted may end in the middle of a packet
    let failures: Vec<_> = failures.filter(|failure| !(interrupted && failure.is_cut())).collect();
    inputs::report(&failures);
    if let Some(output) = output {
        write_ledger(ledger, output)?;
    }
    let nothing_was_read = !failures.is_empty() && ledger.total.tally.packets_read == 0;
    Ok((!nothing_was_read).then_some(failures.is_empty()))
}

/// How a conversion ended.
pub fn exit(interrupted: bool, is_whole: bool) -> Exit {
    match (interrupted, is_whole) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Fine,
        (false, false) => Exit::Trouble,
    }
}

fn write_lines(
    captures: Vec<CaptureInput>,
    settings: &ConvertSettings,
    output: &mut Output,
    write_after_interrupt: bool,
    progress: &Progress,
) -> std::result::Result<Conversion, ConvertError> {
    let ConvertSettings { meter, records, .. } = settings;
    match &settings.vpc {
        None => convert(captures, meter, records, output, write_after_interrupt, progress),
        Some(vpc) => {
            let options = &vpc.options;
            convert_with_vpc(captures, meter, records, options, output, write_after_interrupt, progress)
        }
    }
}

fn deliver(
    captures: Vec<CaptureInput>,
    settings: &ConvertSettings,
    destination: &mut Destination,
    write_after_interrupt: bool,
    progress: &Progress,
) -> std::result::Result<std::result::Result<Conversion, ConvertError>, Trouble> {
    let ConvertSettings { meter, records, quiet, .. } = settings;
    let why = settings.vpc.as_ref().is_some_and(|vpc| vpc.options.why);
    destination.take(&settings.delivery, records, why, *quiet, |sink| match &settings.vpc {
        None => convert_into(captures, meter, records, sink, write_after_interrupt, progress),
        Some(vpc) => {
            let options = &vpc.options;
            convert_with_vpc_into(captures, meter, records, options, sink, write_after_interrupt, progress)
        }
    })
}
