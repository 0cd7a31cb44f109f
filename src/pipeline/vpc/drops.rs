//! Packets that captures lost: in which windows, and whose they may have been.
//!
//! A capture names its own interface, which is none of the VPC's. What it lost may have been anybody's whose packets it
//! has shown, so every interface of the VPC that was seen on it has lost some.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::fast::RandomState;

use super::classes::Owner;
use super::options::VpcOptions;
use crate::flow::{WindowIndex, Windows};
use crate::meter::Lost;

/// An interface of a capture: the capture's number, and the interface's.
type CapturedOn = (u32, u32);

/// Whose packets were seen on each interface of the captures: the judge's end.
#[derive(Debug, Default)]
pub(super) struct SeenOn {
    known: HashSet<(CapturedOn, Owner), RandomState>,
    seen: OwnersOn,
}

/// The same, to be read.
#[derive(Clone, Debug, Default)]
pub(super) struct OwnersOn(Arc<Mutex<BTreeMap<CapturedOn, BTreeSet<Owner>>>>);

impl SeenOn {
    /// Notes whose packets were seen; without anybody, that they were nobody's.
    pub(super) fn note(
        &mut self,
        capture: usize,
        interface: u32,
        owners: impl Iterator<Item = Owner>,
        options: &VpcOptions,
    ) {
        // as many captures as that do not fit the memory
        let on = (capture as u32, interface);
        let mut owners = owners.peekable();
        let nobody = owners.peek().is_none().then_some(Owner::Unknown);
        for owner in owners.chain(nobody).filter(|owner| options.wants(*owner)) {
            if self.known.insert((on, owner)) {
                // nothing panics while it holds the lock
                let mut seen = self.seen.0.lock().unwrap_or_else(PoisonError::into_inner);
                seen.entry(on).or_default().insert(owner);
            }
        }
    }

    pub(super) fn reader(&self) -> OwnersOn {
        self.seen.clone()
    }
}

impl OwnersOn {
    /// Who was seen on an interface: the interfaces of the VPC, or where there are none, nobody that is known.
    fn of(&self, on: CapturedOn) -> BTreeSet<Owner> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = seen.get(&on).cloned().unwrap_or_default();
        let known: BTreeSet<Owner> = all.iter().copied().filter(|owner| *owner != Owner::Unknown).collect();
        if known.is_empty() { all } else { known }
    }
}

/// The windows in which packets were lost, and which are not written yet.
#[derive(Debug, Default)]
pub(super) struct LostWindows {
    lost: BTreeSet<(WindowIndex, CapturedOn)>,
    /// What was lost before it is known how time is cut.
    early: Vec<Lost>,
    windows: Option<Windows>,
    seen: OwnersOn,
    /// What was written, since more may be told of a window later.
    written: BTreeSet<(WindowIndex, Owner)>,
    /// Losses of which no interface of the VPC is known to have had a part.
    pub(super) of_nobody_known: u64,
}

impl LostWindows {
    pub(super) fn new(seen: OwnersOn) -> LostWindows {
        LostWindows { seen, ..LostWindows::default() }
    }

    pub(super) fn begin(&mut self, windows: Windows) {
        self.windows = Some(windows);
        std::mem::take(&mut self.early).into_iter().for_each(|lost| self.lost(lost));
    }

    pub(super) fn lost(&mut self, lost: Lost) {
        match &self.windows {
            Some(windows) => {
                self.lost.insert((windows.index_of(lost.time), (lost.capture, lost.interface)));
            }
            None => self.early.push(lost),
        }
    }

    /// The windows up to this one in which owners lost packets, each once. What nobody was seen on has to wait.
    pub(super) fn up_to(&mut self, window: WindowIndex) -> BTreeSet<(WindowIndex, Owner)> {
        let later = self.lost.split_off(&(WindowIndex(window.0.saturating_add(1)), (0, 0)));
        let mut found = BTreeSet::new();
        for (at, on) in std::mem::replace(&mut self.lost, later) {
            let owners = self.seen.of(on);
            if owners.is_empty() {
                self.lost.insert((at, on));
            }
            self.of_nobody_known += u64::from(owners.contains(&Owner::Unknown));
            found.extend(
                owners.into_iter().map(|owner| (at, owner)).filter(|said| self.written.insert(*said)),
            );
        }
        found
    }

    /// All the rest, at the end.
    pub(super) fn rest(&mut self) -> BTreeSet<(WindowIndex, Owner)> {
        let found = self.up_to(WindowIndex(i64::MAX));
        self.of_nobody_known += self.lost.len() as u64 + self.early.len() as u64;
        self.lost.clear();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Timestamp;
    use crate::vpc::{InterfaceIndex, Vpc, VpcModel};

    fn lost(interface: u32, seconds: i64) -> Lost {
        Lost { capture: 0, interface, time: Timestamp::from_nanos(seconds * 1_000_000_000) }
    }

    #[test]
    fn losses_were_those_of_the_next_packet() {
        let mut seen = SeenOn::default();
        let options = VpcOptions::new(Arc::new(Vpc::new(VpcModel::default())));
        let note =
            |seen: &mut SeenOn, interface, owner| seen.note(0, interface, [owner].into_iter(), &options);
        let [one, two] = [0, 1].map(|at| Owner::Interface(InterfaceIndex(at)));
        note(&mut seen, 7, one);
        note(&mut seen, 7, Owner::Unknown);
        note(&mut seen, 8, two);
        let mut windows = LostWindows::new(seen.reader());
        windows.lost(lost(7, 61));
        windows.begin(Windows::new("60".parse().unwrap(), Timestamp::from_nanos(0)));
        windows.lost(lost(8, 130));
        windows.lost(lost(9, 61));
        let at = |window| WindowIndex(window);
        assert_eq!(windows.up_to(at(0)), [].into());
        assert_eq!(windows.up_to(at(1)), [(at(1), one)].into());
        assert_eq!(windows.up_to(at(5)), [(at(2), two)].into());
        windows.lost(lost(7, 70));
        assert_eq!(windows.up_to(at(5)), [].into(), "it is written already");
        assert_eq!(windows.of_nobody_known, 0);
        note(&mut seen, 9, two);
        assert_eq!(windows.up_to(at(5)), [(at(1), two)].into(), "who it was became known");
        windows.lost(lost(10, 400));
        assert_eq!(windows.rest(), [].into());
        assert_eq!(windows.of_nobody_known, 1);
    }
}
