//! The data for the page's script.
//!
//! Packets of one kind have the same header fields in the same places, so what packets have in common is told once, as a
//! shape, and a packet has only its values and its bytes.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::data::{Kept, LayerAbout, PacketAbout, PacketFate, ReportData};
use crate::packet::Timestamp;

/// The data as JSON that may stand in a `script` element: it has no character that could end one.
pub(super) fn json(data: &ReportData) -> String {
    let base = base(data);
    let mut shapes = Shapes::default();
    let mut reasons: Vec<(&str, &str)> = Vec::new();
    let packets: Vec<Value> = (data.packets.shown.iter())
        .map(|packet| of_packet(packet, base, &mut shapes, &mut reasons))
        .collect();
    let records: Vec<Value> = (data.records.shown.iter())
        .map(|record| {
            json!({
                "n": record.number,
                "s": record.start.map(|second| offset(seconds(second), base)),
                "e": record.end.map(|second| offset(seconds(second), base)),
                "p": record.packets,
                "b": record.bytes,
                "a": record.action.map(|action| action.as_str()),
                "f": record.flow,
                "l": u8::from(record.late),
                "w": record.window,
            })
        })
        .collect();
    let windows: Vec<Value> = (data.windows.shown.iter())
        .filter_map(|window| window.span.map(|(start, end)| (start, end, window)))
        .map(|(start, end, window)| {
            json!([
                offset(start, base),
                offset(end, base),
                window.records,
                window.packets,
                u8::from(window.late)
            ])
        })
        .collect();
    let bins: Vec<Value> = (data.histogram.bins.iter())
        .map(|(start, packets, bytes)| json!([offset(*start, base), packets, bytes]))
        .collect();
    let differences: Vec<Value> = (data.comparison.iter())
        .flat_map(|comparison| &comparison.differences.shown)
        .map(|found| {
            let [start, end] = [found.start, found.end].map(|second| offset(seconds(second), base));
            json!([start, end, u8::from(found.explained), found.cause])
        })
        .collect();
    let whole = json!({
        "base": [base.div_euclid(NANOS) as i64, base.rem_euclid(NANOS) as i64],
        "packets": packets,
        "sampled": data.packets.is_part(),
        "shapes": shapes.all,
        "reasons": reasons,
        "records": records,
        "windows": windows,
        "bins": {"width": data.histogram.width as i64, "list": bins},
        "differences": differences,
        "columns": data.columns.iter().map(|column| column.name).collect::<Vec<_>>(),
        "captures": data.captures.iter().map(|capture| &capture.name).collect::<Vec<_>>(),
    });
    escaped(&whole.to_string())
}

const NANOS: i128 = 1_000_000_000;

fn seconds(second: i64) -> i128 {
    i128::from(second) * NANOS
}

/// The time that all others are told from: that of the earliest thing on the page, in whole seconds.
fn base(data: &ReportData) -> i128 {
    let packets = data.packets.shown.iter().filter_map(|packet| packet.time);
    let bins = data.histogram.bins.iter().map(|(start, ..)| start + data.histogram.width);
    let first = packets.map(|time| i128::from(time.nanos())).chain(bins).min();
    let records = data.records.shown.iter().filter_map(|record| record.start.map(seconds)).min();
    let first = first.into_iter().chain(records).min().unwrap_or(0);
    first.div_euclid(NANOS) * NANOS
}

/// Nanoseconds since the base. JavaScript holds 104 days of them exactly; further away a page needs no nanoseconds.
fn offset(nanos: i128, base: i128) -> i64 {
    i64::try_from(nanos - base).unwrap_or(if nanos < base { i64::MIN } else { i64::MAX })
}

fn of_packet<'a>(
    packet: &'a PacketAbout,
    base: i128,
    shapes: &mut Shapes,
    reasons: &mut Vec<(&'a str, &'a str)>,
) -> Value {
    let parts = || packet.layers.iter().flat_map(|layer| &layer.parts);
    let values: Vec<Option<&str>> = parts().map(|part| part.value.as_deref()).collect();
    let bytes: String = parts().map(|part| part.bytes.as_str()).collect();
    let (records, reason) = match &packet.fate {
        PacketFate::InRecords(records) => (records.as_slice(), None),
        PacketFate::Skipped { reason, meaning } => {
            let known = reasons.iter().position(|(name, _)| name == reason);
            let at = known.unwrap_or_else(|| {
                reasons.push((reason, meaning));
                reasons.len() - 1
            });
            (&[][..], Some(at))
        }
        PacketFate::NotFollowed => (&[][..], None),
    };
    json!({
        "n": packet.number,
        "c": packet.capture,
        "t": packet.time.map(|time: Timestamp| offset(i128::from(time.nanos()), base)),
        "l": packet.ip_length.unwrap_or(packet.frame_length),
        "w": packet.frame_length,
        "f": packet.flow,
        "r": records,
        "x": reason,
        "k": shapes.number(&packet.layers),
        "v": values,
        "h": bytes,
    })
}

/// What packets have in common, each once.
#[derive(Default)]
struct Shapes {
    all: Vec<Value>,
    known: HashMap<String, usize>,
}

impl Shapes {
    fn number(&mut self, layers: &[LayerAbout]) -> usize {
        let shape: Vec<Value> = layers
            .iter()
            .map(|layer| {
                let parts: Vec<Value> = (layer.parts.iter())
                    .map(|part| {
                        let hidden = u8::from(part.bytes.is_empty());
                        json!([part.name, part.offset, part.length, kept(part.kept), part.columns, hidden])
                    })
                    .collect();
                json!([layer.name, u8::from(layer.counted), parts])
            })
            .collect();
        let shape = Value::from(shape);
        *self.known.entry(shape.to_string()).or_insert_with(|| {
            self.all.push(shape);
            self.all.len() - 1
        })
    }
}

fn kept(kept: Kept) -> &'static str {
    match kept {
        Kept::Whole => "kept",
        Kept::Summed => "summed",
        Kept::Steers => "steers",
        Kept::Lost => "lost",
    }
}

/// Writes what HTML or an old JavaScript could take for something else as escapes, which JSON reads as the same.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            character => text.push(character),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_the_json_ends_a_script() {
        let hostile = "</script><!-- & \u{2028}\u{2029}\" \\";
        let text = escaped(&Value::from(hostile).to_string());
        assert!(!text.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{text}");
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read, hostile);
    }

    #[test]
    fn times_far_apart_do_not_overflow() {
        assert_eq!(offset(i128::from(i64::MAX), i128::from(i64::MIN)), i64::MAX);
        assert_eq!(offset(i128::from(i64::MIN), i128::from(i64::MAX)), i64::MIN);
    }

    #[test]
    fn a_shape_is_told_once() {
        let layer = |name| LayerAbout { name, counted: true, parts: Vec::new() };
        let mut shapes = Shapes::default();
        assert_eq!(shapes.number(&[layer("IPv4")]), 0);
        assert_eq!(shapes.number(&[layer("IPv6")]), 1);
        assert_eq!(shapes.number(&[layer("IPv4")]), 0);
        assert_eq!(shapes.all.len(), 2);
    }
}
