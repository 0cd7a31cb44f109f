//! How the log is delivered: late, in any order, with records of windows that had no traffic or were lost.

use std::cmp::Ordering;
use std::collections::{BTreeSet, BinaryHeap};

use super::network::{Interface, Network};
use super::scenario::{Delivery, SECOND, Scenario};
use super::windows::{Closed, RecordKey, Window, Windows};
use crate::flow::{FlowCounters, FlowKey};
use crate::packet::Timestamp;
use crate::random::Random;
use crate::record::{FlowDirection, FlowRecord, LogStatus};

/// What a delivered record is of.
#[derive(Clone, Copy, Debug)]
enum What {
    /// Traffic.
    Traffic(RecordKey, FlowCounters),
    /// A window without any, or one whose records were lost.
    Empty(LogStatus, Window),
    /// A window without any, which those follow that begin before a time.
    Quiet(Window, i64),
}

/// A record on its way.
struct Waiting {
    due: i64,
    number: u64,
    what: What,
}

/// The earliest is the greatest, as a heap gives the greatest first.
impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.due, other.number).cmp(&(self.due, self.number))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Waiting {}

/// Whose record it is, for what only a description of the VPC can add.
#[derive(Clone, Copy, Debug)]
pub struct RecordContext {
    /// The interface, as its place among the scenario's.
    pub interface: usize,
    /// The interface at the other end.
    pub peer: Option<usize>,
    /// Out of the interface, or into it.
    pub egress: bool,
}

/// Records on their way into the log.
pub(super) struct Post {
    delivery: Delivery,
    windows: Windows,
    random: Random,
    waiting: BinaryHeap<Waiting>,
    number: u64,
    /// Each interface's latest window with traffic; before any, with `nodata`, the one that the scenario begins in.
    latest: Vec<Option<Window>>,
    /// Windows whose records are lost, until they have passed.
    skipped: BTreeSet<Window>,
    records: Vec<FlowRecord>,
}

impl Post {
    pub(super) fn new(scenario: &Scenario, windows: Windows) -> Post {
        const NUMBER: u64 = u64::MAX - 1;
        let Network { interfaces, .. } = &scenario.network;
        let begin = scenario.begin.nanos();
        let skipped =
            scenario.log.skipped.iter().map(|skip| windows.at(skip.interface, begin + skip.at)).collect();
        let mut post = Post {
            delivery: scenario.log.clone(),
            random: Random::of(scenario.seed, NUMBER),
            waiting: BinaryHeap::new(),
            number: 0,
            latest: vec![None; interfaces.len()],
            skipped,
            records: interfaces.iter().map(|Interface { identity, .. }| identity.clone()).collect(),
            windows,
        };
        if scenario.log.nodata {
            // also of an interface that never has any
            post.latest = (0..interfaces.len()).map(|at| Some(post.windows.at(at, begin))).collect();
        }
        for window in post.skipped.clone() {
            post.send(What::Empty(LogStatus::SkipData, window), window.end);
        }
        post
    }

    fn send(&mut self, what: What, ready: i64) {
        let delay = self.random.below(self.delivery.delay as u64 + 1) as i64;
        self.number += 1;
        self.waiting.push(Waiting { due: ready + delay, number: self.number, what });
    }

    /// Takes a record whose window has ended.
    pub(super) fn take(&mut self, closed: Closed) {
        let Closed { key, mut counters, window } = closed;
        if self.skipped.contains(&window) {
            return;
        }
        let lag = self.random.below(self.delivery.lag + 1) as i64 * SECOND;
        for time in [&mut counters.first, &mut counters.last] {
            *time = Timestamp::from_nanos(time.nanos() + lag);
        }
        self.send(What::Traffic(key, counters), window.end);
    }

    /// Takes note of a window that has traffic: those between it and the one before have none.
    pub(super) fn has_traffic(&mut self, window: Window) {
        let Some(latest) = self.latest.get_mut(window.interface) else { return };
        let before = latest.replace(window);
        if let Some(before) = before {
            if before.start >= window.start {
                *latest = Some(before);
            } else if self.delivery.nodata {
                self.without_traffic(before, window.start);
            }
        }
    }

    /// Sends the first window behind one that had no traffic. It brings the next, so that ever so many wait as one.
    fn without_traffic(&mut self, after: Window, before: i64) {
        let mut window = self.windows.after(after);
        while window.start < before {
            if !self.skipped.contains(&window) {
                return self.send(What::Quiet(window, before), window.end);
            }
            window = self.windows.after(window);
        }
    }

    /// The scenario ends at a time: no interface has had traffic since its latest window.
    pub(super) fn end(&mut self, end: i64) {
        if self.delivery.nodata {
            for latest in self.latest.clone().into_iter().flatten() {
                self.without_traffic(latest, end - self.windows.interval() + 1);
            }
        }
    }

    /// The next record that has arrived by now, and whose it is.
    pub(super) fn next_arrived(&mut self, now: i64) -> Option<(&FlowRecord, RecordContext)> {
        if self.waiting.peek()?.due > now {
            return None;
        }
        let what = self.waiting.pop()?.what;
        let (interface, key) = match what {
            What::Traffic(key, _) => (key.interface, Some(key)),
            What::Empty(_, window) | What::Quiet(window, _) => (window.interface, None),
        };
        if let What::Quiet(window, before) = what {
            self.without_traffic(window, before);
        }
        let record = self.records.get_mut(interface)?;
        let mut empty = |status, window: Window| {
            *record = record.without_data(status, window.start / SECOND, window.end / SECOND - 1);
        };
        match what {
            What::Empty(status, window) => empty(status, window),
            What::Quiet(window, _) => empty(LogStatus::NoData, window),
            What::Traffic(key, counters) => fill(record, &key, &counters),
        }
        let context = RecordContext {
            interface,
            peer: key.and_then(|key| key.peer),
            egress: key.is_some_and(|key| key.egress),
        };
        Some((record, context))
    }
}

/// Makes an interface's record that of a flow in a window.
fn fill(record: &mut FlowRecord, key: &RecordKey, counters: &FlowCounters) {
    record.set_flow(&key.shown, counters);
    let FlowKey { srcaddr, dstaddr, .. } = key.packet;
    (record.pkt_srcaddr, record.pkt_dstaddr) = (Some(srcaddr), Some(dstaddr));
    record.action = Some(key.action);
    record.flow_direction = Some(if key.egress { FlowDirection::Egress } else { FlowDirection::Ingress });
}
