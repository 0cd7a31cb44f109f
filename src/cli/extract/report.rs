//! What is said about an extraction.

use flowtruth::packet::Timestamp;
use flowtruth::pipeline::{Extraction, Missed, SecondSpan};

use super::args::ExtractArgs;
use super::wanted::Wanted;
use crate::cli::args::FragmentsArg;
use crate::cli::messages::{Trouble, say, warning};
use crate::cli::summary::counted;

/// Says how much was written, and where.
pub fn summary(extraction: &Extraction, output: &str) {
    say(format_args!(
        "{}, {} (IP), written to {output}",
        counted(extraction.packets_written, "packet"),
        counted(extraction.ip_bytes_written, "byte"),
    ));
}

/// Compares what was found with what the record says, unless less was asked for than the record.
pub fn compare(extraction: &Extraction, wanted: &Wanted, args: &ExtractArgs) {
    let is_whole =
        args.filter.is_none() && args.from.is_none() && args.until.is_none() && args.count.is_none();
    let (Some((packets, bytes)), Some(found)) = (wanted.said, extraction.entries.first()) else { return };
    if is_whole && (packets, bytes) != (found.packets, found.bytes) {
        warning(format_args!(
            "the record says {} and {}, the captures have {} and {} of its flow in its time",
            counted(packets, "packet"),
            counted(bytes, "byte"),
            counted(found.packets, "packet"),
            counted(found.bytes, "byte"),
        ));
    }
}

/// Nothing was found: the nearest reason why.
pub fn nothing(extraction: &Extraction, wanted: &Wanted, args: &ExtractArgs) -> Trouble {
    let time = if wanted.span == SecondSpan::ALWAYS { "" } else { " in the record's time" };
    let read = counted(extraction.packets_read, "packet");
    let trouble = Trouble::new(format!("no packet of {}{time} among {read} read", wanted.name()));
    trouble.with_hint(reason(extraction, wanted, args))
}

fn reason(extraction: &Extraction, wanted: &Wanted, args: &ExtractArgs) -> String {
    let Missed { other_times, other_times_span, reversed, left_out, without_time } = extraction.missed;
    if extraction.packets_read == 0 {
        "there are no packets in the captures".to_owned()
    } else if left_out > 0 {
        format!("`--filter`, `--from` or `--until` leave out {} of the flow", counted(left_out, "packet"))
    } else if let Some((first, last)) = other_times_span {
        let SecondSpan { start, end } = wanted.span;
        format!(
            "the flow has {} at other times: from {first} to {last}, and the record is from {} to {}",
            counted(other_times, "packet"),
            moment(start),
            moment(end)
        )
    } else if reversed > 0 {
        format!(
            "the other direction has {}; swap sender and receiver, or add `--both-directions`",
            counted(reversed, "packet")
        )
    } else if without_time > 0 {
        format!(
            "the flow has {} without a time in the captures, which no record counts",
            counted(without_time, "packet")
        )
    } else {
        let mut hint = "the flow is not in the captures; `flowtruth convert` lists those that are".to_owned();
        if args.decap.is_none() {
            hint.push_str(", `--decap` looks inside tunnels");
        }
        if args.fragments == FragmentsArg::Zero {
            hint.push_str(", later fragments have ports `0 0` without `--fragments track`");
        }
        hint
    }
}

/// A second as a time, or as the number where no time can hold it.
fn moment(second: i64) -> String {
    match Timestamp::from_parts(second, 0) {
        Some(time) => time.to_string(),
        None => second.to_string(),
    }
}
