//! What a conversion is asked to do, settled and checked.

use std::collections::HashSet;
use std::net::IpAddr;

use crate::decode::Tunnels;
use crate::filter::Filter;
use crate::flow::{AggregationInterval, Windows};
use crate::packet::{IpPacket, PacketDirection, SkipReason, Timestamp};
use crate::record::{FlowRecord, LogFormat};

/// What windows are aligned to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WindowOrigin {
    /// 1970-01-01T00:00:00Z.
    #[default]
    Epoch,
    /// The time of the first packet read.
    FirstPacket,
    /// This time.
    At(Timestamp),
}

/// What a later fragment, which has no ports of its own, is counted under.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fragments {
    /// Ports `0 0`.
    #[default]
    Zero,
    /// The ports of its first fragment, where that is found.
    Track,
}

/// How packets are read and metered.
#[derive(Clone, Debug)]
pub struct MeterOptions {
    /// How long packets are gathered into one record.
    pub interval: AggregationInterval,
    /// What windows are aligned to.
    pub origin: WindowOrigin,
    /// How long after a window's end packets may still come for it, in nanoseconds of packet time.
    pub allowed_lateness: u64,
    /// Which tunnels are opened.
    pub tunnels: Tunnels,
    /// What becomes of later fragments.
    pub fragments: Fragments,
    /// Whether the second sight of a packet is skipped.
    pub dedup: bool,
    /// How far apart two sights of one packet may be, in nanoseconds.
    pub duplicate_window: u64,
    /// Which packets count; all, if `None`.
    pub filter: Option<Filter>,
    /// Packets before this are skipped.
    pub from: Option<Timestamp>,
    /// Packets at or after this are skipped.
    pub until: Option<Timestamp>,
    /// Reading ends after so many packets that go into records.
    pub count: Option<u64>,
    /// The addresses of the interface that the log is of: they tell the direction of a flow.
    pub interface_addresses: HashSet<IpAddr>,
    /// How much memory may be used, in bytes. Flows that do not fit are kept in a temporary file, at no loss.
    pub memory_limit: Option<u64>,
    /// Worker threads: with 1, everything runs on the calling thread.
    pub threads: usize,
}

impl Default for MeterOptions {
    fn default() -> Self {
        MeterOptions {
            interval: AggregationInterval::DEFAULT,
            origin: WindowOrigin::Epoch,
            allowed_lateness: 10_000_000_000,
            tunnels: Tunnels::default(),
            fragments: Fragments::Zero,
            dedup: false,
            duplicate_window: 10_000_000,
            filter: None,
            from: None,
            until: None,
            count: None,
            interface_addresses: HashSet::new(),
            memory_limit: None,
            threads: 1,
        }
    }
}

impl MeterOptions {
    /// What is left for flow tables, in bytes, beside buffers and the memory of recent packets.
    pub(super) fn table_memory(&self) -> usize {
        const BESIDE: u64 = 32 << 20;
        let tables = |limit: u64| usize::try_from(limit.saturating_sub(BESIDE).max(limit / 4));
        self.memory_limit.map_or(usize::MAX, |limit| tables(limit).unwrap_or(usize::MAX))
    }

    /// Whether every IP packet is asked for.
    pub(super) fn wants_all(&self) -> bool {
        self.from.is_none() && self.until.is_none() && self.filter.is_none()
    }

    /// Which way a packet between these addresses passed the interface, by the addresses that were given; `None` where
    /// none were.
    pub(super) fn direction(&self, addresses: (IpAddr, IpAddr)) -> Option<PacketDirection> {
        let given = &self.interface_addresses;
        (!given.is_empty()).then(|| direction_by(addresses, |address| given.contains(&address)))
    }

    /// Why an IP packet is not asked for, if it is not.
    #[inline]
    pub(super) fn unwanted(&self, time: Timestamp, ip: &IpPacket) -> Option<SkipReason> {
        if self.from.is_some_and(|from| time < from) {
            Some(SkipReason::BeforeFrom)
        } else if self.until.is_some_and(|until| time >= until) {
            Some(SkipReason::AfterUntil)
        } else if self.filter.as_ref().is_some_and(|filter| !filter.matches(ip)) {
            Some(SkipReason::Filtered)
        } else {
            None
        }
    }

    /// The windows, given the first packet's time.
    pub(super) fn windows(&self, first: Timestamp) -> Windows {
        let origin = match self.origin {
            WindowOrigin::Epoch => Timestamp::from_nanos(0),
            WindowOrigin::FirstPacket => first,
            WindowOrigin::At(time) => time,
        };
        Windows::new(self.interval, origin)
    }
}

/// Which way a packet went, by which of its source and its destination is the interface's own.
pub(super) fn direction_by(
    (srcaddr, dstaddr): (IpAddr, IpAddr),
    is_own: impl Fn(IpAddr) -> bool,
) -> PacketDirection {
    match (is_own(srcaddr), is_own(dstaddr)) {
        (true, false) => PacketDirection::Outbound,
        (false, true) => PacketDirection::Inbound,
        _ => PacketDirection::Unknown,
    }
}

/// How records are written.
#[derive(Clone, Debug)]
pub struct RecordOptions {
    /// Which fields, in which order.
    pub format: LogFormat,
    /// Whether AWS's header line comes first.
    pub header: bool,
    /// The identity that every record shares: account-id, interface-id and the like.
    pub identity: FlowRecord,
}
