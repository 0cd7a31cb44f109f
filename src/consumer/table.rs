//! THE table of the consumers.

use super::{Consumer, Contract, Formats, Header};
use crate::record::Field::{self, *};
use crate::record::FileFormat::{Json, Parquet, PlainText};
use crate::record::Layout::{CloudWatch, File, S3};

/// AWS's default format.
const DEFAULT: &[Field] = Field::ALL.split_at(14).0;

/// The example of AWS's page for a NAT gateway.
const NAT_GATEWAY: [Field; 6] = [InstanceId, InterfaceId, SrcAddr, DstAddr, PktSrcAddr, PktDstAddr];

/// The example of AWS's page for a transit gateway, seen by a VPC flow log.
const TRANSIT_GATEWAY: [Field; 17] = [
    Version,
    InterfaceId,
    AccountId,
    VpcId,
    SubnetId,
    InstanceId,
    SrcAddr,
    DstAddr,
    SrcPort,
    DstPort,
    Protocol,
    TcpFlags,
    Type,
    PktSrcAddr,
    PktDstAddr,
    Action,
    LogStatus,
];

/// The example of AWS's page for `tcp-flags`.
const TCP_FLAGS: [Field; 21] = [
    Version,
    VpcId,
    SubnetId,
    InstanceId,
    InterfaceId,
    AccountId,
    Type,
    SrcAddr,
    DstAddr,
    SrcPort,
    DstPort,
    PktSrcAddr,
    PktDstAddr,
    Protocol,
    Bytes,
    Packets,
    Start,
    End,
    Action,
    TcpFlags,
    LogStatus,
];

/// All fields up to version 5 in the order of AWS's documentation.
const VERSION_5: &[Field] = Field::ALL.split_at(29).0;

/// The default format with the packet's own addresses and their services.
const GRAFANA: [Field; 18] = [
    Version,
    AccountId,
    InterfaceId,
    SrcAddr,
    DstAddr,
    SrcPort,
    DstPort,
    Protocol,
    Packets,
    Bytes,
    Start,
    End,
    Action,
    LogStatus,
    PktSrcAddr,
    PktDstAddr,
    PktSrcAwsService,
    PktDstAwsService,
];

/// What text breaks at nearly every consumer.
const DOUBLE_SPACE: &str = "two spaces in a row, or one at the end of a line";

pub(super) const fn contract(consumer: Consumer) -> &'static Contract {
    match consumer {
        Consumer::FlowlogsReader => &Contract {
            title: "flowlogs-reader 5.0.1",
            formats: Formats::UpTo(11),
            file_formats: &[PlainText, Parquet],
            header: Header::Required,
            layouts: &[S3, CloudWatch],
            breaks_on: &[
                "an object without a header line, or without gzip",
                "Hive-compatible prefixes, any other object name, or a hash with `_`: silently no records",
                "times as RFC 3339, or two spaces in a row: the record is skipped",
                "Parquet with a dictionary, with version 2 data pages, or compressed other than with gzip",
                "records older than the time that is asked for, which is the last hour by default",
            ],
        },
        Consumer::Vrl => &Contract {
            title: "Vector and its remap language, `parse_aws_vpc_flow_log`",
            formats: Formats::UpTo(5),
            file_formats: &[PlainText],
            header: Header::Forbidden,
            layouts: &[File],
            breaks_on: &[
                "a header line",
                DOUBLE_SPACE,
                "a tab between values; a carriage return stays in the last value",
                "another number of values than the format names",
            ],
        },
        Consumer::Otel => &Contract {
            title: "OpenTelemetry Collector, `awslogs_encoding` extension",
            formats: Formats::UpTo(11),
            file_formats: &[PlainText],
            header: Header::Required,
            layouts: &[S3, File],
            breaks_on: &["one line that is wrong: the whole file is refused", DOUBLE_SPACE],
        },
        Consumer::Elastic => &Contract {
            title: "Elastic's AWS integration, `vpcflow`",
            formats: Formats::OneOf(&[DEFAULT, &NAT_GATEWAY, &TRANSIT_GATEWAY, &TCP_FLAGS, VERSION_5]),
            file_formats: &[PlainText],
            header: Header::Either,
            layouts: &[File],
            breaks_on: &[
                "any other number of values: the record is kept as unread text",
                "the same number of values in another order: values land in the wrong fields",
                "times other than Unix seconds",
                DOUBLE_SPACE,
            ],
        },
        Consumer::Grafana => &Contract {
            title: "Grafana's `vpc-flow-logs-analyzer`",
            formats: Formats::OneOf(&[&GRAFANA]),
            file_formats: &[PlainText],
            header: Header::Required,
            layouts: &[S3, File],
            breaks_on: &["any header but the one of its 18 fields", DOUBLE_SPACE],
        },
        Consumer::Athena => &Contract {
            title: "Amazon Athena",
            formats: Formats::UpTo(11),
            file_formats: &[PlainText, Parquet],
            header: Header::Required,
            layouts: &[S3],
            breaks_on: &[
                "text without a header line: the first record of each file is lost",
                "text whose fields are in another order than the table's columns",
            ],
        },
        Consumer::DuckDb => &Contract {
            title: "DuckDB",
            formats: Formats::UpTo(11),
            file_formats: &[Parquet, PlainText, Json],
            header: Header::Required,
            layouts: &[File, S3],
            breaks_on: &["text without a header line: the first record is lost", DOUBLE_SPACE],
        },
        Consumer::Splunk => &Contract {
            title: "Splunk Add-on for AWS, `aws:cloudwatchlogs:vpcflow`",
            formats: Formats::OneOf(&[DEFAULT]),
            file_formats: &[PlainText],
            header: Header::Forbidden,
            layouts: &[File],
            breaks_on: &["a custom format: values are taken by their place"],
        },
        Consumer::CloudWatch => &Contract {
            title: "Amazon CloudWatch Logs, `PutLogEvents`",
            formats: Formats::UpTo(11),
            file_formats: &[PlainText],
            header: Header::Forbidden,
            layouts: &[CloudWatch],
            breaks_on: &[
                "events that are not in the order of their time",
                "more than 10,000 events, 1,048,576 bytes (26 for each event included) or 24 hours in one batch",
                "events older than 14 days or more than 2 hours ahead, see `--rebase`",
            ],
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumer::ContractBreach;
    use crate::record::LogFormat;

    #[test]
    fn presets_are_what_the_lists_say() {
        assert_eq!(LogFormat::preset("v2").unwrap().fields(), DEFAULT);
        assert_eq!(LogFormat::preset("v5").unwrap().fields(), VERSION_5);
    }

    #[test]
    fn every_contract_can_be_kept() {
        for consumer in Consumer::ALL {
            let contract = consumer.contract();
            assert_eq!(contract.reads(&contract.preferred_format()), Ok(()), "{consumer}");
            assert!(!contract.file_formats.is_empty() && !contract.layouts.is_empty(), "{consumer}");
            let is_cloudwatch = contract.layouts.first() == Some(&CloudWatch);
            assert!(!is_cloudwatch || contract.header == Header::Forbidden, "events have no header line");
            if let Formats::OneOf(lists) = contract.formats {
                for list in lists {
                    LogFormat::new(list.iter().copied()).unwrap();
                }
            }
        }
    }

    #[test]
    fn a_format_that_is_not_known_is_refused_with_the_reason() {
        let v7 = LogFormat::preset("v7").unwrap();
        let breach = Consumer::Vrl.contract().reads(&v7).unwrap_err();
        assert_eq!(breach, ContractBreach::FieldTooNew { field: EcsClusterArn, up_to: 5 });
        assert_eq!(
            breach.to_string(),
            "`ecs-cluster-arn` is of version 7, and it knows fields up to version 5"
        );
        let breach = Consumer::Elastic.contract().reads(&v7).unwrap_err();
        assert_eq!(
            breach.to_string(),
            "these 39 fields are in none of the orders that it knows, which have 14, 6, 17, 21, 29 fields"
        );
        // the same fields in another order are another format
        let turned = LogFormat::new(DEFAULT.iter().rev().copied()).unwrap();
        assert!(Consumer::Splunk.contract().reads(&turned).is_err());
    }
}
