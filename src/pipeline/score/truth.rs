//! `truth.json` → one row a flow.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;

use super::Row;
use crate::flow::FlowKey;
use crate::packet::Protocol;

/// Which truth counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Against {
    /// What the capture shows, each packet once on each hop: for tools that read captures.
    #[default]
    Captured,
    /// What hosts sent and AWS logs, each packet once at each interface: for tools that read the log.
    Logged,
}

/// A truth that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TruthError {
    /// It is not what `generate` writes.
    #[error("expected the `truth.json` of `flowtruth generate`")]
    Json(#[from] serde_json::Error),
    /// There is nothing to score against.
    #[error("it has no flow to score against")]
    Empty,
}

#[derive(Deserialize)]
struct Document {
    flows: Vec<Flow>,
}

#[derive(Deserialize)]
struct Flow {
    srcaddr: IpAddr,
    dstaddr: IpAddr,
    srcport: u16,
    dstport: u16,
    protocol: u8,
    first_station: bool,
    logged: bool,
    sent: Counts,
    captured: Option<Counts>,
}

#[derive(Deserialize)]
struct Counts {
    packets: u64,
    bytes: u64,
    first: f64,
    last: f64,
    tcp_flags: Option<u8>,
}

/// Reads the rows of a truth.
pub(super) fn rows(text: &str, against: Against) -> Result<Vec<Row>, TruthError> {
    let document: Document = serde_json::from_str(text)?;
    let mut rows: BTreeMap<FlowKey, Row> = BTreeMap::new();
    for flow in &document.flows {
        let counts = match against {
            Against::Captured => flow.captured.as_ref().filter(|_| flow.first_station),
            Against::Logged => Some(&flow.sent).filter(|_| flow.logged),
        };
        let Some(counts) = counts else { continue };
        let Flow { srcaddr, dstaddr, srcport, dstport, protocol, .. } = *flow;
        let key = FlowKey { srcaddr, dstaddr, protocol: Protocol(protocol), srcport, dstport };
        let (first, last) = (counts.first.floor() as i64, counts.last.floor() as i64);
        let row = rows.entry(key).or_insert(Row {
            flow: key,
            packets: 0,
            bytes: 0,
            span: Some((first, last)),
            flags: counts.tcp_flags,
        });
        row.packets = row.packets.saturating_add(counts.packets);
        row.bytes = row.bytes.saturating_add(counts.bytes);
        row.span = row.span.map(|(start, end)| (start.min(first), end.max(last)));
        row.flags = row.flags.zip(counts.tcp_flags).map(|(one, other)| one | other);
    }
    if rows.is_empty() { Err(TruthError::Empty) } else { Ok(rows.into_values().collect()) }
}
