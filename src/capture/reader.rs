//! One capture, opened: an owning reader over the slice parsers.
//!
//! Packets are taken in two steps, so that a packet can borrow the block it lies in: [`Capture::advance`] cuts the next
//! record and keeps its fields, [`Capture::current`] makes a packet of them. Reading happens only where no whole record
//! is left in the block.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::Damage;
use super::ahead::{Ahead, ComesNext, TakePacket};
use super::begin::{Input, Walk, begin};
use super::block::Block;
use super::compressed::Decompressor;
use super::error::{CaptureError, CaptureErrorKind, Place};
use super::info::CaptureInfo;
use super::sniff::{SNIFF_LENGTH, Sniffed, sniff};
use super::source::Source;
use super::walk::{Current, Cut, PacketFields};
use crate::packet::{CapturedPacket, PacketTime};

/// An opened capture.
pub struct Capture {
    // hot
    walk: Walk,
    block: Block,
    /// The packets cut so far.
    number: u64,
    /// Where the bytes not yet cut begin in the uncompressed capture.
    offset: u64,
    current: Current,
    // cold
    input: Input,
    info: CaptureInfo,
    name: String,
    size: Option<u64>,
    progress: Arc<AtomicU64>,
    /// Nothing more comes: the capture's end was seen, or an error was returned.
    ended: bool,
    /// A pause was made before the next read.
    paused: bool,
}

/// What an advance came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Advanced {
    /// The next packet.
    Packet,
    /// Nothing yet: the next advance reads.
    Paused,
    /// The capture's end.
    End,
}

impl Capture {
    /// Opens a capture file, compressed or not. A FIFO is opened like any other reader.
    ///
    /// # Errors
    ///
    /// The file cannot be opened or is a directory; or as [`Capture::from_reader`].
    pub fn open(path: &Path) -> Result<Capture, CaptureError> {
        Capture::open_counted(path, Arc::default())
    }

    /// The same, with a counter that goes up with the bytes read.
    pub(super) fn open_counted(path: &Path, progress: Arc<AtomicU64>) -> Result<Capture, CaptureError> {
        let name = path.to_string_lossy();
        let fail = |error: io::Error| {
            CaptureError::new(
                &name,
                match error.kind() {
                    io::ErrorKind::IsADirectory => CaptureErrorKind::Directory(error),
                    _ => CaptureErrorKind::Open(error),
                },
            )
        };
        let file = File::open(path).map_err(fail)?;
        let metadata = file.metadata().map_err(fail)?;
        if metadata.is_dir() {
            return Err(fail(io::ErrorKind::IsADirectory.into()));
        }
        let size = metadata.is_file().then_some(metadata.len());
        let mut capture = Capture::from_counted_reader(&name, Box::new(file), progress)?;
        capture.size = size;
        Ok(capture)
    }

    /// The same, with its size in bytes.
    pub(super) fn of_size(mut self, size: u64) -> Capture {
        self.size = Some(size);
        self
    }

    /// Opens what a reader yields, standard input for one; the name is for messages.
    ///
    /// # Errors
    ///
    /// Reading fails; or the bytes are empty, no capture, compressed twice, or of a version that is not known; or
    /// they end inside the header.
    pub fn from_reader(
        name: impl Into<String>,
        reader: impl Read + Send + 'static,
    ) -> Result<Capture, CaptureError> {
        Capture::from_counted_reader(&name.into(), Box::new(reader), Arc::default())
    }

    /// The same, with a counter that goes up with the bytes read.
    pub(super) fn from_counted_reader(
        name: &str,
        reader: Box<dyn Read + Send>,
        progress: Arc<AtomicU64>,
    ) -> Result<Capture, CaptureError> {
        let fail = |kind| CaptureError::new(name, kind);
        let mut source = Source::new(reader, progress.clone());
        let sniffed = sniff(source.peek(SNIFF_LENGTH).map_err(|error| fail(CaptureErrorKind::Read(error)))?);
        let mut input = match sniffed {
            Sniffed::Compressed(_) | Sniffed::SkippableFrame => {
                Input::Compressed(Box::new(Decompressor::new(source)))
            }
            _ => Input::Plain(source),
        };
        let mut block = Block::new();
        let mut interrupted = None;
        while block.unread().len() < SNIFF_LENGTH && interrupted.is_none() {
            match block.fill(&mut input) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => interrupted = Some(fail(input.verdict(error))),
            }
        }
        let compression = input.decompressor().and_then(Decompressor::compression);
        let begun = begin(block.unread(), compression);
        // the header's bytes are cut, so what interrupted them says more than what they lack
        let (walk, mut info, header) = match (begun, interrupted) {
            (Ok(begun), None) => begun,
            (_, Some(error)) => return Err(error),
            (Err(kind), None) => return Err(fail(kind)),
        };
        block.consume(header);
        info.compression = compression;
        Ok(Capture {
            walk,
            block,
            number: 0,
            offset: header as u64,
            current: Current::NONE,
            input,
            info,
            name: name.to_owned(),
            size: None,
            progress,
            ended: false,
            paused: false,
        })
    }

    /// Decompresses on a thread of its own from here on.
    pub(super) fn read_ahead(&mut self) {
        self.input.read_ahead();
    }

    /// Cuts the next packet. `false` at the capture's end, and ever after an error.
    ///
    /// # Errors
    ///
    /// What ends the capture before its end: a reading error, a cut or damaged compressed stream, or
    /// [`Damage`]. It is returned once.
    #[inline]
    pub fn advance(&mut self) -> Result<bool, CaptureError> {
        loop {
            match self.advance_or_pause()? {
                Advanced::Packet => return Ok(true),
                Advanced::Paused => {}
                Advanced::End => return Ok(false),
            }
        }
    }

    /// The same, but with a pause before each read, which may take as long as the one who writes the capture.
    #[inline]
    pub(super) fn advance_or_pause(&mut self) -> Result<Advanced, CaptureError> {
        let bytes = self.block.unread();
        match &self.walk {
            Walk::Pcap(walk) => {
                if let Some((fields, length)) = walk.record(bytes) {
                    self.take(fields, length);
                    return Ok(Advanced::Packet);
                }
            }
            Walk::Pcapng(walk) => {
                if let Some((fields, length)) = walk.enhanced(bytes) {
                    self.take(fields, length);
                    return Ok(Advanced::Packet);
                }
            }
        }
        self.advance_slowly()
    }

    /// Hands on the packets that follow in the block, at most so many and as long as their times let them come next;
    /// the packet advanced to stays what it was. Returns how many there were. Always inlined, with what is done to
    /// the packets, so that they are never put together in memory.
    #[inline(always)]
    pub(super) fn each_in_block(
        &mut self,
        most: usize,
        comes_next: &impl ComesNext,
        capture: usize,
        taker: &mut impl TakePacket,
    ) -> usize {
        let mut ahead = Ahead {
            bytes: self.block.unread(),
            number: self.number,
            offset: self.offset,
            info: &self.info,
            most,
        };
        match &self.walk {
            Walk::Pcap(walk) => ahead.each(walk, comes_next, capture, taker),
            Walk::Pcapng(walk) => ahead.each(&**walk, comes_next, capture, taker),
        }
        let (packets, taken) = (ahead.number - self.number, ahead.offset - self.offset);
        self.number += packets;
        self.consume(taken as usize);
        packets as usize
    }

    /// Makes a cut packet the current one.
    #[inline]
    fn take(&mut self, fields: PacketFields, length: usize) {
        self.current.data = self.block.start() + fields.data_start as usize;
        self.current.fields = fields;
        self.current.offset = self.offset;
        self.number += 1;
        self.consume(length);
    }

    /// Leaves bytes behind.
    #[inline]
    fn consume(&mut self, count: usize) {
        self.block.consume(count);
        self.offset += count as u64;
    }

    /// Everything but a whole packet in the block: other blocks, reading, the end, damage.
    #[inline(never)]
    fn advance_slowly(&mut self) -> Result<Advanced, CaptureError> {
        if self.ended {
            return Ok(Advanced::End);
        }
        let mut advanced = self.try_advance_slowly();
        if let (Ok(Advanced::End), Some(decompressor)) = (&advanced, self.input.decompressor())
            && let (Some(position), Some(compression)) =
                (decompressor.trailing_garbage_at(), decompressor.compression())
        {
            advanced = Err(CaptureErrorKind::TrailingBytes { compression, position });
        }
        if !matches!(advanced, Ok(Advanced::Packet | Advanced::Paused)) {
            self.ended = true;
            self.block.clear();
            self.current = Current::NONE;
            if let Some(decompressor) = self.input.decompressor() {
                self.info.trailing_garbage_at = decompressor.trailing_garbage_at();
            }
        }
        advanced.map_err(|kind| {
            let place = Place { packet: self.number + 1, offset: self.offset };
            CaptureError::at(&self.name, place, kind)
        })
    }

    /// The same, with the bare kind of an error.
    fn try_advance_slowly(&mut self) -> Result<Advanced, CaptureErrorKind> {
        loop {
            let bytes = self.block.unread();
            let (what, cut) = match &mut self.walk {
                Walk::Pcap(walk) => ("packet record", walk.cut(bytes)),
                Walk::Pcapng(walk) => ("block", walk.cut(bytes, &mut self.info)),
            };
            match cut {
                Cut::Packet(fields, length) => {
                    self.take(fields, length);
                    return Ok(Advanced::Packet);
                }
                Cut::Skip(length) => self.consume(length),
                Cut::SkipLong(length) => self.skip_long(length)?,
                Cut::More(_) if !self.paused => {
                    self.paused = true;
                    return Ok(Advanced::Paused);
                }
                Cut::More(expected) => {
                    self.paused = false;
                    if self.fill()? == 0 {
                        let found = self.block.unread().len() as u64;
                        return match found {
                            0 => Ok(Advanced::End),
                            _ => Err(Damage::Cut { what, found, expected: expected as u64 }.into()),
                        };
                    }
                }
                Cut::Damage(damage) => return Err(damage.into()),
            }
        }
    }

    /// Reads once.
    fn fill(&mut self) -> Result<usize, CaptureErrorKind> {
        self.block.fill(&mut self.input).map_err(|error| self.input.verdict(error))
    }

    /// Passes a block over that is too long to be held, and checks its trailing length.
    fn skip_long(&mut self, length: u32) -> Result<(), CaptureErrorKind> {
        let Walk::Pcapng(walk) = &self.walk else { return Ok(()) };
        let byte_order = walk.byte_order();
        // the place of errors is the block's start, so the offset moves only at its end
        let mut left = length as usize;
        loop {
            let bytes = self.block.unread();
            if left > 4 {
                let step = bytes.len().min(left - 4);
                self.block.consume(step);
                left -= step;
            }
            if left == 4
                && let Some(&trailer) = self.block.unread().first_chunk::<4>()
            {
                let found = byte_order.u32(trailer);
                if found != length {
                    return Err(Damage::TrailingLength { found, expected: length }.into());
                }
                self.block.consume(4);
                self.offset += u64::from(length);
                return Ok(());
            }
            if self.fill()? == 0 {
                let found = u64::from(length) - left as u64 + self.block.unread().len() as u64;
                return Err(Damage::Cut { what: "block", found, expected: u64::from(length) }.into());
            }
        }
    }

    /// The packet advanced to. Before the first and after the last, a packet with number 0 or the last one's number and
    /// no bytes.
    #[inline]
    pub fn current(&self) -> CapturedPacket<'_> {
        let Current { fields, offset, data } = &self.current;
        CapturedPacket {
            number: self.number,
            offset: *offset,
            time: fields.time,
            original_length: fields.original_length,
            link_type: fields.link_type,
            interface: fields.interface,
            direction: fields.direction,
            data: self.block.slice(*data, fields.data_length as usize),
        }
    }

    /// The time of the packet advanced to.
    #[inline]
    pub(super) fn current_time(&self) -> PacketTime {
        self.current.fields.time
    }

    /// What the capture says about itself, as far as it was read.
    pub fn info(&self) -> &CaptureInfo {
        &self.info
    }

    /// The same, without the reader.
    pub(super) fn into_info(self) -> CaptureInfo {
        self.info
    }

    /// The name it was opened by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of the file or pipe read so far: compressed ones, where it is compressed.
    pub fn bytes_read(&self) -> u64 {
        self.input.source().map_or(0, Source::total)
    }

    /// The counter behind [`Capture::bytes_read`], to be watched from elsewhere.
    pub fn progress(&self) -> Arc<AtomicU64> {
        self.progress.clone()
    }

    /// The file's size in bytes, if it is a regular file.
    pub fn size(&self) -> Option<u64> {
        self.size
    }
}
