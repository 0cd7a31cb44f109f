//! A captured packet byte by byte: every header field with its place, its value, and what becomes of it in a flow log
//! record.
//!
//! [`decode`](crate::decode) takes from a packet what is counted, and nothing else; this takes everything, for people to
//! read. The two are held together by [`dissect`]'s second argument: the walk ends at the IP header that was counted,
//! and layers in front of it are marked as not counted.
//!
//! Invariants: no input panics; parts follow one another, do not overlap, and cover every captured byte exactly once;
//! header fields that were not captured are named and have no value.

mod arp;
mod cursor;
mod icmp;
mod ip;
mod layer;
mod link;
mod tcp;
mod transport;
mod tunnel;

pub use layer::{Fate, Layer, Part, ReadField};

use self::cursor::Cursor;
use crate::packet::{CapturedPacket, IpPacket};

/// How many headers of one packet are told apart at most.
const DEPTH: usize = 64;

/// What the next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Ethernet,
    Ethertype(u16),
    Llc,
    Ipv4,
    Ipv6,
    /// Something behind an IP header, by its protocol number. IPv6 extension headers are some of them.
    Protocol(u8),
    /// The same, but without the header that belongs to it: a later fragment.
    Fragment,
    Vxlan,
    Geneve,
    Payload(&'static str),
    Nothing,
}

/// Takes a packet apart. `counted` is what was decoded of it, `None` where it is skipped.
pub fn dissect(packet: &CapturedPacket<'_>, counted: Option<&IpPacket>) -> Vec<Layer> {
    let target = counted.map(|ip| ip.ip_offset as usize);
    let mut cursor = Cursor::new(packet.data, target, counted.map(|ip| ip.ip_length as usize));
    let mut next = link::first(&mut cursor, packet.link_type);
    for _ in 0..DEPTH {
        // a link header that is not told apart ends where the counted packet begins
        if let Some(target) = target
            && cursor.at() < target
            && matches!(next, Next::Payload(_) | Next::Nothing)
        {
            cursor.unnamed("headers in front of IP", target);
            next = if counted.is_some_and(|ip| ip.srcaddr.is_ipv4()) { Next::Ipv4 } else { Next::Ipv6 };
        }
        next = match next {
            Next::Ethernet => link::ethernet(&mut cursor),
            Next::Ethertype(ethertype) => link::ethertype(&mut cursor, ethertype),
            Next::Llc => link::llc(&mut cursor),
            Next::Ipv4 => ip::v4(&mut cursor),
            Next::Ipv6 => ip::v6(&mut cursor),
            Next::Protocol(protocol) => transport::protocol(&mut cursor, protocol),
            Next::Fragment => Next::Payload("payload of a fragment"),
            Next::Vxlan => tunnel::vxlan(&mut cursor),
            Next::Geneve => tunnel::geneve(&mut cursor),
            Next::Payload(name) => {
                cursor.payload(name);
                Next::Nothing
            }
            Next::Nothing => break,
        };
    }
    cursor.into_layers()
}

#[cfg(test)]
mod tests;
