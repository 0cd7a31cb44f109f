//! Packets counted into the spans of records.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::flow_index::{FlowHash, FlowIndex};
use super::log_flows::{LogFlows, Logged};
use crate::diff::Cell;
use crate::flow::FlowKey;
use crate::packet::TcpFlags;

/// How many packets are looked up together, so that their cache misses overlap.
const GROUP: usize = 32;

/// What one span of a flow held.
#[derive(Clone, Copy, Debug)]
struct Span {
    packets: u64,
    bytes: u64,
    first: i64,
    last: i64,
    flags: TcpFlags,
}

impl Span {
    const EMPTY: Span = Span { packets: 0, bytes: 0, first: i64::MAX, last: i64::MIN, flags: TcpFlags(0) };

    #[inline]
    fn count(&mut self, packet: &Packet) {
        self.packets += 1;
        self.bytes += u64::from(packet.ip_length);
        self.first = self.first.min(packet.second);
        self.last = self.last.max(packet.second);
        self.flags |= packet.flags;
    }

    fn add(&mut self, other: &Span) {
        self.packets += other.packets;
        self.bytes += other.bytes;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.flags |= other.flags;
    }

    fn cell(&self) -> Option<Cell> {
        (self.packets > 0).then(|| Cell {
            start: self.first,
            end: self.last,
            packets: self.packets,
            bytes: self.bytes,
            tcp_flags: Some(self.flags),
            ..Cell::default()
        })
    }
}

/// One flow's place among the records, and what its current record has so far: the whole of what a packet in the same
/// record as the one before it needs.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The packets of the current record that are not in its span yet.
    span: Span,
    /// The seconds that only the current record covers, on the packets' clock; none at first.
    alone: (i64, i64),
    /// The current record.
    at: u32,
    /// Whether some packet has no record, or records overlap by more than a second.
    is_odd: bool,
}

/// What is needed of a packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet {
    pub(super) key: FlowKey,
    pub(super) hash: FlowHash,
    pub(super) second: i64,
    pub(super) ip_length: u32,
    pub(super) flags: TcpFlags,
}

/// The packets of each record so far.
pub(super) struct Counts<'a> {
    log: &'a LogFlows,
    /// What the records' clock is ahead of the packets', in seconds.
    shift: i64,
    places: Vec<Place>,
    /// Of each record.
    spans: Vec<Span>,
    /// The second that a record shares with the next.
    shared: HashMap<u32, Span, FixedState>,
    strangers: FlowIndex,
}

impl<'a> Counts<'a> {
    pub(super) fn new(log: &'a LogFlows, shift: i64) -> Counts<'a> {
        let place = |(flow, _): (u32, &FlowKey)| {
            let is_in_turn =
                |pair: &[Logged]| matches!(pair, [a, b] if a.start < b.start && a.end <= b.start);
            let is_odd = !log.of(flow).windows(2).all(is_in_turn);
            Place { span: Span::EMPTY, alone: (i64::MAX, i64::MIN), at: log.range(flow).start, is_odd }
        };
        Counts {
            log,
            shift,
            places: log.flows().map(place).collect(),
            spans: vec![Span::EMPTY; log.records().len()],
            shared: HashMap::default(),
            strangers: FlowIndex::default(),
        }
    }

    /// Counts packets.
    pub(super) fn count(&mut self, packets: &[Packet]) {
        packets.chunks(GROUP).for_each(|group| self.count_group(group));
    }

    /// Counts packets in three steps, each of which only touches what the next one needs.
    fn count_group(&mut self, packets: &[Packet]) {
        let index = self.log.index();
        let mut numbers = [None; GROUP];
        let mut touched = 0;
        for packet in packets {
            touched |= index.touch(packet.hash);
        }
        for (number, packet) in numbers.iter_mut().zip(packets) {
            *number = index.find(&packet.key, packet.hash);
        }
        for number in numbers.iter().flatten() {
            touched |= self.places.get(*number as usize).map_or(0, |place| place.span.packets);
        }
        std::hint::black_box(touched);
        for (number, packet) in numbers.iter().zip(packets) {
            let Some(number) = number else {
                self.strangers.number(&packet.key);
                continue;
            };
            match self.places.get_mut(*number as usize) {
                Some(place) if place.alone.0 <= packet.second && packet.second <= place.alone.1 => {
                    place.span.count(packet);
                }
                _ => self.count_elsewhere(*number, packet),
            }
        }
    }

    /// Counts a packet that is not in a second that only the current record covers.
    #[inline(never)]
    fn count_elsewhere(&mut self, flow: u32, packet: &Packet) {
        let Some(place) = self.places.get_mut(flow as usize).filter(|place| !place.is_odd) else { return };
        let range = self.log.range(flow);
        let records = self.log.records();
        let second = packet.second.saturating_add(self.shift);
        let of_flow = self.log.of(flow);
        let later = of_flow.partition_point(|record| record.end < second);
        let Some(record) = of_flow.get(later).filter(|record| record.start <= second) else {
            place.is_odd = true;
            return;
        };
        let at = range.start + number(later);
        let record_at = |at: u32| records.get(at as usize);
        let before = at.checked_sub(1).filter(|before| range.contains(before)).and_then(record_at);
        let next = Some(at + 1).filter(|next| range.contains(next)).and_then(record_at);
        let shares_end = next.is_some_and(|next| next.start == record.end);
        let shares_start = before.is_some_and(|before| before.end == record.start);
        let shared = if shares_end && second == record.end {
            Some(at)
        } else if shares_start && second == record.start {
            at.checked_sub(1)
        } else {
            None
        };
        if let Some(at) = shared {
            self.shared.entry(at).or_insert(Span::EMPTY).count(packet);
            return;
        }
        // the current record's packets so far, before another becomes it
        if let Some(span) = self.spans.get_mut(place.at as usize) {
            span.add(&place.span);
        }
        place.at = at;
        place.span = Span::EMPTY;
        place.alone = (
            record.start.saturating_add(i64::from(shares_start)).saturating_sub(self.shift),
            record.end.saturating_sub(i64::from(shares_end)).saturating_sub(self.shift),
        );
        place.span.count(packet);
    }

    /// Puts what is not in the spans yet there: to be called when all packets are counted.
    pub(super) fn settle(&mut self) {
        for place in &mut self.places {
            if let Some(span) = self.spans.get_mut(place.at as usize).filter(|_| place.span.packets > 0) {
                span.add(&place.span);
                place.span = Span::EMPTY;
            }
        }
    }

    /// A flow's packets as cells, one for each record and each shared second; `None` where single seconds are needed.
    pub(super) fn cells(&self, flow: u32) -> Option<Vec<Cell>> {
        let place = self.places.get(flow as usize)?;
        if place.is_odd {
            return None;
        }
        let range = self.log.range(flow);
        let mut cells = Vec::with_capacity(range.len());
        for at in range {
            cells.extend(self.spans.get(at as usize).and_then(Span::cell));
            cells.extend(self.shared.get(&at).and_then(Span::cell));
        }
        Some(cells)
    }

    /// A flow's packets, as far as they are in records.
    pub(super) fn packets(&self, flow: u32) -> u64 {
        let shared = |at: u32| self.shared.get(&at).map_or(0, |span| span.packets);
        self.log
            .range(flow)
            .map(|at| self.spans.get(at as usize).map_or(0, |span| span.packets) + shared(at))
            .sum()
    }

    /// Whether a flow has packets, with or without a record.
    pub(super) fn has_packets(&self, flow: u32) -> bool {
        self.packets(flow) > 0 || self.places.get(flow as usize).is_some_and(|place| place.is_odd)
    }

    /// Flows without any record, by number.
    pub(super) fn strangers(&self) -> &FlowIndex {
        &self.strangers
    }
}

/// A place in a list that never has more than 32 bits of elements.
fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
