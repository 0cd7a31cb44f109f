//! `score`: what share of a truth another tool got right, and why not the rest.
//!
//! 1. The truth becomes one row a flow (`truth`): what the capture shows of it, or what was sent.
//! 2. The tool's output becomes rows too, whatever its form (`output`): records, CSV, JSON.
//! 3. A flow is right where its packets and bytes are those of the truth, however many rows they stand in.
//! 4. Both sides are written as flow logs and compared by [`diff`](super::diff()), which says why the others are not.

mod columns;
mod output;
mod truth;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::Cursor;

use serde::Serialize;

pub use self::columns::{ColumnError, ColumnMap};
pub use self::output::OutputError;
pub use self::truth::{Against, TruthError};
use super::{DiffOptions, DiffSide, LogInput, Progress, diff};
use crate::diff::Cause;
use crate::flow::FlowKey;

/// One row: a flow, or a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    flow: FlowKey,
    packets: u64,
    bytes: u64,
    /// First and last second since 1970, where they are told.
    span: Option<(i64, i64)>,
    /// TCP flags, where they are told.
    flags: Option<u8>,
}

/// A part of a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Share {
    /// How much of it is right.
    pub right: u64,
    /// How much there is.
    pub all: u64,
    /// The one by the other; 1 of nothing.
    pub share: f64,
}

/// What is wrong for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Wrong {
    /// Differences.
    pub differences: u64,
    /// Packets of the truth behind them; of the tool's where the truth has none.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The first of them, as a sentence.
    pub example: String,
}

/// The outcome.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Score {
    /// Flows, each direction one.
    pub flows: Share,
    /// Packets of flows that are right.
    pub packets: Share,
    /// Bytes of flows that are right.
    pub bytes: Share,
    /// Flows that the tool has and the truth has not.
    pub extra_flows: u64,
    /// Cause → what it is behind, as `diff` tells it.
    pub causes: BTreeMap<Cause, Wrong>,
    /// Rows of the tool that were read.
    pub rows: u64,
}

impl Score {
    /// Whether everything is right.
    pub fn is_perfect(&self) -> bool {
        self.flows.right == self.flows.all && self.extra_flows == 0
    }
}

/// Why nothing can be scored.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// The truth cannot be read.
    #[error(transparent)]
    Truth(#[from] TruthError),
    /// The tool's output cannot be read.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// Scores a tool's output, which `name` names, against a truth.
///
/// # Errors
/// [`ScoreError`] where one of them cannot be read.
pub fn score(
    truth: &str,
    against: Against,
    name: &str,
    output: &[u8],
    columns: &ColumnMap,
) -> Result<Score, ScoreError> {
    let truth = truth::rows(truth, against)?;
    let rows = output::rows(name, output, columns)?;
    let (right, wanted) = (totals(&truth), totals(&rows));
    let mut shares = [Share::default(); 3];
    for (flow, sum) in &right {
        let is_right = wanted.get(flow) == Some(sum);
        for (share, amount) in shares.iter_mut().zip([1, sum.0, sum.1]) {
            share.all += amount;
            share.right += if is_right { amount } else { 0 };
        }
    }
    let [flows, packets, bytes] = shares.map(|share| Share {
        share: if share.all == 0 { 1.0 } else { share.right as f64 / share.all as f64 },
        ..share
    });
    let extra_flows = wanted.keys().filter(|flow| !right.contains_key(*flow)).count() as u64;
    // a right flow whose rows are cut or timed in another way needs no cause
    let is_right = |flow: &FlowKey| right.contains_key(flow) && right.get(flow) == wanted.get(flow);
    let causes = causes(&truth, &rows, is_right);
    Ok(Score { flows, packets, bytes, extra_flows, causes, rows: rows.len() as u64 })
}

/// Packets and bytes of each flow.
fn totals(rows: &[Row]) -> BTreeMap<FlowKey, (u64, u64)> {
    let mut totals: BTreeMap<FlowKey, (u64, u64)> = BTreeMap::new();
    for row in rows {
        let (packets, bytes) = totals.entry(row.flow).or_default();
        *packets = packets.saturating_add(row.packets);
        *bytes = bytes.saturating_add(row.bytes);
    }
    totals
}

/// Why rows of flows that are not right differ.
fn causes(truth: &[Row], rows: &[Row], is_right: impl Fn(&FlowKey) -> bool) -> BTreeMap<Cause, Wrong> {
    let spans: BTreeMap<FlowKey, (i64, i64)> =
        truth.iter().filter_map(|row| Some((row.flow, row.span?))).collect();
    let whole = spans.values().copied().reduce(|all, one| (all.0.min(one.0), all.1.max(one.1)));
    let timed = rows.iter().map(|row| {
        let span = row.span.or_else(|| spans.get(&row.flow).copied()).or(whole);
        Row { span, ..*row }
    });
    let side = |name: &str, text: String| {
        DiffSide::Logs(vec![LogInput::Reader(name.to_owned(), Box::new(Cursor::new(text)))], None)
    };
    let (truth, tool) = (side("truth", log(truth.iter().copied())), side("output", log(timed)));
    let report = diff(truth, tool, &DiffOptions::default(), &Progress::new());
    let mut causes: BTreeMap<Cause, Wrong> = BTreeMap::new();
    for difference in report.comparison.differences.iter().filter(|difference| !is_right(&difference.key)) {
        let wrong = causes.entry(difference.cause).or_default();
        let said = difference.reference.or(difference.candidate);
        wrong.differences += 1;
        wrong.packets += said.map_or(0, |said| said.packets);
        wrong.bytes += said.map_or(0, |said| said.bytes);
        if wrong.example.is_empty() {
            wrong.example = format!("{}: {}", difference.key, difference.detail);
        }
    }
    causes
}

/// Rows as a flow log.
fn log(rows: impl Iterator<Item = Row>) -> String {
    let mut text =
        "srcaddr dstaddr srcport dstport protocol packets bytes start end tcp-flags log-status\n".to_owned();
    for row in rows {
        let FlowKey { srcaddr, dstaddr, protocol, srcport, dstport } = row.flow;
        let (start, end) = row.span.unwrap_or_default();
        let flags = row.flags.map_or("-".to_owned(), |flags| flags.to_string());
        // writing to a string cannot fail
        let _ = writeln!(
            text,
            "{srcaddr} {dstaddr} {srcport} {dstport} {} {} {} {start} {end} {flags} OK",
            protocol.0, row.packets, row.bytes
        );
    }
    text
}
