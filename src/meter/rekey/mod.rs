//! Packets on their way to the meter are given another observation point, by what is kept for their key.
//!
//! A VPC's judge says of every packet through which interfaces it went and with which action; that takes the place of
//! the observation point, so that the meter counts by it. Such a ruling holds for the packets of a key until it is
//! revoked, a packet with telling flags comes, or none has come for some time. So the packets that it holds for are
//! counted right in the table's entry, as the meter would, and the judge hears of their sum when that changes, when the
//! window closes ([`Rekeyer::flush`]), or when the key is dropped. A packet costs one look-up and not two.
//!
//! Packets are ruled on in their order within an address family, which is all that those who judge connections need.
//!
//! Invariant: an IPv4 entry is one cache line.

mod family;
mod pending;
#[cfg(test)]
mod tests;

use self::family::Family;
use super::packed::{PackedV4, PackedV6};
use super::{Batch, Placement};
use crate::flow::{FlowCounters, MeteringKey, ObservationPoint, WindowIndex};
use crate::packet::{TcpFlags, Timestamp};

/// How many sums are handed on together: few enough to stay in the cache.
const HANDED_ON: usize = 1 << 12;

/// A packet, without its key.
#[derive(Clone, Copy, Debug)]
pub struct PacketFacts {
    /// When it was captured.
    pub time: Timestamp,
    /// Its flags as a flow log shows them.
    pub logged_flags: TcpFlags,
}

/// What is ruled of a packet, and of those of its key that follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// Which one it is among the judge's rulings; the packets of one are added up.
    pub number: u32,
    /// How long after the last packet it still holds, in nanoseconds; `None`, where it holds for this packet alone.
    pub idle: Option<i64>,
    /// Whether what was counted before is to be settled first even if it was counted under the same ruling, so that
    /// [`Keys::last`] is a time since this ruling.
    pub anew: bool,
}

/// What becomes of packets that were counted under a ruling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// They are counted under this point. Their ICMP type goes, and their direction unless that is kept.
    Counted {
        /// The new point.
        point: ObservationPoint,
        /// Whether the direction stays.
        with_direction: bool,
    },
    /// They are not counted.
    LeftOut,
}

/// The keys of one address family, numbered as they came.
pub trait Keys<T> {
    /// What is kept for a key.
    fn kept(&mut self, number: u32) -> Option<&mut T>;

    /// The time of the last packet that was counted under a key's ruling; none, if the ruling is of this moment.
    fn last(&self, number: u32) -> Option<Timestamp>;

    /// Ends a key's ruling: its next packet is ruled on.
    fn revoke(&mut self, number: u32);
}

/// Rules.
pub trait Rekey<T> {
    /// Flags that end a ruling.
    const TELLING: TcpFlags;

    /// What is kept for a key that comes first.
    fn begin(&mut self, number: u32, key: MeteringKey) -> T;

    /// Rules on a packet of a key.
    fn rule(
        &mut self,
        packet: &PacketFacts,
        key: MeteringKey,
        number: u32,
        keys: &mut impl Keys<T>,
    ) -> Ruling;

    /// What becomes of packets that were counted under a ruling.
    fn settle(&mut self, ruling: u32, placement: Placement, counters: &FlowCounters) -> Settled;
}

/// Keys, and what is kept for each.
#[derive(Debug)]
pub struct Rekeyer<T> {
    v4: Family<PackedV4, T>,
    v6: Family<PackedV6, T>,
}

impl<T> Default for Rekeyer<T> {
    fn default() -> Self {
        Rekeyer { v4: Family::new(), v6: Family::new() }
    }
}

impl<T> Rekeyer<T> {
    /// Has each packet of a batch ruled on, and counts it; sums that are complete go to `out`.
    pub fn rekey(&mut self, batch: &Batch, out: &mut Batch, judge: &mut impl Rekey<T>) {
        let (mut v4, mut v6) = (batch.v4.as_slice(), batch.v6.as_slice());
        for run in &batch.runs {
            let Some((run_v4, rest_v4)) = v4.split_at_checked(run.v4) else { return };
            let Some((run_v6, rest_v6)) = v6.split_at_checked(run.v6) else { return };
            (v4, v6) = (rest_v4, rest_v6);
            self.v4.rekey(run.placement, run_v4, &mut out.counted_v4, judge);
            self.v6.rekey(run.placement, run_v6, &mut out.counted_v6, judge);
        }
    }

    /// Hands on the sums of windows below `passed`, or of all: each time a batch of at most `HANDED_ON`.
    ///
    /// # Errors
    /// The taker's; what was not handed on by then is not any more.
    pub fn flush<E>(
        &mut self,
        passed: Option<WindowIndex>,
        out: &mut Batch,
        judge: &mut impl Rekey<T>,
        mut take: impl FnMut(&mut Batch) -> Result<(), E>,
    ) -> Result<(), E> {
        for from in (0..self.v4.len()).step_by(HANDED_ON) {
            self.v4.flush(from, passed, &mut out.counted_v4, judge);
            take(out)?;
        }
        for from in (0..self.v6.len()).step_by(HANDED_ON) {
            self.v6.flush(from, passed, &mut out.counted_v6, judge);
            take(out)?;
        }
        Ok(())
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Goes through all keys: each one's number, the time of [`Keys::last`], and what is kept for it.
    pub fn for_each(&mut self, mut each: impl FnMut(u32, Option<Timestamp>, &mut T)) {
        self.v4.for_each(&mut each);
        self.v6.for_each(&mut each);
    }

    /// Drops the keys for which `keep` says no, and numbers the others anew, in their order.
    pub fn retain<J: Rekey<T>>(&mut self, out: &mut Batch, judge: &mut J, keep: impl Fn(&J, &T) -> bool) {
        self.v4.retain(&mut out.counted_v4, judge, &keep);
        self.v6.retain(&mut out.counted_v6, judge, &keep);
    }
}
