//! The block of bytes that records are cut from.
//!
//! Reads go to a fixed place that lies on a 64-byte boundary; what is left of a cut record is first moved to just in
//! front of it:
//!
//! ```text
//! | 0..64 | room for the rest of a record | base: the block, read here ...          |
//!                         start ^-- rest -^ end
//! ```
//!
//! If you change this: a block that starts off the boundary makes the same reads up to four times slower, because
//! the kernel then copies unaligned. Bytes are read as soon as they are asked for and as many as there are, so a
//! pipe is never waited on while a whole record is at hand. The block grows only when one record does not fit.

use std::io::{self, Read};

/// Where a block begins: at a multiple of this many bytes.
const ALIGNMENT: usize = 64;
/// The first block's size; enough to look into a file.
const FIRST_BLOCK: usize = 64 << 10;
/// The size of every block after it.
const BLOCK: usize = 1 << 20;
/// Room in front of a block: for a whole pcap record, nearly.
const HEADROOM: usize = 320 << 10;

/// A block of bytes and the part of it that is not yet cut into records.
pub(super) struct Block {
    bytes: Vec<u8>,
    base: usize,
    start: usize,
    end: usize,
}

impl Block {
    /// An empty block that holds no memory.
    pub(super) const fn new() -> Self {
        Block { bytes: Vec::new(), base: 0, start: 0, end: 0 }
    }

    /// The bytes not yet cut.
    #[inline]
    pub(super) fn unread(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// Where the bytes not yet cut begin, for [`Block::slice`].
    #[inline]
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// Bytes by their place, valid until the next [`Block::fill`].
    #[inline]
    pub(super) fn slice(&self, start: usize, length: usize) -> &[u8] {
        self.bytes.get(start..start + length).unwrap_or_default()
    }

    /// Takes this many bytes, which must be there.
    #[inline]
    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
        debug_assert!(self.start <= self.end);
    }

    /// Gives the memory back.
    pub(super) fn clear(&mut self) {
        *self = Block::new();
    }

    /// Reads once and puts what comes behind the bytes not yet cut; 0 at the end of the reader.
    pub(super) fn fill(&mut self, reader: &mut impl Read) -> io::Result<usize> {
        if self.start == self.end {
            self.start = self.base;
            self.end = self.base;
        }
        if self.end == self.bytes.len() {
            self.make_room();
        }
        let room = self.bytes.get_mut(self.end..).unwrap_or_default();
        let count = reader.read(room)?;
        self.end += count.min(room.len());
        Ok(count)
    }

    /// Moves the bytes not yet cut to just in front of the block, which becomes larger where that is needed.
    fn make_room(&mut self) {
        let rest = self.end - self.start;
        let full_size = self.bytes.len() >= BLOCK;
        if full_size && rest <= self.base {
            self.bytes.copy_within(self.start..self.end, self.base - rest);
        } else {
            let (headroom, block) = match self.bytes.is_empty() {
                true => (0, FIRST_BLOCK),
                false => (rest.max(HEADROOM), rest.max(BLOCK)),
            };
            let mut bytes = vec![0; 2 * ALIGNMENT + headroom + block];
            let boundary = bytes.as_ptr().align_offset(ALIGNMENT);
            let base = headroom.next_multiple_of(ALIGNMENT) + if boundary < ALIGNMENT { boundary } else { 0 };
            bytes.truncate(base + block);
            let old = self.bytes.get(self.start..self.end).unwrap_or_default();
            if let Some(place) = bytes.get_mut(base - rest..base) {
                place.copy_from_slice(old);
            }
            self.bytes = bytes;
            self.base = base;
        }
        self.start = self.base - rest;
        self.end = self.base;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_begin_on_the_boundary_and_lose_nothing() {
        let data: Vec<u8> = (0..5_000_000_u32).map(|i| (i % 251) as u8).collect();
        let mut reader = &data[..];
        let mut block = Block::new();
        let mut seen = Vec::new();
        let mut step = 1;
        loop {
            let place = block.end;
            let aligned_before = block.bytes.len();
            if block.fill(&mut reader).unwrap() == 0 {
                break;
            }
            if place == aligned_before {
                assert_eq!(block.bytes[block.base..].as_ptr().align_offset(ALIGNMENT), 0);
            }
            // leave a rest of growing size, as records do
            let count = block.unread().len().saturating_sub(step);
            step = (step * 3) % 700_000 + 1;
            seen.extend_from_slice(&block.unread()[..count]);
            block.consume(count);
        }
        seen.extend_from_slice(block.unread());
        assert!(seen == data);
    }

    #[test]
    fn a_record_larger_than_the_block_grows_it() {
        let data = vec![7; 9 << 20];
        let mut reader = &data[..];
        let mut block = Block::new();
        while block.fill(&mut reader).unwrap() > 0 {}
        assert_eq!(block.unread().len(), data.len());
        assert!(block.bytes.len() < 3 * data.len());
        block.clear();
        assert!(block.bytes.is_empty());
    }
}
