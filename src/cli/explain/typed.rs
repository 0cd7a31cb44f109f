//! A record that was typed: each of its fields in words, and what cannot be known from it.

use std::fmt::Write as _;
use std::io::Cursor;

use flowtruth::flowlog::read::{Content, LogReadOptions, LogReader, ReadRecord};
use flowtruth::mask::Mask;
use flowtruth::packet::{Protocol, TcpFlags};
use flowtruth::record::{Field, FlowRecord, LogStatus, Value, Values};

use super::text::{heading, second, width, wrap};
use crate::cli::messages::Trouble;
use crate::cli::settings::log_format;

pub fn explain(
    line: &str,
    input_format: Option<&str>,
    as_json: bool,
    mask: Option<&Mask>,
) -> Result<String, Trouble> {
    let format = input_format.map(|text| log_format("--input-format", text)).transpose()?;
    let text = Box::new(Cursor::new(line.as_bytes().to_vec()));
    let mut reader = LogReader::new("--record", text, LogReadOptions { format });
    let unreadable = |error| Trouble::new("`--record` cannot be read").caused_by(error);
    let mut explained: Option<String> = None;
    while reader.advance().map_err(unreadable)? {
        match reader.entry().content {
            Content::Header(_) | Content::Blank | Content::Comment | Content::Control => {}
            Content::Bad(bad) => {
                return Err(Trouble::new("`--record` is no record")
                    .caused_by(bad.problem.clone())
                    .with_hint(
                        "`--input-format` names the fields of a record that is not in the default format",
                    ));
            }
            Content::Record(_) if explained.is_some() => {
                return Err(
                    Trouble::new("`--record` has more than one record").with_hint("explain one at a time")
                );
            }
            Content::Record(read) => {
                let masked = mask.map(|mask| mask.record(read.record));
                let record = masked.as_ref().unwrap_or(read.record);
                let fields = fields(&read);
                explained = Some(if as_json { json(&fields, record) } else { people(&fields, record) });
            }
        }
    }
    explained.ok_or_else(|| {
        Trouble::new("`--record` has no record")
            .with_hint("it takes a line of a flow log, such as `--record \"$(tail -n 1 flow.log)\"`")
    })
}

/// The record's fields, in its order.
fn fields(read: &ReadRecord<'_>) -> Vec<Field> {
    read.columns.format().map_or_else(Vec::new, |format| format.fields().to_vec())
}

fn json(fields: &[Field], record: &FlowRecord) -> String {
    let fields: Vec<serde_json::Value> = fields
        .iter()
        .map(|field| {
            serde_json::json!({
                "field": field.to_string(),
                "value": field.get(record),
                "in_words": in_words(*field, record),
                "meaning": field.info().meaning,
            })
        })
        .collect();
    let unknown: Vec<String> = unknown(record);
    let value = serde_json::json!({ "fields": fields, "cannot_be_known": unknown });
    let mut text = serde_json::to_string_pretty(&value).unwrap_or_default();
    text.push('\n');
    text
}

fn people(fields: &[Field], record: &FlowRecord) -> String {
    let names = fields.iter().map(|field| field.to_string().len()).max().unwrap_or(0);
    let mut text = heading("", "what it says");
    for field in fields {
        let value = field.get(record).to_string();
        let words = in_words(*field, record).unwrap_or_else(|| field.info().meaning.to_owned());
        let said =
            if value.len() > 24 { format!("{value}: {words}") } else { format!("{value:24}  {words}") };
        let wrapped = wrap(&said, 0, width().saturating_sub(names + 4));
        for (at, line) in wrapped.lines().enumerate() {
            let name = if at == 0 { field.to_string() } else { String::new() };
            let _ = writeln!(text, "  {}", format!("{name:names$}  {line}").trim_end());
        }
    }
    text.push('\n');
    text.push_str(&heading("", "what cannot be known from it"));
    for unknown in unknown(record) {
        text.push_str(&wrap(&unknown, 2, width()));
    }
    text
}

/// A value in words, where more can be said than what its field means.
fn in_words(field: Field, record: &FlowRecord) -> Option<String> {
    let value = field.get(record);
    if value.is_missing() {
        return Some(format!("no value. `-` when: {}", field.info().missing));
    }
    let end = |port: Field, said: &str, other: &str| {
        let value = port.get(record);
        if record.protocol.is_some_and(|protocol| !protocol.has_ports()) {
            return "0: the protocol has no ports, or they are not logged".to_owned();
        }
        format!("the port that {said} {value}; {other}")
    };
    Some(match (field, value) {
        (Field::SrcAddr, _) => "who sent these packets".to_owned(),
        (Field::DstAddr, _) => "who was to receive them".to_owned(),
        (Field::SrcPort, _) => end(field, "sent:", "it stands before `dstport`, as srcaddr before dstaddr"),
        (Field::DstPort, _) => end(field, "was sent to:", "the answers are another record, ports exchanged"),
        (Field::Protocol, Value::UInt(number)) => {
            let name = u8::try_from(number).ok().and_then(|number| Protocol(number).name());
            name.map_or_else(|| format!("IANA protocol {number}"), str::to_uppercase)
        }
        (Field::Packets, _) => "so many packets of this direction, retransmissions included".to_owned(),
        (Field::Bytes, Value::UInt(bytes)) => match record.packets {
            Some(packets @ 1..) => format!(
                "IP lengths added up, {:.1} bytes a packet; no link headers, no padding",
                bytes as f64 / packets as f64
            ),
            _ => "IP lengths added up; no link headers, no padding".to_owned(),
        },
        (Field::Start | Field::End, Value::Int(seconds)) => {
            let packet = if field == Field::Start { "first" } else { "last" };
            let lasted = match (record.start, record.end, field) {
                (Some(start), Some(end), Field::End) if end >= start => {
                    format!(", {} s after the start", end - start)
                }
                _ => String::new(),
            };
            if matches!(record.log_status, Some(LogStatus::NoData | LogStatus::SkipData)) {
                format!("{}: a bound of the window", second(seconds))
            } else {
                format!("{}: the {packet} packet, in whole seconds{lasted}", second(seconds))
            }
        }
        (Field::TcpFlags, Value::UInt(flags)) => flags_in_words(flags),
        (_, value) => {
            let word = value.to_string();
            match &field.info().values {
                Values::Listed(list) => {
                    list.iter().find(|(listed, _)| *listed == word).map(|(_, said)| (*said).to_owned())?
                }
                _ => return None,
            }
        }
    })
}

fn flags_in_words(flags: u64) -> String {
    const NAMES: [(TcpFlags, &str); 4] = [
        (TcpFlags::SYN, "SYN"),
        (TcpFlags::ACK, "ACK beside a SYN"),
        (TcpFlags::FIN, "FIN"),
        (TcpFlags::RST, "RST"),
    ];
    let set = u8::try_from(flags).map(TcpFlags).unwrap_or_default();
    let names: Vec<&str> =
        NAMES.iter().filter(|(flag, _)| set.contains(*flag)).map(|(_, name)| *name).collect();
    if names.is_empty() {
        return "no packet had SYN, FIN or RST: the middle of a connection".to_owned();
    }
    format!("some packets had {}; OR-ed over all of them, so not which", names.join(", "))
}

/// What nobody can tell from the record.
fn unknown(record: &FlowRecord) -> Vec<String> {
    match record.log_status {
        Some(LogStatus::NoData) => {
            return vec!["nothing was there to know: the interface had no traffic in the window".to_owned()];
        }
        Some(LogStatus::SkipData) => {
            return vec![
                "which records are missing, and how many: one such line may stand for many".to_owned(),
            ];
        }
        Some(LogStatus::Ok) | None => {}
    }
    let mut unknown = vec![
        "what was said: payload, names, requests".to_owned(),
        "the size and the time of each packet; bursts and pauses between start and end".to_owned(),
        "lost, repeated or reordered packets: sequence numbers are gone, and each copy is counted".to_owned(),
        "TTL, TOS, options, fragments, VLAN and MAC addresses".to_owned(),
    ];
    match record.protocol {
        Some(Protocol::TCP) if record.tcp_flags.is_none() => unknown.push(
            "who opened the connection, and whether it was ever established: the record has no `tcp-flags`"
                .to_owned(),
        ),
        Some(Protocol::TCP) => unknown.push("the order of the flags, and which packet had them".to_owned()),
        Some(Protocol::ICMP | Protocol::ICMPV6) => {
            unknown.push("ICMP's type and code: a request, a reply and an error look alike".to_owned());
        }
        _ => unknown.push("who asked and who answered".to_owned()),
    }
    if record.flow_direction.is_none() {
        unknown.push("whether it came in or went out: the record has no `flow-direction`".to_owned());
    }
    if record.pkt_srcaddr.is_none() {
        unknown.push(
            "addresses behind a NAT or a load balancer: the record has no `pkt-srcaddr` and `pkt-dstaddr`"
                .to_owned(),
        );
    }
    unknown.push(match record.action.map(|_| ()) {
        Some(()) => "which rule decided: a security group, an ACL, or a closed connection".to_owned(),
        None => "whether it was let through".to_owned(),
    });
    unknown.push("the answers: the other direction is a record of its own, if there is one".to_owned());
    unknown
}
