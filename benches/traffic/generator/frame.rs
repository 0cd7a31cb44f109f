//! Ethernet frames from what they say.

use std::net::IpAddr;

/// TCP flags.
pub mod flags {
    pub const FIN: u8 = 1;
    pub const SYN: u8 = 2;
    pub const PSH: u8 = 8;
    pub const ACK: u8 = 16;
}

const ETHERNET: usize = 14;

/// What is in a frame. Both addresses are of one family.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    pub vlan: Option<u16>,
    pub source: IpAddr,
    pub destination: IpAddr,
    pub transport: Transport,
    /// Tells the packets of a flow apart.
    pub number: u32,
    /// Behind the transport header; of UDP and ICMP the first four bytes become the number.
    pub payload: &'a [u8],
}

/// What is behind the IP header.
#[derive(Clone, Copy)]
pub enum Transport {
    Tcp { ports: [u16; 2], flags: u8 },
    Udp { ports: [u16; 2] },
    Echo { reply: bool },
}

impl Transport {
    fn header_length(self) -> usize {
        match self {
            Transport::Tcp { .. } => 20,
            Transport::Udp { .. } | Transport::Echo { .. } => 8,
        }
    }
}

impl<'a> Frame<'a> {
    /// The same with as much of the payload as makes the frame this long, where the headers leave that room.
    pub fn sized(self, length: usize) -> Self {
        let least = if matches!(self.transport, Transport::Tcp { .. }) { 0 } else { 4 };
        let headers = self.length() - self.payload.len();
        let payload = self.payload.get(..length.saturating_sub(headers).max(least)).unwrap_or(self.payload);
        Frame { payload, ..self }
    }

    /// The frame's length.
    pub fn length(&self) -> usize {
        ETHERNET + if self.vlan.is_some() { 4 } else { 0 } + self.ip_length()
    }

    /// The length from the IP header on.
    pub fn ip_length(&self) -> usize {
        let header = if self.source.is_ipv4() { 20 } else { 40 };
        header + self.transport.header_length() + self.payload.len()
    }

    /// Appends the frame.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
        if let Some(vlan) = self.vlan {
            out.extend_from_slice(&[0x81, 0x00]);
            out.extend_from_slice(&vlan.to_be_bytes());
        }
        match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                self.write_ipv4(source.octets(), destination.octets(), out);
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                self.write_ipv6(source.octets(), destination.octets(), out);
            }
            _ => {}
        }
        self.write_transport(out);
    }

    fn protocol(&self) -> u8 {
        match self.transport {
            Transport::Tcp { .. } => 6,
            Transport::Udp { .. } => 17,
            Transport::Echo { .. } if self.source.is_ipv4() => 1,
            Transport::Echo { .. } => 58,
        }
    }

    fn write_ipv4(&self, [a, b, c, d]: [u8; 4], [e, f, g, h]: [u8; 4], out: &mut Vec<u8>) {
        let [l1, l0] = (self.ip_length() as u16).to_be_bytes();
        let [i1, i0] = (self.number as u16).to_be_bytes();
        let header = |[c1, c0]: [u8; 2]| {
            let protocol = self.protocol();
            [0x45, 0, l1, l0, i1, i0, 0x40, 0, 64, protocol, c1, c0, a, b, c, d, e, f, g, h]
        };
        let words = header([0; 2]);
        let sum: u32 = words.as_chunks::<2>().0.iter().map(|word| u32::from(u16::from_be_bytes(*word))).sum();
        let folded = (sum & 0xffff) + (sum >> 16);
        let checksum = !((folded & 0xffff) + (folded >> 16)) as u16;
        out.extend_from_slice(&[0x08, 0x00]);
        out.extend_from_slice(&header(checksum.to_be_bytes()));
    }

    fn write_ipv6(&self, source: [u8; 16], destination: [u8; 16], out: &mut Vec<u8>) {
        let [l1, l0] = ((self.ip_length() - 40) as u16).to_be_bytes();
        out.extend_from_slice(&[0x86, 0xdd, 0x60, 0, 0, 0, l1, l0, self.protocol(), 64]);
        out.extend_from_slice(&source);
        out.extend_from_slice(&destination);
    }

    fn write_transport(&self, out: &mut Vec<u8>) {
        let number = self.number.to_be_bytes();
        let [_, _, n1, n0] = number;
        match self.transport {
            Transport::Tcp { ports: [source, destination], flags } => {
                let ([s1, s0], [d1, d0]) = (source.to_be_bytes(), destination.to_be_bytes());
                let [a, b, c, d] = self.number.wrapping_mul(1460).to_be_bytes();
                let [e, f, g, h] = number;
                out.extend_from_slice(&[s1, s0, d1, d0, a, b, c, d, e, f, g, h]);
                out.extend_from_slice(&[0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
                out.extend_from_slice(self.payload);
                return;
            }
            Transport::Udp { ports: [source, destination] } => {
                let length = (8 + self.payload.len()) as u16;
                for half in [source, destination, length, 0] {
                    out.extend_from_slice(&half.to_be_bytes());
                }
            }
            Transport::Echo { reply } => {
                let message = match (self.source.is_ipv4(), reply) {
                    (true, false) => 8,
                    (true, true) => 0,
                    (false, false) => 128,
                    (false, true) => 129,
                };
                out.extend_from_slice(&[message, 0, 0, 0, 0, 1, n1, n0]);
            }
        }
        out.extend_from_slice(&number);
        out.extend_from_slice(self.payload.get(4..).unwrap_or_default());
    }
}
