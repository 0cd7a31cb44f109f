//! The records of one window before they are written: small, sorted by accounting rule 17, within a memory limit.
//!
//! Flows come sorted by the packets' addresses, but a record may show others. So a window's rows are gathered and
//! sorted. If they outgrow the limit, the smallest that fit are kept and the window is gone through again for the rest:
//! more work, but no more memory, and the same order.

use std::net::IpAddr;

use crate::flow::FlowCounters;
use crate::packet::Protocol;

/// A row's place in the order, which is also what makes a record: rows of one place are one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RowKey {
    pub(super) srcaddr: IpAddr,
    pub(super) dstaddr: IpAddr,
    pub(super) protocol: Protocol,
    pub(super) srcport: u16,
    pub(super) dstport: u16,
    /// 0 ACCEPT, 1 REJECT, 2 not known.
    pub(super) action: u8,
    /// The owner's place among all, by its identifier.
    pub(super) owner: u32,
    pub(super) pkt_srcaddr: IpAddr,
    pub(super) pkt_dstaddr: IpAddr,
    /// 0 ingress, 1 egress, 2 not known.
    pub(super) direction: u8,
}

impl RowKey {
    /// The beginning of the order in one number: where those of two keys differ, they are in the keys' order.
    fn beginning(&self) -> u128 {
        match (self.srcaddr, self.dstaddr) {
            (IpAddr::V4(srcaddr), IpAddr::V4(dstaddr)) => {
                let addresses = u64::from(srcaddr.to_bits()) << 32 | u64::from(dstaddr.to_bits());
                let ports = u32::from(self.srcport) << 16 | u32::from(self.dstport);
                (u128::from(addresses) << 8 | u128::from(self.protocol.0)) << 32 | u128::from(ports)
            }
            (IpAddr::V4(srcaddr), IpAddr::V6(_)) => u128::from(srcaddr.to_bits()) << 72 | ((1 << 72) - 1),
            (IpAddr::V6(srcaddr), _) => 1 << 127 | srcaddr.to_bits() >> 1,
        }
    }
}

/// One flow's part of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) key: RowKey,
    /// The class and the sight in it that it comes from.
    pub(super) class: u32,
    pub(super) sight: u8,
    pub(super) counters: FlowCounters,
}

/// The rows of a window, or of the part of it that fits.
#[derive(Debug)]
pub(super) struct Rows {
    rows: Vec<Row>,
    limit: usize,
    /// Rows below this have been written.
    from: Option<RowKey>,
    /// Rows at or above this have to wait.
    until: Option<RowKey>,
}

impl Rows {
    /// For a window's rows, of which about `memory` bytes may be held.
    pub(super) fn new(memory: usize) -> Rows {
        let row = size_of::<Row>() + size_of::<(u128, u32)>() + size_of::<&Row>();
        let limit = (memory / row).max(1024);
        Rows { rows: Vec::new(), limit, from: None, until: None }
    }

    /// Adds a row, if it is this pass's.
    pub(super) fn push(&mut self, row: Row) {
        if self.from.is_some_and(|from| row.key < from) || self.until.is_some_and(|until| row.key >= until) {
            return;
        }
        self.rows.push(row);
        if self.rows.len() > self.limit {
            self.shrink();
        }
    }

    /// Keeps the smaller half; rows of one record stay together.
    #[cold]
    fn shrink(&mut self) {
        self.rows.sort_unstable_by_key(|row| (row.key, row.class, row.sight));
        self.merge();
        let half = self.rows.len() / 2;
        if self.rows.len() * 4 > self.limit * 3
            && let Some(until) = self.rows.get(half).map(|row| row.key)
        {
            self.until = Some(until);
            let keep = self.rows.partition_point(|row| row.key < until);
            self.rows.truncate(keep);
        }
    }

    /// The rows' places in order: rows are large, so that only numbers are moved, and mostly one is compared.
    fn order(&self) -> Vec<(u128, u32)> {
        let whole = |at: u32| self.rows.get(at as usize).map(|row| (row.key, row.class, row.sight));
        let mut order: Vec<(u128, u32)> =
            self.rows.iter().zip(0..).map(|(row, at)| (row.key.beginning(), at)).collect();
        order.sort_unstable_by(|(one, at), (other, other_at)| {
            one.cmp(other).then_with(|| whole(*at).cmp(&whole(*other_at)))
        });
        order
    }

    /// Adds up what has one place and one class.
    fn merge(&mut self) {
        self.rows.dedup_by(|next, row| {
            let same = (next.key, next.class, next.sight) == (row.key, row.class, row.sight);
            if same {
                row.counters.merge(&next.counters);
            }
            same
        });
    }

    /// The rows in their order; those of one record are neighbours.
    pub(super) fn sorted(&self) -> Vec<&Row> {
        self.order().iter().filter_map(|(_, at)| self.rows.get(*at as usize)).collect()
    }

    /// Goes on to the rest; whether there is any.
    pub(super) fn next_pass(&mut self) -> bool {
        self.rows.clear();
        self.from = self.until.take();
        self.from.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{TcpFlags, Timestamp};
    use proptest::prelude::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    fn row(number: u32, class: u32) -> Row {
        let address = IpAddr::V4(number.into());
        let mut counters = FlowCounters::EMPTY;
        counters.count(Timestamp::from_nanos(0), 1, TcpFlags(0));
        let key = RowKey {
            srcaddr: address,
            dstaddr: address,
            protocol: Protocol::UDP,
            srcport: 0,
            dstport: 0,
            action: 0,
            owner: 0,
            pkt_srcaddr: address,
            pkt_dstaddr: address,
            direction: 0,
        };
        Row { key, class, sight: 0, counters }
    }

    proptest! {
        #[test]
        fn rows_are_sorted_by_their_whole_keys(
            keys in proptest::collection::vec((0..8_u8, 0..3_u8, 0..3_u8, 0..2_u16, 0..2_u16, 0..3_u8), 0..60),
        ) {
            let mut rows = Rows::new(usize::MAX);
            for (addresses, protocol, action, srcport, dstport, owner) in keys {
                let address = |bit: u8| -> IpAddr {
                    match (addresses >> bit & 1, addresses >> 2 == 0) {
                        (low, false) => Ipv4Addr::from([10, 0, low, 255]).into(),
                        (low, true) => Ipv6Addr::from([0xfd00, 0, 0, 0, 0, 0, 0, low.into()]).into(),
                    }
                };
                let mut row = row(0, 0);
                row.key = RowKey {
                    srcaddr: address(0),
                    dstaddr: address(1),
                    protocol: Protocol(protocol),
                    srcport,
                    dstport,
                    action,
                    owner: owner.into(),
                    ..row.key
                };
                rows.push(row);
            }
            let mut expected = rows.rows.clone();
            expected.sort_by_key(|row| (row.key, row.class, row.sight));
            let sorted: Vec<RowKey> = rows.sorted().into_iter().map(|row| row.key).collect();
            prop_assert_eq!(sorted, expected.iter().map(|row| row.key).collect::<Vec<_>>());
        }
    }

    #[test]
    fn passes_give_every_row_once_and_in_order() {
        let all: Vec<Row> =
            (0..10_000_u32).map(|at| row(at.wrapping_mul(2_654_435_761) % 3_000, at % 3)).collect();
        let gather = |memory: usize| {
            let mut rows = Rows::new(memory);
            let (mut found, mut passes) = (Vec::new(), 0);
            loop {
                all.iter().for_each(|row| rows.push(*row));
                let sorted = rows.sorted().into_iter();
                found.extend(sorted.map(|row| (row.key, row.class, row.counters.packets)));
                // rows of one key and class may or may not have been added up on the way
                found.dedup_by(|(key, class, packets), (last_key, last_class, sum)| {
                    let same = (&*key, &*class) == (&*last_key, &*last_class);
                    *sum += if same { *packets } else { 0 };
                    same
                });
                passes += 1;
                if !rows.next_pass() {
                    return (found, passes);
                }
            }
        };
        let (whole, passes) = gather(usize::MAX);
        assert_eq!(passes, 1);
        assert!(whole.is_sorted());
        assert_eq!(whole.iter().map(|(.., packets)| packets).sum::<u64>(), 10_000);
        let (pieces, passes) = gather(0);
        assert!(passes > 3);
        assert_eq!(pieces, whole);
    }
}
