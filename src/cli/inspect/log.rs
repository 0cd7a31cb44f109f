//! `inspect` of flow logs.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};

use anstyle::Style;
use flowtruth::flowlog::read::{LogReadSummary, LogShape, Understood};
use flowtruth::packet::Timestamp;
use flowtruth::pipeline::{LogInput, LogInspection, Progress, inspect_log};
use indicatif::HumanCount;
use serde::Serialize;

use crate::cli::args::InspectArgs;
use crate::cli::messages::{advice, cannot_write, clean, error, hint};
use crate::cli::settings::log_format;
use crate::cli::summary::counted;
use crate::cli::{Exit, Result, table};

/// Inspects logs one after another.
pub fn run(logs: Vec<LogInput>, args: &InspectArgs, progress: &Progress) -> Result {
    let format = args.input_format.as_deref().map(|text| log_format("--input-format", text)).transpose()?;
    let several = logs.len() > 1;
    let mut output = BufWriter::new(anstream::stdout());
    let mut exit = Exit::Fine;
    for (index, log) in logs.into_iter().enumerate() {
        let name = log.name();
        let mut written = Ok(());
        let (inspection, failure) = inspect_log(log, format.clone(), progress, |entry| {
            if args.json {
                let line = Line { log: several.then_some(&name), understood: Understood(entry) };
                written = serde_json::to_writer(&mut output, &line)
                    .map_err(io::Error::from)
                    .and_then(|()| output.write_all(b"\n"));
            }
            written.is_ok()
        });
        if !args.json && inspection.read.shape.is_some() {
            let between = if index > 0 { "\n" } else { "" };
            written = write!(output, "{between}{}", page(&inspection));
        }
        written.and_then(|()| output.flush()).map_err(|error| cannot_write("standard output", error))?;
        if progress.is_interrupted() {
            return Ok(Exit::Interrupted);
        }
        if let Some(failure) = failure {
            error(&failure);
            advice(failure.hint(), &failure).iter().for_each(hint);
            exit = Exit::Trouble;
        }
    }
    Ok(exit)
}

/// A line of JSON; the log is named where there are several.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<&'a String>,
    #[serde(flatten)]
    understood: Understood<'a>,
}

/// One log for people.
fn page(inspection: &LogInspection) -> String {
    let bold = Style::new().bold();
    let mut page = format!("{bold}{}{bold:#}\n{}", clean(&inspection.path), overview(inspection));
    let read = &inspection.read;
    let mut rows = table::plain();
    for (leniency, lines) in read.leniencies.iter() {
        let lines = HumanCount(lines).to_string();
        rows.add_row([leniency.name(), &lines, leniency.meaning()]);
    }
    table::right_align(&mut rows, &[1]);
    section(&mut page, "Read all the same", &rows);
    let mut rows = table::plain();
    for bad in &inspection.bad {
        rows.add_row([format!("{} {}", bad.unit, bad.place.line), clean(&bad.problem.to_string())]);
    }
    let more = read.bad.saturating_sub(inspection.bad.len() as u64);
    if more > 0 {
        rows.add_row(["…".to_owned(), format!("{} more", HumanCount(more))]);
    }
    section(&mut page, "Not understood", &rows);
    page
}

fn section(page: &mut String, title: &str, rows: &comfy_table::Table) {
    if !rows.is_empty() {
        let bold = Style::new().bold();
        // writing to a string cannot fail
        let _ = write!(page, "\n{bold}{title}{bold:#}\n{}", table::text(rows));
    }
}

fn overview(inspection: &LogInspection) -> String {
    let read = &inspection.read;
    let mut rows = table::plain();
    rows.add_row(["shape", &shape(read)]);
    for columns in &inspection.columns {
        let version = columns.version.map_or("no field".to_owned(), |version| format!("version {version}"));
        let names = clean(&columns.names.join(" "));
        let count = counted(columns.names.len() as u64, "column");
        rows.add_row([
            "columns",
            &format!("{count} of {version} in {}: {names}", counted(columns.records, "record")),
        ]);
        if !columns.unknown.is_empty() {
            rows.add_row(["unknown", &clean(&columns.unknown.join(" "))]);
        }
    }
    rows.add_row(["entries", &entries(read)]);
    rows.add_row(["records", &records(read)]);
    if let Some((start, end)) = inspection.start.zip(inspection.end) {
        rows.add_row(["time", &format!("{} to {}", second(start), second(end))]);
    }
    let actions = [(inspection.accepted, "ACCEPT"), (inspection.rejected, "REJECT")];
    let actions = actions.into_iter().filter(|(count, _)| *count > 0);
    let actions: Vec<String> = actions.map(|(count, word)| format!("{} {word}", HumanCount(count))).collect();
    let traffic =
        format!("{}, {} bytes", counted(inspection.packets, "packet"), HumanCount(inspection.bytes));
    rows.add_row(["traffic", &[actions, vec![traffic]].concat().join(", ")]);
    table::text(&rows)
}

fn shape(read: &LogReadSummary) -> String {
    let shape = match read.shape {
        Some(LogShape::Text) if read.tail_lines > 0 => "text of `aws logs tail`",
        Some(LogShape::Text) => "text",
        Some(LogShape::Json) => "JSON",
        Some(LogShape::Parquet) => "Parquet",
        None => "empty",
    };
    match read.gzip_layers {
        0 => shape.to_owned(),
        1 => format!("{shape}, in gzip"),
        layers => format!("{shape}, in {layers} layers of gzip"),
    }
}

fn entries(read: &LogReadSummary) -> String {
    let parts = [
        (read.headers, "header"),
        (read.bad, "not understood"),
        (read.control, "control message"),
        (read.blank(), "blank"),
        (read.comments(), "comment"),
    ];
    let mut text = format!("{}: {}", HumanCount(read.lines), counted(read.records, "record"));
    for (count, word) in parts {
        if count > 0 {
            let _ = write!(text, ", {} {word}", HumanCount(count));
        }
    }
    text
}

fn records(read: &LogReadSummary) -> String {
    let parts = [
        (read.ok, "OK"),
        (read.nodata, "NODATA"),
        (read.skipdata, "SKIPDATA"),
        (read.without_status, "without a log status"),
    ];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts.map(|(count, word)| format!("{} {word}", HumanCount(count))).collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

/// A time in Unix seconds as RFC 3339, or as it is where that cannot hold it.
fn second(second: i64) -> String {
    match second.checked_mul(1_000_000_000) {
        Some(nanos) => Timestamp::from_nanos(nanos).to_string(),
        None => second.to_string(),
    }
}
