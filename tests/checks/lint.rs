//! The rules for flow logs.

use flowtruth::flowlog::read::{LogReadOptions, LogReader, LogShape};
use flowtruth::lint::{Finding, LintOptions, Rule};
use flowtruth::pipeline::{LintSummary, LogInput, Progress};
use flowtruth::record::LogFormat;

use super::{Bytes, Pieces, WHOLE};

/// More findings than this are not looked at.
const ENOUGH: usize = 20_000;

fn found(
    bytes: &[u8],
    format: &Option<LogFormat>,
    options: &LintOptions,
    piece: usize,
) -> (Vec<Finding>, LintSummary) {
    let input = LogInput::Reader("bytes".to_owned(), Box::new(Pieces::new(bytes, piece)));
    let mut findings = Vec::new();
    let summary = flowtruth::pipeline::lint(
        vec![input],
        format.clone(),
        options.clone(),
        &Progress::new(),
        |_, finding| {
            findings.push(finding);
            findings.len() < ENOUGH
        },
    );
    (findings, summary)
}

/// Any bytes as a flow log: findings lie in their text, are the same however the bytes come, and lines that are clean at a
/// glance are clean by all rules: as events, whose messages are all put to the rules, they have the same faults.
pub fn lint(data: &[u8]) {
    let mut bytes = Bytes(data);
    let format = bytes.one_of(&["", "v2", "v5", "${srcaddr} ${dstaddr} ${action} ${log-status}"]);
    let format: Option<LogFormat> = match format {
        "" => None,
        preset if preset.starts_with('v') => Some(LogFormat::preset(preset).unwrap()),
        format => Some(format.parse().unwrap()),
    };
    let mut options = LintOptions::default();
    options.target = bytes
        .one_of(&[None, None, Some("otel"), Some("cloudwatch"), Some("elastic")])
        .map(|name| name.parse().unwrap());
    let piece = usize::from(bytes.u8());
    let (findings, summary) = found(bytes.0, &format, &options, WHOLE);
    for finding in &findings {
        assert!(!finding.message.is_empty() && !finding.message.ends_with('.'), "{finding:?}");
        let was_repaired = finding.text.contains(char::REPLACEMENT_CHARACTER);
        let is_in_text = finding.span.clone().is_none_or(|span| finding.text.get(span).is_some());
        assert!(is_in_text || was_repaired, "{finding:?}");
    }
    if findings.len() < ENOUGH {
        let counted: u64 = summary.findings.iter().map(|(.., count)| count).sum();
        assert_eq!(counted, findings.len() as u64);
        let (pieces, _) = found(bytes.0, &format, &options, piece);
        assert_eq!(findings, pieces, "in pieces of {piece}");
        if options.target.is_none() {
            as_events(bytes.0, &format, &options, &findings);
        }
    }
}

fn as_events(bytes: &[u8], format: &Option<LogFormat>, options: &LintOptions, findings: &[Finding]) {
    let mut reader = LogReader::new(
        "bytes",
        Box::new(Pieces::new(bytes, WHOLE)),
        LogReadOptions { format: format.clone() },
    );
    let mut messages = Vec::new();
    while let Ok(true) = reader.advance() {
        let Ok(text) = std::str::from_utf8(reader.entry().text) else { return };
        if text.starts_with("CWL CONTROL") {
            return;
        }
        messages.push(format!("{{\"message\":{}}}", serde_json::to_string(text).unwrap()));
    }
    let summary = reader.summary();
    // of a time in front of an event's message nothing is known
    if summary.shape != Some(LogShape::Text) || summary.tail_lines > 0 || summary.lines > ENOUGH as u64 {
        return;
    }
    let document = format!("[{}]", messages.join(","));
    let (others, _) = found(document.as_bytes(), format, options, WHOLE);
    let said = |findings: &[Finding]| {
        // what is longer than a line is another event
        let kept = findings.iter().filter(|finding| finding.rule != Rule::Unreadable);
        kept.map(|finding| (finding.rule, finding.place.number, finding.span.clone())).collect::<Vec<_>>()
    };
    assert_eq!(said(findings), said(&others), "as events");
}
