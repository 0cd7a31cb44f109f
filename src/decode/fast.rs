//! The fast path: the common frame in one go.
//!
//! That is Ethernet, up to two VLAN tags, IPv4 without options or IPv6 without extension headers, TCP or UDP,
//! no fragment, with both headers captured whole and lengths that agree. A frame cut by the snap length behind
//! its headers is common too. For anything else the answer is `None`, and the general path decides.
//!
//! Invariant: where this path answers, the general path gives the same packet to the last field; a property
//! test in [`super`] holds them together. Headers are split off as arrays, so that there is one bounds check a
//! header and none a field.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::tunnel::{GENEVE_PORT, VXLAN_PORT};
use super::{Tunnels, fingerprint};
use crate::packet::{
    CapturedPacket, Fragment, IpPacket, LinkType, Note, Notes, PacketDirection, Protocol, TcpFlags,
};

/// What the fast path says of a packet: an [`IpPacket`] as far as common frames differ in it.
///
/// It knows the addresses' family at compile time, so that a caller who is compiled together with the decoder keeps
/// all of it in registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommonPacket<A> {
    /// Source address.
    pub srcaddr: A,
    /// Destination address.
    pub dstaddr: A,
    /// Source port.
    pub srcport: u16,
    /// Destination port.
    pub dstport: u16,
    /// TCP or UDP.
    pub protocol: Protocol,
    /// The raw flags of a TCP header, else 0.
    pub tcp_flags: TcpFlags,
    /// IP length in bytes.
    pub ip_length: u32,
    /// How much of it was captured, in bytes.
    pub captured_ip_length: u32,
    /// Where the IP header begins in the frame, in bytes.
    pub ip_offset: u32,
    /// Nothing, or [`Note::SnaplenCut`].
    pub notes: Notes,
    /// As [`IpPacket::fingerprint`].
    pub fingerprint: u64,
}

impl<A: Into<IpAddr>> CommonPacket<A> {
    /// The same in the form that every packet has.
    #[inline]
    fn into_ip_packet(self, direction: PacketDirection) -> IpPacket {
        IpPacket {
            srcaddr: self.srcaddr.into(),
            dstaddr: self.dstaddr.into(),
            srcport: self.srcport,
            dstport: self.dstport,
            protocol: self.protocol,
            tcp_flags: self.tcp_flags,
            icmp: None,
            fragment: Fragment::Whole,
            ip_length: self.ip_length,
            captured_ip_length: self.captured_ip_length,
            ip_offset: self.ip_offset,
            direction,
            notes: self.notes,
            fingerprint: self.fingerprint,
        }
    }
}

/// Decodes the common frame; `None` for every other.
#[inline]
pub(super) fn decode(packet: &CapturedPacket<'_>, tunnels: Tunnels) -> Option<IpPacket> {
    let direction = packet.direction;
    common_ipv4(packet, tunnels)
        .map(|common| common.into_ip_packet(direction))
        .or_else(|| common_ipv6(packet, tunnels).map(|common| common.into_ip_packet(direction)))
}

/// The ethertype behind up to two VLAN tags, and what is captured behind it.
#[inline(always)]
fn ethernet<'a>(packet: &CapturedPacket<'a>) -> Option<(u16, &'a [u8])> {
    if packet.link_type != LinkType::ETHERNET {
        return None;
    }
    let (ethernet, mut rest) = packet.data.split_first_chunk::<14>()?;
    let mut ethertype = u16::from_be_bytes([ethernet[12], ethernet[13]]);
    for _ in 0..2 {
        if !matches!(ethertype, 0x8100 | 0x88a8 | 0x9100) {
            break;
        }
        let (tag, behind) = rest.split_first_chunk::<4>()?;
        (ethertype, rest) = (u16::from_be_bytes([tag[2], tag[3]]), behind);
    }
    Some((ethertype, rest))
}

/// Decodes the common frame with an IPv4 packet; `None` for every other. Always inlined into its caller.
#[inline(always)]
pub fn common_ipv4(packet: &CapturedPacket<'_>, tunnels: Tunnels) -> Option<CommonPacket<Ipv4Addr>> {
    let (0x0800, ip) = ethernet(packet)? else { return None };
    let (header, behind) = ip.split_first_chunk::<20>()?;
    let fragment = u16::from_be_bytes([header[6], header[7]]);
    // version 4, five words; neither an offset nor more fragments
    if header[0] != 0x45 || fragment & 0x3fff != 0 {
        return None;
    }
    let length = u32::from(u16::from_be_bytes([header[2], header[3]]));
    let identity = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
    let srcaddr = [header[12], header[13], header[14], header[15]];
    let dstaddr = [header[16], header[17], header[18], header[19]];
    let network = Network {
        srcaddr: Ipv4Addr::from(srcaddr),
        dstaddr: Ipv4Addr::from(dstaddr),
        addresses: fingerprint::ipv4_addresses(srcaddr, dstaddr),
        identity: u64::from(identity),
        protocol: header[9],
        header_length: 20,
        ip_length: length,
    };
    finish(packet, &network, ip, behind, tunnels)
}

/// Decodes the common frame with an IPv6 packet; `None` for every other. Always inlined into its caller.
#[inline(always)]
pub fn common_ipv6(packet: &CapturedPacket<'_>, tunnels: Tunnels) -> Option<CommonPacket<Ipv6Addr>> {
    let (0x86dd, ip) = ethernet(packet)? else { return None };
    let (header, behind) = ip.split_first_chunk::<40>()?;
    let first_word = u32::from_be_bytes([header[0], header[1], header[2], header[3]]);
    if first_word >> 28 != 6 {
        return None;
    }
    let payload_length = u32::from(u16::from_be_bytes([header[4], header[5]]));
    let (srcaddr, rest) = header.get(8..)?.split_first_chunk::<16>()?;
    let dstaddr = rest.first_chunk::<16>()?;
    let network = Network {
        srcaddr: Ipv6Addr::from(*srcaddr),
        dstaddr: Ipv6Addr::from(*dstaddr),
        addresses: fingerprint::ipv6_addresses(*srcaddr, *dstaddr),
        identity: fingerprint::ipv6_identity(first_word & 0x000f_ffff, 0, 0),
        protocol: header[6],
        header_length: 40,
        ip_length: 40 + payload_length,
    };
    finish(packet, &network, ip, behind, tunnels)
}

/// What an IP header says.
struct Network<A> {
    srcaddr: A,
    dstaddr: A,
    addresses: u64,
    identity: u64,
    protocol: u8,
    header_length: u32,
    ip_length: u32,
}

/// `ip` is what is captured from the IP header on, `behind` what is captured behind it.
#[inline(always)]
fn finish<A: Copy>(
    packet: &CapturedPacket<'_>,
    network: &Network<A>,
    ip: &[u8],
    behind: &[u8],
    tunnels: Tunnels,
) -> Option<CommonPacket<A>> {
    let original_length = packet.original_length as usize;
    let captured_length = packet.data.len();
    let ip_offset = captured_length - ip.len();
    let ip_length = network.ip_length as usize;
    let payload = network.ip_length.checked_sub(network.header_length)? as usize;
    if original_length < captured_length || ip_length > original_length - ip_offset {
        return None;
    }
    let transport = behind.get(..payload).unwrap_or(behind);
    let (ports, tcp_flags) = match Protocol(network.protocol) {
        Protocol::TCP => {
            let header = transport.first_chunk::<20>()?;
            ([header[0], header[1], header[2], header[3]], header[13])
        }
        Protocol::UDP => {
            let header = transport.first_chunk::<8>()?;
            ([header[0], header[1], header[2], header[3]], 0)
        }
        _ => return None,
    };
    let dstport = u16::from_be_bytes([ports[2], ports[3]]);
    if !tunnels.is_empty()
        && network.protocol == Protocol::UDP.0
        && matches!(dstport, VXLAN_PORT | GENEVE_PORT)
    {
        return None;
    }
    let mut notes = Notes::NONE;
    if captured_length < original_length {
        notes.insert(Note::SnaplenCut);
    }
    Some(CommonPacket {
        srcaddr: network.srcaddr,
        dstaddr: network.dstaddr,
        srcport: u16::from_be_bytes([ports[0], ports[1]]),
        dstport,
        protocol: Protocol(network.protocol),
        tcp_flags: TcpFlags(tcp_flags),
        ip_length: network.ip_length,
        captured_ip_length: ip_length.min(ip.len()) as u32,
        ip_offset: ip_offset as u32,
        notes,
        fingerprint: fingerprint::fingerprint(
            network.addresses,
            network.identity,
            network.ip_length,
            network.protocol,
            transport,
        ),
    })
}
