//! What a slice parser says about the bytes it is given.

use super::Damage;
use crate::packet::{LinkType, PacketDirection, PacketTime};

/// What the bytes begin with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cut {
    /// A whole packet in a record or block of so many bytes.
    Packet(PacketFields, usize),
    /// A whole block of so many bytes that is no packet.
    Skip(usize),
    /// A long block that is no packet and need not be held: this is its total length.
    SkipLong(u32),
    /// Not decided: at least so many bytes are needed.
    More(usize),
    /// Nothing that can be read on from.
    Damage(Damage),
}

/// What a record or block says about its packet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PacketFields {
    pub(super) time: PacketTime,
    pub(super) original_length: u32,
    pub(super) link_type: LinkType,
    pub(super) interface: u32,
    pub(super) direction: PacketDirection,
    /// Where the captured bytes begin, counted from the record's start.
    pub(super) data_start: u32,
    /// How many there are.
    pub(super) data_length: u32,
}
