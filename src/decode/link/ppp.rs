//! PPP in its framings (RFC 1661, RFC 1662), PPPoE sessions (RFC 2516) and Cisco HDLC (RFC 1547 §4.3.1).

use super::{Announced, Layer, Walk};
use crate::packet::{PacketDirection, SkipReason};

/// PPP's address and control field in HDLC-like framing; both may be left out.
const ADDRESS_CONTROL: [u8; 2] = [0xff, 0x03];
/// Cisco HDLC's address (unicast, broadcast) and control.
const CISCO_UNICAST: [u8; 2] = [0x0f, 0x00];
const CISCO_BROADCAST: [u8; 2] = [0x8f, 0x00];

/// A PPP frame, or a Cisco HDLC frame in its place: the first byte of both says which.
pub(super) fn ppp(walk: &mut Walk<'_>) -> Result<Layer, SkipReason> {
    match *walk.peek()? {
        ADDRESS_CONTROL => {
            walk.take::<2>()?;
            protocol(walk)
        }
        CISCO_UNICAST | CISCO_BROADCAST => Ok(Layer::CiscoHdlc),
        _ => protocol(walk),
    }
}

/// A PPP protocol number: two bytes, or one where the first is odd (protocol field compression).
fn protocol(walk: &mut Walk<'_>) -> Result<Layer, SkipReason> {
    let [first] = *walk.take()?;
    let protocol = if first & 1 != 0 {
        u16::from(first)
    } else {
        let [second] = *walk.take()?;
        u16::from_be_bytes([first, second])
    };
    match protocol {
        0x0021 => Ok(Layer::Ip(Announced::Ipv4)),
        0x0057 => Ok(Layer::Ip(Announced::Ipv6)),
        // RFC 3032 §4.3
        0x0281 | 0x0283 => Ok(Layer::Mpls),
        other => Err(SkipReason::Ppp(other)),
    }
}

/// The link type of pppd's filters: the address byte is replaced by the direction, 0 received, else sent.
pub(super) fn pppd(walk: &mut Walk<'_>) -> Result<Layer, SkipReason> {
    let [sent, _control] = *walk.take()?;
    walk.direction = if sent == 0 { PacketDirection::Inbound } else { PacketDirection::Outbound };
    protocol(walk)
}

/// Version and type, code, session, length; then PPP.
pub(super) fn pppoe_session(walk: &mut Walk<'_>) -> Result<Layer, SkipReason> {
    walk.take::<6>()?;
    Ok(Layer::Ppp)
}

/// Address, control, and a protocol number that is an ethertype but for a few of Cisco's own.
pub(super) fn cisco_hdlc(walk: &mut Walk<'_>) -> Result<Layer, SkipReason> {
    let [_address, _control, high, low] = *walk.take()?;
    Ok(Layer::Ethertype(u16::from_be_bytes([high, low])))
}
