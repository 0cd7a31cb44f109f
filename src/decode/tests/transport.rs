//! Ports, flags and ICMP types, whole and cut (rules 7 and 8).

use super::*;
use crate::packet::{IcmpType, Protocol, TcpFlags};

#[test]
fn ports_and_flags_need_their_bytes_captured_and_inside_the_ip_length() {
    let segment = tcp(443, 50_000, 0x12);
    for length in 0..segment.len() {
        let by_snap_length = ipv4(6, &segment);
        let packet =
            decode(&captured(LinkType::RAW, 40, &by_snap_length[..20 + length]), Tunnels::NONE).unwrap();
        let mut by_ip_length = ipv4(6, &segment[..length]);
        by_ip_length.extend(&segment[length..]);
        for packet in [packet, decode_ip(&by_ip_length).unwrap()] {
            let ports = if length < 4 { (0, 0) } else { (443, 50_000) };
            assert_eq!((packet.srcport, packet.dstport), ports, "{length}");
            assert_eq!(packet.tcp_flags, TcpFlags(if length < 14 { 0 } else { 0x12 }), "{length}");
            assert_eq!(packet.notes.contains(Note::PortsCut), length < 4, "{length}");
            assert_eq!(packet.notes.contains(Note::FlagsCut), (4..14).contains(&length), "{length}");
        }
    }
}

#[test]
fn only_tcp_udp_and_sctp_have_ports() {
    for number in 0..=255 {
        let packet = decode_ip(&ipv4(number, &[0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12])).unwrap();
        let ports = if [6, 17, 132].contains(&number) { (1, 2) } else { (0, 0) };
        assert_eq!((packet.protocol, packet.srcport, packet.dstport), (Protocol(number), ports.0, ports.1));
        assert_eq!(packet.tcp_flags, TcpFlags(if number == 6 { 0x12 } else { 0 }));
        let icmp = [1, 58].contains(&number).then_some(IcmpType { icmp_type: 0, code: 1 });
        assert_eq!(packet.icmp, icmp, "{number}");
        assert_eq!(notes(&packet), []);
        // nothing of it captured
        let packet = decode_ip(&ipv4(number, &[])).unwrap();
        assert_eq!(packet.notes.contains(Note::PortsCut), [6, 17, 132].contains(&number), "{number}");
        assert_eq!(packet.icmp, None);
    }
}

#[test]
fn icmp_is_not_read_from_the_middle_of_a_fragment() {
    let mut packet = ipv4(1, &[8, 0, 0, 0]);
    assert_eq!(decode_ip(&packet).unwrap().icmp, Some(IcmpType { icmp_type: 8, code: 0 }));
    packet[7] = 1;
    assert_eq!(decode_ip(&packet).unwrap().icmp, None);
}
