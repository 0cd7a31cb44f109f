//! Tunnels: from an outer packet's payload to the IP header inside (accounting rule 11).

use etherparse::{UdpHeader, UdpHeaderSlice};

use super::Tunnels;
use super::ip::IpLayer;
use super::link::{self, Announced, IpStart};
use super::view::View;
use crate::packet::{Fragment, Note, Protocol};

/// VXLAN's UDP port (RFC 7348 §4.1).
pub(super) const VXLAN_PORT: u16 = 4789;
/// Geneve's UDP port (RFC 8926 §3.3).
pub(super) const GENEVE_PORT: u16 = 6081;

/// IPv4, as an ethertype.
const IPV4: u16 = 0x0800;
/// IPv6, as an ethertype.
const IPV6: u16 = 0x86dd;
/// A whole Ethernet frame, as an ethertype.
const TRANSPARENT_ETHERNET: u16 = 0x6558;

/// The IP header inside the tunnel whose outer packet this is, and which tunnel it is.
///
/// `view` ends where the outer packet ends. `None` where the packet is no tunnel that is to be opened, or what
/// is inside is not IP or is cut: then the outer packet counts.
pub(super) fn open(view: View<'_>, outer: &IpLayer, tunnels: Tunnels) -> Option<(IpStart, Note)> {
    if matches!(outer.fragment, Fragment::Later(_)) {
        return None;
    }
    match outer.protocol {
        Protocol::UDP => {
            let header = UdpHeaderSlice::from_slice(view.from(outer.transport)).ok()?;
            let payload = outer.transport + UdpHeader::LEN;
            match header.destination_port() {
                VXLAN_PORT if tunnels.vxlan => vxlan(view, payload).map(|start| (start, Note::Vxlan)),
                GENEVE_PORT if tunnels.geneve => geneve(view, payload).map(|start| (start, Note::Geneve)),
                _ => None,
            }
        }
        Protocol::GRE if tunnels.gre => gre(view, outer.transport).map(|start| (start, Note::Gre)),
        _ => None,
    }
}

/// Flags, of which the I flag says that the network identifier is valid; reserved; identifier; then Ethernet.
fn vxlan(view: View<'_>, offset: usize) -> Option<IpStart> {
    let [flags, ..] = view.from(offset).first_chunk::<8>()?;
    if flags & 0x08 == 0 {
        return None;
    }
    link::open_ethernet(view.data, offset + 8).ok()
}

/// Version (2 bits) and length of the options (6 bits, in words), flags, protocol, identifier, options.
fn geneve(view: View<'_>, offset: usize) -> Option<IpStart> {
    let [first, _flags, high, low, ..] = *view.from(offset).first_chunk::<8>()?;
    if first >> 6 != 0 {
        return None;
    }
    inside(view, u16::from_be_bytes([high, low]), offset + 8 + usize::from(first & 0x3f) * 4)
}

/// Flags and version, protocol; then checksum, routing, key and sequence number where the flags say so.
fn gre(view: View<'_>, offset: usize) -> Option<IpStart> {
    let bytes = view.from(offset);
    let [flags, version, high, low] = *bytes.first_chunk()?;
    if version & 0x07 != 0 {
        return None;
    }
    let (checksum, routing, key, sequence) =
        (flags & 0x80 != 0, flags & 0x40 != 0, flags & 0x20 != 0, flags & 0x10 != 0);
    // checksum and routing offset share a word (RFC 1701)
    let words = 1 + usize::from(checksum || routing) + usize::from(key) + usize::from(sequence);
    let mut length = words * 4;
    if routing {
        length += source_routes(bytes.get(length..)?)?;
    }
    inside(view, u16::from_be_bytes([high, low]), offset + length)
}

/// How many bytes GRE's source routes take: address family, offset, length each, up to one of length 0.
fn source_routes(bytes: &[u8]) -> Option<usize> {
    let mut passed = 0;
    loop {
        let [_, _, _, length] = bytes.get(passed..)?.first_chunk()?;
        passed += 4 + usize::from(*length);
        if *length == 0 {
            return Some(passed);
        }
    }
}

/// What a tunnel's protocol field leads to.
fn inside(view: View<'_>, protocol: u16, offset: usize) -> Option<IpStart> {
    match protocol {
        IPV4 => Some(IpStart { offset, announced: Announced::Ipv4 }),
        IPV6 => Some(IpStart { offset, announced: Announced::Ipv6 }),
        TRANSPARENT_ETHERNET => link::open_ethernet(view.data, offset).ok(),
        _ => None,
    }
}
