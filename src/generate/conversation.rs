//! A copy of a template: the hops that its packets take, and what becomes of them there.

use super::frame::Side;
use super::message::Message;
use super::path::{Path, Station, flow};
use super::payload::Payload;
use super::run::Books;
use super::scenario::{Scenario, Speech, Template};
use super::sockets::Clash;
use super::speech::Script;
use super::truth::{NONE, Observed};
use super::windows::RecordKey;
use crate::flow::FlowKey;
use crate::random::Random;
use crate::record::Action;

/// What the next hop's packet is later, in nanoseconds.
pub(super) const HOP: i64 = 90_000;

/// The books that packets are entered in, one of each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) truth: u32,
    /// The record's; [`NONE`] where AWS does not log it.
    pub(super) record: u32,
}

/// One direction over one hop.
#[derive(Clone, Debug)]
pub(super) struct Passage {
    pub(super) side: Side,
    /// Whether packets come this far.
    pub(super) exists: bool,
    /// Whether the capture has them in view.
    pub(super) in_view: bool,
    /// Where they are entered: leaving the sender, reaching the receiver.
    pub(super) entries: [Option<Entry>; 2],
    /// The same for later fragments, which have no ports.
    pub(super) later: [Option<Entry>; 2],
}

/// A message that is on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    pub(super) message: Message,
    pub(super) forward: bool,
    /// How many hops it has taken.
    pub(super) hops: usize,
}

/// A conversation.
pub(super) struct Conversation {
    /// Its template's place.
    pub(super) template: usize,
    script: Script,
    random: Random,
    /// When the latest message was said.
    said_at: i64,
    /// What is said next, or is on its way.
    pub(super) pending: Option<Pending>,
    /// For each hop the client's direction, then the server's.
    pub(super) hops: Vec<[Passage; 2]>,
    /// The 5-tuples that no other conversation may have until it ends.
    pub(super) sockets: [Option<FlowKey>; 2],
    /// Whether the server, and whether the client, has said something.
    pub(super) has_spoken: [bool; 2],
    pub(super) data_from: usize,
    pub(super) identification: [u16; 2],
}

impl Conversation {
    /// A copy of a template that begins at a time. `number` is unlike that of every other conversation, `turn` is how
    /// many conversations the same clients have held before.
    ///
    /// # Errors
    /// No port of it is free.
    pub(super) fn new(
        scenario: &Scenario,
        template: usize,
        (copy, number, turn): (u64, u64, u64),
        begin: i64,
        books: &mut Books,
    ) -> Result<Option<Conversation>, Clash> {
        let Some(plan) = scenario.conversations.get(template) else { return Ok(None) };
        let ends = plan.from.station(copy, turn, true).zip(plan.to.station(copy, turn, false));
        let Some((mut client, mut server)) = ends else { return Ok(None) };
        if plan.speech == Speech::Ping {
            (client.port, server.port) = (0, 0);
        }
        let mut random = Random::of(scenario.seed, number);
        let is_v6 = client.address.is_ipv6();
        let script = Script::new(plan, is_v6, scenario.capture.offload, &mut random);
        let Path { hops, sockets } = Path::new(scenario, plan, [client, server], number, &mut books.sockets)?;
        let identification = random.next();
        let mut conversation = Conversation {
            template,
            script,
            said_at: begin,
            pending: None,
            hops: passages(scenario, plan, &hops, books),
            sockets,
            has_spoken: [false; 2],
            data_from: Payload::beginning(number),
            identification: [identification as u16, (identification >> 16) as u16],
            random,
        };
        conversation.say(plan);
        Ok(Some(conversation))
    }

    /// Has the next message said; when, or `None` where all is said.
    fn say(&mut self, template: &Template) -> Option<i64> {
        let step = self.script.next(template, self.said_at, &mut self.random)?;
        // whole microseconds, so that the truth can be written without loss
        self.said_at += step.wait / 1000 * 1000;
        self.pending = Some(Pending { message: step.message, forward: step.forward, hops: 0 });
        Some(self.said_at)
    }

    /// When the first message is said.
    pub(super) fn begins(&self) -> i64 {
        self.said_at
    }

    /// Goes on from a hop that was taken at a time: to the next hop, or to the next message; when, or `None` at the end.
    #[inline]
    pub(super) fn go_on(&mut self, template: &Template, now: i64) -> Option<i64> {
        if let Some(pending) = &mut self.pending {
            pending.hops += 1;
            if self.hops.len() > pending.hops && self.passage().is_some_and(|passage| passage.exists) {
                return Some(now + HOP);
            }
        }
        self.pending = None;
        // what was heard is answered after it was heard
        let next = self.say(template)?.max(now + 1000);
        self.said_at = next;
        Some(next)
    }

    /// The hop that the message on its way takes next.
    #[inline]
    pub(super) fn passage(&self) -> Option<&Passage> {
        let pending = self.pending.as_ref()?;
        let place =
            if pending.forward { pending.hops } else { self.hops.len().checked_sub(pending.hops + 1)? };
        let [there, back] = self.hops.get(place)?;
        Some(if pending.forward { there } else { back })
    }

    /// The books that it used.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        let passages = self.hops.iter().flatten();
        passages.flat_map(|passage| passage.entries.iter().chain(&passage.later).flatten().copied())
    }
}

/// What becomes of packets on their way, direction by direction.
fn passages(
    scenario: &Scenario,
    plan: &Template,
    hops: &[[Station; 2]],
    books: &mut Books,
) -> Vec<[Passage; 2]> {
    let mut there = Vec::with_capacity(hops.len());
    let mut alive = true;
    for [from, to] in hops {
        there.push(passage(scenario, plan, [*from, *to], true, &mut alive, books));
    }
    // the server says nothing to what never reaches it
    let mut back = Vec::with_capacity(hops.len());
    for [from, to] in hops.iter().rev() {
        back.push(passage(scenario, plan, [*to, *from], false, &mut alive, books));
    }
    there.into_iter().zip(back.into_iter().rev()).map(|(there, back)| [there, back]).collect()
}

fn passage(
    scenario: &Scenario,
    plan: &Template,
    [from, to]: [Station; 2],
    forward: bool,
    alive: &mut bool,
    books: &mut Books,
) -> Passage {
    let network = &scenario.network;
    let exists = *alive;
    let rejected = if forward { plan.rejected } else { plan.replies_rejected };
    let stations = [from.interface, to.interface];
    let mut passes = [true; 2];
    let mut entries = [None; 2];
    let mut later = [None; 2];
    let flow = flow(plan, from, to);
    for (place, (interface, egress)) in stations.into_iter().zip([true, false]).enumerate() {
        let Some(interface) = interface.filter(|_| *alive) else { continue };
        let is_rejected = rejected.is_some_and(|crossing| crossing.is_at(interface, egress));
        let action = if is_rejected { Action::Reject } else { Action::Accept };
        *alive = !is_rejected;
        let peer = if egress { to.interface } else { from.interface };
        let mut enter = |flow: FlowKey| {
            let first_station = egress || from.interface.is_none();
            let observed = Observed { flow, interface, egress, action, logged: plan.logged, first_station };
            books.enter(network, observed, peer, plan)
        };
        let entry = Some(enter(flow));
        let of_later = plan
            .is_fragmented(flow.srcaddr.is_ipv6())
            .then(|| enter(FlowKey { srcport: 0, dstport: 0, ..flow }));
        if let (Some(passes), Some(place_entry), Some(place_later)) =
            (passes.get_mut(place), entries.get_mut(place), later.get_mut(place))
        {
            (*passes, *place_entry, *place_later) = (!is_rejected, entry, of_later);
        }
    }
    Passage {
        side: Side {
            macs: stations.map(|interface| network.mac(interface)),
            vlan: plan.vlan,
            source: from.address,
            destination: to.address,
            ports: [from.port, to.port],
        },
        exists,
        in_view: exists && books.tap.is_in_view(stations, passes),
        entries,
        later,
    }
}

impl Template {
    /// Whether each of its conversations has flows that it shares with no other, as long as ephemeral ports last.
    pub(super) fn has_own_flows(&self) -> bool {
        let is_v6 = self.from.places.first().is_some_and(|seat| seat.first.is_ipv6());
        self.speech != Speech::Ping && self.from.ports.is_none() && !self.is_fragmented(is_v6)
    }

    /// Whether some of its messages do not fit into a packet.
    pub(super) fn is_fragmented(&self, is_v6: bool) -> bool {
        let most = self.request.max(self.response) as u32;
        self.speech != Speech::Tcp && Message::Udp { data: most }.parts(is_v6, self.mtu).count() > 1
    }
}

impl Entry {
    /// Whether it has a record.
    pub(super) fn record(&self) -> Option<u32> {
        (self.record != NONE).then_some(self.record)
    }

    /// An entry that has no record.
    pub(super) fn unlogged(truth: u32) -> Entry {
        Entry { truth, record: NONE }
    }
}

/// What has to be equal for the packets of a flow to be in one record.
pub(super) fn record_key(
    network: &super::network::Network,
    observed: &Observed,
    peer: Option<usize>,
    shows_packets: bool,
) -> RecordKey {
    let Observed { flow, interface, egress, action, .. } = *observed;
    let mut shown = flow;
    if let Some(own) = network.interfaces.get(interface) {
        let side = if egress { &mut shown.srcaddr } else { &mut shown.dstaddr };
        *side = own.shown(*side);
    }
    let packet = if shows_packets { flow } else { shown };
    let peer = peer.filter(|_| shows_packets);
    RecordKey { shown, packet, interface, peer, egress, action }
}
