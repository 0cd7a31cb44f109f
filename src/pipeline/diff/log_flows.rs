//! A log's records by flow, in order of time.

use super::flow_index::FlowIndex;
use crate::diff::{Cell, Claim, FlowId};
use crate::flow::FlowKey;
use crate::packet::TcpFlags;
use crate::record::{Action, FlowDirection};

/// One record, as small as can be: there may be very many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Logged {
    /// Its flow by number.
    pub(super) flow: u32,
    /// The flow by the addresses of the interface; the same where those are the packets'.
    pub(super) interface_flow: u32,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) line: u64,
    pub(super) interface: u32,
    pub(super) tcp_flags: Option<TcpFlags>,
    pub(super) action: Option<Action>,
    pub(super) direction: Option<FlowDirection>,
}

impl Logged {
    /// As a claim on a clock that is so many seconds behind.
    pub(super) fn claim(&self, shift: i64) -> Claim {
        let Logged { start, end, packets, bytes, line, interface, tcp_flags, action, .. } = *self;
        Claim { start, end, packets, bytes, tcp_flags, action, interface, line, first_packet: 0 }
            .earlier(shift)
    }

    fn cell(&self) -> Cell {
        let Logged { start, end, packets, bytes, line, tcp_flags, .. } = *self;
        Cell { start, end, packets, bytes, tcp_flags, line, ..Cell::default() }
    }
}

/// The records of a log, those of a flow side by side.
#[derive(Debug)]
pub(super) struct LogFlows {
    index: FlowIndex,
    /// By flow, then by time.
    records: Vec<Logged>,
    /// Where each flow's records begin, and where the last ones end.
    begins: Vec<u32>,
}

/// The flows that a record may be told under, by what is equal on both sides, in order.
pub(super) type Grouped<T> = Vec<(FlowId, Vec<T>)>;

impl LogFlows {
    pub(super) fn new(index: FlowIndex, mut records: Vec<Logged>) -> LogFlows {
        // stable: a log is mostly in this order already, which that sort makes use of
        records.sort_by_key(|record| (record.flow, record.start, record.end, record.line));
        let mut begins = vec![0; index.len() + 1];
        for record in &records {
            if let Some(count) = begins.get_mut(record.flow as usize + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for begin in &mut begins {
            sum += *begin;
            *begin = sum;
        }
        LogFlows { index, records, begins }
    }

    pub(super) fn index(&self) -> &FlowIndex {
        &self.index
    }

    /// All records, by flow.
    pub(super) fn records(&self) -> &[Logged] {
        &self.records
    }

    /// How many flows have records.
    pub(super) fn with_records(&self) -> u64 {
        self.begins.windows(2).filter(|pair| matches!(pair, [begin, end] if begin < end)).count() as u64
    }

    /// The places of a flow's records.
    #[inline]
    pub(super) fn range(&self, flow: u32) -> std::ops::Range<u32> {
        let begin = |flow: usize| self.begins.get(flow).copied().unwrap_or_default();
        begin(flow as usize)..begin(flow as usize + 1)
    }

    /// A flow's records.
    #[inline]
    pub(super) fn of(&self, flow: u32) -> &[Logged] {
        let range = self.range(flow);
        self.records.get(range.start as usize..range.end as usize).unwrap_or_default()
    }

    /// The records that are not left out.
    pub(super) fn without(&self, is_left_out: impl Fn(&FlowKey, &Logged) -> bool) -> LogFlows {
        let mut index = FlowIndex::default();
        let mut records = Vec::new();
        for (flow, key) in self.flows() {
            for record in self.of(flow).iter().filter(|record| !is_left_out(key, record)) {
                let flow = index.number(key);
                records.push(Logged { flow, interface_flow: flow, ..*record });
            }
        }
        LogFlows::new(index, records)
    }

    /// The flows with their numbers.
    pub(super) fn flows(&self) -> impl Iterator<Item = (u32, &FlowKey)> {
        (0u32..).zip(self.index.keys())
    }

    /// A flow's records as claims.
    pub(super) fn claims(&self, flow: u32, id: impl Fn(FlowId) -> FlowId) -> Grouped<Claim> {
        self.grouped(flow, id, |record| record.claim(0))
    }

    /// A flow's records as cells.
    pub(super) fn cells(&self, flow: u32, id: impl Fn(FlowId) -> FlowId) -> Grouped<Cell> {
        self.grouped(flow, id, Logged::cell)
    }

    fn grouped<T>(&self, flow: u32, id: impl Fn(FlowId) -> FlowId, of: impl Fn(&Logged) -> T) -> Grouped<T> {
        let mut groups: Grouped<T> = Vec::new();
        let Some(key) = self.index.keys().get(flow as usize) else { return groups };
        for record in self.of(flow) {
            let id = id(FlowId { key: *key, action: record.action, interface: record.interface });
            match groups.iter_mut().find(|(other, _)| *other == id) {
                Some((_, group)) => group.push(of(record)),
                None => groups.push((id, vec![of(record)])),
            }
        }
        groups.sort_by_key(|(id, _)| *id);
        groups
    }
}
