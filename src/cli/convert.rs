//! `convert`: captures in, records out.

use std::io::{IsTerminal, Write};
use std::sync::Arc;

use flowtruth::capture::CaptureError;
use flowtruth::pipeline::{Conversion, ConvertError, Ledger, Progress, convert, convert_with_vpc};

use super::args::ConvertArgs;
use super::interrupt::Interrupt;
use super::messages::{Trouble, cannot_write, hint, warning};
use super::output::Output;
use super::progress::Bar;
use super::settings::{ConvertSettings, check_outputs};
use super::{Exit, Result, inputs, summary, vpc};

pub fn run(args: ConvertArgs) -> Result {
    let settings = ConvertSettings::new(args)?;
    let progress = Arc::new(Progress::new());
    let mut inputs = inputs::find(&settings.captures, settings.quiet, &progress)?;
    inputs.files.extend(settings.vpc.iter().flat_map(|vpc| vpc.files.clone()));
    check_outputs(settings.output.as_deref(), settings.ledger.as_deref(), &inputs.files)?;
    let interrupt = Interrupt::watch(&progress);
    let mut output = match &settings.output {
        Some(path) => Output::file(path)?,
        None => Output::standard(),
    };
    let ledger_output = settings.ledger.as_deref().map(Output::file).transpose()?;
    [Some(&output), ledger_output.as_ref()]
        .into_iter()
        .flatten()
        .for_each(|output| interrupt.removes(output));
    let to_file = output.is_whole_or_not();
    let writes_to_terminal = !to_file && std::io::stdout().is_terminal();
    let bar = (!settings.quiet).then(|| Bar::follow(&progress, inputs.total_bytes, writes_to_terminal));
    // a live capture that is stopped has ended; a file that is stopped has not been read
    let write_after_interrupt = inputs.is_live() && !to_file;
    let converted = match &settings.vpc {
        None => convert(
            inputs.captures,
            &settings.meter,
            &settings.records,
            &mut output,
            write_after_interrupt,
            &progress,
        ),
        Some(vpc) => convert_with_vpc(
            inputs.captures,
            &settings.meter,
            &settings.records,
            &vpc.options,
            &mut output,
            write_after_interrupt,
            &progress,
        ),
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
        Err(ConvertError::Write(error)) => return Err(cannot_write(output.name(), error)),
        Err(ConvertError::Spill(error)) => {
            return Err(Trouble::new(error.to_string())
                .caused_by(error.source)
                .with_hint("set `TMPDIR` to a directory with more room, or raise `--memory-limit`"));
        }
    };
    if interrupted && !write_after_interrupt {
        let state = if to_file { "was not written" } else { "is incomplete" };
        warning(format_args!("interrupted; {} {state}", output.name()));
        return Ok(Exit::Interrupted);
    }

    // a live capture that was interrupted may end in the middle of a packet
    let expected = |failure: &CaptureError| interrupted && failure.is_cut();
    let failures: Vec<_> =
        inputs.failures.into_iter().chain(failures).filter(|failure| !expected(failure)).collect();
    inputs::report(&failures);
    if let Some(output) = ledger_output {
        write_ledger(&ledger, output)?;
    }
    if !failures.is_empty() && ledger.total.tally.packets_read == 0 {
        // nothing was read, so nothing may take the place of an earlier output
        return Ok(Exit::Trouble);
    }
    output.finish()?;
    if !settings.quiet {
        summary::show(&ledger);
        vpc::convert::show(&ledger);
        if ledger.total.records > 0 {
            settings.hints.iter().for_each(hint);
        }
    }
    ledger.check().map_err(|imbalance| Trouble::new(imbalance.to_string()))?;
    match (interrupted, failures.is_empty()) {
        (true, _) => Ok(Exit::Interrupted),
        (false, true) => Ok(Exit::Fine),
        (false, false) => Ok(Exit::Trouble),
    }
}

fn write_ledger(ledger: &Ledger, mut output: Output) -> std::result::Result<(), Trouble> {
    serde_json::to_writer_pretty(&mut output, ledger)
        .map_err(std::io::Error::from)
        .and_then(|()| output.write_all(b"\n"))
        .map_err(|error| cannot_write(output.name(), error))?;
    output.finish()
}
