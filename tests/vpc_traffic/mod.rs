//! A VPC, and invented traffic around it.

use std::sync::Arc;

use flowtruth::vpc::{ModelBuilder, Vpc};
use proptest::prelude::*;
use proptest::sample::select;

pub const VPC: &str = r#"
account = "123456789012"

[vpc]
id = "vpc-1"
cidrs = ["10.0.0.0/16"]

[[acl]]
id = "acl-1"
ingress = ["100 allow tcp 22 from 0.0.0.0/0", "200 deny udp 53 from 0.0.0.0/0", "300 allow all from 10.0.0.0/8"]
egress = ["100 deny icmp to 203.0.113.0/24", "200 allow all to 0.0.0.0/0"]

[[route-table]]
id = "rtb-1"
routes = ["0.0.0.0/0 nat-1"]

[[subnet]]
id = "subnet-1"
cidrs = ["10.0.0.0/24"]
acl = "acl-1"
route-table = "rtb-1"

[[subnet]]
id = "subnet-2"
cidrs = ["10.0.1.0/24"]

[[nat-gateway]]
id = "nat-1"
regional = true
public-addresses = ["198.51.100.1"]

[[interface]]
id = "eni-1"
addresses = ["10.0.0.1", "10.0.0.2"]
subnet = "subnet-1"
groups = ["sg-1"]

[[interface]]
id = "eni-2"
mac = "02:00:00:00:00:02"
addresses = ["10.0.1.1"]
subnet = "subnet-2"
groups = ["sg-2"]

[[interface]]
id = "eni-3"
addresses = ["10.0.1.2"]
subnet = "subnet-2"
groups = ["sg-1", "sg-gone"]

[[security-group]]
id = "sg-1"
ingress = ["tcp 22 from 0.0.0.0/0", "udp from sg-2"]
egress = ["all to 10.0.0.0/8"]

[[security-group]]
id = "sg-2"
ingress = ["icmp 8 from 0.0.0.0/0"]
"#;

pub fn vpc(text: &str) -> Arc<Vpc> {
    let mut builder = ModelBuilder::default();
    builder.add("vpc.toml", text).unwrap();
    Arc::new(Vpc::new(builder.finish()))
}

/// A packet: between which of the addresses, of which protocol, how long after the one before.
#[derive(Clone, Debug)]
pub struct Plan {
    pub ends: (usize, usize),
    pub protocol: u8,
    pub ports: (u16, u16),
    pub flags: u8,
    pub icmp: u8,
    pub mac: bool,
    pub pause_ms: u32,
}

const ADDRESSES: [[u8; 4]; 8] = [
    [10, 0, 0, 1],
    [10, 0, 0, 2],
    [10, 0, 1, 1],
    [10, 0, 1, 2],
    [10, 0, 7, 7],
    [203, 0, 113, 5],
    [198, 51, 100, 1],
    [192, 0, 2, 1],
];

pub fn plan() -> impl Strategy<Value = Plan> {
    let ports = || select(vec![22_u16, 53, 40_000]);
    let protocol = select(vec![6_u8, 6, 6, 17, 17, 1, 47]);
    let flags = select(vec![0x02_u8, 0x12, 0x10, 0x10, 0x11, 0x14]);
    let pause = select(vec![1_u32, 10, 1_000, 11_000, 40_000, 70_000]);
    (
        (0..8_usize, 0..8_usize),
        protocol,
        (ports(), ports()),
        flags,
        select(vec![0_u8, 8, 3]),
        any::<bool>(),
        pause,
    )
        .prop_map(|(ends, protocol, ports, flags, icmp, mac, pause_ms)| Plan {
            ends,
            protocol,
            ports,
            flags,
            icmp,
            mac,
            pause_ms,
        })
}

pub fn capture(plans: &[Plan]) -> Vec<u8> {
    let mut file =
        vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0];
    let mut time_ms = 1_700_000_000_000_u64;
    for (number, plan) in plans.iter().enumerate() {
        time_ms += u64::from(plan.pause_ms);
        let mut frame = vec![2, 0, 0, 0, 0, 0xfe, 2, 0, 0, 0, 0, if plan.mac { 2 } else { 0xff }, 8, 0];
        let mut payload = match plan.protocol {
            1 => vec![plan.icmp, 0, 0, 0],
            _ => [plan.ports.0.to_be_bytes(), plan.ports.1.to_be_bytes()].concat(),
        };
        payload.resize(20, 0);
        if plan.protocol == 6 {
            payload[13] = plan.flags;
        }
        let id = (number as u16).to_be_bytes();
        frame.extend([0x45, 0, 0, 40, id[0], id[1], 0x40, 0, 64, plan.protocol, 0, 0]);
        frame.extend(ADDRESSES[plan.ends.0]);
        frame.extend(ADDRESSES[plan.ends.1]);
        frame.extend(&payload);
        let length = (frame.len() as u32).to_le_bytes();
        file.extend(((time_ms / 1000) as u32).to_le_bytes());
        file.extend(((time_ms % 1000) as u32 * 1000).to_le_bytes());
        file.extend(length);
        file.extend(length);
        file.extend(frame);
    }
    file
}
