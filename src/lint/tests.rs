//! The rules, the short way, and that the two agree.

use proptest::prelude::*;

use super::*;
use crate::consumer::Consumer;
use crate::record::LogFormat;

const LINE: &str =
    "2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 120 1623101047 1623101107 ACCEPT OK";

fn place(number: u64) -> FindingPlace {
    FindingPlace { unit: "line", number }
}

/// What the rules find in a line that comes first, in the default format.
fn by_the_rules(line: &[u8]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut linter = Linter::new(LintOptions::default());
    linter.begin_log(LogFacts::text("x"), &mut findings);
    linter.line(place(1), line, 0, None, &mut findings);
    findings
}

/// Whether a line that comes first is clean by its bytes.
fn at_a_glance(line: &[u8]) -> bool {
    let mut linter = Linter::new(LintOptions::default());
    linter.begin_log(LogFacts::text("x"), &mut Vec::new());
    linter.is_clean(line, 1)
}

fn rules(findings: &[Finding]) -> Vec<Rule> {
    findings.iter().map(|finding| finding.rule).collect()
}

/// The rules that find something in lines of a format.
fn in_format(format: &str, lines: &[&str]) -> Vec<Rule> {
    let mut findings = Vec::new();
    let mut linter = Linter::new(LintOptions::default());
    linter.set_default_columns(&LogFormat::from_header(format).unwrap());
    linter.begin_log(LogFacts::text("x"), &mut findings);
    for (line, number) in lines.iter().zip(1..) {
        linter.line(place(number), line.as_bytes(), 0, None, &mut findings);
    }
    rules(&findings)
}

#[test]
fn an_ordinary_record_is_clean_at_a_glance_and_by_the_rules() {
    for line in [
        LINE.to_owned(),
        LINE.replace(" 6 ", " 17 "),
        LINE.replace("443 50000 6", "0 0 1"),
        LINE.replace("ACCEPT", "REJECT"),
        LINE.replace(" 120 ", " 40 "),
        LINE.replace(" 120 ", " 131070 "),
        LINE.replace("1623101107", "1623101647"),
        LINE.replace("1623101107", "1623101047"),
        LINE.replace("10.0.0.1 ", "255.255.255.255 "),
    ] {
        assert_eq!(rules(&by_the_rules(line.as_bytes())), [], "{line}");
        assert!(at_a_glance(line.as_bytes()), "{line}");
    }
}

#[test]
fn what_is_only_just_wrong_is_found() {
    for (from, to, rule) in [
        (" 120 ", " 39 ", Rule::TooFewBytes),
        (" 120 ", " 131071 ", Rule::TooManyBytes),
        ("1623101107", "1623101648", Rule::LongInterval),
        ("1623101107", "1623101046", Rule::EndBeforeStart),
        (" 2 120", " 0 0", Rule::ZeroPackets),
        ("443", "65536", Rule::OutOfRange),
        ("443", "0443", Rule::NotANumber),
        ("10.0.0.1 ", "10.0.0.01 ", Rule::NotAnAddress),
        ("10.0.0.1 ", "10.0.0 ", Rule::NotAnAddress),
        ("123456789012", "12345678901", Rule::OddAccount),
        ("eni-abc123de", "eni-ABC", Rule::OddIdentifier),
        ("eni-abc123de", "eni-", Rule::OddIdentifier),
        ("2 1", "3 1", Rule::VersionMismatch),
        (" OK", " OK ", Rule::TrailingSpace),
        (" OK", " OK\r", Rule::CarriageReturn),
        (" 6 ", "  6 ", Rule::RepeatedSpace),
        ("1623101047 1623101107", "4102444800 4102444801", Rule::ImpossibleTime),
        ("1623101047 1623101107", "1623101047000 1623101047000", Rule::MillisecondTime),
        ("443 50000 6", "443 0 6", Rule::PortZero),
        ("443 50000 6", "8 0 1", Rule::UnexpectedPorts),
        ("443 50000 6", "68 67 17", Rule::NeverLogged),
        ("10.0.0.2", "169.254.169.253", Rule::NeverLogged),
        (" 2 120", " 2 -", Rule::MissingValue),
    ] {
        let line = LINE.replacen(from, to, 1);
        assert!(
            rules(&by_the_rules(line.as_bytes())).contains(&rule),
            "{line}: {:?}",
            by_the_rules(line.as_bytes())
        );
        assert!(!at_a_glance(line.as_bytes()), "{line}");
    }
}

#[test]
fn what_is_rare_but_true_is_clean() {
    let flags = "srcaddr dstaddr protocol tcp-flags log-status";
    for value in ["0", "1", "2", "3", "4", "6", "7", "18", "19", "23", "-"] {
        assert_eq!(in_format(flags, &[&format!("10.0.0.1 10.0.0.2 6 {value} OK")]), [], "{value}");
    }
    for value in ["0", "-"] {
        assert_eq!(in_format(flags, &[&format!("10.0.0.1 10.0.0.2 17 {value} OK")]), [], "{value}");
    }
    for value in ["16", "8", "24", "20", "32", "255"] {
        let found = in_format(flags, &[&format!("10.0.0.1 10.0.0.2 6 {value} OK")]);
        assert_eq!(found, [Rule::ImpossibleFlags], "{value}");
    }
    // refused by Block Public Access: no bytes
    let line = LINE.replace("ACCEPT", "REJECT").replace(" 120 ", " - ");
    assert_eq!(rules(&by_the_rules(line.as_bytes())), []);
    // version 3 whatever the fields were, up to June 2020
    let old = "version srcaddr dstaddr start end log-status";
    assert_eq!(in_format(old, &["3 10.0.0.1 10.0.0.2 1580000000 1580000060 OK"]), []);
    assert_eq!(in_format(old, &["3 10.0.0.1 10.0.0.2 1600000000 1600000060 OK"]), [Rule::VersionMismatch]);
    // the accepted and the refused packets of one flow are two records
    let refused = LINE.replace("ACCEPT", "REJECT");
    assert_eq!(in_format(&LogFormat::default().header(), &[LINE, &refused]), []);
}

#[test]
fn a_refused_request_has_no_answer_in_either_order() {
    let format = "interface-id srcaddr dstaddr srcport dstport protocol tcp-flags start end action";
    let request = "eni-1 10.0.0.1 10.0.0.2 50000 443 6 2 1623101047 1623101107 REJECT";
    let answer = "eni-1 10.0.0.2 10.0.0.1 443 50000 6 18 1623101047 1623101107 ACCEPT";
    assert_eq!(in_format(format, &[request, answer]), [Rule::AnsweredRefusal]);
    assert_eq!(in_format(format, &[answer, request]), [Rule::AnsweredRefusal]);
    // at another interface, at another time, without the handshake, or accepted
    for (from, to) in [("eni-1", "eni-2"), ("16231011", "16231041"), (" 18 ", " 0 ")] {
        let other = answer.replace("1623101047", "1623101107").replace(from, to);
        let other = if from == "16231011" { other.replace("1623101107", "1623104107") } else { other };
        assert_eq!(in_format(format, &[request, &other]), [], "{other}");
    }
    assert_eq!(in_format(format, &[&request.replace("REJECT", "ACCEPT"), answer]), []);
}

#[test]
fn a_second_record_is_found_however_the_first_was_looked_at() {
    let mut linter = Linter::new(LintOptions::default());
    let mut findings = Vec::new();
    linter.begin_log(LogFacts::text("a"), &mut findings);
    assert!(linter.is_clean(LINE.as_bytes(), 7));
    assert!(!linter.is_clean(LINE.as_bytes(), 8), "that is for the rules to say");
    linter.line(place(8), LINE.as_bytes(), 0, None, &mut findings);
    // spacing does not make it another record
    linter.begin_log(LogFacts::text("b"), &mut findings);
    linter.line(place(1), format!("{LINE} ").as_bytes(), 0, None, &mut findings);
    let duplicates = findings.iter().filter(|finding| finding.rule == Rule::DuplicateRecord);
    let messages: Vec<_> = duplicates.map(|finding| finding.message.as_str()).collect();
    assert_eq!(
        messages,
        ["the record is the same as in line 7", "the record is the same as in line 7 of `a`"]
    );
}

#[test]
fn places_are_bytes_of_the_text() {
    let findings = by_the_rules(LINE.replace(" 443 ", "  70000 ").as_bytes());
    let found: Vec<_> = findings.iter().map(|one| (one.rule, &one.text[one.span.clone().unwrap()])).collect();
    assert_eq!(found, [(Rule::RepeatedSpace, "  "), (Rule::OutOfRange, "70000")]);
    assert_eq!((findings[1].column, findings[1].field.as_deref()), (Some(6), Some("srcport")));
}

#[test]
fn a_rule_that_is_off_finds_nothing() {
    let mut options = LintOptions::default();
    options.set_level(Rule::TrailingSpace, None);
    options.set_level(Rule::PortZero, Some(Level::Error));
    let mut linter = Linter::new(options);
    let mut findings = Vec::new();
    linter.begin_log(LogFacts::text("x"), &mut findings);
    let line = format!("{} ", LINE.replace("443", "0"));
    linter.line(place(1), line.as_bytes(), 0, None, &mut findings);
    assert_eq!(
        findings.iter().map(|one| (one.rule, one.level)).collect::<Vec<_>>(),
        [(Rule::PortZero, Level::Error)]
    );
}

/// What a consumer finds in a log of this name whose lines have so many words in front.
fn asked(consumer: Consumer, name: &str, lines: &[&str], words_in_front: usize) -> Vec<Rule> {
    let mut findings = Vec::new();
    let mut options = LintOptions::default();
    options.target = Some(consumer);
    let mut linter = Linter::new(options);
    let facts = LogFacts { name: name.to_owned(), is_gzip: true, ..LogFacts::default() };
    linter.begin_log(facts, &mut findings);
    for (line, number) in lines.iter().zip(1..) {
        linter.line(place(number), line.as_bytes(), words_in_front, None, &mut findings);
    }
    findings.retain(|finding| finding.rule != Rule::TargetHeader);
    rules(&findings)
}

#[test]
fn objects_below_hive_prefixes_were_thought_to_be_found() {
    let file = "123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20210607T2230Z_0123abcd.log.gz";
    for (folder, found) in [
        ("s3://b/AWSLogs/123456789012/vpcflowlogs/us-east-1/2021/06/07/", &[][..]),
        ("/home/year=2021/AWSLogs/123456789012/vpcflowlogs/us-east-1/2021/06/07/", &[]),
        ("AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/day=07/", &[Rule::TargetName]),
        ("year=2021/month=06/day=07/", &[Rule::TargetName]),
    ] {
        let name = format!("{folder}{file}");
        assert_eq!(asked(Consumer::FlowlogsReader, &name, &[LINE], 0), found, "{name}");
        assert_eq!(asked(Consumer::DuckDb, &name, &[LINE], 0), [], "{name}");
    }
}

#[test]
fn words_in_front_of_records_were_no_matter_for_who_takes_values_by_their_place() {
    let tail = format!("2021-06-07T22:30:47+00:00 eni-abc123de-all {LINE}");
    let other = tail.replace("50000", "50001");
    assert_eq!(asked(Consumer::Vrl, "x", &[&tail, &other], 2), [Rule::TargetFields]);
    assert_eq!(asked(Consumer::Vrl, "x", &[LINE], 0), []);
}

#[test]
fn names_of_rules_are_read_and_suggested() {
    for rule in Rule::ALL {
        assert_eq!(rule.name().parse(), Ok(rule));
        assert!(
            !rule.what().ends_with('.') && rule.why().ends_with('.') && rule.advice().ends_with('.'),
            "{rule}"
        );
    }
    let unknown = "to-few-bytes".parse::<Rule>().unwrap_err();
    assert_eq!(unknown.to_string(), "`to-few-bytes` is no rule; the nearest is `too-few-bytes`");
    assert_eq!("\u{1b}".repeat(100_000).parse::<Rule>().unwrap_err().nearest, None);
}

/// Numbers around those that matter.
fn edge() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("-".to_owned()),
        (0..70_000_u64).prop_map(|number| number.to_string()),
        prop::sample::select(vec![
            "0",
            "00",
            "1",
            "6",
            "17",
            "58",
            "255",
            "256",
            "65535",
            "65536",
            "999999999",
            "1000000000",
            "1623101047",
            "1623101647",
            "4102444799",
            "4102444800",
            "9999999999",
            "10000000000",
            "18446744073709551615",
            "18446744073709551616",
            "+1",
            "1.0",
            "",
            " ",
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]
    #[test]
    fn what_is_clean_at_a_glance_is_clean_by_the_rules(
        values in prop::collection::vec((0..14_usize, edge()), 0..3),
        bytes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        address in prop::sample::select(vec!["10.0.0.1", "169.254.169.254", "169.254.0.9", "1.2.3.4", "::1", "0.0.0.0"]),
        action in prop::sample::select(vec!["ACCEPT OK", "REJECT OK", "- NODATA", "ACCEPT SKIPDATA"]),
    ) {
        let line = LINE.replace("10.0.0.1", address).replace("ACCEPT OK", action);
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        for (index, value) in values {
            words[index] = value;
        }
        let mut line = words.join(" ").into_bytes();
        for (index, byte) in bytes {
            let at = index.index(line.len());
            line[at] = byte;
        }
        if at_a_glance(&line) {
            prop_assert_eq!(by_the_rules(&line), vec![], "{}", String::from_utf8_lossy(&line));
        }
    }

    #[test]
    fn no_line_is_too_much_for_the_rules(
        line in prop::collection::vec(any::<u8>(), 0..200),
        columns in prop::sample::select(vec!["v2", "v5", "v11"]),
    ) {
        let mut linter = Linter::new(LintOptions::default());
        let mut findings = Vec::new();
        linter.set_default_columns(&LogFormat::preset(columns).unwrap());
        linter.begin_log(LogFacts::text("x"), &mut findings);
        linter.line(place(1), &line, 1, Some(5), &mut findings);
        linter.line_without_values(place(2), &line, &mut findings);
        linter.header(place(3), &line, Vec::new(), &mut findings);
        for finding in findings {
            let is_in_text = finding.span.is_none_or(|span| finding.text.get(span).is_some());
            // bytes that are no text were replaced
            let was_repaired = finding.text.contains(char::REPLACEMENT_CHARACTER);
            prop_assert!(is_in_text || was_repaired);
        }
    }
}
