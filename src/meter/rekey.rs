//! Packets on their way to the meter are given another observation point, by what is kept for their key.
//!
//! A VPC's judge says of every packet through which interfaces it went and with which action; that takes the place of
//! the observation point, so that the meter counts by it. What is kept for a key lies in a table like the flow table,
//! and packets are looked up in groups, so that their cache misses overlap.
//!
//! Since the table's entry is at hand, packets that go on being counted under one point and in one window are counted in
//! it, and their sum goes to the meter when that changes, when the window closes ([`Rekeyer::flush`]), or when the key is
//! dropped. So a packet costs one lookup and not two.
//!
//! Packets are decided about in their order within an address family, which is all that those who judge connections need.

use std::hash::BuildHasher;
use std::hint::black_box;

use foldhash::fast::RandomState;

use super::batch::Counted;
use super::packed::PackedKey;
use super::packed::{PackedV4, PackedV6};
use super::table::{GROUP, PackedPacket};
use super::{Batch, Placement};
use crate::flow::{FlowCounters, MeteringKey, ObservationPoint, WindowIndex};
use crate::packet::{TcpFlags, Timestamp};

/// The first size of a table.
const FIRST_SIZE: usize = 1024;

/// A packet, without its key.
#[derive(Clone, Copy, Debug)]
pub struct PacketFacts {
    /// The window that it is counted in.
    pub placement: Placement,
    /// When it was captured.
    pub time: Timestamp,
    /// Its IP length in bytes.
    pub ip_length: u32,
    /// Its flags as a flow log shows them.
    pub logged_flags: TcpFlags,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rekeyed {
    /// It is counted under this point. Its ICMP type goes, and its direction unless that is kept.
    Counted {
        /// The new point.
        point: ObservationPoint,
        /// Whether the direction stays.
        with_direction: bool,
    },
    /// It is not counted.
    LeftOut,
}

/// Decides.
pub trait Rekey<T> {
    /// What is kept for a key that comes first.
    fn begin(&mut self, key: MeteringKey) -> T;

    /// Loads what [`take`](Rekey::take) will look at, without waiting for it.
    fn touch(&self, kept: &T);

    /// Decides about a packet of a key.
    fn take(&mut self, packet: &PacketFacts, kept: &mut T) -> Rekeyed;
}

/// Keys, and what is kept for each.
#[derive(Debug)]
pub struct Rekeyer<T> {
    v4: KeyTable<PackedV4, T>,
    v6: KeyTable<PackedV6, T>,
}

impl<T: Copy> Default for Rekeyer<T> {
    fn default() -> Self {
        Rekeyer { v4: KeyTable::new(), v6: KeyTable::new() }
    }
}

impl<T: Copy> Rekeyer<T> {
    /// Gives each packet of a batch its point, and counts it; sums that are complete go to `out`.
    pub fn rekey(&mut self, batch: &Batch, out: &mut Batch, judge: &mut impl Rekey<T>) {
        let (mut v4, mut v6) = (batch.v4.as_slice(), batch.v6.as_slice());
        for run in &batch.runs {
            let Some((run_v4, rest_v4)) = v4.split_at_checked(run.v4) else { return };
            let Some((run_v6, rest_v6)) = v6.split_at_checked(run.v6) else { return };
            (v4, v6) = (rest_v4, rest_v6);
            self.v4.rekey(run.placement, run_v4, &mut out.counted_v4, judge);
            self.v6.rekey(run.placement, run_v6, &mut out.counted_v6, judge);
        }
    }

    /// Hands on the sums of windows below `passed`, or of all.
    pub fn flush(&mut self, passed: Option<WindowIndex>, out: &mut Batch) {
        self.v4.flush(passed, &mut out.counted_v4);
        self.v6.flush(passed, &mut out.counted_v6);
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.v4.used + self.v6.used
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Drops the keys for which `keep` says no; it may change what is kept for the others.
    pub fn retain(&mut self, out: &mut Batch, mut keep: impl FnMut(&mut T) -> bool) {
        self.v4.retain(&mut out.counted_v4, &mut keep);
        self.v6.retain(&mut out.counted_v6, &mut keep);
    }
}

/// What was counted under one point in one window, and is not handed on yet; nothing, where `counters` is empty.
#[derive(Clone, Copy, Debug)]
struct Pending {
    placement: Placement,
    point: ObservationPoint,
    with_direction: bool,
    counters: FlowCounters,
}

impl Pending {
    const NOTHING: Pending = Pending {
        placement: Placement { window: WindowIndex(0), late: false },
        point: ObservationPoint(0),
        with_direction: false,
        counters: FlowCounters::EMPTY,
    };
}

/// A key, what is kept for it, and what was counted: whole cache lines.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Slot<K, T> {
    key: K,
    kept: Option<T>,
    pending: Pending,
}

impl<K: PackedKey, T: Copy> Slot<K, T> {
    fn empty() -> Self {
        Slot { key: K::default(), kept: None, pending: Pending::NOTHING }
    }

    /// Hands on what was counted.
    fn flush(&mut self, out: &mut Vec<Counted<K>>) {
        let Pending { placement, point, with_direction, counters } = self.pending;
        if counters.packets > 0 {
            out.push(Counted {
                placement,
                key: self.key.projected(with_direction).with_point(point),
                counters,
            });
            self.pending = Pending::NOTHING;
        }
    }
}

/// Open addressing; at most three quarters full.
#[derive(Debug)]
struct KeyTable<K, T> {
    slots: Vec<Slot<K, T>>,
    used: usize,
    hasher: RandomState,
}

impl<K: PackedKey, T: Copy> KeyTable<K, T> {
    fn new() -> Self {
        KeyTable { slots: Vec::new(), used: 0, hasher: RandomState::default() }
    }

    fn rekey(
        &mut self,
        placement: Placement,
        packets: &[PackedPacket<K>],
        out: &mut Vec<Counted<K>>,
        judge: &mut impl Rekey<T>,
    ) {
        for group in packets.chunks(GROUP) {
            self.reserve(group.len());
            let mut slots = [0_usize; GROUP];
            for (packet, slot) in group.iter().zip(&mut slots) {
                *slot = self.home(packet.key);
                // only touched: a branch on what is found would wait for it
                black_box(self.slots.get(*slot).map(|slot| slot.key));
                black_box(self.slots.get(*slot).map(|slot| slot.pending.counters.packets));
            }
            for (packet, slot) in group.iter().zip(&mut slots) {
                *slot = self.find_or_begin(packet.key, *slot, judge);
                if let Some(Slot { kept: Some(kept), .. }) = self.slots.get(*slot) {
                    judge.touch(kept);
                }
            }
            for (packet, slot) in group.iter().zip(slots) {
                let Some(slot) = self.slots.get_mut(slot) else { continue };
                let Some(kept) = &mut slot.kept else { continue };
                let PackedPacket { time, ip_length, logged_flags, .. } = *packet;
                match judge.take(&PacketFacts { placement, time, ip_length, logged_flags }, kept) {
                    Rekeyed::Counted { point, with_direction } => {
                        let pending = &slot.pending;
                        let same = pending.placement == placement
                            && pending.point == point
                            && pending.with_direction == with_direction;
                        if !same {
                            slot.flush(out);
                            slot.pending = Pending { placement, point, with_direction, ..Pending::NOTHING };
                        }
                        slot.pending.counters.count(time, ip_length, logged_flags);
                    }
                    Rekeyed::LeftOut => {}
                }
            }
        }
    }

    fn flush(&mut self, passed: Option<WindowIndex>, out: &mut Vec<Counted<K>>) {
        for slot in &mut self.slots {
            if passed.is_none_or(|passed| slot.pending.placement.window < passed) {
                slot.flush(out);
            }
        }
    }

    #[inline]
    fn home(&self, key: K) -> usize {
        self.hasher.hash_one(key) as usize & self.slots.len().wrapping_sub(1)
    }

    /// The key's slot, from its home on.
    #[inline]
    fn find_or_begin(&mut self, key: K, home: usize, judge: &mut impl Rekey<T>) -> usize {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = home;
        while let Some(slot) = self.slots.get_mut(at) {
            if slot.kept.is_none() {
                *slot = Slot { key, kept: Some(judge.begin(key.unpack())), pending: Pending::NOTHING };
                self.used += 1;
                break;
            }
            if slot.key == key {
                break;
            }
            at = (at + 1) & mask;
        }
        at
    }

    /// Makes room for so many further keys.
    fn reserve(&mut self, more: usize) {
        if self.used + more > self.slots.len() / 4 * 3 {
            self.resize((self.slots.len() * 2).max(FIRST_SIZE));
        }
    }

    #[cold]
    fn resize(&mut self, size: usize) {
        let old = std::mem::replace(&mut self.slots, vec![Slot::empty(); size]);
        for slot in old.into_iter().filter(|slot| slot.kept.is_some()) {
            let mut at = self.home(slot.key);
            let mask = size - 1;
            while let Some(place) = self.slots.get_mut(at) {
                if place.kept.is_none() {
                    *place = slot;
                    break;
                }
                at = (at + 1) & mask;
            }
        }
    }

    fn retain(&mut self, out: &mut Vec<Counted<K>>, keep: &mut impl FnMut(&mut T) -> bool) {
        let mut left = 0;
        for slot in &mut self.slots {
            if let Some(kept) = &mut slot.kept {
                if keep(kept) {
                    left += 1;
                } else {
                    slot.kept = None;
                    slot.flush(out);
                }
            }
        }
        self.used = left;
        let size = (left * 2).next_power_of_two().max(FIRST_SIZE);
        if !self.slots.is_empty() {
            self.resize(size);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::FlowKey;
    use crate::meter::Observation;
    use crate::packet::Protocol;
    use std::collections::{BTreeMap, HashMap};
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    /// Counts each key's packets, and leaves every third of a key out.
    #[derive(Default)]
    struct Counter {
        begun: Vec<MeteringKey>,
    }

    impl Rekey<(u32, u32)> for Counter {
        fn begin(&mut self, key: MeteringKey) -> (u32, u32) {
            self.begun.push(key);
            (self.begun.len() as u32, 0)
        }

        fn touch(&self, _: &(u32, u32)) {}

        fn take(&mut self, _: &PacketFacts, kept: &mut (u32, u32)) -> Rekeyed {
            kept.1 += 1;
            match kept.1 % 3 {
                0 => Rekeyed::LeftOut,
                _ => Rekeyed::Counted { point: ObservationPoint(kept.0), with_direction: false },
            }
        }
    }

    fn number_of(key: &MeteringKey) -> u32 {
        match key.flow.srcaddr {
            IpAddr::V4(address) => address.to_bits(),
            IpAddr::V6(address) => address.to_bits() as u32,
        }
    }

    fn observation(number: u32) -> Observation {
        let (srcaddr, dstaddr): (IpAddr, IpAddr) = if number.is_multiple_of(5) {
            (Ipv6Addr::from_bits(number.into()).into(), Ipv6Addr::LOCALHOST.into())
        } else {
            (Ipv4Addr::from_bits(number).into(), Ipv4Addr::LOCALHOST.into())
        };
        let flow = FlowKey { srcaddr, dstaddr, protocol: Protocol::UDP, srcport: 1, dstport: 2 };
        Observation {
            key: flow.into(),
            time: Timestamp::from_nanos(i64::from(number)),
            ip_length: number,
            logged_flags: TcpFlags(0),
        }
    }

    #[test]
    fn every_key_keeps_its_own_through_growth_and_drops() {
        let (mut rekeyer, mut counter) = (Rekeyer::default(), Counter::default());
        let mut expected: HashMap<u32, u32> = HashMap::new();
        let mut counted: BTreeMap<(i64, u32), u64> = BTreeMap::new();
        let mut found: BTreeMap<(i64, u32), u64> = BTreeMap::new();
        let mut out = Batch::default();
        for round in 0..9_u32 {
            let mut batch = Batch::default();
            for number in 0..4_000 {
                let window = i64::from(number / 1_000 + round / 3);
                batch.push(Placement { window: WindowIndex(window), late: false }, &observation(number));
                let seen = expected.entry(number).or_default();
                *seen += 1;
                if !seen.is_multiple_of(3) {
                    *counted.entry((window, number)).or_default() += 1;
                }
            }
            rekeyer.rekey(&batch, &mut out, &mut counter);
            assert_eq!(rekeyer.len(), 4_000);
            if round == 4 {
                // who is dropped begins anew
                rekeyer.retain(&mut out, |kept| kept.0 % 2 == 0);
                let dropped = counter.begun.iter().zip(1_u32..).filter(|(_, at)| at % 2 == 1);
                let dropped: Vec<u32> = dropped.map(|(key, _)| number_of(key)).collect();
                dropped.iter().for_each(|number| *expected.get_mut(number).unwrap() = 0);
                assert_eq!(rekeyer.len(), 4_000 - dropped.len());
            }
            rekeyer.flush(Some(WindowIndex(i64::from(round / 3))), &mut out);
        }
        rekeyer.flush(None, &mut out);
        out.for_each_counted(|placement, key, counters| {
            assert!(key.point.0 > 0);
            let number = number_of(key);
            assert_eq!(counters.bytes, u64::from(number) * counters.packets);
            *found.entry((placement.window.0, number)).or_default() += counters.packets;
        });
        assert_eq!(found, counted);
        out.clear();
        rekeyer.flush(None, &mut out);
        assert!(out.is_empty(), "nothing is handed on twice");
    }
}
