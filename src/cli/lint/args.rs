//! What can be typed behind `lint`.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use flowtruth::consumer::Consumer;
use flowtruth::flow::AggregationInterval;

const LINT_EXAMPLES: &str = "\
Examples:
  flowtruth lint flow.log.gz
      what cannot be true in a flow log, or breaks what reads it
  flowtruth lint --target otel logs/
      all logs in a directory and below it, with the rules of a consumer
  flowtruth lint --allow duplicate-record,odd-account --deny port-zero flow.log
      without two rules, and a third as an error
  flowtruth lint --sarif flow.log > lint.sarif
      for a pipeline
Exit status:
  0  no errors and no warnings
  1  there are some
  2  trouble, whatever was found";

#[derive(Args, Debug)]
#[command(after_help = LINT_EXAMPLES)]
pub struct LintArgs {
    /// Flow logs (text, JSON, Parquet; gzip or not), directories of flow logs, or `-` for standard input
    #[arg(value_name = "LOG", required_unless_present = "list_rules", value_hint = ValueHint::AnyPath)]
    pub logs: Vec<PathBuf>,

    /// The fields of a log without a header, in AWS's syntax (`'${srcaddr} ${bytes}'`) or a ready format
    #[arg(long, value_name = "FORMAT")]
    pub input_format: Option<String>,

    /// Seconds that one record spans at most (AWS has `60` and `600`); `capture` for any number
    #[arg(long, value_name = "60|600|SECONDS|capture", default_value = "600")]
    pub max_aggregation_interval: AggregationInterval,

    /// Also what breaks this consumer: `flowlogs-reader`, `vrl`, `otel`, `elastic`, `grafana`, `athena`, `duckdb`,
    /// `splunk` or `cloudwatch`
    #[arg(long, value_name = "CONSUMER")]
    pub target: Option<Consumer>,

    /// Switch these rules off, or `all`
    #[arg(long, value_name = "RULE,…", value_delimiter = ',')]
    pub allow: Vec<String>,

    /// Make these rules warnings
    #[arg(long, value_name = "RULE,…", value_delimiter = ',')]
    pub warn: Vec<String>,

    /// Make these rules errors
    #[arg(long, value_name = "RULE,…", value_delimiter = ',')]
    pub deny: Vec<String>,

    /// Show so many findings at most [default: 20; with `--json` and `--sarif` all]
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,

    /// Write a line of JSON for each finding, and one for the numbers
    #[arg(long)]
    pub json: bool,

    /// Write SARIF 2.1.0
    #[arg(long, conflicts_with = "json")]
    pub sarif: bool,

    /// Show the rules and their levels
    #[arg(long)]
    pub list_rules: bool,

    /// Say nothing on standard error but warnings and errors
    #[arg(short, long)]
    pub quiet: bool,
}
