//! This program's own TOML: a VPC in a page, for those without AWS at hand.
//!
//! `docs/vpc.md` describes it key by key. It is taken to be complete: a subnet without an ACL has AWS's default one,
//! which lets everything pass, and a group that does not name `egress` rules lets everything out, as AWS makes them.

use std::net::IpAddr;

use super::ModelBuilder;
use super::node::{Node, Result};
use crate::record::{Field, Origin};
use crate::vpc::model::{
    Interface, NatGateway, NetworkAcl, Peering, PrefixList, Route, RouteDestination, RouteTable, RouteTarget,
    SecurityGroup, ServiceRange, Subnet, TrackingTimeouts, VpcDescription,
};
use crate::vpc::rules::{AclRule, SecurityRule, parse_cidr};

const TOP: [&str; 12] = [
    "account",
    "region",
    "vpc",
    "subnet",
    "interface",
    "security-group",
    "acl",
    "route-table",
    "prefix-list",
    "nat-gateway",
    "peering",
    "service",
];

/// The words on top that a scenario of `generate` has beside these; what they say is about its traffic.
const OF_SCENARIOS: [&str; 10] =
    ["title", "about", "seed", "begin", "duration", "expected", "host", "conversation", "capture", "log"];

/// What the whole file says.
struct Common {
    account: Option<String>,
    region: Option<String>,
    /// The only VPC, where there is one: what does not name a VPC is in it.
    vpc: Option<String>,
}

pub(super) fn read(builder: &mut ModelBuilder, root: &Node<'_>) -> Result<()> {
    let known: Vec<&str> = TOP.into_iter().chain(OF_SCENARIOS).collect();
    root.only(&known)?;
    let vpcs = tables(root, "vpc")?;
    let ids = vpcs.iter().map(|vpc| vpc.need_word("id")).collect::<Result<Vec<_>>>()?;
    let common = Common {
        account: root.get_word("account")?,
        region: root.get_word("region")?,
        vpc: if let [id] = &ids[..] { Some(id.clone()) } else { None },
    };
    for (node, id) in vpcs.iter().zip(ids) {
        node.only(&["id", "cidrs", "account"])?;
        let account = node.get_word("account")?.or_else(|| common.account.clone());
        builder.put_vpc(VpcDescription { id, cidrs: node.cidrs("cidrs")?, account }, node);
    }
    for node in tables(root, "acl")? {
        acl(builder, &common, &node)?;
    }
    for node in tables(root, "route-table")? {
        route_table(builder, &common, &node)?;
    }
    for node in tables(root, "subnet")? {
        subnet(builder, &common, &node)?;
    }
    for node in tables(root, "security-group")? {
        security_group(builder, &common, &node)?;
    }
    for node in tables(root, "interface")? {
        interface(builder, &common, &node)?;
    }
    for node in tables(root, "prefix-list")? {
        node.only(&["id", "name", "cidrs"])?;
        builder.merge_prefix_list(PrefixList {
            id: node.need_word("id")?,
            name: node.get_word("name")?,
            cidrs: Some(node.cidrs("cidrs")?),
        });
    }
    for node in tables(root, "nat-gateway")? {
        node.only(&["id", "vpc", "interfaces", "public-addresses", "regional"])?;
        let public = node.items("public-addresses")?;
        let gateway = NatGateway {
            id: node.need_word("id")?,
            vpc: node.get_word("vpc")?.or_else(|| common.vpc.clone()),
            account: common.account.clone(),
            interfaces: node.words("interfaces")?,
            public_addresses: public.iter().map(|node| node.parse("an IP address")).collect::<Result<_>>()?,
            is_regional: node.flag("regional")?,
            region: common.region.clone(),
        };
        builder.put_nat_gateway(gateway, &node);
    }
    for node in tables(root, "peering")? {
        node.only(&["id", "regions"])?;
        let mut regions = node.words("regions")?.into_iter();
        let regions = [regions.next(), regions.next()];
        builder.model.peerings.push(Peering { id: node.need_word("id")?, regions });
    }
    for node in tables(root, "service")? {
        node.only(&["name", "cidrs"])?;
        let service = node.need_word("name")?;
        let ranges = node.cidrs("cidrs")?.into_iter();
        builder
            .model
            .service_ranges
            .extend(ranges.map(|cidr| ServiceRange { cidr, service: service.clone() }));
    }
    Ok(())
}

/// `[name]` or every `[[name]]`.
fn tables<'a>(root: &Node<'a>, name: &str) -> Result<Vec<Node<'a>>> {
    match root.get(name)? {
        None => Ok(Vec::new()),
        Some(one) if one.object().is_ok() => Ok(vec![one]),
        Some(list) => list.list(),
    }
}

fn subnet(builder: &mut ModelBuilder, common: &Common, node: &Node<'_>) -> Result<()> {
    node.only(&[
        "id",
        "vpc",
        "cidrs",
        "az-id",
        "az-name",
        "region",
        "outpost",
        "account",
        "acl",
        "route-table",
    ])?;
    let id = node.need_word("id")?;
    let subnet = Subnet {
        id: id.clone(),
        vpc: node.get_word("vpc")?.or_else(|| common.vpc.clone()),
        cidrs: node.cidrs("cidrs")?,
        az_id: node.get_word("az-id")?,
        az_name: node.get_word("az-name")?,
        region: node.get_word("region")?.or_else(|| common.region.clone()),
        outpost: node.get_word("outpost")?,
        account: node.get_word("account")?.or_else(|| common.account.clone()),
    };
    match node.get_word("acl")? {
        Some(named) => match builder.model.acls.iter_mut().find(|acl| acl.id == named) {
            Some(acl) => acl.subnets.push(id.clone()),
            None => {
                return Err(node.error(format!("the network ACL `{named}` is not described in this file")));
            }
        },
        None => open_acl(builder, &id),
    }
    if let Some(named) = node.get_word("route-table")? {
        match builder.model.route_tables.iter_mut().find(|table| table.id == named) {
            Some(table) => table.subnets.push(id),
            None => {
                return Err(node.error(format!("the route table `{named}` is not described in this file")));
            }
        }
    }
    builder.put_subnet(subnet, node);
    Ok(())
}

/// AWS's default ACL, for a subnet that names none.
fn open_acl(builder: &mut ModelBuilder, subnet: &str) {
    const ID: &str = "acl-default";
    let acls = &mut builder.model.acls;
    if let Some(acl) = acls.iter_mut().find(|acl| acl.id == ID) {
        acl.subnets.push(subnet.to_owned());
        return;
    }
    let texts = [
        ("100 allow all from 0.0.0.0/0", false),
        ("101 allow all from ::/0", false),
        ("100 allow all to 0.0.0.0/0", true),
        ("101 allow all to ::/0", true),
    ];
    let rules = texts.into_iter().filter_map(|(text, egress)| AclRule::parse(text, egress).ok()).collect();
    acls.push(NetworkAcl {
        id: ID.to_owned(),
        subnets: vec![subnet.to_owned()],
        rules,
        ..NetworkAcl::default()
    });
}

fn acl(builder: &mut ModelBuilder, common: &Common, node: &Node<'_>) -> Result<()> {
    node.only(&["id", "vpc", "default", "ingress", "egress"])?;
    let mut rules = Vec::new();
    for (key, egress) in [("ingress", false), ("egress", true)] {
        for rule in node.items(key)? {
            rules.push(AclRule::parse(&rule.text()?, egress).map_err(|error| rule.error(error.to_string()))?);
        }
    }
    builder.model.acls.push(NetworkAcl {
        id: node.need_word("id")?,
        vpc: node.get_word("vpc")?.or_else(|| common.vpc.clone()),
        is_default: node.flag("default")?,
        subnets: Vec::new(),
        rules,
    });
    Ok(())
}

fn security_group(builder: &mut ModelBuilder, common: &Common, node: &Node<'_>) -> Result<()> {
    node.only(&["id", "name", "vpc", "ingress", "egress"])?;
    let rules = |key: &str, egress| -> Result<Vec<SecurityRule>> {
        let items = node.items(key)?;
        let rule = |node: &Node<'_>| {
            SecurityRule::parse(&node.text()?, egress).map_err(|error| node.error(error.to_string()))
        };
        items.iter().map(rule).collect()
    };
    let mut egress = rules("egress", true)?;
    if node.get("egress")?.is_none() {
        let texts = ["all to 0.0.0.0/0", "all to ::/0"];
        egress.extend(texts.into_iter().filter_map(|text| SecurityRule::parse(text, true).ok()));
    }
    builder.merge_group(SecurityGroup {
        id: node.need_word("id")?,
        name: node.get_word("name")?,
        vpc: node.get_word("vpc")?.or_else(|| common.vpc.clone()),
        ingress: rules("ingress", false)?,
        egress,
        place: node.place(),
    });
    Ok(())
}

fn route_table(builder: &mut ModelBuilder, common: &Common, node: &Node<'_>) -> Result<()> {
    node.only(&["id", "vpc", "main", "routes"])?;
    let mut routes = Vec::new();
    for item in node.items("routes")? {
        let text = item.text()?;
        let mut words = text.split_whitespace();
        let (Some(destination), Some(target), None) = (words.next(), words.next(), words.next()) else {
            return Err(item.error("expected a range and where it leads, such as `0.0.0.0/0 igw-0a1b`"));
        };
        let destination = if destination.starts_with("pl-") {
            RouteDestination::PrefixList(destination.to_owned())
        } else {
            RouteDestination::Cidr(parse_cidr(destination).map_err(|what| item.error(what))?)
        };
        let (target, blackhole) = match target {
            "blackhole" => (RouteTarget::Other(target.to_owned()), true),
            id => (RouteTarget::of(id), false),
        };
        if let RouteTarget::Other(id) = &target
            && !blackhole
        {
            return Err(item.error(format!(
                "`{id}` is nothing that a route leads to: expected `local`, `blackhole`, or an identifier that begins \
                 with `igw-`, `vgw-`, `vpce-`, `nat-`, `tgw-`, `pcx-`, `eni-`, `eigw-`, `lgw-` or `cagw-`"
            )));
        }
        routes.push(Route { destination, target, blackhole });
    }
    let table = RouteTable {
        id: node.need_word("id")?,
        vpc: node.get_word("vpc")?.or_else(|| common.vpc.clone()),
        is_main: node.flag("main")?,
        subnets: Vec::new(),
        routes,
    };
    builder.put_route_table(table, node);
    Ok(())
}

fn interface(builder: &mut ModelBuilder, common: &Common, node: &Node<'_>) -> Result<()> {
    node.only(&[
        "id",
        "vpc",
        "subnet",
        "account",
        "region",
        "az-id",
        "instance",
        "mac",
        "addresses",
        "public-addresses",
        "prefixes",
        "groups",
        "type",
        "nitro",
        "tags",
        "fields",
        "tcp-established-timeout",
        "udp-timeout",
        "udp-stream-timeout",
    ])?;
    let addresses: Vec<IpAddr> =
        node.items("addresses")?.iter().map(|node| node.parse("an IP address")).collect::<Result<_>>()?;
    let mut public_addresses = Vec::new();
    for (at, node) in node.items("public-addresses")?.iter().enumerate() {
        let Some(private) = addresses.get(at) else {
            return Err(
                node.error("has no private address: they stand in the order of `addresses`".to_owned())
            );
        };
        public_addresses.push((*private, node.parse("an IP address")?));
    }
    let mut tags = Vec::new();
    if let Some(table) = node.get("tags")? {
        for key in table.object()?.keys() {
            tags.push((key.clone(), table.need(key)?.text()?));
        }
    }
    let mut fields = Vec::new();
    if let Some(table) = node.get("fields")? {
        for key in table.object()?.keys() {
            let field = Field::from_name(key).map_err(|error| table.error(error.to_string()))?;
            if field.origin() == Origin::Computed {
                return Err(table.error(format!("`{key}` cannot be given: it comes from the packets")));
            }
            let value = table.need(key)?;
            let text = value.text()?;
            let mut scratch = crate::record::FlowRecord::default();
            field.set(&mut scratch, &text).map_err(|error| value.error(error.to_string()))?;
            fields.push((field, text));
        }
    }
    let seconds = |key, least, most| {
        Ok(node.integer(key, least, most)?.map(|seconds| u32::try_from(seconds).unwrap_or(0)))
    };
    builder.put_interface(Interface {
        id: node.need_word("id")?,
        account: node.get_word("account")?.or_else(|| common.account.clone()),
        vpc: node.get_word("vpc")?.or_else(|| common.vpc.clone()),
        subnet: node.get_word("subnet")?,
        instance: node.get_word("instance")?,
        mac: node.get("mac")?.map(|mac| mac.parse("a MAC address")).transpose()?,
        addresses,
        public_addresses,
        prefixes: node.cidrs("prefixes")?,
        groups: node.words("groups")?,
        kind: node.get_word("type")?.unwrap_or_else(|| "interface".to_owned()),
        az_id: node.get_word("az-id")?,
        az_name: None,
        region: node.get_word("region")?.or_else(|| common.region.clone()),
        tags,
        timeouts: TrackingTimeouts {
            tcp_established: seconds("tcp-established-timeout", 60, 432_000)?,
            udp: seconds("udp-timeout", 30, 60)?,
            udp_stream: seconds("udp-stream-timeout", 60, 180)?,
        },
        nitro: node.get_flag("nitro")?,
        fields,
        place: node.place(),
    });
    Ok(())
}
