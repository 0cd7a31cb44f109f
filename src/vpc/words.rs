//! Small words of this room.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::flow::FlowKey;
use crate::packet::{IcmpType, Protocol};

/// A MAC address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

/// Lower-case hexadecimal with colons, as the AWS CLI prints it.
impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// What is wrong with a MAC address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a MAC address")]
pub struct ParseMacError;

/// Six pairs of hexadecimal digits with colons.
impl FromStr for Mac {
    type Err = ParseMacError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut mac = Mac::default();
        let mut parts = text.split(':');
        for byte in &mut mac.0 {
            let part = parts.next().filter(|part| part.len() == 2).ok_or(ParseMacError)?;
            *byte = u8::from_str_radix(part, 16).map_err(|_| ParseMacError)?;
        }
        if parts.next().is_some() { Err(ParseMacError) } else { Ok(mac) }
    }
}

/// An interface's place in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceIndex(pub u32);

/// What rules look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// The packet's addresses, protocol and ports.
    pub flow: FlowKey,
    /// Whether the ports are known; those of a later fragment, and those that a snap length cut, are not.
    pub ports_known: bool,
    /// ICMP's type and code, where they are known.
    pub icmp: Option<IcmpType>,
}

impl Traffic {
    /// What a packet of this flow shows. TCP, UDP and SCTP with the ports `0 0` is a packet whose ports are not known.
    pub fn new(flow: FlowKey, icmp: Option<IcmpType>) -> Self {
        let ports_known = !flow.protocol.has_ports() || (flow.srcport, flow.dstport) != (0, 0);
        Traffic { flow, ports_known, icmp }
    }

    /// The packet that would go the other way, as an answer does: an ICMP request for a reply.
    pub fn reversed(&self) -> Traffic {
        let icmp = self.icmp.map(|icmp| {
            let partner = partner(self.flow.protocol, icmp.icmp_type);
            IcmpType { icmp_type: partner.map_or(icmp.icmp_type, |(partner, _)| partner), ..icmp }
        });
        Traffic { flow: self.flow.reversed(), icmp, ..*self }
    }

    /// The flow of the ICMP request that this packet is or answers, and the request's type; `None` for other ICMP.
    pub fn icmp_request(&self) -> Option<(FlowKey, u8)> {
        let kind = self.icmp?.icmp_type;
        let (partner, is_request) = partner(self.flow.protocol, kind)?;
        Some(if is_request { (self.flow, kind) } else { (self.flow.reversed(), partner) })
    }

    /// Whether it is an ICMP request that has a reply.
    pub fn is_icmp_request(&self) -> bool {
        self.icmp.is_some_and(|icmp| matches!(partner(self.flow.protocol, icmp.icmp_type), Some((_, true))))
    }

    /// Whether it is the reply to an ICMP request.
    pub fn is_icmp_reply(&self) -> bool {
        self.icmp.is_some_and(|icmp| matches!(partner(self.flow.protocol, icmp.icmp_type), Some((_, false))))
    }

    /// The address at the other end of a packet that passes an interface this way.
    pub fn remote(&self, ingress: bool) -> IpAddr {
        if ingress { self.flow.srcaddr } else { self.flow.dstaddr }
    }
}

/// The ICMP type that belongs to a request or a reply, and whether the given one is the request.
pub(super) fn partner(protocol: Protocol, icmp_type: u8) -> Option<(u8, bool)> {
    Some(match (protocol, icmp_type) {
        (Protocol::ICMP, 8) => (0, true),
        (Protocol::ICMP, 0) => (8, false),
        (Protocol::ICMP, 13 | 15 | 17) => (icmp_type + 1, true),
        (Protocol::ICMP, 14 | 16 | 18) => (icmp_type - 1, false),
        (Protocol::ICMP, 10) => (9, true),
        (Protocol::ICMPV6, 128) => (129, true),
        (Protocol::ICMPV6, 129) => (128, false),
        _ => return None,
    })
}

/// What a question to rules comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// Yes.
    Yes,
    /// No.
    No,
    /// It depends on what is not known.
    Unknown,
}

impl Answer {
    /// Yes only where both are.
    pub(super) fn and(self, other: Answer) -> Answer {
        match (self, other) {
            (Answer::No, _) | (_, Answer::No) => Answer::No,
            (Answer::Yes, Answer::Yes) => Answer::Yes,
            _ => Answer::Unknown,
        }
    }
}

impl From<bool> for Answer {
    fn from(yes: bool) -> Answer {
        if yes { Answer::Yes } else { Answer::No }
    }
}
