//! Loopback captures of the BSDs and macOS, and the address families that they and their kin name.

use super::{Announced, Layer, Walk};
use crate::packet::SkipReason;

/// LINKTYPE_NULL and LINKTYPE_LOOP: an address family in 32 bits, in the byte order of the machine that
/// captured it for the one, in network order for the other.
pub(super) fn loopback(walk: &mut Walk<'_>) -> Result<Layer, SkipReason> {
    Ok(Layer::Ip(address_family(host_order(*walk.take()?))?))
}

/// A number of a machine whose byte order nobody wrote down: families are small, so the order that makes it
/// small is the right one.
pub(super) fn host_order(bytes: [u8; 4]) -> u32 {
    u32::from_be_bytes(bytes).min(u32::from_le_bytes(bytes))
}

/// What an address family says. IPv4's is 2 everywhere; IPv6's is 10 on Linux, 24 on NetBSD and OpenBSD, 28 on
/// FreeBSD, 30 on macOS, 23 on Windows.
pub(super) fn address_family(family: u32) -> Result<Announced, SkipReason> {
    match family {
        2 => Ok(Announced::Ipv4),
        10 | 23 | 24 | 28 | 30 => Ok(Announced::Ipv6),
        other => Err(SkipReason::AddressFamily(other)),
    }
}
