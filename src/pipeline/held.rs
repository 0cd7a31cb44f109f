//! Fragments of packets that are extracted: held back, bytes and all, until their first is found.
//!
//! [`FragmentTracker`] finds the ports; it knows observations only. So each packet gets a number, which travels
//! through the tracker as the observation's point, and the bytes of those that wait are kept here under it.

use std::collections::HashMap;

use crate::flow::{FlowKey, MeteringKey, ObservationPoint, WindowIndex};
use crate::meter::{FragmentTracker, Observation, Placement};
use crate::packet::{CapturedPacket, IpPacket, Timestamp};

/// How many bytes of packets are held at most; with more, all of them go on with ports `0 0`.
const MAX_HELD: usize = 64 << 20;

/// Seconds in a window of the tracker, which releases whole windows. A fragment waits for one to two of them: for
/// longer than the 30 s within which the tracker takes a first fragment for its own.
const WINDOW: i64 = 31;

/// A packet that is looked at, and what of its IP packet counts.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub(super) capture: usize,
    pub(super) packet: CapturedPacket<'a>,
    pub(super) time: Timestamp,
    /// With the first fragment's ports, once they are found.
    pub(super) flow: FlowKey,
    pub(super) ip_length: u32,
}

/// A candidate and its packet's bytes.
struct Held {
    candidate: Candidate<'static>,
    data: Vec<u8>,
}

/// Brings later fragments together with the ports of their first.
#[derive(Default)]
pub(super) struct HeldFragments {
    tracker: FragmentTracker,
    held: HashMap<u32, Held>,
    held_bytes: usize,
    /// The last number given.
    number: u32,
    /// The latest window that was seen.
    latest: Option<i64>,
    /// What the tracker has just handed on: number and flow.
    ready: Vec<(u32, FlowKey)>,
}

impl HeldFragments {
    /// Takes a packet; calls `each` with those that are ready, in the order in which they were read.
    pub(super) fn take<E>(
        &mut self,
        candidate: &Candidate<'_>,
        ip: &IpPacket,
        each: &mut impl FnMut(&Candidate<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let window = candidate.time.seconds().div_euclid(WINDOW);
        if self.latest.is_none_or(|latest| window > latest) {
            self.latest = Some(window);
            let ready = &mut self.ready;
            self.tracker.release(WindowIndex(window - 1), &mut |_, packet| ready.push(ready_one(packet)));
        }
        self.number = self.number.wrapping_add(1);
        let mut key = MeteringKey::from(candidate.flow);
        key.point = ObservationPoint(self.number);
        let Candidate { time, ip_length, .. } = *candidate;
        let observation = Observation { key, time, ip_length, tcp_flags: ip.tcp_flags };
        let placement = Placement { window: WindowIndex(window), late: false };
        let ready = &mut self.ready;
        self.tracker
            .take(ip.fragment, placement, observation, &mut |_, packet| ready.push(ready_one(packet)));
        if !self.ready.iter().any(|(number, _)| *number == self.number) {
            let data = candidate.packet.data.to_vec();
            self.held_bytes += data.len();
            let packet = CapturedPacket { data: &[], ..candidate.packet };
            self.held.insert(self.number, Held { candidate: Candidate { packet, ..*candidate }, data });
        }
        self.hand_on(Some(candidate), each)?;
        if self.held_bytes > MAX_HELD { self.give_up(each) } else { Ok(()) }
    }

    /// Hands on all that wait.
    pub(super) fn give_up<E>(
        &mut self,
        each: &mut impl FnMut(&Candidate<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let ready = &mut self.ready;
        self.tracker.give_up(&mut |_, packet| ready.push(ready_one(packet)));
        self.hand_on(None, each)
    }

    /// Hands on what is ready; a packet that was not held is the current one.
    fn hand_on<E>(
        &mut self,
        current: Option<&Candidate<'_>>,
        each: &mut impl FnMut(&Candidate<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        // the tracker's own order is that of a hash map
        self.ready.sort_unstable_by_key(|(number, _)| *number);
        for (number, flow) in self.ready.drain(..) {
            if let Some(Held { candidate, data }) = self.held.remove(&number) {
                self.held_bytes -= data.len();
                let packet = CapturedPacket { data: &data, ..candidate.packet };
                each(&Candidate { packet, flow, ..candidate })?;
            } else if let Some(current) = current {
                each(&Candidate { flow, ..*current })?;
            }
        }
        Ok(())
    }
}

fn ready_one(packet: &Observation) -> (u32, FlowKey) {
    (packet.key.point.0, packet.key.flow)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::packet::{Fragment, LinkType, PacketDirection, PacketTime, Protocol};

    /// Runs fragments through; returns number in the capture, source port and bytes in the order handed on.
    fn run(fragments: &[(Fragment, i64)], data: &[u8]) -> Vec<(u64, u16, usize)> {
        let mut held = HeldFragments::default();
        let mut out = Vec::new();
        let mut each = |candidate: &Candidate<'_>| -> Result<(), Infallible> {
            out.push((candidate.packet.number, candidate.flow.srcport, candidate.packet.data.len()));
            Ok(())
        };
        for (index, (fragment, seconds)) in fragments.iter().enumerate() {
            let srcport = if matches!(fragment, Fragment::Later(_)) { 0 } else { 53 };
            let ip =
                IpPacket { protocol: Protocol::UDP, srcport, fragment: *fragment, ..IpPacket::default() };
            let time = Timestamp::from_nanos(seconds * 1_000_000_000);
            let packet = CapturedPacket {
                number: index as u64 + 1,
                offset: 0,
                time: PacketTime::At(time),
                original_length: 0,
                link_type: LinkType::RAW,
                interface: 0,
                direction: PacketDirection::Unknown,
                data,
            };
            let candidate = Candidate { capture: 0, packet, time, flow: FlowKey::from(&ip), ip_length: 0 };
            held.take(&candidate, &ip, &mut each).unwrap();
        }
        held.give_up(&mut each).unwrap();
        assert_eq!((held.held.len(), held.held_bytes), (0, 0));
        out
    }

    #[test]
    fn fragments_take_their_firsts_ports_in_the_order_in_which_they_were_read() {
        use Fragment::{First, Later};
        let reversed = run(&[(Later(7), 0), (Later(7), 1), (First(7), 2), (Later(7), 3)], b"abc");
        assert_eq!(reversed, [(1, 53, 3), (2, 53, 3), (3, 53, 3), (4, 53, 3)]);
        let apart = run(&[(Later(7), 0), (First(7), 31)], b"abc");
        assert_eq!(apart, [(1, 0, 3), (2, 53, 3)]);
        let alone = run(&[(Later(9), 0), (Later(8), 0), (First(7), 70), (Later(7), 70)], b"");
        assert_eq!(alone, [(1, 0, 0), (2, 0, 0), (3, 53, 0), (4, 53, 0)]);
    }

    #[test]
    fn held_bytes_are_bounded() {
        let data = vec![0; MAX_HELD / 4];
        let fragments: Vec<_> = (0..9).map(|id| (Fragment::Later(id), 0)).collect();
        let out = run(&[&fragments[..], &[(Fragment::First(0), 1)]].concat(), &data);
        // the fifth is one too many, so that fragment 0 has gone on before its first came
        assert_eq!(
            out.iter().map(|(number, ..)| *number).collect::<Vec<_>>(),
            [1, 2, 3, 4, 5, 10, 6, 7, 8, 9]
        );
        assert_eq!(out[0].1, 0);
    }
}
