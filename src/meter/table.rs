//! A table of keys: entries in the order in which they came, found through an index.
//!
//! ```text
//! index    one word a slot: 32 bits of the key's hash, and which entry | 0
//! entries  chunks of key and value: one cache line for IPv4, two for IPv6
//! ```
//!
//! The index is an open-addressing hash table of eight bytes a slot, so that half a million keys fit a second-level
//! cache's few megabytes, and that growing moves eight bytes a key and reads none. Entries never move.
//!
//! A look-up costs two cache misses, so packets are looked up in groups of [`GROUP`]: a first pass touches the slots of
//! the whole group, a second the entries that they name, so that misses overlap; the third hands the entries out.
//!
//! Invariants: the number of slots is 0 or a power of two; at least a quarter of them is empty whenever a group is
//! looked up, so that probing ends; every entry is named by one slot.
//!
//! If you change this: the first pass must not branch on what it loads, or the misses queue up behind the branch.

use std::hash::BuildHasher;
use std::hint::black_box;

use foldhash::fast::RandomState;

use super::packed::PackedKey;
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
    pub(crate) tcp_flags: TcpFlags,
}

/// A key and what is held of it.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(super) struct Entry<K, V> {
    pub(super) key: K,
    pub(super) value: V,
}

/// Keys of one address family.
#[derive(Debug)]
pub(super) struct KeyTable<K, V> {
    /// The hash in the upper half, one more than the entry's number in the lower; 0 is empty.
    index: Vec<u64>,
    /// How far a hash is shifted to the right to give its first slot.
    shift: u32,
    chunks: Vec<Vec<Entry<K, V>>>,
    used: usize,
    hasher: RandomState,
}

impl<K: PackedKey, V: Copy> KeyTable<K, V> {
    /// An empty table, which allocates nothing.
    pub(super) fn new() -> Self {
        KeyTable { index: Vec::new(), shift: 0, chunks: Vec::new(), used: 0, hasher: RandomState::default() }
    }

    /// How many keys it holds.
    pub(super) fn len(&self) -> usize {
        self.used
    }

    /// Empties the table and keeps its memory, unless that is far more than its last use needed.
    pub(super) fn clear(&mut self) {
        if self.used < self.index.len() / 16 {
            *self = KeyTable { hasher: self.hasher.clone(), ..KeyTable::new() };
            return;
        }
        self.index.fill(0);
        self.chunks.iter_mut().for_each(Vec::clear);
        self.used = 0;
    }

    /// How many entries there is room for.
    #[inline]
    pub(super) fn capacity(&self) -> usize {
        // only the first chunk may be smaller than the others, as long as it is alone
        match self.chunks.len() {
            0 | 1 => self.chunks.first().map_or(0, Vec::capacity),
            chunks => chunks * CHUNK,
        }
    }

    /// The memory of the index, in bytes.
    pub(super) fn index_bytes(&self) -> usize {
        self.index.len() * size_of::<u64>()
    }

    /// What it will ask for, beside what it holds, before it has taken so many further keys: bytes of the index, and
    /// entries.
    pub(super) fn growth(&self, more: usize) -> (usize, usize) {
        let needed = self.used + more;
        let index = self.slots_for(more).map_or(0, |slots| slots * size_of::<u64>());
        let capacity = self.capacity();
        let entries = if needed <= capacity {
            0
        } else if capacity < CHUNK {
            needed.next_power_of_two().max(FIRST_SIZE)
        } else {
            needed.next_multiple_of(CHUNK) - capacity
        };
        (index, entries)
    }

    /// The number of slots to grow to for `more` further keys, if they do not fit.
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

    /// Looks packets up; a key that is not there comes in with `empty`. Each packet's value goes to `quick`; where that
    /// says no, the table and the entry's number go to `slow`.
    #[inline]
    pub(super) fn visit(
        &mut self,
        packets: &[PackedPacket<K>],
        empty: V,
        quick: impl Fn(&PackedPacket<K>, &mut V) -> bool,
        mut slow: impl FnMut(&PackedPacket<K>, &mut Self, u32),
    ) {
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
            self.touch(entries.iter().copied());
            for ((packet, hash), likely) in group.iter().zip(hashes).zip(entries) {
                let mut number = *likely;
                let found = self.entry_mut(number).filter(|entry| entry.key == packet.key);
                if let Some(entry) = found {
                    if quick(packet, &mut entry.value) {
                        continue;
                    }
                } else {
                    number = self.find_or_insert(packet.key, *hash, empty);
                    if self.entry_mut(number).is_some_and(|entry| quick(packet, &mut entry.value)) {
                        continue;
                    }
                }
                slow(packet, self, number);
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
    pub(super) fn touch(&self, entries: impl Iterator<Item = u32>) {
        let load = |entry: u32| self.entry(entry).map_or(0, |entry| entry.key.part(0));
        black_box(entries.fold(0, |all, entry| all ^ load(entry)));
    }

    /// An entry by its number: keys are numbered as they come, from 0.
    #[inline]
    pub(super) fn entry(&self, entry: u32) -> Option<&Entry<K, V>> {
        self.chunks.get((entry >> CHUNK_BITS) as usize)?.get(entry as usize % CHUNK)
    }

    /// An entry by its number.
    #[inline]
    pub(super) fn entry_mut(&mut self, entry: u32) -> Option<&mut Entry<K, V>> {
        self.chunks.get_mut((entry >> CHUNK_BITS) as usize)?.get_mut(entry as usize % CHUNK)
    }

    /// All entries, in the order of their numbers.
    pub(super) fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry<K, V>> {
        self.chunks.iter_mut().flatten()
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

    /// Finds the key's entry, or makes one.
    #[inline(never)]
    fn find_or_insert(&mut self, key: K, hash: u32, empty: V) -> u32 {
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
        self.push(Entry { key, value: empty });
        number - 1
    }

    /// Puts an entry behind the others; it is counted as used already.
    #[inline]
    fn push(&mut self, entry: Entry<K, V>) {
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

    /// A key's value; if it is not there, it comes in with `empty`.
    pub(super) fn value_mut(&mut self, key: K, empty: V) -> Option<&mut V> {
        if let Some(slots) = self.slots_for(1) {
            self.grow(slots);
        }
        let entry = self.find_or_insert(key, self.hash(key), empty);
        self.entry_mut(entry).map(|entry| &mut entry.value)
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
}
