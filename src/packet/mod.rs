//! The words for what a capture holds: a captured packet, the IP packet inside it, and why one was skipped.
//!
//! Floor 0: plain values, no I/O. [`CapturedPacket`] is what the `capture` room reads, [`IpPacket`] what the
//! `decode` room makes of it; a packet that cannot become one is skipped for a [`SkipReason`].

mod captured;
mod ip_packet;
mod link_type;
mod notes;
mod protocol;
mod skip;
mod tcp_flags;
mod timestamp;

pub use captured::{CapturedPacket, PacketDirection, PacketTime};
pub use ip_packet::{Fragment, IcmpType, IpPacket};
pub use link_type::LinkType;
pub use notes::{Note, Notes};
pub use protocol::Protocol;
pub use skip::SkipReason;
pub use tcp_flags::TcpFlags;
pub use timestamp::{ParseTimestampError, Timestamp};
