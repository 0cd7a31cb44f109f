//! IP headers: addresses, IP length and where the transport header begins (accounting rules 4, 5 and 9).
//!
//! etherparse reads both fixed headers and says what is wrong with them. Two things it does are not wanted
//! here: it refuses an IPv4 header whose options are cut, which is read again without them; and its IP slices
//! replace a length that does not fit the capture, whereas a flow log counts what the header says.

use std::net::IpAddr;

use etherparse::err::{ipv4, ipv6};
use etherparse::{Ipv4HeaderSlice, Ipv6HeaderSlice};

use super::extensions::{self, Walked};
use super::fingerprint;
use super::link::{Announced, IpStart};
use super::view::View;
use crate::packet::{Fragment, Note, Notes, Protocol, SkipReason};

/// Bytes of IPv4's fixed header.
const IPV4_FIXED: usize = 20;
/// Bytes of IPv6's header.
const IPV6_FIXED: usize = 40;

/// What the IP layer says of a packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct IpLayer {
    /// Source address.
    pub srcaddr: IpAddr,
    /// Destination address.
    pub dstaddr: IpAddr,
    /// What the IP layer leads to.
    pub protocol: Protocol,
    /// Whether it is a fragment.
    pub fragment: Fragment,
    /// IP length in bytes.
    pub ip_length: u32,
    /// Where the IP header begins in the frame.
    pub offset: usize,
    /// Where the transport header begins in the frame; may lie behind what is captured.
    pub transport: usize,
    /// Lengths, fragments and extensions.
    pub notes: Notes,
    /// Both addresses, for the fingerprint.
    pub addresses: u64,
    /// What tells the flow's packets apart, for the fingerprint.
    pub identity: u64,
}

/// Reads the IP header at `start`.
pub(super) fn read(view: View<'_>, start: IpStart) -> Result<IpLayer, SkipReason> {
    let mut layer = match start.announced {
        Announced::Ipv4 => ipv4(view, start.offset),
        Announced::Ipv6 => ipv6(view, start.offset),
        Announced::Either => match view.from(start.offset).first().map(|first| first >> 4) {
            Some(4) => ipv4(view, start.offset),
            Some(6) => ipv6(view, start.offset),
            Some(_) => Err(SkipReason::IpVersion),
            None => Err(SkipReason::IpHeaderCut),
        },
    }?;
    if layer.ip_length as usize > view.length.saturating_sub(start.offset) {
        layer.notes.insert(Note::LengthExceedsFrame);
    }
    match layer.fragment {
        Fragment::Whole => {}
        Fragment::Atomic => layer.notes.insert(Note::FragmentAtomic),
        Fragment::First(_) => layer.notes.insert(Note::FragmentFirst),
        Fragment::Later(_) => layer.notes.insert(Note::FragmentLater),
    }
    Ok(layer)
}

/// What the frame holds from the IP header on: the length of a packet that does not say its own (rule 5).
fn length_in_frame(view: View<'_>, offset: usize) -> u32 {
    u32::try_from(view.length.saturating_sub(offset)).unwrap_or(u32::MAX)
}

fn ipv4(view: View<'_>, offset: usize) -> Result<IpLayer, SkipReason> {
    let bytes = view.from(offset);
    let mut without_options: [u8; IPV4_FIXED];
    let header = match Ipv4HeaderSlice::from_slice(bytes) {
        Ok(header) => header,
        Err(ipv4::HeaderSliceError::Content(error)) => {
            return Err(match error {
                ipv4::HeaderError::UnexpectedVersion { .. } => SkipReason::IpVersion,
                ipv4::HeaderError::HeaderLengthSmallerThanHeader { .. } => SkipReason::Ipv4HeaderLength,
            });
        }
        Err(ipv4::HeaderSliceError::Len(_)) => {
            // the fixed header is cut, or only the options behind it: they are of no interest
            without_options = *bytes.first_chunk().ok_or(SkipReason::IpHeaderCut)?;
            without_options[0] = 0x45;
            Ipv4HeaderSlice::from_slice(&without_options).map_err(|_| SkipReason::IpHeaderCut)?
        }
    };
    let header_length = bytes.first().map_or(IPV4_FIXED, |first| usize::from(first & 0x0f) * 4);
    let mut notes = Notes::NONE;
    let ip_length = match header.total_len() {
        0 => {
            notes.insert(Note::LengthZero);
            length_in_frame(view, offset)
        }
        length if usize::from(length) < header_length => return Err(SkipReason::Ipv4TotalLength),
        length => u32::from(length),
    };
    let identification = u32::from(header.identification());
    let fragment = if header.fragments_offset().value() != 0 {
        Fragment::Later(identification)
    } else if header.more_fragments() {
        Fragment::First(identification)
    } else {
        Fragment::Whole
    };
    let [_, _, _, _, identity @ .., _, _, _, _, _, _, _, _, _, _, _, _] =
        *bytes.first_chunk::<IPV4_FIXED>().ok_or(SkipReason::IpHeaderCut)?;
    Ok(IpLayer {
        srcaddr: IpAddr::V4(header.source_addr()),
        dstaddr: IpAddr::V4(header.destination_addr()),
        protocol: Protocol(header.protocol().0),
        fragment,
        ip_length,
        offset,
        transport: offset.saturating_add(header_length),
        notes,
        addresses: fingerprint::ipv4_addresses(header.source(), header.destination()),
        identity: u64::from(u32::from_be_bytes(identity)),
    })
}

fn ipv6(view: View<'_>, offset: usize) -> Result<IpLayer, SkipReason> {
    let bytes = view.from(offset);
    let header = Ipv6HeaderSlice::from_slice(bytes).map_err(|error| match error {
        ipv6::HeaderSliceError::Len(_) => SkipReason::IpHeaderCut,
        ipv6::HeaderSliceError::Content(ipv6::HeaderError::UnexpectedVersion { .. }) => SkipReason::IpVersion,
    })?;
    let first_header = Protocol(header.next_header().0);
    let behind = bytes.get(IPV6_FIXED..).unwrap_or_default();
    let mut notes = Notes::NONE;
    let ip_length = match (header.payload_length(), first_header) {
        (0, Protocol::HOP_BY_HOP) => match extensions::jumbo_payload_length(behind) {
            Some(length) => {
                notes.insert(Note::Jumbogram);
                length.saturating_add(IPV6_FIXED as u32)
            }
            None => IPV6_FIXED as u32,
        },
        (0, Protocol::NONE) => IPV6_FIXED as u32,
        (0, _) if view.length > offset.saturating_add(IPV6_FIXED) => {
            notes.insert(Note::LengthZero);
            length_in_frame(view, offset)
        }
        (length, _) => IPV6_FIXED as u32 + u32::from(length),
    };
    let inside = behind.get(..ip_length as usize - IPV6_FIXED).unwrap_or(behind);
    let Walked { protocol, length, cut, fragment, fragment_word, identification } =
        extensions::walk(first_header, inside);
    if cut {
        notes.insert(Note::ExtensionCut);
    }
    let flow_label = header.flow_label().value();
    Ok(IpLayer {
        srcaddr: IpAddr::V6(header.source_addr()),
        dstaddr: IpAddr::V6(header.destination_addr()),
        protocol,
        fragment,
        ip_length,
        offset,
        transport: offset.saturating_add(IPV6_FIXED).saturating_add(length),
        notes,
        addresses: fingerprint::ipv6_addresses(header.source(), header.destination()),
        identity: fingerprint::ipv6_identity(flow_label, fragment_word, identification),
    })
}
