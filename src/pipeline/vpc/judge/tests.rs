use super::*;
use crate::flow::WindowIndex;
use crate::meter::{Observation, Placement};
use crate::packet::{IcmpType, Protocol, Timestamp};
use crate::pipeline::vpc::sighting::InterfacesSeen;
use crate::vpc::ModelBuilder;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

const VPC: &str = r#"
[vpc]
id = "vpc-1"
cidrs = ["10.0.0.0/16"]

[[acl]]
id = "acl-1"
ingress = ["100 deny udp 53 from 203.0.113.0/24", "200 allow all from 0.0.0.0/0"]
egress = ["100 deny icmp to 203.0.113.0/24", "200 allow all to 0.0.0.0/0"]

[[subnet]]
id = "subnet-1"
cidrs = ["10.0.0.0/24"]
acl = "acl-1"

[[interface]]
id = "eni-1"
addresses = ["10.0.0.1"]
subnet = "subnet-1"
groups = ["sg-1"]
tcp-established-timeout = 60

[[interface]]
id = "eni-2"
addresses = ["10.0.0.2"]
subnet = "subnet-1"
groups = ["sg-2"]

[[interface]]
id = "eni-3"
addresses = ["10.0.0.3"]
subnet = "subnet-1"
groups = ["sg-gone"]

[[interface]]
id = "eni-4"
type = "nat_gateway"
addresses = ["10.0.0.4"]
subnet = "subnet-1"

[[security-group]]
id = "sg-1"
ingress = ["tcp 22 from 0.0.0.0/0", "udp 53 from 0.0.0.0/0", "icmp 8 from 0.0.0.0/0"]
egress = ["tcp to 10.0.0.0/24"]

[[security-group]]
id = "sg-2"
ingress = ["all from 0.0.0.0/0"]
"#;

fn judge(only: &[&str]) -> Judge {
    let mut builder = ModelBuilder::default();
    builder.add("vpc.toml", VPC).unwrap();
    let options = VpcOptions {
        only: only.iter().map(|id| (*id).to_owned()).collect(),
        why: true,
        ..VpcOptions::new(Arc::new(Vpc::new(builder.finish())))
    };
    let (_, points) = InterfacesSeen::new(options.vpc.clone());
    Judge::new(options, points, None)
}

/// A packet, and how long after the one before it comes.
fn packet() -> impl Strategy<Value = (Observation, i64)> {
    let addresses: Vec<IpAddr> =
        [[10, 0, 0, 1], [10, 0, 0, 2], [10, 0, 0, 3], [10, 0, 0, 4], [203, 0, 113, 5]]
            .map(|octets| IpAddr::V4(Ipv4Addr::from(octets)))
            .to_vec();
    let ends = (select(addresses.clone()), select(addresses));
    let ports = || select(vec![22_u16, 53, 40_000]);
    let shape =
        (select(vec![6_u8, 6, 17, 17, 1, 47]), ports(), ports(), select(vec![0_u8, 0, 0, 2, 18, 1, 4]));
    let pauses = vec![-1_i64, 0, 1, 1, 9, 11, 29, 31, 61, 181, 601, 4_000];
    (ends, shape, select(vec![0_u8, 8, 3]), select(pauses)).prop_map(
        |((srcaddr, dstaddr), (protocol, srcport, dstport, flags), icmp_type, pause)| {
            let has_ports = matches!(protocol, 6 | 17);
            let flow = FlowKey {
                srcaddr,
                dstaddr,
                protocol: Protocol(protocol),
                srcport: if has_ports { srcport } else { 0 },
                dstport: if has_ports { dstport } else { 0 },
            };
            let icmp = (protocol == 1).then_some(IcmpType { icmp_type, code: 0 });
            let key = MeteringKey { icmp, ..flow.into() };
            let tcp_flags = TcpFlags(if protocol == 6 { flags } else { 0 });
            (Observation { key, time: Timestamp::from_nanos(0), ip_length: 40, tcp_flags }, pause)
        },
    )
}

/// What was counted under which key.
fn counted(out: &Batch) -> BTreeMap<MeteringKey, (u64, u8)> {
    let mut counted = BTreeMap::new();
    out.for_each_counted(|_, key, counters| {
        let sum: &mut (u64, u8) = counted.entry(*key).or_default();
        sum.0 += counters.packets;
        sum.1 |= counters.tcp_flags.0;
    });
    counted
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_short_way_is_the_long_way(
        flows in proptest::collection::vec(packet(), 1..6),
        turns in proptest::collection::vec((any::<bool>(), any::<proptest::sample::Index>()), 1..120),
        sweeps: bool,
        only in select(vec![vec![], vec!["eni-1"]]),
    ) {
        let (mut quick, mut slow) = (judge(&only), judge(&only));
        slow.court.long_way_only = true;
        for judge in [&mut quick, &mut slow] {
            judge.begin(Timestamp::from_nanos(1_700_000_000_000_000_000));
        }
        let placement = Placement { window: WindowIndex(0), late: false };
        let mut time = 1_700_000_000;
        // few flows and their answers, so that they meet again
        let chunks = turns.chunks(7).len();
        for (at, turn) in turns.chunks(7).enumerate() {
            let mut batch = Batch::default();
            for (answers, which) in turn {
                let (mut observation, pause) = *which.get(&flows);
                time += pause;
                if *answers {
                    observation.key.flow = observation.key.flow.reversed();
                    if let Some(icmp) = observation.key.icmp.as_mut().filter(|icmp| icmp.icmp_type != 3) {
                        icmp.icmp_type = 8 - icmp.icmp_type;
                    }
                }
                observation.time = Timestamp::from_nanos(time * 1_000_000_000);
                batch.push(placement, &observation);
            }
            let last = at + 1 == chunks;
            let judged = [&mut quick, &mut slow].map(|judge| {
                let mut out = Batch::default();
                judge.judge(&batch, &mut out);
                let _ = judge.flush(None, &mut out, |_| Ok::<_, ()>(()));
                counted(&out)
            });
            prop_assert_eq!(&judged[0], &judged[1]);
            if sweeps && !last {
                quick.sweep(&mut Batch::default());
            }
        }
        let [quick, slow] = [quick, slow].map(Judge::into_judged);
        prop_assert_eq!(quick.total, slow.total);
        // in which order they are settled does not matter
        let taken_back = |judged: &Judged| {
            let taken_back = judged.taken_back.iter().map(|back| format!("{back:?}"));
            taken_back.collect::<std::collections::BTreeSet<_>>()
        };
        prop_assert_eq!(taken_back(&quick), taken_back(&slow));
    }
}
