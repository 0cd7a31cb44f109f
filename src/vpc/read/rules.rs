//! `describe-security-groups`, `describe-security-group-rules`, `describe-network-acls`.

use std::collections::HashMap;
use std::fmt;

use super::ModelBuilder;
use super::node::{Node, Result};
use super::twice::{Described, contradiction};
use crate::packet::Protocol;
use crate::vpc::model::{NetworkAcl, SecurityGroup};
use crate::vpc::rules::{AclRule, Peer, Ports, SecurityRule, parse_protocol};
use crate::vpc::{Place, Problem, ProblemKind, VpcError};

pub(super) fn security_groups(builder: &mut ModelBuilder, root: &Node<'_>) -> Result<()> {
    for node in root.items("SecurityGroups")? {
        builder.put(SecurityGroup {
            id: node.need_word("GroupId")?,
            name: node.get_text("GroupName")?,
            vpc: node.get_word("VpcId")?,
            ingress: permissions(&node, "IpPermissions")?,
            egress: permissions(&node, "IpPermissionsEgress")?,
            place: node.place(),
        });
    }
    Ok(())
}

/// The rules of one direction, where they are there.
fn permissions(group: &Node<'_>, key: &str) -> Result<Option<Vec<SecurityRule>>> {
    let Some(list) = group.get(key)? else { return Ok(None) };
    let mut rules = Vec::new();
    for permission in list.list()? {
        permission_rules(&permission, &mut rules)?;
    }
    Ok(Some(rules))
}

pub(super) fn security_group_rules(builder: &mut ModelBuilder, root: &Node<'_>) -> Result<()> {
    for node in root.items("SecurityGroupRules")? {
        let (protocol, ports) = protocol_and_ports(&node)?;
        let peer = if let Some(cidr) = node.get("CidrIpv4")? {
            Peer::Cidr(cidr.cidr()?)
        } else if let Some(cidr) = node.get("CidrIpv6")? {
            Peer::Cidr(cidr.cidr()?)
        } else if let Some(list) = node.get("PrefixListId")? {
            Peer::PrefixList(list.word()?)
        } else if let Some(group) = node.get("ReferencedGroupInfo")? {
            Peer::Group(group.need_word("GroupId")?)
        } else {
            return Err(node.error(
                "expected `CidrIpv4`, `CidrIpv6`, `PrefixListId` or `ReferencedGroupInfo`, found none of them",
            ));
        };
        let rule = SecurityRule { protocol, ports, peer };
        builder.list_rule(&node.need_word("GroupId")?, rule, node.flag("IsEgress")?, &node);
    }
    Ok(())
}

impl ModelBuilder {
    /// Notes a group's rule that was listed by itself.
    fn list_rule(&mut self, id: &str, rule: SecurityRule, egress: bool, node: &Node<'_>) {
        let at = *self.listed_places.entry(id.to_owned()).or_insert_with(|| {
            self.listed_rules.push(SecurityGroup {
                id: id.to_owned(),
                ingress: Some(Vec::new()),
                egress: Some(Vec::new()),
                place: node.place(),
                ..SecurityGroup::default()
            });
            self.listed_rules.len() - 1
        });
        let Some(group) = self.listed_rules.get_mut(at) else { return };
        let rules = if egress { &mut group.egress } else { &mut group.ingress }.get_or_insert_default();
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }

    /// Takes up the groups whose rules were listed: they say the same as `describe-security-groups`, or what it left
    /// out.
    pub(super) fn take_listed_rules(&mut self) {
        for listed in std::mem::take(&mut self.listed_rules) {
            let at = self.places.get(&(SecurityGroup::KIND, listed.id.clone()));
            let Some(known) = at.and_then(|at| self.model.security_groups.get_mut(*at)) else {
                self.put(listed);
                continue;
            };
            known.ingress = known.ingress.take().or_else(|| listed.ingress.clone());
            known.egress = known.egress.take().or_else(|| listed.egress.clone());
            let listed = SecurityGroup { vpc: known.vpc.clone(), ..listed };
            let contradiction = (!known.is_like(&listed)).then(|| contradiction(&*known, &listed));
            self.model.problems.extend(contradiction);
        }
    }

    /// Adds an ACL; its rules come with the places where they were described.
    pub(super) fn put_acl(&mut self, acl: NetworkAcl, places: &[Place]) {
        let mut numbers: HashMap<(bool, u32), &Place> = HashMap::new();
        for (rule, place) in acl.rules.iter().zip(places) {
            let Some(first) = numbers.insert((rule.egress, rule.number), place) else { continue };
            let way = if rule.egress { "egress" } else { "ingress" };
            self.model.problems.push(Problem {
                kind: ProblemKind::Contradiction,
                place: place.clone(),
                what: format!(
                    "`{}` has two {way} rules of the number {}; the first is looked at first: {first}",
                    acl.id, rule.number
                ),
            });
        }
        self.put(acl);
    }
}

/// One permission has many peers: a rule for each.
fn permission_rules(permission: &Node<'_>, rules: &mut Vec<SecurityRule>) -> Result<()> {
    let (protocol, ports) = protocol_and_ports(permission)?;
    const PEERS: [&str; 4] = ["IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs"];
    let members = permission.object()?;
    if !PEERS.iter().any(|key| members.contains_key(key)) {
        return Err(permission.error(
            "expected `IpRanges`, `Ipv6Ranges`, `PrefixListIds` or `UserIdGroupPairs`, found none of them",
        ));
    }
    let mut add = |peer| rules.push(SecurityRule { protocol, ports, peer });
    for range in permission.items("IpRanges")? {
        add(Peer::Cidr(range.need("CidrIp")?.cidr()?));
    }
    for range in permission.items("Ipv6Ranges")? {
        add(Peer::Cidr(range.need("CidrIpv6")?.cidr()?));
    }
    for list in permission.items("PrefixListIds")? {
        add(Peer::PrefixList(list.need_word("PrefixListId")?));
    }
    for group in permission.items("UserIdGroupPairs")? {
        add(Peer::Group(group.need_word("GroupId")?));
    }
    Ok(())
}

/// `FromPort` and `ToPort` are ports, or for ICMP its type and code; -1 and absent are all of them.
fn protocol_and_ports(node: &Node<'_>) -> Result<(Option<Protocol>, Ports)> {
    let name = node.need("IpProtocol")?;
    let protocol = parse_protocol(&name.text_or_number()?).map_err(|error| name.error(error.to_string()))?;
    let number = |key| node.integer(key, -1, 65535);
    let (from, to) = (number("FromPort")?.unwrap_or(-1), number("ToPort")?.unwrap_or(-1));
    let ports = match protocol {
        Some(Protocol::TCP | Protocol::UDP) => match (u16::try_from(from), u16::try_from(to)) {
            (Ok(from), Ok(to)) if from <= to => Ports::Range(from, to),
            (Err(_), _) => Ports::All,
            _ => return Err(wrong_order(node, from, to)),
        },
        Some(Protocol::ICMP | Protocol::ICMPV6) => icmp(node, from, to)?,
        // the ports of other protocols are ignored
        _ => Ports::All,
    };
    Ok((protocol, ports))
}

fn wrong_order(node: &Node<'_>, from: impl fmt::Display, to: impl fmt::Display) -> VpcError {
    node.error(format!("found the ports {from} to {to}, expected the lower one first"))
}

/// An ICMP type and code, of which -1 is any; any type has any code.
fn icmp(node: &Node<'_>, kind: i64, code: i64) -> Result<Ports> {
    let byte = |number: i64| match number {
        -1 => Ok(None),
        number => u8::try_from(number)
            .map(Some)
            .map_err(|_| node.error(format!("found the ICMP type or code {number}, expected -1 to 255"))),
    };
    let kind = byte(kind)?;
    let code = if kind.is_some() { byte(code)? } else { None };
    Ok(if kind.is_some() { Ports::Icmp(kind, code) } else { Ports::All })
}

pub(super) fn acls(builder: &mut ModelBuilder, root: &Node<'_>) -> Result<()> {
    for node in root.items("NetworkAcls")? {
        let mut subnets = Vec::new();
        for association in node.items("Associations")? {
            subnets.extend(association.get_word("SubnetId")?);
        }
        let entries = node.items("Entries")?;
        let places: Vec<Place> = entries.iter().map(Node::place).collect();
        let acl = NetworkAcl {
            id: node.need_word("NetworkAclId")?,
            vpc: node.get_word("VpcId")?,
            is_default: node.flag("IsDefault")?,
            subnets,
            rules: entries.iter().map(acl_rule).collect::<Result<_>>()?,
            place: node.place(),
        };
        builder.put_acl(acl, &places);
    }
    Ok(())
}

fn acl_rule(node: &Node<'_>) -> Result<AclRule> {
    let number = node.integer("RuleNumber", 1, 32768)?;
    let number = number.ok_or_else(|| node.error("expected `RuleNumber`, which is not there"))?;
    let name = node.need("Protocol")?;
    let protocol = parse_protocol(&name.text_or_number()?).map_err(|error| name.error(error.to_string()))?;
    let action = node.need("RuleAction")?;
    let allow = match action.text()?.as_str() {
        "allow" => true,
        "deny" => false,
        other => return Err(action.error(format!("found `{other}`, expected `allow` or `deny`"))),
    };
    let cidr = match (node.get("CidrBlock")?, node.get("Ipv6CidrBlock")?) {
        (Some(cidr), None) | (None, Some(cidr)) => cidr.cidr()?,
        _ => return Err(node.error("expected one of `CidrBlock` and `Ipv6CidrBlock`")),
    };
    let ports = match protocol {
        Some(Protocol::TCP | Protocol::UDP) => match node.get("PortRange")? {
            None => Ports::All,
            Some(range) => {
                let port = |key| -> Result<u16> {
                    let number = range.integer(key, 0, 65535)?;
                    // the bounds were checked
                    number
                        .map(|number| number as u16)
                        .ok_or_else(|| range.error(format!("expected `{key}`, which is not there")))
                };
                let (from, to) = (port("From")?, port("To")?);
                if from > to {
                    return Err(wrong_order(&range, from, to));
                }
                Ports::Range(from, to)
            }
        },
        // with an IPv4 range, ICMPv6 rules are for all types
        Some(Protocol::ICMPV6) if cidr.addr().is_ipv4() => Ports::All,
        Some(Protocol::ICMP | Protocol::ICMPV6) => match node.get("IcmpTypeCode")? {
            None => Ports::All,
            Some(icmp_type) => {
                let number = |key| icmp_type.integer(key, -1, 255);
                icmp(&icmp_type, number("Type")?.unwrap_or(-1), number("Code")?.unwrap_or(-1))?
            }
        },
        _ => Ports::All,
    };
    Ok(AclRule { number: number as u32, egress: node.flag("Egress")?, allow, protocol, ports, cidr })
}
