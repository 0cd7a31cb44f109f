//! What was seen lately: records by their hash, and requests that were refused.
//!
//! Both are kept in two generations. When the newer one is full it becomes the older one, whose place is used again. What
//! is looked for among the last so many records is found; memory stays as it is.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;

use crate::flow::FlowKey;

/// Slots of a generation, a power of two.
const SLOTS: usize = 1 << 16;
/// How many of them are filled.
const FILLED: usize = SLOTS / 2;
/// Refused requests and answers in a generation.
const REQUESTS: usize = 1 << 13;

/// The hash of a record's text.
#[inline]
pub(super) fn hash(text: &[u8]) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    hasher.write(text);
    // odd, so that its half is not 0, which is an empty slot
    hasher.finish() | 1
}

/// Records by their hash, each with a number that says where it was.
pub(super) struct Recent {
    newer: Table,
    older: Table,
    filled: usize,
}

impl Recent {
    pub(super) fn new() -> Recent {
        Recent { newer: Table::new(), older: Table::new(), filled: 0 }
    }

    /// Adds a record; where the same was before, if that was lately.
    #[inline]
    pub(super) fn insert(&mut self, hash: u64, place: u64) -> Option<u64> {
        if self.filled == FILLED {
            std::mem::swap(&mut self.newer, &mut self.older);
            self.newer.tags.fill(0);
            self.filled = 0;
        }
        let slot = match self.newer.find(hash) {
            Found::Before(place) => return Some(place),
            Found::Empty(slot) => slot,
        };
        let before = match self.older.find(hash) {
            Found::Before(place) => Some(place),
            Found::Empty(_) => None,
        };
        // the first sight stays the one that is told, however often this is asked
        self.newer.set(slot, hash, before.unwrap_or(place));
        self.filled += 1;
        before
    }
}

/// A hash table that is never more than half full. Nearly always its tags alone are read, which stay in the cache.
struct Table {
    /// Half of each hash; 0 where a slot is empty.
    tags: Vec<u32>,
    /// Each hash and its place.
    records: Vec<(u64, u64)>,
}

enum Found {
    Before(u64),
    Empty(usize),
}

/// The half of a hash that is kept beside; a hash is odd, so it is not 0.
#[inline]
const fn tag(hash: u64) -> u32 {
    hash as u32
}

impl Table {
    fn new() -> Table {
        Table { tags: vec![0; SLOTS], records: vec![(0, 0); SLOTS] }
    }

    #[inline]
    fn find(&self, hash: u64) -> Found {
        let mut slot = (hash >> 32) as usize & (SLOTS - 1);
        loop {
            match self.tags.get(slot) {
                Some(0) | None => return Found::Empty(slot),
                Some(other) if *other == tag(hash) => {
                    if let Some((other, place)) = self.records.get(slot)
                        && *other == hash
                    {
                        return Found::Before(*place);
                    }
                }
                Some(_) => {}
            }
            slot = (slot + 1) & (SLOTS - 1);
        }
    }

    #[inline]
    fn set(&mut self, slot: usize, hash: u64, place: u64) {
        if let (Some(tag_slot), Some(record)) = (self.tags.get_mut(slot), self.records.get_mut(slot)) {
            *tag_slot = tag(hash);
            *record = (hash, place);
        }
    }
}

/// What a record says about a request: that it was refused, or that it was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// The record's direction is the request's.
    Refused,
    /// The record's direction is the answer's.
    Answered,
    /// A refused ping or answer to one: which of the two cannot be told.
    RefusedEcho,
}

/// Where and when a request was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) place: u64,
}

/// A flow at an interface, in the direction of the record, and what the record says.
type RequestKey = (FlowKey, u64, u8);

/// Requests and answers that were seen lately.
#[derive(Default)]
pub(super) struct Requests {
    newer: HashMap<RequestKey, Seen, FixedState>,
    older: HashMap<RequestKey, Seen, FixedState>,
}

impl Requests {
    /// Adds what a record says; what contradicts it, if that was lately and at the same time.
    pub(super) fn insert(&mut self, flow: FlowKey, interface: u64, what: Request, seen: Seen) -> Option<u64> {
        let reversed = FlowKey {
            srcaddr: flow.dstaddr,
            dstaddr: flow.srcaddr,
            srcport: flow.dstport,
            dstport: flow.srcport,
            ..flow
        };
        let opposite = match what {
            Request::Refused => Request::Answered,
            Request::Answered => Request::Refused,
            Request::RefusedEcho => Request::RefusedEcho,
        };
        let key = (reversed, interface, opposite as u8);
        let other = self.newer.get(&key).or_else(|| self.older.get(&key)).copied();
        if self.newer.len() >= REQUESTS {
            std::mem::swap(&mut self.newer, &mut self.older);
            self.newer.clear();
        }
        self.newer.insert((flow, interface, what as u8), seen);
        other.filter(|other| other.start <= seen.end && seen.start <= other.end).map(|other| other.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_records_are_remembered_and_the_first_forgotten() {
        let mut recent = Recent::new();
        let text = |number: u64| hash(number.to_string().as_bytes());
        for number in 0..200_000 {
            assert_eq!(recent.insert(text(number), number), None, "{number}");
        }
        for number in 200_000 - FILLED as u64..200_000 {
            assert_eq!(recent.insert(text(number), 0), Some(number));
        }
        assert_eq!(recent.insert(text(0), 0), None);
    }

    #[test]
    fn an_empty_text_has_a_hash_too() {
        let mut recent = Recent::new();
        assert_eq!(recent.insert(hash(b""), 1), None);
        assert_eq!(recent.insert(hash(b""), 2), Some(1));
    }
}
