//! The fields of a record that say whose interface it is, and what is next to it.

use super::model::{Interface, NatGateway, Subnet, VpcModel};
use super::routes::Route;
use super::{InterfaceIndex, RouteTarget, Vpc};
use crate::record::{Field, FlowRecord};
use std::net::IpAddr;

/// What stands for an interface beside a packet's own interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer {
    /// The interface at the other end.
    pub interface: InterfaceIndex,
    /// Whether the frame's MAC address said so; else it was the packet's address.
    pub by_mac: bool,
}

/// `interface-type`'s word for the API's.
fn interface_type(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "nat_gateway" | "natGateway" => "nat_gateway",
        "network_load_balancer" => "network_load_balancer",
        "transit_gateway" => "transit_gateway",
        "vpc_endpoint" => "vpc_endpoint",
        _ => return None,
    })
}

/// A tag's value as a record has it: everything but letters, digits and `-._~` percent-encoded, byte by byte.
fn encoded(value: &str) -> Option<Box<str>> {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    (!text.is_empty()).then(|| text.into())
}

fn boxed(text: Option<&String>) -> Option<Box<str>> {
    text.map(|text| text.as_str().into())
}

/// The sublocation that a zone's name stands for: `us-west-2-lax-1a` a Local Zone, `…-wlz-1` a Wavelength Zone.
fn sublocation_of_zone(zone: &str) -> Option<&'static str> {
    if zone.contains("-wlz-") {
        Some("wavelength")
    } else if zone.split('-').count() > 3 && !zone.starts_with("us-gov-") && !zone.starts_with("us-iso") {
        Some("localzone")
    } else {
        None
    }
}

/// The constants of an interface's records.
pub(super) fn of_interface(model: &VpcModel, interface: &Interface, subnet: Option<&Subnet>) -> FlowRecord {
    let zone_id = interface.az_id.as_ref().or_else(|| subnet.and_then(|subnet| subnet.az_id.as_ref()));
    let zone = interface.az_name.as_ref().or_else(|| subnet.and_then(|subnet| subnet.az_name.as_ref()));
    let outpost = subnet.and_then(|subnet| subnet.outpost.as_ref());
    let sublocation = outpost.map(|_| "outpost").or_else(|| sublocation_of_zone(zone?));
    let region = interface.region.as_ref().or_else(|| subnet.and_then(|subnet| subnet.region.as_ref()));
    let vpc = interface.vpc.as_ref().or_else(|| subnet.and_then(|subnet| subnet.vpc.as_ref()));
    let tag =
        |key: &str| interface.tags.iter().find(|(tag, _)| tag == key).and_then(|(_, value)| encoded(value));
    let mut record = FlowRecord {
        account_id: Some(interface.account.as_deref().unwrap_or("unknown").into()),
        interface_id: Some(interface.id.as_str().into()),
        vpc_id: boxed(vpc),
        subnet_id: boxed(interface.subnet.as_ref()),
        instance_id: boxed(interface.instance.as_ref()),
        region: boxed(region),
        // a zone of a sublocation is the sublocation's identifier, not `az-id`
        az_id: if sublocation.is_none() { boxed(zone_id) } else { None },
        sublocation_type: sublocation.map(Into::into),
        sublocation_id: boxed(sublocation.and(outpost.or(zone_id))),
        interface_type: interface_type(&interface.kind).map(Into::into),
        // the tags that ECS gives the interfaces of its tasks
        ecs_cluster_name: tag("aws:ecs:clusterName"),
        ecs_service_name: tag("aws:ecs:serviceName"),
        ..FlowRecord::default()
    };
    let keys = model.flow_logs.iter().flat_map(|flow_log| &flow_log.tag_fields);
    let keys = keys.filter(|(resource, _)| resource == "network-interface").flat_map(|(_, keys)| keys);
    let mut values = keys.map(|key| tag(key));
    record.interface_tag = values.next().flatten();
    record.interface_tag_2 = values.next().flatten();
    for (field, text) in &interface.fields {
        // the reader has checked the value
        let _ = field.set(&mut record, text);
    }
    record
}

/// The constants of a regional NAT gateway's records: no interface, no subnet.
fn of_regional_nat(nat: &NatGateway) -> FlowRecord {
    FlowRecord {
        account_id: Some(nat.account.as_deref().unwrap_or("unknown").into()),
        vpc_id: boxed(nat.vpc.as_ref()),
        region: boxed(nat.region.as_ref()),
        resource_id: Some(nat.id.as_str().into()),
        interface_type: Some("regional_nat_gateway".into()),
        ..FlowRecord::default()
    }
}

impl Vpc {
    /// The constants of an interface's records.
    pub fn identity(&self, at: InterfaceIndex) -> FlowRecord {
        self.compiled(at).map(|compiled| compiled.identity.clone()).unwrap_or_default()
    }

    /// The constants of a regional NAT gateway's records. Where its description names no account or Region, those of
    /// its VPC's interfaces.
    pub fn regional_nat_identity(&self, at: u32) -> FlowRecord {
        let Some(nat) = self.nat_gateway(at) else { return FlowRecord::default() };
        let mut record = of_regional_nat(nat);
        if let Some(near) = self.model.interfaces.iter().find(|interface| interface.vpc == nat.vpc) {
            if nat.account.is_none() && near.account.is_some() {
                record.account_id = boxed(near.account.as_ref());
            }
            record.region = record.region.take().or_else(|| boxed(near.region.as_ref()));
        }
        record
    }

    /// The address that a record shows for an interface where the packet's own address is not its primary one.
    ///
    /// A record shows the interface's primary private IPv4 address in place of a secondary one, and in place of one
    /// that it does not have at all. Of IPv6 AWS says nothing: an address that the interface has stays, another is
    /// replaced by the interface's first. Source: "Flow log limitations".
    pub fn shown_address(&self, at: InterfaceIndex, address: IpAddr) -> IpAddr {
        let Some(interface) = self.interface(at) else { return address };
        let own = |candidate: &&IpAddr| candidate.is_ipv4() == address.is_ipv4();
        if address.is_ipv6() && self.interface_at(address) == Some(at) {
            return address;
        }
        interface.addresses.iter().find(own).copied().unwrap_or(address)
    }

    /// The interface next to another on a packet's way: whom it goes to, or whom it comes from.
    pub fn next_hop(
        &self,
        at: InterfaceIndex,
        egress: bool,
        remote: IpAddr,
        peer: Option<Peer>,
    ) -> Option<InterfaceIndex> {
        let next = match peer {
            Some(Peer { interface, by_mac: true }) => Some(interface),
            _ => match self.route(at, remote) {
                Some(Route { target: RouteTarget::Local | RouteTarget::Peering(_), .. }) | None => {
                    peer.map(|peer| peer.interface)
                }
                Some(_) => self.route_interface(at, remote),
            },
        }?;
        let kind = self.interface(next)?.kind.as_str();
        // what comes in from these has no next hop in a record
        let hidden = !egress && matches!(kind, "transit_gateway" | "network_load_balancer");
        (!hidden && next != at).then_some(next)
    }

    /// Fills in the next-hop fields. Of another account's interface only the zone is shown.
    pub fn fill_next_hop(&self, record: &mut FlowRecord, at: InterfaceIndex, next: Option<InterfaceIndex>) {
        for field in [
            Field::NextHopInterfaceId,
            Field::NextHopSubnetId,
            Field::NextHopAzId,
            Field::NextHopVpcId,
            Field::NextHopInterfaceType,
        ] {
            field.clear(record);
        }
        let identity = |at| self.compiled(at).map(|compiled| &compiled.identity);
        let (Some(own), Some(next)) = (identity(at), next.and_then(identity)) else { return };
        if own.region.is_some() && next.region.is_some() && own.region != next.region {
            return;
        }
        record.next_hop_az_id = next.az_id.clone();
        if own.account_id != next.account_id {
            return;
        }
        record.next_hop_interface_id = next.interface_id.clone();
        record.next_hop_subnet_id = next.subnet_id.clone();
        record.next_hop_vpc_id = next.vpc_id.clone();
        record.next_hop_interface_type = next.interface_type.clone();
    }
}
