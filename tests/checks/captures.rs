//! The capture reader and the decoder.

use std::hash::{DefaultHasher, Hash, Hasher};

use flowtruth::capture::{
    Capture, CaptureError, CaptureErrorKind, CaptureInput, MAX_CAPTURED, MergeStep, MergedCaptures,
};
use flowtruth::decode::{Tunnels, decode as decode_packet};
use flowtruth::packet::{
    CapturedPacket, Fragment, LinkType, Note, PacketDirection, PacketTime, Protocol, Timestamp,
};

use super::{Bytes, Pieces, WHOLE};

/// More packets than this are not looked at: a few compressed bytes can hold millions.
const ENOUGH: usize = 20_000;

/// A packet, its bytes as a hash.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    number: u64,
    offset: u64,
    time: PacketTime,
    original_length: u32,
    link_type: LinkType,
    interface: u32,
    direction: PacketDirection,
    length: usize,
    data: u64,
}

impl Seen {
    fn of(packet: &CapturedPacket<'_>) -> Seen {
        let mut hasher = DefaultHasher::new();
        packet.data.hash(&mut hasher);
        Seen {
            number: packet.number,
            offset: packet.offset,
            time: packet.time,
            original_length: packet.original_length,
            link_type: packet.link_type,
            interface: packet.interface,
            direction: packet.direction,
            length: packet.data.len(),
            data: hasher.finish(),
        }
    }
}

/// Stands for the error of a compressed stream that cannot be decoded. How much of the block before the damage comes
/// out depends on how the bytes come, so that such captures are not compared.
const DAMAGED_STREAM: &str = "damaged stream";

/// A capture's packets, how many sections and interfaces it described, and what ended it. The words of a
/// decompressor depend on how the bytes come, so that of its errors only the kind is kept.
type Drained = (Vec<Seen>, (u32, usize), Option<String>);

fn told(error: &CaptureError) -> String {
    match error.kind() {
        CaptureErrorKind::CompressionCut { .. } => "cut stream".to_owned(),
        CaptureErrorKind::CompressionDamaged { .. } => DAMAGED_STREAM.to_owned(),
        _ => error.to_string(),
    }
}

fn drain(bytes: &[u8], piece: usize) -> Drained {
    let mut packets: Vec<Seen> = Vec::new();
    let mut capture = match Capture::from_reader("bytes", Pieces::new(bytes, piece)) {
        Ok(capture) => capture,
        Err(error) => return (packets, (0, 0), Some(told(&error))),
    };
    let error = loop {
        if packets.len() >= ENOUGH {
            break None;
        }
        match capture.advance() {
            Ok(true) => packets.push(Seen::of(&capture.current())),
            Ok(false) => break None,
            Err(error) => {
                assert!(matches!(capture.advance(), Ok(false)), "it went on after an error");
                break Some(told(&error));
            }
        }
    };
    (packets, (capture.info().sections, capture.info().interfaces.len()), error)
}

/// Any bytes as a capture: the same packets and the same end, however the bytes come.
pub fn capture(data: &[u8]) {
    let mut bytes = Bytes(data);
    let piece = usize::from(bytes.u8());
    let whole = drain(bytes.0, WHOLE);
    let pieces = drain(bytes.0, piece);
    if [&whole, &pieces].iter().any(|(.., error)| error.as_deref() == Some(DAMAGED_STREAM)) {
        return;
    }
    assert_eq!(whole, pieces, "in pieces of {piece}");
    let mut offset = None;
    for (packet, number) in whole.0.iter().zip(1..) {
        assert_eq!(packet.number, number);
        assert!(packet.length <= MAX_CAPTURED as usize);
        assert!(offset < Some(packet.offset), "packets lie one behind another");
        offset = Some(packet.offset);
    }
}

/// Any bytes behind a pcap header of any kind: the records that a plain walk of our own finds.
pub fn pcap(data: &[u8]) {
    let mut bytes = Bytes(data);
    let magic = bytes.one_of(&[0xa1b2_c3d4_u32, 0xa1b2_3c4d, 0xa1b2_cd34]);
    let big = bytes.u8() & 1 == 1;
    let minor = bytes.one_of(&[4_u16, 3, 2]);
    let network = bytes.u32();
    let word = |n: u32| if big { n.to_be_bytes() } else { n.to_le_bytes() };
    let half = |n: u16| if big { n.to_be_bytes() } else { n.to_le_bytes() };
    let mut file = [word(magic), word(0)].concat();
    file[4..6].copy_from_slice(&half(2));
    file[6..8].copy_from_slice(&half(minor));
    for n in [0, 0, 65_535, network] {
        file.extend(word(n));
    }
    let records = bytes.0;
    file.extend(records);

    let (packets, _, error) = drain(&file, 1);
    let mut at = 0;
    let mut found = packets.iter();
    let damaged = loop {
        let rest = &records[at..];
        let header = if magic == 0xa1b2_cd34 { 24 } else { 16 };
        if rest.len() < 16 {
            break !rest.is_empty();
        }
        let number = |at: usize| {
            let word: [u8; 4] = rest[at..at + 4].try_into().unwrap();
            if big { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
        };
        let (mut captured, mut original) = (number(8), number(12));
        if minor < 3 || (minor == 3 && captured > original) {
            (captured, original) = (original, captured);
        }
        if captured > MAX_CAPTURED || rest.len() < header + captured as usize {
            break true;
        }
        // another capture's file header, behind this one
        let same_version = rest.get(4..6) == Some(&file[4..6]);
        if captured == 0 && rest[..4] == file[..4] && (rest.len() < 24 || same_version) {
            break true;
        }
        let unit = if magic == 0xa1b2_3c4d { 1 } else { 1000 };
        let nanos = i64::from(number(0)) * 1_000_000_000 + i64::from(number(4)) * unit;
        let packet = found.next().expect("a record was passed over");
        assert_eq!(packet.time, PacketTime::At(Timestamp::from_nanos(nanos)));
        assert_eq!((packet.length, packet.original_length), (captured as usize, original));
        assert_eq!(packet.link_type, LinkType(network as u16));
        assert_eq!(packet.offset, 24 + at as u64);
        at += header + captured as usize;
    };
    assert_eq!(found.next(), None, "a record was invented");
    assert_eq!(error.is_some(), damaged, "{error:?}");
}

/// Blocks of any content in a row: the same packets in either byte order, and however the bytes come.
pub fn pcapng(data: &[u8]) {
    let little = pcapng_file(data, false);
    let (mut expected, described, error) = drain(&little, 3);
    assert_eq!(drain(&little, WHOLE), (expected.clone(), described, error.clone()));
    let (mut found, big_described, big_error) = drain(&pcapng_file(data, true), 1);
    // the frames are copied as they are, and so are offsets
    assert_eq!(found.len(), expected.len(), "{error:?} {big_error:?}");
    found.iter_mut().chain(&mut expected).for_each(|packet| packet.data = 0);
    assert_eq!(found, expected);
    assert_eq!((described, error), (big_described, big_error));
}

fn pcapng_file(data: &[u8], big: bool) -> Vec<u8> {
    let word = |n: u32| if big { n.to_be_bytes() } else { n.to_le_bytes() };
    let half = |n: u16| if big { n.to_be_bytes() } else { n.to_le_bytes() };
    let option = |body: &mut Vec<u8>, code: u16, value: &[u8]| {
        body.extend(half(code));
        body.extend(half(value.len() as u16));
        body.extend(value);
        body.resize(body.len().next_multiple_of(4), 0);
    };
    let mut bytes = Bytes(data);
    let mut file = Vec::new();
    let mut first = true;
    while first || !bytes.0.is_empty() {
        let mut body = Vec::new();
        let kind = if std::mem::take(&mut first) { 0 } else { bytes.u8() };
        let block_type = match kind % 8 {
            0 => {
                body.extend(word(0x1a2b_3c4d));
                body.extend(half(1));
                body.extend(half(bytes.one_of(&[0, 0, 0, 2, 1])));
                body.extend([0xff; 8]);
                option(&mut body, bytes.u16() % 6, bytes.take(9));
                0x0a0d_0d0a
            }
            1 => {
                body.extend(half(bytes.u16()));
                body.extend([0, 0]);
                body.extend(word(bytes.u32()));
                option(&mut body, 9, &[bytes.u8()]);
                let offset = bytes.u64();
                let offset = if big { offset.to_be_bytes() } else { offset.to_le_bytes() };
                option(&mut body, 14, &offset);
                // texts and addresses are the same in either byte order
                option(&mut body, bytes.one_of(&[2, 3, 4, 5, 12]), bytes.take(17));
                1
            }
            kind @ 2..=4 => {
                let interface = u32::from(bytes.u8() % 4);
                let (high, low) = (bytes.u32(), bytes.u32());
                let original = u32::from(bytes.u16());
                let frame = bytes.take(usize::from(bytes.0.first().copied().unwrap_or_default()));
                if kind == 2 {
                    body.extend(half(interface as u16));
                    body.extend(half(bytes.u16()));
                } else if kind == 3 {
                    body.extend(word(interface));
                }
                if kind < 4 {
                    [high, low, frame.len() as u32].into_iter().for_each(|n| body.extend(word(n)));
                }
                body.extend(word(original));
                body.extend(frame);
                body.resize(body.len().next_multiple_of(4), 0);
                if kind < 4 && bytes.u8() & 1 == 1 {
                    option(&mut body, 2, &word(bytes.u32()));
                }
                [2, 6, 3][usize::from(kind) - 2]
            }
            5 => {
                body.extend(word(u32::from(bytes.u8())));
                body.extend([0; 8]);
                let count = bytes.u64();
                let count = if big { count.to_be_bytes() } else { count.to_le_bytes() };
                option(&mut body, bytes.u16() % 9, &count);
                5
            }
            // a block of no known kind
            6 => {
                body.extend(bytes.take(12));
                body.resize(body.len().next_multiple_of(4), 0);
                0x0bad_0000 | u32::from(bytes.u8())
            }
            // a block that lies; what follows it reads the same in either byte order
            _ => {
                file.extend(word(u32::from(bytes.u8() % 8)));
                file.extend(word(bytes.u32()));
                file.extend(vec![0; usize::from(bytes.u16())]);
                return file;
            }
        };
        let length = body.len() as u32 + 12;
        file.extend(word(block_type));
        file.extend(word(length));
        file.extend(body);
        file.extend(word(length));
    }
    file
}

/// Any frame of any link type.
pub fn decode(data: &[u8]) {
    let mut bytes = Bytes(data);
    let link_type = LinkType(bytes.one_of(&[
        1, 1, 1, 0, 6, 9, 10, 12, 50, 51, 100, 101, 104, 105, 107, 108, 109, 113, 117, 119, 122, 127, 163,
        166, 192, 204, 205, 206, 228, 229, 239, 276, 147, 65_535,
    ]));
    let bits = bytes.u8();
    let tunnels = Tunnels { vxlan: bits & 1 != 0, geneve: bits & 2 != 0, gre: bits & 4 != 0 };
    let more = match bits >> 3 & 3 {
        0 => 0,
        1 => u32::from(bytes.u8()),
        2 => bytes.u32(),
        _ => 0_u32.wrapping_sub(u32::from(bytes.u8())),
    };
    let frame = bytes.0;
    let packet = CapturedPacket {
        number: 1,
        offset: 24,
        time: PacketTime::At(Timestamp::from_nanos(0)),
        original_length: (frame.len() as u32).wrapping_add(more),
        link_type,
        interface: 0,
        direction: PacketDirection::Unknown,
        data: frame,
    };
    let decoded = decode_packet(&packet, tunnels);
    assert_eq!(decoded, decode_packet(&packet, tunnels), "the same frame twice");
    let Ok(ip) = decoded else { return };

    let header = if ip.srcaddr.is_ipv4() { 20 } else { 40 };
    assert_eq!(ip.srcaddr.is_ipv4(), ip.dstaddr.is_ipv4());
    assert!(ip.ip_length >= header, "{ip:?}");
    assert!(ip.captured_ip_length <= ip.ip_length, "{ip:?}");
    assert!(ip.captured_ip_length >= header, "{ip:?}");
    assert!((ip.ip_offset + ip.captured_ip_length) as usize <= frame.len(), "{ip:?}");
    let has_ports = matches!(ip.protocol, Protocol::TCP | Protocol::UDP | Protocol(132));
    if !has_ports || matches!(ip.fragment, Fragment::Later(_)) {
        assert_eq!((ip.srcport, ip.dstport), (0, 0), "{ip:?}");
    }
    if ip.protocol != Protocol::TCP {
        assert_eq!(ip.tcp_flags.0, 0, "{ip:?}");
    }
    let cut = (frame.len() as u64) < u64::from(packet.original_length);
    assert_eq!(ip.notes.contains(Note::SnaplenCut), cut, "{ip:?}");
    let first = matches!(ip.fragment, Fragment::First(_));
    assert_eq!(ip.notes.contains(Note::FragmentFirst), first, "{ip:?}");

    // what stands in front of the IP header changes nothing in the packet; with bare IP the general path answers,
    // with Ethernet often the fast one
    if let Ok(outer) = decode_packet(&packet, Tunnels::NONE) {
        let bare = CapturedPacket {
            link_type: LinkType::RAW,
            original_length: packet.original_length.max(frame.len() as u32) - outer.ip_offset,
            data: &frame[outer.ip_offset as usize..],
            ..packet
        };
        let found = decode_packet(&bare, Tunnels::NONE).expect("the IP header was good before");
        let expected = flowtruth::packet::IpPacket { ip_offset: 0, direction: found.direction, ..outer };
        assert_eq!(found, expected);

        // nor does what lies behind the capture's cut change whose packet it is
        for length in [frame.len() / 2, frame.len().saturating_sub(1)] {
            let original_length = packet.original_length.max(frame.len() as u32);
            let shorter = CapturedPacket { data: &frame[..length], original_length, ..packet };
            // the byte order of NFLOG is guessed from what is there
            if link_type != LinkType(239)
                && let Ok(ip) = decode_packet(&shorter, Tunnels::NONE)
            {
                assert_eq!((ip.srcaddr, ip.dstaddr), (outer.srcaddr, outer.dstaddr));
                if !ip.notes.contains(Note::ExtensionCut) {
                    assert_eq!(ip.protocol, outer.protocol, "{outer:?}");
                }
            }
        }
    }
}

/// Two captures at once: each yields what it yields alone, and where both are in order all is.
pub fn merge(data: &[u8]) {
    let mut bytes = Bytes(data);
    let first = usize::from(bytes.u16());
    let parts = [bytes.take(first), bytes.0];
    let alone = parts.map(|part| drain(part, WHOLE));
    let odd =
        |(packets, _, error): &Drained| packets.len() >= ENOUGH || error.as_deref() == Some(DAMAGED_STREAM);
    if alone.iter().any(odd) {
        return;
    }
    let input = |part: &[u8]| CaptureInput::Reader("bytes".to_owned(), Box::new(Pieces::new(part, 5)));
    let mut merged = MergedCaptures::new(parts.map(input).into());
    let mut found = [const { Vec::new() }; 2];
    let mut errors = [const { None }; 2];
    let mut times = Vec::new();
    while let Some(step) = merged.step() {
        match step {
            MergeStep::Packet(capture) => {
                let packet = merged.current();
                found[capture].push(Seen::of(&packet));
                if let PacketTime::At(time) = packet.time {
                    times.push((time, capture));
                }
            }
            MergeStep::Paused => {}
            MergeStep::Failed { capture, error } => {
                assert!(errors[capture].replace(told(&error)).is_none(), "it failed twice");
            }
        }
    }
    let is_sorted = |packets: &[Seen]| {
        packets
            .is_sorted_by(|a, b| matches!((a.time, b.time), (PacketTime::At(a), PacketTime::At(b)) if a <= b))
    };
    if errors.iter().flatten().any(|error| error == DAMAGED_STREAM) {
        return;
    }
    let in_order = alone.iter().all(|(packets, ..)| is_sorted(packets));
    for (((packets, _, error), found), met) in alone.into_iter().zip(found).zip(errors) {
        assert_eq!(packets, found);
        assert_eq!(error, met);
    }
    assert!(!in_order || times.is_sorted(), "ties are in the order of the captures");
}
