//! What must hold of any bytes at all: one function a fuzz target, each of which panics where it does not.
//!
//! `fuzz/` feeds them invented bytes, `tests/fuzzed.rs` what was found that way and every fixture.

mod captures;
mod comparisons;
mod conversions;
mod deliveries;
mod lint;
mod logs;
mod surroundings;
mod texts;

pub use captures::{capture, decode, merge, pcap, pcapng};
pub use comparisons::diff;
pub use conversions::convert;
pub use deliveries::relog;
pub use lint::lint;
pub use logs::flowlog_read;
pub use surroundings::vpc;
pub use texts::{filter, flow_log, log_format, times};

use std::io::{self, Read};

/// Bytes taken one after another; zeros once there are no more.
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    pub fn u8(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    pub fn u16(&mut self) -> u16 {
        u16::from_le_bytes([self.u8(), self.u8()])
    }

    pub fn u32(&mut self) -> u32 {
        u32::from(self.u16()) | u32::from(self.u16()) << 16
    }

    pub fn u64(&mut self) -> u64 {
        u64::from(self.u32()) | u64::from(self.u32()) << 32
    }

    /// Up to so many bytes.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// One of these.
    pub fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.u8()) % choices.len()].clone()
    }
}

/// All bytes in one piece.
pub const WHOLE: usize = usize::MAX;

/// A reader that yields pieces of odd sizes, one byte at a time, or everything that is asked for.
pub struct Pieces {
    bytes: io::Cursor<Vec<u8>>,
    size: usize,
}

impl Pieces {
    pub fn new(bytes: &[u8], size: usize) -> Self {
        Pieces { bytes: io::Cursor::new(bytes.to_vec()), size: size.max(1) }
    }
}

impl Read for Pieces {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if self.size != 1 && self.size != WHOLE {
            self.size = self.size * 7 % 1021 + 1;
        }
        let end = target.len().min(self.size);
        self.bytes.read(&mut target[..end])
    }
}
