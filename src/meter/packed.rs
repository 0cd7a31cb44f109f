//! Metering keys packed into integers that compare as records are ordered.
//!
//! Invariant: comparing two packed keys compares their flow keys in the order of accounting rule 17 first, then
//! direction and ICMP type, then the observation point. `pack` and `unpack` are inverse.

use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::flow::{FlowKey, MeteringKey, ObservationPoint};
use crate::packet::{IcmpType, PacketDirection, Protocol};

/// How many low bits of a packed word are not the record's key: direction and ICMP type.
const EXTRA_BITS: u32 = 24;

/// The direction's bits where it is not known.
const UNKNOWN_DIRECTION: u64 = 2 << 17;

/// A metering key in the form that tables hold and sort.
pub(crate) trait PackedKey: Copy + Default + Ord + Hash + Send + 'static {
    /// The key with everything in it.
    fn unpack(self) -> MeteringKey;

    /// The key with only what a record shows: the flow key and, where `with_direction`, the direction.
    fn projected(self, with_direction: bool) -> Self;

    /// The key seen from another point.
    fn with_point(self, point: ObservationPoint) -> Self;

    /// How many [`part`](Self::part)s a key has.
    const PARTS: usize;

    /// So many bits of the key: keys compare as their parts do, one after another.
    fn part(self, part: usize) -> u32;

    /// How many bytes [`write`](Self::write) appends.
    const LENGTH: usize;

    /// Appends the key's bytes.
    fn write(self, out: &mut Vec<u8>);

    /// Takes a key off the front of what [`write`](Self::write) appended.
    fn read(bytes: &mut &[u8]) -> Option<Self>;
}

/// Takes an array off the front of a slice.
pub(super) fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (array, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*array)
}

/// The key of an IPv4 flow: 24 bytes, so that an entry of the flow table fits one cache line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PackedV4 {
    /// srcaddr, dstaddr; from the top.
    addresses: u64,
    /// protocol, srcport, dstport, extra; from the top.
    word: u64,
    point: u32,
}

/// The key of an IPv6 flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PackedV6 {
    srcaddr: u128,
    dstaddr: u128,
    /// protocol, srcport, dstport, extra; from the top.
    word: u64,
    point: u32,
}

/// Protocol and ports of a flow of which nothing else is asked, as [`pack`] packs them.
#[inline]
const fn plain_word(protocol: Protocol, srcport: u16, dstport: u16) -> u64 {
    (protocol.0 as u64) << 56 | (srcport as u64) << 40 | (dstport as u64) << EXTRA_BITS | UNKNOWN_DIRECTION
}

impl PackedV4 {
    /// The key of a flow of which nothing else is asked: as [`pack`] packs it.
    #[inline]
    pub(crate) fn plain(
        srcaddr: Ipv4Addr,
        dstaddr: Ipv4Addr,
        protocol: Protocol,
        srcport: u16,
        dstport: u16,
    ) -> Self {
        let addresses = u64::from(srcaddr.to_bits()) << 32 | u64::from(dstaddr.to_bits());
        PackedV4 { addresses, word: plain_word(protocol, srcport, dstport), point: 0 }
    }

    /// The key of packets that went this way.
    #[inline]
    pub(crate) fn with_direction(self, direction: PacketDirection) -> Self {
        let word = self.word & !(3 << 17) | u64::from(direction_bits(direction)) << 17;
        PackedV4 { word, ..self }
    }
}

impl PackedV6 {
    /// The key of a flow of which nothing else is asked: as [`pack`] packs it.
    #[inline]
    pub(crate) fn plain(
        srcaddr: Ipv6Addr,
        dstaddr: Ipv6Addr,
        protocol: Protocol,
        srcport: u16,
        dstport: u16,
    ) -> Self {
        let word = plain_word(protocol, srcport, dstport);
        PackedV6 { srcaddr: srcaddr.to_bits(), dstaddr: dstaddr.to_bits(), word, point: 0 }
    }
}

/// A packed key of either family.
pub(super) enum Packed {
    V4(PackedV4),
    V6(PackedV6),
}

/// Packs a key.
///
/// A key whose addresses are of two families cannot come from an IP packet; it is packed as IPv6.
#[inline]
pub(super) fn pack(key: &MeteringKey) -> Packed {
    let flow = &key.flow;
    let extra = pack_extra(key);
    let word = u64::from(flow.protocol.0) << 56
        | u64::from(flow.srcport) << 40
        | u64::from(flow.dstport) << EXTRA_BITS
        | u64::from(extra);
    match (flow.srcaddr, flow.dstaddr) {
        (IpAddr::V4(srcaddr), IpAddr::V4(dstaddr)) => Packed::V4(PackedV4 {
            addresses: u64::from(srcaddr.to_bits()) << 32 | u64::from(dstaddr.to_bits()),
            word,
            point: key.point.0,
        }),
        (srcaddr, dstaddr) => Packed::V6(PackedV6 {
            srcaddr: v6_bits(srcaddr),
            dstaddr: v6_bits(dstaddr),
            word,
            point: key.point.0,
        }),
    }
}

fn v6_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// A direction in bits, in the order of records.
#[inline]
const fn direction_bits(direction: PacketDirection) -> u32 {
    match direction {
        PacketDirection::Inbound => 0,
        PacketDirection::Outbound => 1,
        PacketDirection::Unknown => 2,
    }
}

/// Direction in bits 17–18, presence of ICMP in bit 16, type and code below.
#[inline]
fn pack_extra(key: &MeteringKey) -> u32 {
    let direction = direction_bits(key.direction);
    let icmp = match key.icmp {
        Some(IcmpType { icmp_type, code }) => 1 << 16 | u32::from(icmp_type) << 8 | u32::from(code),
        None => 0,
    };
    direction << 17 | icmp
}

/// The word with only what a record shows. A direction that does not count is set to unknown.
#[inline]
const fn projected_word(word: u64, with_direction: bool) -> u64 {
    const FLOW: u64 = !((1 << EXTRA_BITS) - 1);
    if with_direction { word & (FLOW | 3 << 17) } else { word & FLOW | UNKNOWN_DIRECTION }
}

fn unpack_word(word: u64, srcaddr: IpAddr, dstaddr: IpAddr, point: u32) -> MeteringKey {
    let [protocol, s1, s0, d1, d0, flags, icmp_type, code] = word.to_be_bytes();
    let direction = match flags >> 1 & 3 {
        0 => PacketDirection::Inbound,
        1 => PacketDirection::Outbound,
        _ => PacketDirection::Unknown,
    };
    MeteringKey {
        flow: FlowKey {
            srcaddr,
            dstaddr,
            protocol: Protocol(protocol),
            srcport: u16::from_be_bytes([s1, s0]),
            dstport: u16::from_be_bytes([d1, d0]),
        },
        direction,
        point: ObservationPoint(point),
        icmp: (flags & 1 == 1).then_some(IcmpType { icmp_type, code }),
    }
}

impl PackedKey for PackedV4 {
    const PARTS: usize = 5;

    #[inline]
    fn part(self, part: usize) -> u32 {
        match part {
            0 => (self.addresses >> 32) as u32,
            1 => self.addresses as u32,
            2 => (self.word >> 32) as u32,
            3 => self.word as u32,
            _ => self.point,
        }
    }

    const LENGTH: usize = 20;

    fn unpack(self) -> MeteringKey {
        let srcaddr = Ipv4Addr::from_bits((self.addresses >> 32) as u32);
        let dstaddr = Ipv4Addr::from_bits(self.addresses as u32);
        unpack_word(self.word, srcaddr.into(), dstaddr.into(), self.point)
    }

    #[inline]
    fn projected(self, with_direction: bool) -> Self {
        PackedV4 { word: projected_word(self.word, with_direction), point: 0, ..self }
    }

    #[inline]
    fn with_point(self, point: ObservationPoint) -> Self {
        PackedV4 { point: point.0, ..self }
    }

    fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.addresses.to_le_bytes());
        out.extend_from_slice(&self.word.to_le_bytes());
        out.extend_from_slice(&self.point.to_le_bytes());
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some(PackedV4 {
            addresses: u64::from_le_bytes(take(bytes)?),
            word: u64::from_le_bytes(take(bytes)?),
            point: u32::from_le_bytes(take(bytes)?),
        })
    }
}

impl PackedKey for PackedV6 {
    const PARTS: usize = 11;

    #[inline]
    fn part(self, part: usize) -> u32 {
        match part {
            0..4 => (self.srcaddr >> (96 - 32 * part)) as u32,
            4..8 => (self.dstaddr >> (96 - 32 * (part - 4))) as u32,
            8 => (self.word >> 32) as u32,
            9 => self.word as u32,
            _ => self.point,
        }
    }

    const LENGTH: usize = 44;

    fn unpack(self) -> MeteringKey {
        let srcaddr = Ipv6Addr::from_bits(self.srcaddr);
        let dstaddr = Ipv6Addr::from_bits(self.dstaddr);
        unpack_word(self.word, srcaddr.into(), dstaddr.into(), self.point)
    }

    #[inline]
    fn projected(self, with_direction: bool) -> Self {
        PackedV6 { word: projected_word(self.word, with_direction), point: 0, ..self }
    }

    #[inline]
    fn with_point(self, point: ObservationPoint) -> Self {
        PackedV6 { point: point.0, ..self }
    }

    fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.srcaddr.to_le_bytes());
        out.extend_from_slice(&self.dstaddr.to_le_bytes());
        out.extend_from_slice(&self.word.to_le_bytes());
        out.extend_from_slice(&self.point.to_le_bytes());
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some(PackedV6 {
            srcaddr: u128::from_le_bytes(take(bytes)?),
            dstaddr: u128::from_le_bytes(take(bytes)?),
            word: u64::from_le_bytes(take(bytes)?),
            point: u32::from_le_bytes(take(bytes)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn any_key() -> impl Strategy<Value = MeteringKey> {
        let address = prop_oneof![
            (any::<u32>(), any::<u32>())
                .prop_map(|(a, b)| (IpAddr::V4(Ipv4Addr::from_bits(a)), IpAddr::V4(Ipv4Addr::from_bits(b)))),
            (any::<u128>(), any::<u128>())
                .prop_map(|(a, b)| (IpAddr::V6(Ipv6Addr::from_bits(a)), IpAddr::V6(Ipv6Addr::from_bits(b)))),
        ];
        let direction = prop_oneof![
            Just(PacketDirection::Inbound),
            Just(PacketDirection::Outbound),
            Just(PacketDirection::Unknown)
        ];
        let icmp = proptest::option::of(
            (any::<u8>(), any::<u8>()).prop_map(|(icmp_type, code)| IcmpType { icmp_type, code }),
        );
        (address, any::<(u8, u16, u16, u32)>(), direction, icmp).prop_map(
            |((srcaddr, dstaddr), (protocol, srcport, dstport, point), direction, icmp)| MeteringKey {
                flow: FlowKey { srcaddr, dstaddr, protocol: Protocol(protocol), srcport, dstport },
                direction,
                point: ObservationPoint(point),
                icmp,
            },
        )
    }

    fn unpack(packed: Packed) -> MeteringKey {
        match packed {
            Packed::V4(key) => key.unpack(),
            Packed::V6(key) => key.unpack(),
        }
    }

    fn projected(packed: Packed, with_direction: bool) -> MeteringKey {
        match packed {
            Packed::V4(key) => key.projected(with_direction).unpack(),
            Packed::V6(key) => key.projected(with_direction).unpack(),
        }
    }

    proptest! {
        #[test]
        fn unpacking_gives_back_what_was_packed(key in any_key()) {
            prop_assert_eq!(unpack(pack(&key)), key);
        }

        #[test]
        fn packed_keys_compare_as_records_are_ordered(a in any_key(), b in any_key()) {
            match (pack(&a), pack(&b)) {
                (Packed::V4(x), Packed::V4(y)) if a.flow != b.flow => {
                    prop_assert_eq!(x.cmp(&y), a.flow.cmp(&b.flow));
                }
                (Packed::V6(x), Packed::V6(y)) if a.flow != b.flow => {
                    prop_assert_eq!(x.cmp(&y), a.flow.cmp(&b.flow));
                }
                _ => {}
            }
        }

        #[test]
        fn plain_keys_are_packed_as_all_are(key in any_key()) {
            let flow = key.flow;
            let FlowKey { srcaddr, dstaddr, protocol, srcport, dstport } = flow;
            match (srcaddr, dstaddr, pack(&MeteringKey::from(flow))) {
                (IpAddr::V4(srcaddr), IpAddr::V4(dstaddr), Packed::V4(packed)) => {
                    let plain = PackedV4::plain(srcaddr, dstaddr, protocol, srcport, dstport);
                    prop_assert_eq!(plain, packed);
                    let directed = MeteringKey { direction: key.direction, ..MeteringKey::from(flow) };
                    let with_direction = plain.with_direction(key.direction);
                    prop_assert_eq!(with_direction.unpack(), directed);
                }
                (IpAddr::V6(srcaddr), IpAddr::V6(dstaddr), Packed::V6(packed)) => {
                    prop_assert_eq!(PackedV6::plain(srcaddr, dstaddr, protocol, srcport, dstport), packed);
                }
                _ => prop_assert!(false, "packed as another family"),
            }
        }

        #[test]
        fn keys_compare_as_their_parts(a in any_key(), b in any_key(), shared in 0_usize..4) {
            fn parts<K: PackedKey>(key: K) -> Vec<u32> {
                (0..K::PARTS).map(|part| key.part(part)).collect()
            }
            let mut b = b;
            if shared > 0 { b.flow.srcaddr = a.flow.srcaddr; }
            if shared > 1 { b.flow.dstaddr = a.flow.dstaddr; }
            if shared > 2 { b = MeteringKey { point: b.point, ..a }; }
            match (pack(&a), pack(&b)) {
                (Packed::V4(x), Packed::V4(y)) => prop_assert_eq!(x.cmp(&y), parts(x).cmp(&parts(y))),
                (Packed::V6(x), Packed::V6(y)) => prop_assert_eq!(x.cmp(&y), parts(x).cmp(&parts(y))),
                _ => {}
            }
        }

        #[test]
        fn projection_keeps_the_flow_and_what_is_asked_for(key in any_key()) {
            prop_assert_eq!(projected(pack(&key), false), MeteringKey::from(key.flow));
            let with_direction = projected(pack(&key), true);
            prop_assert_eq!(with_direction, MeteringKey {
                direction: key.direction, ..MeteringKey::from(key.flow)
            });
        }
    }
}
