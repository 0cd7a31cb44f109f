//! What is counted of a flow in a window.

use crate::packet::{TcpFlags, Timestamp};

/// The counters of one flow in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowCounters {
    /// Packets.
    pub packets: u64,
    /// IP bytes (accounting rule 4).
    pub bytes: u64,
    /// The earliest packet's time.
    pub first: Timestamp,
    /// The latest packet's time.
    pub last: Timestamp,
    /// The OR of the packets' flags as a flow log shows them ([`TcpFlags::as_logged`]).
    pub tcp_flags: TcpFlags,
    /// The OR of the packets' flags as their headers have them.
    pub raw_tcp_flags: TcpFlags,
}

impl FlowCounters {
    /// Nothing counted yet: adding to it gives what was added.
    pub const EMPTY: FlowCounters = FlowCounters {
        packets: 0,
        bytes: 0,
        first: Timestamp::MAX,
        last: Timestamp::MIN,
        tcp_flags: TcpFlags(0),
        raw_tcp_flags: TcpFlags(0),
    };

    /// Counts one packet, with its flags as its header has them.
    #[inline]
    pub fn count(&mut self, time: Timestamp, ip_length: u32, tcp_flags: TcpFlags) {
        self.packets += 1;
        self.bytes += u64::from(ip_length);
        self.first = self.first.min(time);
        self.last = self.last.max(time);
        self.tcp_flags |= tcp_flags.as_logged();
        self.raw_tcp_flags |= tcp_flags;
    }

    /// Adds what was counted elsewhere; in any order, with the same result.
    #[inline]
    pub fn merge(&mut self, other: &FlowCounters) {
        self.packets += other.packets;
        self.bytes += other.bytes;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.tcp_flags |= other.tcp_flags;
        self.raw_tcp_flags |= other.raw_tcp_flags;
    }
}
