//! Ethernet, VLAN tags and the ethertypes behind which IP may lie.

use etherparse::{
    EtherType, Ethernet2Header, Ethernet2HeaderSlice, SingleVlanHeader, SingleVlanHeaderSlice, ether_type,
};

use super::{Announced, Layer, Walk};
use crate::packet::SkipReason;

/// MPLS, RFC 3032 and RFC 5332.
const MPLS: [u16; 2] = [0x8847, 0x8848];
/// A PPPoE session, RFC 2516.
const PPPOE_SESSION: u16 = 0x8864;
/// The greatest value that is a length (IEEE 802.3 §3.2.6).
const GREATEST_LENGTH: u16 = 1500;

/// Destination, source, and an ethertype or a length.
pub(super) fn ethernet(walk: &mut Walk<'_>) -> Result<Layer, SkipReason> {
    let header = Ethernet2HeaderSlice::from_slice(walk.rest).map_err(|_| SkipReason::LinkHeaderCut)?;
    let EtherType(field) = header.ether_type();
    walk.take_slice(Ethernet2Header::LEN)?;
    Ok(Layer::EthertypeOrLength(field))
}

/// Up to 1500 it is a length, and LLC follows.
pub(super) fn ethertype_or_length(field: u16) -> Layer {
    if field <= GREATEST_LENGTH { Layer::Llc } else { Layer::Ethertype(field) }
}

/// What an ethertype leads to; takes a VLAN tag where it says so.
pub(super) fn ethertype(walk: &mut Walk<'_>, ethertype: u16) -> Result<Layer, SkipReason> {
    match EtherType(ethertype) {
        ether_type::IPV4 => Ok(Layer::Ip(Announced::Ipv4)),
        ether_type::IPV6 => Ok(Layer::Ip(Announced::Ipv6)),
        ether_type::VLAN_TAGGED_FRAME
        | ether_type::PROVIDER_BRIDGING
        | ether_type::VLAN_DOUBLE_TAGGED_FRAME => {
            let tag = SingleVlanHeaderSlice::from_slice(walk.rest).map_err(|_| SkipReason::LinkHeaderCut)?;
            let EtherType(field) = tag.ether_type();
            walk.take_slice(SingleVlanHeader::LEN)?;
            Ok(Layer::EthertypeOrLength(field))
        }
        EtherType(PPPOE_SESSION) => Ok(Layer::Pppoe),
        EtherType(other) if MPLS.contains(&other) => Ok(Layer::Mpls),
        EtherType(other) => Err(SkipReason::Ethertype(other)),
    }
}
