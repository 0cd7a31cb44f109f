//! NODATA: the windows in which an interface had no record, between two in which it had some.
//!
//! They are known when the interface has traffic again, so they are written then: in front of that window's records.

use std::collections::{BTreeMap, BTreeSet};

use crate::flow::WindowIndex;

/// How many empty windows in a row are written at most: one absurd time should not fill a disk.
const MOST: u64 = 100_000;

/// Since when each owner is quiet.
#[derive(Debug, Default)]
pub(super) struct Quiet {
    /// The owner's place → the last window with a record.
    last: BTreeMap<u32, WindowIndex>,
    /// Windows behind that in which it is not quiet all the same: those of late records and of SKIPDATA.
    late: BTreeSet<(u32, WindowIndex)>,
}

impl Quiet {
    /// An owner has a record in a window that has passed.
    pub(super) fn seen_late(&mut self, window: WindowIndex, owner: u32) {
        if self.last.get(&owner).is_some_and(|last| window > *last) {
            self.late.insert((owner, window));
        }
    }

    /// The owners that have records in a window. Gives the empty windows before it, by window and owner, and how many
    /// were left out.
    pub(super) fn seen(&mut self, window: WindowIndex, owners: &[u32]) -> (Vec<(WindowIndex, u32)>, u64) {
        let mut empty = Vec::new();
        let mut left_out = 0;
        for owner in owners {
            let before = self.last.insert(*owner, window);
            let Some(before) = before else { continue };
            if before >= window {
                // a window of an unbelievable time came first
                self.last.insert(*owner, before);
                continue;
            }
            let late: BTreeSet<(u32, WindowIndex)> =
                self.late.range((*owner, before)..(*owner, window)).copied().collect();
            self.late.retain(|(of, at)| of != owner || *at > window);
            let gap = (window.0 - before.0 - 1).unsigned_abs();
            if gap > MOST {
                left_out += gap - late.len() as u64;
                continue;
            }
            let between = (before.0 + 1..window.0).map(WindowIndex);
            let is_empty = |index: &WindowIndex| !late.contains(&(*owner, *index));
            empty.extend(between.filter(is_empty).map(|index| (index, *owner)));
        }
        empty.sort_unstable();
        (empty, left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_gaps_between_traffic_are_empty() {
        let mut quiet = Quiet::default();
        let at = |index| WindowIndex(index);
        assert_eq!(quiet.seen(at(5), &[1]).0, []);
        assert_eq!(quiet.seen(at(6), &[1, 2]).0, []);
        assert_eq!(quiet.seen(at(9), &[1, 2]).0, [(at(7), 1), (at(7), 2), (at(8), 1), (at(8), 2)]);
        assert_eq!(quiet.seen(at(8), &[1]).0, []);
        assert_eq!(quiet.seen(at(10), &[1]).0, []);
        assert_eq!(quiet.seen(at(1_000_000), &[1]), (vec![], 999_989));
    }

    #[test]
    fn a_window_with_late_records_only_was_empty() {
        let mut quiet = Quiet::default();
        let at = |index| WindowIndex(index);
        quiet.seen_late(at(4), 1);
        quiet.seen(at(5), &[1, 2]);
        quiet.seen_late(at(7), 1);
        assert_eq!(quiet.seen(at(9), &[1]).0, [(at(6), 1), (at(8), 1)]);
        assert_eq!(quiet.seen(at(9), &[2]).0, [(at(6), 2), (at(7), 2), (at(8), 2)]);
        assert!(quiet.late.is_empty());
    }
}
