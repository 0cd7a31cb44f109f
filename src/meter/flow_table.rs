//! The flow table: flows of one address family in one window, and their counters.
//!
//! Invariant: every entry's packet count is not 0.

use super::packed::PackedKey;
use super::table::{Entry, KeyTable, PackedPacket};
use crate::flow::FlowCounters;

/// Flows of one address family in one window.
#[derive(Debug)]
pub(super) struct FlowTable<K>(KeyTable<K, FlowCounters>);

impl<K: PackedKey> FlowTable<K> {
    /// An empty table, which allocates nothing.
    pub(super) fn new() -> Self {
        FlowTable(KeyTable::new())
    }

    /// How many flows it holds.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Empties the table and keeps its memory, unless that is far more than its last use needed.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// What a flow takes, in bytes: its entry, and its place in the order in which flows are sorted.
    const FLOW: usize = size_of::<Entry<K, FlowCounters>>() + size_of::<Sorted>();

    /// The memory it holds, in bytes, and will hold when it is sorted.
    pub(super) fn bytes(&self) -> usize {
        self.0.index_bytes() + self.0.capacity() * Self::FLOW
    }

    /// The memory that it will ask for, beside what it holds, before it has counted `packets` of as many new flows.
    pub(super) fn growth(&self, packets: usize) -> usize {
        let (index, entries) = self.0.growth(packets);
        index + entries * Self::FLOW
    }

    /// Counts packets.
    pub(super) fn count(&mut self, packets: &[PackedPacket<K>]) {
        self.0.visit(
            packets,
            FlowCounters::EMPTY,
            |packet, counters| {
                counters.count(packet.time, packet.ip_length, packet.tcp_flags);
                true
            },
            |_, _, _| {},
        );
    }

    /// Adds what was counted of a flow elsewhere.
    pub(super) fn add(&mut self, key: K, counters: &FlowCounters) {
        if let Some(sum) = self.0.value_mut(key, FlowCounters::EMPTY) {
            sum.merge(counters);
        }
    }

    /// The flows in ascending order of their keys.
    pub(super) fn sorted(&self) -> Vec<Sorted> {
        let mut order: Vec<Sorted> = (0..self.0.len() as u32).map(Sorted::at).collect();
        self.sort_by_part(&mut order, 0);
        order
    }

    /// Sorts flows whose keys are equal up to a part: by that part, and where it is equal too by those behind it. So
    /// what is sorted is words, and few keys are looked at twice.
    fn sort_by_part(&self, order: &mut [Sorted], part: usize) {
        for flow in &mut *order {
            let bits = self.0.entry(flow.entry()).map_or(0, |entry| entry.key.part(part));
            *flow = Sorted(u64::from(bits) << 32 | u64::from(flow.entry()));
        }
        order.sort_unstable();
        if part + 1 < K::PARTS {
            order
                .chunk_by_mut(|one, next| one.0 >> 32 == next.0 >> 32)
                .filter(|equal| equal.len() > 1)
                .for_each(|equal| self.sort_by_part(equal, part + 1));
        }
    }

    /// Brings flows that [`sorted`](Self::sorted) named into the cache, as packets' entries are.
    #[inline]
    pub(super) fn touch(&self, flows: &[Sorted]) {
        self.0.touch(flows.iter().map(|flow| flow.entry()));
    }

    /// A flow that [`sorted`](Self::sorted) named.
    #[inline]
    pub(super) fn flow(&self, flow: Sorted) -> (K, FlowCounters) {
        self.0
            .entry(flow.entry())
            .map_or((K::default(), FlowCounters::EMPTY), |entry| (entry.key, entry.value))
    }
}

/// A flow's place in a table, below the bits of its key that were sorted last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sorted(u64);

impl Sorted {
    const fn at(entry: u32) -> Self {
        Sorted(entry as u64)
    }

    #[inline]
    const fn entry(self) -> u32 {
        self.0 as u32
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::flow::MeteringKey;
    use crate::meter::packed::{Packed, PackedV4, pack};
    use crate::packet::{IpPacket, TcpFlags, Timestamp};

    #[test]
    fn an_ipv4_entry_is_one_cache_line() {
        assert_eq!(size_of::<Entry<PackedV4, FlowCounters>>(), 64);
    }

    fn packet(port: u16, time: i64, ip_length: u32) -> PackedPacket<PackedV4> {
        let packet = IpPacket { srcport: port, ..IpPacket::default() };
        let Packed::V4(key) = pack(&MeteringKey::from(crate::flow::FlowKey::from(&packet))) else {
            panic!("an IPv4 key is packed as one")
        };
        PackedPacket { key, time: Timestamp::from_nanos(time), ip_length, tcp_flags: TcpFlags(1) }
    }

    #[test]
    fn a_table_of_one_flow_is_small() {
        let mut table = FlowTable::new();
        table.count(&[packet(1, 5, 40)]);
        assert!(table.bytes() <= 4 * (64 + 8 + 8), "{} bytes", table.bytes());
    }

    #[test]
    fn the_key_of_zeros_is_a_key_like_any_other() {
        let mut table = FlowTable::new();
        table.count(&[packet(0, 5, 40), packet(0, 3, 40)]);
        let [flow] = table.sorted()[..] else { panic!("one flow") };
        let (key, counters) = table.flow(flow);
        assert_eq!(key, packet(0, 0, 0).key);
        assert_eq!(counters.packets, 2);
        assert_eq!(counters.first.nanos(), 3);
    }

    proptest! {
        #[test]
        fn counting_equals_a_naive_group_by(
            packets in proptest::collection::vec((0_u16..600, any::<i64>(), 0_u32..2000), 0..3000),
            cut in 1_usize..100,
        ) {
            let mut table = FlowTable::new();
            let mut naive: BTreeMap<PackedV4, FlowCounters> = BTreeMap::new();
            let packets: Vec<_> = packets.into_iter().map(|(p, t, l)| packet(p, t, l)).collect();
            for part in packets.chunks(cut) {
                table.count(part);
            }
            for packet in &packets {
                let counters = naive.entry(packet.key).or_insert(FlowCounters::EMPTY);
                counters.count(packet.time, packet.ip_length, packet.tcp_flags);
            }
            let counted: Vec<_> = table.sorted().into_iter().map(|flow| table.flow(flow)).collect();
            prop_assert_eq!(counted, naive.into_iter().collect::<Vec<_>>());
        }
    }
}
