//! Records, and the packets that they count.

use std::collections::HashMap;

use super::placed::{Seen, Walked};
use crate::flow::{CaptureWindow, FlowCounters, FlowKey};
use crate::meter::Placement;
use crate::packet::{PacketDirection, TcpFlags, Timestamp};
use crate::pipeline::RecordOptions;
use crate::record::{Action, FlowDirection, FlowRecord};

/// How many packets of a record a page shows, the last one aside.
const KEPT: usize = 1000;

/// A packet that a record counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountedPacket {
    /// Its number in the capture, from 1.
    pub number: u64,
    /// When it was captured.
    pub time: Timestamp,
    /// Its IP length in bytes: what it adds to `bytes`.
    pub ip_length: u32,
    /// Its frame's length on the wire, in bytes.
    pub frame_length: u32,
    /// Its TCP flags as its header has them; 0 for other protocols.
    pub tcp_flags: TcpFlags,
}

/// A record, and where its numbers come from.
#[derive(Clone, Debug)]
pub struct ExplainedRecord {
    /// The flow.
    pub flow: FlowKey,
    /// Which way its packets went, where the capture says so and the format tells.
    pub direction: PacketDirection,
    /// The window; `None` where one window takes the whole capture.
    pub window: Option<CaptureWindow>,
    /// Whether the window had closed when its packets came.
    pub late: bool,
    /// The sums.
    pub counters: FlowCounters,
    /// Its packets in the order in which they were read: the first thousand, of a quiz fewer.
    pub packets: Vec<CountedPacket>,
    /// The packet that gives `start`: the earliest.
    pub first: CountedPacket,
    /// The packet that gives `end`: the latest.
    pub last: CountedPacket,
}

impl ExplainedRecord {
    /// The record as `convert` writes it.
    pub fn filled(&self, options: &RecordOptions) -> FlowRecord {
        let mut filled = options.identity.clone();
        filled.action.get_or_insert(Action::Accept);
        filled.version = Some(options.format.version());
        filled.set_flow(&self.flow, &self.counters);
        match self.direction {
            PacketDirection::Inbound => filled.flow_direction = Some(FlowDirection::Ingress),
            PacketDirection::Outbound => filled.flow_direction = Some(FlowDirection::Egress),
            PacketDirection::Unknown => {}
        }
        filled
    }
}

/// What makes a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::pipeline) struct RecordKey {
    placement: Placement,
    /// How often windows had closed when its packets came; of those in time it does not matter.
    closings: usize,
    flow: FlowKey,
    direction: PacketDirection,
}

impl RecordKey {
    /// The record of a packet, if it is in one.
    pub(in crate::pipeline) fn of(seen: &Seen<'_>, with_direction: bool) -> Option<RecordKey> {
        let ip = seen.decoded.ok()?;
        let (_, placement) = seen.placed?;
        let direction = if with_direction { ip.direction } else { PacketDirection::Unknown };
        // late packets are written at the next closing, and those that come then are another record
        let closings = if placement.late { seen.closings } else { 0 };
        Some(RecordKey { placement, closings, flow: FlowKey::from(&ip), direction })
    }
}

/// The records so far.
pub(in crate::pipeline) struct Records {
    found: HashMap<RecordKey, ExplainedRecord>,
    /// How many packets of a record are kept, the last one aside.
    kept: usize,
}

/// As many as a page shows.
impl Default for Records {
    fn default() -> Self {
        Records::keeping(KEPT)
    }
}

impl Records {
    /// With so many packets of each record.
    pub(in crate::pipeline) fn keeping(kept: usize) -> Records {
        Records { found: HashMap::new(), kept }
    }

    /// Takes in others, of other flows.
    pub(in crate::pipeline) fn extend(&mut self, others: Records) {
        self.found.extend(others.found);
    }

    /// Counts a packet in its record.
    pub(in crate::pipeline) fn count(&mut self, key: RecordKey, seen: &Seen<'_>) {
        let (Ok(ip), Some((time, _))) = (seen.decoded, seen.placed) else { return };
        let packet = CountedPacket {
            number: seen.packet.number,
            time,
            ip_length: ip.ip_length,
            frame_length: seen.packet.original_length,
            tcp_flags: ip.tcp_flags,
        };
        let record = self.found.entry(key).or_insert_with(|| ExplainedRecord {
            flow: key.flow,
            direction: key.direction,
            window: None,
            late: key.placement.late,
            counters: FlowCounters::EMPTY,
            packets: Vec::new(),
            first: packet,
            last: packet,
        });
        record.counters.count(time, ip.ip_length, ip.tcp_flags.as_logged());
        if record.packets.len() < self.kept {
            record.packets.push(packet);
        }
        if time < record.first.time {
            record.first = packet;
        }
        if time >= record.last.time {
            record.last = packet;
        }
    }

    /// The records in the order in which `convert` writes them: by the closing that writes them, then by window.
    pub(in crate::pipeline) fn into_sorted(self, walked: &Walked) -> Vec<ExplainedRecord> {
        let written = |key: &RecordKey| match key.placement {
            Placement { late: true, .. } => key.closings,
            Placement { window, late: false } => walked.closed.partition_point(|passed| *passed <= window),
        };
        let mut records: Vec<(RecordKey, ExplainedRecord)> = self.found.into_iter().collect();
        records.sort_by_key(|(key, _)| (written(key), *key));
        let with_window = |(key, record): (RecordKey, ExplainedRecord)| ExplainedRecord {
            window: walked.windows.window(key.placement.window),
            ..record
        };
        records.into_iter().map(with_window).collect()
    }
}
