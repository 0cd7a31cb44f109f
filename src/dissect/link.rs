//! Link headers: Ethernet and VLAN tags (IEEE 802.3, 802.1Q), Linux cooked captures, BSD loopback, raw IP.

use super::cursor::{Cursor, number};
use super::layer::Fate::{Lost, Steers};
use super::{Next, arp};
use crate::packet::LinkType;

/// The first header of a frame.
pub(super) fn first(cursor: &mut Cursor<'_>, link_type: LinkType) -> Next {
    match link_type {
        LinkType::ETHERNET => Next::Ethernet,
        LinkType::LINUX_SLL => cooked(cursor),
        LinkType::LINUX_SLL2 => cooked_2(cursor),
        LinkType::NULL | LinkType::LOOP => loopback(cursor),
        LinkType::RAW | LinkType::RAW_12 | LinkType::RAW_14 | LinkType::IPV4 | LinkType::IPV6 => {
            version(cursor)
        }
        other => Next::Payload(other.name().unwrap_or("link layer")),
    }
}

/// An address with colons, as the AWS CLI shows MAC addresses too.
fn mac(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

/// An ethertype with its name.
fn ethertype_text(bytes: &[u8]) -> String {
    let ethertype = number(bytes);
    let name = match ethertype {
        0x0800 => "IPv4",
        0x86dd => "IPv6",
        0x0806 => "ARP",
        0x8100 => "VLAN tag",
        0x88a8 => "service VLAN tag",
        0x8847 | 0x8848 => "MPLS",
        0x8863 | 0x8864 => "PPPoE",
        0x88cc => "LLDP",
        0x888e => "EAPOL",
        0x6558 => "Ethernet",
        ..1536 => return format!("{ethertype}, a length"),
        _ => return format!("0x{ethertype:04x}"),
    };
    format!("0x{ethertype:04x}, {name}")
}

pub(super) fn ethernet(cursor: &mut Cursor<'_>) -> Next {
    cursor.layer("Ethernet");
    cursor.hardware("destination", 6, mac);
    cursor.hardware("source", 6, mac);
    let ethertype = cursor.word(0);
    cursor.part("type", 2, Steers, ethertype_text);
    after(ethertype)
}

/// What an ethertype leads to.
pub(super) fn after(ethertype: Option<u16>) -> Next {
    match ethertype {
        None => Next::Nothing,
        Some(..1536) => Next::Llc,
        Some(ethertype) => Next::Ethertype(ethertype),
    }
}

pub(super) fn ethertype(cursor: &mut Cursor<'_>, ethertype: u16) -> Next {
    match ethertype {
        0x0800 => Next::Ipv4,
        0x86dd => Next::Ipv6,
        0x0806 => arp::arp(cursor),
        0x6558 => Next::Ethernet,
        0x8100 | 0x88a8 | 0x9100 | 0x9200 => {
            cursor.layer("VLAN");
            cursor.parts("priority, drop, VLAN", 2, Lost, 3, |bytes| {
                let control = number(bytes);
                let drop = if control & 0x1000 == 0 { "" } else { ", may be dropped" };
                format!("priority {}{drop}, VLAN {}", control >> 13, control & 0x0fff)
            });
            let ethertype = cursor.word(0);
            cursor.part("type", 2, Steers, ethertype_text);
            after(ethertype)
        }
        _ => Next::Payload("payload"),
    }
}

/// LLC and SNAP (IEEE 802.2).
pub(super) fn llc(cursor: &mut Cursor<'_>) -> Next {
    cursor.layer("LLC");
    let is_snap = cursor.word(0) == Some(0xaaaa);
    let saps = cursor.word(0);
    cursor.hexadecimal("destination SAP", 1, Steers);
    cursor.hexadecimal("source SAP", 1, Lost);
    cursor.hexadecimal("control", 1, Lost);
    if is_snap {
        cursor.layer("SNAP");
        cursor.hexadecimal("organisation", 3, Lost);
        let ethertype = cursor.word(0);
        cursor.part("type", 2, Steers, ethertype_text);
        return ethertype.map_or(Next::Nothing, Next::Ethertype);
    }
    if saps == Some(0x0606) { Next::Ipv4 } else { Next::Payload("payload") }
}

/// Linux "cooked" capture (LINKTYPE_LINUX_SLL).
fn cooked(cursor: &mut Cursor<'_>) -> Next {
    cursor.layer("Linux cooked");
    cursor.part("packet type", 2, Lost, |bytes| packet_type(number(bytes)));
    cursor.number("device type", 2, Lost);
    cooked_address(cursor, 2);
    let ethertype = cursor.word(0);
    cursor.part("protocol", 2, Steers, ethertype_text);
    ethertype.map_or(Next::Nothing, Next::Ethertype)
}

/// Its second version (LINKTYPE_LINUX_SLL2).
fn cooked_2(cursor: &mut Cursor<'_>) -> Next {
    cursor.layer("Linux cooked 2");
    let ethertype = cursor.word(0);
    cursor.part("protocol", 2, Steers, ethertype_text);
    cursor.hexadecimal("reserved", 2, Lost);
    cursor.number("interface", 4, Lost);
    cursor.number("device type", 2, Lost);
    cursor.part("packet type", 1, Lost, |bytes| packet_type(number(bytes)));
    cooked_address(cursor, 1);
    ethertype.map_or(Next::Nothing, Next::Ethertype)
}

/// The sender's address in eight bytes, and in front of it how many of them count.
fn cooked_address(cursor: &mut Cursor<'_>, length: usize) {
    let used = cursor.peek(length).last().map_or(0, |used| usize::from(*used).min(8));
    cursor.number("address length", length, Steers);
    cursor.hardware("address", 8, |bytes| mac(bytes.get(..used).unwrap_or_default()));
}

fn packet_type(number: u64) -> String {
    let name = match number {
        0 => "to this host",
        1 => "broadcast",
        2 => "multicast",
        3 => "to another host",
        4 => "from this host",
        _ => return number.to_string(),
    };
    format!("{number}, {name}")
}

/// Four bytes of address family, in either byte order (LINKTYPE_NULL, LINKTYPE_LOOP).
fn loopback(cursor: &mut Cursor<'_>) -> Next {
    cursor.layer("BSD loopback");
    cursor.part("address family", 4, Steers, |bytes| {
        // no family is larger than a byte
        bytes.iter().copied().max().unwrap_or_default().to_string()
    });
    version(cursor)
}

/// By the version in the first four bits.
fn version(cursor: &Cursor<'_>) -> Next {
    match cursor.byte(0).map(|byte| byte >> 4) {
        Some(4) => Next::Ipv4,
        Some(6) => Next::Ipv6,
        Some(_) => Next::Payload("payload"),
        None => Next::Nothing,
    }
}
