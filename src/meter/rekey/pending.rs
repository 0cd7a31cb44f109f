//! What is counted under one ruling until it is settled.

use crate::flow::{FlowCounters, WindowIndex};
use crate::meter::table::PackedPacket;
use crate::packet::{TcpFlags, Timestamp};

pub(super) const SECOND: i64 = 1_000_000_000;

/// What was counted of a key under one ruling in one window and is not settled yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    /// The earliest packet's time, if there is one.
    first: Timestamp,
    /// The latest packet's time; it stays when packets of earlier windows are settled.
    pub(super) last: Timestamp,
    packets: u32,
    bytes: u32,
    /// The window's index. Those that do not fit are not gathered.
    pub(super) window: u32,
    pub(super) ruling: u32,
    /// How many seconds after `last` the ruling holds; 0 for none that holds.
    pub(super) idle: u32,
    tcp_flags: TcpFlags,
    raw_tcp_flags: TcpFlags,
}

impl Pending {
    pub(super) const EMPTY: Pending = Pending {
        first: Timestamp::MAX,
        last: Timestamp::MIN,
        packets: 0,
        bytes: 0,
        window: 0,
        ruling: 0,
        idle: 0,
        tcp_flags: TcpFlags(0),
        raw_tcp_flags: TcpFlags(0),
    };

    /// Whether the ruling holds for a packet.
    #[inline]
    pub(super) fn holds(&self, time: Timestamp, flags: TcpFlags, telling: TcpFlags) -> bool {
        let since = time.nanos().saturating_sub(self.last.nanos());
        flags.0 & telling.0 == 0 && self.idle != 0 && since <= i64::from(self.idle) * SECOND
    }

    /// Counts a packet, if it is of the same window and the sums have room.
    #[inline]
    pub(super) fn count<K>(&mut self, packet: &PackedPacket<K>, window: u32) -> bool {
        let sums = (self.packets.checked_add(1), self.bytes.checked_add(packet.ip_length));
        let (Some(packets), Some(bytes)) = sums else { return false };
        if self.window != window {
            return false;
        }
        (self.packets, self.bytes) = (packets, bytes);
        self.first = self.first.min(packet.time);
        self.last = self.last.max(packet.time);
        self.tcp_flags |= packet.tcp_flags.as_logged();
        self.raw_tcp_flags |= packet.tcp_flags;
        true
    }

    /// Takes out what was counted; the ruling stays.
    pub(super) fn take(&mut self) -> Option<(WindowIndex, FlowCounters)> {
        let Pending { first, last, packets, bytes, window, tcp_flags, raw_tcp_flags, .. } = *self;
        let none = TcpFlags(0);
        *self = Pending {
            packets: 0,
            bytes: 0,
            first: Timestamp::MAX,
            tcp_flags: none,
            raw_tcp_flags: none,
            ..*self
        };
        let (packets, bytes) = (u64::from(packets), u64::from(bytes));
        let counters = FlowCounters { packets, bytes, first, last, tcp_flags, raw_tcp_flags };
        (packets > 0).then_some((WindowIndex(i64::from(window)), counters))
    }
}

#[cfg(test)]
mod tests {
    use super::Pending;
    use crate::meter::packed::PackedV4;
    use crate::meter::table::Entry;

    #[test]
    fn an_ipv4_entry_is_one_cache_line() {
        assert_eq!(size_of::<Entry<PackedV4, Pending>>(), 64);
    }
}
