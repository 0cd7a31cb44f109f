//! Closed windows → the records of every interface that packets passed → lines.

use std::collections::BTreeSet;
use std::io::Write;

use super::classes::{ClassReader, Owner, Sighted};
use super::drops::LostWindows;
use super::empty::Quiet;
use super::options::VpcOptions;
use super::rows::{Row, RowKey, Rows};
use super::shown::Shown;
use super::slots::slots;
use crate::flow::{FlowKey, WindowIndex, Windows};
use crate::flowlog::text::{write_header_line, write_record_line};
use crate::meter::{ClosedWindow, Flow, Meter};
use crate::packet::{PacketDirection, Timestamp};
use crate::pipeline::emit::Written;
use crate::pipeline::workers::Emit;
use crate::pipeline::{ConvertError, RecordOptions};
use crate::record::{Action, FlowDirection, FlowRecord, LogFormat, LogStatus};
use crate::vpc::InterfaceIndex;

/// How many bytes are gathered before they are written.
const BUFFER: usize = 256 * 1024;

/// Writes the records of closed windows.
pub(super) struct VpcEmitter<W> {
    options: VpcOptions,
    format: LogFormat,
    shown: Shown,
    classes: ClassReader,
    /// Owners by their place: first the unknown one, then all others by their identifiers.
    slots: Vec<FlowRecord>,
    /// Each interface's, then each NAT gateway's place among the slots.
    places: Vec<u32>,
    unknown_direction: Option<FlowDirection>,
    windows: Option<Windows>,
    lost: LostWindows,
    /// The first and last second of the window that is written.
    bounds: (i64, i64),
    quiet: Quiet,
    memory: usize,
    buffer: Vec<u8>,
    output: W,
    pub(super) written: Written,
    pub(super) nodata: u64,
    pub(super) nodata_left_out: u64,
    pub(super) skipdata: u64,
}

impl<W: Write> VpcEmitter<W> {
    pub(super) fn new(
        options: VpcOptions,
        records: &RecordOptions,
        classes: ClassReader,
        memory: usize,
        output: W,
    ) -> Self {
        let mut buffer = Vec::with_capacity(BUFFER + 4096);
        if records.header {
            write_header_line(&records.format, &mut buffer);
            if options.why {
                buffer.pop();
                buffer.extend_from_slice(b"\twhy\n");
            }
        }
        let (slots, places) = slots(&options, &records.identity);
        VpcEmitter {
            shown: Shown::new(&records.format),
            format: records.format.clone(),
            unknown_direction: records.identity.flow_direction,
            options,
            classes,
            slots,
            places,
            windows: None,
            lost: LostWindows::default(),
            bounds: (0, 0),
            quiet: Quiet::default(),
            // half for the tables, half for the rows of one window
            memory,
            buffer,
            output,
            written: Written::default(),
            nodata: 0,
            nodata_left_out: 0,
            skipdata: 0,
        }
    }

    fn place(&self, owner: Owner) -> u32 {
        let at = match owner {
            Owner::Unknown => return 0,
            Owner::Interface(InterfaceIndex(at)) => at as usize,
            Owner::RegionalNat(at) => self.options.vpc.model().interfaces.len() + at as usize,
        };
        self.places.get(at).copied().unwrap_or(0)
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
            owner: self.place(sighted.owner),
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
    fn write_rows(&mut self, rows: &[Row]) -> Result<(), ConvertError> {
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
            write_record_line(&self.format, filled, &mut self.buffer);
            if self.options.why {
                self.write_why(record);
            }
            self.written.records += 1;
            self.written.packets += counters.packets;
            self.written.bytes += counters.bytes;
            self.drain()?;
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

    /// Appends why, behind a tab: each reason of the record's packets once.
    fn write_why(&mut self, rows: &[Row]) {
        self.buffer.pop();
        self.buffer.push(b'\t');
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
        self.buffer.extend_from_slice(said.join("; ").as_bytes());
        self.buffer.push(b'\n');
    }

    fn write_nodata(&mut self, window: WindowIndex, owners: &BTreeSet<u32>) -> Result<(), ConvertError> {
        if !self.options.nodata {
            return Ok(());
        }
        // packets of no interface are nobody's silence
        let owners: Vec<u32> = owners.iter().copied().filter(|owner| *owner != 0).collect();
        let (empty, left_out) = self.quiet.seen(window, &owners);
        self.nodata_left_out += left_out;
        for (window, owner) in empty {
            self.write_without_data(LogStatus::NoData, window, owner)?;
            self.nodata += 1;
        }
        Ok(())
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
        write_record_line(&self.format, &record, &mut self.buffer);
        self.written.records += 1;
        self.drain()
    }

    fn drain(&mut self) -> Result<(), ConvertError> {
        if self.buffer.len() < BUFFER {
            return Ok(());
        }
        self.output.write_all(&self.buffer).map_err(ConvertError::Write)?;
        self.buffer.clear();
        Ok(())
    }
}

impl<W: Write> Emit for VpcEmitter<W> {
    fn window(&mut self, meter: &Meter, window: &ClosedWindow) -> Result<(), ConvertError> {
        self.classes.refresh();
        let placement = window.placement();
        let before = self.written.records;
        let mut owners = BTreeSet::new();
        let mut rows = Rows::new(self.memory);
        let mut first_pass = true;
        let mut bounds = (i64::MAX, i64::MIN);
        loop {
            meter.for_each_key(window, |flow| -> Result<(), ConvertError> {
                bounds.0 = bounds.0.min(flow.counters.first.seconds());
                bounds.1 = bounds.1.max(flow.counters.last.seconds());
                for (at, sighted) in self.classes.get(flow.key.point.0).iter().enumerate() {
                    let row = self.row(flow, sighted, at);
                    if first_pass {
                        owners.insert(row.key.owner);
                    }
                    rows.push(row);
                }
                Ok(())
            })?;
            self.bounds = bounds;
            if first_pass && !placement.late {
                self.write_nodata(placement.window, &owners)?;
            }
            first_pass = false;
            self.write_rows(rows.sorted())?;
            if !rows.next_pass() {
                break;
            }
        }
        if !placement.late && self.lost.take(placement.window) {
            for owner in owners {
                self.write_without_data(LogStatus::SkipData, placement.window, owner)?;
                self.skipdata += 1;
            }
        }
        if placement.late {
            self.written.late_records += self.written.records - before;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ConvertError> {
        self.output
            .write_all(&self.buffer)
            .and_then(|()| self.output.flush())
            .map_err(ConvertError::Write)?;
        self.buffer.clear();
        Ok(())
    }

    fn begin(&mut self, windows: Windows) {
        self.windows = Some(windows);
        self.lost.begin(windows);
    }

    fn closing(&mut self, passed: WindowIndex) {
        self.lost.closing(passed);
    }

    fn lost(&mut self, time: Timestamp) {
        self.lost.lost(time);
    }
}
