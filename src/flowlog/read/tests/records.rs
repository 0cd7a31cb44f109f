//! Records that name their values, data that is packed, and transit gateways without a header.

use super::*;

const MEMBERS: &str = r#"{"version":2,"account_id":"123456789010","interface_id":"eni-1235b8ca123456789","srcaddr":"192.0.2.1","dstaddr":"198.51.100.2","srcport":20641,"dstport":22,"protocol":6,"packets":20,"bytes":4249,"start":1418530010,"end":1418530070,"action":"ACCEPT","log_status":"OK"}"#;

fn lines_of(entries: &[Owned]) -> Vec<String> {
    let line = |entry: &Owned| match &entry.seen {
        Seen::Record(record, _) => {
            let mut line = Vec::new();
            write_record_line(&LogFormat::default(), record, &mut line);
            Some(String::from_utf8(line).unwrap().trim_end().to_owned())
        }
        _ => None,
    };
    entries.iter().filter_map(line).collect()
}

#[test]
fn json_records_are_read_however_they_come() {
    let hyphenated = MEMBERS.replace('_', "-").replace(':', " : ").replace(',', ",\n");
    let strings = MEMBERS.replace("20641", "\"20641\"").replace("1418530010", "\"1418530010\"");
    let cases = [
        format!("{MEMBERS}\n{MEMBERS}\n"),
        format!("{hyphenated}{hyphenated}"),
        format!("[{MEMBERS},{strings}]"),
        format!("{{\"events\":[{MEMBERS}]}}\n{strings}"),
    ];
    for text in cases {
        let (entries, summary) = read_whole(&text);
        assert_eq!(lines_of(&entries), [RECORD, RECORD], "{text}");
        assert_eq!((summary.records, summary.shape), (2, Some(LogShape::Json)));
        assert_eq!(sniff_log(text.as_bytes()), Some(LogShape::Json));
        for size in [1, 7] {
            assert_eq!(in_pieces(text.as_bytes(), size).0, entries);
        }
    }
}

#[test]
fn values_of_json_may_be_missing_or_more() {
    let text = r#"{"srcaddr":null,"dstaddr":"-","bytes":18446744073709551615,"geo":"NL","tags":["a"]}"#;
    let (entries, _) = read_whole(text);
    let Seen::Record(record, others) = &entries[0].seen else { panic!("{entries:?}") };
    assert_eq!((record.srcaddr, record.dstaddr, record.bytes), (None, None, Some(u64::MAX)));
    let expected = [("geo", "NL"), ("tags", r#"["a"]"#)];
    assert_eq!(*others, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
    assert_eq!(entries[0].text, text.as_bytes());
}

#[test]
fn a_json_record_that_lacks_a_column_does_not_keep_it_from_the_one_before() {
    let (entries, _) =
        read_whole("{\"srcaddr\":\"10.0.0.1\",\"bytes\":7}\n{\"srcaddr\":\"10.0.0.2\"}\n2 x\n");
    let Seen::Record(record, _) = &entries[1].seen else { panic!("{entries:?}") };
    assert_eq!((record.srcaddr, record.bytes), (Some("10.0.0.2".parse().unwrap()), None));
}

#[test]
fn a_value_of_json_that_its_field_cannot_hold_is_told_by_name() {
    for (value, message) in [
        ("65543", "`srcport` cannot be `65543`: expected a whole number from 0 to 65535"),
        ("1.5", "`srcport` cannot be `1.5`: expected a whole number from 0 to 65535"),
        ("{}", "`srcport` cannot be `{}`: expected a whole number from 0 to 65535"),
        ("\"\"", "`srcport` cannot be ``: expected a whole number from 0 to 65535"),
    ] {
        let (entries, summary) = read_whole(format!("{{\"srcaddr\":\"10.0.0.1\",\"srcport\":{value}}}"));
        let Seen::Bad(problem) = &entries[0].seen else { panic!("{entries:?}") };
        assert_eq!((problem.to_string().as_str(), summary.bad), (message, 1));
    }
}

#[test]
fn messages_after_a_json_record_are_in_the_logs_own_columns() {
    let message = format!("{{\"message\":\"{RECORD}\"}}");
    let (entries, summary) = read_whole(format!("{{\"srcaddr\":\"10.0.0.1\"}}\n{message}\n"));
    assert_eq!((summary.records, summary.bad), (2, 0));
    assert_eq!(lines_of(&entries)[1], RECORD);
}

#[test]
fn records_of_kinesis_and_firehose_are_opened() {
    let events = format!(
        r#"{{"messageType":"DATA_MESSAGE","logEvents":[{{"id":"1","timestamp":5,"message":"{RECORD}"}}]}}"#
    );
    let packed = STANDARD.encode(gzip(events.as_bytes()));
    let lines = STANDARD.encode(format!("{RECORD}\n{NODATA}\n"));
    let json = STANDARD.encode(MEMBERS);
    for (text, records) in [
        (format!(r#"{{"Records":[{{"kinesis":{{"data":"{packed}"}},"eventSource":"aws:kinesis"}}]}}"#), 1),
        (format!(r#"{{"Records":[{{"Data":"{packed}","PartitionKey":"k"}},{{"Data":"{packed}"}}]}}"#), 2),
        (format!(r#"{{"invocationId":"i","records":[{{"recordId":"r","data":"{lines}"}}]}}"#), 2),
        (format!(r#"{{"records":[{{"data":"{json}"}},{{"data":"{lines}"}}]}}"#), 3),
    ] {
        let (entries, summary) = read_whole(&text);
        assert_eq!((summary.records, summary.bad), (records, 0), "{text}: {entries:?}");
        assert_eq!(lines_of(&entries)[0], RECORD);
    }
    for (data, message) in [
        ("****".to_owned(), "the data cannot be decoded: Invalid symbol"),
        (STANDARD.encode(&gzip(events.as_bytes())[..40]), "the data cannot be decoded: the gzip data is cut"),
        (STANDARD.encode(b"\xff\n"), "the data cannot be decoded: byte 1 of a line is not UTF-8"),
    ] {
        let (entries, summary) =
            read_whole(format!(r#"{{"records":[{{"data":"{data}"}},{{"data":"{lines}"}}]}}"#));
        assert_eq!((summary.records, summary.bad), (2, 1), "{entries:?}");
        let Seen::Bad(problem) = &entries[0].seen else { panic!("{entries:?}") };
        assert!(problem.to_string().starts_with(message), "{problem}");
    }
}

#[test]
fn transit_gateway_records_are_known_without_a_header() {
    let ids = "tgw-1 tgw-attach-1 123456789012 123456789013 vpc-1 vpc-2 subnet-1 subnet-2 eni-1 eni-2 use1-az1 use1-az2 tgw-attach-2";
    let line = format!(
        "6 TransitGateway 123456789012 {ids} 10.0.0.1 10.0.1.1 12345 443 6 10 1000 1700000000 1700000060 OK IPv4 0 0 0 1 18 us-east-1 ingress - -"
    );
    let (entries, summary) = read_whole(format!("{line}\n{line}\n"));
    assert_eq!((summary.records, summary.bad), (2, 0), "{entries:?}");
    let Seen::Record(record, others) = &entries[1].seen else { panic!("{entries:?}") };
    assert_eq!((record.bytes, record.srcport, record.version), (Some(1000), Some(12345), Some(6)));
    assert!(others.contains(&("packets-lost-ttl-expired".to_owned(), "1".to_owned())));
    // where the columns are said, nothing is guessed
    let (entries, _, summary) =
        read_from(Box::new(io::Cursor::new(line.into_bytes())), Some(LogFormat::default()));
    assert_eq!(summary.bad, 1, "{entries:?}");
}

#[test]
fn json_that_is_no_log_is_not_taken_for_one() {
    for text in [
        r#"{"version":"1.0","start":5,"end":6}"#,
        r#"{"type":"object","action":"x","name":"srcaddr","x":["dstaddr"]}"#,
        "[1,2]",
        "{}",
    ] {
        assert_eq!(sniff_log(text.as_bytes()), None, "{text}");
    }
}
