//! The flow table: open addressing over entries that fill whole cache lines.
//!
//! A lookup costs one cache miss, so packets are counted in groups of [`GROUP`]: a first pass touches the home
//! entries of the whole group, so that their misses overlap, a second pass updates them.
//!
//! Invariants: the number of entries is 0 or a power of two; at least a quarter of them is empty whenever a
//! group is counted, so that probing ends; an entry is empty exactly when its packet count is 0.
//!
//! If you change this: the first pass must not branch on what it loads, or the misses queue up behind the branch.

use std::hash::BuildHasher;
use std::hint::black_box;

use foldhash::fast::RandomState;

use super::packed::PackedKey;
use crate::flow::FlowCounters;
use crate::packet::{TcpFlags, Timestamp};

/// How many packets are looked up together.
pub(super) const GROUP: usize = 32;

/// The first size of a table that holds anything: small, because absurd times open many windows of a packet each.
const FIRST_SIZE: usize = 4;

/// One packet, ready to be counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct PackedPacket<K> {
    pub(super) key: K,
    pub(super) time: Timestamp,
    pub(super) ip_length: u32,
    pub(super) logged_flags: TcpFlags,
}

/// A flow and its counters: one cache line for IPv4, two for IPv6. Empty while it has no packets.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Entry<K> {
    key: K,
    counters: FlowCounters,
}

/// Flows of one address family in one window.
#[derive(Debug)]
pub(super) struct FlowTable<K> {
    entries: Vec<Entry<K>>,
    used: usize,
    hasher: RandomState,
}

impl<K: PackedKey> FlowTable<K> {
    /// An empty table, which allocates nothing.
    pub(super) fn new() -> Self {
        FlowTable { entries: Vec::new(), used: 0, hasher: RandomState::default() }
    }

    /// How many flows it holds.
    pub(super) fn len(&self) -> usize {
        self.used
    }

    /// Empties the table and keeps its memory, unless that is far more than its last use needed.
    pub(super) fn clear(&mut self) {
        if self.used < self.entries.len() / 16 {
            self.entries = Vec::new();
        } else {
            self.entries.fill(Self::empty());
        }
        self.used = 0;
    }

    /// The memory it holds, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.entries.len() * size_of::<Entry<K>>()
    }

    /// The memory that it will ask for, beside what it holds, before it has counted `packets` of as many new flows.
    pub(super) fn growth(&self, packets: usize) -> usize {
        self.size_for(packets).map_or(0, |size| size * size_of::<Entry<K>>())
    }

    /// The number of entries to grow to for `more` further flows, if they do not fit.
    #[inline]
    fn size_for(&self, more: usize) -> Option<usize> {
        let room = |size: usize| size / 4 * 3;
        let needed = self.used + more;
        (needed > room(self.entries.len())).then(|| {
            let mut size = (self.entries.len() * 2).max(FIRST_SIZE);
            while needed > room(size) {
                size *= 2;
            }
            size
        })
    }

    fn empty() -> Entry<K> {
        Entry { key: K::default(), counters: FlowCounters::EMPTY }
    }

    /// Counts packets.
    pub(super) fn count(&mut self, packets: &[PackedPacket<K>]) {
        for group in packets.chunks(GROUP) {
            self.reserve(group.len());
            let mut homes = [0_usize; GROUP];
            for (packet, home) in group.iter().zip(&mut homes) {
                *home = self.home(packet.key);
                // only touched: a branch on what is found would wait for it
                black_box(self.entries.get(*home).map(|entry| entry.counters.packets));
            }
            for (packet, home) in group.iter().zip(homes) {
                let slot = self.find_or_insert(packet.key, home);
                if let Some(entry) = self.entries.get_mut(slot) {
                    entry.counters.count(packet.time, packet.ip_length, packet.logged_flags);
                }
            }
        }
    }

    /// Adds what was counted of a flow elsewhere.
    pub(super) fn add(&mut self, key: K, counters: &FlowCounters) {
        self.reserve(1);
        let slot = self.find_or_insert(key, self.home(key));
        if let Some(entry) = self.entries.get_mut(slot) {
            entry.counters.merge(counters);
        }
    }

    /// Where probing for a key begins.
    #[inline]
    fn home(&self, key: K) -> usize {
        self.hasher.hash_one(key) as usize & self.entries.len().wrapping_sub(1)
    }

    /// Finds the key's entry, or makes the first empty one on its way the key's. The caller counts into it.
    #[inline]
    fn find_or_insert(&mut self, key: K, home: usize) -> usize {
        let mask = self.entries.len().wrapping_sub(1);
        let mut slot = home;
        while let Some(entry) = self.entries.get_mut(slot) {
            if entry.counters.packets == 0 {
                entry.key = key;
                self.used += 1;
                break;
            }
            if entry.key == key {
                break;
            }
            slot = (slot + 1) & mask;
        }
        slot
    }

    /// Makes room for `more` further flows.
    fn reserve(&mut self, more: usize) {
        let Some(size) = self.size_for(more) else { return };
        let old = std::mem::replace(&mut self.entries, vec![Self::empty(); size]);
        self.used = 0;
        for entry in old.into_iter().filter(|entry| entry.counters.packets != 0) {
            let slot = self.find_or_insert(entry.key, self.home(entry.key));
            if let Some(place) = self.entries.get_mut(slot) {
                place.counters = entry.counters;
            }
        }
    }

    /// The flows in ascending order of their keys.
    pub(super) fn sorted(&self) -> Vec<(K, u32)> {
        let mut order = Vec::with_capacity(self.used);
        let used = self.entries.iter().zip(0_u32..).filter(|(entry, _)| entry.counters.packets != 0);
        order.extend(used.map(|(entry, slot)| (entry.key, slot)));
        order.sort_unstable_by_key(|(key, _)| *key);
        order
    }

    /// Brings a slot that [`sorted`](Self::sorted) named into the cache.
    #[inline]
    pub(super) fn touch(&self, slot: u32) {
        black_box(self.entries.get(slot as usize).map(|entry| entry.counters.packets));
    }

    /// The counters in a slot that [`sorted`](Self::sorted) named.
    pub(super) fn counters(&self, slot: u32) -> FlowCounters {
        self.entries.get(slot as usize).map_or(FlowCounters::EMPTY, |entry| entry.counters)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::flow::MeteringKey;
    use crate::meter::packed::{Packed, PackedV4, pack};
    use crate::packet::IpPacket;

    #[test]
    fn an_ipv4_entry_is_one_cache_line() {
        assert_eq!(size_of::<Entry<PackedV4>>(), 64);
    }

    fn packet(port: u16, time: i64, ip_length: u32) -> PackedPacket<PackedV4> {
        let packet = IpPacket { srcport: port, ..IpPacket::default() };
        let Packed::V4(key) = pack(&MeteringKey::from(crate::flow::FlowKey::from(&packet))) else {
            panic!("an IPv4 key is packed as one")
        };
        PackedPacket { key, time: Timestamp::from_nanos(time), ip_length, logged_flags: TcpFlags(1) }
    }

    #[test]
    fn a_table_of_one_flow_is_small() {
        let mut table = FlowTable::new();
        table.count(&[packet(1, 5, 40)]);
        assert!(table.entries.len() <= 4, "{} entries", table.entries.len());
    }

    #[test]
    fn the_key_of_zeros_is_a_key_like_any_other() {
        let mut table = FlowTable::new();
        table.count(&[packet(0, 5, 40), packet(0, 3, 40)]);
        let [(key, slot)] = table.sorted()[..] else { panic!("one flow") };
        assert_eq!(key, packet(0, 0, 0).key);
        assert_eq!(table.counters(slot).packets, 2);
        assert_eq!(table.counters(slot).first.nanos(), 3);
    }

    proptest! {
        #[test]
        fn counting_equals_a_naive_group_by(
            packets in proptest::collection::vec((0_u16..600, any::<i64>(), 0_u32..2000), 0..3000),
            cut in 1_usize..100,
        ) {
            let mut table = FlowTable::new();
            let mut naive: BTreeMap<PackedV4, FlowCounters> = BTreeMap::new();
            let packets: Vec<_> = packets.into_iter().map(|(p, t, l)| packet(p, t, l)).collect();
            for part in packets.chunks(cut) {
                table.count(part);
            }
            for packet in &packets {
                let counters = naive.entry(packet.key).or_insert(FlowCounters::EMPTY);
                counters.count(packet.time, packet.ip_length, packet.logged_flags);
            }
            let counted: Vec<_> =
                table.sorted().into_iter().map(|(key, slot)| (key, table.counters(slot))).collect();
            prop_assert_eq!(counted, naive.into_iter().collect::<Vec<_>>());
        }
    }
}
