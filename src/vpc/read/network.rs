//! `describe-subnets`, `describe-vpcs`, `describe-route-tables`, `describe-vpc-peering-connections`,
//! `describe-nat-gateways`.

use std::net::IpAddr;

use ipnet::IpNet;

use super::ModelBuilder;
use super::node::{Node, Result};
use crate::vpc::model::{
    NatGateway, Peering, Route, RouteDestination, RouteTable, RouteTarget, Subnet, VpcDescription,
};

/// The Region that an Availability, Local or Wavelength Zone's name begins with: `us-west-2` of `us-west-2-lax-1a`.
pub(super) fn region_of_zone(zone: &str) -> Option<String> {
    let mut region = String::new();
    for part in zone.split('-') {
        if !region.is_empty() {
            region.push('-');
        }
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        if !digits.is_empty() {
            region.push_str(&digits);
            return (region.matches('-').count() >= 2).then_some(region);
        }
        region.push_str(part);
    }
    None
}

/// The Region of an ARN, `arn:aws:ec2:REGION:…`.
fn region_of_arn(arn: &str) -> Option<String> {
    arn.split(':').nth(3).filter(|region| !region.is_empty()).map(str::to_owned)
}

/// The ranges of an association set that are in use.
fn associated(node: &Node<'_>, set: &str, member: &str, state: &str, into: &mut Vec<IpNet>) -> Result<()> {
    for item in node.items(set)? {
        let gone = match item.get(state)? {
            Some(state) => state.get_word("State")?.is_some_and(|state| state.starts_with("disassociat")),
            None => false,
        };
        if let Some(cidr) = item.get(member)?.filter(|_| !gone) {
            let cidr = cidr.cidr()?;
            if !into.contains(&cidr) {
                into.push(cidr);
            }
        }
    }
    Ok(())
}

pub(super) fn subnets(builder: &mut ModelBuilder, root: &Node<'_>) -> Result<()> {
    for node in root.items("Subnets")? {
        let mut cidrs = Vec::new();
        if let Some(cidr) = node.get("CidrBlock")? {
            cidrs.push(cidr.cidr()?);
        }
        associated(&node, "Ipv6CidrBlockAssociationSet", "Ipv6CidrBlock", "Ipv6CidrBlockState", &mut cidrs)?;
        let az_name = node.get_word("AvailabilityZone")?;
        let arn = node.get_word("SubnetArn")?;
        let outpost = node.get_word("OutpostArn")?;
        let subnet = Subnet {
            id: node.need_word("SubnetId")?,
            vpc: node.get_word("VpcId")?,
            cidrs,
            az_id: node.get_word("AvailabilityZoneId")?,
            region: arn
                .as_deref()
                .and_then(region_of_arn)
                .or_else(|| az_name.as_deref().and_then(region_of_zone)),
            az_name,
            outpost: outpost.map(|arn| arn.rsplit('/').next().unwrap_or_default().to_owned()),
            account: node.get_word("OwnerId")?,
            place: node.place(),
        };
        builder.put(subnet);
    }
    Ok(())
}

pub(super) fn vpcs(builder: &mut ModelBuilder, root: &Node<'_>) -> Result<()> {
    for node in root.items("Vpcs")? {
        let mut cidrs = Vec::new();
        // the primary range first: the DNS server is in it
        if let Some(cidr) = node.get("CidrBlock")? {
            cidrs.push(cidr.cidr()?);
        }
        associated(&node, "CidrBlockAssociationSet", "CidrBlock", "CidrBlockState", &mut cidrs)?;
        associated(&node, "Ipv6CidrBlockAssociationSet", "Ipv6CidrBlock", "Ipv6CidrBlockState", &mut cidrs)?;
        builder.put(VpcDescription {
            id: node.need_word("VpcId")?,
            cidrs,
            account: node.get_word("OwnerId")?,
            place: node.place(),
        });
    }
    Ok(())
}

pub(super) fn route_tables(builder: &mut ModelBuilder, root: &Node<'_>) -> Result<()> {
    for node in root.items("RouteTables")? {
        let mut table = RouteTable {
            id: node.need_word("RouteTableId")?,
            vpc: node.get_word("VpcId")?,
            place: node.place(),
            ..RouteTable::default()
        };
        for association in node.items("Associations")? {
            table.is_main |= association.flag("Main")?;
            table.subnets.extend(association.get_word("SubnetId")?);
        }
        for item in node.items("Routes")? {
            table.routes.push(route(&item)?);
        }
        builder.put(table);
    }
    Ok(())
}

fn route(node: &Node<'_>) -> Result<Route> {
    let destination = if let Some(cidr) = node.get("DestinationCidrBlock")? {
        RouteDestination::Cidr(cidr.cidr()?)
    } else if let Some(cidr) = node.get("DestinationIpv6CidrBlock")? {
        RouteDestination::Cidr(cidr.cidr()?)
    } else if let Some(list) = node.get("DestinationPrefixListId")? {
        RouteDestination::PrefixList(list.word()?)
    } else {
        return Err(node.error(
            "expected `DestinationCidrBlock`, `DestinationIpv6CidrBlock` or `DestinationPrefixListId`, found none of them",
        ));
    };
    const TARGETS: [&str; 9] = [
        "GatewayId",
        "NatGatewayId",
        "TransitGatewayId",
        "VpcPeeringConnectionId",
        "NetworkInterfaceId",
        "EgressOnlyInternetGatewayId",
        "LocalGatewayId",
        "CarrierGatewayId",
        "CoreNetworkArn",
    ];
    let mut target = None;
    for key in TARGETS {
        if target.is_none() {
            target = node.get_word(key)?;
        }
    }
    let target = target.map_or_else(|| RouteTarget::Other("-".to_owned()), |id| RouteTarget::of(&id));
    let blackhole = node.get_word("State")?.as_deref() == Some("blackhole");
    let propagated = node.get_word("Origin")?.as_deref() == Some("EnableVgwRoutePropagation");
    Ok(Route { destination, target, blackhole, propagated })
}

impl RouteTarget {
    /// The target that an identifier names, by what it begins with.
    pub(super) fn of(id: &str) -> RouteTarget {
        let id = id.to_owned();
        // the longer beginnings of two that begin alike come first
        match id.split('-').next().unwrap_or_default() {
            "local" => RouteTarget::Local,
            "igw" => RouteTarget::InternetGateway(id),
            "vgw" => RouteTarget::VirtualPrivateGateway(id),
            "vpce" => RouteTarget::Endpoint(id),
            "nat" => RouteTarget::NatGateway(id),
            "tgw" => RouteTarget::TransitGateway(id),
            "pcx" => RouteTarget::Peering(id),
            "eni" => RouteTarget::Interface(id),
            "eigw" => RouteTarget::EgressOnlyInternetGateway(id),
            "lgw" => RouteTarget::LocalGateway(id),
            "cagw" => RouteTarget::CarrierGateway(id),
            _ => RouteTarget::Other(id),
        }
    }

    /// The identifier, `local` for routes within the VPC.
    pub fn id(&self) -> &str {
        match self {
            RouteTarget::Local => "local",
            RouteTarget::InternetGateway(id)
            | RouteTarget::VirtualPrivateGateway(id)
            | RouteTarget::Endpoint(id)
            | RouteTarget::NatGateway(id)
            | RouteTarget::TransitGateway(id)
            | RouteTarget::Peering(id)
            | RouteTarget::Interface(id)
            | RouteTarget::EgressOnlyInternetGateway(id)
            | RouteTarget::LocalGateway(id)
            | RouteTarget::CarrierGateway(id)
            | RouteTarget::Other(id) => id,
        }
    }
}

pub(super) fn peerings(builder: &mut ModelBuilder, root: &Node<'_>) -> Result<()> {
    for node in root.items("VpcPeeringConnections")? {
        let region = |side: &str| match node.get(side)? {
            Some(side) => side.get_word("Region"),
            None => Ok(None),
        };
        let peering = Peering {
            id: node.need_word("VpcPeeringConnectionId")?,
            regions: [region("RequesterVpcInfo")?, region("AccepterVpcInfo")?],
            place: node.place(),
        };
        builder.put(peering);
    }
    Ok(())
}

pub(super) fn nat_gateways(builder: &mut ModelBuilder, root: &Node<'_>) -> Result<()> {
    for node in root.items("NatGateways")? {
        let mut gateway = NatGateway {
            id: node.need_word("NatGatewayId")?,
            vpc: node.get_word("VpcId")?,
            is_regional: node.get_word("AvailabilityMode")?.as_deref() == Some("regional"),
            place: node.place(),
            ..NatGateway::default()
        };
        // these have no interface any more
        if matches!(node.get_word("State")?.as_deref(), Some("deleted" | "failed")) {
            continue;
        }
        for address in node.items("NatGatewayAddresses")? {
            gateway.interfaces.extend(address.get_word("NetworkInterfaceId")?);
            if let Some(public) = address.get("PublicIp")? {
                let public: IpAddr = public.parse("an IP address")?;
                gateway.public_addresses.push(public);
            }
        }
        builder.put(gateway);
    }
    Ok(())
}
