//! The VPC, ready to be asked: every name looked up once, every list in a form that answers fast.

use std::collections::HashMap;
use std::net::IpAddr;

use foldhash::fast::RandomState;
use ipnet::IpNet;
use prefix_trie::PrefixMap;

use super::acl::Acls;
use super::connection::Timeouts;
use super::identity;
use super::model::{Interface, NatGateway, VpcModel};
use super::routes::Routes;
use super::security::Groups;
use super::services::Services;
use super::special::{self, Reserved};
use super::{InterfaceIndex, Mac};
use crate::flow::UnloggedTraffic;
use crate::record::FlowRecord;

/// What is looked up for every packet of an interface.
#[derive(Debug)]
pub(super) struct Compiled {
    /// The groups: their places, `None` for one that is missing.
    pub(super) groups: Vec<Option<u32>>,
    /// The subnet's place.
    pub(super) subnet: Option<u32>,
    /// The subnet's ACL.
    pub(super) acl: Option<u32>,
    /// The subnet's route table.
    pub(super) route_table: Option<u32>,
    /// Addresses of its VPC and subnet that AWS keeps for itself.
    pub(super) reserved: Reserved,
    pub(super) timeouts: Timeouts,
    /// Whether its flows are tracked whatever the rules say.
    pub(super) always_tracked: bool,
    /// The fields of a record that are the same for all its traffic.
    pub(super) identity: FlowRecord,
}

/// The VPC around a capture.
#[derive(Debug)]
pub struct Vpc {
    pub(super) model: VpcModel,
    pub(super) interfaces: Vec<Compiled>,
    by_address: HashMap<IpAddr, Option<InterfaceIndex>, RandomState>,
    v4_prefixes: PrefixMap<ipnet::Ipv4Net, Option<InterfaceIndex>>,
    v6_prefixes: PrefixMap<ipnet::Ipv6Net, Option<InterfaceIndex>>,
    by_mac: HashMap<Mac, Option<InterfaceIndex>, RandomState>,
    pub(super) by_id: HashMap<String, InterfaceIndex>,
    pub(super) groups: Groups,
    pub(super) acls: Acls,
    pub(super) routes: Routes,
    services: Services,
    /// Regional NAT gateways by their public addresses.
    regional: HashMap<IpAddr, u32>,
    nat_by_id: HashMap<String, u32>,
    pub(super) unlogged: UnloggedTraffic,
}

/// An index that is small enough for 32 bits, as everything here is.
pub(super) fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl Vpc {
    /// Looks everything up.
    pub fn new(model: VpcModel) -> Vpc {
        let mut by_address: HashMap<_, Option<InterfaceIndex>, RandomState> = HashMap::default();
        let mut by_mac = HashMap::default();
        let mut by_id = HashMap::new();
        let (mut v4_prefixes, mut v6_prefixes) = (PrefixMap::new(), PrefixMap::new());
        for (at, interface) in model.interfaces.iter().enumerate() {
            let at = InterfaceIndex(index(at));
            by_id.insert(interface.id.clone(), at);
            // what two interfaces have tells neither of them
            let tell = |owner: &mut Option<InterfaceIndex>| *owner = owner.filter(|other| *other == at);
            for address in &interface.addresses {
                by_address.entry(*address).and_modify(tell).or_insert(Some(at));
            }
            if let Some(mac) = interface.mac {
                by_mac.entry(mac).and_modify(|other| *other = None).or_insert(Some(at));
            }
            for prefix in &interface.prefixes {
                match prefix {
                    IpNet::V4(net) => tell(v4_prefixes.entry(*net).or_insert(Some(at))),
                    IpNet::V6(net) => tell(v6_prefixes.entry(*net).or_insert(Some(at))),
                }
            }
        }
        let place = |id: &str| model.subnets.iter().position(|subnet| subnet.id == id).map(index);
        let subnets: HashMap<&str, u32> =
            model.subnets.iter().filter_map(|s| Some((s.id.as_str(), place(&s.id)?))).collect();
        let groups = Groups::new(&model);
        let acls = Acls::new(&model);
        let routes = Routes::new(&model);
        let compile = |interface: &Interface| {
            let subnet = interface.subnet.as_deref().and_then(|id| subnets.get(id).copied());
            let described = subnet.and_then(|at| model.subnets.get(at as usize));
            Compiled {
                groups: interface.groups.iter().map(|id| groups.place(id)).collect(),
                subnet,
                acl: subnet.and_then(|at| acls.of_subnet(at)),
                route_table: subnet.and_then(|at| routes.of_subnet(at)),
                reserved: Reserved::new(&model, interface, described),
                timeouts: Timeouts::of(&interface.timeouts),
                always_tracked: matches!(
                    interface.kind.as_str(),
                    "network_load_balancer" | "vpc_endpoint" | "lambda" | "global_accelerator_managed"
                ),
                identity: identity::of_interface(&model, interface, described),
            }
        };
        let interfaces = model.interfaces.iter().map(compile).collect();
        let regional = model.nat_gateways.iter().enumerate().filter(|(_, nat)| nat.is_regional);
        let regional = regional
            .flat_map(|(at, nat)| nat.public_addresses.iter().map(move |public| (*public, index(at))));
        Vpc {
            regional: regional.collect(),
            nat_by_id: model
                .nat_gateways
                .iter()
                .enumerate()
                .map(|(at, nat)| (nat.id.clone(), index(at)))
                .collect(),
            unlogged: special::unlogged(&model),
            services: Services::new(&model.service_ranges),
            interfaces,
            by_address,
            v4_prefixes,
            v6_prefixes,
            by_mac,
            by_id,
            groups,
            acls,
            routes,
            model,
        }
    }

    /// What was read.
    pub fn model(&self) -> &VpcModel {
        &self.model
    }

    /// The interface that has an address, or a delegated prefix with it. `None` where none has, or two have.
    pub fn interface_at(&self, address: IpAddr) -> Option<InterfaceIndex> {
        self.owner_of(address).flatten()
    }

    /// Whether two interfaces have an address, so that it tells neither of them.
    pub fn is_ambiguous(&self, address: IpAddr) -> bool {
        self.owner_of(address) == Some(None)
    }

    /// The owner of an address: `Some(None)` where there are two.
    fn owner_of(&self, address: IpAddr) -> Option<Option<InterfaceIndex>> {
        if let Some(found) = self.by_address.get(&address) {
            return Some(*found);
        }
        match address {
            IpAddr::V4(address) => self.v4_prefixes.get_lpm(&address.into()).map(|(_, at)| *at),
            IpAddr::V6(address) => self.v6_prefixes.get_lpm(&address.into()).map(|(_, at)| *at),
        }
    }

    /// The interface with a MAC address.
    pub fn interface_with(&self, mac: Mac) -> Option<InterfaceIndex> {
        self.by_mac.get(&mac).copied().flatten()
    }

    /// Whether any interface's MAC address is known.
    pub fn has_macs(&self) -> bool {
        !self.by_mac.is_empty()
    }

    /// The interface of this identifier.
    pub fn interface_named(&self, id: &str) -> Option<InterfaceIndex> {
        self.by_id.get(id).copied()
    }

    /// What was said of an interface.
    pub fn interface(&self, at: InterfaceIndex) -> Option<&Interface> {
        self.model.interfaces.get(at.0 as usize)
    }

    pub(super) fn compiled(&self, at: InterfaceIndex) -> Option<&Compiled> {
        self.interfaces.get(at.0 as usize)
    }

    /// The regional NAT gateway with a public address.
    pub fn regional_nat_at(&self, address: IpAddr) -> Option<u32> {
        self.regional.get(&address).copied()
    }

    /// A NAT gateway by its place.
    pub fn nat_gateway(&self, at: u32) -> Option<&NatGateway> {
        self.model.nat_gateways.get(at as usize)
    }

    pub(super) fn nat_named(&self, id: &str) -> Option<(u32, &NatGateway)> {
        let at = *self.nat_by_id.get(id)?;
        Some((at, self.nat_gateway(at)?))
    }

    /// Whether there are regional NAT gateways.
    pub fn has_regional_nat(&self) -> bool {
        self.model.nat_gateways.iter().any(|nat| nat.is_regional)
    }

    /// The AWS service with a public address, by its code: of several the more specific one.
    pub fn service(&self, address: IpAddr) -> Option<&str> {
        self.services.of(address)
    }

    /// The idle timeouts of an interface's connections.
    pub fn timeouts(&self, at: InterfaceIndex) -> Timeouts {
        self.compiled(at).map_or_else(Timeouts::default, |compiled| compiled.timeouts)
    }
}
