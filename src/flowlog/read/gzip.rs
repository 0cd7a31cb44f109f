//! gzip data, any number of members, as one stream of bytes.
//!
//! Zero padding between and behind members is skipped. Damage yields every byte that can be decoded in front of it,
//! then an [`io::Error`] that holds a [`GzipTrouble`].

use std::fmt;
use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};

/// The bytes that a member begins with.
pub(super) const MAGIC: &[u8] = b"\x1f\x8b";
/// How many compressed bytes are read at once.
const BUFFER: usize = 64 << 10;

/// What is wrong with gzip data.
#[derive(Debug)]
pub(super) struct GzipTrouble {
    /// How many compressed bytes were taken.
    pub(super) position: u64,
    pub(super) kind: GzipTroubleKind,
}

#[derive(Debug)]
pub(super) enum GzipTroubleKind {
    /// It ends too early.
    Cut(io::Error),
    /// It cannot be decoded.
    Damaged(io::Error),
    /// Something else is behind it.
    Behind,
}

impl fmt::Display for GzipTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let position = self.position;
        match &self.kind {
            GzipTroubleKind::Cut(_) => write!(f, "the gzip data is cut short after byte {position}"),
            GzipTroubleKind::Damaged(error) => {
                write!(f, "the gzip data cannot be decoded near byte {position}: {error}")
            }
            GzipTroubleKind::Behind => {
                write!(f, "found something else behind the gzip data at byte {position}")
            }
        }
    }
}

impl std::error::Error for GzipTrouble {}

/// Reads the members one after another.
pub(super) struct Gunzip {
    state: State,
}

enum State {
    /// No member is open; the flag says whether there was one.
    Between(Compressed, bool),
    Member(Box<Member>),
    Ended,
}

impl Gunzip {
    /// Members from a reader that begins with one.
    pub(super) fn new(inner: Box<dyn Read + Send>) -> Self {
        Gunzip { state: State::Between(Compressed::new(inner), false) }
    }

    /// Opens the next member, or ends where there is none.
    fn open_member(mut compressed: Compressed, had_one: bool) -> io::Result<State> {
        loop {
            let bytes = compressed.fill_buf()?;
            let Some(&first) = bytes.first() else { return Ok(State::Ended) };
            // a second byte that is not the magic's is the decoder's to find
            if MAGIC.first() == Some(&first) {
                return Ok(State::Member(Box::new(Member::new(compressed))));
            }
            if !had_one || first != 0 {
                let trouble = GzipTrouble { position: compressed.taken, kind: GzipTroubleKind::Behind };
                return Err(io::Error::new(io::ErrorKind::InvalidData, trouble));
            }
            let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
            compressed.consume(zeros);
        }
    }
}

impl Read for Gunzip {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Ended => return Ok(0),
                State::Between(compressed, had_one) => {
                    self.state = Gunzip::open_member(compressed, had_one)?;
                }
                State::Member(mut member) => match member.read(target) {
                    Ok(0) if !target.is_empty() => {
                        self.state = State::Between(member.compressed, true);
                    }
                    Ok(count) => {
                        self.state = State::Member(member);
                        return Ok(count);
                    }
                    Err(error) => return Err(member.compressed.trouble(error)),
                },
            }
        }
    }
}

/// The log 2 of a window's bytes: the largest that there is.
const WINDOW_BITS: u8 = 15;

/// One member.
///
/// If you change this: `flate2`'s readers drop what they decoded in the same step as the damage behind it.
struct Member {
    decoder: Decompress,
    compressed: Compressed,
    ended: bool,
    /// What is wrong behind the bytes that were yielded.
    error: Option<io::Error>,
}

impl Member {
    fn new(compressed: Compressed) -> Self {
        Member { decoder: Decompress::new_gzip(WINDOW_BITS), compressed, ended: false, error: None }
    }

    /// Yields decoded bytes; none at the member's end.
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        while !self.ended && !target.is_empty() {
            let input = self.compressed.fill_buf()?;
            let is_end = input.is_empty();
            let (taken, given) = (self.decoder.total_in(), self.decoder.total_out());
            let result = self.decoder.decompress(input, target, FlushDecompress::None);
            let moved = |from: u64, to: u64| usize::try_from(to - from).unwrap_or(usize::MAX);
            let consumed = moved(taken, self.decoder.total_in());
            let produced = moved(given, self.decoder.total_out());
            self.compressed.consume(consumed);
            match result {
                Ok(status) => self.ended = status == Status::StreamEnd,
                Err(error) => self.error = Some(error.into()),
            }
            if produced > 0 {
                return Ok(produced);
            }
            if let Some(error) = self.error.take() {
                return Err(error);
            }
            if consumed == 0 && !self.ended {
                let kind = if is_end { io::ErrorKind::UnexpectedEof } else { io::ErrorKind::InvalidData };
                return Err(io::Error::new(kind, "the decoder makes no progress"));
            }
        }
        Ok(0)
    }
}

/// The compressed bytes: counted, and with a memory of how they ended.
struct Compressed {
    inner: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    taken: u64,
    /// The decoder asked for bytes after the end.
    starved: bool,
    /// The inner reader failed.
    failed: bool,
}

impl Compressed {
    fn new(inner: Box<dyn Read + Send>) -> Self {
        let buffer = vec![0; BUFFER];
        Compressed { inner, buffer, start: 0, end: 0, taken: 0, starved: false, failed: false }
    }

    /// What the decoder's error means.
    fn trouble(&self, error: io::Error) -> io::Error {
        if self.failed {
            return error;
        }
        let kind = error.kind();
        let trouble =
            if self.starved { GzipTroubleKind::Cut(error) } else { GzipTroubleKind::Damaged(error) };
        io::Error::new(kind, GzipTrouble { position: self.taken, kind: trouble })
    }

    /// The bytes at hand, read where there are none; none at the end.
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end && !self.starved {
            self.start = 0;
            self.end = 0;
            match read_again(&mut self.inner, &mut self.buffer) {
                Ok(count) => self.end = count,
                Err(error) => {
                    self.failed = true;
                    return Err(error);
                }
            }
            self.starved = self.end == 0;
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    /// Takes bytes.
    fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.taken += count as u64;
    }
}

/// One read, again where a signal interrupted it.
pub(super) fn read_again(reader: &mut dyn Read, target: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(target) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
