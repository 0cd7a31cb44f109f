//! UDP datagrams and pings: a request, its response, a pause, and again.

use super::Step;
use crate::generate::message::Message;
use crate::generate::scenario::{Speech, Template};
use crate::random::Random;

/// Exchanges of datagrams.
#[derive(Clone, Debug)]
pub struct Datagrams {
    /// The exchange that comes next.
    exchange: u32,
    /// Whether its request was sent.
    is_asked: bool,
    /// Of pings.
    identifier: u16,
}

impl Datagrams {
    pub(super) fn new(random: &mut Random) -> Datagrams {
        Datagrams { exchange: 0, is_asked: false, identifier: random.next() as u16 }
    }

    pub(super) fn next(&mut self, template: &Template, random: &mut Random) -> Option<Step> {
        if self.is_asked {
            self.is_asked = false;
            let sequence = self.exchange;
            self.exchange += 1;
            let is_answered =
                template.rejected.is_none() && (template.speech == Speech::Ping || template.response > 0);
            if is_answered {
                let wait = random.varied(template.rtt, template.jitter);
                let message = self.message(template, true, sequence);
                return Some(Step { wait, forward: false, message });
            }
        }
        if self.exchange == template.exchanges {
            return None;
        }
        self.is_asked = true;
        let wait = if self.exchange == 0 { 0 } else { random.varied(template.pause, template.jitter) };
        Some(Step { wait, forward: true, message: self.message(template, false, self.exchange) })
    }

    fn message(&self, template: &Template, reply: bool, sequence: u32) -> Message {
        // both are bounded when the scenario is read
        let data = if reply && template.speech == Speech::Udp { template.response } else { template.request };
        let data = data as u32;
        match template.speech {
            Speech::Ping => {
                Message::Echo { reply, identifier: self.identifier, sequence: sequence as u16, data }
            }
            Speech::Tcp | Speech::Udp => Message::Udp { data },
        }
    }
}
