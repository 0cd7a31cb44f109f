//! `lint`: the page of its rules against their table and against what they find, AWS's own examples, and faults that are in wide
//! use as test data.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::Cursor;
use std::path::Path;

use flowtruth::lint::{Finding, LintOptions, Rule};
use flowtruth::pipeline::{LintSummary, LogInput, Progress, lint};

/// What is found in a log.
fn found_in(log: impl Into<Vec<u8>>, options: LintOptions) -> (Vec<Finding>, LintSummary) {
    let input = LogInput::Reader("flow.log".to_owned(), Box::new(Cursor::new(log.into())));
    let mut findings = Vec::new();
    let summary = lint(vec![input], None, options, &Progress::new(), |_, finding| {
        findings.push(finding);
        true
    });
    (findings, summary)
}

fn rules_in(log: &str) -> Vec<&'static str> {
    let (findings, summary) = found_in(log, LintOptions::default());
    assert!(summary.failures.is_empty());
    findings.iter().map(|finding| finding.rule.name()).collect()
}

/// A rule's example as bytes, and the consumer that it is for.
fn example(rule: Rule) -> (Vec<u8>, LintOptions) {
    let (target, log) = match rule.example().split_once(" | ") {
        Some((target, log)) => (Some(target.parse().unwrap()), log),
        None => (None, rule.example()),
    };
    let mut options = LintOptions::default();
    options.target = target;
    // U+00FF stands for the byte
    let bytes = if rule == Rule::NotUtf8 { log.replace('\u{ff}', "\u{1}") } else { log.to_owned() };
    let bytes = bytes.into_bytes().into_iter().map(|byte| if byte == 1 { 0xff } else { byte }).collect();
    (bytes, options)
}

#[test]
fn every_rule_finds_its_example() {
    for rule in Rule::ALL {
        let (log, options) = example(rule);
        let (findings, _) = found_in(log, options);
        assert!(findings.iter().any(|finding| finding.rule == rule), "{rule}: {findings:?}");
    }
}

const INTRODUCTION: &str = "\
# What `lint` finds

<!-- Made from the table in src/lint/rule.rs; `OVERWRITE=1 cargo test --test lint` rewrites it. -->

`flowtruth lint LOG...` says what in a flow log cannot be true, or breaks what reads it: with the line, the value and the
rule. It reads what `diff` reads: text, JSON and Parquet, gzip or not, files, directories and pipes.

- An **error** cannot be true or cannot be read, a **warning** is unlikely in a log of AWS's or known to break readers, a
  **note** is possible but worth a look.
- `--allow RULE` switches a rule off, `--warn RULE` and `--deny RULE` make it a warning or an error; `all` is all of them,
  and what is denied comes last: `--allow all --deny too-few-bytes` looks for one thing.
- `--target CONSUMER` adds what breaks that consumer.
- The status is 0 without errors and warnings, 1 with some, 2 if a log could not be read.
- `--json` writes a line of JSON for each finding and one for the numbers, `--sarif` a SARIF 2.1.0 document.

A value that is not understood is no reason to be silent about the others. What is judged against other records
(duplicates, refused requests) is looked for among the last tens of thousands, so that memory stays bounded. The rules about values
know AWS's documentation; where that says nothing, they say nothing.

| rule | level | finds |
|---|---|---|
";

#[test]
fn the_page_of_the_rules_is_what_the_table_says_and_the_rules_find() {
    let mut page = INTRODUCTION.to_owned();
    for rule in Rule::ALL {
        writeln!(page, "| [`{rule}`](#{rule}) | {} | {} |", rule.level(), rule.what()).unwrap();
    }
    for rule in Rule::ALL {
        let (log, options) = example(rule);
        let target = options.target.map(|target| format!(" (with `--target {target}`)")).unwrap_or_default();
        let (findings, _) = found_in(log.clone(), options);
        let finding = findings.iter().find(|finding| finding.rule == rule).unwrap();
        write!(page, "\n## {rule}\n\n{}. {}\n\n```text\n", rule.what(), rule.why()).unwrap();
        for line in String::from_utf8_lossy(&log).split('\n') {
            let mut shown = String::new();
            for character in line.chars() {
                match character {
                    '\u{feff}' => shown.push_str("<U+FEFF>"),
                    '\r' | '\t' | '\u{1b}' => shown.extend(character.escape_default()),
                    _ => shown.push(character),
                }
            }
            // a space at the end shows
            let kept = shown.trim_end_matches(' ').len();
            let spaces = "·".repeat(shown.len() - kept);
            writeln!(page, "{}{spaces}", &shown[..kept]).unwrap();
        }
        let place = match finding.place.number {
            0 => "The log".to_owned(),
            number => format!("{} {number}", finding.place.unit),
        };
        writeln!(page, "```\n\n{place}{target}: {}. {}", finding.message, rule.advice()).unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lint.md");
    if std::env::var_os("OVERWRITE").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap() == page, "docs/lint.md is stale; OVERWRITE=1 writes it anew");
}

/// The examples of AWS's pages, one log for each format, facts as data.
const OF_AWS: &[&str] = &[
    "2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK
2 123456789010 eni-1235b8ca123456789 172.31.9.69 172.31.9.12 49761 3389 6 20 4249 1418530010 1418530070 REJECT OK
2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - NODATA
2 123456789010 eni-11111111aaaaaaaaa - - - - - - - 1431280876 1431280934 - SKIPDATA
2 123456789010 eni-1235b8ca123456789 203.0.113.12 172.31.16.139 0 0 1 4 336 1432917027 1432917142 ACCEPT OK
2 123456789010 eni-1235b8ca123456789 172.31.16.139 203.0.113.12 0 0 1 4 336 1432917094 1432917142 REJECT OK
2 123456789010 eni-1235b8ca123456789 2001:db8:1234:a100:8d6e:3477:df66:f105 2001:db8:1234:a102:3304:8879:34cf:4071 34892 22 6 54 8855 1477913708 1477913820 ACCEPT OK
",
    "version vpc-id subnet-id instance-id interface-id account-id type srcaddr dstaddr srcport dstport pkt-srcaddr pkt-dstaddr protocol bytes packets start end action tcp-flags log-status
3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 123456789010 IPv4 52.213.180.42 10.0.0.62 43416 5001 52.213.180.42 10.0.0.62 6 568 8 1566848875 1566848933 ACCEPT 2 OK
3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 123456789010 IPv4 10.0.0.62 52.213.180.42 5001 43416 10.0.0.62 52.213.180.42 6 376 7 1566848875 1566848933 ACCEPT 18 OK
3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 123456789010 IPv4 10.0.0.62 52.213.180.42 5001 43418 10.0.0.62 52.213.180.42 6 63388 1219 1566848933 1566849113 ACCEPT 1 OK
3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 123456789010 IPv4 52.213.180.42 10.0.0.62 43418 5001 52.213.180.42 10.0.0.62 6 23294588 15774 1566848933 1566849113 ACCEPT 1 OK
3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 123456789010 IPv4 52.213.180.42 10.0.0.62 43638 5001 52.213.180.42 10.0.0.62 6 1260 17 1566933133 1566933193 ACCEPT 3 OK
",
    "instance-id interface-id srcaddr dstaddr pkt-srcaddr pkt-dstaddr
- eni-1235b8ca123456789 10.0.1.5 10.0.0.220 10.0.1.5 203.0.113.5
- eni-1235b8ca123456789 10.0.0.220 10.0.1.5 203.0.113.5 10.0.1.5
i-01234567890123456 eni-1111aaaa2222bbbb3 203.0.113.5 10.0.1.5 203.0.113.5 10.0.1.5
",
    "resource-id instance-id interface-id subnet-id srcaddr dstaddr pkt-srcaddr pkt-dstaddr
nat-1234567890abcdef - - - 107.22.182.139 203.0.113.5 107.22.182.139 203.0.113.5
- i-01234567890123456 eni-1111aaaa2222bbbb3 subnet-aaaaaaaa012345678 10.0.1.5 203.0.113.5 10.0.1.5 203.0.113.5
",
    "version interface-id account-id vpc-id subnet-id instance-id srcaddr dstaddr srcport dstport protocol tcp-flags type pkt-srcaddr pkt-dstaddr action log-status
3 eni-33333333333333333 123456789010 vpc-abcdefab012345678 subnet-22222222bbbbbbbbb i-01234567890123456 10.20.33.164 10.40.2.236 39812 80 6 3 IPv4 10.20.33.164 10.40.2.236 ACCEPT OK
3 eni-33333333333333333 123456789010 vpc-abcdefab012345678 subnet-22222222bbbbbbbbb i-01234567890123456 10.40.2.236 10.20.33.164 80 39812 6 19 IPv4 10.40.2.236 10.20.33.164 ACCEPT OK
3 eni-22222222222222222 123456789010 vpc-abcdefab012345678 subnet-22222222bbbbbbbbb - 10.40.2.236 10.40.2.31 80 39812 6 19 IPv4 10.40.2.236 10.20.33.164 ACCEPT OK
",
    "version srcaddr dstaddr srcport dstport protocol start end type packets bytes account-id vpc-id subnet-id instance-id interface-id region az-id sublocation-type sublocation-id action tcp-flags pkt-srcaddr pkt-dstaddr pkt-src-aws-service pkt-dst-aws-service traffic-path flow-direction log-status
5 52.95.128.179 10.0.0.71 80 34210 6 1616729292 1616729349 IPv4 14 15044 123456789012 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-0c50d5961bcb2d47b eni-1235b8ca123456789 ap-southeast-2 apse2-az3 - - ACCEPT 19 52.95.128.179 10.0.0.71 S3 - - ingress OK
5 10.0.0.71 52.95.128.179 34210 80 6 1616729292 1616729349 IPv4 7 471 123456789012 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-0c50d5961bcb2d47b eni-1235b8ca123456789 ap-southeast-2 apse2-az3 - - ACCEPT 3 10.0.0.71 52.95.128.179 - S3 8 egress OK
",
    "flow-direction traffic-path srcaddr dstaddr srcport dstport encryption-status
ingress - 10.0.133.8 10.0.128.55 43236 80 1
egress 1 10.0.128.55 10.0.133.8 80 43236 1
",
];

#[test]
fn the_examples_of_aws_are_clean() {
    for log in OF_AWS {
        assert_eq!(rules_in(log), [""; 0], "{log}");
    }
}

#[test]
fn the_example_of_aws_with_two_spaces_has_that_fault_and_no_other() {
    let header = OF_AWS[1].lines().next().unwrap();
    let line = "3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 123456789010 IPv4 10.0.0.62 52.213.180.42 5001 43638  10.0.0.62 52.213.180.42 6 967 14 1566933133 1566933193 ACCEPT 19 OK";
    assert_eq!(rules_in(&format!("{header}\n{line}\n")), ["repeated-space"]);
}

#[test]
fn faults_in_wide_use_as_test_data_are_found() {
    // a generator's template: dates for seconds, packets times 15, a space at the end, NODATA with addresses
    let generated = "2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 8 120 2021-06-07T21:24:07Z 2021-06-07T21:25:07Z ACCEPT OK \n\
        2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 - - - - - 2021-06-07T21:24:07Z 2021-06-07T21:25:07Z - NODATA \n";
    let found: BTreeSet<_> = rules_in(generated).into_iter().collect();
    let expected = ["data-in-nodata", "too-few-bytes", "trailing-space", "written-time"];
    assert_eq!(found, BTreeSet::from(expected));
    // a sample that says version 3 and has a field of version 8
    let sample = "version srcaddr dstaddr packets bytes action log-status reject-reason\n\
        3 10.0.0.1 10.0.0.2 2 120 REJECT OK BPA\n";
    assert_eq!(rules_in(sample), ["version-mismatch"]);
    // a tutorial's refusal without packets
    let tutorial =
        "2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 0 0 1623101047 1623101107 REJECT OK\n";
    assert_eq!(rules_in(tutorial), ["zero-packets"]);
}

#[test]
fn clean_lines_are_counted_as_the_others_are() {
    let line = |port: u32| {
        format!(
            "2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 {port} 50000 6 2 120 1623101047 1623101107 ACCEPT OK\n"
        )
    };
    let log: String = (1..=70_000).map(line).collect();
    let (findings, summary) = found_in(log.clone(), LintOptions::default());
    // more ports than there are
    assert_eq!(findings.len(), 70_000 - 65_535);
    assert!(findings.iter().all(|finding| finding.rule == Rule::OutOfRange));
    assert_eq!((summary.entries, summary.records, summary.logs), (70_000, 65_535, 1));
    // the same log again, and its last records are there twice
    let twice = format!("{0}{0}", (1..=1000).map(line).collect::<String>());
    let (findings, _) = found_in(twice, LintOptions::default());
    assert_eq!(findings.len(), 1000);
    assert_eq!(findings[0].message, "the record is the same as in line 1");
}

#[test]
fn json_and_events_are_judged_as_lines_are() {
    let record =
        r#"{"version":2,"srcaddr":"10.0.0.1","dstaddr":"10.0.0.2","packets":2,"bytes":30,"log_status":"OK"}"#;
    assert_eq!(rules_in(record), ["too-few-bytes"]);
    assert_eq!(
        rules_in(&format!("[{record},{record}]")),
        ["too-few-bytes", "too-few-bytes", "duplicate-record"]
    );
    let record = r#"{"srcaddr":"10.0.0.1","dstaddr":"10.0.0.2","start":"2021-06-07T21:24:07Z","x":1}"#;
    assert_eq!(rules_in(record), ["unknown-field", "written-time"]);
    let tail = "2021-06-07T21:24:07 eni-abc123de-all 2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 30 1623101047 1623101107 ACCEPT OK\n";
    assert_eq!(rules_in(tail), ["too-few-bytes"]);
}

#[test]
fn transit_gateway_records_are_clean() {
    let ids = "tgw-1 tgw-attach-1 123456789012 123456789013 vpc-1 vpc-2 subnet-1 subnet-2 eni-1 eni-2 use1-az1 use1-az2 tgw-attach-2";
    let line = format!(
        "6 TransitGateway 123456789012 {ids} 10.0.0.1 10.0.1.1 12345 443 6 10 1000 1700000000 1700000060 OK IPv4 0 0 0 0 26 us-east-1 ingress - -\n"
    );
    assert_eq!(rules_in(&line), [""; 0]);
    assert_eq!(rules_in(&line.replacen('6', "5", 1)), ["version-mismatch"]);
}
