//! The judge: which records a packet is counted in, and with which action.
//!
//! The steps of one packet:
//!
//! 1. Its key is looked up, 32 packets together so that their cache misses overlap ([`Rekeyer`]). A flow seen first gets
//!    its sides: out of the interface that sent it, into the one that receives it. An interface is found by the
//!    frame's MAC address; where that names none, by the packet's address.
//! 2. The sending side is judged, then, unless the packet ends there, the receiving side. The two verdicts together are
//!    a class, or a reason to skip the packet.
//! 3. Most packets come to what the one before them came to, and change nothing but the time of the last packet. As
//!    long as the flow's connections say so ([`Connection::steady`]), have not been touched by another flow since
//!    (their `changes`), and have not been idle too long, steps 1 and 2 end at the table's entry.
//!
//! Rules are asked once for a flow at a side and then again only when a connection begins anew.
//!
//! Flows and connections are dropped when nothing depends on them any more ([`Connection::is_forgotten`]), so what is
//! held is bounded by the connections that are open at one time.
//!
//! If you change this: the short way must come to the same as the long one. `the_short_way_is_the_long_way` holds it.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::classes::{ClassReader, Classes, Owner};
use super::drops::{OwnersOn, SeenOn};
use super::flows::{ConnectionId, Flow, Judged, NONE, Remembered, Short, Side, connection_id};
use super::options::VpcOptions;
use super::outcome::{Outcome, outcome};
use super::sighting::Points;
use crate::flow::{FlowKey, MeteringKey, ObservationPoint, WindowIndex};
use crate::meter::{Batch, PacketFacts, Rekey, Rekeyed, Rekeyer};
use crate::packet::TcpFlags;
use crate::record::Action;
use crate::vpc::{
    Answer, Asked, Connection, InterfaceIndex, Moment, Peer, Sight, Traffic, Verdict, Vpc, Why,
};

/// How many flows are held before the first look for some that can be dropped.
const FIRST_SWEEP: usize = 1 << 16;

/// The flags that may change a connection.
const TELLING: TcpFlags = TcpFlags(0x07);

/// The judge: the table of its flows, and the rest.
pub(super) struct Judge {
    flows: Rekeyer<Short>,
    court: Court,
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
    flows: Vec<Flow>,
    numbers: HashMap<ConnectionId, u32, RandomState>,
    /// How often each connection has changed: small, since every packet looks at it.
    changes: Vec<u32>,
    /// The time of each connection's last packet; packets of the short way only write it.
    lasts: Vec<i64>,
    remembered: Vec<Remembered>,
    sweep_at: usize,
    /// The greatest time so far.
    now: i64,
    /// The time of the first packet.
    since: Option<i64>,
    judged: Judged,
    #[cfg(test)]
    long_way_only: bool,
}

impl Judge {
    pub(super) fn new(options: VpcOptions, points: Points, unknown_action: Option<Action>) -> Judge {
        let court = Court {
            vpc: options.vpc.clone(),
            options,
            points,
            classes: Classes::default(),
            seen_on: SeenOn::default(),
            unknown_action: unknown_action.unwrap_or(Action::Accept),
            flows: Vec::new(),
            numbers: HashMap::default(),
            changes: Vec::new(),
            lasts: Vec::new(),
            remembered: Vec::new(),
            sweep_at: FIRST_SWEEP,
            now: i64::MIN,
            since: None,
            judged: Judged::default(),
            #[cfg(test)]
            long_way_only: false,
        };
        Judge { flows: Rekeyer::default(), court }
    }

    /// Where the classes can be read that keys are given, and who was seen on which interface of the captures.
    pub(super) fn readers(&self) -> (ClassReader, OwnersOn) {
        (self.court.classes.reader(), self.court.seen_on.reader())
    }

    /// What was counted beside the records.
    pub(super) fn into_judged(self) -> Judged {
        self.court.judged
    }

    /// Judges a batch; what is counted goes into `out`, with classes for observation points.
    pub(super) fn judge(&mut self, batch: &Batch, out: &mut Batch) {
        self.flows.rekey(batch, out, &mut self.court);
        if self.court.flows.len() >= self.court.sweep_at {
            self.sweep(out);
        }
    }

    /// Hands on what was counted in windows below `passed`, or in all.
    pub(super) fn flush(&mut self, passed: Option<WindowIndex>, out: &mut Batch) {
        self.flows.flush(passed, out);
    }

    /// Drops what does not matter any more, and numbers the rest anew.
    #[cold]
    fn sweep(&mut self, out: &mut Batch) {
        let court = &mut self.court;
        let (vpc, now) = (court.vpc.clone(), court.now);
        let mut renamed: Vec<u32> = Vec::with_capacity(court.remembered.len());
        let mut kept = 0;
        for (remembered, last) in court.remembered.iter_mut().zip(&court.lasts) {
            remembered.connection.seen(*last);
            let timeouts = vpc.timeouts(remembered.interface);
            let forgotten = remembered.connection.is_forgotten(remembered.protocol, &timeouts, now);
            renamed.push(if forgotten { NONE } else { kept });
            kept += u32::from(!forgotten);
        }
        let rename = |number: u32| renamed.get(number as usize).copied().unwrap_or(NONE);
        let mut at = 0..;
        court.remembered.retain(|_| at.next().is_some_and(|at| rename(at) != NONE));
        let mut at = 0..;
        court.changes.retain(|_| at.next().is_some_and(|at| rename(at) != NONE));
        let mut at = 0..;
        court.lasts.retain(|_| at.next().is_some_and(|at| rename(at) != NONE));
        court.numbers.retain(|_, number| {
            *number = rename(*number);
            *number != NONE
        });
        // a flow of which a connection is gone is found out again if it goes on
        let mut renamed_flows: Vec<u32> = Vec::with_capacity(court.flows.len());
        let mut kept = 0;
        court.flows.retain_mut(|flow| {
            let (mut alive, mut gone) = (false, false);
            for side in flow.sides.iter_mut().flatten().filter(|side| side.connection != NONE) {
                side.connection = rename(side.connection);
                alive |= side.connection != NONE;
                gone |= side.connection == NONE;
            }
            let keep = alive && !gone;
            renamed_flows.push(if keep { kept } else { NONE });
            kept += u32::from(keep);
            keep
        });
        self.flows.retain(out, |short| {
            short.flow = renamed_flows.get(short.flow as usize).copied().unwrap_or(NONE);
            short.connections = short.connections.map(rename);
            short.flow != NONE
        });
        court.sweep_at = (court.flows.len() * 2).max(FIRST_SWEEP);
    }
}

impl Rekey<Short> for Court {
    /// Finds out which interfaces a flow passes.
    #[cold]
    #[inline(never)]
    fn begin(&mut self, key: MeteringKey) -> Short {
        let sighted = self.points.get(key.point);
        let traffic = Traffic::new(key.flow, key.icmp);
        let FlowKey { srcaddr, dstaddr, .. } = key.flow;
        let [from, to] = [(sighted.from, srcaddr), (sighted.to, dstaddr)].map(|(by_mac, address)| {
            let found = by_mac.or_else(|| self.vpc.interface_at(address));
            found.map(|interface| Peer { interface, by_mac: by_mac.is_some() })
        });
        let sides = [(from, to, true), (to, from, false)].map(|(own, peer, egress)| {
            let interface = own?.interface;
            let next = peer.map(|peer| peer.interface).filter(|next| *next != interface);
            let special = self.vpc.special(interface, &traffic);
            // an interface without groups, such as a NAT gateway's, remembers nothing
            let groups = self.vpc.interface(interface).is_some_and(|interface| !interface.groups.is_empty());
            let remembers = special.is_none() && groups;
            let connection = if remembers { self.connection_of(interface, &traffic) } else { NONE };
            let sight = Sight { interface, egress, next };
            Some(Side { sight, asked: Asked::default(), connection, special, peer })
        });
        let regional =
            if self.vpc.has_regional_nat() { self.regional_nat(&key.flow, from, to) } else { None };
        let interfaces = sides.iter().flatten().map(|side| Owner::Interface(side.sight.interface));
        let owners = interfaces.chain(regional.map(|(at, _)| Owner::RegionalNat(at)));
        self.seen_on.note(sighted.capture, sighted.interface, owners, &self.options);
        let number = u32::try_from(self.flows.len()).unwrap_or(NONE);
        self.flows.push(Flow {
            traffic,
            capture: sighted.capture,
            notes: sighted.notes,
            sides,
            regional,
            verdicts: [None, None],
            outcome: None,
        });
        Short {
            until: i64::MIN,
            idle: 0,
            flow: number,
            connections: [NONE; 2],
            changes: 0,
            class: 0,
            sights: 0,
            undecided: 0,
            unknown_owner: false,
        }
    }

    #[inline]
    fn touch(&self, short: &Short) {
        let [one, other] = short.connections;
        black_box(self.changes.get(one as usize));
        black_box(self.changes.get(other as usize));
    }

    #[inline]
    fn take(&mut self, packet: &PacketFacts, short: &mut Short) -> Rekeyed {
        let time = packet.time.nanos();
        #[cfg(test)]
        if self.long_way_only {
            short.until = i64::MIN;
        }
        let is_greatest = time >= self.now;
        self.now = self.now.max(time);
        if packet.logged_flags.0 & TELLING.0 == 0 && time <= short.until && self.is_unchanged(short) {
            self.note(time, is_greatest, short);
            return self.count(packet, short);
        }
        self.take_long(packet, short)
    }
}

impl Court {
    /// Whether nothing but the time of the last packet has changed for a flow's connections.
    #[inline]
    fn is_unchanged(&self, short: &Short) -> bool {
        let changes = short.connections.map(|at| self.changes.get(at as usize).copied().unwrap_or(0));
        let [one, other] = changes;
        one.wrapping_add(other) == short.changes
    }

    /// Notes the time of a packet that changes nothing else. Where it is the greatest so far, no earlier one needs to be
    /// looked at, which would cost a cache miss.
    #[inline]
    fn note(&mut self, time: i64, is_greatest: bool, short: &mut Short) {
        // its connections live at least as long as it does itself
        short.until = short.until.max(time.saturating_add(short.idle));
        for connection in short.connections {
            if let Some(last) = self.lasts.get_mut(connection as usize) {
                *last = if is_greatest { time } else { time.max(*last) };
            }
        }
    }

    /// Counts a packet under the flow's class, or as skipped.
    #[inline]
    fn count(&mut self, packet: &PacketFacts, short: &Short) -> Rekeyed {
        if short.sights == 0 {
            self.judged.take_back(short.class, packet);
            return Rekeyed::LeftOut;
        }
        let total = &mut self.judged.total;
        let more = u64::from(short.sights.saturating_sub(1));
        total.packets_in_second_records += more;
        total.ip_bytes_in_second_records += more * u64::from(packet.ip_length);
        total.packets_undecided += u64::from(short.undecided);
        total.packets_of_no_known_interface += u64::from(short.unknown_owner);
        Rekeyed::Counted { point: ObservationPoint(short.class), with_direction: short.unknown_owner }
    }

    /// Judges a packet.
    #[inline(never)]
    fn take_long(&mut self, packet: &PacketFacts, short: &mut Short) -> Rekeyed {
        let Some(flow) = self.flows.get_mut(short.flow as usize) else { return Rekeyed::LeftOut };
        let (time, flags) = (packet.time.nanos(), packet.logged_flags);
        let moment = Moment { time, since: *self.since.get_or_insert(time) };
        let mut verdicts = [None, None];
        let mut ended = false;
        // how long the verdicts stay the same, and on which connections that depends
        let mut idle = Some(i64::MAX);
        let mut asked = [NONE; 2];
        for ((side, verdict), asked) in flow.sides.iter_mut().zip(&mut verdicts).zip(&mut asked) {
            let Some(side) = side.as_mut().filter(|_| !ended) else { continue };
            if let Some(special) = side.special {
                *verdict = Some(Verdict { answer: Answer::Yes, why: Why::Special(special) });
                continue;
            }
            let at = side.connection as usize;
            let mut unremembered = Connection::default();
            let parts = (self.remembered.get_mut(at), self.lasts.get_mut(at), self.changes.get_mut(at));
            let judged = match parts {
                (Some(Remembered { connection, protocol, .. }), Some(last), Some(changes)) => {
                    connection.seen(*last);
                    let timeouts = self.vpc.timeouts(side.sight.interface);
                    // what is forgotten begins anew, and is counted anew
                    let forgotten = connection.is_forgotten(*protocol, &timeouts, time);
                    let before = connection.is_mid_stream() && !forgotten;
                    let judged =
                        self.vpc.judge(side.sight, &flow.traffic, flags, moment, connection, &mut side.asked);
                    let joined = connection.is_mid_stream() && !before;
                    if joined && self.options.wants(Owner::Interface(side.sight.interface)) {
                        self.judged.total.connections_judged_mid_stream += 1;
                    }
                    *last = connection.last();
                    *changes = changes.wrapping_add(1);
                    // what the ACL stops on its way in does not reach the connection
                    let stopped = !side.sight.egress && matches!(judged.why, Why::Denied(_));
                    if !stopped {
                        *asked = side.connection;
                        let steady = connection.steady(*protocol, side.sight.egress, &timeouts);
                        idle = idle.and_then(|idle| Some(idle.min(steady?)));
                    }
                    judged
                }
                _ => {
                    let connection = &mut unremembered;
                    self.vpc.judge(side.sight, &flow.traffic, flags, moment, connection, &mut side.asked)
                }
            };
            // what the sender's side refuses never reaches the receiver's
            ended = judged.answer == Answer::No;
            *verdict = Some(judged);
        }
        let outcome = match flow.outcome {
            Some(outcome) if flow.verdicts == verdicts => outcome,
            _ => {
                flow.verdicts = verdicts;
                let outcome = outcome(&self.options, &mut self.classes, self.unknown_action, flow);
                flow.outcome = Some(outcome);
                outcome
            }
        };
        let (class, sights, undecided, unknown_owner) = match outcome {
            Outcome::Count { class, sights, undecided, unknown_owner } => {
                (class, sights, undecided, unknown_owner)
            }
            Outcome::Skip(reason) => (self.judged.place(flow.capture, flow.notes, reason), 0, 0, false),
        };
        let changes = asked.into_iter().fold(0_u32, |sum, connection| {
            sum.wrapping_add(self.changes.get(connection as usize).copied().unwrap_or(0))
        });
        *short = Short {
            until: idle.map_or(i64::MIN, |idle| time.saturating_add(idle)),
            idle: idle.unwrap_or(0),
            connections: asked,
            changes,
            class,
            sights,
            undecided,
            unknown_owner,
            ..*short
        };
        self.count(packet, short)
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
        let next = u32::try_from(self.remembered.len()).unwrap_or(NONE);
        let number = *self.numbers.entry(id).or_insert(next);
        if number == next {
            self.changes.push(0);
            self.lasts.push(i64::MIN);
            let protocol = traffic.flow.protocol;
            self.remembered.push(Remembered { connection: Connection::default(), protocol, interface });
        }
        number
    }
}

#[cfg(test)]
mod tests;
