//! The VPC's description, as a comparison asks about it.

use std::net::IpAddr;

use crate::diff::{Ruling, Surroundings};
use crate::flow::FlowKey;
use crate::packet::Protocol;
use crate::record::{Action, FlowDirection};
use crate::vpc::{Answer, NatGateway, Traffic, Vpc};

impl Surroundings for Vpc {
    fn both_ends(&self, flow: &FlowKey) -> Option<[String; 2]> {
        let [one, other] = [flow.srcaddr, flow.dstaddr].map(|address| self.interface_at(address));
        let (one, other) = one.zip(other).filter(|(one, other)| one != other)?;
        Some([self.interface(one)?.id.clone(), self.interface(other)?.id.clone()])
    }

    fn ruling(&self, flow: &FlowKey, interface: Option<&str>) -> Option<Ruling> {
        // records have no ICMP types, so rules that ask for one decide nothing, and neighbour discovery, which is never
        // filtered, looks like any other ICMPv6
        if flow.protocol == Protocol::ICMPV6 {
            return None;
        }
        let traffic = Traffic::new(*flow, None);
        let passages = self.trace(&traffic).packet;
        let passage = match interface {
            Some(id) => {
                let at = self.interface_named(id)?;
                passages.iter().find(|passage| passage.interface == at)
            }
            // after a refusal none follows
            None => passages.last(),
        }?;
        let action = match passage.verdict.answer {
            Answer::Yes => Action::Accept,
            Answer::No => Action::Reject,
            Answer::Unknown => return None,
        };
        let as_reply = || self.trace(&traffic.reversed()).reply;
        let passes_as_reply = action == Action::Reject && {
            let reply = as_reply();
            !reply.is_empty() && reply.iter().all(|passage| passage.verdict.answer != Answer::No)
        };
        let egress = passage.direction == FlowDirection::Egress;
        Some(Ruling {
            interface: self.interface(passage.interface)?.id.clone(),
            action,
            rule: self.explain(passage.verdict.why, Some(passage.interface), egress),
            passes_as_reply,
        })
    }

    fn translator(&self, one: IpAddr, other: IpAddr) -> Option<String> {
        let model = self.model();
        let is_pair = |pair: &(IpAddr, IpAddr)| *pair == (one, other) || *pair == (other, one);
        let interface =
            model.interfaces.iter().find(|interface| interface.public_addresses.iter().any(is_pair));
        if let Some(interface) = interface {
            return Some(interface.id.clone());
        }
        let gateway = model.nat_gateways.iter().find(|gateway| {
            let [is_one, is_other] = [one, other].map(|address| is_address_of(self, gateway, address));
            match (is_one, is_other) {
                (true, true) => one != other,
                (true, false) => is_inside(self, other),
                (false, true) => is_inside(self, one),
                (false, false) => false,
            }
        });
        gateway.map(|gateway| gateway.id.clone())
    }

    fn is_primary_of(&self, primary: IpAddr, other: IpAddr) -> bool {
        let at = self.interface_at(primary);
        let interface =
            at.filter(|at| self.interface_at(other) == Some(*at)).and_then(|at| self.interface(at));
        let first = interface.and_then(|interface| interface.addresses.iter().find(|own| own.is_ipv4()));
        first == Some(&primary)
    }
}

/// Whether a NAT gateway has an address, inside or outside.
fn is_address_of(vpc: &Vpc, gateway: &NatGateway, address: IpAddr) -> bool {
    let inside = || {
        let interfaces = gateway.interfaces.iter().filter_map(|id| vpc.interface(vpc.interface_named(id)?));
        interfaces.into_iter().any(|interface| interface.addresses.contains(&address))
    };
    gateway.public_addresses.contains(&address) || inside()
}

/// Whether an address may be behind a NAT gateway: of a VPC, or private, as those behind a transit gateway are.
fn is_inside(vpc: &Vpc, address: IpAddr) -> bool {
    let of_vpc = vpc.model().vpcs.iter().flat_map(|vpc| &vpc.cidrs).any(|cidr| cidr.contains(&address));
    of_vpc || matches!(address, IpAddr::V4(address) if address.is_private())
}
