//! Packets on their way into the flow tables, packed and gathered by window.

use super::Placement;
use super::packed::{Packed, PackedKey, PackedV4, PackedV6, pack};
use super::table::PackedPacket;
use crate::flow::MeteringKey;
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
    /// Its flags as a flow log shows them.
    pub logged_flags: TcpFlags,
}

impl<K: PackedKey> PackedPacket<K> {
    fn observation(&self) -> Observation {
        let PackedPacket { key, time, ip_length, logged_flags } = *self;
        Observation { key: key.unpack(), time, ip_length, logged_flags }
    }
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
}

impl Batch {
    /// How many packets it holds.
    pub fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Whether it holds no packets.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Adds a packet to be counted in the window it is placed in.
    #[inline]
    pub fn push(&mut self, placement: Placement, packet: &Observation) {
        if self.runs.last().is_none_or(|run| run.placement != placement) {
            self.runs.push(Run { placement, v4: 0, v6: 0 });
        }
        let Some(run) = self.runs.last_mut() else { return };
        let Observation { key, time, ip_length, logged_flags } = *packet;
        match pack(&key) {
            Packed::V4(key) => {
                self.v4.push(PackedPacket { key, time, ip_length, logged_flags });
                run.v4 += 1;
            }
            Packed::V6(key) => {
                self.v6.push(PackedPacket { key, time, ip_length, logged_flags });
                run.v6 += 1;
            }
        }
    }

    /// Hands on its packets with their keys unpacked: in the order in which they were read, but within a run of one
    /// window IPv4 before IPv6.
    pub fn for_each(&self, mut each: impl FnMut(Placement, &Observation)) {
        let (mut v4, mut v6) = (self.v4.iter(), self.v6.iter());
        for run in &self.runs {
            for packet in v4.by_ref().take(run.v4) {
                each(run.placement, &packet.observation());
            }
            for packet in v6.by_ref().take(run.v6) {
                each(run.placement, &packet.observation());
            }
        }
    }

    /// Empties it and keeps its memory.
    pub fn clear(&mut self) {
        self.v4.clear();
        self.v6.clear();
        self.runs.clear();
    }
}
