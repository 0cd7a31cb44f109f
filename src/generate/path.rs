//! The way of a conversation's packets: who has which address and port at each of its hops.

use std::net::IpAddr;

use super::scenario::{Endpoint, Middle, Scenario, Speech, Template};
use super::sockets::{Clash, Sockets};
use crate::flow::FlowKey;
use crate::packet::Protocol;

/// The first of the ports that clients take in turn, and how many there are (Linux: 32768 to 60999).
pub(super) const EPHEMERAL: (u16, u64) = (32_768, 28_232);

/// The first port of a NAT gateway, and how many it has (Amazon VPC User Guide, "NAT gateway basics": from 1024 on).
const TRANSLATED: (u16, u64) = (1024, 64_512);

/// One station of a path: who, with which address and port there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Station {
    pub(super) interface: Option<usize>,
    pub(super) address: IpAddr,
    pub(super) port: u16,
}

/// A path.
pub(super) struct Path {
    /// From whom to whom, hop by hop.
    pub(super) hops: Vec<[Station; 2]>,
    /// The 5-tuples that are taken for it.
    pub(super) sockets: [Option<FlowKey>; 2],
}

impl Endpoint {
    /// The station of a copy, `turn` of whose addresses were used before; a client without ports has ephemeral ones.
    pub(super) fn station(&self, copy: u64, turn: u64, is_client: bool) -> Option<Station> {
        let places = (self.places.len() as u64).max(1);
        let seat = self.places.get((copy % places) as usize)?;
        let number = if is_client { turn / places } else { copy / places };
        let port = match self.ports {
            Some((first, last)) => {
                let count = u64::from(last - first) + 1;
                first + (copy / places % count) as u16
            }
            None if is_client => EPHEMERAL.0 + (number / seat.count.max(1) % EPHEMERAL.1) as u16,
            None => 0,
        };
        Some(Station { interface: seat.interface, address: seat.address(number), port })
    }
}

impl Path {
    /// The path between two stations, on ports that are free.
    pub(super) fn new(
        scenario: &Scenario,
        plan: &Template,
        [mut client, server]: [Station; 2],
        number: u64,
        sockets: &mut Sockets,
    ) -> Result<Path, Clash> {
        let tries = if plan.from.ports.is_none() { EPHEMERAL.1 } else { 1 };
        let near = sockets.take_first(tries, |more| {
            let port = if more == 0 { client.port } else { after(client.port, more, EPHEMERAL) };
            flow(plan, Station { port, ..client }, server)
        })?;
        client.port = near.srcport;
        let mut far = None;
        let hops = match &plan.middle {
            Middle::Nothing => vec![[client, server]],
            Middle::Nat(nat) => {
                let address = scenario.network.interfaces.get(*nat).and_then(|interface| {
                    interface.addresses.iter().find(|address| address.is_ipv6() == client.address.is_ipv6())
                });
                let address = address.copied().unwrap_or(client.address);
                let outside = Station { interface: Some(*nat), address, port: 0 };
                let first = TRANSLATED.0 + (number.wrapping_mul(4051) % TRANSLATED.1) as u16;
                let translated = sockets.take_first(TRANSLATED.1, |more| {
                    let port = if client.port == 0 { 0 } else { after(first, more, TRANSLATED) };
                    flow(plan, Station { port, ..outside }, server)
                })?;
                far = Some(translated);
                let gateway = Station { interface: Some(*nat), ..server };
                vec![[client, gateway], [Station { port: translated.srcport, ..outside }, server]]
            }
            Middle::Through(interfaces) => {
                let (first, last) = (interfaces.first().copied(), interfaces.last().copied());
                vec![
                    [client, Station { interface: first, ..server }],
                    [Station { interface: last, ..client }, server],
                ]
            }
        };
        Ok(Path { hops, sockets: [Some(near), far] })
    }
}

/// The port so many after one, in a ring of ports.
fn after(port: u16, more: u64, (first, count): (u16, u64)) -> u16 {
    let place = u64::from(port.saturating_sub(first)) + more;
    first + (place % count) as u16
}

/// The flow from one station to another.
pub(super) fn flow(plan: &Template, from: Station, to: Station) -> FlowKey {
    let protocol = match (plan.speech, from.address.is_ipv6()) {
        (Speech::Tcp, _) => Protocol::TCP,
        (Speech::Udp, _) => Protocol::UDP,
        (Speech::Ping, false) => Protocol::ICMP,
        (Speech::Ping, true) => Protocol::ICMPV6,
    };
    FlowKey { srcaddr: from.address, dstaddr: to.address, protocol, srcport: from.port, dstport: to.port }
}
