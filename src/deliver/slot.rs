//! The five minutes that an object's name tells.

use chrono::{DateTime, Datelike, Timelike, Utc};

/// How long a slot is, in seconds (AWS "Flow log files").
const SECONDS: i64 = 300;

/// Five minutes, from a full five minutes UTC on. An object holds records that end in its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(i64);

impl Slot {
    /// The slot that a Unix second lies in; `None` where a name cannot tell it, outside of the years 0 to 9999.
    pub fn of(second: i64) -> Option<Slot> {
        let slot = Slot(second.div_euclid(SECONDS));
        let year = slot.begins()?.year();
        (0..=9999).contains(&year).then_some(slot)
    }

    /// Whether nothing that ends at this second or later lies in the slot.
    pub fn has_passed(self, second: i64) -> bool {
        self.0 < second.div_euclid(SECONDS)
    }

    fn begins(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.0.checked_mul(SECONDS)?, 0)
    }

    /// Year, month, day, hour, minute.
    pub(super) fn parts(self) -> [u32; 5] {
        let begins = self.begins().unwrap_or_default();
        let year = u32::try_from(begins.year()).unwrap_or(0);
        [year, begins.month(), begins.day(), begins.hour(), begins.minute()]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_slot_has_its_first_second_and_not_the_next_ones() {
        // 2018-06-20T16:20:00Z, the example of AWS's page
        let slot = Slot::of(1_529_511_600).unwrap();
        assert_eq!(slot.parts(), [2018, 6, 20, 16, 20]);
        assert_eq!(Slot::of(1_529_511_899), Some(slot));
        assert!(Slot::of(1_529_511_900).unwrap() > slot);
        assert!(!slot.has_passed(1_529_511_899));
        assert!(slot.has_passed(1_529_511_900));
        assert_eq!(Slot::of(-1).unwrap().parts(), [1969, 12, 31, 23, 55]);
    }

    #[test]
    fn the_ends_of_time_have_no_slot() {
        for second in [i64::MIN, i64::MAX, 253_402_300_800, -62_167_219_201] {
            assert_eq!(Slot::of(second), None, "{second}");
        }
        assert_eq!(Slot::of(253_402_300_799).unwrap().parts(), [9999, 12, 31, 23, 55]);
        assert_eq!(Slot::of(-62_167_219_200).unwrap().parts(), [0, 1, 1, 0, 0]);
        assert!(Slot::of(0).unwrap().has_passed(i64::MAX));
        assert!(!Slot::of(0).unwrap().has_passed(i64::MIN));
    }

    proptest! {
        #[test]
        fn every_second_lies_in_its_slot(second in any::<i64>(), shift in 0..63) {
            let second = second >> shift;
            if let Some(slot) = Slot::of(second) {
                prop_assert!(slot.0 * SECONDS <= second && second < (slot.0 + 1) * SECONDS);
                prop_assert!(!slot.has_passed(second));
            }
        }
    }
}
