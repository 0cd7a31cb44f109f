//! What a consumer of flow logs has to be told about a log: its configuration, filled in.
//!
//! Each template is a file of `src/kit/templates`, with `{{name}}` where a value goes. The fields' names, columns and types
//! come from [`record`](crate::record), what a consumer takes from [`consumer`](crate::consumer), and where objects are
//! from whoever asks.

mod athena;
mod columns;
mod duckdb;
mod template;

use crate::consumer::Consumer;
use crate::record::{Field, FileFormat, Layout, LogFormat};
use columns::{aws_names, column_names, position};
use template::fill;

/// The log that a configuration is for.
#[derive(Clone, Debug)]
pub struct KitOptions {
    /// The fields of a record.
    pub format: LogFormat,
    /// What files hold.
    pub file_format: FileFormat,
    /// Which files there are.
    pub layout: Layout,
    /// Whether text has a header line.
    pub header: bool,
    /// The account in the names of objects.
    pub account: String,
    /// The Region in the names of objects.
    pub region: String,
    /// Where the log is, without a slash at its end: a file, a directory, or an address in S3.
    pub location: String,
    /// The prefix of objects below the location, with `${year}`, `${month}`, `${day}` and, if there is one, `${hour}` in it
    /// and a slash at its end.
    pub prefix: String,
    /// What the names of objects end with.
    pub suffix: String,
    /// The log group of CloudWatch Logs.
    pub log_group: String,
}

impl KitOptions {
    /// The bucket and the prefix in it, where the location is an address in S3.
    fn bucket_and_prefix(&self) -> &str {
        self.location.strip_prefix("s3://").unwrap_or(&self.location)
    }

    /// The prefix up to where the time begins.
    fn prefix_before_time(&self) -> &str {
        let before = self.prefix.split("${").next().unwrap_or_default();
        before.rsplit_once('/').map_or("", |(before, _)| before)
    }

    /// A pattern for the files of the log.
    fn files(&self) -> String {
        if self.layout == Layout::File {
            return self.location.clone();
        }
        let mut pattern = String::new();
        let mut rest = self.prefix.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            pattern.push_str(before);
            pattern.push('*');
            rest = after.split_once('}').map_or("", |(_, after)| after);
        }
        format!("{}/{pattern}{rest}*{}", self.location, self.suffix)
    }
}

/// The configuration of a consumer for a log, as text that ends with a line break.
///
/// It is checked by nothing here whether the consumer can read such a log: [`Contract`](crate::consumer::Contract) says it.
pub fn kit(consumer: Consumer, options: &KitOptions) -> String {
    match consumer {
        Consumer::FlowlogsReader => flowlogs_reader(options),
        Consumer::Vrl => {
            fill(include_str!("templates/vector.vrl"), &[("columns", &column_names(&options.format))])
        }
        Consumer::Otel => otel(options),
        Consumer::Elastic => filebeat(options),
        Consumer::Grafana => fill(
            include_str!("templates/grafana.txt"),
            &[("fields", &aws_names(&options.format)), ("location", &options.location)],
        ),
        Consumer::Athena => athena::kit(options),
        Consumer::DuckDb => duckdb::kit(options),
        Consumer::Splunk => splunk(options),
        Consumer::CloudWatch => cloudwatch(options),
    }
}

fn flowlogs_reader(options: &KitOptions) -> String {
    match options.layout {
        Layout::CloudWatch | Layout::CloudWatchSubscription => fill(
            include_str!("templates/flowlogs-reader-cloudwatch.sh"),
            &[
                ("region", &options.region),
                ("fields", &aws_names(&options.format)),
                ("log_group", &options.log_group),
            ],
        ),
        Layout::File | Layout::S3 => fill(
            include_str!("templates/flowlogs-reader-s3.sh"),
            &[
                ("file_format", options.file_format.name()),
                ("location", &options.location),
                ("region", &options.region),
                ("account", &options.account),
                ("bucket_and_prefix", options.bucket_and_prefix()),
            ],
        ),
    }
}

fn otel(options: &KitOptions) -> String {
    let (bucket, below) = options.bucket_and_prefix().split_once('/').unwrap_or((&options.location, ""));
    let bucket = bucket.strip_prefix("s3://").unwrap_or(bucket);
    let prefix = [below, options.prefix_before_time()].join("/");
    fill(
        include_str!("templates/otel.yaml"),
        &[
            ("location", &options.location),
            ("file_format", options.file_format.name()),
            ("fields", &aws_names(&options.format)),
            ("region", &options.region),
            ("bucket", bucket),
            ("prefix", prefix.trim_start_matches('/')),
        ],
    )
}

fn filebeat(options: &KitOptions) -> String {
    let first = options.format.fields().first().map_or("", |field| field.name());
    let header = match options.header {
        true => format!("    # the header line is no record\n    exclude_lines: ['^{first} ']\n"),
        false => String::new(),
    };
    fill(
        include_str!("templates/filebeat.yml"),
        &[("location", &options.location), ("header", &header), ("fields", &aws_names(&options.format))],
    )
}

fn splunk(options: &KitOptions) -> String {
    let quoted: Vec<String> =
        options.format.fields().iter().map(|field| format!("\"{}\"", field.column())).collect();
    let start = position(&options.format, Field::Start).to_string();
    fill(
        include_str!("templates/splunk.conf"),
        &[("location", &options.location), ("start", &start), ("quoted", &quoted.join(", "))],
    )
}

fn cloudwatch(options: &KitOptions) -> String {
    let columns: Vec<&str> = options.format.fields().iter().map(|field| field.column()).collect();
    let stars = vec!["*"; columns.len()].join(" ");
    fill(
        include_str!("templates/cloudwatch.sh"),
        &[
            ("log_group", &options.log_group),
            ("insights", &format!("parse @message \"{stars}\" as {}", columns.join(", "))),
            ("pattern", &columns.join(", ")),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn options(format: &str, file_format: FileFormat, layout: Layout) -> KitOptions {
        KitOptions {
            format: LogFormat::preset(format).unwrap(),
            file_format,
            layout,
            header: true,
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            location: "s3://bucket/logs".to_owned(),
            prefix: "AWSLogs/123456789012/vpcflowlogs/us-east-1/${year}/${month}/${day}/".to_owned(),
            suffix: ".log.gz".to_owned(),
            log_group: "vpc-flow-logs".to_owned(),
        }
    }

    #[test]
    fn every_template_is_filled_for_every_log() {
        for consumer in Consumer::ALL {
            for layout in Layout::ALL {
                for file_format in FileFormat::ALL {
                    for format in ["v2", "all"] {
                        let text = kit(consumer, &options(format, file_format, layout));
                        assert!(!text.contains("{{") || consumer == Consumer::Splunk, "{consumer}: {text}");
                        assert!(text.ends_with('\n') && !text.contains("\n\n\n"), "{consumer}: {text}");
                        assert!(text.lines().all(|line| line.trim_end() == line), "{consumer}: {text}");
                    }
                }
            }
        }
    }

    #[test]
    fn files_are_those_of_every_time() {
        let in_s3 = options("v2", FileFormat::PlainText, Layout::S3);
        assert_eq!(
            in_s3.files(),
            "s3://bucket/logs/AWSLogs/123456789012/vpcflowlogs/us-east-1/*/*/*/*.log.gz"
        );
        assert_eq!(in_s3.prefix_before_time(), "AWSLogs/123456789012/vpcflowlogs/us-east-1");
        let prefix = "AWSLogs/aws-region=r/year=${year}/month=${month}/".to_owned();
        let hive = KitOptions { prefix, ..in_s3 };
        assert_eq!(hive.files(), "s3://bucket/logs/AWSLogs/aws-region=r/year=*/month=*/*.log.gz");
        assert_eq!(hive.prefix_before_time(), "AWSLogs/aws-region=r");
    }

    #[test]
    fn splunk_finds_the_time_behind_as_many_values_as_stand_before_it() {
        let text = kit(Consumer::Splunk, &options("v2", FileFormat::PlainText, Layout::File));
        assert!(text.contains("TIME_PREFIX = ^(?:\\S+ ){10}\n"), "{text}");
    }
}
