//! The open windows and their flow tables.

use std::collections::BTreeMap;

use super::batch::Counted;
use super::flow_table::FlowTable;
use super::packed::{PackedKey, PackedV4, PackedV6};
use super::spill::{Run, SpillError, SpillFile};
use super::table::GROUP;
use super::{Batch, Placement};
use crate::flow::{FlowCounters, MeteringKey, WindowIndex};

/// The flows of one address family in one window: those in memory, and those spilled before.
#[derive(Debug)]
struct Family<K> {
    table: FlowTable<K>,
    runs: Vec<Run<K>>,
}

impl<K: PackedKey> Family<K> {
    fn new() -> Self {
        Family { table: FlowTable::new(), runs: Vec::new() }
    }

    /// Moves the flows in memory to the file.
    fn spill(&mut self, file: &mut SpillFile, keep_memory: bool) -> Result<(), SpillError> {
        if self.table.len() > 0 {
            self.runs.push(file.write(&self.table)?);
        }
        if keep_memory {
            self.table.clear();
        } else {
            self.table = FlowTable::new();
        }
        Ok(())
    }

    /// Hands on the flows in order, with equal projected keys summed: with or without the direction, or, for `None`, the
    /// keys as they are.
    ///
    /// The packed order has direction above the ICMP type and the point, so equal projected keys are neighbours.
    fn for_each<E: From<SpillError>>(
        &self,
        file: &SpillFile,
        shown: Option<bool>,
        each: &mut impl FnMut(&Flow) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut current: Option<(K, FlowCounters)> = None;
        let mut take = |key: K, counters: FlowCounters| -> Result<(), E> {
            let key = shown.map_or(key, |with_direction| key.projected(with_direction));
            match &mut current {
                Some((same, sum)) if *same == key => sum.merge(&counters),
                _ => {
                    if let Some((key, counters)) = current.replace((key, counters)) {
                        each(&Flow { key: key.unpack(), counters })?;
                    }
                }
            }
            Ok(())
        };
        if self.runs.is_empty() {
            // the order jumps about in the table: entries are touched in groups, so that their misses overlap
            for group in self.table.sorted().chunks(GROUP) {
                self.table.touch(group);
                for flow in group {
                    let (key, counters) = self.table.flow(*flow);
                    take(key, counters)?;
                }
            }
        } else {
            let mut merged = file.merge(&self.runs, &self.table)?;
            while let Some((key, counters)) = merged.next()? {
                take(key, counters)?;
            }
        }
        match current {
            Some((key, counters)) => each(&Flow { key: key.unpack(), counters }),
            None => Ok(()),
        }
    }
}

/// The flows of one window: of its own packets, or of those that came late for it.
#[derive(Debug)]
struct Tables {
    v4: Family<PackedV4>,
    v6: Family<PackedV6>,
}

impl Tables {
    fn new() -> Self {
        Tables { v4: Family::new(), v6: Family::new() }
    }

    fn bytes(&self) -> usize {
        self.v4.table.bytes() + self.v6.table.bytes()
    }

    fn is_spilled(&self) -> bool {
        !self.v4.runs.is_empty() || !self.v6.runs.is_empty()
    }
}

/// Counts packets into the open windows and hands closed windows out.
///
/// Memory is set by the flows in the open windows, up to a limit; beyond it they are kept in a temporary file. The
/// result does not depend on the limit, on how packets are cut into batches, nor on the order of packets between two
/// closings.
#[derive(Debug)]
pub struct Meter {
    open: BTreeMap<Placement, Tables>,
    /// Windows below this have closed.
    passed: Option<WindowIndex>,
    /// The emptied tables of the window closed last, so that the next one need not grow its own.
    spare: Option<Tables>,
    /// How many bytes the tables may hold.
    limit: usize,
    /// How many bytes they hold, those of closed windows that were not recycled and the spare ones included.
    held: usize,
    file: SpillFile,
    /// How many windows, open or closed, have runs in the file.
    spilled: usize,
}

impl Meter {
    /// A meter with no windows open, whose tables may hold `limit` bytes. While a table grows, its old and its new
    /// memory both count.
    pub fn new(limit: usize) -> Self {
        Meter {
            open: BTreeMap::new(),
            passed: None,
            spare: None,
            limit,
            held: 0,
            file: SpillFile::default(),
            spilled: 0,
        }
    }

    /// Counts a batch.
    ///
    /// # Errors
    /// Where the flows outgrow the limit and the temporary file cannot be written.
    pub fn count(&mut self, batch: &Batch) -> Result<(), SpillError> {
        let (mut v4, mut v6) = (batch.v4.as_slice(), batch.v6.as_slice());
        for run in &batch.runs {
            let Some((run_v4, rest_v4)) = v4.split_at_checked(run.v4) else { return Ok(()) };
            let Some((run_v6, rest_v6)) = v6.split_at_checked(run.v6) else { return Ok(()) };
            (v4, v6) = (rest_v4, rest_v6);
            if !self.open.contains_key(&run.placement) {
                let tables = self.tables_for(run.placement);
                self.open.insert(run.placement, tables);
            }
            let Some(tables) = self.open.get_mut(&run.placement) else { return Ok(()) };
            let growth = tables.v4.table.growth(run_v4.len()) + tables.v6.table.growth(run_v6.len());
            if growth > 0 && self.held + growth > self.limit {
                self.make_room(run.placement, growth)?;
            }
            let Some(tables) = self.open.get_mut(&run.placement) else { return Ok(()) };
            let before = tables.bytes();
            tables.v4.table.count(run_v4);
            tables.v6.table.count(run_v6);
            self.held = self.held + tables.bytes() - before;
        }
        for counted in &batch.counted_v4 {
            self.add(counted, |tables| &mut tables.v4)?;
        }
        for counted in &batch.counted_v6 {
            self.add(counted, |tables| &mut tables.v6)?;
        }
        Ok(())
    }

    /// Adds what was counted of a flow elsewhere.
    fn add<K: PackedKey>(
        &mut self,
        counted: &Counted<K>,
        family: impl Fn(&mut Tables) -> &mut Family<K>,
    ) -> Result<(), SpillError> {
        let Counted { placement, key, counters } = counted;
        if !self.open.contains_key(placement) {
            let tables = self.tables_for(*placement);
            self.open.insert(*placement, tables);
        }
        let Some(tables) = self.open.get_mut(placement) else { return Ok(()) };
        let growth = family(tables).table.growth(1);
        if growth > 0 && self.held + growth > self.limit {
            self.make_room(*placement, growth)?;
        }
        let Some(tables) = self.open.get_mut(placement) else { return Ok(()) };
        let before = tables.bytes();
        family(tables).table.add(*key, counters);
        self.held = self.held + tables.bytes() - before;
        Ok(())
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

    /// Gives the spare tables up and, if that is not enough, spills all flows, so that the next spill is far away.
    /// Only the window that is counted into keeps its memory.
    #[cold]
    fn make_room(&mut self, current: Placement, growth: usize) -> Result<(), SpillError> {
        if let Some(spare) = self.spare.take() {
            self.held -= spare.bytes();
            if self.held + growth <= self.limit {
                return Ok(());
            }
        }
        for (placement, tables) in &mut self.open {
            let (before, was_spilled) = (tables.bytes(), tables.is_spilled());
            let keep_memory = *placement == current;
            tables.v4.spill(&mut self.file, keep_memory)?;
            tables.v6.spill(&mut self.file, keep_memory)?;
            self.held = self.held + tables.bytes() - before;
            self.spilled += usize::from(!was_spilled && tables.is_spilled());
        }
        Ok(())
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

    /// Hands on the flows of a closed window in the order of accounting rule 17. What records do not show is
    /// projected away (ICMP type, observation point and, unless `with_direction`, the direction), and counts that
    /// fall together are summed.
    ///
    /// # Errors
    /// Where the temporary file cannot be read, and what `each` returns.
    pub fn for_each_flow<E: From<SpillError>>(
        &self,
        window: &ClosedWindow,
        with_direction: bool,
        mut each: impl FnMut(&Flow) -> Result<(), E>,
    ) -> Result<(), E> {
        window.tables.v4.for_each(&self.file, Some(with_direction), &mut each)?;
        window.tables.v6.for_each(&self.file, Some(with_direction), &mut each)
    }

    /// Hands on the flows of a closed window by their whole keys, in the keys' order.
    ///
    /// # Errors
    /// As [`for_each_flow`](Meter::for_each_flow).
    pub fn for_each_key<E: From<SpillError>>(
        &self,
        window: &ClosedWindow,
        mut each: impl FnMut(&Flow) -> Result<(), E>,
    ) -> Result<(), E> {
        window.tables.v4.for_each(&self.file, None, &mut each)?;
        window.tables.v6.for_each(&self.file, None, &mut each)
    }

    /// Takes the memory of a window back once its flows are written.
    pub fn recycle(&mut self, window: ClosedWindow) {
        let ClosedWindow { placement, mut tables } = window;
        if tables.is_spilled() {
            self.spilled -= 1;
            if self.spilled == 0 {
                self.file.clear();
            } else {
                self.file.give_back(&tables.v4.runs);
                self.file.give_back(&tables.v6.runs);
            }
        }
        self.held -= tables.bytes();
        if !placement.late && self.spare.is_none() {
            tables.v4 = Family { runs: Vec::new(), ..tables.v4 };
            tables.v6 = Family { runs: Vec::new(), ..tables.v6 };
            tables.v4.table.clear();
            tables.v6.table.clear();
            self.held += tables.bytes();
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
            tcp_flags: TcpFlags(0),
        }
    }

    fn flows(meter: &Meter, window: &ClosedWindow, with_direction: bool) -> Vec<Flow> {
        let mut flows = Vec::new();
        let each = |flow: &Flow| {
            flows.push(*flow);
            Ok::<(), SpillError>(())
        };
        meter.for_each_flow(window, with_direction, each).unwrap();
        flows
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
        let mut meter = Meter::new(usize::MAX);
        meter.count(&batch).unwrap();
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
        let mut meter = Meter::new(usize::MAX);
        meter.count(&batch).unwrap();
        let closed = meter.finish();
        let [window] = &closed[..] else { panic!("one window") };
        let packets = |with_direction| -> Vec<_> {
            flows(&meter, window, with_direction)
                .iter()
                .map(|flow| (flow.key.direction, flow.counters.packets))
                .collect()
        };
        assert_eq!(packets(false), [(PacketDirection::Unknown, 3)]);
        assert_eq!(packets(true), [(PacketDirection::Inbound, 2), (PacketDirection::Outbound, 1)]);
    }

    #[test]
    fn an_absurd_window_does_not_take_the_spare_tables() {
        let mut meter = Meter::new(usize::MAX);
        let mut batch = Batch::default();
        for port in 0..10_000 {
            batch.push(place(0, false), &observation(false, port, 0));
        }
        meter.count(&batch).unwrap();
        let closed = meter.close(WindowIndex(1)).pop().unwrap();
        meter.recycle(closed);
        batch.clear();
        batch.push(place(1_000_000, false), &observation(false, 1, 0));
        meter.count(&batch).unwrap();
        assert!(meter.spare.is_some());
        batch.clear();
        batch.push(place(1, false), &observation(false, 1, 0));
        meter.count(&batch).unwrap();
        assert!(meter.spare.is_none());
        let closed = meter.finish();
        let lengths: Vec<_> = closed.iter().map(|window| flows(&meter, window, false).len()).collect();
        assert_eq!(lengths, [1, 1]);
    }

    proptest! {
        #[test]
        fn batches_order_between_closings_and_the_memory_limit_do_not_matter(
            packets in proptest::collection::vec((any::<bool>(), 0_u16..50, 0_i64..4, any::<bool>()), 1..300),
            cut in 1_usize..50,
        ) {
            let flows_of = |packets: &[(bool, u16, i64, bool)], cut: usize, limit: usize| -> Vec<_> {
                let mut meter = Meter::new(limit);
                for part in packets.chunks(cut) {
                    let mut batch = Batch::default();
                    for (v6, port, window, late) in part {
                        batch.push(place(*window, *late), &observation(*v6, *port, *window));
                    }
                    meter.count(&batch).unwrap();
                }
                let closed = meter.finish();
                closed.iter().map(|window| (window.placement(), flows(&meter, window, false))).collect()
            };
            let mut reversed = packets.clone();
            reversed.reverse();
            let expected = flows_of(&packets, packets.len(), usize::MAX);
            prop_assert_eq!(&flows_of(&packets, cut, usize::MAX), &expected);
            prop_assert_eq!(&flows_of(&reversed, cut, usize::MAX), &expected);
            for limit in [0, 1 << 12, 1 << 14] {
                prop_assert_eq!(&flows_of(&packets, cut, limit), &expected);
            }
            for (_, window) in &expected {
                prop_assert!(window.is_sorted_by_key(|flow| flow.key));
            }
        }
    }
}
