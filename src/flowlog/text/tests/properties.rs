//! Any record in any format is a line that reads as the record, and no line is too much.

use proptest::prelude::*;

use super::*;

prop_compose! {
    fn any_format()(fields in Just(Field::ALL.to_vec()).prop_shuffle(), count in 1..=Field::ALL.len())
        -> LogFormat {
        LogFormat::new(fields.into_iter().take(count)).unwrap()
    }
}

fn any_address() -> impl Strategy<Value = Option<IpAddr>> {
    let v4 = any::<[u8; 4]>().prop_map(IpAddr::from);
    // with zeros to compress, and IPv4-mapped addresses
    let segment = prop_oneof![Just(0_u16), any::<u16>()];
    let v6 = proptest::array::uniform8(segment).prop_map(IpAddr::from);
    let mapped = any::<[u8; 4]>().prop_map(|v4| IpAddr::V6(Ipv4Addr::from(v4).to_ipv6_mapped()));
    proptest::option::of(prop_oneof![v4, v6, mapped])
}

fn any_word<T: Copy + std::fmt::Debug>(all: &'static [T]) -> impl Strategy<Value = Option<T>> {
    proptest::option::of(proptest::sample::select(all))
}

prop_compose! {
    fn any_record()(
        addresses in proptest::array::uniform4(any_address()),
        ports in any::<(Option<u16>, Option<u16>)>(),
        small in any::<[Option<u8>; 4]>(),
        counts in any::<(Option<u64>, Option<u64>)>(),
        times in any::<(Option<i64>, Option<i64>)>(),
        action in any_word(Action::ALL),
        log_status in any_word(LogStatus::ALL),
        flow_direction in any_word(FlowDirection::ALL),
        record_type in any_word(RecordType::ALL),
        texts in proptest::collection::vec(proptest::option::of("[!-~é]{1,12}"), Field::ALL.len()),
    ) -> FlowRecord {
        let [srcaddr, dstaddr, pkt_srcaddr, pkt_dstaddr] = addresses;
        let [protocol, tcp_flags, traffic_path, encryption_status] = small;
        let mut record = FlowRecord {
            srcaddr, dstaddr, pkt_srcaddr, pkt_dstaddr,
            srcport: ports.0, dstport: ports.1,
            protocol: protocol.map(Protocol), tcp_flags: tcp_flags.map(TcpFlags),
            traffic_path, encryption_status,
            packets: counts.0, bytes: counts.1, start: times.0, end: times.1,
            action, log_status, flow_direction, record_type,
            ..FlowRecord::default()
        };
        for (field, text) in Field::ALL.into_iter().zip(texts) {
            // only the text fields take what is no number, address or known word
            let is_text = !matches!(field, Field::Version) && Field::read(field, &mut FlowRecord::default(), "!").is_ok();
            if let (true, Some(text)) = (is_text, text) {
                field.read(&mut record, &text).unwrap();
            }
        }
        record
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_record_is_read_back_as_it_was_written(format in any_format(), mut record in any_record()) {
        record.version = Some(format.version());
        for field in Field::ALL {
            if !format.contains(field) {
                field.clear(&mut record);
            }
        }
        let line = line_of(&format, &record);
        let words: Vec<&str> = line.strip_suffix('\n').unwrap().split(' ').collect();
        prop_assert_eq!(words.len(), format.fields().len());
        for (word, value) in words.iter().zip(format.values(&record)) {
            prop_assert_eq!(*word, value.to_string());
        }
        prop_assert_eq!(parse_line(&format, line.as_bytes()), Ok(record));
    }

    #[test]
    fn a_line_of_many_is_the_line_of_one(
        format in any_format(),
        records in prop::collection::vec(any_record(), 1..4),
    ) {
        let shared = &records[0];
        let (lines, lines_of_any) = (LineWriter::new(&format, shared), LineWriter::of_any(&format));
        let (mut found, mut expected) = (Vec::new(), Vec::new());
        for record in &records {
            lines_of_any.write(record, &mut found);
            write_record_line(&format, record, &mut expected);
            let mut same = shared.clone();
            for field in Field::ALL {
                if !matches!(field.origin(), Origin::Constant | Origin::Vpc | Origin::Unknown) {
                    match field.get(record) {
                        Value::Missing => field.clear(&mut same),
                        value => field.set(&mut same, &value.to_string()).unwrap(),
                    }
                }
            }
            lines.write(&same, &mut found);
            write_record_line(&format, &same, &mut expected);
        }
        prop_assert_eq!(String::from_utf8(found), String::from_utf8(expected));
    }

    #[test]
    fn no_line_panics(format in any_format(), line in any::<Vec<u8>>()) {
        if let Err(error) = parse_line(&format, &line) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn a_damaged_line_is_refused_or_prints_as_its_values(
        index in 0..EXAMPLES[0].1.len(),
        at in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut line = EXAMPLES[0].1[index].as_bytes().to_vec();
        let at = at.index(line.len());
        line[at] = byte;
        let format = LogFormat::default();
        if let Ok(record) = parse_line(&format, &line) {
            // what was read prints as a line that reads the same, but for the version
            let again = parse_line(&format, line_of(&format, &record).as_bytes()).unwrap();
            prop_assert_eq!(FlowRecord { version: record.version, ..again }, record);
        }
    }
}
