//! Findings as SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format").
//!
//! The document is written as it comes: its rules first, then a result for each finding.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use flowtruth::lint::{Finding, Level, LintOptions, Rule, characters};
use flowtruth::pipeline::LintSummary;
use serde::Serialize;
use serde_json::{Value, json};

use super::Report;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Writes one run.
pub struct Sarif<W: Write> {
    output: BufWriter<W>,
    options: LintOptions,
    has_results: bool,
}

impl<W: Write> Sarif<W> {
    pub fn new(output: BufWriter<W>, options: LintOptions) -> Self {
        Sarif { output, options, has_results: false }
    }

    fn rule(&self, rule: Rule) -> Value {
        let configuration = match self.options.level(rule) {
            Some(level) => json!({ "level": level }),
            None => json!({ "enabled": false }),
        };
        json!({
            "id": rule.name(),
            "shortDescription": { "text": format!("{}.", rule.what()) },
            "fullDescription": { "text": rule.why() },
            "help": { "text": rule.advice() },
            "defaultConfiguration": configuration,
        })
    }
}

impl<W: Write> Report for Sarif<W> {
    fn begin(&mut self) -> io::Result<()> {
        let rules: Vec<Value> = Rule::ALL.into_iter().map(|rule| self.rule(rule)).collect();
        let driver = json!({ "name": "flowtruth", "version": env!("CARGO_PKG_VERSION"), "rules": rules });
        write!(
            self.output,
            "{{\"$schema\":\"{SCHEMA}\",\"version\":\"2.1.0\",\"runs\":[{{\"tool\":{{\"driver\":{driver}}},\
             \"columnKind\":\"unicodeCodePoints\",\"results\":["
        )
    }

    fn finding(&mut self, log: &str, finding: &Finding) -> io::Result<()> {
        let between = if std::mem::replace(&mut self.has_results, true) { ",\n" } else { "\n" };
        self.output.write_all(between.as_bytes())?;
        serde_json::to_writer(&mut self.output, &SarifResult::new(log, finding))?;
        Ok(())
    }

    fn end(&mut self, summary: &LintSummary, _: u64) -> io::Result<()> {
        let failures: Vec<Value> = summary
            .failures
            .iter()
            .map(|failure| {
                let text = flowtruth::pipeline::with_causes(failure);
                json!({ "level": "error", "message": { "text": text } })
            })
            .collect();
        let invocation = json!({
            "executionSuccessful": failures.is_empty(),
            "toolExecutionNotifications": failures,
        });
        writeln!(self.output, "\n],\"invocations\":[{invocation}]}}]}}")?;
        self.output.flush()
    }
}

/// One finding, in the standard's words (§3.27).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult<'a> {
    rule_id: Rule,
    rule_index: usize,
    level: Level,
    message: Text,
    locations: [Location<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Properties<'a>>,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

/// Where it is. Events and records have no line in their file, so that they are named instead.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'a> {
    physical_location: PhysicalLocation<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logical_locations: Option<[LogicalLocation; 1]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation<'a> {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region<'a>>,
}

#[derive(Serialize)]
struct ArtifactLocation {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    fully_qualified_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region<'a> {
    start_line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<usize>,
    snippet: Snippet<'a>,
}

#[derive(Serialize)]
struct Snippet<'a> {
    text: &'a str,
}

#[derive(Serialize)]
struct Properties<'a> {
    field: &'a str,
}

impl<'a> SarifResult<'a> {
    fn new(log: &str, finding: &'a Finding) -> Self {
        let Finding { rule, level, place, .. } = *finding;
        let is_line = place.unit == "line";
        let columns = finding.span.clone().map(|span| characters(&finding.text, span));
        let region = Region {
            start_line: place.number,
            start_column: columns.as_ref().map(|columns| columns.start),
            end_column: columns.map(|columns| columns.end),
            snippet: Snippet { text: &finding.text },
        };
        let name = LogicalLocation { fully_qualified_name: format!("{} {}", place.unit, place.number) };
        let location = Location {
            physical_location: PhysicalLocation {
                artifact_location: ArtifactLocation { uri: uri(log) },
                region: (is_line && place.number > 0).then_some(region),
            },
            logical_locations: (!is_line && place.number > 0).then_some([name]),
        };
        SarifResult {
            rule_id: rule,
            rule_index: rule as usize,
            level,
            message: Text { text: format!("{}.", finding.message) },
            locations: [location],
            properties: finding.field.as_deref().map(|field| Properties { field }),
        }
    }
}

/// A path as a reference of RFC 3986: relative as it is, absolute as `file:`.
fn uri(log: &str) -> String {
    let mut uri = String::from(if Path::new(log).is_absolute() { "file://" } else { "" });
    for byte in log.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte))
            }
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_references() {
        assert_eq!(uri("logs/a b.log"), "logs/a%20b.log");
        assert_eq!(uri("/tmp/é:#?.log"), "file:///tmp/%C3%A9%3A%23%3F.log");
        assert_eq!(uri("standard input"), "standard%20input");
    }
}
