use super::*;

#[test]
fn every_version_has_as_many_fields_as_aws_documents() {
    let counts = [
        ("v2", 14),
        ("v3", 21),
        ("v4", 25),
        ("v5", 29),
        ("v7", 39),
        ("v8", 40),
        ("v9", 41),
        ("v10", 42),
        ("v11", 54),
    ];
    for (preset, count) in counts {
        let format = LogFormat::preset(preset).unwrap();
        assert_eq!(format.fields().len(), count, "{preset}");
        assert_eq!(format!("v{}", format.version()), preset);
        assert_eq!(
            format.fields(),
            &Field::ALL[..count],
            "{preset} is a prefix of the documentation's order"
        );
    }
    assert_eq!(Field::ALL.len(), 54);
    assert_eq!(LogFormat::preset("all"), LogFormat::preset("v11"));
    assert_eq!(LogFormat::preset("default"), Ok(LogFormat::default()));
    assert_eq!(LogFormat::preset("v2"), Ok(LogFormat::default()));
}

#[test]
fn the_table_is_in_order_and_names_are_unique() {
    for (index, field) in Field::ALL.into_iter().enumerate() {
        assert_eq!(field as usize, index);
        assert_eq!(Field::from_name(field.name()), Ok(field));
        assert_eq!(Field::from_column(field.column()), Some(field));
        assert_eq!(field.column(), field.name().replace('-', "_"));
        assert_eq!(field.to_string(), field.name());
        assert_ne!(field.version(), 6, "{field}");
    }
    assert!(Field::ALL.is_sorted_by_key(|field| field.version()));
    assert_eq!(Field::from_column("log-status"), None);
}

#[test]
fn every_row_says_something() {
    for field in Field::ALL {
        let info = field.info();
        assert!(info.meaning.ends_with('.') && !info.meaning.contains(['\n', '|']), "{field}");
        assert!(!info.missing.is_empty() && !info.missing.ends_with('.'), "{field}");
        assert!(info.source.starts_with("Flow log"), "{field}");
    }
}

#[test]
fn types_are_those_of_aws_s_parquet_files() {
    let of_type = |wanted: FieldType| -> Vec<&str> {
        Field::ALL.into_iter().filter(|f| f.field_type() == wanted).map(Field::name).collect()
    };
    assert_eq!(
        of_type(FieldType::Int32),
        ["version", "srcport", "dstport", "protocol", "tcp-flags", "traffic-path", "encryption-status"]
    );
    assert_eq!(of_type(FieldType::Int64), ["packets", "bytes", "start", "end"]);
    assert_eq!(of_type(FieldType::String).len(), 43);
}

#[test]
fn a_record_s_values_have_their_field_s_type() {
    for field in Field::ALL {
        let mut record = FlowRecord::default();
        assert_eq!(field.get(&record), Value::Missing);
        for text in ["7", "10.0.0.1", "eni-1", "ACCEPT", "OK", "ingress", "IPv4"] {
            if field.read(&mut record, text).is_ok() {
                break;
            }
        }
        let is_number = matches!(field.get(&record), Value::Int(_) | Value::UInt(_));
        assert!(!field.get(&record).is_missing(), "{field}");
        assert_eq!(is_number, field.field_type() != FieldType::String, "{field}");
        field.read(&mut record, "-").unwrap();
        assert_eq!(record, FlowRecord::default(), "{field}");
    }
}

#[test]
fn an_unknown_name_says_what_was_meant() {
    let cases = [
        ("srcadr", "`srcadr` is no field of a VPC flow log; the nearest is `srcaddr`"),
        ("src-addr", "`src-addr` is no field of a VPC flow log; the nearest is `srcaddr`"),
        ("destport", "`destport` is no field of a VPC flow log; the nearest is `dstport`"),
        ("vpcid", "`vpcid` is no field of a VPC flow log; the nearest is `vpc-id`"),
        ("proto", "`proto` is no field of a VPC flow log; the nearest is `protocol`"),
        ("log-stat", "`log-stat` is no field of a VPC flow log; the nearest is `log-status`"),
        ("ecs-task-ar", "`ecs-task-ar` is no field of a VPC flow log; the nearest is `ecs-task-arn`"),
        ("account_id", "`account_id` is a column name; as a flow log field it is spelled `account-id`"),
        ("SrcAddr", "`SrcAddr` is no field; expected lower case, `srcaddr`"),
        ("ACCOUNT_ID", "`ACCOUNT_ID` is a column name; as a flow log field it is spelled `account-id`"),
        ("tgw-id", "`tgw-id` is a field of transit gateway flow logs (version 6), not of VPC flow logs"),
        (
            "packets_lost_blackhole",
            "`packets_lost_blackhole` is a field of transit gateway flow logs (version 6), not of VPC flow logs",
        ),
        ("quux", "`quux` is no field of a VPC flow log"),
        ("", "`` is no field of a VPC flow log"),
        ("\u{1b}[2J", "`\\u{1b}[2J` is no field of a VPC flow log"),
    ];
    for (name, message) in cases {
        assert_eq!(Field::from_name(name).unwrap_err().to_string(), message);
    }
    let long = "srcaddr".repeat(100_000);
    let error = Field::from_name(&long).unwrap_err();
    assert_eq!(error.reason, UnknownFieldReason::Unlike);
    assert!(error.to_string().len() < 200);
}

#[test]
fn setting_is_strict_and_reading_lenient() {
    let mut record = FlowRecord::default();
    let refused = [
        (
            Field::TrafficPath,
            "9",
            "`traffic-path` cannot be `9`: expected `1`, `2`, `3`, `4`, `5`, `6`, `7` or `8`",
        ),
        (Field::EncryptionStatus, "4", "`encryption-status` cannot be `4`: expected `0`, `1`, `2` or `3`"),
        (Field::RejectReason, "bpa", "`reject-reason` cannot be `bpa`: expected `BPA` or `EC`"),
        (
            Field::Version,
            "6",
            "`version` cannot be `6`: expected `2`, `3`, `4`, `5`, `7`, `8`, `9`, `10` or `11`",
        ),
    ];
    for (field, text, message) in refused {
        assert_eq!(field.set(&mut record, text).unwrap_err().to_string(), message);
        assert_eq!(record, FlowRecord::default());
        field.read(&mut record, text).unwrap();
        assert_eq!(field.get(&record).to_string(), text);
        field.clear(&mut record);
    }
    let never = [
        (Field::SrcAddr, "10.0.0", "`srcaddr` cannot be `10.0.0`: expected an IPv4 or IPv6 address"),
        (Field::DstPort, "http", "`dstport` cannot be `http`: expected a whole number from 0 to 65535"),
        (Field::Protocol, "tcp", "`protocol` cannot be `tcp`: expected a whole number from 0 to 255"),
        (Field::TcpFlags, "SYN", "`tcp-flags` cannot be `SYN`: expected a whole number from 0 to 255"),
        (Field::Start, "now", "`start` cannot be `now`: expected Unix seconds, a whole number"),
        (Field::Action, "DROP", "`action` cannot be `DROP`: expected `ACCEPT` or `REJECT`"),
        (
            Field::Region,
            "eu central",
            "`region` cannot be `eu central`: expected text without white space or control characters",
        ),
        (Field::Region, "", "`region` cannot be ``: expected text without white space or control characters"),
    ];
    for (field, text, message) in never {
        assert_eq!(field.set(&mut record, text).unwrap_err().to_string(), message);
        assert!(field.read(&mut record, text).is_err());
        assert_eq!(record, FlowRecord::default());
    }
    let set = [(Field::TrafficPath, "8"), (Field::SublocationType, "outpost"), (Field::Region, "a%20b")];
    for (field, text) in set {
        field.set(&mut record, text).unwrap();
        assert_eq!(field.get(&record).to_string(), text);
        field.set(&mut record, "-").unwrap();
        assert_eq!(field.get(&record), Value::Missing);
    }
}

#[test]
fn the_version_is_the_highest_among_the_fields() {
    let cases = [
        ("${srcaddr}", 2),
        ("${log-status} ${version}", 2),
        ("${srcaddr} ${vpc-id}", 3),
        ("${version} ${vpc-id} ${az-id} ${bytes}", 4),
        ("${traffic-path} ${region} ${tcp-flags}", 5),
        ("${ecs-task-id} ${version}", 7),
        ("${reject-reason}", 8),
        ("${resource-id} ${reject-reason}", 9),
        ("${encryption-status} ${resource-id}", 10),
        ("${version} ${interface-type}", 11),
    ];
    for (text, version) in cases {
        let format: LogFormat = text.parse().unwrap();
        assert_eq!(format.version(), version, "{text}");
        assert_eq!(format.to_string(), text);
        assert_eq!(format.value(Field::Version, &FlowRecord::default()), Value::UInt(u64::from(version)));
    }
}

#[test]
fn formats_are_read_leniently_and_printed_strictly() {
    let format: LogFormat = "  ${srcport}\t${dstport}\n  ${srcaddr} ".parse().unwrap();
    assert_eq!(format.fields(), [Field::SrcPort, Field::DstPort, Field::SrcAddr]);
    assert_eq!(format.to_string(), "${srcport} ${dstport} ${srcaddr}");
    assert_eq!(format.header(), "srcport dstport srcaddr");
    assert_eq!(LogFormat::from_header(" srcport  dstport srcaddr\r\n"), Ok(format.clone()));
    assert_eq!(LogFormat::from_header(&format.header()), Ok(format));
    assert_eq!("v5".parse(), LogFormat::preset("v5"));
    assert_eq!(" all ".parse(), LogFormat::preset("all"));
}

#[test]
fn a_wrong_format_says_where() {
    let cases = [
        (
            "srcaddr",
            "`srcaddr` is no log format: expected `default`, `v2`, `v3`, `v4`, `v5`, `v7`, `v8`, `v9`, `v10`, `v11`, `all` or fields such as `${srcaddr} ${dstaddr}`",
        ),
        (
            "v6",
            "there is no `v6` of VPC flow logs: version 6 is for transit gateways only; expected `default`, `v2`, `v3`, `v4`, `v5`, `v7`, `v8`, `v9`, `v10`, `v11`, `all`",
        ),
        (
            "",
            "a log format needs at least one field, such as `${version}`; within double quotes a shell replaces `${…}`, within single quotes it does not",
        ),
        (
            "${version} account-id ${srcaddr}",
            "character 12 of the log format: `account-id` stands outside `${}`, expected `${field}`",
        ),
        (
            "${version},${srcaddr}",
            "character 11 of the log format: `,` stands outside `${}`, expected `${field}`",
        ),
        (
            "${version}${srcaddr}",
            "character 11 of the log format: found `${srcaddr}`, expected a space before it",
        ),
        ("${version} ${srcaddr", "character 12 of the log format: `${srcaddr` is not closed, expected `}`"),
        ("${version ${srcaddr}", "character 1 of the log format: `${version` is not closed, expected `}`"),
        ("$version", "character 1 of the log format: `$version` stands outside `${}`, expected `${field}`"),
        (
            "${version} ${srcadr}",
            "character 14 of the log format: `srcadr` is no field of a VPC flow log; the nearest is `srcaddr`",
        ),
        ("${version} ${}", "character 14 of the log format: `` is no field of a VPC flow log"),
        ("${bytes} ${bytes}", "character 12 of the log format: `bytes` is there twice"),
        ("é ${bytes}", "character 1 of the log format: `é` stands outside `${}`, expected `${field}`"),
        (
            "${bytes} é ${bytes}",
            "character 10 of the log format: `é` stands outside `${}`, expected `${field}`",
        ),
        ("${", "character 1 of the log format: `${` is not closed, expected `}`"),
    ];
    for (text, message) in cases {
        assert_eq!(text.parse::<LogFormat>().unwrap_err().to_string(), message, "{text:?}");
    }
    let headers = [
        (
            "",
            "a log format needs at least one field, such as `${version}`; within double quotes a shell replaces `${…}`, within single quotes it does not",
        ),
        (
            "version  account_id",
            "character 10 of the log format: `account_id` is a column name; as a flow log field it is spelled `account-id`",
        ),
        ("bytes bytes", "character 7 of the log format: `bytes` is there twice"),
    ];
    for (text, message) in headers {
        assert_eq!(LogFormat::from_header(text).unwrap_err().to_string(), message, "{text:?}");
    }
    assert_eq!(LogFormat::new([]), Err(LogFormatError::Empty));
    assert!(LogFormat::new([Field::End, Field::End]).is_err());
}

#[test]
fn the_reference_serialises() {
    let json = serde_json::to_value(Field::TcpFlags.info()).unwrap();
    assert_eq!(json["name"], "tcp-flags");
    assert_eq!(json["column"], "tcp_flags");
    assert_eq!(json["version"], 3);
    assert_eq!(json["type"], "INT_32");
    assert_eq!(json["origin"], "computed");
    assert_eq!(json["values"]["bits"][0], serde_json::json!(["1", "FIN"]));
    assert_eq!(serde_json::to_string(&Field::LogStatus).unwrap(), "\"log-status\"");
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn no_format_panics_and_a_good_one_reads_itself(text in "[$a-z{} é-]{0,40}|\\PC{0,20}") {
            for format in [text.parse::<LogFormat>(), LogFormat::from_header(&text)] {
                match format {
                    Ok(format) => prop_assert_eq!(format.to_string().parse(), Ok(format)),
                    Err(error) => prop_assert!(!error.to_string().is_empty()),
                }
            }
        }

        #[test]
        fn any_choice_and_order_reads_itself(
            fields in Just(Field::ALL.to_vec()).prop_shuffle(),
            count in 1..=Field::ALL.len(),
        ) {
            let format = LogFormat::new(fields.into_iter().take(count)).unwrap();
            prop_assert_eq!(format.to_string().parse(), Ok(format.clone()));
            prop_assert_eq!(LogFormat::from_header(&format.header()), Ok(format));
        }

        #[test]
        fn a_refused_value_changes_nothing(
            field in proptest::sample::select(Field::ALL.to_vec()),
            text in "\\PC{0,12}|[0-9:.]{0,20}",
        ) {
            let mut record = FlowRecord::default();
            match field.set(&mut record, &text) {
                Ok(()) => prop_assert!(field.read(&mut record, &text).is_ok()),
                Err(_) => prop_assert_eq!(record, FlowRecord::default()),
            }
        }
    }
}
