//! The bytes as they come from a file or a pipe: counted, with a look ahead.
//!
//! A [`Source`] is read in one of two ways. For a plain capture it hands out what the look ahead took and is
//! then read straight into the caller's block, without a copy (small reads go through the buffer). For a compressed one it is a [`BufRead`] for the
//! decoder. It remembers whether a decoder ran out of bytes or the reading itself failed, so that a cut stream,
//! a damaged stream and a failing disk can be told apart whatever the decoder makes of them.

use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The buffer's size while only looked into.
const LOOK: usize = 4 << 10;
/// The buffer's size for a decoder.
const BUFFER: usize = 64 << 10;

/// A counted reader with a look ahead.
pub(super) struct Source {
    inner: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// The inner reader has ended.
    ended: bool,
    /// A decoder asked for bytes after the end.
    starved: bool,
    /// The inner reader failed.
    failed: bool,
    /// Bytes read from the inner reader.
    total: u64,
    /// The same, for others to watch.
    progress: Arc<AtomicU64>,
}

impl Source {
    /// A source of what a reader yields; the counter goes up with every read.
    pub(super) fn new(inner: Box<dyn Read + Send>, progress: Arc<AtomicU64>) -> Self {
        Source {
            inner,
            buffer: vec![0; LOOK],
            start: 0,
            end: 0,
            ended: false,
            starved: false,
            failed: false,
            total: 0,
            progress,
        }
    }

    /// One read of the inner reader, again where a signal interrupted it.
    fn read_inner(&mut self, into: Target<'_>) -> io::Result<usize> {
        if self.ended {
            return Ok(0);
        }
        let target = match into {
            Target::Buffer => self.buffer.get_mut(self.end..).unwrap_or_default(),
            Target::Caller(target) => target,
        };
        loop {
            match self.inner.read(target) {
                Ok(count) => {
                    self.ended = count == 0;
                    self.total += count as u64;
                    self.progress.fetch_add(count as u64, Ordering::Relaxed);
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failed = true;
                    return Err(error);
                }
            }
        }
    }

    /// The next bytes without taking them: `count` of them (at most a few KiB), fewer only at the end.
    pub(super) fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.end - self.start < count && !self.ended {
            if self.start > 0 {
                self.buffer.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            }
            let read = self.read_inner(Target::Buffer)?;
            self.end += read;
        }
        Ok(self.buffered())
    }

    /// What is in the buffer.
    fn buffered(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Takes all zero bytes that come next.
    pub(super) fn skip_zeros(&mut self) -> io::Result<()> {
        loop {
            let bytes = self.peek(1)?;
            let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
            if zeros == 0 {
                return Ok(());
            }
            self.consume(zeros);
        }
    }

    /// How many bytes were taken so far.
    pub(super) fn position(&self) -> u64 {
        self.total - (self.end - self.start) as u64
    }

    /// How many bytes were read so far.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Whether a decoder asked for bytes after the end.
    pub(super) fn starved(&self) -> bool {
        self.starved
    }

    /// Whether the inner reader failed.
    pub(super) fn failed(&self) -> bool {
        self.failed
    }
}

/// Where a read goes.
enum Target<'a> {
    /// Behind what the buffer holds.
    Buffer,
    /// To the caller.
    Caller(&'a mut [u8]),
}

impl Read for Source {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if self.start == self.end && target.len() >= BUFFER {
            let count = self.read_inner(Target::Caller(target))?;
            self.starved |= count == 0;
            return Ok(count);
        }
        let count = self.fill_buf()?.read(target)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Source {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            if self.buffer.len() < BUFFER {
                self.buffer = vec![0; BUFFER];
            }
            self.end = self.read_inner(Target::Buffer)?;
            self.starved |= self.end == 0;
        }
        Ok(self.buffered())
    }

    fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails once with an interruption before every byte.
    struct Interrupted(Vec<u8>, bool);

    impl Read for Interrupted {
        fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            match (self.0.is_empty(), target.first_mut()) {
                (false, Some(byte)) => {
                    *byte = self.0.remove(0);
                    Ok(1)
                }
                _ => Ok(0),
            }
        }
    }

    #[test]
    fn looks_ahead_counts_and_survives_interruptions() {
        let progress = Arc::new(AtomicU64::new(0));
        let mut source = Source::new(Box::new(Interrupted(b"abc\0\0def".to_vec(), false)), progress.clone());
        assert_eq!(source.peek(3).unwrap(), b"abc");
        assert_eq!((source.position(), source.total()), (0, 3));
        let mut three = [0; 3];
        source.read_exact(&mut three).unwrap();
        assert_eq!((&three, source.position()), (b"abc", 3));
        source.skip_zeros().unwrap();
        assert_eq!(source.position(), 5);
        assert_eq!(source.peek(100).unwrap(), b"def");
        assert!(!source.starved());
        let mut rest = Vec::new();
        source.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"def");
        assert!(source.starved() && !source.failed());
        assert_eq!((source.total(), progress.load(Ordering::Relaxed)), (8, 8));
    }
}
