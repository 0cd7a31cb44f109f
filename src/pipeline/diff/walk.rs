//! The packets of captures that a comparison is about, one after another.

use std::net::IpAddr;

use crate::capture::{
    CaptureError, CaptureInfo, CaptureInput, InterfaceInfo, MergeStep, MergedCaptures, TakePacket,
};
use crate::decode::{CommonPacket, common_ipv4, common_ipv6, decode};
use crate::flow::FlowKey;
use crate::packet::{CapturedPacket, Notes, PacketTime, SkipReason, TcpFlags, Timestamp};
use crate::pipeline::convert::names;
use crate::pipeline::{MeterOptions, Progress, Tally};

/// How many packets are taken between two looks at progress and interruption.
const AT_ONCE: usize = 4096;

/// What a walk came to.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub(super) names: Vec<String>,
    /// What became of every packet.
    pub(super) tally: Tally,
    /// The first and last second of all packets in the time that is asked for, IP or not.
    pub(super) span: Option<(i64, i64)>,
    pub(super) failures: Vec<CaptureError>,
    /// Packets that the captures say they lost.
    pub(super) lost: u64,
}

/// What a packet says of its flow.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub(super) key: FlowKey,
    /// The second in which it was captured, since 1970.
    pub(super) second: i64,
    /// IP length in bytes.
    pub(super) ip_length: u32,
    /// Its flags as a flow log shows them.
    pub(super) flags: TcpFlags,
}

impl Seen {
    #[inline(always)]
    fn common<A: Into<IpAddr>>(common: CommonPacket<A>, second: i64) -> (Seen, Notes) {
        let CommonPacket { srcport, dstport, protocol, ip_length, tcp_flags, notes, .. } = common;
        let (srcaddr, dstaddr) = (common.srcaddr.into(), common.dstaddr.into());
        let key = FlowKey { srcaddr, dstaddr, protocol, srcport, dstport };
        (Seen { key, second, ip_length, flags: tcp_flags.as_logged() }, notes)
    }
}

/// Takes each packet that would be in a record.
pub(super) trait TakeSeen {
    fn take_seen(&mut self, packet: &CapturedPacket<'_>, seen: &Seen);
}

/// Takes packets as they are read.
struct Walk<'a, T> {
    walked: Walked,
    options: &'a MeterOptions,
    taker: &'a mut T,
    packets: u64,
}

impl<T: TakeSeen> TakePacket for Walk<'_, T> {
    #[inline(always)]
    fn take_packet(&mut self, _: usize, packet: &CapturedPacket<'_>, _: &CaptureInfo) {
        self.take(packet);
    }
}

impl<T: TakeSeen> Walk<'_, T> {
    #[inline(always)]
    fn take(&mut self, packet: &CapturedPacket<'_>) {
        self.packets += 1;
        if let Some(seen) = self.walked.take(packet, self.options) {
            self.taker.take_seen(packet, &seen);
        }
    }
}

/// Reads captures as one and hands on each packet that would be in a record.
pub(super) fn walk(
    inputs: Vec<CaptureInput>,
    options: &MeterOptions,
    progress: &Progress,
    taker: &mut impl TakeSeen,
) -> Walked {
    let mut captures = MergedCaptures::new(inputs).reading_ahead(options.threads > 1);
    let walked = Walked { names: names(&captures), ..Walked::default() };
    let mut walk = Walk { walked, options, taker, packets: 0 };
    while !progress.is_interrupted()
        && let Some(step) = captures.step()
    {
        match step {
            MergeStep::Packet(_) => walk.take(&captures.current()),
            MergeStep::Paused => {}
            MergeStep::Failed { error, .. } => walk.walked.failures.push(error),
        }
        captures.each_at_hand(AT_ONCE, &mut walk);
        progress.report(walk.packets, captures.bytes_read());
    }
    walk.walked.lost = lost(&captures);
    walk.walked
}

/// What the captures say that they lost.
fn lost(captures: &MergedCaptures) -> u64 {
    let infos = (0..captures.count()).filter_map(|capture| captures.info(capture));
    infos.flat_map(|info| &info.interfaces).map(InterfaceInfo::lost).fold(0, u64::saturating_add)
}

impl Walked {
    #[inline(always)]
    fn take(&mut self, packet: &CapturedPacket<'_>, options: &MeterOptions) -> Option<Seen> {
        let tally = &mut self.tally;
        tally.read(packet.original_length, packet.data.len());
        let time = match packet.time {
            PacketTime::At(time) => time,
            PacketTime::Missing => {
                tally.skip(SkipReason::NoTimestamp);
                return None;
            }
            PacketTime::OutOfRange => {
                tally.skip(SkipReason::TimestampOutOfRange);
                return None;
            }
        };
        let out_of_time = out_of_time(time, options);
        let second = time.seconds();
        if out_of_time.is_none() {
            let (first, last) = self.span.unwrap_or((second, second));
            self.span = Some((first.min(second), last.max(second)));
            if options.filter.is_none() {
                let common = match common_ipv4(packet, options.tunnels) {
                    Some(common) => Some(Seen::common(common, second)),
                    None => common_ipv6(packet, options.tunnels).map(|common| Seen::common(common, second)),
                };
                if let Some((seen, notes)) = common {
                    tally.keep(seen.ip_length, notes);
                    return Some(seen);
                }
            }
        }
        self.take_any(packet, second, out_of_time, options)
    }

    /// Takes a packet of whatever kind.
    #[inline(never)]
    fn take_any(
        &mut self,
        packet: &CapturedPacket<'_>,
        second: i64,
        out_of_time: Option<SkipReason>,
        options: &MeterOptions,
    ) -> Option<Seen> {
        let tally = &mut self.tally;
        let ip = match decode(packet, options.tunnels) {
            Ok(ip) => ip,
            Err(reason) => {
                tally.skip(reason);
                return None;
            }
        };
        let filtered = options.filter.as_ref().is_some_and(|filter| !filter.matches(&ip));
        if let Some(reason) = out_of_time.or(filtered.then_some(SkipReason::Filtered)) {
            tally.skip_ip(reason, ip.ip_length);
            return None;
        }
        tally.keep(ip.ip_length, ip.notes);
        let flags = ip.tcp_flags.as_logged();
        Some(Seen { key: FlowKey::from(&ip), second, ip_length: ip.ip_length, flags })
    }
}

fn out_of_time(time: Timestamp, options: &MeterOptions) -> Option<SkipReason> {
    if options.from.is_some_and(|from| time < from) {
        Some(SkipReason::BeforeFrom)
    } else if options.until.is_some_and(|until| time >= until) {
        Some(SkipReason::AfterUntil)
    } else {
        None
    }
}
