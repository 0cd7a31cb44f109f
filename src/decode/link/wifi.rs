//! IEEE 802.11 headers (IEEE 802.11-2020 §9.2 and §9.3.2).

use super::{Layer, Walk};
use crate::packet::SkipReason;

/// Frame control, second byte.
const TO_AND_FROM_DISTRIBUTION_SYSTEM: u8 = 0x03;
const MORE_FRAGMENTS: u8 = 0x04;
const PROTECTED: u8 = 0x40;
const HIGH_THROUGHPUT_CONTROL: u8 = 0x80;
/// Subtypes of data frames, in place in the frame control's first byte.
const WITHOUT_DATA: u8 = 0x40;
const QUALITY_OF_SERVICE: u8 = 0x80;
/// In the first byte of the quality of service control: an aggregate (A-MSDU) follows.
const AGGREGATE: u8 = 0x80;

/// An 802.11 frame up to its LLC header. Opened are data frames that are whole, not encrypted and not an
/// aggregate.
///
/// The header: frame control, duration, three addresses, sequence control; a fourth address between access
/// points; quality of service control, and high throughput control behind it.
pub(super) fn wifi(walk: &mut Walk<'_>, padded: bool) -> Result<Layer, SkipReason> {
    let [kind, flags] = *walk.peek()?;
    // version 0, type 2
    if kind & 0x0f != 0x08 || kind & WITHOUT_DATA != 0 {
        return Err(SkipReason::WifiNotData);
    }
    if flags & PROTECTED != 0 {
        return Err(SkipReason::WifiProtected);
    }
    let [_header @ .., sequence_low, _sequence_high] = *walk.take::<24>()?;
    let mut length = 24;
    if flags & MORE_FRAGMENTS != 0 || sequence_low & 0x0f != 0 {
        return Err(SkipReason::WifiFragment);
    }
    if flags & TO_AND_FROM_DISTRIBUTION_SYSTEM == TO_AND_FROM_DISTRIBUTION_SYSTEM {
        walk.take::<6>()?;
        length += 6;
    }
    if kind & QUALITY_OF_SERVICE != 0 {
        let [control, _] = walk.take()?;
        length += 2;
        if control & AGGREGATE != 0 {
            return Err(SkipReason::WifiAggregate);
        }
        if flags & HIGH_THROUGHPUT_CONTROL != 0 {
            walk.take::<4>()?;
            length += 4;
        }
    }
    if padded {
        walk.take_slice(usize::next_multiple_of(length, 4) - length)?;
    }
    Ok(Layer::Llc)
}
