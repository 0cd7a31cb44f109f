//! Packets that the capture says it lost: pcapng's drop counts of packets and interfaces, and the windows they are told in.

use std::collections::{BTreeSet, HashMap};

use crate::capture::{CaptureInfo, ContainerFormat};
use crate::flow::{WindowIndex, Windows};
use crate::packet::Timestamp;

/// The counts so far.
#[derive(Debug, Default)]
pub(super) struct Drops {
    /// Capture and interface → packets lost.
    lost: HashMap<(usize, usize), u64>,
}

impl Drops {
    /// Whether an interface of a capture has lost packets since it was last looked at.
    #[inline]
    pub(super) fn grew(&mut self, capture: usize, interface: usize, info: Option<&CaptureInfo>) -> bool {
        // only pcapng has such counts
        let info = info.filter(|info| info.format == ContainerFormat::Pcapng);
        let Some(described) = info.and_then(|info| info.interfaces.get(interface)) else { return false };
        let lost = described.lost();
        if lost == 0 {
            return false;
        }
        let before = self.lost.insert((capture, interface), lost).unwrap_or(0);
        lost > before
    }
}

/// The windows in which packets were lost, and which are not written yet.
#[derive(Debug)]
pub(super) struct LostWindows {
    lost: BTreeSet<WindowIndex>,
    /// When packets were lost before it is known how time is cut.
    early: Vec<Timestamp>,
    windows: Option<Windows>,
    passed: WindowIndex,
}

impl Default for LostWindows {
    fn default() -> Self {
        LostWindows { lost: BTreeSet::new(), early: Vec::new(), windows: None, passed: WindowIndex(i64::MIN) }
    }
}

impl LostWindows {
    pub(super) fn begin(&mut self, windows: Windows) {
        self.windows = Some(windows);
        std::mem::take(&mut self.early).into_iter().for_each(|time| self.lost(time));
    }

    /// The windows below `passed` are written next.
    pub(super) fn closing(&mut self, passed: WindowIndex) {
        self.passed = passed;
    }

    pub(super) fn lost(&mut self, time: Timestamp) {
        match &self.windows {
            // a window that is written already cannot say it any more; the earliest open one does
            Some(windows) => {
                self.lost.insert(windows.index_of(time).max(self.passed));
            }
            None => self.early.push(time),
        }
    }

    /// Whether packets were lost in a window; asked once, when it is written.
    pub(super) fn take(&mut self, window: WindowIndex) -> bool {
        self.lost.remove(&window)
    }
}
