//! Which 5-tuples are taken: of two conversations that go on at one time none has the other's.
//!
//! A host does not give a connection the port of another that is open to the same place, nor does a NAT gateway; so a
//! conversation takes the next port that is free. What has ended leaves its ports behind, for others to take.

use std::collections::HashSet;

use foldhash::fast::FixedState;

use super::scenario::Template;
use crate::flow::FlowKey;
use crate::packet::Protocol;

/// The 5-tuples of conversations that are going on, whichever side began.
#[derive(Default)]
pub(super) struct Sockets {
    taken: HashSet<FlowKey, FixedState>,
}

/// A conversation that begins where another is going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clash {
    /// The 5-tuple that both would have; of ports that are taken in turn, with the first that was tried.
    pub(super) flow: FlowKey,
    /// How many ports were tried.
    pub(super) tried: u64,
}

impl Sockets {
    /// Takes a 5-tuple, unless another conversation has it. Pings have no ports and tell each other apart.
    pub(super) fn take(&mut self, flow: FlowKey) -> bool {
        !has_ports(flow) || self.taken.insert(undirected(flow))
    }

    /// A conversation with a 5-tuple ends.
    pub(super) fn free(&mut self, flow: FlowKey) {
        if has_ports(flow) {
            self.taken.remove(&undirected(flow));
        }
    }

    /// The first of `count` tries whose 5-tuple is free, which is taken.
    pub(super) fn take_first(&mut self, count: u64, flow: impl Fn(u64) -> FlowKey) -> Result<FlowKey, Clash> {
        let mut tries = (0..count).map(&flow);
        tries.find(|flow| self.take(*flow)).ok_or_else(|| Clash { flow: flow(0), tried: count })
    }
}

impl Clash {
    /// What is wrong with a scenario in which it happens, and what to do about it.
    pub(super) fn told(&self, plan: &Template) -> (String, String) {
        let FlowKey { srcaddr, dstaddr, srcport, dstport, .. } = self.flow;
        if self.tried > 1 {
            let what = format!(
                "a conversation begins while all {} ports that `{srcaddr}` has towards `{dstaddr}`, port {dstport}, \
                 are taken by others",
                self.tried
            );
            let hint = "have fewer go on at one time: raise `every`, lower `count`, or give the hosts more addresses";
            return (what, hint.to_owned());
        }
        let what = format!(
            "a conversation between `{srcaddr}`, port {srcport}, and `{dstaddr}`, port {dstport}, begins while another \
             goes on there"
        );
        let hint = if plan.from.ports.is_some() {
            "leave `from-port` out, so that each has a port of its own; or raise `duration`, so that it ends before the \
             scenario begins again"
        } else {
            "give one of them another port"
        };
        (what, hint.to_owned())
    }
}

fn has_ports(flow: FlowKey) -> bool {
    flow.protocol == Protocol::TCP || flow.protocol == Protocol::UDP
}

/// The same for both directions.
fn undirected(flow: FlowKey) -> FlowKey {
    if (flow.srcaddr, flow.srcport) <= (flow.dstaddr, flow.dstport) { flow } else { flow.reversed() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(srcport: u16, dstport: u16) -> FlowKey {
        FlowKey {
            srcaddr: "10.0.0.1".parse().unwrap(),
            dstaddr: "10.0.0.2".parse().unwrap(),
            protocol: Protocol::UDP,
            srcport,
            dstport,
        }
    }

    #[test]
    fn a_5_tuple_is_taken_once_whichever_side_begins_and_again_when_it_is_free() {
        let mut sockets = Sockets::default();
        assert!(sockets.take(flow(123, 123)));
        assert!(!sockets.take(flow(123, 123).reversed()));
        sockets.free(flow(123, 123).reversed());
        assert!(sockets.take(flow(123, 123)));
        let ping = FlowKey { protocol: Protocol::ICMP, ..flow(0, 0) };
        assert!(sockets.take(ping) && sockets.take(ping));
    }

    #[test]
    fn the_next_port_is_taken_until_none_is_left() {
        let mut sockets = Sockets::default();
        let mut take = || sockets.take_first(3, |at| flow(7 + at as u16, 53)).map(|flow| flow.srcport);
        assert_eq!([take(), take(), take()], [Ok(7), Ok(8), Ok(9)]);
        assert_eq!(take(), Err(Clash { flow: flow(7, 53), tried: 3 }));
    }
}
