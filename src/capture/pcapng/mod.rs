//! pcapng: blocks cut from bytes.
//!
//! Steps: [`PcapngWalk::enhanced`] cuts the common block, an enhanced packet without options, and nothing else;
//! [`PcapngWalk::cut`] cuts every block:
//!
//! - a section header sets the byte order and forgets the interfaces of the section before;
//! - an interface description adds an interface, numbered on over all sections for the packets' sake;
//! - enhanced, simple and obsolete packet blocks are packets;
//! - interface statistics go into the interface's info; every other block is skipped, however long.
//!
//! The fixed fields of packet blocks are cut here, which costs as little as a pcap record; the options of describing
//! blocks are left to the pcap-file crate (see [`describe`]).
//!
//! Source: draft-ietf-opsawg-pcapng.

mod clock;
mod describe;
#[cfg(test)]
mod tests;

use self::clock::Clock;
use self::describe::{Describer, options};
use super::info::{CaptureInfo, InterfaceInfo};
use super::losses::Loss;
use super::walk::{Cut, PacketFields};
use super::{ByteOrder, ContainerFormat, Damage, MAX_CAPTURED, Version};
use crate::packet::{LinkType, PacketDirection, PacketTime};

/// Block types.
const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const INTERFACE_STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;

/// The longest block that is held in memory: a packet or a description, with all its options.
const MAX_BLOCK: u32 = 16 << 20;
/// Blocks up to this length are skipped in one step.
const SHORT_BLOCK: u32 = 64 << 10;
/// The most interfaces that a capture may describe.
const MAX_INTERFACES: u32 = 1 << 16;
/// Where a packet's bytes begin in enhanced and obsolete packet blocks.
const PACKET_START: usize = 28;

/// What the packets of an interface need of it.
#[derive(Clone, Copy, Debug)]
struct Interface {
    link_type: LinkType,
    /// 0 for no limit.
    snap_length: u32,
    clock: Clock,
}

/// Cuts blocks; holds what a section sets.
pub(super) struct PcapngWalk {
    byte_order: ByteOrder,
    /// The current section's interfaces.
    interfaces: Vec<Interface>,
    /// The capture-wide number of the section's first interface.
    first_interface: u32,
    describer: Describer,
}

impl PcapngWalk {
    /// A walk at the start of a capture, with what is known of it by its first block.
    ///
    /// # Errors
    ///
    /// [`Damage`] where the bytes do not begin with a section header of a known version.
    pub(super) fn begin(bytes: &[u8]) -> Result<(PcapngWalk, CaptureInfo), Damage> {
        let cut = |expected| Damage::Cut { what: "block", found: bytes.len() as u64, expected };
        let header = bytes.first_chunk::<16>().ok_or(cut(28))?;
        let (byte_order, version) = section(header)?;
        let walk = PcapngWalk {
            byte_order,
            interfaces: Vec::new(),
            first_interface: 0,
            describer: Describer::new(byte_order),
        };
        Ok((walk, CaptureInfo::new(ContainerFormat::Pcapng, byte_order, version)))
    }

    /// The byte order of the current section.
    pub(super) fn byte_order(&self) -> ByteOrder {
        self.byte_order
    }

    /// A number in the block.
    #[inline]
    fn word(&self, block: &[u8], at: usize) -> Option<u32> {
        block.get(at..).and_then(|rest| rest.first_chunk::<4>()).map(|&bytes| self.byte_order.u32(bytes))
    }

    /// Cuts a whole enhanced packet block without options; `None` for everything else, damage included.
    #[inline(always)]
    pub(super) fn enhanced(&self, bytes: &[u8]) -> Option<(PacketFields, usize)> {
        let header = bytes.first_chunk::<PACKET_START>()?;
        let &[a, b, c, d, e, f, g, h, fixed @ ..] = header;
        let length = self.byte_order.u32([e, f, g, h]);
        let packet = Packet::new(self.byte_order, &fixed);
        if self.byte_order.u32([a, b, c, d]) != ENHANCED_PACKET
            || packet.captured > MAX_CAPTURED
            || length != packet.captured.next_multiple_of(4) + 32
        {
            return None;
        }
        let trailer = bytes.get(length as usize - 4..)?.first_chunk::<4>()?;
        let interface = self.interfaces.get(packet.interface as usize)?;
        if trailer != &[e, f, g, h] {
            return None;
        }
        Some((self.fields(&packet, interface), length as usize))
    }

    /// Cuts the block that the bytes begin with.
    pub(super) fn cut(&mut self, bytes: &[u8], info: &mut CaptureInfo) -> Cut {
        self.try_cut(bytes, info).unwrap_or_else(|stop| stop)
    }

    /// The same; what ends the cutting early is in the `Err`.
    fn try_cut(&mut self, bytes: &[u8], info: &mut CaptureInfo) -> Result<Cut, Cut> {
        let &[a, b, c, d, e, f, g, h] = bytes.first_chunk::<8>().ok_or(Cut::More(12))?;
        let block_type = self.byte_order.u32([a, b, c, d]);
        if block_type == SECTION_HEADER {
            let header = bytes.first_chunk::<16>().ok_or(Cut::More(28))?;
            let (byte_order, version) = section(header).map_err(Cut::Damage)?;
            let block = whole_block(bytes, byte_order, block_type, byte_order.u32([e, f, g, h]), 28)?;
            self.begin_section(block, byte_order, version, info)?;
            return Ok(Cut::Skip(block.len()));
        }
        let length = self.byte_order.u32([e, f, g, h]);
        let whole = |least| whole_block(bytes, self.byte_order, block_type, length, least);
        match block_type {
            ENHANCED_PACKET | OBSOLETE_PACKET => self.packet(bytes, block_type, length, info),
            SIMPLE_PACKET => self.simple_packet(whole(16)?),
            INTERFACE_DESCRIPTION => {
                let block = whole(20)?;
                self.describe(block, info)?;
                Ok(Cut::Skip(block.len()))
            }
            INTERFACE_STATISTICS => {
                let block = whole(12)?;
                if let Some(id) = self.word(block, 8) {
                    let time = self.statistics_time(id, block);
                    let describer = &mut self.describer;
                    let take_up = |interface: &mut InterfaceInfo| describer.statistics(block, interface);
                    change(info, self.first_interface.saturating_add(id), time, take_up);
                }
                Ok(Cut::Skip(block.len()))
            }
            _ if length > SHORT_BLOCK => Ok(Cut::SkipLong(length)),
            _ => Ok(Cut::Skip(whole(12)?.len())),
        }
    }

    /// Begins a section.
    fn begin_section(
        &mut self,
        block: &[u8],
        byte_order: ByteOrder,
        version: Version,
        info: &mut CaptureInfo,
    ) -> Result<(), Cut> {
        if !matches!(version, Version { major: 1, minor: 0 | 2 }) {
            let Version { major, minor } = version;
            let expected = "version 1.0 or 1.2";
            return Err(Cut::Damage(Damage::Version { format: "pcapng", major, minor, expected }));
        }
        if byte_order != self.byte_order {
            self.byte_order = byte_order;
            self.describer = Describer::new(byte_order);
        }
        self.interfaces.clear();
        self.first_interface = u32::try_from(info.interfaces.len()).unwrap_or(MAX_INTERFACES);
        info.sections = info.sections.saturating_add(1);
        self.describer.section(block, info);
        Ok(())
    }

    /// Takes up an interface description.
    fn describe(&mut self, block: &[u8], info: &mut CaptureInfo) -> Result<(), Cut> {
        if info.interfaces.len() >= MAX_INTERFACES as usize {
            return Err(Cut::Damage(Damage::TooManyInterfaces { limit: MAX_INTERFACES }));
        }
        let (mut described, clock) = self.describer.interface(block);
        described.section = info.sections;
        let link_type = described.link_type;
        let snap_length = described.snap_length.unwrap_or_default();
        self.interfaces.push(Interface { link_type, snap_length, clock });
        info.interfaces.push(described);
        Ok(())
    }

    /// The time of interface statistics; those without have a zero.
    fn statistics_time(&self, interface: u32, block: &[u8]) -> PacketTime {
        let units = self.word(block, 12).zip(self.word(block, 16));
        match (self.interfaces.get(interface as usize), units) {
            (Some(interface), Some((high, low))) if (high, low) != (0, 0) => {
                interface.clock.time(u64::from(high) << 32 | u64::from(low))
            }
            _ => PacketTime::Missing,
        }
    }

    /// Cuts an enhanced or obsolete packet block.
    fn packet(&self, bytes: &[u8], block_type: u32, length: u32, info: &mut CaptureInfo) -> Result<Cut, Cut> {
        const FIXED: u32 = PACKET_START as u32 + 4;
        if length < FIXED {
            return Err(Cut::Damage(Damage::BlockTooShort { block_type, length, expected: FIXED }));
        }
        let &[_, _, _, _, _, _, _, _, fixed @ ..] =
            bytes.first_chunk::<PACKET_START>().ok_or(Cut::More(FIXED as usize))?;
        let mut packet = Packet::new(self.byte_order, &fixed);
        let mut drops = 0;
        if block_type == OBSOLETE_PACKET {
            let &[a, b, c, d, ..] = &fixed;
            packet.interface = u32::from(self.byte_order.u16([a, b]));
            // 0xffff stands for unknown
            drops = Some(self.byte_order.u16([c, d])).filter(|&count| count != 0xffff).unwrap_or_default();
        }
        let captured = packet.captured;
        if captured > MAX_CAPTURED {
            return Err(Cut::Damage(Damage::RecordTooLong { captured }));
        }
        if captured > length - FIXED {
            return Err(Cut::Damage(Damage::CapturedOverBlock { captured, room: length - FIXED }));
        }
        let block = whole_block(bytes, self.byte_order, block_type, length, FIXED)?;
        let interface = self.described(packet.interface)?;
        let mut fields = self.fields(&packet, interface);
        let mut drops = u64::from(drops);
        let options_start = PACKET_START + (captured as usize).next_multiple_of(4);
        for (code, value) in options(self.byte_order, block, options_start) {
            match (code, value) {
                // epb_flags, pack_flags
                (2, &[a, b, c, d]) => {
                    fields.direction = match self.byte_order.u32([a, b, c, d]) & 3 {
                        1 => PacketDirection::Inbound,
                        2 => PacketDirection::Outbound,
                        _ => PacketDirection::Unknown,
                    };
                }
                // epb_dropcount
                (4, &[a, b, c, d, e, f, g, h]) if block_type == ENHANCED_PACKET => {
                    let (first, second) =
                        (self.byte_order.u32([a, b, c, d]), self.byte_order.u32([e, f, g, h]));
                    let (high, low) = match self.byte_order {
                        ByteOrder::Big => (first, second),
                        ByteOrder::Little => (second, first),
                    };
                    drops = u64::from(high) << 32 | u64::from(low);
                }
                _ => {}
            }
        }
        if drops > 0 {
            change(info, fields.interface, fields.time, |interface| {
                interface.dropped_before_packets = interface.dropped_before_packets.saturating_add(drops);
            });
        }
        Ok(Cut::Packet(fields, block.len()))
    }

    /// Cuts a simple packet block: no time, no captured length, interface 0.
    fn simple_packet(&self, block: &[u8]) -> Result<Cut, Cut> {
        const START: u32 = 12;
        let interface = self.described(0)?;
        let original_length = self.word(block, 8).unwrap_or_default();
        let limit = if interface.snap_length == 0 { u32::MAX } else { interface.snap_length };
        let room = u32::try_from(block.len()).unwrap_or(u32::MAX) - START - 4;
        let captured = original_length.min(limit).min(room);
        if captured > MAX_CAPTURED {
            return Err(Cut::Damage(Damage::RecordTooLong { captured }));
        }
        let fields = PacketFields {
            time: PacketTime::Missing,
            original_length,
            link_type: interface.link_type,
            interface: self.first_interface,
            direction: PacketDirection::Unknown,
            data_start: START,
            data_length: captured,
        };
        Ok(Cut::Packet(fields, block.len()))
    }

    /// An interface of the current section.
    fn described(&self, interface: u32) -> Result<&Interface, Cut> {
        let described = self.interfaces.len() as u32;
        self.interfaces
            .get(interface as usize)
            .ok_or(Cut::Damage(Damage::UndescribedInterface { interface, described }))
    }

    /// What a packet block's fixed fields say.
    #[inline]
    fn fields(&self, packet: &Packet, interface: &Interface) -> PacketFields {
        PacketFields {
            time: interface.clock.time(packet.units),
            original_length: packet.original_length,
            link_type: interface.link_type,
            interface: self.first_interface + packet.interface,
            direction: PacketDirection::Unknown,
            data_start: PACKET_START as u32,
            data_length: packet.captured,
        }
    }
}

/// Changes what is known of an interface, and tells if that are lost packets.
fn change(info: &mut CaptureInfo, number: u32, time: PacketTime, change: impl FnOnce(&mut InterfaceInfo)) {
    let Some(interface) = info.interfaces.get_mut(number as usize) else { return };
    let before = interface.lost();
    change(interface);
    if interface.lost() > before {
        let time = if let PacketTime::At(time) = time { Some(time) } else { None };
        info.losses.tell(Loss { interface: number, time });
    }
}

/// The fixed fields of an enhanced packet block.
struct Packet {
    interface: u32,
    units: u64,
    captured: u32,
    original_length: u32,
}

impl Packet {
    /// Reads them, from behind the block's length on.
    #[inline]
    fn new(byte_order: ByteOrder, fixed: &[u8; 20]) -> Self {
        let &[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t] = fixed;
        let high = byte_order.u32([e, f, g, h]);
        let low = byte_order.u32([i, j, k, l]);
        Packet {
            interface: byte_order.u32([a, b, c, d]),
            units: u64::from(high) << 32 | u64::from(low),
            captured: byte_order.u32([m, n, o, p]),
            original_length: byte_order.u32([q, r, s, t]),
        }
    }
}

/// The byte order and the version of a section header.
fn section(header: &[u8; 16]) -> Result<(ByteOrder, Version), Damage> {
    let &[_, _, _, _, _, _, _, _, magic @ .., a, b, c, d] = header;
    let byte_order = match u32::from_be_bytes(magic) {
        0x1a2b_3c4d => ByteOrder::Big,
        0x4d3c_2b1a => ByteOrder::Little,
        found => return Err(Damage::ByteOrder { found }),
    };
    Ok((byte_order, Version { major: byte_order.u16([a, b]), minor: byte_order.u16([c, d]) }))
}

/// A block of a type that is held, once all of it is there and its lengths agree.
fn whole_block(
    bytes: &[u8],
    byte_order: ByteOrder,
    block_type: u32,
    length: u32,
    least: u32,
) -> Result<&[u8], Cut> {
    if length < least {
        return Err(Cut::Damage(Damage::BlockTooShort { block_type, length, expected: least }));
    }
    if length > MAX_BLOCK {
        return Err(Cut::Damage(Damage::BlockTooLong { block_type, length, limit: MAX_BLOCK }));
    }
    let block = bytes.get(..length as usize).ok_or(Cut::More(length as usize))?;
    let found = block.last_chunk::<4>().map(|&trailer| byte_order.u32(trailer)).unwrap_or_default();
    if found != length {
        return Err(Cut::Damage(Damage::TrailingLength { found, expected: length }));
    }
    Ok(block)
}
