//! TCP (RFC 9293) and its usual options.

use super::Next;
use super::cursor::{Cursor, number};
use super::layer::Fate::{Lost, Steers, Summed};
use super::transport::ports;
use crate::packet::TcpFlags;
use crate::record::Field;

pub(super) fn tcp(cursor: &mut Cursor<'_>) -> Next {
    cursor.layer("TCP");
    let header = usize::from(cursor.byte(12).unwrap_or(0) >> 4) * 4;
    ports(cursor);
    cursor.number("sequence number", 4, Lost);
    cursor.number("acknowledgment number", 4, Lost);
    cursor.part("data offset", 1, Steers, |bytes| format!("header of {} bytes", (number(bytes) >> 4) * 4));
    cursor.parts("flags", 1, Summed(Field::TcpFlags), 8, |bytes| flags_text(number(bytes)));
    cursor.number("window", 2, Lost);
    cursor.derived("checksum", 2);
    cursor.number("urgent pointer", 2, Lost);
    options(cursor, header.saturating_sub(20));
    Next::Payload("payload")
}

/// The flags' names, and what a record counts of them.
fn flags_text(byte: u64) -> String {
    const NAMES: [(u64, &str); 8] = [
        (0x80, "CWR"),
        (0x40, "ECE"),
        (0x20, "URG"),
        (0x10, "ACK"),
        (0x08, "PSH"),
        (0x04, "RST"),
        (0x02, "SYN"),
        (0x01, "FIN"),
    ];
    let set: Vec<&str> = NAMES.iter().filter(|(bit, _)| byte & bit != 0).map(|(_, name)| *name).collect();
    let logged = u8::try_from(byte).map_or(0, |byte| TcpFlags(byte).as_logged().0);
    let set = if set.is_empty() { "none".to_owned() } else { set.join(" ") };
    format!("{set}; logged as {logged}")
}

/// Options up to a length, each a part.
fn options(cursor: &mut Cursor<'_>, mut left: usize) {
    while left > 0 {
        let Some(kind) = cursor.byte(0) else {
            cursor.opaque("options", left, |_| String::new());
            return;
        };
        let length = match kind {
            0 => left,
            1 => 1,
            _ => match cursor.byte(1).map(usize::from) {
                Some(length) if (2..=left).contains(&length) => length,
                // where the next one begins is not known
                _ => {
                    cursor.opaque("malformed options", left, |bytes| format!("{} bytes", bytes.len()));
                    return;
                }
            },
        };
        match (kind, length) {
            (0, _) => cursor.opaque("end of options", length, |bytes| format!("{} bytes", bytes.len())),
            (1, _) => cursor.part("no operation", length, Lost, |_| String::new()),
            (2, 4) => cursor.part("maximum segment size", length, Lost, value_text),
            (3, 3) => cursor.part("window scale", length, Lost, value_text),
            (4, 2) => cursor.part("SACK permitted", length, Lost, |_| String::new()),
            (5, _) => cursor
                .part("SACK", length, Lost, |bytes| format!("blocks: {}", bytes.len().saturating_sub(2) / 8)),
            (8, 10) => cursor.part("timestamps", length, Lost, |bytes| {
                let at = |from: usize| number(bytes.get(from..from + 4).unwrap_or_default());
                format!("{}, echo of {}", at(2), at(6))
            }),
            // some load balancers put an address in one
            _ => cursor.opaque("option", length, |_| format!("kind {kind}")),
        }
        left -= length;
    }
}

/// The number behind an option's kind and length.
fn value_text(bytes: &[u8]) -> String {
    number(bytes.get(2..).unwrap_or_default()).to_string()
}
