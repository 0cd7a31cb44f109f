//! A first look at the packets: which flows agree with their records to the letter.
//!
//! Metering every flow by the second does not scale, so packets are metered straight into the records' own spans;
//! single seconds are kept only where two records share one. Flows in which everything fits that way are settled, the
//! others are read again by the second. A sample of the flows is kept by the second at once, for the clock offset.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::capture_side::{Cells, add, cell, in_order};
use super::flow_index::{FlowHash, FlowIndex};
use super::walk::{Walked, walk};
use crate::capture::CaptureInput;
use crate::diff::{
    Cell, Claim, ClockOffset, FlowId, LARGE_FLOW, OffsetVotes, Sides, Tolerance, fits_exactly,
};
use crate::flow::FlowKey;
use crate::packet::{Protocol, TcpFlags};
use crate::pipeline::{MeterOptions, Progress};

/// How many packets are looked up together, so that their cache misses overlap.
const GROUP: usize = 32;

/// How many flows are kept by the second for the clock offset, at most about.
const SAMPLE: usize = 2048;

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
struct Packet {
    key: FlowKey,
    hash: FlowHash,
    second: i64,
    ip_length: u32,
    flags: TcpFlags,
}

/// The flows that agree, and what was learnt on the way.
pub(super) struct Screened {
    pub(super) walked: Walked,
    pub(super) offset: ClockOffset,
    /// Flows with a packet, with or without a record.
    pub(super) flows: u64,
    /// The flows that agree: none of their packets or records needs another look.
    pub(super) settled: Settled,
}

/// Flows that agree with their records.
#[derive(Debug, Default)]
pub(super) struct Settled {
    index: FlowIndex,
    is_settled: Vec<bool>,
    pub(super) flows: u64,
    pub(super) records: u64,
    pub(super) large_flows: u64,
}

impl Settled {
    /// Whether a flow is one of them.
    #[inline]
    pub(super) fn contains(&self, key: &FlowKey) -> bool {
        let number = self.index.find(key, self.index.hash(key));
        number.is_some_and(|number| self.is_settled.get(number as usize) == Some(&true))
    }
}

/// The records of a log, to be screened.
pub(super) struct Screen<'a> {
    index: FlowIndex,
    places: Vec<Place>,
    claims: Vec<Claim>,
    spans: Vec<Span>,
    /// The second that a record shares with the next.
    shared: HashMap<u32, Span, FixedState>,
    sample: Cells,
    /// One in so many flows is in the sample.
    one_in: u64,
    strangers: HashMap<FlowKey, (), FixedState>,
    tolerance: &'a Tolerance,
}

impl<'a> Screen<'a> {
    /// Of these records, on a clock that is `shift` seconds behind theirs.
    pub(super) fn new(
        flows: &HashMap<FlowId, Vec<Claim>>,
        shift: i64,
        tolerance: &'a Tolerance,
    ) -> Screen<'a> {
        let one_in = flows.len().div_ceil(SAMPLE).max(1) as u64;
        let count = flows.values().map(Vec::len).sum();
        let mut screen = Screen {
            index: FlowIndex::default(),
            places: Vec::with_capacity(flows.len()),
            claims: Vec::with_capacity(count),
            spans: vec![Span::EMPTY; count],
            shared: HashMap::default(),
            sample: Cells::default(),
            one_in,
            strangers: HashMap::default(),
            tolerance,
        };
        for (id, claims) in flows {
            let first = number(screen.claims.len());
            screen.claims.extend(claims.iter().map(|claim| claim.earlier(shift)));
            let claims = screen.claims.get_mut(first as usize..).unwrap_or_default();
            claims.sort_by_key(|claim| (claim.start, claim.end, claim.line));
            let is_odd = !claims
                .windows(2)
                .all(|pair| matches!(pair, [a, b] if a.start < b.start && a.end <= b.start));
            screen.index.number(&id.key);
            let end = number(screen.claims.len());
            screen.places.push(Place { first, end, at: first, is_odd });
        }
        screen
    }

    /// Reads the captures.
    pub(super) fn read(
        mut self,
        inputs: Vec<CaptureInput>,
        options: &MeterOptions,
        progress: &Progress,
    ) -> Screened {
        let mut group: Vec<Packet> = Vec::with_capacity(GROUP);
        let walked = walk(inputs, options, progress, |packet, ip, second| {
            let key = FlowKey::from(ip);
            let hash = self.index.hash(&key);
            if hash.is_one_in(self.one_in) && self.index.find(&key, hash).is_some() {
                add(&mut self.sample, key, &cell(packet, ip, second));
            }
            let flags = ip.tcp_flags.as_logged();
            group.push(Packet { key, hash, second, ip_length: ip.ip_length, flags });
            if group.len() == GROUP {
                self.count_all(&group);
                group.clear();
            }
        });
        self.count_all(&group);
        self.finish(walked)
    }

    /// Counts packets in three steps, each of which only touches what the next one needs.
    fn count_all(&mut self, packets: &[Packet]) {
        let mut numbers = [None; GROUP];
        let mut touched = 0;
        for packet in packets {
            touched |= self.index.touch(packet.hash);
        }
        for (number, packet) in numbers.iter_mut().zip(packets) {
            *number = self.index.find(&packet.key, packet.hash);
        }
        let place = |number: &Option<u32>| number.and_then(|number| self.places.get(number as usize));
        for at in numbers.iter().filter_map(place).map(|place| place.at as usize) {
            touched |= self.claims.get(at).map_or(0, |claim| claim.line);
            touched |= self.spans.get(at).map_or(0, |span| span.packets);
        }
        std::hint::black_box(touched);
        for (number, packet) in numbers.iter().zip(packets) {
            match number {
                Some(number) => self.count(*number, packet),
                None => {
                    self.strangers.insert(packet.key, ());
                }
            }
        }
    }

    /// Counts a packet into the record whose span it lies in.
    #[inline]
    fn count(&mut self, number_of_flow: u32, packet: &Packet) {
        let Some(place) = self.places.get_mut(number_of_flow as usize) else { return };
        if place.is_odd {
            return;
        }
        let holds = |claim: &Claim| claim.start <= packet.second && packet.second <= claim.end;
        if !self.claims.get(place.at as usize).is_some_and(holds) {
            let claims = self.claims.get(place.first as usize..place.end as usize).unwrap_or_default();
            let later = claims.partition_point(|claim| claim.end < packet.second);
            if !claims.get(later).is_some_and(holds) {
                place.is_odd = true;
                return;
            }
            place.at = place.first + number(later);
        }
        let at = place.at;
        let meets = |a: u32, b: u32| {
            let claim = |at: u32| self.claims.get(at as usize);
            claim(a).zip(claim(b)).is_some_and(|(a, b)| a.end == packet.second && b.start == packet.second)
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

    fn finish(self, walked: Walked) -> Screened {
        let offset = self.offset(walked.span);
        let mut settled = Settled { is_settled: vec![false; self.index.len()], ..Settled::default() };
        let mut flows = self.strangers.len() as u64;
        for ((key, place), is_settled) in
            self.index.keys().iter().zip(&self.places).zip(&mut settled.is_settled)
        {
            let range = place.first as usize..place.end as usize;
            let claims = self.claims.get(range.clone()).unwrap_or_default();
            let mut cells: Vec<Cell> = Vec::with_capacity(claims.len());
            for at in range {
                cells.extend(self.spans.get(at).and_then(Span::cell));
                cells.extend(self.shared.get(&number(at)).and_then(Span::cell));
            }
            flows += u64::from(!cells.is_empty() || place.is_odd);
            if place.is_odd || cells.is_empty() || !self.agrees(key, &cells, claims) {
                continue;
            }
            *is_settled = true;
        }
        self.keep_pairs(&mut settled.is_settled);
        for ((place, is_settled), number) in self.places.iter().zip(&settled.is_settled).zip(0u32..) {
            if *is_settled {
                settled.flows += 1;
                settled.records += u64::from(place.end - place.first);
                settled.large_flows += u64::from(self.packets(number) >= LARGE_FLOW);
            }
        }
        settled.index = self.index;
        Screened { walked, offset, flows, settled }
    }

    /// Looks again at a flow that agrees where its reverse does not: what one direction says bears on the other.
    fn keep_pairs(&self, is_settled: &mut [bool]) {
        let before = is_settled.to_vec();
        for (key, settled) in self.index.keys().iter().zip(is_settled) {
            let reverse = key.reversed();
            let agrees = match self.index.find(&reverse, self.index.hash(&reverse)) {
                Some(number) => before.get(number as usize) == Some(&true),
                None => !self.strangers.contains_key(&reverse),
            };
            *settled &= agrees;
        }
    }

    /// The packets of a flow.
    fn packets(&self, number_of_flow: u32) -> u64 {
        let Some(place) = self.places.get(number_of_flow as usize) else { return 0 };
        let shared = |at: u32| self.shared.get(&at).map_or(0, |span| span.packets);
        (place.first..place.end)
            .map(|at| self.spans.get(at as usize).map_or(0, |span| span.packets) + shared(at))
            .sum()
    }

    /// What the sample says of the clocks.
    fn offset(&self, span: Option<(i64, i64)>) -> ClockOffset {
        let mut votes = OffsetVotes::default();
        for (key, cells) in &self.sample {
            let number = self.index.find(key, self.index.hash(key));
            let Some(place) = number.and_then(|number| self.places.get(number as usize)) else { continue };
            let claims = self.claims.get(place.first as usize..place.end as usize).unwrap_or_default();
            votes.flow(&in_order(cells.clone()), claims, span.unwrap_or_default());
        }
        votes.offset()
    }

    /// Whether counts, times and flags of all records fit.
    fn agrees(&self, key: &FlowKey, cells: &[Cell], claims: &[Claim]) -> bool {
        let sides = Sides { cells, claims, tolerance: self.tolerance, joins_runs: true };
        let Some(alignment) = fits_exactly(sides) else { return false };
        key.protocol != Protocol::TCP
            || alignment.placed.iter().zip(claims).all(|(placed, claim)| {
                let bounds = alignment.flag_bounds(cells, placed, |cell| cell.tcp_flags);
                match (claim.tcp_flags, bounds) {
                    (Some(flags), Some((must, may))) => flags.contains(must) && may.contains(flags),
                    _ => true,
                }
            })
    }
}

/// A place in a list that never has more than 32 bits of elements.
fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
