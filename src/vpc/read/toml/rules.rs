//! Network ACLs and security groups, whose rules are written in a line each.

use super::Common;
use crate::vpc::model::{NetworkAcl, SecurityGroup};
use crate::vpc::read::ModelBuilder;
use crate::vpc::read::node::{Node, Result};
use crate::vpc::rules::{AclRule, SecurityRule};

/// Adds an ACL; gives it back.
pub(super) fn acl(
    builder: &mut ModelBuilder,
    common: &Common,
    node: &Node<'_>,
    subnets: Vec<String>,
) -> Result<NetworkAcl> {
    node.only(&["id", "vpc", "default", "ingress", "egress"])?;
    let (mut rules, mut places) = (Vec::new(), Vec::new());
    for (key, egress) in [("ingress", false), ("egress", true)] {
        for rule in node.items(key)? {
            rules.push(AclRule::parse(&rule.text()?, egress).map_err(|error| rule.error(error.to_string()))?);
            places.push(rule.place());
        }
    }
    let acl = NetworkAcl {
        id: node.need_word("id")?,
        vpc: node.get_word("vpc")?.or_else(|| common.vpc.clone()),
        is_default: node.flag("default")?,
        subnets,
        rules,
        place: node.place(),
    };
    builder.put_acl(acl.clone(), &places);
    Ok(acl)
}

pub(super) fn security_group(builder: &mut ModelBuilder, common: &Common, node: &Node<'_>) -> Result<()> {
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
    builder.put(SecurityGroup {
        id: node.need_word("id")?,
        name: node.get_text("name")?,
        vpc: node.get_word("vpc")?.or_else(|| common.vpc.clone()),
        ingress: Some(rules("ingress", false)?),
        egress: Some(egress),
        place: node.place(),
    });
    Ok(())
}
