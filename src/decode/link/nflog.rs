//! What Linux's netfilter logs (NFLOG): attributes, one of which is the packet.

use super::loopback::address_family;
use super::{Layer, Walk};
use crate::packet::{PacketDirection, SkipReason};

/// The attribute that holds the packet's hook (`NFULA_PACKET_HDR`).
const PACKET_HEADER: u16 = 1;
/// The attribute that holds the packet (`NFULA_PAYLOAD`).
const PAYLOAD: u16 = 9;

/// LINKTYPE_NFLOG: address family, version, resource; then attributes of a length, a type and a value each,
/// padded to multiples of four bytes, in the byte order of the machine that captured them.
pub(super) fn nflog(walk: &mut Walk<'_>) -> Result<Layer, SkipReason> {
    let [family, _version, _resource_high, _resource_low] = *walk.take()?;
    let announced = address_family(u32::from(family))?;
    let (payload, direction) = attributes(walk.rest, u16::from_le_bytes)
        .or_else(|| attributes(walk.rest, u16::from_be_bytes))
        .ok_or(SkipReason::LinkHeaderCut)?;
    walk.rest = payload;
    walk.direction = direction;
    Ok(Layer::Ip(announced))
}

/// The frame from the packet on, and the packet's direction; `None` where the attributes make no sense or the
/// packet is not among those captured.
fn attributes(mut rest: &[u8], number: fn([u8; 2]) -> u16) -> Option<(&[u8], PacketDirection)> {
    let mut direction = PacketDirection::Unknown;
    loop {
        let ([length_0, length_1, type_0, type_1], value) = rest.split_first_chunk()?;
        let length = usize::from(number([*length_0, *length_1]));
        // the high bits say "nested" and "network order"
        match number([*type_0, *type_1]) & 0x3fff {
            _ if length < 4 => return None,
            PAYLOAD => return Some((value, direction)),
            // protocol (two bytes) and hook
            PACKET_HEADER => direction = hook_direction(*value.get(2)?),
            _ => {}
        }
        rest = rest.get(length.next_multiple_of(4)..)?;
    }
}

/// Which way a packet goes at a netfilter hook: prerouting and input, output and postrouting. A forwarded
/// packet goes both ways.
fn hook_direction(hook: u8) -> PacketDirection {
    match hook {
        0 | 1 => PacketDirection::Inbound,
        3 | 4 => PacketDirection::Outbound,
        _ => PacketDirection::Unknown,
    }
}
