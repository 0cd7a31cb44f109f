//! Answers of UDP and ICMP to what was sent before the capture began.
//!
//! A TCP packet shows by its flags that it begins nothing. Of ICMP a reply's type shows it; of UDP nothing does, so a
//! packet from a service's port to a client's is taken for an answer. Both only as long as the request, sent before the
//! first packet of all, might still be remembered: later there is no such request.

use super::{Connection, ICMP, Phase, Question, Verdict};
use crate::packet::Protocol;
use crate::vpc::{Answer, security::GroupAnswer};

/// The ports that clients are given begin here: 32768 on Linux, 49152 on Windows (VPC User Guide, "Ephemeral ports").
const CLIENTS: u16 = 32768;

/// Whether a packet of which nothing is known may be an answer to one before the first of all.
pub(super) fn may_be_an_answer(question: &Question<'_>) -> bool {
    let Question { traffic, time, since, timeouts, .. } = question;
    let flow = traffic.flow;
    let (is_answer, remembered) = match flow.protocol {
        Protocol::UDP => (flow.srcport < CLIENTS && flow.dstport >= CLIENTS, timeouts.udp_stream),
        Protocol::ICMP | Protocol::ICMPV6 => (traffic.is_icmp_reply(), ICMP),
        _ => (false, 0),
    };
    is_answer && time.saturating_sub(*since) <= remembered
}

impl Connection {
    /// Judges such a packet: by its own direction's rules, else as the answer to what the other direction's rules let
    /// out.
    pub(super) fn answer_unseen(
        &mut self,
        question: &Question<'_>,
        own: GroupAnswer,
        reverse: impl FnOnce() -> GroupAnswer,
    ) -> Verdict {
        if own.answer == Answer::Yes {
            return self.begin(question, own);
        }
        let reverse = reverse();
        match reverse.answer {
            Answer::Yes => {
                *self = Connection {
                    last: question.time,
                    rule: reverse.rule,
                    phase: Phase::Tracked,
                    from_inside: !question.egress,
                    mid_stream: true,
                    // how many exchanges there were is not known: it may be a stream
                    exchanges: 2,
                    ..Connection::default()
                };
                self.passed(question.egress)
            }
            Answer::Unknown => self.begin(question, GroupAnswer { answer: Answer::Unknown, ..own }),
            Answer::No => self.begin(question, own),
        }
    }
}
