//! This program's own TOML: a VPC in a page, for those without AWS at hand.
//!
//! `docs/vpc.md` describes it key by key. It is taken to be complete: a subnet without an ACL has AWS's default one,
//! which lets everything pass, and a group that does not name `egress` rules lets everything out, as AWS makes them.

mod interface;
mod network;
mod rules;

use serde_json_borrow::{ObjectAsVec, Value};

use super::ModelBuilder;
use super::node::{Node, Result};
use crate::vpc::model::{NatGateway, Peering, PrefixList, VpcDescription};

/// The words on top of the file: the VPC's, and those that a scenario of `generate` has beside them, which say what is
/// true of its traffic and are read there.
pub const TOML_WORDS: [&str; 22] = [
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
    "title",
    "about",
    "seed",
    "begin",
    "duration",
    "expected",
    "host",
    "conversation",
    "capture",
    "log",
];

/// What the whole file says.
struct Common {
    account: Option<String>,
    region: Option<String>,
    /// The only VPC, where there is one: what does not name a VPC is in it.
    vpc: Option<String>,
}

pub(super) fn read(builder: &mut ModelBuilder, root: &Node<'_>) -> Result<()> {
    root.only(&TOML_WORDS)?;
    let vpcs = tables(root, "vpc")?;
    let ids = vpcs.iter().map(|vpc| vpc.need_word("id")).collect::<Result<Vec<_>>>()?;
    let common = Common {
        account: root.get_account("account")?,
        region: root.get_word("region")?,
        vpc: if let [id] = &ids[..] { Some(id.clone()) } else { None },
    };
    for (node, id) in vpcs.iter().zip(ids) {
        node.only(&["id", "cidrs", "account"])?;
        let account = node.get_account("account")?.or_else(|| common.account.clone());
        builder.put(VpcDescription { id, cidrs: node.cidrs("cidrs")?, account, place: node.place() });
    }
    network::subnets(builder, &common, root)?;
    for node in tables(root, "security-group")? {
        rules::security_group(builder, &common, &node)?;
    }
    for node in tables(root, "interface")? {
        interface::interface(builder, &common, &node)?;
    }
    for node in tables(root, "prefix-list")? {
        node.only(&["id", "name", "cidrs"])?;
        builder.put_prefix_list(PrefixList {
            id: node.need_word("id")?,
            name: node.get_word("name")?,
            cidrs: Some(node.cidrs("cidrs")?),
            place: node.place(),
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
            place: node.place(),
        };
        builder.put(gateway);
    }
    for node in tables(root, "peering")? {
        node.only(&["id", "regions"])?;
        let regions = node.words("regions")?;
        let [one, other] = &regions[..] else {
            return Err(node.error(format!(
                "found {} `regions`, expected two: the requester's and the accepter's",
                regions.len()
            )));
        };
        builder.put(Peering {
            id: node.need_word("id")?,
            regions: [Some(one.clone()), Some(other.clone())],
            place: node.place(),
        });
    }
    for node in tables(root, "service")? {
        node.only(&["name", "cidrs"])?;
        builder.put_services(&node.need_word("name")?, node.cidrs("cidrs")?);
    }
    Ok(())
}

/// The text as a document.
pub(super) fn parse(text: &str) -> std::result::Result<::toml::Table, ::toml::de::Error> {
    ::toml::from_str(text)
}

/// A document as JSON. What JSON has no word for (dates, infinite numbers) becomes what no key takes.
pub(super) fn as_json(table: &::toml::Table) -> Value<'_> {
    Value::Object(table.iter().map(|(key, value)| (key.as_str(), value_as_json(value))).collect())
}

fn value_as_json(value: &::toml::Value) -> Value<'_> {
    match value {
        ::toml::Value::String(text) => text.as_str().into(),
        ::toml::Value::Integer(number) => (*number).into(),
        ::toml::Value::Boolean(is_true) => (*is_true).into(),
        ::toml::Value::Float(number) if number.is_finite() => (*number).into(),
        ::toml::Value::Float(number) => number.to_string().into(),
        ::toml::Value::Datetime(_) => Value::Object(ObjectAsVec::default()),
        ::toml::Value::Array(items) => Value::Array(items.iter().map(value_as_json).collect()),
        ::toml::Value::Table(table) => as_json(table),
    }
}

/// `[name]` or every `[[name]]`.
fn tables<'a>(root: &Node<'a>, name: &'a str) -> Result<Vec<Node<'a>>> {
    match root.get(name)? {
        None => Ok(Vec::new()),
        Some(one) if one.object().is_ok() => Ok(vec![one]),
        Some(list) => list.list().map_err(|_| list.expected("a table, or a list of tables")),
    }
}
