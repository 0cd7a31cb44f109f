//! Interfaces.

use std::net::IpAddr;

use super::Common;
use crate::record::{Field, Origin};
use crate::vpc::model::{Interface, TrackingTimeouts};
use crate::vpc::read::ModelBuilder;
use crate::vpc::read::node::{Node, Result};

pub(super) fn interface(builder: &mut ModelBuilder, common: &Common, node: &Node<'_>) -> Result<()> {
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
            tags.push((key.to_owned(), table.need(key)?.text()?));
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
            let text = value.text_or_number()?;
            let mut scratch = crate::record::FlowRecord::default();
            field.set(&mut scratch, &text).map_err(|error| value.error(error.to_string()))?;
            fields.push((field, text));
        }
    }
    let seconds = |key, least, most| {
        Ok(node.integer(key, least, most)?.map(|seconds| u32::try_from(seconds).unwrap_or(0)))
    };
    builder.put(Interface {
        id: node.need_word("id")?,
        account: node.get_account("account")?.or_else(|| common.account.clone()),
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
