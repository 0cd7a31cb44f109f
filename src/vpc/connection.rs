//! Connection tracking: whether a packet belongs to a connection that the security groups have let begin.
//!
//! One [`Connection`] is the memory of one interface about one connection. Its steps:
//!
//! 1. A packet that begins a connection (a SYN, the first of a UDP flow, an ICMP request) is put to the rules of its own
//!    direction. If they allow it, everything that follows passes, both ways, until the connection has been idle for
//!    its timeout.
//! 2. A TCP connection is closed by an RST or by a FIN of each side. What comes within [`LINGER`] after that still
//!    belongs to the closing; later packets without a SYN have come "after the connection was closed", which AWS
//!    logs as `REJECT`.
//! 3. A TCP packet without a SYN of which nothing is known is the middle of a connection that began before the capture:
//!    it passes where the rules would have let the connection begin, from either side. The like holds for answers of
//!    UDP and ICMP near the start of the capture (`unseen`).
//! 4. A connection that is not tracked (see [`GroupAnswer::untracked`]) is put to the rules packet by packet.
//!
//! AWS documents 1 and 4 and the idle timeouts of established TCP, UDP and other protocols (EC2 User Guide, "Security
//! group connection tracking"). The rest is this program's decision, in `docs/vpc.md`.
//!
//! Invariant: what is forgotten ([`Connection::is_forgotten`]) answers as a connection that never was, so that it does
//! not matter when it is dropped.

use super::model::TrackingTimeouts;
use super::security::GroupAnswer;
use super::why::{RuleRef, Why};
use super::{Answer, Traffic};
use crate::packet::{Protocol, TcpFlags};

const SECOND: i64 = 1_000_000_000;
/// How long after a TCP connection was closed its last packets still pass: AWS documents no figure.
pub(super) const LINGER: i64 = 10 * SECOND;
/// How long an ICMP request waits for replies: AWS documents no figure; Linux has 30 s.
const ICMP: i64 = 30 * SECOND;
/// Idle timeout of protocols other than TCP, UDP and ICMP (AWS).
const OTHER: i64 = 600 * SECOND;
/// How long it is remembered that a connection was refused, closed or timed out.
const REMEMBERED: i64 = 3600 * SECOND;

/// Idle timeouts, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    tcp_established: i64,
    udp: i64,
    udp_stream: i64,
}

impl Default for Timeouts {
    /// AWS's defaults: 432,000 s, 30 s, 180 s.
    fn default() -> Self {
        Timeouts::of(&TrackingTimeouts::default())
    }
}

impl Timeouts {
    /// What an interface sets, else AWS's defaults.
    pub(super) fn of(set: &TrackingTimeouts) -> Timeouts {
        let nanos = |set: Option<u32>, default: u32| i64::from(set.unwrap_or(default)) * SECOND;
        Timeouts {
            tcp_established: nanos(set.tcp_established, 432_000),
            udp: nanos(set.udp, 30),
            udp_stream: nanos(set.udp_stream, 180),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Nothing is known.
    #[default]
    New,
    /// Its beginning was refused.
    Refused,
    /// Its beginning was allowed.
    Tracked,
    /// Allowed, and put to the rules packet by packet.
    Untracked,
    /// Whether its beginning is allowed depends on what is not known.
    Undecided,
    /// Closed at `last`.
    Closed,
}

/// What one interface remembers of one connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// The time of the last packet, or of the closing.
    last: i64,
    /// The rule that let it begin.
    rule: Option<RuleRef>,
    phase: Phase,
    /// Whether it was begun by a packet out of the interface.
    from_inside: bool,
    /// Whether the beginning was not seen.
    mid_stream: bool,
    /// Whether what was refused is its SYN.
    refused_syn: bool,
    /// Who has sent a FIN: bit 0 inwards, bit 1 outwards.
    fins: u8,
    /// UDP: whether a request waits for its reply, and how many were answered.
    waits: bool,
    exchanges: u8,
}

/// What the security groups say to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Verdict {
    /// Whether it may pass.
    pub answer: Answer,
    /// Why.
    pub why: Why,
}

/// What a packet asks: the rules of its own direction, and those of the packet that it would answer.
pub struct Question<'a> {
    /// What rules look at.
    pub traffic: &'a Traffic,
    /// Whether it goes out of the interface.
    pub egress: bool,
    /// TCP flags: FIN, SYN, RST, and ACK beside SYN.
    pub flags: TcpFlags,
    /// When it was captured, in nanoseconds.
    pub time: i64,
    /// When the first of all packets was captured: what came before is not known.
    pub since: i64,
    /// The interface's timeouts.
    pub timeouts: Timeouts,
}

impl Connection {
    /// Whether its flow was judged without its beginning.
    pub fn is_mid_stream(&self) -> bool {
        self.mid_stream
    }

    /// Whether it is as another was, but for the time of the last packet.
    pub fn differs_in_time_alone(&self, other: &Connection) -> bool {
        Connection { last: other.last, ..*self } == *other
    }

    /// Notes that a packet of which [`steady`](Connection::steady) spoke came at a time.
    pub fn seen(&mut self, time: i64) {
        self.last = self.last.max(time);
    }

    /// How long after its last packet, in nanoseconds, another one of the same flow without SYN, FIN and RST changes
    /// nothing but the time of the last packet and is judged as the one just judged; `None` where each may differ.
    pub fn steady(&self, protocol: Protocol, egress: bool, timeouts: &Timeouts) -> Option<i64> {
        match (self.phase, protocol) {
            (Phase::New | Phase::Closed, _) => None,
            (Phase::Tracked, Protocol::UDP) => {
                let asks_again = egress == self.from_inside && self.waits;
                (asks_again || self.exchanges >= 2).then(|| self.timeout(protocol, timeouts))
            }
            (Phase::Tracked, _) => Some(self.timeout(protocol, timeouts)),
            // a refusal is asked again and remembered anew by whoever comes: only the same side stays as it is
            (Phase::Refused | Phase::Undecided, _) => (egress == self.from_inside).then_some(REMEMBERED),
            (Phase::Untracked, _) => Some(REMEMBERED),
        }
    }

    /// How long it may be idle.
    fn timeout(&self, protocol: Protocol, timeouts: &Timeouts) -> i64 {
        match protocol {
            Protocol::TCP => timeouts.tcp_established,
            Protocol::UDP if self.exchanges >= 2 => timeouts.udp_stream,
            Protocol::UDP => timeouts.udp,
            Protocol::ICMP | Protocol::ICMPV6 => ICMP,
            _ => OTHER,
        }
    }

    /// Whether nothing about it matters any more at a time.
    pub fn is_forgotten(&self, protocol: Protocol, timeouts: &Timeouts, time: i64) -> bool {
        let idle = time.saturating_sub(self.last);
        match self.phase {
            Phase::New => true,
            Phase::Tracked => idle > self.timeout(protocol, timeouts).saturating_add(REMEMBERED),
            Phase::Refused | Phase::Untracked | Phase::Undecided | Phase::Closed => idle > REMEMBERED,
        }
    }

    /// Judges a packet and remembers it. `own` asks the rules of the packet's direction, `reverse` those of the other
    /// direction about the packet that this one would answer.
    pub fn judge(
        &mut self,
        question: &Question<'_>,
        own: impl FnOnce() -> GroupAnswer,
        reverse: impl FnOnce() -> GroupAnswer,
    ) -> Verdict {
        let Question { traffic, egress, flags, time, timeouts, .. } = *question;
        let protocol = traffic.flow.protocol;
        if !traffic.ports_known || self.is_stateless(traffic) {
            return Self::without_state(traffic, own, reverse);
        }
        if self.phase != Phase::New && self.is_forgotten(protocol, &timeouts, time) {
            *self = Connection::default();
        }
        let begins = flags.contains(TcpFlags::SYN) && !flags.contains(TcpFlags::ACK);
        match self.phase {
            Phase::Tracked if time.saturating_sub(self.last) <= self.timeout(protocol, &timeouts) => {
                self.follow(protocol, egress, flags, time);
                self.passed(egress)
            }
            Phase::Closed if !begins => {
                if time.saturating_sub(self.last) <= LINGER {
                    self.passed(egress)
                } else {
                    Verdict { answer: Answer::No, why: Why::AfterClose }
                }
            }
            Phase::New if protocol == Protocol::TCP && !begins => {
                self.mid_stream = true;
                self.join(question, own, reverse)
            }
            Phase::New if unseen::may_be_an_answer(question) => self.answer_unseen(question, own(), reverse),
            // nothing of a connection whose SYN was refused begins another
            Phase::Refused if self.refused_syn && !begins => {
                self.last = self.last.max(time);
                let why = if egress == self.from_inside { Why::NoRule } else { Why::AnswersRefused };
                Verdict { answer: Answer::No, why }
            }
            Phase::Undecided if egress != self.from_inside => {
                let answer = own();
                self.last = self.last.max(time);
                match answer.answer {
                    Answer::Yes => Verdict { answer: Answer::Yes, why: allowed(answer.rule) },
                    _ => Verdict { answer: Answer::Unknown, why: Why::GroupsUnknown },
                }
            }
            Phase::Untracked => {
                self.last = self.last.max(time);
                let answer = own();
                let why = if self.mid_stream { Why::MidStream } else { Why::Allowed };
                match answer.answer {
                    Answer::Yes => {
                        Verdict { answer: Answer::Yes, why: answer.rule.map_or(Why::NoGroups, why) }
                    }
                    // the opposite rule lets it pass, so that this is an answer to nothing
                    _ => refused(answer.answer),
                }
            }
            _ => self.begin(question, own()),
        }
    }

    /// Whether a packet neither begins nor follows anything: ICMP errors, and ICMP whose type was not captured.
    fn is_stateless(&self, traffic: &Traffic) -> bool {
        matches!(traffic.flow.protocol, Protocol::ICMP | Protocol::ICMPV6)
            && traffic
                .icmp
                .is_none_or(|icmp| super::words::partner(traffic.flow.protocol, icmp.icmp_type).is_none())
    }

    /// The rules alone. A packet whose ports are not known may belong to a connection that the other side began.
    fn without_state(
        traffic: &Traffic,
        own: impl FnOnce() -> GroupAnswer,
        reverse: impl FnOnce() -> GroupAnswer,
    ) -> Verdict {
        let answer = own();
        match answer.answer {
            Answer::Yes => Verdict { answer: Answer::Yes, why: allowed(answer.rule) },
            Answer::No if !traffic.ports_known && reverse().answer != Answer::No => refused(Answer::Unknown),
            answer => refused(answer),
        }
    }

    /// A packet of a connection that passes.
    fn passed(&self, egress: bool) -> Verdict {
        let why = match (self.rule, self.mid_stream, egress == self.from_inside) {
            (None, ..) => Why::NoGroups,
            (Some(rule), true, _) => Why::MidStream(rule),
            (Some(rule), false, true) => Why::Allowed(rule),
            (Some(rule), false, false) => Why::Reply(rule),
        };
        Verdict { answer: Answer::Yes, why }
    }

    /// Remembers a packet of a connection.
    fn follow(&mut self, protocol: Protocol, egress: bool, flags: TcpFlags, time: i64) {
        self.last = self.last.max(time);
        match protocol {
            Protocol::TCP => {
                if flags.contains(TcpFlags::FIN) {
                    self.fins |= if egress { 2 } else { 1 };
                }
                if flags.contains(TcpFlags::RST) || self.fins == 3 {
                    self.phase = Phase::Closed;
                }
            }
            Protocol::UDP => {
                if self.exchanges >= 2 {
                    // a stream stays one
                } else if egress == self.from_inside {
                    self.waits = true;
                } else if std::mem::take(&mut self.waits) {
                    self.exchanges += 1;
                }
            }
            _ => {}
        }
    }

    /// A packet that begins a connection, or that follows nothing.
    fn begin(&mut self, question: &Question<'_>, answer: GroupAnswer) -> Verdict {
        let Question { traffic, egress, flags, time, .. } = *question;
        // an ICMP reply begins nothing
        if traffic.is_icmp_reply() {
            return match answer.answer {
                Answer::Yes => Verdict { answer: Answer::Yes, why: allowed(answer.rule) },
                answer => refused(answer),
            };
        }
        let last = if self.phase == Phase::New { time } else { self.last.max(time) };
        *self = Connection { last, from_inside: egress, rule: answer.rule, ..Connection::default() };
        match answer.answer {
            Answer::Yes => {
                self.phase = if answer.untracked { Phase::Untracked } else { Phase::Tracked };
                if !answer.untracked {
                    self.follow(traffic.flow.protocol, egress, flags, time);
                }
                Verdict { answer: Answer::Yes, why: allowed(answer.rule) }
            }
            Answer::No => {
                self.phase = Phase::Refused;
                self.refused_syn = flags.contains(TcpFlags::SYN) && !flags.contains(TcpFlags::ACK);
                refused(Answer::No)
            }
            Answer::Unknown => {
                self.phase = Phase::Undecided;
                refused(Answer::Unknown)
            }
        }
    }

    /// A TCP packet from the middle of a connection.
    fn join(
        &mut self,
        question: &Question<'_>,
        own: impl FnOnce() -> GroupAnswer,
        reverse: impl FnOnce() -> GroupAnswer,
    ) -> Verdict {
        let Question { egress, flags, time, .. } = *question;
        // a SYN-ACK is an answer: only the other side can have begun
        let own = if flags.contains(TcpFlags::SYN) { None } else { Some(own()) };
        let allowed = own.filter(|own| own.answer == Answer::Yes);
        let reverse = if allowed.is_some() { None } else { Some(reverse()) };
        let (answer, from_inside) = match (allowed, reverse) {
            (Some(answer), _) => (answer, egress),
            (None, Some(answer)) => (answer, !egress),
            (None, None) => return refused(Answer::Unknown),
        };
        let unknown = own.is_some_and(|own| own.answer == Answer::Unknown);
        self.last = time;
        self.from_inside = from_inside;
        self.rule = answer.rule;
        match answer.answer {
            Answer::Yes => {
                self.phase = if answer.untracked { Phase::Untracked } else { Phase::Tracked };
                if !answer.untracked {
                    self.follow(Protocol::TCP, egress, flags, time);
                }
                Verdict { answer: Answer::Yes, why: answer.rule.map_or(Why::NoGroups, Why::MidStream) }
            }
            Answer::No if !unknown => {
                self.phase = Phase::Refused;
                let why = if own.is_some() { Why::NoRule } else { Why::AnswersNothing };
                Verdict { answer: Answer::No, why }
            }
            _ => {
                self.phase = Phase::Undecided;
                refused(Answer::Unknown)
            }
        }
    }
}

/// Let through by a rule, or for want of groups.
fn allowed(rule: Option<RuleRef>) -> Why {
    rule.map_or(Why::NoGroups, Why::Allowed)
}

/// Not let through, or not known to be.
fn refused(answer: Answer) -> Verdict {
    let why = if answer == Answer::Unknown { Why::GroupsUnknown } else { Why::NoRule };
    Verdict { answer, why }
}

mod unseen;

#[cfg(test)]
mod tests;
