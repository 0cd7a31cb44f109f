//! Closed windows → the records of every interface that packets passed.

use std::collections::BTreeSet;

use super::classes::{ClassReader, Owner, Sighted};
use super::drops::OwnersOn;
use super::gaps::{Gap, Gaps};
use super::options::VpcOptions;
use super::rows::{Row, RowKey, Rows};
use super::shown::Shown;
use super::slots::slots;
use crate::flow::{FlowKey, WindowIndex, Windows};
use crate::meter::{ClosedWindow, Flow, Lost, Meter};
use crate::packet::{PacketDirection, Timestamp};
use crate::pipeline::emit::{Written, tell_passed};
use crate::pipeline::workers::Emit;
use crate::pipeline::{ConvertError, RecordOptions, RecordSink};
use crate::record::{Action, FlowDirection, FlowRecord, LogStatus};
use crate::vpc::InterfaceIndex;

/// Writes the records of closed windows.
pub(super) struct VpcEmitter<S> {
    options: VpcOptions,
    shown: Shown,
    classes: ClassReader,
    /// Owners by their place: first the unknown one, then all others by their identifiers.
    slots: Vec<FlowRecord>,
    /// Each interface's, then each NAT gateway's place among the slots.
    places: Vec<u32>,
    unknown_direction: Option<FlowDirection>,
    windows: Option<Windows>,
    gaps: Gaps,
    /// The windows below it are closed.
    passed: WindowIndex,
    /// The first and last second of the window that is written.
    bounds: (i64, i64),
    memory: usize,
    sink: S,
    pub(super) written: Written,
    pub(super) nodata: u64,
    pub(super) nodata_left_out: u64,
    pub(super) skipdata: u64,
}

impl<S: RecordSink> VpcEmitter<S> {
    /// How many losses were those of no interface that is known.
    pub(super) fn losses_of_nobody_known(&self) -> u64 {
        self.gaps.lost.of_nobody_known
    }

    pub(super) fn new(
        options: VpcOptions,
        records: &RecordOptions,
        classes: ClassReader,
        seen_on: OwnersOn,
        memory: usize,
        sink: S,
    ) -> Self {
        let (slots, places) = slots(&options, &records.identity);
        VpcEmitter {
            shown: Shown::new(&records.format),
            unknown_direction: records.identity.flow_direction,
            classes,
            slots,
            places,
            windows: None,
            gaps: Gaps::new(options.nodata, seen_on),
            bounds: (0, 0),
            // half for the tables, half for the rows of one window
            memory,
            passed: WindowIndex(i64::MIN),
            sink,
            written: Written::default(),
            options,
            nodata: 0,
            nodata_left_out: 0,
            skipdata: 0,
        }
    }

    /// A flow at one of the places where it was sighted.
    fn row(&self, flow: &Flow, sighted: &Sighted, at: usize) -> Row {
        let FlowKey { srcaddr, dstaddr, protocol, srcport, dstport } = flow.key.flow;
        let mut key = RowKey {
            srcaddr,
            dstaddr,
            protocol,
            srcport,
            dstport,
            action: match sighted.action {
                Some(Action::Accept) => 0,
                Some(Action::Reject) => 1,
                None => 2,
            },
            owner: place(&self.places, &self.options, sighted.owner),
            pkt_srcaddr: srcaddr,
            pkt_dstaddr: dstaddr,
            direction: u8::from(sighted.egress),
        };
        match sighted.owner {
            Owner::Interface(at) if sighted.egress => {
                key.srcaddr = self.options.vpc.shown_address(at, srcaddr)
            }
            Owner::Interface(at) => key.dstaddr = self.options.vpc.shown_address(at, dstaddr),
            Owner::RegionalNat(_) => {}
            Owner::Unknown => {
                key.direction = match flow.key.direction {
                    PacketDirection::Inbound => 0,
                    PacketDirection::Outbound => 1,
                    PacketDirection::Unknown => 2,
                };
            }
        }
        if !self.shown.packet_addresses {
            (key.pkt_srcaddr, key.pkt_dstaddr) = (key.srcaddr, key.dstaddr);
        }
        Row {
            key,
            class: flow.key.point.0,
            sight: u8::try_from(at).unwrap_or(u8::MAX),
            counters: flow.counters,
        }
    }

    /// Writes sorted rows: those of one place are one record.
    fn write_rows(&mut self, rows: &[&Row]) -> Result<(), ConvertError> {
        for record in rows.chunk_by(|row, next| row.key == next.key) {
            let Some(first) = record.first() else { continue };
            let mut counters = first.counters;
            for row in record.iter().skip(1) {
                counters.merge(&row.counters);
            }
            let sights = record.iter().filter_map(|row| self.sighted(row));
            // where the same record has several next hops, the one that comes first by its place is shown
            let Some(sighted) = sights.min_by_key(|sighted| (sighted.peer.is_none(), sighted.peer)) else {
                continue;
            };
            self.fill(&first.key, &sighted, &counters);
            let Some(filled) = self.slots.get(first.key.owner as usize) else { continue };
            let taken = if self.options.why {
                self.sink.explained(filled, &self.why(record))
            } else {
                self.sink.record(filled)
            };
            taken.map_err(ConvertError::Write)?;
            self.written.records += 1;
            self.written.packets += counters.packets;
            self.written.bytes += counters.bytes;
        }
        Ok(())
    }

    /// What a row comes from.
    fn sighted(&self, row: &Row) -> Option<Sighted> {
        self.classes.get(row.class).get(usize::from(row.sight)).copied()
    }

    fn fill(&mut self, key: &RowKey, sighted: &Sighted, counters: &crate::flow::FlowCounters) {
        let Some(record) = self.slots.get_mut(key.owner as usize) else { return };
        let (vpc, shown) = (&self.options.vpc, self.shown);
        let &RowKey { srcaddr, dstaddr, protocol, srcport, dstport, .. } = key;
        record.set_flow(&FlowKey { srcaddr, dstaddr, protocol, srcport, dstport }, counters);
        record.pkt_srcaddr = Some(key.pkt_srcaddr);
        record.pkt_dstaddr = Some(key.pkt_dstaddr);
        record.action = sighted.action;
        record.flow_direction = match key.direction {
            0 => Some(FlowDirection::Ingress),
            1 => Some(FlowDirection::Egress),
            _ => self.unknown_direction,
        };
        let interface = match sighted.owner {
            Owner::Interface(at) => Some(at),
            _ => None,
        };
        shown.fill(record, vpc, interface, sighted.egress, sighted.peer, self.options.path_edition);
    }

    /// Why the record of these rows has its action: each reason of its packets once.
    fn why(&self, rows: &[&Row]) -> String {
        let mut said: Vec<String> = Vec::new();
        for row in rows {
            let Some(sighted) = self.sighted(row) else { continue };
            let interface = match sighted.owner {
                Owner::Interface(at) => Some(at),
                _ => None,
            };
            let text = match sighted.why {
                Some(why) => self.options.vpc.explain(why, interface, sighted.egress),
                None => "no known interface".to_owned(),
            };
            if !said.contains(&text) {
                said.push(text);
            }
        }
        said.join("; ")
    }

    /// Writes records without data.
    fn write_gaps(&mut self, gaps: Vec<Gap>) -> Result<(), ConvertError> {
        for (window, owner, status) in gaps {
            self.write_without_data(status, window, owner)?;
            if status == LogStatus::NoData { self.nodata += 1 } else { self.skipdata += 1 }
        }
        Ok(())
    }

    /// Writes what is due behind the last window.
    ///
    /// # Errors
    /// The output's.
    pub(super) fn end(&mut self) -> Result<(), ConvertError> {
        let rest = self.gaps.rest(|owner| place(&self.places, &self.options, owner));
        self.write_gaps(rest)?;
        self.flush()
    }

    /// A record that says that there is none.
    fn write_without_data(
        &mut self,
        status: LogStatus,
        window: WindowIndex,
        owner: u32,
    ) -> Result<(), ConvertError> {
        let Some(template) = self.slots.get(owner as usize) else { return Ok(()) };
        let span = self.windows.as_ref().and_then(|windows| windows.window(window));
        let seconds = |nanos: i128| i64::try_from(nanos.div_euclid(1_000_000_000)).unwrap_or(0);
        let (start, end) = match span {
            Some(span) => (seconds(span.start), seconds(span.end)),
            // one window for everything: its bounds are the packets'
            None => self.bounds,
        };
        let record = template.without_data(status, start, end);
        self.sink.record(&record).map_err(ConvertError::Write)?;
        self.written.records += 1;
        Ok(())
    }
}

/// An owner's place among the slots.
fn place(places: &[u32], options: &VpcOptions, owner: Owner) -> u32 {
    let at = match owner {
        Owner::Unknown => return 0,
        Owner::Interface(InterfaceIndex(at)) => at as usize,
        Owner::RegionalNat(at) => options.vpc.model().interfaces.len() + at as usize,
    };
    places.get(at).copied().unwrap_or(0)
}

impl<S: RecordSink> Emit for VpcEmitter<S> {
    fn window(&mut self, meter: &Meter, window: &ClosedWindow) -> Result<(), ConvertError> {
        self.classes.refresh();
        let placement = window.placement();
        self.sink.begin_window(placement);
        let before = self.written.records;
        let (mut owners, mut last_owner) = (BTreeSet::new(), None);
        let mut rows = Rows::new(self.memory);
        let mut first_pass = true;
        let mut bounds = (i64::MAX, i64::MIN);
        loop {
            meter.for_each_key(window, |flow| -> Result<(), ConvertError> {
                bounds.0 = bounds.0.min(flow.counters.first.seconds());
                bounds.1 = bounds.1.max(flow.counters.last.seconds());
                for (at, sighted) in self.classes.get(flow.key.point.0).iter().enumerate() {
                    let row = self.row(flow, sighted, at);
                    if first_pass && last_owner != Some(row.key.owner) {
                        owners.insert(row.key.owner);
                        last_owner = Some(row.key.owner);
                    }
                    rows.push(row);
                }
                Ok(())
            })?;
            self.bounds = bounds;
            if first_pass && placement.late {
                self.gaps.late(placement.window, &owners);
            } else if first_pass {
                let place = |owner| place(&self.places, &self.options, owner);
                let (due, left_out) = self.gaps.before(placement.window, &owners, place);
                self.nodata_left_out += left_out;
                self.write_gaps(due)?;
            }
            first_pass = false;
            self.write_rows(&rows.sorted())?;
            if !rows.next_pass() {
                break;
            }
        }
        if placement.late {
            self.written.late_records += self.written.records - before;
        } else {
            let due = self.gaps.behind(placement.window, |owner| place(&self.places, &self.options, owner));
            self.write_gaps(due)?;
        }
        self.sink.end_of_window().map_err(ConvertError::Write)
    }

    fn flush(&mut self) -> Result<(), ConvertError> {
        tell_passed(&mut self.sink, self.windows, self.passed)?;
        self.sink.flush().map_err(ConvertError::Write)
    }

    fn begin(&mut self, windows: Windows, first: Timestamp) {
        self.windows = Some(windows);
        self.gaps.begin(windows);
        self.sink.begin(windows, first);
    }

    fn closing(&mut self, passed: WindowIndex) {
        self.passed = passed;
    }

    fn lost(&mut self, lost: Lost) {
        self.gaps.lost(lost);
    }
}
