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
    cursor.hexadecimal("checksum", 2, Lost);
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
            cursor.part("options", left, Lost, |_| String::new());
            return;
        };
        let length = match kind {
            0 => left,
            1 => 1,
            _ => match cursor.byte(1).map(usize::from) {
                Some(length) if (2..=left).contains(&length) => length,
                // where the next one begins is not known
                _ => {
                    cursor.part("malformed options", left, Lost, |bytes| format!("{} bytes", bytes.len()));
                    return;
                }
            },
        };
        let (name, say): (_, fn(&[u8]) -> String) = match kind {
            0 => ("end of options", |bytes| format!("{} bytes", bytes.len())),
            1 => ("no operation", |_| String::new()),
            2 => ("maximum segment size", value_text),
            3 => ("window scale", value_text),
            4 => ("SACK permitted", |_| String::new()),
            5 => ("SACK", |bytes| format!("blocks: {}", bytes.len().saturating_sub(2) / 8)),
            8 => ("timestamps", |bytes| {
                let at = |from: usize| number(bytes.get(from..from + 4).unwrap_or_default());
                format!("{}, echo of {}", at(2), at(6))
            }),
            _ => ("option", |bytes| format!("kind {}", bytes.first().copied().unwrap_or_default())),
        };
        cursor.part(name, length, Lost, say);
        left -= length;
    }
}

/// The number behind an option's kind and length.
fn value_text(bytes: &[u8]) -> String {
    number(bytes.get(2..).unwrap_or_default().get(..4).unwrap_or(bytes.get(2..).unwrap_or_default()))
        .to_string()
}
