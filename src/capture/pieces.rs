//! One big pcap in pieces: where a record begins, found from anywhere in the file.
//!
//! A record says how long it is, and nothing in it says that a record begins here. So no place can be recognised by itself,
//! but chains of records can:
//!
//! 1. In front of the place that is asked for lies a stretch, longer than the longest record, so that a record of the file
//!    begins in its first part.
//! 2. From every byte of that part a chain of lengths is followed as if a record began there. A chain ends where a length is
//!    more than any reader takes. The file's own chain is among those that go on.
//! 3. Where all that go on come to the same first record at or behind the place, that is the file's own.
//! 4. Mostly two go on: where packets are whole, both lengths of a record are the same, so that whoever reads four bytes too
//!    late finds the second length in the place of the first, record after record. Of two such chains the file's own is the
//!    earlier one if its sub-second fields are less than a second ([`leads`](PcapPieces::leads)).
//! 5. Where chains cannot be told apart, a longer stretch is taken; from the file header on there is but one.
//!
//! Neither likely times nor likely lengths decide. The premise of step 4: no capture has, for half a megabyte and more, packets of
//! January 1970 (of before September 2001, in nanoseconds) whose sub-second fields are their lengths. In such a file a piece would
//! begin four bytes early; the piece before it then ends within a record, and says so.
//!
//! The answer depends on nothing but the file and the place. So pieces that share an end tile the file.
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
            let stretched = Stretch { bytes: &bytes, from, at };
            match &chains(ends.get(..candidates).unwrap_or(&ends))[..] {
                [own] => return Ok(own.end),
                [one, other] => {
                    match (self.leads(&stretched, one, other), self.leads(&stretched, other, one)) {
                        (true, false) => return Ok(one.end),
                        (false, true) => return Ok(other.end),
                        _ => stretch *= 4,
                    }
                }
                // damage in front of the place: a reader does not come further
                [] if from == FIRST => return Ok(self.length),
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

    /// Whether a chain's records have two equal lengths and sub-second fields of less than a second, and the other chain is
    /// what comes of reading it four bytes too late.
    fn leads(&self, stretch: &Stretch<'_>, own: &Chain, late: &Chain) -> bool {
        let Stretch { bytes, from, at } = *stretch;
        let next = |place: usize| {
            let length = self.walk.record_length(bytes.get(place..)?.first_chunk()?)?;
            Some(place + length)
        };
        // from where all that were followed have met, by and large
        let (mut place, mut other) = (own.first, own.last);
        while place != other {
            let behind = if place < other { &mut place } else { &mut other };
            let Some(further) = next(*behind) else { return false };
            *behind = further;
        }
        let mut records = 0;
        while from + (place as u64) < at {
            let fields = bytes.get(place..).and_then(|bytes| self.walk.fraction_and_lengths(bytes));
            let (Some([fraction, captured, original]), Some(further)) = (fields, next(place)) else {
                return false;
            };
            if captured != original || fraction >= self.walk.units_a_second() {
                return false;
            }
            records += 1;
            // the one behind may lie behind the place already
            let is_last = from + (further as u64) >= at;
            if is_last && from + place as u64 + 4 >= at {
                return records >= ENOUGH && late.end == from + place as u64 + 4;
            }
            place = further;
        }
        records >= ENOUGH && late.end == own.end + 4
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

/// How many records of a chain have to be alike to be believed.
const ENOUGH: usize = 3;

/// Bytes in front of a place, from where on in the file.
struct Stretch<'a> {
    bytes: &'a [u8],
    from: u64,
    at: u64,
}

/// Chains that come to the same record.
struct Chain {
    end: u64,
    /// The first and the last byte that they are followed from.
    first: usize,
    last: usize,
}

/// The chains that go on: three, where there are more.
fn chains(ends: &[u64]) -> Vec<Chain> {
    let mut chains: Vec<Chain> = Vec::new();
    for (place, end) in ends.iter().copied().enumerate().filter(|(_, end)| *end != DEAD) {
        if let Some(chain) = chains.iter_mut().find(|chain| chain.end == end) {
            chain.last = place;
        } else if chains.len() < 3 {
            chains.push(Chain { end, first: place, last: place });
        } else {
            break;
        }
    }
    chains
}

#[cfg(test)]
mod tests;
