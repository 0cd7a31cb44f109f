//! The whole program against random captures: against a naive count of the same packets, and against itself where
//! the accounting promises the same bytes out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test's own data")]

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io::{self, Cursor, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::process::{Command, Stdio};

use flate2::write::GzEncoder;
use flowtruth::capture::{CaptureInput, Openable, PcapPieces};
use flowtruth::decode::Tunnels;
use flowtruth::flow::AggregationInterval;
use flowtruth::packet::Timestamp;
use flowtruth::partial::{PartialForm, PartialKeys, PartialReader, PartialWriter};
use flowtruth::pipeline::{
    Conversion, Fragments, MergeError, MergedPartials, MeterOptions, PartialInput, Progress, RecordOptions,
    Tally, WindowOrigin, convert, convert_to_partials, opening,
};
use flowtruth::record::{FlowRecord, LogFormat};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

const FORMAT: &str = "${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} \
                      ${tcp-flags}";

const SECOND: i64 = 1_000_000_000;
const HOUR: i64 = 3600 * SECOND;

/// A packet that was captured, and what a flow log should count of it.
#[derive(Clone, Debug)]
struct Sent {
    /// Nanoseconds, whole microseconds, since 1970.
    time: i64,
    frame: Vec<u8>,
    /// How many bytes of the frame the capture lacks.
    cut: u32,
    /// `None`: no IP packet.
    counted: Option<Counted>,
}

#[derive(Clone, Copy, Debug)]
struct Counted {
    flow: Flow,
    bytes: u64,
    flags: u8,
}

/// In the order of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Flow {
    srcaddr: IpAddr,
    dstaddr: IpAddr,
    protocol: u8,
    srcport: u16,
    dstport: u16,
}

/// What a packet is made of.
#[derive(Clone, Debug)]
struct Plan {
    v6: bool,
    addresses: (u8, u8),
    protocol: u8,
    ports: (u16, u16),
    flags: u8,
    payload: u16,
    tags: u8,
    /// 0 whole, 1 first fragment, 2 later fragment.
    fragment: u8,
    options: u8,
    not_ip: bool,
    cut: bool,
}

fn plan() -> impl Strategy<Value = Plan> {
    let port = || select(vec![0_u16, 53, 443, 4789, 40_000, 65_535]);
    let addressed = (
        any::<bool>(),
        (0_u8..4, 0_u8..4),
        select(vec![6_u8, 6, 17, 17, 1, 58, 132, 47, 50]),
        (port(), port()),
    );
    let shaped =
        (any::<u8>(), 0_u16..1400, select(vec![0_u8, 0, 0, 1, 2, 5]), select(vec![0_u8, 0, 0, 0, 1, 2]));
    let odd = (select(vec![0_u8, 0, 0, 1, 3]), prop::bool::weighted(0.05), prop::bool::weighted(0.1));
    (addressed, shaped, odd).prop_map(
        |((v6, addresses, protocol, ports), (flags, payload, tags, fragment), (options, not_ip, cut))| Plan {
            v6,
            addresses,
            protocol,
            ports,
            flags,
            payload,
            tags,
            fragment,
            options,
            not_ip,
            cut,
        },
    )
}

/// A packet by its plan; packets of different numbers differ in what routers leave alone.
fn send(plan: &Plan, number: u32, time: i64) -> Sent {
    let Plan { v6, addresses: (from, to), protocol, ports, flags, .. } = *plan;
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    for _ in 0..plan.tags {
        frame.extend([0x81, 0x00, 0x00, 0x07]);
    }
    if plan.not_ip {
        frame.extend([0x08, 0x06]);
        frame.resize(frame.len() + 28, 0);
        return Sent { time, frame, cut: 0, counted: None };
    }
    let (has_ports, later) = (matches!(protocol, 6 | 17 | 132), plan.fragment == 2);
    let mut transport: Vec<u8> = [ports.0.to_be_bytes(), ports.1.to_be_bytes()].concat();
    transport.extend(number.to_be_bytes());
    transport.resize(13, 0);
    transport.extend([flags, 0, 0, 0, 0, 0, 0]);
    transport.resize(20 + usize::from(plan.payload), 0xaa);

    let (srcaddr, dstaddr, ip_length): (IpAddr, IpAddr, usize);
    if v6 {
        let address = |last: u8| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(last));
        (srcaddr, dstaddr) = (address(from).into(), address(to).into());
        let mut extensions = Vec::new();
        let mut chain = vec![60; usize::from(plan.options)];
        if plan.fragment > 0 {
            chain.push(44);
        }
        chain.push(protocol);
        for (header, next) in chain.iter().zip(chain.iter().skip(1)) {
            match (header, later) {
                (44, true) => extensions.extend([*next, 0, 0x00, 0x48]),
                (44, false) => extensions.extend([*next, 0, 0x00, 0x01]),
                _ => {
                    extensions.extend([*next, 0, 1, 4, 0, 0, 0, 0]);
                    continue;
                }
            }
            extensions.extend(number.to_be_bytes());
        }
        let payload = extensions.len() + transport.len();
        ip_length = 40 + payload;
        frame.extend([0x86, 0xdd]);
        frame.extend((0x6000_0000 | number & 0xf_ffff).to_be_bytes());
        frame.extend((payload as u16).to_be_bytes());
        frame.extend([chain[0], 64]);
        frame.extend(address(from).octets());
        frame.extend(address(to).octets());
        frame.extend(extensions);
    } else {
        let address = |last: u8| Ipv4Addr::new(10, 0, last, 1);
        (srcaddr, dstaddr) = (address(from).into(), address(to).into());
        let header = 20 + 4 * usize::from(plan.options);
        ip_length = header + transport.len();
        let fragment: u16 = [0x4000, 0x2000, 0x0009][usize::from(plan.fragment)];
        frame.extend([0x08, 0x00, 0x40 | (header / 4) as u8, 0]);
        frame.extend((ip_length as u16).to_be_bytes());
        frame.extend((number as u16).to_be_bytes());
        frame.extend(fragment.to_be_bytes());
        frame.extend([64, protocol, 0, 0]);
        frame.extend(address(from).octets());
        frame.extend(address(to).octets());
        frame.resize(frame.len() + header - 20, 1);
    }
    frame.extend(&transport);
    let (srcport, dstport) = if has_ports && !later { ports } else { (0, 0) };
    // RST, SYN, FIN; ACK only with SYN
    let logged = flags & 7 | if flags & 0x12 == 0x12 { 0x10 } else { 0 };
    let counted = Counted {
        flow: Flow { srcaddr, dstaddr, protocol, srcport, dstport },
        bytes: ip_length as u64,
        flags: if protocol == 6 && !later { logged } else { 0 },
    };
    let cut = if plan.cut { u32::from(plan.payload) } else { 0 };
    frame.truncate(frame.len() - cut as usize);
    Sent { time, frame, cut, counted: Some(counted) }
}

/// How a packet's time follows from the one before, in microseconds; `None`: an absurd time.
fn step() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![
        6 => (0_i64..3_000_000).prop_map(Some),
        3 => Just(Some(0)),
        3 => (-20_000_000_i64..20_000_000).prop_map(Some),
        1 => (-200_000_000_i64..200_000_000).prop_map(Some),
        1 => (3_000_000_000_i64..4_000_000_000).prop_map(Some),
        1 => Just(None),
    ]
}

/// Packets in no good order.
fn disorder(count: usize) -> impl Strategy<Value = Vec<Sent>> {
    (vec((plan(), step(), any::<u32>()), 0..count), 0_i64..600_000_000).prop_map(|(plans, offset)| {
        let mut now = 1_600_000_000_000_000 + offset;
        let mut all = Vec::new();
        for (number, (plan, step, absurd)) in (0..).zip(plans) {
            let time = match step {
                Some(step) => {
                    now += step;
                    now
                }
                None => i64::from(absurd) * 1_000_000,
            };
            all.push(send(&plan, number, time * 1000));
        }
        all
    })
}

/// Packets in time order, with ties.
fn in_order(count: usize) -> impl Strategy<Value = Vec<Sent>> {
    disorder(count).prop_map(|mut packets| {
        packets.sort_by_key(|packet| packet.time);
        packets
    })
}

#[derive(Clone, Copy, Debug)]
struct Options {
    interval: Option<u32>,
    origin: WindowOrigin,
    lateness: i64,
}

fn options() -> impl Strategy<Value = Options> {
    let interval = select(vec![Some(60), Some(600), Some(1), Some(7), Some(3600), Some(u32::MAX), None]);
    let origin = prop_oneof![
        Just(WindowOrigin::Epoch),
        Just(WindowOrigin::FirstPacket),
        any::<i64>().prop_map(|nanos| WindowOrigin::At(Timestamp::from_nanos(nanos)))
    ];
    let lateness = prop_oneof![Just(10 * SECOND), Just(0), 0..HOUR, 0..30 * SECOND];
    (interval, origin, lateness).prop_map(|(interval, origin, lateness)| Options {
        interval,
        origin,
        lateness,
    })
}

/// A window, and whether these packets came after it had closed.
type Placement = (i128, bool);

/// Packets, bytes, first and last time, and flags of each flow.
type Flows = BTreeMap<Flow, (u64, u64, i64, i64, u8)>;

/// The records that a flow log should hold, by the rules of `docs/accounting.md` and nothing else.
fn naive(packets: &[Sent], options: &Options) -> String {
    let first = packets.first().map_or(0, |packet| packet.time);
    let origin = match options.origin {
        WindowOrigin::Epoch => 0,
        WindowOrigin::FirstPacket => first,
        WindowOrigin::At(time) => time.nanos(),
    };
    let (origin, lateness) = (i128::from(origin), i128::from(options.lateness));
    // how many windows have ended by a time
    let index = |time: i128| match options.interval {
        Some(seconds) => (time - origin).div_euclid(i128::from(seconds) * i128::from(SECOND)),
        None => 0,
    };
    let mut greatest: Option<i64> = None;
    let mut lone: Vec<(usize, i64)> = Vec::new();
    let mut row: Vec<i64> = Vec::new();
    let mut open: BTreeMap<Placement, Flows> = BTreeMap::new();
    let mut passed = i128::MIN;
    let mut text = String::new();
    let mut write = |(_, flows): (Placement, Flows)| {
        for (flow, (packets, bytes, first, last, flags)) in flows {
            let Flow { srcaddr, dstaddr, protocol, srcport, dstport } = flow;
            let (start, end) = (first.div_euclid(SECOND), last.div_euclid(SECOND));
            let flags = if protocol == 6 { flags.to_string() } else { "-".to_owned() };
            text += &format!(
                "{srcaddr} {dstaddr} {srcport} {dstport} {protocol} {packets} {bytes} {start} {end} {flags}\n"
            );
        }
    };
    for (number, packet) in packets.iter().enumerate() {
        let time = packet.time;
        let near =
            |(at, other): &&(usize, i64)| number - at <= 1000 && (other - time).abs() <= options.lateness;
        let confirmed = lone.iter().filter(near).map(|(_, time)| *time).max();
        let contradicted = |other: &Sent| time - other.time > HOUR;
        let ahead = match greatest {
            Some(greatest) => time - greatest > HOUR,
            None => number == 0 && packets.len() >= 3 && packets[1..3].iter().all(contradicted),
        };
        match confirmed {
            Some(confirmed) => greatest = greatest.max(Some(confirmed)).max(Some(time)),
            None if ahead => {
                lone.push((number, time));
                if row.last().is_some_and(|last| time < *last) {
                    row.clear();
                }
                row.push(time);
                if row.len() == 10 {
                    greatest = Some(time);
                    row.clear();
                }
            }
            None => greatest = greatest.max(Some(time)),
        }
        if confirmed.is_some() || !ahead {
            row.clear();
        }
        if let Some(greatest) = greatest {
            let now = index(i128::from(greatest) - lateness);
            if now > passed && options.interval.is_some() {
                passed = now;
                let still = open.split_off(&(passed, false));
                std::mem::replace(&mut open, still).into_iter().for_each(&mut write);
            }
        }
        let Some(Counted { flow, bytes, flags }) = packet.counted else { continue };
        let window = index(i128::from(time));
        let counters =
            open.entry((window, window < passed)).or_default().entry(flow).or_insert((0, 0, time, time, 0));
        let (packets, sum, first, last, all) = *counters;
        *counters = (packets + 1, sum + bytes, first.min(time), last.max(time), all | flags);
    }
    open.into_iter().for_each(&mut write);
    text
}

/// The containers that hold a packet's time to the microsecond.
#[derive(Clone, Copy, Debug)]
enum Container {
    Micro,
    MicroBig,
    Nano,
    Pcapng,
    Gzip,
    Bzip2,
}

const CONTAINERS: [Container; 6] = [
    Container::Micro,
    Container::MicroBig,
    Container::Nano,
    Container::Pcapng,
    Container::Gzip,
    Container::Bzip2,
];

/// A capture's bytes, and where its packets end.
fn written(packets: &[Sent], container: Container) -> (Vec<u8>, Vec<usize>) {
    let little = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    let big = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>();
    let mut ends = Vec::new();
    let mut bytes = match container {
        Container::Micro | Container::Gzip | Container::Bzip2 => {
            little(&[0xa1b2_c3d4, 4 << 16 | 2, 0, 0, 65_535, 1])
        }
        Container::MicroBig => big(&[0xa1b2_c3d4, 2 << 16 | 4, 0, 0, 65_535, 1]),
        Container::Nano => little(&[0xa1b2_3c4d, 4 << 16 | 2, 0, 0, 65_535, 1]),
        Container::Pcapng => little(&[
            0x0a0d_0d0a,
            28,
            0x1a2b_3c4d,
            1,
            u32::MAX,
            u32::MAX,
            28,
            1,
            32,
            1,
            0,
            0x0001_0009,
            6,
            0,
            32,
        ]),
    };
    for packet in packets {
        let captured = packet.frame.len() as u32;
        let original = captured + packet.cut;
        let (seconds, nanos) = ((packet.time / SECOND) as u32, (packet.time % SECOND) as u32);
        match container {
            Container::Micro | Container::Gzip | Container::Bzip2 => {
                bytes.extend(little(&[seconds, nanos / 1000, captured, original]));
            }
            Container::MicroBig => bytes.extend(big(&[seconds, nanos / 1000, captured, original])),
            Container::Nano => bytes.extend(little(&[seconds, nanos, captured, original])),
            Container::Pcapng => {
                let length = captured.next_multiple_of(4) + 32;
                let micros = packet.time / 1000;
                bytes.extend(little(&[
                    6,
                    length,
                    0,
                    (micros >> 32) as u32,
                    micros as u32,
                    captured,
                    original,
                ]));
            }
        }
        bytes.extend(&packet.frame);
        if let Container::Pcapng = container {
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes.extend((captured.next_multiple_of(4) + 32).to_le_bytes());
        }
        ends.push(bytes.len());
    }
    match container {
        Container::Gzip => (gzip(&bytes), ends),
        Container::Bzip2 => (bzip2(&bytes), ends),
        _ => (bytes, ends),
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Yields pieces of these sizes, over and over.
struct Pieces(Cursor<Vec<u8>>, Vec<usize>, usize);

impl Read for Pieces {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let size = self.1.get(self.2 % self.1.len().max(1)).copied().unwrap_or(usize::MAX);
        self.2 += 1;
        let end = target.len().min(size.max(1));
        self.0.read(&mut target[..end])
    }
}

fn input(bytes: Vec<u8>, pieces: &[usize]) -> CaptureInput {
    CaptureInput::Reader("capture".to_owned(), Box::new(Pieces(Cursor::new(bytes), pieces.to_vec(), 0)))
}

fn meter(options: &Options) -> MeterOptions {
    MeterOptions {
        interval: match options.interval.and_then(NonZeroU32::new) {
            Some(seconds) => AggregationInterval::Seconds(seconds),
            None => AggregationInterval::Capture,
        },
        origin: options.origin,
        allowed_lateness: options.lateness as u64,
        ..MeterOptions::default()
    }
}

fn run(inputs: Vec<CaptureInput>, meter: &MeterOptions) -> (String, Conversion) {
    let format: LogFormat = FORMAT.parse().unwrap();
    let records = RecordOptions { format, header: false, identity: FlowRecord::default() };
    let mut output = Vec::new();
    let conversion = convert(inputs, meter, &records, &mut output, true, &Progress::new()).unwrap();
    conversion.ledger.check().unwrap();
    (String::from_utf8(output).unwrap(), conversion)
}

fn records(packets: &[Sent], options: &Options) -> String {
    run(vec![input(written(packets, Container::Micro).0, &[])], &meter(options)).0
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn records_are_a_naive_count(packets in disorder(120), options in options()) {
        let (found, Conversion { ledger, failures, .. }) =
            run(vec![input(written(&packets, Container::Micro).0, &[])], &meter(&options));
        prop_assert_eq!(&found, &naive(&packets, &options));

        // and nothing is lost on the way
        prop_assert!(failures.is_empty());
        let counted: Vec<_> = packets.iter().filter_map(|packet| packet.counted).collect();
        let tally = &ledger.total.tally;
        prop_assert_eq!(tally.packets_read, packets.len() as u64);
        prop_assert_eq!(tally.packets_in_records, counted.len() as u64);
        prop_assert_eq!(tally.ip_bytes_read, counted.iter().map(|counted| counted.bytes).sum::<u64>());
        let frames = packets.iter().map(|packet| packet.frame.len() as u64 + u64::from(packet.cut)).sum::<u64>();
        prop_assert_eq!(tally.frame_bytes_read, frames);
        let column = |n: usize| -> u64 {
            found.lines().map(|line| line.split(' ').nth(n).unwrap().parse::<u64>().unwrap()).sum()
        };
        prop_assert_eq!(column(5), tally.packets_in_records);
        prop_assert_eq!(column(6), tally.ip_bytes_in_records);
        prop_assert_eq!(ledger.total.records, found.lines().count() as u64);
    }

    #[test]
    fn shuffling_within_the_allowed_lateness_changes_nothing(
        packets in in_order(80),
        jitter in vec(0.0..1.0_f64, 80),
        options in options(),
    ) {
        // another first packet would be another origin
        prop_assume!(options.origin != WindowOrigin::FirstPacket);
        let delay = |index: usize| (jitter[index] * options.lateness as f64) as i64;
        let mut shuffled: Vec<_> = packets.iter().cloned().enumerate().collect();
        shuffled.sort_by_key(|(index, packet)| packet.time + delay(*index));
        let shuffled: Vec<_> = shuffled.into_iter().map(|(_, packet)| packet).collect();
        prop_assert_eq!(records(&shuffled, &options), records(&packets, &options));
    }

    #[test]
    fn a_doubled_capture_without_its_second_sights_is_the_capture(
        packets in in_order(80),
        delays in vec(0_i64..=10_000, 80),
        mut options in options(),
    ) {
        options.lateness += SECOND;
        let mut doubled = Vec::new();
        for (packet, delay) in packets.iter().zip(delays) {
            doubled.push(packet.clone());
            let mut routed = packet.clone();
            routed.time += delay * 1000;
            // one hop on: other MAC addresses, one less to live, another IPv4 checksum
            let ip = routed.frame.windows(2).position(|pair| matches!(pair, [0x08, 0x00] | [0x86, 0xdd]));
            routed.frame[..12].rotate_left(6);
            if let (Some(counted), Some(ip)) = (packet.counted, ip) {
                let ttl = if counted.flow.srcaddr.is_ipv4() { 2 + 8 } else { 2 + 7 };
                routed.frame[ip + ttl] -= 1;
                if counted.flow.srcaddr.is_ipv4() {
                    routed.frame[ip + 12] ^= 0xff;
                }
            }
            doubled.push(routed);
        }
        let capture = || vec![input(written(&doubled, Container::Nano).0, &[])];
        let (plain, conversion) = run(capture(), &meter(&options));
        let (deduplicated, _) = run(capture(), &MeterOptions { dedup: true, ..meter(&options) });
        prop_assert_eq!(deduplicated, records(&packets, &options));
        let second = packets.iter().filter(|packet| packet.counted.is_some()).count() as u64;
        prop_assert_eq!(conversion.ledger.total.tally.suspected_duplicates, second);
        prop_assert_eq!(plain.lines().count() as u64, conversion.ledger.total.records);
    }
}

proptest! {
    #![proptest_config(config(150))]

    #[test]
    fn neither_threads_nor_containers_nor_pieces_change_a_byte(
        packets in disorder(300),
        options in options(),
        pieces in vec(1_usize..700, 1..6),
        (track, dedup, decap) in any::<(bool, bool, bool)>(),
    ) {
        let meter = MeterOptions {
            fragments: if track { Fragments::Track } else { Fragments::Zero },
            dedup,
            tunnels: if decap { Tunnels::ALL } else { Tunnels::NONE },
            ..meter(&options)
        };
        let (expected, _) = run(vec![input(written(&packets, Container::Micro).0, &[])], &meter);
        for container in CONTAINERS {
            let (bytes, _) = written(&packets, container);
            for threads in [1, 2, 3, 8, 16] {
                let meter = MeterOptions { threads, ..meter.clone() };
                let (found, _) = run(vec![input(bytes.clone(), &[])], &meter);
                prop_assert_eq!(&found, &expected, "{:?}, {} threads", container, threads);
            }
            for pieces in [&pieces[..], &[1], &[7, 1, 64 << 10]] {
                let (found, _) = run(vec![input(bytes.clone(), pieces)], &meter);
                prop_assert_eq!(&found, &expected, "{:?} in pieces of {:?}", container, pieces);
            }
        }
    }

    #[test]
    fn a_split_capture_is_the_capture(
        packets in in_order(80),
        cuts in vec(any::<Index>(), 0..5),
        order in vec(any::<u32>(), 6),
        containers in vec(select(CONTAINERS.to_vec()), 6),
        options in options(),
        files in any::<bool>(),
    ) {
        let expected = records(&packets, &options);
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.index(packets.len() + 1)).collect();
        cuts.extend([0, packets.len()]);
        cuts.sort_unstable();
        let parts = cuts.windows(2).zip(containers).map(|(cut, container)| {
            written(&packets[cut[0]..cut[1]], container).0
        });
        let mut parts: Vec<_> = order.into_iter().zip(parts).collect();
        parts.sort();
        let directory = tempfile::tempdir().unwrap();
        let inputs = parts.into_iter().enumerate().map(|(index, (_, bytes))| {
            if !files {
                return input(bytes, &[]);
            }
            let path = directory.path().join(index.to_string());
            fs::write(&path, bytes).unwrap();
            CaptureInput::Path(path)
        });
        let (found, _) = run(inputs.collect(), &meter(&options));
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn an_interleaved_capture_is_the_capture(
        packets in in_order(80),
        sides in vec(0_usize..3, 80),
        options in options(),
        turn in 0_usize..3,
    ) {
        let expected = records(&packets, &options);
        let mut parts = vec![Vec::new(); 3];
        for (packet, side) in packets.iter().zip(sides) {
            parts[side].push(packet.clone());
        }
        parts.rotate_left(turn);
        let inputs = parts.iter().map(|part| input(written(part, Container::Pcapng).0, &[])).collect();
        let (found, _) = run(inputs, &meter(&options));
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_prefix_holds_the_packets_before_the_cut(
        packets in disorder(30),
        cut in any::<Index>(),
        container in select(CONTAINERS.to_vec()),
        options in options(),
    ) {
        let (bytes, ends) = written(&packets, container);
        let cut = cut.index(bytes.len() + 1);
        let (found, Conversion { ledger, failures, .. }) =
            run(vec![input(bytes[..cut].to_vec(), &[])], &meter(&options));
        let whole = ledger.total.tally.packets_read as usize;
        prop_assert_eq!(found, records(&packets[..whole], &options));
        if matches!(container, Container::Gzip | Container::Bzip2) {
            // how much of a cut stream comes out is the decompressor's affair
            prop_assert_eq!(failures.is_empty(), cut == bytes.len());
            prop_assert!(whole <= packets.len() && (cut < bytes.len() || whole == packets.len()));
            return Ok(());
        }
        prop_assert_eq!(whole, ends.iter().filter(|end| **end <= cut).count());
        let headers: &[usize] = if let Container::Pcapng = container { &[28, 60] } else { &[24] };
        let is_boundary = headers.contains(&cut) || ends.contains(&cut);
        prop_assert_eq!(failures.is_empty(), is_boundary, "{:?}", failures);
        prop_assert_eq!(ledger.captures[0].error.is_none(), is_boundary);
    }
}

/// What one conversion of captures writes as partial records.
fn part(capture: CaptureInput, form: PartialForm, keys: PartialKeys, meter: &MeterOptions) -> Vec<u8> {
    let inputs = vec![capture];
    let mut written = Vec::new();
    let mut writer = PartialWriter::new(form, &mut written, &opening(&inputs, meter, keys).unwrap()).unwrap();
    let conversion = convert_to_partials(inputs, meter, keys, &mut writer, true, &Progress::new()).unwrap();
    conversion.ledger.check().unwrap();
    drop(writer);
    written
}

/// A capture, in pieces where these are cut.
fn pieces(name: &str, bytes: Vec<u8>, container: Container, cuts: &[Index]) -> Vec<CaptureInput> {
    if !matches!(container, Container::Micro | Container::MicroBig | Container::Nano) {
        return vec![CaptureInput::Reader(name.to_owned(), Box::new(Cursor::new(bytes)))];
    }
    let mut places: Vec<u64> = cuts.iter().map(|cut| cut.index(bytes.len() + 1) as u64).collect();
    places.extend([0, u64::MAX]);
    places.sort_unstable();
    let size = bytes.len() as u64;
    let open = move |place: u64| -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Cursor::new(bytes[place as usize..].to_vec())))
    };
    let whole = PcapPieces::of(Openable::new(name, size, open)).unwrap();
    let piece = |cut: &[u64]| CaptureInput::Openable(whole.piece(cut[0]..cut[1]).unwrap());
    places.windows(2).map(piece).collect()
}

/// A way to make a part: how its capture is stored, how the part is written, and what must not matter.
fn way() -> impl Strategy<Value = (Container, bool, (bool, bool), i64, bool, bool)> {
    let lateness = prop_oneof![Just(0), Just(10 * SECOND), 0..HOUR];
    (
        select(CONTAINERS.to_vec()),
        any::<bool>(),
        any::<(bool, bool)>(),
        lateness,
        any::<bool>(),
        any::<bool>(),
    )
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn parts_of_any_split_into_files_and_byte_ranges_in_any_order_merge_to_the_capture(
        packets in disorder(120),
        sides in vec((0_usize..6, any::<u32>()), 120),
        ways in vec((way(), vec(any::<Index>(), 0..4)), 6),
        order in vec(any::<u32>(), 30),
        mut options in options(),
        (spills, threads, decap) in (any::<bool>(), 1_usize..3, any::<bool>()),
        with_addresses in any::<bool>(),
    ) {
        prop_assume!(options.origin != WindowOrigin::FirstPacket);
        // nothing is late for the whole
        options.lateness = i64::MAX / 2;
        let addresses = [IpAddr::V4(Ipv4Addr::new(10, 0, 1, 1)), "2001:db8::2".parse().unwrap()];
        let addresses = if with_addresses { addresses.into_iter().collect() } else { HashSet::new() };
        let tunnels = if decap { Tunnels::ALL } else { Tunnels::NONE };
        let whole = MeterOptions { interface_addresses: addresses, tunnels, ..meter(&options) };
        let format: LogFormat = format!("{FORMAT} ${{flow-direction}}").parse().unwrap();
        let records = RecordOptions { format, header: true, identity: FlowRecord::default() };
        let mut expected = Vec::new();
        let inputs = vec![input(written(&packets, Container::Micro).0, &[])];
        let one = convert(inputs, &whole, &records, &mut expected, true, &Progress::new()).unwrap();

        let mut parts = vec![Vec::new(); 6];
        let mut shuffled: Vec<_> = packets.iter().zip(sides).collect();
        shuffled.sort_by_key(|(_, (_, place))| *place);
        for (packet, (side, _)) in shuffled {
            parts[side].push(packet.clone());
        }
        let (mut inputs, mut rows, mut settings) = (Vec::new(), Vec::new(), None);
        for (number, (packets, (way, cuts))) in parts.iter().zip(ways).enumerate() {
            let (container, is_arrow, (icmp, observation_point), lateness, spills, from_reader) = way;
            let meter = MeterOptions {
                tunnels,
                allowed_lateness: lateness as u64,
                memory_limit: spills.then_some(0),
                threads,
                ..meter(&options)
            };
            let form = if is_arrow { PartialForm::Arrow } else { PartialForm::Parquet };
            let keys = PartialKeys { icmp, observation_point };
            let captures = pieces(&format!("part {number}"), written(packets, container).0, container, &cuts);
            for capture in captures {
                let bytes = part(capture, form, keys, &meter);
                let mut reader = PartialReader::new("part", Box::new(Cursor::new(bytes.clone()))).unwrap();
                rows.extend(std::iter::from_fn(|| reader.next_batch().transpose()));
                settings = Some(reader.opening().settings.clone());
                let file = tempfile::NamedTempFile::new().unwrap();
                fs::write(file.path(), &bytes).unwrap();
                inputs.push((order[inputs.len()], match from_reader {
                    true => PartialInput::Reader(format!("part {number}"), Box::new(Cursor::new(bytes))),
                    false => PartialInput::Path(file.path().to_owned()),
                }, file));
            }
        }
        inputs.sort_by_key(|(place, _, _)| *place);
        let (files, inputs): (Vec<_>, Vec<_>) =
            inputs.into_iter().map(|(_, input, file)| (file, input)).unzip();
        let merging = MeterOptions { memory_limit: spills.then_some(0), threads, ..whole.clone() };
        let merged = MergedPartials::read(inputs, &merging, &Progress::new()).unwrap();
        drop(files);
        let mut found = Vec::new();
        let merged = merged.partials.unwrap().write(&merging, &records, &mut found, &Progress::new()).unwrap();
        prop_assert_eq!(String::from_utf8(found).unwrap(), String::from_utf8(expected.clone()).unwrap());

        // rows that somebody else has brought together
        let rows = rows.into_iter().map(|batch| batch.map_err(MergeError::from));
        let sums = MergedPartials::of_rows("rows", &settings.unwrap(), rows, &merging).unwrap();
        let mut of_rows = Vec::new();
        sums.write(&merging, &records, &mut of_rows, &Progress::new()).unwrap();
        prop_assert_eq!(String::from_utf8(of_rows).unwrap(), String::from_utf8(expected).unwrap());

        // the ledger too, but for what only those know who see the whole in order
        merged.ledger.check().unwrap();
        let tally = |conversion: &Conversion| Tally {
            suspected_duplicates: 0,
            late_packets: 0,
            ..conversion.ledger.total.tally.clone()
        };
        prop_assert_eq!(one.ledger.total.tally.late_packets, 0);
        prop_assert_eq!(tally(&merged), tally(&one));
        prop_assert_eq!(merged.ledger.total.records, one.ledger.total.records);
    }
}

proptest! {
    #![proptest_config(config(12))]

    #[test]
    fn the_binary_prints_the_naive_count(packets in disorder(200), interval in 1_u32..1000, lateness in 0_u16..100) {
        let options = Options {
            interval: Some(interval),
            origin: WindowOrigin::FirstPacket,
            lateness: i64::from(lateness) * SECOND,
        };
        let expected = naive(&packets, &options);
        let directory = tempfile::tempdir().unwrap();
        for (container, threads) in CONTAINERS.into_iter().zip(["1", "2", "3", "8", "1", "2"]) {
            let path = directory.path().join("capture");
            fs::write(&path, written(&packets, container).0).unwrap();
            for from_standard_input in [false, true] {
                let mut command = Command::new(env!("CARGO_BIN_EXE_flowtruth"));
                command.args(["convert", "--quiet", "--window-origin", "first-packet", "--log-format", FORMAT]);
                command.args(["--max-aggregation-interval", &interval.to_string(), "--threads", threads]);
                command.args(["--allowed-lateness", &lateness.to_string()]);
                if from_standard_input {
                    command.arg("-").stdin(fs::File::open(&path).unwrap());
                } else {
                    command.arg(&path).stdin(Stdio::null());
                }
                let output = command.output().unwrap();
                prop_assert_eq!(output.status.code(), Some(0));
                prop_assert_eq!(String::from_utf8(output.stdout).unwrap(), &*expected);
            }
        }
    }
}
