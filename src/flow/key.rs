//! Flow keys: the record's 5-tuple, and the wider key under which packets are metered.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::packet::{IcmpType, IpPacket, PacketDirection, Protocol};

/// One direction of a 5-tuple: A→B and B→A are two flows, and two records (accounting rule 1).
///
/// The order of the fields is the order of records within a window (accounting rule 17): IPv4 before IPv6,
/// addresses by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowKey {
    /// Source address.
    pub srcaddr: IpAddr,
    /// Destination address.
    pub dstaddr: IpAddr,
    /// IP protocol number.
    pub protocol: Protocol,
    /// Source port, 0 where the protocol has none.
    pub srcport: u16,
    /// Destination port, 0 where the protocol has none.
    pub dstport: u16,
}

impl FlowKey {
    /// The other direction of the same connection.
    pub const fn reversed(&self) -> FlowKey {
        FlowKey {
            srcaddr: self.dstaddr,
            dstaddr: self.srcaddr,
            protocol: self.protocol,
            srcport: self.dstport,
            dstport: self.srcport,
        }
    }
}

/// `10.0.0.1:443 > 10.0.0.2:5000`, without ports where the protocol has none.
impl fmt::Display for FlowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.protocol.has_ports() {
            let (from, to) =
                (SocketAddr::new(self.srcaddr, self.srcport), SocketAddr::new(self.dstaddr, self.dstport));
            write!(f, "{from} > {to}")
        } else {
            write!(f, "{} > {}", self.srcaddr, self.dstaddr)
        }
    }
}

impl From<&IpPacket> for FlowKey {
    #[inline]
    fn from(packet: &IpPacket) -> Self {
        FlowKey {
            srcaddr: packet.srcaddr,
            dstaddr: packet.dstaddr,
            protocol: packet.protocol,
            srcport: packet.srcport,
            dstport: packet.dstport,
        }
    }
}

/// Where a packet was seen, interned: one capture's one interface. 0 where nobody asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObservationPoint(pub u32);

/// The key under which packets are metered: wider than a record's, so that nothing a later question needs is
/// lost. What a record does not show is projected away when records are made, and the counts are summed.
///
/// A plain conversion leaves everything but `flow` at its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MeteringKey {
    /// The record's key.
    pub flow: FlowKey,
    /// Which way the packets went.
    pub direction: PacketDirection,
    /// Where they were seen.
    pub point: ObservationPoint,
    /// ICMP's type and code.
    pub icmp: Option<IcmpType>,
}

impl From<FlowKey> for MeteringKey {
    #[inline]
    fn from(flow: FlowKey) -> Self {
        MeteringKey {
            flow,
            direction: PacketDirection::Unknown,
            point: ObservationPoint::default(),
            icmp: None,
        }
    }
}
