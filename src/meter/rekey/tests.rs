use super::pending::SECOND;
use super::*;
use crate::flow::FlowKey;
use crate::meter::Observation;
use crate::packet::Protocol;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Rules on each key's packets one by one, and leaves every third of a key out.
#[derive(Default)]
struct Counter {
    begun: Vec<MeteringKey>,
}

impl Rekey<(u32, u32)> for Counter {
    const TELLING: TcpFlags = TcpFlags(0);

    fn begin(&mut self, _: u32, key: MeteringKey) -> (u32, u32) {
        self.begun.push(key);
        (self.begun.len() as u32, 0)
    }

    fn rule(
        &mut self,
        _: &PacketFacts,
        _: MeteringKey,
        number: u32,
        keys: &mut impl Keys<(u32, u32)>,
    ) -> Ruling {
        let kept = keys.kept(number).unwrap();
        kept.1 += 1;
        let number = if kept.1.is_multiple_of(3) { 0 } else { kept.0 };
        Ruling { number, idle: None, anew: false }
    }

    fn settle(&mut self, ruling: u32, _: Placement, _: &FlowCounters) -> Settled {
        match ruling {
            0 => Settled::LeftOut,
            number => Settled::Counted { point: ObservationPoint(number), with_direction: false },
        }
    }
}

fn number_of(key: &MeteringKey) -> u32 {
    match key.flow.srcaddr {
        IpAddr::V4(address) => address.to_bits(),
        IpAddr::V6(address) => address.to_bits() as u32,
    }
}

fn observation(number: u32) -> Observation {
    let (srcaddr, dstaddr): (IpAddr, IpAddr) = if number.is_multiple_of(5) {
        (Ipv6Addr::from_bits(number.into()).into(), Ipv6Addr::LOCALHOST.into())
    } else {
        (Ipv4Addr::from_bits(number).into(), Ipv4Addr::LOCALHOST.into())
    };
    let flow = FlowKey { srcaddr, dstaddr, protocol: Protocol::UDP, srcport: 1, dstport: 2 };
    Observation {
        key: flow.into(),
        time: Timestamp::from_nanos(i64::from(number)),
        ip_length: number,
        tcp_flags: TcpFlags(0),
    }
}

#[test]
fn every_key_keeps_its_own_through_growth_and_drops() {
    let (mut rekeyer, mut counter) = (Rekeyer::default(), Counter::default());
    let mut expected: HashMap<u32, u32> = HashMap::new();
    let mut counted: BTreeMap<(i64, u32), u64> = BTreeMap::new();
    let mut found: BTreeMap<(i64, u32), u64> = BTreeMap::new();
    let mut out = Batch::default();
    for round in 0..9_u32 {
        let mut batch = Batch::default();
        for number in 0..4_000 {
            let window = i64::from(number / 1_000 + round / 3);
            batch.push(Placement { window: WindowIndex(window), late: false }, &observation(number));
            let seen = expected.entry(number).or_default();
            *seen += 1;
            if !seen.is_multiple_of(3) {
                *counted.entry((window, number)).or_default() += 1;
            }
        }
        rekeyer.rekey(&batch, &mut out, &mut counter);
        assert_eq!(rekeyer.len(), 4_000);
        if round == 4 {
            // who is dropped begins anew
            rekeyer.retain(&mut out, &mut counter, |_, kept| kept.0 % 2 == 0);
            let dropped = counter.begun.iter().zip(1_u32..).filter(|(_, at)| at % 2 == 1);
            let dropped: Vec<u32> = dropped.map(|(key, _)| number_of(key)).collect();
            dropped.iter().for_each(|number| *expected.get_mut(number).unwrap() = 0);
            assert_eq!(rekeyer.len(), 4_000 - dropped.len());
        }
        let _ = rekeyer
            .flush(Some(WindowIndex(i64::from(round / 3))), &mut out, &mut counter, |_| Ok::<_, ()>(()));
    }
    let _ = rekeyer.flush(None, &mut out, &mut counter, |_| Ok::<_, ()>(()));
    out.for_each_counted(|placement, key, counters| {
        assert!(key.point.0 > 0);
        let number = number_of(key);
        assert_eq!(counters.bytes, u64::from(number) * counters.packets);
        *found.entry((placement.window.0, number)).or_default() += counters.packets;
    });
    assert_eq!(found, counted);
    out.clear();
    let _ = rekeyer.flush(None, &mut out, &mut counter, |_| Ok::<_, ()>(()));
    assert!(out.is_empty(), "nothing is handed on twice");
}

/// One ruling, for ten seconds.
struct TenSeconds(u64);

impl Rekey<()> for TenSeconds {
    const TELLING: TcpFlags = TcpFlags(2);

    fn begin(&mut self, _: u32, _: MeteringKey) {}

    fn rule(&mut self, _: &PacketFacts, _: MeteringKey, _: u32, _: &mut impl Keys<()>) -> Ruling {
        self.0 += 1;
        Ruling { number: 1, idle: Some(10 * SECOND), anew: false }
    }

    fn settle(&mut self, ruling: u32, _: Placement, _: &FlowCounters) -> Settled {
        Settled::Counted { point: ObservationPoint(ruling), with_direction: false }
    }
}

/// What was counted in a window, in time or late: packets and bytes, first and last second.
type InWindow = (i64, bool, [u64; 2], [i64; 2]);

/// How many rulings there were, and what was counted.
fn ten_seconds(packets: &[(i64, i64, bool, u8, u32)]) -> (u64, Vec<InWindow>) {
    let (mut rekeyer, mut judge, mut out) = (Rekeyer::default(), TenSeconds(0), Batch::default());
    let mut batch = Batch::default();
    for (second, window, late, flags, ip_length) in packets {
        let (time, tcp_flags) = (Timestamp::from_nanos(second * SECOND), TcpFlags(*flags));
        let packet = Observation { time, tcp_flags, ip_length: *ip_length, ..observation(1) };
        batch.push(Placement { window: WindowIndex(*window), late: *late }, &packet);
    }
    rekeyer.rekey(&batch, &mut out, &mut judge);
    let _ = rekeyer.flush(None, &mut out, &mut judge, |_| Ok::<_, ()>(()));
    let mut found = Vec::new();
    out.for_each_counted(|placement, _, counters| {
        let FlowCounters { packets, bytes, first, last, .. } = *counters;
        let span = [first.seconds(), last.seconds()];
        found.push((placement.window.0, placement.late, [packets, bytes], span));
    });
    found.sort_unstable();
    (judge.0, found)
}

#[test]
fn a_ruling_holds_until_it_was_idle_or_flags_tell() {
    let packets = [(0, 0, false, 0, 1), (10, 0, false, 0, 1), (21, 0, false, 0, 1), (22, 0, false, 2, 1)];
    assert_eq!(ten_seconds(&packets), (3, vec![(0, false, [4, 4], [0, 22])]));
}

#[test]
fn windows_late_packets_and_sums_that_overflow_are_settled_apart() {
    let packets = [
        (1, 0, false, 0, 7),
        (3, 1, false, 0, 1),
        // of an earlier window, and late for it
        (2, 0, false, 0, 1),
        (2, 0, true, 0, 1),
        (4, 1, false, 0, u32::MAX),
        (5, -1, false, 0, 1),
        (6, i64::MAX, false, 0, 1),
    ];
    let expected = vec![
        (-1, false, [1, 1], [5, 5]),
        (0, false, [1, 1], [2, 2]),
        (0, false, [1, 7], [1, 1]),
        (0, true, [1, 1], [2, 2]),
        (1, false, [1, 1], [3, 3]),
        (1, false, [1, u64::from(u32::MAX)], [4, 4]),
        (i64::MAX, false, [1, 1], [6, 6]),
    ];
    assert_eq!(ten_seconds(&packets), (1, expected));
}
