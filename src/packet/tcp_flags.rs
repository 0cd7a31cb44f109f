//! TCP flags, as the header has them and as a flow log shows them.

use std::ops::{BitOr, BitOrAssign};

/// The flag bits of byte 13 of a TCP header (RFC 9293 §3.1; CWR and ECE from RFC 3168).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// No more data from the sender.
    pub const FIN: TcpFlags = TcpFlags(0x01);
    /// Synchronise sequence numbers.
    pub const SYN: TcpFlags = TcpFlags(0x02);
    /// Reset the connection.
    pub const RST: TcpFlags = TcpFlags(0x04);
    /// Push.
    pub const PSH: TcpFlags = TcpFlags(0x08);
    /// The acknowledgment number is valid.
    pub const ACK: TcpFlags = TcpFlags(0x10);

    /// Whether all bits of `other` are set.
    #[inline]
    pub const fn contains(self, other: TcpFlags) -> bool {
        self.0 & other.0 == other.0
    }

    /// What one packet adds to a record's `tcp-flags`: FIN 1, SYN 2, RST 4, and ACK 16 only beside SYN.
    ///
    /// Every other bit counts for nothing, so that a data packet adds 0. A record's value is the OR over its
    /// packets. Source: AWS "Flow log records", `tcp-flags`.
    #[inline]
    pub const fn as_logged(self) -> TcpFlags {
        let kept = self.0 & 0x07;
        // ACK (0x10) is SYN (0x02) moved up by three bits
        TcpFlags(kept | (self.0 & (kept & 0x02) << 3))
    }
}

impl BitOr for TcpFlags {
    type Output = TcpFlags;

    #[inline]
    fn bitor(self, other: TcpFlags) -> TcpFlags {
        TcpFlags(self.0 | other.0)
    }
}

impl BitOrAssign for TcpFlags {
    #[inline]
    fn bitor_assign(&mut self, other: TcpFlags) {
        self.0 |= other.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_aws_logs_is_logged() {
        let cases = [
            (TcpFlags::SYN, 2),
            (TcpFlags::SYN | TcpFlags::ACK, 18),
            (TcpFlags::ACK, 0),
            (TcpFlags::ACK | TcpFlags::PSH, 0),
            (TcpFlags::FIN | TcpFlags::ACK, 1),
            (TcpFlags::RST | TcpFlags::ACK, 4),
            (TcpFlags(0x42), 2),
            (TcpFlags(0xff), 23),
        ];
        for (raw, logged) in cases {
            assert_eq!(raw.as_logged(), TcpFlags(logged), "{raw:?}");
        }
    }
}
