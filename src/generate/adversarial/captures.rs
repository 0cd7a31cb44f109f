//! Captures that break readers.

use std::net::{IpAddr, Ipv4Addr};

use super::{CaptureCase, Then};
use crate::generate::frame::{Side, Stamp, write_frame};
use crate::generate::message::Message;
use crate::generate::payload::Payload;

/// A second in the middle of January 2026.
const SECOND: u32 = 1_768_467_610;

/// The length of a pcap's header, and of a record's.
const HEADER: usize = 24;
const RECORD: usize = 16;

/// Every case.
pub fn captures() -> Vec<CaptureCase> {
    let mut cases = damaged_pcaps();
    cases.extend(odd_pcaps());
    cases.extend(odd_packets());
    cases.extend(pcapngs());
    for (number, case) in (1..).zip(&mut cases) {
        let kind = if case.bytes.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) { "pcapng" } else { "pcap" };
        case.file = format!("captures/{number:02}-{}.{kind}", case.file);
    }
    cases
}

/// A UDP packet of 60 bytes in an Ethernet frame.
fn frame(payload: &Payload) -> Vec<u8> {
    let address = |last| IpAddr::V4(Ipv4Addr::new(192, 0, 2, last));
    let side = Side {
        macs: [[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]],
        vlan: None,
        source: address(1),
        destination: address(2),
        ports: [40_000, 9999],
    };
    let message = Message::Udp { data: 32 };
    let stamp = Stamp { identification: 1, data_from: 0 };
    let mut out = Vec::new();
    for part in message.parts(false, 1500) {
        write_frame(&side, &message, &part, stamp, payload, &mut out);
    }
    out
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn pcap_header(magic: u32) -> Vec<u8> {
    words(&[magic, 4 << 16 | 2, 0, 0, 262_144, 1])
}

fn record(frame: &[u8], fraction: u32, captured: u32, original: u32) -> Vec<u8> {
    [words(&[SECOND, fraction, captured, original]), frame.to_vec()].concat()
}

fn whole(frame: &[u8]) -> Vec<u8> {
    record(frame, 0, frame.len() as u32, frame.len() as u32)
}

/// A pcap in microseconds with these frames.
fn pcap(frames: &[Vec<u8>]) -> Vec<u8> {
    let records = frames.iter().flat_map(|frame| whole(frame));
    pcap_header(0xa1b2_c3d4).into_iter().chain(records).collect()
}

fn case(
    file: &str,
    what: &'static str,
    (packets, ip_packets): (u64, u64),
    then: Then,
    bytes: Vec<u8>,
) -> CaptureCase {
    CaptureCase { file: file.to_owned(), what, packets, ip_packets, then, bytes }
}

fn damaged_pcaps() -> Vec<CaptureCase> {
    let frame = frame(&Payload::new());
    let two = pcap(&[frame.clone(), frame.clone()]);
    let cut = |at: usize| two.get(..at).unwrap_or_default().to_vec();
    let second = HEADER + RECORD + frame.len();
    let lying = |length: u32| [cut(second), record(&frame, 0, length, length)].concat();
    vec![
        case("empty", "no byte at all", (0, 0), Then::Error, Vec::new()),
        case("header-cut", "the file's header is cut", (0, 0), Then::Error, cut(10)),
        case("no-packets", "a header and no packet", (0, 0), Then::End, cut(HEADER)),
        case("record-header-cut", "the second record's header is cut", (1, 1), Then::Error, cut(second + 7)),
        case("packet-cut", "the second packet is cut", (1, 1), Then::Error, cut(two.len() - 9)),
        case(
            "length-4-gib",
            "a record says that it has 4 GiB less one byte",
            (1, 1),
            Then::Error,
            lying(u32::MAX),
        ),
        case(
            "length-negative",
            "a record's length is negative, if taken for a signed number",
            (1, 1),
            Then::Error,
            lying(1 << 31),
        ),
        case(
            "length-past-end",
            "a record says that it has a byte more than the file",
            (1, 1),
            Then::Error,
            lying(frame.len() as u32 + 1),
        ),
        case(
            "two-files",
            "a second capture was put behind the first",
            (2, 2),
            Then::Error,
            [two.clone(), two.clone()].concat(),
        ),
        case(
            "not-a-capture",
            "the first four bytes are no magic number",
            (0, 0),
            Then::Error,
            [b"\x7fELF".to_vec(), cut(second)].concat(),
        ),
    ]
}

fn odd_pcaps() -> Vec<CaptureCase> {
    let frame = frame(&Payload::new());
    let length = frame.len() as u32;
    let of = |magic: u32, records: Vec<u8>| [pcap_header(magic), records].concat();
    let swapped: Vec<u8> = {
        let words = of(0xa1b2_c3d4, words(&[SECOND, 0, length, length]));
        let mut swapped: Vec<u8> =
            words.as_chunks::<4>().0.iter().flat_map(|word| [word[3], word[2], word[1], word[0]]).collect();
        // the version is two halves
        if let Some(version) = swapped.get_mut(4..8) {
            version.copy_from_slice(&[0, 2, 0, 4]);
        }
        swapped.extend(&frame);
        swapped
    };
    vec![
        case("big-endian", "the file is written in the other byte order", (1, 1), Then::End, swapped),
        case("nanoseconds", "times are in nanoseconds", (1, 1), Then::End, of(0xa1b2_3c4d, whole(&frame))),
        case(
            "fraction-carries",
            "a fraction of more than a second",
            (1, 1),
            Then::End,
            of(0xa1b2_c3d4, record(&frame, 2_500_000, length, length)),
        ),
        case(
            "original-shorter",
            "the length on the wire is less than what was captured",
            (1, 1),
            Then::End,
            of(0xa1b2_c3d4, record(&frame, 0, length, 20)),
        ),
        case(
            "snap-length-kept-nothing",
            "a packet of which nothing was captured",
            (1, 0),
            Then::End,
            of(0xa1b2_c3d4, record(&[], 0, 0, length)),
        ),
    ]
}

/// A frame with a byte exchanged, counted from the IP header on.
fn patched(frame: &[u8], changes: &[(usize, u8)]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    for (at, byte) in changes {
        if let Some(place) = frame.get_mut(14 + at) {
            *place = *byte;
        }
    }
    frame
}

/// Ethernet addresses of a frame, then something else in place of its type.
fn behind_addresses(frame: &[u8], rest: Vec<u8>) -> Vec<u8> {
    [frame.get(..12).unwrap_or_default().to_vec(), rest].concat()
}

/// An IPv6 packet of so many destination options headers in a row.
fn extensions(frame: &[u8], count: usize) -> Vec<u8> {
    let payload = (8 * count) as u16;
    let [high, low] = payload.to_be_bytes();
    let mut rest = vec![0x86, 0xdd, 0x60, 0, 0, 0, high, low, 60, 64];
    rest.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    rest.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    for number in 1..=count {
        // the last one has no next header
        rest.extend([if number == count { 59 } else { 60 }, 0, 1, 4, 0, 0, 0, 0]);
    }
    behind_addresses(frame, rest)
}

fn odd_packets() -> Vec<CaptureCase> {
    let frame = frame(&Payload::new());
    let ip = frame.get(14..).unwrap_or_default().to_vec();
    let one = |frame: Vec<u8>| pcap(&[frame]);
    let tags = |count: usize| {
        let tags = [0x81, 0, 0, 1].repeat(count);
        behind_addresses(&frame, [tags, vec![0x08, 0], ip.clone()].concat())
    };
    vec![
        case(
            "ip-length-past-frame",
            "the IP header says more than the frame has: the header's number counts",
            (1, 1),
            Then::End,
            one(patched(&frame, &[(2, 0x05), (3, 0xdc)])),
        ),
        case(
            "ip-length-below-header",
            "the IP header's total length is less than the header",
            (1, 0),
            Then::End,
            one(patched(&frame, &[(2, 0), (3, 19)])),
        ),
        case(
            "ip-header-length",
            "an IP header of 16 bytes",
            (1, 0),
            Then::End,
            one(patched(&frame, &[(0, 0x44)])),
        ),
        case(
            "ip-version",
            "version 6 where the frame says IPv4",
            (1, 0),
            Then::End,
            one(patched(&frame, &[(0, 0x65)])),
        ),
        case(
            "udp-length",
            "UDP's length is 0: IP's counts",
            (1, 1),
            Then::End,
            one(patched(&frame, &[(24, 0), (25, 0)])),
        ),
        case(
            "teardrop",
            "a fragment that lies inside the one before",
            (2, 2),
            Then::End,
            pcap(&[patched(&frame, &[(6, 0x20), (7, 0)]), patched(&frame, &[(6, 0), (7, 1)])]),
        ),
        case(
            "ping-of-death",
            "a fragment that would end behind 65,535 bytes",
            (1, 1),
            Then::End,
            one(patched(&frame, &[(6, 0x1f), (7, 0xff)])),
        ),
        case(
            "vlan-tags",
            "two hundred VLAN tags: a reader that recurses runs out of stack, one that gives up must say so",
            (1, 1),
            Then::End,
            one(tags(200)),
        ),
        case(
            "ipv6-extensions",
            "two hundred extension headers in a row",
            (1, 1),
            Then::End,
            one(extensions(&frame, 200)),
        ),
        case(
            "ipv6-extension-cut",
            "an extension header that says it has 2 KiB, in a packet of 48 bytes",
            (1, 1),
            Then::End,
            {
                let mut cut = extensions(&frame, 1);
                if let Some(length) = cut.get_mut(14 + 41) {
                    *length = 0xff;
                }
                one(cut)
            },
        ),
    ]
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let length = body.len() as u32 + 12;
    [words(&[kind, length]), body.to_vec(), words(&[length])].concat()
}

fn pcapngs() -> Vec<CaptureCase> {
    let frame = frame(&Payload::new());
    let padded = |frame: &[u8]| {
        let mut padded = frame.to_vec();
        padded.resize(frame.len().next_multiple_of(4), 0);
        padded
    };
    let section = block(0x0a0d_0d0a, &words(&[0x1a2b_3c4d, 1, u32::MAX, u32::MAX]));
    let interface = block(1, &words(&[1, 262_144]));
    let packet = |interface: u32, captured: u32| {
        let head = words(&[interface, 0, SECOND, captured, captured]);
        block(6, &[head, padded(&frame)].concat())
    };
    let length = frame.len() as u32;
    let good = packet(0, length);
    let with = |rest: Vec<u8>| [section.clone(), interface.clone(), good.clone(), rest].concat();
    let mut other_end = good.clone();
    if let Some(last) = other_end.last_mut() {
        *last = 0xff;
    }
    vec![
        case(
            "no-interface",
            "a packet of an interface that nothing described",
            (1, 1),
            Then::Error,
            with(packet(7, length)),
        ),
        case(
            "block-of-nothing",
            "a block whose length is 0: a reader that goes on by it never ends",
            (1, 1),
            Then::Error,
            with(words(&[6, 0, 0, 0])),
        ),
        case(
            "block-of-4-gib",
            "a block that says it has 4 GiB",
            (1, 1),
            Then::Error,
            with(words(&[6, u32::MAX - 3, 0, 0])),
        ),
        case("lengths-differ", "the two lengths of a block differ", (1, 1), Then::Error, with(other_end)),
        case(
            "captured-past-block",
            "a packet that says it has more bytes than its block",
            (1, 1),
            Then::Error,
            with(packet(0, length + 400)),
        ),
        case(
            "unknown-block",
            "a block of a kind that nobody knows is passed over",
            (2, 2),
            Then::End,
            with([block(0x0bad_cafe, b"whatever is in it..."), good.clone()].concat()),
        ),
        case(
            "other-section",
            "a section in the middle begins anew with its interfaces",
            (2, 2),
            Then::End,
            with([section.clone(), interface.clone(), good.clone()].concat()),
        ),
    ]
}
