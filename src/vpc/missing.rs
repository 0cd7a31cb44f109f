//! What a model names and does not describe, and what in it cannot be right.

use std::collections::{BTreeMap, HashMap, HashSet};

use ipnet::IpNet;

use super::model::{Place, RouteDestination, RouteTable, RouteTarget, Subnet, VpcModel};
use super::rules::Peer;
use super::{Mac, Problem, ProblemKind};

/// Looks through the model and notes what is found.
pub(super) fn look(model: &mut VpcModel) {
    let mut found = Found::default();
    interfaces(model, &mut found);
    groups(model, &mut found);
    networks(model, &mut found);
    gateways(model, &mut found);
    outside(model, &mut found);
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

    fn route(&mut self, place: &Place, what: String) {
        self.add(ProblemKind::MissingRoute, place, what);
    }

    fn missing(&mut self, place: &Place, what: String) {
        self.add(ProblemKind::Missing, place, what);
    }

    fn contradiction(&mut self, place: &Place, what: String) {
        self.add(ProblemKind::Contradiction, place, what);
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
        for (rules, key) in [(&group.ingress, "IpPermissions"), (&group.egress, "IpPermissionsEgress")] {
            if rules.is_none() {
                found.missing(
                    &group.place,
                    format!("`{key}` of `{}`: the action is `-` where no other group allows it", group.id),
                );
            }
        }
        for rule in group.ingress.iter().chain(&group.egress).flatten() {
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
    let lists = described_lists(model);
    let used: HashSet<&str> =
        model.interfaces.iter().filter_map(|interface| interface.subnet.as_deref()).collect();
    for subnet in model.subnets.iter().filter(|subnet| used.contains(subnet.id.as_str())) {
        let has_acl = model.acls.iter().any(|acl| {
            acl.subnets.contains(&subnet.id) || acl.is_default && acl.vpc.is_some() && acl.vpc == subnet.vpc
        });
        if !has_acl {
            found.missing(
                &subnet.place,
                format!("the network ACL of `{}`: the action of what crosses its boundary is `-`", subnet.id),
            );
        }
        let has_routes = model.route_tables.iter().any(|table| {
            table.subnets.contains(&subnet.id)
                || table.is_main && table.vpc.is_some() && table.vpc == subnet.vpc
        });
        if !has_routes {
            found.route(&subnet.place, format!("the route table of `{}`: `traffic-path` is `-`", subnet.id));
        }
        if let Some(vpc) = &subnet.vpc
            && !model.vpcs.iter().any(|known| known.id == *vpc)
        {
            found.missing(&subnet.place, format!("VPC `{vpc}`: its DNS server's address is not known"));
        }
    }
    for table in &model.route_tables {
        for route in &table.routes {
            if let RouteDestination::PrefixList(id) = &route.destination
                && !lists.contains(id.as_str())
            {
                let what = format!("the ranges of prefix list `{id}`, for which `{}` has a route", table.id);
                found.route(&table.place, what);
            }
            match &route.target {
                RouteTarget::Peering(id) if !model.peerings.iter().any(|peering| peering.id == *id) => {
                    let what = format!("peering `{id}`: whether `traffic-path` is 4 or 5 is not known");
                    found.route(&table.place, what);
                }
                RouteTarget::NatGateway(id) if !model.nat_gateways.iter().any(|nat| nat.id == *id) => {
                    let what = format!("NAT gateway `{id}`: the next hop is not known");
                    found.route(&table.place, what);
                }
                _ => {}
            }
        }
        same_routes(table, found);
    }
}

/// Routes of one table for one range that lead to several targets. That a static one goes before a propagated one is as
/// it should be.
fn same_routes(table: &RouteTable, found: &mut Found) {
    let mut targets: HashMap<(&RouteDestination, bool), &RouteTarget> = HashMap::new();
    for route in &table.routes {
        let first = *targets.entry((&route.destination, route.propagated)).or_insert(&route.target);
        if *first != route.target {
            let destination = match &route.destination {
                RouteDestination::Cidr(cidr) => cidr.to_string(),
                RouteDestination::PrefixList(id) => id.clone(),
            };
            let (first, other) = (first.id(), route.target.id());
            let what = format!(
                "`{}` has two routes for `{destination}`: that to `{first}` counts, that to `{other}` does not",
                table.id
            );
            found.contradiction(&table.place, what);
        }
    }
}

/// NAT gateways whose interfaces are not known.
fn gateways(model: &VpcModel, found: &mut Found) {
    let known: HashSet<&str> = model.interfaces.iter().map(|interface| interface.id.as_str()).collect();
    for gateway in model.nat_gateways.iter().filter(|gateway| !gateway.is_regional) {
        let id = &gateway.id;
        if gateway.interfaces.is_empty() {
            let what = format!("the interface of NAT gateway `{id}`: it has no records, and is no next hop");
            found.missing(&gateway.place, what);
        }
        for interface in gateway.interfaces.iter().filter(|interface| !known.contains(interface.as_str())) {
            let what = format!(
                "interface `{interface}` of NAT gateway `{id}`: it has no records, and is no next hop"
            );
            found.missing(&gateway.place, what);
        }
    }
}

/// Addresses of interfaces that are in none of their subnet's ranges.
fn outside(model: &VpcModel, found: &mut Found) {
    let subnets: HashMap<&str, &Subnet> =
        model.subnets.iter().map(|subnet| (subnet.id.as_str(), subnet)).collect();
    for interface in &model.interfaces {
        let subnet = interface.subnet.as_deref().and_then(|id| subnets.get(id));
        let Some(subnet) = subnet.filter(|subnet| !subnet.cidrs.is_empty()) else { continue };
        let addresses = interface.addresses.iter().map(|address| IpNet::from(*address));
        for own in addresses.chain(interface.prefixes.iter().copied()) {
            if !subnet.cidrs.iter().any(|cidr| cidr.contains(&own)) {
                // an address without the prefix length that it has as a range
                let shown = if own.prefix_len() == own.max_prefix_len() {
                    own.addr().to_string()
                } else {
                    own.to_string()
                };
                let ranges: Vec<String> = subnet.cidrs.iter().map(|cidr| format!("`{cidr}`")).collect();
                let what = format!(
                    "`{shown}` of `{}` is not in the range of its subnet `{}`: {}",
                    interface.id,
                    subnet.id,
                    ranges.join(", ")
                );
                found.contradiction(&interface.place, what);
            }
        }
    }
}

/// What belongs to two at once.
fn overlaps(model: &VpcModel, found: &mut Found) {
    let mut owned: HashMap<IpNet, &str> = HashMap::new();
    let mut macs: HashMap<Mac, &str> = HashMap::new();
    for interface in &model.interfaces {
        let id = interface.id.as_str();
        let addresses = interface.addresses.iter().map(|address| (IpNet::from(*address), "address"));
        let prefixes = interface.prefixes.iter().map(|prefix| (*prefix, "prefix"));
        for (own, what) in addresses.chain(prefixes) {
            if let Some(other) = owned.insert(own, id).filter(|other| *other != id) {
                let shown = if what == "address" { own.addr().to_string() } else { own.to_string() };
                let what = format!(
                    "`{other}` and `{id}` both have the {what} {shown}: only a MAC address can tell them apart, without one the action is `-`"
                );
                found.contradiction(&interface.place, what);
            }
        }
        if let Some(mac) = interface.mac
            && let Some(other) = macs.insert(mac, id)
        {
            let what =
                format!("`{other}` and `{id}` both have the MAC address {mac}, which is not used therefore");
            found.contradiction(&interface.place, what);
        }
    }
    for (index, subnet) in model.subnets.iter().enumerate() {
        for other in model.subnets.iter().skip(index + 1).filter(|other| other.vpc == subnet.vpc) {
            let shared = subnet
                .cidrs
                .iter()
                .any(|cidr| other.cidrs.iter().any(|second| cidr.contains(second) || second.contains(cidr)));
            if shared {
                let what = format!("the ranges of `{}` and `{}` overlap", subnet.id, other.id);
                found.contradiction(&other.place, what);
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
