//! MPLS label stacks (RFC 3032).

use super::{Announced, Layer, Walk};
use crate::packet::SkipReason;

/// Takes labels down to the bottom of the stack. No field names what follows, so the next four bits do: a
/// pseudowire's control word begins with neither 4 nor 6 (RFC 4385).
pub(super) fn label_stack(walk: &mut Walk<'_>) -> Result<Layer, SkipReason> {
    let mut bottom = false;
    while !bottom {
        let [_, _, entry, _] = walk.take()?;
        bottom = entry & 1 != 0;
    }
    let [first] = walk.peek()?;
    match first >> 4 {
        4 => Ok(Layer::Ip(Announced::Ipv4)),
        6 => Ok(Layer::Ip(Announced::Ipv6)),
        _ => Err(SkipReason::MplsPseudowire),
    }
}
