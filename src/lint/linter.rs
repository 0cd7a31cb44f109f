//! The linter: what it is told, and what it remembers.

use std::collections::HashSet;
use std::ops::Range;

use super::columns::{Columns, bit};
use super::recent::{Recent, Request, Requests, Seen, hash};
use super::record::{NotUnderstood, flow, judge};
use super::target::{LogFacts, LogKind};
use super::{Finding, FindingPlace, LintColumn, LintOptions, Rule, fast, target, value};
use crate::consumer::Consumer;
use crate::packet::{Protocol, TcpFlags};
use crate::record::{Action, Field, FlowRecord, LogFormat, LogStatus};

/// The most bytes of a text that a finding keeps.
const KEPT: usize = 2048;
/// How many names of columns are remembered as told.
const NAMES: usize = 1000;
/// Where in a place's number the log begins.
const LOG_SHIFT: u32 = 40;

/// Looks at logs line by line, and says what is wrong with them.
///
/// ```
/// use flowtruth::lint::{FindingPlace, LintOptions, Linter, LogFacts, Rule};
///
/// let mut linter = Linter::new(LintOptions::default());
/// let mut findings = Vec::new();
/// linter.begin_log(LogFacts::text("flow.log"), &mut findings);
/// let line = b"2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 30 1623101047 1623101107 ACCEPT OK";
/// assert!(!linter.is_clean(line, 1));
/// linter.line(FindingPlace { unit: "line", number: 1 }, line, 0, None, &mut findings);
/// assert_eq!(findings[0].rule, Rule::TooFewBytes);
/// assert_eq!(findings[0].message, "`bytes` is 30, expected at least 40, the IPv4 headers of 2 packets");
/// ```
pub struct Linter {
    pub(super) options: LintOptions,
    pub(super) columns: Columns,
    /// The columns of a log without a header.
    default_columns: Columns,
    record: FlowRecord,
    recent: Recent,
    requests: Requests,
    /// The log that is read.
    pub(super) facts: LogFacts,
    /// The logs that were read, for what is said of a place in another.
    logs: Vec<(Box<str>, LogKind)>,
    /// Entries of the log that are records, whatever is wrong with them.
    pub(super) records: u64,
    pub(super) headers: u64,
    /// Hashes of the names that were told to be unknown or repeated.
    told: HashSet<u64>,
    /// Whether the consumer was asked about these columns.
    pub(super) asked_target: bool,
    last_start: Option<i64>,
    /// The values of a line with a space between them, to be used again.
    joined: Vec<u8>,
}

impl Linter {
    /// A linter that has seen nothing.
    pub fn new(options: LintOptions) -> Linter {
        let default_columns = columns_of(&LogFormat::default());
        Linter {
            options,
            columns: default_columns.clone(),
            default_columns,
            record: FlowRecord::default(),
            recent: Recent::new(),
            requests: Requests::default(),
            facts: LogFacts::default(),
            logs: Vec::new(),
            records: 0,
            headers: 0,
            told: HashSet::new(),
            asked_target: false,
            last_start: None,
            joined: Vec::new(),
        }
    }

    /// From here on logs without a header have these columns.
    pub fn set_default_columns(&mut self, format: &LogFormat) {
        self.default_columns = columns_of(format);
    }

    /// Another log begins. What is remembered of records stays, so that a record that is in two logs is found.
    pub fn begin_log(&mut self, facts: LogFacts, out: &mut Vec<Finding>) {
        self.logs.push((facts.name.as_str().into(), facts.kind));
        self.facts = facts;
        (self.records, self.headers, self.last_start) = (0, 0, None);
        self.told.clear();
        self.use_columns(self.default_columns.clone());
        target::log(self, out);
    }

    fn use_columns(&mut self, columns: Columns) {
        self.columns = columns;
        self.record = FlowRecord::default();
        self.asked_target = false;
    }

    /// Whether a line without its end is without a fault, as far as a single look tells; it is then taken note of. `false`
    /// says nothing: ask [`line`](Linter::line).
    #[inline]
    pub fn is_clean(&mut self, line: &[u8], number: u64) -> bool {
        let may_be_asked = self.columns.is_default
            && match self.options.target {
                None => true,
                // the order is looked at in every record
                Some(Consumer::CloudWatch) => false,
                Some(_) => self.asked_target,
            };
        if !may_be_asked || !fast::is_clean(line, self.options.max_aggregation_interval) {
            return false;
        }
        let place = self.place(number);
        let is_new = self.recent.insert(hash(line), place).is_none();
        self.records += u64::from(is_new);
        is_new
    }

    /// A place in this log, as a number.
    #[inline]
    fn place(&self, number: u64) -> u64 {
        (self.logs.len() as u64) << LOG_SHIFT | (number & ((1 << LOG_SHIFT) - 1))
    }

    /// A place as it is told.
    fn place_name(&self, place: u64) -> String {
        let number = place & ((1 << LOG_SHIFT) - 1);
        let log = (place >> LOG_SHIFT) as usize;
        let Some((name, kind)) = log.checked_sub(1).and_then(|index| self.logs.get(index)) else {
            return format!("line {number}");
        };
        let unit = kind.unit();
        if log == self.logs.len() {
            format!("{unit} {number}")
        } else {
            format!("{unit} {number} of `{name}`")
        }
    }

    /// The names of the values that come next, of a log whose records name them. What is wrong with the names is said
    /// once for each.
    pub fn names(
        &mut self,
        place: FindingPlace,
        columns: Vec<LintColumn>,
        text: &[u8],
        out: &mut Vec<Finding>,
    ) {
        if columns == self.columns.all {
            return;
        }
        self.use_columns(Columns::new(columns));
        let told = &mut self.told;
        let mut is_news = |name: &str| told.len() < NAMES && told.insert(hash(name.as_bytes()));
        let mut report = Report::new(&self.options, &self.columns, place, text, &[], out);
        for (index, column) in report.columns.all.iter().enumerate() {
            let number = Some(index + 1);
            match column {
                LintColumn::Unknown(name) if is_news(name) => report.add(Rule::UnknownField, number, || {
                    format!("`{}` is no field of AWS's flow logs", crate::record::shown(name))
                }),
                LintColumn::Repeated(field) if is_news(field.name()) => {
                    report.add(Rule::RepeatedField, number, || format!("`{field}` is there a second time"));
                }
                _ => {}
            }
        }
    }

    /// From here on these are the columns, which a header named.
    pub(super) fn set_columns(&mut self, columns: Vec<LintColumn>) {
        self.use_columns(Columns::new(columns));
    }

    /// From here on these are the columns, which nothing in the log names.
    pub fn assume_columns(&mut self, columns: Vec<LintColumn>) {
        if columns != self.columns.all {
            self.set_columns(columns);
        }
    }

    /// How many columns there are now.
    pub fn column_count(&self) -> usize {
        self.columns.all.len()
    }

    /// A record whose values are named, one for each column; `None` where there is none. `text` is what findings show.
    pub fn record(
        &mut self,
        place: FindingPlace,
        values: &[Option<&str>],
        text: &[u8],
        out: &mut Vec<Finding>,
    ) {
        self.values(place, values.iter().map(|value| value.unwrap_or("-")), text, &[], None, out);
    }

    /// A value that its field cannot hold, of a record of which nothing else is known.
    pub fn refused(
        &mut self,
        place: FindingPlace,
        field: Field,
        value: &str,
        text: &[u8],
        out: &mut Vec<Finding>,
    ) {
        self.records += 1;
        let column = self.columns.place(field).unwrap_or(0);
        let mut report = Report::new(&self.options, &self.columns, place, text, &[], out);
        value::refused(&mut report, column, field, value, &mut FlowRecord::default());
        if column == 0
            && let Some(finding) = out.last_mut()
        {
            (finding.column, finding.field) = (None, Some(field.name().into()));
        }
    }

    /// Something that is no line, event or record, and why not.
    pub fn unreadable(
        &mut self,
        place: FindingPlace,
        rule: Rule,
        why: &str,
        text: &[u8],
        out: &mut Vec<Finding>,
    ) {
        Report::new(&self.options, &self.columns, place, text, &[], out).add(rule, None, || why.to_owned());
    }

    /// Judges values that stand where the spans say, if any.
    pub(super) fn values<'a>(
        &mut self,
        place: FindingPlace,
        values: impl Iterator<Item = &'a str>,
        text: &[u8],
        spans: &[Range<usize>],
        timestamp: Option<i64>,
        out: &mut Vec<Finding>,
    ) {
        self.records += 1;
        target::record(self, place, text, out);
        let mut record = std::mem::take(&mut self.record);
        let mut joined = std::mem::take(&mut self.joined);
        joined.clear();
        let mut bad = NotUnderstood::default();
        let mut report = Report::new(&self.options, &self.columns, place, text, spans, out);
        for (index, (column, value)) in report.columns.all.iter().zip(values).enumerate() {
            joined.extend_from_slice(value.as_bytes());
            joined.push(b' ');
            if let LintColumn::Field(field) = column
                && !value::read(&mut report, index + 1, *field, value, &mut record)
            {
                bad.0 |= bit(*field);
            }
        }
        joined.pop();
        judge(&mut report, &record, bad);
        if let (Some(timestamp), Some(start)) = (timestamp, record.start)
            && start.checked_mul(1000) != Some(timestamp)
        {
            report.of(Rule::EventTime, Field::Start, || {
                format!(
                    "the event's time is {timestamp}, expected {start}000, the record's start in milliseconds"
                )
            });
        }
        self.look_back(place, &record, &joined, text, out);
        (self.record, self.joined) = (record, joined);
    }

    /// Holds a record against those before it.
    fn look_back(
        &mut self,
        place: FindingPlace,
        record: &FlowRecord,
        joined: &[u8],
        text: &[u8],
        out: &mut Vec<Finding>,
    ) {
        let here = self.place(place.number);
        let before = self.recent.insert(hash(joined), here);
        let contradicts = request(record).and_then(|what| {
            let (start, end) = record.start.zip(record.end)?;
            let interface = hash(record.interface_id.as_deref().unwrap_or("-").as_bytes());
            self.requests.insert(flow(record)?, interface, what, Seen { start, end, place: here })
        });
        let earlier = self.last_start.zip(record.start).filter(|(last, start)| start < last);
        self.last_start = record.start.or(self.last_start);
        let before = before.map(|before| self.place_name(before));
        let contradicts = contradicts.map(|other| self.place_name(other));
        let mut report = Report::new(&self.options, &self.columns, place, text, &[], out);
        if let Some(before) = before {
            report.add(Rule::DuplicateRecord, None, || format!("the record is the same as in {before}"));
        }
        if let Some(other) = contradicts {
            report.add(Rule::AnsweredRefusal, None, || {
                format!("this and {other} are a refused request and its answer, which nobody can have given")
            });
        }
        if let (Some((last, start)), Some(Consumer::CloudWatch)) = (earlier, self.options.target) {
            report.of(Rule::TargetOrder, Field::Start, || {
                format!(
                    "`start` {start} comes after {last}, and `cloudwatch` takes events in the order of time"
                )
            });
        }
    }
}

fn columns_of(format: &LogFormat) -> Columns {
    Columns::new(format.fields().iter().copied().map(LintColumn::Field).collect())
}

/// What a record says about a request, if that can be told.
fn request(record: &FlowRecord) -> Option<Request> {
    if !matches!(record.log_status, Some(LogStatus::Ok) | None) {
        return None;
    }
    let is_refused = record.action? == Action::Reject;
    match record.protocol? {
        Protocol::ICMP | Protocol::ICMPV6 => is_refused.then_some(Request::RefusedEcho),
        Protocol::TCP => {
            let flags = record.tcp_flags?;
            match flags.contains(TcpFlags::SYN | TcpFlags::ACK) {
                true => Some(Request::Answered),
                false => (is_refused && flags == TcpFlags::SYN).then_some(Request::Refused),
            }
        }
        _ => None,
    }
}

/// Where findings of one line or record go.
pub(super) struct Report<'a> {
    pub(super) options: &'a LintOptions,
    pub(super) columns: &'a Columns,
    place: FindingPlace,
    text: &'a [u8],
    spans: &'a [Range<usize>],
    out: &'a mut Vec<Finding>,
}

impl<'a> Report<'a> {
    pub(super) fn new(
        options: &'a LintOptions,
        columns: &'a Columns,
        place: FindingPlace,
        text: &'a [u8],
        spans: &'a [Range<usize>],
        out: &'a mut Vec<Finding>,
    ) -> Self {
        Report { options, columns, place, text, spans, out }
    }

    /// Adds a finding about a column, by its number from 1, or about the whole.
    pub(super) fn add(&mut self, rule: Rule, column: Option<usize>, message: impl FnOnce() -> String) {
        let span = column.and_then(|column| self.spans.get(column.checked_sub(1)?)).cloned();
        self.push(rule, column, span, message);
    }

    /// Adds a finding about a field.
    pub(super) fn of(&mut self, rule: Rule, field: Field, message: impl FnOnce() -> String) {
        self.add(rule, self.columns.place(field), message);
    }

    /// Adds a finding about a part of the text.
    pub(super) fn at(&mut self, rule: Rule, span: Range<usize>, message: impl FnOnce() -> String) {
        self.push(rule, None, Some(span), message);
    }

    fn push(
        &mut self,
        rule: Rule,
        column: Option<usize>,
        span: Option<Range<usize>>,
        message: impl FnOnce() -> String,
    ) {
        let Some(level) = self.options.level(rule) else { return };
        let name = column.and_then(|column| self.columns.all.get(column.checked_sub(1)?));
        let text = self.text.get(..KEPT).unwrap_or(self.text);
        self.out.push(Finding {
            rule,
            level,
            place: self.place,
            column,
            field: name.map(|column| column.name().into()),
            span: span.filter(|span| span.end <= text.len()),
            message: message(),
            text: String::from_utf8_lossy(text).into_owned(),
        });
    }
}
