//! A TCP connection: handshake, data with acknowledgments, what is sent again, and its end.
//!
//! ```text
//! Syn ─► SynAck ─► Ack ─► Data (request) ─► Data (response) ─► … ─► Fin ─► FinAck ─► LastAck
//!   └ again, where nothing answers                └ an acknowledgment after every second segment
//! ```
//!
//! Sequence numbers, acknowledgments and timestamps are those of a connection that a capture sees beside the receiver:
//! whatever is acknowledged was seen before.
//!
//! Sources: RFC 9293, RFC 7323; RFC 5681 §4.2 (acknowledge at least every second segment); RFC 6298 (what is not
//! answered is sent again after 1 s, and then after twice as long each time).

use super::Step;
use crate::generate::message::{Message, Segment, ip_header};
use crate::generate::scenario::{Ending, Handshake, SECOND, Template};
use crate::packet::TcpFlags;
use crate::random::Random;

/// How long a segment that was lost is waited for, in nanoseconds.
const RETRANSMISSION_TIMEOUT: i64 = SECOND / 5;

/// From a segment to the acknowledgment or the data that follows at once.
const AT_ONCE: i64 = 40_000;

/// Where a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The SYN, for the how manieth time.
    Syn(u32),
    /// The answer to it, for the how manieth time.
    SynAck(u32),
    /// The third of the handshake.
    Ack,
    /// So many bytes are left of a request or a response.
    Data {
        left: u64,
        forward: bool,
    },
    /// The receiver acknowledges; data goes on, if any is left.
    Acknowledge {
        left: u64,
        forward: bool,
    },
    Fin,
    FinAck,
    LastAck,
    Over,
}

/// One side of a connection.
#[derive(Clone, Copy, Debug)]
struct Half {
    /// The sequence number of the next byte that it sends.
    seq: u32,
    /// What it has heard of the other side's bytes.
    heard: u32,
    /// Where its clock began, in milliseconds.
    clock: u32,
    /// The other side's clock, as it was heard last.
    echoed: u32,
}

/// A connection.
#[derive(Clone, Debug)]
pub struct Tcp {
    phase: Phase,
    exchange: u32,
    client: Half,
    server: Half,
    /// Segments since the last acknowledgment.
    unacknowledged: u32,
    /// Segments with data so far.
    data_segments: u32,
    /// A segment that is sent again next, and by whom.
    again: Option<(Segment, bool)>,
    /// Bytes of data in a full segment.
    full: u32,
    /// How many segments are joined at most.
    segments: u32,
}

impl Half {
    fn new(random: &mut Random) -> Half {
        let word = random.next();
        Half { seq: word as u32, heard: 0, clock: (word >> 32) as u32, echoed: 0 }
    }

    /// Its clock at a time.
    fn clock_at(&self, time: i64) -> u32 {
        self.clock.wrapping_add((time / 1_000_000) as u32)
    }
}

impl Tcp {
    pub(super) fn new(template: &Template, is_v6: bool, segments: u32, random: &mut Random) -> Tcp {
        Tcp {
            phase: Phase::Syn(0),
            exchange: 0,
            client: Half::new(random),
            server: Half::new(random),
            unacknowledged: 0,
            data_segments: 0,
            again: None,
            full: template.mtu - ip_header(is_v6) - 32,
            segments,
        }
    }

    pub(super) fn next(&mut self, template: &Template, now: i64, random: &mut Random) -> Option<Step> {
        if let Some((segment, forward)) = self.again.take() {
            let own = if forward { &self.client } else { &self.server };
            let clock = own.clock_at(now + RETRANSMISSION_TIMEOUT);
            let message = Message::Tcp(Segment { clock, ..segment });
            return Some(Step { wait: RETRANSMISSION_TIMEOUT, forward, message });
        }
        match self.phase {
            Phase::Syn(tries) => {
                let wait = if tries == 0 { 0 } else { SECOND << (tries - 1).min(6) };
                self.phase = match template.rejected {
                    Some(_) if tries >= template.retries => Phase::Over,
                    Some(_) => Phase::Syn(tries + 1),
                    None => Phase::SynAck(tries),
                };
                Some(self.say(true, TcpFlags::SYN, wait, now))
            }
            Phase::SynAck(tries) => Some(self.syn_ack(template, tries, now, random)),
            Phase::Ack => {
                self.phase = self.after_handshake(template);
                Some(self.say(true, TcpFlags::ACK, AT_ONCE, now))
            }
            Phase::Data { left, forward } => Some(self.data(template, left, forward, now, random)),
            Phase::Acknowledge { left, forward } => {
                self.unacknowledged = 0;
                self.phase = self.after_data(template, left, forward);
                Some(self.say(!forward, TcpFlags::ACK, AT_ONCE, now))
            }
            Phase::Fin => {
                let reset = template.ending == Ending::Reset;
                let (flags, phase) =
                    if reset { (TcpFlags::RST, Phase::Over) } else { (TcpFlags::FIN, Phase::FinAck) };
                self.phase = phase;
                let wait = random.varied(template.rtt, template.jitter);
                Some(self.say(true, flags | TcpFlags::ACK, wait, now))
            }
            Phase::FinAck => {
                self.phase = Phase::LastAck;
                let wait = random.varied(template.rtt, template.jitter);
                Some(self.say(false, TcpFlags::FIN | TcpFlags::ACK, wait, now))
            }
            Phase::LastAck => {
                self.phase = Phase::Over;
                Some(self.say(true, TcpFlags::ACK, AT_ONCE, now))
            }
            Phase::Over => None,
        }
    }

    /// What the server answers to a SYN.
    fn syn_ack(&mut self, template: &Template, tries: u32, now: i64, random: &mut Random) -> Step {
        let answer = random.varied(template.rtt, template.jitter);
        if template.handshake == Handshake::Refused {
            self.phase = Phase::Over;
            // a reset that answers a SYN begins at 0
            self.server.seq = 0;
            return self.say(false, TcpFlags::RST | TcpFlags::ACK, answer, now);
        }
        let is_last = tries >= template.retries;
        let mut wait = answer;
        self.phase = if template.replies_rejected.is_some() {
            // the client hears nothing, and asks again
            if is_last { Phase::Over } else { Phase::Syn(tries + 1) }
        } else if template.handshake == Handshake::HalfOpen {
            wait = if tries == 0 { answer } else { SECOND << (tries - 1).min(6) };
            if is_last { Phase::Over } else { Phase::SynAck(tries + 1) }
        } else {
            Phase::Ack
        };
        self.say(false, TcpFlags::SYN | TcpFlags::ACK, wait, now)
    }

    fn after_handshake(&self, template: &Template) -> Phase {
        match template.exchanges {
            0 => self.end(template),
            _ => Phase::Data { left: template.request, forward: true },
        }
    }

    /// A segment with data, or several that are joined.
    fn data(&mut self, template: &Template, left: u64, forward: bool, now: i64, random: &mut Random) -> Step {
        let is_first = left == if forward { template.request } else { template.response };
        let most = u64::from(self.full) * u64::from(self.segments);
        let data = left.min(most) as u32;
        let wait = if !is_first {
            // as long as the segment before took
            (i64::from(data) * SECOND / template.rate as i64).max(1000)
        } else if forward && self.exchange > 0 {
            random.varied(template.pause, template.jitter)
        } else if forward {
            AT_ONCE
        } else {
            random.varied(template.rtt, template.jitter)
        };
        let is_last = u64::from(data) == left;
        let flags = if is_last { TcpFlags::PSH | TcpFlags::ACK } else { TcpFlags::ACK };
        let step = self.say_data(forward, flags, data, wait, now);
        let segments = data.div_ceil(self.full).max(1);
        self.data_segments += segments;
        self.unacknowledged += segments;
        let is_repeated = template.retransmit > 0 && self.data_segments.is_multiple_of(template.retransmit);
        if let (true, Message::Tcp(segment)) = (is_repeated, step.message) {
            self.again = Some((segment, forward));
        }
        let left = left - u64::from(data);
        self.phase = if left == 0 || self.unacknowledged >= 2 {
            Phase::Acknowledge { left, forward }
        } else {
            Phase::Data { left, forward }
        };
        step
    }

    /// What follows an acknowledgment of data.
    fn after_data(&mut self, template: &Template, left: u64, forward: bool) -> Phase {
        if left > 0 {
            return Phase::Data { left, forward };
        }
        if forward && template.response > 0 {
            return Phase::Data { left: template.response, forward: false };
        }
        self.exchange += 1;
        if self.exchange < template.exchanges {
            return Phase::Data { left: template.request, forward: true };
        }
        self.end(template)
    }

    fn end(&self, template: &Template) -> Phase {
        if template.ending == Ending::Open { Phase::Over } else { Phase::Fin }
    }

    fn say(&mut self, forward: bool, flags: TcpFlags, wait: i64, now: i64) -> Step {
        self.say_data(forward, flags, 0, wait, now)
    }

    fn say_data(&mut self, forward: bool, flags: TcpFlags, data: u32, wait: i64, now: i64) -> Step {
        let segments = data.div_ceil(self.full).max(1);
        let (own, other) =
            if forward { (&mut self.client, &mut self.server) } else { (&mut self.server, &mut self.client) };
        let is_syn = flags.contains(TcpFlags::SYN);
        let is_answer = flags.contains(TcpFlags::ACK);
        // a SYN has the number in front of the first byte, however often it is sent
        let seq = if is_syn { own.seq.wrapping_sub(1) } else { own.seq };
        let clock = own.clock_at(now + wait);
        let segment = Segment {
            seq,
            ack: if is_answer { own.heard } else { 0 },
            flags,
            data,
            segments,
            clock,
            echoed: if is_answer { own.echoed } else { 0 },
        };
        let takes = data + u32::from(is_syn || flags.contains(TcpFlags::FIN));
        own.seq = seq.wrapping_add(takes);
        other.heard = own.seq;
        other.echoed = clock;
        Step { wait, forward, message: Message::Tcp(segment) }
    }
}
