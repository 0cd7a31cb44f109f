//! One big pcap in pieces: where a record begins, found from anywhere in the file.
//!
//! A record says how long it is, and nothing in it says that a record begins here. So no place can be recognised by itself,
//! but chains of records can:
//!
//! 1. In front of the place that is asked for lies a stretch, longer than the longest record, so that a record of the file
//!    begins in its first part.
//! 2. From every byte of that part a chain of lengths is followed as if a record began there. A chain ends where a length is
//!    more than any reader takes. The file's own chain is among those that go on.
//! 3. Where all that go on come to the same first record at or behind the place, that is the file's own. Where they do not,
//!    a longer stretch is taken; from the file header on there is but one chain.
//!
//! Nothing is guessed, neither from times nor from likely lengths, and the answer depends on nothing but the file and
//! the place. So pieces that share an end tile the file.
//!
//! A file that is damaged is read up to the damage. Pieces behind it may hold what a reading of the whole never came to;
//! the piece with the damage says so.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use super::pcap::{HEADER_LENGTH, PcapHeader, PcapWalk, RECORD_HEADER};
use super::{CaptureError, CaptureErrorKind, MAX_CAPTURED, Openable, Sniffed, sniff};

/// The first stretch in bytes: longer than the longest record.
const STRETCH: u64 = 1 << 20;

/// Where a stretch of this length does not do, lengths are followed from the beginning of the file.
const LONGEST_STRETCH: u64 = 1 << 25;

/// The longest record in bytes.
const LONGEST_RECORD: usize = 24 + MAX_CAPTURED as usize;

/// A pcap file that is read in pieces.
#[derive(Clone, Debug)]
pub struct PcapPieces {
    whole: Openable,
    header: [u8; HEADER_LENGTH],
    walk: PcapWalk,
    length: u64,
}

impl PcapPieces {
    /// Opens a pcap file.
    ///
    /// # Errors
    /// Where it cannot be read, or is no pcap, or a compressed one.
    pub fn open(path: &Path) -> Result<PcapPieces, CaptureError> {
        let name = path.to_string_lossy();
        let fail = |kind| CaptureError::new(&name, kind);
        let metadata = path.metadata().map_err(|error| fail(CaptureErrorKind::Open(error)))?;
        if !metadata.is_file() {
            return Err(fail(CaptureErrorKind::NotInPieces { what: "no regular file".to_owned() }));
        }
        let file = path.to_owned();
        let open = move |place| -> io::Result<Box<dyn Read + Send>> {
            let mut file = File::open(&file)?;
            file.seek(SeekFrom::Start(place))?;
            Ok(Box::new(file))
        };
        PcapPieces::of(Openable::new(name.clone(), metadata.len(), open))
    }

    /// Takes up what can be opened as often as is needed: an object in a store for one.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn of(whole: Openable) -> Result<PcapPieces, CaptureError> {
        let fail = |kind| CaptureError::new(whole.name(), kind);
        let reader = whole.open().map_err(|error| fail(CaptureErrorKind::Open(error)))?;
        let mut header = Vec::new();
        let read = reader.take(HEADER_LENGTH as u64).read_to_end(&mut header);
        read.map_err(|error| fail(CaptureErrorKind::Read(error)))?;
        let (format, byte_order) = match sniff(&header) {
            Sniffed::Pcap(format, byte_order) => (format, byte_order),
            Sniffed::Pcapng => {
                return Err(fail(CaptureErrorKind::NotInPieces { what: "a pcapng".to_owned() }));
            }
            Sniffed::Compressed(compression) => {
                let what = format!("compressed with {compression}");
                return Err(fail(CaptureErrorKind::NotInPieces { what }));
            }
            Sniffed::Empty => return Err(fail(CaptureErrorKind::Empty)),
            Sniffed::SkippableFrame | Sniffed::Other(_) => {
                return Err(fail(CaptureErrorKind::NotInPieces { what: "no pcap".to_owned() }));
            }
        };
        let parsed = PcapHeader::parse(&header, format, byte_order).map_err(|damage| fail(damage.into()))?;
        let header = header.try_into().unwrap_or([0; HEADER_LENGTH]);
        Ok(PcapPieces {
            header,
            walk: PcapWalk::new(&parsed),
            length: whole.size().max(HEADER_LENGTH as u64),
            whole,
        })
    }

    /// The file's length in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Where the first record begins at or behind a place, in bytes of the file; its length, where none does.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn first_record(&self, at: u64) -> Result<u64, CaptureError> {
        let fail = |error| CaptureError::new(self.whole.name(), CaptureErrorKind::Read(error));
        self.find(at, STRETCH).map_err(fail)
    }

    fn find(&self, at: u64, mut stretch: u64) -> io::Result<u64> {
        const FIRST: u64 = HEADER_LENGTH as u64;
        if at <= FIRST {
            return Ok(FIRST);
        }
        if at >= self.length {
            return Ok(self.length);
        }
        while stretch <= LONGEST_STRETCH {
            let from = at.saturating_sub(stretch).max(FIRST);
            let mut bytes = Vec::new();
            let wanted = at - from + RECORD_HEADER as u64;
            self.whole.open_at(from)?.take(wanted).read_to_end(&mut bytes)?;
            let ends = self.ends(&bytes, from, at);
            let candidates = if from == FIRST { 1 } else { LONGEST_RECORD };
            let mut found = ends.iter().take(candidates).copied().filter(|end| *end != DEAD);
            match found.next() {
                Some(end) if found.all(|other| other == end) => return Ok(end),
                // damage in front of the place: a reader does not come further
                None if from == FIRST => return Ok(self.length),
                _ => stretch *= 4,
            }
        }
        self.follow(at)
    }

    /// For every byte from `from` to `at` where the chain that begins there comes to first, at or behind `at`.
    fn ends(&self, bytes: &[u8], from: u64, at: u64) -> Vec<u64> {
        // a place in a stretch fits the memory
        let count = usize::try_from(at - from).unwrap_or(usize::MAX);
        let mut ends = vec![DEAD; count];
        for place in (0..count).rev() {
            let end = match bytes.get(place..).and_then(|rest| rest.first_chunk()) {
                // the file ends in a record header
                None => self.length,
                Some(header) => match self.walk.record_length(header) {
                    None => DEAD,
                    Some(length) => {
                        let next = place + length;
                        ends.get(next).copied().unwrap_or((from + next as u64).min(self.length))
                    }
                },
            };
            if let Some(known) = ends.get_mut(place) {
                *known = end;
            }
        }
        ends
    }

    /// Follows the lengths from the file header on.
    fn follow(&self, at: u64) -> io::Result<u64> {
        let mut place = HEADER_LENGTH as u64;
        let mut reader = BufReader::with_capacity(1 << 18, self.whole.open_at(place)?);
        let mut header = [0; RECORD_HEADER];
        while place < at {
            match reader.read_exact(&mut header) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(self.length),
                read => read?,
            }
            let Some(length) = self.walk.record_length(&header) else { return Ok(self.length) };
            let rest = (length - RECORD_HEADER) as u64;
            io::copy(&mut reader.by_ref().take(rest), &mut io::sink())?;
            place += length as u64;
        }
        Ok(place.min(self.length))
    }

    /// The packets whose records begin in a range of the file, as a capture of its own. Places in messages about it are
    /// those of the piece, which has the file's header in front.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn piece(&self, range: Range<u64>) -> Result<Openable, CaptureError> {
        let (start, end) = (self.first_record(range.start)?, self.first_record(range.end)?);
        let length = end.saturating_sub(start);
        let name = format!("{}[{}-{}]", self.whole.name(), range.start, range.end);
        let (whole, header) = (self.whole.clone(), self.header);
        let open = move |place: u64| -> io::Result<Box<dyn Read + Send>> {
            let Some(behind) = place.checked_sub(HEADER_LENGTH as u64) else {
                let mut header = io::Cursor::new(header);
                header.set_position(place);
                return Ok(Box::new(header.chain(whole.open_at(start)?.take(length))));
            };
            let length = length.saturating_sub(behind);
            Ok(Box::new(whole.open_at(start.saturating_add(behind))?.take(length)))
        };
        Ok(Openable::new(name, HEADER_LENGTH as u64 + length, open))
    }

    /// Where to cut the file into so many pieces of about one size: each piece's range, from record to record. Fewer, where
    /// records are longer than that.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn split(&self, pieces: u32) -> Result<Vec<Range<u64>>, CaptureError> {
        let mut ranges = Vec::new();
        let mut start = HEADER_LENGTH as u64;
        for number in 1..=u64::from(pieces) {
            let at = (u128::from(self.length) * u128::from(number) / u128::from(pieces)) as u64;
            let end = self.first_record(at)?;
            if end > start || number == 1 && self.length == start {
                ranges.push(start..end);
                start = end;
            }
        }
        Ok(ranges)
    }
}

/// No chain goes on from here.
const DEAD: u64 = u64::MAX;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{CaptureInput, MergeStep, MergedCaptures};
    use proptest::prelude::*;
    use std::io::Write;

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
        assert!(
            told(&crate::capture::testing::pcap(&[])[..20]).contains("file header"),
            "a header that is cut"
        );
    }
}
