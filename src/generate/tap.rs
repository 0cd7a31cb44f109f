//! The capture point: which frames it sees, loses, cuts, and writes out of turn.

use std::collections::VecDeque;

use super::scenario::{CapturePoint, Crossing, Placement, Scenario};
use crate::packet::Timestamp;
use crate::random::Random;

/// How many frames go before one that is written late, at most.
const LATEST: u64 = 4;

/// A frame that waits until others are written.
struct Held {
    time: Timestamp,
    bytes: Vec<u8>,
    original: u32,
    /// How many frames still go before it.
    behind: u64,
}

/// The capture point.
pub(super) struct Tap {
    point: CapturePoint,
    random: Random,
    held: VecDeque<Held>,
    /// Frames that were lost.
    pub(super) lost: u64,
}

impl Tap {
    pub(super) fn new(scenario: &Scenario) -> Tap {
        const NUMBER: u64 = u64::MAX - 2;
        Tap {
            point: scenario.capture.clone(),
            random: Random::of(scenario.seed, NUMBER),
            held: VecDeque::new(),
            lost: 0,
        }
    }

    /// Whether frames between two stations are captured: what the sender's host sends, and what reaches the receiver's.
    /// `passes` says of each station whether packets pass its filters; what the sender's stop goes nowhere.
    pub(super) fn is_in_view(&self, stations: [Option<usize>; 2], passes: [bool; 2]) -> bool {
        let is_watched = |interface: Option<usize>| {
            interface.is_some_and(|interface| self.point.at.as_ref().is_none_or(|at| at.contains(&interface)))
        };
        let ([sender, receiver], [leaves, enters]) = (stations, passes);
        let arrives = leaves && (enters || self.point.placement == Placement::Wire);
        is_watched(sender) || (arrives && is_watched(receiver))
    }

    /// Whether the next frame in view is lost.
    #[inline]
    pub(super) fn loses(&mut self) -> bool {
        let is_lost = self.random.happens(self.point.loss);
        self.lost += u64::from(is_lost);
        is_lost
    }

    /// Writes a frame, or has it wait; those that have waited long enough go after it.
    #[inline]
    pub(super) fn write<E>(
        &mut self,
        time: Timestamp,
        frame: &[u8],
        mut write: impl FnMut(Timestamp, &[u8], u32) -> Result<(), E>,
    ) -> Result<(), E> {
        // frames are far shorter than 4 GiB
        let original = frame.len() as u32;
        let kept = match self.point.snaplen {
            0 => frame,
            snaplen => frame.get(..snaplen as usize).unwrap_or(frame),
        };
        if self.random.happens(self.point.reorder) {
            let behind = 1 + self.random.below(LATEST);
            self.held.push_back(Held { time, bytes: kept.to_vec(), original, behind });
            return Ok(());
        }
        write(time, kept, original)?;
        if self.held.is_empty() {
            return Ok(());
        }
        for held in &mut self.held {
            held.behind = held.behind.saturating_sub(1);
        }
        while let Some(held) = self.held.pop_front_if(|held| held.behind == 0) {
            write(held.time, &held.bytes, held.original)?;
        }
        Ok(())
    }

    /// Writes what still waits.
    pub(super) fn finish<E>(
        &mut self,
        mut write: impl FnMut(Timestamp, &[u8], u32) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(held) = self.held.pop_front() {
            write(held.time, &held.bytes, held.original)?;
        }
        Ok(())
    }
}

impl Crossing {
    /// Whether it is this one.
    pub(super) fn is_at(&self, interface: usize, egress: bool) -> bool {
        *self == Crossing { interface, egress }
    }
}
