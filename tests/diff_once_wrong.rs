//! What `diff` once got wrong, each as the smallest traffic that shows it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::io::Cursor;

use flowtruth::capture::CaptureInput;
use flowtruth::diff::{Cause, Comparison, Delta};
use flowtruth::pipeline::{DiffOptions, DiffSide, LogInput, Progress, diff};

const T: i64 = 1_750_000_000;
const CLIENT: [u8; 4] = [10, 0, 0, 5];
const SERVER: [u8; 4] = [198, 51, 100, 7];
const BYSTANDER: [u8; 4] = [10, 9, 9, 9];

/// A packet without payload but for so many bytes, in milliseconds since [`T`].
#[derive(Clone, Copy)]
struct Packet {
    millis: i64,
    from: [u8; 4],
    to: [u8; 4],
    ports: (u16, u16),
    flags: u8,
    payload: u16,
}

const ACK: u8 = 0x10;

fn client(millis: i64, payload: u16) -> Packet {
    Packet { millis, from: CLIENT, to: SERVER, ports: (40_000, 443), flags: ACK, payload }
}

fn server(millis: i64, payload: u16) -> Packet {
    Packet { millis, from: SERVER, to: CLIENT, ports: (443, 40_000), flags: ACK, payload }
}

/// Traffic of another host from the first second to the last, so that nothing else is at an edge.
fn bystander(seconds: i64) -> Vec<Packet> {
    let at = |millis| Packet { millis, from: BYSTANDER, to: SERVER, ports: (7, 7), flags: ACK, payload: 1 };
    (0..=seconds).step_by(5).map(|second| at(second * 1000 + 100)).collect()
}

impl Packet {
    fn ip_length(&self) -> u16 {
        40 + self.payload
    }

    /// As raw IPv4 with TCP.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0x45, 0];
        bytes.extend(self.ip_length().to_be_bytes());
        bytes.extend([0, 0, 0, 0, 64, 6, 0, 0]);
        bytes.extend(self.from);
        bytes.extend(self.to);
        bytes.extend(self.ports.0.to_be_bytes());
        bytes.extend(self.ports.1.to_be_bytes());
        bytes.extend([0, 0, 0, 0, 0, 0, 0, 0, 0x50, self.flags, 0, 0, 0, 0, 0, 0]);
        bytes.extend(vec![0; usize::from(self.payload)]);
        bytes
    }
}

fn capture(packets: &[Packet]) -> DiffSide {
    let mut packets = packets.to_vec();
    packets.sort_by_key(|packet| packet.millis);
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let mut bytes = words(&[0xa1b2_c3d4, 4 << 16 | 2, 0, 0, 262_144, 101]);
    for packet in packets {
        let data = packet.bytes();
        let length = u32::try_from(data.len()).unwrap();
        let second = u32::try_from(T + packet.millis.div_euclid(1000)).unwrap();
        let micros = u32::try_from(packet.millis.rem_euclid(1000) * 1000).unwrap();
        bytes.extend(words(&[second, micros, length, length]));
        bytes.extend(data);
    }
    DiffSide::Captures(vec![CaptureInput::Reader("capture".to_owned(), Box::new(Cursor::new(bytes)))])
}

/// A record; times in seconds since [`T`].
#[derive(Clone, Debug)]
struct Record {
    interface: &'static str,
    from: [u8; 4],
    to: [u8; 4],
    ports: (u16, u16),
    protocol: u8,
    packets: u64,
    bytes: u64,
    start: i64,
    end: i64,
    action: &'static str,
    flags: u8,
}

/// The records of windows of so many seconds.
fn records(packets: &[Packet], interval: i64) -> Vec<Record> {
    let mut flows: BTreeMap<_, Record> = BTreeMap::new();
    for packet in packets {
        let second = packet.millis.div_euclid(1000);
        let key = (second.div_euclid(interval), packet.from, packet.to, packet.ports);
        let record = flows.entry(key).or_insert(Record {
            interface: "eni-1",
            from: packet.from,
            to: packet.to,
            ports: packet.ports,
            protocol: 6,
            packets: 0,
            bytes: 0,
            start: second,
            end: second,
            action: "ACCEPT",
            flags: 0,
        });
        record.packets += 1;
        record.bytes += u64::from(packet.ip_length());
        record.start = record.start.min(second);
        record.end = record.end.max(second);
        // ACK is logged with SYN alone
        let low = packet.flags & 7;
        record.flags |= if low & 2 == 2 { packet.flags & 0x17 } else { low };
    }
    flows.into_values().collect()
}

fn log(records: &[Record]) -> DiffSide {
    let mut text = "interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action tcp-flags log-status\n".to_owned();
    let address = |address: [u8; 4]| address.map(|byte| byte.to_string()).join(".");
    for Record { interface, from, to, ports, protocol, packets, bytes, start, end, action, flags } in records
    {
        let (from, to, start, end) = (address(*from), address(*to), T + start, T + end);
        let flags = if *protocol == 6 { flags.to_string() } else { "-".to_owned() };
        text += &format!(
            "{interface} {from} {to} {} {} {protocol} {packets} {bytes} {start} {end} {action} {flags} OK\n",
            ports.0, ports.1
        );
    }
    DiffSide::Logs(vec![LogInput::Reader("log".to_owned(), Box::new(Cursor::new(text.into_bytes())))], None)
}

fn compared_with(reference: DiffSide, candidate: DiffSide, options: &DiffOptions) -> Comparison {
    let report = diff(reference, candidate, options, &Progress::new());
    assert!(
        report.problems.is_empty() && report.log_failures.is_empty() && report.capture_failures.is_empty()
    );
    report.comparison
}

fn compared(reference: DiffSide, candidate: DiffSide) -> Comparison {
    compared_with(reference, candidate, &DiffOptions::default())
}

/// The causes and how many differences have each.
fn causes(comparison: &Comparison) -> Vec<(Cause, u64)> {
    comparison.causes.iter().map(|(cause, differences)| (*cause, *differences)).collect()
}

/// The first record of the client's flow.
fn of_client(records: &mut [Record]) -> &mut Record {
    records.iter_mut().find(|record| record.from == CLIENT).unwrap()
}

/// A conversation of some minutes, and the bystander.
fn conversation() -> Vec<Packet> {
    let mut packets = bystander(300);
    for step in 0..60 {
        packets.push(client(10_000 + step * 4_300, 20 + u16::try_from(step % 7).unwrap()));
        packets.push(server(10_200 + step * 4_300, 900 + u16::try_from(step % 11).unwrap()));
    }
    packets
}

#[test]
fn one_wrong_address_between_logs_is_no_translation_in_either_order() {
    let right = records(&conversation(), 60);
    let mut wrong = right.clone();
    wrong.iter_mut().filter(|record| record.from == CLIENT).nth(2).unwrap().from = [192, 0, 2, 99];
    for comparison in [compared(log(&right), log(&wrong)), compared(log(&wrong), log(&right))] {
        assert_eq!(causes(&comparison), [(Cause::MissingRecord, 1), (Cause::ExtraRecord, 1)]);
    }
}

#[test]
fn a_rejected_connection_is_not_late_because_of_its_own_fin() {
    let mut packets = bystander(60);
    packets.extend(
        [(20_000, 2), (20_100, ACK), (27_000, 0x11)]
            .map(|(millis, flags)| Packet { flags, ..client(millis, 0) }),
    );
    let accepted = records(&packets, 60);
    let mut rejected = accepted.clone();
    of_client(&mut rejected).action = "REJECT";
    let comparison = compared(log(&accepted), log(&rejected));
    assert_eq!(causes(&comparison), [(Cause::Unexplained, 1)]);
}

#[test]
fn ports_of_icmp_are_found_in_whichever_log_has_them() {
    let mut without = records(&bystander(60), 60);
    let mut ping = without[0].clone();
    (ping.from, ping.protocol, ping.ports) = (CLIENT, 1, (0, 0));
    let mut with = without.clone();
    with.push(Record { ports: (0, 2048), ..ping.clone() });
    without.push(ping);
    for comparison in [compared(log(&without), log(&with)), compared(log(&with), log(&without))] {
        assert_eq!(causes(&comparison), [(Cause::IcmpPorts, 1)]);
    }
}

#[test]
fn what_a_tolerance_allows_is_no_other_measure() {
    let mut packets = bystander(60);
    packets.push(client(10_000, 100));
    let right = records(&packets, 60);
    let mut wrong = right.clone();
    of_client(&mut wrong).bytes += 7;
    let mut options = DiffOptions::default();
    options.compare.tolerance.bytes = Delta::Absolute(7);
    assert!(compared_with(log(&right), log(&wrong), &options).differences.is_empty());
    assert!(compared_with(capture(&packets), log(&wrong), &options).differences.is_empty());
    // 14 bytes with 7 of tolerance are not 21
    of_client(&mut wrong).bytes += 14;
    assert_eq!(causes(&compared_with(capture(&packets), log(&wrong), &options)), [(Cause::Unexplained, 1)]);
}

#[test]
fn counts_that_happen_to_be_those_of_the_answers_are_not_reversed() {
    let mut packets = bystander(60);
    packets.extend((0..5).map(|step| client(20_000 + step * 1000, 0)));
    packets.extend((0..4).map(|step| server(20_300 + step * 1000, 0)));
    let right = records(&packets, 60);
    let mut wrong = right.clone();
    let record = of_client(&mut wrong);
    (record.packets, record.bytes) = (4, 160);
    for comparison in [compared(log(&right), log(&wrong)), compared(capture(&packets), log(&wrong))] {
        assert!(!comparison.causes.contains_key(&Cause::DirectionReversed), "{:#?}", comparison.differences);
        assert_eq!(comparison.differences.len(), 1);
    }
}

#[test]
fn an_end_that_reaches_into_the_next_record_is_not_right() {
    let mut packets = bystander(300);
    packets.extend([77, 100, 117, 127, 177, 187, 227].map(|second| client(second * 1000, 5)));
    let mut wrong = records(&packets, 60);
    wrong.iter_mut().find(|record| record.from == CLIENT && record.end == 177).unwrap().end = 188;
    let comparison = compared(capture(&packets), log(&wrong));
    assert_eq!(causes(&comparison), [(Cause::LogLag, 1)]);
}

#[test]
fn late_packets_in_a_record_of_their_own_are_the_same() {
    let mut packets = bystander(120);
    packets.extend([10, 20, 30, 40, 50].map(|second| client(second * 1000, 5)));
    let mut both = records(&packets, 60);
    let late = of_client(&mut both).clone();
    (of_client(&mut both).packets, of_client(&mut both).bytes) = (3, 3 * 45);
    both.push(Record { packets: 2, bytes: 2 * 45, start: 20, end: 40, ..late });
    let comparison = compared(capture(&packets), log(&both));
    assert!(comparison.differences.is_empty(), "{:#?}", comparison.differences);
}

#[test]
fn lag_of_the_records_of_a_busy_flow_is_lag() {
    let mut packets = bystander(500);
    packets.extend(
        (0..2_000).map(|step| client(70_000 + step * 150, u16::try_from(step * step % 1400).unwrap())),
    );
    let mut lagging = records(&packets, 60);
    let mut lag = [3, 0, 2, 1, 3, 2].into_iter().cycle();
    for record in lagging.iter_mut().filter(|record| record.from == CLIENT) {
        let lag = lag.next().unwrap();
        (record.start, record.end) = (record.start + lag, record.end + lag);
    }
    let comparison = compared(capture(&packets), log(&lagging));
    assert!(matches!(causes(&comparison)[..], [(Cause::LogLag, _)]), "{:#?}", comparison.differences);
    let comparison = compared(log(&records(&packets, 60)), log(&lagging));
    assert!(matches!(causes(&comparison)[..], [(Cause::LogLag, _)]), "{:#?}", comparison.differences);
}

#[test]
fn one_wrong_record_among_touching_ones_is_no_other_measure() {
    let mut packets = bystander(300);
    packets.extend(
        (0..2_000).map(|step| client(20_000 + step * 100, u16::try_from(step * step % 1400).unwrap())),
    );
    let right = records(&packets, 60);
    let inner = right.iter().position(|record| record.from == CLIENT && record.start > 100).unwrap();
    for (more_packets, more_bytes) in [(0, 7), (0, 500), (1, 52), (1, 140), (1, 1488)] {
        let mut wrong = right.clone();
        wrong[inner].packets += more_packets;
        wrong[inner].bytes += more_bytes;
        let comparison = compared(capture(&packets), log(&wrong));
        assert_eq!(causes(&comparison), [(Cause::Unexplained, 1)], "{more_packets} {more_bytes}");
    }
}

#[test]
fn deleted_records_among_right_ones_are_not_sampled() {
    let mut packets = bystander(600);
    for port in 0..3_u16 {
        let of_flow =
            (0..400).map(|step| Packet { ports: (100 + port, 2), ..client(1_000 + step * 1_490, 10 + port) });
        packets.extend(of_flow);
    }
    let mut left = records(&packets, 10);
    let mut number = 0;
    left.retain(|record| {
        number += u64::from(record.from == CLIENT);
        record.from != CLIENT || number < 4 || number % 4 != 2
    });
    let comparison = compared(capture(&packets), log(&left));
    assert!(matches!(causes(&comparison)[..], [(Cause::MissingRecord, _)]), "{:?}", comparison.causes);
}

#[test]
fn flags_that_were_seen_are_not_lost_at_an_edge() {
    let mut packets = bystander(120);
    packets.extend(
        (0..12).map(|step| Packet {
            flags: if step == 0 { 2 } else { ACK },
            ..client(30_000 + step * 5_000, 20)
        }),
    );
    let mut wrong = records(&packets, 600);
    of_client(&mut wrong).flags = 0;
    let seen: Vec<Packet> = packets.into_iter().filter(|packet| packet.millis < 84_000).collect();
    let comparison = compared(capture(&seen), log(&wrong));
    assert_eq!(comparison.causes.get(&Cause::Unexplained), Some(&1), "{:#?}", comparison.differences);
}
