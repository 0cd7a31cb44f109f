//! Damage, limits, what is no log.

use super::*;

#[test]
fn every_shorter_log_is_read_without_panic_and_adds_up() {
    let text = format!(
        "\u{feff}{HEADER}\r\n{RECORD} # é\n\n\u{1b}[1m2023-11-14T22:13:20Z s {NODATA}\ntgw-id bytes é\nx 1 é\n"
    );
    let packed = format!(r#"{{"awslogs":{{"data":"{}"}}}}"#, STANDARD.encode(gzip(text.as_bytes())));
    for bytes in [text.as_bytes(), packed.as_bytes(), &gzip(text.as_bytes())] {
        for end in 0..bytes.len() {
            read(&bytes[..end]);
        }
    }
}

#[test]
fn gzip_that_is_cut_or_damaged_yields_the_whole_lines_before() {
    let text = format!("{HEADER}\n{RECORD}\n{NODATA}\n");
    let whole = read_whole(&text).0;
    let compressed = gzip(text.as_bytes());
    for end in 2..compressed.len() {
        let (entries, error, _) = read(&compressed[..end]);
        assert_eq!(entries, &whole[..entries.len()]);
        let error = error.unwrap_or_else(|| panic!("nothing was missed at {end}"));
        assert!(
            error.ends_with(&format!("the gzip data is cut short after byte {end} of the file")),
            "{error}"
        );
    }
    // all is there but the checksum
    let (entries, error, _) = read(&compressed[..compressed.len() - 1]);
    assert_eq!(entries, whole);
    let (line, offset) = (whole.len() + 1, text.len());
    assert!(
        error.unwrap().starts_with(&format!("`log`: line {line} at byte {offset}: the gzip data is cut"))
    );

    let mut damaged = compressed.clone();
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 1;
    let (entries, error, _) = read(&damaged);
    assert_eq!(entries, whole);
    assert!(error.unwrap().contains("the gzip data cannot be decoded near byte"));

    // a second member that is damaged at its beginning
    let (entries, error, _) = read([&compressed[..], b"\x1f\x8b\x08\xff\0\0"].concat());
    assert_eq!(entries, whole);
    assert!(error.is_some());
}

#[test]
fn lines_in_front_of_damage_are_not_lost_with_it() {
    let line = |number: u32| {
        format!(
            "2 123456789010 eni-1 10.0.0.{} 192.0.2.{} {number} 22 6 20 4249 1418530010 1418530070 ACCEPT OK",
            number % 251,
            number * 7 % 253
        )
    };
    let text: String = (0..500).map(|number| line(number) + "\n").collect();
    let whole = read_whole(&text).0;
    // a block of no known type behind a whole one
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.flush().unwrap();
    let damaged = [encoder.get_ref(), &[0xff; 8][..]].concat();
    let (entries, error, _) = read(&damaged);
    assert_eq!(entries, whole);
    assert!(error.unwrap().contains("the gzip data cannot be decoded near byte"));
    for size in [1, 7, 1000] {
        assert_eq!(in_pieces(&damaged, size).0, whole);
    }
}

#[test]
fn what_is_behind_gzip_data_is_padding_or_told() {
    let compressed = gzip(format!("{RECORD}\n").as_bytes());
    let padded = [&compressed[..], &[0; 700], &compressed, &[0; 3]].concat();
    assert_eq!(read_whole(padded).1.records, 2);
    let (entries, error, _) = read([&compressed[..], b"\0\0junk"].concat());
    assert_eq!(entries.len(), 1);
    let position = compressed.len() + 2;
    let expected = format!(
        "`log`: line 2 at byte {}: found something else behind the gzip data at byte {position} of the file, expected its end",
        RECORD.len() + 1
    );
    assert_eq!(error.unwrap(), expected);
}

#[test]
fn what_is_no_text_is_named_and_refused() {
    let cases: [(&[u8], &str); 6] = [
        (b"PARE\x15\x04", "an encrypted Parquet file"),
        (b"\xd4\xc3\xb2\xa1\x02\0\x04\0", "a pcap capture"),
        (b"\x0a\x0d\x0d\x0a\x1c\0\0\0", "a pcapng capture"),
        (b"\xff\xfe2\0 \x001\0", "UTF-16 text"),
        (b"\x28\xb5\x2f\xfd\0", "a zstd stream"),
        (b"\x01\0\x02", "binary data"),
    ];
    for (bytes, name) in cases {
        for bytes in [bytes.to_vec(), gzip(bytes)] {
            let mut reader =
                LogReader::new("x", Box::new(io::Cursor::new(bytes.clone())), LogReadOptions::default());
            let error = reader.advance().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "`x`: is {name}, expected a flow log: lines of text or JSON, gzip or not, or Parquet"
                )
            );
            assert!(error.hint().is_some() && error.place().is_none());
            assert!(!reader.advance().unwrap());
            assert_eq!(sniff_log(&bytes), None);
        }
    }
    let three = gzip(&gzip(&gzip(RECORD.as_bytes())));
    assert!(read(&three).1.unwrap().contains("gzip inside gzip inside gzip"));
    assert_eq!(sniff_log(&three), None);
}

#[test]
fn a_zero_behind_the_beginning_is_a_bad_line() {
    let (_, summary) = read_whole(format!("{RECORD}\n{RECORD}\0\n{RECORD}\n"));
    assert_eq!((summary.records, summary.bad), (2, 1));
}

#[test]
fn a_line_has_a_limit() {
    let longest = "x".repeat(MAX_LINE);
    let (entries, _) = read_whole(format!("{longest}\n{longest}x\n{RECORD}\n{longest}xx"));
    assert_eq!(entries[0].seen, Seen::Bad(LineError::FieldCount { found: 1, expected: 14 }.into()));
    let too_long =
        |more: u64| Seen::Bad(LineProblem::TooLong { found: MAX_LINE as u64 + more, limit: MAX_LINE });
    assert_eq!(entries[1].seen, too_long(1));
    assert!(!entries[1].text.is_empty() && entries[1].text.len() <= 1024);
    assert!(matches!(entries[2].seen, Seen::Record(..)));
    assert_eq!(entries[3].seen, too_long(2));
    // the same for a message
    let (entries, _) = read_whole(subscription("DATA_MESSAGE", &[&longest, &format!("{longest}x"), RECORD]));
    assert_eq!(entries[1].seen, too_long(1));
    assert!(matches!(entries[2].seen, Seen::Record(..)));
}

#[test]
fn json_that_is_too_long_is_skipped_without_being_held() {
    let long = "x".repeat(5 << 20);
    let record = json(RECORD);
    // a long value that nobody asked for is no trouble
    let (_, summary) = read_whole(format!(r#"{{"nextToken":"{long}","events":[{{"message":{record}}}]}}"#));
    assert_eq!((summary.records, summary.bad), (1, 0));
    for text in [
        format!(r#"{{"events":[{{"message":"{long}"}},{{"message":{record}}}]}}"#),
        format!(r#"{{"messageType":"{long}","events":[{{"message":{record}}}]}}"#),
        format!(r#"{{"message":"{long}"}}{{"message":{record}}}"#),
    ] {
        let (entries, summary) = read_whole(text);
        assert_eq!((summary.records, summary.bad), (1, 1));
        assert!(matches!(entries[0].seen, Seen::Bad(LineProblem::TooLong { .. })));
    }
}

#[test]
fn a_reader_that_fails_is_an_error_with_a_place() {
    struct Failing(bool);
    impl Read for Failing {
        fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(io::Error::other("the disk is gone"));
            }
            let text = format!("{RECORD}\n{RECORD}");
            target[..text.len()].copy_from_slice(text.as_bytes());
            Ok(text.len())
        }
    }
    let mut reader = LogReader::new("log", Box::new(Failing(false)), LogReadOptions::default());
    assert!(reader.advance().unwrap());
    let error = reader.advance().unwrap_err();
    assert!(matches!(error.kind(), LogReadErrorKind::Read(_)));
    assert_eq!(error.place(), Some(Place { line: 2, offset: RECORD.len() as u64 + 1 }));
    assert_eq!(error.name(), "log");
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the disk is gone");

    let missing = LogReader::open(std::path::Path::new("no/such/file"), LogReadOptions::default());
    let error = missing.err().unwrap();
    assert_eq!(error.to_string(), "`no/such/file`: cannot be opened");
}

#[test]
fn logs_are_told_from_captures_and_other_text() {
    let event = format!(r#"{{"events":[{{"message":{}}}]}}"#, json(RECORD));
    let cases = [
        (RECORD.to_owned(), Some(LogShape::Text)),
        (format!("\u{feff}\n# made by hand\n{NODATA}\r\n"), Some(LogShape::Text)),
        (HEADER.to_owned(), Some(LogShape::Text)),
        ("log_status srcaddr".to_owned(), Some(LogShape::Text)),
        ("192.0.2.1 2001:db8::1 443 6".to_owned(), Some(LogShape::Text)),
        (format!("2023-11-14T22:13:20Z eni-1-all {RECORD}"), Some(LogShape::Text)),
        (event.clone(), Some(LogShape::Json)),
        (event[..40].to_owned(), Some(LogShape::Json)),
        (subscription("DATA_MESSAGE", &[RECORD]), Some(LogShape::Json)),
        ("{\"foo\":1}".to_owned(), None),
        ("20:57:27 IP 10.0.0.1 > 10.0.0.2: ICMP echo request".to_owned(), None),
        ("hello world".to_owned(), None),
        (String::new(), None),
    ];
    for (text, shape) in cases {
        assert_eq!(sniff_log(text.as_bytes()), shape, "{text}");
        assert_eq!(sniff_log(&gzip(text.as_bytes())), shape, "{text}");
        assert_eq!(sniff_log(&gzip(&gzip(text.as_bytes()))), shape, "{text}");
    }
    assert_eq!(sniff_log("2 é 192.0.2.1 1 2 3 é".as_bytes().split_last().unwrap().1), Some(LogShape::Text));
    assert_eq!(sniff_log(b"\xff"), None);
    // the beginning of a long one
    let long = gzip(format!("{RECORD}\n").repeat(5000).as_bytes());
    assert_eq!(sniff_log(&long[..100]), Some(LogShape::Text));
}
