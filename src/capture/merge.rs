//! Many captures read as one, in time order.
//!
//! Each capture has a head, its next packet; the earliest head comes next, among equals the capture named first. A
//! head without a time comes at once. A capture's own order is kept, so where every capture is in order the result is
//! sorted by time.
//!
//! 1. At the start every capture is opened for its first packet's time, and regular files are closed again.
//! 2. While the active capture's head is not after the earliest of the others (`limit`), it goes on without any other
//!    work; a lone capture never has a limit.
//! 3. Else its head waits in the heap, and the capture with the earliest head becomes active; a closed one is
//!    opened anew. So of files rotated by the thousand only those that overlap in time are open.
//! 4. A capture that ends or fails gives its memory back and leaves its info.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Capture, CaptureError, CaptureInfo, CaptureInput};
use crate::packet::{CapturedPacket, LinkType, PacketDirection, PacketTime, Timestamp};

/// A capture's place among the others: its head's time, none first, and its index.
type Head = (Option<Timestamp>, usize);

/// The captures, and how far each is read.
pub struct MergedCaptures {
    /// The capture that the last packet came from.
    active: Option<Active>,
    /// The earliest of the other heads.
    limit: Option<Head>,
    /// The other heads.
    heap: BinaryHeap<Reverse<Head>>,
    slots: Vec<Slot>,
    /// Errors from the start, to be returned first; in reverse.
    failed: Vec<(usize, CaptureError)>,
    progress: Arc<AtomicU64>,
}

/// The capture that is read.
struct Active {
    index: usize,
    capture: Box<Capture>,
}

/// One capture that is not active.
struct Slot {
    name: String,
    state: State,
    info: Option<CaptureInfo>,
    size: Option<u64>,
}

/// How far a capture is.
enum State {
    /// Its first packet's time is known; to be opened when its turn comes.
    Closed(PathBuf),
    /// Its head is cut and waits.
    Open(Box<Capture>),
    /// It is the active one, or ended, or failed.
    Away,
}

/// What [`MergedCaptures::step`] came to.
#[derive(Debug)]
pub enum MergeStep {
    /// The next packet, of the capture with this index; [`MergedCaptures::current`] has it.
    Packet(usize),
    /// A capture failed, here or at its opening. It yields nothing more, the others go on.
    Failed {
        /// The capture's index.
        capture: usize,
        /// What ended it.
        error: CaptureError,
    },
}

impl MergedCaptures {
    /// Opens the captures and looks at their first packets. What fails is returned by the first steps.
    pub fn new(inputs: Vec<CaptureInput>) -> Self {
        let mut merged = MergedCaptures {
            active: None,
            limit: None,
            heap: BinaryHeap::new(),
            slots: Vec::with_capacity(inputs.len()),
            failed: Vec::new(),
            progress: Arc::default(),
        };
        let alone = inputs.len() == 1;
        for (index, input) in inputs.into_iter().enumerate() {
            merged.add(index, input, alone);
        }
        merged.failed.reverse();
        merged.limit = merged.heap.peek().map(|head| head.0);
        merged
    }

    /// Adds a capture; alone, it stays open.
    fn add(&mut self, index: usize, input: CaptureInput, alone: bool) {
        let progress = self.progress.clone();
        let (name, path, opened) = match input {
            CaptureInput::Path(path) => {
                let opened = Capture::open_counted(&path, progress);
                (path.to_string_lossy().into_owned(), Some(path), opened)
            }
            CaptureInput::Reader(name, reader) => {
                let opened = Capture::from_counted_reader(&name, reader, progress);
                (name, None, opened)
            }
        };
        let mut slot = Slot { name, state: State::Away, info: None, size: None };
        match opened {
            Err(error) => self.failed.push((index, error)),
            Ok(mut capture) => {
                slot.size = capture.size();
                let advanced = capture.advance();
                if let Ok(true) = advanced {
                    self.heap.push(Reverse((time_of(&capture), index)));
                }
                match (advanced, path) {
                    (Ok(true), Some(path)) if slot.size.is_some() && !alone => {
                        // it is read again from its start
                        self.progress.fetch_sub(capture.bytes_read(), Ordering::Relaxed);
                        slot.info = Some(capture.into_info());
                        slot.state = State::Closed(path);
                    }
                    (Ok(true), _) => slot.state = State::Open(Box::new(capture)),
                    (Ok(false), _) => slot.info = Some(capture.into_info()),
                    (Err(error), _) => {
                        slot.info = Some(capture.into_info());
                        self.failed.push((index, error));
                    }
                }
            }
        }
        self.slots.push(slot);
    }

    /// Goes on to the next packet, or to the next error; `None` at the end of all captures.
    #[inline]
    pub fn step(&mut self) -> Option<MergeStep> {
        if let Some(Active { index, capture }) = &mut self.active {
            match capture.advance() {
                Ok(true) => {
                    let head = (time_of(capture), *index);
                    if self.limit.is_none_or(|limit| head < limit) {
                        return Some(MergeStep::Packet(*index));
                    }
                    self.heap.push(Reverse(head));
                    self.rest();
                }
                Ok(false) => self.finish(),
                Err(error) => {
                    let capture = *index;
                    self.finish();
                    return Some(MergeStep::Failed { capture, error });
                }
            }
        }
        self.switch()
    }

    /// Makes the capture with the earliest head the active one.
    #[inline(never)]
    fn switch(&mut self) -> Option<MergeStep> {
        if let Some((capture, error)) = self.failed.pop() {
            return Some(MergeStep::Failed { capture, error });
        }
        loop {
            let Reverse((_, index)) = self.heap.pop()?;
            self.limit = self.heap.peek().map(|head| head.0);
            let Some(slot) = self.slots.get_mut(index) else { continue };
            let capture = match std::mem::replace(&mut slot.state, State::Away) {
                State::Away => continue,
                State::Open(capture) => capture,
                State::Closed(path) => match Capture::open_counted(&path, self.progress.clone()) {
                    Err(error) => return Some(MergeStep::Failed { capture: index, error }),
                    Ok(mut capture) => match capture.advance() {
                        Ok(true) => Box::new(capture),
                        Ok(false) => continue,
                        Err(error) => return Some(MergeStep::Failed { capture: index, error }),
                    },
                },
            };
            self.active = Some(Active { index, capture });
            return Some(MergeStep::Packet(index));
        }
    }

    /// Puts the active capture back; its head is in the heap.
    fn rest(&mut self) {
        if let Some(Active { index, capture }) = self.active.take()
            && let Some(slot) = self.slots.get_mut(index)
        {
            slot.state = State::Open(capture);
        }
    }

    /// Closes the active capture for good and keeps its info.
    fn finish(&mut self) {
        if let Some(Active { index, capture }) = self.active.take()
            && let Some(slot) = self.slots.get_mut(index)
        {
            slot.info = Some(capture.into_info());
        }
    }

    /// The packet that the last step came to; one without bytes and with number 0 where it came to none.
    #[inline]
    pub fn current(&self) -> CapturedPacket<'_> {
        match &self.active {
            Some(Active { capture, .. }) => capture.current(),
            None => CapturedPacket {
                number: 0,
                offset: 0,
                time: PacketTime::Missing,
                original_length: 0,
                link_type: LinkType(0),
                interface: 0,
                direction: PacketDirection::Unknown,
                data: &[],
            },
        }
    }

    /// How many captures there are.
    pub fn count(&self) -> usize {
        self.slots.len()
    }

    /// A capture's name.
    pub fn name(&self, capture: usize) -> Option<&str> {
        self.slots.get(capture).map(|slot| slot.name.as_str())
    }

    /// What a capture says about itself, as far as it was read, also after its end; `None` where it could not be
    /// opened.
    pub fn info(&self, capture: usize) -> Option<&CaptureInfo> {
        if let Some(Active { index, capture: active }) = &self.active
            && *index == capture
        {
            return Some(active.info());
        }
        let slot = self.slots.get(capture)?;
        match &slot.state {
            State::Open(capture) => Some(capture.info()),
            State::Closed(_) | State::Away => slot.info.as_ref(),
        }
    }

    /// Bytes of all files and pipes read so far, compressed ones where they are compressed.
    pub fn bytes_read(&self) -> u64 {
        self.progress.load(Ordering::Relaxed)
    }

    /// The counter behind [`MergedCaptures::bytes_read`], to be watched from elsewhere.
    pub fn progress(&self) -> Arc<AtomicU64> {
        self.progress.clone()
    }

    /// The size of all captures together in bytes; `None` where one of them is not a regular file.
    pub fn size(&self) -> Option<u64> {
        self.slots.iter().map(|slot| slot.size).sum()
    }
}

/// A capture's head: its time, or `None` where it has none.
#[inline]
fn time_of(capture: &Capture) -> Option<Timestamp> {
    match capture.current_time() {
        PacketTime::At(time) => Some(time),
        PacketTime::Missing | PacketTime::OutOfRange => None,
    }
}
