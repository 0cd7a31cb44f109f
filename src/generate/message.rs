//! What one side says to the other, before it has addresses: its sizes follow from here alone, never from the frames
//! that are made of it.

use crate::packet::{Protocol, TcpFlags};

/// A TCP segment, or several that offload joins in the capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The sequence number of its first byte.
    pub seq: u32,
    /// What it acknowledges.
    pub ack: u32,
    /// Its flags.
    pub flags: TcpFlags,
    /// Bytes of data, of all segments together.
    pub data: u32,
    /// How many segments there are on the wire; more than one only with data.
    pub segments: u32,
    /// The sender's clock in milliseconds (RFC 7323).
    pub clock: u32,
    /// The other side's clock, as it was heard last.
    pub echoed: u32,
}

/// What is sent in one go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// A TCP segment.
    Tcp(Segment),
    /// A UDP datagram with so many bytes of data.
    Udp {
        /// Bytes of data.
        data: u32,
    },
    /// An ICMP or ICMPv6 echo.
    Echo {
        /// Whether it is a reply.
        reply: bool,
        /// Tells one ping from another.
        identifier: u16,
        /// The how manieth of its ping, from 0.
        sequence: u16,
        /// Bytes of data.
        data: u32,
    },
}

/// A part of an IP payload that is sent as a packet of its own: all of it, or a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where it begins in the payload.
    pub from: u32,
    /// How long it is.
    pub length: u32,
    /// Whether another follows.
    pub more: bool,
}

impl Part {
    /// Whether it is a fragment.
    pub fn is_fragment(&self) -> bool {
        self.from > 0 || self.more
    }
}

/// The length of an IP header without options (RFC 791 §3.1, RFC 8200 §3).
pub const fn ip_header(is_v6: bool) -> u32 {
    if is_v6 { 40 } else { 20 }
}

/// The length of IPv6's fragment header (RFC 8200 §4.5).
const FRAGMENT_HEADER: u32 = 8;

impl Segment {
    /// The length of its header: a SYN's with five options, a reset's with none, else with timestamps.
    pub const fn header(&self) -> u32 {
        if self.flags.contains(TcpFlags::SYN) {
            40
        } else if self.flags.contains(TcpFlags::RST) {
            20
        } else {
            32
        }
    }
}

impl Message {
    /// Its protocol.
    pub const fn protocol(&self, is_v6: bool) -> Protocol {
        match self {
            Message::Tcp(_) => Protocol::TCP,
            Message::Udp { .. } => Protocol::UDP,
            Message::Echo { .. } if is_v6 => Protocol::ICMPV6,
            Message::Echo { .. } => Protocol::ICMP,
        }
    }

    /// Its flags.
    pub const fn flags(&self) -> TcpFlags {
        match self {
            Message::Tcp(segment) => segment.flags,
            _ => TcpFlags(0),
        }
    }

    /// The length of its own header.
    pub const fn header(&self) -> u32 {
        match self {
            Message::Tcp(segment) => segment.header(),
            Message::Udp { .. } | Message::Echo { .. } => 8,
        }
    }

    /// Bytes of data.
    pub const fn data(&self) -> u32 {
        match self {
            Message::Tcp(segment) => segment.data,
            Message::Udp { data } | Message::Echo { data, .. } => *data,
        }
    }

    /// How many packets it is on the wire, where it is not fragmented.
    pub const fn segments(&self) -> u32 {
        match self {
            Message::Tcp(segment) => segment.segments,
            _ => 1,
        }
    }

    /// The parts that it is sent in where no packet is longer than `mtu`. TCP never is.
    pub fn parts(&self, is_v6: bool, mtu: u32) -> impl Iterator<Item = Part> {
        let all = self.header() + self.data();
        let fits = matches!(self, Message::Tcp(_)) || ip_header(is_v6) + all <= mtu;
        let extra = if is_v6 { FRAGMENT_HEADER } else { 0 };
        // fragments but the last are whole multiples of eight bytes
        let room = if fits { all.max(1) } else { (mtu - ip_header(is_v6) - extra) & !7 };
        (0..all.div_ceil(room)).map(move |number| {
            let from = number * room;
            let length = room.min(all - from);
            Part { from, length, more: from + length < all }
        })
    }
}

impl Part {
    /// The length of its IP packet.
    pub fn ip_length(&self, is_v6: bool) -> u32 {
        let extra = if is_v6 && self.is_fragment() { FRAGMENT_HEADER } else { 0 };
        ip_header(is_v6) + extra + self.length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_datagram_is_cut_as_rfc_791_says() {
        let parts: Vec<_> = Message::Udp { data: 3000 }.parts(false, 1500).collect();
        let lengths: Vec<_> = parts.iter().map(|part| part.ip_length(false)).collect();
        assert_eq!(lengths, [1500, 1500, 68]);
        let more: Vec<_> = parts.iter().map(|part| (part.from, part.more)).collect();
        assert_eq!(more, [(0, true), (1480, true), (2960, false)]);
        let lengths: Vec<_> =
            Message::Udp { data: 3000 }.parts(true, 1500).map(|part| part.ip_length(true)).collect();
        assert_eq!(lengths, [1496, 1496, 160]);
        assert_eq!(Message::Udp { data: 0 }.parts(false, 1500).count(), 1);
    }
}
