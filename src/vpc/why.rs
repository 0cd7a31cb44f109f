//! Why a packet passed or not, in a form that is small and in words.

use super::special::Special;
use super::{InterfaceIndex, Vpc};

/// A rule of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleRef {
    /// Of a security group.
    Group {
        /// The group's place.
        group: u32,
        /// Whether it is for outgoing packets.
        egress: bool,
        /// The rule's place.
        rule: u32,
    },
    /// Of a network ACL.
    Acl {
        /// The ACL's place.
        acl: u32,
        /// The rule's place.
        rule: u32,
    },
    /// The `*` rule at the end of a network ACL.
    AclStar {
        /// The ACL's place.
        acl: u32,
        /// Whether it is for outgoing packets.
        egress: bool,
        /// Whether it is the one for IPv6.
        ipv6: bool,
    },
}

/// Why a packet passed or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// This rule allows it.
    Allowed(RuleRef),
    /// It belongs to a connection that this rule let begin, and goes the other way.
    Reply(RuleRef),
    /// It belongs to a connection whose beginning was not seen; this rule would have let it begin.
    MidStream(RuleRef),
    /// The interface has no security group.
    NoGroups,
    /// No rule of the interface's groups allows it.
    NoRule,
    /// It answers a beginning that was not captured, and that no rule of the interface's groups would have allowed.
    AnswersNothing,
    /// It belongs to a TCP connection whose beginning was refused.
    AnswersRefused,
    /// It came after the connection was closed.
    AfterClose,
    /// This ACL rule denies it.
    Denied(RuleRef),
    /// It is of a kind that nothing filters.
    Special(Special),
    /// It depends on groups, lists or headers that are not known.
    GroupsUnknown,
    /// It depends on a network ACL that is not known.
    AclUnknown,
    /// A regional NAT gateway filters nothing.
    RegionalNat,
    /// Its address is one that two interfaces have.
    Ambiguous,
}

impl Vpc {
    /// A rule in words: `sg-0a1b ingress tcp 22 from 203.0.113.0/24`, `acl-0a1b egress rule 32767 deny`.
    pub fn rule_text(&self, rule: RuleRef) -> String {
        let way = |egress| if egress { "egress" } else { "ingress" };
        match rule {
            RuleRef::Group { group, egress, rule } => {
                let Some(described) = self.model.security_groups.get(group as usize) else {
                    return "-".to_owned();
                };
                let rules = if egress { &described.egress } else { &described.ingress };
                let rule = rules.as_ref().and_then(|rules| rules.get(rule as usize));
                let text = rule.map(|rule| rule.text(egress)).unwrap_or_default();
                format!("{} {} {text}", described.id, way(egress))
            }
            RuleRef::Acl { acl, rule } => {
                let Some(described) = self.model.acls.get(acl as usize) else { return "-".to_owned() };
                match described.rules.get(rule as usize) {
                    Some(rule) if rule.number > 32766 => {
                        format!("{} {} rule {} deny", described.id, way(rule.egress), rule.number)
                    }
                    Some(rule) => format!("{} {} rule {rule}", described.id, way(rule.egress)),
                    None => "-".to_owned(),
                }
            }
            RuleRef::AclStar { acl, egress, ipv6 } => {
                let id = self.model.acls.get(acl as usize).map_or("-", |acl| acl.id.as_str());
                format!("{id} {} rule {} deny", way(egress), if ipv6 { 32768 } else { 32767 })
            }
        }
    }

    /// Why a packet passed an interface or not, in words.
    pub fn explain(&self, why: Why, interface: Option<InterfaceIndex>, egress: bool) -> String {
        let way = if egress { "egress" } else { "ingress" };
        let groups = || {
            let groups =
                interface.and_then(|at| self.interface(at)).map(|interface| interface.groups.join(", "));
            groups.unwrap_or_default()
        };
        match why {
            Why::Allowed(rule) | Why::Denied(rule) => self.rule_text(rule),
            Why::Reply(rule) => format!("reply of {}", self.rule_text(rule)),
            Why::MidStream(rule) => format!("beginning not captured, {}", self.rule_text(rule)),
            Why::NoGroups => "no security group".to_owned(),
            Why::NoRule => format!("{} no {way} rule", groups()),
            Why::AnswersNothing => {
                let way = if egress { "ingress" } else { "egress" };
                format!("beginning not captured, {} no {way} rule for it", groups())
            }
            Why::AnswersRefused => "its connection was refused".to_owned(),
            Why::AfterClose => "after the connection was closed".to_owned(),
            Why::Special(special) => format!("never filtered: {}", special.meaning()),
            Why::GroupsUnknown => format!("{} {way} not known", groups()),
            Why::AclUnknown => "network ACL not known".to_owned(),
            Why::RegionalNat => "regional NAT gateway".to_owned(),
            Why::Ambiguous => "an address of two interfaces".to_owned(),
        }
    }
}
