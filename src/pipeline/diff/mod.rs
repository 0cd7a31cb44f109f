//! `diff`: captures and logs in, every difference with its cause out.
//!
//! 1. The logs are read first: their records say what the packets are compared with. If they do not fit the memory, the
//!    flows are cut into shares, and what follows is done for one share after another (`partition`).
//! 2. With a VPC, what a log says as the VPC would say it is settled (`modelled`).
//! 3. The captures are screened: flows that agree with their records to the letter are settled, and cost no more than
//!    their records (`screen`, `counts`). Between logs, flows with equal records are.
//! 4. The other flows, of all shares together, are metered second by second (`capture_side`).
//! 5. [`compare`] does the rest.

pub(in crate::pipeline) mod again;
mod against_log;
mod between_logs;
mod capture_side;
mod counts;
mod flow_index;
mod log_flows;
mod log_side;
mod modelled;
mod partition;
mod problem;
mod screen;
mod side;
mod surroundings;
mod walk;

use serde::Serialize;

use super::{LogInput, MeterOptions, PacketSelection, Progress, SecondSpan};
use crate::capture::{CaptureError, CaptureInput};
use crate::diff::{Claims, ClockOffset, CompareOptions, Comparison, PacketSpan, Witness, compare};
use crate::flow::FlowKey;
use crate::flowlog::read::LogReadError;
use crate::record::LogFormat;
use again::Logs;
use capture_side::CaptureSide;
use log_side::{Identities, LogSide};
pub use modelled::DiffVpc;
pub use problem::{BadRecord, LogProblem};
pub use side::SideSummary;

/// One side of a comparison.
pub enum DiffSide {
    /// Captures, read in time order as one.
    Captures(Vec<CaptureInput>),
    /// Flow logs, read one after another as one.
    Logs(Vec<LogInput>, Option<LogFormat>),
}

/// What two sides are compared with.
#[derive(Clone, Debug, Default)]
pub struct DiffOptions {
    /// How captures are read; interval, origin and lateness do not matter here.
    pub meter: MeterOptions,
    /// What numbers may differ by, and what is never logged.
    pub compare: CompareOptions,
    /// The VPC around captures that are compared with logs.
    pub vpc: Option<DiffVpc>,
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
    /// Whether the two sides have no time in common, so that nothing was compared.
    pub fn is_apart(&self) -> bool {
        let comparison = &self.comparison;
        comparison.matched == 0
            && comparison.differences.is_empty()
            && comparison.reference_outside.records > 0
            && comparison.candidate_outside.records > 0
    }

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
            let (comparison, captures, log) = work.capture_and_log(captures, logs, format.as_ref(), false);
            (comparison, captures, log)
        }
        (DiffSide::Logs(logs, format), DiffSide::Captures(captures)) => {
            let (comparison, captures, log) = work.capture_and_log(captures, logs, format.as_ref(), true);
            (comparison, log, captures)
        }
        (DiffSide::Logs(reference, format), DiffSide::Logs(candidate, candidate_format)) => {
            work.logs((reference, format.as_ref()), (candidate, candidate_format.as_ref()))
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

/// How many bytes the records of logs may take where no limit is given.
const NO_LIMIT: usize = usize::MAX;

/// The part of the memory that records may take: what differs, and its judgement, need the rest.
const PART_FOR_RECORDS: u64 = 2;

struct Work<'a> {
    options: &'a DiffOptions,
    progress: &'a Progress,
    failures: Failures,
}

impl Work<'_> {
    /// How many bytes the records of logs may take.
    fn budget(&self) -> usize {
        let limit = self.options.meter.memory_limit;
        limit.map_or(NO_LIMIT, |limit| usize::try_from(limit / PART_FOR_RECORDS).unwrap_or(NO_LIMIT))
    }

    /// Reads logs into `side`. What is wrong with them is said at the first reading.
    fn read_logs(
        &mut self,
        logs: &mut Logs,
        format: Option<&LogFormat>,
        identities: &mut Identities,
        mut side: LogSide,
    ) -> LogSide {
        let is_first = !logs.were_read();
        for log in logs.open() {
            let read = side.read(log, format, identities, self.progress);
            self.failures.logs.extend(read.err().filter(|_| is_first));
        }
        if is_first {
            self.failures.problems.append(&mut side.problems);
        }
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

    fn captures(
        &mut self,
        reference: Vec<CaptureInput>,
        candidate: Vec<CaptureInput>,
    ) -> (Comparison, SideSummary, SideSummary) {
        let mut read = |captures| {
            let (all, nobody) = (|_: &FlowKey| true, |_: &FlowKey| false);
            let mut side = CaptureSide::read(captures, &self.options.meter, all, nobody, self.progress);
            self.failures.captures.append(&mut side.walked.failures);
            side
        };
        let (reference, candidate) = (read(reference), read(candidate));
        let summaries = (
            SideSummary::of_captures(&reference.walked, reference.flows() as u64),
            SideSummary::of_captures(&candidate.walked, candidate.flows() as u64),
        );
        let comparison = self.compare(reference.into_witness(), candidate.into_claims(PAUSE), false, None);
        (comparison, summaries.0, summaries.1)
    }
}
