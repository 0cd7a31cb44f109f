//! IP addresses, prefix-preserving: ipcrypt-pfx (draft-denis-ipcrypt, "Methods for IP address encryption and
//! obfuscation"), with what an address is for kept.
//!
//! The scheme turns each bit over, or not, by what stands in front of it alone. So one may leave a bit as it is wherever
//! that depends on the bits in front alone, and prefixes are kept as before, and no two addresses fall on one. Bits stay
//! along the way to every block of [`V4`] and [`V6`]: an address in a block stays in it, and none comes in from outside.
//! What is outside keeps the bits by which it is told from the nearest block, and these are not hidden.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Mask;

/// A block of addresses whose purpose is worth more than hiding it.
struct Block<A> {
    first: A,
    /// How many bits its addresses share.
    shared: u32,
    /// How many bits of its addresses stay as they are, at least those that they share.
    kept: u32,
}

const fn v4(octets: [u8; 4], shared: u32, kept: u32) -> Block<Ipv4Addr> {
    let [a, b, c, d] = octets;
    Block { first: Ipv4Addr::new(a, b, c, d), shared, kept }
}

const fn v6(segments: [u16; 8], shared: u32, kept: u32) -> Block<Ipv6Addr> {
    let [a, b, c, d, e, f, g, h] = segments;
    Block { first: Ipv6Addr::new(a, b, c, d, e, f, g, h), shared, kept }
}

/// Source: IANA special-purpose and multicast address registries; AWS "Flow log limitations".
const V4: [Block<Ipv4Addr>; 17] = [
    v4([0, 0, 0, 0], 32, 32),
    v4([10, 0, 0, 0], 8, 8),
    v4([100, 64, 0, 0], 10, 10),
    v4([127, 0, 0, 0], 8, 8),
    v4([127, 0, 0, 1], 32, 32),
    v4([169, 254, 0, 0], 16, 16),
    // AWS's services
    v4([169, 254, 169, 123], 32, 32),
    v4([169, 254, 169, 250], 31, 32),
    v4([169, 254, 169, 253], 32, 32),
    v4([169, 254, 169, 254], 32, 32),
    v4([169, 254, 170, 2], 32, 32),
    v4([172, 16, 0, 0], 12, 12),
    v4([192, 168, 0, 0], 16, 16),
    v4([224, 0, 0, 0], 4, 4),
    // groups that everybody knows
    v4([224, 0, 0, 0], 24, 32),
    v4([240, 0, 0, 0], 4, 4),
    v4([255, 255, 255, 255], 32, 32),
];

/// The same of IPv6. The group that a host makes of its own address (`ff02::1:ff…`) is not known to everybody.
const V6: [Block<Ipv6Addr>; 9] = [
    v6([0, 0, 0, 0, 0, 0, 0, 0], 127, 128),
    v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3, 3),
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, 8),
    // AWS's services
    v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0], 32, 128),
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, 64),
    // flags and scope
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, 16),
    v6([0xff02, 0, 0, 0, 0, 0, 0, 0], 120, 128),
    v6([0xff02, 0, 0, 0, 0, 0, 1, 0], 120, 128),
    v6([0xff02, 0, 0, 0, 0, 1, 0xff00, 0], 104, 104),
];

/// IPv4 inside of IPv6: mapped (RFC 4291) and behind NAT64 (RFC 6052).
const EMBEDDED: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0)];

impl Mask {
    /// The address that stands for an address.
    pub fn address(&self, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V4(v4) => IpAddr::V4(self.v4(v4)),
            IpAddr::V6(v6) => IpAddr::V6(self.v6(v6)),
        }
    }

    /// The range that stands for a range: the masks of its addresses are all those in it. The address is its first; a
    /// length that is too long counts as the longest.
    pub fn network(&self, first: IpAddr, bits: u8) -> IpAddr {
        match self.address(first) {
            IpAddr::V4(v4) => {
                let host = u32::MAX.checked_shr(u32::from(bits)).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & !host))
            }
            IpAddr::V6(v6) => {
                let host = u128::MAX.checked_shr(u32::from(bits)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !host))
            }
        }
    }

    fn v4(&self, address: Ipv4Addr) -> Ipv4Addr {
        let shared = |block: Ipv4Addr| (address.to_bits() ^ block.to_bits()).leading_zeros();
        let kept = V4.iter().map(|block| block.keeps(shared(block.first))).max().unwrap_or(0);
        let IpAddr::V4(masked) = self.addresses.encrypt_ipaddr(IpAddr::V4(address)) else { return address };
        let hidden = u32::MAX.checked_shr(kept).unwrap_or(0);
        Ipv4Addr::from_bits(address.to_bits() & !hidden | masked.to_bits() & hidden)
    }

    fn v6(&self, address: Ipv6Addr) -> Ipv6Addr {
        const LOW: u128 = u32::MAX as u128;
        let bits = address.to_bits();
        let around = EMBEDDED.iter().find(|around| bits & !LOW == around.to_bits());
        if let Some(around) = around {
            let inside = self.v4(Ipv4Addr::from_bits((bits & LOW) as u32));
            return Ipv6Addr::from_bits(around.to_bits() | u128::from(inside.to_bits()));
        }
        let shared = |block: Ipv6Addr| (bits ^ block.to_bits()).leading_zeros();
        let embedded = EMBEDDED.map(|first| Block { first, shared: 96, kept: 96 });
        let kept = V6.iter().chain(&embedded).map(|block| block.keeps(shared(block.first))).max();
        let hidden = u128::MAX.checked_shr(kept.unwrap_or(0)).unwrap_or(0);
        // asked for as IPv6 it is answered as IPv6, but for what is embedded
        let masked = match self.addresses.encrypt_ipaddr(IpAddr::V6(address)) {
            IpAddr::V6(masked) => masked.to_bits(),
            IpAddr::V4(masked) => masked.to_ipv6_mapped().to_bits(),
        };
        Ipv6Addr::from_bits(bits & !hidden | masked & hidden)
    }
}

impl<A> Block<A> {
    /// How many bits of an address stay for this block's sake, by how many it shares with the block's first: inside what
    /// the block keeps, outside what both share and the bit that tells them apart.
    fn keeps(&self, shared: u32) -> u32 {
        if shared >= self.shared { self.kept } else { shared + 1 }
    }
}
