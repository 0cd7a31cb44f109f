//! Ethernet frames from messages: every length and checksum right.
//!
//! A frame is written straight behind what is in the buffer; checksums of data come from [`Payload`].
//!
//! Sources: RFC 791, RFC 8200, RFC 9293, RFC 7323 (timestamps), RFC 768, RFC 792, RFC 4443, RFC 1071 (checksums),
//! RFC 7348 (VXLAN), IEEE 802.1Q.

use std::net::IpAddr;

use super::message::{Message, Part, Segment, ip_header};
use super::payload::{Payload, folded, words};
use super::scenario::Mirror;
use crate::packet::{Protocol, TcpFlags};

/// One direction of what lies between two stations.
#[derive(Clone, Copy, Debug)]
pub struct Side {
    /// The sender's MAC address, then the receiver's.
    pub macs: [[u8; 6]; 2],
    /// The VLAN that frames are tagged with.
    pub vlan: Option<u16>,
    /// The sender's address.
    pub source: IpAddr,
    /// The receiver's address, of the same family.
    pub destination: IpAddr,
    /// The sender's port, then the receiver's.
    pub ports: [u16; 2],
}

/// What tells one packet from another, beside what it says.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// IPv4's identification; IPv6's in fragments.
    pub identification: u16,
    /// Where its data begins in the pattern.
    pub data_from: usize,
}

/// The length of a DNS header.
const OPENING: usize = 12;

/// Bytes in front of a mirrored frame: Ethernet, IPv4, UDP, VXLAN.
const MIRROR: usize = 14 + 20 + 8 + 8;

impl Side {
    fn is_v6(&self) -> bool {
        self.source.is_ipv6()
    }

    /// The length of the frame that a part is sent in, without what a mirror puts in front.
    pub fn frame_length(&self, part: &Part) -> usize {
        14 + if self.vlan.is_some() { 4 } else { 0 } + part.ip_length(self.is_v6()) as usize
    }

    /// The sum of both addresses' words.
    fn addresses(&self) -> u64 {
        [self.source, self.destination]
            .iter()
            .map(|address| match address {
                IpAddr::V4(address) => words(&address.octets()),
                IpAddr::V6(address) => words(&address.octets()),
            })
            .sum()
    }
}

/// Appends the frame of a part of a message.
pub fn write_frame(
    side: &Side,
    message: &Message,
    part: &Part,
    stamp: Stamp,
    payload: &Payload,
    out: &mut Vec<u8>,
) {
    let [source, destination] = side.macs;
    out.extend_from_slice(&destination);
    out.extend_from_slice(&source);
    if let Some(vlan) = side.vlan {
        out.extend_from_slice(&[0x81, 0x00]);
        out.extend_from_slice(&vlan.to_be_bytes());
    }
    let protocol = message.protocol(side.is_v6());
    let addresses = side.addresses();
    match (side.source, side.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            write_ipv4(source.octets(), destination.octets(), protocol, message, part, stamp, addresses, out);
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            write_ipv6(source.octets(), destination.octets(), protocol, message, part, stamp, out);
        }
        // endpoints are checked to be of one family
        _ => return,
    }
    let header = message.header();
    let opening = opening(side, message);
    if part.from == 0 {
        let all = header + message.data();
        let pseudo = addresses + u64::from(protocol.0) + u64::from(all & 0xffff) + u64::from(all >> 16);
        let mut data = payload.sum(stamp.data_from, message.data() as usize);
        if let Some(opening) = opening {
            data = data - payload.sum(stamp.data_from, OPENING) + words(&opening);
        }
        write_header(side, message, pseudo, data, out);
    }
    let start = out.len();
    let from = stamp.data_from + part.from.saturating_sub(header) as usize;
    let length = part.length - if part.from == 0 { header } else { 0 };
    out.extend_from_slice(payload.piece(from, length as usize));
    if let (0, Some(opening), Some(place)) = (part.from, opening, out.get_mut(start..start + OPENING)) {
        place.copy_from_slice(&opening);
    }
}

/// What a message begins with where programs look into it: of DNS a header without records, of anything else nothing.
///
/// Source: RFC 1035 §4.1.1.
fn opening(side: &Side, message: &Message) -> Option<[u8; OPENING]> {
    const DNS: u16 = 53;
    if !matches!(message, Message::Udp { data } if *data as usize >= OPENING) {
        return None;
    }
    let [from, to] = side.ports;
    let [high, low] = (if from == DNS { to } else { from }).to_be_bytes();
    // a query that desires recursion, a response that had it
    let flags = if from == DNS { [0x81, 0x80] } else { [0x01, 0x00] };
    [from, to].contains(&DNS).then_some([high, low, flags[0], flags[1], 0, 0, 0, 0, 0, 0, 0, 0])
}

#[allow(clippy::too_many_arguments, reason = "the fields of one header")]
fn write_ipv4(
    [a, b, c, d]: [u8; 4],
    [e, f, g, h]: [u8; 4],
    protocol: Protocol,
    message: &Message,
    part: &Part,
    stamp: Stamp,
    addresses: u64,
    out: &mut Vec<u8>,
) {
    // what is longer than the field can say comes from offload, which captures show with a length of 0
    let length = u16::try_from(part.ip_length(false)).unwrap_or(0);
    let dont_fragment = matches!(message, Message::Tcp(_));
    let fragment = u16::from(dont_fragment) << 14 | u16::from(part.more) << 13 | (part.from / 8) as u16;
    let ttl_protocol = 64 << 8 | u16::from(protocol.0);
    let sum = 0x4500
        + u64::from(length)
        + u64::from(stamp.identification)
        + u64::from(fragment)
        + u64::from(ttl_protocol)
        + addresses;
    let ([l1, l0], [i1, i0], [f1, f0]) =
        (length.to_be_bytes(), stamp.identification.to_be_bytes(), fragment.to_be_bytes());
    let [c1, c0] = folded(sum).to_be_bytes();
    out.extend_from_slice(&[
        0x08, 0x00, 0x45, 0, l1, l0, i1, i0, f1, f0, 64, protocol.0, c1, c0, a, b, c, d, e, f, g, h,
    ]);
}

fn write_ipv6(
    source: [u8; 16],
    destination: [u8; 16],
    protocol: Protocol,
    message: &Message,
    part: &Part,
    stamp: Stamp,
    out: &mut Vec<u8>,
) {
    let length = u16::try_from(part.ip_length(true) - ip_header(true)).unwrap_or(0);
    let [l1, l0] = length.to_be_bytes();
    let next = if part.is_fragment() { Protocol::FRAGMENT } else { protocol };
    // of one flow all packets have one flow label (RFC 6437)
    let label = (stamp.data_from as u16).to_be_bytes();
    out.extend_from_slice(&[0x86, 0xdd, 0x60, 0, label[0], label[1], l1, l0, next.0, 64]);
    out.extend_from_slice(&source);
    out.extend_from_slice(&destination);
    if part.is_fragment() {
        let [o1, o0] = ((part.from & !7) as u16 | u16::from(part.more)).to_be_bytes();
        let [i1, i0] = stamp.identification.to_be_bytes();
        out.extend_from_slice(&[message.protocol(true).0, 0, o1, o0, 0, 0, i1, i0]);
    }
}

/// Appends the header of a message; `pseudo` is the sum of the pseudo-header, `data` that of its data.
fn write_header(side: &Side, message: &Message, pseudo: u64, data: u64, out: &mut Vec<u8>) {
    let start = out.len();
    let [[s1, s0], [d1, d0]] = side.ports.map(u16::to_be_bytes);
    let checksum_at = match *message {
        Message::Tcp(segment) => {
            write_segment(&segment, [s1, s0, d1, d0], side.is_v6(), out);
            16
        }
        Message::Udp { data } => {
            let [l1, l0] = ((8 + data) as u16).to_be_bytes();
            out.extend_from_slice(&[s1, s0, d1, d0, l1, l0, 0, 0]);
            6
        }
        Message::Echo { reply, identifier, sequence, .. } => {
            let kind = match (side.is_v6(), reply) {
                (false, false) => 8,
                (false, true) => 0,
                (true, false) => 128,
                (true, true) => 129,
            };
            let ([i1, i0], [n1, n0]) = (identifier.to_be_bytes(), sequence.to_be_bytes());
            out.extend_from_slice(&[kind, 0, 0, 0, i1, i0, n1, n0]);
            2
        }
    };
    // ICMP of IPv4 has no pseudo-header
    let pseudo = if matches!(message, Message::Echo { .. }) && !side.is_v6() { 0 } else { pseudo };
    let header = words(out.get(start..).unwrap_or_default());
    let checksum = match (folded(pseudo + header + data), message) {
        // 0 would say that there is none (RFC 768)
        (0, Message::Udp { .. }) => 0xffff,
        (checksum, _) => checksum,
    };
    if let Some(place) = out.get_mut(start + checksum_at..start + checksum_at + 2) {
        place.copy_from_slice(&checksum.to_be_bytes());
    }
}

fn write_segment(segment: &Segment, [s1, s0, d1, d0]: [u8; 4], is_v6: bool, out: &mut Vec<u8>) {
    let ([q3, q2, q1, q0], [a3, a2, a1, a0]) = (segment.seq.to_be_bytes(), segment.ack.to_be_bytes());
    let offset = (segment.header() as u8 / 4) << 4;
    let flags = segment.flags.0;
    // 64 KiB, which behind a SYN is written in units of 128
    let window: u16 = if segment.flags.contains(TcpFlags::SYN) { 64_240 } else { 502 };
    let [w1, w0] = window.to_be_bytes();
    out.extend_from_slice(&[
        s1, s0, d1, d0, q3, q2, q1, q0, a3, a2, a1, a0, offset, flags, w1, w0, 0, 0, 0, 0,
    ]);
    let ([c3, c2, c1, c0], [e3, e2, e1, e0]) = (segment.clock.to_be_bytes(), segment.echoed.to_be_bytes());
    let timestamps = [8, 10, c3, c2, c1, c0, e3, e2, e1, e0];
    if segment.flags.contains(TcpFlags::SYN) {
        // maximum segment size of an MTU of 1500, SACK permitted, timestamps, window scale 7
        let [m1, m0] = (1460 - if is_v6 { 20_u16 } else { 0 }).to_be_bytes();
        out.extend_from_slice(&[2, 4, m1, m0, 4, 2]);
        out.extend_from_slice(&timestamps);
        out.extend_from_slice(&[1, 3, 3, 7]);
    } else if !segment.flags.contains(TcpFlags::RST) {
        out.extend_from_slice(&[1, 1]);
        out.extend_from_slice(&timestamps);
    }
}

/// Appends what a mirroring session puts in front of a frame of this length.
///
/// Source: Traffic Mirroring guide, "Packet format"; RFC 7348 §5: the outer UDP checksum may be 0.
pub fn write_mirror(
    mirror: &Mirror,
    macs: [[u8; 6]; 2],
    frame_length: usize,
    source_port: u16,
    out: &mut Vec<u8>,
) {
    let [source, destination] = macs;
    out.extend_from_slice(&destination);
    out.extend_from_slice(&source);
    let length = (MIRROR - 14 + frame_length) as u16;
    let [outer, target] = mirror.outer.map(|address| address.octets());
    let sum = 0x4500 + u64::from(length) + 0x4000 + 0x4011 + words(&outer) + words(&target);
    let ([l1, l0], [c1, c0]) = (length.to_be_bytes(), folded(sum).to_be_bytes());
    out.extend_from_slice(&[0x08, 0x00, 0x45, 0, l1, l0, 0, 0, 0x40, 0, 64, 17, c1, c0]);
    out.extend_from_slice(&outer);
    out.extend_from_slice(&target);
    let ([p1, p0], [u1, u0]) = (source_port.to_be_bytes(), (length - 20).to_be_bytes());
    let [_, v2, v1, v0] = mirror.vni.to_be_bytes();
    // UDP to port 4789, then VXLAN with the I flag
    out.extend_from_slice(&[p1, p0, 0x12, 0xb5, u1, u0, 0, 0, 0x08, 0, 0, 0, v2, v1, v0, 0]);
}
