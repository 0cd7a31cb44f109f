//! A capture's side: what each second held of each flow.

use std::collections::{BTreeSet, HashMap};

use foldhash::fast::FixedState;

use crate::capture::{CaptureError, CaptureInput, MergeStep, MergedCaptures};
use crate::decode::{Tunnels, decode};
use crate::diff::{Cell, Claim, Claims, FlowId, PacketFacts, Witness};
use crate::flow::FlowKey;
use crate::packet::{
    CapturedPacket, Fragment, IpPacket, Note, PacketTime, Protocol, SkipReason, TcpFlags, Timestamp,
};
use crate::pipeline::{MeterOptions, Progress, Tally};

/// After how many packets progress is reported.
const REPORT_EVERY: u64 = 4096;

/// The cells of each flow, by second.
type Cells = HashMap<FlowKey, Vec<Cell>, FixedState>;

/// The packets of one or more captures.
#[derive(Debug, Default)]
pub(super) struct CaptureSide {
    pub(super) names: Vec<String>,
    pub(super) tally: Tally,
    pub(super) span: Option<(i64, i64)>,
    cells: Cells,
    other_side: Cells,
    through: HashMap<FlowKey, BTreeSet<FlowKey>>,
}

impl CaptureSide {
    pub(super) fn flows(&self) -> usize {
        self.cells.len()
    }

    /// Reads captures as one. The other side of tunnels is kept where `is_claimed` says that somebody claims it.
    pub(super) fn read(
        &mut self,
        inputs: Vec<CaptureInput>,
        options: &MeterOptions,
        is_claimed: impl Fn(&FlowKey) -> bool,
        progress: &Progress,
        failures: &mut Vec<CaptureError>,
    ) {
        let mut captures = MergedCaptures::new(inputs);
        self.names = crate::pipeline::convert::names(&captures);
        let mut packets = 0u64;
        while !progress.is_interrupted()
            && let Some(step) = captures.step()
        {
            match step {
                MergeStep::Packet(_) => {
                    packets += 1;
                    self.take(&captures.current(), options, &is_claimed);
                    if packets.is_multiple_of(REPORT_EVERY) {
                        progress.report(packets, captures.bytes_read());
                    }
                }
                MergeStep::Paused => {}
                MergeStep::Failed { error, .. } => failures.push(error),
            }
        }
        progress.report(packets, captures.bytes_read());
    }

    fn take(
        &mut self,
        packet: &CapturedPacket<'_>,
        options: &MeterOptions,
        is_claimed: &impl Fn(&FlowKey) -> bool,
    ) {
        let tally = &mut self.tally;
        tally.read(packet.original_length, packet.data.len());
        let time = match packet.time {
            PacketTime::At(time) => time,
            PacketTime::Missing => return tally.skip(SkipReason::NoTimestamp),
            PacketTime::OutOfRange => return tally.skip(SkipReason::TimestampOutOfRange),
        };
        let second = time.seconds();
        let (first, last) = self.span.unwrap_or((second, second));
        let is_wanted =
            options.from.is_none_or(|from| from <= time) && options.until.is_none_or(|until| time < until);
        if is_wanted {
            self.span = Some((first.min(second), last.max(second)));
        }
        let ip = match decode(packet, options.tunnels) {
            Ok(ip) => ip,
            Err(reason) => return tally.skip(reason),
        };
        if let Some(reason) = unwanted(&ip, time, options) {
            return tally.skip_ip(reason, ip.ip_length);
        }
        tally.keep(ip.ip_length, ip.notes);
        let key = FlowKey::from(&ip);
        add(&mut self.cells, key, &cell(packet, &ip, second));
        let may_be_tunnel = |ip: &IpPacket| {
            ip.protocol == Protocol::GRE
                || (ip.protocol == Protocol::UDP && matches!(ip.dstport, 4789 | 6081))
        };
        let is_inner = [Note::Vxlan, Note::Geneve, Note::Gre].iter().any(|note| ip.notes.contains(*note));
        let others = if is_inner { Tunnels::NONE } else { Tunnels::ALL };
        if (is_inner || may_be_tunnel(&ip))
            && let Ok(other) = decode(packet, others)
        {
            let other_key = FlowKey::from(&other);
            if other_key != key && is_claimed(&other_key) {
                add(&mut self.other_side, other_key, &cell(packet, &other, second));
                self.through.entry(key).or_default().insert(other_key);
            }
        }
    }

    /// As the side that bears witness.
    pub(super) fn into_witness(self) -> Witness {
        Witness {
            flows: self.cells.into_iter().map(|(key, cells)| (FlowId::from(key), in_order(cells))).collect(),
            is_capture: true,
            span: self.span,
            other_side: self.other_side.into_iter().map(|(key, cells)| (key, in_order(cells))).collect(),
            through: self.through,
            ..Witness::default()
        }
    }

    /// As the side that makes claims: a run of packets without a long pause is one, in seconds.
    pub(super) fn into_claims(self, pause: i64) -> Claims {
        let flows = self.cells.into_iter().map(|(key, cells)| {
            let mut runs: Vec<Cell> = Vec::new();
            for cell in in_order(cells) {
                match runs.last_mut() {
                    Some(run) if cell.start.saturating_sub(run.end) <= pause => run.add(&cell),
                    _ => runs.push(cell),
                }
            }
            (FlowId::from(key), runs.iter().map(claim).collect())
        });
        Claims { flows: flows.collect(), is_log: false, span: self.span, ..Claims::default() }
    }
}

fn unwanted(ip: &IpPacket, time: Timestamp, options: &MeterOptions) -> Option<SkipReason> {
    if options.from.is_some_and(|from| time < from) {
        Some(SkipReason::BeforeFrom)
    } else if options.until.is_some_and(|until| time >= until) {
        Some(SkipReason::AfterUntil)
    } else if options.filter.as_ref().is_some_and(|filter| !filter.matches(ip)) {
        Some(SkipReason::Filtered)
    } else {
        None
    }
}

/// A packet as a cell of its second.
fn cell(packet: &CapturedPacket<'_>, ip: &IpPacket, second: i64) -> Cell {
    let is_tcp = ip.protocol == Protocol::TCP;
    Cell {
        start: second,
        end: second,
        packets: 1,
        bytes: u64::from(ip.ip_length),
        tcp_flags: Some(ip.tcp_flags.as_logged()),
        facts: PacketFacts {
            frame_bytes: u64::from(packet.original_length),
            link_bytes: u64::from(ip.ip_offset),
            captured_bytes: u64::from(ip.captured_ip_length.min(ip.ip_length)),
            raw_flags: if is_tcp { ip.tcp_flags } else { TcpFlags(0) },
            largest: ip.ip_length,
            smallest: ip.ip_length,
            later_fragments: u64::from(matches!(ip.fragment, Fragment::Later(_))),
            first_packet: packet.number,
        },
        line: 0,
    }
}

/// How many cells back a late packet looks for its second.
const LOOK_BACK: usize = 16;

/// Adds a packet to its flow's cell of that second. One that comes later than that gets a cell of its own, see
/// [`in_order`].
fn add(cells: &mut Cells, key: FlowKey, packet: &Cell) {
    let cells = cells.entry(key).or_default();
    match cells.iter_mut().rev().take(LOOK_BACK).find(|cell| cell.start == packet.start) {
        Some(cell) => cell.add(packet),
        None => cells.push(*packet),
    }
}

/// Cells in order of time, one for each second.
fn in_order(mut cells: Vec<Cell>) -> Vec<Cell> {
    if !cells.is_sorted_by(|a, b| a.start < b.start) {
        cells.sort_by_key(|cell| cell.start);
        cells.dedup_by(|later, earlier| {
            let same = later.start == earlier.start;
            if same {
                earlier.add(later);
            }
            same
        });
    }
    cells
}

fn claim(run: &Cell) -> Claim {
    Claim {
        start: run.start,
        end: run.end,
        packets: run.packets,
        bytes: run.bytes,
        tcp_flags: run.tcp_flags,
        action: None,
        interface: 0,
        line: 0,
        first_packet: run.facts.first_packet,
    }
}
