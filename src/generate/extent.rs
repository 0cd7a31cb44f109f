//! How often a scenario is run.

use super::error::LAST_SECOND;
use super::scenario::{SECOND, Scenario};

/// How long a run goes on: another repetition begins as long as none of these is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Repetitions.
    pub repetitions: u64,
    /// Flows: a conversation has one for each side that has said something.
    pub flows: u64,
    /// Packets that were sent.
    pub packets: u64,
    /// Nanoseconds since the scenario's begin.
    pub duration: i64,
}

/// Once.
impl Default for Extent {
    fn default() -> Self {
        Extent { repetitions: 1, ..Extent::UNBOUNDED }
    }
}

impl Extent {
    /// Without an end.
    pub const UNBOUNDED: Extent =
        Extent { repetitions: u64::MAX, flows: u64::MAX, packets: u64::MAX, duration: i64::MAX };

    /// The second that a run goes on to, where it is known beforehand that no capture holds it.
    pub(super) fn too_late(&self, scenario: &Scenario) -> Option<i64> {
        if (self.flows, self.packets) != (u64::MAX, u64::MAX) {
            return None;
        }
        let span = i128::from(scenario.duration).saturating_mul(i128::from(self.repetitions));
        let end = i128::from(scenario.begin.nanos()) + span.min(i128::from(self.duration));
        let second = i64::try_from(end / i128::from(SECOND)).unwrap_or(i64::MAX);
        (second > LAST_SECOND).then_some(second)
    }
}
