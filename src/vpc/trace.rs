//! One packet and its reply, without a capture: every interface that they pass, and what each rule says.

use super::{
    Answer, Asked, Connection, InterfaceIndex, Moment, Peer, Question, Sight, Traffic, Verdict, Vpc, Why,
};
use crate::packet::{Protocol, TcpFlags};
use crate::record::FlowDirection;

/// Nothing came before.
const ALONE: Moment = Moment { time: 0, since: i64::MIN };

/// A packet at an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// The interface.
    pub interface: InterfaceIndex,
    /// Which way it passes.
    pub direction: FlowDirection,
    /// Whether it may pass, all in all.
    pub verdict: Verdict,
    /// What the security groups say, with what they remember, in words.
    pub groups: (Answer, String),
    /// What the ACL says, in words.
    pub acl: (Answer, String),
    /// The interface at the other end, where it is known.
    pub peer: Option<Peer>,
}

/// A packet and the reply to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The interfaces that the packet passes, in its order; after a refusal none follows.
    pub packet: Vec<Passage>,
    /// Those that the reply passes; none where the packet does not arrive, or has no reply: ICMP errors and replies.
    pub reply: Vec<Passage>,
}

impl Vpc {
    /// Follows the first packet of a flow, and the reply to it. For TCP that is a SYN and a SYN-ACK.
    pub fn trace(&self, traffic: &Traffic) -> Trace {
        let ends = [traffic.flow.srcaddr, traffic.flow.dstaddr].map(|address| self.interface_at(address));
        let mut connections = [Connection::default(); 2];
        let [from, to] = ends;
        let there = [(0, from, to, true), (1, to, from, false)];
        let back = [(1, to, from, true), (0, from, to, false)];
        let is_tcp = traffic.flow.protocol == Protocol::TCP;
        let (syn, syn_ack) =
            if is_tcp { (TcpFlags::SYN, TcpFlags::SYN | TcpFlags::ACK) } else { (TcpFlags(0), TcpFlags(0)) };
        let packet = self.pass(traffic, syn, there, &mut connections);
        let arrives = packet.iter().all(|passage| passage.verdict.answer != Answer::No);
        // without its type it may be a request
        let has_reply = traffic.icmp.is_none() || traffic.is_icmp_request();
        let reply = if arrives && has_reply {
            self.pass(&traffic.reversed(), syn_ack, back, &mut connections)
        } else {
            Vec::new()
        };
        Trace { packet, reply }
    }

    fn pass(
        &self,
        traffic: &Traffic,
        flags: TcpFlags,
        sides: [(usize, Option<InterfaceIndex>, Option<InterfaceIndex>, bool); 2],
        connections: &mut [Connection; 2],
    ) -> Vec<Passage> {
        let mut passages: Vec<Passage> = Vec::new();
        for (at, own, other, egress) in sides {
            if passages.last().is_some_and(|passage| passage.verdict.answer == Answer::No) {
                break;
            }
            let (Some(interface), Some(connection)) = (own, connections.get_mut(at)) else { continue };
            let next = other.filter(|other| *other != interface);
            let sight = Sight { interface, egress, next };
            let (groups, acl, verdict) = match self.special(interface, traffic) {
                Some(special) => {
                    let why = Why::Special(special);
                    let text = self.explain(why, Some(interface), egress);
                    let verdict = Verdict { answer: Answer::Yes, why };
                    ((Answer::Yes, text.clone()), (Answer::Yes, text), verdict)
                }
                None => {
                    let acl = self.acl_allows(interface, egress, traffic, next);
                    let timeouts = self.timeouts(interface);
                    let Moment { time, since } = ALONE;
                    let question = Question { traffic, egress, flags, time, since, timeouts };
                    // asked apart: where the ACL stops the packet first, the groups would not be asked at all
                    let mut apart = *connection;
                    let groups = apart.judge(
                        &question,
                        || self.groups_allow(interface, egress, traffic),
                        || self.groups_allow(interface, !egress, &traffic.reversed()),
                    );
                    let verdict = self.judge(sight, traffic, flags, ALONE, connection, &mut Asked::default());
                    let group_text = self.explain(groups.why, Some(interface), egress);
                    let acl_text = match (acl.rule, acl.answer) {
                        (Some(rule), _) => self.rule_text(rule),
                        (None, Answer::Unknown) => self.explain(Why::AclUnknown, Some(interface), egress),
                        (None, _) => "not passed within a subnet".to_owned(),
                    };
                    ((groups.answer, group_text), (acl.answer, acl_text), verdict)
                }
            };
            let direction = if egress { FlowDirection::Egress } else { FlowDirection::Ingress };
            let peer = next.map(|interface| Peer { interface, by_mac: false });
            passages.push(Passage { interface, direction, verdict, groups, acl, peer });
        }
        passages
    }
}
