//! pcapng captures block by block.

use std::io::Cursor;

use crate::capture::testing::{block, drain_bytes, enhanced, interface, option, section};
use crate::capture::{Capture, CaptureErrorKind, CaptureInfo, Damage, Version};
use crate::packet::{CapturedPacket, LinkType, PacketDirection, PacketTime, Timestamp};

/// Words in one byte order.
fn words(big: bool, numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|n| if big { n.to_be_bytes() } else { n.to_le_bytes() }).collect()
}

/// Calls back for every packet; returns the info at the end.
fn read(bytes: &[u8], mut each: impl FnMut(CapturedPacket<'_>)) -> CaptureInfo {
    let mut capture = Capture::from_reader("test", Cursor::new(bytes.to_vec())).unwrap();
    while capture.advance().unwrap() {
        each(capture.current());
    }
    capture.info().clone()
}

/// The damage that ends a capture, after how many packets.
fn damage(bytes: &[u8]) -> (usize, Damage) {
    let (packets, error) = drain_bytes(bytes);
    match error.expect("no damage").kind() {
        CaptureErrorKind::Damage(damage) => (packets.len(), *damage),
        other => panic!("{other:?}"),
    }
}

fn at(nanos: i64) -> PacketTime {
    PacketTime::At(Timestamp::from_nanos(nanos))
}

#[test]
fn sections_of_either_order_number_their_interfaces_on() {
    let nanoseconds = |big| option(big, 9, &[9]);
    let bytes = [
        section(false, 0),
        interface(false, 1, 0, &[]),
        interface(false, 101, 96, &nanoseconds(false)),
        enhanced(false, 1, 7, b"one", &[]),
        enhanced(false, 0, 7, b"two", &[]),
        section(true, 2),
        interface(true, 113, 0, &nanoseconds(true)),
        enhanced(true, 0, 7, b"three", &[]),
        section(false, 0),
        interface(false, 0, 0, &[]),
        enhanced(false, 0, 7, b"four", &[]),
    ]
    .concat();
    let mut found = Vec::new();
    let info = read(&bytes, |packet| {
        found.push((packet.number, packet.interface, packet.link_type.0, packet.time, packet.data.to_vec()));
    });
    let expected = [
        (1, 1, 101, at(7), b"one".to_vec()),
        (2, 0, 1, at(7000), b"two".to_vec()),
        (3, 2, 113, at(7), b"three".to_vec()),
        (4, 3, 0, at(7000), b"four".to_vec()),
    ];
    assert_eq!(found, expected);
    assert_eq!((info.sections, info.version), (3, Version { major: 1, minor: 0 }));
    let sections: Vec<_> = info.interfaces.iter().map(|interface| interface.section).collect();
    assert_eq!(sections, [1, 1, 2, 3]);
    assert_eq!(info.interfaces[1].snap_length, Some(96));
}

#[test]
fn a_packet_of_an_interface_of_the_section_before_is_damage() {
    let described =
        [section(false, 0), interface(false, 1, 0, &[]), enhanced(false, 0, 1, b"x", &[])].concat();
    let simple = block(false, 3, &words(false, &[4, 0]));
    let obsolete = block(false, 2, &words(false, &[0, 0, 0, 0, 0]));
    for packet in [enhanced(false, 0, 1, b"x", &[]), simple, obsolete] {
        let bytes = [described.clone(), section(false, 0), packet].concat();
        assert_eq!(damage(&bytes), (1, Damage::UndescribedInterface { interface: 0, described: 0 }));
    }
    let bytes = [described, enhanced(false, 1, 1, b"x", &[])].concat();
    assert_eq!(damage(&bytes), (1, Damage::UndescribedInterface { interface: 1, described: 1 }));
}

#[test]
fn all_three_packet_blocks_are_packets_in_either_order() {
    for big in [false, true] {
        let flags = |bits: u32| option(big, 2, &words(big, &[bits]));
        let drops = option(big, 4, &if big { 5_u64.to_be_bytes() } else { 5_u64.to_le_bytes() });
        let obsolete = |interface: u16, drops: u16, bits: u32| {
            let half = |n: u16| if big { n.to_be_bytes() } else { n.to_le_bytes() };
            let mut body = [half(interface), half(drops)].concat();
            body.extend(words(big, &[0, 3_000_000, 3, 9]));
            body.extend(b"obs\0");
            body.extend(flags(bits));
            block(big, 2, &body)
        };
        let mut simple = words(big, &[100]);
        simple.extend([8; 60]);
        let bytes = [
            section(big, 0),
            interface(big, 1, 50, &[]),
            enhanced(big, 0, 1_000_000, b"in", &[flags(0b01), drops.clone()].concat()),
            enhanced(big, 0, 2_000_000, b"out", &[option(big, 1, b"comment"), flags(0b10)].concat()),
            enhanced(big, 0, 2_500_000, b"unknown", &flags(0b100)),
            block(big, 0xbad, &[1; 7]),
            obsolete(0, 3, 0b10),
            obsolete(0, 0xffff, 0),
            block(big, 3, &simple),
        ]
        .concat();
        let mut found = Vec::new();
        let info = read(&bytes, |packet| {
            found.push((packet.time, packet.direction, packet.original_length, packet.data.to_vec()));
        });
        use PacketDirection::{Inbound, Outbound, Unknown};
        let expected = [
            (at(1_000_000_000), Inbound, 2, b"in".to_vec()),
            (at(2_000_000_000), Outbound, 3, b"out".to_vec()),
            (at(2_500_000_000), Unknown, 7, b"unknown".to_vec()),
            (at(3_000_000_000), Outbound, 9, b"obs".to_vec()),
            (at(3_000_000_000), Unknown, 9, b"obs".to_vec()),
            (PacketTime::Missing, Unknown, 100, vec![8; 50]),
        ];
        assert_eq!(found, expected);
        assert_eq!(info.interfaces[0].dropped_before_packets, 8);
    }
}

#[test]
fn a_simple_packet_is_as_long_as_its_least_limit() {
    // original length, snap length, bytes in the block, expected
    for (original, snap, room, expected) in [(5, 0, 8, 5), (100, 0, 8, 8), (100, 6, 8, 6), (0, 6, 8, 0)] {
        let mut body = words(false, &[original]);
        body.resize(4 + room, 1);
        let bytes = [section(false, 0), interface(false, 1, snap, &[]), block(false, 3, &body)].concat();
        read(&bytes, |packet| assert_eq!((packet.data.len(), packet.original_length), (expected, original)));
    }
    let mut body = words(false, &[300_000]);
    body.resize(300_004, 1);
    let bytes = [section(false, 0), interface(false, 1, 0, &[]), block(false, 3, &body)].concat();
    assert_eq!(damage(&bytes), (0, Damage::RecordTooLong { captured: 300_000 }));
}

#[test]
fn times_that_do_not_fit_are_out_of_range() {
    let offset = option(false, 14, &(-2_i64).to_le_bytes());
    let seconds = option(false, 9, &[0]);
    let bytes = [
        section(false, 0),
        interface(false, 1, 0, &[]),
        interface(false, 1, 0, &[offset, seconds].concat()),
        enhanced(false, 0, u64::MAX, b"x", &[]),
        enhanced(false, 1, 1, b"x", &[]),
        enhanced(false, 1, 10_000_000_000, b"x", &[]),
    ]
    .concat();
    let mut found = Vec::new();
    read(&bytes, |packet| found.push(packet.time));
    assert_eq!(found, [PacketTime::OutOfRange, at(-1_000_000_000), PacketTime::OutOfRange]);
}

#[test]
fn describing_blocks_are_read_leniently() {
    for big in [false, true] {
        let long = |n: u64| if big { n.to_be_bytes() } else { n.to_le_bytes() };
        let mut ipv6 = [0; 17];
        (ipv6[0], ipv6[15], ipv6[16]) = (0x20, 1, 64);
        let options = [
            option(big, 2, b"\xff\xfe not UTF-8"),
            option(big, 3, "the d\u{e9}scription".as_bytes()),
            option(big, 4, &[10, 0, 0, 7, 255, 255, 255, 0]),
            option(big, 4, &[10, 0]),
            option(big, 4, &[172, 16, 0, 1, 255, 240, 0, 0]),
            option(big, 5, &ipv6),
            option(big, 6, &[2, 0, 0x5e, 0x10, 0, 1]),
            option(big, 9, &[12]),
            option(big, 11, b"\0tcp port 443"),
            option(big, 12, b"Linux 6.1\0"),
            option(big, 15, b"a card"),
            option(big, 0xbeef, &[1; 9]),
            option(big, 0, &[]),
            option(big, 2, b"after the end"),
        ]
        .concat();
        let mut header = section(big, 0)[8..24].to_vec();
        for (code, text) in [(2, "x86"), (3, "Linux"), (4, "dumpcap")] {
            header.extend(option(big, code, text.as_bytes()));
        }
        let mut statistics = words(big, &[0, 0, 0]);
        for (code, count) in [(4, 100), (5, 1), (6, 90), (7, 2), (2, 0)] {
            statistics.extend(option(big, code, &long(count)));
        }
        let mut later = words(big, &[0, 0, 0]);
        later.extend(option(big, 4, &long(200)));
        let bytes = [
            block(big, 0x0a0d_0d0a, &header),
            interface(big, 1, 0, &options),
            enhanced(big, 0, 5_999, b"x", &[]),
            block(big, 5, &statistics),
            block(big, 5, &later),
            block(big, 5, &words(big, &[7, 0, 0])),
            block(big, 5, &[]),
        ]
        .concat();
        let info = read(&bytes, |packet| assert_eq!(packet.time, at(5)));
        let words = |text: &Option<String>| text.clone().unwrap_or_default();
        assert_eq!([&info.hardware, &info.os, &info.application].map(words), ["x86", "Linux", "dumpcap"]);
        let interface = &info.interfaces[0];
        assert_eq!(interface.name, None);
        assert_eq!(interface.link_type, LinkType::ETHERNET);
        assert_eq!(words(&interface.description), "the d\u{e9}scription");
        let addresses: Vec<_> = interface.addresses.iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["10.0.0.7/24", "172.16.0.1/12", "2000::1/64"]);
        assert_eq!(interface.mac.unwrap().to_string(), "02:00:5e:10:00:01");
        assert_eq!(words(&interface.filter), "tcp port 443");
        assert_eq!([&interface.os, &interface.hardware].map(words), ["Linux 6.1", "a card"]);
        assert_eq!(interface.received, Some(200));
        assert_eq!(interface.dropped_by_interface, Some(1));
        assert_eq!(interface.accepted_by_filter, Some(90));
        assert_eq!(interface.dropped_by_os, Some(2));
    }
}

#[test]
fn broken_blocks_are_damage() {
    let begun = [section(false, 0), interface(false, 1, 0, &[]), enhanced(false, 0, 1, b"x", &[])].concat();
    let with = |block: Vec<u8>| damage(&[begun.clone(), block].concat());
    let mut trailing = enhanced(false, 0, 1, b"data", &[]);
    let last = trailing.len() - 4;
    trailing[last] += 4;
    assert_eq!(with(trailing), (1, Damage::TrailingLength { found: 40, expected: 36 }));
    let mut skipped = block(false, 77, &vec![0; 100_000]);
    let last = skipped.len() - 4;
    skipped[last] += 4;
    let (_, error) = drain_bytes(&[begun.clone(), skipped].concat());
    let error = error.unwrap();
    assert_eq!(error.place().unwrap().offset, begun.len() as u64);
    assert!(
        error.to_string().ends_with("found 100016 as the block's trailing length, expected 100012"),
        "{error}"
    );
    let mut over = enhanced(false, 0, 1, b"data", &[]);
    over[20] = 5;
    assert_eq!(with(over), (1, Damage::CapturedOverBlock { captured: 5, room: 4 }));
    let mut long = enhanced(false, 0, 1, b"data", &[]);
    long[22] = 5;
    assert_eq!(with(long), (1, Damage::RecordTooLong { captured: 4 + (5 << 16) }));
    for (block_type, body, expected) in [(6, 16, 32), (2, 16, 32), (3, 0, 16), (1, 4, 20)] {
        let length = body as u32 + 12;
        let short = block(false, block_type, &vec![0; body]);
        assert_eq!(with(short), (1, Damage::BlockTooShort { block_type, length, expected }));
    }
    let no_room = words(false, &[77, 8, 8]);
    assert_eq!(with(no_room), (1, Damage::BlockTooShort { block_type: 77, length: 8, expected: 12 }));
    for minor in [1, 3] {
        let expected = "version 1.0 or 1.2";
        let version = Damage::Version { format: "pcapng", major: 1, minor, expected };
        assert_eq!(with(section(false, minor)), (1, version));
        assert_eq!(damage(&section(true, minor)), (0, version));
    }
    let mut order = section(false, 0);
    order[8] = 0;
    assert_eq!(with(order), (1, Damage::ByteOrder { found: 0x003c_2b1a }));
}

#[test]
fn blocks_that_are_no_packets_may_be_long() {
    let bytes = [
        section(true, 0),
        interface(true, 1, 0, &[]),
        block(true, 4, &vec![1; 3_000_000]),
        enhanced(true, 0, 1, b"x", &option(true, 1, &[b'c'; 60_000])),
        block(true, 0x8000_0001, &vec![1; 70_000]),
        enhanced(true, 0, 1, b"y", &[]),
    ]
    .concat();
    let mut found = Vec::new();
    read(&bytes, |packet| found.push((packet.number, packet.data.to_vec())));
    assert_eq!(found, [(1, b"x".to_vec()), (2, b"y".to_vec())]);
}

#[test]
fn interfaces_are_bounded() {
    let mut bytes = section(false, 0);
    for _ in 0..=super::MAX_INTERFACES {
        bytes.extend(interface(false, 1, 0, &[]));
    }
    assert_eq!(damage(&bytes), (0, Damage::TooManyInterfaces { limit: super::MAX_INTERFACES }));
}
