//! What can be typed behind `kit`.

use clap::Args;
use flowtruth::consumer::Consumer;
use flowtruth::deliver::DestinationOptions;
use flowtruth::record::{FileFormat, Layout};

const EXAMPLES: &str = "\
Examples:
  flowtruth kit vrl --log-format v5
      a snippet of VRL that reads records of version 5
  flowtruth kit athena --file-format parquet --hive-compatible-partitions --account-id 123456789012 \\
      --region us-east-1 --location s3://bucket/logs
      a table over the objects that `convert --target athena` writes with the same options
  flowtruth kit duckdb --location flows.parquet | duckdb
      a view of a file, and its totals";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct KitArgs {
    /// Who is to read the log: flowlogs-reader, vrl, otel, elastic, grafana, athena, duckdb, splunk or cloudwatch
    #[arg(value_name = "TARGET")]
    pub target: Consumer,

    /// The fields of the log, as `convert` takes them [default: those that the target takes]
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,

    /// What files hold [default: by the name of `--location`, else what the target takes]
    #[arg(long, value_name = "plain-text|parquet|json")]
    pub file_format: Option<FileFormat>,

    /// Which files there are [default: what the target takes]
    #[arg(long, value_name = "file|s3|cloudwatch|cloudwatch-subscription")]
    pub layout: Option<Layout>,

    /// Text has a header line [default: what the target takes]
    #[arg(long)]
    pub header: bool,

    /// Prefixes of S3 objects as `name=value`
    #[arg(long)]
    pub hive_compatible_partitions: bool,

    /// A prefix for each hour
    #[arg(long)]
    pub per_hour_partition: bool,

    /// The three before in AWS's words: `FileFormat=parquet,HiveCompatiblePartitions=true,PerHourPartition=true`
    #[arg(long, value_name = "NAME=VALUE,…")]
    pub destination_options: Option<DestinationOptions>,

    /// The account in the names of objects
    #[arg(long, value_name = "ID", default_value = "ACCOUNT")]
    pub account_id: String,

    /// The Region in the names of objects
    #[arg(long, value_name = "NAME", default_value = "REGION")]
    pub region: String,

    /// Where the log is: a file, a directory, or `s3://BUCKET/PREFIX`
    #[arg(long, value_name = "PLACE")]
    pub location: Option<String>,

    /// The log group of CloudWatch Logs [default: vpc-flow-logs]
    #[arg(long, value_name = "NAME")]
    pub log_group: Option<String>,
}
