//! The room's tests: frames built here, decoded through [`decode`](super::decode).

mod lengths;
mod link;
mod paths;
mod transport;
mod tunnel;

use super::{Tunnels, decode};
use crate::packet::{CapturedPacket, IpPacket, LinkType, Note, PacketDirection, PacketTime, SkipReason};

/// A captured packet of these bytes, nothing else known of it.
fn captured(link_type: LinkType, original_length: usize, data: &[u8]) -> CapturedPacket<'_> {
    CapturedPacket {
        number: 1,
        offset: 24,
        time: PacketTime::Missing,
        original_length: u32::try_from(original_length).unwrap(),
        link_type,
        interface: 0,
        direction: PacketDirection::Unknown,
        data,
    }
}

/// Decodes a frame that was captured whole.
fn decode_frame(link_type: LinkType, frame: &[u8]) -> Result<IpPacket, SkipReason> {
    decode(&captured(link_type, frame.len(), frame), Tunnels::NONE)
}

/// Decodes an IPv4 or IPv6 packet without a link header.
fn decode_ip(packet: &[u8]) -> Result<IpPacket, SkipReason> {
    decode_frame(LinkType::RAW, packet)
}

/// Joins parts of a frame.
fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// An IPv4 packet from 10.0.0.1 to 10.0.0.2 with a correct total length, identification 7.
fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + payload.len()).unwrap().to_be_bytes();
    let header = [0x45, 0, length[0], length[1], 0, 7, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    join(&[&header, payload])
}

/// An IPv6 packet from fd00::1 to fd00::2 with a correct payload length, flow label 5.
fn ipv6(next_header: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    let address = |last| [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
    join(&[&[0x60, 0, 0, 5, length[0], length[1], next_header, 64], &address(1), &address(2), payload])
}

/// A UDP datagram with a correct length.
fn udp(srcport: u16, dstport: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + payload.len()).unwrap();
    join(&[&srcport.to_be_bytes(), &dstport.to_be_bytes(), &length.to_be_bytes(), &[0, 0], payload])
}

/// A TCP segment without options.
fn tcp(srcport: u16, dstport: u16, flags: u8) -> Vec<u8> {
    let ports = join(&[&srcport.to_be_bytes(), &dstport.to_be_bytes()]);
    join(&[&ports, &[0, 0, 0, 1, 0, 0, 0, 2, 0x50, flags, 1, 0, 0, 0, 0, 0]])
}

/// An Ethernet frame.
fn ethernet(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    join(&[&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], &ethertype.to_be_bytes(), payload])
}

/// The notes of a packet, in order.
fn notes(packet: &IpPacket) -> Vec<Note> {
    packet.notes.iter().collect()
}
