//! What holds for whole captures, whatever their format and however their bytes arrive.

mod damage;

use std::io::{self, Cursor, Read};

use super::testing::{
    OneByOne, block, bzip2, drain, drain_bytes, enhanced, gzip, interface, lz4, pcap, pcapng, section, zstd,
};
use super::{Capture, CaptureErrorKind, Compression, ContainerFormat, Damage};

/// The packets of the samples below.
const PACKETS: [(u64, &[u8]); 3] = [(1_000_000, b"first"), (2_000_000, b"second!"), (3_500_000, &[0x55; 60])];

/// `pcap(&PACKETS)` by `xz -9 --check=crc32`.
const XZ: &str = "fd377a585a0000016922de36020021011c00000010cf58cce0008f00355d006a30d1c87d8bf8099bad944b8af2fffa2a4b\
                  0583a9d844c8f4b34f99595ebd916a533262847cf0c183ed1a8c3d6d22073e632300000000000042bf6e0200014d900100\
                  00001a8d29193e300d8b020000000001595a";
/// The same by `xz --delta --lzma2 --check=crc64`.
const XZ_DELTA: &str = "fd377a585a000004e6d6b44602010301002101167920c4eee0008f003f5d006a3bf00c2fe022d0098003eaab286dca\
                        3162cae4f7b9d62d4aae6790ffc80b51b44110bff59ee2bb7f1baf4c14a456f78743e095e79bc68ba3f98e54c00000\
                        00008f4b60e5e965c01400015b90010000009c6ca6ccb1c467fb020000000004595a";
/// The same by `zstd -19`.
const ZSTD: &str = "28b52ffd24902502004403d4c3b2a102000400ffff00000100000001000566697273740200000000000000077365636f6e\
                    64210300000020a107003c0000550620b00f20420bef94bb1811970bd0b90999";
/// The same by `lz4 -9`.
const LZ4: &str = "04224d186440a74900000084d4c3b2a102000400010062ffff0000010004000010001305040063666972737402150013070\
                   400f1037365636f6e64210300000020a107003c000004001f5501002350555555555500000000634f8ef3";

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// The sample in every compression, by name.
fn compressed() -> Vec<(&'static str, Compression, Vec<u8>)> {
    let plain = pcap(&PACKETS);
    vec![
        ("gzip", Compression::Gzip, gzip(&plain)),
        ("bzip2", Compression::Bzip2, bzip2(&plain)),
        ("xz", Compression::Xz, hex(XZ)),
        ("xz with a filter", Compression::Xz, hex(XZ_DELTA)),
        ("zstd", Compression::Zstd, hex(ZSTD)),
        ("zstd by ruzstd", Compression::Zstd, zstd(&plain)),
        ("lz4", Compression::Lz4, hex(LZ4)),
        ("lz4 by lz4_flex", Compression::Lz4, lz4(&plain)),
    ]
}

#[test]
fn every_container_and_compression_holds_the_same_packets() {
    let (expected, error) = drain_bytes(&pcap(&PACKETS));
    assert!(error.is_none());
    assert_eq!(expected.len(), PACKETS.len());
    for (found, (_, data)) in expected.iter().zip(PACKETS) {
        assert_eq!(found.5, data);
    }
    for (name, compression, bytes) in compressed() {
        let (packets, error) = drain_bytes(&bytes);
        assert!(error.is_none(), "{name}: {error:?}");
        assert_eq!(packets, expected, "{name}");
        let capture = Capture::from_reader(name, Cursor::new(bytes)).unwrap();
        assert_eq!(capture.info().compression, Some(compression));
        assert_eq!(capture.info().format, ContainerFormat::PcapMicroseconds);
    }
    let (mut other, error) = drain_bytes(&pcapng(&PACKETS));
    assert!(error.is_none(), "{error:?}");
    for (found, expected) in other.iter_mut().zip(&expected) {
        found.1 = expected.1;
    }
    assert_eq!(other, expected);
}

#[test]
fn every_shorter_prefix_yields_the_packets_before_the_cut_and_an_error() {
    for (name, whole) in [("pcap", pcap(&PACKETS)), ("pcapng", pcapng(&PACKETS))] {
        let (expected, _) = drain_bytes(&whole);
        // where a record or block ends, a capture may end
        let mut ends: Vec<usize> = expected.iter().map(|packet| packet.1 as usize).collect();
        ends.push(whole.len());
        if name == "pcapng" {
            ends.push(28);
        }
        for length in 0..whole.len() {
            let (packets, error) = drain_bytes(&whole[..length]);
            let count = ends[1..].iter().filter(|&&end| end <= length && end > 28).count();
            assert_eq!(packets, expected[..count], "{name} cut at {length}");
            assert_eq!(error.is_none(), ends.contains(&length), "{name} cut at {length}: {error:?}");
            if let Some(error) = error {
                assert!(!error.to_string().is_empty());
                let place = error.place().map(|place| (place.packet, place.offset));
                if count > 0 {
                    assert_eq!(place, Some((count as u64 + 1, ends[count] as u64)), "{name} cut at {length}");
                }
            }
        }
    }
    let (expected, _) = drain_bytes(&pcap(&PACKETS));
    for (name, compression, whole) in compressed() {
        for length in 0..whole.len() {
            let (packets, error) = drain_bytes(&whole[..length]);
            assert!(expected.starts_with(&packets), "{name} cut at {length}");
            let error = error.unwrap_or_else(|| panic!("{name} cut at {length} went unnoticed"));
            if length > 8 {
                let cut = matches!(error.kind(), CaptureErrorKind::CompressionCut { compression: found, .. }
                    if *found == compression);
                assert!(cut, "{name} cut at {length}: {error:?}");
                assert!(error.hint().unwrap().contains("incomplete"));
            }
        }
    }
}

#[test]
fn a_cut_stream_yields_all_that_can_be_decoded() {
    let data: Vec<u8> = (0..1_000_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let packets: Vec<(u64, &[u8])> =
        (0..400).map(|i| (i * 1_000_003, &data[i as usize * 600..][..600])).collect();
    let plain = pcap(&packets);
    for (name, bytes, least) in [
        ("gzip", gzip(&plain), 390),
        ("bzip2", bzip2(&plain), 0),
        ("zstd", zstd(&plain), 0),
        ("lz4", lz4(&plain), 0),
    ] {
        let (found, error) = drain_bytes(&bytes[..bytes.len() - 10]);
        assert!(found.len() >= least && found.len() <= 400, "{name}: {} packets", found.len());
        assert!(matches!(error.unwrap().kind(), CaptureErrorKind::CompressionCut { .. }), "{name}");
    }
}

#[test]
fn members_are_joined_wherever_they_are_split() {
    let plain = pcap(&PACKETS);
    let (expected, _) = drain_bytes(&plain);
    type Encoder = fn(&[u8]) -> Vec<u8>;
    let encoders: [(&str, Encoder); 4] = [("gzip", gzip), ("bzip2", bzip2), ("zstd", zstd), ("lz4", lz4)];
    for (name, encode) in encoders {
        for split in [1, 24, 30, 100] {
            let mut bytes = encode(&plain[..split]);
            let second = encode(&plain[split..]);
            bytes.extend(&second);
            assert_eq!(drain_bytes(&bytes).0, expected, "{name} split at {split}");
            // an empty member, zero padding, and garbage, which is never passed over in silence
            bytes.extend(encode(&[]));
            bytes.extend([0; 512]);
            let end = bytes.len() as u64;
            bytes.extend(b"garbage");
            let mut capture = Capture::from_reader(name, Cursor::new(bytes)).unwrap();
            let mut count = 0;
            let error = loop {
                match capture.advance() {
                    Ok(true) => count += 1,
                    Ok(false) => panic!("{name}: the garbage is passed over"),
                    Err(error) => break error,
                }
            };
            assert!(matches!(error.kind(), CaptureErrorKind::TrailingBytes { .. }), "{error}");
            assert_eq!(
                (count, capture.info().trailing_garbage_at),
                (3, Some(end)),
                "{name} split at {split}"
            );
        }
    }
    let mut padded = hex(XZ);
    padded.extend([0; 8]);
    padded.extend(hex(XZ));
    assert_eq!(drain_bytes(&padded).0, expected);
}

#[test]
fn a_capture_joined_to_another_is_noticed() {
    for (name, bytes) in [("plain", pcap(&PACKETS)), ("gzip", gzip(&pcap(&PACKETS)))] {
        let (packets, error) = drain_bytes(&[bytes.clone(), bytes].concat());
        let error = error.unwrap();
        assert_eq!(packets.len(), 3, "{name}");
        assert!(matches!(error.kind(), CaptureErrorKind::Damage(Damage::AnotherCapture)), "{name}: {error}");
        assert!(error.hint().unwrap().contains("`cat`"));
    }
    // an empty packet of the year 2055 is still a packet
    let packets: [(u64, &[u8]); 2] = [(0xa1b2_c3d4 * 1_000_000, b""), (1, b"x")];
    assert_eq!(drain_bytes(&pcap(&packets)).0.len(), 2);
    // pcapng captures may be joined
    let joined = drain_bytes(&[pcapng(&PACKETS), pcapng(&PACKETS)].concat());
    assert!(joined.0.len() == 6 && joined.1.is_none());
}

#[test]
fn captures_may_move_between_threads() {
    fn movable<T: Send>() {}
    movable::<Capture>();
    movable::<super::MergedCaptures>();
}

#[test]
fn skippable_frames_are_skipped() {
    let skippable = |length: usize| {
        let mut frame = b"\x57\x2a\x4d\x18".to_vec();
        frame.extend((length as u32).to_le_bytes());
        frame.resize(8 + length, 9);
        frame
    };
    let (expected, _) = drain_bytes(&pcap(&PACKETS));
    for (member, compression) in [(hex(ZSTD), Compression::Zstd), (hex(LZ4), Compression::Lz4)] {
        let bytes = [skippable(0), skippable(100_000), member, skippable(3)].concat();
        let capture = Capture::from_reader("skippable", Cursor::new(bytes.clone())).unwrap();
        assert_eq!(capture.info().compression, Some(compression));
        assert_eq!(drain_bytes(&bytes).0, expected);
        let (packets, error) = drain_bytes(&bytes[..bytes.len() - 1]);
        assert_eq!(packets, expected);
        assert!(matches!(error.unwrap().kind(), CaptureErrorKind::CompressionCut { .. }));
    }
}

#[test]
fn one_layer_of_compression_is_opened() {
    let (_, error) = drain_bytes(&gzip(&gzip(&pcap(&PACKETS))));
    let kind = error.unwrap();
    assert!(matches!(
        kind.kind(),
        CaptureErrorKind::NestedCompression { outer: Compression::Gzip, inner: Compression::Gzip }
    ));
    let (_, error) = drain_bytes(&gzip(b""));
    assert!(matches!(error.unwrap().kind(), CaptureErrorKind::Empty));
    let (_, error) = drain_bytes(&gzip(b"{\"a\": 1}"));
    let error = error.unwrap();
    assert_eq!(
        error.to_string(),
        "`test`: begins with 7b 22 61 22 3a 20 31 7d (JSON text), expected the magic number of pcap or pcapng"
    );
    assert!(error.hint().is_some());
}

#[test]
fn bytes_that_come_one_by_one_change_nothing() {
    let mut long = pcapng(&PACKETS);
    long.extend(block(false, 0xbad, &vec![3; 200_000]));
    long.extend(enhanced(false, 0, 5, &vec![1; 70_000], &[]));
    let mut all = vec![("pcap", pcap(&PACKETS)), ("pcapng", pcapng(&PACKETS)), ("long blocks", long)];
    all.extend(compressed().into_iter().map(|(name, _, bytes)| (name, bytes)));
    for (name, bytes) in all {
        let (expected, _) = drain_bytes(&bytes);
        let (packets, error) = drain(OneByOne(Cursor::new(bytes)));
        assert!(error.is_none(), "{name}: {error:?}");
        assert_eq!(packets, expected, "{name}");
    }
}

/// Yields its parts one read at a time and panics when asked for more.
struct Parts(Vec<Vec<u8>>);

impl Read for Parts {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        assert!(!self.0.is_empty(), "it waited for more bytes");
        let part = self.0.remove(0);
        target[..part.len()].copy_from_slice(&part);
        Ok(part.len())
    }
}

#[test]
fn a_whole_record_is_never_waited_on() {
    let whole = pcap(&PACKETS);
    let parts = Parts(vec![whole[..45].to_vec(), whole[45..70].to_vec()]);
    let mut capture = Capture::from_reader("pipe", parts).unwrap();
    assert!(capture.advance().unwrap());
    assert_eq!(capture.current().data, b"first");
    assert!(capture.advance().unwrap());
    assert_eq!(capture.current().data, b"second!");
    assert_eq!(capture.bytes_read(), 70);
}

#[test]
fn reading_errors_keep_their_source() {
    struct Failing(Cursor<Vec<u8>>);
    impl Read for Failing {
        fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
            match self.0.read(target)? {
                0 => Err(io::Error::other("the disk is gone")),
                count => Ok(count),
            }
        }
    }
    for bytes in [pcap(&PACKETS), pcapng(&PACKETS), hex(XZ)[..90].to_vec(), hex(ZSTD)[..60].to_vec()] {
        let (_, error) = drain(Failing(Cursor::new(bytes)));
        let error = error.unwrap();
        assert!(matches!(error.kind(), CaptureErrorKind::Read(_)), "{error}");
        assert!(std::error::Error::source(&error).unwrap().to_string().contains("the disk is gone"));
    }
    let missing = Capture::open(std::path::Path::new("/nonexistent/a.pcap")).err().unwrap();
    assert!(
        matches!(missing.kind(), CaptureErrorKind::Open(source) if source.kind() == io::ErrorKind::NotFound)
    );
    let directory = tempfile::tempdir().unwrap();
    let error = Capture::open(directory.path()).err().unwrap();
    assert!(matches!(error.kind(), CaptureErrorKind::Directory(_)), "{error}");
}

#[test]
fn the_info_serialises() {
    let capture = Capture::from_reader("test", Cursor::new(gzip(&pcap(&PACKETS)))).unwrap();
    let json = serde_json::to_value(capture.info()).unwrap();
    assert_eq!(json["format"], "pcap-microseconds");
    assert_eq!(json["version"], "2.4");
    assert_eq!(json["compression"], "gzip");
    assert_eq!(json["interfaces"][0]["link_type"], "ETHERNET");
    assert_eq!(json["interfaces"][0]["snap_length"], 65_535);
}
