//! Fragments that take the ports of their first (`--fragments track`).
//!
//! A later fragment has no ports of its own. Its first may come before it, or, when fragments are reordered,
//! after it: so later fragments wait, each in the window it was placed in, until their first comes, their
//! window closes, or too many wait. What stays unresolved is counted with ports `0 0`.
//!
//! Identity of a fragmented packet: RFC 791 (source, destination, protocol, identification), RFC 8200
//! (source, destination, identification; the protocol is known only behind the first fragment's headers).

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::net::IpAddr;

use super::{Observation, Placement};
use crate::flow::{FlowKey, WindowIndex};
use crate::packet::{Fragment, Protocol, Timestamp};

/// How far apart fragments of one packet may be, in nanoseconds: 30 s, as long as Linux waits for them.
const TIME_OUT: u64 = 30_000_000_000;

/// How many first fragments are remembered, and how many later ones may wait.
const LIMIT: usize = 65_536;

/// What all fragments of one packet share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct FragmentedPacket {
    srcaddr: IpAddr,
    dstaddr: IpAddr,
    protocol: Protocol,
    identification: u32,
}

/// A first fragment that came by.
#[derive(Clone, Copy, Debug)]
struct First {
    flow: FlowKey,
    time: Timestamp,
}

/// Brings later fragments together with their first.
#[derive(Debug, Default)]
pub struct FragmentTracker {
    firsts: HashMap<FragmentedPacket, First>,
    /// The keys of `firsts`, oldest first.
    order: VecDeque<FragmentedPacket>,
    /// Later fragments without a first, by window.
    waiting: HashMap<FragmentedPacket, BTreeMap<WindowIndex, Vec<(Placement, Observation)>>>,
    /// Who waits in a window, so that its closing need not look at the others.
    windows: BTreeMap<WindowIndex, HashSet<FragmentedPacket>>,
    waiting_packets: usize,
    unresolved: u64,
}

impl FragmentTracker {
    /// A tracker that has seen nothing.
    pub fn new() -> Self {
        FragmentTracker::default()
    }

    /// Later fragments that were counted with ports `0 0` because no first fragment was found for them.
    pub fn unresolved(&self) -> u64 {
        self.unresolved
    }

    /// Takes a packet; hands on to `ready` what can be counted now.
    pub fn take(
        &mut self,
        fragment: Fragment,
        placement: Placement,
        packet: Observation,
        ready: &mut impl FnMut(Placement, &Observation),
    ) {
        match fragment {
            Fragment::Whole | Fragment::Atomic => ready(placement, &packet),
            Fragment::First(identification) => {
                let id = identify(&packet.key.flow, identification);
                self.remember(id, First { flow: packet.key.flow, time: packet.time });
                ready(placement, &packet);
                let waiting = self.waiting.remove(&id).unwrap_or_default();
                for window in waiting.keys() {
                    if let Some(ids) = self.windows.get_mut(window) {
                        ids.remove(&id);
                    }
                }
                for (placement, mut later) in waiting.into_values().flatten() {
                    self.waiting_packets -= 1;
                    if near(packet.time, later.time) {
                        later.key.flow = packet.key.flow;
                    } else {
                        self.unresolved += 1;
                    }
                    ready(placement, &later);
                }
            }
            Fragment::Later(identification) => {
                let id = identify(&packet.key.flow, identification);
                match self.firsts.get(&id) {
                    Some(first) if near(first.time, packet.time) => {
                        let mut packet = packet;
                        packet.key.flow = first.flow;
                        ready(placement, &packet);
                    }
                    _ => {
                        if self.waiting_packets >= LIMIT {
                            self.give_up(ready);
                        }
                        let in_window =
                            self.waiting.entry(id).or_default().entry(placement.window).or_default();
                        if in_window.is_empty() {
                            self.windows.entry(placement.window).or_default().insert(id);
                        }
                        in_window.push((placement, packet));
                        self.waiting_packets += 1;
                    }
                }
            }
        }
    }

    fn remember(&mut self, id: FragmentedPacket, first: First) {
        if self.firsts.insert(id, first).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > LIMIT
            && let Some(oldest) = self.order.pop_front()
        {
            self.firsts.remove(&oldest);
        }
    }

    /// Hands on the waiting packets of the windows below `passed`, before these are closed.
    pub fn release(&mut self, passed: WindowIndex, ready: &mut impl FnMut(Placement, &Observation)) {
        let still_open = self.windows.split_off(&passed);
        for (window, ids) in std::mem::replace(&mut self.windows, still_open) {
            for id in ids {
                let Some(waiting) = self.waiting.get_mut(&id) else { continue };
                for (placement, packet) in waiting.remove(&window).unwrap_or_default() {
                    self.unresolved += 1;
                    self.waiting_packets -= 1;
                    ready(placement, &packet);
                }
                if waiting.is_empty() {
                    self.waiting.remove(&id);
                }
            }
        }
    }

    /// Hands on all that wait.
    pub fn give_up(&mut self, ready: &mut impl FnMut(Placement, &Observation)) {
        let waiting = self.waiting.drain().flat_map(|(_, windows)| windows.into_values().flatten());
        for (placement, packet) in waiting {
            self.unresolved += 1;
            ready(placement, &packet);
        }
        self.windows.clear();
        self.waiting_packets = 0;
    }
}

fn identify(flow: &FlowKey, identification: u32) -> FragmentedPacket {
    let FlowKey { srcaddr, dstaddr, protocol, .. } = *flow;
    let protocol = if srcaddr.is_ipv4() { protocol } else { Protocol::FRAGMENT };
    FragmentedPacket { srcaddr, dstaddr, protocol, identification }
}

fn near(a: Timestamp, b: Timestamp) -> bool {
    a.nanos().abs_diff(b.nanos()) <= TIME_OUT
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::MeteringKey;
    use crate::packet::{IpPacket, TcpFlags};

    const SECOND: i64 = 1_000_000_000;

    fn packet(port: u16, seconds: i64) -> Observation {
        let packet =
            IpPacket { protocol: Protocol::UDP, srcport: port, dstport: port, ..IpPacket::default() };
        Observation {
            key: MeteringKey::from(FlowKey::from(&packet)),
            time: Timestamp::from_nanos(seconds * SECOND),
            ip_length: 100,
            tcp_flags: TcpFlags(0),
        }
    }

    /// Runs fragments through a tracker; returns the source ports and seconds in the order handed on.
    fn run(fragments: &[(Fragment, i64)], passed: i64) -> (Vec<(u16, i64)>, u64) {
        let mut tracker = FragmentTracker::new();
        let mut out = Vec::new();
        let mut ready = |_: Placement, o: &Observation| {
            out.push((o.key.flow.srcport, o.time.nanos() / SECOND));
        };
        for (fragment, seconds) in fragments {
            let port = if matches!(fragment, Fragment::Later(_)) { 0 } else { 53 };
            let placement = Placement { window: WindowIndex(seconds / 60), late: false };
            tracker.take(*fragment, placement, packet(port, *seconds), &mut ready);
        }
        tracker.release(WindowIndex(passed), &mut ready);
        tracker.give_up(&mut ready);
        let unresolved = tracker.unresolved();
        (out, unresolved)
    }

    #[test]
    fn later_fragments_take_the_ports_of_their_first_in_either_order() {
        use Fragment::{First, Later};
        let in_order = run(&[(First(7), 0), (Later(7), 1), (Later(7), 2)], 0);
        assert_eq!(in_order, (vec![(53, 0), (53, 1), (53, 2)], 0));
        let reversed = run(&[(Later(7), 0), (Later(7), 1), (First(7), 2)], 0);
        assert_eq!(reversed, (vec![(53, 2), (53, 0), (53, 1)], 0));
    }

    #[test]
    fn what_stays_unresolved_is_handed_on_and_counted() {
        use Fragment::{First, Later};
        assert_eq!(run(&[(Later(1), 0), (First(2), 1)], 0), (vec![(53, 1), (0, 0)], 1));
        assert_eq!(run(&[(First(1), 0), (Later(1), 31)], 0), (vec![(53, 0), (0, 31)], 1));
        assert_eq!(run(&[(Later(1), 0), (First(1), 31)], 0), (vec![(53, 31), (0, 0)], 1));
    }

    #[test]
    fn a_waiting_fragment_is_handed_on_before_its_window_closes() {
        use Fragment::Later;
        let (out, unresolved) = run(&[(Later(1), 70), (Later(2), 0)], 1);
        assert_eq!(out, [(0, 0), (0, 70)]);
        assert_eq!(unresolved, 2);
    }

    #[test]
    fn hostile_fragments_do_not_exhaust_memory() {
        let mut tracker = FragmentTracker::new();
        let (mut handed_on, count) = (0_usize, 3 * LIMIT);
        let placement = Placement { window: WindowIndex(0), late: false };
        for id in 0..count as u32 {
            tracker.take(Fragment::Later(id), placement, packet(0, 0), &mut |_, _| handed_on += 1);
            tracker.take(Fragment::First(id | 1 << 31), placement, packet(9, 0), &mut |_, _| handed_on += 1);
        }
        assert!(tracker.firsts.len() <= LIMIT && tracker.waiting_packets <= LIMIT);
        tracker.give_up(&mut |_, _| handed_on += 1);
        assert_eq!(handed_on, 2 * count);
    }
}
