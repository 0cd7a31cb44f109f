//! What is true of every flow, added up from what its hosts say and never from a frame.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::flow::{FlowCounters, FlowKey};
use crate::record::Action;

/// A number that is none.
pub(super) const NONE: u32 = u32::MAX;

/// A flow at an interface, with what becomes of its packets there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Observed {
    /// The flow, with the packets' own addresses.
    pub flow: FlowKey,
    /// The interface, as its place among the scenario's.
    pub interface: usize,
    /// Out of the interface, or into it.
    pub egress: bool,
    /// What becomes of its packets there.
    pub action: Action,
    /// Whether AWS logs such traffic.
    pub logged: bool,
    /// Whether it is the first station that a hop's packets pass: the sum over these has every packet once a hop.
    pub first_station: bool,
}

/// What is true of a flow at an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truth {
    /// Which flow, and where.
    pub observed: Observed,
    /// What passed, or was rejected, there: what the log is made of.
    pub sent: FlowCounters,
    /// What of it the capture shows; no packets where it shows none.
    pub captured: FlowCounters,
}

/// The flows so far.
#[derive(Default)]
pub(super) struct Truths {
    numbers: HashMap<Observed, u32, FixedState>,
    flows: Vec<Entry>,
    free: Vec<u32>,
}

struct Entry {
    truth: Truth,
    /// Conversations that are going on in it.
    users: u32,
    /// Whether it is kept to the end, because another conversation may go on in it.
    kept: bool,
}

impl Truths {
    /// The number of a flow that a conversation is going to use.
    pub(super) fn begin(&mut self, observed: Observed, kept: bool) -> u32 {
        let (flows, free) = (&mut self.flows, &mut self.free);
        let number = *self.numbers.entry(observed).or_insert_with(|| {
            let truth = Truth { observed, sent: FlowCounters::EMPTY, captured: FlowCounters::EMPTY };
            let entry = Entry { truth, users: 0, kept: false };
            match free.pop() {
                Some(number) => {
                    if let Some(place) = flows.get_mut(number as usize) {
                        *place = entry;
                    }
                    number
                }
                None => {
                    flows.push(entry);
                    u32::try_from(flows.len() - 1).unwrap_or(NONE)
                }
            }
        });
        if let Some(entry) = self.flows.get_mut(number as usize) {
            entry.users += 1;
            entry.kept |= kept;
        }
        number
    }

    /// The flow with a number.
    #[inline]
    pub(super) fn of(&mut self, number: u32) -> Option<&mut Truth> {
        self.flows.get_mut(number as usize).map(|entry| &mut entry.truth)
    }

    /// A conversation ends. The truth of a flow that no other will use comes back.
    pub(super) fn end(&mut self, number: u32) -> Option<Truth> {
        let entry = self.flows.get_mut(number as usize)?;
        entry.users -= 1;
        if entry.users > 0 || entry.kept {
            return None;
        }
        let truth = entry.truth;
        self.numbers.remove(&truth.observed);
        self.free.push(number);
        Some(truth)
    }

    /// Everything that is left, in order.
    pub(super) fn finish(self) -> Vec<Truth> {
        let left = self.numbers.values().filter_map(|number| self.flows.get(*number as usize));
        let mut left: Vec<Truth> = left.map(|entry| entry.truth).collect();
        left.sort_by_key(|truth| truth.observed);
        left
    }
}
