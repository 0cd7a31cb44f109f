//! What can be typed behind `merge`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::cli::args::{RecordArgs, RunArgs};
use crate::cli::delivery::args::DeliveryArgs;
use crate::cli::vpc::args::Typed;

const EXAMPLES: &str = "\
Examples:
  flowtruth convert --partials -o monday.parquet monday.pcap
  flowtruth convert --partials -o tuesday.parquet tuesday.pcap
  flowtruth merge --log-format v5 --header -o week.log monday.parquet tuesday.parquet
      what one conversion of both captures writes
  flowtruth merge --layout s3 --account-id 123456789012 --set region=us-east-1 -o logs/ parts/
      objects with the names that AWS's have on S3, of all parts in a folder
  ssh host flowtruth convert --partials capture.pcap | flowtruth merge -
      a part that was counted on another machine";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct MergeArgs {
    /// Partial records (Parquet or Arrow IPC streams of `convert --partials`), folders of them, or `-` for standard input.
    /// Interval, tunnels, filter and the like are what the parts say, and have to be the same in all
    #[arg(value_name = "PARTIALS", required = true, value_hint = ValueHint::AnyPath)]
    pub partials: Vec<PathBuf>,

    #[command(flatten)]
    pub records: RecordArgs,

    #[command(flatten)]
    pub delivery: DeliveryArgs,

    #[command(flatten)]
    pub run: RunArgs,

    /// Whether the format was typed: then no target's takes its place.
    #[arg(skip)]
    pub typed: Typed,
}
