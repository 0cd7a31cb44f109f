//! A compressed stream as one stream of bytes.
//!
//! A stream is a row of members (gzip), frames (zstd, lz4) or streams (xz, bzip2); here all are called members.
//! They are opened one after another and what they hold is joined:
//!
//! 1. skip zero padding and skippable frames;
//! 2. at the end of the bytes: end; at another member's magic: open it; at anything else: leave it alone, as gzip
//!    does, and remember where it was;
//! 3. decode until the member's own end, and check that it was reached.
//!
//! A stream that is cut yields every byte that can be decoded in front of the cut, then an error. Memory is bounded:
//! gzip needs 32 KiB, bzip2 4 MB, lz4 under 20 MB; zstd windows and xz dictionaries are refused above a limit.

use std::io::{self, BufRead, Read};

use lzma_rust2::{Action, Status, XzStream};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::sniff::is_skippable_frame;
use super::source::Source;
use super::{CaptureErrorKind, Compression};

/// The largest zstd window, in bytes: what the `zstd` program takes without `--long`.
const ZSTD_WINDOW: u64 = 128 << 20;
/// The most memory for an xz dictionary, in KiB: four times what `xz -9` needs.
const XZ_MEMORY_KIB: u32 = 260 << 10;

/// A compressed stream, decoded.
pub(super) struct Decompressor {
    /// `None` while no member was opened.
    compression: Option<Compression>,
    member: Member,
    trailing_garbage_at: Option<u64>,
}

/// What stands between the compressed bytes and the decoded ones.
enum Member {
    /// No member is open.
    None(Source),
    Gzip(flate2::bufread::GzDecoder<Source>),
    Bzip2(bzip2::bufread::BzDecoder<Source>),
    Lz4(lz4_flex::frame::FrameDecoder<Source>),
    Xz(Box<Xz>),
    Zstd(Box<Zstd>),
    /// All is read, or something failed; the source stays for what it knows.
    Ended(Source),
    /// Only while one of the others is made of another.
    Moving,
}

impl Decompressor {
    /// Opens the stream's first member.
    pub(super) fn new(source: Source) -> Self {
        Decompressor { compression: None, member: Member::None(source), trailing_garbage_at: None }
    }

    /// The compression, known from the first read on.
    pub(super) fn compression(&self) -> Option<Compression> {
        self.compression
    }

    /// Where bytes begin that are no part of the stream, known at its end.
    pub(super) fn trailing_garbage_at(&self) -> Option<u64> {
        self.trailing_garbage_at
    }

    /// The source underneath.
    pub(super) fn source(&self) -> Option<&Source> {
        match &self.member {
            Member::None(source) | Member::Ended(source) => Some(source),
            Member::Gzip(decoder) => Some(decoder.get_ref()),
            Member::Bzip2(decoder) => Some(decoder.get_ref()),
            Member::Lz4(decoder) => Some(decoder.get_ref()),
            Member::Xz(decoder) => Some(&decoder.source),
            Member::Zstd(decoder) => Some(&decoder.source),
            Member::Moving => None,
        }
    }

    /// What an error of [`Read::read`] means: the file cannot be read, ends too early, or cannot be decoded.
    pub(super) fn verdict(&self, source: io::Error) -> CaptureErrorKind {
        let from = self.source();
        let position = from.map_or(0, Source::position);
        let compression = self.compression.unwrap_or(Compression::Zstd);
        if from.is_some_and(Source::failed) {
            CaptureErrorKind::Read(source)
        } else if from.is_some_and(Source::starved) {
            CaptureErrorKind::CompressionCut { compression, position, source }
        } else {
            CaptureErrorKind::CompressionDamaged { compression, position, source }
        }
    }

    /// Takes the source out of the member that is done with it.
    fn take_source(&mut self) -> Option<Source> {
        match std::mem::replace(&mut self.member, Member::Moving) {
            Member::None(source) | Member::Ended(source) => Some(source),
            Member::Gzip(decoder) => Some(decoder.into_inner()),
            Member::Bzip2(decoder) => Some(decoder.into_inner()),
            Member::Lz4(decoder) => Some(decoder.into_inner()),
            Member::Xz(decoder) => Some(decoder.source),
            Member::Zstd(decoder) => Some(decoder.source),
            Member::Moving => None,
        }
    }

    /// Opens the next member, or ends where there is none.
    fn open_member(&mut self) -> io::Result<()> {
        let Some(mut source) = self.take_source() else { return Ok(()) };
        let next = next_member(&mut source, self.compression);
        self.member = match next {
            Ok(Next::Member(compression)) => {
                self.compression = Some(compression);
                Member::open(compression, source)
            }
            Ok(Next::End) => Member::Ended(source),
            Ok(Next::Garbage) => {
                self.trailing_garbage_at = Some(source.position());
                Member::Ended(source)
            }
            Err(error) => {
                self.member = Member::Ended(source);
                return Err(error);
            }
        };
        Ok(())
    }
}

impl Read for Decompressor {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if target.is_empty() {
            return Ok(0);
        }
        loop {
            let count = match &mut self.member {
                Member::None(_) => {
                    self.open_member()?;
                    continue;
                }
                Member::Ended(_) | Member::Moving => return Ok(0),
                Member::Gzip(decoder) => decoder.read(target)?,
                Member::Bzip2(decoder) => decoder.read(target)?,
                Member::Lz4(decoder) => read_lz4(decoder, target)?,
                Member::Xz(decoder) => decoder.read(target)?,
                Member::Zstd(decoder) => decoder.read(target)?,
            };
            if count > 0 {
                return Ok(count);
            }
            if let Some(source) = self.take_source() {
                self.member = Member::None(source);
            }
        }
    }
}

impl Member {
    /// A decoder for one member.
    fn open(compression: Compression, source: Source) -> Self {
        match compression {
            Compression::Gzip => Member::Gzip(flate2::bufread::GzDecoder::new(source)),
            Compression::Bzip2 => Member::Bzip2(bzip2::bufread::BzDecoder::new(source)),
            Compression::Lz4 => Member::Lz4(lz4_flex::frame::FrameDecoder::new(source)),
            Compression::Xz => {
                let stream = XzStream::new_mem_limit(false, XZ_MEMORY_KIB);
                Member::Xz(Box::new(Xz { stream, source, ended: false, error: None }))
            }
            Compression::Zstd => Member::Zstd(Box::new(Zstd::new(source))),
        }
    }
}

/// What comes after a member.
enum Next {
    Member(Compression),
    End,
    Garbage,
}

/// Looks what comes next; of the first member's compression, if there was one.
fn next_member(source: &mut Source, compression: Option<Compression>) -> io::Result<Next> {
    loop {
        if compression.is_some() {
            source.skip_zeros()?;
        }
        let bytes = source.peek(8)?;
        if bytes.is_empty() {
            return Ok(Next::End);
        }
        if is_skippable_frame(bytes) {
            let length = bytes.get(4..).and_then(|rest| rest.first_chunk::<4>()).copied();
            let wanted = length.map_or(8, |length| 8 + u64::from(u32::from_le_bytes(length)));
            let skipped = io::copy(&mut source.by_ref().take(wanted), &mut io::sink())?;
            if skipped < wanted {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "a skippable frame is cut short"));
            }
            continue;
        }
        let begins = |compression: Compression| {
            let magic = compression.magic();
            bytes.starts_with(magic) || magic.starts_with(bytes)
        };
        let candidates = match &compression {
            Some(compression) => std::slice::from_ref(compression),
            None => &Compression::ALL[..],
        };
        return Ok(match candidates.iter().find(|&&candidate| begins(candidate)) {
            Some(&compression) => Next::Member(compression),
            None => Next::Garbage,
        });
    }
}

/// Reads from an lz4 frame. The decoder takes the end of the bytes between two blocks for the end of the frame.
fn read_lz4(decoder: &mut lz4_flex::frame::FrameDecoder<Source>, target: &mut [u8]) -> io::Result<usize> {
    match decoder.read(target)? {
        0 if decoder.get_ref().starved() => {
            Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the frame has no end mark"))
        }
        count => Ok(count),
    }
}

/// One xz stream. Decoded without the crate's own reader, which loses what it decoded in front of an error.
struct Xz {
    stream: XzStream,
    source: Source,
    ended: bool,
    error: Option<io::Error>,
}

impl Read for Xz {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        while !self.ended {
            let input = self.source.fill_buf()?;
            let (available, action) =
                (input.len(), if input.is_empty() { Action::Finish } else { Action::Run });
            let before = self.stream.total_out();
            let result = match self.stream.process(input, target, action) {
                Ok(result) => result,
                Err(error) => {
                    // what came before the error stands
                    let produced = self.stream.total_out() - before;
                    if produced == 0 {
                        return Err(error);
                    }
                    self.error = Some(error);
                    return usize::try_from(produced).map_err(io::Error::other);
                }
            };
            self.source.consume(result.bytes_consumed);
            self.ended = result.status == Status::StreamEnd;
            if result.bytes_produced > 0 {
                return Ok(result.bytes_produced);
            }
            if result.bytes_consumed == 0 && !self.ended {
                let kind =
                    if available == 0 { io::ErrorKind::UnexpectedEof } else { io::ErrorKind::InvalidData };
                return Err(io::Error::new(kind, "the xz decoder makes no progress"));
            }
        }
        Ok(0)
    }
}

/// One zstd frame. The decoder keeps a window back until the frame ends; where the frame is cut, it is ended with an
/// empty block of our own, so that the window comes out.
struct Zstd {
    decoder: FrameDecoder,
    source: Source,
    begun: bool,
    error: Option<io::Error>,
}

impl Zstd {
    /// A raw block of no bytes that is the frame's last (RFC 8878 §3.1.1.2), and room for a checksum.
    const LAST_BLOCK: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

    fn new(source: Source) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(ZSTD_WINDOW);
        Zstd { decoder, source, begun: false, error: None }
    }
}

impl Read for Zstd {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if !self.begun {
            self.decoder.reset(&mut self.source).map_err(io::Error::other)?;
            self.begun = true;
        }
        while self.error.is_none() && !self.decoder.is_finished() && self.decoder.can_collect() == 0 {
            if let Err(error) =
                self.decoder.decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))
            {
                self.error = Some(io::Error::other(error));
                let _ = self.decoder.decode_blocks(&Self::LAST_BLOCK[..], BlockDecodingStrategy::All);
            }
        }
        let count = self.decoder.read(target)?;
        if count > 0 {
            return Ok(count);
        }
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        match (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum()) {
            (Some(found), Some(expected)) if found != expected => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("found checksum {found:#010x}, expected {expected:#010x}"),
            )),
            _ => Ok(0),
        }
    }
}
