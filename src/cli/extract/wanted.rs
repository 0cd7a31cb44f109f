//! Which packets are wanted: a flow that was typed, or a record that was typed or stands in a log.

use std::io::{self, Cursor};
use std::path::Path;

use flowtruth::flow::{FlowKey, FlowPattern};
use flowtruth::flowlog::read::{
    Content, Entry, LogReadError, LogReadOptions, LogReader, LogUnit, ReadRecord,
};
use flowtruth::pipeline::{PacketSelection, SecondSpan};
use flowtruth::record::{Field, FlowRecord, LogStatus};

use super::args::ExtractArgs;
use super::flow::{self, Shown};
use crate::cli::messages::{Trouble, advice};
use crate::cli::objects::{self, Found, Objects};
use crate::cli::settings::log_format;

/// What is asked for.
pub struct Wanted {
    pub pattern: FlowPattern,
    pub span: SecondSpan,
    /// Packets and bytes that the record says there are.
    pub said: Option<(u64, u64)>,
    pub both_directions: bool,
}

impl Wanted {
    /// Settles what was typed; reads the log, if one is named.
    pub fn new(args: &ExtractArgs) -> Result<Wanted, Trouble> {
        let format = args.input_format.as_deref().map(|text| log_format("--input-format", text));
        let options = LogReadOptions { format: format.transpose()? };
        let mut wanted = match args {
            ExtractArgs { flow: Some(text), .. } => Wanted::of_flow(text)?,
            ExtractArgs { record: Some(line), .. } => typed(line, options)?,
            ExtractArgs { log: Some(path), line: Some(line), .. } => {
                let reads_capture = args.captures.iter().any(|capture| capture.as_os_str() == "-");
                in_log(path, *line, reads_capture, options)?
            }
            // clap sees to it
            _ => return Err(Trouble::new("no flow was named").with_hint("name one with `--flow`")),
        };
        wanted.both_directions = args.both_directions;
        Ok(wanted)
    }

    fn of_flow(text: &str) -> Result<Wanted, Trouble> {
        match flow::parse(text) {
            Ok(pattern) => {
                Ok(Wanted { pattern, span: SecondSpan::ALWAYS, said: None, both_directions: false })
            }
            Err(error) => {
                let hint = error.hint;
                Err(Trouble::new("`--flow` cannot be read").caused_by(error).with_hint(hint))
            }
        }
    }

    /// The selection: the wanted flow is entry 0.
    pub fn selection(&self) -> PacketSelection {
        let mut selection = PacketSelection::new();
        selection.add(self.pattern, self.span);
        if self.both_directions && self.pattern.reversed() != self.pattern {
            selection.add(self.pattern.reversed(), self.span);
        }
        selection
    }

    /// What it is called in messages.
    pub fn name(&self) -> String {
        let directions = if self.both_directions { ", in both directions" } else { "" };
        format!("`{}`{directions}", Shown(self.pattern))
    }
}

/// The one record in a text that was typed; a header may stand in front of it.
fn typed(text: &str, options: LogReadOptions) -> Result<Wanted, Trouble> {
    const NAME: &str = "--record";
    let mut reader = LogReader::new(NAME, Box::new(Cursor::new(text.as_bytes().to_vec())), options);
    let mut wanted = None;
    while reader.advance().map_err(unreadable)? {
        let entry = reader.entry();
        if matches!(entry.content, Content::Header(_) | Content::Blank) {
            continue;
        }
        if wanted.is_some() {
            return Err(Trouble::new("`--record` has more than one line that is no header")
                .with_hint("extract one record after the other, or name the log with `--log` and `--line`"));
        }
        wanted = Some(of_entry("`--record`", &entry)?);
    }
    wanted.ok_or_else(|| {
        Trouble::new("`--record` has no record")
            .with_hint("it takes a line of a flow log, such as `--record \"$(tail -n 1 flow.log)\"`")
    })
}

/// The record in this line of a log.
fn in_log(path: &Path, line: u64, reads_capture: bool, options: LogReadOptions) -> Result<Wanted, Trouble> {
    let from_standard_input = path.as_os_str() == "-";
    if from_standard_input && reads_capture {
        return Err(Trouble::new("standard input is named for both a capture and the log")
            .with_hint("name a file for one of them"));
    }
    let mut reader = if from_standard_input {
        LogReader::new("standard input", Box::new(io::stdin()), options)
    } else if let Some(found) = Objects::default().find(path) {
        match found? {
            Found::Object(object) => LogReader::new(object.name(), objects::open(&object)?, options),
            Found::Below(_) => {
                return Err(Trouble::new(format!("`{}` names no object", path.display()))
                    .with_hint("`--line` counts the lines of one log; name the object"));
            }
        }
    } else {
        LogReader::open(path, options).map_err(unreadable)?
    };
    let name = reader.name().to_owned();
    let (mut lines, mut unit) = (0, LogUnit::Line);
    while reader.advance().map_err(unreadable)? {
        let entry = reader.entry();
        (lines, unit) = (entry.place.line, entry.unit);
        if lines == line {
            return of_entry(&format!("{unit} {line} of `{name}`"), &entry);
        }
    }
    let has = match lines {
        0 => "is empty".to_owned(),
        1 => format!("has 1 {unit}"),
        lines => format!("has {lines} {unit}s"),
    };
    Err(Trouble::new(format!("`{name}` {has}, so there is no {unit} {line}"))
        .with_hint(format!("`--line` counts {unit}s from 1, those without a record included")))
}

fn unreadable(error: LogReadError) -> Trouble {
    let hint = advice(error.hint(), &error);
    let trouble = Trouble::new("the record cannot be read").caused_by(error);
    match hint {
        Some(hint) => trouble.with_hint(hint),
        None => trouble,
    }
}

/// What an entry of a log wants, if it is a record of traffic; `place` names it in messages.
fn of_entry(place: &str, entry: &Entry<'_>) -> Result<Wanted, Trouble> {
    let not = |what: &str| Trouble::new(format!("{place} is {what}, not a record"));
    match &entry.content {
        Content::Record(read) => of_record(place, read),
        Content::Header(_) => Err(not("a header line").with_hint("records follow it")),
        Content::Blank => Err(not("blank")),
        Content::Comment => Err(not("a comment")),
        Content::Control => Err(not("a control message of CloudWatch Logs")),
        Content::Bad(bad) => Err(Trouble::new(format!("{place} is no record"))
            .caused_by(bad.problem.clone())
            .with_hint("`--input-format` names the fields of a log that is not in the default format")),
    }
}

fn of_record(place: &str, read: &ReadRecord<'_>) -> Result<Wanted, Trouble> {
    let record = read.record;
    match record.log_status {
        Some(LogStatus::NoData) => {
            return Err(Trouble::new(format!(
                "{place} has log-status `NODATA`: there was no traffic, so it has no packets"
            )));
        }
        Some(LogStatus::SkipData) => {
            return Err(Trouble::new(format!(
                "{place} has log-status `SKIPDATA`: it says that records are missing, not which"
            )));
        }
        Some(LogStatus::Ok) | None => {}
    }
    let Some((flow, span)) = flow_and_span(record) else { return Err(missing(place, read)) };
    if span.start > span.end {
        let SecondSpan { start, end } = span;
        return Err(Trouble::new(format!("{place} starts at {start}, after its end at {end}")));
    }
    if flow.srcaddr.is_ipv4() != flow.dstaddr.is_ipv4() {
        return Err(Trouble::new(format!("{place} has one address of IPv4 and one of IPv6")));
    }
    let said = record.packets.zip(record.bytes);
    Ok(Wanted { pattern: flow.into(), span, said, both_directions: false })
}

/// The flow of a record's packets: `pkt-srcaddr` and `pkt-dstaddr` are their own addresses, `srcaddr` and `dstaddr`
/// may be the interface's.
fn flow_and_span(record: &FlowRecord) -> Option<(FlowKey, SecondSpan)> {
    let flow = FlowKey {
        srcaddr: record.pkt_srcaddr.or(record.srcaddr)?,
        dstaddr: record.pkt_dstaddr.or(record.dstaddr)?,
        protocol: record.protocol?,
        srcport: record.srcport?,
        dstport: record.dstport?,
    };
    Some((flow, SecondSpan { start: record.start?, end: record.end? }))
}

/// What a record lacks, and whether the log has it at all.
fn missing(place: &str, read: &ReadRecord<'_>) -> Trouble {
    let record = read.record;
    let needed = [
        (Field::SrcAddr, record.pkt_srcaddr.or(record.srcaddr).is_some()),
        (Field::DstAddr, record.pkt_dstaddr.or(record.dstaddr).is_some()),
        (Field::SrcPort, record.srcport.is_some()),
        (Field::DstPort, record.dstport.is_some()),
        (Field::Protocol, record.protocol.is_some()),
        (Field::Start, record.start.is_some()),
        (Field::End, record.end.is_some()),
    ];
    let lacking: Vec<_> = needed.iter().filter(|(_, is_there)| !is_there).map(|(field, _)| *field).collect();
    let names: Vec<_> = lacking.iter().map(|field| format!("`{field}`")).collect();
    let has_columns = read.columns.format().is_some_and(|format| lacking.iter().all(|f| format.contains(*f)));
    let (has, hint) = if has_columns {
        ("`-` in", "name the flow with `--flow`, and its time with `--from` and `--until`")
    } else {
        ("no field", "a record's packets are found by its addresses, ports, protocol, `start` and `end`")
    };
    Trouble::new(format!("{place} has {has} {}", names.join(", "))).with_hint(hint)
}
