//! `inspect`: what is in a capture, and which options of a conversion fit it.

use std::collections::HashMap;
use std::net::IpAddr;

use serde::Serialize;

use super::convert::{names, with_causes};
use super::intake::Intake;
use super::ledger::{CaptureTally, DuplicateSights};
use super::ordered::{Ordered, Sink, Stopped};
use super::{MeterOptions, Progress};
use crate::capture::{CaptureError, CaptureInfo, CaptureInput, MergeStep, MergedCaptures};
use crate::decode::{Tunnels, decode};
use crate::flow::WindowIndex;
use crate::meter::Batch;
use crate::packet::{CapturedPacket, IpPacket, Note, PacketTime, Protocol, Timestamp};

/// How many addresses are counted before the quieter half is forgotten.
const ADDRESSES: usize = 1 << 20;

/// How many talkers are named.
const TALKERS: usize = 10;

/// What is in one capture.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    /// The capture, as it was named.
    pub path: String,
    /// The container: format, compression, interfaces.
    pub container: CaptureInfo,
    /// When its packets were captured.
    pub time: Option<TimeSpan>,
    /// Whether packets are in time order, and if not, how far from it.
    pub out_of_order: Option<OutOfOrder>,
    /// Frame sizes.
    pub sizes: Option<Sizes>,
    /// Traffic by IP protocol, the most packets first.
    pub protocols: Vec<ProtocolTraffic>,
    /// The addresses with the most IP bytes, sent and received.
    pub top_talkers: Vec<AddressTraffic>,
    /// Whether there were too many addresses to count each of them.
    pub top_talkers_are_estimated: bool,
    /// What would become of its packets in a conversion.
    pub ledger: CaptureTally,
    /// Where suspected duplicates were seen.
    pub duplicates: Vec<DuplicateSights>,
    /// Options of `convert` that fit this capture.
    pub suggestions: Vec<Suggestion>,
}

/// The times of the earliest and latest packet.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimeSpan {
    /// The earliest, RFC 3339.
    pub first: String,
    /// The latest, RFC 3339.
    pub last: String,
    /// How far apart they are.
    pub seconds: f64,
}

/// Packets that are earlier than one before them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutOfOrder {
    /// How many.
    pub packets: u64,
    /// The number of the first of them.
    pub first_packet: u64,
    /// Its time, RFC 3339.
    pub first_time: String,
    /// The furthest that any of them is behind the latest packet before it, in seconds.
    pub furthest_behind_seconds: f64,
}

/// Frame sizes on the wire, in bytes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sizes {
    /// The shortest frame.
    pub smallest: u32,
    /// The longest frame.
    pub largest: u32,
    /// The mean, rounded down.
    pub mean: u64,
    /// The most that was captured of a frame.
    pub largest_captured: u32,
}

/// Traffic of one IP protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProtocolTraffic {
    /// Its number.
    pub protocol: u8,
    /// Its name, where it has a common one.
    pub name: Option<&'static str>,
    /// Packets.
    pub packets: u64,
    /// IP bytes.
    pub bytes: u64,
}

/// Traffic of one address, sent and received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AddressTraffic {
    /// The address.
    pub address: IpAddr,
    /// Packets.
    pub packets: u64,
    /// IP bytes.
    pub bytes: u64,
}

/// An option of `convert`, and why it fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    /// As it is typed.
    pub option: String,
    /// Why.
    pub reason: String,
}

/// Reads a capture to its end and says what is in it.
///
/// The second value is why reading ended early, if it did; the inspection holds what came before. `None` where the
/// capture could not be opened at all.
/// After an interruption reading stops; with `read_after_interrupt` it goes on until the input ends, which is its to do
/// soon.
pub fn inspect(
    input: CaptureInput,
    tunnels: Tunnels,
    read_after_interrupt: bool,
    progress: &Progress,
) -> (Option<Inspection>, Option<CaptureError>) {
    let options = MeterOptions { tunnels, ..MeterOptions::default() };
    let mut captures = MergedCaptures::new(vec![input]);
    let mut ordered = Ordered::new(&options, captures.count(), Nowhere);
    let mut intake = Intake::new(&options, false, &names(&captures), &mut ordered);
    let mut survey = Survey::new(tunnels);
    let mut failure = None;
    while (read_after_interrupt || !progress.is_interrupted())
        && let Some(step) = captures.step()
    {
        match step {
            MergeStep::Packet(capture) => {
                let packet = captures.current();
                survey.take(&packet);
                intake.take(capture, &packet, captures.info(capture));
                if intake.hand_over_if_full().is_err() {
                    break;
                }
                if intake.packets().is_multiple_of(4096) {
                    progress.report(intake.packets(), captures.bytes_read());
                }
            }
            MergeStep::Paused => {}
            MergeStep::Failed { capture, error } => {
                intake.failed(capture, with_causes(&error));
                failure = Some(error);
            }
        }
    }
    // a sink that takes nothing does not fail
    let _ = intake.hand_over();
    let taken = intake.into_taken();
    ordered.end();
    let interface = |_: usize, interface: u32| ("this capture".to_owned(), Some(interface.to_string()));
    let (mut ledger, _) = ordered.into_ledger(taken, interface);
    let inspection = captures
        .info(0)
        .zip(ledger.captures.pop())
        .map(|(container, tally)| survey.into_inspection(container.clone(), tally, ledger.duplicates));
    (inspection, failure)
}

/// A sink for a walk that only looks.
struct Nowhere;

impl Sink for Nowhere {
    fn count(&mut self, _: &Batch) -> Result<(), Stopped> {
        Ok(())
    }

    fn close(&mut self, _: WindowIndex) -> Result<(), Stopped> {
        Ok(())
    }
}

/// Packets and IP bytes.
#[derive(Clone, Copy, Default)]
struct Traffic {
    packets: u64,
    bytes: u64,
}

impl Traffic {
    fn add(&mut self, ip_length: u32) {
        self.packets += 1;
        self.bytes += u64::from(ip_length);
    }
}

/// What is gathered while reading.
struct Survey {
    tunnels: Tunnels,
    span: Option<(Timestamp, Timestamp)>,
    out_of_order: Option<(u64, u64, Timestamp, u64)>,
    sizes: Option<(u32, u32, u32)>,
    protocols: HashMap<Protocol, Traffic>,
    addresses: HashMap<IpAddr, Traffic>,
    addresses_forgotten: bool,
    openable: HashMap<Note, u64>,
}

impl Survey {
    fn new(tunnels: Tunnels) -> Self {
        Survey {
            tunnels,
            span: None,
            out_of_order: None,
            sizes: None,
            protocols: HashMap::new(),
            addresses: HashMap::new(),
            addresses_forgotten: false,
            openable: HashMap::new(),
        }
    }

    fn take(&mut self, packet: &CapturedPacket<'_>) {
        if let PacketTime::At(time) = packet.time {
            self.take_time(packet.number, time);
        }
        let captured = u32::try_from(packet.data.len()).unwrap_or(u32::MAX);
        let length = packet.original_length;
        let (smallest, largest, most) = self.sizes.unwrap_or((length, length, captured));
        self.sizes = Some((smallest.min(length), largest.max(length), most.max(captured)));
        if let Ok(ip) = decode(packet, self.tunnels) {
            self.take_ip(packet, &ip);
        }
    }

    fn take_time(&mut self, number: u64, time: Timestamp) {
        let (first, last) = self.span.unwrap_or((time, time));
        if time < last {
            let behind = last.nanos().abs_diff(time.nanos());
            let (packets, first_packet, first_time, furthest) =
                self.out_of_order.unwrap_or((0, number, time, 0));
            self.out_of_order = Some((packets + 1, first_packet, first_time, furthest.max(behind)));
        }
        self.span = Some((first.min(time), last.max(time)));
    }

    fn take_ip(&mut self, packet: &CapturedPacket<'_>, ip: &IpPacket) {
        self.protocols.entry(ip.protocol).or_default().add(ip.ip_length);
        if self.addresses.len() > ADDRESSES {
            self.forget_the_quieter_half();
        }
        self.addresses.entry(ip.srcaddr).or_default().add(ip.ip_length);
        if ip.dstaddr != ip.srcaddr {
            self.addresses.entry(ip.dstaddr).or_default().add(ip.ip_length);
        }
        let may_be_a_tunnel = match ip.protocol {
            Protocol::UDP => matches!(ip.dstport, 4789 | 6081),
            protocol => protocol == Protocol::GRE,
        };
        if may_be_a_tunnel && let Ok(inner) = decode(packet, Tunnels::ALL) {
            for note in [Note::Vxlan, Note::Geneve, Note::Gre] {
                if inner.notes.contains(note) && !ip.notes.contains(note) {
                    *self.openable.entry(note).or_default() += 1;
                }
            }
        }
    }

    fn forget_the_quieter_half(&mut self) {
        self.addresses_forgotten = true;
        let mut bytes: Vec<u64> = self.addresses.values().map(|traffic| traffic.bytes).collect();
        let middle = bytes.len() / 2;
        let (_, median, _) = bytes.select_nth_unstable(middle);
        let median = *median;
        self.addresses.retain(|_, traffic| traffic.bytes > median);
    }

    fn into_inspection(
        self,
        container: CaptureInfo,
        ledger: CaptureTally,
        duplicates: Vec<DuplicateSights>,
    ) -> Inspection {
        let seconds = |nanos: u64| nanos as f64 / 1e9;
        let time = self.span.map(|(first, last)| TimeSpan {
            first: first.to_string(),
            last: last.to_string(),
            seconds: seconds(last.nanos().abs_diff(first.nanos())),
        });
        let out_of_order =
            self.out_of_order.map(|(packets, first_packet, first_time, furthest)| OutOfOrder {
                packets,
                first_packet,
                first_time: first_time.to_string(),
                furthest_behind_seconds: seconds(furthest),
            });
        let sizes = self.sizes.map(|(smallest, largest, largest_captured)| Sizes {
            smallest,
            largest,
            mean: ledger.tally.frame_bytes_read / ledger.tally.packets_read.max(1),
            largest_captured,
        });
        let suggestions = self.suggestions(&ledger, out_of_order.as_ref());
        let mut protocols: Vec<_> = self
            .protocols
            .into_iter()
            .map(|(protocol, Traffic { packets, bytes })| ProtocolTraffic {
                protocol: protocol.0,
                name: protocol.name(),
                packets,
                bytes,
            })
            .collect();
        protocols.sort_by_key(|traffic| (std::cmp::Reverse(traffic.packets), traffic.protocol));
        let mut top_talkers: Vec<_> = self
            .addresses
            .into_iter()
            .map(|(address, Traffic { packets, bytes })| AddressTraffic { address, packets, bytes })
            .collect();
        top_talkers.sort_by_key(|traffic| (std::cmp::Reverse(traffic.bytes), traffic.address));
        top_talkers.truncate(TALKERS);
        Inspection {
            path: ledger.path.clone(),
            container,
            time,
            out_of_order,
            sizes,
            protocols,
            top_talkers,
            top_talkers_are_estimated: self.addresses_forgotten,
            ledger,
            duplicates,
            suggestions,
        }
    }

    /// What a person who knew this capture would type.
    fn suggestions(&self, ledger: &CaptureTally, out_of_order: Option<&OutOfOrder>) -> Vec<Suggestion> {
        let tally = &ledger.tally;
        let mut suggestions = Vec::new();
        let mut suggest = |option: String, reason: String| suggestions.push(Suggestion { option, reason });
        let openable: Vec<_> = [
            (Note::Vxlan, "vxlan", "VXLAN (VPC Traffic Mirroring)"),
            (Note::Geneve, "geneve", "Geneve (Gateway Load Balancer)"),
            (Note::Gre, "gre", "GRE"),
        ]
        .into_iter()
        .filter_map(|(note, word, name)| Some((word, name, *self.openable.get(&note)?)))
        .collect();
        if !openable.is_empty() {
            let words: Vec<_> = openable.iter().map(|(word, _, _)| *word).collect();
            let named: Vec<_> =
                openable.iter().map(|(_, name, packets)| format!("{packets} in {name}")).collect();
            suggest(
                format!("--decap {}", words.join(",")),
                format!("packets inside tunnels: {}; without it the outer packets count", named.join(", ")),
            );
        }
        if tally.suspected_duplicates * 100 > tally.packets_in_records {
            suggest(
                "--dedup".to_owned(),
                format!("{} packets look like second sights of one packet", tally.suspected_duplicates),
            );
        }
        if tally.fragmented_packets > 0 {
            suggest(
                "--fragments track".to_owned(),
                format!(
                    "{} packets are fragments; without it later fragments have ports `0 0`",
                    tally.fragmented_packets
                ),
            );
        }
        if let Some(OutOfOrder { furthest_behind_seconds, .. }) = out_of_order
            && tally.late_packets > 0
            && *furthest_behind_seconds < 86_400.0
        {
            suggest(
                format!("--allowed-lateness {}", furthest_behind_seconds.ceil()),
                format!(
                    "{} packets come more than 10 s after their window; they would get records of their own",
                    tally.late_packets
                ),
            );
        }
        suggestions
    }
}
