mod properties;

use super::*;
use crate::packet::{Protocol, TcpFlags};
use crate::record::{Action, Field, FlowDirection, LogStatus, Origin, RecordType, Values};

/// Header, then lines, as AWS's "Flow log record examples" and other pages of AWS show them.
const EXAMPLES: &[(&str, &[&str])] = &[
    (
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status",
        &[
            "2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK",
            "2 123456789010 eni-1235b8ca123456789 172.31.9.69 172.31.9.12 49761 3389 6 20 4249 1418530010 1418530070 REJECT OK",
            "2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - NODATA",
            "2 123456789010 eni-11111111aaaaaaaaa - - - - - - - 1431280876 1431280934 - SKIPDATA",
            "2 123456789010 eni-1235b8ca123456789 203.0.113.12 172.31.16.139 0 0 1 4 336 1432917027 1432917142 ACCEPT OK",
            "2 123456789010 eni-1235b8ca123456789 172.31.16.139 203.0.113.12 0 0 1 4 336 1432917094 1432917142 REJECT OK",
            "2 123456789010 eni-1235b8ca123456789 2001:db8:1234:a100:8d6e:3477:df66:f105 2001:db8:1234:a102:3304:8879:34cf:4071 34892 22 6 54 8855 1477913708 1477913820 ACCEPT OK",
            "2 123456789012 eni-abc123de 192.168.1.1 10.0.0.1 443 12345 6 10 840 1623101047 1623101107 ACCEPT OK",
            "2 unknown eni-1235b8ca123456789 10.0.0.1 10.0.0.2 0 0 47 1 44 -60 -1 REJECT OK",
        ],
    ),
    (
        "version vpc-id subnet-id instance-id interface-id account-id type srcaddr dstaddr srcport dstport pkt-srcaddr pkt-dstaddr protocol bytes packets start end action tcp-flags log-status",
        &[
            "3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 123456789010 IPv4 52.213.180.42 10.0.0.62 43416 5001 52.213.180.42 10.0.0.62 6 568 8 1566848875 1566848933 ACCEPT 2 OK",
            "3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 123456789010 IPv4 10.0.0.62 52.213.180.42 5001 43416 10.0.0.62 52.213.180.42 6 376 7 1566848875 1566848933 ACCEPT 18 OK",
            "3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 123456789010 IPv4 52.213.180.42 10.0.0.62 43418 5001 52.213.180.42 10.0.0.62 6 100701 70 1566848875 1566848933 ACCEPT 2 OK",
            "3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 123456789010 IPv4 10.0.0.62 52.213.180.42 5001 43418 10.0.0.62 52.213.180.42 6 632 12 1566848875 1566848933 ACCEPT 18 OK",
            "3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 123456789010 IPv4 10.0.0.62 52.213.180.42 5001 43418 10.0.0.62 52.213.180.42 6 63388 1219 1566848933 1566849113 ACCEPT 1 OK",
            "3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 123456789010 IPv4 52.213.180.42 10.0.0.62 43418 5001 52.213.180.42 10.0.0.62 6 23294588 15774 1566848933 1566849113 ACCEPT 1 OK",
            "3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 123456789010 IPv4 52.213.180.42 10.0.0.62 43638 5001 52.213.180.42 10.0.0.62 6 1260 17 1566933133 1566933193 ACCEPT 3 OK",
        ],
    ),
    (
        "instance-id interface-id srcaddr dstaddr pkt-srcaddr pkt-dstaddr",
        &[
            "- eni-1235b8ca123456789 10.0.1.5 10.0.0.220 10.0.1.5 203.0.113.5",
            "- eni-1235b8ca123456789 10.0.0.220 203.0.113.5 10.0.0.220 203.0.113.5",
            "- eni-1235b8ca123456789 203.0.113.5 10.0.0.220 203.0.113.5 10.0.0.220",
            "- eni-1235b8ca123456789 10.0.0.220 10.0.1.5 203.0.113.5 10.0.1.5",
            "i-01234567890123456 eni-1111aaaa2222bbbb3 10.0.1.5 203.0.113.5 10.0.1.5 203.0.113.5",
            "i-01234567890123456 eni-1111aaaa2222bbbb3 203.0.113.5 10.0.1.5 203.0.113.5 10.0.1.5",
        ],
    ),
    (
        "resource-id instance-id interface-id subnet-id srcaddr dstaddr pkt-srcaddr pkt-dstaddr",
        &[
            "nat-1234567890abcdef - - - 10.0.1.5 203.0.113.5 10.0.1.5 203.0.113.5",
            "nat-1234567890abcdef - - - 107.22.182.139 203.0.113.5 107.22.182.139 203.0.113.5",
            "nat-1234567890abcdef - - - 203.0.113.5 107.22.182.139 203.0.113.5 107.22.182.139",
            "nat-1234567890abcdef - - - 203.0.113.5 10.0.1.5 203.0.113.5 10.0.1.5",
            "- i-01234567890123456 eni-1111aaaa2222bbbb3 subnet-aaaaaaaa012345678 10.0.1.5 203.0.113.5 10.0.1.5 203.0.113.5",
        ],
    ),
    (
        "version interface-id account-id vpc-id subnet-id instance-id srcaddr dstaddr srcport dstport protocol tcp-flags type pkt-srcaddr pkt-dstaddr action log-status",
        &[
            "3 eni-33333333333333333 123456789010 vpc-abcdefab012345678 subnet-22222222bbbbbbbbb i-01234567890123456 10.20.33.164 10.40.2.236 39812 80 6 3 IPv4 10.20.33.164 10.40.2.236 ACCEPT OK",
            "3 eni-33333333333333333 123456789010 vpc-abcdefab012345678 subnet-22222222bbbbbbbbb i-01234567890123456 10.40.2.236 10.20.33.164 80 39812 6 19 IPv4 10.40.2.236 10.20.33.164 ACCEPT OK",
            "3 eni-11111111111111111 123456789010 vpc-abcdefab012345678 subnet-11111111aaaaaaaaa - 10.40.1.175 10.40.2.236 39812 80 6 3 IPv4 10.20.33.164 10.40.2.236 ACCEPT OK",
            "3 eni-22222222222222222 123456789010 vpc-abcdefab012345678 subnet-22222222bbbbbbbbb - 10.40.2.236 10.40.2.31 80 39812 6 19 IPv4 10.40.2.236 10.20.33.164 ACCEPT OK",
        ],
    ),
    (
        "version srcaddr dstaddr srcport dstport protocol start end type packets bytes account-id vpc-id subnet-id instance-id interface-id region az-id sublocation-type sublocation-id action tcp-flags pkt-srcaddr pkt-dstaddr pkt-src-aws-service pkt-dst-aws-service traffic-path flow-direction log-status",
        &[
            "5 52.95.128.179 10.0.0.71 80 34210 6 1616729292 1616729349 IPv4 14 15044 123456789012 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-0c50d5961bcb2d47b eni-1235b8ca123456789 ap-southeast-2 apse2-az3 - - ACCEPT 19 52.95.128.179 10.0.0.71 S3 - - ingress OK",
            "5 10.0.0.71 52.95.128.179 34210 80 6 1616729292 1616729349 IPv4 7 471 123456789012 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-0c50d5961bcb2d47b eni-1235b8ca123456789 ap-southeast-2 apse2-az3 - - ACCEPT 3 10.0.0.71 52.95.128.179 - S3 8 egress OK",
        ],
    ),
    (
        "flow-direction traffic-path srcaddr dstaddr srcport dstport encryption-status",
        &["ingress - 10.0.133.8 10.0.128.55 43236 80 1", "egress 1 10.0.128.55 10.0.133.8 80 43236 1"],
    ),
    (
        "srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status",
        &[
            "10.5.81.140 10.90.0.45 53598 443 6 2 120 1702918083 1702918083 ACCEPT OK",
            "10.0.27.226 10.42.96.199 3604 17720 17 1 132 1502360020 1502360079 REJECT OK",
            "172.31.44.17 123.45.67.89 0 0 1 1 60 1554186843 1554186883 ACCEPT OK",
        ],
    ),
];

/// The line that AWS's page has with two spaces.
const TWO_SPACES: &str = "3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 123456789010 IPv4 10.0.0.62 52.213.180.42 5001 43638  10.0.0.62 52.213.180.42 6 967 14 1566933133 1566933193 ACCEPT 19 OK";

fn line_of(format: &LogFormat, record: &FlowRecord) -> String {
    let mut out = Vec::new();
    write_record_line(format, record, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn documented_records_print_as_they_were_read() {
    for (header, lines) in EXAMPLES {
        let format = LogFormat::from_header(header).unwrap();
        let mut again = Vec::new();
        write_header_line(&format, &mut again);
        assert_eq!(again, format!("{header}\n").as_bytes());
        for line in *lines {
            let record = parse_line(&format, line.as_bytes()).unwrap_or_else(|e| panic!("{line}: {e}"));
            assert_eq!(line_of(&format, &record), format!("{line}\n"));
            for end in ["\n", "\r\n"] {
                assert_eq!(parse_line(&format, format!("{line}{end}").as_bytes()), Ok(record.clone()));
            }
        }
    }
}

#[test]
fn values_are_typed() {
    let line =
        "2 123456789012 eni-abc123de 192.168.1.1 10.0.0.1 443 12345 6 10 840 1623101047 1623101107 ACCEPT OK";
    let expected = FlowRecord {
        version: Some(2),
        account_id: Some("123456789012".into()),
        interface_id: Some("eni-abc123de".into()),
        srcaddr: Some("192.168.1.1".parse().unwrap()),
        dstaddr: Some("10.0.0.1".parse().unwrap()),
        srcport: Some(443),
        dstport: Some(12345),
        protocol: Some(Protocol::TCP),
        packets: Some(10),
        bytes: Some(840),
        start: Some(1_623_101_047),
        end: Some(1_623_101_107),
        action: Some(Action::Accept),
        log_status: Some(LogStatus::Ok),
        ..FlowRecord::default()
    };
    assert_eq!(parse_line(&LogFormat::default(), line.as_bytes()), Ok(expected));
}

#[test]
fn the_version_printed_is_the_format_s() {
    let format: LogFormat = "${srcaddr} ${version} ${resource-id}".parse().unwrap();
    let record = FlowRecord { version: Some(3), ..FlowRecord::default() };
    assert_eq!(line_of(&format, &record), "- 9 -\n");
    assert_eq!(line_of(&format, &FlowRecord::default()), "- 9 -\n");
}

#[test]
fn a_record_of_nothing_is_dashes_and_zero_is_not() {
    let format: LogFormat = "${srcport} ${bytes} ${start} ${tcp-flags}".parse().unwrap();
    let mut record = FlowRecord::default();
    assert_eq!(line_of(&format, &record), "- - - -\n");
    record.srcport = Some(0);
    record.bytes = Some(0);
    record.start = Some(0);
    record.tcp_flags = Some(TcpFlags(0));
    assert_eq!(line_of(&format, &record), "0 0 0 0\n");
}

#[test]
fn lines_append_to_what_is_there() {
    let format: LogFormat = "${srcport}".parse().unwrap();
    let mut out = b"first\n".to_vec();
    write_header_line(&format, &mut out);
    write_record_line(&format, &FlowRecord::default(), &mut out);
    assert_eq!(out, b"first\nsrcport\n-\n");
}

#[test]
fn errors_say_where_and_what() {
    let default = LogFormat::default();
    let two_spaces_format = LogFormat::from_header(EXAMPLES[1].0).unwrap();
    let good = EXAMPLES[0].1[0];
    let cases: &[(&LogFormat, &[u8], &str)] = &[
        (&default, b"", "found 0 values, expected the format's 14"),
        (&default, b"\n", "found 0 values, expected the format's 14"),
        (&default, b"2 123456789010", "found 2 values, expected the format's 14"),
        (&default, b"-", "found 1 values, expected the format's 14"),
        (&default, b"version account-id", "found 2 values, expected the format's 14"),
        (&default, b" 2", "character 1 of the line: found a space too many, expected one between values"),
        (&default, b" ", "character 1 of the line: found a space too many, expected one between values"),
        (&default, b"2 \n", "character 2 of the line: found a space too many, expected one between values"),
        (&default, b"2 \xff", "byte 3 of the line is not UTF-8"),
        (
            &two_spaces_format,
            TWO_SPACES.as_bytes(),
            "character 145 of the line: found a space too many, expected one between values",
        ),
    ];
    for (format, line, message) in cases {
        assert_eq!(parse_line(format, line).unwrap_err().to_string(), *message);
    }

    let changed = |from: &str, to: &str| {
        let line = good.replacen(from, to, 1);
        assert_ne!(line, good);
        parse_line(&default, line.as_bytes()).unwrap_err().to_string()
    };
    assert_eq!(
        changed("172.31.16.139", "172.31.16.256"),
        "value 4, character 38 of the line: `srcaddr` cannot be `172.31.16.256`: expected an IPv4 or IPv6 address"
    );
    assert_eq!(
        changed("123456789010 eni-1235b8ca123456789 172.31.16.139", "ééé ü 172.31.016.139"),
        "value 4, character 9 of the line: `srcaddr` cannot be `172.31.016.139`: expected an IPv4 or IPv6 address"
    );
    assert_eq!(
        changed("1418530010", "2014-12-14T04:06:50Z"),
        "value 11, character 84 of the line: `start` cannot be `2014-12-14T04:06:50Z`: expected Unix seconds, a whole number"
    );
    assert_eq!(
        changed("ACCEPT", "accept"),
        "value 13, character 106 of the line: `action` cannot be `accept`: expected `ACCEPT` or `REJECT`"
    );
    assert_eq!(
        changed("20641", "65536"),
        "value 6, character 65 of the line: `srcport` cannot be `65536`: expected a whole number from 0 to 65535"
    );
    assert_eq!(
        changed("eni-", "\t"),
        "value 3, character 16 of the line: `interface-id` cannot be `\\t1235b8ca123456789`: expected text without white space or control characters"
    );
    assert_eq!(changed(" OK", ""), "found 13 values, expected the format's 14");
    assert_eq!(changed(" OK", " OK OK"), "found 15 values, expected the format's 14");
    assert_eq!(
        changed(" OK", " OK "),
        format!(
            "character {} of the line: found a space too many, expected one between values",
            good.len() + 1
        )
    );
}

#[test]
fn every_shorter_line_is_refused_or_reads_as_itself() {
    for (header, lines) in EXAMPLES {
        let format = LogFormat::from_header(header).unwrap();
        for line in *lines {
            for end in 0..line.len() {
                let Ok(record) = parse_line(&format, &line.as_bytes()[..end]) else { continue };
                // cut inside the last value
                assert_eq!(line_of(&format, &record), format!("{}\n", &line[..end]));
            }
        }
    }
}

#[test]
fn every_ipv4_octet_prints_as_the_standard_library_prints_it() {
    for octet in 0..=255 {
        for address in [Ipv4Addr::from([octet; 4]), Ipv4Addr::from([octet, 0, 255 - octet, 10])] {
            let mut out = b"x".to_vec();
            write_ipv4(address, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("x{address}"));
        }
    }
}

#[test]
fn every_run_of_zeros_prints_as_the_standard_library_prints_it() {
    // every choice of zero segments, with short and with long segments between them
    for zeros in 0..=255_u8 {
        for segment in [1_u16, 0xabcd, 0x0f0, 0xffff] {
            let segments = std::array::from_fn(|i| if zeros >> i & 1 == 1 { 0 } else { segment });
            let address = Ipv6Addr::from(segments);
            let mut out = b"x".to_vec();
            write_ipv6(address, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("x{address}"));
        }
    }
}

#[test]
fn a_record_that_is_used_again_keeps_its_text_and_what_is_not_in_the_format() {
    let mut record = FlowRecord { region: Some("eu-central-1".into()), ..FlowRecord::default() };
    parse_line_into(&LogFormat::default(), EXAMPLES[0].1[0].as_bytes(), &mut record).unwrap();
    let text = record.account_id.as_deref().map(str::as_ptr);
    parse_line_into(&LogFormat::default(), EXAMPLES[0].1[2].as_bytes(), &mut record).unwrap();
    assert_eq!(record.account_id.as_deref().map(str::as_ptr), text);
    assert_eq!(record.srcaddr, None);
    assert_eq!(record.region.as_deref(), Some("eu-central-1"));
}

#[test]
fn listed_words_of_the_table_are_what_the_types_read() {
    for field in Field::ALL {
        if let Values::Listed(list) = field.info().values {
            for (word, _) in list {
                let format = LogFormat::new([field]).unwrap();
                let record = parse_line(&format, word.as_bytes()).unwrap();
                assert_eq!(field.get(&record).to_string(), *word);
            }
        }
    }
}
