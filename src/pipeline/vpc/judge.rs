//! The judge: which records a packet is counted in, and with which action.
//!
//! The steps of one packet:
//!
//! 1. Its key is looked up ([`Rekeyer`]). A flow seen first gets its sides: out of the interface that sent it, into the
//!    one that receives it. An interface is found by the frame's MAC address; where that names none, by the packet's
//!    address.
//! 2. The sending side is judged, then, unless the packet ends there, the receiving side. The two verdicts together are
//!    a class, or a reason to skip the packet.
//! 3. Most packets come to what the one before them came to, and change nothing but the time of their connections' last
//!    packet. As long as the connections say so ([`Connection::steady`]) and no packet of another flow has changed them,
//!    steps 1 and 2 end at the table's entry; the time is read there when it matters again.
//!
//! Rules are asked once for a flow at a side and then again only when a connection begins anew.
//!
//! Flows and connections are dropped when nothing depends on them any more ([`Connection::is_forgotten`]), so what is
//! held is bounded by the connections that are open at one time.
//!
//! If you change this: the short way must come to the same as the long one. `the_short_way_is_the_long_way` holds it.

use std::sync::Arc;

use foldhash::fast::RandomState;
use indexmap::IndexMap;

use super::classes::{ClassReader, Classes, Owner};
use super::drops::{OwnersOn, SeenOn};
use super::flows::{
    ConnectionId, Flow, Judged, Member, NONE, Numbered, Remembered, Ruled, Side, Verdicts, connection_id,
};
use super::options::VpcOptions;
use super::outcome::{Outcome, outcome};
use super::sighting::Points;
use crate::flow::{FlowCounters, FlowKey, MeteringKey, ObservationPoint, WindowIndex};
use crate::meter::{Batch, Keys, PacketFacts, Placement, Rekey, Rekeyer, Ruling, Settled};
use crate::packet::{TcpFlags, Timestamp};
use crate::record::Action;
use crate::vpc::{Answer, Asked, Connection, InterfaceIndex, Moment, Peer, Traffic, Verdict, Vpc, Why};

/// How many flows are held before the first look for some that can be dropped.
const FIRST_SWEEP: usize = 1 << 17;

/// The judge: the table of its flows, and the rest.
pub(super) struct Judge {
    flows: Rekeyer<Flow>,
    court: Court,
    sweep_at: usize,
}

/// Everything but the table.
struct Court {
    options: VpcOptions,
    vpc: Arc<Vpc>,
    points: Points,
    classes: Classes,
    seen_on: SeenOn,
    /// The action of packets of no known interface.
    unknown_action: Action,
    remembered: IndexMap<ConnectionId, Remembered, RandomState>,
    /// What the rules have answered to flows.
    asked: Numbered<Asked>,
    verdicts: Numbered<Verdicts>,
    /// What was ruled so far.
    rulings: Numbered<Ruled>,
    /// The time of the first of all packets, in nanoseconds.
    since: i64,
    judged: Judged,
    #[cfg(test)]
    long_way_only: bool,
}

impl Judge {
    pub(super) fn new(options: VpcOptions, points: Points, unknown_action: Option<Action>) -> Judge {
        let mut court = Court {
            vpc: options.vpc.clone(),
            options,
            points,
            classes: Classes::default(),
            seen_on: SeenOn::default(),
            unknown_action: unknown_action.unwrap_or(Action::Accept),
            remembered: IndexMap::default(),
            asked: Numbered::default(),
            verdicts: Numbered::default(),
            rulings: Numbered::default(),
            since: i64::MIN,
            judged: Judged::default(),
            #[cfg(test)]
            long_way_only: false,
        };
        court.forget_answers();
        Judge { flows: Rekeyer::default(), court, sweep_at: FIRST_SWEEP }
    }

    /// Where the classes can be read that keys are given, and who was seen on which interface of the captures.
    pub(super) fn readers(&self) -> (ClassReader, OwnersOn) {
        (self.court.classes.reader(), self.court.seen_on.reader())
    }

    /// What was counted beside the records; to be asked when all is flushed.
    pub(super) fn into_judged(self) -> Judged {
        self.court.judged
    }

    /// Learns the time of the first of all packets, before any is judged.
    pub(super) fn begin(&mut self, first: Timestamp) {
        self.court.since = first.nanos();
    }

    /// Judges a batch; what is counted goes into `out`, with classes for observation points.
    pub(super) fn judge(&mut self, batch: &Batch, out: &mut Batch) {
        self.flows.rekey(batch, out, &mut self.court);
        if self.flows.len() >= self.sweep_at {
            self.sweep(out);
        }
    }

    /// Hands on what was counted in windows below `passed`, or in all, batch by batch.
    ///
    /// # Errors
    /// The taker's.
    pub(super) fn flush<E>(
        &mut self,
        passed: Option<WindowIndex>,
        out: &mut Batch,
        take: impl FnMut(&mut Batch) -> Result<(), E>,
    ) -> Result<(), E> {
        self.flows.flush(passed, out, &mut self.court, take)
    }
}

impl Rekey<Flow> for Court {
    /// The flags that may change a connection.
    const TELLING: TcpFlags = TcpFlags(0x07);

    /// Finds out which interfaces a flow passes.
    #[cold]
    #[inline(never)]
    fn begin(&mut self, number: u32, key: MeteringKey) -> Flow {
        let sighted = self.points.get(key.point);
        let traffic = Traffic::new(key.flow, key.icmp);
        let FlowKey { srcaddr, dstaddr, .. } = key.flow;
        let ends = [(sighted.from, srcaddr), (sighted.to, dstaddr)].map(|(by_mac, address)| {
            let found = by_mac.or_else(|| self.vpc.interface_at(address));
            found.map(|interface| Peer { interface, by_mac: by_mac.is_some() })
        });
        let [from, to] = ends;
        let regional =
            if self.vpc.has_regional_nat() { self.regional_nat(&key.flow, from, to) } else { None };
        let interfaces = ends.iter().flatten().map(|end| Owner::Interface(end.interface));
        let owners = interfaces.chain(regional.map(|(at, _)| Owner::RegionalNat(at)));
        self.seen_on.note(sighted.capture, sighted.interface, owners, &self.options);
        let mut flow = Flow { ends, sides: [Side::NEW; 2], regional, verdicts: NONE, ruling: NONE };
        for (side, end) in flow.sides.iter_mut().zip(ends) {
            let Some(Peer { interface, .. }) = end else { continue };
            side.special = self.vpc.special(interface, &traffic);
            // an interface without groups, such as a NAT gateway's, remembers nothing
            let groups = self.vpc.interface(interface).is_some_and(|interface| !interface.groups.is_empty());
            if side.special.is_none() && groups {
                side.connection = self.connection_of(interface, &traffic);
            }
        }
        self.link(number, &mut flow);
        flow
    }

    fn rule(
        &mut self,
        packet: &PacketFacts,
        key: MeteringKey,
        number: u32,
        keys: &mut impl Keys<Flow>,
    ) -> Ruling {
        let connections = keys.kept(number).map_or([NONE; 2], |flow| flow.sides.map(|side| side.connection));
        connections.into_iter().for_each(|connection| self.bring_up(connection, keys));
        let mut changed = [NONE; 2];
        let Some(flow) = keys.kept(number) else { return Ruling { number: 0, idle: None, anew: false } };
        let (ruling, refreshed) = self.rule_on_flow(packet, &key, flow, &mut changed);
        for connection in changed {
            self.revoke_others(connection, number, keys);
        }
        Ruling { anew: refreshed, ..ruling }
    }

    fn settle(&mut self, ruling: u32, placement: Placement, counters: &FlowCounters) -> Settled {
        match self.rulings.get(ruling) {
            Some(Ruled::Counted { class, sights, undecided, unknown_owner }) => {
                let total = &mut self.judged.total;
                let more = u64::from(sights.saturating_sub(1));
                total.packets_in_second_records += more * counters.packets;
                total.ip_bytes_in_second_records += more * counters.bytes;
                total.packets_undecided += u64::from(undecided) * counters.packets;
                total.packets_of_no_known_interface += u64::from(unknown_owner) * counters.packets;
                Settled::Counted { point: ObservationPoint(class), with_direction: unknown_owner }
            }
            Some(Ruled::Skipped { capture, notes, reason }) => {
                self.judged.take_back(capture, notes, reason, placement, counters);
                Settled::LeftOut
            }
            None => Settled::LeftOut,
        }
    }
}

impl Court {
    /// Puts a flow into the lists of its connections' flows.
    fn link(&mut self, number: u32, flow: &mut Flow) {
        for (at, side) in flow.sides.iter_mut().enumerate() {
            let Some((_, remembered)) = self.remembered.get_index_mut(side.connection as usize) else {
                continue;
            };
            side.next = std::mem::replace(&mut remembered.members, Member::new(number, at));
        }
    }

    /// Notes the packets of a connection's flows that were not ruled on one by one.
    fn bring_up(&mut self, connection: u32, keys: &mut impl Keys<Flow>) {
        let found = self.remembered.get_index_mut(connection as usize);
        let Some((_, Remembered { connection, members })) = found else { return };
        let mut at = *members;
        while let Some((number, side)) = at.get() {
            let last = keys.last(number);
            let Some(side) = keys.kept(number).and_then(|flow| flow.side(side)) else { return };
            if let Some(last) = last.filter(|_| side.refreshes) {
                connection.seen(last.nanos());
            }
            at = side.next;
        }
    }

    /// Ends the rulings of a connection's flows but one.
    fn revoke_others(&self, connection: u32, but: u32, keys: &mut impl Keys<Flow>) {
        let found = self.remembered.get_index(connection as usize);
        let mut at = found.map_or(Member::NONE, |(_, found)| found.members);
        while let Some((number, side)) = at.get() {
            if number != but {
                keys.revoke(number);
            }
            let Some(side) = keys.kept(number).and_then(|flow| flow.side(side)) else { return };
            at = side.next;
        }
    }

    /// Judges a packet of a flow: its ruling, and whether from now on packets count for other connections than before.
    /// Connections of which more than the last packet's time has changed are put into `changed`.
    fn rule_on_flow(
        &mut self,
        packet: &PacketFacts,
        key: &MeteringKey,
        flow: &mut Flow,
        changed: &mut [u32; 2],
    ) -> (Ruling, bool) {
        let traffic = Traffic::new(key.flow, key.icmp);
        let (time, flags) = (packet.time.nanos(), packet.logged_flags);
        let moment = Moment { time, since: self.since };
        let mut verdicts = [None, None];
        let mut ended = false;
        // how long the verdicts stay the same, and on which connections that depends
        let mut idle = Some(i64::MAX);
        let mut refreshes = [false; 2];
        let sights = [flow.sight(0), flow.sight(1)];
        for (at, ((side, sight), verdict)) in flow.sides.iter_mut().zip(sights).zip(&mut verdicts).enumerate()
        {
            let Some(sight) = sight.filter(|_| !ended) else { continue };
            if let Some(special) = side.special {
                *verdict = Some(Verdict { answer: Answer::Yes, why: Why::Special(special) });
                continue;
            }
            let known = self.asked.get(side.asked).unwrap_or_default();
            let mut asked = known;
            let mut unremembered = Connection::default();
            let judged = match self.remembered.get_index_mut(side.connection as usize) {
                Some((_, Remembered { connection, .. })) => {
                    let protocol = traffic.flow.protocol;
                    let timeouts = self.vpc.timeouts(sight.interface);
                    // what is forgotten begins anew, and is counted anew
                    let forgotten = connection.is_forgotten(protocol, &timeouts, time);
                    let (before, was_mid_stream) = (*connection, connection.is_mid_stream() && !forgotten);
                    let judged = self.vpc.judge(sight, &traffic, flags, moment, connection, &mut asked);
                    let joined = connection.is_mid_stream() && !was_mid_stream;
                    if joined && self.options.wants(Owner::Interface(sight.interface)) {
                        self.judged.total.connections_judged_mid_stream += 1;
                    }
                    if !connection.differs_in_time_alone(&before) {
                        changed.iter_mut().skip(at).take(1).for_each(|changed| *changed = side.connection);
                    }
                    // what the ACL stops on its way in does not reach the connection
                    let stopped = !sight.egress && matches!(judged.why, Why::Denied(_));
                    if !stopped {
                        refreshes.iter_mut().skip(at).take(1).for_each(|refreshes| *refreshes = true);
                        let steady = connection.steady(protocol, sight.egress, &timeouts);
                        idle = idle.and_then(|idle| Some(idle.min(steady?)));
                    }
                    judged
                }
                None => self.vpc.judge(sight, &traffic, flags, moment, &mut unremembered, &mut asked),
            };
            if asked != known {
                side.asked = self.asked.number(asked);
            }
            // what the sender's side refuses never reaches the receiver's
            ended = judged.answer == Answer::No;
            *verdict = Some(judged);
        }
        #[cfg(test)]
        if self.long_way_only {
            idle = None;
        }
        let mut refreshed = false;
        for (side, refreshes) in flow.sides.iter_mut().zip(refreshes) {
            // packets that are ruled on one by one are noted by that
            let refreshes = refreshes && idle.is_some();
            refreshed |= side.refreshes != refreshes;
            side.refreshes = refreshes;
        }
        let came_to = self.verdicts.number(verdicts);
        if flow.ruling == NONE || flow.verdicts != came_to {
            flow.verdicts = came_to;
            let ruled = self.outcome(key, flow, &traffic, &verdicts);
            flow.ruling = self.rulings.number(ruled);
        }
        (Ruling { number: flow.ruling, idle, anew: false }, refreshed)
    }

    /// What verdicts come to.
    fn outcome(&mut self, key: &MeteringKey, flow: &Flow, traffic: &Traffic, verdicts: &Verdicts) -> Ruled {
        match outcome(&self.options, &mut self.classes, self.unknown_action, flow, traffic, verdicts) {
            Outcome::Count { class, sights, undecided, unknown_owner } => {
                Ruled::Counted { class, sights, undecided, unknown_owner }
            }
            Outcome::Skip(reason) => {
                let sighted = self.points.get(key.point);
                Ruled::Skipped { capture: sighted.capture, notes: sighted.notes, reason }
            }
        }
    }

    /// Forgets what the rules have answered and what that came to: flows that have numbers of it lose them.
    fn forget_answers(&mut self) {
        self.asked.clear();
        self.verdicts.clear();
        // the number of those that have asked nothing yet
        self.asked.number(Asked::default());
    }

    /// A regional NAT gateway that a packet passes, and whether out of it: it has public addresses but no interface, so
    /// inside it is found by the route between the gateway and the interface at the other end.
    fn regional_nat(&self, flow: &FlowKey, from: Option<Peer>, to: Option<Peer>) -> Option<(u32, bool)> {
        let vpc = &self.vpc;
        let out = vpc.regional_nat_at(flow.srcaddr).map(|at| (at, true));
        let into = || vpc.regional_nat_at(flow.dstaddr).map(|at| (at, false));
        let from_inside = || Some((vpc.route_regional_nat(from?.interface, flow.dstaddr)?, false));
        let to_inside = || Some((vpc.route_regional_nat(to?.interface, flow.srcaddr)?, true));
        out.or_else(into).or_else(from_inside).or_else(to_inside)
    }

    /// The memory of a flow's connection at an interface.
    fn connection_of(&mut self, interface: InterfaceIndex, traffic: &Traffic) -> u32 {
        let Some(id) = connection_id(interface, traffic) else { return NONE };
        let entry = self.remembered.entry(id);
        // as many connections as that do not fit the memory
        let number = entry.index() as u32;
        entry.or_insert(Remembered { connection: Connection::default(), members: Member::NONE });
        number
    }
}

mod sweep;
#[cfg(test)]
mod tests;
