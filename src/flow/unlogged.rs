//! What AWS never logs, as far as a flow's addresses and ports tell.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::FlowKey;
use crate::packet::Protocol;

/// Traffic that a flow log never holds, whatever the capture shows.
///
/// Source: AWS "Flow log limitations". The list names the IPv4 addresses; their IPv6 twins are taken likewise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unlogged {
    /// Instance metadata: 169.254.169.254, `fd00:ec2::254`.
    InstanceMetadata,
    /// Amazon Time Sync: 169.254.169.123, `fd00:ec2::123`.
    TimeSync,
    /// Windows licence activation: 169.254.169.250 and .251, `fd00:ec2::250`.
    WindowsActivation,
    /// The Amazon DNS server: 169.254.169.253, `fd00:ec2::253`, and the VPC's CIDR base + 2.
    Resolver,
    /// DHCP (UDP 67 and 68) and DHCPv6 (UDP 546 and 547).
    Dhcp,
    /// Packets to the router: the CIDR's base + 1.
    Router,
}

impl Unlogged {
    /// What it is, as a phrase.
    pub const fn meaning(self) -> &'static str {
        match self {
            Unlogged::InstanceMetadata => "instance metadata",
            Unlogged::TimeSync => "Amazon Time Sync",
            Unlogged::WindowsActivation => "Windows licence activation",
            Unlogged::Resolver => "the Amazon DNS server",
            Unlogged::Dhcp => "DHCP",
            Unlogged::Router => "packets to the VPC router",
        }
    }
}

/// `fd00:ec2::…`
const fn ec2(last: u16) -> Ipv6Addr {
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, last)
}

const fn link_local(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(169, 254, 169, last)
}

/// The ranges of a VPC, which say where its resolver and its router are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnloggedTraffic {
    cidrs: Vec<VpcCidr>,
    /// Further addresses of resolvers, and of routers.
    resolvers: Vec<IpAddr>,
    routers: Vec<IpAddr>,
}

impl UnloggedTraffic {
    /// With these ranges; without any, nothing is said about the resolver at base + 2 and the router.
    pub fn new(cidrs: Vec<VpcCidr>) -> Self {
        UnloggedTraffic { cidrs, ..UnloggedTraffic::default() }
    }

    /// With these addresses too, where a description of the VPC tells them.
    pub fn with_addresses(mut self, resolvers: Vec<IpAddr>, routers: Vec<IpAddr>) -> Self {
        self.resolvers.extend(resolvers);
        self.routers.extend(routers);
        self
    }

    /// Why a flow is never logged, or `None` where a log should have it.
    pub fn of(&self, flow: &FlowKey) -> Option<Unlogged> {
        let is_dhcp = |port: u16| matches!(port, 67 | 68);
        let is_dhcp6 = |port: u16| matches!(port, 546 | 547);
        if flow.protocol == Protocol::UDP {
            let (from, to) = (flow.srcport, flow.dstport);
            let both = if flow.srcaddr.is_ipv4() {
                is_dhcp(from) && is_dhcp(to)
            } else {
                is_dhcp6(from) && is_dhcp6(to)
            };
            if both {
                return Some(Unlogged::Dhcp);
            }
        }
        let service = service(flow.dstaddr).or_else(|| service(flow.srcaddr));
        let at = |address, place| self.cidrs.iter().any(|cidr| cidr.nth(place) == Some(address));
        service.or_else(|| match () {
            () if at(flow.dstaddr, 2) || at(flow.srcaddr, 2) => Some(Unlogged::Resolver),
            () if self.resolvers.contains(&flow.dstaddr) || self.resolvers.contains(&flow.srcaddr) => {
                Some(Unlogged::Resolver)
            }
            () if at(flow.dstaddr, 1) || self.routers.contains(&flow.dstaddr) => Some(Unlogged::Router),
            () => None,
        })
    }
}

/// The service at an address that is the same in every VPC.
fn service(address: IpAddr) -> Option<Unlogged> {
    let may_be = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => matches!(address.segments(), [0xfd00, 0x0ec2, ..]),
    };
    if !may_be {
        return None;
    }
    const TABLE: [(Ipv4Addr, Ipv6Addr, Unlogged); 5] = [
        (link_local(254), ec2(0x254), Unlogged::InstanceMetadata),
        (link_local(123), ec2(0x123), Unlogged::TimeSync),
        (link_local(250), ec2(0x250), Unlogged::WindowsActivation),
        (link_local(251), ec2(0x250), Unlogged::WindowsActivation),
        (link_local(253), ec2(0x253), Unlogged::Resolver),
    ];
    TABLE.into_iter().find(|(v4, v6, _)| address == *v4 || address == *v6).map(|(.., service)| service)
}

/// A range of a VPC, such as `10.0.0.0/16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VpcCidr {
    base: IpAddr,
    bits: u8,
}

impl VpcCidr {
    /// The address so many above the range's first; `None` where that lies outside the range.
    fn nth(&self, place: u8) -> Option<IpAddr> {
        let host_bits = (if self.base.is_ipv4() { 32 } else { 128 }) - self.bits;
        if host_bits < 2 {
            return None;
        }
        Some(match self.base {
            IpAddr::V4(base) => IpAddr::V4(Ipv4Addr::from_bits(base.to_bits() | u32::from(place))),
            IpAddr::V6(base) => IpAddr::V6(Ipv6Addr::from_bits(base.to_bits() | u128::from(place))),
        })
    }
}

impl fmt::Display for VpcCidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.bits)
    }
}

/// What is wrong with a range that was typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseCidrError {
    /// No `ADDRESS/BITS`.
    #[error("`{0}` is not a CIDR range: expected an address and a prefix length, such as `10.0.0.0/16`")]
    Form(String),
    /// Bits behind the prefix are set.
    #[error("`{found}` has bits behind its prefix: the range that holds it is `{range}`")]
    HostBits {
        /// The text found.
        found: String,
        /// The range without them.
        range: VpcCidr,
    },
}

impl FromStr for VpcCidr {
    type Err = ParseCidrError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || ParseCidrError::Form(text.to_owned());
        let (address, bits) = text.split_once('/').ok_or_else(form)?;
        let address: IpAddr = address.parse().map_err(|_| form())?;
        let bits: u8 = bits.parse().map_err(|_| form())?;
        let base = match address {
            IpAddr::V4(v4) if bits <= 32 => {
                let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
            }
            IpAddr::V6(v6) if bits <= 128 => {
                let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
            }
            _ => return Err(form()),
        };
        let range = VpcCidr { base, bits };
        if base == address {
            Ok(range)
        } else {
            Err(ParseCidrError::HostBits { found: text.to_owned(), range })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(protocol: u8, from: (&str, u16), to: (&str, u16)) -> FlowKey {
        FlowKey {
            srcaddr: from.0.parse().unwrap(),
            dstaddr: to.0.parse().unwrap(),
            protocol: Protocol(protocol),
            srcport: from.1,
            dstport: to.1,
        }
    }

    #[test]
    fn names_what_is_never_logged_in_both_directions() {
        let traffic = UnloggedTraffic::new(vec!["10.0.0.0/16".parse().unwrap()]);
        let cases = [
            (17, ("0.0.0.0", 68), ("255.255.255.255", 67), Some(Unlogged::Dhcp)),
            (17, ("fe80::1", 546), ("ff02::1:2", 547), Some(Unlogged::Dhcp)),
            (17, ("10.0.0.9", 68), ("10.0.0.8", 53), None),
            (6, ("10.0.0.9", 40000), ("169.254.169.254", 80), Some(Unlogged::InstanceMetadata)),
            (6, ("169.254.169.254", 80), ("10.0.0.9", 40000), Some(Unlogged::InstanceMetadata)),
            (17, ("10.0.0.9", 40000), ("fd00:ec2::123", 123), Some(Unlogged::TimeSync)),
            (17, ("10.0.0.9", 40000), ("10.0.0.2", 53), Some(Unlogged::Resolver)),
            (17, ("10.0.0.2", 53), ("10.0.0.9", 40000), Some(Unlogged::Resolver)),
            (1, ("10.0.0.9", 0), ("10.0.0.1", 0), Some(Unlogged::Router)),
            (1, ("10.0.0.1", 0), ("10.0.0.9", 0), None),
            (17, ("10.0.0.9", 40000), ("10.1.0.2", 53), None),
        ];
        for (protocol, from, to, expected) in cases {
            assert_eq!(traffic.of(&flow(protocol, from, to)), expected, "{from:?} {to:?}");
        }
        let unknown = UnloggedTraffic::default();
        assert_eq!(unknown.of(&flow(17, ("10.0.0.9", 40000), ("10.0.0.2", 53))), None);
    }

    #[test]
    fn ranges_are_read_strictly() {
        for good in ["10.0.0.0/16", "0.0.0.0/0", "10.0.0.1/32", "2001:db8::/56"] {
            assert_eq!(good.parse::<VpcCidr>().unwrap().to_string(), good);
        }
        for bad in ["10.0.0.0", "10.0.0.0/33", "10.0.0/16", "x/8", "2001:db8::/129", "10.0.0.0/-1"] {
            assert!(matches!(bad.parse::<VpcCidr>(), Err(ParseCidrError::Form(_))), "{bad}");
        }
        let error = "10.0.0.5/16".parse::<VpcCidr>().unwrap_err();
        assert!(error.to_string().contains("10.0.0.0/16"), "{error}");
    }
}
