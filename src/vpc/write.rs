//! The model → the JSON of the AWS CLI, as [`ModelBuilder`](super::ModelBuilder) reads it.
//!
//! What the model does not know is left out or empty, never made up, but for the name of a zone, which a Region and a
//! letter make. What only the TOML can say (`nitro`, `fields`) has no place in this JSON.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Map, Value, json};

use super::Ports;
use super::model::{
    FlowLog, Interface, NatGateway, NetworkAcl, PrefixList, Route, RouteDestination, RouteTable, RouteTarget,
    SecurityGroup, Subnet, VpcDescription, VpcModel,
};
use super::rules::{AclRule, Peer, SecurityRule};
use crate::packet::Protocol;

impl VpcModel {
    /// The outputs of the AWS CLI that describe this VPC: each file's name and what it holds. A kind that the model has
    /// nothing of has no file.
    pub fn to_aws_json(&self) -> Vec<(&'static str, Value)> {
        let list = |file, key: &str, items: Vec<Value>| {
            (!items.is_empty())
                .then(|| (file, Value::Object(Map::from_iter([(key.to_owned(), items.into())]))))
        };
        let region = |subnet: &Option<String>| {
            let subnet = self.subnets.iter().find(|known| Some(&known.id) == subnet.as_ref());
            subnet.and_then(|subnet| subnet.region.clone())
        };
        let interfaces = self.interfaces.iter().map(|interface| {
            let zone =
                zone(&interface.az_name, &interface.region.clone().or_else(|| region(&interface.subnet)));
            network_interface(interface, zone)
        });
        let ranges = self
            .service_ranges
            .iter()
            .filter(|range| range.cidr.addr().is_ipv4())
            .map(|range| json!({"ip_prefix": range.cidr.to_string(), "service": range.service}));
        [
            list("network-interfaces.json", "NetworkInterfaces", interfaces.collect()),
            list("security-groups.json", "SecurityGroups", all(&self.security_groups, security_group)),
            list("network-acls.json", "NetworkAcls", all(&self.acls, network_acl)),
            list("subnets.json", "Subnets", all(&self.subnets, subnet)),
            list("vpcs.json", "Vpcs", all(&self.vpcs, vpc)),
            list("route-tables.json", "RouteTables", all(&self.route_tables, route_table)),
            list("nat-gateways.json", "NatGateways", all(&self.nat_gateways, nat_gateway)),
            list("prefix-lists.json", "PrefixLists", all(&self.prefix_lists, prefix_list)),
            list(
                "peerings.json",
                "VpcPeeringConnections",
                all(&self.peerings, |peering| {
                    let side = |region: &Option<String>| compact(json!({"Region": region}));
                    let [one, other] = &peering.regions;
                    json!({
                        "VpcPeeringConnectionId": peering.id,
                        "RequesterVpcInfo": side(one),
                        "AccepterVpcInfo": side(other),
                    })
                }),
            ),
            list("flow-logs.json", "FlowLogs", all(&self.flow_logs, flow_log)),
            list("ip-ranges.json", "prefixes", ranges.collect()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn all<T>(things: &[T], one: impl Fn(&T) -> Value) -> Vec<Value> {
    things.iter().map(one).collect()
}

/// An object without the members that are not known.
fn compact(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            Value::Object(members.into_iter().filter(|(_, value)| !value.is_null()).collect())
        }
        other => other,
    }
}

/// A zone's name: its own, or the Region's first.
fn zone(name: &Option<String>, region: &Option<String>) -> Option<String> {
    name.clone().or_else(|| region.as_ref().map(|region| format!("{region}a")))
}

fn network_interface(interface: &Interface, zone: Option<String>) -> Value {
    let public = |address: IpAddr| {
        let pair = interface.public_addresses.iter().find(|(private, _)| *private == address);
        pair.map(|(_, public)| json!({"PublicIp": public}))
    };
    let (v4, v6): (Vec<IpAddr>, Vec<IpAddr>) =
        interface.addresses.iter().partition(|address| address.is_ipv4());
    let private = v4.iter().enumerate().map(|(at, address)| {
        compact(json!({"PrivateIpAddress": address, "Primary": at == 0, "Association": public(*address)}))
    });
    let of_family = |is_v4: bool, key: &str| -> Vec<Value> {
        let prefixes = interface.prefixes.iter().filter(|prefix| prefix.addr().is_ipv4() == is_v4);
        prefixes.map(|prefix| json!({key: prefix.to_string()})).collect()
    };
    let timeouts = compact(json!({
        "TcpEstablishedTimeout": interface.timeouts.tcp_established,
        "UdpTimeout": interface.timeouts.udp,
        "UdpStreamTimeout": interface.timeouts.udp_stream,
    }));
    compact(json!({
        "NetworkInterfaceId": interface.id,
        "InterfaceType": interface.kind,
        "OwnerId": interface.account,
        "VpcId": interface.vpc,
        "SubnetId": interface.subnet,
        "AvailabilityZone": zone,
        "AvailabilityZoneId": interface.az_id,
        "MacAddress": interface.mac.map(|mac| mac.to_string()),
        "PrivateIpAddress": v4.first(),
        "PrivateIpAddresses": private.collect::<Vec<_>>(),
        "Ipv6Addresses": v6.iter().map(|address| json!({"Ipv6Address": address})).collect::<Vec<_>>(),
        "Ipv4Prefixes": of_family(true, "Ipv4Prefix"),
        "Ipv6Prefixes": of_family(false, "Ipv6Prefix"),
        "Groups": interface.groups.iter().map(|group| json!({"GroupId": group})).collect::<Vec<_>>(),
        "Attachment": interface.instance.as_ref().map(|id| json!({"InstanceId": id, "Status": "attached"})),
        "TagSet": interface.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect::<Vec<_>>(),
        "ConnectionTrackingConfiguration":
            timeouts.as_object().is_some_and(|members| !members.is_empty()).then_some(timeouts),
        "Status": "in-use",
    }))
}

/// `IpProtocol` and `Protocol`: names of four protocols in security groups, numbers elsewhere.
fn protocol_text(protocol: Option<Protocol>, with_names: bool) -> String {
    match protocol {
        None => "-1".to_owned(),
        Some(Protocol::TCP) if with_names => "tcp".to_owned(),
        Some(Protocol::UDP) if with_names => "udp".to_owned(),
        Some(Protocol::ICMP) if with_names => "icmp".to_owned(),
        Some(Protocol::ICMPV6) if with_names => "icmpv6".to_owned(),
        Some(Protocol(number)) => number.to_string(),
    }
}

/// A rule's ports as two numbers, where its protocol has any: all ports of TCP and UDP are 0 to 65535, any ICMP type -1.
fn numbers(protocol: Option<Protocol>, ports: Ports) -> Option<(i32, i32)> {
    let any = |number: Option<u8>| number.map_or(-1, i32::from);
    match (protocol?, ports) {
        (_, Ports::Range(first, last)) => Some((first.into(), last.into())),
        (_, Ports::Icmp(kind, code)) => Some((any(kind), any(code))),
        (Protocol::TCP | Protocol::UDP, Ports::All) => Some((0, 65_535)),
        (Protocol::ICMP | Protocol::ICMPV6, Ports::All) => Some((-1, -1)),
        _ => None,
    }
}

fn security_group(group: &SecurityGroup) -> Value {
    let permission = |rule: &SecurityRule| {
        let (mut v4, mut v6, mut lists, mut groups) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        match &rule.peer {
            Peer::Cidr(cidr) if cidr.addr().is_ipv4() => v4.push(json!({"CidrIp": cidr.to_string()})),
            Peer::Cidr(cidr) => v6.push(json!({"CidrIpv6": cidr.to_string()})),
            Peer::PrefixList(id) => lists.push(json!({"PrefixListId": id})),
            Peer::Group(id) => groups.push(json!({"GroupId": id})),
        }
        let ports = numbers(rule.protocol, rule.ports);
        compact(json!({
            "IpProtocol": protocol_text(rule.protocol, true),
            "FromPort": ports.map(|(from, _)| from),
            "ToPort": ports.map(|(_, to)| to),
            "IpRanges": v4, "Ipv6Ranges": v6, "PrefixListIds": lists, "UserIdGroupPairs": groups,
        }))
    };
    compact(json!({
        "GroupId": group.id,
        "GroupName": group.name,
        "VpcId": group.vpc,
        "IpPermissions": group.ingress.as_ref().map(|rules| all(rules, permission)),
        "IpPermissionsEgress": group.egress.as_ref().map(|rules| all(rules, permission)),
    }))
}

fn network_acl(acl: &NetworkAcl) -> Value {
    let entry = |rule: &AclRule| {
        let is_icmp = matches!(rule.protocol, Some(Protocol::ICMP | Protocol::ICMPV6));
        let ports = numbers(rule.protocol, rule.ports);
        let (v4, v6) = by_family(&rule.cidr);
        compact(json!({
            "Egress": rule.egress,
            "RuleNumber": rule.number,
            "Protocol": protocol_text(rule.protocol, false),
            "RuleAction": if rule.allow { "allow" } else { "deny" },
            "CidrBlock": v4,
            "Ipv6CidrBlock": v6,
            "PortRange": ports.filter(|_| !is_icmp).map(|(from, to)| json!({"From": from, "To": to})),
            "IcmpTypeCode": ports.filter(|_| is_icmp).map(|(kind, code)| json!({"Type": kind, "Code": code})),
        }))
    };
    compact(json!({
        "NetworkAclId": acl.id,
        "VpcId": acl.vpc,
        "IsDefault": acl.is_default,
        "Associations": all(&acl.subnets, |subnet| json!({"SubnetId": subnet})),
        "Entries": all(&acl.rules, entry),
    }))
}

fn by_family(cidr: &IpNet) -> (Option<String>, Option<String>) {
    let text = Some(cidr.to_string());
    if cidr.addr().is_ipv4() { (text, None) } else { (None, text) }
}

/// The first IPv4 range, and the set of the others of a family.
fn blocks(cidrs: &[IpNet], is_v4: bool, key: &str, state: &str) -> Vec<Value> {
    let of_family = cidrs.iter().filter(|cidr| cidr.addr().is_ipv4() == is_v4);
    of_family.map(|cidr| json!({key: cidr.to_string(), state: {"State": "associated"}})).collect()
}

fn first_v4(cidrs: &[IpNet]) -> Option<String> {
    cidrs.iter().find(|cidr| cidr.addr().is_ipv4()).map(IpNet::to_string)
}

fn subnet(subnet: &Subnet) -> Value {
    let owner = subnet.account.as_deref().unwrap_or_default();
    let arn = |kind: &str, id: &str| {
        subnet.region.as_ref().map(|region| format!("arn:aws:{kind}:{region}:{owner}:{id}"))
    };
    compact(json!({
        "SubnetId": subnet.id,
        "VpcId": subnet.vpc,
        "OwnerId": subnet.account,
        "CidrBlock": first_v4(&subnet.cidrs),
        "Ipv6CidrBlockAssociationSet": blocks(&subnet.cidrs, false, "Ipv6CidrBlock", "Ipv6CidrBlockState"),
        "AvailabilityZone": zone(&subnet.az_name, &subnet.region),
        "AvailabilityZoneId": subnet.az_id,
        "SubnetArn": arn("ec2", &format!("subnet/{}", subnet.id)),
        "OutpostArn": subnet.outpost.as_ref().and_then(|id| arn("outposts", &format!("outpost/{id}"))),
        "State": "available",
    }))
}

fn vpc(vpc: &VpcDescription) -> Value {
    compact(json!({
        "VpcId": vpc.id,
        "OwnerId": vpc.account,
        "CidrBlock": first_v4(&vpc.cidrs),
        "CidrBlockAssociationSet": blocks(&vpc.cidrs, true, "CidrBlock", "CidrBlockState"),
        "Ipv6CidrBlockAssociationSet": blocks(&vpc.cidrs, false, "Ipv6CidrBlock", "Ipv6CidrBlockState"),
        "State": "available",
    }))
}

fn route_table(table: &RouteTable) -> Value {
    let mut associations = all(&table.subnets, |subnet| json!({"SubnetId": subnet, "Main": false}));
    if table.is_main {
        associations.push(json!({"Main": true}));
    }
    compact(json!({
        "RouteTableId": table.id,
        "VpcId": table.vpc,
        "Associations": associations,
        "Routes": all(&table.routes, route),
    }))
}

fn route(route: &Route) -> Value {
    let target = match &route.target {
        RouteTarget::NatGateway(_) => "NatGatewayId",
        RouteTarget::TransitGateway(_) => "TransitGatewayId",
        RouteTarget::Peering(_) => "VpcPeeringConnectionId",
        RouteTarget::Interface(_) => "NetworkInterfaceId",
        RouteTarget::EgressOnlyInternetGateway(_) => "EgressOnlyInternetGatewayId",
        RouteTarget::LocalGateway(_) => "LocalGatewayId",
        RouteTarget::CarrierGateway(_) => "CarrierGatewayId",
        RouteTarget::Local
        | RouteTarget::InternetGateway(_)
        | RouteTarget::VirtualPrivateGateway(_)
        | RouteTarget::Endpoint(_)
        | RouteTarget::Other(_) => "GatewayId",
    };
    let (destination, to) = match &route.destination {
        RouteDestination::Cidr(cidr) if cidr.addr().is_ipv4() => ("DestinationCidrBlock", cidr.to_string()),
        RouteDestination::Cidr(cidr) => ("DestinationIpv6CidrBlock", cidr.to_string()),
        RouteDestination::PrefixList(id) => ("DestinationPrefixListId", id.clone()),
    };
    compact(json!({
        destination: to,
        target: route.target.id(),
        "State": if route.blackhole { "blackhole" } else { "active" },
        "Origin": route.propagated.then_some("EnableVgwRoutePropagation"),
    }))
}

fn nat_gateway(gateway: &NatGateway) -> Value {
    let count = gateway.interfaces.len().max(gateway.public_addresses.len());
    let address = |at: usize| {
        compact(json!({
            "NetworkInterfaceId": gateway.interfaces.get(at),
            "PublicIp": gateway.public_addresses.get(at),
        }))
    };
    compact(json!({
        "NatGatewayId": gateway.id,
        "VpcId": gateway.vpc,
        "AvailabilityMode": if gateway.is_regional { "regional" } else { "zonal" },
        "State": "available",
        "NatGatewayAddresses": (0..count).map(address).collect::<Vec<_>>(),
    }))
}

fn prefix_list(list: &PrefixList) -> Value {
    let cidrs = list.cidrs.as_ref().map(|cidrs| cidrs.iter().map(IpNet::to_string).collect::<Vec<_>>());
    compact(json!({"PrefixListId": list.id, "PrefixListName": list.name, "Cidrs": cidrs}))
}

fn flow_log(log: &FlowLog) -> Value {
    compact(json!({
        "FlowLogId": log.id,
        "ResourceId": log.resource,
        "LogFormat": log.format.as_ref().map(ToString::to_string),
        "MaxAggregationInterval": log.interval,
        "TrafficType": log.traffic_type,
        "FlowLogStatus": "ACTIVE",
    }))
}

#[cfg(test)]
mod tests {
    use super::super::{ModelBuilder, Place};
    use super::*;

    /// The same, wherever it was described, and however all ports of a rule are said.
    fn anywhere(mut model: VpcModel) -> VpcModel {
        for rule in model.acls.iter_mut().flat_map(|acl| &mut acl.rules) {
            if rule.ports == Ports::Range(0, u16::MAX) {
                rule.ports = Ports::All;
            }
        }
        model.vpcs.iter_mut().for_each(|one| one.place = Place::default());
        model.acls.iter_mut().for_each(|one| one.place = Place::default());
        model.route_tables.iter_mut().for_each(|one| one.place = Place::default());
        model.nat_gateways.iter_mut().for_each(|one| one.place = Place::default());
        model.subnets.iter_mut().for_each(|one| one.place = Place::default());
        model.security_groups.iter_mut().for_each(|one| one.place = Place::default());
        model.interfaces.iter_mut().for_each(|one| one.place = Place::default());
        model
    }

    #[test]
    fn what_is_written_is_read_back() {
        for name in ["office.toml", "vpn.toml", "web.toml"] {
            let path = format!("{}/fixtures/vpc/{name}", env!("CARGO_MANIFEST_DIR"));
            let mut builder = ModelBuilder::default();
            builder.add(name, &std::fs::read_to_string(path).unwrap()).unwrap();
            let model = builder.finish();
            let mut again = ModelBuilder::default();
            for (file, document) in model.to_aws_json() {
                again.add(file, &document.to_string()).unwrap();
            }
            let (model, again) = (anywhere(model), anywhere(again.finish()));
            assert_eq!(again.vpcs, model.vpcs, "{name}");
            assert_eq!(again.acls, model.acls, "{name}");
            assert_eq!(again.route_tables, model.route_tables, "{name}");
            let gateway =
                |gateway: &NatGateway| NatGateway { account: None, region: None, ..gateway.clone() };
            assert_eq!(
                again.nat_gateways.iter().map(gateway).collect::<Vec<_>>(),
                model.nat_gateways.iter().map(gateway).collect::<Vec<_>>(),
                "{name}"
            );
            let subnet = |subnet: &Subnet| Subnet { az_name: None, ..subnet.clone() };
            assert_eq!(
                again.subnets.iter().map(subnet).collect::<Vec<_>>(),
                model.subnets.iter().map(subnet).collect::<Vec<_>>(),
                "{name}"
            );
            assert_eq!(again.security_groups, model.security_groups, "{name}");
            // AWS's JSON has no word for these
            let interface = |interface: &Interface| Interface {
                az_name: None,
                nitro: None,
                fields: Vec::new(),
                ..interface.clone()
            };
            assert_eq!(
                again.interfaces.iter().map(interface).collect::<Vec<_>>(),
                model.interfaces.iter().map(interface).collect::<Vec<_>>(),
                "{name}"
            );
        }
    }
}
