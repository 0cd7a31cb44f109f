//! Packets that the capture says it lost: pcapng's drop counts of packets and interfaces.

use std::collections::HashMap;

use crate::capture::{CaptureInfo, ContainerFormat};

/// The counts so far.
#[derive(Debug, Default)]
pub(super) struct Drops {
    /// Capture and interface → packets lost.
    lost: HashMap<(usize, usize), u64>,
}

impl Drops {
    /// Whether an interface of a capture has lost packets since it was last looked at. The counts of packets and those
    /// of interface statistics tell of the same packets, so the greater one counts.
    #[inline]
    pub(super) fn grew(&mut self, capture: usize, interface: usize, info: Option<&CaptureInfo>) -> bool {
        // only pcapng has such counts
        let info = info.filter(|info| info.format == ContainerFormat::Pcapng);
        let Some(described) = info.and_then(|info| info.interfaces.get(interface)) else { return false };
        let by_statistics = (described.dropped_by_interface.unwrap_or(0))
            .saturating_add(described.dropped_by_os.unwrap_or(0));
        let lost = described.dropped_before_packets.max(by_statistics);
        if lost == 0 {
            return false;
        }
        let before = self.lost.insert((capture, interface), lost).unwrap_or(0);
        lost > before
    }
}
