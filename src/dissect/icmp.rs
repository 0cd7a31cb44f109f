//! ICMP (RFC 792) and ICMPv6 (RFC 4443).

use super::Next;
use super::cursor::{Cursor, number};
use super::layer::Fate::Lost;

pub(super) fn icmp(cursor: &mut Cursor<'_>, name: &'static str) -> Next {
    cursor.layer(name);
    let is_v6 = name == "ICMPv6";
    let kind = cursor.byte(0);
    cursor.part("type", 1, Lost, |bytes| {
        let kind = number(bytes);
        kind_text(kind, is_v6).map_or_else(|| kind.to_string(), |text| format!("{kind}, {text}"))
    });
    cursor.number("code", 1, Lost);
    cursor.derived("checksum", 2);
    let is_echo = matches!((kind, is_v6), (Some(0 | 8), false) | (Some(128 | 129), true));
    if is_echo {
        cursor.number("identifier", 2, Lost);
        cursor.number("sequence number", 2, Lost);
        return Next::Payload("payload");
    }
    cursor.derived("rest of the header", 4);
    Next::Payload("message")
}

fn kind_text(kind: u64, is_v6: bool) -> Option<&'static str> {
    Some(match (kind, is_v6) {
        (0, false) | (129, true) => "echo reply",
        (8, false) | (128, true) => "echo request",
        (3, false) | (1, true) => "destination unreachable",
        (5, false) | (137, true) => "redirect",
        (11, false) | (3, true) => "time exceeded",
        (2, true) => "packet too big",
        (12, false) | (4, true) => "parameter problem",
        (133, true) => "router solicitation",
        (134, true) => "router advertisement",
        (135, true) => "neighbour solicitation",
        (136, true) => "neighbour advertisement",
        _ => return None,
    })
}
