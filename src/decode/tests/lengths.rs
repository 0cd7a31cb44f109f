//! What the IP header says, and what it says wrongly (rules 4, 5, 6 and 9).

use super::*;
use crate::packet::{Fragment, Protocol};

/// A packet with some of its bytes replaced.
fn with(mut packet: Vec<u8>, changes: &[(usize, u8)]) -> Vec<u8> {
    for (at, byte) in changes {
        packet[*at] = *byte;
    }
    packet
}

#[test]
fn a_header_that_is_damaged_is_a_reason_to_skip() {
    let v4 = ipv4(6, &tcp(1, 2, 0));
    let v6 = ipv6(6, &tcp(1, 2, 0));
    let cases = [
        (LinkType::IPV4, v6.clone(), SkipReason::IpVersion),
        (LinkType::IPV6, v4.clone(), SkipReason::IpVersion),
        (LinkType::RAW, with(v4.clone(), &[(0, 0x55)]), SkipReason::IpVersion),
        (LinkType::ETHERNET, ethernet(0x0800, &v6), SkipReason::IpVersion),
        (LinkType::ETHERNET, ethernet(0x86dd, &v4), SkipReason::IpVersion),
        (LinkType::RAW, with(v4.clone(), &[(0, 0x44)]), SkipReason::Ipv4HeaderLength),
        (LinkType::RAW, with(v4.clone(), &[(0, 0x40)]), SkipReason::Ipv4HeaderLength),
        (LinkType::RAW, with(v4.clone(), &[(3, 19)]), SkipReason::Ipv4TotalLength),
        (LinkType::RAW, with(v4.clone(), &[(3, 1)]), SkipReason::Ipv4TotalLength),
        (LinkType::RAW, with(v4.clone(), &[(0, 0x46), (3, 23)]), SkipReason::Ipv4TotalLength),
        // the options are cut, and the total length is still looked at
        (LinkType::RAW, with(v4[..20].to_vec(), &[(0, 0x4f), (3, 59)]), SkipReason::Ipv4TotalLength),
        (LinkType::RAW, Vec::new(), SkipReason::IpHeaderCut),
    ];
    for (link_type, frame, reason) in cases {
        assert_eq!(decode_frame(link_type, &frame), Err(reason), "{frame:x?}");
    }
}

#[test]
fn the_headers_length_counts_and_padding_does_not() {
    let ip = ipv4(6, &tcp(1, 2, 0));
    let padded = join(&[&ip, &[0; 6]]);
    let packet = decode_ip(&padded).unwrap();
    assert_eq!((packet.ip_length, packet.captured_ip_length, notes(&packet)), (40, 40, vec![]));
    // longer than its frame
    let packet = decode_ip(&with(ip.clone(), &[(3, 41)])).unwrap();
    assert_eq!((packet.ip_length, packet.captured_ip_length), (41, 40));
    assert_eq!(notes(&packet), [Note::LengthExceedsFrame]);
    // cut by the snap length, and longer than its frame besides
    let long = with(ip, &[(2, 5), (3, 0xdc)]);
    let packet = decode(&captured(LinkType::RAW, 1500, &long), Tunnels::NONE).unwrap();
    assert_eq!(
        (packet.ip_length, packet.captured_ip_length, notes(&packet)),
        (1500, 40, vec![Note::SnaplenCut])
    );
    let packet = decode(&captured(LinkType::RAW, 1499, &long), Tunnels::NONE).unwrap();
    assert_eq!(notes(&packet), [Note::SnaplenCut, Note::LengthExceedsFrame]);
}

#[test]
fn a_length_of_0_counts_by_the_frame() {
    let zero = ethernet(0x0800, &with(ipv4(6, &tcp(1, 2, 0)), &[(3, 0)]));
    let packet = decode(&captured(LinkType::ETHERNET, 5014, &zero), Tunnels::NONE).unwrap();
    assert_eq!((packet.ip_length, packet.captured_ip_length, packet.dstport), (5000, 40, 2));
    assert_eq!(notes(&packet), [Note::LengthZero, Note::SnaplenCut]);
    let zero = ethernet(0x86dd, &with(ipv6(6, &tcp(1, 2, 0)), &[(5, 0)]));
    let packet = decode(&captured(LinkType::ETHERNET, 70_014, &zero), Tunnels::NONE).unwrap();
    assert_eq!((packet.ip_length, packet.captured_ip_length, packet.dstport), (70_000, 60, 2));
    assert_eq!(notes(&packet), [Note::LengthZero, Note::SnaplenCut]);
    // a frame that says it is shorter than what was captured of it
    let packet = decode(&captured(LinkType::ETHERNET, 10, &zero), Tunnels::NONE).unwrap();
    assert_eq!((packet.ip_length, notes(&packet)), (60, vec![Note::LengthZero]));
}

#[test]
fn an_ipv6_payload_length_of_0_may_be_meant() {
    let zero = |next_header, payload: &[u8]| with(ipv6(next_header, payload), &[(4, 0), (5, 0)]);
    let cases: [(Vec<u8>, u32, Protocol, Vec<Note>); 6] = [
        (zero(6, &[]), 40, Protocol::TCP, vec![Note::PortsCut]),
        (zero(59, &[0; 20]), 40, Protocol::NONE, vec![]),
        // hop-by-hop options without a jumbo payload: the walk ends where the packet does
        (zero(0, &[6, 0, 1, 4, 0, 0, 0, 0]), 40, Protocol::HOP_BY_HOP, vec![Note::ExtensionCut]),
        (zero(0, &[]), 40, Protocol::HOP_BY_HOP, vec![Note::ExtensionCut]),
        (
            zero(0, &join(&[&[6, 0, 0xc2, 4, 0, 1, 0, 8], &tcp(1, 2, 0)])),
            65_584,
            Protocol::TCP,
            vec![Note::Jumbogram, Note::LengthExceedsFrame],
        ),
        (
            zero(0, &join(&[&[17, 0, 0xc2, 4, 0xff, 0xff, 0xff, 0xff], &udp(1, 2, &[])])),
            u32::MAX,
            Protocol::UDP,
            vec![Note::Jumbogram, Note::LengthExceedsFrame],
        ),
    ];
    for (packet, length, protocol, noted) in cases {
        let decoded = decode_ip(&packet).unwrap();
        assert_eq!(
            (decoded.ip_length, decoded.protocol, notes(&decoded)),
            (length, protocol, noted),
            "{packet:x?}"
        );
    }
    // a jumbo option beside a payload length counts for nothing
    let packet = ipv6(0, &join(&[&[6, 0, 0xc2, 4, 0, 1, 0, 8], &tcp(1, 2, 0)]));
    assert_eq!((decode_ip(&packet).unwrap().ip_length, notes(&decode_ip(&packet).unwrap())), (68, vec![]));
}

#[test]
fn ipv4_options_may_be_cut() {
    let whole = join(&[&with(ipv4(17, &[0; 24]), &[(0, 0x4b)])[..44], &udp(1, 2, &[])]);
    let whole = with(whole, &[(3, 52)]);
    assert_eq!(decode_ip(&whole).unwrap().dstport, 2);
    for length in 20..48 {
        let packet = decode(&captured(LinkType::RAW, 52, &whole[..length]), Tunnels::NONE).unwrap();
        assert_eq!((packet.ip_length, packet.protocol, packet.dstport), (52, Protocol::UDP, 0), "{length}");
        assert_eq!(notes(&packet), [Note::SnaplenCut, Note::PortsCut], "{length}");
    }
}

#[test]
fn fragments() {
    let ports = udp(1, 2, b"data");
    let v4 = |high, low| with(ipv4(17, &ports), &[(6, high), (7, low)]);
    let v6 = |high, low| ipv6(44, &join(&[&[17, 0, high, low, 0, 0, 1, 0], &ports]));
    let cases = [
        (v4(0x40, 0), Fragment::Whole, (1, 2), vec![]),
        (v4(0x20, 0), Fragment::First(7), (1, 2), vec![Note::FragmentFirst]),
        (v4(0x20, 1), Fragment::Later(7), (0, 0), vec![Note::FragmentLater]),
        (v4(0x1f, 0xff), Fragment::Later(7), (0, 0), vec![Note::FragmentLater]),
        (v6(0, 0), Fragment::Atomic, (1, 2), vec![Note::FragmentAtomic]),
        (v6(0, 6), Fragment::Atomic, (1, 2), vec![Note::FragmentAtomic]),
        (v6(0, 1), Fragment::First(256), (1, 2), vec![Note::FragmentFirst]),
        (v6(0, 8), Fragment::Later(256), (0, 0), vec![Note::FragmentLater]),
    ];
    for (packet, fragment, ports, noted) in cases {
        let decoded = decode_ip(&packet).unwrap();
        assert_eq!((decoded.fragment, decoded.protocol), (fragment, Protocol::UDP), "{packet:x?}");
        assert_eq!(((decoded.srcport, decoded.dstport), notes(&decoded)), (ports, noted), "{packet:x?}");
    }
}

#[test]
fn an_extension_header_outside_the_ip_length_is_not_walked() {
    let packet = with(ipv6(0, &join(&[&[6, 0, 1, 4, 0, 0, 0, 0], &tcp(1, 2, 0)])), &[(5, 1)]);
    let decoded = decode_ip(&packet).unwrap();
    assert_eq!((decoded.protocol, decoded.dstport), (Protocol::HOP_BY_HOP, 0));
    assert_eq!(notes(&decoded), [Note::ExtensionCut]);
    let packet = with(packet, &[(5, 2)]);
    let decoded = decode_ip(&packet).unwrap();
    assert_eq!((decoded.protocol, decoded.dstport), (Protocol::TCP, 0));
    assert_eq!(notes(&decoded), [Note::PortsCut]);
}
