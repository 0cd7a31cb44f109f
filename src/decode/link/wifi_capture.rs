//! The headers in front of 802.11 in which capturing cards tell how they heard a frame: radiotap, PPI, prism, AVS.

use super::{Layer, Walk};
use crate::packet::{LinkType, SkipReason};

/// LINKTYPE_IEEE802_11_RADIOTAP: version, padding, length, and words that say which fields are present; all
/// little-endian. Of the fields only "flags" matters: it tells whether the 802.11 header is padded.
pub(super) fn radiotap(walk: &mut Walk<'_>) -> Result<Layer, SkipReason> {
    let [_, _, length_low, length_high, ..] = *walk.peek::<8>()?;
    let header = walk.take_slice(usize::from(u16::from_le_bytes([length_low, length_high])))?;
    let flags = radiotap_flags(header).ok_or(SkipReason::LinkHeaderCut)?;
    Ok(Layer::Wifi { padded: flags & 0x20 != 0 })
}

/// The flags field, or 0 where it is not present; `None` where it lies outside the header. Behind the words of
/// presence come an aligned 64-bit time stamp (bit 0 of the first word), then the flags (bit 1).
fn radiotap_flags(header: &[u8]) -> Option<u8> {
    let mut offset: usize = 4;
    let mut first = None;
    loop {
        let word = u32::from_le_bytes(*header.get(offset..)?.first_chunk()?);
        first = first.or(Some(word));
        offset += 4;
        // the highest bit says that another word follows
        if word >> 31 == 0 {
            break;
        }
    }
    let first = first?;
    if first & 0b10 == 0 {
        return Some(0);
    }
    if first & 0b01 != 0 {
        offset = offset.next_multiple_of(8) + 8;
    }
    header.get(offset).copied()
}

/// LINKTYPE_PPI: version, flags, length, and the link type of what follows; all little-endian.
pub(super) fn ppi(walk: &mut Walk<'_>) -> Result<Layer, SkipReason> {
    let [_, _, length_low, length_high, link_type @ ..] = *walk.peek::<8>()?;
    let length = usize::from(u16::from_le_bytes([length_low, length_high]));
    if length < 8 {
        return Err(SkipReason::LinkHeaderCut);
    }
    walk.take_slice(length)?;
    let [low, high, ..] = link_type;
    Ok(Layer::LinkType(LinkType(u16::from_le_bytes([low, high]))))
}

/// LINKTYPE_IEEE802_11_PRISM: message code, length of the whole header, device and measurements, in the byte
/// order of the machine that captured it; or an AVS header in its place.
pub(super) fn prism(walk: &mut Walk<'_>) -> Result<Layer, SkipReason> {
    let [code @ .., a, b, c, d] = *walk.peek::<8>()?;
    if is_avs(code) {
        return Ok(Layer::Avs);
    }
    // no header is longer than 64 KiB, so the order that makes the length small is the right one
    let length = u32::from_le_bytes([a, b, c, d]).min(u32::from_be_bytes([a, b, c, d]));
    wifi_behind(walk, length)
}

/// LINKTYPE_IEEE802_11_AVS: a magic number, the length of the whole header, and measurements; all big-endian.
pub(super) fn avs(walk: &mut Walk<'_>) -> Result<Layer, SkipReason> {
    let [_, _, _, _, length @ ..] = *walk.peek::<8>()?;
    wifi_behind(walk, u32::from_be_bytes(length))
}

/// Whether a header is AVS's, whatever its revision.
fn is_avs(magic: [u8; 4]) -> bool {
    u32::from_be_bytes(magic) & 0xffff_f000 == 0x8021_1000
}

/// Takes a header of its own length, and 802.11 follows.
fn wifi_behind(walk: &mut Walk<'_>, length: u32) -> Result<Layer, SkipReason> {
    let length = usize::try_from(length).map_err(|_| SkipReason::LinkHeaderCut)?;
    if length < 8 {
        return Err(SkipReason::LinkHeaderCut);
    }
    walk.take_slice(length)?;
    Ok(Layer::Wifi { padded: false })
}
