//! IPv4 (RFC 791), IPv6 and its extension headers (RFC 8200).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::Next;
use super::cursor::{Cursor, number};
use super::layer::Fate::{Kept, Lost, Steers, Summed};
use super::transport::protocol_text;
use crate::record::Field;

const SOURCE: &[Field] = &[Field::SrcAddr, Field::PktSrcAddr];
const DESTINATION: &[Field] = &[Field::DstAddr, Field::PktDstAddr];

pub(super) fn v4(cursor: &mut Cursor<'_>) -> Next {
    cursor.layer("IPv4");
    let header = usize::from(cursor.byte(0).unwrap_or(0) & 0x0f) * 4;
    let protocol = cursor.byte(9);
    let is_later = cursor.word(6).is_some_and(|word| word & 0x1fff != 0);
    version_part(cursor, "version, header length", 1, |byte| {
        format!("version {}, header of {} bytes", byte >> 4, (byte & 0x0f) * 4)
    });
    traffic_class(cursor);
    cursor.number("total length", 2, Summed(Field::Bytes));
    cursor.number("identification", 2, Lost);
    cursor.parts("flags, fragment offset", 2, Lost, 3, |bytes| {
        let word = number(bytes);
        let names = [(0x4000, "do not fragment"), (0x2000, "more fragments")];
        let flags: Vec<&str> =
            names.iter().filter(|(bit, _)| word & bit != 0).map(|(_, name)| *name).collect();
        let flags = if flags.is_empty() { "none".to_owned() } else { flags.join(", ") };
        format!("{flags}; offset {}", (word & 0x1fff) * 8)
    });
    cursor.number("time to live", 1, Lost);
    cursor.part("protocol", 1, Kept(&[Field::Protocol]), |bytes| protocol_text(number(bytes)));
    cursor.derived("header checksum", 2);
    cursor.address("source address", 4, Kept(SOURCE), v4_text);
    cursor.address("destination address", 4, Kept(DESTINATION), v4_text);
    if header > 20 {
        cursor.opaque("options", header - 20, |bytes| format!("{} bytes", bytes.len()));
    }
    match protocol {
        None => Next::Nothing,
        Some(_) if is_later => Next::Fragment,
        Some(protocol) => Next::Protocol(protocol),
    }
}

/// The version decides `type`; the rest of the byte is told beside it.
fn version_part(cursor: &mut Cursor<'_>, name: &'static str, length: usize, say: impl FnOnce(u64) -> String) {
    cursor.parts(name, length, Kept(&[Field::Type]), 2, |bytes| say(number(bytes)));
}

fn traffic_class(cursor: &mut Cursor<'_>) {
    cursor.parts("DSCP, ECN", 1, Lost, 2, |bytes| {
        let byte = number(bytes);
        format!("DSCP {}, ECN {}", byte >> 2, byte & 3)
    });
}

fn v4_text(bytes: &[u8]) -> String {
    <[u8; 4]>::try_from(bytes).map(|octets| Ipv4Addr::from(octets).to_string()).unwrap_or_default()
}

fn v6_text(bytes: &[u8]) -> String {
    <[u8; 16]>::try_from(bytes).map(|octets| Ipv6Addr::from(octets).to_string()).unwrap_or_default()
}

pub(super) fn v6(cursor: &mut Cursor<'_>) -> Next {
    cursor.layer("IPv6");
    let next = cursor.byte(6);
    cursor.parts("version, class, flow label", 4, Kept(&[Field::Type]), 4, |bytes| {
        let word = number(bytes);
        let class = word >> 20 & 0xff;
        format!(
            "version {}, DSCP {}, ECN {}, flow label 0x{:05x}",
            word >> 28,
            class >> 2,
            class & 3,
            word & 0xf_ffff
        )
    });
    cursor.part("payload length", 2, Summed(Field::Bytes), |bytes| {
        format!("{}, and 40 of this header", number(bytes))
    });
    next_header(cursor, next);
    cursor.number("hop limit", 1, Lost);
    cursor.address("source address", 16, Kept(SOURCE), v6_text);
    cursor.address("destination address", 16, Kept(DESTINATION), v6_text);
    next.map_or(Next::Nothing, Next::Protocol)
}

/// The protocol number, which leads on where it is an extension header's.
fn next_header(cursor: &mut Cursor<'_>, next: Option<u8>) {
    let fate = if next.is_some_and(is_extension) { Steers } else { Kept(&[Field::Protocol]) };
    cursor.part("next header", 1, fate, |bytes| protocol_text(number(bytes)));
}

/// Hop-by-hop and destination options, routing, fragment, authentication.
pub(super) fn is_extension(protocol: u8) -> bool {
    matches!(protocol, 0 | 43 | 44 | 51 | 60)
}

/// An extension header of IPv6.
pub(super) fn extension(cursor: &mut Cursor<'_>, protocol: u8) -> Next {
    let next = cursor.byte(0);
    cursor.layer(match protocol {
        0 => "IPv6 hop-by-hop options",
        43 => "IPv6 routing",
        44 => "IPv6 fragment",
        51 => "authentication header",
        _ => "IPv6 destination options",
    });
    next_header(cursor, next);
    if protocol == 44 {
        let is_later = cursor.word(1).is_some_and(|word| word >> 3 != 0);
        cursor.hexadecimal("reserved", 1, Lost);
        cursor.parts("fragment offset, more", 2, Lost, 2, |bytes| {
            let word = number(bytes);
            let more = if word & 1 == 0 { "the last" } else { "more follow" };
            format!("offset {}, {more}", word & 0xfff8)
        });
        cursor.number("identification", 4, Lost);
        return match next {
            None => Next::Nothing,
            Some(_) if is_later => Next::Fragment,
            Some(next) => Next::Protocol(next),
        };
    }
    // eight-byte units beyond the first, of the authentication header four-byte units beyond two
    let units = usize::from(cursor.byte(0).unwrap_or(0));
    let length = if protocol == 51 { (units + 2) * 4 } else { (units + 1) * 8 };
    cursor.number("header length", 1, Steers);
    cursor.opaque("content", length.saturating_sub(2), |bytes| format!("{} bytes", bytes.len()));
    next.map_or(Next::Nothing, Next::Protocol)
}
