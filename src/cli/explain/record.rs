//! A record with where each of its values comes from.

use std::fmt::Write as _;

use flowtruth::flow::FlowKey;
use flowtruth::flowlog::text::write_record_line;
use flowtruth::packet::{Protocol, Timestamp};
use flowtruth::pipeline::{CountedPacket, ExplainedRecord, RecordOptions};
use flowtruth::record::{Field, FlowRecord, Origin};

use super::Asked;
use super::text::{cut, width};
use crate::cli::summary::counted;

/// Its line.
pub fn line(filled: &FlowRecord, options: &RecordOptions) -> String {
    let mut line = Vec::new();
    write_record_line(&options.format, filled, &mut line);
    String::from_utf8_lossy(&line).trim_end().to_owned()
}

/// The flow, the window, and how many packets.
pub fn title(record: &ExplainedRecord) -> String {
    let FlowKey { srcaddr, dstaddr, protocol, srcport, dstport } = record.flow;
    let name = protocol.name().map_or_else(|| format!("protocol {protocol}"), str::to_owned);
    let ends = if protocol.has_ports() {
        format!("{} to {}", end(srcaddr, srcport), end(dstaddr, dstport))
    } else {
        format!("{srcaddr} to {dstaddr}")
    };
    let window = match record.window {
        Some(window) => format!(
            "window {} to {}{}",
            nanos(window.start),
            nanos(window.end),
            if record.late { ", late for it" } else { "" }
        ),
        None => "one window for the whole capture".to_owned(),
    };
    format!("{} from {ends}, {name}; {window}", counted(record.counters.packets, "packet"))
}

fn end(address: std::net::IpAddr, port: u16) -> std::net::SocketAddr {
    std::net::SocketAddr::new(address, port)
}

fn nanos(nanos: i128) -> String {
    i64::try_from(nanos)
        .map_or_else(|_| "the end of time".to_owned(), |nanos| Timestamp::from_nanos(nanos).to_string())
}

/// The values of a record, each with its origin; `this` is the packet that is explained.
pub fn values(record: &ExplainedRecord, this: Option<&CountedPacket>, asked: &Asked) -> Vec<[String; 3]> {
    let filled = record.filled(&asked.records);
    let origin = Origins { record, this, limit: asked.limit };
    (asked.records.format.fields().iter())
        .map(|field| [field.to_string(), field.get(&filled).to_string(), origin.of(*field, &filled)])
        .collect()
}

/// The same as lines.
pub fn table(values: &[[String; 3]]) -> String {
    let widest = |column: usize| {
        values.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let (names, longest) = (widest(0), widest(1).min(40));
    let left = width().saturating_sub(names + longest + 6);
    let mut text = String::new();
    for [name, value, origin] in values {
        let value = cut(value, longest);
        let _ = writeln!(text, "  {name:names$}  {value:longest$}  {}", cut(origin, left));
    }
    text
}

struct Origins<'a> {
    record: &'a ExplainedRecord,
    this: Option<&'a CountedPacket>,
    limit: usize,
}

impl Origins<'_> {
    fn of(&self, field: Field, filled: &FlowRecord) -> String {
        let ExplainedRecord { counters, first, last, flow, .. } = self.record;
        let missing = field.get(filled).is_missing();
        match field {
            Field::Version => "the highest version among the format's fields".to_owned(),
            Field::SrcAddr | Field::PktSrcAddr => "the source address of every packet".to_owned(),
            Field::DstAddr | Field::PktDstAddr => "the destination address of every packet".to_owned(),
            Field::SrcPort | Field::DstPort if !flow.protocol.has_ports() => "0: it has no ports".to_owned(),
            Field::SrcPort | Field::DstPort if flow.srcport == 0 && flow.dstport == 0 => {
                "0: its packets hold no ports that were captured, as later fragments do not".to_owned()
            }
            Field::SrcPort => "the source port: who sends".to_owned(),
            Field::DstPort => "the destination port: who receives".to_owned(),
            Field::Protocol => "the IP header's protocol".to_owned(),
            Field::Packets => self.packets(),
            Field::Bytes => self.bytes(),
            Field::Start => format!("packet {}, captured {}, in whole seconds", first.number, first.time),
            Field::End => format!("packet {}, captured {}, in whole seconds", last.number, last.time),
            Field::TcpFlags if flow.protocol == Protocol::TCP => {
                format!("FIN, SYN, RST and SYN-ACK of {}, OR-ed", counted(counters.packets, "packet"))
            }
            Field::TcpFlags => "only TCP has flags".to_owned(),
            Field::Type => "the IP header's version".to_owned(),
            Field::Action => {
                "not in the packets: what is said, else `ACCEPT`; `--vpc` of `convert` works it out"
                    .to_owned()
            }
            Field::LogStatus => "there is data".to_owned(),
            Field::FlowDirection if !missing => {
                "what the capture says of each packet, else what you say".to_owned()
            }
            field => match (field.origin(), missing) {
                (Origin::Vpc | Origin::Unknown, true) => "not in a capture".to_owned(),
                (_, true) => "not in a capture, and not said".to_owned(),
                (_, false) => "what you say".to_owned(),
            },
        }
    }

    fn packets(&self) -> String {
        let numbers = self.listed(|packet| packet.number.to_string());
        match self.this {
            Some(_) if self.record.counters.packets == 1 => "this packet alone".to_owned(),
            Some(_) => format!("this one among {}", numbers.join(", ")),
            None => numbers.join(", "),
        }
    }

    fn bytes(&self) -> String {
        let lengths = self.listed(|packet| packet.ip_length.to_string());
        let sum = lengths.join(" + ");
        match self.this {
            Some(this) if self.record.counters.packets > 1 => {
                format!("{} of this packet; IP lengths {sum}", this.ip_length)
            }
            _ => format!("IP lengths {sum}"),
        }
    }

    /// A word of each packet, as many as are listed.
    fn listed(&self, say: impl Fn(&CountedPacket) -> String) -> Vec<String> {
        let ExplainedRecord { packets, counters, .. } = self.record;
        let mut words: Vec<String> = packets.iter().take(self.limit.max(1)).map(say).collect();
        let rest = counters.packets.saturating_sub(words.len() as u64);
        if rest > 0 {
            words.push(format!("… {rest} more"));
        }
        words
    }
}
