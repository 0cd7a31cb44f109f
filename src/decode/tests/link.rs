//! Every header that is opened in front of IP, and every one that is not.

use super::*;
use PacketDirection::{Inbound, Outbound, Unknown};

/// Link header, then an IPv4 or IPv6 packet: what comes out, and which way it went.
type Opened = (LinkType, &'static str, u8, PacketDirection);

/// Bytes written in hexadecimal; `x*n` repeats a byte.
fn hex(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in text.split_whitespace() {
        if let Some((byte, times)) = word.split_once('*') {
            let byte = u8::from_str_radix(byte, 16).unwrap();
            bytes.extend(std::iter::repeat_n(byte, times.parse().unwrap()));
        } else {
            let digits = word.as_bytes().chunks(2);
            bytes
                .extend(digits.map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()));
        }
    }
    bytes
}

const WIFI: LinkType = LinkType::IEEE802_11;

#[rustfmt::skip]
const OPENED: &[Opened] = &[
    (LinkType::ETHERNET, "02*12 0800", 4, Unknown),
    (LinkType::ETHERNET, "02*12 86dd", 6, Unknown),
    // VLAN tags of every ethertype, more than etherparse opens, and one that holds a length
    (LinkType::ETHERNET, "02*12 8100 0001 0800", 4, Unknown),
    (LinkType::ETHERNET, "02*12 88a8 0001 9100 0002 8100 0003 8100 0004 8100 0005 86dd", 6, Unknown),
    (LinkType::ETHERNET, "02*12 8100 0001 0040 aaaa03 000000 0800", 4, Unknown),
    // LLC: SNAP of both organisations, the access point of IP, and SNAP with a VLAN tag behind it
    (LinkType::ETHERNET, "02*12 0040 aaaa03 000000 0800", 4, Unknown),
    (LinkType::ETHERNET, "02*12 05dc aaaa03 0000f8 86dd", 6, Unknown),
    (LinkType::ETHERNET, "02*12 0000 060603", 4, Unknown),
    (LinkType::ETHERNET, "02*12 0040 060613", 6, Unknown),
    (LinkType::ETHERNET, "02*12 0040 06060000", 4, Unknown),
    (LinkType::ETHERNET, "02*12 0040 aaaa03 000000 8100 0001 0800", 4, Unknown),
    // MPLS: unicast and multicast, one label and three
    (LinkType::ETHERNET, "02*12 8847 00001140", 4, Unknown),
    (LinkType::ETHERNET, "02*12 8847 00001140", 6, Unknown),
    (LinkType::ETHERNET, "02*12 8848 00001040 00002040 00003140", 6, Unknown),
    // PPPoE sessions
    (LinkType::ETHERNET, "02*12 8864 1100 0001 0030 0021", 4, Unknown),
    (LinkType::ETHERNET, "02*12 8100 0001 8864 1100 0001 0030 0057", 6, Unknown),
    (LinkType::PPP_ETHER, "1100 0001 0030 0021", 4, Unknown),
    // PPP: with and without address and control, compressed protocols, MPLS, Cisco HDLC in its place
    (LinkType::PPP, "0021", 4, Unknown),
    (LinkType::PPP, "21", 4, Unknown),
    (LinkType::PPP, "ff03 0057", 6, Unknown),
    (LinkType::PPP, "ff03 57", 6, Unknown),
    (LinkType::PPP, "ff03 0281 00001140", 4, Unknown),
    (LinkType::PPP, "0f00 0800", 4, Unknown),
    (LinkType::PPP_HDLC, "ff03 0021", 4, Unknown),
    (LinkType::PPP_HDLC, "8f00 86dd", 6, Unknown),
    (LinkType::PPP_WITH_DIR, "00 ff03 0021", 4, Inbound),
    (LinkType::PPP_WITH_DIR, "01 57", 6, Outbound),
    (LinkType::PPP_PPPD, "00 03 0021", 4, Inbound),
    (LinkType::PPP_PPPD, "01 03 0057", 6, Outbound),
    (LinkType::C_HDLC, "0f00 0800", 4, Unknown),
    (LinkType::C_HDLC, "8f00 8847 00001140", 6, Unknown),
    (LinkType::C_HDLC_WITH_DIR, "00 0f00 0800", 4, Inbound),
    (LinkType::C_HDLC_WITH_DIR, "ff 0f00 86dd", 6, Outbound),
    // frame relay: addresses of two to four bytes, padding, SNAP, Cisco's encapsulation
    (LinkType::FRELAY, "1841 03 cc", 4, Unknown),
    (LinkType::FRELAY, "184041 03 8e", 6, Unknown),
    (LinkType::FRELAY, "18404041 03 cc", 4, Unknown),
    (LinkType::FRELAY, "1841 03 00 80 000000 0800", 4, Unknown),
    (LinkType::FRELAY, "1841 03 80 000000 86dd", 6, Unknown),
    (LinkType::FRELAY, "1841 0800", 4, Unknown),
    (LinkType::FRELAY_WITH_DIR, "00 1841 03 cc", 4, Inbound),
    (LinkType::FRELAY_WITH_DIR, "01 1841 86dd", 6, Outbound),
    // Linux cooked captures
    (LinkType::LINUX_SLL, "0000 0001 0006 02*8 0800", 4, Inbound),
    (LinkType::LINUX_SLL, "0004 0001 0006 02*8 86dd", 6, Outbound),
    (LinkType::LINUX_SLL, "0003 ffff 0000 02*8 8100 0001 0800", 4, Unknown),
    (LinkType::LINUX_SLL, "0001 0001 0006 02*8 0004 060603", 4, Inbound),
    (LinkType::LINUX_SLL2, "0800 0000 00000003 0001 02 06 02*8", 4, Inbound),
    (LinkType::LINUX_SLL2, "86dd 0000 00000003 0304 04 06 02*8", 6, Outbound),
    // loopback in both byte orders
    (LinkType::NULL, "02000000", 4, Unknown),
    (LinkType::NULL, "00000002", 4, Unknown),
    (LinkType::NULL, "0a000000", 6, Unknown),
    (LinkType::NULL, "17000000", 6, Unknown),
    (LinkType::NULL, "18000000", 6, Unknown),
    (LinkType::NULL, "0000001c", 6, Unknown),
    (LinkType::NULL, "1e000000", 6, Unknown),
    (LinkType::LOOP, "00000002", 4, Unknown),
    (LinkType::LOOP, "00000018", 6, Unknown),
    (LinkType::LOOP, "1e000000", 6, Unknown),
    // no link header
    (LinkType::RAW, "", 4, Unknown),
    (LinkType::RAW_12, "", 6, Unknown),
    (LinkType::RAW_14, "", 4, Unknown),
    (LinkType::IPV4, "", 4, Unknown),
    (LinkType::IPV6, "", 6, Unknown),
    // 802.11: plain, between access points, with quality of service, with all of it
    (WIFI, "0801 0000 02*18 1000 aaaa03 000000 0800", 4, Unknown),
    (WIFI, "0803 0000 02*18 1000 02*6 aaaa03 000000 86dd", 6, Unknown),
    (WIFI, "8801 0000 02*18 1000 0000 aaaa03 000000 0800", 4, Unknown),
    (WIFI, "8883 0000 02*18 1000 02*6 0000 ffffffff aaaa03 000000 0800", 4, Unknown),
    // radiotap: nothing present; flags behind a time stamp and two words of presence, and a padded header
    (LinkType::IEEE802_11_RADIOTAP, "0000 0800 00000000 0801 0000 02*18 1000 aaaa03 000000 0800", 4, Unknown),
    (LinkType::IEEE802_11_RADIOTAP,
     "0000 1900 03000080 00000000 00*4 11*8 20 8801 0000 02*18 1000 0000 0000 aaaa03 000000 86dd", 6, Unknown),
    (LinkType::IEEE802_11_RADIOTAP, "0000 0900 02000000 10 8801 0000 02*18 1000 0000 aaaa03 000000 0800", 4, Unknown),
    (LinkType::PPI, "00 00 0800 69000000 0801 0000 02*18 1000 aaaa03 000000 0800", 4, Unknown),
    (LinkType::PPI, "00 00 0c00 01000000 00*4 02*12 86dd", 6, Unknown),
    (LinkType::IEEE802_11_PRISM, "44000000 90000000 00*136 0801 0000 02*18 1000 aaaa03 000000 0800", 4, Unknown),
    (LinkType::IEEE802_11_PRISM, "00000044 00000090 00*136 0801 0000 02*18 1000 aaaa03 000000 0800", 4, Unknown),
    (LinkType::IEEE802_11_PRISM, "80211001 00000040 00*56 0801 0000 02*18 1000 aaaa03 000000 86dd", 6, Unknown),
    (LinkType::IEEE802_11_AVS, "80211002 00000050 00*72 0801 0000 02*18 1000 aaaa03 000000 0800", 4, Unknown),
    // netfilter's log, little- and big-endian: hook 1 in, 3 out, 2 forwarded; a prefix of odd length before the packet
    (LinkType::NFLOG, "02 00 0000 0800 0100 0800 01 00 0600 0a00 4142 0000 2200 0900", 4, Inbound),
    (LinkType::NFLOG, "0a 00 0000 0008 0001 0800 03 00 0005 000a 00 000000 0036 0009", 6, Outbound),
    (LinkType::NFLOG, "02 00 0000 0800 0100 0800 02 00 2200 0900", 4, Unknown),
    // packet filter's log: OpenBSD 3.4, 3.8, 4.9
    (LinkType::PFLOG, "2d 02 00*42 01 00*3", 4, Inbound),
    (LinkType::PFLOG, "3d 18 00*58 02 00*3", 6, Outbound),
    (LinkType::PFLOG, "64 02 00*58 00 00*39", 4, Unknown),
    (LinkType::ENC, "02000000 00001234 00000000", 4, Unknown),
    (LinkType::ENC, "00000018 00001234 00000000", 6, Unknown),
    // older networks; a token ring's source route
    (LinkType::FDDI, "50 02*12 aaaa03 000000 0800", 4, Unknown),
    (LinkType::TOKEN_RING, "1040 02*12 aaaa03 000000 0800", 4, Unknown),
    (LinkType::TOKEN_RING, "1040 02*6 82 02*5 0630 0011 0022 aaaa03 000000 86dd", 6, Unknown),
    (LinkType::ATM_RFC1483, "aaaa03 000000 0800", 4, Unknown),
    (LinkType::IP_OVER_FC, "10*16 aaaa03 000000 0800", 4, Unknown),
];

#[test]
fn opens_every_header_in_front_of_ip() {
    for &(link_type, header, version, direction) in OPENED {
        let header = hex(header);
        let ip = if version == 4 { ipv4(17, &udp(53, 1053, b"ab")) } else { ipv6(17, &udp(53, 1053, b"ab")) };
        let frame = join(&[&header, &ip, &[0; 7]]);
        let packet = decode_frame(link_type, &frame)
            .unwrap_or_else(|reason| panic!("{link_type} {header:x?}: {reason}"));
        assert_eq!(packet.ip_offset as usize, header.len(), "{link_type} {header:x?}");
        assert_eq!(packet.ip_length as usize, ip.len(), "{link_type} {header:x?}");
        assert_eq!(packet.captured_ip_length as usize, ip.len(), "{link_type} {header:x?}");
        assert_eq!((packet.srcport, packet.dstport), (53, 1053), "{link_type} {header:x?}");
        assert_eq!(packet.direction, direction, "{link_type} {header:x?}");
        assert_eq!(packet.srcaddr.is_ipv4(), version == 4, "{link_type} {header:x?}");
    }
}

#[test]
fn a_header_that_is_cut_is_a_reason_to_skip() {
    for &(link_type, header, version, _) in OPENED {
        let header = hex(header);
        let ip = if version == 4 { ipv4(6, &tcp(1, 2, 2)) } else { ipv6(6, &tcp(1, 2, 2)) };
        let fixed = if version == 4 { 20 } else { 40 };
        let frame = join(&[&header, &ip]);
        for length in 0..frame.len() {
            let result = decode(&captured(link_type, frame.len(), &frame[..length]), Tunnels::NONE);
            if length < header.len() {
                // MPLS looks at the byte behind it, too
                assert_eq!(result, Err(SkipReason::LinkHeaderCut), "{link_type} {header:x?} at {length}");
            } else if length < header.len() + fixed {
                let reason = result.unwrap_err();
                let cut = [SkipReason::IpHeaderCut, SkipReason::LinkHeaderCut].contains(&reason);
                assert!(cut, "{link_type} {header:x?} at {length}: {reason}");
            } else {
                let packet = result.unwrap();
                assert_eq!(packet.ip_length as usize, ip.len());
                assert_eq!(packet.captured_ip_length as usize, length - header.len());
                assert!(packet.notes.contains(Note::SnaplenCut));
            }
        }
    }
}

#[test]
fn what_is_not_opened_is_named() {
    let link_type = |number| LinkType(number);
    let cases = [
        (LinkType::ETHERNET, "02*12 0806 00*46", SkipReason::Ethertype(0x0806)),
        (LinkType::ETHERNET, "02*12 8100 0001 88cc 00*46", SkipReason::Ethertype(0x88cc)),
        (LinkType::ETHERNET, "02*12 8863 00*46", SkipReason::Ethertype(0x8863)),
        (LinkType::ETHERNET, "02*12 88e5 00*46", SkipReason::Ethertype(0x88e5)),
        (LinkType::ETHERNET, "02*12 88e7 00*46", SkipReason::Ethertype(0x88e7)),
        (LinkType::ETHERNET, "02*12 05dd 00*46", SkipReason::Ethertype(0x05dd)),
        (LinkType::ETHERNET, "02*12 0040 424203 00*46", SkipReason::Llc(0x42)),
        (LinkType::ETHERNET, "02*12 0040 ffff03 00*46", SkipReason::Llc(0xff)),
        (LinkType::ETHERNET, "02*12 0040 0606e3 00*46", SkipReason::Llc(0x06)),
        (LinkType::ETHERNET, "02*12 0040 aa0603 000000 0800 45*46", SkipReason::Llc(0xaa)),
        (LinkType::ETHERNET, "02*12 0040 aaaa03 00000c 2000 00*46", SkipReason::SnapOrganisation),
        (LinkType::ETHERNET, "02*12 0040 aaaa03 000000 0806 00*46", SkipReason::Ethertype(0x0806)),
        (LinkType::ETHERNET, "02*12 8847 00001140 00000000 00*46", SkipReason::MplsPseudowire),
        (LinkType::ETHERNET, "02*12 8847 00001040 00001040", SkipReason::LinkHeaderCut),
        (LinkType::ETHERNET, "02*12 8864 1100 0001 0030 c021 00*46", SkipReason::Ppp(0xc021)),
        (LinkType::PPP, "c223 00*46", SkipReason::Ppp(0xc223)),
        (LinkType::PPP, "fd 00*46", SkipReason::Ppp(0x00fd)),
        (LinkType::C_HDLC, "0f00 8035 00*46", SkipReason::Ethertype(0x8035)),
        (LinkType::FRELAY, "1841 03 08 00*46", SkipReason::FrameRelay(0x08)),
        (LinkType::FRELAY, "1841 00 75 00*46", SkipReason::FrameRelay(0x00)),
        (LinkType::FRELAY, "1840404040 03 cc 45*46", SkipReason::LinkHeaderCut),
        (LinkType::FRELAY, "19 41 03 cc 45*46", SkipReason::LinkHeaderCut),
        (LinkType::NULL, "07000000 00*46", SkipReason::AddressFamily(7)),
        (LinkType::LOOP, "00000007 00*46", SkipReason::AddressFamily(7)),
        (LinkType::LINUX_SLL, "0000 0001 0006 02*8 0001 00*46", SkipReason::Ethertype(1)),
        (LinkType::LINUX_SLL2, "0806 0000 00000003 0001 00 06 02*8 00*46", SkipReason::Ethertype(0x0806)),
        (WIFI, "8000 00*46", SkipReason::WifiNotData),
        (WIFI, "d400 00*10", SkipReason::WifiNotData),
        (WIFI, "4801 00*46", SkipReason::WifiNotData),
        (WIFI, "c801 00*46", SkipReason::WifiNotData),
        (WIFI, "0841 00*46", SkipReason::WifiProtected),
        (WIFI, "0805 00*46", SkipReason::WifiFragment),
        (WIFI, "0801 0000 02*18 1100 00*46", SkipReason::WifiFragment),
        (WIFI, "8801 0000 02*18 1000 8000 00*46", SkipReason::WifiAggregate),
        (LinkType::IEEE802_11_RADIOTAP, "0000 0400 00000000 00*46", SkipReason::LinkHeaderCut),
        (LinkType::IEEE802_11_RADIOTAP, "0000 0800 02000000 00*46", SkipReason::LinkHeaderCut),
        (LinkType::IEEE802_11_RADIOTAP, "0000 0800 00000080 00*46", SkipReason::LinkHeaderCut),
        (LinkType::IEEE802_11_AVS, "80211001 00000007 00*46", SkipReason::LinkHeaderCut),
        (LinkType::PPI, "00 00 0700 69000000 00*46", SkipReason::LinkHeaderCut),
        (LinkType::PPI, "00 00 0800 93000000 00*46", SkipReason::LinkType(link_type(147))),
        (LinkType::NFLOG, "02 00 0000 0300 0900 45*46", SkipReason::LinkHeaderCut),
        (LinkType::NFLOG, "02 00 0000 0800 0100 0800 0100", SkipReason::LinkHeaderCut),
        (LinkType::NFLOG, "07 00 0000 0800 0100 0800 0100", SkipReason::AddressFamily(7)),
        (LinkType::PFLOG, "2c 02 00*46", SkipReason::LinkHeaderCut),
        (LinkType::PFLOG, "3d 01 00*62", SkipReason::AddressFamily(1)),
        (LinkType::ENC, "00000000 00*46", SkipReason::AddressFamily(0)),
        (LinkType::FDDI, "41 00*46", SkipReason::MacManagement),
        (LinkType::TOKEN_RING, "1000 00*46", SkipReason::MacManagement),
        (LinkType::TOKEN_RING, "1040 02*6 82 02*5 0130 00*46", SkipReason::LinkHeaderCut),
        (LinkType::ATM_RFC1483, "fefe03 83 00*46", SkipReason::Llc(0xfe)),
        (LinkType::SLIP, "45*46", SkipReason::LinkType(LinkType::SLIP)),
        (LinkType::DOCSIS, "45*46", SkipReason::LinkType(LinkType::DOCSIS)),
        (link_type(254), "45*46", SkipReason::LinkType(link_type(254))),
    ];
    for (link_type, frame, reason) in cases {
        assert_eq!(decode_frame(link_type, &hex(frame)), Err(reason), "{link_type} {frame}");
    }
}

#[test]
fn the_containers_direction_counts_before_the_links() {
    let frame = join(&[&hex("0004 0001 0006 02*8 0800"), &ipv4(6, &tcp(1, 2, 0))]);
    let mut packet = captured(LinkType::LINUX_SLL, frame.len(), &frame);
    assert_eq!(decode(&packet, Tunnels::NONE).unwrap().direction, Outbound);
    packet.direction = Inbound;
    assert_eq!(decode(&packet, Tunnels::NONE).unwrap().direction, Inbound);
}

#[test]
fn nesting_may_be_as_deep_as_the_frame() {
    let ip = ipv4(6, &tcp(1, 2, 0));
    for (first, unit, last) in [
        ("02*12 8100", "0001 8100", "0001 0800"),
        ("02*12 8847", "00001040", "00001140"),
        ("02*12 8100", "0001 0040 aaaa03 000000 8100", "0001 0800"),
    ] {
        let frame = join(&[&hex(first), &hex(unit).repeat(20_000), &hex(last), &ip]);
        assert_eq!(decode_frame(LinkType::ETHERNET, &frame).unwrap().ip_length as usize, ip.len());
    }
    let frame = join(&[&hex("00 00 0800 c0000000").repeat(20_000), &hex("00 00 0800 65000000"), &ip]);
    assert_eq!(decode_frame(LinkType::PPI, &frame).unwrap().ip_length as usize, ip.len());
}
