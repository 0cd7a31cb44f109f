//! Random packets, and captures of them.

use std::io::Cursor;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use flowtruth::capture::CaptureInput;
use flowtruth::pipeline::DiffSide;
use proptest::collection::vec;
use proptest::prelude::*;

/// 2020-09-13T12:20:00Z, which begins a window of 60 s and of 600 s.
pub const FIRST: i64 = 1_599_999_600;
pub const MICROS: i64 = 1_000_000;

/// A packet.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Microseconds behind [`FIRST`].
    pub time: i64,
    pub flow: Flow,
    pub flags: u8,
    /// Bytes behind the transport header.
    pub payload: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flow {
    pub src: IpAddr,
    pub dst: IpAddr,
    pub sport: u16,
    pub dport: u16,
    pub tcp: bool,
}

impl Flow {
    pub fn back(self) -> Flow {
        Flow { src: self.dst, dst: self.src, sport: self.dport, dport: self.sport, ..self }
    }
}

impl Packet {
    pub fn second(&self) -> i64 {
        FIRST + self.time.div_euclid(MICROS)
    }

    /// Its frame: Ethernet, IPv4 or IPv6, TCP or UDP, padded to 60 bytes.
    pub fn frame(&self) -> Vec<u8> {
        let Flow { src, dst, sport, dport, tcp } = self.flow;
        let mut segment = [sport.to_be_bytes(), dport.to_be_bytes()].concat();
        if tcp {
            segment.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, self.flags, 0, 0, 0, 0, 0, 0]);
        } else {
            segment.extend((8 + self.payload).to_be_bytes());
            segment.extend([0, 0]);
        }
        segment.resize(segment.len() + usize::from(self.payload), 0x2e);
        let protocol = if tcp { 6 } else { 17 };
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        match (src, dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                frame.extend([0x08, 0x00, 0x45, 0]);
                frame.extend((20 + segment.len() as u16).to_be_bytes());
                frame.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
                frame.extend([src.octets(), dst.octets()].concat());
            }
            (IpAddr::V6(src), IpAddr::V6(dst)) => {
                frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
                frame.extend((segment.len() as u16).to_be_bytes());
                frame.extend([protocol, 64]);
                frame.extend([src.octets(), dst.octets()].concat());
            }
            _ => unreachable!("both ends are of one family"),
        }
        frame.extend(segment);
        let length = frame.len().max(60);
        frame.resize(length, 0);
        frame
    }

    pub fn ip_length(&self) -> u64 {
        let ip = if self.flow.src.is_ipv4() { 20 } else { 40 };
        ip + if self.flow.tcp { 20 } else { 8 } + u64::from(self.payload)
    }

    pub fn frame_length(&self) -> u64 {
        (14 + self.ip_length()).max(60)
    }
}

/// A pcap file of frames, each at so many microseconds behind [`FIRST`], cut at a snap length.
fn pcap<'a>(
    frames: impl IntoIterator<Item = (i64, std::borrow::Cow<'a, [u8]>)>,
    snap_length: usize,
) -> Vec<u8> {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    let mut bytes = words(&[0xa1b2_c3d4, 4 << 16 | 2, 0, 0, 262_144, 1]);
    for (time, frame) in frames {
        let kept = frame.len().min(snap_length);
        let (second, micros) = (FIRST + time.div_euclid(MICROS), time.rem_euclid(MICROS));
        bytes.extend(words(&[second as u32, micros as u32, kept as u32, frame.len() as u32]));
        bytes.extend(&frame[..kept]);
    }
    bytes
}

fn side(pcap: Vec<u8>) -> DiffSide {
    DiffSide::Captures(vec![CaptureInput::Reader("capture".to_owned(), Box::new(Cursor::new(pcap)))])
}

/// A capture of frames as they are.
pub fn captured_frames(frames: &[(i64, Vec<u8>)]) -> DiffSide {
    side(pcap(frames.iter().map(|(time, frame)| (*time, frame.into())), usize::MAX))
}

pub fn capture(packets: &[Packet]) -> DiffSide {
    captured(packets, usize::MAX)
}

pub fn captured(packets: &[Packet], snap_length: usize) -> DiffSide {
    side(pcap(packets.iter().map(|packet| (packet.time, packet.frame().into())), snap_length))
}

/// One flow of a client with a server, in either direction: who, and for each packet of the one direction how long after
/// the one before it comes, how large it is, and the answers behind it.
pub type Exchange = (bool, bool, u8, u8, Vec<(i64, u16, Vec<u16>)>);

pub fn exchange() -> impl Strategy<Value = Exchange> {
    // answers are fewer and larger, so that the two directions are not the same
    let asked = (20_000_i64..17_000_000, 0_u16..400, vec(401_u16..900, 0..2));
    (any::<bool>(), any::<bool>(), 0_u8..4, 0_u8..3, vec(asked, 3..16))
}

/// Packets of several flows, all of which lie inside the time that one flow covers with packets from the first second
/// to the last: 299 s, so that the last window of 60 s has all of them.
pub fn traffic() -> impl Strategy<Value = Vec<Packet>> {
    (vec((exchange(), 2_100_000_i64..200_000_000), 3..7), vec(0_u16..400, 15)).prop_map(
        |(exchanges, around)| {
            let mut packets = Vec::new();
            for (number, ((v6, tcp, client, server, asked), start)) in (0..).zip(exchanges) {
                let address = |net: u8, host: u8| -> IpAddr {
                    if v6 {
                        Ipv6Addr::new(0x2001, 0xdb8, u16::from(net), 0, 0, 0, 0, u16::from(host)).into()
                    } else {
                        Ipv4Addr::new(10, net, 0, host).into()
                    }
                };
                let flow = Flow {
                    src: address(1, 10 + client),
                    dst: address(2, 20 + server),
                    sport: 40_000 + number,
                    dport: 443,
                    tcp,
                };
                let mut now = start;
                for (index, (pause, payload, answers)) in asked.into_iter().enumerate() {
                    if now > 296 * MICROS {
                        break;
                    }
                    let flags = if index == 0 { 0x02 } else { 0x18 };
                    packets.push(Packet { time: now, flow, flags, payload });
                    for (answer, payload) in (1..).zip(answers) {
                        let flags = if index == 0 { 0x12 } else { 0x10 };
                        packets.push(Packet {
                            time: now + answer * 31_000,
                            flow: flow.back(),
                            flags,
                            payload,
                        });
                    }
                    now += pause;
                }
            }
            let around_flow = Flow {
                src: Ipv4Addr::new(10, 9, 0, 1).into(),
                dst: Ipv4Addr::new(10, 9, 0, 2).into(),
                sport: 5000,
                dport: 5001,
                tcp: false,
            };
            for (number, payload) in (0..).zip(around) {
                // 0.1 s to 299.1 s
                let time = 100_000 + number * 299 * MICROS / 14;
                packets.push(Packet { time, flow: around_flow, flags: 0, payload });
            }
            packets.sort_by_key(|packet| packet.time);
            packets
        },
    )
}
