//! IEEE 802.2 logical link control, and the subnetwork access protocol behind it (RFC 1042).

use super::{Announced, Layer, Walk};
use crate::packet::SkipReason;

/// The service access point of SNAP.
const SNAP: u8 = 0xaa;
/// The service access point of IP.
const IP: u8 = 0x06;

/// Destination and source access point, control; and a SNAP header where both say so.
pub(super) fn llc(walk: &mut Walk<'_>) -> Result<Layer, SkipReason> {
    let [destination, source, control] = *walk.take()?;
    let unnumbered_information = control & 0xef == 0x03;
    let information = control & 0x01 == 0;
    if information {
        // a numbered frame's control field has a second byte
        let [_] = walk.take()?;
    }
    match (destination, source) {
        _ if !(unnumbered_information || information) => Err(SkipReason::Llc(destination)),
        (SNAP, SNAP) => snap(walk),
        (IP, _) => Ok(Layer::Ip(Announced::Either)),
        _ => Err(SkipReason::Llc(destination)),
    }
}

/// An organisation and its protocol: an ethertype for Ethernet's (RFC 1042) and for that of bridges (RFC 1390's
/// 00-00-F8, IEEE 802.1H).
pub(super) fn snap(walk: &mut Walk<'_>) -> Result<Layer, SkipReason> {
    let [organisation @ .., high, low] = *walk.take::<5>()?;
    match organisation {
        [0, 0, 0] | [0, 0, 0xf8] => Ok(Layer::Ethertype(u16::from_be_bytes([high, low]))),
        _ => Err(SkipReason::SnapOrganisation),
    }
}
