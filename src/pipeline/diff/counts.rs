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

/// One flow's place among the records.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Its first record.
    first: u32,
    /// The one behind its last.
    end: u32,
    /// The record of its latest packet.
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
            let range = log.range(flow);
            let is_in_turn =
                |pair: &[Logged]| matches!(pair, [a, b] if a.start < b.start && a.end <= b.start);
            let is_odd = !log.of(flow).windows(2).all(is_in_turn);
            Place { first: range.start, end: range.end, at: range.start, is_odd }
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
        let place = |number: &Option<u32>| number.and_then(|number| self.places.get(number as usize));
        for at in numbers.iter().filter_map(place).map(|place| place.at as usize) {
            touched |= self.log.records().get(at).map_or(0, |record| record.line);
            touched |= self.spans.get(at).map_or(0, |span| span.packets);
        }
        std::hint::black_box(touched);
        for (number, packet) in numbers.iter().zip(packets) {
            match number {
                Some(number) => self.count_one(*number, packet),
                None => {
                    self.strangers.number(&packet.key);
                }
            }
        }
    }

    /// Counts a packet into the record whose span it lies in.
    #[inline]
    fn count_one(&mut self, flow: u32, packet: &Packet) {
        let Some(place) = self.places.get_mut(flow as usize) else { return };
        if place.is_odd {
            return;
        }
        let records = self.log.records();
        let second = packet.second.saturating_add(self.shift);
        let holds = |record: &Logged| record.start <= second && second <= record.end;
        if !records.get(place.at as usize).is_some_and(holds) {
            let of_flow = records.get(place.first as usize..place.end as usize).unwrap_or_default();
            let later = of_flow.partition_point(|record| record.end < second);
            if !of_flow.get(later).is_some_and(holds) {
                place.is_odd = true;
                return;
            }
            place.at = place.first + number(later);
        }
        let at = place.at;
        let meets = |a: u32, b: u32| {
            let record = |at: u32| records.get(at as usize);
            record(a).zip(record(b)).is_some_and(|(a, b)| a.end == second && b.start == second)
        };
        let shared = if at + 1 < place.end && meets(at, at + 1) {
            Some(at)
        } else if at > place.first && meets(at - 1, at) {
            Some(at - 1)
        } else {
            None
        };
        match shared {
            Some(at) => self.shared.entry(at).or_insert(Span::EMPTY).count(packet),
            None => self.spans.iter_mut().skip(at as usize).take(1).for_each(|span| span.count(packet)),
        }
    }

    /// A flow's packets as cells, one for each record and each shared second; `None` where single seconds are needed.
    pub(super) fn cells(&self, flow: u32) -> Option<Vec<Cell>> {
        let place = self.places.get(flow as usize)?;
        if place.is_odd {
            return None;
        }
        let mut cells = Vec::with_capacity((place.end - place.first) as usize);
        for at in place.first..place.end {
            cells.extend(self.spans.get(at as usize).and_then(Span::cell));
            cells.extend(self.shared.get(&at).and_then(Span::cell));
        }
        Some(cells)
    }

    /// A flow's packets, as far as they are in records.
    pub(super) fn packets(&self, flow: u32) -> u64 {
        let Some(place) = self.places.get(flow as usize) else { return 0 };
        let shared = |at: u32| self.shared.get(&at).map_or(0, |span| span.packets);
        (place.first..place.end)
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
