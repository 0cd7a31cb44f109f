//! Lines: headers, records, leniencies, bad lines, `aws logs tail`.

use super::*;

#[test]
fn a_file_of_s3_has_a_header_and_clean_lines() {
    let (entries, summary) = read_whole(format!("{HEADER}\n{RECORD}\n{NODATA}\n"));
    assert!(matches!(&entries[0].seen, Seen::Header(names) if names.join(" ") == HEADER));
    assert_eq!(lines_of(&entries), [RECORD, NODATA]);
    assert_eq!(entries[2].place, Place { line: 3, offset: (HEADER.len() + RECORD.len() + 2) as u64 });
    assert_eq!(entries[1].text, RECORD.as_bytes());
    let expected = LogReadSummary {
        shape: Some(LogShape::Text),
        lines: 3,
        records: 2,
        ok: 1,
        nodata: 1,
        headers: 1,
        ..LogReadSummary::default()
    };
    assert_eq!(summary, expected);
    // no line end at the end is nothing to remark on
    let (again, summary) = read_whole(format!("{HEADER}\n{RECORD}\n{NODATA}"));
    assert_eq!((again, summary), (entries, expected));
}

#[test]
fn an_empty_log_has_no_lines() {
    for bytes in [vec![], gzip(b"")] {
        let (entries, summary) = read_whole(bytes);
        assert_eq!((entries.len(), summary.shape), (0, None));
    }
}

#[test]
fn every_leniency_is_read_and_counted_once_a_line() {
    use Leniency::*;
    let header = |from: &str, to: &str| format!("{}\n{RECORD}", HEADER.replace(from, to));
    let record = |from: &str, to: &str| RECORD.replace(from, to);
    let braces = HEADER.split(' ').map(|name| format!("${{{name}}}")).collect::<Vec<_>>().join(" ");
    let cases: Vec<(String, Vec<Leniency>)> = vec![
        (format!("\u{feff}{RECORD}"), vec![ByteOrderMark]),
        (format!("{NODATA}\n\u{feff}{RECORD}"), vec![ByteOrderMark]),
        (format!("\u{feff}{HEADER}\n{RECORD}"), vec![ByteOrderMark]),
        (format!("{RECORD}\r\n"), vec![CarriageReturn]),
        (format!("{RECORD}\r"), vec![CarriageReturn]),
        (format!("{RECORD} \r\r\n"), vec![CarriageReturn, TrailingSpace]),
        (format!("{HEADER}\r\n{RECORD}"), vec![CarriageReturn]),
        (format!("  {RECORD}"), vec![LeadingSpace]),
        (format!("{RECORD} "), vec![TrailingSpace]),
        (record(" 22 ", "  22   "), vec![RepeatedSpace]),
        (record(" ", "\t"), vec![Tab]),
        (record(" 22", "\t 22") + "\t", vec![TrailingSpace, RepeatedSpace, Tab]),
        (format!("{RECORD} # ssh, allowed"), vec![TrailingComment]),
        (format!("{RECORD}\t\t#"), vec![TrailingComment]),
        (format!("# made by hand\n{RECORD}"), vec![CommentLine]),
        (format!(" \t#\r\n{RECORD}"), vec![CommentLine]),
        (format!("\n{RECORD}"), vec![BlankLine]),
        (format!(" \t\r\n{RECORD}"), vec![BlankLine]),
        (format!("\u{1b}[32m{RECORD}\u{1b}[0m"), vec![AnsiColour]),
        (header("-", "_"), vec![HeaderUnderscores]),
        (format!("{braces}\n{RECORD}"), vec![HeaderBraces]),
        (header("log-status", "LOG_Status"), vec![HeaderUnderscores, HeaderCase]),
        (format!("{HEADER} end\n{RECORD} 7"), vec![RepeatedColumn]),
        (record("ACCEPT OK", "accept Ok"), vec![WordCase]),
    ];
    let mut met = Leniencies::NONE;
    for (text, expected) in &cases {
        let (entries, summary) = read_whole(text);
        assert_eq!(summary.bad, 0, "{text:?}");
        let counts: Vec<_> = expected.iter().map(|leniency| (*leniency, 1)).collect();
        assert_eq!(summary.leniencies.iter().collect::<Vec<_>>(), counts, "{text:?}");
        assert_eq!(lines_of(&entries).last().map(String::as_str), Some(RECORD), "{text:?}");
        let of_lines: Vec<_> = entries.iter().flat_map(|entry| entry.leniencies.iter()).collect();
        assert_eq!(&of_lines, expected, "{text:?}");
        expected.iter().for_each(|leniency| met.insert(*leniency));
    }
    assert_eq!(met.iter().collect::<Vec<_>>(), Leniency::ALL);
}

#[test]
fn leniencies_have_names_of_their_own() {
    let mut names: Vec<_> = Leniency::ALL.into_iter().map(Leniency::name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Leniency::ALL.len());
    let (_, summary) = read_whole(format!("{RECORD} \n\n{RECORD} \n"));
    let report = serde_json::to_value(&summary).unwrap();
    assert_eq!(report["leniencies"], serde_json::json!({"trailing-space": 2, "blank-line": 1}));
    assert_eq!(report["shape"], "text");
}

#[test]
fn the_double_space_of_aws_s_own_page_is_read() {
    let header = "version vpc-id subnet-id instance-id interface-id account-id type srcaddr dstaddr srcport dstport pkt-srcaddr pkt-dstaddr protocol bytes packets start end action tcp-flags log-status";
    let line = "3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 123456789010 IPv4 10.0.0.62 52.213.180.42 5001 43638  10.0.0.62 52.213.180.42 6 967 14 1566933133 1566933193 ACCEPT 19 OK";
    let (entries, summary) = read_whole(format!("{header}\n{line}\n"));
    assert_eq!(summary.leniencies.iter().collect::<Vec<_>>(), [(Leniency::RepeatedSpace, 1)]);
    let Seen::Record(record, _) = &entries[1].seen else { panic!("{entries:?}") };
    assert_eq!((record.bytes, record.packets, record.dstport), (Some(967), Some(14), Some(43638)));
}

#[test]
fn a_header_changes_the_columns_from_there_on() {
    let text = format!("{HEADER}\n{RECORD}\nsrcaddr bytes\n192.0.2.9 7\n{RECORD}\n{HEADER}\n{RECORD}\n");
    let (entries, summary) = read_whole(text);
    assert_eq!((summary.headers, summary.records, summary.bad), (3, 3, 1));
    let Seen::Record(record, others) = &entries[3].seen else { panic!("{entries:?}") };
    // nothing is left of the record before it
    let expected =
        FlowRecord { srcaddr: Some("192.0.2.9".parse().unwrap()), bytes: Some(7), ..FlowRecord::default() };
    assert_eq!((&**record, others.len()), (&expected, 0));
    assert_eq!(entries[4].seen, Seen::Bad(LineError::FieldCount { found: 14, expected: 2 }.into()));
    assert_eq!(entries[6].seen, Seen::Record(Box::new(record_of(RECORD)), vec![]));
}

#[test]
fn a_header_is_seen_where_every_column_takes_any_text() {
    let (entries, _) =
        read_whole("interface-id vpc-id\neni-1 vpc-1\nvpc-id interface-id\n# eni\nvpc-2 eni-2\n");
    let seen: Vec<_> = entries
        .iter()
        .map(|entry| match &entry.seen {
            Seen::Record(record, _) => {
                format!("{} {}", record.interface_id.as_ref().unwrap(), record.vpc_id.as_ref().unwrap())
            }
            seen => format!("{seen:?}"),
        })
        .collect();
    assert_eq!(
        seen,
        [
            r#"Header(["interface-id", "vpc-id"])"#,
            "eni-1 vpc-1",
            r#"Header(["vpc-id", "interface-id"])"#,
            "Comment",
            "eni-2 vpc-2"
        ]
    );
    let (entries, summary) = read_whole("interface-id vpc-id\n\u{feff}eni-1 vpc-1\n");
    let Seen::Record(record, _) = &entries[1].seen else { panic!("{entries:?}") };
    assert_eq!(record.interface_id.as_deref(), Some("eni-1"));
    assert_eq!(summary.leniencies.get(Leniency::ByteOrderMark), 1);
}

#[test]
fn a_given_format_holds_until_a_header() {
    let format: LogFormat = "${bytes} ${srcaddr}".parse().unwrap();
    let text = format!("7 192.0.2.9\n{HEADER}\n{RECORD}\n7 192.0.2.9\n");
    let (entries, error, summary) = read_from(Box::new(io::Cursor::new(text)), Some(format));
    assert_eq!((error, summary.records, summary.bad), (None, 2, 1));
    assert!(matches!(&entries[0].seen, Seen::Record(record, _) if record.bytes == Some(7)));
    assert_eq!(entries[3].seen, Seen::Bad(LineError::FieldCount { found: 2, expected: 14 }.into()));
}

#[test]
fn columns_that_are_no_fields_are_kept_as_text() {
    let text = "version resource-type tgw-id srcaddr shiny-new packets-lost-mtu-exceeded start log-status\n\
                6 TransitGateway tgw-1 192.0.2.1 - 3 1700000000 OK\n\
                6 TransitGateway tgw-2 192.0.2.1 yes 4 1700000000 SKIPDATA\n";
    let (entries, summary) = read_whole(text);
    assert_eq!((summary.records, summary.ok, summary.skipdata, summary.bad), (2, 1, 1, 0));
    let Seen::Record(record, others) = &entries[1].seen else { panic!("{entries:?}") };
    assert_eq!((record.version, record.start), (Some(6), Some(1_700_000_000)));
    let others: Vec<_> = others.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let expected = [
        ("resource-type", "TransitGateway"),
        ("tgw-id", "tgw-1"),
        ("shiny-new", "-"),
        ("packets-lost-mtu-exceeded", "3"),
    ];
    assert_eq!(others, expected);
    let Seen::Record(_, others) = &entries[2].seen else { panic!("{entries:?}") };
    assert_eq!(others[2].1, "yes");
    let reader = {
        let mut reader = LogReader::new("log", Box::new(text.as_bytes()), LogReadOptions::default());
        assert!(reader.advance().unwrap());
        reader
    };
    let columns = reader.columns();
    assert!(!columns.is_complete());
    assert_eq!(columns.format().unwrap().header(), "version srcaddr start log-status");
    assert_eq!(columns.columns()[1], Column::Other("resource-type".into()));
}

#[test]
fn words_that_are_mostly_no_names_are_no_header() {
    for text in ["type eni-1 vpc-1", "a b c region", "resource-type tgw-id"] {
        let (entries, _) = read_whole(text);
        assert!(matches!(entries[0].seen, Seen::Bad(_)), "{text}");
    }
}

#[test]
fn a_repeated_column_keeps_the_first_value() {
    let (entries, _) = read_whole("bytes srcaddr bytes\n1 192.0.2.1 2\n");
    let Seen::Record(record, others) = &entries[1].seen else { panic!("{entries:?}") };
    assert_eq!(record.bytes, Some(1));
    assert_eq!(others, &[("bytes".to_owned(), "2".to_owned())]);
}

#[test]
fn a_bad_line_says_what_and_where_and_stops_nothing() {
    let bad = |line: &str| {
        let text = format!("{RECORD}\n{line}\n{RECORD}\n");
        let mut reader = LogReader::new("log", Box::new(io::Cursor::new(text)), LogReadOptions::default());
        assert!(reader.advance().unwrap() && reader.advance().unwrap());
        let Content::Bad(bad) = reader.entry().content else { panic!("{line:?} was read") };
        let bad = bad.clone();
        assert!(reader.entry().leniencies.is_empty());
        assert!(reader.advance().unwrap());
        assert!(matches!(reader.entry().content, Content::Record(_)));
        assert_eq!((reader.summary().records, reader.summary().bad), (2, 1));
        assert_eq!(reader.summary().leniencies, LeniencyCounts::default());
        bad
    };
    let line = bad(&RECORD.replace("20641", "NaN"));
    assert_eq!(line.field(), Some(Field::SrcPort));
    assert_eq!(line.place, Place { line: 2, offset: RECORD.len() as u64 + 1 });
    assert!(line.text.starts_with("2 123456789010 eni-"));
    assert_eq!(
        line.to_string(),
        "line 2: value 6, character 61 of the line: `srcport` cannot be `NaN`: expected a whole number from 0 to 65535"
    );
    // the position is that in the line as it is
    let line = bad(&format!("  {}", RECORD.replace(" 20641", "   65536")));
    assert_eq!(
        line.to_string(),
        "line 2: value 6, character 65 of the line: `srcport` cannot be `65536`: expected a whole number from 0 to 65535"
    );
    let messages = [
        (RECORD.replace(" OK", ""), "line 2: found 13 values, expected the format's 14"),
        (format!("{RECORD} OK  # more"), "line 2: found 15 values, expected the format's 14"),
        ("hello".to_owned(), "line 2: found 1 values, expected the format's 14"),
    ];
    for (text, message) in messages {
        let line = bad(&text);
        assert_eq!((line.to_string().as_str(), line.field()), (message, None));
    }
    let line = bad(&RECORD.replace("eni-", "\u{1}\u{1b}eni-"));
    assert!(line.text.contains("\\u{1}\\u{1b}eni-"), "{}", line.text);
    assert_eq!(line.field(), Some(Field::InterfaceId));
    // times as RFC 3339 are wrong data, not another spelling
    assert_eq!(bad(&RECORD.replace("1418530010", "2014-12-14T04:06:50Z")).field(), Some(Field::Start));

    let (entries, _) = read_whole(b"2 \xff\n".as_slice());
    assert_eq!(entries[0].seen, Seen::Bad(LineError::NotUtf8 { position: 3 }.into()));
}

#[test]
fn lines_behind_a_time_are_those_of_aws_logs_tail() {
    let stream = "eni-1235b8ca123456789-all";
    let time = 1_700_000_000_123;
    let tail = |time: &str, rest: &str| format!("{time} {rest}");
    let cases = [
        (tail("2023-11-14T22:13:20.123456+00:00", &format!("{stream} {RECORD}")), Some(stream)),
        (tail("2023-11-14T22:13:20.123Z", &format!("{stream} {NODATA}")), Some(stream)),
        (tail("2023-11-14T23:13:20.123+01:00", RECORD), None),
        (tail("2023-11-14T22:13:20.123", RECORD), None),
    ];
    for (line, stream) in &cases {
        let (entries, summary) = read_whole(line);
        assert_eq!((summary.records, summary.tail_lines, summary.bad), (1, 1, 0), "{line}");
        assert!(summary.leniencies.iter().next().is_none(), "{line}");
        let event = Some((Some(time), stream.map(str::to_owned), None));
        assert_eq!(entries[0].event, event, "{line}");
        assert_eq!(lines_of(&entries).len(), 1);
    }
    let coloured = format!(
        "\u{1b}[32m2023-11-14T22:13:20+00:00\u{1b}[0m \u{1b}[36m{stream}\u{1b}[0m {RECORD}\n{RECORD}\n"
    );
    let (entries, summary) = read_whole(coloured);
    assert_eq!(summary.leniencies.iter().collect::<Vec<_>>(), [(Leniency::AnsiColour, 1)]);
    assert_eq!(entries[0].event, Some((Some(1_700_000_000_000), Some(stream.to_owned()), None)));
    assert_eq!(lines_of(&entries), [RECORD, RECORD]);
    // the next line has no time, and keeps none
    assert_eq!(entries[1].event, None);

    // values are counted without what stands in front
    let short = RECORD.replace(" OK", "");
    for front in ["2023-11-14T22:13:20Z", &format!("2023-11-14T22:13:20Z {stream}")] {
        let (entries, _) = read_whole(format!("{front} {short}"));
        assert_eq!(entries[0].seen, Seen::Bad(LineError::FieldCount { found: 13, expected: 14 }.into()));
    }
    let (entries, _) = read_whole("2023-11-14T22:13:20Z");
    assert!(matches!(entries[0].seen, Seen::Bad(_)));
}

#[test]
fn a_time_that_is_a_value_is_no_front() {
    let (entries, _) = read_whole("start srcaddr dstaddr\n2023-11-14T22:13:20Z 192.0.2.1 192.0.2.2\n");
    let Seen::Bad(LineProblem::Line(LineError::Value { number: 1, error, .. })) = &entries[1].seen else {
        panic!("{entries:?}")
    };
    assert_eq!(error.field, Field::Start);
}
