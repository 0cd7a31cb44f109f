//! The whole of `diff`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use flowtruth::capture::CaptureInput;
use flowtruth::diff::{Cause, Comparison, Delta, Difference, Kind, Tolerance, Verdict};
use flowtruth::flowlog::text::{parse_line, write_header_line, write_record_line};
use flowtruth::packet::{Protocol, TcpFlags};
use flowtruth::pipeline::{
    DiffOptions, DiffReport, DiffSide, LogInput, MeterOptions, Progress, RecordOptions, convert,
    diff as compare,
};
use flowtruth::record::{Action, FlowRecord, LogFormat, LogStatus};

use super::Bytes;

/// The seconds that the times of packets are counted from: an ordinary one, the epoch, and about the first and the last
/// that a packet's time can have.
const BASES: [i64; 4] = [1_599_999_600, 0, -9_223_372_036, 9_223_370_000];

/// Seconds from one packet to the next.
const PAUSES: [u64; 12] = [0, 0, 0, 1, 1, 2, 20, 58, 61, 119, 600, 1 << 31];

/// Seconds that times are moved by.
const SHIFTS: [i64; 14] =
    [1, -1, 2, 30, -59, 60, 61, -62, 600, 3600, 1 << 32, i64::MIN, i64::MAX, i64::MIN / 2];

/// How many packets a capture has at most.
const MOST: usize = 300;

/// A packet.
#[derive(Clone)]
struct Packet {
    /// Which of the bases.
    interface: u32,
    /// Microseconds since then.
    time: u64,
    frame: Vec<u8>,
    captured: usize,
}

/// The two ends of a flow, and what is sent.
#[derive(Clone)]
struct Flow {
    src: (u8, u16),
    dst: (u8, u16),
    v6: bool,
    protocol: u8,
}

impl Flow {
    fn of(bytes: &mut Bytes<'_>) -> Flow {
        let bits = bytes.u8();
        let (sport, dport) =
            bytes.one_of(&[(443, 50_000), (50_000, 443), (443, 50_001), (80, 80), (0, 0), (4789, 53)]);
        Flow {
            src: (bits & 3, sport),
            dst: (bits >> 2 & 3, dport),
            v6: bits >> 6 & 1 == 1,
            protocol: bytes.one_of(&[6, 17, 1, 47]),
        }
    }

    /// Its frame: Ethernet, IPv4 or IPv6, a transport header or the like. A later fragment has none.
    fn frame(&self, payload: u16, flags: u8, is_later: bool) -> Vec<u8> {
        let ((src, sport), (dst, dport)) = (self.src, self.dst);
        let mut segment = Vec::new();
        if !is_later {
            match self.protocol {
                6 => {
                    segment.extend([sport.to_be_bytes(), dport.to_be_bytes()].concat());
                    segment.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 0, 0, 0, 0, 0, 0]);
                }
                17 => {
                    segment.extend([sport.to_be_bytes(), dport.to_be_bytes()].concat());
                    segment.extend([(8 + payload).to_be_bytes(), [0; 2]].concat());
                }
                _ => segment.extend([8, 0, 0, 0]),
            }
        }
        segment.resize(segment.len() + usize::from(payload), 0x2e);
        let length = segment.len() as u16;
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        if self.v6 {
            let host = |host: u8| [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host];
            frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
            frame.extend(length.to_be_bytes());
            frame.extend([self.protocol, 64]);
            frame.extend([host(src), host(dst)].concat());
        } else {
            let host = |host: u8| if host == 3 { [169, 254, 169, 254] } else { [10, 0, 0, host] };
            frame.extend([0x08, 0x00, 0x45, 0]);
            frame.extend((20 + length).to_be_bytes());
            frame.extend([
                0,
                7,
                if is_later { 0 } else { 0x20 },
                u8::from(is_later),
                64,
                self.protocol,
                0,
                0,
            ]);
            frame.extend([host(src), host(dst)].concat());
        }
        frame.extend(segment);
        frame
    }

    fn back(&self) -> Flow {
        Flow { src: self.dst, dst: self.src, ..self.clone() }
    }
}

fn packets(bytes: &mut Bytes<'_>) -> Vec<Packet> {
    let flows: Vec<Flow> = (0..1 + bytes.u8() % 5).map(|_| Flow::of(bytes)).collect();
    let mut packets = Vec::new();
    let mut now: u64 = 0;
    for _ in 0..bytes.u8() % 64 {
        let which = bytes.u8();
        let flow = &flows[usize::from(which & 0x0f) % flows.len()];
        let flow = if which & 0x10 == 0 { flow.clone() } else { flow.back() };
        let is_later = which & 0xe0 == 0xe0 && !flow.v6;
        let times = bytes.u8();
        let pause = PAUSES[usize::from(times & 0x0f) % PAUSES.len()] * 1_000_000
            + u64::from(times >> 4 & 3) * 300_001;
        // some come later than they were sent
        now = if times >> 6 == 3 { now.saturating_sub(pause) } else { now + pause };
        let size = bytes.u8();
        let (payload, flags) = (u16::from(size & 0x3f) * if size & 0x40 == 0 { 8 } else { 200 }, bytes.u8());
        let mut frame = flow.frame(payload, flags, is_later);
        if size & 0x80 == 0 {
            frame.resize(frame.len().max(60), 0);
        }
        let more = bytes.u8();
        let interface = if more & 0x38 == 0x38 { u32::from(more & 3) } else { 0 };
        let captured = if more & 4 == 0 { frame.len() } else { frame.len().min(54) };
        let packet = Packet { interface, time: now, frame, captured };
        let count = [1, 1, 2, 120][usize::from(more >> 6)];
        packets.extend(std::iter::repeat_n(packet, count));
    }
    packets.truncate(MOST);
    packets
}

/// A pcapng file with an interface for each of the bases.
fn pcapng(packets: &[Packet]) -> Vec<u8> {
    let mut file: Vec<u8> = Vec::new();
    let mut block = |kind: u32, body: &[u8]| {
        let length = (body.len() + 12) as u32;
        for part in [&kind.to_le_bytes(), &length.to_le_bytes(), body, &length.to_le_bytes()] {
            file.extend_from_slice(part);
        }
    };
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    block(0x0a0d_0d0a, &words(&[0x1a2b_3c4d, 1, u32::MAX, u32::MAX]));
    for base in BASES {
        block(1, &[words(&[1, 0, 8 << 16 | 14]), base.to_le_bytes().to_vec(), words(&[0])].concat());
    }
    for Packet { interface, time, frame, captured } in packets {
        let head = [*interface, (time >> 32) as u32, *time as u32, *captured as u32, frame.len() as u32];
        let mut body = words(&head);
        body.extend_from_slice(&frame[..*captured]);
        body.resize(body.len().next_multiple_of(4), 0);
        block(6, &body);
    }
    file
}

fn capture(file: &[u8]) -> DiffSide {
    let reader = Cursor::new(file.to_vec());
    DiffSide::Captures(vec![CaptureInput::Reader("capture".to_owned(), Box::new(reader))])
}

/// The records of packets.
fn records(file: &[u8], format: &LogFormat, meter: &MeterOptions) -> Vec<FlowRecord> {
    let DiffSide::Captures(captures) = capture(file) else { return Vec::new() };
    let identity = FlowRecord { interface_id: Some("eni-1".into()), ..FlowRecord::default() };
    let options = RecordOptions { format: format.clone(), header: false, identity };
    let mut output = Vec::new();
    let conversion = convert(captures, meter, &options, &mut output, true, &Progress::new())
        .expect("a vector can always be written");
    assert!(conversion.failures.is_empty(), "{:?}", conversion.failures);
    output.split_inclusive(|byte| *byte == b'\n').map(|line| parse_line(format, line).unwrap()).collect()
}

fn written(records: &[FlowRecord], format: &LogFormat) -> Vec<u8> {
    let mut text = Vec::new();
    write_header_line(format, &mut text);
    records.iter().for_each(|record| write_record_line(format, record, &mut text));
    text
}

fn log(text: &[u8]) -> DiffSide {
    DiffSide::Logs(vec![LogInput::Reader("log".to_owned(), Box::new(Cursor::new(text.to_vec())))], None)
}

/// Changes a log in some places.
fn edit(records: &mut Vec<FlowRecord>, bytes: &mut Bytes<'_>) {
    for _ in 0..bytes.u8() % 8 {
        if records.is_empty() {
            return;
        }
        let at = usize::from(bytes.u8()) % records.len();
        let (kind, value) = (bytes.u8(), bytes.u8());
        let number = [0, 1, 2, 14, 100, u64::MAX, u64::MAX / 2, u64::from(value)][usize::from(value & 7)];
        let mut again = records[at].clone();
        let record = &mut records[at];
        let counted = |count: Option<u64>| {
            Some(if value & 8 == 0 { number } else { count.unwrap_or(0).wrapping_add(number) })
        };
        match kind % 16 {
            0 => {
                records.remove(at);
            }
            1 => {
                if value & 1 == 1 {
                    again.interface_id = Some("eni-2".into());
                }
                records.push(again);
            }
            2 => {
                let seconds = SHIFTS[usize::from(value) % SHIFTS.len()];
                let records = if value & 0x80 == 0 { &mut records[at..=at] } else { &mut records[..] };
                for record in records {
                    record.start = record.start.map(|start| start.saturating_add(seconds));
                    record.end = record.end.map(|end| end.saturating_add(seconds));
                }
            }
            3 => record.packets = counted(record.packets),
            4 => record.bytes = counted(record.bytes),
            5 => std::mem::swap(&mut record.srcport, &mut record.dstport),
            6 => std::mem::swap(&mut record.srcaddr, &mut record.dstaddr),
            7 => record.action = [Some(Action::Accept), Some(Action::Reject), None][usize::from(value) % 3],
            8 => record.interface_id = [Some("eni-2".into()), None][usize::from(value) % 2].clone(),
            9 => {
                let status = if value & 1 == 0 { LogStatus::NoData } else { LogStatus::SkipData };
                let (start, end) = (record.start, record.end);
                *record = FlowRecord { log_status: Some(status), start, end, ..FlowRecord::default() };
            }
            10 => record.start = Some([i64::MIN, 0, i64::MAX, BASES[0]][usize::from(value) % 4]),
            11 => record.end = Some([i64::MIN, 0, i64::MAX, BASES[0] + 59][usize::from(value) % 4]),
            12 => record.tcp_flags = Some(TcpFlags(value)),
            13 => {
                record.srcaddr =
                    Some(if value & 1 == 0 { [10, 0, 0, 2].into() } else { [192, 0, 2, 7].into() })
            }
            14 => {
                // every record's bytes as frames
                for record in records.iter_mut() {
                    let header = record.packets.unwrap_or(0).saturating_mul(14);
                    record.bytes = record.bytes.map(|bytes| bytes.saturating_add(header));
                }
            }
            _ => {
                let to = usize::from(value) % records.len();
                records.swap(at, to);
            }
        }
    }
}

/// Whether a record can be compared.
fn is_comparable(record: &FlowRecord) -> bool {
    let has_ports = record.protocol.is_some_and(Protocol::has_ports);
    matches!(record.log_status, Some(LogStatus::Ok) | None)
        && record.start.zip(record.end).is_some_and(|(start, end)| start <= end)
        && record.srcaddr.or(record.pkt_srcaddr).is_some()
        && record.dstaddr.or(record.pkt_dstaddr).is_some()
        && record.packets.is_some()
        && record.bytes.is_some()
        && (!has_ports || (record.srcport.is_some() && record.dstport.is_some()))
}

/// What a comparison comes to, for every memory and number of threads.
fn compared(sides: impl Fn() -> (DiffSide, DiffSide), options: &DiffOptions) -> DiffReport {
    let run = |memory_limit, threads| {
        let mut options = options.clone();
        (options.meter.memory_limit, options.meter.threads) = (memory_limit, threads);
        let (reference, candidate) = sides();
        compare(reference, candidate, &options, &Progress::new())
    };
    let same = |one: &DiffReport, other: &DiffReport, what: &str| {
        assert_eq!(one.comparison, other.comparison, "{what}");
        assert_eq!((&one.reference, &one.candidate), (&other.reference, &other.candidate), "{what}");
    };
    let report = run(None, 2);
    let little = run(Some(1), 1);
    // a share of a handful of flows cannot tell the clocks' offset
    if report.comparison.clock_offset_seconds == 0.0 && little.comparison.clock_offset_seconds == 0.0 {
        same(&report, &little, "one byte of memory, one thread");
    }
    adds_up(&report);
    report
}

/// What holds of every comparison.
fn adds_up(report: &DiffReport) {
    assert!(report.log_failures.is_empty() && report.capture_failures.is_empty() && !report.interrupted);
    let comparison = &report.comparison;
    let Comparison { differences, causes, findings, .. } = comparison;
    let mut counted: BTreeMap<Cause, u64> = BTreeMap::new();
    differences.iter().for_each(|difference| *counted.entry(difference.cause).or_default() += 1);
    assert_eq!(*causes, counted);
    for difference in differences {
        assert!(difference.start <= difference.end && !difference.detail.is_empty(), "{difference:?}");
        let has = (difference.reference.is_some(), difference.candidate.is_some());
        match difference.kind {
            Kind::Missing => assert_eq!(has, (true, false), "{difference:?}"),
            Kind::Extra => assert_eq!(has, (false, true), "{difference:?}"),
            _ => assert!(has.0 || has.1, "{difference:?}"),
        }
    }
    for finding in findings {
        assert_eq!(causes.get(&finding.cause), Some(&finding.differences));
    }
    let is_explained = differences.iter().all(|difference| difference.explained);
    let expected = match (differences.len(), is_explained) {
        (0, _) => Verdict::Same,
        (_, true) => Verdict::Explained,
        (_, false) => Verdict::Different,
    };
    assert_eq!(comparison.verdict, expected);
    let _ = report.packets();
}

/// Every record of the side that makes claims is matched, a difference, or outside.
fn accounted(report: &DiffReport, is_candidate: bool, records: u64) {
    let Comparison { differences, matched, .. } = &report.comparison;
    let (side, outside) = if is_candidate {
        (&report.candidate, report.comparison.candidate_outside)
    } else {
        (&report.reference, report.comparison.reference_outside)
    };
    assert_eq!(side.records, Some(records));
    let mut lines = BTreeSet::new();
    let mut told = 0;
    for difference in differences {
        let Difference { reference, candidate, cause, detail, line, .. } = difference;
        if (if is_candidate { candidate } else { reference }).is_none() {
            continue;
        }
        assert!(lines.insert(line.expect("a record has a line")), "told twice: {difference:?}");
        // a group of records is told with its first
        told += match detail.split_once(" record") {
            Some((count, _)) if *cause == Cause::SplitDifferently => {
                count.parse().expect("a number of records")
            }
            _ => 1,
        };
    }
    assert_eq!(matched + told + outside.records, records, "{:#?}", report.comparison);
}

/// What a comparison comes to, so that it can be held against that of exchanged sides.
fn in_short(comparison: &Comparison, exchanged: bool) -> (u64, BTreeMap<(Cause, Kind), u64>, [u64; 2]) {
    let mut differences: BTreeMap<(Cause, Kind), u64> = BTreeMap::new();
    for Difference { cause, kind, .. } in &comparison.differences {
        let (cause, kind) = match (exchanged, cause, kind) {
            (false, cause, kind) => (*cause, *kind),
            (true, cause, kind) => {
                let cause = match cause {
                    Cause::MissingRecord => Cause::ExtraRecord,
                    Cause::ExtraRecord => Cause::MissingRecord,
                    other => *other,
                };
                let kind = match kind {
                    Kind::Missing => Kind::Extra,
                    Kind::Extra => Kind::Missing,
                    other => *other,
                };
                (cause, kind)
            }
        };
        *differences.entry((cause, kind)).or_default() += 1;
    }
    let mut outside = [comparison.reference_outside.records, comparison.candidate_outside.records];
    if exchanged {
        outside.reverse();
    }
    (comparison.matched, differences, outside)
}

/// A small capture and a log of its own records, changed in some places: every comparison adds up, and is the same with
/// little memory, with more threads and the other way round; unchanged, the two sides are the same.
pub fn diff(data: &[u8]) {
    let mut bytes = Bytes(data);
    let interval = bytes.one_of(&["60", "600", "1", "capture"]).parse().unwrap();
    let format = bytes.one_of(&[
        "${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} \
         ${action} ${tcp-flags} ${log-status}",
        "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} \
         ${bytes} ${start} ${end} ${action} ${log-status}",
        "${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end}",
        "${interface-id} ${srcaddr} ${dstaddr} ${pkt-srcaddr} ${pkt-dstaddr} ${srcport} ${dstport} ${protocol} \
         ${packets} ${bytes} ${start} ${end} ${tcp-flags} ${action} ${log-status}",
    ]);
    let format: LogFormat = format.parse().unwrap();
    let mut options = DiffOptions::default();
    options.compare.tolerance = bytes.one_of(&[
        Tolerance::default(),
        Tolerance::default(),
        Tolerance { packets: Delta::Percent(10.0), bytes: Delta::Percent(10.0), ..Tolerance::default() },
        Tolerance { start: Delta::Absolute(0), end: Delta::Absolute(0), ..Tolerance::default() },
        Tolerance { start: Delta::Absolute(u64::MAX), end: Delta::Percent(1e9), ..Tolerance::default() },
    ]);
    let packets = packets(&mut bytes);
    let file = pcapng(&packets);
    let meter = MeterOptions { interval, ..MeterOptions::default() };
    let whole = records(&file, &format, &meter);
    let mut changed = whole.clone();
    edit(&mut changed, &mut bytes);
    let comparable = changed.iter().filter(|record| is_comparable(record)).count() as u64;
    let (text, changed) = (written(&whole, &format), written(&changed, &format));
    // another capture, of some of the packets
    let kept = match bytes.u64() {
        0 => u64::MAX,
        kept => kept,
    };
    let some = packets.into_iter().zip((0..64).cycle()).filter(|(_, bit)| kept >> bit & 1 == 1);
    let some = pcapng(&some.map(|(packet, _)| packet).collect::<Vec<_>>());

    for (reference, candidate) in [
        (capture(&file), log(&text)),
        (log(&text), capture(&file)),
        (log(&text), log(&text)),
        (capture(&file), capture(&file)),
    ] {
        let report = compare(reference, candidate, &options, &Progress::new());
        assert_eq!(report.comparison.verdict, Verdict::Same, "{:#?}", report.comparison);
    }

    let one = compared(|| (capture(&some), log(&changed)), &options);
    accounted(&one, true, comparable);
    let other = compared(|| (log(&changed), capture(&some)), &options);
    accounted(&other, false, comparable);
    assert_eq!(in_short(&one.comparison, false), in_short(&other.comparison, true));

    let one = compared(|| (log(&text), log(&changed)), &options);
    accounted(&one, true, comparable);
    let other = compared(|| (log(&changed), log(&text)), &options);
    accounted(&other, true, whole.len() as u64);

    adds_up(&compare(capture(&file), capture(&some), &options, &Progress::new()));
}
