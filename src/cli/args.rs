//! What can be typed. These structs hold user input only; `settings` says what it means.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use flowtruth::decode::Tunnels;
use flowtruth::filter::Filter;
use flowtruth::flow::AggregationInterval;
use flowtruth::packet::Timestamp;

use super::delivery::args::DeliveryArgs;
use super::diff::args::DiffArgs;
use super::extract::args::ExtractArgs;
use super::generate::args::GenerateArgs;
use super::kit::args::KitArgs;
use super::lint::args::LintArgs;
use super::merge::args::MergeArgs;
use super::partials::args::PartialsArgs;
use super::pieces::args::{PieceArgs, SplitPointsArgs};
use super::report::args::ReportArgs;
use super::score::args::ScoreArgs;
use super::vpc::args::{ExplainArgs, VpcArgs};

/// Turn packet captures into AWS VPC Flow Log records, with every packet accounted for
#[derive(Parser, Debug)]
#[command(name = "flowtruth", version, max_term_width = 100, after_help = CLI_EXAMPLES)]
pub struct Cli {
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,

    #[command(subcommand)]
    pub command: Command,
}

const CLI_EXAMPLES: &str = "\
Examples:
  flowtruth convert capture.pcap                     records on standard output
  tcpdump -i eth0 -w - | flowtruth convert -         records as windows close
  flowtruth merge monday.parquet tuesday.parquet     the records of captures converted in parts
  flowtruth diff capture.pcap flow.log               packets against a flow log
  flowtruth inspect capture.pcap                     what is in a capture, or in a flow log
  flowtruth report capture.pcap -o report.html       a page that shows packets become records
  flowtruth lint flow.log                            what in a flow log cannot be true
  flowtruth extract capture.pcap --log flow.log --line 2 -o packets.pcap
                                                     the packets behind a record
  flowtruth explain capture.pcap --packet 7          a packet's bytes, and its record
  flowtruth quiz capture.pcap                        questions about it, checked and explained
  flowtruth explain-action --vpc vpc/ '203.0.113.5->10.0.0.10:22/tcp'
                                                     what a VPC's rules do to a flow
  flowtruth kit athena --log-format v5               a table for the log, to be created in Athena
  flowtruth generate ssh-and-rdp -o lesson           traffic whose truth is known
  flowtruth score lesson/truth.json flows.csv        what another tool made of it
  flowtruth fields tcp-flags                         what a field means";

/// When output is coloured.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    Always,
    Never,
}

impl Color {
    /// Makes it the choice of everything that writes.
    pub fn write_global(self) {
        match self {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Write the flow log records of captures
    Convert(Box<ConvertArgs>),
    /// Make the flow log of captures that were converted in parts
    Merge(Box<MergeArgs>),
    /// Say where to cut a big pcap, so that its pieces can be converted at once
    SplitPoints(SplitPointsArgs),
    /// Show what is in captures, and which options of `convert` fit; or what is in flow logs
    Inspect(InspectArgs),
    /// Compare captures and flow logs, and say of every difference why
    Diff(Box<DiffArgs>),
    /// Write one page of HTML: packets, the records they became, and every packet accounted for
    Report(Box<ReportArgs>),
    /// Say what in flow logs cannot be true, or breaks what reads them
    Lint(Box<LintArgs>),
    /// Write the packets behind a flow or a record as a capture
    Extract(Box<ExtractArgs>),
    /// Write a capture, a flow log and a VPC of known traffic, and the truth about it
    Generate(Box<GenerateArgs>),
    /// Say what share of a truth another tool got right
    Score(ScoreArgs),
    /// Show what a packet knew, what its record kept, and what was lost
    Explain(Box<super::explain::args::ExplainArgs>),
    /// Ask questions about a capture and its records
    Quiz(Box<super::quiz::args::QuizArgs>),
    /// Say what the rules of a VPC do to a flow, without a capture
    ExplainAction(ExplainArgs),
    /// Explain the fields of a flow log record
    Fields(FieldsArgs),
    /// Print what a reader of flow logs has to be told: its configuration, tables, commands
    Kit(Box<KitArgs>),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Write the manual pages
    Man(ManArgs),
}

const CONVERT_EXAMPLES: &str = "\
Examples:
  flowtruth convert capture.pcap
      records of 600 s windows in the default format (version 2)
  flowtruth convert --max-aggregation-interval 60 --account-id 123456789012 \\
      --interface-id eni-abc123de -o flow.log.gz captures/
      all captures of a directory as one, gzip output
  flowtruth convert --decap vxlan --log-format v5 --header mirror.pcap
      the packets inside VPC Traffic Mirroring, 29 fields, header line
  flowtruth convert --log-format '${srcaddr} ${dstaddr} ${bytes}' --filter 'tcp port 443' a.pcap
      chosen fields of chosen packets
  tcpdump -i eth0 -w - | flowtruth convert -
      records as soon as the packets' time has passed their window
  flowtruth convert --vpc vpc/ --why capture.pcap
      the records of every interface of a VPC, ACCEPT or REJECT, and the rule that decided
  flowtruth convert --layout s3 --account-id 123456789012 --set region=us-east-1 -o logs/ capture.pcap
      objects with the names that AWS's have on S3
  flowtruth convert --max-aggregation-interval 600 --file-format json flow.log.gz
      a flow log again, with longer intervals and as JSON
  flowtruth convert --file-format parquet -o flows.parquet capture.pcap
      Parquet with AWS's columns
  flowtruth convert --partials -o part.parquet capture.pcap
      rows that add up with those of other captures, for `flowtruth merge`
  flowtruth convert --partials --byte-range 0-1073741824 -o first.parquet big.pcap
      the same of the first GiB of a big pcap
  flowtruth convert --target athena --account-id 123456789012 --set region=us-east-1 -o logs/ capture.pcap
      what Athena reads";

#[derive(Args, Debug)]
#[command(after_help = CONVERT_EXAMPLES)]
pub struct ConvertArgs {
    /// Captures (pcap, pcapng; also compressed with gzip, zstd, xz, bzip2 or lz4), directories of captures, or `-` for
    /// standard input; read in time order as one capture. Or flow logs, whose records are written anew
    #[arg(value_name = "CAPTURE|LOG", value_hint = ValueHint::AnyPath)]
    pub captures: Vec<PathBuf>,

    /// The fields of a flow log that has no header line, as `--log-format` takes them
    #[arg(long, value_name = "FORMAT")]
    pub input_format: Option<String>,

    #[command(flatten)]
    pub metering: MeteringArgs,

    #[command(flatten)]
    pub selection: SelectionArgs,

    #[command(flatten)]
    pub records: RecordArgs,

    #[command(flatten)]
    pub delivery: DeliveryArgs,

    #[command(flatten)]
    pub vpc: VpcArgs,

    #[command(flatten)]
    pub partials: PartialsArgs,

    #[command(flatten)]
    pub piece: PieceArgs,

    #[command(flatten)]
    pub run: RunArgs,

    /// The names of the options that were typed.
    #[arg(skip)]
    pub typed: Vec<String>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Metering")]
pub struct MeteringArgs {
    /// Seconds that one record spans at most (AWS has `60` and `600`), or `capture` for the whole
    #[arg(long, value_name = "60|600|SECONDS|capture", default_value = "600")]
    pub max_aggregation_interval: AggregationInterval,

    /// What windows are aligned to: `epoch`, `first-packet`, or a time (Unix seconds or RFC 3339)
    #[arg(long, value_name = "epoch|first-packet|TIME", default_value = "epoch", allow_hyphen_values = true)]
    pub window_origin: String,

    /// Seconds after a window's end in which packets may still come for it; later ones get records of their own
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds, allow_hyphen_values = true)]
    pub allowed_lateness: u64,

    /// Count the packets inside these tunnels instead of the outer ones: `vxlan`, `geneve`, `gre`, or `all`
    #[arg(long, value_name = "TUNNEL,…")]
    pub decap: Option<Tunnels>,

    /// Ports of fragments other than the first: `0 0`, or those of the first fragment
    #[arg(long, value_name = "zero|track", default_value = "zero")]
    pub fragments: FragmentsArg,

    /// Skip the second sight of a packet that the capture shows more than once
    #[arg(long)]
    pub dedup: bool,

    /// Seconds within which two sights of one packet are suspected to be one
    #[arg(long, value_name = "SECONDS", default_value = "0.01", value_parser = seconds, allow_hyphen_values = true)]
    pub duplicate_window: u64,
}

/// What counts where nothing is typed.
impl Default for MeteringArgs {
    fn default() -> Self {
        MeteringArgs {
            max_aggregation_interval: AggregationInterval::DEFAULT,
            window_origin: "epoch".to_owned(),
            allowed_lateness: 10_000_000_000,
            decap: None,
            fragments: FragmentsArg::Zero,
            dedup: false,
            duplicate_window: 10_000_000,
        }
    }
}

/// What later fragments are counted under.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum FragmentsArg {
    Zero,
    Track,
}

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Selection")]
pub struct SelectionArgs {
    /// Only packets that match, in tcpdump's words: host, net, port, portrange, proto, src, dst, tcp, udp, …
    #[arg(long, value_name = "EXPRESSION")]
    pub filter: Option<Filter>,

    /// Only packets at or after this time (Unix seconds, RFC 3339, or a date)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub from: Option<Timestamp>,

    /// Only packets before this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<Timestamp>,

    /// Stop after so many packets that go into records
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Records")]
pub struct RecordArgs {
    /// Fields of a record in AWS's syntax (`'${srcaddr} ${bytes}'`), or a ready format: `v2`, `v3`, `v4`, `v5`, `all`
    #[arg(long, value_name = "FORMAT", default_value = "v2")]
    pub log_format: String,

    /// Write AWS's header line first, as in flow log files on S3
    #[arg(long)]
    pub header: bool,

    /// The account that owns the interface, usually 12 digits
    #[arg(long, value_name = "ID", default_value = "unknown")]
    pub account_id: String,

    /// The network interface that the log is of, `eni-…`
    #[arg(long, value_name = "ID")]
    pub interface_id: Option<String>,

    /// A field that is the same in every record, such as `vpc-id=vpc-0a1b2c3d`; repeatable
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    pub constants: Vec<String>,

    /// An address of the interface, from which `flow-direction` is known; repeatable
    #[arg(long = "interface-address", value_name = "ADDRESS")]
    pub interface_addresses: Vec<std::net::IpAddr>,

    /// Write the records to this file (`.gz`: gzip; `.parquet`) once they are complete, instead of to standard output; with
    /// `--layout` into this directory
    #[arg(short, long, value_name = "FILE|DIR/", value_hint = ValueHint::AnyPath)]
    pub output: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Running")]
pub struct RunArgs {
    /// Write the ledger, which accounts for every packet, to this file as JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ledger: Option<PathBuf>,

    /// Say nothing on standard error but warnings and errors
    #[arg(short, long)]
    pub quiet: bool,

    /// Memory to use at most, such as `512MB`, `2GiB` or plain bytes; flows in open windows that do not fit go to
    /// the temporary directory [default: half of what the machine or its cgroup allows]
    #[arg(long, value_name = "SIZE", value_parser = super::memory::parse_size)]
    pub memory_limit: Option<u64>,

    /// Threads to use: with 1 everything runs on one, with more metering and writing have their own [default: the
    /// available cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<std::num::NonZeroUsize>,
}

const INSPECT_EXAMPLES: &str = "\
Examples:
  flowtruth inspect capture.pcap
  flowtruth inspect --json *.pcapng | jq '.captures[].time'
  flowtruth inspect flow.log.gz              what is in a flow log
  flowtruth inspect --json flow.log          how each of its lines was understood
  flowtruth inspect --vpc vpc/               the VPC as it was understood, and what is missing";

#[derive(Args, Debug)]
#[command(after_help = INSPECT_EXAMPLES)]
pub struct InspectArgs {
    /// Captures or flow logs, directories of either, or `-` for standard input; each on its own
    #[arg(value_name = "FILE", required_unless_present = "vpc", value_hint = ValueHint::AnyPath)]
    pub captures: Vec<PathBuf>,

    /// Show the VPC that these files and folders describe, and what is missing from it; repeatable
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub vpc: Vec<PathBuf>,

    /// Write JSON: one document of all captures, or of flow logs a line for each of their lines
    #[arg(long)]
    pub json: bool,

    /// The fields of a flow log without a header, in AWS's syntax, or a ready format such as `v5`
    #[arg(long, value_name = "FORMAT")]
    pub input_format: Option<String>,

    /// Look inside these tunnels: `vxlan`, `geneve`, `gre`, or `all`
    #[arg(long, value_name = "TUNNEL,…")]
    pub decap: Option<Tunnels>,

    /// Say nothing on standard error but warnings and errors
    #[arg(short, long)]
    pub quiet: bool,
}

const FIELDS_EXAMPLES: &str = "\
Examples:
  flowtruth fields                all 54 fields, a line each
  flowtruth fields srcport        one field in full
  flowtruth fields --json         the same as JSON";

#[derive(Args, Debug)]
#[command(after_help = FIELDS_EXAMPLES)]
pub struct FieldsArgs {
    /// One field; all of them, if none is named
    #[arg(value_name = "NAME")]
    pub name: Option<String>,

    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

#[derive(Args, Debug)]
pub struct ManArgs {
    /// Write a page for every command into this directory, instead of the main page to standard output
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub output: Option<PathBuf>,
}

/// Seconds with up to nine digits of fraction → nanoseconds.
pub fn seconds(text: &str) -> Result<u64, String> {
    let time: Result<Timestamp, _> = text.parse();
    let digits = text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains(['-', ':', 'T']);
    match time.ok().and_then(|time| u64::try_from(time.nanos()).ok()) {
        Some(nanos) if digits => Ok(nanos),
        None if digits && text.bytes().all(|b| b.is_ascii_digit()) => {
            Err("more than 9223372036 seconds cannot be held".to_owned())
        }
        _ => Err("expected seconds, such as `10` or `0.5`".to_owned()),
    }
}
