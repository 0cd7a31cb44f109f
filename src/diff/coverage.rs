//! The time that a log covers.
//!
//! A log says nothing of time without traffic, so its first `start` and last `end` are only where its records begin
//! and end. Where all its records keep within windows of 60 or 600 s, aligned to the epoch, it covers those windows
//! whole: a flow without a record in the last one is missing there. Unless some flow has a record in that window and
//! packets behind the log's last second too: no record ends within its window while its flow goes on, so there the log
//! was cut.

/// Which windows the records of a log keep to; by default those of a log without records.
#[derive(Default, Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogWindows {
    crosses_60: bool,
    crosses_600: bool,
}

impl LogWindows {
    /// Takes a record's first and last second into account.
    pub fn observe(&mut self, start: i64, end: i64) {
        let crosses = |interval: i64| start.div_euclid(interval) != end.div_euclid(interval);
        self.crosses_60 |= crosses(60);
        self.crosses_600 |= crosses(600);
    }

    /// The windows' seconds, if the records keep to windows that are known.
    fn interval(self) -> Option<i64> {
        match self {
            LogWindows { crosses_60: false, .. } => Some(60),
            LogWindows { crosses_600: false, .. } => Some(600),
            _ => None,
        }
    }

    /// The first second of the window that a second lies in; the second itself where windows are not known.
    pub(super) fn start_of(self, second: i64) -> i64 {
        self.interval().map_or(second, |interval| second.div_euclid(interval).saturating_mul(interval))
    }

    /// The last second of the window that a second lies in; the second itself where windows are not known.
    pub(super) fn end_of(self, second: i64) -> i64 {
        self.interval().map_or(second, |interval| {
            second.div_euclid(interval).saturating_mul(interval).saturating_add(interval - 1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_tell_their_windows() {
        let mut windows = LogWindows::default();
        windows.observe(5, 59);
        assert_eq!((windows.start_of(70), windows.end_of(70)), (60, 119));
        windows.observe(50, 61);
        assert_eq!((windows.start_of(-1), windows.end_of(-1)), (-600, -1));
        windows.observe(599, 600);
        assert_eq!((windows.start_of(70), windows.end_of(70)), (70, 70));
    }
}
