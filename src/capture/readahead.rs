//! Decompression on a thread of its own, a few pieces ahead of the one who cuts packets.
//!
//! The thread owns the decompressor while it runs and hands it back with the end or the error that it came to, so that
//! whatever is asked of it then is answered as without a thread. Each piece is what one read gave: a pipe is not waited
//! on while there is something to hand on.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::compressed::Decompressor;

/// How many bytes a piece has at most.
const PIECE: usize = 256 << 10;
/// How many pieces may wait.
const QUEUE: usize = 4;

/// What the thread sends.
enum Decoded {
    Piece(Vec<u8>),
    /// Nothing comes any more.
    Ended(Box<Decompressor>, io::Result<()>),
}

/// What a decompressor yields, read ahead. Where the thread waits for a pipe when this is dropped, it ends once the
/// pipe yields something.
pub(super) struct ReadAhead {
    decoded: Receiver<Decoded>,
    empty: SyncSender<Vec<u8>>,
    piece: Vec<u8>,
    /// How much of the piece was read.
    at: usize,
    ended: Option<Box<Decompressor>>,
}

impl ReadAhead {
    /// Starts the thread; where there can be none, the decompressor comes back.
    pub(super) fn start(decompressor: Box<Decompressor>) -> Result<Self, Box<Decompressor>> {
        let (sender, decoded) = sync_channel(QUEUE);
        let (empty, recycled) = sync_channel(QUEUE + 2);
        // handed over once the thread runs, so that nothing is lost if it cannot
        let (hand_over, handed_over) = sync_channel(1);
        let run = move || {
            if let Ok(decompressor) = handed_over.recv() {
                decode(decompressor, &sender, &recycled);
            }
        };
        match thread::Builder::new().name("decompress".to_owned()).spawn(run) {
            Err(_) => Err(decompressor),
            Ok(_) => match hand_over.send(decompressor) {
                Err(back) => Err(back.0),
                Ok(()) => Ok(ReadAhead { decoded, empty, piece: Vec::new(), at: 0, ended: None }),
            },
        }
    }

    /// The decompressor, once it came to an end.
    pub(super) fn ended(&self) -> Option<&Decompressor> {
        self.ended.as_deref()
    }
}

impl Read for ReadAhead {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() {
            if self.ended.is_some() {
                return Ok(0);
            }
            match self.decoded.recv() {
                Ok(Decoded::Piece(piece)) => {
                    let read = std::mem::replace(&mut self.piece, piece);
                    self.at = 0;
                    // the thread may have ended, and then needs no memory
                    let _ = self.empty.try_send(read);
                }
                Ok(Decoded::Ended(decompressor, result)) => {
                    self.ended = Some(decompressor);
                    result?;
                }
                Err(_) => return Err(io::Error::other("the decompressing thread has failed")),
            }
        }
        let mut rest = self.piece.get(self.at..).unwrap_or_default();
        let count = rest.read(target)?;
        self.at += count;
        Ok(count)
    }
}

/// Decodes until the end, an error, or nobody wants more.
fn decode(mut decompressor: Box<Decompressor>, decoded: &SyncSender<Decoded>, empty: &Receiver<Vec<u8>>) {
    let result = loop {
        let mut piece = empty.try_recv().unwrap_or_default();
        piece.resize(PIECE, 0);
        match decompressor.read(&mut piece) {
            Ok(0) => break Ok(()),
            Ok(count) => piece.truncate(count),
            Err(error) => break Err(error),
        }
        if decoded.send(Decoded::Piece(piece)).is_err() {
            return;
        }
    };
    // nobody wants to know if this fails
    let _ = decoded.send(Decoded::Ended(decompressor, result));
}
