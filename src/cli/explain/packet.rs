//! One packet: its bytes, the record that it went into, and what was thrown away.

use std::fmt::Write as _;

use flowtruth::dissect::Part;
use flowtruth::packet::{PacketTime, SkipReason};
use flowtruth::pipeline::{CountedPacket, ExplainedPacket, ExplainedRecord, LayerLoss};

use super::text::{Mark, cut, heading, legend, width, wrap};
use super::{Asked, json, record};

/// How many bytes of a field are shown.
const SHOWN: usize = 4;
/// The columns: bytes' places, the bytes, the field's name.
const PLACES: usize = 9;
const BYTES: usize = SHOWN * 3 + 1;
const NAMES: usize = 24;

pub fn explain(packet: &ExplainedPacket, asked: &Asked) -> String {
    if asked.json {
        return json::packet(packet, asked);
    }
    let mut text = heading(&format!("packet {} of `{}`, ", packet.number, asked.name), &time(packet));
    let (wire, captured) = (packet.original_length, packet.data.len());
    let _ = writeln!(text, "{wire} bytes on the wire, {captured} of them captured");
    text.push('\n');
    text.push_str(&legend());
    for layer in &packet.layers {
        let counted = if layer.counted { "" } else { ", not counted" };
        let _ = writeln!(text, "\n  {}, {} bytes{counted}", layer.name, layer.bytes().len());
        for part in &layer.parts {
            show_part(part, packet, asked, &mut text);
        }
    }
    text.push('\n');
    match (&packet.decoded, &packet.record) {
        (_, Some(explained)) => show_record(packet, explained, asked, &mut text),
        (_, None) => {
            let reason = skipped(packet).map(|reason| reason.to_string()).unwrap_or_default();
            let why = format!("in no record: skipped as `{reason}`, and counted as that in the ledger");
            text.push_str(&wrap(&why, 0, width()));
        }
    }
    text
}

/// Why a packet is in no record.
pub fn skipped(packet: &ExplainedPacket) -> Option<SkipReason> {
    packet.decoded.err().or(match packet.time {
        PacketTime::At(_) => None,
        PacketTime::Missing => Some(SkipReason::NoTimestamp),
        PacketTime::OutOfRange => Some(SkipReason::TimestampOutOfRange),
    })
}

pub fn time(packet: &ExplainedPacket) -> String {
    match packet.time {
        PacketTime::At(time) => time.to_string(),
        PacketTime::Missing => "without a time".to_owned(),
        PacketTime::OutOfRange => "at a time that cannot be held".to_owned(),
    }
}

fn show_part(part: &Part, packet: &ExplainedPacket, asked: &Asked, text: &mut String) {
    let data = &packet.data;
    let is_cut = data.len() < packet.original_length as usize;
    let mark = Mark::of(part.fate, &asked.records.format);
    let style = mark.style();
    let places = match part.bytes.len() {
        0 => String::new(),
        1 => part.bytes.start.to_string(),
        _ => format!("{}-{}", part.bytes.start, part.bytes.end - 1),
    };
    let value = match (&part.value, into(part, asked)) {
        (None, _) if is_cut => "not captured".to_owned(),
        (None, _) => "not there: the packet ends before it".to_owned(),
        (Some(value), Some(fields)) => format!("{value} -> {fields}"),
        (Some(value), None) => value.clone(),
    };
    let left = width().saturating_sub(2 + PLACES + BYTES + NAMES + 2);
    let line = format!(
        "{} {places:PLACES$}{:BYTES$} {:NAMES$} {}",
        mark.sign(),
        hexadecimal(data.get(part.bytes.clone()).unwrap_or_default(), part.hidden),
        part.name,
        cut(&value, left),
    );
    let _ = writeln!(text, "{style}{}{style:#}", line.trim_end());
}

/// The first bytes of a field, or as many signs for them.
fn hexadecimal(bytes: &[u8], hidden: bool) -> String {
    let mut text = String::new();
    for byte in bytes.iter().take(SHOWN) {
        let _ = if hidden { write!(text, "?? ") } else { write!(text, "{byte:02x} ") };
    }
    if bytes.len() > SHOWN {
        text.push('…');
    }
    text.trim_end().to_owned()
}

/// The record's fields that a part goes into.
fn into(part: &Part, asked: &Asked) -> Option<String> {
    let fields: Vec<String> = part
        .fate
        .fields()
        .iter()
        .filter(|field| asked.records.format.contains(**field))
        .map(ToString::to_string)
        .collect();
    (!fields.is_empty()).then(|| fields.join(", "))
}

/// The packet as its record counts it.
pub fn counted(packet: &ExplainedPacket) -> Option<CountedPacket> {
    let (Ok(ip), PacketTime::At(time)) = (packet.decoded, packet.time) else { return None };
    Some(CountedPacket {
        number: packet.number,
        time,
        ip_length: ip.ip_length,
        frame_length: packet.original_length,
        tcp_flags: ip.tcp_flags,
    })
}

fn show_record(packet: &ExplainedPacket, explained: &ExplainedRecord, asked: &Asked, text: &mut String) {
    text.push_str(&heading("its record, of ", &record::title(explained)));
    let line = record::line(&explained.filled(&asked.records), &asked.records);
    let _ = writeln!(text, "{line}\n");
    text.push_str(&record::table(&record::values(explained, counted(packet).as_ref(), asked)));
    text.push('\n');
    text.push_str(&heading("", "thrown away"));
    for layer in &packet.layers {
        let lost = layer.parts.iter().filter(|part| {
            part.value.is_some() && matches!(Mark::of(part.fate, &asked.records.format), Mark::Lost)
        });
        let names: Vec<&str> = lost.map(|part| part.name).collect();
        if !names.is_empty() {
            text.push_str(&wrap(&format!("{}: {}", layer.name, names.join("; ")), 2, width()));
        }
    }
    text.push_str(&wrap(
        "of the time all but the second, and that only of the record's first and last packet",
        2,
        width(),
    ));
    let [facts, kept, summed] = facts(packet, asked);
    let lost = facts - kept - summed;
    let _ = writeln!(
        text,
        "of {facts} facts {} are in the record, {summed} of them added up; {lost} are lost",
        kept + summed
    );
}

/// How many facts a packet holds, its time included, how many a record keeps, and how many it adds up.
pub fn facts(packet: &ExplainedPacket, asked: &Asked) -> [usize; 3] {
    let format = &asked.records.format;
    let layers = packet.layers.iter().map(|layer| LayerLoss::of(layer, format));
    layers
        .chain([LayerLoss::of_time(format, packet.record.is_some())])
        .fold([0; 3], |[facts, kept, summed], layer| {
            [facts + layer.facts, kept + layer.kept, summed + layer.summed]
        })
}
