//! Subnets with the network ACLs and route tables that they name.

use super::{Common, rules, tables};
use crate::vpc::model::{NetworkAcl, Route, RouteDestination, RouteTable, RouteTarget, Subnet};
use crate::vpc::read::ModelBuilder;
use crate::vpc::read::node::{Node, Result};
use crate::vpc::rules::{AclRule, parse_cidr};

/// AWS's default ACL, which subnets have that name none.
const OPEN: &str = "acl-default";

pub(super) fn subnets(builder: &mut ModelBuilder, common: &Common, root: &Node<'_>) -> Result<()> {
    let nodes = tables(root, "subnet")?;
    let (acls, route_tables) = (tables(root, "acl")?, tables(root, "route-table")?);
    let acl_ids = ids(&acls)?;
    let table_ids = ids(&route_tables)?;
    let mut described = Vec::new();
    for node in &nodes {
        described.push((subnet(common, node)?, node.get_word("acl")?, node.get_word("route-table")?));
    }
    for (node, (_, acl, table)) in nodes.iter().zip(&described) {
        for (named, known, what) in [(acl, &acl_ids, "network ACL"), (table, &table_ids, "route table")] {
            if let Some(named) = named.as_ref().filter(|named| !known.contains(named)) {
                return Err(node.error(format!("the {what} `{named}` is not described in this file")));
            }
        }
    }
    // the VPCs that have a default ACL of their own
    let mut defaults = Vec::new();
    for (node, id) in acls.iter().zip(acl_ids) {
        let of = |acl: &Option<String>| acl.as_ref() == Some(&id);
        let subnets = described.iter().filter(|(_, acl, _)| of(acl)).map(|(subnet, ..)| subnet.id.clone());
        let subnets = subnets.collect();
        if id == OPEN {
            return Err(
                node.error(format!("`{OPEN}` is the ACL of subnets that name none; call it another name"))
            );
        }
        let acl = rules::acl(builder, common, node, subnets)?;
        defaults.extend(acl.is_default.then_some(acl.vpc));
    }
    for (node, id) in route_tables.iter().zip(table_ids) {
        let of = |table: &Option<String>| table.as_ref() == Some(&id);
        let subnets = described.iter().filter(|(.., table)| of(table)).map(|(subnet, ..)| subnet.id.clone());
        let subnets = subnets.collect();
        builder.put(route_table(common, node, subnets)?);
    }
    for (subnet, acl, _) in described {
        if acl.is_none() && !defaults.contains(&subnet.vpc) {
            open_acl(builder, &subnet.id);
        }
        builder.put(subnet);
    }
    Ok(())
}

fn ids(nodes: &[Node<'_>]) -> Result<Vec<String>> {
    nodes.iter().map(|node| node.need_word("id")).collect()
}

fn subnet(common: &Common, node: &Node<'_>) -> Result<Subnet> {
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
    Ok(Subnet {
        id: node.need_word("id")?,
        vpc: node.get_word("vpc")?.or_else(|| common.vpc.clone()),
        cidrs: node.cidrs("cidrs")?,
        az_id: node.get_word("az-id")?,
        az_name: node.get_word("az-name")?,
        region: node.get_word("region")?.or_else(|| common.region.clone()),
        outpost: node.get_word("outpost")?,
        account: node.get_account("account")?.or_else(|| common.account.clone()),
        place: node.place(),
    })
}

/// Puts the ACL that lets everything pass before a subnet.
fn open_acl(builder: &mut ModelBuilder, subnet: &str) {
    let acls = &mut builder.model.acls;
    if acls.iter().any(|acl| acl.subnets.iter().any(|id| id == subnet)) {
        // another file names its ACL
        return;
    }
    if let Some(acl) = acls.iter_mut().find(|acl| acl.id == OPEN) {
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
        id: OPEN.to_owned(),
        subnets: vec![subnet.to_owned()],
        rules,
        ..NetworkAcl::default()
    });
}

fn route_table(common: &Common, node: &Node<'_>, subnets: Vec<String>) -> Result<RouteTable> {
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
        routes.push(Route { destination, target, blackhole, propagated: false });
    }
    Ok(RouteTable {
        id: node.need_word("id")?,
        vpc: node.get_word("vpc")?.or_else(|| common.vpc.clone()),
        is_main: node.flag("main")?,
        subnets,
        routes,
        place: node.place(),
    })
}
