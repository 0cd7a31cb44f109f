//! A packet as the capture holds it.

use super::{LinkType, Timestamp};

/// When a packet was captured, as far as the capture says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketTime {
    /// At this time.
    At(Timestamp),
    /// The container holds no time for this packet (pcapng simple packet blocks).
    Missing,
    /// The container's time does not fit 64 bits of nanoseconds since 1970.
    OutOfRange,
}

/// Which way a packet passed the interface it was captured on, as far as the capture says.
///
/// Sources: pcapng `epb_flags` bits 0–1, the packet type of Linux cooked captures, PFLOG's and NFLOG's
/// direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PacketDirection {
    /// Into the host that captured it.
    Inbound,
    /// Out of the host that captured it.
    Outbound,
    /// Not said.
    #[default]
    Unknown,
}

/// One packet of a capture, borrowed from the reader's buffer.
#[derive(Clone, Copy, Debug)]
pub struct CapturedPacket<'a> {
    /// The packet's place in its capture, from 1, as Wireshark numbers frames.
    pub number: u64,
    /// Where the packet's record or block begins, in bytes from the start of the (uncompressed) capture.
    pub offset: u64,
    /// When it was captured.
    pub time: PacketTime,
    /// The frame's length on the wire in bytes, whatever was captured of it.
    pub original_length: u32,
    /// What the frame begins with.
    pub link_type: LinkType,
    /// The capture's interface: 0 for pcap; counted on over all sections of a pcapng file.
    pub interface: u32,
    /// Which way it went, where the container says so.
    pub direction: PacketDirection,
    /// The bytes captured, from the link header on.
    pub data: &'a [u8],
}
