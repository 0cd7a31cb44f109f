//! `inspect`: what is in captures and flow logs, for people and for programs.

mod log;

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;

use anstyle::Style;
use flowtruth::capture::ByteOrder;
use flowtruth::decode::Tunnels;
use flowtruth::pipeline::{Inspection, Progress, inspect};
use flowtruth::vpc::Vpc;
use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;

use super::args::InspectArgs;
use super::interrupt::Interrupt;
use super::kind::{apart, split};
use super::messages::{Trouble, cannot_write, clean};
use super::progress::Bar;
use super::summary::counted;
use super::{Exit, Result, inputs, table, vpc};

#[derive(Serialize)]
struct Report<'a> {
    captures: &'a [Inspection],
    #[serde(skip_serializing_if = "Option::is_none")]
    vpc: Option<Vec<vpc::page::Section>>,
}

pub fn run(args: InspectArgs) -> Result {
    let progress = Arc::new(Progress::new());
    // before anything is waited for
    let _interrupt = Interrupt::watch(&progress);
    let described = match &args.vpc[..] {
        [] => None,
        paths => Some(vpc::load::load(paths)?.vpc),
    };
    if let (Some(vpc), true) = (&described, args.captures.is_empty()) {
        return show(&text(&[], Some(vpc), args.json));
    }
    let (paths, mut logs) = apart(&args.captures);
    let reads_any = !paths.is_empty() || logs.is_empty();
    let mut found = match reads_any {
        true => inputs::find(&paths, args.quiet, &progress)?,
        false => inputs::Inputs::default(),
    };
    found.captures = split(std::mem::take(&mut found.captures), args.input_format.is_some(), &mut logs);
    if !logs.is_empty() {
        let others = !found.captures.is_empty() || described.is_some();
        if args.json && others {
            return Err(Trouble::new("a flow log cannot be shown as JSON beside captures or a VPC")
                .with_hint("inspect the logs in a run of their own"));
        }
        if !others {
            inputs::report(&found.failures);
            let exit = log::run(logs, &args, &progress)?;
            return Ok(if found.failures.is_empty() { exit } else { Exit::Trouble });
        }
    }
    let is_live = found.is_live();
    let mut failures = found.failures;
    let mut inspections = Vec::new();
    {
        let _bar = (!args.quiet).then(|| Bar::follow(&progress, None, false));
        for input in found.captures {
            let (inspection, failure) =
                inspect(input, args.decap.unwrap_or(Tunnels::NONE), is_live, &progress);
            inspections.extend(inspection);
            failures.extend(failure);
        }
    }
    let interrupted = progress.is_interrupted();
    if interrupted && !is_live {
        return Ok(Exit::Interrupted);
    }
    show(&text(&inspections, described.as_deref(), args.json))?;
    failures.retain(|failure| !(interrupted && failure.is_cut()));
    inputs::report(&failures);
    if interrupted {
        return Ok(Exit::Interrupted);
    }
    if !logs.is_empty() && !inspections.is_empty() {
        show("\n")?;
    }
    if !logs.is_empty() && log::run(logs, &args, &progress)? == Exit::Trouble {
        return Ok(Exit::Trouble);
    }
    Ok(if failures.is_empty() { Exit::Fine } else { Exit::Trouble })
}

/// The whole of it, for people or for programs.
fn text(inspections: &[Inspection], described: Option<&Vpc>, json: bool) -> String {
    if json {
        let vpc = described.map(|vpc| vpc::page::sections(vpc.model()));
        // plain data with text keys always has a JSON form
        return serde_json::to_string_pretty(&Report { captures: inspections, vpc }).unwrap_or_default()
            + "\n";
    }
    let captures = inspections.iter().map(page);
    captures.chain(described.map(|vpc| vpc::page::page(vpc.model()))).collect::<Vec<_>>().join("\n")
}

fn show(text: &str) -> Result {
    let mut output = anstream::stdout();
    output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
        .map_err(|error: io::Error| cannot_write("standard output", error))?;
    Ok(Exit::Fine)
}

/// One capture for people.
fn page(inspection: &Inspection) -> String {
    let bold = Style::new().bold();
    let mut page = format!("{bold}{}{bold:#}\n", clean(&inspection.path));
    page.push_str(&overview(inspection));
    section(&mut page, "Protocols", protocols(inspection));
    let talkers =
        if inspection.top_talkers_are_estimated { "Top talkers (estimated)" } else { "Top talkers" };
    section(&mut page, talkers, top_talkers(inspection));
    section(&mut page, "Ledger", ledger(inspection));
    section(&mut page, "Fitting options of `convert`", suggestions(inspection));
    page
}

fn section(page: &mut String, title: &str, content: String) {
    if !content.is_empty() {
        let bold = Style::new().bold();
        // writing to a string cannot fail
        let _ = write!(page, "\n{bold}{title}{bold:#}\n{content}");
    }
}

fn overview(inspection: &Inspection) -> String {
    let Inspection { container, time, out_of_order, sizes, ledger, .. } = inspection;
    let mut rows = table::plain();
    let order = match container.byte_order {
        ByteOrder::Big => "big-endian",
        ByteOrder::Little => "little-endian",
    };
    let mut format = format!("{} {}, {order}", container.format, container.version);
    if let Some(compression) = container.compression {
        let _ = write!(format, ", in {compression}");
    }
    rows.add_row(["format", &format]);
    if let Some(application) = &container.application {
        rows.add_row(["written by", &clean(application)]);
    }
    for (index, interface) in container.interfaces.iter().enumerate() {
        let mut text = interface.link_type.to_string();
        if let Some(name) = &interface.name {
            let _ = write!(text, ", {}", clean(name));
        }
        match interface.snap_length {
            Some(length) => {
                let _ = write!(text, ", snap length {length}");
            }
            None => text.push_str(", no snap length"),
        }
        for address in &interface.addresses {
            let _ = write!(text, ", {address}");
        }
        let dropped = (interface.dropped_by_interface.unwrap_or(0))
            .saturating_add(interface.dropped_by_os.unwrap_or(0))
            .saturating_add(interface.dropped_before_packets);
        if dropped > 0 {
            let _ = write!(text, ", {} dropped", counted(dropped, "packet"));
        }
        rows.add_row([format!("interface {index}"), text]);
    }
    rows.add_row(["packets", &HumanCount(ledger.tally.packets_read).to_string()]);
    if let Some(time) = time {
        rows.add_row(["time", &format!("{} to {} ({:.3} s)", time.first, time.last, time.seconds)]);
        let order = match out_of_order {
            None => "yes".to_owned(),
            Some(out) => format!(
                "no: packet {} ({}) is the first of {} that are earlier than one before, by up to {:.6} s",
                out.first_packet,
                out.first_time,
                HumanCount(out.packets),
                out.furthest_behind_seconds
            ),
        };
        rows.add_row(["in time order", &order]);
    }
    if let Some(sizes) = sizes {
        let text = format!(
            "{} to {} bytes, {} on average; {} on the wire, {} captured",
            sizes.smallest,
            sizes.largest,
            sizes.mean,
            HumanBytes(ledger.tally.frame_bytes_read),
            HumanBytes(ledger.tally.captured_bytes_read)
        );
        rows.add_row(["frames", &text]);
    }
    table::text(&rows)
}

fn protocols(inspection: &Inspection) -> String {
    traffic(inspection.protocols.iter().map(|protocol| {
        let name = match protocol.name {
            Some(name) => format!("{} ({name})", protocol.protocol),
            None => protocol.protocol.to_string(),
        };
        (name, protocol.packets, protocol.bytes)
    }))
}

fn top_talkers(inspection: &Inspection) -> String {
    traffic(
        inspection
            .top_talkers
            .iter()
            .map(|talker| (talker.address.to_string(), talker.packets, talker.bytes)),
    )
}

fn traffic(lines: impl Iterator<Item = (String, u64, u64)>) -> String {
    let mut rows = table::plain();
    for (name, packets, bytes) in lines {
        rows.add_row([name, counted(packets, "packet"), format!("{} IP bytes", HumanCount(bytes))]);
    }
    table::right_align(&mut rows, &[1, 2]);
    if rows.is_empty() { String::new() } else { table::text(&rows) }
}

fn ledger(inspection: &Inspection) -> String {
    let tally = &inspection.ledger.tally;
    let mut rows = table::plain();
    rows.add_row(["read".to_owned(), HumanCount(tally.packets_read).to_string(), String::new()]);
    let in_records = HumanCount(tally.packets_in_records).to_string();
    rows.add_row(["in records".to_owned(), in_records, String::new()]);
    for (reason, packets) in &tally.packets_skipped {
        rows.add_row([
            format!("skipped: {reason}"),
            HumanCount(*packets).to_string(),
            reason.explanation().to_owned(),
        ]);
    }
    for (note, packets) in tally.notes.iter() {
        rows.add_row([
            format!("noted: {note}"),
            HumanCount(packets).to_string(),
            note.explanation().to_owned(),
        ]);
    }
    if tally.suspected_duplicates > 0 {
        rows.add_row([
            "noted: suspected duplicates".to_owned(),
            HumanCount(tally.suspected_duplicates).to_string(),
            "second sights of one packet".to_owned(),
        ]);
    }
    table::right_align(&mut rows, &[1]);
    table::text(&rows)
}

fn suggestions(inspection: &Inspection) -> String {
    let mut rows = table::plain();
    for suggestion in &inspection.suggestions {
        rows.add_row([suggestion.option.as_str(), suggestion.reason.as_str()]);
    }
    if rows.is_empty() { String::new() } else { table::text(&rows) }
}
