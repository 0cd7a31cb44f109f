//! Frame relay (ITU-T Q.922, RFC 2427), with Cisco's own encapsulation beside it.

use super::{Announced, Layer, Walk, llc};
use crate::packet::SkipReason;

/// Unnumbered information, the only control field that RFC 2427 uses.
const UNNUMBERED_INFORMATION: u8 = 0x03;
/// Cisco's encapsulation has an ethertype in place of the control field.
const CISCO_IPV4: [u8; 2] = [0x08, 0x00];
const CISCO_IPV6: [u8; 2] = [0x86, 0xdd];

/// An address of two to four bytes, the last of which is odd; control; and a network-layer protocol.
pub(super) fn frame_relay(walk: &mut Walk<'_>) -> Result<Layer, SkipReason> {
    address(walk)?;
    let [control, mut protocol] = *walk.take()?;
    match [control, protocol] {
        CISCO_IPV4 => return Ok(Layer::Ip(Announced::Ipv4)),
        CISCO_IPV6 => return Ok(Layer::Ip(Announced::Ipv6)),
        [UNNUMBERED_INFORMATION, _] => {}
        _ => return Err(SkipReason::FrameRelay(control)),
    }
    if protocol == 0 {
        // a byte of padding, so that what follows is aligned
        [protocol] = *walk.take()?;
    }
    match protocol {
        0xcc => Ok(Layer::Ip(Announced::Ipv4)),
        0x8e => Ok(Layer::Ip(Announced::Ipv6)),
        0x80 => llc::snap(walk),
        other => Err(SkipReason::FrameRelay(other)),
    }
}

/// Takes bytes up to the first odd one: the second, third or fourth.
fn address(walk: &mut Walk<'_>) -> Result<(), SkipReason> {
    for place in 1..=4 {
        let [byte] = *walk.take()?;
        match (byte & 1 != 0, place) {
            (true, 1) => return Err(SkipReason::LinkHeaderCut),
            (true, _) => return Ok(()),
            (false, _) => {}
        }
    }
    Err(SkipReason::LinkHeaderCut)
}
