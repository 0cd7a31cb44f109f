//! Explanations for programs.

use flowtruth::packet::PacketTime;
use flowtruth::pipeline::{ExplainedPacket, ExplainedRecord, Loss};
use serde_json::{Map, Value, json};

use super::text::Mark;
use super::{Asked, packet, record};

fn text(value: &Value) -> String {
    // a value always has a JSON form
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

pub fn packet(explained: &ExplainedPacket, asked: &Asked) -> String {
    let layers: Vec<Value> = explained
        .layers
        .iter()
        .map(|layer| {
            let parts: Vec<Value> = layer
                .parts
                .iter()
                .map(|part| {
                    let fields: Vec<String> = part.fate.fields().iter().map(ToString::to_string).collect();
                    json!({
                        "name": part.name,
                        "offset": part.bytes.start,
                        "length": part.bytes.len(),
                        "value": part.value,
                        "fate": Mark::of(part.fate, &asked.records.format).name(),
                        "fields": fields,
                    })
                })
                .collect();
            json!({ "name": layer.name, "counted": layer.counted, "parts": parts })
        })
        .collect();
    let [facts, kept, summed] = packet::facts(explained, asked);
    text(&json!({
        "capture": asked.name,
        "packet": explained.number,
        "time": match explained.time {
            PacketTime::At(time) => Some(time.to_string()),
            PacketTime::Missing | PacketTime::OutOfRange => None,
        },
        "original_length": explained.original_length,
        "captured_length": explained.data.len(),
        "layers": layers,
        "skipped": packet::skipped(explained).map(|reason| reason.to_string()),
        "record": explained.record.as_ref().map(|record| of_record(record, asked)),
        "facts": { "held": facts, "kept": kept, "summed": summed },
    }))
}

fn of_record(explained: &ExplainedRecord, asked: &Asked) -> Value {
    let filled = explained.filled(&asked.records);
    let fields: Map<String, Value> = asked
        .records
        .format
        .fields()
        .iter()
        .map(|field| (field.info().column.to_owned(), json!(field.get(&filled))))
        .collect();
    let packets: Vec<Value> = explained
        .packets
        .iter()
        .map(|packet| {
            json!({
                "packet": packet.number,
                "time": packet.time.to_string(),
                "ip_length": packet.ip_length,
                "frame_length": packet.frame_length,
                "tcp_flags": packet.tcp_flags.0,
            })
        })
        .collect();
    json!({
        "line": record::line(&filled, &asked.records),
        "fields": fields,
        "late": explained.late,
        "packets": packets,
        "packets_left_out": explained.counters.packets.saturating_sub(explained.packets.len() as u64),
        "start_from_packet": explained.first.number,
        "end_from_packet": explained.last.number,
    })
}

pub fn records(records: &[ExplainedRecord], asked: &Asked) -> String {
    let records: Vec<Value> = records.iter().map(|record| of_record(record, asked)).collect();
    text(&json!({ "capture": asked.name, "records": records }))
}

pub fn loss(loss: &Loss) -> String {
    let kinds: Vec<Value> = loss
        .kinds
        .iter()
        .map(|kind| {
            let layers: Vec<Value> = kind
                .layers
                .iter()
                .map(|layer| {
                    json!({
                        "name": layer.name,
                        "facts": layer.facts,
                        "kept": layer.kept,
                        "summed": layer.summed,
                    })
                })
                .collect();
            json!({ "packets": kind.packets, "layers": layers })
        })
        .collect();
    text(&json!({
        "packets": loss.packets,
        "packets_in_records": loss.packets_in_records,
        "wire_bytes": loss.wire_bytes,
        "captured_bytes": loss.captured_bytes,
        "ip_bytes": loss.ip_bytes,
        "records": loss.records,
        "record_bytes": loss.record_bytes,
        "kinds": kinds,
    }))
}
