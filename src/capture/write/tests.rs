//! What is written is read back.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::capture::{ByteOrder, Capture, InterfaceAddress, MacAddress, Version};
use crate::packet::PacketDirection;

/// A packet, owned: capture, interface, link type, time, original length, direction, bytes.
type Owned = (usize, u32, LinkType, i64, u32, PacketDirection, Vec<u8>);

fn write(format: WriteFormat, packets: &[Owned]) -> Result<Vec<u8>, WriteError> {
    let mut writer = CaptureWriter::new(Vec::new(), format);
    assert_eq!(writer.format(), format);
    for (capture, interface, link_type, nanos, original_length, direction, data) in packets {
        let packet = CapturedPacket {
            number: 7,
            offset: 7,
            time: PacketTime::At(Timestamp::from_nanos(*nanos)),
            original_length: *original_length,
            link_type: *link_type,
            interface: *interface,
            direction: *direction,
            data,
        };
        writer.write(&PacketOrigin { capture: *capture, ..PacketOrigin::default() }, &packet)?;
    }
    Ok(writer.finish()?)
}

/// The packets, with the written interface's number for the capture; and what the capture says about itself.
fn read(bytes: Vec<u8>) -> (Vec<Owned>, CaptureInfo) {
    let mut capture = Capture::from_reader("written", io::Cursor::new(bytes)).unwrap();
    let mut packets = Vec::new();
    while capture.advance().unwrap() {
        let packet = capture.current();
        let PacketTime::At(time) = packet.time else { panic!("no time") };
        let (id, data) = (packet.interface, packet.data.to_vec());
        packets.push((
            id as usize,
            id,
            packet.link_type,
            time.nanos(),
            packet.original_length,
            packet.direction,
            data,
        ));
    }
    (packets, capture.info().clone())
}

fn packet() -> impl Strategy<Value = Owned> {
    let time = prop_oneof![
        Just(i64::MIN),
        Just(i64::MAX),
        Just(-1),
        Just(0),
        any::<i64>(),
        0..4_294_967_295_999_999_999_i64
    ];
    let link_type = prop_oneof![Just(LinkType(1)), Just(LinkType(101)), Just(LinkType(65_535))];
    let direction = prop_oneof![
        Just(PacketDirection::Unknown),
        Just(PacketDirection::Inbound),
        Just(PacketDirection::Outbound)
    ];
    (
        0..3_usize,
        0..3_u32,
        link_type,
        time,
        any::<u32>(),
        direction,
        prop::collection::vec(any::<u8>(), 0..70),
    )
}

proptest! {
    #[test]
    fn pcapng_gives_back_every_packet_and_tells_interfaces_apart(
        packets in prop::collection::vec(packet(), 0..40),
    ) {
        let (got, info) = read(write(WriteFormat::Pcapng, &packets).unwrap());
        prop_assert_eq!(got.len(), packets.len());
        let mut interfaces = HashMap::new();
        for (got, wanted) in got.iter().zip(&packets) {
            let rest = |packet: &Owned| (packet.2, packet.3, packet.4, packet.5, packet.6.clone());
            prop_assert_eq!(rest(got), rest(wanted));
            let key = (wanted.0, wanted.1, wanted.2, wanted.3 < 0);
            prop_assert_eq!(*interfaces.entry(key).or_insert(got.1), got.1);
        }
        prop_assert_eq!(info.interfaces.len(), interfaces.len());
    }

    #[test]
    fn pcap_gives_back_every_packet(packets in prop::collection::vec(packet(), 0..40)) {
        let packets: Vec<Owned> = packets
            .into_iter()
            .map(|(_, _, _, nanos, length, _, data)| {
                let nanos = nanos.rem_euclid(4_294_967_296_000_000_000);
                (0, 0, LinkType(101), nanos, length, PacketDirection::Unknown, data)
            })
            // an empty record may look like another capture's header
            .filter(|packet| !packet.6.is_empty())
            .collect();
        let (got, info) = read(write(WriteFormat::Pcap(LinkType(101)), &packets).unwrap());
        prop_assert_eq!(got, packets);
        prop_assert_eq!(info.format, ContainerFormat::PcapNanoseconds);
        prop_assert_eq!(info.version, Version { major: 2, minor: 4 });
    }
}

fn plain(nanos: i64, link_type: u16) -> Owned {
    (0, 0, LinkType(link_type), nanos, 4, PacketDirection::Unknown, b"data".to_vec())
}

#[test]
fn what_a_pcap_cannot_hold_is_refused() {
    let pcap = WriteFormat::Pcap(LinkType::ETHERNET);
    for nanos in [-1, 4_294_967_296_000_000_000] {
        let refused = write(pcap, &[plain(nanos, 1)]);
        assert!(matches!(refused, Err(WriteError::TimeOutOfRange { .. })), "{nanos}: {refused:?}");
    }
    let refused = write(pcap, &[plain(0, 1), plain(0, 101)]);
    assert!(matches!(refused, Err(WriteError::LinkType { found: LinkType::RAW, .. })), "{refused:?}");
}

#[test]
fn packets_without_a_time_or_too_long_are_refused_and_the_capture_goes_on() {
    for format in [WriteFormat::Pcap(LinkType::RAW), WriteFormat::Pcapng] {
        let mut writer = CaptureWriter::new(Vec::new(), format);
        let data = vec![0; MAX_CAPTURED as usize + 1];
        let packet = CapturedPacket {
            number: 1,
            offset: 0,
            time: PacketTime::At(Timestamp::from_nanos(0)),
            original_length: 1,
            link_type: LinkType::RAW,
            interface: 0,
            direction: PacketDirection::Unknown,
            data: &data,
        };
        let origin = PacketOrigin::default();
        for time in [PacketTime::Missing, PacketTime::OutOfRange] {
            let refused = writer.write(&origin, &CapturedPacket { time, data: b"x", ..packet });
            assert!(matches!(refused, Err(WriteError::NoTime)));
        }
        assert!(matches!(writer.write(&origin, &packet), Err(WriteError::TooLong { found: 262_145 })));
        let longest = CapturedPacket { data: data.get(1..).unwrap(), ..packet };
        writer.write(&origin, &longest).unwrap();
        let (packets, _) = read(writer.finish().unwrap());
        assert_eq!(packets.len(), 1);
        assert_eq!(packets[0].6.len(), MAX_CAPTURED as usize);
    }
}

#[test]
fn an_interface_keeps_what_names_it() {
    let interface = InterfaceInfo {
        section: 1,
        link_type: LinkType::ETHERNET,
        name: Some("eth0".to_owned()),
        description: Some("uplink".to_owned()),
        filter: Some("tcp".to_owned()),
        addresses: vec![
            InterfaceAddress { address: Ipv4Addr::new(10, 0, 0, 7).into(), prefix_length: 24 },
            InterfaceAddress { address: Ipv4Addr::new(10, 0, 0, 8).into(), prefix_length: 0 },
            InterfaceAddress { address: Ipv6Addr::LOCALHOST.into(), prefix_length: 128 },
        ],
        mac: Some(MacAddress([2, 0, 0, 0, 0, 1])),
        ..InterfaceInfo::default()
    };
    let mut writer = CaptureWriter::new(Vec::new(), WriteFormat::Pcapng);
    let packet = CapturedPacket {
        number: 1,
        offset: 0,
        time: PacketTime::At(Timestamp::from_nanos(1)),
        original_length: 1,
        link_type: LinkType::ETHERNET,
        interface: 0,
        direction: PacketDirection::Unknown,
        data: b"x",
    };
    let named = PacketOrigin { capture: 0, name: Some("a.pcap"), interface: Some(&interface) };
    writer.write(&named, &packet).unwrap();
    writer.write(&PacketOrigin { capture: 1, interface: None, ..named }, &packet).unwrap();
    let (_, info) = read(writer.finish().unwrap());
    assert_eq!(info.interfaces[0], interface);
    assert_eq!(info.interfaces[1].name.as_deref(), Some("a.pcap"));
    assert_eq!(info.byte_order, ByteOrder::Little);
}

#[test]
fn an_empty_capture_is_a_capture() {
    for format in [WriteFormat::Pcap(LinkType(276)), WriteFormat::Pcapng] {
        let (packets, _) = read(write(format, &[]).unwrap());
        assert!(packets.is_empty());
    }
}

#[test]
fn the_container_fits_the_captures() {
    let info = |path: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures").join(path);
        Capture::open(&path).unwrap().info().clone()
    };
    let (ethernet, raw) = (info("seed.pcap"), info("links/pair.raw.pcap"));
    let pcapng = info("containers/conversation.le.pcapng");
    assert_eq!(WriteFormat::fitting([&ethernet]), WriteFormat::Pcap(LinkType::ETHERNET));
    assert_eq!(WriteFormat::fitting([&ethernet, &ethernet]), WriteFormat::Pcap(LinkType::ETHERNET));
    assert_eq!(WriteFormat::fitting([&ethernet, &raw]), WriteFormat::Pcapng);
    assert_eq!(WriteFormat::fitting([&ethernet, &pcapng]), WriteFormat::Pcapng);
    assert_eq!(WriteFormat::fitting([]), WriteFormat::Pcapng);
}

#[test]
fn more_interfaces_than_are_read_are_refused() {
    let mut writer = CaptureWriter::new(io::sink(), WriteFormat::Pcapng);
    let mut write = |interface| {
        let packet = CapturedPacket {
            number: 1,
            offset: 0,
            time: PacketTime::At(Timestamp::from_nanos(1)),
            original_length: 1,
            link_type: LinkType::ETHERNET,
            interface,
            direction: PacketDirection::Unknown,
            data: b"x",
        };
        writer.write(&PacketOrigin::default(), &packet)
    };
    for interface in 0..1 << 16 {
        write(interface).unwrap();
    }
    assert!(matches!(write(1 << 16), Err(WriteError::TooManyInterfaces { limit: 65_536 })));
    write(0).unwrap();
}
