//! Tunnels, opened and left closed (rule 11).

use super::*;
use crate::packet::{Fragment, Protocol};

fn open(frame: &[u8], tunnels: &str) -> IpPacket {
    decode(&captured(LinkType::ETHERNET, frame.len(), frame), tunnels.parse().unwrap()).unwrap()
}

/// The packet inside all tunnels: 40 bytes of IPv4 and TCP.
fn inner() -> Vec<u8> {
    ipv4(6, &tcp(22, 5000, 0x18))
}

fn vxlan(frame: &[u8]) -> Vec<u8> {
    udp(50_000, 4789, &join(&[&[0x08, 0, 0, 0, 0, 0, 5, 0], frame]))
}

fn geneve(protocol: u16, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let words = u8::try_from(options.len() / 4).unwrap();
    let [high, low] = protocol.to_be_bytes();
    udp(50_000, 6081, &join(&[&[words, 0, high, low, 0, 0, 5, 0], options, payload]))
}

fn gre(flags: u8, protocol: u16, fields: &[u8], payload: &[u8]) -> Vec<u8> {
    let [high, low] = protocol.to_be_bytes();
    join(&[&[flags, 0, high, low], fields, payload])
}

#[test]
fn opens_what_is_asked_for() {
    let inner = inner();
    let inner_frame = ethernet(0x0800, &inner);
    let route = [0, 1, 0, 4, 9, 9, 9, 9, 0, 0, 0, 0];
    let cases = [
        ("vxlan", 17, vxlan(&inner_frame), Note::Vxlan),
        ("vxlan", 17, vxlan(&ethernet(0x8100, &join(&[&[0, 1, 0x08, 0], &inner]))), Note::Vxlan),
        ("geneve", 17, geneve(0x0800, &[], &inner), Note::Geneve),
        // three options of a Gateway Load Balancer
        ("geneve", 17, geneve(0x0800, &[1, 8, 1, 2, 0, 0, 0, 1, 0, 0, 0, 2], &inner), Note::Geneve),
        ("geneve", 17, geneve(0x6558, &[0; 252], &inner_frame), Note::Geneve),
        ("gre", 47, gre(0, 0x0800, &[], &inner), Note::Gre),
        ("gre", 47, gre(0x80, 0x0800, &[0; 4], &inner), Note::Gre),
        ("gre", 47, gre(0x20, 0x6558, &[0; 4], &inner_frame), Note::Gre),
        ("gre", 47, gre(0xb0, 0x0800, &[0; 12], &inner), Note::Gre),
        ("gre", 47, gre(0x40, 0x0800, &join(&[&[0; 4], &route]), &inner), Note::Gre),
    ];
    for (name, protocol, payload, note) in cases {
        for (ethertype, outer) in [(0x0800, ipv4(protocol, &payload)), (0x86dd, ipv6(protocol, &payload))] {
            let frame = ethernet(ethertype, &outer);
            let closed = open(&frame, "none");
            assert_eq!(
                (closed.ip_length as usize, closed.protocol),
                (outer.len(), Protocol(protocol)),
                "{payload:x?}"
            );
            for all in [name, "vxlan,geneve,gre"] {
                let packet = open(&frame, all);
                assert_eq!((packet.ip_length, packet.captured_ip_length), (40, 40), "{payload:x?}");
                assert_eq!((packet.srcport, packet.dstport, packet.tcp_flags.0), (22, 5000, 0x18));
                assert_eq!(packet.ip_offset as usize, frame.len() - 40);
                assert_eq!(notes(&packet), [note]);
            }
            let others = ["vxlan", "geneve", "gre"].into_iter().filter(|other| *other != name);
            assert_eq!(open(&frame, &others.collect::<Vec<_>>().join(",")), closed);
        }
    }
}

#[test]
fn the_outer_packet_counts_where_the_inner_cannot() {
    let inner_frame = ethernet(0x0800, &inner());
    let mut without_identifier = vxlan(&inner_frame);
    without_identifier[8] = 0;
    let mut to_another_port = vxlan(&inner_frame);
    to_another_port[2..4].copy_from_slice(&4790_u16.to_be_bytes());
    let mut from_the_port = to_another_port.clone();
    from_the_port[..2].copy_from_slice(&4789_u16.to_be_bytes());
    let mut geneve_version_1 = geneve(0x0800, &[], &inner());
    geneve_version_1[8] |= 0x40;
    let mut gre_version_1 = gre(0, 0x0800, &[], &inner());
    gre_version_1[1] = 1;
    let cases = [
        (17, without_identifier),
        (17, to_another_port),
        (17, from_the_port),
        (17, geneve_version_1),
        (47, gre_version_1),
        (17, vxlan(&ethernet(0x0806, &[0; 46]))),
        (17, vxlan(&ethernet(0x86dd, &inner()))),
        (17, vxlan(&inner_frame[..33])),
        (17, vxlan(&[])),
        (17, geneve(0x0806, &[], &inner())),
        (17, geneve(0x0800, &[0; 252], &inner()[..19])),
        (47, gre(0, 0x88be, &[], &inner())),
        (47, gre(0xb0, 0x0800, &[0; 12], &[])),
        (47, gre(0x40, 0x0800, &[0, 0, 0, 0, 0, 1, 0, 200], &inner())),
        (47, vec![]),
    ];
    for (protocol, payload) in cases {
        let frame = ethernet(0x0800, &ipv4(protocol, &payload));
        assert_eq!(open(&frame, "vxlan,geneve,gre"), open(&frame, "none"), "{payload:x?}");
    }
}

#[test]
fn an_inner_packet_behind_the_outers_end_is_not_read() {
    // the outer packet ends in the inner IP header; the rest is padding
    let mut frame = ethernet(0x0800, &ipv4(17, &vxlan(&ethernet(0x0800, &inner()))));
    frame[17] = 20 + 8 + 8 + 14 + 19;
    assert_eq!(open(&frame, "vxlan"), open(&frame, "none"));
    frame[17] += 1;
    let packet = open(&frame, "vxlan");
    assert_eq!((packet.ip_length, packet.captured_ip_length, packet.dstport), (40, 20, 0));
    assert_eq!(notes(&packet), [Note::LengthExceedsFrame, Note::PortsCut, Note::Vxlan]);
}

#[test]
fn an_inner_length_of_0_counts_by_what_the_outer_holds() {
    let mut zero = inner();
    zero[3] = 0;
    let frame = join(&[&ethernet(0x0800, &ipv4(17, &vxlan(&ethernet(0x0800, &zero)))), &[0; 9]]);
    let packet = open(&frame, "vxlan");
    assert_eq!((packet.ip_length, notes(&packet)), (40, vec![Note::LengthZero, Note::Vxlan]));
    // the outer has no length either: then what the frame holds, padding or not
    let mut both = frame.clone();
    (both[16], both[17]) = (0, 0);
    assert_eq!(open(&both, "vxlan").ip_length, 49);
    // cut by the snap length
    let cut = &frame[..90];
    let packet = decode(&captured(LinkType::ETHERNET, frame.len(), cut), Tunnels::ALL).unwrap();
    assert_eq!((packet.ip_length, packet.captured_ip_length, packet.dstport), (40, 26, 5000));
    assert_eq!(notes(&packet), [Note::LengthZero, Note::SnaplenCut, Note::FlagsCut, Note::Vxlan]);
}

#[test]
fn opens_tunnels_in_tunnels_to_a_fixed_depth() {
    let mut packet = inner();
    for depth in 1..=6_usize {
        packet = if depth % 2 == 0 {
            ipv4(17, &vxlan(&ethernet(0x0800, &packet)))
        } else {
            ipv4(47, &gre(0, 0x0800, &[], &packet))
        };
        let decoded = open(&ethernet(0x0800, &packet), "vxlan,gre");
        let reached = (decoded.ip_length == 40) as usize;
        assert_eq!(reached, usize::from(depth <= 4), "{depth}");
        assert_eq!(decoded.notes.contains(Note::Vxlan), depth > 1, "{depth}");
        // what was opened and what remains make up the whole
        let opened = decoded.ip_offset as usize + decoded.ip_length as usize;
        assert_eq!(opened, 14 + packet.len(), "{depth}");
    }
}

#[test]
fn a_first_fragment_is_opened_and_a_later_one_is_not() {
    let mut frame = ethernet(0x0800, &ipv4(17, &vxlan(&ethernet(0x0800, &inner()))));
    frame[20] = 0x20;
    let packet = open(&frame, "vxlan");
    assert_eq!((packet.dstport, packet.fragment), (5000, Fragment::Whole));
    frame[21] = 1;
    let packet = open(&frame, "vxlan");
    assert_eq!((packet.dstport, packet.protocol, packet.fragment), (0, Protocol::UDP, Fragment::Later(7)));
}
