//! FDDI, token ring and Fibre Channel: older local networks with LLC behind their own header.

use super::{Layer, Walk};
use crate::packet::SkipReason;

/// LINKTYPE_FDDI: frame control, destination, source (RFC 1390). Of the frame controls, `xx01xxxx` are LLC.
pub(super) fn fddi(walk: &mut Walk<'_>) -> Result<Layer, SkipReason> {
    let [frame_control, ..] = *walk.take::<13>()?;
    if frame_control & 0x30 == 0x10 { Ok(Layer::Llc) } else { Err(SkipReason::MacManagement) }
}

/// LINKTYPE_IEEE802_5: access control, frame control, destination, source, and a source route where the
/// source's first bit says so (RFC 1042). Of the frame controls, `01xxxxxx` are LLC.
pub(super) fn token_ring(walk: &mut Walk<'_>) -> Result<Layer, SkipReason> {
    let [_, frame_control, _, _, _, _, _, _, source, ..] = *walk.take::<14>()?;
    if frame_control & 0xc0 != 0x40 {
        return Err(SkipReason::MacManagement);
    }
    if source & 0x80 != 0 {
        let [route_control] = walk.peek()?;
        let length = usize::from(route_control & 0x1f);
        if length < 2 {
            return Err(SkipReason::LinkHeaderCut);
        }
        walk.take_slice(length)?;
    }
    Ok(Layer::Llc)
}

/// LINKTYPE_IP_OVER_FC: destination and source of 8 bytes each (RFC 2625).
pub(super) fn ip_over_fibre_channel(walk: &mut Walk<'_>) -> Result<Layer, SkipReason> {
    walk.take::<16>()?;
    Ok(Layer::Llc)
}
