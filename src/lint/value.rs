//! One value of one field.

use crate::record::{Action, Field, FieldType, FlowDirection, FlowRecord, LogStatus, RecordType, Value};

use super::Rule;
use super::linter::Report;

/// The first second of 2000 and of 2100.
const TIMES: std::ops::Range<i64> = 946_684_800..4_102_444_800;
/// A time from here on is not in seconds: in milliseconds it is 1973.
pub(super) const MILLISECONDS: i64 = 100_000_000_000;

/// Prefixes of identifiers.
const PREFIXES: [(Field, &str); 8] = [
    (Field::InterfaceId, "eni-"),
    (Field::VpcId, "vpc-"),
    (Field::SubnetId, "subnet-"),
    (Field::InstanceId, "i-"),
    (Field::ResourceId, "nat-"),
    (Field::NextHopInterfaceId, "eni-"),
    (Field::NextHopSubnetId, "subnet-"),
    (Field::NextHopVpcId, "vpc-"),
];

/// Reads a value into the record and says what is wrong with it; whether the record has it now.
pub(super) fn read(
    report: &mut Report<'_>,
    column: usize,
    field: Field,
    text: &str,
    record: &mut FlowRecord,
) -> bool {
    if field.read(record, text).is_err() {
        field.clear(record);
        return refused(report, column, field, text, record);
    }
    if text != "-" {
        look_at(report, column, field, text, record);
    }
    true
}

/// Says why a field cannot hold a text. A word in another letter case is read all the same.
pub(super) fn refused(
    report: &mut Report<'_>,
    column: usize,
    field: Field,
    text: &str,
    record: &mut FlowRecord,
) -> bool {
    let quoted = crate::record::shown(text);
    let mut add = |rule, expected: &str| {
        report.add(rule, Some(column), || format!("`{field}` is `{quoted}`, expected {expected}"));
    };
    if let Some(words) = words(field) {
        let listed: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        if let Some(word) = words.iter().find(|word| word.eq_ignore_ascii_case(text)) {
            add(Rule::WordCase, &format!("`{word}`"));
            return field.read(record, word).is_ok();
        }
        add(Rule::UnknownWord, &listed.join(", "));
    } else if field.is_address() {
        add(Rule::NotAnAddress, "an IPv4 or IPv6 address");
    } else if field.field_type() == FieldType::String {
        add(Rule::OddIdentifier, "text without white space and control characters");
    } else if matches!(field, Field::Start | Field::End) && is_date(text) {
        add(Rule::WrittenTime, "Unix seconds");
    } else if !text.is_empty() && !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let expected = match field {
            Field::SrcPort | Field::DstPort => "0 to 65535",
            Field::Packets | Field::Bytes | Field::Start | Field::End => "a number of 64 bits",
            _ => "0 to 255",
        };
        add(Rule::OutOfRange, expected);
    } else {
        add(Rule::NotANumber, "a whole number in plain decimals");
    }
    false
}

/// The words of a field that has nothing else.
fn words(field: Field) -> Option<Vec<&'static str>> {
    Some(match field {
        Field::Action => Action::ALL.iter().map(|word| word.as_str()).collect(),
        Field::LogStatus => LogStatus::ALL.iter().map(|word| word.as_str()).collect(),
        Field::FlowDirection => FlowDirection::ALL.iter().map(|word| word.as_str()).collect(),
        Field::Type => RecordType::ALL.iter().map(|word| word.as_str()).collect(),
        _ => return None,
    })
}

/// Whether a text begins as a date does.
fn is_date(text: &str) -> bool {
    let is_like = |(byte, mark): (&u8, &u8)| if *mark == b'0' { byte.is_ascii_digit() } else { byte == mark };
    text.len() >= 10 && text.as_bytes().iter().zip(b"0000-00-00").all(is_like)
}

/// Says what is odd about a value that the field can hold.
fn look_at(report: &mut Report<'_>, column: usize, field: Field, text: &str, record: &FlowRecord) {
    let column = Some(column);
    let value = field.get(record);
    let quoted = || crate::record::shown(text);
    match value {
        Value::Addr(address) if text.contains(':') => {
            let usual = address.to_string();
            if usual != text {
                report.add(Rule::AddressSpelling, column, || {
                    format!("`{field}` is `{text}`, expected `{usual}`")
                });
            }
        }
        Value::Int(time) if time >= MILLISECONDS => report.add(Rule::MillisecondTime, column, || {
            format!("`{field}` is `{time}`, expected seconds since 1970")
        }),
        Value::Int(time) if !TIMES.contains(&time) => report.add(Rule::ImpossibleTime, column, || {
            format!("`{field}` is `{time}`, expected a time between 2000 and 2100 in Unix seconds")
        }),
        Value::Text(account) if field == Field::AccountId => {
            let is_number = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
            if !is_number && account != "unknown" {
                report.add(Rule::OddAccount, column, || {
                    format!("`{field}` is `{}`, expected 12 digits or `unknown`", quoted())
                });
            }
        }
        Value::Text(id) => {
            if let Some((_, prefix)) = PREFIXES.iter().find(|(one, _)| *one == field) {
                let digits = id.strip_prefix(prefix);
                let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                if !digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(is_digit)) {
                    report.add(Rule::OddIdentifier, column, || {
                        format!("`{field}` is `{}`, expected `{prefix}` and hexadecimal digits", quoted())
                    });
                }
            }
        }
        _ => {}
    }
    if field != Field::Version && !field.info().values.allow(&value) {
        report.add(Rule::UnlistedValue, column, || {
            format!("`{field}` is `{}`, which AWS's documentation does not list", quoted())
        });
    }
}
