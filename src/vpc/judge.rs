//! One packet at one interface, put to everything that it passes, in the right order.
//!
//! Into an interface: the subnet's ACL, then the security groups. Out of it: the security groups, then the ACL. So
//! what the ACL stops on its way in is no news to connection tracking, and what it stops on its way out is: the reply
//! to a ping is of a connection that the groups let begin, and yet the ACL may refuse it.

use super::connection::{Connection, Question, Verdict};
use super::security::GroupAnswer;
use super::why::Why;
use super::{AclAnswer, Answer, InterfaceIndex, Traffic, Vpc};
use crate::packet::TcpFlags;

/// One packet's passing of one interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// The interface.
    pub interface: InterfaceIndex,
    /// Whether the packet goes out of it.
    pub egress: bool,
    /// The interface at the other end, where it is known.
    pub next: Option<InterfaceIndex>,
}

/// When a packet was captured, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Since 1970.
    pub time: i64,
    /// When the first of all packets was captured: what came before is not known.
    pub since: i64,
}

/// What the rules have answered to a flow at an interface: they are asked once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Asked {
    acl: Option<AclAnswer>,
    own: Option<GroupAnswer>,
    reverse: Option<GroupAnswer>,
}

impl Vpc {
    /// Judges a packet of a flow. `connection` is the interface's memory of the flow and its reverse, `asked` what the
    /// rules have answered to this flow before; packets of one connection have to come in the order of time.
    ///
    /// [`special`](Vpc::special) traffic is not for this to judge: nothing filters it.
    pub fn judge(
        &self,
        sight: Sight,
        traffic: &Traffic,
        flags: TcpFlags,
        moment: Moment,
        connection: &mut Connection,
        asked: &mut Asked,
    ) -> Verdict {
        let Sight { interface, egress, next } = sight;
        let acl = *asked.acl.get_or_insert_with(|| self.acl_allows(interface, egress, traffic, next));
        if !egress && acl.answer == Answer::No {
            return denied(acl);
        }
        let Asked { own, reverse, .. } = asked;
        let Moment { time, since } = moment;
        let question = Question { traffic, egress, flags, time, since, timeouts: self.timeouts(interface) };
        let groups = connection.judge(
            &question,
            || *own.get_or_insert_with(|| self.groups_allow(interface, egress, traffic)),
            || {
                let ask = || self.groups_allow(interface, !egress, &traffic.reversed());
                *reverse.get_or_insert_with(ask)
            },
        );
        match (groups.answer, acl.answer) {
            (Answer::No, _) => groups,
            (_, Answer::No) => denied(acl),
            (Answer::Yes, Answer::Unknown) => Verdict { answer: Answer::Unknown, why: Why::AclUnknown },
            _ => groups,
        }
    }
}

fn denied(acl: AclAnswer) -> Verdict {
    Verdict { answer: Answer::No, why: acl.rule.map_or(Why::AclUnknown, Why::Denied) }
}
