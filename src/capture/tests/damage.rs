//! Captures that somebody or something has changed.

use std::io::Cursor;

use proptest::prelude::*;

use super::*;

#[test]
fn damaged_streams_and_large_windows_are_refused() {
    let mut gz = gzip(&pcap(&PACKETS));
    let end = gz.len();
    gz[end - 5] ^= 1;
    let mut xz = hex(XZ);
    xz[60] ^= 0x40;
    let mut zst = hex(ZSTD);
    zst[40] ^= 1;
    for (name, bytes) in [("gzip", gz), ("xz", xz), ("zstd", zst)] {
        let (_, error) = drain_bytes(&bytes);
        let error = error.unwrap();
        assert!(matches!(error.kind(), CaptureErrorKind::CompressionDamaged { .. }), "{name}: {error}");
        assert!(std::error::Error::source(&error).is_some());
    }
    // a window of 2 GiB
    let (_, error) = drain_bytes(b"\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00                    ");
    assert!(matches!(error.unwrap().kind(), CaptureErrorKind::CompressionDamaged { .. }));
}

#[test]
fn what_damaged_gzip_yields_does_not_depend_on_how_it_is_read() {
    let frames: Vec<Vec<u8>> =
        (0_u32..20_000).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes().repeat(3)).collect();
    let packets: Vec<(u64, &[u8])> = (0..).zip(frames.iter().map(Vec::as_slice)).collect();
    let mut bytes = gzip(&pcap(&packets));
    let middle = bytes.len() / 2;
    bytes[middle..middle + 300].fill(0xff);
    let (whole, error) = drain_bytes(&bytes);
    assert!(error.is_some());
    assert!(whole.len() > 8_000, "{}", whole.len());
    let (split, _) = drain(OneByOne(Cursor::new(bytes)));
    assert_eq!(split.len(), whole.len());
}

#[test]
fn hostile_lengths_are_damage_or_cuts() {
    let record = |captured: u32| {
        let mut bytes = pcap(&[]);
        for word in [1, 1, captured, captured] {
            bytes.extend(word.to_le_bytes());
        }
        bytes
    };
    for captured in [u32::MAX, 0x8000_0000, 262_145] {
        let error = drain_bytes(&record(captured)).1.unwrap();
        assert!(matches!(error.kind(), CaptureErrorKind::Damage(Damage::RecordTooLong { .. })), "{error}");
    }
    let error = drain_bytes(&record(262_144)).1.unwrap();
    assert!(
        matches!(error.kind(), CaptureErrorKind::Damage(Damage::Cut { expected: 262_160, .. })),
        "{error}"
    );
    let mut bytes = pcap(&[]);
    bytes.extend(&pcap(&[(1, &vec![1; 262_144])])[24..]);
    assert_eq!(drain_bytes(&bytes).0[0].5.len(), 262_144);
    // pcapng blocks that claim 4 GiB: a section, an interface, packets, and one that is skipped
    for (block_type, cut) in
        [(0x0a0d_0d0a_u32, false), (1, false), (2, true), (3, false), (6, true), (99, true)]
    {
        let mut bytes = [section(false, 0), interface(false, 1, 0, &[])].concat();
        bytes.extend(block_type.to_le_bytes());
        bytes.extend(0xffff_fffc_u32.to_le_bytes());
        bytes.extend(b"\x4d\x3c\x2b\x1a\x01\0\0\0".iter().filter(|_| block_type == 0x0a0d_0d0a));
        bytes.extend([0; 12]);
        let error = drain_bytes(&bytes).1.unwrap();
        let found = matches!(error.kind(), CaptureErrorKind::Damage(Damage::Cut { .. }));
        let too_long = matches!(error.kind(), CaptureErrorKind::Damage(Damage::BlockTooLong { .. }));
        assert_eq!((found, too_long), (cut, !cut), "{block_type:#x}: {error}");
    }
}

/// Valid captures of every kind, to be damaged.
fn samples() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = compressed().into_iter().map(|(_, _, bytes)| bytes).collect();
    all.extend([pcap(&PACKETS), pcapng(&PACKETS)]);
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(
        sample in prop::sample::select(samples()),
        keep in 4..40_usize,
        bytes in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let _ = drain_bytes(&bytes);
        let mut begun = sample[..keep].to_vec();
        begun.extend(&bytes);
        let _ = drain_bytes(&begun);
    }

    #[test]
    fn damaged_captures_never_panic(
        sample in prop::sample::select(samples()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = sample;
        for (index, value) in changes {
            let index = index.index(bytes.len());
            bytes[index] = value;
        }
        let plain = bytes.starts_with(&pcap(&[])[..4]) || bytes.starts_with(&section(false, 0)[..4]);
        let (whole, whole_error) = drain_bytes(&bytes);
        let (split, split_error) = drain(OneByOne(Cursor::new(bytes)));
        // a decoder may find damage a little earlier where it sees more bytes at once
        let either_begins_the_other = whole.starts_with(&split) || split.starts_with(&whole);
        prop_assert!(either_begins_the_other && (whole == split || !plain));
        prop_assert_eq!(whole_error.is_some(), split_error.is_some());
    }
}
