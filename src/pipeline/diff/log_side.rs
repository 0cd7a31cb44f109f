//! A log's side: its records and what else they tell.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use super::LogInput;
use super::flow_index::FlowIndex;
use super::log_flows::{LogFlows, Logged};
use super::partition::Partition;
use super::problem::{BadRecord, LogProblem};
use crate::diff::{Claims, LogWindows, Witness};
use crate::flow::FlowKey;
use crate::flowlog::read::{Content, LogReadError, LogReadOptions, LogReadSummary};
use crate::packet::Protocol;
use crate::pipeline::{Progress, TrafficType};
use crate::record::{Action, Field, FlowRecord, LogFormat, LogStatus};

/// How many problems are kept to be shown.
const KEPT: usize = 100;

/// After how many lines progress is reported.
const REPORT_EVERY: u64 = 65_536;

/// What a record takes in bytes, with the span that packets are metered into and room to grow.
const PER_RECORD: usize = size_of::<Logged>() * 3 / 2 + 48;

/// What a flow takes beside: its key, its slots, its place.
const PER_FLOW: usize = size_of::<FlowKey>() * 3 / 2 + 4 * 8 + 16;

/// Names of interfaces, numbered from 1.
#[derive(Debug, Default)]
pub(super) struct Identities {
    names: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Identities {
    /// In the order of their numbers.
    pub(super) fn all(&self) -> &[String] {
        &self.names
    }

    fn number(&mut self, name: Option<&str>) -> u32 {
        let Some(name) = name else { return 0 };
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        self.names.push(name.to_owned());
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

/// Which addresses name a record's flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Addresses {
    /// The packets' own, where a record has them.
    #[default]
    OfPackets,
    /// Those of the interface.
    OfInterface,
}

/// What a log says as a whole, whichever of its records are kept.
#[derive(Debug, Default)]
pub(super) struct LogFacts {
    pub(super) names: Vec<String>,
    pub(super) bad_lines: u64,
    pub(super) records: u64,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) span: Option<(i64, i64)>,
    pub(super) summary: LogReadSummary,
    skipped: Vec<(i64, i64)>,
    windows: LogWindows,
    own_addresses: HashMap<u32, Vec<IpAddr>>,
    interfaces: BTreeSet<u32>,
    packet_srcaddr: bool,
    packet_dstaddr: bool,
    accepts: bool,
    rejects: bool,
    lacks_actions: bool,
    directions: bool,
}

/// The records of one or more logs: those of a share of the flows.
#[derive(Debug, Default)]
pub(super) struct LogSide {
    pub(super) facts: LogFacts,
    pub(super) problems: Vec<LogProblem>,
    /// The share that is kept.
    pub(super) partition: Partition,
    addresses: Addresses,
    /// How many bytes the records may take before the share is halved; `None` where it is fixed.
    budget: Option<usize>,
    index: FlowIndex,
    logged: Vec<Logged>,
}

impl LogSide {
    /// Keeps as large a share of the flows as fits so many bytes.
    pub(super) fn within(budget: usize) -> LogSide {
        LogSide { budget: Some(budget), ..LogSide::default() }
    }

    /// Keeps this share.
    pub(super) fn of(partition: Partition, addresses: Addresses) -> LogSide {
        LogSide { partition, addresses, ..LogSide::default() }
    }

    /// Reads one log.
    ///
    /// # Errors
    /// Where it cannot be read to its end; what came before stands.
    pub(super) fn read(
        &mut self,
        log: LogInput,
        format: Option<&LogFormat>,
        identities: &mut Identities,
        progress: &Progress,
    ) -> Result<(), LogReadError> {
        let options = LogReadOptions { format: format.cloned() };
        self.facts.names.push(log.name());
        let mut reader = log.open(options)?;
        let name = reader.name().to_owned();
        let result = loop {
            match reader.advance() {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(error) => break Err(error),
            }
            let entry = reader.entry();
            let problem = match entry.content {
                Content::Record(read) => self.take(read.record, entry.place.line, identities).err(),
                Content::Bad(bad) => Some(BadRecord::Line(bad.clone())),
                _ => None,
            };
            if let Some(what) = problem {
                self.facts.bad_lines += 1;
                if self.problems.len() < KEPT {
                    self.problems.push(LogProblem { log: name.clone(), what });
                }
            }
            if entry.place.line.is_multiple_of(REPORT_EVERY) && progress.is_interrupted() {
                break Ok(());
            }
        };
        self.facts.summary.add(reader.summary());
        result
    }

    /// Takes a record.
    fn take(&mut self, record: &FlowRecord, line: u64, identities: &mut Identities) -> Result<(), BadRecord> {
        let lacks = |field| BadRecord::Lacks { line, field };
        let start = record.start.ok_or_else(|| lacks(Field::Start))?;
        let end = record.end.ok_or_else(|| lacks(Field::End))?;
        if end < start {
            return Err(BadRecord::EndsEarly { line, start, end });
        }
        match record.log_status {
            Some(LogStatus::NoData) => {
                self.facts.widen(start, end);
                return Ok(());
            }
            Some(LogStatus::SkipData) => {
                self.facts.widen(start, end);
                self.facts.skipped.push((start, end));
                return Ok(());
            }
            Some(LogStatus::Ok) | None => {}
        }
        let srcaddr = record.pkt_srcaddr.or(record.srcaddr).ok_or_else(|| lacks(Field::SrcAddr))?;
        let dstaddr = record.pkt_dstaddr.or(record.dstaddr).ok_or_else(|| lacks(Field::DstAddr))?;
        let protocol = record.protocol.ok_or_else(|| lacks(Field::Protocol))?;
        let packets = record.packets.ok_or_else(|| lacks(Field::Packets))?;
        let bytes = record.bytes.ok_or_else(|| lacks(Field::Bytes))?;
        let port = |port: Option<u16>, field| match port {
            Some(port) => Ok(port),
            None if protocol.has_ports() => Err(lacks(field)),
            None => Ok(0),
        };
        let key = FlowKey {
            srcaddr,
            dstaddr,
            protocol,
            srcport: port(record.srcport, Field::SrcPort)?,
            dstport: port(record.dstport, Field::DstPort)?,
        };
        self.facts.packet_srcaddr |= record.pkt_srcaddr.is_some();
        self.facts.packet_dstaddr |= record.pkt_dstaddr.is_some();
        let interface_key = FlowKey {
            srcaddr: record.srcaddr.unwrap_or(srcaddr),
            dstaddr: record.dstaddr.unwrap_or(dstaddr),
            ..key
        };
        // a regional NAT gateway has no interface, and is named as a resource
        let owner = record.interface_id.as_deref().or(record.resource_id.as_deref());
        let interface = identities.number(owner);
        self.facts.interfaces.insert(interface);
        self.facts.note_addresses(interface, &interface_key);
        self.facts.widen(start, end);
        self.facts.windows.observe(start, end);
        self.facts.records += 1;
        self.facts.packets = self.facts.packets.saturating_add(packets);
        self.facts.bytes = self.facts.bytes.saturating_add(bytes);
        self.facts.directions |= record.flow_direction.is_some();
        match record.action {
            Some(Action::Accept) => self.facts.accepts = true,
            Some(Action::Reject) => self.facts.rejects = true,
            None => self.facts.lacks_actions = true,
        }
        let name = if self.addresses == Addresses::OfPackets { &key } else { &interface_key };
        if !self.partition.holds(name) {
            return Ok(());
        }
        let flow = self.index.number(&key);
        let interface_flow = if interface_key == key { flow } else { self.index.number(&interface_key) };
        self.logged.push(Logged {
            flow,
            interface_flow,
            start,
            end,
            packets,
            bytes,
            line,
            interface,
            tcp_flags: record.tcp_flags.filter(|_| protocol == Protocol::TCP),
            action: record.action,
            direction: record.flow_direction,
        });
        self.keep_to_budget();
        Ok(())
    }

    /// Halves the share until its records fit.
    fn keep_to_budget(&mut self) {
        let Some(budget) = self.budget else { return };
        let takes = |side: &LogSide| side.logged.len() * PER_RECORD + side.index.len() * PER_FLOW;
        while takes(self) > budget {
            if self.index.len() <= 2 || self.partition.is_smallest() {
                // what is left cannot be cut
                self.budget = None;
                return;
            }
            self.partition = self.partition.halved();
            let index = std::mem::take(&mut self.index);
            let key = |flow: u32| index.keys().get(flow as usize).copied();
            for mut record in std::mem::take(&mut self.logged) {
                let Some((key, interface_key)) = key(record.flow).zip(key(record.interface_flow)) else {
                    continue;
                };
                if self.partition.holds(&key) {
                    record.flow = self.index.number(&key);
                    record.interface_flow = self.index.number(&interface_key);
                    self.logged.push(record);
                }
            }
        }
    }

    /// The records by flow, and what the log says as a whole.
    pub(super) fn into_flows(mut self) -> (LogFlows, LogFacts) {
        if self.addresses == Addresses::OfInterface {
            self.logged.iter_mut().for_each(|logged| logged.flow = logged.interface_flow);
        }
        (LogFlows::new(self.index, self.logged), self.facts)
    }

    /// Names flows by these addresses.
    pub(super) fn by(self, addresses: Addresses) -> LogSide {
        LogSide { addresses, ..self }
    }
}

impl LogFacts {
    fn widen(&mut self, start: i64, end: i64) {
        let (first, last) = self.span.unwrap_or((start, end));
        self.span = Some((first.min(start), last.max(end)));
    }

    /// Keeps the addresses that all records of an interface have in common.
    fn note_addresses(&mut self, interface: u32, key: &FlowKey) {
        let ends = [key.srcaddr, key.dstaddr];
        let own = self.own_addresses.entry(interface).or_insert_with(|| ends.to_vec());
        own.retain(|address| ends.contains(address));
    }

    /// Whether there are records, and all have an action.
    pub(super) fn has_actions(&self) -> bool {
        self.records > 0 && !self.lacks_actions
    }

    pub(super) fn has_packet_addresses(&self) -> bool {
        self.packet_srcaddr || self.packet_dstaddr
    }

    /// A flow as the log's records name it: by the packets' own addresses where it has them, else by those that a record
    /// of the interface shows.
    pub(super) fn name_of(&self, packets: &FlowKey, shown: &FlowKey) -> FlowKey {
        FlowKey {
            srcaddr: if self.packet_srcaddr { packets.srcaddr } else { shown.srcaddr },
            dstaddr: if self.packet_dstaddr { packets.dstaddr } else { shown.dstaddr },
            ..*packets
        }
    }

    /// Whether any record has an action.
    pub(super) fn has_any_action(&self) -> bool {
        self.accepts || self.rejects
    }

    /// Whether any record has a direction.
    pub(super) fn has_any_direction(&self) -> bool {
        self.directions
    }

    /// The traffic type of a log whose records all have the same action.
    pub(super) fn only_action(&self) -> TrafficType {
        match (self.accepts, self.rejects, self.lacks_actions) {
            (true, false, false) => TrafficType::Accept,
            (false, true, false) => TrafficType::Reject,
            _ => TrafficType::All,
        }
    }

    /// Whether any record names its interface.
    pub(super) fn names_interfaces(&self) -> bool {
        self.interfaces.iter().any(|interface| *interface > 0)
    }

    /// Whether any record names no interface.
    pub(super) fn has_unnamed(&self) -> bool {
        self.interfaces.contains(&0)
    }

    /// Whether both name their interfaces, and they are the same ones. Where one side has an interface more, its records
    /// may be those of the other end of a flow, which are found only among all records of the flow.
    pub(super) fn shares_interfaces(&self, other: &LogFacts) -> bool {
        !self.interfaces.contains(&0) && self.interfaces == other.interfaces
    }

    /// As the side that makes claims, without any flow.
    pub(super) fn into_claims(self, identities: &Identities) -> Claims {
        Claims {
            is_log: true,
            span: self.span,
            skipped: self.skipped,
            windows: self.windows,
            own_addresses: self.own_addresses,
            interfaces: identities.names.clone(),
            ..Claims::default()
        }
    }

    /// As the side that bears witness, without any flow.
    pub(super) fn into_witness(self) -> Witness {
        Witness {
            is_capture: false,
            span: self.span,
            skipped: self.skipped,
            windows: self.windows,
            ..Witness::default()
        }
    }
}
