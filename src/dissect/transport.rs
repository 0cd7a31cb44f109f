//! What is behind an IP header: UDP (RFC 768), SCTP (RFC 9260), GRE, IP in IP, and by other files TCP and ICMP.

use super::cursor::{Cursor, number};
use super::layer::Fate::{Kept, Lost};
use super::{Next, icmp, ip, tcp, tunnel};
use crate::packet::Protocol;
use crate::record::Field;

/// A protocol number with its name.
pub(super) fn protocol_text(protocol: u64) -> String {
    let name = u8::try_from(protocol).ok().and_then(|protocol| Protocol(protocol).name());
    name.map_or_else(|| protocol.to_string(), |name| format!("{protocol}, {name}"))
}

pub(super) fn protocol(cursor: &mut Cursor<'_>, protocol: u8) -> Next {
    match Protocol(protocol) {
        _ if ip::is_extension(protocol) => ip::extension(cursor, protocol),
        Protocol::TCP => tcp::tcp(cursor),
        Protocol::UDP => udp(cursor),
        Protocol::SCTP => sctp(cursor),
        Protocol::ICMP => icmp::icmp(cursor, "ICMP"),
        Protocol::ICMPV6 => icmp::icmp(cursor, "ICMPv6"),
        Protocol::GRE if cursor.is_outside() => tunnel::gre(cursor),
        Protocol::IPV4 if cursor.is_outside() => Next::Ipv4,
        Protocol::IPV6 if cursor.is_outside() => Next::Ipv6,
        _ => Next::Payload("payload"),
    }
}

/// Both ports, which is what TCP, UDP and SCTP begin with.
pub(super) fn ports(cursor: &mut Cursor<'_>) {
    cursor.number("source port", 2, Kept(&[Field::SrcPort]));
    cursor.number("destination port", 2, Kept(&[Field::DstPort]));
}

fn udp(cursor: &mut Cursor<'_>) -> Next {
    cursor.layer("UDP");
    let destination = cursor.word(2);
    ports(cursor);
    cursor.number("length", 2, Lost);
    cursor.derived("checksum", 2);
    match destination {
        Some(4789) if cursor.is_outside() => Next::Vxlan,
        Some(6081) if cursor.is_outside() => Next::Geneve,
        _ => Next::Payload("payload"),
    }
}

fn sctp(cursor: &mut Cursor<'_>) -> Next {
    cursor.layer("SCTP");
    ports(cursor);
    cursor.part("verification tag", 4, Lost, |bytes| format!("0x{:08x}", number(bytes)));
    cursor.derived("checksum", 4);
    Next::Payload("chunks")
}
