//! The records that a page shows: those of its packets, and the largest; and the windows that they are of.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::io;
use std::sync::Arc;

use super::beginning::{Beginning, Placed};
use super::matching::{Half, is_of};
use crate::flow::{FlowKey, Windows};
use crate::meter::Placement;
use crate::packet::Timestamp;
use crate::pipeline::RecordSink;
use crate::record::FlowRecord;
use crate::report::WindowAbout;
use crate::vpc::Vpc;

/// How many records are on a page at most, unless its packets are in more.
pub(super) const RECORDS: usize = 1000;

/// How many windows are on a page at most.
pub(super) const WINDOWS: usize = 1000;

/// A record that was kept.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) record: FlowRecord,
    pub(super) why: Option<String>,
    /// Its window's place among the windows, if it was kept.
    pub(super) window: Option<usize>,
    pub(super) late: bool,
}

/// A record among the largest: those with more bytes first, among equals those that were written first.
#[derive(Debug)]
struct Large {
    bytes: u64,
    sequence: u64,
    taken: Box<Taken>,
}

impl Large {
    fn rank(&self) -> (u64, std::cmp::Reverse<u64>) {
        (self.bytes, std::cmp::Reverse(self.sequence))
    }
}

impl PartialEq for Large {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl Eq for Large {}

impl PartialOrd for Large {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The smallest is the heap's greatest, to be dropped first.
impl Ord for Large {
    fn cmp(&self, other: &Self) -> Ordering {
        other.rank().cmp(&self.rank())
    }
}

/// Takes records.
pub(super) struct Gather {
    beginning: Beginning,
    vpc: Option<Arc<Vpc>>,
    windows: Option<Windows>,
    /// The packets that were placed so far, and where to look for them.
    placed: Vec<Placed>,
    lookup: HashMap<Half, Vec<usize>>,
    /// The window whose records come, and how often windows had closed before.
    now: Option<(Placement, usize)>,
    records: u64,
    linked: BTreeMap<u64, Taken>,
    links: HashMap<usize, Vec<u64>>,
    largest: BinaryHeap<Large>,
    about_windows: Vec<WindowAbout>,
    windows_total: u64,
}

/// What was gathered.
pub(super) struct Gathered {
    /// The packets that were placed.
    pub(super) placed: Vec<Placed>,
    /// A packet's place among them → its records, by their places among all.
    pub(super) links: HashMap<usize, Vec<u64>>,
    /// Records that packets were placed in.
    pub(super) linked: BTreeMap<u64, Taken>,
    /// The largest records, by their places among all.
    pub(super) largest: Vec<(u64, Taken)>,
    /// Windows, in the order in which they closed.
    pub(super) windows: Vec<WindowAbout>,
    pub(super) windows_total: u64,
}

impl Gather {
    pub(super) fn new(beginning: Beginning, vpc: Option<Arc<Vpc>>) -> Gather {
        Gather {
            beginning,
            vpc,
            windows: None,
            placed: Vec::new(),
            lookup: HashMap::new(),
            now: None,
            records: 0,
            linked: BTreeMap::new(),
            links: HashMap::new(),
            largest: BinaryHeap::with_capacity(RECORDS + 1),
            about_windows: Vec::new(),
            windows_total: 0,
        }
    }

    /// Takes up the packets that were placed since the last time; how often windows have closed.
    fn remember(&mut self) -> usize {
        let (closings, new) = self.beginning.since(self.placed.len());
        for placed in new {
            let at = self.placed.len();
            for half in Half::of_packet(&placed, self.vpc.is_some()) {
                self.lookup.entry(half).or_default().push(at);
            }
            self.placed.push(placed);
        }
        closings
    }

    pub(super) fn into_gathered(mut self) -> Gathered {
        // where no window has a record, nothing was taken up yet
        self.remember();
        // sorted by rank: the largest come first
        let largest = self.largest.into_sorted_vec().into_iter();
        Gathered {
            placed: self.placed,
            links: self.links,
            linked: self.linked,
            largest: largest.map(|large| (large.sequence, *large.taken)).collect(),
            windows: self.about_windows,
            windows_total: self.windows_total,
        }
    }

    /// The packets that a record counts, as far as they are remembered.
    fn packets_of(&self, record: &FlowRecord) -> Vec<usize> {
        let Some((placement, closings)) = self.now else { return Vec::new() };
        let halves = Half::of_record(record, placement, closings, self.vpc.is_some());
        let found = halves.into_iter().flat_map(|half| self.lookup.get(&half).into_iter().flatten());
        let mut found: Vec<usize> = found
            .copied()
            .filter(|at| {
                let placed = self.placed.get(*at);
                placed.is_some_and(|placed| is_of(record, &placed.observation, self.vpc.as_deref()))
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    fn take(&mut self, record: &FlowRecord, why: Option<&str>) {
        self.records += 1;
        let sequence = self.records;
        let (packets, bytes) = (record.packets.unwrap_or(0), record.bytes.unwrap_or(0));
        let window = self.about_windows.len().checked_sub(1).filter(|_| self.windows_total <= WINDOWS as u64);
        if let Some(about) = window.and_then(|at| self.about_windows.get_mut(at)) {
            about.records += 1;
            about.packets += packets;
        }
        let late = self.now.is_some_and(|(placement, _)| placement.late);
        let taken = || Taken { record: record.clone(), why: why.map(str::to_owned), window, late };
        let own = self.packets_of(record);
        if !own.is_empty() {
            self.linked.insert(sequence, taken());
            own.into_iter().for_each(|packet| self.links.entry(packet).or_default().push(sequence));
        }
        let is_large = self.largest.len() < RECORDS
            || self.largest.peek().is_some_and(|smallest| bytes > smallest.bytes);
        if is_large {
            self.largest.push(Large { bytes, sequence, taken: Box::new(taken()) });
            if self.largest.len() > RECORDS {
                self.largest.pop();
            }
        }
    }
}

impl RecordSink for Gather {
    fn begin(&mut self, windows: Windows, _: Timestamp) {
        self.windows = Some(windows);
    }

    fn begin_window(&mut self, placement: Placement) {
        let closings = self.remember();
        self.now = Some((placement, closings));
        self.windows_total += 1;
        if self.windows_total <= WINDOWS as u64 {
            let span = self.windows.and_then(|windows| windows.window(placement.window));
            let span = span.map(|window| (window.start, window.end));
            self.about_windows.push(WindowAbout { span, late: placement.late, records: 0, packets: 0 });
        }
    }

    fn record(&mut self, record: &FlowRecord) -> io::Result<()> {
        self.take(record, None);
        Ok(())
    }

    fn explained(&mut self, record: &FlowRecord, why: &str) -> io::Result<()> {
        self.take(record, Some(why));
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The flow of a record, where it has one.
pub(super) fn flow(record: &FlowRecord) -> Option<FlowKey> {
    Some(FlowKey {
        srcaddr: record.srcaddr?,
        dstaddr: record.dstaddr?,
        protocol: record.protocol?,
        srcport: record.srcport?,
        dstport: record.dstport?,
    })
}
