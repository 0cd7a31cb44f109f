//! Random numbers that are the same on every machine: SplitMix64.
//!
//! Whatever draws has a generator of its own, seeded by what it is (a conversation's number, the capture point), so that
//! a change in one place does not change what another draws.
//!
//! Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (OOPSLA 2014).

/// A generator.
#[derive(Clone, Copy, Debug)]
pub struct Random(u64);

impl Random {
    /// The generator of one of many that share a scenario's seed.
    pub fn of(seed: u64, number: u64) -> Random {
        let mut first = Random(seed);
        let mixed = first.next().wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut second = Random(mixed);
        Random(second.next())
    }

    /// The next 64 bits.
    #[inline]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    }

    /// A number from 0 to below `limit`; 0 where the limit is 0.
    #[inline]
    pub fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    /// A number from 0 to below 1.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something of this probability happens.
    #[inline]
    pub fn happens(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.unit() < probability
    }

    /// A duration that varies by a share of itself, up and down.
    #[inline]
    pub fn varied(&mut self, nanos: i64, share: f64) -> i64 {
        if share <= 0.0 {
            return nanos;
        }
        let by = (self.unit() * 2.0 - 1.0) * share;
        (nanos + (nanos as f64 * by) as i64).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_draws_the_same_and_others_do_not() {
        let draw = |seed, number| Random::of(seed, number).next();
        assert_eq!(draw(1, 7), draw(1, 7));
        assert_ne!(draw(1, 7), draw(1, 8));
        assert_ne!(draw(1, 7), draw(2, 7));
        let mut random = Random::of(1, 1);
        assert!((0..1000).all(|_| random.below(10) < 10));
        assert_eq!(random.below(0), 0);
        assert!((0..1000).all(|_| (800..=1200).contains(&random.varied(1000, 0.2))));
        assert_eq!(random.varied(1000, 0.0), 1000);
        assert!(!random.happens(0.0));
    }
}
