//! A realistic mix: conversations that begin and end, few of them with most of the packets.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::container::CaptureWriter;
use super::frame::{Frame, Transport, flags};
use super::{Plan, Random, START, host};

/// Bytes that payloads are cut from: more than compressors look back.
const PAYLOADS: usize = 1 << 18;

/// The longest frame.
const LONGEST: usize = 1514;

/// How uneven the conversations' sizes are: the exponent of a Pareto distribution.
const TAIL: f64 = 1.1;

/// What a conversation speaks.
#[derive(Clone, Copy)]
enum Speech {
    Tcp,
    Udp,
    Echo,
}

/// Two hosts and the packets still to be sent between them.
struct Conversation {
    client: IpAddr,
    server: IpAddr,
    ports: [u16; 2],
    speech: Speech,
    vlan: Option<u16>,
    /// Sent by the client and by the server.
    sent: [u32; 2],
    left: u64,
    /// When the last packet is to be sent at the latest, in microseconds.
    end: u64,
}

/// Generates the mix; returns how many flows sent a packet.
pub fn mix(plan: &Plan, random: &mut Random, capture: &mut CaptureWriter<impl Write>) -> io::Result<u64> {
    let payloads: Vec<u8> = (0..PAYLOADS / 8).flat_map(|_| random.next().to_le_bytes()).collect();
    let sizes = sizes(plan, random)?;
    let duration = plan.seconds * 1_000_000;
    let mut turns = BinaryHeap::with_capacity(sizes.len());
    let mut conversations = Vec::with_capacity(sizes.len());
    for (index, left) in (0_u32..).zip(sizes) {
        let begin = random.below(duration);
        turns.push(Reverse((START + begin, index)));
        let end = START + begin + random.below(duration - begin);
        conversations.push(conversation(index, left, end, random));
    }
    while let Some(Reverse((time, index))) = turns.pop() {
        let Some(conversation) = conversations.get_mut(index as usize) else { break };
        let start = random.below((PAYLOADS - LONGEST) as u64) as usize;
        let payload = payloads.get(start..start + LONGEST).unwrap_or_default();
        capture.packet(time, &conversation.say(payload, random), 60)?;
        if conversation.left > 0 {
            let gap = (conversation.end - time) as f64 / conversation.left as f64;
            let wait = gap * (0.2 + 0.8 * random.unit());
            turns.push(Reverse((time + wait as u64, index)));
        }
    }
    Ok(conversations.iter().flat_map(|conversation| conversation.sent).filter(|sent| *sent > 0).count()
        as u64)
}

/// How many packets each conversation has: at least one, and together as many as are planned.
fn sizes(plan: &Plan, random: &mut Random) -> io::Result<Vec<u64>> {
    let count = u64::from(plan.flows.div_ceil(2)).max(1);
    let Some(more) = plan.packets.checked_sub(count) else {
        return Err(io::Error::other(format!("{count} conversations need as many packets")));
    };
    let weights: Vec<f64> = (0..count).map(|_| (1.0 - random.unit()).powf(-1.0 / TAIL)).collect();
    let all: f64 = weights.iter().sum();
    let mut sizes: Vec<u64> = weights.iter().map(|weight| 1 + (more as f64 * weight / all) as u64).collect();
    // what rounding down left over: less than one each
    let rest = plan.packets.saturating_sub(sizes.iter().sum());
    sizes.iter_mut().take(rest as usize).for_each(|size| *size += 1);
    Ok(sizes)
}

fn conversation(index: u32, left: u64, end: u64, random: &mut Random) -> Conversation {
    let is_v4 = random.chance(90);
    let server = random.below(500) as u16;
    let (client, server) = if is_v4 {
        let [high, low] = server.to_be_bytes();
        (host(index), Ipv4Addr::new(198, 18, high, low).into())
    } else {
        let address = |net, host: u32| {
            let [h1, h0] = [(host >> 16) as u16, host as u16];
            IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, net, 0, 0, 0, h1, h0))
        };
        (address(1, index), address(2, server.into()))
    };
    let speech = match random.below(100) {
        0..75 => Speech::Tcp,
        75..98 => Speech::Udp,
        _ => Speech::Echo,
    };
    let service = match (speech, random.below(4)) {
        (Speech::Udp, 0..2) => 53,
        (Speech::Tcp, 0) => 80,
        (Speech::Tcp, 1) => 5432,
        _ => 443,
    };
    Conversation {
        client,
        server,
        ports: [random.port(), service],
        speech,
        vlan: random.chance(10).then_some(100 + index as u16 % 16),
        sent: [0; 2],
        left,
        end,
    }
}

impl Conversation {
    /// The next packet.
    fn say<'a>(&mut self, payload: &'a [u8], random: &mut Random) -> Frame<'a> {
        let [from_client, from_server] = &mut self.sent;
        // the client speaks first, and the server sends most
        let by_client = *from_client == 0 || random.chance(45);
        let sent = if by_client { from_client } else { from_server };
        *sent += 1;
        let (number, is_first) = (*sent, *sent == 1);
        self.left -= 1;
        let [client_port, server_port] = self.ports;
        let ports = if by_client { [client_port, server_port] } else { [server_port, client_port] };
        let most = if by_client { 12 } else { 46 };
        let mut length = match random.below(100) {
            share if share < most => LONGEST,
            share if share < most + 22 => 90 + random.below(1200) as usize,
            _ => 64 + random.below(16) as usize,
        };
        let transport = match self.speech {
            Speech::Tcp => {
                let flags = match (is_first, by_client, self.left) {
                    (true, true, _) => flags::SYN,
                    (true, false, _) => flags::SYN | flags::ACK,
                    (false, _, 0..2) => flags::FIN | flags::ACK,
                    _ if length > 80 => flags::PSH | flags::ACK,
                    _ => flags::ACK,
                };
                if is_first {
                    length = 0;
                }
                Transport::Tcp { ports, flags }
            }
            Speech::Udp => Transport::Udp { ports },
            Speech::Echo => {
                length = 98;
                Transport::Echo { reply: !by_client }
            }
        };
        let (source, destination) =
            if by_client { (self.client, self.server) } else { (self.server, self.client) };
        Frame { vlan: self.vlan, source, destination, transport, number, payload }.sized(length)
    }
}
