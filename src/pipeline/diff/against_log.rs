//! Captures compared with logs.

use super::again::{Captures, Logs};
use super::capture_side::CaptureSide;
use super::flow_index::FlowIndex;
use super::log_flows::LogFlows;
use super::log_side::{Addresses, Identities, LogFacts, LogSide};
use super::modelled::{DiffVpc, Modelled, modelled};
use super::screen::{Screen, Screened};
use super::{LogInput, SideSummary, Work};
use crate::capture::CaptureInput;
use crate::diff::{Claims, ClockOffset, Comparison, Delta, FlowId, Tolerance, Witness};
use crate::flow::FlowKey;
use crate::pipeline::MeterOptions;
use crate::record::LogFormat;

/// What is left to be compared once flows that agree are settled.
#[derive(Default)]
struct Open {
    /// The flows whose packets are needed second by second.
    wanted: FlowIndex,
    /// Their records, and how many others there were.
    claims: Claims,
    /// Flows of the log.
    log_flows: u64,
    /// Flows with packets.
    capture_flows: u64,
}

impl Open {
    /// Takes what was settled as the VPC would log it.
    fn take_modelled(&mut self, modelled: &Modelled) {
        self.log_flows += modelled.settled_flows();
        self.capture_flows += modelled.flows.len() as u64;
        self.claims.settled_flows += modelled.settled_flows();
        self.claims.settled_records += modelled.records;
        self.claims.settled_large_flows += modelled.large_flows;
    }

    /// Takes what a share's screening left.
    fn take(&mut self, log: &LogFlows, screened: &Screened) {
        self.log_flows += log.with_records();
        self.capture_flows += screened.flows;
        self.claims.settled_flows += screened.settled_flows;
        self.claims.settled_records += screened.settled_records;
        self.claims.settled_large_flows += screened.settled_large_flows;
        for ((flow, key), is_settled) in log.flows().zip(&screened.is_settled) {
            if !is_settled {
                self.wanted.number(key);
                self.claims.flows.extend(log.claims(flow, |id| FlowId::from(id.key)));
            }
        }
        screened.strangers.iter().for_each(|key| {
            self.wanted.number(key);
        });
    }
}

impl Work<'_> {
    /// Settles what the log says as the VPC would say it; nothing, where that does not fit the memory.
    fn modelled(
        &self,
        scope: &DiffVpc,
        captures: &mut Captures,
        log: &LogFlows,
        facts: &LogFacts,
        identities: &Identities,
    ) -> Option<Modelled> {
        let meter = MeterOptions { memory_limit: None, ..self.options.meter.clone() };
        let with = (&meter, &self.options.compare.tolerance);
        modelled(scope, captures.open(), (log, facts, identities), with, self.progress).ok()
    }

    /// Compares captures with logs; the summaries come in that order.
    pub(super) fn capture_and_log(
        &mut self,
        captures: Vec<CaptureInput>,
        logs: Vec<LogInput>,
        format: Option<&LogFormat>,
        capture_is_candidate: bool,
    ) -> (Comparison, SideSummary, SideSummary) {
        let (mut captures, mut logs) = (Captures::from(captures), Logs::from(logs));
        let mut identities = Identities::default();
        let first = self.read_logs(&mut logs, format, &mut identities, LogSide::within(self.budget()));
        let shares: Vec<_> = first.partition.all().collect();
        let (first, facts) = first.into_flows();
        let mut open = Open::default();
        // in shares, the flows of one record may lie apart
        let modelled = match &self.options.vpc {
            Some(scope) if shares.len() == 1 => {
                self.modelled(scope, &mut captures, &first, &facts, &identities)
            }
            _ => None,
        };
        let has_modelled = modelled.is_some();
        let modelled = modelled.unwrap_or_default();
        open.take_modelled(&modelled);
        let mut first = Some(modelled.rest_of(first));
        let mut clocks: Option<Clocks> = None;
        let mut walked = None;
        for partition in shares {
            let log = first.take().unwrap_or_else(|| {
                let side = LogSide::of(partition, Addresses::OfPackets);
                self.read_logs(&mut logs, format, &mut identities, side).into_flows().0
            });
            let tolerance = &self.options.compare.tolerance;
            let mut screened = |shift| {
                let (settled, contradicted) = (&modelled.flows, &modelled.contradicted);
                let screen = Screen { log: &log, partition, shift, tolerance, settled, contradicted };
                screen.read(captures.open(), &self.options.meter, self.progress)
            };
            let mut of_share = screened(clocks.and_then(|clocks| clocks.shift).unwrap_or(0));
            walked.get_or_insert(std::mem::take(&mut of_share.walked));
            let is_first = clocks.is_none();
            let clocks = clocks.get_or_insert_with(|| Clocks::new(of_share.offset, tolerance));
            match clocks.shift {
                // once more, on the clock that most flows agree on
                Some(shift) if is_first && shift != 0 => of_share = screened(shift),
                Some(_) => {}
                // every record differs by its times, and is told
                None => of_share.unsettle(),
            }
            open.take(&log, &of_share);
            if self.progress.is_interrupted() {
                break;
            }
        }
        let mut walked = walked.unwrap_or_default();
        // what is wrong with the captures is said at the first reading
        let mut failures =
            if has_modelled { modelled.failures } else { std::mem::take(&mut walked.failures) };
        self.failures.captures.append(&mut failures);
        let summary = SideSummary::of_captures(&walked, open.capture_flows);
        let log_summary = SideSummary::of_log(&facts, open.log_flows);
        let Open { wanted, claims: left, .. } = open;
        let claims = Claims {
            flows: left.flows,
            settled_flows: left.settled_flows,
            settled_records: left.settled_records,
            settled_large_flows: left.settled_large_flows,
            contradicted: modelled.contradicted,
            ..facts.into_claims(&identities)
        };
        let mut witness = Witness { is_capture: true, ..Witness::default() };
        if wanted.len() > 0 && !self.progress.is_interrupted() {
            let is_claimed = |key: &FlowKey| claims.flows.contains_key(&FlowId::from(*key));
            let is_wanted =
                |key: &FlowKey| wanted.find(key, wanted.hash(key)).is_some() && !modelled.flows.contains(key);
            // what is wrong with the captures was said at the first reading
            let meter = &self.options.meter;
            let side = CaptureSide::read(captures.open(), meter, is_wanted, is_claimed, self.progress);
            witness = side.into_witness();
        }
        witness.span = walked.span;
        witness.not_expected = modelled.not_expected;
        witness.lost = walked.lost;
        let offset = clocks.map(|clocks| clocks.offset);
        let mut comparison = self.compare(witness, claims, capture_is_candidate, offset);
        comparison.packets_not_expected += modelled.packets_not_expected;
        (comparison, summary, log_summary)
    }
}

/// How far the clocks are apart.
#[derive(Clone, Copy)]
struct Clocks {
    offset: ClockOffset,
    /// The same in whole seconds, if records so far off are no difference.
    shift: Option<i64>,
}

impl Clocks {
    fn new(offset: ClockOffset, tolerance: &Tolerance) -> Clocks {
        let shift = offset.shift;
        let is_allowed =
            |delta: &Delta| matches!(delta, Delta::Absolute(most) if shift.unsigned_abs() <= *most);
        let is_fine = shift == 0 || [tolerance.start, tolerance.end].iter().all(is_allowed);
        Clocks { offset, shift: is_fine.then_some(shift) }
    }
}
