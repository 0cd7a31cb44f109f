//! The records of windows that have no traffic to show, or not all of it: NODATA and SKIPDATA.

use std::collections::BTreeSet;

use super::classes::Owner;
use super::drops::{LostWindows, OwnersOn};
use super::empty::Quiet;
use crate::flow::{WindowIndex, Windows};
use crate::meter::Lost;
use crate::record::LogStatus;

/// A record without data: of which window, whose, and which.
pub(super) type Gap = (WindowIndex, u32, LogStatus);

/// Which records without data are due.
#[derive(Debug)]
pub(super) struct Gaps {
    /// Whether empty windows are asked for.
    nodata: bool,
    quiet: Quiet,
    pub(super) lost: LostWindows,
}

impl Gaps {
    pub(super) fn new(nodata: bool, seen: OwnersOn) -> Gaps {
        Gaps { nodata, quiet: Quiet::default(), lost: LostWindows::new(seen) }
    }

    pub(super) fn begin(&mut self, windows: Windows) {
        self.lost.begin(windows);
    }

    pub(super) fn lost(&mut self, lost: Lost) {
        self.lost.lost(lost);
    }

    /// A window in which these owners have records, by their places: what is due in front of it, by window and owner,
    /// and how many NODATA records were left out.
    pub(super) fn before(
        &mut self,
        window: WindowIndex,
        owners: &BTreeSet<u32>,
        place: impl Fn(Owner) -> u32,
    ) -> (Vec<Gap>, u64) {
        let before = WindowIndex(window.0.saturating_sub(1));
        let mut due: Vec<Gap> = skipdata(self.lost.up_to(before), place).collect();
        let mut left_out = 0;
        if self.nodata {
            // packets of no interface are nobody's silence
            let owners: Vec<u32> = owners.iter().copied().filter(|owner| *owner != 0).collect();
            due.iter().for_each(|(window, owner, _)| self.quiet.seen_late(*window, *owner));
            let empty;
            (empty, left_out) = self.quiet.seen(window, &owners);
            due.extend(empty.into_iter().map(|(window, owner)| (window, owner, LogStatus::NoData)));
            due.sort_unstable_by_key(|(window, owner, _)| (*window, *owner));
        }
        (due, left_out)
    }

    /// Owners have records in a window that was written before.
    pub(super) fn late(&mut self, window: WindowIndex, owners: &BTreeSet<u32>) {
        if self.nodata {
            owners.iter().for_each(|owner| self.quiet.seen_late(window, *owner));
        }
    }

    /// What is due behind a window's records.
    pub(super) fn behind(&mut self, window: WindowIndex, place: impl Fn(Owner) -> u32) -> Vec<Gap> {
        let due: Vec<Gap> = skipdata(self.lost.up_to(window), place).collect();
        if self.nodata {
            due.iter().for_each(|(window, owner, _)| self.quiet.seen_late(*window, *owner));
        }
        due
    }

    /// What is due at the end.
    pub(super) fn rest(&mut self, place: impl Fn(Owner) -> u32) -> Vec<Gap> {
        skipdata(self.lost.rest(), place).collect()
    }
}

fn skipdata(lost: BTreeSet<(WindowIndex, Owner)>, place: impl Fn(Owner) -> u32) -> impl Iterator<Item = Gap> {
    let mut due: Vec<(WindowIndex, u32)> =
        lost.into_iter().map(|(window, owner)| (window, place(owner))).collect();
    due.sort_unstable();
    due.into_iter().map(|(window, owner)| (window, owner, LogStatus::SkipData))
}
