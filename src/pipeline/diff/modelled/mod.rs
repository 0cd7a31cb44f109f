//! Records that say what the VPC around the captures would log: settled before anything else is compared.
//!
//! 1. The captures are judged as a conversion judges them, second by second ([`each_sight`]).
//! 2. Each flow of packets is counted into the records of its interfaces: those of one name, interface, direction and
//!    action are a group. A record may be of several flows, since it shows an interface's primary address for all its
//!    addresses, and a flow may be in two groups, one at each end.
//! 3. Groups and flows that have to do with each other, and with each other's replies, are settled together or not at
//!    all: everything of them fits to the letter, or the comparison of packets with records finds out why not.
//!
//! Flows of which the log has nothing because it is of other interfaces, or of another action, are left out and counted.

mod group;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::FixedState;

use self::group::{Group, record_of};
use super::log_flows::{LogFlows, Logged};
use super::log_side::{Identities, LogFacts};
use crate::capture::{CaptureError, CaptureInput};
use crate::diff::{Claim, FlowId, LARGE_FLOW, Tolerance};
use crate::flow::FlowKey;
use crate::pipeline::vpc::{Sight, each_sight};
use crate::pipeline::{ConvertError, MeterOptions, Progress, TrafficType, VpcOptions};
use crate::record::{Action, FlowDirection};
use crate::vpc::Vpc;

/// The VPC around the captures, and which of its records the logs have.
#[derive(Clone, Debug)]
pub struct DiffVpc {
    /// The VPC.
    pub vpc: Arc<Vpc>,
    /// The interfaces whose records they have; where none is named, those that the logs name.
    pub only: HashSet<String>,
    /// The action that their records have; where it is not known, the only one that they have.
    pub traffic_type: Option<TrafficType>,
}

/// What records of one group have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct GroupId {
    flow: FlowId,
    direction: Option<FlowDirection>,
}

impl GroupId {
    fn of(key: &FlowKey, record: &Logged) -> GroupId {
        let Logged { action, interface, direction, .. } = *record;
        GroupId { flow: FlowId { key: *key, action, interface }, direction }
    }
}

/// What was settled.
#[derive(Debug, Default)]
pub(super) struct Modelled {
    /// The packets' flows that need no other look.
    pub(super) flows: HashSet<FlowKey, FixedState>,
    /// Flows that the log is not of, where it has records that they may still be found to be of.
    pub(super) not_expected: HashSet<FlowKey>,
    /// The groups of records.
    groups: HashSet<GroupId, FixedState>,
    /// Records with another action than the rules come to: their flows, and their lines.
    pub(super) contradicted: HashSet<(FlowKey, u64)>,
    pub(super) records: u64,
    pub(super) large_flows: u64,
    /// Packets that need no record, because the log is of other interfaces or actions.
    pub(super) packets_not_expected: u64,
    pub(super) failures: Vec<CaptureError>,
}

impl Modelled {
    /// How many of the records' flows are settled.
    pub(super) fn settled_flows(&self) -> u64 {
        self.groups.len() as u64
    }

    /// The records that are left.
    pub(super) fn rest_of(&self, log: LogFlows) -> LogFlows {
        if self.groups.is_empty() {
            log
        } else {
            log.without(|key, record| self.groups.contains(&GroupId::of(key, record)))
        }
    }
}

/// The packets of one flow.
#[derive(Default)]
struct PacketFlow {
    groups: Vec<usize>,
    /// Whether a record is missing.
    is_missing: bool,
    packets: u64,
    /// Which way they pass the interface at which they are counted.
    counted_egress: Option<bool>,
}

/// Compares what the VPC would log with a log.
struct Comparing<'a> {
    facts: &'a LogFacts,
    scope: &'a DiffVpc,
    traffic_type: TrafficType,
    /// Whether the log names interfaces that the VPC does not have.
    names_strangers: bool,
    /// The names of interfaces, and their numbers in the log.
    numbers: HashMap<&'a str, u32>,
    ids: HashMap<GroupId, usize, FixedState>,
    groups: Vec<Group>,
    places: HashMap<FlowKey, usize, FixedState>,
    flows: Vec<PacketFlow>,
}

impl Comparing<'_> {
    fn take(&mut self, sight: &Sight<'_>) {
        let next = self.flows.len();
        let at = *self.places.entry(sight.packets).or_insert(next);
        if at == next {
            self.flows.push(PacketFlow::default());
        }
        let interface = self.numbered(sight);
        let Some(flow) = self.flows.get_mut(at) else { return };
        // each packet once, at the one end or the other
        if *flow.counted_egress.get_or_insert(sight.egress) == sight.egress {
            flow.packets += sight.counters.packets;
        }
        let Some(interface) = interface else {
            if sight.owner.is_none() && self.names_strangers {
                // the log may be of interfaces that are not described
                flow.is_missing = true;
            }
            return;
        };
        let direction = if sight.egress { FlowDirection::Egress } else { FlowDirection::Ingress };
        let id = GroupId {
            flow: FlowId {
                key: self.facts.name_of(&sight.packets, &sight.shown),
                action: sight.action.filter(|_| self.facts.has_any_action()),
                interface,
            },
            // the VPC does not tell it of packets of nobody
            direction: sight.owner.and(self.facts.has_any_direction().then_some(direction)),
        };
        let second = sight.counters.first.seconds();
        let has_record = |ids: &HashMap<GroupId, usize, FixedState>, groups: &[Group], id: &GroupId| {
            let at = ids.get(id).copied()?;
            groups.get(at).and_then(|group| record_of(&group.claims, second)).map(|_| at)
        };
        let own = has_record(&self.ids, &self.groups, &id);
        let other = GroupId { flow: FlowId { action: opposite(id.flow.action), ..id.flow }, ..id };
        let other = if own.is_some() { None } else { has_record(&self.ids, &self.groups, &other) };
        // a log of one action has no record of the other; but one that it has may not count such packets
        flow.is_missing |= own.is_none() && self.traffic_type.wants(sight.action);
        let Some(group) = own.or(other) else { return };
        if let Some(of) = self.groups.get_mut(group) {
            if !flow.groups.contains(&group) {
                flow.groups.push(group);
                of.flows.push(at);
            }
            let counted = if own.is_some() { &mut of.packets } else { &mut of.others };
            counted.count(sight, &of.claims);
        }
    }

    /// The interface's number in the log, where the log is of it; 0 where its records name none.
    fn numbered(&self, sight: &Sight<'_>) -> Option<u32> {
        let unnamed = self.facts.has_unnamed().then_some(0);
        let Some(id) = sight.owner else { return unnamed.filter(|_| self.scope.only.is_empty()) };
        if !self.scope.only.is_empty() && !self.scope.only.contains(id) {
            None
        } else if !self.facts.names_interfaces() {
            Some(0)
        } else {
            let unnamed = unnamed.filter(|_| !sight.is_interface);
            self.numbers.get(id).copied().or(unnamed)
        }
    }

    /// What fits, and everything that it has to do with.
    fn settled(self, tolerance: &Tolerance) -> Modelled {
        let is_open = |(id, at): (&GroupId, &usize)| {
            self.groups.get(*at).is_none_or(|group| !group.fits(&id.flow.key, tolerance))
        };
        let mut open_groups: HashSet<usize> = HashSet::new();
        let mut open_flows: HashSet<usize> = HashSet::new();
        let mut groups: Vec<usize> =
            self.ids.iter().filter(|entry| is_open(*entry)).map(|(_, at)| *at).collect();
        let is_missing = |at: &usize| self.flows.get(*at).is_some_and(|flow| flow.is_missing);
        let mut flows: Vec<usize> = self.places.values().copied().filter(is_missing).collect();
        let keys: HashMap<usize, &FlowKey> = self.places.iter().map(|(key, at)| (*at, key)).collect();
        let names: HashMap<usize, &FlowKey> = self.ids.iter().map(|(id, at)| (*at, &id.flow.key)).collect();
        while !groups.is_empty() || !flows.is_empty() {
            for at in std::mem::take(&mut groups) {
                if open_groups.insert(at) {
                    flows.extend(self.groups.get(at).into_iter().flat_map(|group| &group.flows));
                    // records of an interface that the packets did not pass bear on those of the others
                    flows.extend(names.get(&at).and_then(|key| self.places.get(key)));
                }
            }
            for at in std::mem::take(&mut flows) {
                if open_flows.insert(at) {
                    groups.extend(self.flows.get(at).into_iter().flat_map(|flow| &flow.groups));
                    // one direction bears on the other
                    let reverse = keys.get(&at).and_then(|key| self.places.get(&key.reversed()));
                    flows.extend(reverse);
                }
            }
        }
        let mut modelled = Modelled::default();
        for (key, at) in &self.places {
            let Some(flow) = self.flows.get(*at).filter(|_| !open_flows.contains(at)) else { continue };
            if flow.groups.is_empty() && !open_groups.is_empty() {
                modelled.not_expected.insert(*key);
                continue;
            }
            modelled.flows.insert(*key);
            if flow.groups.is_empty() {
                modelled.packets_not_expected += flow.packets;
            }
        }
        for (id, at) in &self.ids {
            let Some(group) = self.groups.get(*at) else { continue };
            if open_groups.contains(at) {
                let lines = group.contradicted().map(|claim| (id.flow.key, claim.line));
                modelled.contradicted.extend(lines);
                continue;
            }
            modelled.groups.insert(*id);
            modelled.records += (group.claims.len() * group.copies) as u64;
            let packets = Claim::total(&group.claims).packets;
            modelled.large_flows += u64::from(packets >= LARGE_FLOW);
        }
        modelled
    }
}

fn opposite(action: Option<Action>) -> Option<Action> {
    action.map(|action| match action {
        Action::Accept => Action::Reject,
        Action::Reject => Action::Accept,
    })
}

/// Settles what a log says as the VPC would say it.
///
/// # Errors
/// The temporary file's.
pub(super) fn modelled(
    scope: &DiffVpc,
    captures: Vec<CaptureInput>,
    (log, facts, identities): (&LogFlows, &LogFacts, &Identities),
    (meter, tolerance): (&MeterOptions, &Tolerance),
    progress: &Progress,
) -> Result<Modelled, ConvertError> {
    let mut claims: HashMap<GroupId, Vec<Claim>, FixedState> = HashMap::default();
    for (flow, key) in log.flows() {
        for record in log.of(flow) {
            claims.entry(GroupId::of(key, record)).or_default().push(record.claim(0));
        }
    }
    let (mut ids, mut groups) = (HashMap::default(), Vec::new());
    for (id, claims) in claims {
        ids.insert(id, groups.len());
        groups.push(Group::new(claims));
    }
    let numbers = identities.all().iter().map(String::as_str).zip(1..);
    let gateways = &scope.vpc.model().nat_gateways;
    let is_described = |name: &String| {
        scope.vpc.interface_named(name).is_some() || gateways.iter().any(|gateway| gateway.id == *name)
    };
    let mut comparing = Comparing {
        facts,
        scope,
        traffic_type: scope.traffic_type.unwrap_or_else(|| facts.only_action()),
        names_strangers: !identities.all().iter().all(is_described),
        numbers: numbers.collect(),
        ids,
        groups,
        places: HashMap::default(),
        flows: Vec::new(),
    };
    let options = VpcOptions::new(Arc::clone(&scope.vpc));
    let failures = each_sight(captures, meter, &options, progress, |sight| comparing.take(sight))?;
    Ok(Modelled { failures, ..comparing.settled(tolerance) })
}
