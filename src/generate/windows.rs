//! The windows of each interface, and the records that are open in them.
//!
//! A record opens with a window's first packet and closes when time passes the window's end, whether its conversation
//! goes on or not. So what is held is bounded by the flows of the windows that are open.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use foldhash::fast::FixedState;

use super::scenario::{Delivery, SECOND};
use super::truth::NONE;
use crate::flow::{FlowCounters, FlowKey};
use crate::random::Random;
use crate::record::Action;

/// What has to be equal for packets to be in one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    /// The 5-tuple with the addresses that the record shows as `srcaddr` and `dstaddr`.
    pub shown: FlowKey,
    /// The 5-tuple with the packets' own addresses; the same as `shown` where the format shows nothing of them.
    pub packet: FlowKey,
    /// The interface, as its place among the scenario's.
    pub interface: usize,
    /// The interface at the other end, if there is one.
    pub peer: Option<usize>,
    /// Out of the interface, or into it.
    pub egress: bool,
    /// What became of the packets.
    pub action: Action,
}

/// A window of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window {
    /// The interface.
    pub interface: usize,
    /// Its first nanosecond since 1970.
    pub start: i64,
    /// The first nanosecond behind it.
    pub end: i64,
}

/// A record whose window has ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closed {
    pub(super) key: RecordKey,
    pub(super) counters: FlowCounters,
    pub(super) window: Window,
}

/// Where each interface's windows begin.
#[derive(Clone, Debug)]
pub(super) struct Windows {
    interval: i64,
    origins: Vec<i64>,
}

impl Windows {
    pub(super) fn new(delivery: &Delivery, interfaces: usize, seed: u64) -> Windows {
        const NUMBER: u64 = u64::MAX;
        let mut random = Random::of(seed, NUMBER);
        let origin = |_| {
            let seconds = random.below(delivery.interval as u64) as i64;
            if delivery.aligned { 0 } else { seconds * SECOND }
        };
        Windows { interval: delivery.interval * SECOND, origins: (0..interfaces).map(origin).collect() }
    }

    /// The window of an interface at a time.
    pub(super) fn at(&self, interface: usize, time: i64) -> Window {
        let origin = self.origins.get(interface).copied().unwrap_or(0);
        let start = (time - origin).div_euclid(self.interval) * self.interval + origin;
        Window { interface, start, end: start + self.interval }
    }

    /// The window behind one of the same interface.
    pub(super) fn after(&self, window: Window) -> Window {
        Window { start: window.end, end: window.end.saturating_add(self.interval), ..window }
    }

    /// Seconds from one window's begin to the next.
    pub(super) fn interval(&self) -> i64 {
        self.interval
    }
}

struct Open {
    key: RecordKey,
    counters: FlowCounters,
    window: Option<Window>,
    /// Conversations that are going on in it.
    users: u32,
}

/// The records of windows that have not ended.
#[derive(Default)]
pub(super) struct OpenRecords {
    numbers: HashMap<RecordKey, u32, FixedState>,
    records: Vec<Open>,
    free: Vec<u32>,
    ends: BinaryHeap<Reverse<(i64, u32)>>,
}

impl OpenRecords {
    /// The number of the records of a flow that a conversation is going to use.
    pub(super) fn begin(&mut self, key: RecordKey) -> u32 {
        let (records, free) = (&mut self.records, &mut self.free);
        let number = *self.numbers.entry(key).or_insert_with(|| {
            let open = Open { key, counters: FlowCounters::EMPTY, window: None, users: 0 };
            match free.pop() {
                Some(number) => {
                    if let Some(place) = records.get_mut(number as usize) {
                        *place = open;
                    }
                    number
                }
                None => {
                    records.push(open);
                    u32::try_from(records.len() - 1).unwrap_or(NONE)
                }
            }
        });
        if let Some(open) = self.records.get_mut(number as usize) {
            open.users += 1;
        }
        number
    }

    /// A conversation ends; a record of an open window stays until the window ends.
    pub(super) fn end(&mut self, number: u32) {
        if let Some(open) = self.records.get_mut(number as usize) {
            open.users -= 1;
        }
        self.forget(number);
    }

    fn forget(&mut self, number: u32) {
        let Some(open) = self.records.get(number as usize) else { return };
        if open.users == 0 && open.window.is_none() {
            self.numbers.remove(&open.key);
            self.free.push(number);
        }
    }

    /// Counts packets; the window comes back if they are the first of it.
    #[inline]
    pub(super) fn count(
        &mut self,
        number: u32,
        time: i64,
        what: &FlowCounters,
        windows: &Windows,
    ) -> Option<Window> {
        let open = self.records.get_mut(number as usize)?;
        open.counters.merge(what);
        if open.window.is_some() {
            return None;
        }
        let window = windows.at(open.key.interface, time);
        open.window = Some(window);
        self.ends.push(Reverse((window.end, number)));
        Some(window)
    }

    /// A record whose window has ended by now, the earliest first.
    #[inline]
    pub(super) fn next_closed(&mut self, now: i64) -> Option<Closed> {
        let Reverse((end, number)) = *self.ends.peek()?;
        if end > now {
            return None;
        }
        self.ends.pop();
        let open = self.records.get_mut(number as usize)?;
        let window = open.window.take()?;
        let counters = std::mem::replace(&mut open.counters, FlowCounters::EMPTY);
        let closed = Closed { key: open.key, counters, window };
        self.forget(number);
        Some(closed)
    }
}
