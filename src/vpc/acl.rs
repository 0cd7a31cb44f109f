//! Network ACLs: rules in the order of their numbers, the first that matches decides, without any memory.
//!
//! An ACL stands at the boundary of its subnets: what two interfaces of one subnet send each other does not pass it.
//! Rules with an IPv4 range never match IPv6 packets, and the other way round; what no rule matches is denied, which
//! is what the `*` rules (32767 for IPv4, 32768 for IPv6) say. Source: VPC User Guide, "Network ACL basics" and "Network
//! ACL rules"; EC2 API, `NetworkAclEntry`.

use std::net::IpAddr;

use super::lookup::index;
use super::model::{NetworkAcl, VpcModel};
use super::security::ports_match;
use super::why::RuleRef;
use super::{Answer, InterfaceIndex, Traffic, Vpc};

/// The ACLs' rules in the order in which they are looked at, by their places in the model.
#[derive(Debug)]
pub(super) struct Acls {
    acls: Vec<[Vec<u32>; 2]>,
    /// The ACL of each subnet.
    subnets: Vec<Option<u32>>,
}

/// What an ACL says to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AclAnswer {
    /// Whether it may pass.
    pub answer: Answer,
    /// The rule that decides; `None` where the packet passes no ACL, or none is known.
    pub rule: Option<RuleRef>,
}

impl Acls {
    pub(super) fn new(model: &VpcModel) -> Acls {
        let order = |acl: &NetworkAcl, egress: bool| {
            let rules = acl.rules.iter().enumerate().filter(|(_, rule)| rule.egress == egress);
            let mut order: Vec<_> = rules.map(|(at, rule)| (rule.number, index(at))).collect();
            order.sort_unstable();
            order.into_iter().map(|(_, at)| at).collect()
        };
        let acls = model.acls.iter().map(|acl| [order(acl, false), order(acl, true)]).collect();
        let of_subnet = |subnet: &super::model::Subnet| {
            let named = model.acls.iter().position(|acl| acl.subnets.contains(&subnet.id));
            let default = || {
                model.acls.iter().position(|acl| acl.is_default && acl.vpc.is_some() && acl.vpc == subnet.vpc)
            };
            named.or_else(default).map(index)
        };
        Acls { acls, subnets: model.subnets.iter().map(of_subnet).collect() }
    }

    /// The ACL of a subnet.
    pub(super) fn of_subnet(&self, subnet: u32) -> Option<u32> {
        self.subnets.get(subnet as usize).copied().flatten()
    }
}

impl Vpc {
    /// What the ACL of an interface's subnet says to a packet, if the packet passes it. `next` is the interface at the
    /// other end, where it is known.
    pub fn acl_allows(
        &self,
        interface: InterfaceIndex,
        egress: bool,
        traffic: &Traffic,
        next: Option<InterfaceIndex>,
    ) -> AclAnswer {
        match self.crosses_boundary(interface, traffic.remote(!egress), next) {
            Answer::No => AclAnswer { answer: Answer::Yes, rule: None },
            crosses => {
                let acl = self.compiled(interface).and_then(|compiled| compiled.acl);
                let asked = match acl {
                    Some(acl) => self.ask_acl(acl, egress, traffic),
                    None => AclAnswer { answer: Answer::Unknown, rule: None },
                };
                match (crosses, asked.answer) {
                    // it may not even be passed
                    (Answer::Unknown, Answer::No) => AclAnswer { answer: Answer::Unknown, rule: None },
                    _ => asked,
                }
            }
        }
    }

    /// Whether a packet between an interface and an address passes the boundary of the interface's subnet.
    fn crosses_boundary(
        &self,
        interface: InterfaceIndex,
        remote: IpAddr,
        next: Option<InterfaceIndex>,
    ) -> Answer {
        let Some(compiled) = self.compiled(interface) else { return Answer::Unknown };
        let Some(subnet) = compiled.subnet else { return Answer::Unknown };
        let next = next.or_else(|| self.route_interface(interface, remote));
        if let Some(next) = next.filter(|next| *next != interface) {
            // the Gateway Load Balancer guide: endpoints in the application's own subnet are behind its ACL too
            let endpoint = |at| {
                self.interface(at).is_some_and(|interface| interface.kind == "gateway_load_balancer_endpoint")
            };
            if endpoint(next) || endpoint(interface) {
                return Answer::Yes;
            }
            if let Some(other) = self.compiled(next).and_then(|compiled| compiled.subnet) {
                return (other != subnet).into();
            }
        }
        let described = self.model.subnets.get(subnet as usize);
        match described {
            Some(described) if !described.cidrs.is_empty() => {
                (!described.cidrs.iter().any(|cidr| cidr.contains(&remote))).into()
            }
            _ => Answer::Unknown,
        }
    }

    fn ask_acl(&self, acl: u32, egress: bool, traffic: &Traffic) -> AclAnswer {
        let order = self
            .acls
            .acls
            .get(acl as usize)
            .map(|[ingress, outgoing]| if egress { outgoing.as_slice() } else { ingress.as_slice() });
        let described = self.model.acls.get(acl as usize);
        let (Some(order), Some(described)) = (order, described) else {
            return AclAnswer { answer: Answer::Unknown, rule: None };
        };
        let remote = traffic.remote(!egress);
        // rules that may or may not match come to one answer only where they agree with the one that does
        let mut doubtful: Option<bool> = None;
        let mut split = false;
        let decide = |doubtful: Option<bool>, split: bool, allow: bool, rule: RuleRef| match doubtful {
            Some(before) if split || before != allow => AclAnswer { answer: Answer::Unknown, rule: None },
            _ => AclAnswer { answer: allow.into(), rule: Some(rule) },
        };
        for at in order {
            let Some(rule) = described.rules.get(*at as usize) else { continue };
            if !rule.cidr.contains(&remote) {
                continue;
            }
            let rule_ref = RuleRef::Acl { acl, rule: *at };
            match ports_match(rule.protocol, &rule.ports, traffic) {
                Answer::No => {}
                Answer::Yes => return decide(doubtful, split, rule.allow, rule_ref),
                Answer::Unknown => match doubtful {
                    None => doubtful = Some(rule.allow),
                    Some(before) => split |= before != rule.allow,
                },
            }
        }
        decide(doubtful, split, false, RuleRef::AclStar { acl, egress, ipv6: remote.is_ipv6() })
    }
}
