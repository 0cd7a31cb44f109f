//! What one record says.

use super::Sum;
use crate::packet::TcpFlags;
use crate::record::Action;

/// What one record says of its flow. Of a capture that is compared with a capture: one run of its packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Its first second, since 1970.
    pub start: i64,
    /// Its last second.
    pub end: i64,
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
    /// Its TCP flags, where it has them.
    pub tcp_flags: Option<TcpFlags>,
    /// Its action, where it has one.
    pub action: Option<Action>,
    /// Its interface, as a number that the reader of the log gave; 0 where it has none.
    pub interface: u32,
    /// Its line in the log, from 1; of a capture 0.
    pub line: u64,
    /// The first packet's number in its capture, from 1; of a log 0.
    pub first_packet: u64,
}

impl Claim {
    /// Its counts.
    pub fn sum(&self) -> Sum {
        Sum { packets: self.packets, bytes: self.bytes }
    }

    /// The counts of several records together.
    pub fn total<'a>(claims: impl IntoIterator<Item = &'a Claim>) -> Sum {
        claims.into_iter().fold(Sum::ZERO, |sum, claim| sum.plus(claim.sum()))
    }

    /// The same record on a clock that is so many seconds behind.
    pub fn earlier(self, seconds: i64) -> Claim {
        Claim { start: self.start.saturating_sub(seconds), end: self.end.saturating_sub(seconds), ..self }
    }

    /// The same record on a clock that is so many seconds ahead.
    pub fn later(self, seconds: i64) -> Claim {
        Claim { start: self.start.saturating_add(seconds), end: self.end.saturating_add(seconds), ..self }
    }

    /// Whether both say the same of the same seconds, whatever their interfaces and lines.
    pub fn says_the_same(&self, other: &Claim) -> bool {
        let what = |claim: &Claim| {
            (claim.start, claim.end, claim.packets, claim.bytes, claim.tcp_flags, claim.action)
        };
        what(self) == what(other)
    }
}
