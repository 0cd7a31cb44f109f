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

use super::ahead::{ComesNext, TakePacket};
use super::reader::Advanced;
use super::{Capture, CaptureError, CaptureInfo, CaptureInput, Openable};
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
    /// Whether compressed captures are decompressed on threads of their own.
    reads_ahead: bool,
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

/// How a capture is opened anew.
enum Again {
    Path(PathBuf),
    Openable(Openable),
}

impl Again {
    fn open(&self, progress: Arc<AtomicU64>) -> Result<Capture, CaptureError> {
        match self {
            Again::Path(path) => Capture::open_counted(path, progress),
            Again::Openable(openable) => openable.capture(progress),
        }
    }
}

/// How far a capture is.
enum State {
    /// Its first packet's time is known; to be opened when its turn comes.
    Closed(Again),
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
    /// Nothing yet: the next step reads, and may wait for as long as the one who writes the capture.
    Paused,
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
            reads_ahead: false,
        };
        let alone = inputs.len() == 1;
        for (index, input) in inputs.into_iter().enumerate() {
            merged.add(index, input, alone);
        }
        merged.failed.reverse();
        merged.limit = merged.heap.peek().map(|head| head.0);
        merged
    }

    /// Decompresses compressed captures on threads of their own: each of those that overlap in time.
    #[must_use]
    pub fn reading_ahead(mut self, reads_ahead: bool) -> Self {
        self.reads_ahead = reads_ahead;
        self
    }

    /// Adds a capture; alone, it stays open.
    fn add(&mut self, index: usize, input: CaptureInput, alone: bool) {
        let progress = self.progress.clone();
        let (name, again, opened) = match input {
            CaptureInput::Path(path) => {
                let opened = Capture::open_counted(&path, progress);
                (path.to_string_lossy().into_owned(), Some(Again::Path(path)), opened)
            }
            CaptureInput::Openable(openable) => {
                let opened = openable.capture(progress);
                (openable.name().to_owned(), Some(Again::Openable(openable)), opened)
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
                match (advanced, again) {
                    (Ok(true), Some(again)) if slot.size.is_some() && !alone => {
                        // it is read again from its start
                        self.progress.fetch_sub(capture.bytes_read(), Ordering::Relaxed);
                        slot.info = Some(capture.into_info());
                        slot.state = State::Closed(again);
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
            match capture.advance_or_pause() {
                Ok(Advanced::Packet) => {
                    let head = (time_of(capture), *index);
                    if self.limit.is_none_or(|limit| head < limit) {
                        return Some(MergeStep::Packet(*index));
                    }
                    self.heap.push(Reverse(head));
                    self.rest();
                }
                Ok(Advanced::Paused) => return Some(MergeStep::Paused),
                Ok(Advanced::End) => self.finish(),
                Err(error) => {
                    let capture = *index;
                    self.finish();
                    return Some(MergeStep::Failed { capture, error });
                }
            }
        }
        self.switch()
    }

    /// Hands on the packets that come next, at most so many, as long as they are at hand: of the capture that the last
    /// packet came from, read already, and before those of all others. Returns how many there were; to go on behind
    /// them is [`step`](Self::step)'s.
    #[inline(always)]
    pub fn each_at_hand(&mut self, most: usize, taker: &mut impl TakePacket) -> usize {
        let Some(Active { index, capture }) = &mut self.active else { return 0 };
        let index = *index;
        match self.limit {
            None => capture.each_in_block(most, &Alone, index, taker),
            Some(limit) => capture.each_in_block(most, &Before { index, limit }, index, taker),
        }
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
                State::Closed(again) => match again.open(self.progress.clone()) {
                    Err(error) => return Some(MergeStep::Failed { capture: index, error }),
                    Ok(mut capture) => match capture.advance() {
                        Ok(true) => Box::new(capture),
                        Ok(false) => continue,
                        Err(error) => return Some(MergeStep::Failed { capture: index, error }),
                    },
                },
            };
            let mut capture = capture;
            if self.reads_ahead {
                capture.read_ahead();
            }
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

/// There is no other capture.
struct Alone;

impl ComesNext for Alone {
    #[inline(always)]
    fn comes_next(&self, _: PacketTime) -> bool {
        true
    }
}

/// There are other captures, and this is the earliest of their heads.
struct Before {
    index: usize,
    limit: Head,
}

impl ComesNext for Before {
    #[inline(always)]
    fn comes_next(&self, time: PacketTime) -> bool {
        (known(time), self.index) < self.limit
    }
}

/// A capture's head: its time, or `None` where it has none.
#[inline]
fn time_of(capture: &Capture) -> Option<Timestamp> {
    known(capture.current_time())
}

#[inline]
fn known(time: PacketTime) -> Option<Timestamp> {
    match time {
        PacketTime::At(time) => Some(time),
        PacketTime::Missing | PacketTime::OutOfRange => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Cursor;
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::capture::testing::{block, enhanced, gzip, interface, pcap, section};
    use crate::capture::{CaptureErrorKind, Damage};

    /// A capture with packets at these microseconds.
    fn at(micros: &[u64]) -> Vec<u8> {
        pcap(&micros.iter().map(|&micros| (micros, &b"x"[..])).collect::<Vec<_>>())
    }

    fn reader(bytes: Vec<u8>) -> CaptureInput {
        CaptureInput::Reader("reader".to_owned(), Box::new(Cursor::new(bytes)))
    }

    fn file(directory: &Path, name: &str, bytes: &[u8]) -> CaptureInput {
        let path = directory.join(name);
        fs::write(&path, bytes).unwrap();
        CaptureInput::Path(path)
    }

    /// Every step: the capture's index and the packet's time in microseconds, or the error.
    fn drain(merged: &mut MergedCaptures) -> Vec<(usize, Result<Option<i64>, CaptureError>)> {
        let mut steps = Vec::new();
        while let Some(step) = merged.step() {
            steps.push(match step {
                MergeStep::Paused => continue,
                MergeStep::Packet(capture) => {
                    let time = match merged.current().time {
                        PacketTime::At(time) => Some(time.nanos() / 1000),
                        _ => None,
                    };
                    assert!(merged.current().number > 0);
                    (capture, Ok(time))
                }
                MergeStep::Failed { capture, error } => (capture, Err(error)),
            });
        }
        assert!(merged.step().is_none());
        assert_eq!(merged.current().number, 0);
        steps
    }

    #[test]
    fn reading_ahead_changes_nothing() {
        let whole = gzip(&pcap(&(0..2000).map(|n| (n, &[7_u8; 500][..])).collect::<Vec<_>>()));
        let half = whole.len() / 2;
        let mut damaged = whole.clone();
        damaged[half..half + 8].fill(0xff);
        let with_garbage = [&whole[..], b"garbage"].concat();
        for bytes in [whole.clone(), whole[..half].to_vec(), damaged, with_garbage, gzip(b""), at(&[1, 2])] {
            let directory = tempfile::tempdir().unwrap();
            let inputs =
                || vec![file(directory.path(), "a", &bytes), reader(at(&[500])), reader(bytes.clone())];
            let run = |inputs: Vec<CaptureInput>, reads_ahead| {
                let mut merged = MergedCaptures::new(inputs).reading_ahead(reads_ahead);
                let steps = drain(&mut merged);
                let infos: Vec<_> =
                    (0..merged.count()).map(|capture| merged.info(capture).cloned()).collect();
                format!("{steps:?} {infos:?} {}", merged.bytes_read())
            };
            assert!(run(inputs(), true) == run(inputs(), false));
            assert!(run(vec![reader(bytes.clone())], true) == run(vec![reader(bytes.clone())], false));
        }
    }

    fn packets(merged: &mut MergedCaptures) -> Vec<(usize, Option<i64>)> {
        drain(merged).into_iter().map(|(capture, time)| (capture, time.unwrap())).collect()
    }

    #[test]
    fn ties_go_by_the_arguments_order_and_a_captures_own_order_is_kept() {
        let mut merged = MergedCaptures::new(vec![
            reader(at(&[5, 5, 9])),
            reader(at(&[5, 3, 9])),
            reader(at(&[])),
            reader(at(&[1, 20])),
        ]);
        let expected =
            [(3, 1), (0, 5), (0, 5), (1, 5), (1, 3), (0, 9), (1, 9), (3, 20)].map(|(i, t)| (i, Some(t)));
        assert_eq!(packets(&mut merged), expected);
    }

    #[test]
    fn packets_without_a_time_come_at_once() {
        let simple = || block(false, 3, &[1, 0, 0, 0, b'x', 0, 0, 0]);
        let mixed = [
            section(false, 0),
            interface(false, 1, 0, &[]),
            simple(),
            enhanced(false, 0, 4, b"x", &[]),
            simple(),
            enhanced(false, 0, u64::MAX, b"x", &[]),
            enhanced(false, 0, 6, b"x", &[]),
        ]
        .concat();
        let mut merged = MergedCaptures::new(vec![reader(at(&[3, 5, 7])), reader(mixed)]);
        let expected = [
            (1, None),
            (0, Some(3)),
            (1, Some(4)),
            (1, None),
            (1, None),
            (0, Some(5)),
            (1, Some(6)),
            (0, Some(7)),
        ];
        assert_eq!(packets(&mut merged), expected);
    }

    #[test]
    fn only_files_that_overlap_are_open_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let inputs: Vec<_> = (0..50_u64)
            .map(|i| file(directory.path(), &format!("{i}"), &at(&[i * 10, i * 10 + 4, i * 10 + 12])))
            .collect();
        let mut merged = MergedCaptures::new(inputs);
        assert_eq!(merged.bytes_read(), 0);
        let open = |merged: &MergedCaptures| {
            let waiting = merged.slots.iter().filter(|slot| matches!(slot.state, State::Open(_))).count();
            waiting + usize::from(merged.active.is_some())
        };
        assert_eq!(open(&merged), 0);
        let mut times = Vec::new();
        while let Some(step) = merged.step() {
            let MergeStep::Packet(_) = step else {
                assert!(matches!(step, MergeStep::Paused));
                continue;
            };
            assert!(open(&merged) <= 2, "{} open", open(&merged));
            let PacketTime::At(time) = merged.current().time else { panic!() };
            times.push(time);
        }
        assert_eq!(times.len(), 150);
        assert!(times.is_sorted());
        assert_eq!(Some(merged.bytes_read()), merged.size());
        assert_eq!(open(&merged), 0);
        assert!((0..50).all(|index| merged.info(index).is_some()));
        assert!(merged.info(50).is_none());
    }

    #[test]
    fn one_bad_capture_does_not_stop_the_others() {
        let directory = tempfile::tempdir().unwrap();
        let cut = &at(&[2, 4, 6])[..70];
        let mut merged = MergedCaptures::new(vec![
            reader(at(&[1, 3, 5])),
            file(directory.path(), "cut", cut),
            CaptureInput::Path(directory.path().join("missing")),
            reader(b"not a capture at all".to_vec()),
            reader(gzip(&at(&[9]))),
            file(directory.path(), "damaged at once", &at(&[1])[..30]),
        ]);
        let steps = drain(&mut merged);
        let failed: Vec<_> = steps.iter().filter_map(|(i, step)| Some((*i, step.as_ref().err()?))).collect();
        let indexes: Vec<_> = failed.iter().map(|(index, _)| *index).collect();
        assert_eq!(indexes, [2, 3, 5, 1]);
        assert!(matches!(failed[3].1.kind(), CaptureErrorKind::Damage(Damage::Cut { .. })));
        assert_eq!(failed[3].1.place().unwrap().packet, 3);
        let packets: Vec<_> =
            steps.iter().filter_map(|(i, step)| Some((*i, step.as_ref().ok()?.unwrap()))).collect();
        assert_eq!(packets, [(0, 1), (1, 2), (0, 3), (1, 4), (0, 5), (4, 9)]);
        let known: Vec<_> = (0..6).filter(|&index| merged.info(index).is_some()).collect();
        assert_eq!(known, [0, 1, 4, 5]);
        assert_eq!((merged.count(), merged.name(3), merged.size()), (6, Some("reader"), None));
    }

    #[test]
    fn a_file_that_vanishes_is_reported_when_its_turn_comes() {
        let directory = tempfile::tempdir().unwrap();
        let inputs = vec![file(directory.path(), "a", &at(&[1, 9])), file(directory.path(), "b", &at(&[5]))];
        let mut merged = MergedCaptures::new(inputs);
        fs::remove_file(directory.path().join("b")).unwrap();
        let steps = drain(&mut merged);
        assert!(matches!(steps[..], [(0, Ok(_)), (1, Err(_)), (0, Ok(_))]), "{steps:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn captures_in_order_merge_as_by_sorting(
            mut captures in prop::collection::vec(prop::collection::vec(0..50_u64, 0..12), 0..8),
            files in any::<bool>(),
        ) {
            let directory = tempfile::tempdir().unwrap();
            let mut expected = Vec::new();
            for (index, times) in captures.iter_mut().enumerate() {
                times.sort_unstable();
                expected.extend(times.iter().map(|&time| (index, Some(time as i64))));
            }
            expected.sort_by_key(|&(index, time)| (time, index));
            let inputs = captures.iter().enumerate().map(|(index, times)| match files {
                true => file(directory.path(), &index.to_string(), &at(times)),
                false => reader(at(times)),
            });
            let mut merged = MergedCaptures::new(inputs.collect());
            prop_assert_eq!(packets(&mut merged), expected);
        }
    }
}
