//! What each stage of a conversion costs, through the library's public functions, on captures held in memory.
//!
//! `cargo bench --bench stages`; a part of a benchmark's name behind it runs only those. Elements are packets, for
//! `records` records. A capture's `convert` is more than the sum of its stages where they wait for the same cache
//! lines, and less where they wait at the same time.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run should say so and stop")]

#[path = "traffic/generator/mod.rs"]
mod generator;

use std::hint::black_box;
use std::io;
use std::time::Duration;

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use flowtruth::capture::{Capture, CaptureInput};
use flowtruth::decode::{Tunnels, decode};
use flowtruth::flow::{FlowKey, ObservationPoint, Windows};
use flowtruth::flowlog::text::write_record_line;
use flowtruth::meter::{
    Batch, ClosedWindow, EventClock, Flow, Meter, Observation, RecentPackets, SpillError,
};
use flowtruth::packet::{CapturedPacket, IpPacket, PacketTime, Timestamp};
use flowtruth::pipeline::{MeterOptions, Progress, RecordOptions, convert};
use flowtruth::record::{Action, FlowRecord, LogFormat};
use generator::{Kind, Plan, Totals, generate};

/// Packets in each capture.
const PACKETS: u64 = 200_000;

/// Packets that are counted together, as in a conversion.
const BATCH: usize = 1024;

/// Packets that are looked up among the recent ones together, as in a conversion.
const GROUP: usize = 32;

type Group<'a> = BenchmarkGroup<'a, criterion::measurement::WallTime>;

/// A capture in memory. It is never given back: readers want bytes that outlive them.
struct Subject {
    name: &'static str,
    capture: &'static [u8],
    totals: Totals,
}

impl Subject {
    fn new(name: &'static str, kind: Kind, flows: u32, pcapng: bool) -> Self {
        let plan = Plan { packets: PACKETS, flows, pcapng, ..Plan::new(kind) };
        let mut capture = Vec::new();
        let totals = generate(&plan, &mut capture).unwrap();
        Subject { name, capture: capture.leak(), totals }
    }

    /// The captured packets, their bytes apart from the capture's.
    fn packets(&self) -> Vec<CapturedPacket<'static>> {
        let bytes: &'static [u8] = self.capture;
        let mut capture = Capture::from_reader("memory", bytes).unwrap();
        let mut packets = Vec::new();
        while capture.advance().unwrap() {
            let packet = capture.current();
            packets.push(CapturedPacket { data: packet.data.to_vec().leak(), ..packet });
        }
        packets
    }

    /// The IP packets and when they were captured.
    fn ip_packets(&self) -> Vec<(IpPacket, Timestamp)> {
        let time = |packet: &CapturedPacket<'_>| match packet.time {
            PacketTime::At(time) => time,
            PacketTime::Missing | PacketTime::OutOfRange => unreachable!("every packet has a time"),
        };
        let packets = self.packets();
        packets.iter().map(|packet| (decode(packet, Tunnels::default()).unwrap(), time(packet))).collect()
    }

    /// The packets as they are metered, in batches.
    fn batches(&self) -> Vec<Batch> {
        let mut clock = clock();
        let packets = self.ip_packets();
        let batch = |packets: &[(IpPacket, Timestamp)]| {
            let mut batch = Batch::default();
            for (ip, time) in packets {
                clock.observe(*time);
                batch.push(clock.place(*time), &observation(ip, *time));
            }
            batch
        };
        packets.chunks(BATCH).map(batch).collect()
    }

    /// A meter that has counted the packets, and the window that they are in.
    fn metered(&self) -> (Meter, ClosedWindow) {
        let mut meter = meter(&self.batches());
        let window = meter.finish().pop().unwrap();
        (meter, window)
    }
}

/// A meter that has counted these.
fn meter(batches: &[Batch]) -> Meter {
    let mut meter = Meter::new(usize::MAX);
    count(&mut meter, batches);
    meter
}

fn count(meter: &mut Meter, batches: &[Batch]) {
    batches.iter().for_each(|batch| meter.count(batch).unwrap());
}

fn clock() -> EventClock {
    EventClock::new(Windows::new("600".parse().unwrap(), Timestamp::from_nanos(0)), 10_000_000_000)
}

fn observation(ip: &IpPacket, time: Timestamp) -> Observation {
    let key = FlowKey::from(ip).into();
    Observation { key, time, ip_length: ip.ip_length, tcp_flags: ip.tcp_flags }
}

fn identity() -> FlowRecord {
    FlowRecord {
        account_id: Some("123456789012".into()),
        interface_id: Some("eni-0123456789abcdef0".into()),
        action: Some(Action::Accept),
        ..FlowRecord::default()
    }
}

/// Container bytes into captured packets.
fn read(group: &mut Group<'_>, subject: &Subject) {
    group.bench_function("read", |b| {
        b.iter(|| {
            let mut capture = Capture::from_reader("memory", subject.capture).unwrap();
            let mut bytes = 0;
            while capture.advance().unwrap() {
                bytes += capture.current().data.len();
            }
            bytes
        });
    });
}

/// Captured packets into IP packets.
fn decoding(group: &mut Group<'_>, subject: &Subject) {
    let packets = subject.packets();
    group.bench_function("decode", |b| {
        b.iter(|| {
            for packet in &packets {
                let _ = black_box(decode(black_box(packet), Tunnels::default()));
            }
        });
    });
}

/// Looking for a second sight of each packet.
fn duplicates(group: &mut Group<'_>, subject: &Subject) {
    let packets = subject.ip_packets();
    let mut recent = RecentPackets::new(10_000_000);
    // other packets in each round, or all but the first round would find the round before
    let mut round: u64 = 0;
    group.bench_function("duplicates", |b| {
        b.iter(|| {
            round = round.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut seen_again = 0;
            for group in packets.chunks(GROUP) {
                recent.touch(group.iter().map(|(ip, _)| ip.fingerprint ^ round));
                for (ip, time) in group {
                    let first = recent.sight(ip.fingerprint ^ round, *time, ObservationPoint(0));
                    seen_again += usize::from(first.is_some());
                }
            }
            seen_again
        });
    });
}

/// Moving the clock, placing each packet, packing it into a batch.
fn placing(group: &mut Group<'_>, subject: &Subject) {
    let packets = subject.ip_packets();
    let mut batch = Batch::default();
    group.bench_function("place", |b| {
        b.iter(|| {
            let mut clock = clock();
            for (ip, time) in &packets {
                clock.observe(*time);
                batch.push(clock.place(*time), &observation(ip, *time));
                if batch.len() == BATCH {
                    black_box(&batch);
                    batch.clear();
                }
            }
            batch.clear();
        });
    });
}

/// Counting batches into flow tables that have their size.
fn metering(group: &mut Group<'_>, subject: &Subject) {
    let batches = subject.batches();
    let mut meter = meter(&batches);
    group.bench_function("meter", |b| b.iter(|| count(&mut meter, &batches)));
}

/// Counting batches into flow tables that begin empty.
fn growing(group: &mut Group<'_>, subject: &Subject) {
    let batches = subject.batches();
    group.bench_function("meter-anew", |b| {
        b.iter(|| meter(&batches).finish().len());
    });
}

fn each_flow(meter: &Meter, window: &ClosedWindow, mut each: impl FnMut(&Flow)) {
    let each = |flow: &Flow| {
        each(flow);
        Ok::<(), SpillError>(())
    };
    meter.for_each_flow(window, false, each).unwrap();
}

/// Putting a closed window's flows in order.
fn ordering(group: &mut Group<'_>, subject: &Subject) {
    let (meter, window) = subject.metered();
    group.throughput(Throughput::Elements(subject.totals.flows));
    group.bench_function("records/order", |b| {
        b.iter(|| {
            let mut packets = 0;
            each_flow(&meter, &window, |flow| packets += flow.counters.packets);
            packets
        });
    });
}

/// Records into lines.
fn writing(group: &mut Group<'_>, subject: &Subject) {
    let (meter, window) = subject.metered();
    let mut flows = Vec::new();
    each_flow(&meter, &window, |flow| flows.push(*flow));
    let mut record = identity();
    let mut lines = Vec::new();
    group.throughput(Throughput::Elements(flows.len() as u64));
    for name in ["v2", "v5"] {
        let format = LogFormat::preset(name).unwrap();
        group.bench_function(format!("records/write-{name}"), |b| {
            b.iter(|| {
                lines.clear();
                for flow in &flows {
                    record.set_flow(&flow.key.flow, &flow.counters);
                    write_record_line(&format, &record, &mut lines);
                }
                lines.len()
            });
        });
    }
}

/// The whole way, records written to nowhere.
fn converting(group: &mut Group<'_>, subject: &Subject) {
    let records =
        RecordOptions { format: LogFormat::preset("v2").unwrap(), header: false, identity: identity() };
    for threads in [1, 2] {
        let meter = MeterOptions { threads, ..MeterOptions::default() };
        group.bench_function(format!("convert/{threads}"), |b| {
            b.iter(|| {
                let input = CaptureInput::Reader("memory".to_owned(), Box::new(subject.capture));
                let converted = convert(vec![input], &meter, &records, io::sink(), false, &Progress::new());
                let ledger = converted.unwrap().ledger;
                ledger.check().unwrap();
                let total = ledger.total;
                let counted = (total.tally.packets_in_records, total.tally.ip_bytes_in_records);
                assert_eq!(counted, (subject.totals.packets, subject.totals.ip_bytes));
                assert_eq!(total.records, subject.totals.flows);
            });
        });
    }
}

fn stages(criterion: &mut Criterion) {
    let subjects = [
        Subject::new("small", Kind::Small, 20_000, false),
        Subject::new("small-pcapng", Kind::Small, 20_000, true),
        Subject::new("mix", Kind::Mix, 20_000, false),
        Subject::new("synflood", Kind::SynFlood, 0, false),
    ];
    for subject in &subjects {
        let mut group = criterion.benchmark_group(subject.name);
        group.throughput(Throughput::Elements(subject.totals.packets));
        read(&mut group, subject);
        if !subject.name.ends_with("-pcapng") {
            decoding(&mut group, subject);
            duplicates(&mut group, subject);
            placing(&mut group, subject);
            metering(&mut group, subject);
            growing(&mut group, subject);
        }
        converting(&mut group, subject);
        if !subject.name.ends_with("-pcapng") {
            ordering(&mut group, subject);
            writing(&mut group, subject);
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = stages
}
criterion_main!(benches);
