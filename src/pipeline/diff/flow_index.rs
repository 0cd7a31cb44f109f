//! Flows by number, found fast.
//!
//! A slot holds the flow's number and a part of its hash: eight bytes, so that many slots fit a cache line and a look-up
//! that finds another flow's part goes on without touching that flow. [`FlowIndex::touch`] and then
//! [`FlowIndex::find`] for a group of packets let the cache misses of the group overlap.

use std::hash::BuildHasher;
use std::net::IpAddr;

use foldhash::fast::FixedState;

use crate::flow::FlowKey;

/// The least number of slots.
const FEWEST: usize = 1 << 10;

/// Numbers flows from 0 in the order in which they were added.
#[derive(Debug, Default)]
pub(super) struct FlowIndex {
    /// The upper half of the hash, and the number plus 1; 0 where nothing is.
    slots: Vec<u64>,
    keys: Vec<FlowKey>,
    hasher: FixedState,
}

/// A flow's hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FlowHash(u64);

impl FlowHash {
    /// Whether the flow is one of every so many.
    pub(super) fn is_one_in(self, so_many: u64) -> bool {
        (self.0 >> 20).is_multiple_of(so_many.max(1))
    }
}

impl FlowIndex {
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// All flows, by number.
    pub(super) fn keys(&self) -> &[FlowKey] {
        &self.keys
    }

    #[inline]
    pub(super) fn hash(&self, key: &FlowKey) -> FlowHash {
        let rest = u64::from(key.srcport) << 32 | u64::from(key.dstport) << 16 | u64::from(key.protocol.0);
        FlowHash(match (key.srcaddr, key.dstaddr) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                self.hasher.hash_one((u64::from(from.to_bits()) << 32 | u64::from(to.to_bits()), rest))
            }
            (from, to) => {
                let bits = |address: IpAddr| match address {
                    IpAddr::V4(v4) => u128::from(v4.to_bits()),
                    IpAddr::V6(v6) => v6.to_bits(),
                };
                self.hasher.hash_one((bits(from), bits(to), rest))
            }
        })
    }

    /// The slot of a hash, read so that it is in the cache.
    #[inline]
    pub(super) fn touch(&self, hash: FlowHash) -> u64 {
        self.slots.get(self.place(hash)).copied().unwrap_or(0)
    }

    #[inline]
    fn place(&self, FlowHash(hash): FlowHash) -> usize {
        // as many bits as there are slots; the length is a power of two
        (hash as usize) & self.slots.len().wrapping_sub(1)
    }

    /// A flow's number.
    #[inline]
    pub(super) fn find(&self, key: &FlowKey, hash: FlowHash) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let mut at = self.place(hash);
        loop {
            let slot = self.slots.get(at).copied().unwrap_or(0);
            if slot == 0 {
                return None;
            }
            let number = (slot as u32).wrapping_sub(1);
            if slot >> 32 == hash.0 >> 32 && self.keys.get(number as usize) == Some(key) {
                return Some(number);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    /// A flow's number, a new one if it has none.
    pub(super) fn number(&mut self, key: &FlowKey) -> u32 {
        let hash = self.hash(key);
        if let Some(number) = self.find(key, hash) {
            return number;
        }
        let number = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        self.keys.push(*key);
        if self.keys.len() * 2 > self.slots.len() {
            self.grow();
        } else {
            self.insert(hash, number);
        }
        number
    }

    fn grow(&mut self) {
        self.slots = vec![0; (self.slots.len() * 2).max(FEWEST)];
        for number in 0..self.keys.len() {
            let Some(hash) = self.keys.get(number).map(|key| self.hash(key)) else { continue };
            self.insert(hash, u32::try_from(number).unwrap_or(u32::MAX));
        }
    }

    fn insert(&mut self, hash: FlowHash, number: u32) {
        let mut at = self.place(hash);
        while let Some(slot) = self.slots.get_mut(at) {
            if *slot == 0 {
                *slot = (hash.0 >> 32) << 32 | (u64::from(number) + 1);
                return;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Protocol;

    fn key(number: u32) -> FlowKey {
        let address = if number.is_multiple_of(3) {
            IpAddr::V6((u128::from(number) << 64 | 1).into())
        } else {
            IpAddr::V4(number.into())
        };
        FlowKey {
            srcaddr: address,
            dstaddr: "10.0.0.1".parse().unwrap(),
            protocol: Protocol::TCP,
            srcport: number as u16,
            dstport: 443,
        }
    }

    #[test]
    fn flows_are_numbered_in_order_and_found_again() {
        let mut index = FlowIndex::default();
        assert_eq!(index.find(&key(0), index.hash(&key(0))), None);
        for number in 0..5000 {
            assert_eq!(index.number(&key(number)), number);
            assert_eq!(index.number(&key(number / 2)), number / 2);
        }
        assert_eq!(index.len(), 5000);
        for number in 0..5000 {
            let hash = index.hash(&key(number));
            assert_eq!(index.find(&key(number), hash), Some(number));
            assert_ne!(index.touch(hash), 0);
        }
        assert_eq!(index.find(&key(5000), index.hash(&key(5000))), None);
    }
}
