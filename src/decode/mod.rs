//! From a captured packet to the IP packet inside it: pure functions on bytes.
//!
//! Steps: a fast path answers for the common frame; every other frame is walked layer by layer, link headers,
//! IP header, IPv6 extension headers, tunnels if they are to be opened, transport header. The module `fast` is
//! the one, `general` the other.
//!
//! The rules are those of the project's accounting: the IP header's own length counts, a header cut by the
//! capture still counts, and what cannot be counted is skipped for one reason. etherparse reads Ethernet, VLAN,
//! IPv4, IPv6 and UDP headers; where its rules are others, the module that cuts by hand says why.
//!
//! Invariants: no input panics; the work is linear in the captured bytes, the stack does not grow with them, and
//! nothing is allocated; both paths agree on every frame that both can answer for.

mod extensions;
mod fast;
mod fingerprint;
mod general;
mod ip;
mod link;
#[cfg(test)]
mod tests;
mod transport;
mod tunnel;
mod tunnels;
mod view;

pub use fast::{CommonPacket, common_ipv4, common_ipv6};
pub use tunnels::{ParseTunnelsError, Tunnels};

use crate::packet::{CapturedPacket, IpPacket, SkipReason};

/// Decodes a captured packet to the IP packet that counts: the one with the outermost IP header, or with
/// tunnels opened the innermost.
///
/// # Errors
///
/// The reason why there is no IP packet to count.
#[inline]
pub fn decode(packet: &CapturedPacket<'_>, tunnels: Tunnels) -> Result<IpPacket, SkipReason> {
    match fast::decode(packet, tunnels) {
        Some(ip_packet) => Ok(ip_packet),
        None => decode_uncommon(packet, tunnels),
    }
}

/// The same for a frame that [`common_ipv4`] and [`common_ipv6`] have no answer for; with one that they have, it
/// takes longer.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_uncommon(packet: &CapturedPacket<'_>, tunnels: Tunnels) -> Result<IpPacket, SkipReason> {
    general::decode(packet, tunnels)
}
