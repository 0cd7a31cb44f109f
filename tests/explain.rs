//! `explain` against `convert` and `decode`, on every fixture: a packet's record is one that `convert` writes, and what
//! the bytes are said to mean is what was decoded of them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod captures;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use flowtruth::capture::{CaptureInput, MergeStep, MergedCaptures};
use flowtruth::decode::{Tunnels, decode};
use flowtruth::dissect::{ReadField, dissect};
use flowtruth::flow::{AggregationInterval, FlowCounters, FlowKey, FlowPattern};
use flowtruth::packet::{Fragment, IpPacket, Note, Protocol};
use flowtruth::pipeline::{
    ExplainOptions, MeterOptions, Progress, RecordOptions, convert, explain_flow, explain_packet,
};
use flowtruth::record::{Field, FlowRecord, LogFormat};

fn meter(seconds: u32, tunnels: Tunnels) -> MeterOptions {
    let interval = AggregationInterval::Seconds(seconds.try_into().unwrap());
    MeterOptions { interval, tunnels, ..MeterOptions::default() }
}

/// Flow, packets, bytes, first and last second: what a record is made of.
type Told = (String, u64, u64, i64, i64);

fn told(flow: &FlowKey, counters: &FlowCounters) -> Told {
    let FlowKey { srcaddr, dstaddr, srcport, dstport, protocol } = flow;
    let flow = format!("{srcaddr} {dstaddr} {srcport} {dstport} {protocol}");
    (flow, counters.packets, counters.bytes, counters.first.seconds(), counters.last.seconds())
}

/// The records that `convert` writes.
fn converted(path: &Path, meter: &MeterOptions) -> Vec<Told> {
    let format =
        LogFormat::from_header("srcaddr dstaddr srcport dstport protocol packets bytes start end").unwrap();
    let records = RecordOptions { format, header: false, identity: FlowRecord::default() };
    let mut output = Vec::new();
    let inputs = vec![CaptureInput::Path(path.to_owned())];
    convert(inputs, meter, &records, &mut output, false, &Progress::new()).unwrap();
    let text = String::from_utf8(output).unwrap();
    text.lines()
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let number = |at: usize| words[at].parse().unwrap();
            (words[..5].join(" "), number(5), number(6), words[7].parse().unwrap(), words[8].parse().unwrap())
        })
        .collect()
}

#[test]
fn a_flow_s_records_are_those_that_convert_writes() {
    let everything = FlowPattern::default();
    for path in captures::below("fixtures/captures") {
        for (seconds, tunnels) in [(600, Tunnels::NONE), (1, "all".parse().unwrap())] {
            let meter = meter(seconds, tunnels);
            let options = ExplainOptions { meter: meter.clone(), with_direction: false };
            let explained = explain_flow(&path, &everything, &options).found;
            let explained: Vec<Told> =
                explained.iter().map(|record| told(&record.flow, &record.counters)).collect();
            assert_eq!(explained, converted(&path, &meter), "{} {seconds}", path.display());
        }
    }
}

#[test]
fn a_packet_s_record_is_one_that_convert_writes() {
    let mut checked = 0;
    for path in captures::below("fixtures/captures") {
        let meter = meter(60, Tunnels::NONE);
        let written: HashSet<Told> = converted(&path, &meter).into_iter().collect();
        let options = ExplainOptions { meter, with_direction: false };
        for number in [1, 2, 5, 11] {
            let Some(packet) = explain_packet(&path, number, &options).found else { continue };
            assert_eq!(packet.number, number);
            let Some(record) = packet.record else { continue };
            assert!(
                written.contains(&told(&record.flow, &record.counters)),
                "{}: {record:?}",
                path.display()
            );
            assert!(record.packets.iter().any(|counted| counted.number == number));
            let lengths: u64 = record.packets.iter().map(|counted| u64::from(counted.ip_length)).sum();
            assert_eq!(lengths, record.counters.bytes);
            assert_eq!(record.first.time, record.counters.first);
            assert_eq!(record.last.time, record.counters.last);
            checked += 1;
        }
    }
    assert!(checked > 100, "only {checked} packets were in records");
}

/// The values that `decode` has of a packet's own bytes.
fn decoded(ip: &IpPacket) -> BTreeMap<Field, String> {
    let mut values = BTreeMap::new();
    values.insert(Field::SrcAddr, ip.srcaddr.to_string());
    values.insert(Field::DstAddr, ip.dstaddr.to_string());
    values.insert(Field::Protocol, ip.protocol.to_string());
    let has_ports = ip.protocol.has_ports() && !matches!(ip.fragment, Fragment::Later(_));
    if has_ports && !ip.notes.contains(Note::PortsCut) {
        values.insert(Field::SrcPort, ip.srcport.to_string());
        values.insert(Field::DstPort, ip.dstport.to_string());
    }
    values
}

#[test]
fn bytes_say_what_was_decoded_of_them() {
    let mut checked = 0;
    for path in captures::below("fixtures/captures") {
        for tunnels in [Tunnels::NONE, "all".parse().unwrap()] {
            let mut captures = MergedCaptures::new(vec![CaptureInput::Path(path.clone())]);
            while let Some(step) = captures.step() {
                let MergeStep::Packet(_) = step else { continue };
                let packet = captures.current();
                let Ok(ip) = decode(&packet, tunnels) else { continue };
                let layers = dissect(&packet, Some(&ip));
                let mut said: BTreeMap<Field, String> = BTreeMap::new();
                for ReadField { field, part, .. } in ReadField::all(&layers) {
                    // a number may have its name behind it
                    let value = part.value.clone().unwrap_or_default();
                    said.insert(field, value.split(", ").next().unwrap().to_owned());
                }
                // what is marked as kept is what the record has
                for (field, has) in [
                    (Field::Protocol, ip.protocol.to_string()),
                    (Field::SrcPort, ip.srcport.to_string()),
                    (Field::DstPort, ip.dstport.to_string()),
                ] {
                    assert!(said.get(&field).is_none_or(|said| *said == has), "{field} of {layers:#?}");
                }
                assert!(ip.protocol == Protocol::TCP || !said.contains_key(&Field::TcpFlags), "{layers:#?}");
                // a walk that ends at a cut extension header has the cut header for a protocol
                if ip.notes.contains(Note::ExtensionCut) {
                    continue;
                }
                for (field, value) in decoded(&ip) {
                    let place = format!("{} packet {}", path.display(), packet.number);
                    assert_eq!(said.get(&field), Some(&value), "{place}: {field} of {layers:#?}");
                }
                checked += 1;
            }
        }
    }
    assert!(checked > 1000, "only {checked} packets were looked at");
}
