//! The general path: every frame there is, layer by layer.

use super::ip::{self, IpLayer};
use super::view::View;
use super::{Tunnels, fingerprint, link, transport, tunnel};
use crate::packet::{CapturedPacket, IpPacket, Note, Notes, PacketDirection, SkipReason};

/// How many tunnels are opened in one packet at most.
pub(super) const DEPTH: usize = 4;

/// Decodes any frame: link headers, IP, as many tunnels as are asked for, transport.
///
/// Never inlined: it would spread over the fast path's registers.
#[inline(never)]
pub(super) fn decode(packet: &CapturedPacket<'_>, tunnels: Tunnels) -> Result<IpPacket, SkipReason> {
    let (start, link_direction) = link::open(packet.link_type, packet.data)?;
    let original_length = usize::try_from(packet.original_length).unwrap_or(usize::MAX);
    // a frame was never shorter than what was captured of it, whatever the capture says
    let mut view = View { data: packet.data, length: original_length.max(packet.data.len()) };
    let mut layer = ip::read(view, start)?;
    let mut opened = Notes::NONE;
    if !tunnels.is_empty() {
        for _ in 0..DEPTH {
            let Some((inside, inner, note)) = open(view, &layer, tunnels) else { break };
            (view, layer) = (inside, inner);
            opened.insert(note);
        }
    }
    opened.iter().for_each(|note| layer.notes.insert(note));
    if packet.data.len() < original_length {
        layer.notes.insert(Note::SnaplenCut);
    }
    let direction = match packet.direction {
        PacketDirection::Unknown => link_direction,
        known => known,
    };
    Ok(finish(view, layer, direction))
}

/// Opens one tunnel: what may be read of the inner packet, and its IP layer.
fn open<'a>(view: View<'a>, outer: &IpLayer, tunnels: Tunnels) -> Option<(View<'a>, IpLayer, Note)> {
    let inside = view.until(end(outer));
    let (start, note) = tunnel::open(inside, outer, tunnels)?;
    Some((inside, ip::read(inside, start).ok()?, note))
}

/// Where a packet ends in its frame by its IP length.
fn end(layer: &IpLayer) -> usize {
    layer.offset.saturating_add(layer.ip_length as usize)
}

/// Reads the transport header and sums up.
fn finish(view: View<'_>, layer: IpLayer, direction: PacketDirection) -> IpPacket {
    let inside = view.until(end(&layer));
    let bytes = inside.from(layer.transport);
    let mut notes = layer.notes;
    let transport = transport::read(layer.protocol, layer.fragment, bytes, &mut notes);
    let captured = inside.data.len().saturating_sub(layer.offset);
    IpPacket {
        srcaddr: layer.srcaddr,
        dstaddr: layer.dstaddr,
        srcport: transport.ports.0,
        dstport: transport.ports.1,
        protocol: layer.protocol,
        tcp_flags: transport.tcp_flags,
        icmp: transport.icmp,
        fragment: layer.fragment,
        ip_length: layer.ip_length,
        captured_ip_length: u32::try_from(captured).unwrap_or(u32::MAX),
        ip_offset: u32::try_from(layer.offset).unwrap_or(u32::MAX),
        direction,
        notes,
        fingerprint: fingerprint::fingerprint(
            layer.addresses,
            layer.identity,
            layer.ip_length,
            layer.protocol.0,
            bytes,
        ),
    }
}
