//! Transport headers: ports, TCP flags, ICMP type (accounting rules 7 and 8).
//!
//! Cut by hand, since ports need 4 bytes and flags 14, where etherparse wants the whole header (for TCP with its
//! options), and none at all of a first fragment.

use crate::packet::{Fragment, IcmpType, Note, Notes, Protocol, TcpFlags};

/// What a transport header says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Transport {
    /// Source and destination port, 0 where there are none.
    pub ports: (u16, u16),
    /// The flags of a TCP header, else 0.
    pub tcp_flags: TcpFlags,
    /// ICMP's type and code.
    pub icmp: Option<IcmpType>,
}

/// Reads what is captured of a transport header inside the IP length, and notes what is cut.
pub(super) fn read(protocol: Protocol, fragment: Fragment, bytes: &[u8], notes: &mut Notes) -> Transport {
    let mut transport = Transport::default();
    if matches!(fragment, Fragment::Later(_)) {
        return transport;
    }
    if protocol.has_ports() {
        let Some([source_high, source_low, destination_high, destination_low]) = bytes.first_chunk() else {
            notes.insert(Note::PortsCut);
            return transport;
        };
        let source = u16::from_be_bytes([*source_high, *source_low]);
        transport.ports = (source, u16::from_be_bytes([*destination_high, *destination_low]));
        if protocol == Protocol::TCP {
            match bytes.get(13) {
                Some(flags) => transport.tcp_flags = TcpFlags(*flags),
                None => notes.insert(Note::FlagsCut),
            }
        }
    } else if matches!(protocol, Protocol::ICMP | Protocol::ICMPV6) {
        transport.icmp =
            bytes.first_chunk().map(|[icmp_type, code]| IcmpType { icmp_type: *icmp_type, code: *code });
    }
    transport
}
