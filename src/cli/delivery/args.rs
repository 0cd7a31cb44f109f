//! What can be typed about how records are delivered.

use clap::Args;
use flowtruth::consumer::Consumer;
use flowtruth::deliver::{DestinationOptions, FlowLogId};
use flowtruth::record::{FileFormat, Layout};

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Delivery")]
pub struct DeliveryArgs {
    /// What files hold [default: by the name of `-o`, else `plain-text`]
    #[arg(long, value_name = "plain-text|parquet|json|ocsf")]
    pub file_format: Option<FileFormat>,

    /// One file; or in the directory `-o` objects with AWS's names, or events for CloudWatch Logs [default: `file`]
    #[arg(long, value_name = "file|s3|cloudwatch|cloudwatch-subscription")]
    pub layout: Option<Layout>,

    /// Prefixes of S3 objects as `name=value`
    #[arg(long)]
    pub hive_compatible_partitions: bool,

    /// A prefix for each hour
    #[arg(long)]
    pub per_hour_partition: bool,

    /// The three before in AWS's words: `FileFormat=parquet,HiveCompatiblePartitions=true,PerHourPartition=true`
    #[arg(long, value_name = "NAME=VALUE,…")]
    pub destination_options: Option<DestinationOptions>,

    /// The flow log in the names of S3 objects [default: made of the account, the Region, the fields and the layout]
    #[arg(long, value_name = "fl-…")]
    pub flow_log_id: Option<FlowLogId>,

    /// The log group of CloudWatch events [default: vpc-flow-logs]
    #[arg(long, value_name = "NAME")]
    pub log_group: Option<String>,

    /// Shift all times by whole intervals, so that the first packet's window is the one of this time: `now`, `now-SECONDS`,
    /// Unix seconds or RFC 3339
    #[arg(long, value_name = "TIME|now", allow_hyphen_values = true)]
    pub rebase: Option<String>,

    /// Write what this reader of flow logs takes: flowlogs-reader, vrl, otel, elastic, grafana, athena, duckdb, splunk or
    /// cloudwatch
    #[arg(long, value_name = "CONSUMER")]
    pub target: Option<Consumer>,
}
