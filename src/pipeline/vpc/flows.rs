//! What the judge keeps of flows and connections.

use std::hash::Hash;

use foldhash::fast::RandomState;
use indexmap::IndexSet;

use crate::flow::{FlowCounters, FlowKey};
use crate::meter::Placement;
use crate::packet::{Notes, Protocol, SkipReason};
use crate::pipeline::ledger::{TakenBack, VpcTotal};
use crate::vpc::{Connection, InterfaceIndex, Peer, Sight, Special, Traffic, Verdict};

/// No connection: nothing is remembered here.
pub(super) const NONE: u32 = u32::MAX;

/// What is kept of a flow at one of its ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side {
    pub(super) connection: u32,
    /// The next flow of the same connection.
    pub(super) next: Member,
    /// The number of what the rules have answered.
    pub(super) asked: u32,
    pub(super) special: Option<Special>,
    /// Whether packets under the present ruling keep the connection alive.
    pub(super) refreshes: bool,
}

impl Side {
    /// Of no interface, or of one of which nothing is known yet.
    pub(super) const NEW: Side =
        Side { connection: NONE, next: Member::NONE, asked: 0, special: None, refreshes: false };
}

/// What is known of a flow, and looked at only where its packets change something: one cache line.
#[derive(Debug)]
pub(super) struct Flow {
    /// The interface that it comes from, the one that it goes to.
    pub(super) ends: [Option<Peer>; 2],
    /// The sending side, the receiving side.
    pub(super) sides: [Side; 2],
    /// A regional NAT gateway that it passes, and whether out of it.
    pub(super) regional: Option<(u32, bool)>,
    /// The number of the verdicts of its last packet, and that of the ruling that they came to.
    pub(super) verdicts: u32,
    pub(super) ruling: u32,
}

/// The verdicts of both sides.
pub(super) type Verdicts = [Option<Verdict>; 2];

impl Flow {
    /// Its passing of one of its ends.
    pub(super) fn sight(&self, at: usize) -> Option<Sight> {
        let [from, to] = self.ends;
        let (own, other) = if at == 0 { (from, to) } else { (to, from) };
        let interface = own?.interface;
        let next = other.map(|other| other.interface).filter(|next| *next != interface);
        Some(Sight { interface, egress: at == 0, next })
    }

    pub(super) fn side(&self, at: usize) -> Option<&Side> {
        self.sides.get(at)
    }

    /// The connections that it belongs to.
    pub(super) fn connections(&self) -> impl Iterator<Item = u32> + Clone {
        self.sides.iter().map(|side| side.connection).filter(|connection| *connection != NONE)
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

/// What is kept of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Remembered {
    pub(super) connection: Connection,
    /// The first of the flows that belong to it.
    pub(super) members: Member,
}

/// Things that are many times the same, numbered as they came.
#[derive(Debug)]
pub(super) struct Numbered<T> {
    things: IndexSet<T, RandomState>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Numbered { things: IndexSet::default() }
    }
}

impl<T: Copy + Eq + Hash> Numbered<T> {
    pub(super) fn number(&mut self, thing: T) -> u32 {
        // as many different things as that do not fit the memory
        self.things.insert_full(thing).0 as u32
    }

    pub(super) fn get(&self, number: u32) -> Option<T> {
        self.things.get_index(number as usize).copied()
    }

    pub(super) fn clear(&mut self) {
        self.things.clear();
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_is_one_cache_line() {
        assert_eq!(size_of::<Flow>(), 64);
    }
}
