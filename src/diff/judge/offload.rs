//! Segmentation offload: the host's capture shows fewer, larger packets than there are on the wire.
//!
//! Every segment that offload joins to another loses its own IP and TCP header: 40 to 80 bytes with IPv4, 60 to 100
//! with IPv6. And it makes packets that no link could carry.

use super::{Settled, State};
use crate::diff::Cause;
use crate::diff::report::Kind;

/// The largest IP packet that a VPC carries, in bytes (EC2 "Network MTU").
const LARGEST_MTU: u32 = 9001;

/// Records with more, smaller packets than a capture that joined some of them.
pub(super) fn settle(state: &mut State<'_>) {
    if !state.witness_is_capture {
        return;
    }
    state.for_open_claims(|_, flow, index| {
        let claim = flow.claims.get(index)?;
        let said = flow.said(index)?;
        let packets = claim.packets.checked_sub(said.packets).filter(|packets| *packets > 0)?;
        let bytes = claim.bytes.checked_sub(said.bytes)?;
        let headers = if flow.id.key.srcaddr.is_ipv4() { 40..=80 } else { 60..=100 };
        let fits = packets.checked_mul(*headers.start()).is_some_and(|least| least <= bytes)
            && packets.checked_mul(*headers.end()).is_none_or(|most| bytes <= most);
        if !fits || said.facts.largest <= LARGEST_MTU {
            return None;
        }
        let detail = format!(
            "the capture has packets of up to {} bytes, larger than any MTU; the {packets} packets and {bytes} bytes \
             that it has less are {} bytes a packet, the headers of segments that offload joined",
            said.facts.largest,
            bytes / packets
        );
        Some(Settled::differs(Kind::Counts, Cause::SegmentOffload, Some(said), detail))
    });
}
