//! The run: conversations begin, go on and end in the order of time, and whatever they say is entered and framed.
//!
//! ```text
//!  repetition ─► beginnings ─► conversations ─┬─► truth, records      (arithmetic)
//!        (a heap, the earliest first)         └─► frames ─► capture   (bytes)
//! ```
//!
//! What is held are the conversations that are going on, one beginning for each template, the records of open windows,
//! and the truth of flows that others may go on in. Two runs of one scenario and seed are equal to the byte.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::conversation::{Conversation, Entry, record_key};
use super::delivery::{Post, RecordContext};
use super::error::{GenerateError, LAST_SECOND};
use super::extent::Extent;
use super::frame::{Stamp, write_frame, write_mirror};
use super::message::{Message, Part, ip_header};
use super::network::{Network, ROUTER};
use super::payload::Payload;
use super::scenario::{SECOND, Scenario, Template};
use super::sockets::Sockets;
use super::tap::Tap;
use super::truth::{Observed, Truth, Truths};
use super::windows::{OpenRecords, Windows};
use crate::flow::FlowCounters;
use crate::packet::Timestamp;
use crate::random::Random;
use crate::record::FlowRecord;

/// Takes what a run yields, each kind in its order.
pub trait Yield {
    /// Why it can take no more.
    type Error;

    /// A frame that was captured: when, what of it was kept, and how long it was.
    ///
    /// # Errors
    /// It cannot be taken.
    fn frame(&mut self, time: Timestamp, kept: &[u8], original: u32) -> Result<(), Self::Error>;

    /// A record of the log, and whose it is.
    ///
    /// # Errors
    /// It cannot be taken.
    fn record(&mut self, record: &FlowRecord, context: RecordContext) -> Result<(), Self::Error>;

    /// What is true of a flow. A flow may come several times, for different times; then its truth is their sum.
    ///
    /// # Errors
    /// It cannot be taken.
    fn truth(&mut self, truth: &Truth) -> Result<(), Self::Error>;
}

/// What a run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Conversations.
    pub conversations: u64,
    /// Flows: a conversation has one for each side that said something.
    pub flows: u64,
    /// Packets that were sent, each counted once, however many interfaces it passed.
    pub sent_packets: u64,
    /// Frames in the capture.
    pub captured_frames: u64,
    /// Frames that the capture lost.
    pub lost_frames: u64,
    /// Repetitions.
    pub repetitions: u64,
    /// When the last of them ends. Conversations that began before then go on.
    pub end: Timestamp,
    /// When the last packet was sent.
    pub last_packet: Timestamp,
}

/// What conversations share.
pub(super) struct Books {
    truths: Truths,
    records: OpenRecords,
    pub(super) tap: Tap,
    pub(super) sockets: Sockets,
    /// Whether records show anything that depends on packets' own addresses.
    shows_packets: bool,
    /// Whether the conversations of each template have flows that no other has.
    has_own_flows: Vec<bool>,
}

impl Books {
    /// The books for a flow at an interface.
    pub(super) fn enter(
        &mut self,
        network: &Network,
        observed: Observed,
        peer: Option<usize>,
        plan: &Template,
    ) -> Entry {
        let has_own_flows = self.has_own_flows.get(plan.place).copied().unwrap_or(false);
        let truth = self.truths.begin(observed, !has_own_flows);
        if !observed.logged {
            return Entry::unlogged(truth);
        }
        Entry { truth, record: self.records.begin(record_key(network, &observed, peer, self.shows_packets)) }
    }
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    /// The scenario begins once more.
    Repetition(u64),
    /// A copy of a template begins.
    Beginning { template: usize, repetition: u64, copy: u64 },
    /// A conversation goes on.
    Conversation(u32),
}

struct Run<'a, Y> {
    scenario: &'a Scenario,
    extent: Extent,
    output: &'a mut Y,
    turns: BinaryHeap<Reverse<(i64, Turn)>>,
    conversations: Vec<Option<Conversation>>,
    free: Vec<u32>,
    books: Books,
    windows: Windows,
    post: Post,
    payload: Payload,
    frame: Vec<u8>,
    outcome: Outcome,
}

/// Runs a scenario. `shows_packets` says whether the log's format shows anything that depends on packets' own addresses.
///
/// # Errors
/// [`GenerateError`], at the first thing that cannot be taken, or where time ends.
pub fn run<Y: Yield>(
    scenario: &Scenario,
    extent: Extent,
    shows_packets: bool,
    output: &mut Y,
) -> Result<Outcome, GenerateError<Y::Error>> {
    if let Some(seconds) = extent.too_late(scenario) {
        return Err(GenerateError::TooLate { seconds, last: LAST_SECOND });
    }
    let windows = Windows::new(&scenario.log, scenario.network.interfaces.len(), scenario.seed);
    let mut run = Run {
        scenario,
        extent,
        output,
        turns: BinaryHeap::from([Reverse((scenario.begin.nanos(), Turn::Repetition(0)))]),
        conversations: Vec::new(),
        free: Vec::new(),
        books: Books {
            truths: Truths::default(),
            records: OpenRecords::default(),
            tap: Tap::new(scenario),
            sockets: Sockets::default(),
            shows_packets,
            has_own_flows: scenario.conversations.iter().map(Template::has_own_flows).collect(),
        },
        post: Post::new(scenario, windows.clone()),
        windows,
        payload: Payload::new(),
        frame: Vec::new(),
        outcome: Outcome::default(),
    };
    while let Some(Reverse((time, turn))) = run.turns.pop() {
        run.pass(time)?;
        match turn {
            Turn::Repetition(number) => run.repetition(number, time)?,
            Turn::Beginning { template, repetition, copy } => {
                run.beginning(template, repetition, copy, time)?;
            }
            Turn::Conversation(number) => run.go_on(number, time)?,
        }
    }
    run.finish()
}

impl<Y: Yield> Run<'_, Y> {
    /// Closes and delivers what is due.
    #[inline]
    fn pass(&mut self, now: i64) -> Result<(), GenerateError<Y::Error>> {
        while let Some(closed) = self.books.records.next_closed(now) {
            self.post.take(closed);
        }
        while let Some((record, context)) = self.post.next_arrived(now) {
            self.output.record(record, context).map_err(GenerateError::Sink)?;
        }
        Ok(())
    }

    fn repetition(&mut self, number: u64, time: i64) -> Result<(), GenerateError<Y::Error>> {
        let Extent { repetitions, flows, packets, duration } = self.extent;
        let is_enough = number >= repetitions
            || self.outcome.flows >= flows
            || self.outcome.sent_packets >= packets
            || time - self.scenario.begin.nanos() >= duration;
        self.outcome.end = Timestamp::from_nanos(time);
        self.outcome.repetitions = number;
        if is_enough {
            return Ok(());
        }
        let next = time.saturating_add(self.scenario.duration);
        if next / SECOND > LAST_SECOND {
            return Err(GenerateError::TooLate { seconds: next / SECOND, last: LAST_SECOND });
        }
        for (template, plan) in self.scenario.conversations.iter().enumerate() {
            let turn = Turn::Beginning { template, repetition: number, copy: 0 };
            self.turns.push(Reverse((time + plan.start, turn)));
        }
        self.turns.push(Reverse((next, Turn::Repetition(number + 1))));
        Ok(())
    }

    /// Begins a copy of a template, and says when the next one begins.
    fn beginning(
        &mut self,
        template: usize,
        repetition: u64,
        copy: u64,
        time: i64,
    ) -> Result<(), GenerateError<Y::Error>> {
        let Some(plan) = self.scenario.conversations.get(template) else { return Ok(()) };
        let number = self.outcome.conversations;
        self.outcome.conversations += 1;
        let turn = repetition * plan.copies_of_clients + plan.turn + copy;
        let numbers = (repetition * plan.count + copy, number, turn);
        let began = Conversation::new(self.scenario, template, numbers, time, &mut self.books);
        let began = began.map_err(|clash| {
            let (what, hint) = clash.told(plan);
            GenerateError::Scenario(self.scenario.error_in(plan, what, hint))
        })?;
        if let Some(conversation) = began {
            let begins = conversation.begins();
            let place = self.free.pop().unwrap_or_else(|| {
                self.conversations.push(None);
                u32::try_from(self.conversations.len() - 1).unwrap_or(u32::MAX)
            });
            if let Some(free) = self.conversations.get_mut(place as usize) {
                *free = Some(conversation);
                self.turns.push(Reverse((begins, Turn::Conversation(place))));
            }
        }
        if copy + 1 < plan.count {
            let begin = self.scenario.begin.nanos() + repetition as i64 * self.scenario.duration + plan.start;
            let mut random = Random::of(self.scenario.seed, !number);
            let late = (plan.every as f64 * plan.jitter * random.unit()) as i64 / 1000 * 1000;
            let next = begin + (copy + 1) as i64 * plan.every + late;
            let turn = Turn::Beginning { template, repetition, copy: copy + 1 };
            self.turns.push(Reverse((next.max(time), turn)));
        }
        Ok(())
    }

    /// Has a conversation go on, as long as no other comes before it.
    fn go_on(&mut self, place: u32, time: i64) -> Result<(), GenerateError<Y::Error>> {
        let Some(mut conversation) = self.conversations.get_mut(place as usize).and_then(Option::take) else {
            return Ok(());
        };
        let Some(plan) = self.scenario.conversations.get(conversation.template) else { return Ok(()) };
        let mut time = time;
        loop {
            self.deliver(&mut conversation, plan, time)?;
            let Some(next) = conversation.go_on(plan, time) else {
                self.free.push(place);
                return self.end(&conversation);
            };
            let is_first = self.turns.peek().is_none_or(|Reverse((other, _))| next < *other);
            if next / SECOND > LAST_SECOND {
                return Err(GenerateError::Scenario(self.scenario.too_late(plan, next / SECOND)));
            }
            if !is_first {
                if let Some(seat) = self.conversations.get_mut(place as usize) {
                    *seat = Some(conversation);
                }
                self.turns.push(Reverse((next, Turn::Conversation(place))));
                return Ok(());
            }
            time = next;
            self.pass(time)?;
        }
    }

    /// Enters and frames the message that a conversation has on its way.
    fn deliver(
        &mut self,
        conversation: &mut Conversation,
        plan: &Template,
        time: i64,
    ) -> Result<(), GenerateError<Y::Error>> {
        let Some(pending) = conversation.pending else { return Ok(()) };
        let [client, server] = &mut conversation.identification;
        let identification = if pending.forward { client } else { server };
        let message = pending.message;
        let first = *identification;
        if pending.hops == 0 {
            *identification = identification.wrapping_add(message.segments() as u16);
            let [server, client] = &mut conversation.has_spoken;
            let spoken = if pending.forward { client } else { server };
            self.outcome.flows += u64::from(!std::mem::replace(spoken, true));
        }
        let Some(passage) = conversation.passage().filter(|passage| passage.exists) else { return Ok(()) };
        let is_v6 = passage.side.source.is_ipv6();
        let stamp = Stamp { identification: first, data_from: conversation.data_from };
        let at = Timestamp::from_nanos(time);
        self.outcome.last_packet = at;
        for part in message.parts(is_v6, plan.mtu) {
            let (sent, captured) = counted(&message, &part, is_v6, at);
            if pending.hops == 0 {
                self.outcome.sent_packets += sent.packets;
            }
            let shown = passage.in_view && !self.books.tap.loses();
            let entries = if part.from > 0 { &passage.later } else { &passage.entries };
            for entry in entries.iter().flatten() {
                if let Some(truth) = self.books.truths.of(entry.truth) {
                    truth.sent.merge(&sent);
                    if shown {
                        truth.captured.merge(&captured);
                    }
                }
                if let Some(record) = entry.record()
                    && let Some(window) = self.books.records.count(record, time, &sent, &self.windows)
                {
                    self.post.has_traffic(window);
                }
            }
            if shown {
                self.outcome.captured_frames += 1;
                self.frame.clear();
                if let Some(mirror) = &self.scenario.capture.mirror {
                    let length = passage.side.frame_length(&part);
                    let [one, other] = passage.side.ports;
                    let port = 49_152 | (one ^ other.rotate_left(5)) & 0x3fff;
                    write_mirror(mirror, [passage.side.macs[0], ROUTER], length, port, &mut self.frame);
                }
                write_frame(&passage.side, &message, &part, stamp, &self.payload, &mut self.frame);
                let output = &mut *self.output;
                let write = |time, kept: &[u8], original| output.frame(time, kept, original);
                self.books.tap.write(at, &self.frame, write).map_err(GenerateError::Sink)?;
            }
        }
        Ok(())
    }

    fn end(&mut self, conversation: &Conversation) -> Result<(), GenerateError<Y::Error>> {
        conversation.sockets.iter().flatten().for_each(|flow| self.books.sockets.free(*flow));
        for entry in conversation.entries() {
            if let Some(truth) = self.books.truths.end(entry.truth) {
                self.output.truth(&truth).map_err(GenerateError::Sink)?;
            }
            if let Some(record) = entry.record() {
                self.books.records.end(record);
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Outcome, GenerateError<Y::Error>> {
        let output = &mut *self.output;
        let write = |time, kept: &[u8], original| output.frame(time, kept, original);
        self.books.tap.finish(write).map_err(GenerateError::Sink)?;
        self.post.end(self.outcome.end.nanos());
        self.pass(i64::MAX)?;
        self.outcome.lost_frames = self.books.tap.lost;
        for truth in self.books.truths.finish() {
            self.output.truth(&truth).map_err(GenerateError::Sink)?;
        }
        Ok(self.outcome)
    }
}

/// What a part of a message counts: on the wire, where every segment is a packet of its own, and in the capture.
fn counted(message: &Message, part: &Part, is_v6: bool, at: Timestamp) -> (FlowCounters, FlowCounters) {
    let raw_tcp_flags = if part.from == 0 { message.flags() } else { Default::default() };
    let tcp_flags = raw_tcp_flags.as_logged();
    let bytes = u64::from(part.ip_length(is_v6));
    let captured = FlowCounters { packets: 1, bytes, first: at, last: at, tcp_flags, raw_tcp_flags };
    let more = u64::from(message.segments() - 1);
    let headers = u64::from(ip_header(is_v6) + message.header());
    let sent = FlowCounters { packets: 1 + more, bytes: bytes + more * headers, ..captured };
    (sent, captured)
}
