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

pub use layer::{Fate, Holds, Layer, Part, ReadField};

use self::cursor::Cursor;
use crate::packet::{CapturedPacket, IpPacket, Note, Protocol};
use crate::record::Field;

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
    let mut layers = cursor.into_layers();
    if let Some(ip) = counted {
        agree(&mut layers, ip);
    }
    layers
}

/// Takes back what a record does not have of a packet although its header has the field: what was not captured, ports and
/// flags that do not count, a length that says nothing.
fn agree(layers: &mut [Layer], ip: &IpPacket) {
    let has_length = !ip.notes.contains(Note::LengthZero) && !ip.notes.contains(Note::Jumbogram);
    let has_flags = ip.protocol == Protocol::TCP && !ip.notes.contains(Note::FlagsCut);
    for part in layers.iter_mut().flat_map(|layer| &mut layer.parts) {
        // a number may have its name behind it
        let said = part.value.as_deref().and_then(|value| value.split(", ").next());
        let is = |expected: &dyn ToString| said == Some(expected.to_string().as_str());
        let counts = match part.fate {
            Fate::Kept(fields) => fields.iter().all(|field| match field {
                Field::Protocol => is(&ip.protocol),
                Field::SrcPort => is(&ip.srcport),
                Field::DstPort => is(&ip.dstport),
                _ => said.is_some(),
            }),
            Fate::Summed(Field::Bytes) => has_length && said.is_some(),
            Fate::Summed(Field::TcpFlags) => has_flags && said.is_some(),
            Fate::Summed(_) => said.is_some(),
            Fate::Steers | Fate::Lost => true,
        };
        if !counts {
            part.fate = Fate::Lost;
        }
    }
}

#[cfg(test)]
mod tests;
