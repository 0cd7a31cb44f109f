//! The decoded bytes of a log, in a buffer that lines and JSON values are cut from.

use std::fs::File;
use std::io::{self, Read, Write};

use super::gzip::{Gunzip, MAGIC, read_again};

/// The buffer's size to begin with.
const BUFFER: usize = 256 << 10;
/// How many layers of gzip are opened: Firehose compresses once more what CloudWatch Logs compressed.
pub(super) const LAYERS: usize = 2;
/// How many bytes of a line that is too long are kept to be shown.
const KEPT: usize = 1 << 10;

/// A reader with a buffer that grows to what has to be held in one piece.
pub(super) struct Source {
    inner: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Where the bytes from `start` on are in the decoded log.
    offset: u64,
    /// The byte that was taken last.
    last: Option<u8>,
    /// Why reading failed while only looking ahead.
    failure: Option<io::Error>,
    ended: bool,
    layers: usize,
}

/// A line that was cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    /// How many of the next bytes are the line, without its end.
    pub(super) length: usize,
    /// How many of the next bytes to take before the next line.
    pub(super) taken: usize,
}

/// A line is longer than the limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct TooLong;

impl Source {
    /// A source of what a reader yields.
    pub(super) fn new(inner: Box<dyn Read + Send>) -> Self {
        Source {
            inner,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            offset: 0,
            last: None,
            failure: None,
            ended: false,
            layers: 0,
        }
    }

    /// Reads the first bytes and opens gzip.
    pub(super) fn begin(&mut self) {
        loop {
            self.look_ahead(MAGIC.len());
            if self.layers == LAYERS || !self.bytes().starts_with(MAGIC) {
                return;
            }
            let taken = io::Cursor::new(self.bytes().to_vec());
            let below = std::mem::replace(&mut self.inner, Box::new(io::empty()));
            self.inner = Box::new(Gunzip::new(Box::new(taken.chain(below))));
            self.layers += 1;
            (self.start, self.end, self.ended) = (0, 0, false);
        }
    }

    /// How many layers of gzip were opened.
    pub(super) fn layers(&self) -> usize {
        self.layers
    }

    /// Where the next byte is in the decoded log.
    #[inline]
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The bytes in the buffer.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// The next bytes, up to so many.
    #[inline]
    pub(super) fn head(&self, length: usize) -> &[u8] {
        let bytes = self.bytes();
        bytes.get(..length).unwrap_or(bytes)
    }

    /// Takes bytes out of the buffer.
    #[inline]
    pub(super) fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.offset += count as u64;
        if count > 0 {
            self.last = self.buffer.get(self.start - 1).copied();
        }
    }

    /// Copies all that is left to a temporary file without a name.
    pub(super) fn copy_to_file(&mut self) -> io::Result<File> {
        let mut file = tempfile::tempfile()?;
        loop {
            file.write_all(self.bytes())?;
            self.consume(self.bytes().len());
            if !self.fill()? {
                return Ok(file);
            }
        }
    }

    /// Whether the next byte begins a line.
    pub(super) fn is_at_line_start(&self) -> bool {
        self.last.is_none_or(|last| last == b'\n')
    }

    /// Reads more bytes behind those in the buffer; `false` at the end.
    pub(super) fn fill(&mut self) -> io::Result<bool> {
        if let Some(error) = self.failure.take() {
            self.ended = true;
            return Err(error);
        }
        if self.ended {
            return Ok(false);
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            self.buffer.resize((self.buffer.len() * 2).max(BUFFER), 0);
        }
        let count = read_again(&mut self.inner, self.buffer.get_mut(self.end..).unwrap_or_default())?;
        self.ended = count == 0;
        self.end += count;
        Ok(count > 0)
    }

    /// Reads until there are so many bytes in the buffer; `false` if there are fewer. Where reading fails, the
    /// bytes in front of that can be taken, and the next [`Source::fill`] fails.
    pub(super) fn look_ahead(&mut self, count: usize) -> bool {
        while self.bytes().len() < count && self.failure.is_none() {
            match self.fill() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => self.failure = Some(error),
            }
        }
        self.bytes().len() >= count
    }

    /// Where the line ends, looking no further than so many bytes.
    pub(super) fn look_for_line_end(&mut self, limit: usize) -> usize {
        loop {
            let head = self.head(limit);
            let length = head.len();
            if let Some(at) = memchr::memchr(b'\n', head) {
                return at;
            }
            if length == limit || !self.look_ahead(length + 1) {
                return length;
            }
        }
    }

    /// Finds the next line; nothing is taken. `None` at the end of the log.
    #[inline]
    pub(super) fn line(&mut self, limit: usize) -> io::Result<Option<Result<Line, TooLong>>> {
        let mut searched = 0;
        loop {
            let rest = self.bytes().get(searched..).unwrap_or_default();
            if let Some(at) = memchr::memchr(b'\n', rest) {
                let length = searched + at;
                let line = Line { length, taken: length + 1 };
                return Ok(Some(if length <= limit { Ok(line) } else { Err(TooLong) }));
            }
            searched += rest.len();
            if searched > limit {
                return Ok(Some(Err(TooLong)));
            }
            if !self.fill()? {
                let line = Line { length: searched, taken: searched };
                return Ok((searched > 0).then_some(Ok(line)));
            }
        }
    }

    /// Takes a line that is too long, its end included. Returns its length and its first bytes.
    pub(super) fn skip_line(&mut self) -> io::Result<(u64, Vec<u8>)> {
        let kept = self.head(KEPT).to_vec();
        let begin = self.offset;
        loop {
            if let Some(at) = memchr::memchr(b'\n', self.bytes()) {
                self.consume(at);
                let length = self.offset - begin;
                self.consume(1);
                return Ok((length, kept));
            }
            self.consume(self.bytes().len());
            if !self.fill()? {
                return Ok((self.offset - begin, kept));
            }
        }
    }
}
