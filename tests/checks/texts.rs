//! What is typed and what is read as text.

use flowtruth::decode::Tunnels;
use flowtruth::filter::Filter;
use flowtruth::flow::{AggregationInterval, Windows};
use flowtruth::flowlog::text::{parse_line, write_record_line};
use flowtruth::packet::{IpPacket, PacketDirection, Protocol, Timestamp};
use flowtruth::record::{Field, FlowRecord, LogFormat};

use super::Bytes;

/// Any text as a filter: it is read or refused, and what it negates it negates.
pub fn filter(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let filter = match Filter::parse(&text) {
        Ok(filter) => filter,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let empty = text.trim().is_empty();
    // brackets that the limit on depth does not allow are no contradiction
    let negated = Filter::parse(&format!("not ({text})")).ok().filter(|_| !empty);
    let doubled = Filter::parse(&format!("({text}) and ({text})")).ok().filter(|_| !empty);
    for (address, other) in
        [("10.0.0.1", "192.0.2.7"), ("2001:db8::1", "::1"), ("0.0.0.0", "255.255.255.255")]
    {
        for (protocol, port) in [(6, 80), (17, 53), (1, 0), (58, 0), (132, 65_535), (255, 1)] {
            for direction in [PacketDirection::Inbound, PacketDirection::Unknown] {
                let packet = IpPacket {
                    srcaddr: address.parse().unwrap(),
                    dstaddr: other.parse().unwrap(),
                    protocol: Protocol(protocol),
                    srcport: port,
                    dstport: 443,
                    direction,
                    ..IpPacket::default()
                };
                let matches = filter.matches(&packet);
                assert!(negated.as_ref().is_none_or(|negated| negated.matches(&packet) != matches));
                assert!(doubled.as_ref().is_none_or(|doubled| doubled.matches(&packet) == matches));
            }
        }
    }
}

/// Any text as a log format: what is read is printed so that it reads the same.
pub fn log_format(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for format in [text.parse::<LogFormat>(), LogFormat::preset(&text)] {
        match format {
            Ok(format) => {
                assert_eq!(format.to_string().parse(), Ok(format.clone()));
                assert_eq!(LogFormat::from_header(&format.header()), Ok(format));
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    for format in [LogFormat::from_header(&text), LogFormat::from_fields(&text)].into_iter().flatten() {
        assert_eq!(LogFormat::from_header(&format.header()), Ok(format));
    }
    // a constant that is accepted stands in the record as it was given
    if let Some((name, value)) = text.split_once('=')
        && let Ok(field) = Field::from_name(name)
    {
        let mut record = FlowRecord::default();
        if field.set(&mut record, value).is_ok() && field != Field::Version {
            let format = LogFormat::new([field]).unwrap();
            let mut line = Vec::new();
            write_record_line(&format, &record, &mut line);
            assert_eq!(parse_line(&format, &line), Ok(record));
        }
    }
}

/// Any bytes as a line of a flow log: a line that is read is written so that it reads the same.
pub fn flow_log(data: &[u8]) {
    let mut bytes = Bytes(data);
    let preset = bytes.one_of(&["v2", "v3", "v4", "v5", "v7", "v8", "v9", "v10", "v11"]);
    let mut format = LogFormat::preset(preset).unwrap();
    let mut line = bytes.0;
    if let Some(end) = line.iter().position(|&byte| byte == b'\n')
        && let Ok(header) = std::str::from_utf8(&line[..end])
        && let Ok(named) = LogFormat::from_header(header)
    {
        format = named;
        line = &line[end + 1..];
    }
    let record = match parse_line(&format, line) {
        Ok(record) => record,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let write = |record: &FlowRecord| {
        let mut line = Vec::new();
        write_record_line(&format, record, &mut line);
        line
    };
    let written = write(&record);
    assert_eq!(written.iter().filter(|&&byte| byte == b' ').count() + 1, format.fields().len());
    assert_eq!(written.iter().position(|&byte| byte == b'\n'), Some(written.len() - 1));
    let again = parse_line(&format, &written).expect("what was written reads back");
    assert_eq!(String::from_utf8_lossy(&write(&again)), String::from_utf8_lossy(&written));
    if !format.contains(Field::Version) {
        assert_eq!(again, record);
    }
}

/// Any text as a time, an interval, a list of tunnels: what is read is printed so that it reads the same, and
/// every time lies in the window that it is said to lie in.
pub fn times(data: &[u8]) {
    let mut bytes = Bytes(data);
    let (origin, time) =
        (Timestamp::from_nanos(bytes.u64() as i64), Timestamp::from_nanos(bytes.u64() as i64));
    let text = String::from_utf8_lossy(bytes.0);
    if let Ok(parsed) = text.parse::<Timestamp>() {
        assert_eq!(parsed.to_string().parse(), Ok(parsed));
    }
    if let Ok(tunnels) = text.parse::<Tunnels>() {
        assert_eq!(tunnels.to_string().parse(), Ok(tunnels));
    }
    assert_eq!(time.to_string().parse(), Ok(time));
    let interval = text.parse::<AggregationInterval>().unwrap_or_default();
    assert_eq!(interval.to_string().parse(), Ok(interval));
    let windows = Windows::new(interval, origin);
    let index = windows.index_of(time);
    let nanos = i128::from(time.nanos());
    if let Some(window) = windows.window(index) {
        assert!(window.start <= nanos && nanos < window.end, "{time} {window:?}");
        assert!(windows.passed_at(window.end) > index && windows.passed_at(window.end - 1) <= index);
        assert_eq!((i128::from(origin.nanos()) - window.start) % (window.end - window.start), 0);
    }
}
