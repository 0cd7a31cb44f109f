//! Small captures for tests.

use std::io::{self, Read, Write};

use super::{Capture, CaptureError};
use crate::packet::PacketTime;

/// A little-endian pcap with microseconds: times in microseconds, Ethernet, packets with their bytes.
pub(super) fn pcap(packets: &[(u64, &[u8])]) -> Vec<u8> {
    let mut bytes = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x01\0\0\0".to_vec();
    for (micros, data) in packets {
        let length = data.len() as u32;
        for word in [(micros / 1_000_000) as u32, (micros % 1_000_000) as u32, length, length] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(*data);
    }
    bytes
}

/// A pcapng block.
pub(super) fn block(big: bool, block_type: u32, body: &[u8]) -> Vec<u8> {
    let word = |n: u32| if big { n.to_be_bytes() } else { n.to_le_bytes() };
    let length = body.len().next_multiple_of(4) as u32 + 12;
    let mut bytes = [word(block_type), word(length)].concat();
    bytes.extend(body);
    bytes.resize(length as usize - 4, 0);
    bytes.extend(word(length));
    bytes
}

/// A pcapng section header, version 1.0 unless another minor version is given.
pub(super) fn section(big: bool, minor: u16) -> Vec<u8> {
    let half = |n: u16| if big { n.to_be_bytes() } else { n.to_le_bytes() };
    let magic = 0x1a2b_3c4d_u32;
    let mut body = if big { magic.to_be_bytes() } else { magic.to_le_bytes() }.to_vec();
    body.extend(half(1));
    body.extend(half(minor));
    body.extend([0xff; 8]);
    block(big, 0x0a0d_0d0a, &body)
}

/// A pcapng option.
pub(super) fn option(big: bool, code: u16, value: &[u8]) -> Vec<u8> {
    let half = |n: u16| if big { n.to_be_bytes() } else { n.to_le_bytes() };
    let mut bytes = [half(code), half(value.len() as u16)].concat();
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// A pcapng interface description.
pub(super) fn interface(big: bool, link_type: u16, snap_length: u32, options: &[u8]) -> Vec<u8> {
    let mut body = if big { link_type.to_be_bytes() } else { link_type.to_le_bytes() }.to_vec();
    body.extend([0, 0]);
    body.extend(if big { snap_length.to_be_bytes() } else { snap_length.to_le_bytes() });
    body.extend(options);
    block(big, 1, &body)
}

/// A pcapng enhanced packet block.
pub(super) fn enhanced(big: bool, id: u32, units: u64, data: &[u8], options: &[u8]) -> Vec<u8> {
    let length = data.len() as u32;
    let mut body = Vec::new();
    for n in [id, (units >> 32) as u32, units as u32, length, length] {
        body.extend(if big { n.to_be_bytes() } else { n.to_le_bytes() });
    }
    body.extend(data);
    body.resize(body.len().next_multiple_of(4), 0);
    body.extend(options);
    block(big, 6, &body)
}

/// The same capture as [`pcap`] makes, as pcapng.
pub(super) fn pcapng(packets: &[(u64, &[u8])]) -> Vec<u8> {
    let mut bytes = [section(false, 0), interface(false, 1, 0, &[])].concat();
    for (micros, data) in packets {
        bytes.extend(enhanced(false, 0, *micros, data, &[]));
    }
    bytes
}

/// One gzip member.
pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// One bzip2 stream.
pub(super) fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// One lz4 frame.
pub(super) fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// One zstd frame.
pub(super) fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// A reader that yields one byte at a time.
pub(super) struct OneByOne(pub(super) io::Cursor<Vec<u8>>);

impl Read for OneByOne {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let end = target.len().min(1);
        self.0.read(&mut target[..end])
    }
}

/// A packet, owned.
pub(super) type Owned = (u64, u64, PacketTime, u32, u32, Vec<u8>);

/// Everything that a reader yields: number, offset, time, original length, interface and bytes of each packet; and
/// the error that ended it.
pub(super) fn drain(reader: impl Read + Send + 'static) -> (Vec<Owned>, Option<CaptureError>) {
    let mut packets = Vec::new();
    let mut capture = match Capture::from_reader("test", reader) {
        Ok(capture) => capture,
        Err(error) => return (packets, Some(error)),
    };
    loop {
        match capture.advance() {
            Ok(true) => {
                let packet = capture.current();
                let data = packet.data.to_vec();
                let original = packet.original_length;
                packets.push((packet.number, packet.offset, packet.time, original, packet.interface, data));
            }
            Ok(false) => return (packets, None),
            Err(error) => {
                assert!(matches!(capture.advance(), Ok(false)), "it went on after an error");
                return (packets, Some(error));
            }
        }
    }
}

/// The same of bytes.
pub(super) fn drain_bytes(bytes: &[u8]) -> (Vec<Owned>, Option<CaptureError>) {
    drain(io::Cursor::new(bytes.to_vec()))
}
