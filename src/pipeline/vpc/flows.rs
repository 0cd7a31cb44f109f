//! What the judge keeps of flows and connections.

use super::outcome::Outcome;
use crate::flow::FlowKey;
use crate::meter::PacketFacts;
use crate::packet::{Notes, Protocol, SkipReason};
use crate::pipeline::ledger::{TakenBack, VpcTotal};
use crate::vpc::{Asked, Connection, InterfaceIndex, Peer, Sight, Special, Traffic, Verdict};

/// No connection: nothing is remembered here.
pub(super) const NONE: u32 = u32::MAX;

/// One interface that a flow passes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side {
    pub(super) sight: Sight,
    pub(super) asked: Asked,
    pub(super) connection: u32,
    pub(super) special: Option<Special>,
    pub(super) peer: Option<Peer>,
}

/// What is known of a flow, and looked at only where its packets change something.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) traffic: Traffic,
    /// Where it was captured.
    pub(super) capture: usize,
    /// What is noted of its packets.
    pub(super) notes: Notes,
    /// The sending side, the receiving side.
    pub(super) sides: [Option<Side>; 2],
    /// A regional NAT gateway that it passes, and whether out of it.
    pub(super) regional: Option<(u32, bool)>,
    /// The verdicts of its last packet, and what they came to.
    pub(super) verdicts: [Option<Verdict>; 2],
    pub(super) outcome: Option<Outcome>,
}

/// What lies in the table for a flow: enough for a packet that changes nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Short {
    /// Up to when the next packet may take the short way, in nanoseconds since 1970.
    pub(super) until: i64,
    /// How long its connections may be idle, in nanoseconds.
    pub(super) idle: i64,
    /// Its place among the flows.
    pub(super) flow: u32,
    /// The connections on which that depends.
    pub(super) connections: [u32; 2],
    /// The sum of their `changes` when a packet last took the long way.
    pub(super) changes: u32,
    /// The class; of what is skipped, the place of its capture and reason.
    pub(super) class: u32,
    /// In how many records its packets are counted: none, where they are skipped.
    pub(super) sights: u8,
    pub(super) undecided: u8,
    pub(super) unknown_owner: bool,
}

/// What only packets that change something touch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Remembered {
    pub(super) connection: Connection,
    pub(super) protocol: Protocol,
    pub(super) interface: InterfaceIndex,
}

/// One interface's view of a connection: the same for both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ConnectionId {
    pub(super) interface: InterfaceIndex,
    /// The lower end's flow, or an ICMP request's.
    pub(super) flow: FlowKey,
    pub(super) icmp: Option<u8>,
}

/// What the judge counts beside the records.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub(super) total: VpcTotal,
    /// Packets that the walk had kept, each capture, notes and reason once.
    pub(super) taken_back: Vec<(usize, Notes, SkipReason, TakenBack)>,
}

impl Judged {
    /// The place of what is taken back of a capture, with these notes, for a reason.
    pub(super) fn place(&mut self, capture: usize, notes: Notes, reason: SkipReason) -> u32 {
        let asked = (capture, notes, reason);
        let known = self.taken_back.iter().position(|(of, notes, why, _)| (*of, *notes, *why) == asked);
        let at = known.unwrap_or_else(|| {
            self.taken_back.push((capture, notes, reason, TakenBack::default()));
            self.taken_back.len() - 1
        });
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    /// Takes a packet back.
    #[inline]
    pub(super) fn take_back(&mut self, place: u32, packet: &PacketFacts) {
        if let Some((.., back)) = self.taken_back.get_mut(place as usize) {
            back.packets += 1;
            back.bytes += u64::from(packet.ip_length);
            back.late += u64::from(packet.placement.late);
        }
    }
}

/// The two directions of a connection have one; ICMP errors have none. Of ICMP it is the request's: who asks matters,
/// since both ends may ask each other at once.
pub(super) fn connection_id(interface: InterfaceIndex, traffic: &Traffic) -> Option<ConnectionId> {
    let flow = traffic.flow;
    if matches!(flow.protocol, Protocol::ICMP | Protocol::ICMPV6) {
        let (request, kind) = traffic.icmp_request()?;
        return Some(ConnectionId { interface, flow: request, icmp: Some(kind) });
    }
    let flow = flow.min(flow.reversed());
    Some(ConnectionId { interface, flow, icmp: None })
}
