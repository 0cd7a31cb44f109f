//! The flow table: flows in the order in which they came, found through an index.
//!
//! ```text
//! index    one word a slot: 32 bits of the key's hash, and which entry | 0
//! entries  chunks of key and counters: one cache line for IPv4, two for IPv6
//! ```
//!
//! The index is an open-addressing hash table of eight bytes a slot, so that half a million flows fit a second-level
//! cache's few megabytes, and that growing moves eight bytes a flow and reads no key. Entries never move.
//!
//! A look-up costs two cache misses, so packets are counted in groups of [`GROUP`]: a first pass touches the slots of
//! the whole group, a second the entries that they name, so that misses overlap; the third counts.
//!
//! Invariants: the number of slots is 0 or a power of two; at least a quarter of them is empty whenever a group is
//! counted, so that probing ends; every entry is named by one slot, and its packet count is not 0.
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

/// The first number of slots and of entries of a table that holds anything: small, because absurd times open many
/// windows of a packet each.
const FIRST_SIZE: usize = 4;

/// Entries in a chunk, as a power of two: 1 MiB of IPv4 flows. The first chunk grows up to that.
const CHUNK_BITS: u32 = 14;
const CHUNK: usize = 1 << CHUNK_BITS;

/// One packet, ready to be counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PackedPacket<K> {
    pub(crate) key: K,
    pub(crate) time: Timestamp,
    pub(crate) ip_length: u32,
    pub(crate) logged_flags: TcpFlags,
}

/// A flow and its counters.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Entry<K> {
    key: K,
    counters: FlowCounters,
}

/// Flows of one address family in one window.
#[derive(Debug)]
pub(super) struct FlowTable<K> {
    /// The hash in the upper half, one more than the entry's number in the lower; 0 is empty.
    index: Vec<u64>,
    /// How far a hash is shifted to the right to give its first slot.
    shift: u32,
    chunks: Vec<Vec<Entry<K>>>,
    used: usize,
    hasher: RandomState,
}

impl<K: PackedKey> FlowTable<K> {
    /// An empty table, which allocates nothing.
    pub(super) fn new() -> Self {
        FlowTable { index: Vec::new(), shift: 0, chunks: Vec::new(), used: 0, hasher: RandomState::default() }
    }

    /// How many flows it holds.
    pub(super) fn len(&self) -> usize {
        self.used
    }

    /// Empties the table and keeps its memory, unless that is far more than its last use needed.
    pub(super) fn clear(&mut self) {
        if self.used < self.index.len() / 16 {
            *self = FlowTable { hasher: self.hasher.clone(), ..FlowTable::new() };
            return;
        }
        self.index.fill(0);
        self.chunks.iter_mut().for_each(Vec::clear);
        self.used = 0;
    }

    /// How many entries there is room for.
    #[inline]
    fn capacity(&self) -> usize {
        // only the first chunk may be smaller than the others, as long as it is alone
        match self.chunks.len() {
            0 | 1 => self.chunks.first().map_or(0, Vec::capacity),
            chunks => chunks * CHUNK,
        }
    }

    /// What a flow takes, in bytes: its entry, and its place in the order in which flows are sorted.
    const FLOW: usize = size_of::<Entry<K>>() + size_of::<Sorted>();

    /// The memory it holds, in bytes, and will hold when it is sorted.
    pub(super) fn bytes(&self) -> usize {
        self.index.len() * size_of::<u64>() + self.capacity() * Self::FLOW
    }

    /// The memory that it will ask for, beside what it holds, before it has counted `packets` of as many new flows.
    pub(super) fn growth(&self, packets: usize) -> usize {
        let needed = self.used + packets;
        let index = self.slots_for(packets).map_or(0, |slots| slots * size_of::<u64>());
        let capacity = self.capacity();
        let entries = if needed <= capacity {
            0
        } else if capacity < CHUNK {
            needed.next_power_of_two().max(FIRST_SIZE)
        } else {
            needed.next_multiple_of(CHUNK) - capacity
        };
        index + entries * Self::FLOW
    }

    /// The number of slots to grow to for `more` further flows, if they do not fit.
    #[inline]
    fn slots_for(&self, more: usize) -> Option<usize> {
        let room = |size: usize| size / 4 * 3;
        let needed = self.used + more;
        (needed > room(self.index.len())).then(|| {
            let mut size = (self.index.len() * 2).max(FIRST_SIZE);
            while needed > room(size) {
                size *= 2;
            }
            size
        })
    }

    /// Counts packets.
    pub(super) fn count(&mut self, packets: &[PackedPacket<K>]) {
        for group in packets.chunks(GROUP) {
            if let Some(slots) = self.slots_for(group.len()) {
                self.grow(slots);
            }
            let mut hashes = [0_u32; GROUP];
            let mut entries = [0_u32; GROUP];
            let (Some(hashes), Some(entries)) =
                (hashes.get_mut(..group.len()), entries.get_mut(..group.len()))
            else {
                continue;
            };
            for (packet, hash) in group.iter().zip(&mut *hashes) {
                *hash = self.hash(packet.key);
            }
            self.touch_slots(hashes);
            for (hash, entry) in hashes.iter().zip(&mut *entries) {
                *entry = self.likely_entry(*hash);
            }
            self.touch_entries(entries);
            for ((packet, hash), entry) in group.iter().zip(hashes).zip(entries) {
                self.count_one(packet, *hash, *entry);
            }
        }
    }

    /// Brings the first slots of hashes into the cache. So little is done for each, and nothing with what is loaded,
    /// that many loads are under way at once.
    #[inline]
    fn touch_slots(&self, hashes: &[u32]) {
        let load = |hash: &u32| self.index.get(self.home(*hash)).copied().unwrap_or_default();
        black_box(hashes.iter().fold(0, |all, hash| all ^ load(hash)));
    }

    /// Brings entries into the cache, in the same way.
    #[inline]
    fn touch_entries(&self, entries: &[u32]) {
        let load = |entry: &u32| self.entry(*entry).map_or(0, |entry| entry.counters.packets);
        black_box(entries.iter().fold(0, |all, entry| all ^ load(entry)));
    }

    /// Counts a packet, whose flow is likely the one in this entry.
    #[inline]
    fn count_one(&mut self, packet: &PackedPacket<K>, hash: u32, likely: u32) {
        if let Some(entry) = self.entry_mut(likely)
            && entry.key == packet.key
        {
            entry.counters.count(packet.time, packet.ip_length, packet.logged_flags);
            return;
        }
        let entry = self.find_or_insert(packet.key, hash);
        if let Some(entry) = self.entry_mut(entry) {
            entry.counters.count(packet.time, packet.ip_length, packet.logged_flags);
        }
    }

    #[inline]
    fn entry(&self, entry: u32) -> Option<&Entry<K>> {
        self.chunks.get((entry >> CHUNK_BITS) as usize)?.get(entry as usize % CHUNK)
    }

    #[inline]
    fn entry_mut(&mut self, entry: u32) -> Option<&mut Entry<K>> {
        self.chunks.get_mut((entry >> CHUNK_BITS) as usize)?.get_mut(entry as usize % CHUNK)
    }

    /// The part of a key's hash that the index holds.
    #[inline]
    fn hash(&self, key: K) -> u32 {
        (self.hasher.hash_one(key) >> 32) as u32
    }

    /// Where probing for a hash begins. By its upper bits, so that a growing index is filled from front to back.
    #[inline]
    fn home(&self, hash: u32) -> usize {
        (hash >> self.shift) as usize
    }

    /// The first entry on a hash's way that has the same hash; without one, a number that is no entry's.
    #[inline]
    fn likely_entry(&self, hash: u32) -> u32 {
        let mask = self.index.len().wrapping_sub(1);
        let mut place = self.home(hash);
        while let Some(&slot) = self.index.get(place) {
            if slot == 0 {
                break;
            }
            if (slot >> 32) as u32 == hash {
                return (slot as u32).wrapping_sub(1);
            }
            place = (place + 1) & mask;
        }
        u32::MAX
    }

    /// Finds the key's entry, or makes one that the caller counts into.
    #[inline(never)]
    fn find_or_insert(&mut self, key: K, hash: u32) -> u32 {
        let mask = self.index.len().wrapping_sub(1);
        let mut place = self.home(hash);
        while let Some(&slot) = self.index.get(place)
            && slot != 0
        {
            let entry = (slot as u32).wrapping_sub(1);
            if (slot >> 32) as u32 == hash && self.entry(entry).is_some_and(|entry| entry.key == key) {
                return entry;
            }
            place = (place + 1) & mask;
        }
        self.used += 1;
        let number = self.used as u32;
        if let Some(slot) = self.index.get_mut(place) {
            *slot = u64::from(hash) << 32 | u64::from(number);
        }
        self.push(Entry { key, counters: FlowCounters::EMPTY });
        number - 1
    }

    /// Puts an entry behind the others; it is counted as used already.
    #[inline]
    fn push(&mut self, entry: Entry<K>) {
        let chunk = (self.used - 1) >> CHUNK_BITS;
        if chunk >= self.chunks.len() {
            self.chunks.push(Vec::with_capacity(if chunk == 0 { FIRST_SIZE } else { CHUNK }));
        }
        let Some(chunk) = self.chunks.get_mut(chunk) else { return };
        if chunk.len() == chunk.capacity() {
            chunk.reserve_exact(chunk.len());
        }
        chunk.push(entry);
    }

    /// Adds what was counted of a flow elsewhere.
    pub(super) fn add(&mut self, key: K, counters: &FlowCounters) {
        if let Some(slots) = self.slots_for(1) {
            self.grow(slots);
        }
        let entry = self.find_or_insert(key, self.hash(key));
        if let Some(entry) = self.entry_mut(entry) {
            entry.counters.merge(counters);
        }
    }

    /// Makes the index larger.
    fn grow(&mut self, slots: usize) {
        let old = std::mem::replace(&mut self.index, vec![0; slots]);
        self.shift = u32::BITS - slots.trailing_zeros().min(u32::BITS);
        let mask = slots - 1;
        for slot in old.into_iter().filter(|slot| *slot != 0) {
            let mut place = self.home((slot >> 32) as u32);
            while let Some(found) = self.index.get_mut(place) {
                if *found == 0 {
                    *found = slot;
                    break;
                }
                place = (place + 1) & mask;
            }
        }
    }

    /// The flows in ascending order of their keys.
    pub(super) fn sorted(&self) -> Vec<Sorted> {
        let mut order: Vec<Sorted> = (0..self.used as u32).map(Sorted::at).collect();
        self.sort_by_part(&mut order, 0);
        order
    }

    /// Sorts flows whose keys are equal up to a part: by that part, and where it is equal too by those behind it. So
    /// what is sorted is words, and few keys are looked at twice.
    fn sort_by_part(&self, order: &mut [Sorted], part: usize) {
        for flow in &mut *order {
            let bits = self.entry(flow.entry()).map_or(0, |entry| entry.key.part(part));
            *flow = Sorted(u64::from(bits) << 32 | u64::from(flow.entry()));
        }
        order.sort_unstable();
        if part + 1 < K::PARTS {
            order
                .chunk_by_mut(|one, next| one.0 >> 32 == next.0 >> 32)
                .filter(|equal| equal.len() > 1)
                .for_each(|equal| self.sort_by_part(equal, part + 1));
        }
    }

    /// Brings flows that [`sorted`](Self::sorted) named into the cache, as packets' entries are.
    #[inline]
    pub(super) fn touch(&self, flows: &[Sorted]) {
        let load = |flow: &Sorted| self.entry(flow.entry()).map_or(0, |entry| entry.counters.packets);
        black_box(flows.iter().fold(0, |all, flow| all ^ load(flow)));
    }

    /// A flow that [`sorted`](Self::sorted) named.
    #[inline]
    pub(super) fn flow(&self, flow: Sorted) -> (K, FlowCounters) {
        self.entry(flow.entry())
            .map_or((K::default(), FlowCounters::EMPTY), |entry| (entry.key, entry.counters))
    }
}

/// A flow's place in a table, below the bits of its key that were sorted last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sorted(u64);

impl Sorted {
    const fn at(entry: u32) -> Self {
        Sorted(entry as u64)
    }

    #[inline]
    const fn entry(self) -> u32 {
        self.0 as u32
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
        assert!(table.bytes() <= 4 * (64 + 8 + 8), "{} bytes", table.bytes());
    }

    #[test]
    fn the_key_of_zeros_is_a_key_like_any_other() {
        let mut table = FlowTable::new();
        table.count(&[packet(0, 5, 40), packet(0, 3, 40)]);
        let [flow] = table.sorted()[..] else { panic!("one flow") };
        let (key, counters) = table.flow(flow);
        assert_eq!(key, packet(0, 0, 0).key);
        assert_eq!(counters.packets, 2);
        assert_eq!(counters.first.nanos(), 3);
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
            let counted: Vec<_> = table.sorted().into_iter().map(|flow| table.flow(flow)).collect();
            prop_assert_eq!(counted, naive.into_iter().collect::<Vec<_>>());
        }
    }
}
