//! Records that say what the VPC around the captures would log: settled before anything else is compared.
//!
//! 1. The captures are judged as a conversion judges them, second by second ([`each_sight`]).
//! 2. Each flow of packets is counted into the records of its interfaces: those of one name, interface and action are a
//!    group. A record may be of several flows, since it shows an interface's primary address for all its addresses,
//!    and a flow may be in two groups, one at each end.
//! 3. Groups and flows that have to do with each other, and with each other's replies, are settled together or not at
//!    all: everything of them fits to the letter, or the comparison of packets with records finds out why not.
//!
//! Flows of which the log has nothing because it is of other interfaces, or of another action, are left out and counted.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::FixedState;
use serde::Serialize;

use super::log_flows::LogFlows;
use super::log_side::{Identities, LogFacts};
use super::screen::agrees;
use crate::capture::{CaptureError, CaptureInput};
use crate::diff::{Cell, Claim, FlowId, LARGE_FLOW, Tolerance};
use crate::flow::FlowKey;
use crate::pipeline::vpc::{Sight, each_sight};
use crate::pipeline::{ConvertError, MeterOptions, Progress, TrafficType, VpcOptions};
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

/// Packets of flows that no record can be of, because the log has only records of other interfaces or actions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NotLogged {
    /// Packets at interfaces that the log is not of.
    pub packets_at_other_interfaces: u64,
    /// Packets with an action that the log has no records of.
    pub packets_of_other_actions: u64,
}

/// What was settled.
#[derive(Debug, Default)]
pub(super) struct Modelled {
    /// The packets' flows that need no other look.
    pub(super) flows: HashSet<FlowKey, FixedState>,
    /// The groups of records.
    groups: HashSet<FlowId, FixedState>,
    pub(super) records: u64,
    pub(super) large_flows: u64,
    pub(super) not_logged: NotLogged,
    pub(super) failures: Vec<CaptureError>,
}

impl Modelled {
    /// How many of the records' flows are settled.
    pub(super) fn settled_flows(&self) -> u64 {
        self.groups.len() as u64
    }

    /// The records that are left.
    pub(super) fn rest_of(&self, log: LogFlows) -> LogFlows {
        if self.groups.is_empty() { log } else { log.without(|id| self.groups.contains(id)) }
    }
}

/// Records of one name, interface and action, and what the packets come to.
struct Group {
    claims: Vec<Claim>,
    /// The packets in each record's span alone.
    spans: Vec<Option<Cell>>,
    /// Those of a second that a record shares with the next.
    shared: BTreeMap<i64, Cell>,
    /// Whether records overlap, or some packet is in none.
    is_odd: bool,
    flows: Vec<usize>,
}

impl Group {
    fn new(mut claims: Vec<Claim>) -> Group {
        claims.sort_by_key(|claim| (claim.start, claim.end));
        let is_in_turn = |pair: &[Claim]| matches!(pair, [a, b] if a.start < b.start && a.end <= b.start);
        Group {
            is_odd: !claims.windows(2).all(is_in_turn),
            spans: vec![None; claims.len()],
            claims,
            shared: BTreeMap::new(),
            flows: Vec::new(),
        }
    }

    fn count(&mut self, cell: &Cell) {
        let at = self.claims.partition_point(|claim| claim.end < cell.start);
        let Some(claim) = self.claims.get(at).filter(|claim| claim.start <= cell.start) else {
            self.is_odd = true;
            return;
        };
        let is_shared =
            claim.end == cell.start && self.claims.get(at + 1).is_some_and(|next| next.start == cell.start);
        let place = if is_shared {
            Some(self.shared.entry(cell.start).or_insert_with(|| Cell { packets: 0, bytes: 0, ..*cell }))
        } else {
            let empty = Cell { packets: 0, bytes: 0, ..*cell };
            self.spans.get_mut(at).map(|span| span.get_or_insert(empty))
        };
        place.into_iter().for_each(|place| place.add(cell));
    }

    fn fits(&self, key: &FlowKey, tolerance: &Tolerance) -> bool {
        let mut cells: Vec<Cell> = self.spans.iter().flatten().chain(self.shared.values()).copied().collect();
        cells.sort_by_key(|cell| (cell.start, cell.end));
        !self.is_odd && !cells.is_empty() && agrees(tolerance, key, &cells, &self.claims)
    }
}

/// The packets of one flow.
#[derive(Default)]
struct PacketFlow {
    groups: Vec<usize>,
    /// Whether a record is missing.
    is_missing: bool,
    not_logged: NotLogged,
}

/// Compares what the VPC would log with a log.
struct Comparing<'a> {
    facts: &'a LogFacts,
    scope: &'a DiffVpc,
    log: &'a LogFlows,
    traffic_type: TrafficType,
    /// The names of interfaces, and their numbers in the log.
    numbers: HashMap<&'a str, u32>,
    ids: HashMap<FlowId, usize, FixedState>,
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
        let Some(flow) = self.flows.get_mut(at) else { return };
        let is_wanted = |id: &&str| self.scope.only.is_empty() || self.scope.only.contains(*id);
        let interface = match sight.interface.filter(is_wanted) {
            Some(id) if self.facts.names_interfaces() => self.numbers.get(id).copied(),
            Some(_) => Some(0),
            // of nobody, or of an interface that is not asked for
            None => (sight.interface.is_none() && self.facts.has_unnamed()).then_some(0),
        };
        let packets = sight.counters.packets;
        let Some(interface) = interface else {
            flow.not_logged.packets_at_other_interfaces += packets;
            return;
        };
        if !self.traffic_type.wants(sight.action) {
            flow.not_logged.packets_of_other_actions += packets;
            return;
        }
        let id = FlowId {
            key: self.facts.name_of(&sight.packets, &sight.shown),
            action: sight.action.filter(|_| self.facts.has_any_action()),
            interface,
        };
        let Some(group) = self.ids.get(&id).copied() else {
            flow.is_missing = true;
            return;
        };
        if let Some(of) = self.groups.get_mut(group) {
            if !flow.groups.contains(&group) {
                flow.groups.push(group);
                of.flows.push(at);
            }
            of.count(&cell(sight));
        }
    }

    /// What fits, and everything that it has to do with.
    fn settled(self, tolerance: &Tolerance) -> Modelled {
        let is_open = |(id, at): (&FlowId, &usize)| {
            self.groups.get(*at).is_none_or(|group| !group.fits(&id.key, tolerance))
        };
        let mut open_groups: HashSet<usize> = HashSet::new();
        let mut open_flows: HashSet<usize> = HashSet::new();
        let mut groups: Vec<usize> =
            self.ids.iter().filter(|entry| is_open(*entry)).map(|(_, at)| *at).collect();
        let stays = |(key, at): (&FlowKey, &usize)| {
            let flow = self.flows.get(*at)?;
            // whatever the log has of a flow that it cannot have is looked at
            let is_strange = flow.groups.is_empty() && self.log.has_records(key);
            (flow.is_missing || is_strange).then_some(*at)
        };
        let mut flows: Vec<usize> = self.places.iter().filter_map(stays).collect();
        let keys: HashMap<usize, &FlowKey> = self.places.iter().map(|(key, at)| (*at, key)).collect();
        while !groups.is_empty() || !flows.is_empty() {
            for at in std::mem::take(&mut groups) {
                if open_groups.insert(at) {
                    flows.extend(self.groups.get(at).into_iter().flat_map(|group| &group.flows));
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
            modelled.flows.insert(*key);
            if flow.groups.is_empty() {
                let NotLogged { packets_at_other_interfaces, packets_of_other_actions } = flow.not_logged;
                modelled.not_logged.packets_at_other_interfaces += packets_at_other_interfaces;
                modelled.not_logged.packets_of_other_actions += packets_of_other_actions;
            }
        }
        for (id, at) in self.ids.iter().filter(|(_, at)| !open_groups.contains(*at)) {
            let Some(group) = self.groups.get(*at) else { continue };
            modelled.groups.insert(*id);
            modelled.records += group.claims.len() as u64;
            let packets = Claim::total(&group.claims).packets;
            modelled.large_flows += u64::from(packets >= LARGE_FLOW);
        }
        modelled
    }
}

fn cell(sight: &Sight<'_>) -> Cell {
    let second = sight.counters.first.seconds();
    Cell {
        start: second,
        end: second,
        packets: sight.counters.packets,
        bytes: sight.counters.bytes,
        tcp_flags: Some(sight.counters.tcp_flags),
        ..Cell::default()
    }
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
    let grouped = log.flows().flat_map(|(flow, _)| log.claims(flow, |id| id));
    let (mut ids, mut groups) = (HashMap::default(), Vec::new());
    for (id, claims) in grouped {
        ids.insert(id, groups.len());
        groups.push(Group::new(claims));
    }
    let numbers = identities.all().iter().map(String::as_str).zip(1..);
    let mut comparing = Comparing {
        facts,
        scope,
        log,
        traffic_type: scope.traffic_type.unwrap_or_else(|| facts.only_action()),
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
