//! What can be typed behind `score`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use flowtruth::pipeline::ColumnMap;

const EXAMPLES: &str = "\
Examples:
  flowtruth convert lesson/capture.pcap | flowtruth score lesson/truth.json -
  flowtruth score lesson/truth.json flows.csv --column 'srcaddr=Src IP' --column 'bytes=Octets'
  flowtruth score lesson/truth.json conversations.json --column packets=src2dst_packets \\
      --column reverse-packets=dst2src_packets …     a row for both directions";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ScoreArgs {
    /// The `truth.json` that `generate` wrote
    #[arg(value_name = "TRUTH", value_hint = ValueHint::FilePath)]
    pub truth: PathBuf,

    /// What the tool made of it: flow log records, CSV with a header line, or JSON; `-` for standard input
    #[arg(value_name = "TOOL-OUTPUT", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,

    /// Which truth counts: what the capture shows, or what the log is made of
    #[arg(long, value_name = "captured|logged", default_value = "captured")]
    pub against: AgainstArg,

    /// Which column is which field, such as `'srcaddr=Src IP'`; repeatable. A field is looked for under its own name
    /// otherwise: srcaddr, dstaddr, srcport, dstport, protocol, packets, bytes, start, end, tcp-flags, and
    /// reverse-packets and reverse-bytes where a row has both directions
    #[arg(long = "column", value_name = "FIELD=COLUMN")]
    pub columns: Vec<ColumnMap>,

    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// Which truth counts.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgainstArg {
    Captured,
    Logged,
}
