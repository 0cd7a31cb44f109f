//! The first packets that were counted, each with its place: what ties packets to records.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::bins::Bins;
use crate::meter::{Batch, Observation, Placement};
use crate::pipeline::watch::Watch;

/// A packet that was counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    pub(super) placement: Placement,
    /// How often windows had closed before it: late packets are written at the next closing.
    pub(super) closings: usize,
    pub(super) observation: Observation,
}

/// What the one who watches packets and the one who takes records both need.
#[derive(Clone, Debug, Default)]
pub(super) struct Beginning(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    placed: Vec<Placed>,
    closings: usize,
}

impl Beginning {
    fn state(&self) -> MutexGuard<'_, State> {
        // nothing panics while it holds the lock
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often windows have closed, and the packets from the `from`th on.
    pub(super) fn since(&self, from: usize) -> (usize, Vec<Placed>) {
        let state = self.state();
        (state.closings, state.placed.get(from..).unwrap_or_default().to_vec())
    }
}

/// Watches packets: remembers the first, and counts all over time.
#[derive(Debug)]
pub(super) struct Watcher {
    beginning: Beginning,
    /// How many are still to be remembered.
    left: usize,
    pub(super) bins: Bins,
}

impl Watcher {
    /// Remembers at least so many packets, if there are as many.
    pub(super) fn new(beginning: Beginning, packets: usize) -> Watcher {
        Watcher { beginning, left: packets, bins: Bins::default() }
    }
}

impl Watch for Watcher {
    fn counting(&mut self, batch: &Batch) {
        batch.for_each_size(|time, bytes| self.bins.count(time, bytes));
        if self.left == 0 {
            return;
        }
        let mut state = self.beginning.state();
        let closings = state.closings;
        // a whole batch, because its packets do not come in order
        batch.for_each_packet(|placement, observation| {
            state.placed.push(Placed { placement, closings, observation });
        });
        self.left = self.left.saturating_sub(batch.len());
    }

    fn closed(&mut self) {
        self.beginning.state().closings += 1;
    }
}
