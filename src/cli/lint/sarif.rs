//! Findings as SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format").
//!
//! The document is written as it comes: its rules first, then a result for each finding.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use flowtruth::lint::{Finding, LintOptions, Rule};
use flowtruth::pipeline::LintSummary;
use serde_json::{Value, json};

use super::Report;
use super::machine::characters;

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
        serde_json::to_writer(&mut self.output, &result(log, finding))?;
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

/// One finding. Events and records have no line in their file, so that they are named instead.
fn result(log: &str, finding: &Finding) -> Value {
    let mut physical = json!({ "artifactLocation": { "uri": uri(log) } });
    let mut location = json!({});
    if finding.place.number > 0 {
        if finding.place.unit == "line" {
            let mut region =
                json!({ "startLine": finding.place.number, "snippet": { "text": finding.text } });
            if let Some(span) = &finding.span {
                let characters = characters(&finding.text, span.clone());
                region["startColumn"] = json!(characters.start);
                region["endColumn"] = json!(characters.end);
            }
            physical["region"] = region;
        } else {
            let name = format!("{} {}", finding.place.unit, finding.place.number);
            location["logicalLocations"] = json!([{ "fullyQualifiedName": name }]);
        }
    }
    location["physicalLocation"] = physical;
    let mut properties = json!({});
    if let Some(field) = &finding.field {
        properties["field"] = json!(field);
    }
    json!({
        "ruleId": finding.rule.name(),
        "ruleIndex": finding.rule as usize,
        "level": finding.level,
        "message": { "text": format!("{}.", finding.message) },
        "locations": [location],
        "properties": properties,
    })
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
