//! `convert` of flow logs: the same records in another format, in other files, over longer intervals.

use std::collections::BTreeSet;
use std::sync::Arc;

use flowtruth::decode::Tunnels;
use flowtruth::deliver::MissingInName;
use flowtruth::packet::Timestamp;
use flowtruth::pipeline::{
    Fragments, LogInput, LogLedger, LogRecords, Progress, RelogOptions, Relogged, WindowOrigin, relog,
};
use flowtruth::record::Layout;
use flowtruth::store::ObjectAddress;
use indicatif::HumanCount;

use super::destination::{Destination, cannot_deliver, write_ledger};
use crate::cli::interrupt::Interrupt;
use crate::cli::messages::{Trouble, advice, clean, error, hint, say, warning};
use crate::cli::output::Output;
use crate::cli::settings::ConvertSettings;
use crate::cli::summary::counted;
use crate::cli::{Exit, Result};

/// How many bad records are shown.
const SHOWN: usize = 5;

/// Converts flow logs.
pub fn run(
    mut settings: ConvertSettings,
    logs: Vec<LogInput>,
    interrupt: &Interrupt,
    progress: &Arc<Progress>,
) -> Result {
    refuse_what_is_about_packets(&settings, &logs)?;
    settings.check_objects()?;
    refuse_to_write_among_inputs(&settings, &logs)?;
    let mut records = LogRecords::new(logs, settings.input_format.clone());
    let own_format = records.first_format();
    let own_format = own_format.filter(|_| !settings.format_is_chosen);
    if !settings.format_is_chosen {
        settings.records.format = own_format.clone().unwrap_or_default();
        settings.delivery.check_format(&settings.records.format)?;
    }
    let mut destination = Destination::open(&settings.delivery, settings.output.as_deref())?;
    let ledger_output = settings.ledger.as_deref().map(Output::file).transpose()?;
    [destination.output(), ledger_output.as_ref()]
        .into_iter()
        .flatten()
        .for_each(|output| interrupt.removes(output));
    let options = RelogOptions {
        interval: settings.interval_is_typed.then_some(settings.meter.interval),
        origin: match settings.meter.origin {
            WindowOrigin::At(time) => time,
            WindowOrigin::Epoch | WindowOrigin::FirstPacket => Timestamp::from_nanos(0),
        },
        allowed_lateness: settings.meter.allowed_lateness / 1_000_000_000,
        memory: settings.meter.memory_limit.unwrap_or(u64::MAX),
        constants: settings.constants(),
        own_format,
    };
    let relogged = destination
        .take(&settings.delivery, &settings.records, false, settings.quiet, |sink| {
            relog(records, &options, sink, progress)
        })?
        .map_err(|error| cannot_deliver(&destination, error))?;
    if relogged.interrupted {
        warning(format_args!("interrupted; {} is not complete", destination.name()));
        return Ok(Exit::Interrupted);
    }
    let in_order = tell(&relogged, settings.input_format.is_some());
    if let Some(output) = ledger_output {
        write_ledger(&relogged.ledger, output)?;
    }
    if !relogged.failures.is_empty() && relogged.ledger.records_read == 0 {
        // nothing was read, so nothing may take the place of an earlier output
        return Ok(Exit::Trouble);
    }
    destination.finish()?;
    if !settings.quiet {
        show(&relogged.ledger);
    }
    relogged.ledger.check().map_err(|imbalance| Trouble::new(imbalance.to_string()))?;
    Ok(if in_order { Exit::Fine } else { Exit::Trouble })
}

/// Refuses options that look at packets, of which a log has none.
fn refuse_what_is_about_packets(
    settings: &ConvertSettings,
    logs: &[LogInput],
) -> std::result::Result<(), Trouble> {
    let meter = &settings.meter;
    let about_packets = [
        (settings.vpc.is_some(), "--vpc"),
        (meter.filter.is_some(), "--filter"),
        (meter.from.is_some(), "--from"),
        (meter.until.is_some(), "--until"),
        (meter.count.is_some(), "--count"),
        (meter.tunnels != Tunnels::NONE, "--decap"),
        (meter.fragments == Fragments::Track, "--fragments"),
        (meter.dedup, "--dedup"),
        (!meter.interface_addresses.is_empty(), "--interface-address"),
        (meter.origin == WindowOrigin::FirstPacket, "--window-origin first-packet"),
    ];
    let Some((_, option)) = about_packets.iter().find(|(typed, _)| *typed) else { return Ok(()) };
    let log = logs.first().map_or_else(String::new, LogInput::name);
    Err(Trouble::new(format!("`{option}` looks at packets, and `{}` is a flow log", clean(&log))).with_hint(
        "of a flow log the fields, the format, the files, the times and the interval can be changed",
    ))
}

/// Refuses to write objects into the directory that logs are read from: the next run would take them for inputs.
fn refuse_to_write_among_inputs(
    settings: &ConvertSettings,
    logs: &[LogInput],
) -> std::result::Result<(), Trouble> {
    let output = settings.output.as_ref().filter(|_| settings.delivery.layout != Layout::File);
    let Some(output) = output else { return Ok(()) };
    let directory = output.canonicalize().ok();
    let address = ObjectAddress::of_path(output).and_then(std::result::Result::ok);
    let is_inside = |log: &&LogInput| match log {
        LogInput::Path(path) => {
            let path = path.canonicalize();
            directory.as_ref().is_some_and(|directory| path.is_ok_and(|path| path.starts_with(directory)))
        }
        LogInput::Openable(object) => {
            let object = object.name().parse();
            address.as_ref().is_some_and(|above| object.is_ok_and(|object| above.is_above(&object)))
        }
        LogInput::Reader(..) => false,
    };
    match logs.iter().find(is_inside) {
        Some(log) => {
            Err(Trouble::new(format!("`{}` lies in the directory that is written to", clean(&log.name())))
                .with_hint("name another directory; the next run would read what this one writes"))
        }
        None => Ok(()),
    }
}

/// Says what went wrong on the way; whether everything was in order.
fn tell(relogged: &Relogged, input_format_is_typed: bool) -> bool {
    for failure in &relogged.failures {
        error(failure);
        advice(failure.hint(), failure).iter().for_each(hint);
    }
    for problem in relogged.problems.iter().take(SHOWN) {
        warning(clean(&problem.to_string()));
    }
    for refused in relogged.refused.iter().take(SHOWN) {
        warning(format_args!("a record was left out: {}", clean(&refused.to_string())));
    }
    let missing = relogged.refused.iter().filter_map(MissingInName::of);
    missing.map(MissingInName::hint).collect::<BTreeSet<_>>().into_iter().for_each(hint);
    if !relogged.problems.is_empty() && !input_format_is_typed {
        hint("`--input-format` names the fields of a log without a header");
    }
    if !relogged.left_out.is_empty() {
        let names: Vec<String> = relogged.left_out.iter().map(|field| format!("`{field}`")).collect();
        let names = names.join(", ");
        warning(format_args!("values of {names} were not written: the first record does not have them"));
        hint("name the fields to be written with `--log-format`");
    }
    let bad: u64 = relogged.ledger.records_bad.values().sum();
    if bad > SHOWN as u64 {
        warning(format_args!("{} in all could not be converted", counted(bad, "record")));
    }
    bad == 0 && relogged.failures.is_empty() && relogged.left_out.is_empty()
}

fn show(ledger: &LogLedger) {
    let bad: u64 = ledger.records_bad.values().sum();
    say(format_args!(
        "{} read from {}: {} written, {} merged into others, {} bad",
        counted(ledger.records_read, "record"),
        counted(ledger.logs, "log"),
        HumanCount(ledger.records_written),
        HumanCount(ledger.records_merged),
        HumanCount(bad)
    ));
    if ledger.windows_written_early > 0 {
        say(format_args!(
            "  windows-written-early: {}, the memory was full, so flows may have several records in a window",
            HumanCount(ledger.windows_written_early)
        ));
    }
}
