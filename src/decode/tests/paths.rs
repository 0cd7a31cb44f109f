//! The fast and the general path agree, etherparse agrees with both, and nothing panics.

use std::net::IpAddr;

use etherparse::{LaxNetSlice, LaxSlicedPacket, PacketBuilder, SlicedPacket, TransportSlice, VlanId};
use proptest::prelude::*;

use super::*;
use crate::decode::{fast, general};
use crate::packet::{Fragment, Protocol};

/// Every link type that is opened, and some that are not.
const LINK_TYPES: [u16; 32] = [
    0, 1, 6, 8, 9, 10, 12, 14, 50, 51, 100, 101, 104, 105, 107, 108, 109, 113, 117, 119, 122, 127, 163, 166,
    192, 204, 205, 206, 228, 229, 239, 276,
];

/// A frame of the kind that the fast path is for, or nearly.
fn common_frame() -> impl Strategy<Value = Vec<u8>> {
    let tags = prop::collection::vec(prop::sample::select(vec![0x8100_u16, 0x88a8, 0x9100]), 0..4);
    let extension = prop::sample::select(vec![0, 43, 44, 60, 51, 1, 58, 132]);
    let protocol = prop_oneof![4 => Just(6), 4 => Just(17), 3 => extension, 1 => any::<u8>()];
    // bytes that are extension headers of eight bytes now and then
    let byte = prop_oneof![3 => any::<u8>(), 2 => Just(0), 1 => prop::sample::select(vec![1, 6, 17, 44, 60])];
    let payload = prop::collection::vec(byte, 0..70);
    (tags, any::<bool>(), protocol, payload, 0..20_usize).prop_map(
        |(tags, six, protocol, payload, padding)| {
            let mut body = if six { ipv6(protocol, &payload) } else { ipv4(protocol, &payload) };
            let mut ethertype = if six { 0x86dd } else { 0x0800_u16 };
            for tag in tags {
                body = join(&[&[0, 9], &ethertype.to_be_bytes(), &body]);
                ethertype = tag;
            }
            join(&[&ethernet(ethertype, &body), &vec![0; padding]])
        },
    )
}

/// Such a frame with a few bytes changed, most of them by a bit and in its headers.
fn damaged_frame() -> impl Strategy<Value = Vec<u8>> {
    let place = prop_oneof![3 => 12..48_usize, 1 => 0..140_usize];
    let change = prop_oneof![3 => (0..8).prop_map(|bit| 1_u8 << bit), 1 => any::<u8>()];
    (common_frame(), prop::collection::vec((place, change), 0..4)).prop_map(|(mut frame, changes)| {
        for (at, change) in changes {
            if let Some(byte) = frame.get_mut(at) {
                *byte ^= change;
            }
        }
        frame
    })
}

fn tunnels() -> impl Strategy<Value = Tunnels> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(vxlan, geneve, gre)| Tunnels {
        vxlan,
        geneve,
        gre,
    })
}

/// What holds for every packet that was decoded.
fn check(packet: &CapturedPacket<'_>, decoded: &IpPacket) {
    assert!(decoded.captured_ip_length <= decoded.ip_length);
    assert!((decoded.ip_offset + decoded.captured_ip_length) as usize <= packet.data.len());
    assert_eq!(decoded.notes.contains(Note::SnaplenCut), packet.data.len() < packet.original_length as usize);
    assert_eq!(decoded.srcaddr.is_ipv4(), decoded.dstaddr.is_ipv4());
    if !decoded.protocol.has_ports() || matches!(decoded.fragment, Fragment::Later(_)) {
        assert_eq!((decoded.srcport, decoded.dstport, decoded.tcp_flags.0), (0, 0, 0));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8000))]

    #[test]
    fn the_fast_path_and_the_general_path_agree(
        frame in damaged_frame(), cut in 0..160_usize, longer in prop_oneof![3 => 0..2_i64, 1 => -9..2000_i64],
        tunnels in tunnels(),
    ) {
        let data = &frame[..cut.max(14).min(frame.len())];
        let original_length = (frame.len() as i64 + longer) as usize;
        let packet = captured(LinkType::ETHERNET, original_length, data);
        if let Some(decoded) = fast::decode(&packet, tunnels) {
            prop_assert_eq!(general::decode(&packet, tunnels), Ok(decoded));
            check(&packet, &decoded);
        }
    }

    #[test]
    fn etherparse_agrees_where_it_has_an_answer(frame in damaged_frame()) {
        let lax = LaxSlicedPacket::from_ethernet(&frame).unwrap();
        let packet = captured(LinkType::ETHERNET, frame.len(), &frame);
        let Ok(decoded) = general::decode(&packet, Tunnels::NONE) else { return Ok(()) };
        let Some(net) = &lax.net else { return Ok(()) };
        let addresses: (IpAddr, IpAddr) = match net {
            LaxNetSlice::Ipv4(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
            LaxNetSlice::Ipv6(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
            LaxNetSlice::Arp(_) => return Err(TestCaseError::fail("ARP was decoded")),
        };
        prop_assert_eq!((decoded.srcaddr, decoded.dstaddr), addresses);
        let (protocol, ports) = match &lax.transport {
            Some(TransportSlice::Tcp(tcp)) => (Protocol::TCP, (tcp.source_port(), tcp.destination_port())),
            Some(TransportSlice::Udp(udp)) => (Protocol::UDP, (udp.source_port(), udp.destination_port())),
            _ => return Ok(()),
        };
        // etherparse looks behind the end of a packet whose length is wrong, and behind an authentication header
        let other_rules = decoded.notes.contains(Note::PortsCut)
            || decoded.notes.contains(Note::ExtensionCut)
            || decoded.protocol == Protocol(51);
        if !other_rules {
            prop_assert_eq!((decoded.protocol, (decoded.srcport, decoded.dstport)), (protocol, ports));
        }
    }

    #[test]
    fn nothing_panics(
        link_type in prop_oneof![9 => prop::sample::select(LINK_TYPES.to_vec()), 1 => any::<u16>()],
        data in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(vec![0, 1, 3, 4, 6, 8, 17, 0x45, 0x60, 0xaa])], 0..120),
        original_length in any::<u32>(),
        tunnels in tunnels(),
    ) {
        let packet = captured(LinkType(link_type), original_length as usize, &data);
        if let Ok(decoded) = decode(&packet, tunnels) {
            check(&packet, &decoded);
        }
    }

    #[test]
    fn a_shorter_capture_never_changes_what_is_counted(frame in damaged_frame(), cut in any::<prop::sample::Index>()) {
        let whole = decode(&captured(LinkType::ETHERNET, frame.len(), &frame), Tunnels::NONE);
        let data = &frame[..cut.index(frame.len())];
        let short = decode(&captured(LinkType::ETHERNET, frame.len(), data), Tunnels::NONE);
        if let Ok(short) = short {
            let whole = whole.unwrap();
            prop_assert_eq!((short.srcaddr, short.dstaddr), (whole.srcaddr, whole.dstaddr));
            if !short.notes.contains(Note::ExtensionCut) {
                prop_assert_eq!((short.ip_length, short.protocol), (whole.ip_length, whole.protocol));
            }
            if short.notes.iter().all(|note| !matches!(note, Note::PortsCut | Note::ExtensionCut)) {
                prop_assert_eq!((short.srcport, short.dstport), (whole.srcport, whole.dstport));
            }
        }
    }

    #[test]
    fn what_was_built_is_decoded(
        six in any::<bool>(), tags in 0..3_u8, is_tcp in any::<bool>(), syn in any::<bool>(),
        source in any::<[u8; 16]>(), destination in any::<[u8; 16]>(), ports in any::<(u16, u16)>(),
        payload in prop::collection::vec(any::<u8>(), 0..60), padding in 0..9_usize,
    ) {
        let link = PacketBuilder::ethernet2([1; 6], [2; 6]);
        let v4 = |address: [u8; 16]| *address.first_chunk::<4>().unwrap();
        let id = |number| VlanId::try_new(number).unwrap();
        let (v4s, v4d) = (v4(source), v4(destination));
        let step = match (tags, six) {
            (0, false) => link.ipv4(v4s, v4d, 9),
            (0, true) => link.ipv6(source, destination, 9),
            (1, false) => link.single_vlan(id(7)).ipv4(v4s, v4d, 9),
            (1, true) => link.single_vlan(id(7)).ipv6(source, destination, 9),
            (_, false) => link.double_vlan(id(7), id(8)).ipv4(v4s, v4d, 9),
            (_, true) => link.double_vlan(id(7), id(8)).ipv6(source, destination, 9),
        };
        let mut frame = Vec::new();
        if is_tcp {
            let segment = step.tcp(ports.0, ports.1, 1, 2);
            let segment = if syn { segment.syn() } else { segment.ack(5) };
            segment.write(&mut frame, &payload).unwrap();
        } else {
            step.udp(ports.0, ports.1).write(&mut frame, &payload).unwrap();
        }
        let link_length = 14 + usize::from(tags) * 4;
        let length = frame.len() - link_length;
        frame.resize(frame.len() + padding, 0);
        let packet = captured(LinkType::ETHERNET, frame.len(), &frame);
        let decoded = fast::decode(&packet, Tunnels::NONE).expect("the common frame takes the fast path");
        let address = |bytes: [u8; 16]| if six { IpAddr::from(bytes) } else { IpAddr::from(v4(bytes)) };
        let expected = IpPacket {
            srcaddr: address(source),
            dstaddr: address(destination),
            srcport: ports.0,
            dstport: ports.1,
            protocol: if is_tcp { Protocol::TCP } else { Protocol::UDP },
            tcp_flags: crate::packet::TcpFlags(match (is_tcp, syn) { (false, _) => 0, (_, true) => 2, _ => 0x10 }),
            ip_length: u32::try_from(length).unwrap(),
            captured_ip_length: u32::try_from(length).unwrap(),
            ip_offset: u32::try_from(link_length).unwrap(),
            fingerprint: decoded.fingerprint,
            ..IpPacket::default()
        };
        prop_assert_eq!(decoded, expected);
        prop_assert!(SlicedPacket::from_ethernet(&frame).is_ok());
    }

    #[test]
    fn the_fingerprint_is_the_packets_own(
        six in any::<bool>(), is_tcp in any::<bool>(), payload in prop::collection::vec(any::<u8>(), 0..40),
        at in any::<prop::sample::Index>(), bit in 0..8_u8, hop_limit in any::<u8>(), class in any::<u8>(), checksum in any::<[u8; 2]>(),
    ) {
        let body = if is_tcp { join(&[&tcp(1, 2, 0x18), &payload]) } else { udp(1, 2, &payload) };
        let protocol = if is_tcp { 6 } else { 17 };
        let ip = if six { ipv6(protocol, &body) } else { ipv4(protocol, &body) };
        let fingerprint = decode_ip(&ip).unwrap().fingerprint;
        // what routers change, and what is no part of the packet
        let mut routed = ip.clone();
        if six {
            (routed[0], routed[1], routed[7]) = (0x60 | class >> 4, class << 4, hop_limit);
        } else {
            (routed[1], routed[8], routed[10], routed[11]) = (class, hop_limit, checksum[0], checksum[1]);
        }
        let frame = join(&[&ethernet(if six { 0x86dd } else { 0x0800 }, &routed), &[7; 9]]);
        prop_assert_eq!(decode_frame(LinkType::ETHERNET, &frame).unwrap().fingerprint, fingerprint);
        // every other bit of the headers and the first 40 bytes behind them
        let fixed = if six { 40 } else { 20 };
        let at = at.index(ip.len().min(fixed + 40));
        let ignored: &[usize] = if six { &[0, 1, 7] } else { &[0, 1, 8, 10, 11] };
        let mut changed = ip.clone();
        changed[at] ^= 1 << bit;
        if !ignored.contains(&at) && let Ok(changed) = decode_ip(&changed) {
            // a length of 0 counts by the frame, and that is the same
            prop_assume!(!changed.notes.contains(Note::LengthZero));
            prop_assert_ne!(changed.fingerprint, fingerprint, "byte {}", at);
        }
    }
}

#[test]
fn the_common_frame_takes_the_fast_path() {
    let segment = tcp(1, 2, 0x18);
    let datagram = udp(1, 4789, b"abc");
    let tagged = |body: &[u8]| ethernet(0x88a8, &join(&[&[0, 1, 0x81, 0, 0, 2, 0x08, 0], body]));
    for (frame, is_udp) in [
        (ethernet(0x0800, &ipv4(6, &segment)), false),
        (ethernet(0x86dd, &ipv6(6, &segment)), false),
        (ethernet(0x0800, &ipv4(17, &datagram)), true),
        (tagged(&ipv4(17, &datagram)), true),
    ] {
        let packet = captured(LinkType::ETHERNET, frame.len(), &frame);
        assert!(fast::decode(&packet, Tunnels::NONE).is_some(), "{frame:x?}");
        // a port of a tunnel that may have to be opened is the general path's
        assert_eq!(fast::decode(&packet, Tunnels::ALL).is_none(), is_udp, "{frame:x?}");
        let cut = captured(LinkType::ETHERNET, frame.len() + 9, &frame);
        assert!(
            fast::decode(&cut, Tunnels::NONE).is_some_and(|packet| packet.notes.contains(Note::SnaplenCut))
        );
    }
    for frame in [ethernet(0x0806, &[0; 46]), ethernet(0x0800, &ipv4(1, &[8, 0, 0, 0, 0, 0, 0, 0]))] {
        assert_eq!(fast::decode(&captured(LinkType::ETHERNET, frame.len(), &frame), Tunnels::NONE), None);
    }
}
