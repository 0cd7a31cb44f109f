//! A walk over a capture's packets, each with its place in time.

use std::path::Path;

use crate::capture::{CaptureError, CaptureInput, MergeStep, MergedCaptures};
use crate::decode::decode;
use crate::flow::{WindowIndex, Windows};
use crate::meter::{EventClock, Placement};
use crate::packet::{CapturedPacket, IpPacket, PacketTime, SkipReason, Timestamp};
use crate::pipeline::MeterOptions;

/// A packet on the walk.
pub(in crate::pipeline) struct Seen<'a> {
    pub(in crate::pipeline) packet: &'a CapturedPacket<'a>,
    pub(in crate::pipeline) decoded: Result<IpPacket, SkipReason>,
    /// Its time and its window, if the capture has a time for it.
    pub(in crate::pipeline) placed: Option<(Timestamp, Placement)>,
    /// How often windows had closed when it was read.
    pub(in crate::pipeline) closings: usize,
}

/// What a walk came to.
pub(in crate::pipeline) struct Walked {
    pub(in crate::pipeline) windows: Windows,
    /// Each time that windows closed: those below.
    pub(in crate::pipeline) closed: Vec<WindowIndex>,
    pub(in crate::pipeline) packets: u64,
    pub(in crate::pipeline) failure: Option<CaptureError>,
}

/// Walks over all packets of a capture.
pub(in crate::pipeline) fn walk(
    capture: &Path,
    options: &MeterOptions,
    mut each: impl FnMut(&Seen<'_>),
) -> Walked {
    let first = first_times(capture);
    let windows = options.windows(first.first().copied().unwrap_or_default());
    let mut clock = EventClock::new(windows, options.allowed_lateness);
    clock.begin(&first);
    let mut packets = 0;
    let mut closed = Vec::new();
    let failure = packets_of(capture, |packet| {
        packets += 1;
        let decoded = decode(packet, options.tunnels);
        let placed = match packet.time {
            PacketTime::At(time) => {
                if clock.observe(time) {
                    closed.push(clock.passed());
                }
                Some((time, clock.place(time)))
            }
            PacketTime::Missing | PacketTime::OutOfRange => None,
        };
        each(&Seen { packet, decoded, placed, closings: closed.len() });
        true
    });
    Walked { windows, closed, packets, failure }
}

/// The times of the first three packets that have one: by them the clock judges the first.
fn first_times(capture: &Path) -> Vec<Timestamp> {
    let mut times = Vec::new();
    packets_of(capture, |packet| {
        if let PacketTime::At(time) = packet.time {
            times.push(time);
        }
        times.len() < 3
    });
    times
}

/// Gives each packet to `each` for as long as it wants more.
fn packets_of(capture: &Path, mut each: impl FnMut(&CapturedPacket<'_>) -> bool) -> Option<CaptureError> {
    let mut captures = MergedCaptures::new(vec![CaptureInput::Path(capture.to_owned())]);
    while let Some(step) = captures.step() {
        match step {
            MergeStep::Packet(_) => {
                if !each(&captures.current()) {
                    return None;
                }
            }
            MergeStep::Paused => {}
            MergeStep::Failed { error, .. } => return Some(error),
        }
    }
    None
}
