//! What the two sides of a conversation say, one message after another.

mod datagrams;
mod tcp;

use datagrams::Datagrams;
use tcp::Tcp;

use super::message::Message;
use super::scenario::{Speech, Template};
use crate::random::Random;

/// The next message of a conversation.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Nanoseconds since the message before.
    pub wait: i64,
    /// Whether the client says it.
    pub forward: bool,
    /// What is said.
    pub message: Message,
}

/// What a conversation says in its whole course.
#[derive(Clone, Debug)]
pub enum Script {
    /// A TCP connection.
    Tcp(Tcp),
    /// UDP datagrams or pings.
    Datagrams(Datagrams),
}

impl Script {
    /// The script of a copy of a template. `segments` is how many segments the capture joins at most.
    pub fn new(template: &Template, is_v6: bool, segments: u32, random: &mut Random) -> Script {
        match template.speech {
            Speech::Tcp => Script::Tcp(Tcp::new(template, is_v6, segments, random)),
            Speech::Udp | Speech::Ping => Script::Datagrams(Datagrams::new(random)),
        }
    }

    /// What comes next, `None` at the end. `now` is the time of the message before.
    #[inline]
    pub fn next(&mut self, template: &Template, now: i64, random: &mut Random) -> Option<Step> {
        match self {
            Script::Tcp(tcp) => tcp.next(template, now, random),
            Script::Datagrams(datagrams) => datagrams.next(template, random),
        }
    }
}
