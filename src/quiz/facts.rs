//! What is known of a capture, as far as questions ask for it.

use crate::flow::{AggregationInterval, CaptureWindow, FlowKey, Unlogged};
use crate::packet::{IpPacket, SkipReason, TcpFlags, Timestamp};
use crate::record::{Action, Field, FlowRecord, LogFormat};

/// What is known of a capture.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The fields of its records.
    pub format: LogFormat,
    /// How long packets are gathered into one record.
    pub interval: AggregationInterval,
    /// Another interval that people choose.
    pub other_interval: AggregationInterval,
    /// Whether windows begin at multiples of the interval.
    pub aligned: bool,
    /// Packets of some connections.
    pub packets: Vec<PacketFacts>,
    /// The records of these connections, in the order in which they are written.
    pub records: Vec<RecordFacts>,
    /// The connections, each by the flow of its first packet.
    pub connections: Vec<ConnectionFacts>,
    /// Packets that are in no record.
    pub skipped: Vec<SkippedFacts>,
    /// Packets that are in a record here, and in none of AWS.
    pub unlogged: Vec<PacketFacts>,
}

/// A packet that is in a record.
#[derive(Clone, Debug)]
pub struct PacketFacts {
    /// Its number in the capture, from 1.
    pub number: u64,
    /// When it was captured.
    pub time: Timestamp,
    /// Its length on the wire, in bytes.
    pub frame_length: u32,
    /// How much of it was captured, in bytes.
    pub captured_length: u32,
    /// What counts of it.
    pub ip: IpPacket,
    /// Its headers.
    pub layers: Vec<LayerFacts>,
    /// Which of [`Facts::records`] counts it; `None` where that is not among them.
    pub record: Option<usize>,
    /// Why AWS never logs it.
    pub unlogged: Option<Unlogged>,
}

/// A header, or what is behind the last.
#[derive(Clone, Debug)]
pub struct LayerFacts {
    /// `Ethernet`, `IPv4`, `payload`, …
    pub name: &'static str,
    /// How many bytes of it were captured.
    pub length: usize,
    /// Whether it belongs to the IP packet that is counted.
    pub counted: bool,
    /// Its fields.
    pub parts: Vec<PartFacts>,
}

/// A header field.
#[derive(Clone, Debug)]
pub struct PartFacts {
    /// What it is.
    pub name: &'static str,
    /// Its value in words.
    pub value: String,
    /// What the record has of it.
    pub fate: Fate,
}

/// What a record has of a header field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The value itself.
    Kept,
    /// A sum, an extreme or an OR over all packets.
    Summed,
    /// Nothing, but it says what follows.
    Steers,
    /// Nothing.
    Lost,
}

/// A record, and what it was made of.
#[derive(Clone, Debug)]
pub struct RecordFacts {
    /// As it is written.
    pub record: FlowRecord,
    /// Its flow.
    pub flow: FlowKey,
    /// The window that it is of; `None` where one takes the whole capture.
    pub window: Option<CaptureWindow>,
    /// Whether its packets came after the window was written.
    pub late: bool,
    /// Its packets, as many as are remembered.
    pub packets: Vec<CountedFacts>,
    /// Whether all of its packets are remembered.
    pub whole: bool,
    /// When its earliest packet was captured.
    pub first: Timestamp,
    /// When its latest packet was captured.
    pub last: Timestamp,
}

/// A packet as its record counts it.
#[derive(Clone, Copy, Debug)]
pub struct CountedFacts {
    /// Its number in the capture, from 1.
    pub number: u64,
    /// When it was captured.
    pub time: Timestamp,
    /// Its IP length in bytes.
    pub ip_length: u32,
    /// Its TCP flags as its header has them.
    pub tcp_flags: TcpFlags,
}

/// A packet that is in no record.
#[derive(Clone, Debug)]
pub struct SkippedFacts {
    /// Its number in the capture, from 1.
    pub number: u64,
    /// Its length on the wire, in bytes.
    pub frame_length: u32,
    /// Its headers' names.
    pub layers: Vec<&'static str>,
    /// Why.
    pub reason: SkipReason,
}

/// Two hosts that talk: the flow of the first packet that was seen of it.
#[derive(Clone, Debug)]
pub struct ConnectionFacts {
    /// That flow.
    pub flow: FlowKey,
    /// Whether the first packet asks: a SYN, an ICMP request, a datagram that is answered.
    pub begins: bool,
    /// Whether packets came back.
    pub answered: bool,
    /// How many records of this flow there are with the other interval; `None` where packets came late for it.
    pub records_otherwise: Option<u64>,
    /// What the log of the one who is asked shows under different rules.
    pub verdicts: Vec<VerdictFacts>,
}

/// What rules do to a connection's first packet and its answer, at the interface of the one who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerdictFacts {
    /// The rules.
    pub setup: RuleSetup,
    /// What becomes of the packet that asks.
    pub packet: Action,
    /// What becomes of the answer; `None` where there is none.
    pub reply: Option<Action>,
}

/// Rules before a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleSetup {
    /// The security group allows nothing in.
    GroupWithoutIngress,
    /// The security group allows it in, and nothing out.
    GroupWithoutEgress,
    /// The ACL denies it on the way in.
    AclDeniesIngress,
    /// The ACL denies everything on the way out, and so the answers.
    AclDeniesEgress,
}

impl RuleSetup {
    /// All of them.
    pub const ALL: [RuleSetup; 4] = [
        RuleSetup::GroupWithoutIngress,
        RuleSetup::GroupWithoutEgress,
        RuleSetup::AclDeniesIngress,
        RuleSetup::AclDeniesEgress,
    ];
}

impl Facts {
    /// A record as its line.
    pub(super) fn line(&self, record: &FlowRecord) -> String {
        let values = self.format.fields().iter().map(|field| match field {
            // a log says its format's version, whatever a record says
            Field::Version => self.format.version().to_string(),
            field => field.get(record).to_string(),
        });
        values.collect::<Vec<_>>().join(" ")
    }

    /// Whether the format has all of these.
    pub(super) fn has(&self, fields: &[Field]) -> bool {
        fields.iter().all(|field| self.format.contains(*field))
    }
}
