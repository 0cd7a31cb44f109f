//! The reading side of the walk over all packets: what of each packet can be said by itself.
//!
//! For each packet: count it as read, decode it, judge it by time and filter, name the point where it was seen, pack
//! its key. What depends on who came first is left to [`Ordered`](super::ordered::Ordered), which gets the packets in
//! read order, [`BATCH`] at a time, on this thread or on another.
//!
//! If you change this: a common packet of a plain conversion is taken by [`Intake::take`] without being put together
//! in memory anywhere; whatever is rare stands behind a call that is not inlined.

use std::net::IpAddr;

use super::MeterOptions;
use super::ledger::CaptureTally;
use super::options::direction_by;
use super::ordered::Stopped;
use super::partials::PartialSights;
use super::points::Points;
use super::vpc::InterfacesSeen;
use crate::capture::{CaptureInfo, TakePacket};
use crate::decode::{CommonPacket, common_ipv4, common_ipv6, decode_uncommon};
use crate::flow::{FlowKey, MeteringKey, ObservationPoint};
use crate::meter::{Family, PackedKey, PackedV4, PackedV6, Sighting, Sightings};
use crate::packet::{CapturedPacket, Fragment, PacketDirection, PacketTime, SkipReason, Timestamp};

/// How many packets are handed over together.
pub(super) const BATCH: usize = 1024;

/// Where packets go in read order.
pub(super) trait Taker {
    /// Takes packets and gives empty memory for further ones.
    fn take(&mut self, sightings: Sightings) -> Result<Sightings, Stopped>;

    /// How many packets taken go into records, as far as that is known at once.
    fn kept(&self) -> u64;
}

/// What was read of a capture.
struct Reading {
    tally: CaptureTally,
    first: Timestamp,
    last: Timestamp,
}

/// What was read, once reading has ended.
pub(super) struct Taken {
    /// Each capture's part that is known from reading.
    pub(super) captures: Vec<CaptureTally>,
    /// The points where packets were seen.
    pub(super) points: Points,
}

/// The reading side's state.
pub(super) struct Intake<'a, T> {
    options: &'a MeterOptions,
    /// Whether every IP packet counts, under its flow alone.
    is_plain: bool,
    with_direction: bool,
    taker: T,
    sightings: Sightings,
    points: Points,
    readings: Vec<Reading>,
    packets: u64,
    /// Whether every IP packet counts, under its flow and the interfaces of a VPC.
    is_plain_with_vpc: bool,
    /// Looks for the interfaces of a VPC, if there is one.
    interfaces: Option<Box<InterfacesSeen>>,
    /// Fills the keys of partial records, if those are asked for.
    partials: Option<Box<PartialSights>>,
}

impl<'a, T: Taker> Intake<'a, T> {
    /// The reading side for captures of these names.
    pub(super) fn new(options: &'a MeterOptions, with_direction: bool, names: &[String], taker: T) -> Self {
        let reading = |path: &String| Reading {
            tally: CaptureTally { path: path.clone(), ..CaptureTally::default() },
            first: Timestamp::MAX,
            last: Timestamp::MIN,
        };
        Intake {
            options,
            is_plain: options.wants_all() && !with_direction,
            with_direction,
            taker,
            sightings: Sightings::default(),
            points: Points::default(),
            readings: names.iter().map(reading).collect(),
            packets: 0,
            is_plain_with_vpc: false,
            interfaces: None,
            partials: None,
        }
    }

    /// The same with keys that say between which interfaces of a VPC a packet went, and of which ICMP type it is.
    pub(super) fn looking_for(self, interfaces: Option<InterfacesSeen>) -> Self {
        Intake {
            is_plain: self.is_plain && interfaces.is_none(),
            is_plain_with_vpc: self.is_plain && interfaces.is_some(),
            interfaces: interfaces.map(Box::new),
            ..self
        }
    }

    /// The same with keys as partial records have them.
    pub(super) fn telling(self, partials: Option<PartialSights>) -> Self {
        Intake { partials: partials.map(Box::new), ..self }
    }

    /// Packets read so far.
    pub(super) fn packets(&self) -> u64 {
        self.packets
    }

    /// How many packets may be taken before they have to be handed over; 0 once as many go into records as were asked
    /// for.
    pub(super) fn room(&self) -> usize {
        let batch = match self.options.count {
            None => BATCH,
            // the last packet that is asked for has to be known when it is read
            Some(count) => {
                let wanted = count.saturating_sub(self.taker.kept());
                usize::try_from(wanted).map_or(BATCH, |wanted| wanted.min(BATCH))
            }
        };
        batch.saturating_sub(self.sightings.len())
    }

    /// Takes the next packet. There must be [`room`](Self::room).
    #[inline(always)]
    pub(super) fn take(&mut self, capture: usize, packet: &CapturedPacket<'_>, info: Option<&CaptureInfo>) {
        self.packets += 1;
        let Some(Reading { tally: CaptureTally { tally, .. }, first, last }) = self.readings.get_mut(capture)
        else {
            return;
        };
        tally.read(packet.original_length, packet.data.len());
        let PacketTime::At(time) = packet.time else {
            tally.skip(match packet.time {
                PacketTime::OutOfRange => SkipReason::TimestampOutOfRange,
                _ => SkipReason::NoTimestamp,
            });
            return;
        };
        *first = (*first).min(time);
        *last = (*last).max(time);
        if self.is_plain {
            if let Some(common) = common_ipv4(packet, self.options.tunnels) {
                let CommonPacket { srcaddr, dstaddr, protocol, srcport, dstport, .. } = common;
                let key = PackedV4::plain(srcaddr, dstaddr, protocol, srcport, dstport);
                let point = self.points.of(capture, packet.interface, packet.direction);
                self.sightings.push_v4(key, sighting(capture, time, point, &common));
                return;
            }
            if let Some(common) = common_ipv6(packet, self.options.tunnels) {
                let CommonPacket { srcaddr, dstaddr, protocol, srcport, dstport, .. } = common;
                let key = PackedV6::plain(srcaddr, dstaddr, protocol, srcport, dstport);
                let point = self.points.of(capture, packet.interface, packet.direction);
                self.sightings.push_v6(key, sighting(capture, time, point, &common));
                return;
            }
        }
        // a copy, so that the packet itself need not be in memory
        self.take_any(capture, &{ *packet }, info, time);
    }

    /// Takes a packet of whatever kind, which is counted as read already.
    #[inline(never)]
    fn take_any(
        &mut self,
        capture: usize,
        packet: &CapturedPacket<'_>,
        info: Option<&CaptureInfo>,
        time: Timestamp,
    ) {
        let options = self.options;
        if let Some(interfaces) = &mut self.interfaces {
            interfaces.note_losses(capture, info, Some(time), options, &mut self.sightings.lost);
            if self.is_plain_with_vpc
                && let Some(common) = common_ipv4(packet, options.tunnels)
            {
                let CommonPacket { srcaddr, dstaddr, protocol, srcport, dstport, .. } = common;
                let seen = interfaces.point(capture, packet, common.notes, common.ip_offset);
                let key = PackedV4::plain(srcaddr, dstaddr, protocol, srcport, dstport).with_point(seen);
                let point = self.points.of(capture, packet.interface, packet.direction);
                self.sightings.push_v4(key, sighting(capture, time, point, &common));
                return;
            }
        }
        if let Some(partials) = &mut self.partials
            && options.wants_all()
            && let Some(common) = common_ipv4(packet, options.tunnels)
        {
            let CommonPacket { srcaddr, dstaddr, protocol, srcport, dstport, .. } = common;
            let addresses = (srcaddr.into(), dstaddr.into());
            let key = PackedV4::plain(srcaddr, dstaddr, protocol, srcport, dstport)
                .with_direction(direction(options, packet, info, addresses, packet.direction))
                .with_point(partials.point(capture, packet.interface, info));
            let point = self.points.of(capture, packet.interface, packet.direction);
            self.sightings.push_v4(key, sighting(capture, time, point, &common));
            return;
        }
        let decoded = match self.is_plain {
            true => decode_uncommon(packet, options.tunnels),
            false => crate::decode::decode(packet, options.tunnels),
        };
        let wanted =
            decoded.map_err(|reason| (reason, None)).and_then(|ip| match options.unwanted(time, &ip) {
                Some(unwanted) => Err((unwanted, Some(ip.ip_length))),
                None => Ok(ip),
            });
        match wanted {
            Ok(ip) => {
                let mut key = MeteringKey::from(FlowKey::from(&ip));
                if self.with_direction {
                    let addresses = (ip.srcaddr, ip.dstaddr);
                    key.direction = direction(options, packet, info, addresses, ip.direction);
                }
                if let Some(partials) = &mut self.partials {
                    key.point = partials.point(capture, packet.interface, info);
                    key.icmp = ip.icmp.filter(|_| partials.keys().icmp);
                }
                if let Some(interfaces) = &mut self.interfaces {
                    key.point = interfaces.point(capture, packet, ip.notes, ip.ip_offset);
                    key.icmp = ip.icmp;
                }
                let sighting = Sighting {
                    time,
                    fingerprint: ip.fingerprint,
                    fragment: ip.fragment,
                    ip_length: ip.ip_length,
                    capture: capture as u32,
                    point: self.points.of(capture, packet.interface, ip.direction),
                    notes: ip.notes,
                    tcp_flags: ip.tcp_flags,
                    family: Family::Skipped,
                };
                self.sightings.push(&key, sighting);
            }
            Err((reason, ip_length)) => {
                if let Some(Reading { tally: CaptureTally { tally, .. }, .. }) =
                    self.readings.get_mut(capture)
                {
                    match ip_length {
                        Some(ip_length) => tally.skip_ip(reason, ip_length),
                        None => tally.skip(reason),
                    }
                }
                self.sightings.push_skipped(capture as u32, time);
            }
        }
    }

    /// Hands over what was taken if there is no more room.
    #[inline]
    pub(super) fn hand_over_if_full(&mut self) -> Result<(), Stopped> {
        if self.room() == 0 { self.hand_over() } else { Ok(()) }
    }

    /// Hands over what was taken: to be called before a read that may take long, and at the end.
    #[inline(never)]
    pub(super) fn hand_over(&mut self) -> Result<(), Stopped> {
        if self.sightings.len() > 0 || !self.sightings.lost.is_empty() {
            self.sightings = self.taker.take(std::mem::take(&mut self.sightings))?;
        }
        Ok(())
    }

    /// All captures have ended: what they say behind their last packet is looked at once more.
    #[inline(never)]
    pub(super) fn ended<'b>(&mut self, infos: impl Iterator<Item = Option<&'b CaptureInfo>>) {
        if let Some(interfaces) = &mut self.interfaces {
            for (capture, info) in infos.enumerate() {
                interfaces.note_losses(capture, info, None, self.options, &mut self.sightings.lost);
            }
        }
    }

    /// A capture ended early.
    pub(super) fn failed(&mut self, capture: usize, error: String) {
        if let Some(reading) = self.readings.get_mut(capture) {
            reading.tally.error = Some(error);
        }
    }

    /// What was read.
    pub(super) fn into_taken(self) -> Taken {
        let capture = |reading: Reading| {
            let Reading { tally, first, last } = reading;
            let (first, last) = (first <= last).then_some((first, last)).unzip();
            CaptureTally {
                first_packet: first.map(|time| time.to_string()),
                last_packet: last.map(|time| time.to_string()),
                ..tally
            }
        };
        Taken { captures: self.readings.into_iter().map(capture).collect(), points: self.points }
    }
}

impl<T: Taker> TakePacket for Intake<'_, T> {
    #[inline(always)]
    fn take_packet(&mut self, capture: usize, packet: &CapturedPacket<'_>, info: &CaptureInfo) {
        self.take(capture, packet, Some(info));
    }
}

/// Which way a packet passed the interface: by the addresses that were given, else by what the packet's own record says,
/// else by the addresses that the capture names.
fn direction(
    options: &MeterOptions,
    packet: &CapturedPacket<'_>,
    info: Option<&CaptureInfo>,
    addresses: (IpAddr, IpAddr),
    own: PacketDirection,
) -> PacketDirection {
    if let Some(direction) = options.direction(addresses) {
        return direction;
    }
    if own != PacketDirection::Unknown {
        return own;
    }
    match info.and_then(|info| info.interfaces.get(packet.interface as usize)) {
        Some(interface) if !interface.addresses.is_empty() => {
            direction_by(addresses, |address| interface.addresses.iter().any(|own| own.address == address))
        }
        _ => PacketDirection::Unknown,
    }
}

/// What the steps behind ask for of a common packet.
#[inline(always)]
fn sighting<A>(
    capture: usize,
    time: Timestamp,
    point: ObservationPoint,
    common: &CommonPacket<A>,
) -> Sighting {
    Sighting {
        time,
        fingerprint: common.fingerprint,
        fragment: Fragment::Whole,
        ip_length: common.ip_length,
        // as many captures as that do not fit the memory
        capture: capture as u32,
        point,
        notes: common.notes,
        tcp_flags: common.tcp_flags,
        family: Family::Skipped,
    }
}
