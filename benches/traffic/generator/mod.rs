//! Synthetic traffic, packet by packet in time order, from a seed.
//!
//! 1. [`Plan`] says what is wanted; [`generate`] hands it to one of three kinds of traffic.
//! 2. A kind decides which flow sends when, and how much.
//! 3. [`frame`] makes a frame of it, [`container`] puts the frame into a record.
//!
//! Packets of one flow are numbered, and the number goes into what tells packets apart (IPv4 identification, TCP
//! sequence number, the first payload bytes), so that no two packets look like two sights of one. Everything begins
//! on a day's first second, so that what fits one window is in one. IPv4 header checksums are right, those of the
//! transport headers are 0, as offload leaves them.

mod container;
mod frame;
mod mix;

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};

use clap::ValueEnum;
use serde::Serialize;

use container::CaptureWriter;
use frame::{Frame, Transport, flags};

/// 2025-11-25T00:00:00Z in microseconds.
const START: u64 = 1_764_028_800_000_000;

/// What traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Frames of 64 bytes, TCP and UDP over IPv4, every flow as likely as any other.
    Small,
    /// Conversations of very different sizes: IPv4 and IPv6, TCP, UDP and ICMP, some with a VLAN tag.
    Mix,
    /// SYNs in frames of 60 bytes to one server, each from another address and port.
    #[value(name = "synflood")]
    SynFlood,
}

/// What is to be generated.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What traffic.
    pub kind: Kind,
    /// How many packets.
    pub packets: u64,
    /// How many flows, both directions counted; `synflood` does not ask.
    pub flows: u32,
    /// Over how many seconds the packets are spread.
    pub seconds: u64,
    /// The seed.
    pub seed: u64,
    /// pcapng instead of pcap.
    pub pcapng: bool,
}

impl Plan {
    /// The usual amount of this kind.
    pub fn new(kind: Kind) -> Self {
        let (packets, flows, seconds) = match kind {
            Kind::Small => (10_000_000, 100_000, 300),
            Kind::Mix => (1_700_000, 72_000, 300),
            Kind::SynFlood => (5_000_000, 5_000_000, 60),
        };
        Plan { kind, packets, flows, seconds, seed: 1, pcapng: false }
    }

    /// When a packet is sent whose turn is spread evenly, in microseconds.
    fn even_time(&self, packet: u64) -> u64 {
        START + (u128::from(packet) * u128::from(self.seconds) * 1_000_000 / u128::from(self.packets)) as u64
    }
}

/// What was generated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Packets.
    pub packets: u64,
    /// The sum of the IP lengths.
    pub ip_bytes: u64,
    /// Directional 5-tuples that sent a packet.
    pub flows: u64,
    /// The size of the capture in bytes.
    pub capture_bytes: u64,
}

/// Generates a capture.
///
/// # Errors
/// The capture cannot be written, or there are fewer packets than conversations.
pub fn generate(plan: &Plan, output: impl Write) -> io::Result<Totals> {
    let mut capture = CaptureWriter::new(output, plan.pcapng)?;
    let mut random = Random(plan.seed);
    let flows = match plan.kind {
        Kind::Small => small(plan, &mut random, &mut capture)?,
        Kind::Mix => mix::mix(plan, &mut random, &mut capture)?,
        Kind::SynFlood => syn_flood(plan, &mut random, &mut capture)?,
    };
    capture.finish(flows)
}

/// A flow of `small`.
struct Flow {
    destination: Ipv4Addr,
    ports: [u16; 2],
    is_tcp: bool,
    sent: u32,
}

fn small(plan: &Plan, random: &mut Random, capture: &mut CaptureWriter<impl Write>) -> io::Result<u64> {
    const FRAME: usize = 64;
    let mut flows: Vec<Flow> = (0..plan.flows)
        .map(|_| Flow {
            destination: Ipv4Addr::from_bits(0xc612_0000 | random.below(1 << 17) as u32),
            ports: [random.port(), random.port()],
            is_tcp: random.chance(70),
            sent: 0,
        })
        .collect();
    for packet in 0..plan.packets {
        let index = random.below(u64::from(plan.flows)) as usize;
        let Some(flow) = flows.get_mut(index) else { break };
        flow.sent += 1;
        let flags = if flow.sent == 1 { flags::SYN } else { flags::ACK };
        let frame = Frame {
            vlan: None,
            source: host(index as u32),
            destination: flow.destination.into(),
            transport: match flow.is_tcp {
                true => Transport::Tcp { ports: flow.ports, flags },
                false => Transport::Udp { ports: flow.ports },
            },
            number: flow.sent,
            payload: &[0; FRAME],
        };
        capture.packet(plan.even_time(packet), &frame.sized(FRAME), 0)?;
    }
    Ok(flows.iter().filter(|flow| flow.sent > 0).count() as u64)
}

fn syn_flood(plan: &Plan, random: &mut Random, capture: &mut CaptureWriter<impl Write>) -> io::Result<u64> {
    // an odd factor permutes the numbers below 2^40: every packet has an address and port of its own
    let factor = random.next() | 1;
    for packet in 0..plan.packets {
        let [.., a, b, c, d, e] = (packet + 1).wrapping_mul(factor).to_be_bytes();
        let frame = Frame {
            vlan: None,
            source: host(u32::from_be_bytes([0, a, b, c])),
            destination: Ipv4Addr::new(198, 18, 0, 80).into(),
            transport: Transport::Tcp { ports: [u16::from_be_bytes([d, e]), 443], flags: flags::SYN },
            number: random.next() as u32,
            payload: &[],
        };
        capture.packet(plan.even_time(packet), &frame, 60)?;
    }
    Ok(plan.packets)
}

/// The host of this number in 10.0.0.0/8.
fn host(number: u32) -> IpAddr {
    Ipv4Addr::from_bits(10 << 24 | number & 0x00ff_ffff).into()
}

/// SplitMix64: a counter and a mixing function.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below the limit, or 0.
    fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    /// A number from 0 to 1, without 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True in so many of a hundred cases.
    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn port(&mut self) -> u16 {
        1024 + self.below(64_000) as u16
    }
}
