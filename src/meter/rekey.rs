//! Packets on their way to the tables are given another observation point, by what is kept for their key.
//!
//! A VPC's judge says of every packet through which interfaces it went and with which action; that takes the place of
//! the observation point, so that the meter counts by it. What is kept for a key lies in a table like the flow table,
//! one cache line for IPv4, and packets are looked up in groups, so that their cache misses overlap.
//!
//! The order of packets is kept within an address family, which is all that those who judge connections need.

use std::hash::BuildHasher;
use std::hint::black_box;

use foldhash::fast::RandomState;

use super::batch::Run;
use super::packed::PackedKey;
use super::packed::{PackedV4, PackedV6};
use super::table::{GROUP, PackedPacket};
use super::{Batch, Placement};
use crate::flow::{MeteringKey, ObservationPoint};
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
    /// Gives each packet of a batch its point; those that are counted go to `out`.
    pub fn rekey(&mut self, batch: &Batch, out: &mut Batch, judge: &mut impl Rekey<T>) {
        let (mut v4, mut v6) = (batch.v4.as_slice(), batch.v6.as_slice());
        for run in &batch.runs {
            let Some((run_v4, rest_v4)) = v4.split_at_checked(run.v4) else { return };
            let Some((run_v6, rest_v6)) = v6.split_at_checked(run.v6) else { return };
            (v4, v6) = (rest_v4, rest_v6);
            let before = (out.v4.len(), out.v6.len());
            self.v4.rekey(run.placement, run_v4, &mut out.v4, judge);
            self.v6.rekey(run.placement, run_v6, &mut out.v6, judge);
            let counted = (out.v4.len() - before.0, out.v6.len() - before.1);
            if counted != (0, 0) {
                out.runs.push(Run { placement: run.placement, v4: counted.0, v6: counted.1 });
            }
        }
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
    pub fn retain(&mut self, mut keep: impl FnMut(&mut T) -> bool) {
        self.v4.retain(&mut keep);
        self.v6.retain(&mut keep);
    }
}

/// A key and what is kept for it: whole cache lines.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Slot<K, T> {
    key: K,
    kept: Option<T>,
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
        out: &mut Vec<PackedPacket<K>>,
        judge: &mut impl Rekey<T>,
    ) {
        for group in packets.chunks(GROUP) {
            self.reserve(group.len());
            let mut slots = [0_usize; GROUP];
            for (packet, slot) in group.iter().zip(&mut slots) {
                *slot = self.home(packet.key);
                // only touched: a branch on what is found would wait for it
                black_box(self.slots.get(*slot).map(|slot| slot.key));
            }
            for (packet, slot) in group.iter().zip(&mut slots) {
                *slot = self.find_or_begin(packet.key, *slot, judge);
                if let Some(Slot { kept: Some(kept), .. }) = self.slots.get(*slot) {
                    judge.touch(kept);
                }
            }
            for (packet, slot) in group.iter().zip(slots) {
                let Some(Slot { kept: Some(kept), .. }) = self.slots.get_mut(slot) else { continue };
                let PackedPacket { key, time, ip_length, logged_flags } = *packet;
                match judge.take(&PacketFacts { placement, time, ip_length, logged_flags }, kept) {
                    Rekeyed::Counted { point, with_direction } => {
                        let key = key.projected(with_direction).with_point(point);
                        out.push(PackedPacket { key, ..*packet });
                    }
                    Rekeyed::LeftOut => {}
                }
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
                *slot = Slot { key, kept: Some(judge.begin(key.unpack())) };
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
        let old = std::mem::replace(&mut self.slots, vec![Slot { key: K::default(), kept: None }; size]);
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

    fn retain(&mut self, keep: &mut impl FnMut(&mut T) -> bool) {
        let mut left = 0;
        for slot in &mut self.slots {
            if let Some(kept) = &mut slot.kept {
                if keep(kept) {
                    left += 1;
                } else {
                    slot.kept = None;
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
    use crate::flow::{FlowKey, WindowIndex};
    use crate::meter::Observation;
    use crate::packet::Protocol;
    use std::collections::HashMap;
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
        for round in 0..9_u32 {
            let (mut batch, mut out) = (Batch::default(), Batch::default());
            let mut counted = Vec::new();
            for number in 0..4_000 {
                let placement = Placement { window: WindowIndex((number / 1_000).into()), late: false };
                batch.push(placement, &observation(number));
                let seen = expected.entry(number).or_default();
                *seen += 1;
                if !seen.is_multiple_of(3) {
                    counted.push(number);
                }
            }
            rekeyer.rekey(&batch, &mut out, &mut counter);
            let mut found = Vec::new();
            out.for_each(|placement, observation| {
                assert_eq!(placement.window.0, i64::from(observation.ip_length) / 1_000);
                assert!(observation.key.point.0 > 0);
                found.push(observation.ip_length);
            });
            found.sort_unstable();
            assert_eq!(found, counted);
            assert_eq!(rekeyer.len(), 4_000);
            if round == 4 {
                // who is dropped begins anew
                rekeyer.retain(|kept| kept.0 % 2 == 0);
                let kept: Vec<u32> = counter
                    .begun
                    .iter()
                    .zip(1_u32..)
                    .filter(|(_, at)| at % 2 == 1)
                    .map(|(key, _)| match key.flow.srcaddr {
                        IpAddr::V4(address) => address.to_bits(),
                        IpAddr::V6(address) => address.to_bits() as u32,
                    })
                    .collect();
                kept.iter().for_each(|number| *expected.get_mut(number).unwrap() = 0);
                assert_eq!(rekeyer.len(), 4_000 - kept.len());
            }
        }
    }
}
