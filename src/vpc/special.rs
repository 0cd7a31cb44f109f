//! Traffic with rules of its own: what security groups and ACLs never filter, and what AWS never logs.
//!
//! Sources: VPC User Guide, "Control subnet traffic with network access control lists" and "Control traffic to your AWS
//! resources using security groups" (what is not filtered), "Flow log limitations" (what is not logged).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::model::{Interface, Subnet, VpcModel};
use super::{InterfaceIndex, Traffic, Vpc};
use crate::flow::{Unlogged, UnloggedTraffic};
use crate::packet::Protocol;

/// A kind of traffic with rules of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Special {
    /// Neither filtered nor logged.
    Unlogged(Unlogged),
    /// A router's packets: not filtered, but logged (only those *to* it are not).
    FromRouter,
    /// ECS task metadata, 169.254.170.2: not filtered, but logged.
    TaskMetadata,
    /// IPv6 neighbour discovery (ICMPv6 133 to 137), as ARP is for IPv4; AWS names only ARP.
    NeighbourDiscovery,
}

impl Special {
    /// What it is, as a phrase.
    pub const fn meaning(self) -> &'static str {
        match self {
            Special::Unlogged(unlogged) => unlogged.meaning(),
            Special::FromRouter => "packets of the VPC router",
            Special::TaskMetadata => "ECS task metadata",
            Special::NeighbourDiscovery => "IPv6 neighbour discovery",
        }
    }

    /// The name of what AWS never logs, or `None` for what it does log.
    pub const fn unlogged_name(self) -> Option<&'static str> {
        Some(match self {
            Special::Unlogged(Unlogged::InstanceMetadata) => "instance-metadata",
            Special::Unlogged(Unlogged::TimeSync) => "time-sync",
            Special::Unlogged(Unlogged::WindowsActivation) => "windows-activation",
            Special::Unlogged(Unlogged::Resolver) => "amazon-dns",
            Special::Unlogged(Unlogged::Dhcp) => "dhcp",
            Special::Unlogged(Unlogged::Router) => "vpc-router",
            Special::NeighbourDiscovery => "neighbour-discovery",
            Special::FromRouter | Special::TaskMetadata => return None,
        })
    }
}

/// Addresses that AWS keeps for itself in an interface's VPC and subnet.
#[derive(Debug, Default)]
pub(super) struct Reserved {
    /// The VPC's primary IPv4 range + 2.
    resolver: Option<IpAddr>,
    /// The subnet's ranges + 1.
    routers: Vec<IpAddr>,
}

/// The address so many above a range's first.
fn nth(cidr: &IpNet, place: u8) -> IpAddr {
    match cidr {
        IpNet::V4(net) => Ipv4Addr::from_bits(net.network().to_bits() | u32::from(place)).into(),
        IpNet::V6(net) => Ipv6Addr::from_bits(net.network().to_bits() | u128::from(place)).into(),
    }
}

impl Reserved {
    pub(super) fn new(model: &VpcModel, interface: &Interface, subnet: Option<&Subnet>) -> Reserved {
        let vpc = interface.vpc.as_ref().or_else(|| subnet.and_then(|subnet| subnet.vpc.as_ref()));
        let vpc = vpc.and_then(|id| model.vpcs.iter().find(|vpc| vpc.id == *id));
        let primary = vpc.and_then(|vpc| vpc.cidrs.iter().find(|cidr| cidr.addr().is_ipv4()));
        let cidrs = subnet.map(|subnet| subnet.cidrs.as_slice()).unwrap_or_default();
        Reserved {
            resolver: primary.map(|cidr| nth(cidr, 2)),
            routers: cidrs.iter().map(|cidr| nth(cidr, 1)).collect(),
        }
    }
}

/// What AWS never logs of a VPC, wherever it was captured: the addresses of its resolvers and routers.
pub(super) fn unlogged(model: &VpcModel) -> UnloggedTraffic {
    let primary = |cidrs: &[IpNet]| cidrs.iter().find(|cidr| cidr.addr().is_ipv4()).copied();
    let resolvers = model.vpcs.iter().filter_map(|vpc| primary(&vpc.cidrs));
    let routers = model.subnets.iter().flat_map(|subnet| &subnet.cidrs);
    UnloggedTraffic::default().with_addresses(
        resolvers.map(|cidr| nth(&cidr, 2)).collect(),
        routers.map(|cidr| nth(cidr, 1)).collect(),
    )
}

fn is_neighbour_discovery(traffic: &Traffic) -> bool {
    traffic.flow.protocol == Protocol::ICMPV6
        && traffic.icmp.is_some_and(|icmp| (133..=137).contains(&icmp.icmp_type))
}

impl Vpc {
    /// What AWS never logs of this VPC, wherever it was captured.
    pub fn unlogged(&self) -> &UnloggedTraffic {
        &self.unlogged
    }

    /// The same of a packet of no interface that is known: its VPC may be any.
    pub fn special_of_strangers(&self, traffic: &Traffic) -> Option<Special> {
        let neighbours = is_neighbour_discovery(traffic).then_some(Special::NeighbourDiscovery);
        neighbours.or_else(|| self.unlogged.of(&traffic.flow).map(Special::Unlogged))
    }

    /// Whether a packet at an interface is of a kind with rules of its own.
    pub fn special(&self, interface: InterfaceIndex, traffic: &Traffic) -> Option<Special> {
        const TASK_METADATA: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2));
        let flow = &traffic.flow;
        if let Some(unlogged) = UnloggedTraffic::default().of(flow) {
            return Some(Special::Unlogged(unlogged));
        }
        if is_neighbour_discovery(traffic) {
            return Some(Special::NeighbourDiscovery);
        }
        if flow.srcaddr == TASK_METADATA || flow.dstaddr == TASK_METADATA {
            return Some(Special::TaskMetadata);
        }
        let reserved = &self.compiled(interface)?.reserved;
        let resolver = reserved.resolver;
        if resolver == Some(flow.dstaddr) || resolver == Some(flow.srcaddr) {
            return Some(Special::Unlogged(Unlogged::Resolver));
        }
        if reserved.routers.contains(&flow.dstaddr) {
            return Some(Special::Unlogged(Unlogged::Router));
        }
        reserved.routers.contains(&flow.srcaddr).then_some(Special::FromRouter)
    }

    /// Whether two interfaces are a VPC endpoint and a Network Load Balancer, between which nothing is logged.
    pub fn is_endpoint_and_load_balancer(&self, one: InterfaceIndex, other: InterfaceIndex) -> bool {
        let kind = |at| self.interface(at).map(|interface| interface.kind.as_str());
        matches!(
            (kind(one), kind(other)),
            (Some("vpc_endpoint"), Some("network_load_balancer"))
                | (Some("network_load_balancer"), Some("vpc_endpoint"))
        )
    }
}
