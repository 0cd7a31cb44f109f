//! Linux "cooked" captures: the headers that libpcap puts in place of the link's own (any interface at once).

use super::{Layer, Walk};
use crate::packet::{PacketDirection, SkipReason};

/// Instead of an ethertype: an 802.2 header follows (`ETH_P_802_2`).
const LLC_FOLLOWS: u16 = 0x0004;

/// LINKTYPE_LINUX_SLL: packet type, hardware type, address length and address, protocol.
pub(super) fn sll(walk: &mut Walk<'_>) -> Result<Layer, SkipReason> {
    let [packet_type_high, packet_type_low, _address @ .., high, low] = *walk.take::<16>()?;
    walk.direction = direction(u16::from_be_bytes([packet_type_high, packet_type_low]));
    Ok(protocol(u16::from_be_bytes([high, low])))
}

/// LINKTYPE_LINUX_SLL2: protocol, interface, hardware type, packet type, address length and address.
pub(super) fn sll2(walk: &mut Walk<'_>) -> Result<Layer, SkipReason> {
    let [high, low, _, _, _, _, _, _, _, _, packet_type, ..] = *walk.take::<20>()?;
    walk.direction = direction(u16::from(packet_type));
    Ok(protocol(u16::from_be_bytes([high, low])))
}

/// To this host, by broadcast or by multicast; or sent by it. Between others (3) it is neither.
fn direction(packet_type: u16) -> PacketDirection {
    match packet_type {
        0..=2 => PacketDirection::Inbound,
        4 => PacketDirection::Outbound,
        _ => PacketDirection::Unknown,
    }
}

/// An ethertype, or one of Linux's small numbers.
fn protocol(protocol: u16) -> Layer {
    if protocol == LLC_FOLLOWS { Layer::Llc } else { Layer::Ethertype(protocol) }
}
