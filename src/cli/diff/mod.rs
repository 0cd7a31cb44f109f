//! `diff`: packets against flow logs, every difference with its cause.

pub mod args;
mod machine;
mod packets;
mod people;
mod sides;

use std::io::Write;
use std::sync::Arc;

use args::{ComparingArgs, DiffArgs, LogArgs, RunningArgs, ShowingArgs};
use flowtruth::decode::Tunnels;
use flowtruth::diff::{CompareOptions, Surroundings, Tolerance, Verdict};
use flowtruth::flow::UnloggedTraffic;
use flowtruth::pipeline::{DiffOptions, DiffReport, DiffVpc, MeterOptions, Progress, diff};
use flowtruth::vpc::Vpc;

use super::interrupt::Interrupt;
use super::messages::{Trouble, advice, cannot_write, clean, error, hint, say, warning};
use super::output::Output;
use super::progress::Bar;
use super::summary::counted;
use super::vpc::convert::{check_interfaces, configured_traffic};
use super::{Exit, Result, inputs, memory, settings};

/// How many lines that cannot be read are shown.
const PROBLEMS_SHOWN: usize = 5;

pub fn run(args: DiffArgs) -> Result {
    let DiffArgs { sides, references, candidates, logs, comparing, showing, running } = args;
    let progress = Arc::new(Progress::new());
    let (references, candidates) = sides::named(sides, references, candidates)?;
    let mut opened = sides::Opened::new(&progress, showing.quiet);
    let reference = opened.side("reference", &references, logs.format(logs.reference_format.as_deref())?)?;
    let candidate = opened.side("candidate", &candidates, logs.format(logs.candidate_format.as_deref())?)?;
    let vpc = opened.vpc(&comparing.vpc)?;
    if let Some(vpc) = &vpc {
        check_interfaces(vpc, &comparing.only_interface)?;
    }
    packets::check(showing.write_packets.as_deref(), &opened)?;
    let interrupt = Interrupt::watch(&progress);
    let output = match &showing.output {
        Some(path) => {
            opened.refuse_to_overwrite(path)?;
            Output::file(path)?
        }
        None => Output::standard(),
    };
    let packets_output = showing.write_packets.as_deref().map(Output::file).transpose()?;
    [Some(&output), packets_output.as_ref()]
        .into_iter()
        .flatten()
        .for_each(|output| interrupt.removes(output));
    let bar = (!showing.quiet).then(|| Bar::follow(&progress, opened.total_bytes, false));
    let strict = comparing.strict;
    let options = options(&logs, comparing, vpc, &running);
    let report = diff(reference, candidate, &options, &progress);
    drop(bar);
    if report.interrupted {
        warning(format_args!("interrupted; nothing was compared"));
        return Ok(Exit::Interrupted);
    }
    let in_order = tell(&report, &logs, showing.quiet);
    write(&report, &showing, output)?;
    if let (Some(path), Some(packets)) = (&showing.write_packets, packets_output) {
        packets::write((path, packets), &report, &opened, &options.meter, &progress, showing.quiet)?;
    }
    Ok(match report.comparison.verdict {
        _ if !in_order => Exit::Trouble,
        Verdict::Different => Exit::Differences,
        Verdict::Explained if strict => Exit::Differences,
        Verdict::Explained | Verdict::Same => Exit::Fine,
    })
}

impl LogArgs {
    /// The format of one side: its own, or that of both.
    fn format(
        &self,
        own: Option<&str>,
    ) -> std::result::Result<Option<flowtruth::record::LogFormat>, Trouble> {
        own.or(self.input_format.as_deref())
            .map(|format| settings::log_format("--input-format", format))
            .transpose()
    }
}

fn options(
    logs: &LogArgs,
    comparing: ComparingArgs,
    vpc: Option<Arc<Vpc>>,
    running: &RunningArgs,
) -> DiffOptions {
    let ComparingArgs { packets_delta, bytes_delta, start_delta, end_delta, vpc_cidrs, .. } = comparing;
    let (only, traffic_type) = (comparing.only_interface, comparing.traffic_type);
    let of_vpc = |vpc: &Arc<Vpc>| DiffVpc {
        vpc: Arc::clone(vpc),
        traffic_type: traffic_type.or_else(|| configured_traffic(vpc, &only)),
        only: only.iter().cloned().collect(),
    };
    let unlogged = vpc.as_ref().map_or_else(|| UnloggedTraffic::new(vpc_cidrs), |vpc| vpc.unlogged().clone());
    DiffOptions {
        meter: MeterOptions {
            tunnels: logs.decap.unwrap_or(Tunnels::NONE),
            filter: logs.filter.clone(),
            threads: settings::threads(running.threads),
            memory_limit: running.memory_limit.or_else(memory::half),
            ..MeterOptions::default()
        },
        vpc: vpc.as_ref().map(of_vpc),
        compare: CompareOptions {
            tolerance: Tolerance {
                packets: packets_delta,
                bytes: bytes_delta,
                start: start_delta,
                end: end_delta,
            },
            unlogged,
            vpc: vpc.map(|vpc| vpc as Arc<dyn Surroundings>),
            witness_is_candidate: false,
        },
    }
}

/// Says what went wrong on the way; whether everything was in order.
fn tell(report: &DiffReport, logs: &LogArgs, quiet: bool) -> bool {
    inputs::report(&report.capture_failures);
    for failure in &report.log_failures {
        error(failure);
        advice(failure.hint(), failure).iter().for_each(hint);
    }
    for problem in report.problems.iter().take(PROBLEMS_SHOWN) {
        warning(format_args!("{}", clean(&problem.to_string())));
    }
    let sides = [("reference", &report.reference), ("candidate", &report.candidate)];
    let bad: u64 = sides.iter().filter_map(|(_, side)| side.bad_lines).sum();
    if bad > PROBLEMS_SHOWN as u64 {
        warning(format_args!("{} in all could not be compared", counted(bad, "line")));
    }
    if bad > 0 && !logs.skip_bad_lines {
        hint(
            "`--skip-bad-lines` leaves them out, `--input-format` names the fields of a log without a header",
        );
    }
    for (name, side) in sides.iter().filter(|_| !quiet) {
        let leniencies = side.read.iter().flat_map(|read| read.leniencies.iter());
        for (leniency, lines) in leniencies {
            say(format_args!(
                "{name}: {}, read all the same in {}",
                leniency.meaning(),
                counted(lines, "line")
            ));
        }
    }
    let is_apart = report.is_apart();
    if is_apart {
        Trouble::new("the two sides have no time in common, so nothing was compared")
            .with_hint("are they of the same day, and are their clocks in the same time zone?")
            .report();
    }
    !is_apart
        && report.capture_failures.is_empty()
        && report.log_failures.is_empty()
        && (bad == 0 || logs.skip_bad_lines)
}

fn write(report: &DiffReport, showing: &ShowingArgs, mut output: Output) -> std::result::Result<(), Trouble> {
    let name = output.name().to_owned();
    let written = if showing.json {
        machine::json(report, &mut output)
    } else if showing.ndjson {
        machine::ndjson(report, &mut output)
    } else if showing.junit {
        machine::junit(report, &mut output)
    } else {
        let text = people::text(report, showing.limit);
        if showing.output.is_some() {
            output.write_all(anstream::adapter::strip_str(&text).to_string().as_bytes())
        } else {
            let mut terminal = anstream::stdout();
            terminal.write_all(text.as_bytes()).and_then(|()| terminal.flush())
        }
    };
    written.map_err(|error| cannot_write(&name, error))?;
    output.finish()
}
