//! What a consumer insists on, beyond what is wrong for everybody.

use super::linter::Report;
use super::{Finding, FindingPlace, Linter, Rule};
use crate::consumer::{Consumer, Header};
use crate::record::FileFormat;

/// How a log comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogKind {
    /// Lines of text.
    #[default]
    Text,
    /// Events of CloudWatch Logs, whose messages are lines.
    Events,
    /// JSON that is records itself.
    Json,
    /// Parquet.
    Parquet,
}

impl LogKind {
    /// What its places count.
    pub(super) const fn unit(self) -> &'static str {
        match self {
            LogKind::Text => "line",
            LogKind::Events => "event",
            LogKind::Json | LogKind::Parquet => "record",
        }
    }
}

/// What is known of a log before its first line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFacts {
    /// Its name, a path where it is a file.
    pub name: String,
    /// How it comes.
    pub kind: LogKind,
    /// Whether it is in gzip.
    pub is_gzip: bool,
}

impl LogFacts {
    /// Of text that is not compressed.
    pub fn text(name: &str) -> LogFacts {
        LogFacts { name: name.to_owned(), ..LogFacts::default() }
    }
}

/// What stands for the log as a whole.
const WHOLE: FindingPlace = FindingPlace { unit: "line", number: 0 };

/// Asks the consumer about a log.
pub(super) fn log(linter: &mut Linter, out: &mut Vec<Finding>) {
    let Some(consumer) = linter.options.target else { return };
    let contract = consumer.contract();
    let facts = &linter.facts;
    let file_format = match facts.kind {
        // whoever takes lines takes them out of events, or is CloudWatch Logs itself
        LogKind::Text | LogKind::Events => FileFormat::PlainText,
        LogKind::Json => FileFormat::Json,
        LogKind::Parquet => FileFormat::Parquet,
    };
    let mut report = Report::new(&linter.options, &linter.columns, WHOLE, b"", &[], out);
    if !contract.file_formats.contains(&file_format) {
        let expected: Vec<String> =
            contract.file_formats.iter().map(|one| format!("`{}`", one.name())).collect();
        report.add(Rule::TargetFileFormat, None, || {
            format!("the log is `{}`, and `{consumer}` reads {}", file_format.name(), expected.join(" or "))
        });
    }
    if consumer == Consumer::FlowlogsReader && matches!(facts.kind, LogKind::Text | LogKind::Parquet) {
        let mut parts = facts.name.rsplit(['/', '\\']);
        let file = parts.next().unwrap_or_default();
        if !is_object_name(file) {
            report.add(Rule::TargetName, None, || {
                format!(
                    "the name is `{}`, and `{consumer}` finds objects named \
                     `ACCOUNT_vpcflowlogs_REGION_fl-ID_YYYYMMDDTHHMMZ_HASH.log.gz` only",
                    crate::record::shown(file)
                )
            });
        } else if parts.take_while(|part| *part != "AWSLogs").any(is_hive_part) {
            report.add(Rule::TargetName, None, || {
                format!("the object is below Hive-compatible prefixes, where `{consumer}` does not look")
            });
        } else if facts.kind == LogKind::Text && !facts.is_gzip {
            report.add(Rule::TargetName, None, || {
                format!("the text is not in gzip, and `{consumer}` expects that")
            });
        }
    }
}

/// Whether an object is named as AWS names them: the last `_` but one is followed by a time, and no hash has a `_`.
fn is_object_name(file: &str) -> bool {
    let mut parts = file.rsplit('_');
    let (Some(_), Some(time)) = (parts.next(), parts.next()) else { return false };
    let is_like = |(byte, mark): (&u8, &u8)| if *mark == b'0' { byte.is_ascii_digit() } else { byte == mark };
    let pattern = b"00000000T0000Z";
    let ends_well = file.ends_with(".log.gz") || file.ends_with(".parquet");
    time.len() == pattern.len() && time.as_bytes().iter().zip(pattern).all(is_like) && ends_well
}

/// Whether a part of an object's key is that of a Hive-compatible prefix.
fn is_hive_part(part: &str) -> bool {
    part.starts_with("aws-account-id=") || part.starts_with("year=")
}

/// Asks the consumer about a header.
pub(super) fn header(linter: &mut Linter, place: FindingPlace, line: &[u8], out: &mut Vec<Finding>) {
    let Some(consumer) = linter.options.target else { return };
    if consumer.contract().header == Header::Forbidden {
        let mut report = Report::new(&linter.options, &linter.columns, place, line, &[], out);
        report.add(Rule::TargetHeader, None, || {
            format!("the log has a header, and `{consumer}` takes it for a record")
        });
    }
    fields(linter, place, line, out);
}

/// Asks the consumer about words in front of a record's values, of the first line under some columns.
pub(super) fn words_in_front(
    linter: &Linter,
    place: FindingPlace,
    line: &[u8],
    words: usize,
    out: &mut Vec<Finding>,
) {
    let Some(consumer) = linter.options.target.filter(|_| words > 0 && !linter.asked_target) else { return };
    let mut report = Report::new(&linter.options, &linter.columns, place, line, &[], out);
    report.add(Rule::TargetFields, None, || {
        let words = if words == 1 { "a word stands".to_owned() } else { format!("{words} words stand") };
        format!("{words} in front of the record, which `{consumer}` takes for its first values, or fails")
    });
}

/// Asks the consumer about the first record under some columns.
pub(super) fn record(linter: &mut Linter, place: FindingPlace, line: &[u8], out: &mut Vec<Finding>) {
    let Some(consumer) = linter.options.target else { return };
    if linter.asked_target {
        return;
    }
    let is_text = linter.facts.kind == LogKind::Text;
    if is_text && linter.headers == 0 && consumer.contract().header == Header::Required {
        let mut report = Report::new(&linter.options, &linter.columns, place, line, &[], out);
        report.add(Rule::TargetHeader, None, || {
            format!("the log has no header, and `{consumer}` takes this record for it, or fails")
        });
    }
    fields(linter, place, line, out);
}

fn fields(linter: &mut Linter, place: FindingPlace, line: &[u8], out: &mut Vec<Finding>) {
    let Some(consumer) = linter.options.target else { return };
    linter.asked_target = true;
    let mut report = Report::new(&linter.options, &linter.columns, place, line, &[], out);
    match report.columns.format().map(|format| consumer.contract().reads(&format)) {
        Some(Ok(())) => {}
        Some(Err(breach)) => {
            report
                .add(Rule::TargetFields, None, || format!("`{consumer}` does not read the fields: {breach}"));
        }
        None => report.add(Rule::TargetFields, None, || {
            format!("`{consumer}` does not read the fields: some are in no VPC flow log, or twice")
        }),
    }
}
