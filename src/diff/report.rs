//! What a comparison comes to.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::Cause;
use crate::flow::FlowKey;
use crate::packet::TcpFlags;

/// The verdict over two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// There is no difference.
    Same,
    /// Every difference is explained.
    Explained,
    /// Something is wrong on one side.
    Different,
}

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Only the reference has it.
    Missing,
    /// Only the candidate has it.
    Extra,
    /// Packets or bytes.
    Counts,
    /// `start` or `end`.
    Times,
    /// `tcp-flags`.
    Flags,
    /// Addresses, ports, direction or action: the same traffic under another name.
    Identity,
}

/// What one side says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Said {
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
    /// The first second, since 1970, on this side's own clock.
    pub start: i64,
    /// The last second.
    pub end: i64,
    /// TCP flags as a flow log shows them; `null` where the side does not say.
    #[serde(serialize_with = "flags")]
    pub tcp_flags: Option<TcpFlags>,
}

fn flags<S: Serializer>(flags: &Option<TcpFlags>, serializer: S) -> Result<S::Ok, S::Error> {
    flags.map(|flags| flags.0).serialize(serializer)
}

/// One difference: a record, or an unbroken run of packets that no record covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What differs.
    pub kind: Kind,
    /// The flow: the record's, or that of the packets.
    #[serde(serialize_with = "key")]
    pub key: FlowKey,
    /// The first second it is about, on the reference's clock.
    pub start: i64,
    /// The last second it is about.
    pub end: i64,
    /// What the reference says.
    pub reference: Option<Said>,
    /// What the candidate says.
    pub candidate: Option<Said>,
    /// Why.
    pub cause: Cause,
    /// Whether both sides are right all the same.
    pub explained: bool,
    /// The evidence, as a sentence.
    pub detail: String,
    /// The record's line, from 1; `null` where it is about packets alone.
    pub line: Option<u64>,
    /// The number of its first packet in the capture, from 1, where that is known.
    pub first_packet: Option<u64>,
    /// The packets behind it, where a capture has any.
    #[serde(skip)]
    pub packets: Vec<PacketSpan>,
}

/// A flow's packets from one second to another, on their capture's own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PacketSpan {
    /// The flow, as its packets name it.
    pub flow: FlowKey,
    /// The first second, since 1970.
    pub start: i64,
    /// The last second.
    pub end: i64,
}

/// The 5-tuple under AWS's names.
fn key<S: Serializer>(key: &FlowKey, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Key {
        srcaddr: std::net::IpAddr,
        dstaddr: std::net::IpAddr,
        srcport: u16,
        dstport: u16,
        protocol: u8,
    }
    let FlowKey { srcaddr, dstaddr, protocol, srcport, dstport } = *key;
    Key { srcaddr, dstaddr, srcport, dstport, protocol: protocol.0 }.serialize(serializer)
}

/// What is said on top, because it is behind many differences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The cause.
    pub cause: Cause,
    /// How many differences it is behind.
    pub differences: u64,
    /// In how many flows.
    pub flows: u64,
    /// What it means, as a sentence.
    pub text: String,
}

/// What lies outside the time that both sides cover, and is not compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outside {
    /// Records of a log, or runs of a capture's packets.
    pub records: u64,
    /// Their packets.
    pub packets: u64,
}

/// The outcome.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// In one word.
    pub verdict: Verdict,
    /// The candidate's clock less the reference's, in seconds.
    pub clock_offset_seconds: f64,
    /// How many records agree.
    pub matched: u64,
    /// Every difference, by flow and time.
    pub differences: Vec<Difference>,
    /// Cause → number of differences.
    pub causes: BTreeMap<Cause, u64>,
    /// What is behind many of them.
    pub findings: Vec<Finding>,
    /// What only the reference covers.
    pub reference_outside: Outside,
    /// What only the candidate covers.
    pub candidate_outside: Outside,
    /// Packets of a capture that need no record, because the log is of other interfaces or actions.
    #[serde(skip_serializing_if = "is_zero")]
    pub packets_not_expected: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
