//! The two sides, as a comparison takes them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use super::{Cell, Claim, LogWindows};
use crate::flow::FlowKey;
use crate::record::Action;

/// What has to be equal for two records to be about the same thing: the flow; between logs also the action, and the
/// interface where both know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId {
    /// The 5-tuple, with the packets' own addresses where they are known.
    pub key: FlowKey,
    /// Only between logs that both have actions.
    pub action: Option<Action>,
    /// Only between logs that name the same interfaces; else 0.
    pub interface: u32,
}

impl From<FlowKey> for FlowId {
    fn from(key: FlowKey) -> Self {
        FlowId { key, action: None, interface: 0 }
    }
}

/// The side that bears witness.
#[derive(Clone, Debug, Default)]
pub struct Witness {
    /// What it says of each flow, in any order.
    pub flows: HashMap<FlowId, Vec<Cell>>,
    /// Whether it is a capture, whose cells are seconds.
    pub is_capture: bool,
    /// The first and last second it covers.
    pub span: Option<(i64, i64)>,
    /// Spans for which it says that it missed records.
    pub skipped: Vec<(i64, i64)>,
    /// Packets that it says it lost, if it is a capture.
    pub lost: u64,
    /// The windows that its records keep to, if it is a log.
    pub windows: LogWindows,
    /// The other side of tunnels: inner packets where tunnels are counted, tunnels where inner packets are.
    pub other_side: HashMap<FlowKey, Vec<Cell>>,
    /// For each flow with such packets the flows on their other side.
    pub through: HashMap<FlowKey, BTreeSet<FlowKey>>,
    /// Flows that the other side need not have, but whose packets may be those of its records.
    pub not_expected: HashSet<FlowKey>,
}

/// The side that makes claims.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    /// Its records of each flow, in any order.
    pub flows: HashMap<FlowId, Vec<Claim>>,
    /// Whether it is a log.
    pub is_log: bool,
    /// The first and last second it covers.
    pub span: Option<(i64, i64)>,
    /// Spans for which it says that it missed records.
    pub skipped: Vec<(i64, i64)>,
    /// The windows that its records keep to.
    pub windows: LogWindows,
    /// For each interface the addresses that all its records have in common, as source or destination.
    pub own_addresses: HashMap<u32, Vec<IpAddr>>,
    /// The interfaces' names; a claim's number less one is the place.
    pub interfaces: Vec<String>,
    /// Flows that were found to agree before, and are not among `flows`.
    pub settled_flows: u64,
    /// Their records.
    pub settled_records: u64,
    /// Those of them with 100 packets and more.
    pub settled_large_flows: u64,
    /// Records of a log with another action than the VPC's rules come to: their flows, and their lines.
    pub contradicted: HashSet<(FlowKey, u64)>,
}
