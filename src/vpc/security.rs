//! Security groups: what an interface's groups together allow.
//!
//! A packet that begins a connection is let through where any rule of any group of the interface matches it; there is
//! no order and no rule that denies. Whether a packet begins one is [`connection`](super::connection)'s to say.
//! Source: EC2 User Guide, "Security group rules"; EC2 API, `IpPermission`.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::lookup::index;
use super::model::VpcModel;
use super::ranges::RangeSet;
use super::rules::{Peer, Ports, SecurityRule};
use super::why::RuleRef;
use super::{Answer, InterfaceIndex, Traffic, Vpc};
use crate::packet::Protocol;

/// The addresses behind a group or a prefix list.
#[derive(Debug)]
struct PeerSet {
    ranges: RangeSet,
    /// Whether these are all. Of a missing group only the interfaces of the model are known.
    complete: bool,
    /// Whether only private addresses can be meant, as with groups.
    private: bool,
}

#[derive(Debug)]
enum CompiledPeer {
    Cidr(IpNet),
    Set(usize),
}

#[derive(Debug)]
struct CompiledRule {
    protocol: Option<Protocol>,
    ports: Ports,
    peer: CompiledPeer,
}

/// One group: what may come in, what may go out; `None` where that is not described.
#[derive(Debug)]
struct Group {
    directions: [Option<Vec<CompiledRule>>; 2],
}

impl Group {
    fn rules(&self, egress: bool) -> Option<&[CompiledRule]> {
        let [ingress_rules, egress_rules] = &self.directions;
        if egress { egress_rules } else { ingress_rules }.as_deref()
    }
}

/// All groups.
#[derive(Debug)]
pub(super) struct Groups {
    groups: Vec<Group>,
    places: HashMap<String, u32>,
    sets: Vec<PeerSet>,
}

/// What an interface's groups say to a packet that would begin a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupAnswer {
    /// Whether it may pass.
    pub answer: Answer,
    /// The first rule that allows it; `None` where none does, or where the interface has no group.
    pub rule: Option<RuleRef>,
    /// Whether the connection is one that is not tracked: a rule for all addresses allows it, and the other
    /// direction has a rule for all addresses and ports.
    pub untracked: bool,
}

/// The addresses that a reference to each group means: the private ones of the interfaces that have it.
fn members(model: &VpcModel) -> HashMap<&str, Vec<IpNet>> {
    let mut members: HashMap<&str, Vec<IpNet>> = HashMap::new();
    for interface in &model.interfaces {
        let addresses = interface.addresses.iter().map(|address| IpNet::from(*address));
        let own: Vec<IpNet> = addresses.chain(interface.prefixes.iter().copied()).collect();
        for group in &interface.groups {
            members.entry(group).or_default().extend(&own);
        }
    }
    members
}

impl Groups {
    pub(super) fn new(model: &VpcModel) -> Groups {
        let all = model.security_groups.iter().enumerate();
        let places: HashMap<String, u32> = all.map(|(at, group)| (group.id.clone(), index(at))).collect();
        let members = members(model);
        let mut sets = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut groups = Vec::new();
        for group in &model.security_groups {
            let mut compile = |rules: &Vec<SecurityRule>| {
                let rule = |rule: &SecurityRule| {
                    let peer = match &rule.peer {
                        Peer::Cidr(cidr) => CompiledPeer::Cidr(*cidr),
                        peer => CompiledPeer::Set(*known.entry(peer.to_string()).or_insert_with(|| {
                            sets.push(peer_set(model, &places, &members, peer));
                            sets.len() - 1
                        })),
                    };
                    CompiledRule { protocol: rule.protocol, ports: rule.ports, peer }
                };
                rules.iter().map(rule).collect()
            };
            let directions = [&group.ingress, &group.egress];
            groups.push(Group { directions: directions.map(|rules| rules.as_ref().map(&mut compile)) });
        }
        Groups { groups, places, sets }
    }

    pub(super) fn place(&self, id: &str) -> Option<u32> {
        self.places.get(id).copied()
    }

    fn peer_matches(&self, peer: &CompiledPeer, remote: IpAddr) -> Answer {
        match peer {
            CompiledPeer::Cidr(cidr) => cidr.contains(&remote).into(),
            CompiledPeer::Set(at) => {
                let Some(set) = self.sets.get(*at) else { return Answer::Unknown };
                if set.ranges.contains(remote) {
                    Answer::Yes
                } else if set.complete || set.private && is_public(remote) {
                    Answer::No
                } else {
                    Answer::Unknown
                }
            }
        }
    }
}

fn peer_set(
    model: &VpcModel,
    described: &HashMap<String, u32>,
    members: &HashMap<&str, Vec<IpNet>>,
    peer: &Peer,
) -> PeerSet {
    match peer {
        Peer::Cidr(cidr) => PeerSet { ranges: [*cidr].into_iter().collect(), complete: true, private: false },
        Peer::Group(id) => PeerSet {
            ranges: members.get(id.as_str()).into_iter().flatten().copied().collect(),
            complete: described.contains_key(id),
            private: true,
        },
        Peer::PrefixList(id) => {
            let list = model.prefix_lists.iter().find(|list| list.id == *id);
            let cidrs = list.and_then(|list| list.cidrs.as_deref());
            let ranges = cidrs.unwrap_or_default().iter().copied().collect();
            PeerSet { ranges, complete: cidrs.is_some(), private: false }
        }
    }
}

/// Whether an address cannot be a private one of an interface.
fn is_public(address: IpAddr) -> bool {
    match address {
        // VPCs may use public IPv4 ranges too, but AWS names these ranges private
        IpAddr::V4(address) => {
            let [a, b, ..] = address.octets();
            let shared = a == 100 && (64..128).contains(&b);
            !address.is_private() && !shared && !address.is_link_local()
        }
        // an interface's IPv6 addresses are public ones
        IpAddr::V6(_) => false,
    }
}

/// Whether a rule's protocol and ports are the packet's. The port is the destination's.
pub(super) fn ports_match(protocol: Option<Protocol>, ports: &Ports, traffic: &Traffic) -> Answer {
    let Some(protocol) = protocol else { return Answer::Yes };
    if protocol != traffic.flow.protocol {
        return Answer::No;
    }
    match *ports {
        Ports::All | Ports::Range(0, u16::MAX) | Ports::Icmp(None, _) => Answer::Yes,
        Ports::Range(..) if !traffic.ports_known => Answer::Unknown,
        Ports::Range(first, last) => (first..=last).contains(&traffic.flow.dstport).into(),
        Ports::Icmp(Some(kind), code) => match traffic.icmp {
            None => Answer::Unknown,
            Some(icmp) => (icmp.icmp_type == kind && code.is_none_or(|code| code == icmp.code)).into(),
        },
    }
}

impl Vpc {
    /// What an interface's groups say to a packet that would begin a connection.
    pub fn groups_allow(&self, interface: InterfaceIndex, egress: bool, traffic: &Traffic) -> GroupAnswer {
        let Some(compiled) = self.compiled(interface) else {
            return GroupAnswer { answer: Answer::Unknown, rule: None, untracked: false };
        };
        if compiled.groups.is_empty() {
            // NAT gateways, transit gateways and the like have none, and nothing is filtered
            return GroupAnswer { answer: Answer::Yes, rule: None, untracked: true };
        }
        let remote = traffic.remote(!egress);
        let mut answer = GroupAnswer { answer: Answer::No, rule: None, untracked: false };
        let mut open = false;
        for place in &compiled.groups {
            let known =
                place.and_then(|place| Some((place, self.groups.groups.get(place as usize)?.rules(egress)?)));
            let Some((place, rules)) = known else {
                if answer.answer == Answer::No {
                    answer.answer = Answer::Unknown;
                }
                continue;
            };
            for (at, rule) in rules.iter().enumerate() {
                let matched = ports_match(rule.protocol, &rule.ports, traffic);
                if matched == Answer::No {
                    continue;
                }
                match matched.and(self.groups.peer_matches(&rule.peer, remote)) {
                    Answer::Yes => {
                        answer.answer = Answer::Yes;
                        answer.rule.get_or_insert(RuleRef::Group { group: place, egress, rule: index(at) });
                        open |= is_everywhere(&rule.peer, remote);
                    }
                    Answer::Unknown if answer.answer == Answer::No => answer.answer = Answer::Unknown,
                    _ => {}
                }
            }
        }
        answer.untracked = open
            && matches!(traffic.flow.protocol, Protocol::TCP | Protocol::UDP)
            && !compiled.always_tracked
            && self.lets_all_through(interface, !egress, traffic)
            && !self.leaves_through_a_tracker(interface, remote);
        answer
    }

    /// Whether a direction has a rule for all addresses and all ports of the packet's protocol.
    fn lets_all_through(&self, interface: InterfaceIndex, egress: bool, traffic: &Traffic) -> bool {
        let Some(compiled) = self.compiled(interface) else { return false };
        let groups = compiled.groups.iter().filter_map(|place| self.groups.groups.get((*place)? as usize));
        let mut rules = groups.filter_map(|group| group.rules(egress)).flatten();
        rules.any(|rule| {
            let protocol = rule.protocol.is_none_or(|protocol| protocol == traffic.flow.protocol);
            let ports = matches!(rule.ports, Ports::All | Ports::Range(0, u16::MAX));
            protocol && ports && is_everywhere(&rule.peer, traffic.flow.srcaddr)
        })
    }
}

/// Whether it is `0.0.0.0/0` or `::/0`, of the address's family.
fn is_everywhere(peer: &CompiledPeer, address: IpAddr) -> bool {
    match peer {
        CompiledPeer::Cidr(cidr) => cidr.prefix_len() == 0 && cidr.addr().is_ipv4() == address.is_ipv4(),
        CompiledPeer::Set(_) => false,
    }
}
