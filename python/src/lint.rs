//! `lint`: what in flow logs cannot be true, or breaks what reads them.

use std::path::PathBuf;

use flowtruth::flow::AggregationInterval;
use flowtruth::lint::{FindingJson, Level, LintOptions, Rule};
use flowtruth::pipeline::Progress;
use pyo3::prelude::*;
use serde_json::{Value, json};

use super::error::Trouble;
use super::inputs;
use super::options::{log_format, optional, parsed};

/// What was given: each value as it would be typed.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Linting {
    input_format: Option<String>,
    interval: String,
    target: Option<String>,
    allow: Vec<String>,
    warn: Vec<String>,
    deny: Vec<String>,
    limit: Option<u64>,
}

impl Linting {
    /// Settles the levels: what is switched off first, then warnings, then errors.
    fn options(&self) -> Result<LintOptions, Trouble> {
        let mut options = LintOptions::default();
        options.target = optional("target", self.target.as_deref())?;
        options.max_aggregation_interval = match parsed("interval", &self.interval)? {
            AggregationInterval::Seconds(seconds) => u64::from(seconds.get()),
            AggregationInterval::Capture => u64::MAX,
        };
        let choices = [
            ("allow", &self.allow, None),
            ("warn", &self.warn, Some(Level::Warning)),
            ("deny", &self.deny, Some(Level::Error)),
        ];
        for (option, names, level) in choices {
            for name in names {
                if name == "all" {
                    Rule::ALL.into_iter().for_each(|rule| options.set_level(rule, level));
                    continue;
                }
                let rule: Rule = name.parse().map_err(|error: flowtruth::lint::UnknownRule| {
                    Trouble::new(format!("`{option}` cannot be used"))
                        .caused_by(&error)
                        .with_hint(Some("`flowtruth lint --list-rules` lists the rules"))
                })?;
                options.set_level(rule, level);
            }
        }
        Ok(options)
    }
}

/// Reads logs: the findings and their numbers as JSON.
#[pyfunction]
pub fn lint(py: Python<'_>, logs: Vec<PathBuf>, linting: Linting) -> PyResult<String> {
    py.detach(move || {
        let options = linting.options()?;
        let format =
            linting.input_format.as_deref().map(|text| log_format("input_format", text)).transpose()?;
        let inputs = inputs::logs(&logs)?;
        let mut findings: Vec<Value> = Vec::new();
        let limit = linting.limit.unwrap_or(u64::MAX);
        let mut wrong = None;
        let summary = flowtruth::pipeline::lint(inputs, format, options, &Progress::new(), |log, finding| {
            if (findings.len() as u64) < limit {
                match serde_json::to_value(FindingJson::new(log, &finding)) {
                    Ok(finding) => findings.push(finding),
                    Err(error) => wrong = Some(error),
                }
            }
            wrong.is_none()
        });
        if let Some(error) = wrong {
            return Err(Trouble::of(&error));
        }
        if let Some(trouble) = Trouble::of_logs(&summary.failures) {
            return Err(trouble);
        }
        let summary = summary.to_json(findings.len() as u64);
        Ok(json!({ "findings": findings, "summary": summary }).to_string())
    })
    .map_err(PyErr::from)
}
