//! Suspected duplicates: the same packet, seen again within a short time.
//!
//! A mirror of both ends of a conversation, a capture on Linux's `any`, an appliance that a packet enters and
//! leaves, several capture points: each shows one packet more than once. The decode room gives two sights of a
//! packet the same fingerprint; here the fingerprints of the latest packets are remembered.
//!
//! The memory is a fixed number of buckets of [`WAYS`] packets, each bucket one cache line, the oldest packet
//! of a bucket making room for a new one. So the cost is constant, and a duplicate is missed only where
//! thousands of packets pass within the time. The same packets in the same order give the same answers.

use crate::flow::ObservationPoint;
use crate::packet::Timestamp;

/// Packets remembered in a bucket.
const WAYS: usize = 4;

/// Buckets: 131,072 packets in 2 MiB.
const BUCKETS: usize = 1 << 15;

/// How many low bits of a slot's tag name the observation point.
const POINT_BITS: u32 = 20;

/// So many remembered packets, the latest first.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Bucket {
    /// The upper bits of a fingerprint and where it was seen.
    tags: [u64; WAYS],
    /// When.
    times: [i64; WAYS],
}

/// The packets seen last.
#[derive(Debug)]
pub struct RecentPackets {
    buckets: Vec<Bucket>,
    within: i64,
}

impl RecentPackets {
    /// Remembers nothing yet; a packet is a duplicate of one seen at most `within` nanoseconds before or after
    /// it, by the packets' own times.
    pub fn new(within: u64) -> Self {
        RecentPackets {
            buckets: vec![Bucket::default(); BUCKETS],
            within: i64::try_from(within).unwrap_or(i64::MAX),
        }
    }

    /// Brings the buckets of fingerprints into the cache. To be called for several packets before they are looked up, so
    /// that their cache misses overlap; it changes nothing.
    #[inline]
    pub fn touch(&self, fingerprints: impl Iterator<Item = u64>) {
        let load = |fingerprint: u64| {
            self.buckets.get(fingerprint as usize % BUCKETS).map_or(0, |bucket| bucket.tags[0])
        };
        std::hint::black_box(fingerprints.fold(0, |all, fingerprint| all ^ load(fingerprint)));
    }

    /// Where the same packet was seen shortly before, or `None` if it was not; then it is remembered.
    ///
    /// Points from 1,048,575 on share one name.
    #[inline]
    pub fn sight(
        &mut self,
        fingerprint: u64,
        time: Timestamp,
        point: ObservationPoint,
    ) -> Option<ObservationPoint> {
        const POINT_MASK: u64 = (1 << POINT_BITS) - 1;
        let time = time.nanos();
        // a tag of 0 would be an empty slot's
        let upper = (fingerprint | 1 << 63) & !POINT_MASK;
        let bucket = self.buckets.get_mut(fingerprint as usize % BUCKETS)?;
        let is_same = |tag: u64| tag & !POINT_MASK == upper;
        // one branch, nearly always the same way
        if bucket.tags.iter().fold(false, |any, tag| any | is_same(*tag)) {
            let found = bucket
                .tags
                .iter()
                .zip(&bucket.times)
                .find(|(tag, seen)| is_same(**tag) && seen.abs_diff(time) <= self.within.unsigned_abs());
            if let Some((tag, _)) = found {
                return Some(ObservationPoint((tag & POINT_MASK) as u32));
            }
        }
        let tag = upper | u64::from(point.0).min(POINT_MASK);
        let [a, b, c, _] = bucket.tags;
        bucket.tags = [tag, a, b, c];
        let [a, b, c, _] = bucket.times;
        bucket.times = [time, a, b, c];
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: i64 = 1_000_000;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_nanos(milliseconds * MILLISECOND)
    }

    #[test]
    fn the_second_sight_within_the_time_is_a_duplicate() {
        let mut recent = RecentPackets::new(10_000_000);
        let (here, there) = (ObservationPoint(1), ObservationPoint(2));
        assert_eq!(recent.sight(77, at(0), here), None);
        assert_eq!(recent.sight(77, at(10), there), Some(here));
        assert_eq!(recent.sight(77, at(-10), there), Some(here));
        assert_eq!(recent.sight(78, at(0), here), None);
        assert_eq!(recent.sight(77, at(11), there), None, "too late to be the same");
        assert_eq!(recent.sight(77, at(12), here), Some(there));
    }

    #[test]
    fn fingerprint_zero_at_time_zero_is_not_taken_for_an_empty_slot() {
        let mut recent = RecentPackets::new(10);
        assert_eq!(recent.sight(0, at(0), ObservationPoint(0)), None);
        assert_eq!(recent.sight(0, at(0), ObservationPoint(0)), Some(ObservationPoint(0)));
    }

    #[test]
    fn the_oldest_of_a_bucket_makes_room() {
        let mut recent = RecentPackets::new(10_000_000_000);
        let same_bucket = |n: u64| n << 32;
        for n in 0..5 {
            assert_eq!(recent.sight(same_bucket(n), at(0), ObservationPoint(0)), None);
        }
        assert_eq!(recent.sight(same_bucket(4), at(0), ObservationPoint(0)), Some(ObservationPoint(0)));
        assert_eq!(recent.sight(same_bucket(0), at(0), ObservationPoint(0)), None);
    }

    #[test]
    fn an_absurd_time_makes_room_like_any_other() {
        let mut recent = RecentPackets::new(10_000_000);
        assert_eq!(recent.sight(5, Timestamp::MAX, ObservationPoint(0)), None);
        assert_eq!(recent.sight(5, Timestamp::MIN, ObservationPoint(0)), None);
        assert_eq!(recent.sight(5, Timestamp::MIN, ObservationPoint(0)), Some(ObservationPoint(0)));
    }
}
