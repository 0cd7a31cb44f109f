//! A log's side: its records, by flow.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::net::IpAddr;

use super::LogInput;
use super::flow_index::FlowIndex;
use crate::diff::{Cell, Claim, Claims, FlowId, LogWindows, Witness};
use crate::flow::FlowKey;
use crate::flowlog::read::{BadLine, Content, LogReadError, LogReadOptions, LogReadSummary, LogReader};
use crate::packet::Protocol;
use crate::pipeline::Progress;
use crate::record::{Field, FlowRecord, LogFormat, LogStatus};

/// How many problems are kept to be shown.
const KEPT: usize = 100;

/// After how many lines progress is reported.
const REPORT_EVERY: u64 = 65_536;

/// A line that cannot be compared.
#[derive(Clone, Debug)]
pub struct LogProblem {
    /// The log, as it was named.
    pub log: String,
    /// What is wrong.
    pub what: BadRecord,
}

/// What is wrong with a line.
#[derive(Clone, Debug)]
pub enum BadRecord {
    /// It is not understood.
    Line(BadLine),
    /// It is a record, but lacks what a comparison needs.
    Lacks {
        /// Its line, from 1.
        line: u64,
        /// The field.
        field: Field,
    },
    /// Its end comes before its start.
    EndsEarly {
        /// Its line, from 1.
        line: u64,
        /// Its `start`.
        start: i64,
        /// Its `end`.
        end: i64,
    },
}

impl fmt::Display for LogProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: ", self.log)?;
        match &self.what {
            BadRecord::Line(bad) => write!(f, "{bad}: `{}`", bad.text),
            BadRecord::Lacks { line, field } => {
                write!(f, "line {line}: the record has no `{field}`, without which it cannot be compared")
            }
            BadRecord::EndsEarly { line, start, end } => {
                write!(f, "line {line}: `end` {end} comes before `start` {start}")
            }
        }
    }
}

/// Names of interfaces, numbered from 1.
#[derive(Debug, Default)]
pub(super) struct Identities {
    names: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Identities {
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

/// One record: its flow, the flow by the addresses of the interface if those differ, and what it says.
#[derive(Clone, Copy, Debug)]
struct Logged {
    flow: u32,
    interface_flow: u32,
    claim: Claim,
}

/// The records of one or more logs.
#[derive(Debug, Default)]
pub(super) struct LogSide {
    pub(super) names: Vec<String>,
    pub(super) problems: Vec<LogProblem>,
    pub(super) bad_lines: u64,
    pub(super) records: u64,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) span: Option<(i64, i64)>,
    pub(super) summary: LogReadSummary,
    index: FlowIndex,
    logged: Vec<Logged>,
    skipped: Vec<(i64, i64)>,
    windows: LogWindows,
    own_addresses: HashMap<u32, Vec<IpAddr>>,
    interfaces: BTreeSet<u32>,
    packet_addresses: bool,
}

impl LogSide {
    pub(super) fn flows(&self) -> usize {
        self.index.len()
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
        let mut reader = match log {
            LogInput::Path(path) => {
                self.names.push(path.display().to_string());
                LogReader::open(&path, options)?
            }
            LogInput::Reader(name, reader) => {
                self.names.push(name.clone());
                LogReader::new(&name, reader, options)
            }
        };
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
                self.bad_lines += 1;
                if self.problems.len() < KEPT {
                    self.problems.push(LogProblem { log: name.clone(), what });
                }
            }
            if entry.place.line.is_multiple_of(REPORT_EVERY) && progress.is_interrupted() {
                break Ok(());
            }
        };
        self.summary.add(reader.summary());
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
                self.widen(start, end);
                return Ok(());
            }
            Some(LogStatus::SkipData) => {
                self.widen(start, end);
                self.skipped.push((start, end));
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
        self.packet_addresses |= record.pkt_srcaddr.is_some() || record.pkt_dstaddr.is_some();
        let interface_key = FlowKey {
            srcaddr: record.srcaddr.unwrap_or(srcaddr),
            dstaddr: record.dstaddr.unwrap_or(dstaddr),
            ..key
        };
        let interface = identities.number(record.interface_id.as_deref());
        self.interfaces.insert(interface);
        self.note_addresses(interface, &interface_key);
        self.widen(start, end);
        self.windows.observe(start, end);
        self.records += 1;
        self.packets = self.packets.saturating_add(packets);
        self.bytes = self.bytes.saturating_add(bytes);
        let flow = self.index.number(&key);
        let interface_flow = if interface_key == key { flow } else { self.index.number(&interface_key) };
        let tcp_flags = record.tcp_flags.filter(|_| protocol == Protocol::TCP);
        let action = record.action;
        let claim = Claim { start, end, packets, bytes, tcp_flags, action, interface, line, first_packet: 0 };
        self.logged.push(Logged { flow, interface_flow, claim });
        Ok(())
    }

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

    pub(super) fn has_actions(&self) -> bool {
        !self.logged.is_empty() && self.logged.iter().all(|logged| logged.claim.action.is_some())
    }

    pub(super) fn has_packet_addresses(&self) -> bool {
        self.packet_addresses
    }

    /// Whether both name their interfaces, and some are the same.
    pub(super) fn shares_interfaces(&self, other: &LogSide) -> bool {
        let named = |side: &LogSide| !side.interfaces.contains(&0);
        named(self) && named(other) && self.interfaces.intersection(&other.interfaces).next().is_some()
    }

    /// With the packets' addresses, or with those of the interface.
    pub(super) fn with_addresses(mut self, of_packets: bool) -> LogSide {
        if !of_packets {
            self.logged.iter_mut().for_each(|logged| logged.flow = logged.interface_flow);
        }
        self
    }

    fn by_flow<T>(&self, id: impl Fn(FlowId) -> FlowId, of: impl Fn(&Claim) -> T) -> HashMap<FlowId, Vec<T>> {
        let mut flows: HashMap<FlowId, Vec<T>> = HashMap::new();
        for Logged { flow, claim, .. } in &self.logged {
            let Some(key) = usize::try_from(*flow).ok().and_then(|flow| self.index.keys().get(flow)) else {
                continue;
            };
            let id = id(FlowId { key: *key, action: claim.action, interface: claim.interface });
            flows.entry(id).or_default().push(of(claim));
        }
        flows
    }

    /// As the side that makes claims.
    pub(super) fn into_claims(self, identities: &Identities, id: impl Fn(FlowId) -> FlowId) -> Claims {
        Claims {
            flows: self.by_flow(id, |claim| *claim),
            is_log: true,
            span: self.span,
            skipped: self.skipped,
            windows: self.windows,
            own_addresses: self.own_addresses,
            interfaces: identities.names.clone(),
            ..Claims::default()
        }
    }

    /// As the side that bears witness.
    pub(super) fn into_witness(self, id: impl Fn(FlowId) -> FlowId) -> Witness {
        let cell = |claim: &Claim| Cell {
            start: claim.start,
            end: claim.end,
            packets: claim.packets,
            bytes: claim.bytes,
            tcp_flags: claim.tcp_flags,
            line: claim.line,
            ..Cell::default()
        };
        Witness {
            flows: self.by_flow(id, cell),
            is_capture: false,
            span: self.span,
            skipped: self.skipped,
            windows: self.windows,
            ..Witness::default()
        }
    }
}
