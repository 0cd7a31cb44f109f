//! What the BSDs' packet filter logs (PFLOG) and what their IPsec shows (ENC).

use super::loopback::{address_family, host_order};
use super::{Layer, Walk};
use crate::packet::{PacketDirection, SkipReason};

/// The shortest PFLOG header, up to and including its direction.
const SHORTEST: usize = 45;
/// From this length on the direction comes after the user and process ids (OpenBSD 3.8, FreeBSD, macOS).
const WITH_IDS: usize = 61;

/// LINKTYPE_PFLOG: its own length, an address family, what the filter did, and at a place that depends on the
/// length, which way the packet went. The header is padded to a multiple of four bytes.
pub(super) fn pflog(walk: &mut Walk<'_>) -> Result<Layer, SkipReason> {
    let [length, family] = *walk.peek()?;
    let length = usize::from(length);
    if length < SHORTEST {
        return Err(SkipReason::LinkHeaderCut);
    }
    let header = walk.take_slice(length.next_multiple_of(4))?;
    walk.direction = match header.get(if length < WITH_IDS { 44 } else { 60 }) {
        Some(1) => PacketDirection::Inbound,
        Some(2) => PacketDirection::Outbound,
        _ => PacketDirection::Unknown,
    };
    Ok(Layer::Ip(address_family(u32::from(family))?))
}

/// LINKTYPE_ENC: address family, security parameters index and flags.
pub(super) fn enc(walk: &mut Walk<'_>) -> Result<Layer, SkipReason> {
    let [family @ .., _, _, _, _, _, _, _, _] = *walk.take::<12>()?;
    Ok(Layer::Ip(address_family(host_order(family))?))
}
