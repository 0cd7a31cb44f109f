//! What packets carry: pieces of one pattern, whose checksums are known without a look at the bytes.
//!
//! The sums over all beginnings of the pattern are added up once; a piece's sum is the difference of two. So a checksum
//! costs the same whatever a packet's length.
//!
//! Source: RFC 1071 (one's complement sums can be put together from parts of even length).

use crate::random::Random;

/// As long as any packet can be, and room for pieces to begin at other places.
const LENGTH: usize = 1 << 17;

/// Where pieces may begin.
const BEGINNINGS: u64 = 1 << 15;

/// The pattern.
pub struct Payload {
    bytes: Vec<u8>,
    /// Sums of the 16-bit words in front of each place, at half of it.
    sums: Vec<u64>,
}

impl Payload {
    /// The pattern: lines of printable characters, the same for every scenario.
    pub fn new() -> Payload {
        let mut random = Random::of(0, 0);
        let printable = |byte: u64| b' ' + (byte % 95) as u8;
        let bytes: Vec<u8> =
            (0..LENGTH).map(|at| if at % 80 == 79 { b'\n' } else { printable(random.next()) }).collect();
        let mut sums = vec![0];
        let mut sum = 0;
        for word in bytes.as_chunks::<2>().0 {
            sum += u64::from(u16::from_be_bytes(*word));
            sums.push(sum);
        }
        Payload { bytes, sums }
    }

    /// Where the piece of something with this number begins.
    pub fn beginning(number: u64) -> usize {
        (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % BEGINNINGS) as usize & !1
    }

    /// A piece; nothing where it would reach over the end.
    #[inline]
    pub fn piece(&self, from: usize, length: usize) -> &[u8] {
        self.bytes.get(from..from + length).unwrap_or_default()
    }

    /// The sum of a piece's words, the last one filled up with a zero; `from` is even.
    #[inline]
    pub fn sum(&self, from: usize, length: usize) -> u64 {
        let sum = |at: usize| self.sums.get(at / 2).copied().unwrap_or(0);
        let whole = sum(from + length) - sum(from);
        if length.is_multiple_of(2) {
            return whole;
        }
        whole + (u64::from(self.bytes.get(from + length - 1).copied().unwrap_or(0)) << 8)
    }
}

/// A one's complement sum as the 16 bits of a checksum field.
#[inline]
pub fn folded(sum: u64) -> u16 {
    let sum = (sum & 0xffff_ffff) + (sum >> 32);
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    !(sum as u16)
}

/// The sum of the 16-bit words of some bytes, an odd one at the end filled up with a zero.
#[inline]
pub fn words(bytes: &[u8]) -> u64 {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let sum: u64 = pairs.iter().map(|word| u64::from(u16::from_be_bytes(*word))).sum();
    sum + rest.first().map_or(0, |last| u64::from(*last) << 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_that_of_the_bytes() {
        let payload = Payload::new();
        for (from, length) in [(0, 0), (0, 1), (2, 7), (100, 1460), (32_766, 65_535), (4, 40_000)] {
            assert_eq!(payload.piece(from, length).len(), length);
            assert_eq!(payload.sum(from, length), words(payload.piece(from, length)), "{from} {length}");
        }
    }

    #[test]
    fn the_example_of_rfc_1071() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(folded(words(&bytes)), !0xddf2);
    }
}
