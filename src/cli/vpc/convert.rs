//! What `--vpc` means for `convert`.

use std::num::NonZeroU32;
use std::path::PathBuf;

use flowtruth::flow::AggregationInterval;
use flowtruth::pipeline::{Ledger, TrafficType, VpcOptions};
use flowtruth::record::{Field, LogFormat};
use flowtruth::vpc::{FlowLog, PathEdition, Vpc};
use indicatif::HumanCount;

use super::args::{Edition, VpcArgs};
use super::load::{Loaded, load, warn};
use crate::cli::identity::Identity;
use crate::cli::messages::{Trouble, hint, say};

/// The VPC that was asked for, and what its flow logs' configuration says.
pub struct VpcSettings {
    pub options: VpcOptions,
    pub files: Vec<(PathBuf, Identity)>,
    /// The format of the described flow log, unless another was typed.
    pub format: Option<LogFormat>,
    /// Its interval, unless another was typed.
    pub interval: Option<AggregationInterval>,
}

impl VpcSettings {
    /// Settles what was typed; `None` without `--vpc`.
    pub fn new(args: VpcArgs) -> Result<Option<VpcSettings>, Trouble> {
        if args.paths.is_empty() {
            return Ok(None);
        }
        let Loaded { vpc, files } = load(&args.paths)?;
        check_interfaces(&vpc, &args.only_interface)?;
        let configured = configured(&vpc, &args.only_interface);
        let typed = args.typed;
        let (mut format, mut interval, mut traffic_type) = (None, None, None);
        if let Some(flow_log) = configured {
            format = flow_log.format.clone().filter(|_| !typed.log_format);
            let seconds = flow_log.interval.filter(|_| !typed.interval).and_then(NonZeroU32::new);
            interval = seconds.map(AggregationInterval::Seconds);
            traffic_type = flow_log.traffic_type.as_deref().and_then(|word| word.parse().ok());
        }
        let options = VpcOptions {
            only: args.only_interface.into_iter().collect(),
            known_only: args.known_only,
            why: args.why,
            like_aws: args.like_aws,
            nodata: args.nodata,
            traffic_type: args.traffic_type.or(traffic_type).unwrap_or(TrafficType::All),
            path_edition: match args.traffic_path_edition {
                Edition::Current => PathEdition::Current,
                Edition::Of2021 => PathEdition::Of2021,
            },
            ..VpcOptions::new(vpc)
        };
        Ok(Some(VpcSettings { options, files, format, interval }))
    }
}

impl VpcSettings {
    /// Warns of what is missing from the VPC for this format.
    pub fn warn(&self, format: &LogFormat) {
        let of_routes = |field: &Field| field.name().starts_with("next-hop-") || *field == Field::TrafficPath;
        warn(&self.options.vpc, format.fields().iter().any(of_routes));
    }
}

/// Refuses interfaces that the VPC does not have.
pub fn check_interfaces(vpc: &Vpc, ids: &[String]) -> Result<(), Trouble> {
    let is_known = |id: &String| {
        let nat = vpc.model().nat_gateways.iter().any(|nat| nat.is_regional && nat.id == *id);
        nat || vpc.interface_named(id).is_some()
    };
    match ids.iter().find(|id| !is_known(id)) {
        Some(id) => Err(unknown_interface(vpc, id)),
        None => Ok(()),
    }
}

/// The traffic type of the described flow log of these interfaces.
pub fn configured_traffic(vpc: &Vpc, only: &[String]) -> Option<TrafficType> {
    configured(vpc, only)?.traffic_type.as_deref()?.parse().ok()
}

fn unknown_interface(vpc: &Vpc, id: &str) -> Trouble {
    let known: Vec<_> = vpc.model().interfaces.iter().map(|interface| interface.id.as_str()).collect();
    let nearest = known.iter().max_by(|a, b| strsim(a, id).total_cmp(&strsim(b, id)).then_with(|| b.cmp(a)));
    let trouble = Trouble::new(format!("`--only-interface {id}` is no interface of the VPC"));
    match nearest {
        Some(nearest) => {
            trouble.with_hint(format!("the nearest is `{nearest}`; `flowtruth inspect --vpc` lists all"))
        }
        None => trouble
            .with_hint("the VPC has no interface at all; is `describe-network-interfaces` among its files?"),
    }
}

/// How many characters at the beginning are alike.
fn strsim(a: &str, b: &str) -> f64 {
    let alike = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    alike as f64
}

/// The flow log whose configuration counts: the one of the interface that is asked for, of its subnet or VPC; the only
/// one, or all where they agree.
fn configured<'a>(vpc: &'a Vpc, only: &[String]) -> Option<&'a FlowLog> {
    let logs = &vpc.model().flow_logs;
    if let [id] = only
        && let Some(interface) = vpc.interface_named(id).and_then(|at| vpc.interface(at))
    {
        let resources = [Some(&interface.id), interface.subnet.as_ref(), interface.vpc.as_ref()];
        for resource in resources.into_iter().flatten() {
            if let Some(found) = logs.iter().find(|log| log.resource.as_ref() == Some(resource)) {
                return Some(found);
            }
        }
    }
    let first = logs.first()?;
    let same = |log: &FlowLog| {
        (&log.format, log.interval, &log.traffic_type) == (&first.format, first.interval, &first.traffic_type)
    };
    if logs.iter().all(same) {
        return Some(first);
    }
    hint(format_args!(
        "the VPC has {} flow logs that are not configured alike, so none is followed; `--only-interface` chooses one",
        logs.len()
    ));
    None
}

/// Shows what the VPC adds to the short form of the ledger.
pub fn show(ledger: &Ledger) {
    let Some(vpc) = &ledger.total.vpc else { return };
    let line = |name: &str, count: u64, explanation: &str| {
        if count > 0 {
            say(format_args!("  {name}: {}, {explanation}", HumanCount(count)));
        }
    };
    line(
        "second-records",
        vpc.packets_in_second_records,
        "packets counted once more, at another interface that they passed",
    );
    line(
        "no-known-interface",
        vpc.packets_of_no_known_interface,
        "packets of no interface of the VPC, in records with the constants",
    );
    line("mid-stream", vpc.connections_judged_mid_stream, "connections judged without their beginning");
    line("undecided", vpc.packets_undecided, "packets in records whose action is `-`");
    line("nodata", vpc.records_nodata, "records of windows without traffic");
    line(
        "nodata-left-out",
        vpc.records_nodata_left_out,
        "records of windows without traffic that were not written, more than 100,000 in a row",
    );
    line("skipdata", vpc.records_skipdata, "records of windows in which the capture lost packets");
    line(
        "losses-of-no-known-interface",
        vpc.losses_of_no_known_interface,
        "losses of the capture where no interface of the VPC was seen",
    );
}
