//! `diff`: captures and logs in, every difference with its cause out.
//!
//! 1. The logs are read first: their records say what the packets are compared with.
//! 2. Where captures can be read twice, they are screened first: flows that agree with their records to the letter are
//!    settled, and cost no more than their records.
//! 3. The other flows are metered second by second.
//! 4. [`compare`] does the rest.

mod capture_side;
mod flow_index;
mod log_side;
mod screen;
mod side;
mod walk;

use std::path::PathBuf;

use serde::Serialize;

use super::{MeterOptions, PacketSelection, Progress, SecondSpan};
use crate::capture::{CaptureError, CaptureInput};
use crate::diff::{
    Claims, ClockOffset, CompareOptions, Comparison, Delta, FlowId, PacketSpan, Witness, compare,
};
use crate::flow::FlowKey;
use crate::flowlog::read::LogReadError;
use crate::record::LogFormat;
use capture_side::CaptureSide;
pub use log_side::{BadRecord, LogProblem};
use log_side::{Identities, LogSide};
use screen::{Screen, Screened, Settled};
pub use side::SideSummary;

/// One side of a comparison.
pub enum DiffSide {
    /// Captures, read in time order as one.
    Captures(Vec<CaptureInput>),
    /// Flow logs, read one after another as one.
    Logs(Vec<LogInput>, Option<LogFormat>),
}

/// A log to read.
pub enum LogInput {
    /// A file.
    Path(PathBuf),
    /// Anything that can be read, and its name for messages.
    Reader(String, Box<dyn std::io::Read + Send>),
}

/// What two sides are compared with.
#[derive(Clone, Debug, Default)]
pub struct DiffOptions {
    /// How captures are read; interval, origin and lateness do not matter here.
    pub meter: MeterOptions,
    /// What numbers may differ by, and what is never logged.
    pub compare: CompareOptions,
}

/// The outcome of a comparison.
#[derive(Debug, Serialize)]
pub struct DiffReport {
    /// The differences.
    #[serde(flatten)]
    pub comparison: Comparison,
    /// What was read of the reference.
    pub reference: SideSummary,
    /// What was read of the candidate.
    pub candidate: SideSummary,
    /// Captures that could not be read to their end.
    #[serde(skip)]
    pub capture_failures: Vec<CaptureError>,
    /// Logs that could not be read to their end.
    #[serde(skip)]
    pub log_failures: Vec<LogReadError>,
    /// Lines that could not be compared, the first of them.
    #[serde(skip)]
    pub problems: Vec<LogProblem>,
    /// Whether it was broken off by [`Progress::interrupt`].
    #[serde(skip)]
    pub interrupted: bool,
}

impl DiffReport {
    /// The packets behind the differences, to be extracted from the captures.
    pub fn packets(&self) -> PacketSelection {
        let mut spans: Vec<PacketSpan> = self
            .comparison
            .differences
            .iter()
            .flat_map(|difference| difference.packets.iter().copied())
            .collect();
        spans.sort_unstable();
        spans.dedup();
        let mut selection = PacketSelection::new();
        for PacketSpan { flow, start, end } in spans {
            selection.add(flow, SecondSpan { start, end });
        }
        selection
    }
}

/// Packets with a longer pause between them are two runs, where a capture is compared with a capture: seconds.
const PAUSE: i64 = 60;

/// Compares two sides.
pub fn diff(
    reference: DiffSide,
    candidate: DiffSide,
    options: &DiffOptions,
    progress: &Progress,
) -> DiffReport {
    let mut work = Work { options, progress, failures: Failures::default() };
    let (comparison, reference, candidate) = match (reference, candidate) {
        (DiffSide::Captures(captures), DiffSide::Logs(logs, format)) => {
            let (comparison, captures, log) = work.capture_and_log(captures, logs, format, false);
            (comparison, captures, log)
        }
        (DiffSide::Logs(logs, format), DiffSide::Captures(captures)) => {
            let (comparison, captures, log) = work.capture_and_log(captures, logs, format, true);
            (comparison, log, captures)
        }
        (DiffSide::Logs(reference, format), DiffSide::Logs(candidate, candidate_format)) => {
            work.logs((reference, format), (candidate, candidate_format))
        }
        (DiffSide::Captures(reference), DiffSide::Captures(candidate)) => work.captures(reference, candidate),
    };
    let Failures { captures: capture_failures, logs: log_failures, problems } = work.failures;
    let interrupted = progress.is_interrupted();
    DiffReport { comparison, reference, candidate, capture_failures, log_failures, problems, interrupted }
}

/// What went wrong on the way.
#[derive(Default)]
struct Failures {
    captures: Vec<CaptureError>,
    logs: Vec<LogReadError>,
    problems: Vec<LogProblem>,
}

struct Work<'a> {
    options: &'a DiffOptions,
    progress: &'a Progress,
    failures: Failures,
}

impl Work<'_> {
    fn read_logs(
        &mut self,
        logs: Vec<LogInput>,
        format: Option<LogFormat>,
        identities: &mut Identities,
    ) -> LogSide {
        let mut side = LogSide::default();
        for log in logs {
            if let Err(error) = side.read(log, format.as_ref(), identities, self.progress) {
                self.failures.logs.push(error);
            }
        }
        self.failures.problems.append(&mut side.problems);
        side
    }

    fn read_captures(
        &mut self,
        captures: Vec<CaptureInput>,
        is_settled: impl Fn(&FlowKey) -> bool,
        is_claimed: impl Fn(&FlowKey) -> bool,
    ) -> CaptureSide {
        let mut side =
            CaptureSide::read(captures, &self.options.meter, is_settled, is_claimed, self.progress);
        self.failures.captures.append(&mut side.walked.failures);
        side
    }

    fn compare(
        &self,
        witness: Witness,
        claims: Claims,
        witness_is_candidate: bool,
        offset: Option<ClockOffset>,
    ) -> Comparison {
        let options = CompareOptions { witness_is_candidate, ..self.options.compare.clone() };
        compare(witness, claims, &options, offset)
    }

    /// Looks which flows agree to the letter, on the clock that most flows agree on.
    fn screen(&mut self, paths: &[PathBuf], claims: &Claims) -> Screened {
        let tolerance = &self.options.compare.tolerance;
        let read = |shift: i64| {
            let inputs = paths.iter().cloned().map(CaptureInput::Path).collect();
            Screen::new(&claims.flows, shift, tolerance).read(inputs, &self.options.meter, self.progress)
        };
        let mut screened = read(0);
        let offset = screened.offset;
        if offset.shift != 0 {
            let is_allowed = [tolerance.start, tolerance.end]
                .iter()
                .all(|delta| matches!(delta, Delta::Absolute(most) if offset.shift.unsigned_abs() <= *most));
            if is_allowed {
                screened = Screened { offset, ..read(offset.shift) };
            } else {
                // every record differs by its times, and is told
                screened.settled = Settled::default();
            }
        }
        self.failures.captures.append(&mut screened.walked.failures);
        screened
    }

    /// Compares captures with logs; the summaries come in that order.
    fn capture_and_log(
        &mut self,
        captures: Vec<CaptureInput>,
        logs: Vec<LogInput>,
        format: Option<LogFormat>,
        capture_is_candidate: bool,
    ) -> (Comparison, SideSummary, SideSummary) {
        let mut identities = Identities::default();
        let log = self.read_logs(logs, format, &mut identities);
        let log_summary = SideSummary::of_log(&log);
        let mut claims = log.into_claims(&identities, |id| FlowId::from(id.key));
        let path = |input: &CaptureInput| match input {
            CaptureInput::Path(path) => Some(path.clone()),
            CaptureInput::Reader(..) => None,
        };
        let paths: Option<Vec<PathBuf>> = captures.iter().map(path).collect();
        let Some(paths) = paths else {
            let is_claimed = |key: &FlowKey| claims.flows.contains_key(&FlowId::from(*key));
            let captures = self.read_captures(captures, |_| false, is_claimed);
            let summary = SideSummary::of_captures(&captures.walked, captures.flows() as u64);
            let comparison = self.compare(captures.into_witness(), claims, capture_is_candidate, None);
            return (comparison, summary, log_summary);
        };
        let screened = self.screen(&paths, &claims);
        let summary = SideSummary::of_captures(&screened.walked, screened.flows);
        let settled = &screened.settled;
        claims.flows.retain(|id, _| !settled.contains(&id.key));
        claims.settled_flows = settled.flows;
        claims.settled_records = settled.records;
        claims.settled_large_flows = settled.large_flows;
        let all_settled = claims.flows.is_empty() && screened.flows == claims.settled_flows;
        let mut witness = Witness { is_capture: true, ..Witness::default() };
        if !all_settled && !self.progress.is_interrupted() {
            let is_claimed = |key: &FlowKey| claims.flows.contains_key(&FlowId::from(*key));
            let is_settled = |key: &FlowKey| settled.contains(key);
            let inputs = paths.into_iter().map(CaptureInput::Path).collect();
            // what is wrong with the captures was said at the first reading
            let captures =
                CaptureSide::read(inputs, &self.options.meter, is_settled, is_claimed, self.progress);
            witness = captures.into_witness();
        }
        witness.span = screened.walked.span;
        let comparison = self.compare(witness, claims, capture_is_candidate, Some(screened.offset));
        (comparison, summary, log_summary)
    }

    fn logs(
        &mut self,
        (reference, reference_format): (Vec<LogInput>, Option<LogFormat>),
        (candidate, candidate_format): (Vec<LogInput>, Option<LogFormat>),
    ) -> (Comparison, SideSummary, SideSummary) {
        let mut identities = Identities::default();
        let reference = self.read_logs(reference, reference_format, &mut identities);
        let candidate = self.read_logs(candidate, candidate_format, &mut identities);
        let summaries = (SideSummary::of_log(&reference), SideSummary::of_log(&candidate));
        let with_action = reference.has_actions() && candidate.has_actions();
        let with_interface = reference.shares_interfaces(&candidate);
        let id = |id: FlowId| FlowId {
            action: id.action.filter(|_| with_action),
            interface: if with_interface { id.interface } else { 0 },
            key: id.key,
        };
        let with_packet_addresses = reference.has_packet_addresses() && candidate.has_packet_addresses();
        let witness = reference.with_addresses(with_packet_addresses).into_witness(id);
        let claims = candidate.with_addresses(with_packet_addresses).into_claims(&identities, id);
        (self.compare(witness, claims, false, None), summaries.0, summaries.1)
    }

    fn captures(
        &mut self,
        reference: Vec<CaptureInput>,
        candidate: Vec<CaptureInput>,
    ) -> (Comparison, SideSummary, SideSummary) {
        let reference = self.read_captures(reference, |_| false, |_| false);
        let candidate = self.read_captures(candidate, |_| false, |_| false);
        let summaries = (
            SideSummary::of_captures(&reference.walked, reference.flows() as u64),
            SideSummary::of_captures(&candidate.walked, candidate.flows() as u64),
        );
        let comparison = self.compare(reference.into_witness(), candidate.into_claims(PAUSE), false, None);
        (comparison, summaries.0, summaries.1)
    }
}
