//! The open windows and their flow tables.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::vec;

use super::packed::{PackedKey, PackedV4, PackedV6};
use super::table::FlowTable;
use super::{Batch, Placement};
use crate::flow::{FlowCounters, MeteringKey, WindowIndex};

/// The flows of one window: of its own packets, or of those that came late for it.
#[derive(Debug)]
struct Tables {
    v4: FlowTable<PackedV4>,
    v6: FlowTable<PackedV6>,
}

impl Tables {
    fn new() -> Self {
        Tables { v4: FlowTable::new(), v6: FlowTable::new() }
    }
}

/// Counts packets into the open windows and hands closed windows out.
///
/// Memory is set by the flows in the open windows. The result does not depend on how packets are cut into
/// batches, nor on the order of packets between two closings.
#[derive(Debug, Default)]
pub struct Meter {
    open: BTreeMap<Placement, Tables>,
    /// Windows below this have closed.
    passed: Option<WindowIndex>,
    /// The emptied tables of the window closed last, so that the next one need not grow its own.
    spare: Option<Tables>,
}

impl Meter {
    /// A meter with no windows open.
    pub fn new() -> Self {
        Meter::default()
    }

    /// Counts a batch.
    pub fn count(&mut self, batch: &Batch) {
        let (mut v4, mut v6) = (batch.v4.as_slice(), batch.v6.as_slice());
        for run in &batch.runs {
            let Some((run_v4, rest_v4)) = v4.split_at_checked(run.v4) else { return };
            let Some((run_v6, rest_v6)) = v6.split_at_checked(run.v6) else { return };
            (v4, v6) = (rest_v4, rest_v6);
            let tables = match self.open.get_mut(&run.placement) {
                Some(tables) => tables,
                None => {
                    let tables = self.tables_for(run.placement);
                    self.open.entry(run.placement).or_insert(tables)
                }
            };
            tables.v4.count(run_v4);
            tables.v6.count(run_v6);
        }
    }

    /// Tables for a new window. Only the two windows that come next in the normal course of time may have the
    /// spare ones: absurd times open many windows, which must stay small.
    fn tables_for(&mut self, placement: Placement) -> Tables {
        let next = self.passed.is_some_and(|passed| {
            !placement.late && (passed.0..=passed.0.saturating_add(1)).contains(&placement.window.0)
        });
        let spare = if next { self.spare.take() } else { None };
        spare.unwrap_or_else(Tables::new)
    }

    /// Closes the windows below `passed`, late packets' included; the earliest first, in time before late.
    pub fn close(&mut self, passed: WindowIndex) -> Vec<ClosedWindow> {
        self.passed = Some(passed);
        let still_open = self.open.split_off(&Placement { window: passed, late: false });
        Self::closed(std::mem::replace(&mut self.open, still_open))
    }

    /// Closes every window.
    pub fn finish(&mut self) -> Vec<ClosedWindow> {
        Self::closed(std::mem::take(&mut self.open))
    }

    fn closed(windows: BTreeMap<Placement, Tables>) -> Vec<ClosedWindow> {
        windows.into_iter().map(|(placement, tables)| ClosedWindow { placement, tables }).collect()
    }

    /// Takes the memory of a window back once its flows are written.
    pub fn recycle(&mut self, window: ClosedWindow) {
        let ClosedWindow { placement, mut tables } = window;
        if !placement.late && self.spare.is_none() {
            tables.v4.clear();
            tables.v6.clear();
            self.spare = Some(tables);
        }
    }
}

/// A flow of a closed window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Its key, with only what was asked for.
    pub key: MeteringKey,
    /// What was counted.
    pub counters: FlowCounters,
}

/// A window that no packet can join any more.
#[derive(Debug)]
pub struct ClosedWindow {
    placement: Placement,
    tables: Tables,
}

impl ClosedWindow {
    /// Which window, and whether these are its late packets.
    pub fn placement(&self) -> Placement {
        self.placement
    }

    /// How many metering keys it holds: at least as many as [`flows`](Self::flows) gives.
    pub fn len(&self) -> usize {
        self.tables.v4.len() + self.tables.v6.len()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The flows in the order of accounting rule 17. What records do not show is projected away (ICMP type,
    /// observation point and, unless `with_direction`, the direction), and counts that fall together are
    /// summed.
    pub fn flows(&self, with_direction: bool) -> impl Iterator<Item = Flow> + '_ {
        let v4 = Projected::new(&self.tables.v4, with_direction);
        let v6 = Projected::new(&self.tables.v6, with_direction);
        v4.chain(v6)
    }
}

/// A table's flows in order, equal projected keys summed.
///
/// The packed order has direction above the ICMP type and the point, so equal projected keys are neighbours.
struct Projected<'a, K: PackedKey> {
    table: &'a FlowTable<K>,
    order: Peekable<vec::IntoIter<(K, u32)>>,
    with_direction: bool,
}

impl<'a, K: PackedKey> Projected<'a, K> {
    fn new(table: &'a FlowTable<K>, with_direction: bool) -> Self {
        Projected { table, order: table.sorted().into_iter().peekable(), with_direction }
    }
}

impl<K: PackedKey> Iterator for Projected<'_, K> {
    type Item = Flow;

    fn next(&mut self) -> Option<Flow> {
        let (key, slot) = self.order.next()?;
        let key = key.projected(self.with_direction);
        let mut counters = self.table.counters(slot);
        while let Some((_, slot)) =
            self.order.next_if(|(other, _)| other.projected(self.with_direction) == key)
        {
            counters.merge(&self.table.counters(slot));
        }
        Some(Flow { key: key.unpack(), counters })
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;
    use crate::flow::{FlowKey, ObservationPoint};
    use crate::meter::Observation;
    use crate::packet::{IcmpType, PacketDirection, Protocol, TcpFlags, Timestamp};

    fn observation(v6: bool, port: u16, time: i64) -> Observation {
        let address: IpAddr =
            if v6 { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::new(192, 0, 2, 1).into() };
        let flow = FlowKey {
            srcaddr: address,
            dstaddr: address,
            protocol: Protocol::UDP,
            srcport: port,
            dstport: 53,
        };
        Observation {
            key: MeteringKey::from(flow),
            time: Timestamp::from_nanos(time),
            ip_length: 100,
            logged_flags: TcpFlags(0),
        }
    }

    fn place(window: i64, late: bool) -> Placement {
        Placement { window: WindowIndex(window), late }
    }

    #[test]
    fn closing_takes_the_passed_windows_and_their_late_packets_in_order() {
        let mut batch = Batch::default();
        for (window, late) in [(3, false), (2, false), (1, true), (2, false), (1, false)] {
            batch.push(place(window, late), &observation(false, 1, window));
        }
        let mut meter = Meter::new();
        meter.count(&batch);
        let closed: Vec<_> = meter.close(WindowIndex(3)).iter().map(ClosedWindow::placement).collect();
        assert_eq!(closed, [place(1, false), place(1, true), place(2, false)]);
        let rest: Vec<_> = meter.finish().iter().map(ClosedWindow::placement).collect();
        assert_eq!(rest, [place(3, false)]);
    }

    #[test]
    fn what_records_do_not_show_is_summed() {
        let mut batch = Batch::default();
        let mut icmp = observation(false, 0, 7);
        icmp.key.flow.protocol = Protocol::ICMP;
        for (point, icmp_type, direction) in [
            (1, 8, PacketDirection::Inbound),
            (2, 8, PacketDirection::Outbound),
            (1, 0, PacketDirection::Inbound),
        ] {
            icmp.key.point = ObservationPoint(point);
            icmp.key.icmp = Some(IcmpType { icmp_type, code: 0 });
            icmp.key.direction = direction;
            batch.push(place(0, false), &icmp);
        }
        let mut meter = Meter::new();
        meter.count(&batch);
        let [window] = &meter.finish()[..] else { panic!("one window") };
        assert_eq!(window.len(), 3);
        let packets = |with_direction| -> Vec<_> {
            window.flows(with_direction).map(|flow| (flow.key.direction, flow.counters.packets)).collect()
        };
        assert_eq!(packets(false), [(PacketDirection::Unknown, 3)]);
        assert_eq!(packets(true), [(PacketDirection::Inbound, 2), (PacketDirection::Outbound, 1)]);
    }

    #[test]
    fn an_absurd_window_does_not_take_the_spare_tables() {
        let mut meter = Meter::new();
        let mut batch = Batch::default();
        for port in 0..10_000 {
            batch.push(place(0, false), &observation(false, port, 0));
        }
        meter.count(&batch);
        let closed = meter.close(WindowIndex(1)).pop().unwrap();
        meter.recycle(closed);
        batch.clear();
        batch.push(place(1_000_000, false), &observation(false, 1, 0));
        meter.count(&batch);
        assert!(meter.spare.is_some());
        batch.clear();
        batch.push(place(1, false), &observation(false, 1, 0));
        meter.count(&batch);
        assert!(meter.spare.is_none());
        assert_eq!(meter.finish().iter().map(ClosedWindow::len).collect::<Vec<_>>(), [1, 1]);
    }

    proptest! {
        #[test]
        fn batches_and_order_between_closings_do_not_matter(
            packets in proptest::collection::vec((any::<bool>(), 0_u16..50, 0_i64..4, any::<bool>()), 1..300),
            cut in 1_usize..50,
        ) {
            let flows = |packets: &[(bool, u16, i64, bool)], cut: usize| -> Vec<_> {
                let mut meter = Meter::new();
                for part in packets.chunks(cut) {
                    let mut batch = Batch::default();
                    for (v6, port, window, late) in part {
                        batch.push(place(*window, *late), &observation(*v6, *port, *window));
                    }
                    meter.count(&batch);
                }
                let closed = meter.finish();
                closed.iter().map(|w| (w.placement(), w.flows(false).collect::<Vec<_>>())).collect()
            };
            let mut reversed = packets.clone();
            reversed.reverse();
            let expected = flows(&packets, packets.len());
            prop_assert_eq!(&flows(&packets, cut), &expected);
            prop_assert_eq!(&flows(&reversed, cut), &expected);
            for (_, window) in &expected {
                prop_assert!(window.is_sorted_by_key(|flow| flow.key));
            }
        }
    }
}
