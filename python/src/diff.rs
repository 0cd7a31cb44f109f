//! `diff`: packets against flow logs, every difference with its cause.

use std::path::PathBuf;

use flowtruth::decode::Tunnels;
use flowtruth::diff::{CompareOptions, Tolerance};
use flowtruth::flow::{UnloggedTraffic, VpcCidr};
use flowtruth::pipeline::{DiffOptions, DiffReport, MeterOptions, Progress};
use flowtruth::record::LogFormat;
use pyo3::prelude::*;

use super::error::Trouble;
use super::inputs::side;
use super::options::{log_format, memory_limit, optional, parsed, threads};

/// How many lines that cannot be compared are named.
const PROBLEMS_NAMED: usize = 5;

/// What was given: each value as it would be typed.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Comparing {
    input_format: Option<String>,
    reference_format: Option<String>,
    candidate_format: Option<String>,
    skip_bad_lines: bool,
    decap: Option<String>,
    filter: Option<String>,
    packets_delta: String,
    bytes_delta: String,
    start_delta: String,
    end_delta: String,
    vpc_cidrs: Vec<String>,
    memory_limit: Option<String>,
    threads: Option<usize>,
}

impl Comparing {
    fn format(&self, own: Option<&str>, option: &str) -> Result<Option<LogFormat>, Trouble> {
        let given = own.map(|text| (option, text));
        let given = given.or(self.input_format.as_deref().map(|text| ("input_format", text)));
        given.map(|(option, text)| log_format(option, text)).transpose()
    }

    fn options(&self) -> Result<DiffOptions, Trouble> {
        let cidrs: Result<Vec<VpcCidr>, _> =
            self.vpc_cidrs.iter().map(|text| parsed("vpc_cidrs", text)).collect();
        if self.threads == Some(0) {
            return Err(Trouble::invalid("threads", "0", "expected at least 1"));
        }
        Ok(DiffOptions {
            meter: MeterOptions {
                tunnels: optional("decap", self.decap.as_deref())?.unwrap_or(Tunnels::NONE),
                filter: optional("filter", self.filter.as_deref())?,
                threads: threads(self.threads),
                memory_limit: memory_limit(self.memory_limit.as_deref())?,
                ..MeterOptions::default()
            },
            vpc: None,
            compare: CompareOptions {
                tolerance: Tolerance {
                    packets: parsed("packets_delta", &self.packets_delta)?,
                    bytes: parsed("bytes_delta", &self.bytes_delta)?,
                    start: parsed("start_delta", &self.start_delta)?,
                    end: parsed("end_delta", &self.end_delta)?,
                },
                unlogged: UnloggedTraffic::new(cidrs?),
                vpc: None,
                witness_is_candidate: false,
            },
        })
    }

    /// What kept the sides from being compared whole.
    fn trouble(&self, report: &DiffReport) -> Option<Trouble> {
        let failed = Trouble::of_captures(&report.capture_failures);
        if let Some(trouble) = failed.or_else(|| Trouble::of_logs(&report.log_failures)) {
            return Some(trouble);
        }
        let bad: u64 = [&report.reference, &report.candidate].iter().filter_map(|side| side.bad_lines).sum();
        if bad > 0 && !self.skip_bad_lines {
            let named = report.problems.iter().take(PROBLEMS_NAMED).map(ToString::to_string);
            let rest =
                (bad > PROBLEMS_NAMED as u64).then(|| format!("{bad} lines in all could not be compared"));
            let lines: Vec<String> = named.chain(rest).collect();
            let hint =
                "`skip_bad_lines` leaves them out, `input_format` names the fields of a log without a header";
            return Some(Trouble::new(lines.join("\n")).with_hint(Some(hint)));
        }
        report.is_apart().then(|| {
            let hint = "are they of the same day, and are their clocks in the same time zone?";
            Trouble::new("the two sides have no time in common, so nothing was compared")
                .with_hint(Some(hint))
        })
    }
}

/// Compares two sides: the outcome as JSON.
#[pyfunction]
pub fn diff(
    py: Python<'_>,
    reference: Vec<PathBuf>,
    candidate: Vec<PathBuf>,
    comparing: Comparing,
) -> PyResult<String> {
    py.detach(move || {
        let options = comparing.options()?;
        let format = comparing.format(comparing.reference_format.as_deref(), "reference_format")?;
        let reference = side("reference", &reference, format)?;
        let format = comparing.format(comparing.candidate_format.as_deref(), "candidate_format")?;
        let candidate = side("candidate", &candidate, format)?;
        let report = flowtruth::pipeline::diff(reference, candidate, &options, &Progress::new());
        match comparing.trouble(&report) {
            Some(trouble) => Err(trouble),
            None => serde_json::to_string(&report).map_err(|error| Trouble::of(&error)),
        }
    })
    .map_err(PyErr::from)
}
