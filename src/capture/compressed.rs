//! A compressed stream as one stream of bytes.
//!
//! A stream is a row of members (gzip), frames (zstd, lz4) or streams (xz, bzip2); here all are called members.
//! They are opened one after another and what they hold is joined:
//!
//! 1. skip zero padding and skippable frames;
//! 2. at the end of the bytes: end; at another member's magic: open it; at anything else: end, and remember where it
//!    was, for the reader to report;
//! 3. decode until the member's own end, and check that it was reached.
//!
//! A stream that is cut yields every byte that can be decoded in front of the cut, then an error. Memory is bounded:
//! gzip needs 32 KiB, bzip2 4 MB, lz4 under 20 MB; zstd windows and xz dictionaries are refused above a limit.

use std::io::{self, BufRead, Read};

use flate2::FlushDecompress;
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
    Gzip(Box<Stepwise<flate2::Decompress>>),
    Bzip2(bzip2::bufread::BzDecoder<Source>),
    Lz4(lz4_flex::frame::FrameDecoder<Source>),
    Xz(Box<Stepwise<XzStream>>),
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
            Member::Gzip(decoder) => Some(&decoder.source),
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
            Member::Gzip(decoder) => Some(decoder.source),
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
            Compression::Gzip => {
                Member::Gzip(Box::new(Stepwise::new(flate2::Decompress::new_gzip(15), source)))
            }
            Compression::Bzip2 => Member::Bzip2(bzip2::bufread::BzDecoder::new(source)),
            Compression::Lz4 => Member::Lz4(lz4_flex::frame::FrameDecoder::new(source)),
            Compression::Xz => {
                let stream = XzStream::new_mem_limit(false, XZ_MEMORY_KIB);
                Member::Xz(Box::new(Stepwise::new(stream, source)))
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

/// One step of a decoder.
struct Step {
    consumed: usize,
    produced: usize,
    /// What comes of it: whether the member ended here.
    ended: io::Result<bool>,
}

/// A decoder that is fed by hand. What it produced in front of an error is known, while the crates' own readers lose
/// it, and lose more or less of it depending on how much is asked for at once.
trait Steps {
    /// Decodes some of the input; all of it was read where `at_end`.
    fn step(&mut self, input: &[u8], target: &mut [u8], at_end: bool) -> Step;
}

impl Steps for XzStream {
    fn step(&mut self, input: &[u8], target: &mut [u8], at_end: bool) -> Step {
        let before = self.total_out();
        match self.process(input, target, if at_end { Action::Finish } else { Action::Run }) {
            Ok(result) => Step {
                consumed: result.bytes_consumed,
                produced: result.bytes_produced,
                ended: Ok(result.status == Status::StreamEnd),
            },
            Err(error) => {
                Step { consumed: 0, produced: (self.total_out() - before) as usize, ended: Err(error) }
            }
        }
    }
}

impl Steps for flate2::Decompress {
    fn step(&mut self, input: &[u8], target: &mut [u8], at_end: bool) -> Step {
        let (before_in, before_out) = (self.total_in(), self.total_out());
        let flush = if at_end { FlushDecompress::Finish } else { FlushDecompress::None };
        let ended = match self.decompress(input, target, flush) {
            Ok(status) => Ok(status == flate2::Status::StreamEnd),
            Err(error) => Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        };
        Step {
            consumed: (self.total_in() - before_in) as usize,
            produced: (self.total_out() - before_out) as usize,
            ended,
        }
    }
}

/// One member, decoded step by step.
struct Stepwise<D> {
    decoder: D,
    source: Source,
    ended: bool,
    error: Option<io::Error>,
}

impl<D: Steps> Stepwise<D> {
    fn new(decoder: D, source: Source) -> Self {
        Stepwise { decoder, source, ended: false, error: None }
    }
}

impl<D: Steps> Read for Stepwise<D> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        while !self.ended {
            let input = self.source.fill_buf()?;
            let at_end = input.is_empty();
            let Step { consumed, produced, ended } = self.decoder.step(input, target, at_end);
            self.source.consume(consumed);
            match ended {
                Ok(ended) => self.ended = ended,
                Err(error) if produced == 0 => return Err(error),
                // what came before the error stands
                Err(error) => self.error = Some(error),
            }
            if produced > 0 {
                return Ok(produced);
            }
            if consumed == 0 && !self.ended {
                return Err(if at_end {
                    io::Error::new(io::ErrorKind::UnexpectedEof, "the end of the stream is missing")
                } else {
                    io::Error::new(io::ErrorKind::InvalidData, "the decoder makes no progress")
                });
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
