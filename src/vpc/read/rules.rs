//! `describe-security-groups`, `describe-security-group-rules`, `describe-network-acls`.

use super::ModelBuilder;
use super::node::{Node, Result};
use crate::packet::Protocol;
use crate::vpc::model::{NetworkAcl, SecurityGroup};
use crate::vpc::rules::{AclRule, Peer, Ports, SecurityRule, parse_protocol};

pub(super) fn security_groups(builder: &mut ModelBuilder, root: &Node<'_>) -> Result<()> {
    for node in root.items("SecurityGroups")? {
        let mut rules = [Vec::new(), Vec::new()];
        for (key, rules) in ["IpPermissions", "IpPermissionsEgress"].into_iter().zip(&mut rules) {
            for permission in node.items(key)? {
                permission_rules(&permission, rules)?;
            }
        }
        let [ingress, egress] = rules;
        builder.merge_group(SecurityGroup {
            id: node.need_word("GroupId")?,
            name: node.get("GroupName")?.map(|name| name.text()).transpose()?,
            vpc: node.get_word("VpcId")?,
            ingress,
            egress,
            place: node.place(),
        });
    }
    Ok(())
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
        let mut group =
            SecurityGroup { id: node.need_word("GroupId")?, place: node.place(), ..SecurityGroup::default() };
        let rule = SecurityRule { protocol, ports, peer };
        if node.flag("IsEgress")? {
            group.egress.push(rule)
        } else {
            group.ingress.push(rule)
        }
        builder.merge_group(group);
    }
    Ok(())
}

impl ModelBuilder {
    /// Adds a group, or the rules that it does not have yet: the two commands describe the same rules.
    pub(super) fn merge_group(&mut self, group: SecurityGroup) {
        let Some(known) = self.model.security_groups.iter_mut().find(|known| known.id == group.id) else {
            self.model.security_groups.push(group);
            return;
        };
        known.name = known.name.take().or(group.name);
        known.vpc = known.vpc.take().or(group.vpc);
        for (to, from) in [(&mut known.ingress, group.ingress), (&mut known.egress, group.egress)] {
            for rule in from {
                if !to.contains(&rule) {
                    to.push(rule);
                }
            }
        }
    }
}

/// One permission has many peers: a rule for each.
fn permission_rules(permission: &Node<'_>, rules: &mut Vec<SecurityRule>) -> Result<()> {
    let (protocol, ports) = protocol_and_ports(permission)?;
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
    let protocol = parse_protocol(&name.text()?).map_err(|error| name.error(error.to_string()))?;
    let number = |key| node.integer(key, -1, 65535);
    let (from, to) = (number("FromPort")?.unwrap_or(-1), number("ToPort")?.unwrap_or(-1));
    let ports = match protocol {
        Some(Protocol::TCP | Protocol::UDP) => match (u16::try_from(from), u16::try_from(to)) {
            (Ok(from), Ok(to)) if from <= to => Ports::Range(from, to),
            (Err(_), _) => Ports::All,
            _ => {
                return Err(
                    node.error(format!("found the ports {from} to {to}, expected the lower one first"))
                );
            }
        },
        Some(Protocol::ICMP | Protocol::ICMPV6) => icmp(node, from, to)?,
        // the ports of other protocols are ignored
        _ => Ports::All,
    };
    Ok((protocol, ports))
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
        let acl = NetworkAcl {
            id: node.need_word("NetworkAclId")?,
            vpc: node.get_word("VpcId")?,
            is_default: node.flag("IsDefault")?,
            subnets,
            rules: node.items("Entries")?.iter().map(acl_rule).collect::<Result<_>>()?,
        };
        let place = node.place();
        let model = &mut builder.model;
        ModelBuilder::put(&mut model.acls, &mut model.problems, acl, |acl| &acl.id, PartialEq::eq, place);
    }
    Ok(())
}

fn acl_rule(node: &Node<'_>) -> Result<AclRule> {
    let number = node.integer("RuleNumber", 1, 32768)?;
    let number = number.ok_or_else(|| node.error("expected `RuleNumber`, which is not there"))?;
    let name = node.need("Protocol")?;
    let protocol = parse_protocol(&name.text()?).map_err(|error| name.error(error.to_string()))?;
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
                Ports::Range(port("From")?, port("To")?)
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
