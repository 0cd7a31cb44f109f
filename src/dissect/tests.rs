use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::packet::{LinkType, PacketDirection, PacketTime, Timestamp};

fn packet(link_type: u16, data: &[u8]) -> CapturedPacket<'_> {
    CapturedPacket {
        number: 1,
        offset: 24,
        time: PacketTime::At(Timestamp::from_nanos(0)),
        original_length: data.len() as u32,
        link_type: LinkType(link_type),
        interface: 0,
        direction: PacketDirection::Unknown,
        data,
    }
}

/// Parts follow one another and cover every byte.
fn covers(layers: &[Layer], length: usize) -> Result<(), TestCaseError> {
    let mut at = 0;
    for part in layers.iter().flat_map(|layer| &layer.parts) {
        prop_assert_eq!(part.bytes.start, at, "{:?}", part);
        prop_assert!(part.bytes.end >= at);
        at = part.bytes.end;
    }
    prop_assert_eq!(at, length);
    Ok(())
}

/// Bytes that often look like headers.
fn likely_bytes() -> impl Strategy<Value = Vec<u8>> {
    let word = select(vec![
        vec![0x08_u8, 0x00],
        vec![0x86, 0xdd],
        vec![0x81, 0x00],
        vec![0x08, 0x06],
        vec![0x45, 0x00],
        vec![0x4f, 0x00],
        vec![0x60, 0x00],
        vec![0x00, 0x11],
        vec![0x40, 0x06],
        vec![0x12, 0xb5],
        vec![0x17, 0xc1],
        vec![0xaa, 0xaa],
        vec![0x2c, 0x00],
    ]);
    let piece = prop_oneof![3 => word, 1 => proptest::collection::vec(any::<u8>(), 1..8)];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_covered_once(
        link_type in select(vec![0_u16, 1, 101, 113, 108, 276, 105, 9]),
        data in likely_bytes(),
        target in proptest::option::of(0_u32..200),
        ip_length in 0_u32..200,
        is_ipv4: bool,
    ) {
        let counted = target.map(|ip_offset| {
            let mut ip = IpPacket { ip_offset, ip_length, ..IpPacket::default() };
            if !is_ipv4 {
                ip.srcaddr = std::net::Ipv6Addr::LOCALHOST.into();
            }
            ip
        });
        covers(&dissect(&packet(link_type, &data), counted.as_ref()), data.len())?;
    }
}

#[test]
fn a_cut_header_names_the_fields_that_are_missing() {
    let data: Vec<u8> = [[0x45, 0, 0, 60], [0, 0, 0, 0], [64, 6, 0, 0]].concat();
    let counted = IpPacket { ip_length: 60, ..IpPacket::default() };
    let layers = dissect(&packet(LinkType::RAW.0, &data), Some(&counted));
    let [ip, ..] = &layers[..] else { panic!("no layer") };
    let missing: Vec<&str> =
        ip.parts.iter().filter(|part| part.value.is_none()).map(|part| part.name).collect();
    assert_eq!(missing, ["source address", "destination address"]);
}

#[test]
fn padding_is_no_payload() {
    let mut data = vec![0_u8; 12];
    data.extend([0x08, 0x00, 0x45, 0, 0, 21, 0, 0, 0, 0, 64, 253, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0xff]);
    data.extend([0; 25]);
    let counted = IpPacket { ip_offset: 14, ip_length: 21, ..IpPacket::default() };
    let layers = dissect(&packet(LinkType::ETHERNET.0, &data), Some(&counted));
    let names: Vec<(&str, usize, bool)> =
        layers.iter().map(|layer| (layer.name, layer.bytes().len(), layer.counted)).collect();
    let expected =
        [("Ethernet", 14, false), ("IPv4", 20, true), ("payload", 1, true), ("behind the packet", 25, false)];
    assert_eq!(names, expected);
}
