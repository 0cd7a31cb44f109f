//! The IP packet that a captured packet holds: everything metering needs of it, and nothing of its payload.

use std::net::{IpAddr, Ipv4Addr};

use super::{Notes, PacketDirection, Protocol, TcpFlags};

/// ICMP type and code (RFC 792) or ICMPv6 type and code (RFC 4443).
///
/// A flow log does not show them (ports print `0 0`), but security-group and ACL rules judge by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IcmpType {
    /// The type, 8 for an IPv4 echo request.
    pub icmp_type: u8,
    /// The code.
    pub code: u8,
}

/// Whether a packet is a fragment (RFC 791 §3.2, RFC 8200 §4.5, RFC 6946 for atomic ones).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Fragment {
    /// Not a fragment.
    #[default]
    Whole,
    /// An IPv6 packet with a fragment header that is both first and last.
    Atomic,
    /// The fragment with offset 0; it holds the ports. The number is the header's identification.
    First(u32),
    /// A fragment with another offset: no ports of its own.
    Later(u32),
}

/// The IP packet that counts: the outermost IP header of a frame, or the innermost of opened tunnels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpPacket {
    /// Source address of the counted IP header.
    pub srcaddr: IpAddr,
    /// Destination address of the counted IP header.
    pub dstaddr: IpAddr,
    /// Source port for TCP, UDP and SCTP; else 0.
    pub srcport: u16,
    /// Destination port for TCP, UDP and SCTP; else 0.
    pub dstport: u16,
    /// IPv4's protocol, or what IPv6's extension headers lead to.
    pub protocol: Protocol,
    /// The raw flags of a TCP header; 0 for other protocols and where byte 13 was not captured.
    pub tcp_flags: TcpFlags,
    /// ICMP's type and code where they were captured.
    pub icmp: Option<IcmpType>,
    /// Whether it is a fragment.
    pub fragment: Fragment,
    /// IP length in bytes: what a flow log's `bytes` adds up.
    pub ip_length: u32,
    /// How much of `ip_length` was captured, in bytes.
    pub captured_ip_length: u32,
    /// Where the counted IP header begins in the frame, in bytes: link headers, and tunnels if opened.
    pub ip_offset: u32,
    /// Which way it went, where the link header says so.
    pub direction: PacketDirection,
    /// What the ledger notes about it.
    pub notes: Notes,
    /// A hash over what routers leave alone in this packet; two sights of one packet share it.
    pub fingerprint: u64,
}

impl Default for IpPacket {
    fn default() -> Self {
        IpPacket {
            srcaddr: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            dstaddr: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            srcport: 0,
            dstport: 0,
            protocol: Protocol(0),
            tcp_flags: TcpFlags(0),
            icmp: None,
            fragment: Fragment::Whole,
            ip_length: 0,
            captured_ip_length: 0,
            ip_offset: 0,
            direction: PacketDirection::Unknown,
            notes: Notes::default(),
            fingerprint: 0,
        }
    }
}
