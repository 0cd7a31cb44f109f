//! What can be typed about the VPC around a capture.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use flowtruth::pipeline::TrafficType;

/// `--vpc` and what depends on it, of `convert`.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "The VPC around the capture")]
pub struct VpcArgs {
    /// The VPC: JSON of the AWS CLI (`describe-network-interfaces` and others), `ip-ranges.json` or this program's TOML,
    /// as files or folders of them; repeatable
    #[arg(long = "vpc", value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,

    /// Only records of this interface (`eni-…`) or regional NAT gateway (`nat-…`); repeatable
    #[arg(long, value_name = "ID", requires = "paths")]
    pub only_interface: Vec<String>,

    /// Skip packets of no interface that the VPC has, instead of writing them with the constants
    #[arg(long, requires = "paths")]
    pub known_only: bool,

    /// Write behind each record, after a tab, which rule decided
    #[arg(long, requires = "paths")]
    pub why: bool,

    /// Leave out what AWS never logs: DNS, DHCP, instance metadata and the like
    #[arg(long, requires = "paths")]
    pub like_aws: bool,

    /// Write a NODATA record for each window without traffic of an interface, between its first and its last traffic
    #[arg(long, requires = "paths")]
    pub nodata: bool,

    /// Only records of this action [default: ALL, or what `describe-flow-logs` says]
    #[arg(long, value_name = "ALL|ACCEPT|REJECT", requires = "paths")]
    pub traffic_type: Option<TrafficType>,

    /// Which edition of AWS's table of traffic paths counts: today's, or that of 2021 to 2024
    #[arg(long, value_name = "current|2021", requires = "paths", default_value = "current")]
    pub traffic_path_edition: Edition,

    /// Whether the format and the interval were typed: then no flow log's configuration takes their place.
    #[arg(skip)]
    pub typed: Typed,
}

/// Which options of others were typed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Typed {
    pub log_format: bool,
    pub interval: bool,
}

/// An edition of AWS's table of traffic paths.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Edition {
    #[default]
    Current,
    #[value(name = "2021")]
    Of2021,
}

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  flowtruth explain-action --vpc vpc/ '203.0.113.5:50000->10.0.0.10:22/tcp'
      would SSH be let in, and its replies out
  flowtruth explain-action --vpc lesson.toml --icmp 8 '10.1.0.5->10.0.0.10/icmp'
      would a ping";

/// `explain-action`.
#[derive(Args, Debug)]
#[command(after_help = EXPLAIN_EXAMPLES)]
pub struct ExplainArgs {
    /// The flow: `SRC:PORT->DST:PORT/PROTOCOL`, or a record's five values `SRCADDR DSTADDR SRCPORT DSTPORT PROTOCOL`
    #[arg(value_name = "FLOW")]
    pub flow: String,

    /// The VPC, as `convert` takes it; repeatable
    #[arg(long = "vpc", value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,

    /// The ICMP type, and the code [default: 0]
    #[arg(long, value_name = "TYPE[/CODE]")]
    pub icmp: Option<String>,

    /// Write JSON
    #[arg(long)]
    pub json: bool,
}
