//! Packets that lie in a block, handed on one after another without a stop between them.
//!
//! Reading, cutting and what is done to a packet are compiled into one loop, so that a packet is never put together in
//! memory: hence the traits with a method each, all inlined, in place of closures, which cannot be told to be.

use super::info::CaptureInfo;
use super::pcap::PcapWalk;
use super::pcapng::PcapngWalk;
use super::walk::PacketFields;
use crate::packet::{CapturedPacket, PacketTime};

/// Takes packets one after another. A trait and no closure, because closures cannot be told to be inlined.
pub trait TakePacket {
    /// Takes the next packet, of the capture with this index, which says this of itself.
    fn take_packet(&mut self, capture: usize, packet: &CapturedPacket<'_>, info: &CaptureInfo);
}

/// Whether a packet of this time comes before those of all other captures.
pub(super) trait ComesNext {
    fn comes_next(&self, time: PacketTime) -> bool;
}

/// Cuts a common record or block, which is whole; for everything else `None`.
pub(super) trait CutCommon {
    fn cut_common(&self, bytes: &[u8]) -> Option<(PacketFields, usize)>;
}

impl CutCommon for PcapWalk {
    #[inline(always)]
    fn cut_common(&self, bytes: &[u8]) -> Option<(PacketFields, usize)> {
        self.record(bytes)
    }
}

impl CutCommon for PcapngWalk {
    #[inline(always)]
    fn cut_common(&self, bytes: &[u8]) -> Option<(PacketFields, usize)> {
        self.enhanced(bytes)
    }
}

/// What lies in the block and is handed on without being advanced to.
pub(super) struct Ahead<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) number: u64,
    pub(super) offset: u64,
    pub(super) info: &'a CaptureInfo,
    pub(super) most: usize,
}

impl Ahead<'_> {
    /// Hands on packets as long as they are common, whole, and before those of other captures.
    #[inline(always)]
    pub(super) fn each(
        &mut self,
        walk: &impl CutCommon,
        comes_next: &impl ComesNext,
        capture: usize,
        taker: &mut impl TakePacket,
    ) {
        for _ in 0..self.most {
            let Some((fields, length)) = walk.cut_common(self.bytes) else { return };
            let Some((record, behind)) = self.bytes.split_at_checked(length) else { return };
            if !comes_next.comes_next(fields.time) {
                return;
            }
            let start = fields.data_start as usize;
            self.number += 1;
            let packet = CapturedPacket {
                number: self.number,
                offset: self.offset,
                time: fields.time,
                original_length: fields.original_length,
                link_type: fields.link_type,
                interface: fields.interface,
                direction: fields.direction,
                data: record.get(start..start + fields.data_length as usize).unwrap_or_default(),
            };
            taker.take_packet(capture, &packet, self.info);
            self.bytes = behind;
            self.offset += length as u64;
        }
    }
}
