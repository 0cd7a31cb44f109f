//! The keys of one address family.

use super::pending::{Pending, SECOND};
use super::{HANDED_ON, Keys, PacketFacts, Rekey, Ruling, Settled};
use crate::flow::{FlowCounters, WindowIndex};
use crate::meter::Placement;
use crate::meter::batch::Counted;
use crate::meter::packed::PackedKey;
use crate::meter::table::{Entry, KeyTable, PackedPacket};
use crate::packet::Timestamp;

/// The keys of one address family.
#[derive(Debug)]
pub(super) struct Family<K, T> {
    table: KeyTable<K, Pending>,
    /// What is kept for each key, by its number.
    kept: Vec<T>,
}

impl<K: PackedKey, T> Family<K, T> {
    pub(super) fn new() -> Self {
        Family { table: KeyTable::new(), kept: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    pub(super) fn rekey<J: Rekey<T>>(
        &mut self,
        placement: Placement,
        packets: &[PackedPacket<K>],
        out: &mut Vec<Counted<K>>,
        judge: &mut J,
    ) {
        // late packets are counted apart from the others of their window
        let window = u32::try_from(placement.window.0).ok().filter(|_| !placement.late);
        let kept = &mut self.kept;
        self.table.visit(
            packets,
            Pending::EMPTY,
            |packet, pending| {
                window.is_some_and(|window| {
                    pending.holds(packet.time, packet.tcp_flags.as_logged(), J::TELLING)
                        && pending.count(packet, window)
                })
            },
            |packet, table, number| {
                let mut keys = FamilyKeys { table, kept };
                keys.rule(packet, number, out, judge);
                keys.count(packet, number, placement, window, out, judge);
            },
        );
    }

    /// Hands on the sums of [`HANDED_ON`] keys from a number on.
    pub(super) fn flush(
        &mut self,
        from: usize,
        passed: Option<WindowIndex>,
        out: &mut Vec<Counted<K>>,
        judge: &mut impl Rekey<T>,
    ) {
        for number in (from..self.table.len()).take(HANDED_ON) {
            // as many keys as that do not fit the memory
            let Some(Entry { key, value }) = self.table.entry_mut(number as u32) else { return };
            if passed.is_none_or(|passed| i64::from(value.window) < passed.0) {
                settle(*key, value, out, judge);
            }
        }
    }

    pub(super) fn for_each(&mut self, each: &mut impl FnMut(u32, Option<Timestamp>, &mut T)) {
        for (number, kept) in (0..).zip(&mut self.kept) {
            each(number, self.table.entry(number).and_then(|entry| last(&entry.value)), kept);
        }
    }

    pub(super) fn retain<J: Rekey<T>>(
        &mut self,
        out: &mut Vec<Counted<K>>,
        judge: &mut J,
        keep: &impl Fn(&J, &T) -> bool,
    ) {
        let mut table = KeyTable::new();
        let mut entries = self.table.entries_mut();
        self.kept.retain(|kept| {
            let Some(Entry { key, value }) = entries.next() else { return false };
            let keeps = keep(judge, kept);
            if !keeps {
                settle(*key, value, out, judge);
            } else if let Some(place) = table.value_mut(*key, Pending::EMPTY) {
                *place = *value;
            }
            keeps
        });
        drop(entries);
        self.table = table;
    }
}

/// Hands on what was counted of a key.
fn settle<K: PackedKey, T>(
    key: K,
    pending: &mut Pending,
    out: &mut Vec<Counted<K>>,
    judge: &mut impl Rekey<T>,
) {
    if let Some((window, counters)) = pending.take() {
        hand_on(key, pending.ruling, Placement { window, late: false }, counters, out, judge);
    }
}

/// Hands on what was counted of a key under a ruling in a window.
fn hand_on<K: PackedKey, T>(
    key: K,
    ruling: u32,
    placement: Placement,
    counters: FlowCounters,
    out: &mut Vec<Counted<K>>,
    judge: &mut impl Rekey<T>,
) {
    match judge.settle(ruling, placement, &counters) {
        Settled::Counted { point, with_direction } => {
            let key = key.projected(with_direction).with_point(point);
            out.push(Counted { placement, key, counters });
        }
        Settled::LeftOut => {}
    }
}

fn last(pending: &Pending) -> Option<Timestamp> {
    Some(pending.last).filter(|last| *last != Timestamp::MIN)
}

/// The keys of a family, while one of their packets is ruled on.
struct FamilyKeys<'a, K, T> {
    table: &'a mut KeyTable<K, Pending>,
    kept: &'a mut Vec<T>,
}

impl<K: PackedKey, T> FamilyKeys<'_, K, T> {
    /// Has a packet ruled on, unless the ruling of its key holds for it.
    fn rule<J: Rekey<T>>(
        &mut self,
        packet: &PackedPacket<K>,
        number: u32,
        out: &mut Vec<Counted<K>>,
        judge: &mut J,
    ) {
        let &PackedPacket { key, time, tcp_flags, .. } = packet;
        let logged_flags = tcp_flags.as_logged();
        let holds = |entry: &Entry<K, Pending>| entry.value.holds(time, logged_flags, J::TELLING);
        if self.table.entry(number).is_some_and(holds) {
            return;
        }
        if self.kept.len() <= number as usize {
            self.kept.push(judge.begin(number, key.unpack()));
        }
        let Ruling { number: ruling, idle, anew } =
            judge.rule(&PacketFacts { time, logged_flags }, key.unpack(), number, self);
        let Some(Entry { value: pending, .. }) = self.table.entry_mut(number) else { return };
        if anew || ruling != pending.ruling {
            settle(key, pending, out, judge);
            *pending = Pending::EMPTY;
        }
        pending.ruling = ruling;
        // rounded down to what fits: the next packet is ruled on early, which comes to the same
        pending.idle = idle.map_or(0, |idle| u32::try_from(idle / SECOND).unwrap_or(u32::MAX));
    }

    /// Counts a packet under the ruling of its key.
    fn count(
        &mut self,
        packet: &PackedPacket<K>,
        number: u32,
        placement: Placement,
        window: Option<u32>,
        out: &mut Vec<Counted<K>>,
        judge: &mut impl Rekey<T>,
    ) {
        let &PackedPacket { key, time, ip_length, tcp_flags } = packet;
        let Some(Entry { value: pending, .. }) = self.table.entry_mut(number) else { return };
        match window.filter(|window| *window >= pending.window) {
            Some(window) => {
                if !pending.count(packet, window) {
                    settle(key, pending, out, judge);
                    pending.window = window;
                    pending.count(packet, window);
                }
            }
            None => {
                if time > pending.last {
                    // that time is not one of the packets that were gathered
                    settle(key, pending, out, judge);
                    pending.last = time;
                }
                let mut counters = FlowCounters::EMPTY;
                counters.count(time, ip_length, tcp_flags);
                hand_on(key, pending.ruling, placement, counters, out, judge);
            }
        }
    }
}

impl<K: PackedKey, T> Keys<T> for FamilyKeys<'_, K, T> {
    fn kept(&mut self, number: u32) -> Option<&mut T> {
        self.kept.get_mut(number as usize)
    }

    fn last(&self, number: u32) -> Option<Timestamp> {
        self.table.entry(number).and_then(|entry| last(&entry.value))
    }

    fn revoke(&mut self, number: u32) {
        if let Some(Entry { value, .. }) = self.table.entry_mut(number) {
            value.idle = 0;
        }
    }
}
