//! The judge: which records a packet is counted in, and with which action.
//!
//! The steps of one packet:
//!
//! 1. Its flow is looked up, 32 packets together so that their cache misses overlap. A flow seen first gets its sides:
//!    out of the interface that sent it, into the one that receives it. An interface is found by the frame's MAC
//!    address; where that names none, by the packet's address.
//! 2. The sending side is judged, then, unless the packet ends there, the receiving side.
//! 3. The two verdicts together are a class, or a reason to skip the packet. Both are kept with the flow: as long as
//!    verdicts stay the same, nothing more is done.
//!
//! Rules are asked once for a flow at a side and then again only when a connection begins anew.
//!
//! Flows and connections are dropped when nothing depends on them any more ([`Connection::is_forgotten`]), so what is
//! held is bounded by the connections that are open at one time.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::classes::{ClassReader, Classes, Owner, Sighted};
use super::options::VpcOptions;
use super::sighting::Points;
use crate::flow::{FlowKey, MeteringKey, ObservationPoint, UnloggedTraffic};
use crate::meter::{Batch, Observation, Placement};
use crate::packet::{PacketDirection, Protocol, SkipReason};
use crate::pipeline::ledger::VpcTotal;
use crate::record::Action;
use crate::vpc::{
    Answer, Asked, Connection, InterfaceIndex, Peer, Sight, Special, Traffic, Verdict, Vpc, Why,
};

/// How many packets are looked up together.
const GROUP: usize = 32;

/// How many flows are held before the first look for some that can be dropped.
const FIRST_SWEEP: usize = 1 << 16;

/// No connection: nothing is filtered here.
const NONE: u32 = u32::MAX;

/// One interface that a flow passes.
#[derive(Clone, Copy, Debug)]
struct Side {
    sight: Sight,
    asked: Asked,
    connection: u32,
    special: Option<Special>,
    peer: Option<Peer>,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// It is counted under this class.
    Count { class: u32, sights: u8, undecided: u8, unknown_owner: bool },
    /// It is skipped.
    Skip(SkipReason),
}

/// What is known of a flow.
#[derive(Debug)]
struct Flow {
    traffic: Traffic,
    /// The sending side, the receiving side.
    sides: [Option<Side>; 2],
    /// A regional NAT gateway that it passes, and whether out of it.
    regional: Option<(u32, bool)>,
    /// The verdicts of its last packet, and what they came to.
    verdicts: [Option<Verdict>; 2],
    outcome: Option<Outcome>,
}

/// One interface's view of a connection: the same for both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct ConnectionId {
    interface: InterfaceIndex,
    /// The lower end's flow, or an ICMP request's.
    flow: FlowKey,
    icmp: Option<u8>,
}

/// Packets taken back from what the walk had kept.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TakenBack {
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) late: u64,
}

/// What the judge counts beside the records.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub(super) total: VpcTotal,
    /// Capture and reason → packets.
    pub(super) taken_back: BTreeMap<(usize, SkipReason), TakenBack>,
}

/// The judge's state.
pub(super) struct Judge {
    options: VpcOptions,
    vpc: Arc<Vpc>,
    points: Points,
    classes: Classes,
    /// The action of packets of no known interface.
    unknown_action: Action,
    flow_numbers: HashMap<MeteringKey, u32, RandomState>,
    flows: Vec<Flow>,
    connection_numbers: HashMap<ConnectionId, u32, RandomState>,
    connections: Vec<(Connection, Protocol, InterfaceIndex)>,
    sweep_at: usize,
    /// The greatest time so far.
    now: i64,
    waiting: Vec<(Placement, Observation)>,
    found: Vec<u32>,
    judged: Judged,
}

impl Judge {
    pub(super) fn new(options: VpcOptions, points: Points, unknown_action: Option<Action>) -> Judge {
        Judge {
            vpc: options.vpc.clone(),
            options,
            points,
            classes: Classes::default(),
            unknown_action: unknown_action.unwrap_or(Action::Accept),
            flow_numbers: HashMap::default(),
            flows: Vec::new(),
            connection_numbers: HashMap::default(),
            connections: Vec::new(),
            sweep_at: FIRST_SWEEP,
            now: i64::MIN,
            waiting: Vec::new(),
            found: Vec::with_capacity(GROUP),
            judged: Judged::default(),
        }
    }

    /// Where the classes can be read that keys are given.
    pub(super) fn class_reader(&self) -> ClassReader {
        self.classes.reader()
    }

    /// What was counted beside the records.
    pub(super) fn into_judged(self) -> Judged {
        self.judged
    }

    /// Judges a batch; what is counted goes into `out`, with classes for observation points.
    pub(super) fn judge(&mut self, batch: &Batch, out: &mut Batch) {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.clear();
        batch.for_each(|placement, observation| waiting.push((placement, *observation)));
        for group in waiting.chunks(GROUP) {
            if self.flows.len() >= self.sweep_at {
                self.sweep();
            }
            self.found.clear();
            for (_, observation) in group {
                let number = match self.flow_numbers.get(&observation.key) {
                    Some(number) => *number,
                    None => self.begin_flow(observation.key),
                };
                self.found.push(number);
            }
            let found = std::mem::take(&mut self.found);
            for ((placement, observation), number) in group.iter().zip(&found) {
                self.take(*placement, observation, *number, out);
            }
            self.found = found;
        }
        self.waiting = waiting;
    }

    /// Judges one packet.
    fn take(&mut self, placement: Placement, observation: &Observation, number: u32, out: &mut Batch) {
        let Some(flow) = self.flows.get_mut(number as usize) else { return };
        let time = observation.time.nanos();
        self.now = self.now.max(time);
        let mut verdicts = [None, None];
        let mut ended = false;
        for (side, verdict) in flow.sides.iter_mut().zip(&mut verdicts) {
            let Some(side) = side else { continue };
            if ended {
                continue;
            }
            let judged = match (side.special, self.connections.get_mut(side.connection as usize)) {
                (Some(special), _) => Verdict { answer: Answer::Yes, why: Why::Special(special) },
                (None, Some((connection, ..))) => {
                    let before = connection.is_mid_stream();
                    let flags = observation.logged_flags;
                    let judged =
                        self.vpc.judge(side.sight, &flow.traffic, flags, time, connection, &mut side.asked);
                    if connection.is_mid_stream() && !before {
                        self.judged.total.tcp_connections_judged_mid_stream += 1;
                    }
                    judged
                }
                (None, None) => {
                    let mut connection = Connection::default();
                    let flags = observation.logged_flags;
                    self.vpc.judge(side.sight, &flow.traffic, flags, time, &mut connection, &mut side.asked)
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
        let bytes = u64::from(observation.ip_length);
        match outcome {
            Outcome::Count { class, sights, undecided, unknown_owner } => {
                let total = &mut self.judged.total;
                let more = u64::from(sights.saturating_sub(1));
                total.packets_in_second_records += more;
                total.ip_bytes_in_second_records += more * bytes;
                total.packets_undecided += u64::from(undecided);
                total.packets_of_no_known_interface += u64::from(unknown_owner);
                let mut observation = *observation;
                observation.key.point = ObservationPoint(class);
                observation.key.icmp = None;
                if !unknown_owner {
                    observation.key.direction = PacketDirection::Unknown;
                }
                out.push(placement, &observation);
            }
            Outcome::Skip(reason) => {
                let capture = self.points.get(observation.key.point).capture;
                let back = self.judged.taken_back.entry((capture, reason)).or_default();
                back.packets += 1;
                back.bytes += bytes;
                back.late += u64::from(placement.late);
            }
        }
    }

    /// Finds out which interfaces a flow passes.
    #[cold]
    #[inline(never)]
    fn begin_flow(&mut self, key: MeteringKey) -> u32 {
        let sighted = self.points.get(key.point);
        let traffic = Traffic::new(key.flow, key.icmp);
        let FlowKey { srcaddr, dstaddr, .. } = key.flow;
        let ends = [(sighted.from, srcaddr), (sighted.to, dstaddr)].map(|(by_mac, address)| {
            let by_address = || self.vpc.interface_at(address);
            let found = by_mac.or_else(by_address);
            found.map(|interface| Peer { interface, by_mac: by_mac.is_some() })
        });
        // a packet of an interface to itself does not pass it twice
        let [from, to] = ends;
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
        let flow = Flow { traffic, sides, regional, verdicts: [None, None], outcome: None };
        let number = u32::try_from(self.flows.len()).unwrap_or(u32::MAX);
        self.flows.push(flow);
        self.flow_numbers.insert(key, number);
        number
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
        let next = u32::try_from(self.connections.len()).unwrap_or(u32::MAX);
        let number = *self.connection_numbers.entry(id).or_insert(next);
        if number == next {
            self.connections.push((Connection::default(), traffic.flow.protocol, interface));
        }
        number
    }

    /// Drops what does not matter any more, and numbers the rest anew.
    #[cold]
    #[inline(never)]
    fn sweep(&mut self) {
        let (vpc, now) = (self.vpc.clone(), self.now);
        let mut renamed: Vec<u32> = Vec::with_capacity(self.connections.len());
        let mut kept = 0;
        self.connections.retain(|(connection, protocol, interface)| {
            let forgotten = connection.is_forgotten(*protocol, &vpc.timeouts(*interface), now);
            renamed.push(if forgotten { NONE } else { kept });
            kept += u32::from(!forgotten);
            !forgotten
        });
        let rename = |number: u32| renamed.get(number as usize).copied().unwrap_or(NONE);
        self.connection_numbers.retain(|_, number| {
            *number = rename(*number);
            *number != NONE
        });
        // a flow whose connections are all gone is found out again if it goes on
        let mut renamed_flows: Vec<u32> = Vec::with_capacity(self.flows.len());
        let mut kept = 0;
        self.flows.retain_mut(|flow| {
            let mut alive = false;
            let mut gone = false;
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
        self.flow_numbers.retain(|_, number| {
            *number = renamed_flows.get(*number as usize).copied().unwrap_or(NONE);
            *number != NONE
        });
        self.sweep_at = (self.flows.len() * 2).max(FIRST_SWEEP);
    }
}

/// The two directions of a connection have one; ICMP errors have none. Of ICMP it is the request's: who asks matters,
/// since both ends may ask each other at once.
fn connection_id(interface: InterfaceIndex, traffic: &Traffic) -> Option<ConnectionId> {
    let flow = traffic.flow;
    if matches!(flow.protocol, Protocol::ICMP | Protocol::ICMPV6) {
        let (request, kind) = traffic.icmp_request()?;
        return Some(ConnectionId { interface, flow: request, icmp: Some(kind) });
    }
    let flow = flow.min(flow.reversed());
    Some(ConnectionId { interface, flow, icmp: None })
}

/// What the verdicts over a packet come to.
fn outcome(options: &VpcOptions, classes: &mut Classes, unknown_action: Action, flow: &Flow) -> Outcome {
    let action = |answer| match answer {
        Answer::Yes => Some(Action::Accept),
        Answer::No => Some(Action::Reject),
        Answer::Unknown => None,
    };
    let mut sights: Vec<(Sighted, Option<&'static str>)> = Vec::with_capacity(3);
    for (side, verdict) in flow.sides.iter().zip(flow.verdicts) {
        let (Some(side), Some(verdict)) = (side, verdict) else { continue };
        let between = side.peer.is_some_and(|peer| {
            options.vpc.is_endpoint_and_load_balancer(side.sight.interface, peer.interface)
        });
        let unlogged = side.special.and_then(Special::unlogged_name);
        let sighted = Sighted {
            owner: Owner::Interface(side.sight.interface),
            egress: side.sight.egress,
            action: action(verdict.answer),
            peer: side.peer,
            why: options.why.then_some(verdict.why),
        };
        sights.push((sighted, unlogged.or(between.then_some("endpoint-to-load-balancer"))));
    }
    if let Some((nat, egress)) = flow.regional {
        // what the interface in front of it refuses does not reach it
        let refused = flow
            .verdicts
            .first()
            .is_some_and(|verdict| verdict.is_some_and(|verdict| verdict.answer == Answer::No));
        if !refused {
            let sighted = Sighted {
                owner: Owner::RegionalNat(nat),
                egress,
                action: Some(Action::Accept),
                peer: None,
                why: options.why.then_some(Why::RegionalNat),
            };
            sights.push((sighted, None));
        }
    }
    if sights.is_empty() {
        if options.known_only || !options.only.is_empty() {
            return Outcome::Skip(SkipReason::UnknownInterface);
        }
        let unlogged = UnloggedTraffic::default().of(&flow.traffic.flow).map(Special::Unlogged);
        let sighted = Sighted {
            owner: Owner::Unknown,
            egress: false,
            action: Some(unknown_action),
            peer: None,
            why: None,
        };
        sights.push((sighted, unlogged.and_then(Special::unlogged_name)));
    }
    sights.retain(|(sighted, _)| options.wants(sighted.owner));
    if sights.is_empty() {
        return Outcome::Skip(SkipReason::OtherInterface);
    }
    if options.like_aws {
        let name = sights.iter().find_map(|(_, unlogged)| *unlogged);
        sights.retain(|(_, unlogged)| unlogged.is_none());
        if let (true, Some(name)) = (sights.is_empty(), name) {
            return Outcome::Skip(SkipReason::NeverLogged(name));
        }
    }
    sights.retain(|(sighted, _)| options.traffic_type.wants(sighted.action));
    let class: Vec<Sighted> = sights.into_iter().map(|(sighted, _)| sighted).collect();
    if class.is_empty() {
        return Outcome::Skip(SkipReason::OtherAction);
    }
    let undecided = class.iter().filter(|sighted| sighted.action.is_none()).count();
    Outcome::Count {
        class: classes.number(&class),
        sights: u8::try_from(class.len()).unwrap_or(u8::MAX),
        undecided: u8::try_from(undecided).unwrap_or(u8::MAX),
        unknown_owner: class.iter().any(|sighted| sighted.owner == Owner::Unknown),
    }
}
