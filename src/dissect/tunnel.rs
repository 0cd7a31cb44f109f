//! Tunnels that were opened: VXLAN (RFC 7348), Geneve (RFC 8926), GRE (RFC 2784, RFC 2890).

use super::Next;
use super::cursor::{Cursor, number};
use super::layer::Fate::{Lost, Steers};
use super::link::after;

pub(super) fn vxlan(cursor: &mut Cursor<'_>) -> Next {
    cursor.layer("VXLAN");
    cursor.hexadecimal("flags", 1, Steers);
    cursor.hexadecimal("reserved", 3, Lost);
    cursor.number("network identifier", 3, Lost);
    cursor.hexadecimal("reserved", 1, Lost);
    Next::Ethernet
}

pub(super) fn geneve(cursor: &mut Cursor<'_>) -> Next {
    cursor.layer("Geneve");
    let options = usize::from(cursor.byte(0).unwrap_or(0) & 0x3f) * 4;
    let protocol = cursor.word(2);
    cursor.parts("version, options length", 1, Steers, 2, |bytes| {
        let byte = number(bytes);
        format!("version {}, {} bytes of options", byte >> 6, (byte & 0x3f) * 4)
    });
    cursor.hexadecimal("flags", 1, Lost);
    cursor.hexadecimal("protocol type", 2, Steers);
    cursor.number("network identifier", 3, Lost);
    cursor.hexadecimal("reserved", 1, Lost);
    if options > 0 {
        cursor.opaque("options", options, |bytes| format!("{} bytes", bytes.len()));
    }
    after(protocol)
}

pub(super) fn gre(cursor: &mut Cursor<'_>) -> Next {
    cursor.layer("GRE");
    let flags = cursor.byte(0).unwrap_or(0);
    let protocol = cursor.word(2);
    cursor.hexadecimal("flags, version", 2, Steers);
    cursor.hexadecimal("protocol type", 2, Steers);
    if flags & 0xc0 != 0 {
        cursor.derived("checksum", 2);
        cursor.hexadecimal("offset", 2, Lost);
    }
    if flags & 0x20 != 0 {
        cursor.hexadecimal("key", 4, Lost);
    }
    if flags & 0x10 != 0 {
        cursor.number("sequence number", 4, Lost);
    }
    // source routes are not told apart: the counted packet is behind them
    if flags & 0x40 != 0 { Next::Payload("payload") } else { after(protocol) }
}
