//! Routes: where a packet goes next, and the `traffic-path` that follows.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use prefix_trie::PrefixMap;

use super::lookup::index;
use super::model::{self, RouteDestination, RouteTable, RouteTarget, Subnet, VpcModel};
use super::{InterfaceIndex, Vpc};

/// Which edition of AWS's table of traffic paths is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PathEdition {
    /// Today's: 1 includes an Outpost's local gateway, 6 is a Local Zone or a Wavelength Zone.
    #[default]
    Current,
    /// That of 2021 to 2024: 6 is a local gateway.
    Of2021,
}

/// Where a route leads: the target's place in the model's table, and whether a prefix list was its destination.
#[derive(Clone, Copy, Debug)]
struct Hop {
    route: Option<u32>,
    by_list: bool,
}

#[derive(Debug, Default)]
struct Table {
    v4: PrefixMap<Ipv4Net, Hop>,
    v6: PrefixMap<Ipv6Net, Hop>,
}

impl Table {
    fn insert(&mut self, cidr: &IpNet, hop: Hop) {
        // of two routes for one range the one that goes before the other was put in first
        match cidr {
            IpNet::V4(net) => {
                self.v4.entry(*net).or_insert(hop);
            }
            IpNet::V6(net) => {
                self.v6.entry(*net).or_insert(hop);
            }
        }
    }
}

/// All route tables.
#[derive(Debug, Default)]
pub(super) struct Routes {
    tables: Vec<Table>,
    /// The table of each subnet.
    subnets: Vec<Option<u32>>,
}

/// Where a packet goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route<'a> {
    /// What the route leads to.
    pub target: &'a RouteTarget,
    /// Whether its destination is a prefix list, which tells gateway endpoints from Gateway Load Balancer endpoints.
    pub by_list: bool,
}

impl Routes {
    pub(super) fn new(model: &VpcModel) -> Routes {
        let compile = |described: &RouteTable| {
            let mut table = Table::default();
            for (at, route) in by_priority(&described.routes) {
                let hop = |by_list| Hop { route: Some(index(at)), by_list };
                match &route.destination {
                    RouteDestination::Cidr(cidr) => table.insert(cidr, hop(false)),
                    RouteDestination::PrefixList(id) => {
                        let list = model.prefix_lists.iter().find(|list| list.id == *id);
                        let cidrs = list.and_then(|list| list.cidrs.as_deref()).unwrap_or_default();
                        cidrs.iter().for_each(|cidr| table.insert(cidr, hop(true)));
                    }
                }
            }
            // every table has the VPC's own ranges, whether it was written down or not
            let vpc = model.vpcs.iter().find(|vpc| described.vpc.as_deref() == Some(vpc.id.as_str()));
            let cidrs = vpc.map(|vpc| vpc.cidrs.as_slice()).unwrap_or_default();
            cidrs.iter().for_each(|cidr| table.insert(cidr, Hop { route: None, by_list: false }));
            table
        };
        let of_subnet = |subnet: &Subnet| {
            let named = model.route_tables.iter().position(|table| table.subnets.contains(&subnet.id));
            let main = || {
                let tables = &mut model.route_tables.iter();
                tables.position(|table| table.is_main && table.vpc.is_some() && table.vpc == subnet.vpc)
            };
            named.or_else(main).map(index)
        };
        Routes {
            tables: model.route_tables.iter().map(compile).collect(),
            subnets: model.subnets.iter().map(of_subnet).collect(),
        }
    }

    pub(super) fn of_subnet(&self, subnet: u32) -> Option<u32> {
        self.subnets.get(subnet as usize).copied().flatten()
    }
}

/// Routes and their places, those first that go before others for the same range: static ones for a range, static ones
/// for a prefix list, propagated ones (Amazon VPC User Guide, "Route priority"); among equals the first that is described.
fn by_priority(routes: &[model::Route]) -> Vec<(usize, &model::Route)> {
    let mut sorted: Vec<(usize, &model::Route)> = routes.iter().enumerate().collect();
    sorted.sort_by_key(|(_, route)| {
        (route.propagated, matches!(route.destination, RouteDestination::PrefixList(_)))
    });
    sorted
}

impl Vpc {
    /// The route from an interface's subnet to an address: the longest prefix; `None` where there is none, where it
    /// leads into a black hole, or where no table is known.
    pub fn route(&self, from: InterfaceIndex, to: IpAddr) -> Option<Route<'_>> {
        let at = self.compiled(from)?.route_table?;
        let table = self.routes.tables.get(at as usize)?;
        let hop = match to {
            IpAddr::V4(address) => *table.v4.get_lpm(&address.into())?.1,
            IpAddr::V6(address) => *table.v6.get_lpm(&address.into())?.1,
        };
        let Some(route) = hop.route else {
            return Some(Route { target: &RouteTarget::Local, by_list: false });
        };
        let route = self.model.route_tables.get(at as usize)?.routes.get(route as usize)?;
        (!route.blackhole).then_some(Route { target: &route.target, by_list: hop.by_list })
    }

    /// `traffic-path` of what an interface sends to an address.
    ///
    /// NAT gateways, transit gateways, interface and Gateway Load Balancer endpoints and other interfaces are things
    /// in the VPC, so 1. AWS says nothing about egress-only internet gateways: `None`. What never leaves the link, to
    /// link-local, multicast and broadcast addresses, takes no route: `None`.
    pub fn traffic_path(&self, from: InterfaceIndex, to: IpAddr, edition: PathEdition) -> Option<u8> {
        let stays = match to {
            IpAddr::V4(to) => to.is_link_local() || to.is_multicast() || to.is_broadcast(),
            IpAddr::V6(to) => to.is_unicast_link_local() || to.is_multicast(),
        };
        if stays {
            return None;
        }
        let nitro = self.interface(from)?.nitro.unwrap_or(true);
        let Route { target, by_list } = self.route(from, to)?;
        Some(match target {
            RouteTarget::Endpoint(_) if by_list => {
                if nitro {
                    7
                } else {
                    2
                }
            }
            RouteTarget::Local
            | RouteTarget::NatGateway(_)
            | RouteTarget::TransitGateway(_)
            | RouteTarget::Interface(_)
            | RouteTarget::Endpoint(_) => 1,
            RouteTarget::InternetGateway(_) => {
                if nitro {
                    8
                } else {
                    2
                }
            }
            RouteTarget::VirtualPrivateGateway(_) => 3,
            RouteTarget::Peering(id) => {
                let peering = self.model.peerings.iter().find(|peering| peering.id == *id)?;
                match &peering.regions {
                    [Some(one), Some(other)] if one == other => 4,
                    [Some(_), Some(_)] => 5,
                    _ => return None,
                }
            }
            RouteTarget::LocalGateway(_) => match edition {
                PathEdition::Current => 1,
                PathEdition::Of2021 => 6,
            },
            RouteTarget::CarrierGateway(_) if edition == PathEdition::Current => 6,
            RouteTarget::CarrierGateway(_)
            | RouteTarget::EgressOnlyInternetGateway(_)
            | RouteTarget::Other(_) => return None,
        })
    }

    /// The interface that a route leads to: a NAT gateway's or the one that it names.
    pub(super) fn route_interface(&self, from: InterfaceIndex, to: IpAddr) -> Option<InterfaceIndex> {
        match self.route(from, to)?.target {
            RouteTarget::Interface(id) => self.interface_named(id),
            RouteTarget::NatGateway(id) => {
                let (_, nat) = self.nat_named(id)?;
                let subnet = self.compiled(from)?.subnet;
                let mut interfaces =
                    nat.interfaces.iter().filter_map(|interface| self.interface_named(interface));
                let first = interfaces.clone().next();
                let near =
                    interfaces.find(|at| self.compiled(*at).is_some_and(|other| other.subnet == subnet));
                near.or(first)
            }
            RouteTarget::TransitGateway(_) => {
                // the attachment has an interface in each zone that it serves
                let own = self.interface(from)?;
                let mut attachments = self.model.interfaces.iter().filter(|other| {
                    other.kind == "transit_gateway" && other.vpc == own.vpc && other.az_id == own.az_id
                });
                match (attachments.next(), attachments.next()) {
                    (Some(only), None) => self.interface_named(&only.id),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The regional NAT gateway that a route leads to.
    pub fn route_regional_nat(&self, from: InterfaceIndex, to: IpAddr) -> Option<u32> {
        match self.route(from, to)?.target {
            RouteTarget::NatGateway(id) => {
                self.nat_named(id).filter(|(_, nat)| nat.is_regional).map(|(at, _)| at)
            }
            _ => None,
        }
    }

    /// Whether what an interface sends to an address passes a NAT gateway or an egress-only internet gateway, whose
    /// connections are always tracked.
    pub(super) fn leaves_through_a_tracker(&self, from: InterfaceIndex, to: IpAddr) -> bool {
        let target = self.route(from, to).map(|route| route.target);
        matches!(target, Some(RouteTarget::NatGateway(_) | RouteTarget::EgressOnlyInternetGateway(_)))
    }
}
