use super::*;
use crate::capture::{CaptureInput, MergeStep, MergedCaptures};
use proptest::prelude::*;
use std::io::{Cursor, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A pcap of records with these bytes, and where they begin.
fn pcap(records: &[Vec<u8>]) -> (tempfile::NamedTempFile, Vec<u64>) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let mut bytes = crate::capture::testing::pcap(&[]);
    let mut begins = Vec::new();
    for (second, data) in (1_700_000_000_u32..).zip(records) {
        begins.push(bytes.len() as u64);
        bytes.extend(record(second, data));
    }
    file.write_all(&bytes).unwrap();
    (file, begins)
}

fn record(second: u32, data: &[u8]) -> Vec<u8> {
    let length = data.len() as u32;
    let mut bytes: Vec<u8> = [second, 7, length, length].into_iter().flat_map(u32::to_le_bytes).collect();
    bytes.extend(data);
    bytes
}

/// Data that looks like records itself: a capture on its way over the network, zeros, or anything.
fn data(kind: u32, size: usize) -> Vec<u8> {
    let mut data: Vec<u8> = match kind % 4 {
        0 => (0..).flat_map(|n: u32| record(1_700_000_000 + n, &[n as u8; 60])).take(size).collect(),
        1 => vec![0; size],
        2 => (0..size as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect(),
        _ => [9_u32, 9, 100, 100].into_iter().flat_map(u32::to_le_bytes).cycle().take(size).collect(),
    };
    // they are not all cut at the same place
    let turn = kind as usize % data.len().max(1);
    data.rotate_left(turn);
    data
}

fn expected(begins: &[u64], length: u64, at: u64) -> u64 {
    begins.iter().copied().find(|begin| *begin >= at).unwrap_or(length)
}

#[test]
fn a_record_is_found_from_anywhere_in_a_large_file() {
    let sizes = [0, 40, 60, 1500, 9000, 65_000, 262_144, 1, 1448];
    let records: Vec<Vec<u8>> =
        (0..220_u32).map(|n| data(n.wrapping_mul(7919), sizes[n as usize % sizes.len()])).collect();
    let (file, begins) = pcap(&records);
    let pieces = PcapPieces::open(file.path()).unwrap();
    assert!(pieces.length() > 7 << 20, "{}", pieces.length());
    for n in 0..400 {
        let at = pieces.length() * n / 400 + n % 7;
        let found = pieces.first_record(at).unwrap();
        assert_eq!(found, expected(&begins, pieces.length(), at), "{at}");
    }
    let at = pieces.length() / 2;
    let followed = pieces.follow(at).unwrap();
    assert_eq!(followed, pieces.first_record(at).unwrap());
}

/// A capture of whole frames as networks have them, and how many bytes are read of it to find a place.
fn frames(record: impl Fn(u32, &[u8]) -> Vec<u8>) -> (PcapPieces, Vec<u64>, Arc<AtomicU64>) {
    let mut bytes = crate::capture::testing::pcap(&[]);
    let mut begins = Vec::new();
    for number in 0..60_000_u32 {
        begins.push(bytes.len() as u64);
        let noise = number.wrapping_mul(2_654_435_761);
        let size = 60 + (noise >> 20) as usize % 1400;
        let frame = (0..size as u32).map(|at| (noise ^ at.wrapping_mul(0x9e37_79b1)).to_be_bytes()[0]);
        bytes.extend(record(number, &frame.collect::<Vec<u8>>()));
    }
    let read = Arc::new(AtomicU64::new(0));
    let (size, counter) = (bytes.len() as u64, Arc::clone(&read));
    let open = move |place: u64| -> io::Result<Box<dyn Read + Send>> {
        let rest = Cursor::new(bytes[place as usize..].to_vec());
        Ok(Box::new(Counted(rest, Arc::clone(&counter))))
    };
    (PcapPieces::of(Openable::new("frames.pcap", size, open)).unwrap(), begins, read)
}

struct Counted(Cursor<Vec<u8>>, Arc<AtomicU64>);

impl Read for Counted {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(target)?;
        self.1.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[test]
fn a_place_in_a_capture_of_whole_frames_costs_one_stretch() {
    let (pieces, begins, read) = frames(|number, frame| {
        let length = frame.len() as u32;
        let fields = [1_700_000_000 + number / 9_000, number % 9_000 * 111, length, length];
        fields.into_iter().flat_map(u32::to_le_bytes).chain(frame.iter().copied()).collect()
    });
    assert!(pieces.length() > 40 << 20);
    for n in 1..40 {
        // also just behind where a record begins
        let near = begins[begins.len() * n / 40];
        for at in [pieces.length() * n as u64 / 40, near, near + 1, near + 3, near + 4, near + 5] {
            read.store(0, Ordering::Relaxed);
            assert_eq!(pieces.first_record(at).unwrap(), expected(&begins, pieces.length(), at), "{at}");
            assert!(read.load(Ordering::Relaxed) <= STRETCH + 24, "{at}");
        }
    }
}

#[test]
fn sub_seconds_that_are_lengths_mislead_nobody() {
    let (pieces, begins, _) = frames(|number, frame| {
        let length = frame.len() as u32;
        let fields = [1_700_000_000 + number, length, length, length];
        fields.into_iter().flat_map(u32::to_le_bytes).chain(frame.iter().copied()).collect()
    });
    for n in 1..4 {
        let at = pieces.length() * n / 4;
        assert_eq!(pieces.first_record(at).unwrap(), expected(&begins, pieces.length(), at));
    }
}

#[test]
fn a_file_of_nothing_but_likely_records_is_followed_from_its_beginning() {
    // every fourth byte may be a record's first: the chains never meet
    let word = 8_u32.to_le_bytes();
    let records: Vec<Vec<u8>> = vec![word.repeat(2); 1 << 17];
    let (file, begins) = pcap(&records);
    let mut bytes = std::fs::read(file.path()).unwrap();
    for at in &begins {
        bytes[*at as usize..][..16].copy_from_slice(&word.repeat(4));
    }
    std::fs::write(file.path(), &bytes).unwrap();
    let pieces = PcapPieces::open(file.path()).unwrap();
    for at in [1 << 20, (3 << 20) - 1, (5 << 19) + 8] {
        assert_eq!(pieces.first_record(at).unwrap(), expected(&begins, pieces.length(), at));
    }
}

proptest! {
    #[test]
    fn pieces_that_share_an_end_tile_the_file(
        records in prop::collection::vec((any::<u32>(), 0_usize..200), 0..12),
        cuts in prop::collection::vec(0_u64..2000, 0..5),
        missing in 0_usize..30,
    ) {
        let records: Vec<Vec<u8>> = records.into_iter().map(|(kind, size)| data(kind, size)).collect();
        let (file, _) = pcap(&records);
        // the end of the file may be missing
        let bytes = std::fs::read(file.path()).unwrap();
        let kept = bytes.len().saturating_sub(missing).max(HEADER_LENGTH);
        std::fs::write(file.path(), &bytes[..kept]).unwrap();
        let pieces = PcapPieces::open(file.path()).unwrap();
        let mut cuts = cuts;
        cuts.extend([0, pieces.length()]);
        cuts.sort_unstable();
        let packets = |input: CaptureInput| {
            let mut captures = MergedCaptures::new(vec![input]);
            let (mut found, mut failures) = (Vec::new(), 0);
            while let Some(step) = captures.step() {
                match step {
                    MergeStep::Packet(_) => found.push(captures.current().data.to_vec()),
                    MergeStep::Failed { .. } => failures += 1,
                    MergeStep::Paused => {}
                }
            }
            (found, failures)
        };
        let whole = packets(CaptureInput::Path(file.path().to_owned()));
        let mut tiles = (Vec::new(), 0);
        for cut in cuts.windows(2) {
            let piece = pieces.piece(cut[0]..cut[1]).unwrap();
            let (found, failures) = packets(CaptureInput::Openable(piece));
            tiles.0.extend(found);
            tiles.1 += failures;
        }
        prop_assert_eq!(tiles, whole);
    }
}

#[test]
fn a_split_has_every_record_once() {
    let records: Vec<Vec<u8>> = (0..100).map(|n| data(n, 100)).collect();
    let (file, begins) = pcap(&records);
    let pieces = PcapPieces::open(file.path()).unwrap();
    for count in [1, 2, 7, 100, 1000] {
        let ranges = pieces.split(count).unwrap();
        assert!(ranges.len() <= count as usize && ranges.len() >= (count as usize).min(100) / 2);
        assert_eq!((ranges[0].start, ranges[ranges.len() - 1].end), (24, pieces.length()));
        assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert!(ranges.iter().all(|range| begins.contains(&range.start)));
    }
    let (empty, _) = pcap(&[]);
    let ranges = PcapPieces::open(empty.path()).unwrap().split(4).unwrap();
    assert_eq!(ranges.iter().map(|range| (range.start, range.end)).collect::<Vec<_>>(), [(24, 24)]);
}

#[test]
fn what_cannot_be_cut_is_told() {
    let told = |bytes: &[u8]| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        PcapPieces::open(file.path()).unwrap_err().kind().to_string()
    };
    let expected = ", expected an uncompressed pcap file, which can be read in pieces";
    assert_eq!(told(b"\x0a\x0d\x0d\x0a\x1c\0\0\0"), format!("is a pcapng{expected}"));
    assert_eq!(told(b"\x1f\x8b\x08\0"), format!("is compressed with gzip{expected}"));
    assert_eq!(told(b"hello"), format!("is no pcap{expected}"));
    assert!(told(&crate::capture::testing::pcap(&[])[..20]).contains("file header"), "a header that is cut");
}
