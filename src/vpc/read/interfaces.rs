//! `describe-network-interfaces`.

use std::net::{IpAddr, Ipv6Addr};

use super::ModelBuilder;
use super::network::region_of_zone;
use super::node::{Node, Result};
use crate::vpc::model::{Interface, TrackingTimeouts};

pub(super) fn interfaces(builder: &mut ModelBuilder, root: &Node<'_>) -> Result<()> {
    for node in root.items("NetworkInterfaces")? {
        let interface = interface(&node)?;
        builder.put(interface);
    }
    Ok(())
}

fn interface(node: &Node<'_>) -> Result<Interface> {
    let mut addresses: Vec<IpAddr> = Vec::new();
    let mut add = |address| {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    };
    // the primary one first
    if let Some(primary) = node.get("PrivateIpAddress")? {
        add(primary.ipv4()?);
    }
    let listed = node.items("PrivateIpAddresses")?;
    for primary_wanted in [true, false] {
        for item in &listed {
            if item.flag("Primary")? == primary_wanted {
                add(item.need("PrivateIpAddress")?.ipv4()?);
            }
        }
    }
    let mut public_addresses = Vec::new();
    for item in std::iter::once(node).chain(&listed) {
        let public = item.get("Association")?.map(|association| association.get("PublicIp")).transpose()?;
        if let (Some(private), Some(public)) = (item.get("PrivateIpAddress")?, public.flatten()) {
            let pair = (private.ipv4()?, public.ipv4()?);
            if !public_addresses.contains(&pair) {
                public_addresses.push(pair);
            }
        }
    }
    let listed = node.items("Ipv6Addresses")?;
    for primary_wanted in [true, false] {
        for item in &listed {
            if item.flag("IsPrimaryIpv6")? == primary_wanted {
                add(item.need("Ipv6Address")?.parse::<Ipv6Addr>("an IPv6 address")?.into());
            }
        }
    }
    let mut prefixes = Vec::new();
    for (list, member) in [("Ipv4Prefixes", "Ipv4Prefix"), ("Ipv6Prefixes", "Ipv6Prefix")] {
        for item in node.items(list)? {
            prefixes.push(item.need(member)?.cidr()?);
        }
    }
    let mut groups: Vec<String> =
        node.items("Groups")?.iter().map(|group| group.need_word("GroupId")).collect::<Result<_>>()?;
    if node.get("Groups")?.is_none() {
        // the AWS CLI always has the key; without it there may be any group
        groups.push("(not described)".to_owned());
    }
    let instance = match node.get("Attachment")? {
        Some(attachment) => attachment.get_word("InstanceId")?,
        None => None,
    };
    let timeouts = match node.get("ConnectionTrackingConfiguration")? {
        Some(tracking) => timeouts(&tracking)?,
        None => TrackingTimeouts::default(),
    };
    let az_name = node.get_word("AvailabilityZone")?;
    Ok(Interface {
        id: node.need_word("NetworkInterfaceId")?,
        account: node.get_word("OwnerId")?,
        vpc: node.get_word("VpcId")?,
        subnet: node.get_word("SubnetId")?,
        instance,
        mac: node.get("MacAddress")?.map(|mac| mac.parse("a MAC address")).transpose()?,
        addresses,
        public_addresses,
        prefixes,
        groups,
        kind: node.get_word("InterfaceType")?.unwrap_or_else(|| "interface".to_owned()),
        az_id: node.get_word("AvailabilityZoneId")?,
        region: az_name.as_deref().and_then(region_of_zone),
        az_name,
        tags: tags(node, "TagSet")?,
        timeouts,
        nitro: None,
        fields: Vec::new(),
        place: node.place(),
    })
}

/// The idle timeouts that an interface sets; AWS's bounds are kept to, so that a slip of the pen is found.
fn timeouts(node: &Node<'_>) -> Result<TrackingTimeouts> {
    let seconds = |key, least, most| Ok(node.integer(key, least, most)?.map(|value| value as u32));
    Ok(TrackingTimeouts {
        tcp_established: seconds("TcpEstablishedTimeout", 60, 432_000)?,
        udp: seconds("UdpTimeout", 30, 60)?,
        udp_stream: seconds("UdpStreamTimeout", 60, 180)?,
    })
}

/// Tags with their keys; a tag without a value has an empty one.
pub(super) fn tags(node: &Node<'_>, key: &str) -> Result<Vec<(String, String)>> {
    let mut tags = Vec::new();
    for tag in node.items(key)? {
        tags.push((tag.need("Key")?.text()?, tag.get_text("Value")?.unwrap_or_default()));
    }
    Ok(tags)
}
