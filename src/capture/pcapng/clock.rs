//! A pcapng interface's clock: what its packets' 64-bit times mean.

use crate::packet::{PacketTime, Timestamp};

/// Nanoseconds in a second.
const NANOS: i128 = 1_000_000_000;

/// How times of one interface become nanoseconds since 1970 (`if_tsresol`, `if_tsoffset`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    scale: Scale,
    /// Added to every time, in nanoseconds.
    offset: i128,
}

/// The resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    /// A unit is this many nanoseconds: 10^-n seconds, n up to 9.
    Multiply(u64),
    /// This many units are a nanosecond: 10^-n seconds, n over 9. 0 stands for more units than 64 bits count.
    Divide(u64),
    /// A unit is 2^-n seconds.
    Binary(u32),
}

impl Default for Clock {
    /// Microseconds since 1970.
    fn default() -> Self {
        Clock { scale: Scale::Multiply(1000), offset: 0 }
    }
}

impl Clock {
    /// A clock with the resolution as `if_tsresol` has it (the highest bit: power of 2 and not of 10; the others: the
    /// negative exponent) and the offset in seconds as `if_tsoffset` has it.
    pub(super) fn new(resolution: Option<u8>, offset_seconds: i64) -> Self {
        let scale = match resolution {
            None => Scale::Multiply(1000),
            Some(power @ 0..=9) => Scale::Multiply(10_u64.pow(9 - u32::from(power))),
            Some(power @ 10..=127) => {
                Scale::Divide(10_u64.checked_pow(u32::from(power) - 9).unwrap_or_default())
            }
            Some(power) => Scale::Binary(u32::from(power & 0x7f)),
        };
        Clock { scale, offset: i128::from(offset_seconds) * NANOS }
    }

    /// A packet's time, rounded down to nanoseconds.
    #[inline]
    pub(super) fn time(&self, units: u64) -> PacketTime {
        if let (Scale::Multiply(factor), 0) = (self.scale, self.offset)
            && let Some(nanos) = units.checked_mul(factor)
            && let Ok(nanos) = i64::try_from(nanos)
        {
            return PacketTime::At(Timestamp::from_nanos(nanos));
        }
        self.wide_time(units)
    }

    /// The same for every clock.
    fn wide_time(&self, units: u64) -> PacketTime {
        let nanos = match self.scale {
            Scale::Multiply(factor) => i128::from(units) * i128::from(factor),
            Scale::Divide(divisor) => i128::from(units.checked_div(divisor).unwrap_or_default()),
            // 64 bits of units times 30 bits of nanoseconds fit
            Scale::Binary(power) => (i128::from(units) * NANOS) >> power,
        };
        Timestamp::from_wide_nanos(nanos + self.offset).map_or(PacketTime::OutOfRange, PacketTime::At)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_resolution_and_offset() {
        let at = |nanos| PacketTime::At(Timestamp::from_nanos(nanos));
        for (resolution, offset, units, expected) in [
            (None, 0, 1_500_000, at(1_500_000_000)),
            (Some(6), 0, 1_500_000, at(1_500_000_000)),
            (Some(9), 0, 1_500_000, at(1_500_000)),
            (Some(0), 0, 7, at(7_000_000_000)),
            (Some(3), 1, 7, at(1_007_000_000)),
            (Some(12), 0, 1_999, at(1)),
            (Some(28), 0, u64::MAX, at(1)),
            (Some(29), 0, u64::MAX, at(0)),
            (Some(127), 0, u64::MAX, at(0)),
            (Some(0x88), 0, 128, at(500_000_000)),
            (Some(0x80), 0, 3, at(3_000_000_000)),
            (Some(0xc0), 0, 1 << 63, at(500_000_000)),
            (Some(0xff), 0, u64::MAX, at(0)),
            (Some(9), -1, 1, at(-999_999_999)),
            (Some(9), i64::MAX, 0, PacketTime::OutOfRange),
            (Some(9), i64::MIN, 0, PacketTime::OutOfRange),
            (Some(0), -10_000_000_000, 10_000_000_001, at(1_000_000_000)),
            (None, 0, u64::MAX, PacketTime::OutOfRange),
            (Some(9), 0, u64::MAX, PacketTime::OutOfRange),
            (Some(9), 0, i64::MAX as u64, at(i64::MAX)),
            (Some(0), 0, u64::MAX, PacketTime::OutOfRange),
        ] {
            let clock = Clock::new(resolution, offset);
            assert_eq!(clock.time(units), expected, "{resolution:?} {offset} {units}");
            assert_eq!(clock.wide_time(units), expected, "{resolution:?} {offset} {units}");
        }
        assert_eq!(Clock::default(), Clock::new(None, 0));
    }
}
