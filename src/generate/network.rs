//! Interfaces of VPCs and hosts outside of them, found by name or address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::scenario::Seat;
use crate::record::FlowRecord;

/// A network interface of a VPC, as far as packets and records show it.
#[derive(Clone, Debug)]
pub struct Interface {
    /// `eni-…`.
    pub id: String,
    /// Its private addresses, the primary one first.
    pub addresses: Vec<IpAddr>,
    /// Its MAC address.
    pub mac: [u8; 6],
    /// What is the same in all its records: account, VPC, subnet and so on.
    pub identity: FlowRecord,
}

/// A host outside of every VPC, or a service: addresses without an interface.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its name in the scenario.
    pub name: String,
    /// Its addresses: each the first of so many.
    pub ranges: Vec<(IpAddr, u64)>,
}

/// Everybody who can take part in a conversation.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// The interfaces, in the order of the scenario.
    pub interfaces: Vec<Interface>,
    /// The others.
    pub hosts: Vec<Host>,
}

/// The MAC address of the VPC's router, behind which everybody without an interface is.
pub(super) const ROUTER: [u8; 6] = [0x02, 0, 0, 0, 0, 0xfe];

impl Interface {
    /// The address that a record of this interface shows for its own side: its primary IPv4 address, whatever the
    /// packet has; an IPv6 address where it is its own, else its first.
    ///
    /// Source: Amazon VPC User Guide, "Flow log limitations"; IPv6: `docs/vpc.md`.
    pub(super) fn shown(&self, address: IpAddr) -> IpAddr {
        if address.is_ipv6() && self.addresses.contains(&address) {
            return address;
        }
        let first = self.addresses.iter().find(|own| own.is_ipv4() == address.is_ipv4());
        first.copied().unwrap_or(address)
    }
}

impl Network {
    /// An interface by its identifier.
    pub fn interface_named(&self, id: &str) -> Option<usize> {
        self.interfaces.iter().position(|interface| interface.id == id)
    }

    /// The interface with an address.
    pub fn interface_at(&self, address: IpAddr) -> Option<usize> {
        self.interfaces.iter().position(|interface| interface.addresses.contains(&address))
    }

    /// The addresses of this family that somebody has: of an interface the first, of a host all ranges.
    pub(super) fn named(&self, name: &str, is_v6: bool) -> Vec<Seat> {
        if let Some(at) = self.interface_named(name) {
            let addresses = self.interfaces.get(at).map(|interface| interface.addresses.as_slice());
            let first = addresses.unwrap_or_default().iter().find(|address| address.is_ipv6() == is_v6);
            return first
                .map(|first| Seat { interface: Some(at), first: *first, count: 1 })
                .into_iter()
                .collect();
        }
        let host = self.hosts.iter().find(|host| host.name == name);
        let ranges = host.map(|host| host.ranges.as_slice()).unwrap_or_default().iter();
        let of_family = ranges.filter(|(first, _)| first.is_ipv6() == is_v6);
        of_family.map(|(first, count)| Seat { interface: None, first: *first, count: *count }).collect()
    }

    /// Whether a host has an address.
    pub(super) fn is_of_host(&self, address: IpAddr) -> bool {
        self.hosts.iter().any(|host| host.ranges.iter().any(|range| overlap(range, &(address, 1))))
    }

    /// Whether anybody has this name.
    pub(super) fn is_known(&self, name: &str) -> bool {
        self.interface_named(name).is_some() || self.hosts.iter().any(|host| host.name == name)
    }

    /// Every name.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let interfaces = self.interfaces.iter().map(|interface| interface.id.as_str());
        interfaces.chain(self.hosts.iter().map(|host| host.name.as_str()))
    }

    /// A MAC address: the interface's, or the router's.
    pub(super) fn mac(&self, interface: Option<usize>) -> [u8; 6] {
        interface.and_then(|at| self.interfaces.get(at)).map_or(ROUTER, |interface| interface.mac)
    }
}

impl Seat {
    /// One of its addresses. Neighbouring numbers are far apart, as senders with forged addresses are.
    pub(super) fn address(&self, number: u64) -> IpAddr {
        // odd, so that every address of a range of a power of two comes once before any comes again
        const STRIDE: u64 = 0x9e37_79b1;
        let place = match self.count {
            0 | 1 => 0,
            count => number.wrapping_mul(STRIDE) % count,
        };
        match self.first {
            IpAddr::V4(first) => Ipv4Addr::from(u32::from(first).wrapping_add(place as u32)).into(),
            IpAddr::V6(first) => Ipv6Addr::from(u128::from(first).wrapping_add(place.into())).into(),
        }
    }
}

/// Reads an address or a range as its first address and how many there are; a range of IPv6 counts for 2^32 at most.
pub(super) fn parse_range(text: &str) -> Option<(IpAddr, u64)> {
    let Some((address, length)) = text.split_once('/') else { return Some((text.parse().ok()?, 1)) };
    let (address, length): (IpAddr, u32) = (address.parse().ok()?, length.parse().ok()?);
    let bits = if address.is_ipv4() { 32_u32 } else { 128 };
    let host_bits = bits.checked_sub(length)?;
    let is_aligned = match address {
        IpAddr::V4(address) => u32::from(address).trailing_zeros() >= host_bits,
        IpAddr::V6(address) => u128::from(address).trailing_zeros() >= host_bits,
    };
    is_aligned.then_some((address, 1 << host_bits.min(32)))
}

/// Whether two ranges have an address in common.
pub(super) fn overlap(one: &(IpAddr, u64), other: &(IpAddr, u64)) -> bool {
    let bounds = |(first, count): &(IpAddr, u64)| {
        let first = match first {
            IpAddr::V4(first) => u128::from(u32::from(*first)),
            IpAddr::V6(first) => u128::from(*first),
        };
        (first, first.saturating_add(u128::from(count.saturating_sub(1))))
    };
    let ((a, b), (c, d)) = (bounds(one), bounds(other));
    one.0.is_ipv4() == other.0.is_ipv4() && a <= d && c <= b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_gone_through_before_an_address_comes_again() {
        let (first, count) = parse_range("198.51.100.0/28").unwrap();
        let seat = Seat { interface: None, first, count };
        let mut all: Vec<_> = (0..16).map(|number| seat.address(number)).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 16);
        assert_eq!(all.last().unwrap().to_string(), "198.51.100.15");
        assert_eq!(parse_range("2001:db8::/32").unwrap().1, 1 << 32);
        for bad in ["10.0.0.1/8", "10.0.0.0/33", "host", "10.0.0.0/"] {
            assert_eq!(parse_range(bad), None, "{bad}");
        }
    }
}
