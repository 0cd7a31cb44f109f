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

/// The packet advanced to.
pub(super) struct Current {
    pub(super) fields: PacketFields,
    /// Its record's place in the capture.
    pub(super) offset: u64,
    /// Its bytes' place in the block.
    pub(super) data: usize,
}

impl Current {
    /// Before the first packet.
    pub(super) const NONE: Current = Current {
        fields: PacketFields {
            time: PacketTime::Missing,
            original_length: 0,
            link_type: LinkType(0),
            interface: 0,
            direction: PacketDirection::Unknown,
            data_start: 0,
            data_length: 0,
        },
        offset: 0,
        data: 0,
    };
}
