//! The one sequential walk over all packets, in read order: everything that depends on who came first.
//!
//! For each packet: count it as read, decode it, judge it by time, filter and duplicates, move the event clock,
//! place it in its window, and hand it to the metering side. The first three packets with a time are held until
//! the clock has judged them together (see [`EventClock::begin`]).

use std::collections::HashMap;
use std::net::IpAddr;

use super::ledger::{CaptureTally, DuplicateSights, Ledger};
use super::points::Points;
use super::vpc::Sighting;
use super::workers::{Sink, Stopped};
use super::{Fragments, MeterOptions};
use crate::capture::CaptureInfo;
use crate::decode::decode;
use crate::flow::{FlowKey, MeteringKey, ObservationPoint};
use crate::meter::{Batch, EventClock, FragmentTracker, Observation, RecentPackets};
use crate::packet::{
    CapturedPacket, Fragment, IpPacket, Notes, PacketDirection, PacketTime, SkipReason, Timestamp,
};

/// How many packets make a batch.
const BATCH: usize = 1024;

/// How many packets the clock wants to see before it judges the first.
const HELD: usize = 3;

/// How many pairs of places the ledger names at most.
const DUPLICATES_NAMED: usize = 1000;

/// How many packets are looked up together among the recent ones, so that their cache misses overlap.
const GROUP: usize = 32;

/// A packet whose turn has not come yet.
#[derive(Clone, Copy)]
struct Waiting {
    capture: usize,
    time: Timestamp,
    /// What is counted of it, unless it is skipped already.
    wanted: Option<Wanted>,
}

/// A packet that is counted, unless it turns out to be a duplicate.
#[derive(Clone, Copy)]
struct Wanted {
    fingerprint: u64,
    point: ObservationPoint,
    notes: Notes,
    fragment: Fragment,
    observation: Observation,
}

/// A packet that is counted, and where it came from.
#[derive(Clone, Copy)]
struct Kept {
    capture: usize,
    fragment: Fragment,
    observation: Observation,
}

/// The earliest and latest packet of a capture.
#[derive(Clone, Copy)]
struct Span {
    first: Timestamp,
    last: Timestamp,
}

/// The walk's state.
pub(super) struct Intake<'a, S> {
    options: &'a MeterOptions,
    with_direction: bool,
    /// Where a packet was sighted, if a VPC's interfaces are looked for.
    sighting: Option<Sighting>,
    sink: S,
    batch: Batch,
    /// Packets in read order, not yet looked up among the recent ones.
    group: Vec<Waiting>,
    clock: Option<EventClock>,
    held: Vec<(Timestamp, Option<Kept>)>,
    recent: RecentPackets,
    fragments: Option<FragmentTracker>,
    points: Points,
    sights: HashMap<(ObservationPoint, ObservationPoint), u64>,
    tallies: Vec<CaptureTally>,
    spans: Vec<Option<Span>>,
    packets: u64,
    kept: u64,
}

impl<'a, S: Sink> Intake<'a, S> {
    /// A walk over captures of these names.
    pub(super) fn new(options: &'a MeterOptions, with_direction: bool, names: &[String], sink: S) -> Self {
        let tally = |path: &String| CaptureTally { path: path.clone(), ..CaptureTally::default() };
        Intake {
            options,
            with_direction,
            sighting: None,
            sink,
            batch: Batch::default(),
            group: Vec::with_capacity(GROUP),
            clock: None,
            held: Vec::with_capacity(HELD),
            recent: RecentPackets::new(options.duplicate_window),
            fragments: (options.fragments == Fragments::Track).then(FragmentTracker::new),
            points: Points::default(),
            sights: HashMap::new(),
            tallies: names.iter().map(tally).collect(),
            spans: vec![None; names.len()],
            packets: 0,
            kept: 0,
        }
    }

    /// The same walk with keys that say between which interfaces of a VPC a packet went, and of which ICMP type it is.
    pub(super) fn with_sighting(self, sighting: Sighting) -> Self {
        Intake { sighting: Some(sighting), ..self }
    }

    /// Where its batches go.
    pub(super) fn sink(&mut self) -> &mut S {
        &mut self.sink
    }

    /// Packets read so far.
    pub(super) fn packets(&self) -> u64 {
        self.packets
    }

    /// Whether as many packets as were asked for go into records.
    pub(super) fn has_enough(&self) -> bool {
        self.options.count.is_some_and(|count| self.kept >= count)
    }

    /// Takes the next packet.
    #[inline]
    pub(super) fn take(
        &mut self,
        capture: usize,
        packet: &CapturedPacket<'_>,
        info: Option<&CaptureInfo>,
    ) -> Result<(), Stopped> {
        self.packets += 1;
        let Some(CaptureTally { tally, .. }) = self.tallies.get_mut(capture) else { return Ok(()) };
        tally.read(packet.original_length, packet.data.len());
        let time = match packet.time {
            PacketTime::At(time) => time,
            PacketTime::Missing => {
                tally.skip(SkipReason::NoTimestamp);
                return Ok(());
            }
            PacketTime::OutOfRange => {
                tally.skip(SkipReason::TimestampOutOfRange);
                return Ok(());
            }
        };
        if let Some(Some(span)) = self.spans.get_mut(capture) {
            span.first = span.first.min(time);
            span.last = span.last.max(time);
        } else if let Some(span) = self.spans.get_mut(capture) {
            *span = Some(Span { first: time, last: time });
        }
        let wanted = match decode(packet, self.options.tunnels) {
            Ok(ip) => self.judge(capture, packet, info, time, &ip),
            Err(reason) => {
                tally.skip(reason);
                None
            }
        };
        self.group.push(Waiting { capture, time, wanted });
        // a limit on the packets wants each to be known at once
        if self.group.len() >= GROUP || self.options.count.is_some() { self.settle() } else { Ok(()) }
    }

    /// Settles what waits: to be called before a read that may take long.
    pub(super) fn settle(&mut self) -> Result<(), Stopped> {
        let mut group = std::mem::take(&mut self.group);
        for waiting in &group {
            if let Some(wanted) = &waiting.wanted {
                self.recent.touch(wanted.fingerprint);
            }
        }
        let result = group.iter().try_for_each(|waiting| {
            let kept = waiting.wanted.as_ref().and_then(|wanted| self.keep(waiting, wanted));
            if self.clock.is_some() {
                return self.admit(waiting.time, kept);
            }
            self.held.push((waiting.time, kept));
            if self.held.len() == HELD { self.release_held() } else { Ok(()) }
        });
        group.clear();
        self.group = group;
        result
    }

    /// Whether an IP packet is asked for.
    #[inline]
    fn judge(
        &mut self,
        capture: usize,
        packet: &CapturedPacket<'_>,
        info: Option<&CaptureInfo>,
        time: Timestamp,
        ip: &IpPacket,
    ) -> Option<Wanted> {
        let CaptureTally { tally, .. } = self.tallies.get_mut(capture)?;
        let options = self.options;
        let unwanted = if options.from.is_some_and(|from| time < from) {
            Some(SkipReason::BeforeFrom)
        } else if options.until.is_some_and(|until| time >= until) {
            Some(SkipReason::AfterUntil)
        } else if options.filter.as_ref().is_some_and(|filter| !filter.matches(ip)) {
            Some(SkipReason::Filtered)
        } else {
            None
        };
        if let Some(reason) = unwanted {
            tally.skip_ip(reason, ip.ip_length);
            return None;
        }
        let mut key = MeteringKey::from(FlowKey::from(ip));
        if self.with_direction {
            key.direction = self.direction(packet, info, ip);
        }
        if let Some(sighting) = &mut self.sighting {
            key.point = sighting.point(capture, packet, ip);
            key.icmp = ip.icmp;
        }
        let logged_flags = ip.tcp_flags.as_logged();
        Some(Wanted {
            fingerprint: ip.fingerprint,
            point: self.points.of(capture, packet, ip.direction),
            notes: ip.notes,
            fragment: ip.fragment,
            observation: Observation { key, time, ip_length: ip.ip_length, logged_flags },
        })
    }

    /// Looks a packet up among the recent ones; whether it goes into a record.
    #[inline]
    fn keep(&mut self, waiting: &Waiting, wanted: &Wanted) -> Option<Kept> {
        let Waiting { capture, time, .. } = *waiting;
        let Wanted { fingerprint, point, notes, fragment, observation } = *wanted;
        let CaptureTally { tally, .. } = self.tallies.get_mut(capture)?;
        if let Some(first) = self.recent.sight(fingerprint, time, point) {
            tally.suspected_duplicates += 1;
            *self.sights.entry((first, point)).or_default() += 1;
            if self.options.dedup {
                tally.skip_ip(SkipReason::Duplicate, observation.ip_length);
                return None;
            }
        }
        tally.keep(observation.ip_length, notes);
        self.kept += 1;
        Some(Kept { capture, fragment, observation })
    }

    /// Which way a packet passed the interface: by the addresses that were given, else by what the packet's own
    /// record says, else by the addresses that the capture names.
    fn direction(
        &self,
        packet: &CapturedPacket<'_>,
        info: Option<&CaptureInfo>,
        ip: &IpPacket,
    ) -> PacketDirection {
        let by = |is_own: &dyn Fn(&IpAddr) -> bool| match (is_own(&ip.srcaddr), is_own(&ip.dstaddr)) {
            (true, false) => PacketDirection::Outbound,
            (false, true) => PacketDirection::Inbound,
            _ => PacketDirection::Unknown,
        };
        let given = &self.options.interface_addresses;
        if !given.is_empty() {
            return by(&|address| given.contains(address));
        }
        if ip.direction != PacketDirection::Unknown {
            return ip.direction;
        }
        match info.and_then(|info| info.interfaces.get(packet.interface as usize)) {
            Some(interface) => by(&|address| interface.addresses.iter().any(|own| own.address == *address)),
            None => PacketDirection::Unknown,
        }
    }

    /// Moves the clock, closes windows, and counts the packet where it is kept.
    #[inline]
    fn admit(&mut self, time: Timestamp, kept: Option<Kept>) -> Result<(), Stopped> {
        let Some(clock) = &mut self.clock else { return Ok(()) };
        if clock.observe(time) {
            let passed = clock.passed();
            if let Some(fragments) = &mut self.fragments {
                fragments.release(passed, &mut |placement, packet| self.batch.push(placement, packet));
            }
            self.hand_over()?;
            self.sink.close(passed)?;
        }
        let Some(Kept { capture, fragment, observation }) = kept else { return Ok(()) };
        let Some(clock) = &mut self.clock else { return Ok(()) };
        let placement = clock.place(time);
        if placement.late
            && let Some(CaptureTally { tally, .. }) = self.tallies.get_mut(capture)
        {
            tally.late_packets += 1;
        }
        match &mut self.fragments {
            Some(fragments) => fragments.take(fragment, placement, observation, &mut |placement, packet| {
                self.batch.push(placement, packet);
            }),
            None => self.batch.push(placement, &observation),
        }
        if self.batch.len() >= BATCH { self.hand_over() } else { Ok(()) }
    }

    fn hand_over(&mut self) -> Result<(), Stopped> {
        if !self.batch.is_empty() {
            self.batch = self.sink.count(std::mem::take(&mut self.batch))?;
        }
        Ok(())
    }

    /// Lets the clock judge the first packets, then counts them.
    fn release_held(&mut self) -> Result<(), Stopped> {
        let times: Vec<Timestamp> = self.held.iter().map(|(time, _)| *time).collect();
        let Some(first) = times.first() else { return Ok(()) };
        let mut clock = EventClock::new(self.options.windows(*first), self.options.allowed_lateness);
        clock.begin(&times);
        self.clock = Some(clock);
        std::mem::take(&mut self.held).into_iter().try_for_each(|(time, kept)| self.admit(time, kept))
    }

    /// Hands over everything that was still held back.
    pub(super) fn end(&mut self) -> Result<(), Stopped> {
        self.settle()?;
        self.release_held()?;
        if let Some(fragments) = &mut self.fragments {
            fragments.give_up(&mut |placement, packet| self.batch.push(placement, packet));
        }
        self.hand_over()
    }

    /// A capture ended early.
    pub(super) fn failed(&mut self, capture: usize, error: String) {
        if let Some(tally) = self.tallies.get_mut(capture) {
            tally.error = Some(error);
        }
    }

    /// The ledger so far, without what only the writing side knows, and the sink.
    pub(super) fn into_ledger(
        self,
        interface_name: impl Fn(usize, u32) -> (String, Option<String>),
    ) -> (Ledger, S) {
        let mut ledger = Ledger { captures: self.tallies, ..Ledger::default() };
        for (capture, span) in ledger.captures.iter_mut().zip(self.spans) {
            capture.first_packet = span.map(|span| span.first.to_string());
            capture.last_packet = span.map(|span| span.last.to_string());
        }
        let describe = |point| self.points.describe(point, &interface_name);
        ledger.duplicates = self
            .sights
            .into_iter()
            .map(|((first, second), packets)| DuplicateSights {
                first: describe(first),
                second: describe(second),
                packets,
            })
            .collect();
        ledger.duplicates.sort_by(|a, b| {
            b.packets.cmp(&a.packets).then_with(|| (&a.first, &a.second).cmp(&(&b.first, &b.second)))
        });
        ledger.duplicates.truncate(DUPLICATES_NAMED);
        ledger.add_up();
        ledger.total.unbelieved_times = self.clock.map_or(0, |clock| clock.unbelieved());
        ledger.total.unresolved_fragments = self.fragments.map_or(0, |fragments| fragments.unresolved());
        (ledger, self.sink)
    }
}
