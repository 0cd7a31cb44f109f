//! What a model names and does not describe, and what in it cannot be right.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;

use super::model::{Place, RouteDestination, RouteTarget, VpcModel};
use super::rules::Peer;
use super::{Mac, Problem, ProblemKind};

/// Looks through the model and notes what is found.
pub(super) fn look(model: &mut VpcModel) {
    let mut found = Found::default();
    interfaces(model, &mut found);
    groups(model, &mut found);
    networks(model, &mut found);
    overlaps(model, &mut found);
    elsewhere(model, &mut found);
    model.problems.extend(found.problems);
}

/// Problems, each once.
#[derive(Default)]
struct Found {
    problems: Vec<Problem>,
    said: HashSet<String>,
}

impl Found {
    fn add(&mut self, kind: ProblemKind, place: &Place, what: String) {
        if self.said.insert(what.clone()) {
            self.problems.push(Problem { kind, place: place.clone(), what });
        }
    }

    fn route(&mut self, what: String) {
        self.add(ProblemKind::MissingRoute, &Place::default(), what);
    }

    fn missing(&mut self, place: &Place, what: String) {
        self.add(ProblemKind::Missing, place, what);
    }
}

fn interfaces(model: &VpcModel, found: &mut Found) {
    if model.interfaces.is_empty() {
        found.missing(&Place::default(), "network interfaces: no packet is of a known one".to_owned());
    }
    let groups: HashSet<&str> = model.security_groups.iter().map(|group| group.id.as_str()).collect();
    let subnets: HashSet<&str> = model.subnets.iter().map(|subnet| subnet.id.as_str()).collect();
    for interface in &model.interfaces {
        let id = &interface.id;
        for group in interface.groups.iter().filter(|group| !groups.contains(group.as_str())) {
            found.missing(
                &interface.place,
                format!(
                    "security group `{group}` of `{id}`: the action is `-` where no other group allows it"
                ),
            );
        }
        match &interface.subnet {
            Some(subnet) if !subnets.contains(subnet.as_str()) => found.missing(
                &interface.place,
                format!("subnet `{subnet}` of `{id}`: whether its network ACL is passed is not known"),
            ),
            None if interface.kind != "regional_nat_gateway" => found.missing(
                &interface.place,
                format!("the subnet of `{id}`: whether a network ACL is passed is not known"),
            ),
            _ => {}
        }
    }
}

fn groups(model: &VpcModel, found: &mut Found) {
    let groups: HashSet<&str> = model.security_groups.iter().map(|group| group.id.as_str()).collect();
    let lists = described_lists(model);
    for group in &model.security_groups {
        for rule in group.ingress.iter().chain(&group.egress) {
            match &rule.peer {
                Peer::Group(id) if !groups.contains(id.as_str()) => found.missing(
                    &group.place,
                    format!("security group `{id}`, to which a rule of `{}` refers", group.id),
                ),
                Peer::PrefixList(id) if !lists.contains(id.as_str()) => found.missing(
                    &group.place,
                    format!("the ranges of prefix list `{id}`, to which a rule of `{}` refers", group.id),
                ),
                _ => {}
            }
        }
    }
}

/// The lists whose ranges are known.
fn described_lists(model: &VpcModel) -> HashSet<&str> {
    model.prefix_lists.iter().filter(|list| list.cidrs.is_some()).map(|list| list.id.as_str()).collect()
}

fn networks(model: &VpcModel, found: &mut Found) {
    let nowhere = Place::default();
    let lists = described_lists(model);
    let used: HashSet<&str> =
        model.interfaces.iter().filter_map(|interface| interface.subnet.as_deref()).collect();
    for subnet in model.subnets.iter().filter(|subnet| used.contains(subnet.id.as_str())) {
        let has_acl = model.acls.iter().any(|acl| {
            acl.subnets.contains(&subnet.id) || acl.is_default && acl.vpc.is_some() && acl.vpc == subnet.vpc
        });
        if !has_acl {
            found.missing(
                &nowhere,
                format!("the network ACL of `{}`: the action of what crosses its boundary is `-`", subnet.id),
            );
        }
        let has_routes = model.route_tables.iter().any(|table| {
            table.subnets.contains(&subnet.id)
                || table.is_main && table.vpc.is_some() && table.vpc == subnet.vpc
        });
        if !has_routes {
            found.route(format!("the route table of `{}`: `traffic-path` is `-`", subnet.id));
        }
        if let Some(vpc) = &subnet.vpc
            && !model.vpcs.iter().any(|known| known.id == *vpc)
        {
            found.missing(&nowhere, format!("VPC `{vpc}`: its DNS server's address is not known"));
        }
    }
    for table in &model.route_tables {
        for route in &table.routes {
            if let RouteDestination::PrefixList(id) = &route.destination
                && !lists.contains(id.as_str())
            {
                found
                    .route(format!("the ranges of prefix list `{id}`, for which `{}` has a route", table.id));
            }
            match &route.target {
                RouteTarget::Peering(id) if !model.peerings.iter().any(|peering| peering.id == *id) => {
                    found.route(format!("peering `{id}`: whether `traffic-path` is 4 or 5 is not known"));
                }
                RouteTarget::NatGateway(id) if !model.nat_gateways.iter().any(|nat| nat.id == *id) => {
                    found.route(format!("NAT gateway `{id}`: the next hop is not known"));
                }
                _ => {}
            }
        }
    }
}

fn overlaps(model: &VpcModel, found: &mut Found) {
    let mut addresses: HashMap<IpAddr, &str> = HashMap::new();
    let mut macs: HashMap<Mac, &str> = HashMap::new();
    for interface in &model.interfaces {
        let id = interface.id.as_str();
        for address in &interface.addresses {
            if let Some(other) = addresses.insert(*address, id) {
                found.add(
                    ProblemKind::Contradiction,
                    &interface.place,
                    format!("`{other}` and `{id}` both have the address {address}: only a MAC address can tell them apart"),
                );
            }
        }
        if let Some(mac) = interface.mac
            && let Some(other) = macs.insert(mac, id)
        {
            found.add(
                ProblemKind::Contradiction,
                &interface.place,
                format!("`{other}` and `{id}` both have the MAC address {mac}, which is not used therefore"),
            );
        }
    }
    for (index, subnet) in model.subnets.iter().enumerate() {
        for other in model.subnets.iter().skip(index + 1).filter(|other| other.vpc == subnet.vpc) {
            let shared = subnet
                .cidrs
                .iter()
                .any(|cidr| other.cidrs.iter().any(|second| cidr.contains(second) || second.contains(cidr)));
            if shared {
                found.add(
                    ProblemKind::Contradiction,
                    &Place::default(),
                    format!("the ranges of `{}` and `{}` overlap", subnet.id, other.id),
                );
            }
        }
    }
}

/// What an interface has of a kind.
type ValueOf = fn(&super::model::Interface) -> Option<&str>;

/// Interfaces of another account or Region than most.
fn elsewhere(model: &VpcModel, found: &mut Found) {
    let kinds: [(&str, ValueOf); 2] = [
        ("account", |interface| interface.account.as_deref()),
        ("Region", |interface| interface.region.as_deref()),
    ];
    for (what, of) in kinds {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for value in model.interfaces.iter().filter_map(of) {
            *counts.entry(value).or_default() += 1;
        }
        let Some((usual, _)) =
            counts.iter().max_by_key(|(value, count)| (**count, std::cmp::Reverse(**value)))
        else {
            continue;
        };
        for interface in &model.interfaces {
            if let Some(value) = of(interface).filter(|value| value != usual) {
                found.add(
                    ProblemKind::Elsewhere,
                    &interface.place,
                    format!("`{}` is of {what} `{value}`, most others of `{usual}`", interface.id),
                );
            }
        }
    }
}
