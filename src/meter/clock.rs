//! Event time: the greatest time read so far closes windows (accounting rule 16).
//!
//! A window closes when the greatest time passes its end by the allowed lateness; a packet that comes for a
//! closed window is late. One lone absurd time must not close everything, so a packet more than an hour ahead
//! of the greatest time becomes the greatest only once another packet, within the allowed lateness of it,
//! follows among the next 1,000. Likewise for a first packet that the next two both contradict by more than an
//! hour: therefore the clock is told about the first three packets together ([`EventClock::begin`]).
//!
//! A time is not lone either where [`IN_A_ROW`] packets that far ahead follow one another without one going back: so
//! time moves on after a long pause also where packets are further apart than the allowed lateness.

use std::collections::{BTreeMap, VecDeque};

use crate::flow::{WindowIndex, Windows};
use crate::packet::Timestamp;

/// How far ahead of the greatest time a packet is taken for absurd until another confirms it: one hour.
const ABSURD: i64 = 3_600_000_000_000;

/// Among how many following packets the confirmation has to be.
const CONFIRMED_WITHIN: u64 = 1_000;

/// How many packets in a row, all that far ahead and none earlier than the one before, are believed by themselves.
const IN_A_ROW: u32 = 10;

/// Where a packet is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Placement {
    /// The window of the packet's own time.
    pub window: WindowIndex,
    /// Whether that window had closed when the packet was read.
    pub late: bool,
}

/// The clock of one conversion, moved by the times of all packets read, in the order in which they are read.
#[derive(Debug)]
pub struct EventClock {
    windows: Windows,
    lateness: i64,
    greatest: Option<i64>,
    /// The greatest time that does not yet close a window.
    quiet_until: i64,
    /// Windows with a smaller index have closed.
    passed: WindowIndex,
    packets: u64,
    lone: LoneTimes,
    /// The span and index of the window placed into last.
    recent: (i64, i64, WindowIndex),
}

impl EventClock {
    /// A clock over these windows; `lateness` is how long after a window's end packets may still come for it,
    /// in nanoseconds.
    pub fn new(windows: Windows, lateness: u64) -> Self {
        EventClock {
            windows,
            lateness: i64::try_from(lateness).unwrap_or(i64::MAX),
            greatest: None,
            quiet_until: i64::MIN,
            passed: WindowIndex(i64::MIN),
            packets: 0,
            lone: LoneTimes::default(),
            recent: (0, 0, WindowIndex(0)),
        }
    }

    /// Judges the first packet by the two after it. To be called before the first [`observe`](Self::observe),
    /// with the times of the first three packets (fewer only where the capture holds no more).
    pub fn begin(&mut self, first: &[Timestamp]) {
        if let [first, second, third] = first {
            let contradicts = |time: &Timestamp| first.nanos().saturating_sub(ABSURD) > time.nanos();
            if contradicts(second) && contradicts(third) {
                self.lone.push(first.nanos(), 1);
            }
        }
    }

    /// Moves the clock to the next packet's time. Returns whether windows have closed: those below
    /// [`passed`](Self::passed).
    #[inline]
    pub fn observe(&mut self, time: Timestamp) -> bool {
        let time = time.nanos();
        self.packets += 1;
        let greatest = match self.greatest {
            Some(greatest) if self.lone.is_empty() && time <= greatest => return false,
            Some(greatest) if self.lone.is_empty() && time.saturating_sub(ABSURD) <= greatest => time,
            _ => match self.greatest_with_lone(time) {
                Some(greatest) => greatest,
                None => return false,
            },
        };
        self.greatest = Some(greatest);
        greatest > self.quiet_until && self.close_until(greatest)
    }

    /// Moves the clock by so many packets at once, of which these are the earliest and the latest, where that changes
    /// nothing but the greatest time and puts all of them where the packet placed last was put, none of them late. Returns where that is,
    /// or `None` where the packets have to be taken one by one.
    #[inline]
    pub fn observe_together(
        &mut self,
        packets: u64,
        earliest: Timestamp,
        latest: Timestamp,
    ) -> Option<Placement> {
        let (earliest, latest) = (earliest.nanos(), latest.nanos());
        let greatest = self.greatest?;
        let (start, end, window) = self.recent;
        let is_quiet = self.lone.is_empty()
            && latest <= self.quiet_until
            && latest.saturating_sub(ABSURD) <= greatest
            && start <= earliest
            && latest < end
            && window >= self.passed;
        if !is_quiet {
            return None;
        }
        self.packets += packets;
        self.greatest = Some(greatest.max(latest));
        Some(Placement { window, late: false })
    }

    /// The greatest time, where lone times are about or the packet's own may be one; `None` while no time is
    /// believed.
    #[cold]
    fn greatest_with_lone(&mut self, time: i64) -> Option<i64> {
        if self.packets == 1 && !self.lone.is_empty() {
            // `begin` took the first packet for a lone one
            return None;
        }
        self.lone.expire(self.packets);
        let ahead = self.greatest.is_some_and(|greatest| time.saturating_sub(ABSURD) > greatest);
        let confirmed = self.lone.confirm(time, self.lateness).or_else(|| {
            let moved_on = ahead && self.lone.in_a_row(time) == IN_A_ROW;
            moved_on.then(|| self.lone.believe_row(time))
        });
        match (self.greatest, confirmed) {
            (greatest, Some(confirmed)) => {
                self.lone.end_row();
                Some(time.max(confirmed).max(greatest.unwrap_or(i64::MIN)))
            }
            (Some(greatest), None) if ahead => {
                self.lone.push(time, self.packets);
                Some(greatest)
            }
            (greatest, None) => {
                self.lone.end_row();
                Some(time.max(greatest.unwrap_or(i64::MIN)))
            }
        }
    }

    /// How many packets had a time too far ahead to be believed, and were counted in a window of their own.
    pub fn unbelieved(&self) -> u64 {
        self.lone.unbelieved
    }

    #[cold]
    fn close_until(&mut self, greatest: i64) -> bool {
        let before = self.passed;
        self.passed = self.windows.passed_at(i128::from(greatest) - i128::from(self.lateness));
        self.quiet_until = match self.windows.window(self.passed) {
            Some(window) => saturate(window.end + i128::from(self.lateness) - 1),
            None => i64::MAX,
        };
        self.passed > before && before != WindowIndex(i64::MIN)
    }

    /// Windows with a smaller index have closed.
    pub fn passed(&self) -> WindowIndex {
        self.passed
    }

    /// Where a packet of this time is counted, as the clock stands.
    #[inline]
    pub fn place(&mut self, time: Timestamp) -> Placement {
        let (start, last, index) = self.recent;
        let window = if start <= time.nanos() && time.nanos() < last { index } else { self.find(time) };
        Placement { window, late: window < self.passed }
    }

    #[cold]
    fn find(&mut self, time: Timestamp) -> WindowIndex {
        let index = self.windows.index_of(time);
        self.recent = match self.windows.window(index) {
            Some(window) => (saturate(window.start), saturate(window.end), index),
            None => (i64::MIN, i64::MAX, index),
        };
        index
    }
}

/// The nearest time that 64 bits hold.
fn saturate(nanos: i128) -> i64 {
    i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
}

/// Times too far ahead to be believed, until they are confirmed or forgotten: at most
/// [`CONFIRMED_WITHIN`] of them.
#[derive(Debug, Default)]
struct LoneTimes {
    /// Time → the number of the last packet that had it.
    times: BTreeMap<i64, u64>,
    /// The same, oldest first; those confirmed since included.
    order: VecDeque<(u64, i64)>,
    /// Packets that were never confirmed.
    unbelieved: u64,
    /// How many of the last packets follow one another without going back, and the last one's time.
    row: (u32, i64),
}

impl LoneTimes {
    fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    fn push(&mut self, time: i64, packet: u64) {
        self.row = (self.in_a_row(time), time);
        self.times.insert(time, packet);
        self.order.push_back((packet, time));
        self.unbelieved += 1;
    }

    /// How long the row of packets is with one of this time.
    fn in_a_row(&self, time: i64) -> u32 {
        let (packets, last) = self.row;
        if packets > 0 && time >= last { packets + 1 } else { 1 }
    }

    fn end_row(&mut self) {
        self.row = (0, 0);
    }

    /// Takes the row's packets for believed; gives the greatest time, that of the packet which makes it long enough.
    fn believe_row(&mut self, time: i64) -> i64 {
        let (packets, _) = self.row;
        self.unbelieved -= u64::from(packets);
        for _ in 0..packets {
            if let Some((_, time)) = self.order.pop_back() {
                self.times.remove(&time);
            }
        }
        time
    }

    /// Forgets what can no longer be confirmed by the packet of this number.
    fn expire(&mut self, packet: u64) {
        while let Some(&(number, time)) = self.order.front()
            && packet - number > CONFIRMED_WITHIN
        {
            self.order.pop_front();
            if self.times.get(&time) == Some(&number) {
                self.times.remove(&time);
            }
        }
    }

    /// The greatest lone time within `distance` of a time, which is lone no more.
    fn confirm(&mut self, time: i64, distance: i64) -> Option<i64> {
        let span = time.saturating_sub(distance)..=time.saturating_add(distance);
        let (&time, _) = self.times.range(span).next_back()?;
        self.times.remove(&time);
        self.unbelieved -= 1;
        Some(time)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn clock(lateness: u64) -> EventClock {
        let windows = Windows::new("60".parse().unwrap(), Timestamp::from_nanos(0));
        EventClock::new(windows, lateness * 1_000_000_000)
    }

    /// Feeds times in seconds; returns, packet by packet, `passed` where windows that may hold something closed,
    /// and whether it is late.
    fn run(clock: &mut EventClock, seconds: &[i64]) -> Vec<(Option<i64>, bool)> {
        let times: Vec<_> = seconds.iter().map(|s| Timestamp::from_nanos(s * SECOND)).collect();
        clock.begin(times.get(..3).unwrap_or(&times));
        let earliest = times.iter().map(|time| clock.windows.index_of(*time)).min().unwrap();
        times
            .iter()
            .map(|time| {
                let closed = (clock.observe(*time) && clock.passed() > earliest).then(|| clock.passed().0);
                (closed, clock.place(*time).late)
            })
            .collect()
    }

    #[test]
    fn a_window_closes_when_its_end_is_passed_by_the_allowed_lateness() {
        let steps = run(&mut clock(10), &[0, 59, 60, 69, 59, 70, 59, 60]);
        let no = (None, false);
        assert_eq!(steps, [no, no, no, no, no, (Some(1), false), (None, true), no]);
    }

    #[test]
    fn without_lateness_the_next_windows_first_packet_closes_the_last() {
        assert_eq!(run(&mut clock(0), &[59, 60, 59]), [(None, false), (Some(1), false), (None, true)]);
    }

    #[test]
    fn a_lone_absurd_time_closes_nothing() {
        let year_2106 = 4_294_967_295;
        let mut clock = clock(10);
        let steps = run(&mut clock, &[0, 1, year_2106, 2, 3, 59]);
        assert!(steps.iter().all(|step| *step == (None, false)), "{steps:?}");
        assert!(clock.observe(Timestamp::from_nanos(80 * SECOND)));
        assert_eq!(clock.passed(), WindowIndex(1));
    }

    #[test]
    fn a_confirmed_leap_ahead_closes_windows() {
        let steps = run(&mut clock(10), &[0, 1, 2, 7200, 7205, 3]);
        assert_eq!(steps[3], (None, false));
        assert_eq!(steps[4], (Some(119), false));
        assert_eq!(steps[5], (None, true));
    }

    #[test]
    fn a_leap_is_confirmed_within_the_allowed_lateness_and_1000_packets_only() {
        assert_eq!(run(&mut clock(10), &[0, 1, 2, 7200, 7211])[4], (None, false));
        let mut times = vec![0, 1, 7200];
        times.extend([2; 999]);
        times.push(7200);
        assert_eq!(run(&mut clock(10), &times).last(), Some(&(Some(119), false)));
        times.insert(3, 2);
        assert_eq!(run(&mut clock(10), &times).last(), Some(&(None, false)));
    }

    #[test]
    fn an_absurd_first_packet_makes_nothing_late() {
        let steps = run(&mut clock(10), &[4_294_967_295, 100, 101, 171, 241]);
        let no = (None, false);
        assert_eq!(steps, [no, no, no, (Some(2), false), (Some(3), false)]);
    }

    #[test]
    fn a_first_packet_that_only_the_second_contradicts_is_believed() {
        let steps = run(&mut clock(10), &[10_000, 100, 10_001]);
        assert_eq!(steps, [(None, false), (None, true), (None, false)]);
    }

    #[test]
    fn time_moves_on_after_a_pause_also_where_packets_are_far_apart() {
        let mut times = vec![0, 1, 2];
        times.extend((0..12).map(|n| 7200 + n * 11));
        let mut clock = clock(10);
        let steps = run(&mut clock, &times);
        assert!(steps[..12].iter().all(|step| *step == (None, false)), "{steps:?}");
        assert_eq!(steps[12], (Some(121), false));
        assert_eq!(clock.unbelieved(), 0);
    }

    #[test]
    fn absurd_times_that_go_back_are_not_believed_however_many() {
        let times: Vec<i64> =
            (0..100).map(|n| if n < 3 { n } else { 4_000_000_000 - n * 1_000_000 }).collect();
        let mut clock = clock(10);
        assert!(run(&mut clock, &times).iter().all(|step| *step == (None, false)));
        assert_eq!(clock.unbelieved(), 97);
    }

    proptest! {
        #[test]
        fn packets_taken_together_are_placed_as_one_by_one(
            seconds in proptest::collection::vec(prop_oneof![20 => 0_i64..200, 1 => 0_i64..20_000], 3..200),
            group in 1_usize..40,
            lateness in 0_u64..20,
        ) {
            let times: Vec<_> = seconds.iter().map(|s| Timestamp::from_nanos(s * SECOND)).collect();
            let (mut one_by_one, mut together) = (clock(lateness), clock(lateness));
            one_by_one.begin(&times[..3]);
            together.begin(&times[..3]);
            for group in times.chunks(group) {
                let expected: Vec<_> = group
                    .iter()
                    .map(|time| (one_by_one.observe(*time), one_by_one.place(*time)))
                    .collect();
                let (earliest, latest) = (*group.iter().min().unwrap(), *group.iter().max().unwrap());
                let found: Vec<_> = match together.observe_together(group.len() as u64, earliest, latest) {
                    Some(placement) => group.iter().map(|_| (false, placement)).collect(),
                    None => group.iter().map(|time| (together.observe(*time), together.place(*time))).collect(),
                };
                prop_assert_eq!(found, expected);
                prop_assert_eq!(together.passed(), one_by_one.passed());
                prop_assert_eq!(together.unbelieved(), one_by_one.unbelieved());
            }
        }
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        let mut clock = clock(u64::MAX / 2_000_000_000);
        for time in [Timestamp::MAX, Timestamp::MIN, Timestamp::MAX, Timestamp::MIN] {
            clock.observe(time);
            clock.place(time);
        }
    }
}
