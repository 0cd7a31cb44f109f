//! Packets on their way into the flow tables, packed and gathered by window.

use super::Placement;
use super::packed::{Packed, PackedKey, PackedV4, PackedV6, pack};
use super::table::PackedPacket;
use crate::flow::{FlowCounters, MeteringKey};
use crate::packet::{TcpFlags, Timestamp};

/// What is counted of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The flow it belongs to.
    pub key: MeteringKey,
    /// When it was captured.
    pub time: Timestamp,
    /// Its IP length in bytes (accounting rule 4).
    pub ip_length: u32,
    /// Its flags as its header has them.
    pub tcp_flags: TcpFlags,
}

/// Packets that follow one another in one window: so many of each address family.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) placement: Placement,
    pub(super) v4: usize,
    pub(super) v6: usize,
}

/// Packets to be counted together, in the order in which they were read.
#[derive(Debug, Default)]
pub struct Batch {
    pub(super) v4: Vec<PackedPacket<PackedV4>>,
    pub(super) v6: Vec<PackedPacket<PackedV6>>,
    pub(super) runs: Vec<Run>,
    /// Flows that were counted on the way, beside the packets.
    pub(super) counted_v4: Vec<Counted<PackedV4>>,
    pub(super) counted_v6: Vec<Counted<PackedV6>>,
}

/// What was counted of a flow in a window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted<K> {
    pub(super) placement: Placement,
    pub(super) key: K,
    pub(super) counters: FlowCounters,
}

impl Batch {
    /// How many packets it holds.
    pub fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Whether it holds no packets.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.counted_v4.is_empty() && self.counted_v6.is_empty()
    }

    /// The run that packets of this placement are added to.
    #[inline]
    fn run(&mut self, placement: Placement) -> Option<&mut Run> {
        if self.runs.last().is_none_or(|run| run.placement != placement) {
            self.runs.push(Run { placement, v4: 0, v6: 0 });
        }
        self.runs.last_mut()
    }

    /// Adds what `fill` adds to the packets of each family, all in one window.
    #[inline]
    pub(crate) fn extend(
        &mut self,
        placement: Placement,
        fill: impl FnOnce(&mut Vec<PackedPacket<PackedV4>>, &mut Vec<PackedPacket<PackedV6>>),
    ) {
        let before = (self.v4.len(), self.v6.len());
        fill(&mut self.v4, &mut self.v6);
        let (v4, v6) = (self.v4.len() - before.0, self.v6.len() - before.1);
        if v4 + v6 > 0
            && let Some(run) = self.run(placement)
        {
            run.v4 += v4;
            run.v6 += v6;
        }
    }

    /// Hands on the flows that were counted on the way, in no order.
    pub fn for_each_counted(&self, mut each: impl FnMut(Placement, &MeteringKey, &FlowCounters)) {
        for Counted { placement, key, counters } in &self.counted_v4 {
            each(*placement, &key.unpack(), counters);
        }
        for Counted { placement, key, counters } in &self.counted_v6 {
            each(*placement, &key.unpack(), counters);
        }
    }

    /// Hands on the time and the IP length of every packet.
    #[inline]
    pub(crate) fn for_each_size(&self, mut each: impl FnMut(Timestamp, u32)) {
        self.v4.iter().for_each(|packet| each(packet.time, packet.ip_length));
        self.v6.iter().for_each(|packet| each(packet.time, packet.ip_length));
    }

    /// Hands on every packet with its place. Those of one window that follow one another come by their address family, else
    /// in the order in which they were read.
    pub(crate) fn for_each_packet(&self, mut each: impl FnMut(Placement, Observation)) {
        let (mut v4, mut v6) = (self.v4.iter(), self.v6.iter());
        for run in &self.runs {
            v4.by_ref().take(run.v4).for_each(|packet| each(run.placement, observation(packet)));
            v6.by_ref().take(run.v6).for_each(|packet| each(run.placement, observation(packet)));
        }
    }

    /// Adds a packet to be counted in the window it is placed in.
    #[inline]
    pub fn push(&mut self, placement: Placement, packet: &Observation) {
        let Observation { key, time, ip_length, tcp_flags } = *packet;
        self.extend(placement, |v4, v6| match pack(&key) {
            Packed::V4(key) => v4.push(PackedPacket { key, time, ip_length, tcp_flags }),
            Packed::V6(key) => v6.push(PackedPacket { key, time, ip_length, tcp_flags }),
        });
    }

    /// Adds what was counted of a flow elsewhere.
    pub(crate) fn push_counted(&mut self, placement: Placement, key: &MeteringKey, counters: FlowCounters) {
        match pack(key) {
            Packed::V4(key) => self.counted_v4.push(Counted { placement, key, counters }),
            Packed::V6(key) => self.counted_v6.push(Counted { placement, key, counters }),
        }
    }

    /// Empties it and keeps its memory.
    pub fn clear(&mut self) {
        self.v4.clear();
        self.v6.clear();
        self.runs.clear();
        self.counted_v4.clear();
        self.counted_v6.clear();
    }
}

fn observation<K: PackedKey>(packet: &PackedPacket<K>) -> Observation {
    let PackedPacket { ref key, time, ip_length, tcp_flags } = *packet;
    Observation { key: key.unpack(), time, ip_length, tcp_flags }
}
