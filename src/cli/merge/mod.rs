//! `merge`: partial records in, the records of all captures together out.

pub mod args;
mod inputs;

use std::sync::Arc;

use flowtruth::pipeline::{Conversion, MergeError, Merged, MergedPartials, Progress, with_causes};

use self::args::MergeArgs;
use super::args::{ConvertArgs, MeteringArgs, SelectionArgs};
use super::delivery::destination::{Destination, cannot_deliver, write_ledger};
use super::interrupt::Interrupt;
use super::messages::{Trouble, advice, clean, hint, say, warning};
use super::output::Output;
use super::settings::{ConvertSettings, check_outputs};
use super::summary::{self, counted};
use super::vpc::args::VpcArgs;
use super::{Exit, Result};

/// How many captures that were cut are named.
const NAMED: usize = 5;

pub fn run(args: MergeArgs) -> Result {
    let settings = settings(args)?;
    settings.check_captures()?;
    let progress = Arc::new(Progress::new());
    let interrupt = Interrupt::watch(&progress);
    let inputs = inputs::find(&settings.captures)?;
    check_outputs(settings.output.as_deref(), settings.ledger.as_deref(), &inputs.files)?;
    let mut destination = Destination::open(&settings.delivery, settings.output.as_deref())?;
    let ledger_output = settings.ledger.as_deref().map(Output::file).transpose()?;
    [destination.output(), ledger_output.as_ref()]
        .into_iter()
        .flatten()
        .for_each(|output| interrupt.removes(output));

    let Merged { partials, cut, parts, rows } =
        MergedPartials::read(inputs.parts, &settings.meter, &progress).map_err(cannot_merge)?;
    let Some(partials) = partials else { return Ok(interrupted_before(&destination)) };
    tell_cut(&cut);
    let ConvertSettings { meter, records, quiet, .. } = &settings;
    let converted = match &mut destination {
        // lines on one output have a faster way of their own
        Destination::Output(output) if settings.delivery.is_plain() => {
            partials.write(meter, records, output, &progress)
        }
        delivered => delivered.take(&settings.delivery, records, false, *quiet, |sink| {
            partials.write_into(records, sink, &progress)
        })?,
    };
    let Conversion { ledger, interrupted, .. } =
        converted.map_err(|error| cannot_deliver(&destination, error))?;
    if interrupted {
        return Ok(interrupted_before(&destination));
    }
    if let Some(output) = ledger_output {
        write_ledger(&ledger, output)?;
    }
    destination.finish()?;
    if !quiet {
        say(format_args!("{} merged of {}", counted(rows, "row"), counted(parts, "part")));
        summary::show(&ledger);
        if ledger.total.records > 0 {
            settings.hints.iter().for_each(hint);
        }
    }
    ledger.check().map_err(|imbalance| Trouble::new(imbalance.to_string()))?;
    Ok(Exit::Fine)
}

fn interrupted_before(destination: &Destination) -> Exit {
    warning(format_args!("interrupted; {} is not complete", destination.name()));
    Exit::Interrupted
}

/// What was typed means what it means for `convert`, but for what the parts say themselves.
fn settings(args: MergeArgs) -> std::result::Result<ConvertSettings, Trouble> {
    let MergeArgs { partials, records, delivery, run, typed } = args;
    ConvertSettings::new(ConvertArgs {
        captures: partials,
        input_format: None,
        metering: MeteringArgs::default(),
        selection: SelectionArgs::default(),
        records,
        delivery,
        vpc: VpcArgs { typed, ..VpcArgs::default() },
        partials: Default::default(),
        piece: Default::default(),
        run,
        typed: Vec::new(),
    })
}

fn cannot_merge(error: MergeError) -> Trouble {
    let hint = advice(error.hint(), &error);
    let trouble = Trouble::new(with_causes(&error));
    match hint {
        Some(hint) => trouble.with_hint(hint),
        None => trouble,
    }
}

/// Says which captures were cut: the records have what was read of them.
fn tell_cut(cut: &[(String, String)]) {
    for (path, why) in cut.iter().take(NAMED) {
        warning(format_args!("`{}` was not read to its end: {}", clean(path), clean(why)));
    }
    if cut.len() > NAMED {
        warning(format_args!("{} in all were not read to their end", counted(cut.len() as u64, "capture")));
    }
}
