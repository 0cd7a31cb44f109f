//! A capture's side: what each second held of each flow.

use std::collections::{BTreeSet, HashMap};

use foldhash::fast::FixedState;

use super::walk::{Seen, TakeSeen, Walked, walk};
use crate::capture::CaptureInput;
use crate::decode::{Tunnels, decode};
use crate::diff::{Cell, Claim, Claims, FlowId, PacketFacts, Witness};
use crate::flow::FlowKey;
use crate::packet::{CapturedPacket, Fragment, IpPacket, Note, Protocol, TcpFlags};
use crate::pipeline::{MeterOptions, Progress};

/// The cells of each flow, by second.
pub(super) type Cells = HashMap<FlowKey, Vec<Cell>, FixedState>;

/// Keeps the packets of wanted flows.
struct Wanted<W, C> {
    side: CaptureSide,
    tunnels: Tunnels,
    is_wanted: W,
    is_claimed: C,
}

impl<W: Fn(&FlowKey) -> bool, C: Fn(&FlowKey) -> bool> TakeSeen for Wanted<W, C> {
    #[inline]
    fn take_seen(&mut self, packet: &CapturedPacket<'_>, seen: &Seen) {
        if (self.is_wanted)(&seen.key) {
            self.keep(&{ *packet }, seen);
        }
    }
}

impl<W, C: Fn(&FlowKey) -> bool> Wanted<W, C> {
    #[inline(never)]
    fn keep(&mut self, packet: &CapturedPacket<'_>, seen: &Seen) {
        // it was decoded before, or it would not be here
        let Ok(ip) = decode(packet, self.tunnels) else { return };
        add(&mut self.side.cells, seen.key, &cell(packet, &ip, seen.second));
        self.side.other_side(packet, &ip, seen.key, seen.second, &self.is_claimed);
    }
}

/// The packets of one or more captures.
#[derive(Debug, Default)]
pub(super) struct CaptureSide {
    pub(super) walked: Walked,
    cells: Cells,
    other_side: Cells,
    through: HashMap<FlowKey, BTreeSet<FlowKey>>,
}

impl CaptureSide {
    pub(super) fn flows(&self) -> usize {
        self.cells.len()
    }

    /// Reads captures as one, and keeps the flows that are wanted. The other side of tunnels is kept where
    /// `is_claimed` says that somebody claims it.
    pub(super) fn read(
        inputs: Vec<CaptureInput>,
        options: &MeterOptions,
        is_wanted: impl Fn(&FlowKey) -> bool,
        is_claimed: impl Fn(&FlowKey) -> bool,
        progress: &Progress,
    ) -> CaptureSide {
        let tunnels = options.tunnels;
        let mut taker = Wanted { side: CaptureSide::default(), tunnels, is_wanted, is_claimed };
        let walked = walk(inputs, options, progress, &mut taker);
        CaptureSide { walked, ..taker.side }
    }

    /// Looks at the other side of a tunnel.
    fn other_side(
        &mut self,
        packet: &CapturedPacket<'_>,
        ip: &IpPacket,
        key: FlowKey,
        second: i64,
        is_claimed: &impl Fn(&FlowKey) -> bool,
    ) {
        let may_be_tunnel = ip.protocol == Protocol::GRE
            || (ip.protocol == Protocol::UDP && matches!(ip.dstport, 4789 | 6081));
        let is_inner = [Note::Vxlan, Note::Geneve, Note::Gre].iter().any(|note| ip.notes.contains(*note));
        let others = if is_inner { Tunnels::NONE } else { Tunnels::ALL };
        if (is_inner || may_be_tunnel)
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
            span: self.walked.span,
            lost: self.walked.lost,
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
        Claims { flows: flows.collect(), is_log: false, span: self.walked.span, ..Claims::default() }
    }
}

/// A packet as a cell of its second.
pub(super) fn cell(packet: &CapturedPacket<'_>, ip: &IpPacket, second: i64) -> Cell {
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
pub(super) fn add(cells: &mut Cells, key: FlowKey, packet: &Cell) {
    let cells = cells.entry(key).or_default();
    if cells.last().is_none_or(|last| last.start < packet.start) {
        // in order of time, as nearly all are
        cells.push(*packet);
        return;
    }
    match cells.iter_mut().rev().take(LOOK_BACK).find(|cell| cell.start == packet.start) {
        Some(cell) => cell.add(packet),
        None => cells.push(*packet),
    }
}

/// Cells in order of time, one for each second.
pub(super) fn in_order(mut cells: Vec<Cell>) -> Vec<Cell> {
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
