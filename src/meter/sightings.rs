//! Packets in the order in which they were read, packed, on their way to the steps that depend on that order.
//!
//! What every step asks for is in a [`Sighting`], the keys lie apart by address family. An IPv4 packet takes 64
//! bytes, which are written once and read once.

use super::packed::{Packed, PackedV4, PackedV6, pack};
use crate::flow::{MeteringKey, ObservationPoint};
use crate::packet::{Fragment, Notes, TcpFlags, Timestamp};

/// Where a packet's key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Nowhere: the packet is skipped, and only moves the clock.
    Skipped,
    /// The next of the IPv4 keys.
    V4,
    /// The next of the IPv6 keys.
    V6,
}

/// One packet that was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sighting {
    /// When it was captured.
    pub(crate) time: Timestamp,
    /// What a second sight of it would share.
    pub(crate) fingerprint: u64,
    /// Whether it is a fragment.
    pub(crate) fragment: Fragment,
    /// Its IP length in bytes.
    pub(crate) ip_length: u32,
    /// The capture that it is in.
    pub(crate) capture: u32,
    /// Where it was seen.
    pub(crate) point: ObservationPoint,
    /// What is noted of it.
    pub(crate) notes: Notes,
    /// Its flags as its header has them.
    pub(crate) tcp_flags: TcpFlags,
    /// Where its key is.
    pub(crate) family: Family,
}

/// A capture's interface has lost packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lost {
    pub(crate) capture: u32,
    pub(crate) interface: u32,
    /// When.
    pub(crate) time: Timestamp,
}

/// Packets in read order.
#[derive(Debug, Default)]
pub(crate) struct Sightings {
    pub(crate) order: Vec<Sighting>,
    pub(crate) v4: Vec<PackedV4>,
    pub(crate) v6: Vec<PackedV6>,
    /// What captures said that they had lost; only looked for where somebody asks.
    pub(crate) lost: Vec<Lost>,
}

impl Sightings {
    /// How many packets it holds.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// Adds an IPv4 packet; its family is set here.
    #[inline]
    pub(crate) fn push_v4(&mut self, key: PackedV4, sighting: Sighting) {
        self.v4.push(key);
        self.order.push(Sighting { family: Family::V4, ..sighting });
    }

    /// Adds an IPv6 packet; its family is set here.
    #[inline]
    pub(crate) fn push_v6(&mut self, key: PackedV6, sighting: Sighting) {
        self.v6.push(key);
        self.order.push(Sighting { family: Family::V6, ..sighting });
    }

    /// Adds a packet of either family.
    #[inline]
    pub(crate) fn push(&mut self, key: &MeteringKey, sighting: Sighting) {
        match pack(key) {
            Packed::V4(key) => self.push_v4(key, sighting),
            Packed::V6(key) => self.push_v6(key, sighting),
        }
    }

    /// Adds a packet that is skipped: all that is still asked for is its time.
    #[inline]
    pub(crate) fn push_skipped(&mut self, capture: u32, time: Timestamp) {
        self.order.push(Sighting {
            time,
            fingerprint: 0,
            fragment: Fragment::Whole,
            ip_length: 0,
            capture,
            point: ObservationPoint(0),
            notes: Notes::NONE,
            tcp_flags: TcpFlags(0),
            family: Family::Skipped,
        });
    }

    /// Empties it and keeps its memory.
    pub(crate) fn clear(&mut self) {
        self.order.clear();
        self.v4.clear();
        self.v6.clear();
        self.lost.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_takes_no_more_than_a_cache_line() {
        assert!(size_of::<Sighting>() + size_of::<PackedV4>() <= 64);
    }
}
