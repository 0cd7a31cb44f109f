//! The packets of captures that a comparison is about, one after another.

use crate::capture::{CaptureError, CaptureInput, MergeStep, MergedCaptures};
use crate::decode::decode;
use crate::packet::{CapturedPacket, IpPacket, PacketTime, SkipReason, Timestamp};
use crate::pipeline::convert::names;
use crate::pipeline::{MeterOptions, Progress, Tally};

/// After how many packets progress is reported.
const REPORT_EVERY: u64 = 4096;

/// What a walk came to.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub(super) names: Vec<String>,
    /// What became of every packet.
    pub(super) tally: Tally,
    /// The first and last second of all packets in the time that is asked for, IP or not.
    pub(super) span: Option<(i64, i64)>,
    pub(super) failures: Vec<CaptureError>,
}

/// Reads captures as one and hands on each packet that would be in a record, with its second.
pub(super) fn walk(
    inputs: Vec<CaptureInput>,
    options: &MeterOptions,
    progress: &Progress,
    mut each: impl FnMut(&CapturedPacket<'_>, &IpPacket, i64),
) -> Walked {
    let mut captures = MergedCaptures::new(inputs);
    let mut walked = Walked { names: names(&captures), ..Walked::default() };
    let mut packets = 0u64;
    while !progress.is_interrupted()
        && let Some(step) = captures.step()
    {
        match step {
            MergeStep::Packet(_) => {
                packets += 1;
                let packet = captures.current();
                if let Some((ip, second)) = walked.take(&packet, options) {
                    each(&packet, &ip, second);
                }
                if packets.is_multiple_of(REPORT_EVERY) {
                    progress.report(packets, captures.bytes_read());
                }
            }
            MergeStep::Paused => {}
            MergeStep::Failed { error, .. } => walked.failures.push(error),
        }
    }
    progress.report(packets, captures.bytes_read());
    walked
}

impl Walked {
    #[inline]
    fn take(&mut self, packet: &CapturedPacket<'_>, options: &MeterOptions) -> Option<(IpPacket, i64)> {
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
        }
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
        Some((ip, second))
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
