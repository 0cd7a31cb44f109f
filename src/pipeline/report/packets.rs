//! The first packets of the captures, read once more: their headers, and what became of each.
//!
//! The conversion has remembered the first packets that it counted, with their places ([`Placed`]). Here the same packets are
//! read again, and each is found among those by its time, its length and its addresses; what is not found among them was
//! skipped.

use super::beginning::Placed;
use super::shown::{Shown, clean};
use crate::capture::{CaptureInfo, CaptureInput, MergeStep, MergedCaptures};
use crate::decode::decode;
use crate::dissect::{Fate, Layer, Part};
use crate::flow::FlowKey;
use crate::packet::{
    CapturedPacket, IcmpType, IpPacket, PacketTime, Protocol, SkipReason, TcpFlags, Timestamp,
};
use crate::pipeline::MeterOptions;
use crate::record::LogFormat;
use crate::report::{Kept, LayerAbout, PacketAbout, PacketFate, PartAbout};

/// How many packets are on a page at most.
pub(super) const PACKETS: usize = 600;

/// How many headers are shown of a packet at most.
const LAYERS: usize = 24;

/// How many bytes of payload are shown of a packet at most, where it is asked for.
const PAYLOAD: usize = 256;

/// A packet that was read again.
pub(super) struct Read {
    /// What is shown of it; of its fate only whether it was skipped.
    pub(super) about: PacketAbout,
    /// Its flow, if it is an IP packet.
    pub(super) flow: Option<FlowKey>,
    pub(super) icmp: Option<IcmpType>,
    /// Its place among the packets that were placed.
    pub(super) placed: Option<usize>,
}

/// How packets are read again.
pub(super) struct Reading<'a> {
    pub(super) meter: &'a MeterOptions,
    pub(super) format: &'a LogFormat,
    pub(super) placed: &'a [Placed],
    pub(super) with_payload: bool,
    pub(super) shown: Shown<'a>,
}

impl Reading<'_> {
    /// Reads the first packets, and what the captures say of themselves.
    pub(super) fn read(&self, inputs: Vec<CaptureInput>) -> (Vec<Read>, Vec<Option<CaptureInfo>>) {
        let mut captures = MergedCaptures::new(inputs);
        let mut used = vec![false; self.placed.len()];
        let mut packets = Vec::new();
        let mut kept = 0;
        while packets.len() < PACKETS
            && self.meter.count.is_none_or(|count| kept < count)
            && let Some(step) = captures.step()
        {
            // what cannot be read has been said by the conversion
            if let MergeStep::Packet(capture) = step {
                let packet = self.packet(capture, &captures.current(), &mut used);
                kept += u64::from(packet.placed.is_some());
                packets.push(packet);
            }
        }
        let infos = (0..captures.count()).map(|capture| captures.info(capture).cloned()).collect();
        (packets, infos)
    }

    fn packet(&self, capture: usize, packet: &CapturedPacket<'_>, used: &mut [bool]) -> Read {
        let decoded = decode(packet, self.meter.tunnels);
        let time = match packet.time {
            PacketTime::At(time) => Some(time),
            PacketTime::Missing | PacketTime::OutOfRange => None,
        };
        let ip = decoded.as_ref().ok();
        let placed = time.zip(ip).and_then(|(time, ip)| self.place(time, ip, used));
        let skipped = match (packet.time, &decoded) {
            (PacketTime::Missing, _) => Some(SkipReason::NoTimestamp),
            (PacketTime::OutOfRange, _) => Some(SkipReason::TimestampOutOfRange),
            (_, Err(reason)) => Some(*reason),
            (PacketTime::At(time), Ok(ip)) => {
                let unwanted = self.meter.unwanted(time, ip);
                unwanted.or((placed.is_none() && self.meter.dedup).then_some(SkipReason::Duplicate))
            }
        };
        let fate = skipped.map_or(PacketFate::NotFollowed, fate_of);
        let layers = self.layers(packet, ip);
        Read {
            about: PacketAbout {
                number: packet.number,
                capture,
                time,
                flow: self.flow(ip, &layers),
                ip_length: ip.map(|ip| ip.ip_length),
                frame_length: packet.original_length,
                flags: ip
                    .filter(|ip| ip.protocol == Protocol::TCP)
                    .map_or_else(String::new, |ip| flags(ip.tcp_flags)),
                fate,
                layers,
            },
            flow: ip.map(FlowKey::from),
            icmp: ip.and_then(|ip| ip.icmp),
            placed,
        }
    }

    /// The first packet that was placed, looks like this one, and was not yet found.
    fn place(&self, time: Timestamp, ip: &IpPacket, used: &mut [bool]) -> Option<usize> {
        let is_it = |placed: &Placed| {
            let observation = &placed.observation;
            let flow = observation.key.flow;
            // ports of later fragments may have been found out
            (observation.time, observation.ip_length) == (time, ip.ip_length)
                && (flow.srcaddr, flow.dstaddr, flow.protocol) == (ip.srcaddr, ip.dstaddr, ip.protocol)
                && ((flow.srcport, flow.dstport) == (ip.srcport, ip.dstport)
                    || (ip.srcport, ip.dstport) == (0, 0))
        };
        let at = self.placed.iter().zip(used.iter()).position(|(placed, used)| !used && is_it(placed))?;
        if let Some(used) = used.get_mut(at) {
            *used = true;
        }
        Some(at)
    }

    /// The flow; of what is no IP packet, its innermost header.
    fn flow(&self, ip: Option<&IpPacket>, layers: &[LayerAbout]) -> String {
        match ip {
            Some(ip) => self.shown.flow(&FlowKey::from(ip)),
            None => {
                let header =
                    layers.iter().rfind(|layer| layer.parts.iter().any(|part| is_told_apart(part.name)));
                format!("not IP: {}", header.map_or("no header", |layer| layer.name))
            }
        }
    }

    fn layers(&self, packet: &CapturedPacket<'_>, ip: Option<&IpPacket>) -> Vec<LayerAbout> {
        let (layers, data) = self.shown.layers(packet, ip);
        let part = |part: &Part| {
            let bytes = data.get(part.bytes.clone()).unwrap_or_default();
            let columns: Vec<usize> = (part.fate.fields().iter())
                .filter_map(|field| self.format.fields().iter().position(|column| column == field))
                .collect();
            PartAbout {
                name: part.name,
                offset: part.bytes.start,
                length: part.bytes.len(),
                value: part.value.as_deref().map(clean),
                bytes: match is_told_apart(part.name) {
                    _ if part.hidden => String::new(),
                    true => hexadecimal(bytes),
                    false if self.with_payload => hexadecimal(bytes.get(..PAYLOAD).unwrap_or(bytes)),
                    false => String::new(),
                },
                kept: match part.fate {
                    Fate::Kept(_) if !columns.is_empty() => Kept::Whole,
                    Fate::Summed(_) if !columns.is_empty() => Kept::Summed,
                    Fate::Steers => Kept::Steers,
                    Fate::Kept(_) | Fate::Summed(_) | Fate::Lost => Kept::Lost,
                },
                columns,
            }
        };
        let about = |layer: &Layer| LayerAbout {
            name: layer.name,
            counted: layer.counted,
            parts: layer.parts.iter().map(part).collect(),
        };
        let Some((first, last)) = layers.split_at_checked(LAYERS / 2).filter(|_| layers.len() > LAYERS)
        else {
            return layers.iter().map(about).collect();
        };
        // a packet of nothing but tags: its beginning, and its end, which is counted
        let last = last.get(last.len().saturating_sub(LAYERS / 2)..).unwrap_or_default();
        let more = LayerAbout { name: "more headers, not shown", counted: false, parts: Vec::new() };
        first.iter().map(about).chain([more]).chain(last.iter().map(about)).collect()
    }
}

/// Whether a part is a header field. All others are bytes that nobody takes apart: payload, and what is as private as it.
fn is_told_apart(name: &str) -> bool {
    !matches!(name, "bytes" | "padding or checksum")
}

/// A packet that was skipped.
pub(super) fn fate_of(reason: SkipReason) -> PacketFate {
    PacketFate::Skipped { reason: reason.to_string(), meaning: reason.explanation().to_owned() }
}

/// Two digits a byte.
fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The flags' names.
fn flags(flags: TcpFlags) -> String {
    const NAMES: [&str; 8] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];
    let set = NAMES.iter().enumerate().filter(|(bit, _)| u32::from(flags.0) >> bit & 1 == 1);
    set.map(|(_, name)| *name).collect::<Vec<_>>().join(" ")
}
