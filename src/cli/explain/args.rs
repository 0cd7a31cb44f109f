//! What can be typed behind `explain`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueHint};
use flowtruth::decode::Tunnels;
use flowtruth::flow::AggregationInterval;

use crate::cli::mask::MaskArgs;

const EXAMPLES: &str = "\
Examples:
  flowtruth explain capture.pcap
      what the whole capture loses when it becomes a flow log
  flowtruth explain capture.pcap --packet 7
      a packet byte by byte, and the record that it went into
  flowtruth explain capture.pcap --flow '10.0.0.1:443->*'
      a flow's packets against its records, window by window
  flowtruth explain --record '2 123456789012 eni-abc123de 192.168.1.1 10.0.0.1 443 12345 6 10 840 1623101047 1623101107 ACCEPT OK'
      each field of a record in words, and what cannot be known from it";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, group(ArgGroup::new("subject").args(["packet", "flow", "record"])))]
pub struct ExplainArgs {
    /// A capture, or `-` for standard input; it is read twice
    #[arg(value_name = "CAPTURE", required_unless_present = "record", conflicts_with = "record")]
    #[arg(value_hint = ValueHint::FilePath)]
    pub capture: Option<PathBuf>,

    /// Explain the packet of this number, from 1, as Wireshark counts
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub packet: Option<u64>,

    /// Explain the records of this flow, typed as for `extract`
    #[arg(long, value_name = "FLOW")]
    pub flow: Option<String>,

    /// Explain a line of a flow log; a header line may stand in front of it
    #[arg(long, value_name = "LINE")]
    #[arg(conflicts_with_all = ["log_format", "max_aggregation_interval", "window_origin", "decap", "account_id"])]
    #[arg(conflicts_with_all = ["interface_id", "constants"])]
    pub record: Option<String>,

    /// The fields of `--record`, where no header names them
    #[arg(long, value_name = "FORMAT", requires = "record")]
    pub input_format: Option<String>,

    /// How many packets of a record are listed
    #[arg(long, value_name = "N", default_value = "20")]
    pub limit: usize,

    /// Write JSON
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub mask: MaskArgs,

    #[command(flatten)]
    pub records: ExplainedRecordArgs,
}

/// How records are made and identified: some options of `convert`.
#[derive(Args, Debug)]
#[command(next_help_heading = "Records")]
pub struct ExplainedRecordArgs {
    /// Fields of a record in AWS's syntax, or a ready format: `v2`, `v3`, `v4`, `v5`, `all`
    #[arg(long, value_name = "FORMAT", default_value = "v2")]
    pub log_format: String,

    /// Seconds that one record spans at most, or `capture` for the whole
    #[arg(long, value_name = "60|600|SECONDS|capture", default_value = "600")]
    pub max_aggregation_interval: AggregationInterval,

    /// What windows are aligned to: `epoch`, `first-packet`, or a time
    #[arg(long, value_name = "epoch|first-packet|TIME", default_value = "epoch")]
    #[arg(allow_hyphen_values = true)]
    pub window_origin: String,

    /// Count the packets inside these tunnels instead of the outer ones: `vxlan`, `geneve`, `gre`, or `all`
    #[arg(long, value_name = "TUNNEL,…")]
    pub decap: Option<Tunnels>,

    /// The account that owns the interface
    #[arg(long, value_name = "ID", default_value = "unknown")]
    pub account_id: String,

    /// The network interface that the log is of
    #[arg(long, value_name = "ID")]
    pub interface_id: Option<String>,

    /// A field that is the same in every record, such as `vpc-id=vpc-0a1b2c3d`; repeatable
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    pub constants: Vec<String>,
}
