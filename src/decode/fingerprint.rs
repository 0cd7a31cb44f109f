//! The fingerprint: a hash by which two sights of one packet are found.
//!
//! It covers what routers leave alone: addresses, IP length, protocol, IPv4's identification and fragment word
//! (IPv6: flow label and fragment header), and the first [`COVERED`] bytes behind the IP header, ports
//! included, as far as they are captured and inside the IP length. It leaves out the link header and its
//! padding, TTL and hop limit, the IPv4 checksum and options, DSCP and ECN.
//!
//! Steps: pairs of words are folded with a fixed key each (a 64×64→128-bit product, both halves XORed); the
//! products do not wait for each other; one last fold mixes their XOR with the lengths and the protocol.
//!
//! Invariants: the same on every machine and in every run, so results never depend on where they were made.
//! The keys are no secret: whoever wants two packets to collide can have it, so an equal fingerprint is a
//! suspicion, never a proof.

/// How many bytes from the transport header on are covered at most.
pub(super) const COVERED: usize = 40;

/// Odd 64-bit numbers without a pattern: the first bits behind the point of √2, √3, √5, … √19.
const KEYS: [u64; 8] = [
    0x6a09_e667_f3bc_c909,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// Multiplies to 128 bits and folds them to 64, so that every bit of the result depends on every bit of both.
#[inline(always)]
const fn fold(a: u64, b: u64) -> u64 {
    let product = (a as u128).wrapping_mul(b as u128);
    (product as u64) ^ (product >> 64) as u64
}

/// Both addresses of an IPv4 packet in one word.
#[inline(always)]
pub(super) fn ipv4_addresses(srcaddr: [u8; 4], dstaddr: [u8; 4]) -> u64 {
    u64::from(u32::from_be_bytes(srcaddr)) << 32 | u64::from(u32::from_be_bytes(dstaddr))
}

/// Both addresses of an IPv6 packet, folded to one word.
#[inline(always)]
pub(super) fn ipv6_addresses(srcaddr: [u8; 16], dstaddr: [u8; 16]) -> u64 {
    let (source, destination) = (u128::from_be_bytes(srcaddr), u128::from_be_bytes(dstaddr));
    let (high, low) = ((source >> 64) as u64, source as u64);
    let first = fold(high ^ KEYS[1], low ^ KEYS[2]);
    let (high, low) = ((destination >> 64) as u64, destination as u64);
    first ^ fold(high ^ KEYS[3], low ^ KEYS[4])
}

/// What tells packets of one flow apart in IPv6: the flow label (20 bits), and of a fragment header the word
/// with its offset and its identification.
#[inline(always)]
pub(super) fn ipv6_identity(flow_label: u32, fragment_word: u16, identification: u32) -> u64 {
    u64::from(flow_label) << 44 ^ u64::from(fragment_word) << 32 ^ u64::from(identification)
}

/// The fingerprint of a packet with these addresses, identity, IP length (bytes) and protocol.
///
/// `transport` is what is captured from the transport header on and inside the IP length.
#[inline(always)]
pub(super) fn fingerprint(
    addresses: u64,
    identity: u64,
    ip_length: u32,
    protocol: u8,
    transport: &[u8],
) -> u64 {
    let mut hash = fold(addresses ^ KEYS[0], identity ^ KEYS[1]);
    let covered = transport.len().min(COVERED);
    // the words overlap where the length is no multiple of them: every byte is read, none twice as a loop
    if let Some((head, rest)) = transport.split_first_chunk::<16>() {
        let (a, b) = words(head);
        hash ^= fold(a ^ KEYS[2], b ^ KEYS[3]);
        if let Some((middle, _)) = rest.split_first_chunk::<16>() {
            let (a, b) = words(middle);
            hash ^= fold(a ^ KEYS[4], b ^ KEYS[5]);
        }
        // 24 bytes behind the first 16 are covered: of these, the last 16 at most
        let rest = rest.first_chunk::<24>().map_or(rest, |rest| rest.as_slice());
        if let Some((_, tail)) =
            transport.get(..16 + rest.len()).unwrap_or(transport).split_last_chunk::<16>()
        {
            let (a, b) = words(tail);
            hash ^= fold(a ^ KEYS[6], b ^ KEYS[7]);
        }
    } else {
        let (a, b) = short_words(transport);
        hash ^= fold(a ^ KEYS[2], b ^ KEYS[3]);
    }
    let lengths = (covered as u64) << 40 | u64::from(protocol) << 32 | u64::from(ip_length);
    fold(hash ^ KEYS[5], lengths ^ KEYS[7])
}

/// Two words of 16 bytes.
#[inline(always)]
fn words(bytes: &[u8; 16]) -> (u64, u64) {
    let both = u128::from_le_bytes(*bytes);
    (both as u64, (both >> 64) as u64)
}

/// Two words of fewer than 16 bytes: the first and the last eight, four, or single bytes.
#[inline(always)]
fn short_words(bytes: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        return (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        return (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)));
    }
    (bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(transport: &[u8]) -> u64 {
        fingerprint(1, 2, 3, 6, transport)
    }

    #[test]
    fn every_covered_bit_and_the_length_tell_packets_apart() {
        let bytes: Vec<u8> = (0..60_u8).map(|n| n.wrapping_mul(37)).collect();
        let mut seen = std::collections::HashSet::new();
        for length in 0..=COVERED {
            assert!(seen.insert(of(&bytes[..length])), "{length}");
            for bit in 0..length * 8 {
                let mut changed = bytes.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                assert!(seen.insert(of(&changed[..length])), "bit {bit} of {length} bytes");
            }
        }
        let mut changed = bytes.clone();
        changed[COVERED] ^= 1;
        assert_eq!(of(&bytes), of(&changed));
        assert_eq!(of(&bytes), of(&bytes[..COVERED]));
    }

    #[test]
    fn zeros_of_every_length_are_different() {
        let all: std::collections::HashSet<u64> =
            (0..=COVERED).map(|length| of(&[0; COVERED][..length])).collect();
        assert_eq!(all.len(), COVERED + 1);
    }

    #[test]
    fn every_header_field_counts() {
        let base = fingerprint(1, 2, 3, 6, b"ports");
        let others = [
            fingerprint(0, 2, 3, 6, b"ports"),
            fingerprint(1, 3, 3, 6, b"ports"),
            fingerprint(1, 2, 4, 6, b"ports"),
            fingerprint(1, 2, 3, 17, b"ports"),
        ];
        assert!(others.iter().all(|other| *other != base));
        let (a, b) = ([1; 16], [2; 16]);
        assert_ne!(ipv6_addresses(a, b), ipv6_addresses(b, a));
        assert_ne!(ipv4_addresses([1; 4], [2; 4]), ipv4_addresses([2; 4], [1; 4]));
    }

    #[test]
    fn is_the_same_on_every_machine() {
        assert_eq!(fingerprint(1, 2, 3, 6, b"twenty bytes of TCP."), 12_279_693_688_767_214_474);
    }
}
