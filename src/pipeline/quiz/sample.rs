//! Some connections of a capture, each as a whole.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::flow::FlowKey;
use crate::packet::{IpPacket, Protocol, TcpFlags};
use crate::pipeline::ExplainedPacket;
use crate::pipeline::explain::of_packet;
use crate::pipeline::explain::placed::Seen;
use crate::pipeline::explain::records::{RecordKey, Records};
use crate::random::Random;
use crate::vpc::Traffic;

/// How many connections are looked at.
const CONNECTIONS: usize = 48;

/// How many packets of a connection are taken apart.
const TAKEN_APART: usize = 6;

/// How many packets of a record are remembered: more than can be shown.
const OF_A_RECORD: usize = 24;

/// A connection, by the flow of its first packet.
pub(super) struct Connection {
    pub(super) flow: FlowKey,
    /// Its first packet.
    pub(super) first: IpPacket,
    /// Whether packets came back.
    pub(super) answered: bool,
    /// Its first packets.
    pub(super) packets: Vec<ExplainedPacket>,
    records: Records,
}

impl Connection {
    /// Whether its first packet asks.
    pub(super) fn begins(&self) -> bool {
        match self.flow.protocol {
            Protocol::TCP => {
                self.first.tcp_flags.contains(TcpFlags::SYN) && !self.first.tcp_flags.contains(TcpFlags::ACK)
            }
            Protocol::ICMP | Protocol::ICMPV6 => self.traffic().is_icmp_request(),
            Protocol::UDP => self.answered,
            _ => false,
        }
    }

    /// What rules look at.
    pub(super) fn traffic(&self) -> Traffic {
        Traffic::new(self.flow, self.first.icmp)
    }
}

/// The connections so far.
pub(super) struct Sample {
    seed: u64,
    /// By hash, so that the greatest goes first; and by flow, where two have one hash.
    found: BTreeMap<(u64, FlowKey), Connection>,
    /// Whether no others are wanted.
    closed: bool,
}

impl Sample {
    /// Those whose hash is least.
    pub(super) fn new(seed: u64) -> Sample {
        Sample { seed, found: BTreeMap::new(), closed: false }
    }

    /// The same as others, to be looked at once more.
    pub(super) fn of(others: &[Connection]) -> Sample {
        let mut sample = Sample { closed: true, ..Sample::new(0) };
        for connection in others {
            sample.found.insert(sample.key(&connection.flow), empty(connection.flow, connection.first));
        }
        sample
    }

    fn key(&self, flow: &FlowKey) -> (u64, FlowKey) {
        let reversed = flow.reversed();
        let either = if reversed < *flow { reversed } else { *flow };
        (hash(self.seed, &either), either)
    }

    /// Counts a packet that is in a record, if it is of a connection that is looked at.
    pub(super) fn take(&mut self, seen: &Seen<'_>, with_direction: bool) {
        let Ok(ip) = seen.decoded else { return };
        let flow = FlowKey::from(&ip);
        let key = self.key(&flow);
        let is_wanted = self.found.len() < CONNECTIONS
            || self.found.last_key_value().is_some_and(|(greatest, _)| key <= *greatest);
        if self.closed && !self.found.contains_key(&key) || !is_wanted {
            return;
        }
        let connection = self.found.entry(key).or_insert_with(|| empty(flow, ip));
        connection.answered |= flow == connection.flow.reversed() && flow != connection.flow;
        if connection.packets.len() < TAKEN_APART && !self.closed {
            connection.packets.push(of_packet(seen));
        }
        if let Some(record) = RecordKey::of(seen, with_direction) {
            connection.records.count(record, seen);
        }
        if self.found.len() > CONNECTIONS {
            self.found.pop_last();
        }
    }

    /// The connections, and all of their records.
    pub(super) fn into_parts(self) -> (Vec<Connection>, Records) {
        let mut records = Records::keeping(OF_A_RECORD);
        let mut connections = Vec::new();
        for mut connection in self.found.into_values() {
            records.extend(std::mem::take(&mut connection.records));
            connections.push(connection);
        }
        // in the order in which they begin
        connections.sort_by_key(|connection| connection.packets.first().map(|packet| packet.number));
        (connections, records)
    }
}

fn empty(flow: FlowKey, first: IpPacket) -> Connection {
    Connection { flow, first, answered: false, packets: Vec::new(), records: Records::keeping(OF_A_RECORD) }
}

/// A hash of a flow that is the same on every machine.
fn hash(seed: u64, flow: &FlowKey) -> u64 {
    let address = |address: IpAddr| match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    };
    let (from, to) = (address(flow.srcaddr), address(flow.dstaddr));
    let ends = u64::from(flow.srcport) << 24 | u64::from(flow.dstport) << 8 | u64::from(flow.protocol.0);
    let words = [from as u64, (from >> 64) as u64, to as u64, (to >> 64) as u64, ends];
    words.into_iter().fold(seed, |hash, word| Random::of(hash, word).next())
}
