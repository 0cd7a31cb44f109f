//! What rules would do to a connection: asked of `src/vpc`, with a host and nothing else in the VPC.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::sample::Connection;
use crate::flow::{UnloggedTraffic, is_of_a_host, may_be_of_aws};
use crate::quiz::{RuleSetup, VerdictFacts};
use crate::record::Action;
use crate::vpc::{Answer, ModelBuilder, Passage, Vpc};

/// What becomes of a connection under each of the rules, at the interface of the one who is asked. Nothing where no rule is
/// asked, as for what AWS's own services say.
pub(super) fn verdicts(connection: &Connection, never: &UnloggedTraffic) -> Vec<VerdictFacts> {
    let flow = &connection.flow;
    let is_host = |address| is_of_a_host(address) && !may_be_of_aws(address);
    let is_between_hosts = is_host(flow.srcaddr) && is_host(flow.dstaddr);
    if !connection.begins() || !is_between_hosts || never.of(flow).is_some() {
        return Vec::new();
    }
    let Some(range) = range(flow.dstaddr, flow.srcaddr) else { return Vec::new() };
    let of_setup = |setup: RuleSetup| {
        let trace = vpc(flow.dstaddr, &range, setup)?.trace(&connection.traffic());
        let packet = action(trace.packet.first()?)?;
        let reply = match trace.reply.first() {
            Some(passage) => Some(action(passage)?),
            None => None,
        };
        Some(VerdictFacts { setup, packet, reply })
    };
    RuleSetup::ALL.into_iter().filter_map(of_setup).collect()
}

fn action(passage: &Passage) -> Option<Action> {
    match passage.verdict.answer {
        Answer::Yes => Some(Action::Accept),
        Answer::No => Some(Action::Reject),
        Answer::Unknown => None,
    }
}

/// The smallest range around a host in which it is not the router, as the first address behind the base is. `None` where
/// it may well be the router, or in one subnet with the one who asks: no ACL stands between these two.
fn range(host: IpAddr, asker: IpAddr) -> Option<String> {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    };
    let (length, fewest, usual) = if host.is_ipv4() { (32, 16, 24) } else { (128, 64, 64) };
    if bits(host) >> (length - usual) == bits(asker) >> (length - usual) {
        return None;
    }
    (fewest..=length).rev().find_map(|prefix: u32| {
        let hosts = (1_u128 << (length - prefix)) - 1;
        let base = bits(host) & !hosts;
        let is_fit = base | 1 != bits(host) && bits(asker) & !hosts != base;
        let base = match host {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(base as u32)),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(base)),
        };
        is_fit.then(|| format!("{base}/{prefix}"))
    })
}

/// A VPC of one host. It has no ranges, so that it has no resolver; its subnet has one.
fn vpc(host: IpAddr, range: &str, setup: RuleSetup) -> Option<Vpc> {
    let all = if host.is_ipv4() { "0.0.0.0/0" } else { "::/0" };
    let group = |way: &str, is_open| if is_open { format!("[\"all {way} {all}\"]") } else { "[]".to_owned() };
    let acl = |way: &str, is_open| {
        let word = if is_open { "allow" } else { "deny" };
        format!("[\"100 {word} all {way} {all}\"]")
    };
    let text = format!(
        r#"
        [[subnet]]
        id = "subnet-quiz"
        cidrs = ["{range}"]
        acl = "acl-quiz"

        [[interface]]
        id = "eni-quiz"
        subnet = "subnet-quiz"
        addresses = ["{host}"]
        groups = ["sg-quiz"]

        [[security-group]]
        id = "sg-quiz"
        ingress = {}
        egress = {}

        [[acl]]
        id = "acl-quiz"
        ingress = {}
        egress = {}
        "#,
        group("from", setup != RuleSetup::GroupWithoutIngress),
        group("to", setup != RuleSetup::GroupWithoutEgress),
        acl("from", setup != RuleSetup::AclDeniesIngress),
        acl("to", setup != RuleSetup::AclDeniesEgress),
    );
    let mut builder = ModelBuilder::default();
    builder.add("quiz", &text).ok()?;
    Some(Vpc::new(builder.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_neither_the_router_nor_the_one_who_asks() {
        let range = |host: &str, asker: &str| range(host.parse().unwrap(), asker.parse().unwrap());
        let fit = |text: &str| Some(text.to_owned());
        assert_eq!(range("10.0.1.10", "203.0.113.5"), fit("10.0.1.10/32"));
        assert_eq!(range("10.0.1.139", "203.0.113.5"), fit("10.0.1.136/30"));
        assert_eq!(range("10.0.0.1", "203.0.113.5"), None);
        assert_eq!(range("10.0.1.139", "10.0.1.9"), None);
        assert_eq!(range("2001:db8::a", "2001:db8:0:1::b"), fit("2001:db8::a/128"));
        assert_eq!(range("2001:db8::a", "2001:db8::b"), None);
    }
}
