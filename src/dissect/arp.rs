//! ARP (RFC 826), as it asks for IPv4 addresses over Ethernet.

use super::Next;
use super::cursor::{Cursor, number};
use super::layer::Fate::{Lost, Steers};

pub(super) fn arp(cursor: &mut Cursor<'_>) -> Next {
    cursor.layer("ARP");
    let lengths = [4, 5].map(|at| usize::from(cursor.byte(at).unwrap_or(0)));
    cursor.number("hardware type", 2, Steers);
    cursor.hexadecimal("protocol type", 2, Steers);
    cursor.number("hardware length", 1, Steers);
    cursor.number("protocol length", 1, Steers);
    cursor.part("operation", 2, Lost, |bytes| match number(bytes) {
        1 => "1, request".to_owned(),
        2 => "2, reply".to_owned(),
        other => other.to_string(),
    });
    let [hardware, protocol] = lengths;
    for (hardware_name, protocol_name) in
        [("sender hardware", "sender protocol"), ("target hardware", "target protocol")]
    {
        cursor.hardware(hardware_name, hardware, |bytes| joined(bytes, ":", |byte| format!("{byte:02x}")));
        cursor.address(protocol_name, protocol, Lost, |bytes| joined(bytes, ".", |byte| byte.to_string()));
    }
    Next::Payload("padding")
}

fn joined(bytes: &[u8], separator: &str, say: impl Fn(&u8) -> String) -> String {
    bytes.iter().map(say).collect::<Vec<_>>().join(separator)
}
