//! Findings for programs: a line of JSON each.

use std::io::{self, BufWriter, Write};

use flowtruth::lint::{Finding, FindingJson};
use flowtruth::pipeline::LintSummary;
use serde::Serialize;
use serde_json::json;

use super::Report;

/// Writes findings a line each, and the numbers at the end.
pub struct Lines<W: Write> {
    output: BufWriter<W>,
}

impl<W: Write> Lines<W> {
    pub fn new(output: BufWriter<W>) -> Self {
        Lines { output }
    }

    fn line(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.output, value)?;
        self.output.write_all(b"\n")
    }
}

impl<W: Write> Report for Lines<W> {
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn finding(&mut self, log: &str, finding: &Finding) -> io::Result<()> {
        self.line(&FindingJson::new(log, finding))
    }

    fn end(&mut self, summary: &LintSummary, shown: u64) -> io::Result<()> {
        self.line(&json!({ "summary": summary.to_json(shown) }))?;
        self.output.flush()
    }
}
