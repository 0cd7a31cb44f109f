//! The side of the walk over all packets that depends on who came first.
//!
//! For each packet in read order: look it up among the recent ones, move the event clock, place it in its window, and
//! give it to the metering. The first three packets with a time are held until the clock has judged them together (see
//! [`EventClock::begin`]).
//!
//! [`GROUP`] packets are looked up together, so that their cache misses overlap. Nearly always they also move the clock
//! together: all lie in one window and close none.

use std::collections::HashMap;
use std::slice;

use super::intake::Taken;
use super::ledger::{DUPLICATES_NAMED, DuplicateSights, Ledger, Tally};
use super::{Fragments, MeterOptions};
use crate::flow::{ObservationPoint, WindowIndex, Windows};
use crate::meter::{
    Batch, EventClock, Family, FragmentTracker, Lost, Observation, PackedKey, PackedPacket, PackedV4,
    PackedV6, RecentPackets, Sighting, Sightings,
};
use crate::packet::{Fragment, SkipReason, Timestamp};

/// How many packets the clock wants to see before it judges the first.
const HELD: usize = 3;

/// How many packets are looked up together among the recent ones, so that their cache misses overlap.
const GROUP: usize = 32;

/// The writing side has failed; its error is kept there, and reading should stop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopped;

/// Where packets go that have their window.
pub(super) trait Sink {
    /// Counts packets.
    fn count(&mut self, batch: &Batch) -> Result<(), Stopped>;

    /// Closes the windows below `passed` and writes them.
    fn close(&mut self, passed: WindowIndex) -> Result<(), Stopped>;

    /// Learns how time is cut and the time of the first packet, before any packet is counted.
    fn begin(&mut self, _windows: Windows, _first: Timestamp) {}

    /// A capture lost packets. It may be said before [`begin`](Self::begin).
    fn lost(&mut self, _lost: Lost) {}
}

/// A packet that is counted, and where it came from.
#[derive(Clone, Copy)]
struct Kept {
    capture: u32,
    fragment: Fragment,
    observation: Observation,
}

/// Keys in read order.
struct Keys<'a> {
    v4: slice::Iter<'a, PackedV4>,
    v6: slice::Iter<'a, PackedV6>,
}

/// The ordered side's state.
pub(super) struct Ordered<'a, S> {
    options: &'a MeterOptions,
    sink: S,
    batch: Batch,
    clock: Option<EventClock>,
    held: Vec<(Timestamp, Option<Kept>)>,
    fragments: Option<FragmentTracker>,
    judge: Judge,
    stopped: bool,
}

/// How many packets were seen at a first point and then at a second.
type Sights = HashMap<(ObservationPoint, ObservationPoint), u64>;

#[inline(never)]
fn note_sight(sights: &mut Sights, first: ObservationPoint, second: ObservationPoint) {
    *sights.entry((first, second)).or_default() += 1;
}

/// Which packets go into records.
struct Judge {
    recent: RecentPackets,
    dedup: bool,
    sights: Sights,
    tallies: Vec<Tally>,
    kept: u64,
}

impl Judge {
    /// Looks a packet up among the recent ones; whether it goes into a record.
    #[inline(always)]
    fn keeps(&mut self, sighting: &Sighting) -> bool {
        let Some(tally) = self.tallies.get_mut(sighting.capture as usize) else { return false };
        if let Some(first) = self.recent.sight(sighting.fingerprint, sighting.time, sighting.point) {
            tally.suspected_duplicates += 1;
            note_sight(&mut self.sights, first, sighting.point);
            if self.dedup {
                tally.skip_ip(SkipReason::Duplicate, sighting.ip_length);
                return false;
            }
        }
        tally.keep(sighting.ip_length, sighting.notes);
        self.kept += 1;
        true
    }
}

impl<'a, S: Sink> Ordered<'a, S> {
    /// The ordered side for so many captures.
    pub(super) fn new(options: &'a MeterOptions, captures: usize, sink: S) -> Self {
        Ordered {
            options,
            sink,
            batch: Batch::default(),
            clock: None,
            held: Vec::with_capacity(HELD),
            fragments: (options.fragments == Fragments::Track).then(FragmentTracker::new),
            judge: Judge {
                recent: RecentPackets::new(options.duplicate_window),
                dedup: options.dedup,
                sights: HashMap::new(),
                tallies: vec![Tally::default(); captures],
                kept: 0,
            },
            stopped: false,
        }
    }

    /// How many packets go into records so far.
    pub(super) fn kept(&self) -> u64 {
        self.judge.kept
    }

    /// Takes packets in read order.
    pub(super) fn take(&mut self, sightings: &Sightings) -> Result<(), Stopped> {
        sightings.lost.iter().for_each(|lost| self.sink.lost(*lost));
        let mut keys = Keys { v4: sightings.v4.iter(), v6: sightings.v6.iter() };
        let taken = sightings
            .order
            .chunks(GROUP)
            .try_for_each(|group| self.take_group(group, &mut keys))
            .and_then(|()| self.hand_over());
        self.stopped |= taken.is_err();
        taken
    }

    #[inline]
    fn take_group(&mut self, group: &[Sighting], keys: &mut Keys<'_>) -> Result<(), Stopped> {
        let (mut earliest, mut latest) = (Timestamp::MAX, Timestamp::MIN);
        self.judge.recent.touch(group.iter().map(|sighting| sighting.fingerprint));
        for sighting in group {
            earliest = earliest.min(sighting.time);
            latest = latest.max(sighting.time);
        }
        let together = match (&mut self.clock, &self.fragments) {
            (Some(clock), None) => clock.observe_together(group.len() as u64, earliest, latest),
            _ => None,
        };
        let Some(placement) = together else {
            return group.iter().try_for_each(|sighting| self.take_one(sighting, keys));
        };
        let judge = &mut self.judge;
        self.batch.extend(placement, |v4, v6| {
            for sighting in group {
                match sighting.family {
                    Family::V4 => push(judge, sighting, &mut keys.v4, v4),
                    Family::V6 => push(judge, sighting, &mut keys.v6, v6),
                    Family::Skipped => {}
                }
            }
        });
        Ok(())
    }

    /// Takes one packet by itself.
    #[inline(never)]
    fn take_one(&mut self, sighting: &Sighting, keys: &mut Keys<'_>) -> Result<(), Stopped> {
        let key = match sighting.family {
            Family::V4 => keys.v4.next().map(|key| key.unpack()),
            Family::V6 => keys.v6.next().map(|key| key.unpack()),
            Family::Skipped => None,
        };
        let Sighting { time, capture, fragment, ip_length, tcp_flags, .. } = *sighting;
        let kept = key.filter(|_| self.judge.keeps(sighting)).map(|key| Kept {
            capture,
            fragment,
            observation: Observation { key, time, ip_length, tcp_flags },
        });
        if self.clock.is_some() {
            return self.admit(time, kept);
        }
        self.held.push((time, kept));
        if self.held.len() == HELD { self.release_held() } else { Ok(()) }
    }

    /// Moves the clock, closes windows, and counts the packet where it is kept.
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
            && let Some(tally) = self.judge.tallies.get_mut(capture as usize)
        {
            tally.late_packets += 1;
        }
        match &mut self.fragments {
            Some(fragments) => fragments.take(fragment, placement, observation, &mut |placement, packet| {
                self.batch.push(placement, packet);
            }),
            None => self.batch.push(placement, &observation),
        }
        Ok(())
    }

    fn hand_over(&mut self) -> Result<(), Stopped> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let counted = self.sink.count(&self.batch);
        self.batch.clear();
        counted
    }

    /// Lets the clock judge the first packets, then counts them.
    fn release_held(&mut self) -> Result<(), Stopped> {
        let times: Vec<Timestamp> = self.held.iter().map(|(time, _)| *time).collect();
        let Some(first) = times.first() else { return Ok(()) };
        let windows = self.options.windows(*first);
        self.sink.begin(windows, *first);
        let mut clock = EventClock::new(windows, self.options.allowed_lateness);
        clock.begin(&times);
        self.clock = Some(clock);
        std::mem::take(&mut self.held).into_iter().try_for_each(|(time, kept)| self.admit(time, kept))
    }

    /// Hands over everything that was still held back, unless the writing side has failed.
    pub(super) fn end(&mut self) {
        if self.stopped {
            return;
        }
        let ended = self.release_held().and_then(|()| {
            if let Some(fragments) = &mut self.fragments {
                fragments.give_up(&mut |placement, packet| self.batch.push(placement, packet));
            }
            self.hand_over()
        });
        // a failed output is reported by the sink, which keeps the error
        self.stopped = ended.is_err();
    }

    /// The ledger so far, without what only the writing side knows, and the sink.
    pub(super) fn into_ledger(
        self,
        taken: Taken,
        interface_name: impl Fn(usize, u32) -> (String, Option<String>),
    ) -> (Ledger, S) {
        let Taken { captures, points } = taken;
        let mut ledger = Ledger { captures, ..Ledger::default() };
        let Judge { tallies, sights, .. } = self.judge;
        for (capture, tally) in ledger.captures.iter_mut().zip(&tallies) {
            capture.tally.add(tally);
        }
        let describe = |point| points.describe(point, &interface_name);
        ledger.duplicates = sights
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

/// Takes a packet's key and, where the packet goes into a record, adds it to the others of its family.
#[inline(always)]
fn push<K: Copy>(
    judge: &mut Judge,
    sighting: &Sighting,
    keys: &mut slice::Iter<'_, K>,
    packets: &mut Vec<PackedPacket<K>>,
) {
    let Some(key) = keys.next() else { return };
    if judge.keeps(sighting) {
        let Sighting { time, ip_length, tcp_flags, .. } = *sighting;
        packets.push(PackedPacket { key: *key, time, ip_length, tcp_flags });
    }
}
