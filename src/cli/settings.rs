//! What was typed → what it means: defaults settled and combinations checked, before any work starts.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use flowtruth::decode::Tunnels;
use flowtruth::packet::Timestamp;
use flowtruth::pipeline::{Fragments, MeterOptions, RecordOptions, WindowOrigin};
use flowtruth::record::{Field, FileFormat, FlowRecord, Layout, LogFormat, Origin};

use super::args::{ConvertArgs, FragmentsArg, MeteringArgs, RecordArgs, RunArgs, SelectionArgs};
use super::delivery::settings::Delivery;
use super::identity::{Identity, same_place};
use super::memory;
use super::messages::Trouble;
use super::pieces::args::ByteRange;
use super::vpc::convert::VpcSettings;

/// Everything `convert` needs to know.
pub struct ConvertSettings {
    pub captures: Vec<PathBuf>,
    pub meter: MeterOptions,
    pub records: RecordOptions,
    pub output: Option<PathBuf>,
    pub delivery: Delivery,
    /// The columns of a flow log without a header line.
    pub input_format: Option<LogFormat>,
    /// Whether the format was typed, described or asked for by a target.
    pub format_is_chosen: bool,
    /// Whether the interval was typed.
    pub interval_is_typed: bool,
    pub ledger: Option<PathBuf>,
    pub quiet: bool,
    /// The part of the capture that is read.
    pub byte_range: Option<ByteRange>,
    /// The VPC around the captures.
    pub vpc: Option<VpcSettings>,
    /// Identity that was given but that the log format does not show, or the other way round.
    pub hints: Vec<String>,
    /// The same of what only packets of no interface of the VPC show, for a capture without any.
    pub hints_without_strangers: Vec<String>,
}

impl ConvertSettings {
    /// Settles what was typed.
    pub fn new(args: ConvertArgs) -> Result<Self, Trouble> {
        let ConvertArgs {
            captures,
            input_format,
            metering,
            selection,
            records,
            delivery,
            vpc,
            piece,
            run,
            ..
        } = args;
        let typed = vpc.typed;
        let input_format = input_format.map(|format| log_format("--input-format", &format)).transpose()?;
        let delivery = Delivery::new(delivery, records.header, records.output.as_deref())?;
        let vpc = VpcSettings::new(vpc)?;
        let described = vpc.as_ref().and_then(|vpc| vpc.format.clone());
        let preferred = described.or_else(|| delivery.preferred_format().filter(|_| !typed.log_format));
        let format_is_chosen = typed.log_format || preferred.is_some();
        let format = preferred.map_or_else(|| log_format("--log-format", &records.log_format), Ok)?;
        delivery.check_format(&format)?;
        let identity = identity(&records)?;
        vpc.iter().for_each(|vpc| vpc.warn(&format));
        if let Some(vpc) = &vpc {
            check_reasons(vpc.options.why, &delivery)?;
        }
        let hints = match vpc {
            None => {
                unset(&format, &identity).into_iter().chain(unshown(&records, &format, &delivery)).collect()
            }
            Some(_) => unshown(&records, &format, &delivery),
        };
        let hints_without_strangers = vpc.iter().filter_map(|_| of_strangers(&records)).collect();
        let mut meter = meter_options(metering, selection, &records, &run)?;
        if let Some(interval) = vpc.as_ref().and_then(|vpc| vpc.interval) {
            meter.interval = interval;
        }
        Ok(ConvertSettings {
            captures,
            meter,
            records: RecordOptions { format, header: delivery.header, identity },
            output: records.output,
            delivery,
            input_format,
            format_is_chosen,
            interval_is_typed: typed.interval,
            ledger: run.ledger,
            quiet: run.quiet,
            byte_range: piece.byte_range,
            vpc,
            hints,
            hints_without_strangers,
        })
    }
}

impl ConvertSettings {
    /// Checks what only captures need: a log's records have an account and a Region of their own.
    pub fn check_captures(&self) -> Result<(), Trouble> {
        if self.vpc.is_none() && self.delivery.layout == Layout::S3 {
            check_names(&self.records.identity)?;
        }
        self.check_objects()
    }

    /// Checks, before anything is made, that what was given can stand in the names of objects.
    pub fn check_objects(&self) -> Result<(), Trouble> {
        match self.delivery.layout {
            Layout::S3 => self.delivery.objects(&self.records.format, &self.records.identity).map(drop),
            _ => Ok(()),
        }
    }

    /// The values that were given for all records.
    pub fn constants(&self) -> FlowRecord {
        let mut constants = self.records.identity.clone();
        if constants.account_id.as_deref() == Some("unknown") {
            constants.account_id = None;
        }
        constants
    }
}

/// The threads to use: as many as were asked for, or as there are cores.
pub fn threads(asked: Option<NonZeroUsize>) -> usize {
    asked.map_or_else(|| std::thread::available_parallelism().map_or(1, NonZeroUsize::get), NonZeroUsize::get)
}

/// How packets are read and metered.
pub fn meter_options(
    metering: MeteringArgs,
    selection: SelectionArgs,
    records: &RecordArgs,
    run: &RunArgs,
) -> Result<MeterOptions, Trouble> {
    check_times(selection.from, selection.until)?;
    Ok(MeterOptions {
        interval: metering.max_aggregation_interval,
        origin: window_origin(&metering.window_origin)?,
        allowed_lateness: metering.allowed_lateness,
        tunnels: metering.decap.unwrap_or(Tunnels::NONE),
        fragments: match metering.fragments {
            FragmentsArg::Zero => Fragments::Zero,
            FragmentsArg::Track => Fragments::Track,
        },
        dedup: metering.dedup,
        duplicate_window: metering.duplicate_window,
        filter: selection.filter,
        from: selection.from,
        until: selection.until,
        count: selection.count,
        interface_addresses: records.interface_addresses.iter().copied().collect(),
        memory_limit: run.memory_limit.or_else(memory::half),
        threads: threads(run.threads),
    })
}

/// Refuses a span of time that nothing can be in.
pub fn check_times(from: Option<Timestamp>, until: Option<Timestamp>) -> Result<(), Trouble> {
    match (from, until) {
        (Some(from), Some(until)) if from >= until => {
            Err(Trouble::new(format!("`--from {from}` is not before `--until {until}`"))
                .with_hint("packets at `--from` count, packets at `--until` do not"))
        }
        _ => Ok(()),
    }
}

pub fn window_origin(text: &str) -> Result<WindowOrigin, Trouble> {
    match text {
        "epoch" => Ok(WindowOrigin::Epoch),
        "first-packet" => Ok(WindowOrigin::FirstPacket),
        time => time.parse::<Timestamp>().map(WindowOrigin::At).map_err(|error| {
            Trouble::new("`--window-origin` takes `epoch`, `first-packet` or a time").caused_by(error)
        }),
    }
}

/// A ready format by its name, or AWS's syntax.
pub fn log_format(option: &str, text: &str) -> Result<LogFormat, Trouble> {
    let format = if text.contains('$') { text.parse() } else { LogFormat::preset(text) };
    format.map_err(|error| {
        let trouble = Trouble::new(format!("`{option}` cannot be used")).caused_by(error);
        trouble.with_hint(
            "`flowtruth fields` lists the fields; ready formats are `v2`, `v3`, `v4`, `v5` and `all`",
        )
    })
}

/// The constants that every record shares.
pub fn identity(args: &RecordArgs) -> Result<FlowRecord, Trouble> {
    let mut identity = FlowRecord::default();
    set(&mut identity, Field::AccountId, &args.account_id, "--account-id")?;
    if let Some(interface_id) = &args.interface_id {
        set(&mut identity, Field::InterfaceId, interface_id, "--interface-id")?;
    }
    for constant in &args.constants {
        let Some((name, value)) = constant.split_once('=') else {
            return Err(Trouble::new(format!("`--set {constant}` has no value"))
                .with_hint("it takes `FIELD=VALUE`, such as `vpc-id=vpc-0a1b2c3d`"));
        };
        let field = Field::from_name(name)
            .map_err(|error| Trouble::new(format!("`--set {constant}` cannot be used")).caused_by(error))?;
        if field.origin() == Origin::Computed {
            return Err(Trouble::new(format!(
                "`{field}` cannot be set: it comes from the packets and the log format"
            )));
        }
        set(&mut identity, field, value, "--set")?;
    }
    Ok(identity)
}

fn set(identity: &mut FlowRecord, field: Field, value: &str, option: &str) -> Result<(), Trouble> {
    field
        .set(identity, value)
        .map_err(|error| Trouble::new(format!("`{option}` cannot be used")).caused_by(error))
}

/// Refuses reasons where there is no room for them.
fn check_reasons(why: bool, delivery: &Delivery) -> Result<(), Trouble> {
    if let (true, Some(target)) = (why, delivery.target) {
        return Err(Trouble::new(format!(
            "`--why` and `--target {target}` contradict each other: it takes records and nothing behind them"
        )));
    }
    let has_room = delivery.layout == Layout::File && delivery.file_format == FileFormat::PlainText;
    match why && !has_room {
        true => Err(Trouble::new("`--why` writes behind a line of text, and here are none")
            .with_hint("leave out `--why`, or `--layout` and `--file-format`")),
        false => Ok(()),
    }
}

/// Asks for what the names of objects need.
fn check_names(identity: &FlowRecord) -> Result<(), Trouble> {
    let is_missing = |value: Option<&str>| value.is_none_or(|value| value == "unknown");
    let lacks = match (is_missing(identity.account_id.as_deref()), is_missing(identity.region.as_deref())) {
        (true, true) => "the account and the Region",
        (true, false) => "the account",
        (false, true) => "the Region",
        (false, false) => return Ok(()),
    };
    Err(Trouble::new(format!("the names of objects on S3 need {lacks}"))
        .with_hint("give them with `--account-id 123456789012` and `--set region=us-east-1`"))
}

/// The identity that the user may have forgotten.
fn unset(format: &LogFormat, identity: &FlowRecord) -> Option<String> {
    let mut unset = Vec::new();
    if format.contains(Field::AccountId) && identity.account_id.as_deref() == Some("unknown") {
        unset.push(("account-id", "unknown"));
    }
    if format.contains(Field::InterfaceId) && identity.interface_id.is_none() {
        unset.push(("interface-id", "-"));
    }
    let fields: Vec<_> = unset.iter().map(|(field, value)| format!("{field} is `{value}`")).collect();
    let options: Vec<_> = unset.iter().map(|(field, _)| format!("`--{field}`")).collect();
    (!unset.is_empty()).then(|| format!("{}; set with {}", fields.join(" and "), options.join(" and ")))
}

/// What was typed that only packets of no interface of the VPC show: of an interface the VPC tells it, but for what its
/// whole account or Region shares.
fn of_strangers(args: &RecordArgs) -> Option<String> {
    const SHARED: [&str; 4] = ["account-id", "vpc-id", "region", "az-id"];
    let names = args.constants.iter().filter_map(|constant| Some(constant.split_once('=')?.0));
    let constants = names.filter(|name| !SHARED.contains(name)).map(|name| format!("`--set {name}`"));
    let interface_id = args.interface_id.as_ref().map(|_| "`--interface-id`".to_owned());
    let addresses = (!args.interface_addresses.is_empty()).then(|| "`--interface-address`".to_owned());
    let typed: Vec<String> = constants.chain(interface_id).chain(addresses).collect();
    (!typed.is_empty()).then(|| {
        let are = if typed.len() == 1 { "is" } else { "are" };
        format!("{} {are} for packets of no interface of the VPC, and no record is of such", typed.join(", "))
    })
}

/// What was typed, but is not shown.
fn unshown(args: &RecordArgs, format: &LogFormat, delivery: &Delivery) -> Vec<String> {
    let mut hints = Vec::new();
    for constant in &args.constants {
        let name = constant.split_once('=').map_or("", |(name, _)| name);
        let in_names = delivery.layout == Layout::S3 && name == Field::Region.name();
        if !in_names && Field::from_name(name).is_ok_and(|field| !format.contains(field)) {
            hints.push(format!("`{name}` is set, but the log format does not show it"));
        }
    }
    if !args.interface_addresses.is_empty() && !format.contains(Field::FlowDirection) {
        hints.push(
            "`--interface-address` tells `flow-direction`, but the log format does not show it".to_owned(),
        );
    }
    hints
}

/// Refuses to write over what is read, or over what is written.
pub fn check_outputs(
    output: Option<&Path>,
    ledger: Option<&Path>,
    inputs: &[(PathBuf, Identity)],
) -> Result<(), Trouble> {
    let standard = Path::new("-");
    if ledger == Some(standard) {
        return Err(Trouble::new("`--ledger -` would mix the ledger with the records")
            .with_hint("name a file; `/dev/stderr` works too"));
    }
    let outputs = [output, ledger].into_iter().flatten().filter(|path| *path != standard);
    for path in outputs {
        let Some(identity) = Identity::of_file(path) else { continue };
        if let Some((input, _)) = inputs.iter().find(|(_, input)| *input == identity) {
            return Err(Trouble::new(format!(
                "`{}` would be written over while `{}` is read from it",
                path.display(),
                input.display()
            ))
            .with_hint("name another file"));
        }
    }
    match (output, ledger) {
        (Some(output), Some(ledger)) if same_place(output, ledger) => {
            Err(Trouble::new(format!("`{}` is named for both the records and the ledger", output.display())))
        }
        _ => Ok(()),
    }
}
