//! How far a run has come, for whoever watches it; and the way to stop it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Shared between a run and the one who watches it.
#[derive(Debug, Default)]
pub struct Progress {
    packets: AtomicU64,
    bytes: AtomicU64,
    interrupted: AtomicBool,
}

impl Progress {
    /// Nothing done yet.
    pub const fn new() -> Self {
        Progress { packets: AtomicU64::new(0), bytes: AtomicU64::new(0), interrupted: AtomicBool::new(false) }
    }

    /// Packets read so far.
    pub fn packets(&self) -> u64 {
        self.packets.load(Ordering::Relaxed)
    }

    /// Bytes read so far of the inputs as they are stored, compressed or not.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Asks the run to stop soon.
    pub fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Relaxed);
    }

    /// Whether the run was asked to stop.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    pub(super) fn report(&self, packets: u64, bytes: u64) {
        self.packets.store(packets, Ordering::Relaxed);
        self.bytes.store(bytes, Ordering::Relaxed);
    }
}
