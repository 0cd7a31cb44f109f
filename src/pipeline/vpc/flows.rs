//! What the judge keeps of flows and connections.

use crate::flow::{FlowCounters, FlowKey};
use crate::meter::Placement;
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
    /// Whether packets under the present ruling keep the connection alive.
    pub(super) refreshes: bool,
    /// The next flow of the same connection.
    pub(super) next: Member,
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
    /// The verdicts of its last packet, and the number of the ruling that they came to.
    pub(super) verdicts: [Option<Verdict>; 2],
    pub(super) ruling: Option<u32>,
}

impl Flow {
    pub(super) fn side(&self, at: usize) -> Option<&Side> {
        self.sides.get(at)?.as_ref()
    }

    /// The connections that it belongs to.
    pub(super) fn connections(&self) -> impl Iterator<Item = u32> + Clone {
        self.sides.iter().flatten().map(|side| side.connection).filter(|connection| *connection != NONE)
    }
}

/// A flow's place in the list of a connection's flows: its number, and at which of its sides the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member(u32);

impl Member {
    /// The end of a list.
    pub(super) const NONE: Member = Member(NONE);

    pub(super) fn new(flow: u32, side: usize) -> Member {
        Member(flow << 1 | u32::from(side > 0))
    }

    pub(super) fn get(self) -> Option<(u32, usize)> {
        (self != Member::NONE).then_some((self.0 >> 1, (self.0 & 1) as usize))
    }
}

/// What is ruled of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Ruled {
    /// They are counted under a class.
    Counted {
        class: u32,
        /// In how many records.
        sights: u8,
        /// How many of them have no action.
        undecided: u8,
        /// Whether they are of no known interface.
        unknown_owner: bool,
    },
    /// They are skipped; where they were captured and what is noted of them is what the walk has to take back.
    Skipped { capture: usize, notes: Notes, reason: SkipReason },
}

/// What only packets that change something touch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Remembered {
    pub(super) connection: Connection,
    pub(super) protocol: Protocol,
    pub(super) interface: InterfaceIndex,
    /// The first of the flows that belong to it.
    pub(super) members: Member,
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
    /// Takes packets back.
    pub(super) fn take_back(
        &mut self,
        capture: usize,
        notes: Notes,
        reason: SkipReason,
        placement: Placement,
        counters: &FlowCounters,
    ) {
        let asked = (capture, notes, reason);
        let known = self.taken_back.iter().position(|(of, notes, why, _)| (*of, *notes, *why) == asked);
        let at = known.unwrap_or_else(|| {
            self.taken_back.push((capture, notes, reason, TakenBack::default()));
            self.taken_back.len() - 1
        });
        if let Some((.., back)) = self.taken_back.get_mut(at) {
            back.packets += counters.packets;
            back.bytes += counters.bytes;
            back.late += if placement.late { counters.packets } else { 0 };
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
