//! Properties: what is written is read back, however it comes.

use super::*;

/// Text that looks like a log, or like one that was damaged.
fn any_log() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(HEADER.as_bytes().to_vec()),
        Just(RECORD.as_bytes().to_vec()),
        Just(NODATA.as_bytes().to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b" ".to_vec()),
        Just(b"\t# ".to_vec()),
        Just(b"\xef\xbb\xbf".to_vec()),
        Just(b"\x1b[0m".to_vec()),
        Just(b"2023-11-14T22:13:20Z ".to_vec()),
        Just(b"srcaddr bytes new\n192.0.2.1 7 x\n".to_vec()),
        Just(br#"{"events":[{"message":""#.to_vec()),
        Just(br#""}]}"#.to_vec()),
        Just(br#"{"message":"x"}"#.to_vec()),
        Just(br#"{"awslogs":{"data":"e30="}}"#.to_vec()),
        Just(br#"{"messageType":"CONTROL_MESSAGE","#.to_vec()),
        Just(b"[".to_vec()),
        Just(b"{".to_vec()),
        Just(b",".to_vec()),
        Just(b"]".to_vec()),
        Just(b"}".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"\\".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

prop_compose! {
    fn any_format()(fields in Just(Field::ALL.to_vec()).prop_shuffle(), count in 1..=Field::ALL.len())
        -> LogFormat {
        LogFormat::new(fields.into_iter().take(count)).unwrap()
    }
}

prop_compose! {
    /// A record that a capture or AWS may give, with nothing outside the format.
    fn any_record(format: LogFormat)(
        addresses in any::<(Option<[u8; 4]>, Option<[u8; 16]>)>(),
        numbers in any::<(Option<u16>, Option<u64>, Option<u64>, Option<i64>, Option<u8>)>(),
        status in proptest::sample::select(LogStatus::ALL),
        text in proptest::option::of("[a-z][!-~é]{0,12}"),
    ) -> FlowRecord {
        let mut record = FlowRecord {
            srcaddr: addresses.0.map(Into::into),
            pkt_dstaddr: addresses.1.map(Into::into),
            srcport: numbers.0,
            packets: numbers.1,
            bytes: numbers.2,
            start: numbers.3,
            traffic_path: numbers.4,
            log_status: Some(status),
            interface_id: text.as_deref().map(Into::into),
            instance_tag: text.map(Into::into),
            ..FlowRecord::default()
        };
        record.version = Some(format.version());
        for field in Field::ALL {
            if !format.contains(field) {
                field.clear(&mut record);
            }
        }
        record
    }
}

fn any_written() -> impl Strategy<Value = (LogFormat, Vec<FlowRecord>)> {
    any_format().prop_flat_map(|format| {
        let records = proptest::collection::vec(any_record(format.clone()), 0..20);
        (Just(format), records)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn what_is_written_is_read_back_however_it_comes(
        (format, records) in any_written(),
        with_header in any::<bool>(),
        size in 1..300_usize,
        split in any::<proptest::sample::Index>(),
    ) {
        let mut text = Vec::new();
        if with_header {
            write_header_line(&format, &mut text);
        }
        for record in &records {
            write_record_line(&format, record, &mut text);
        }
        let (first, second) = text.split_at(split.index(text.len() + 1));
        let members = [gzip(first), gzip(second)].concat();
        for bytes in [text.clone(), gzip(&text), members, gzip(&gzip(&text))] {
            let given = (!with_header).then(|| format.clone());
            let (entries, error, summary) = read_from(Box::new(Pieces(bytes, 0, size)), given);
            prop_assert_eq!(error, None);
            prop_assert_eq!((summary.bad, summary.headers), (0, u64::from(with_header)));
            prop_assert_eq!(summary.leniencies, LeniencyCounts::default());
            let read: Vec<FlowRecord> = entries
                .into_iter()
                .filter_map(|entry| match entry.seen {
                    Seen::Record(record, _) => Some(*record),
                    _ => None,
                })
                .collect();
            prop_assert_eq!(&read, &records);
        }
    }

    #[test]
    fn what_is_written_is_read_back_from_events(
        (format, records) in any_written(),
        size in 1..300_usize,
    ) {
        let messages: Vec<String> = records
            .iter()
            .map(|record| {
                let mut line = Vec::new();
                write_record_line(&format, record, &mut line);
                String::from_utf8(line).unwrap()
            })
            .collect();
        let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
        let text = subscription("DATA_MESSAGE", &messages);
        let pieces = Pieces(text.into_bytes(), 0, size);
        let (entries, error, _) = read_from(Box::new(pieces), Some(format));
        prop_assert_eq!(error, None);
        prop_assert_eq!(entries.len(), records.len());
        for (entry, record) in entries.iter().zip(&records) {
            prop_assert_eq!(&entry.seen, &Seen::Record(Box::new(record.clone()), vec![]));
        }
    }

    #[test]
    fn no_bytes_panic_and_the_pieces_they_come_in_change_nothing(
        bytes in prop_oneof![proptest::collection::vec(any::<u8>(), 0..400), any_log()],
        size in 1..40_usize,
    ) {
        let whole = read(&bytes);
        prop_assert_eq!(&in_pieces(&bytes, size), &whole);
        let compressed = in_pieces(&gzip(&bytes), size);
        if !bytes.starts_with(b"\x1f\x8b") && whole.1.is_none() {
            prop_assert_eq!(&compressed.0, &whole.0);
        }
        sniff_log(&bytes);
    }
}
