//! The outcome for programs: JSON, NDJSON, JUnit XML.

use std::io::{self, Write};

use flowtruth::diff::{Cause, Comparison, Difference};
use flowtruth::pipeline::DiffReport;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;

/// How many differences a JUnit failure names.
const NAMED: usize = 20;

/// All of it as one document.
pub fn json(report: &DiffReport, output: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *output, report)?;
    output.write_all(b"\n")
}

/// A line for each difference, then one for the rest.
pub fn ndjson(report: &DiffReport, output: &mut impl Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line<'a> {
        difference: &'a Difference,
    }
    for difference in &report.comparison.differences {
        serde_json::to_writer(&mut *output, &Line { difference })?;
        output.write_all(b"\n")?;
    }
    let without = Comparison { differences: Vec::new(), ..report.comparison.clone() };
    let serde_json::Value::Object(mut summary) = serde_json::to_value(&without)? else { return Ok(()) };
    summary.remove("differences");
    summary.insert("reference".to_owned(), serde_json::to_value(&report.reference)?);
    summary.insert("candidate".to_owned(), serde_json::to_value(&report.candidate)?);
    serde_json::to_writer(&mut *output, &serde_json::json!({ "summary": summary }))?;
    output.write_all(b"\n")
}

/// A test case for each cause: one that is not explained fails.
pub fn junit(report: &DiffReport, output: &mut impl Write) -> io::Result<()> {
    let comparison = &report.comparison;
    let mut suite = TestSuite::new("flowtruth diff");
    suite.add_property(("reference", report.reference.paths.join(" ").as_str()));
    suite.add_property(("candidate", report.candidate.paths.join(" ").as_str()));
    suite.add_property(("clock_offset_seconds", comparison.clock_offset_seconds.to_string().as_str()));
    suite.add_property(("matched", comparison.matched.to_string().as_str()));
    for cause in Cause::ALL {
        let of_cause: Vec<&Difference> =
            comparison.differences.iter().filter(|difference| difference.cause == cause).collect();
        let wrong: Vec<&Difference> =
            of_cause.iter().copied().filter(|difference| !difference.explained).collect();
        let status = if wrong.is_empty() {
            TestCaseStatus::success()
        } else {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let what = if wrong.len() == 1 { "difference" } else { "differences" };
            status.set_message(format!("{} {what}: {}", wrong.len(), cause.finding()));
            let lines = wrong.iter().take(NAMED).map(|difference| super::people::line(difference) + "\n");
            status.set_description(lines.collect::<String>());
            status
        };
        let mut case = TestCase::new(cause.code(), status);
        case.set_classname("flowtruth.diff");
        if wrong.is_empty() && !of_cause.is_empty() {
            case.set_system_out(format!("{} explained", of_cause.len()));
        }
        suite.add_test_case(case);
    }
    let mut document = Report::new("flowtruth");
    document.add_test_suite(suite);
    let text = document.to_string().map_err(io::Error::other)?;
    output.write_all(text.as_bytes())
}
