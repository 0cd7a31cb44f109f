//! `convert --partials`: captures in, partial records out.

pub mod args;
mod refuse;

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

use flowtruth::partial::{PartialForm, PartialWriter};
use flowtruth::pipeline::{Conversion, ConvertError, NotInParts, Progress, convert_to_partials, opening};

use super::args::ConvertArgs;
use super::convert::{exit, settle};
use super::delivery::destination::spilled;
use super::inputs;
use super::interrupt::Interrupt;
use super::kind::{apart, split};
use super::messages::{Trouble, cannot_write, clean, warning};
use super::output::Output;
use super::pieces;
use super::progress::Bar;
use super::settings::{check_outputs, meter_options};
use super::{Exit, Result, summary};

pub fn run(args: ConvertArgs) -> Result {
    refuse::check(&args.typed)?;
    let ConvertArgs { captures, metering, selection, records, partials, piece, run, .. } = args;
    let form = form(records.output.as_deref())?;
    let meter = meter_options(metering, selection, &records, &run)?;
    let keys = partials.partial_keys.unwrap_or_default();
    opening(&[], &meter, keys).map_err(refused)?;

    let progress = Arc::new(Progress::new());
    // before anything is waited for
    let interrupt = Interrupt::watch(&progress);
    let (paths, mut logs) = apart(&captures);
    let mut inputs = match paths.is_empty() && !logs.is_empty() {
        true => inputs::Inputs::default(),
        false => inputs::find(&paths, run.quiet, &progress)?,
    };
    inputs.captures = split(std::mem::take(&mut inputs.captures), false, &mut logs);
    if let Some(log) = logs.first() {
        return Err(Trouble::new(format!(
            "`{}` is a flow log, and `--partials` counts packets of captures",
            clean(&log.name())
        ))
        .with_hint("`flowtruth convert --max-aggregation-interval` merges the records of flow logs"));
    }
    check_outputs(records.output.as_deref(), run.ledger.as_deref(), &inputs.files)?;
    pieces::cut(&mut inputs, piece.byte_range)?;
    let mut output = records.output.as_deref().map_or_else(|| Ok(Output::standard()), Output::file)?;
    let ledger_output = run.ledger.as_deref().map(Output::file).transpose()?;
    [Some(&output), ledger_output.as_ref()]
        .into_iter()
        .flatten()
        .for_each(|output| interrupt.removes(output));
    let to_file = output.is_whole_or_not();
    let bar = (!run.quiet).then(|| Bar::follow(&progress, inputs.total_bytes, false));
    // a live capture that is stopped has ended; a file that is stopped has not been read
    let write_after_interrupt = inputs.is_live() && !to_file;
    let name = output.name().to_owned();
    let opening = opening(&inputs.captures, &meter, keys).map_err(refused)?;
    let mut writer =
        PartialWriter::new(form, &mut output, &opening).map_err(|error| cannot_write(&name, error))?;
    let converted =
        convert_to_partials(inputs.captures, &meter, keys, &mut writer, write_after_interrupt, &progress);
    drop(writer);
    drop(bar);
    let Conversion { ledger, failures, interrupted } = converted.map_err(|error| match error {
        ConvertError::Write(error) => cannot_write(&name, error),
        ConvertError::Spill(error) => spilled(error),
    })?;
    if interrupted && !write_after_interrupt {
        let state = if to_file { "was not written" } else { "is incomplete" };
        warning(format_args!("interrupted; {name} {state}"));
        return Ok(Exit::Interrupted);
    }
    let failures = inputs.failures.into_iter().chain(failures);
    let Some(is_whole) = settle(failures, interrupted, &ledger, ledger_output)? else {
        return Ok(Exit::Trouble);
    };
    output.finish()?;
    if !run.quiet {
        summary::show_as(&ledger, "row");
    }
    ledger.check().map_err(|imbalance| Trouble::new(imbalance.to_string()))?;
    Ok(exit(interrupted, is_whole))
}

fn refused(why: NotInParts) -> Trouble {
    Trouble::new(why.to_string()).with_hint(why.hint())
}

/// An Arrow stream on standard output and where the name says so, else Parquet.
fn form(output: Option<&Path>) -> std::result::Result<PartialForm, Trouble> {
    let Some(path) = output.filter(|path| path.as_os_str() != "-") else {
        return match std::io::stdout().is_terminal() {
            true => Err(Trouble::new("partial records are not for terminals")
                .with_hint("name a file with `-o part.parquet`, or pipe them on")),
            false => Ok(PartialForm::Arrow),
        };
    };
    let has = |extension: &str| path.extension().is_some_and(|own| own.eq_ignore_ascii_case(extension));
    if has("gz") {
        return Err(Trouble::new("partial records in gzip are read by nothing")
            .with_hint("name a file such as `part.parquet`, whose columns are compressed already"));
    }
    Ok(if has("arrow") { PartialForm::Arrow } else { PartialForm::Parquet })
}
