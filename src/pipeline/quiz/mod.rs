//! What questions ask about, gathered from a capture as `convert` would count it.
//!
//! One walk over the packets for each of two intervals. Of a large capture some connections are looked at, those whose
//! hash under the seed is least; so each of them is looked at from its first packet to its last, and what is remembered
//! does not grow with the capture.

mod rules;
mod sample;

use std::collections::BTreeMap;
use std::path::Path;

use self::sample::{Connection, Sample};
use super::explain::of_packet;
use super::explain::placed::{Seen, walk};
use super::{
    ExplainOptions, Explained, ExplainedPacket, ExplainedRecord, MeterOptions, RecordOptions, WindowOrigin,
};
use crate::dissect;
use crate::flow::{AggregationInterval, FlowKey, UnloggedTraffic};
use crate::mask::Mask;
use crate::packet::{IpPacket, PacketTime, SkipReason};
use crate::quiz::{
    ConnectionFacts, CountedFacts, Facts, Fate, LayerFacts, PacketFacts, PartFacts, RecordFacts, SkippedFacts,
};
use crate::record::LogFormat;

/// How many packets are remembered of each reason to skip.
const OF_A_REASON: usize = 3;

/// How many reasons are told apart at most.
const REASONS: usize = 64;

/// How many packets of a kind that AWS never logs are remembered.
const UNLOGGED: usize = 8;

/// What a quiz is made from.
#[derive(Clone, Debug)]
pub struct QuizOptions {
    /// How packets are counted, as `explain` does it.
    pub explain: ExplainOptions,
    /// How records look.
    pub records: RecordOptions,
    /// Which connections of a large capture are looked at.
    pub seed: u64,
}

/// Gathers what questions ask about. With a mask all names and addresses are masked; what is asked stays the same.
pub fn quiz_facts(capture: &Path, options: &QuizOptions, mask: Option<&Mask>) -> Explained<Facts> {
    let format = &options.records.format;
    let never = UnloggedTraffic::default();
    let mut sample = Sample::new(options.seed);
    let mut skipped: BTreeMap<SkipReason, Vec<SkippedFacts>> = BTreeMap::new();
    let mut unlogged: Vec<ExplainedPacket> = Vec::new();
    let walked = walk(capture, &options.explain.meter, |seen| match reason(seen) {
        Some(reason) if skipped.len() < REASONS || skipped.contains_key(&reason) => {
            let known = skipped.entry(reason).or_default();
            if known.len() < OF_A_REASON {
                known.push(of_skipped(seen, reason));
            }
        }
        Some(_) => {}
        None => {
            sample.take(seen, options.explain.with_direction);
            if unlogged.len() < UNLOGGED
                && let Some(flow) = flow_of(seen)
                && never.of(&flow).is_some()
                && !unlogged.iter().any(|packet| packet.decoded.is_ok_and(|ip| FlowKey::from(&ip) == flow))
            {
                unlogged.push(of_packet(seen));
            }
        }
    });
    let other_interval = other(options.explain.meter.interval);
    let (connections, records) = sample.into_parts();
    let mut records = records.into_sorted(&walked);
    if let Some(mask) = mask {
        // wrong choices are taken from them in their order
        ExplainedRecord::put_in_order_of_masks(&mut records, mask);
    }
    let otherwise = otherwise(capture, &options.explain, other_interval, &connections);
    let written = mask.map_or_else(|| options.records.clone(), |mask| options.records.masked(mask));
    let packets = connections.iter().flat_map(|connection| &connection.packets);
    let facts = Facts {
        format: format.clone(),
        interval: options.explain.meter.interval,
        other_interval,
        aligned: options.explain.meter.origin == WindowOrigin::Epoch,
        packets: packets.filter_map(|packet| of_counted(packet, &records, format, &never, mask)).collect(),
        unlogged: unlogged
            .iter()
            .filter_map(|packet| of_counted(packet, &records, format, &never, mask))
            .collect(),
        connections: connections
            .iter()
            .zip(otherwise)
            .map(|(connection, records_otherwise)| ConnectionFacts {
                flow: mask.map_or(connection.flow, |mask| mask.flow(&connection.flow)),
                begins: connection.begins(),
                answered: connection.answered,
                records_otherwise,
                verdicts: rules::verdicts(connection, &never),
            })
            .collect(),
        records: records.into_iter().map(|record| of_record(record, &written, mask)).collect(),
        skipped: skipped.into_values().flatten().collect(),
    };
    Explained { found: facts, packets_read: walked.packets, failure: walked.failure }
}

/// The interval that people choose beside this one.
fn other(interval: AggregationInterval) -> AggregationInterval {
    let minute = AggregationInterval::MINUTE;
    if interval == minute { AggregationInterval::DEFAULT } else { minute }
}

/// How many records each connection's flow has with another interval; `None` where packets come late for it.
fn otherwise(
    capture: &Path,
    options: &ExplainOptions,
    interval: AggregationInterval,
    connections: &[Connection],
) -> Vec<Option<u64>> {
    let meter = MeterOptions { interval, ..options.meter.clone() };
    let mut sample = Sample::of(connections);
    let walked = walk(capture, &meter, |seen| {
        if reason(seen).is_none() {
            sample.take(seen, options.with_direction);
        }
    });
    let (_, records) = sample.into_parts();
    let records = records.into_sorted(&walked);
    connections
        .iter()
        .map(|connection| {
            let own = records.iter().filter(|record| record.flow == connection.flow);
            own.clone().all(|record| !record.late).then(|| own.count() as u64)
        })
        .collect()
}

/// Why a packet is in no record.
fn reason(seen: &Seen<'_>) -> Option<SkipReason> {
    match (seen.decoded, seen.packet.time) {
        (Err(reason), _) => Some(reason),
        (Ok(_), PacketTime::At(_)) => None,
        (Ok(_), PacketTime::Missing) => Some(SkipReason::NoTimestamp),
        (Ok(_), PacketTime::OutOfRange) => Some(SkipReason::TimestampOutOfRange),
    }
}

fn flow_of(seen: &Seen<'_>) -> Option<FlowKey> {
    seen.decoded.ok().map(|ip: IpPacket| FlowKey::from(&ip))
}

fn of_skipped(seen: &Seen<'_>, reason: SkipReason) -> SkippedFacts {
    let layers = dissect::dissect(seen.packet, seen.decoded.as_ref().ok());
    SkippedFacts {
        number: seen.packet.number,
        frame_length: seen.packet.original_length,
        layers: layers.iter().map(|layer| layer.name).collect(),
        reason,
    }
}

/// A packet that is in a record.
fn of_counted(
    packet: &ExplainedPacket,
    records: &[ExplainedRecord],
    format: &LogFormat,
    never: &UnloggedTraffic,
    mask: Option<&Mask>,
) -> Option<PacketFacts> {
    let flow = FlowKey::from(&packet.decoded.ok()?);
    let is_own = |record: &ExplainedRecord| {
        record.flow == flow && record.packets.iter().any(|counted| counted.number == packet.number)
    };
    let record = records.iter().position(is_own);
    let shown = packet.clone();
    let shown = match mask {
        Some(mask) => shown.masked(mask),
        None => shown,
    };
    let PacketTime::At(time) = shown.time else { return None };
    let of_part = |part: &dissect::Part| {
        let value = part.value.clone().filter(|_| !part.hidden)?;
        Some(PartFacts { name: part.name, value, fate: fate(part.fate, format) })
    };
    let of_layer = |layer: &dissect::Layer| LayerFacts {
        name: layer.name,
        length: layer.bytes().len(),
        counted: layer.counted,
        parts: layer.parts.iter().filter_map(of_part).collect(),
    };
    Some(PacketFacts {
        number: shown.number,
        time,
        frame_length: shown.original_length,
        captured_length: u32::try_from(shown.data.len()).unwrap_or(u32::MAX),
        ip: shown.decoded.ok()?,
        layers: shown.layers.iter().map(of_layer).collect(),
        record,
        unlogged: never.of(&flow),
    })
}

/// What a record of a format has of a header field.
fn fate(fate: dissect::Fate, format: &LogFormat) -> Fate {
    match fate {
        dissect::Fate::Kept(fields) if fields.iter().any(|field| format.contains(*field)) => Fate::Kept,
        dissect::Fate::Summed(field) if format.contains(field) => Fate::Summed,
        dissect::Fate::Steers => Fate::Steers,
        dissect::Fate::Kept(_) | dissect::Fate::Summed(_) | dissect::Fate::Lost => Fate::Lost,
    }
}

fn of_record(record: ExplainedRecord, options: &RecordOptions, mask: Option<&Mask>) -> RecordFacts {
    let record = match mask {
        Some(mask) => record.masked(mask),
        None => record,
    };
    let packets: Vec<CountedFacts> = record
        .packets
        .iter()
        .map(|packet| CountedFacts {
            number: packet.number,
            time: packet.time,
            ip_length: packet.ip_length,
            tcp_flags: packet.tcp_flags,
        })
        .collect();
    RecordFacts {
        record: record.filled(options),
        flow: record.flow,
        window: record.window,
        late: record.late,
        whole: packets.len() as u64 == record.counters.packets,
        packets,
        first: record.first.time,
        last: record.last.time,
    }
}
