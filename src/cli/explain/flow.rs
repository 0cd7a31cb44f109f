//! A flow's packets against its records, window by window.

use std::fmt::Write as _;

use flowtruth::packet::Protocol;
use flowtruth::pipeline::{CountedPacket, ExplainedRecord};

use super::text::heading;
use super::{Asked, json, record};
use crate::cli::summary::counted;

pub fn explain(records: &[ExplainedRecord], asked: &Asked) -> String {
    if asked.json {
        return json::records(records, asked);
    }
    let mut text = String::new();
    let (mut packets, mut bytes) = (0, 0);
    for explained in records {
        packets += explained.counters.packets;
        bytes += explained.counters.bytes;
        text.push_str(&heading("", &record::title(explained)));
        for packet in explained.packets.iter().take(asked.limit) {
            let _ = writeln!(text, "{}", line(packet, explained));
        }
        let rest = explained.counters.packets.saturating_sub(asked.limit as u64);
        if rest > 0 {
            let _ = writeln!(text, "  … {rest} more; `--limit` shows them");
        }
        let filled = explained.filled(&asked.records);
        let _ = writeln!(text, "= {}\n", record::line(&filled, &asked.records));
    }
    let _ = writeln!(
        text,
        "{} and {bytes} bytes of IP became {}",
        counted(packets, "packet"),
        counted(records.len() as u64, "record")
    );
    text
}

fn line(packet: &CountedPacket, record: &ExplainedRecord) -> String {
    let CountedPacket { number, time, ip_length, frame_length, tcp_flags } = packet;
    let time = time.to_string();
    let mut line = format!("  {number:>6}  {time:30}  {ip_length:>6} of {frame_length} bytes");
    if record.flow.protocol == Protocol::TCP {
        let _ = write!(line, "  flags {} -> {}", tcp_flags.0, tcp_flags.as_logged().0);
    }
    let ends = [(&record.first, "gives start"), (&record.last, "gives end")];
    for (_, what) in ends.iter().filter(|(end, _)| end.number == *number) {
        let _ = write!(line, "  {what}");
    }
    line
}
