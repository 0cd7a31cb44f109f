//! Packets counted over time, in bounded memory and without knowing how much time there will be.
//!
//! A bin's number is the packet's time shifted right, so bins lie at the same places whatever came first. When the numbers of
//! the first and the last bin are too far apart, the shift grows by one and two neighbours become one. The result depends on
//! the packets alone, not on their order.

use std::collections::VecDeque;

use crate::packet::Timestamp;
use crate::report::Histogram;

/// How many bins there are at most.
pub(super) const BINS: usize = 512;

/// The shift to begin with: bins of about a microsecond.
const SHIFT: u32 = 10;

/// The bins so far.
#[derive(Debug)]
pub(super) struct Bins {
    shift: u32,
    /// The number of the first bin.
    first: i64,
    /// Packets and bytes.
    bins: VecDeque<(u64, u64)>,
}

impl Default for Bins {
    fn default() -> Self {
        Bins { shift: SHIFT, first: 0, bins: VecDeque::with_capacity(BINS) }
    }
}

impl Bins {
    /// Counts a packet.
    #[inline]
    pub(super) fn count(&mut self, time: Timestamp, bytes: u32) {
        let at = (time.nanos() >> self.shift).wrapping_sub(self.first);
        match usize::try_from(at).ok().and_then(|at| self.bins.get_mut(at)) {
            Some(bin) => {
                bin.0 += 1;
                bin.1 += u64::from(bytes);
            }
            None => self.count_outside(time, bytes),
        }
    }

    /// Makes room for a time outside of all bins, and counts its packet.
    #[cold]
    fn count_outside(&mut self, time: Timestamp, bytes: u32) {
        if self.bins.is_empty() {
            self.first = time.nanos() >> self.shift;
        }
        let (from, to) = loop {
            let number = time.nanos() >> self.shift;
            let last = self.first.saturating_add(self.bins.len() as i64 - 1).max(self.first);
            let (from, to) = (self.first.min(number), last.max(number));
            if to.abs_diff(from) < BINS as u64 {
                break (from, to);
            }
            self.halve();
        };
        for _ in from..self.first {
            self.bins.push_front((0, 0));
        }
        self.first = from;
        let length = usize::try_from(to.abs_diff(from)).unwrap_or(BINS - 1) + 1;
        self.bins.resize(length.max(self.bins.len()), (0, 0));
        let at = usize::try_from((time.nanos() >> self.shift).abs_diff(self.first)).unwrap_or(0);
        if let Some(bin) = self.bins.get_mut(at) {
            bin.0 += 1;
            bin.1 += u64::from(bytes);
        }
    }

    /// Makes one bin of two.
    fn halve(&mut self) {
        let first = self.first >> 1;
        let mut halved: VecDeque<(u64, u64)> = VecDeque::with_capacity(BINS);
        for (at, (packets, bytes)) in (self.first..).zip(self.bins.drain(..)) {
            let place = usize::try_from((at >> 1) - first).unwrap_or(0);
            if place >= halved.len() {
                halved.push_back((0, 0));
            }
            if let Some(bin) = halved.back_mut() {
                bin.0 += packets;
                bin.1 += bytes;
            }
        }
        (self.bins, self.first) = (halved, first);
        self.shift += 1;
    }

    /// What was counted.
    pub(super) fn histogram(&self) -> Histogram {
        let start = |at: usize| (i128::from(self.first) + at as i128) << self.shift;
        let filled = self.bins.iter().enumerate().filter(|(_, (packets, _))| *packets > 0);
        Histogram {
            width: 1 << self.shift,
            bins: filled.map(|(at, (packets, bytes))| (start(at), *packets, *bytes)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_packet_is_in_its_bin_and_the_order_does_not_matter(
            mut times in proptest::collection::vec(prop_oneof![any::<i64>(), 0..3_000_000_000_i64, Just(i64::MIN), Just(i64::MAX)], 1..80),
        ) {
            let counted = |times: &[i64]| {
                let mut bins = Bins::default();
                times.iter().for_each(|time| bins.count(Timestamp::from_nanos(*time), 2));
                bins.histogram()
            };
            let histogram = counted(&times);
            prop_assert!(histogram.bins.len() <= BINS);
            prop_assert_eq!(histogram.bins.iter().map(|(_, packets, _)| packets).sum::<u64>(), times.len() as u64);
            for (start, packets, bytes) in &histogram.bins {
                let inside = |time: &&i64| (*start..*start + histogram.width).contains(&i128::from(**time));
                prop_assert_eq!(times.iter().filter(inside).count() as u64, *packets);
                prop_assert_eq!(packets * 2, *bytes);
            }
            times.reverse();
            prop_assert_eq!(counted(&times), histogram);
        }
    }

    #[test]
    fn bins_are_fine_enough() {
        let mut bins = Bins::default();
        for second in 0..3600 {
            bins.count(Timestamp::from_nanos(second * 1_000_000_000), 1);
        }
        let histogram = bins.histogram();
        assert!(histogram.bins.len() > BINS / 4, "{} bins", histogram.bins.len());
    }
}
