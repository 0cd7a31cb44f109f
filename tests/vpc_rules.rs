//! The security-group and network-ACL engines against a slow, literal reading of the rules: written apart, on the JSON
//! itself, with nothing compiled, cached or shared.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::net::IpAddr;

use flowtruth::flow::FlowKey;
use flowtruth::packet::{IcmpType, Protocol};
use flowtruth::vpc::{Answer, ModelBuilder, Traffic, Vpc};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Addresses of interfaces, of the VPC, and of elsewhere.
const ADDRESSES: [&str; 12] = [
    "10.0.0.10",
    "10.0.0.11",
    "10.0.1.10",
    "10.0.1.200",
    "10.0.2.7",
    "192.168.1.1",
    "203.0.113.5",
    "203.0.113.77",
    "198.51.100.1",
    "2001:db8:0:1::10",
    "2001:db8:0:2::10",
    "2001:db8:ffff::1",
];
const V4_RANGES: [&str; 8] = [
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.0.0.0/24",
    "10.0.1.0/24",
    "203.0.113.0/24",
    "203.0.113.64/26",
    "203.0.113.5/32",
    "192.168.0.0/16",
];
const V6_RANGES: [&str; 4] = ["::/0", "2001:db8::/32", "2001:db8:0:1::/64", "2001:db8:ffff::1/128"];

fn v4_range() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(V4_RANGES.to_vec())
}

fn v6_range() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(V6_RANGES.to_vec())
}

fn port() -> impl Strategy<Value = i64> {
    proptest::sample::select(vec![0, 21, 22, 23, 80, 443, 1023, 1024, 40000, 65535])
}

/// A permission as `describe-security-groups` prints it.
fn permission() -> impl Strategy<Value = Value> {
    let protocol =
        proptest::sample::select(vec!["-1", "tcp", "tcp", "udp", "icmp", "icmpv6", "50", "132", "6"]);
    let peers = (
        proptest::collection::vec(v4_range(), 0..2),
        proptest::collection::vec(v6_range(), 0..2),
        proptest::collection::vec(proptest::sample::select(vec!["sg-a", "sg-b", "sg-missing"]), 0..2),
        proptest::collection::vec(proptest::sample::select(vec!["pl-known", "pl-missing"]), 0..2),
    );
    (protocol, port(), port(), -1_i64..12, -1_i64..3, any::<bool>(), peers).prop_map(
        |(protocol, a, b, kind, code, all, (v4, v6, groups, lists))| {
            let mut permission = json!({
                "IpProtocol": protocol,
                "IpRanges": v4.iter().map(|cidr| json!({"CidrIp": cidr})).collect::<Vec<_>>(),
                "Ipv6Ranges": v6.iter().map(|cidr| json!({"CidrIpv6": cidr})).collect::<Vec<_>>(),
                "UserIdGroupPairs": groups.iter().map(|id| json!({"GroupId": id, "UserId": "1"})).collect::<Vec<_>>(),
                "PrefixListIds": lists.iter().map(|id| json!({"PrefixListId": id})).collect::<Vec<_>>(),
            });
            let object = permission.as_object_mut().unwrap();
            match protocol {
                "icmp" | "icmpv6" if !all => {
                    object.insert("FromPort".into(), kind.into());
                    object.insert("ToPort".into(), if kind == -1 { -1 } else { code }.into());
                }
                "tcp" | "udp" | "6" if !all => {
                    object.insert("FromPort".into(), a.min(b).into());
                    object.insert("ToPort".into(), a.max(b).into());
                }
                // ports that are to be ignored
                "50" | "132" => {
                    object.insert("FromPort".into(), a.min(b).into());
                    object.insert("ToPort".into(), a.max(b).into());
                }
                _ => {}
            }
            permission
        },
    )
}

/// An entry as `describe-network-acls` prints it; its number is given later.
fn entry() -> impl Strategy<Value = Value> {
    let protocol = proptest::sample::select(vec!["-1", "6", "6", "17", "1", "58", "50"]);
    (
        protocol,
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        v4_range(),
        v6_range(),
        port(),
        port(),
        -1_i64..12,
        -1_i64..3,
    )
        .prop_map(|(protocol, egress, allow, v6, v4_cidr, v6_cidr, a, b, kind, code)| {
            let mut entry = json!({
                "Egress": egress,
                "Protocol": protocol,
                "RuleAction": if allow { "allow" } else { "deny" },
            });
            let object = entry.as_object_mut().unwrap();
            if v6 {
                object.insert("Ipv6CidrBlock".into(), v6_cidr.into());
            } else {
                object.insert("CidrBlock".into(), v4_cidr.into());
            }
            match protocol {
                "6" | "17" => {
                    object.insert("PortRange".into(), json!({"From": a.min(b), "To": a.max(b)}));
                }
                "1" | "58" => {
                    object.insert(
                        "IcmpTypeCode".into(),
                        json!({"Type": kind, "Code": if kind == -1 { -1 } else { code }}),
                    );
                }
                _ => {}
            }
            entry
        })
}

prop_compose! {
    /// Documents that describe three interfaces in two subnets; the third has a group that is not described.
    fn description()(
        permissions in proptest::collection::vec(proptest::collection::vec(permission(), 0..4), 4),
        entries in proptest::collection::vec((1_i64..32767, entry()), 0..8),
        other in proptest::collection::vec((1_i64..32767, entry()), 0..8),
    ) -> Value {
        let acl = |id: &str, subnet: &str, entries: Vec<(i64, Value)>| {
            let mut listed = Vec::new();
            for (number, mut entry) in entries {
                let egress = entry["Egress"].clone();
                // numbers are unique within a direction
                if listed.iter().any(|other: &Value| other["RuleNumber"] == number && other["Egress"] == egress) {
                    continue;
                }
                entry["RuleNumber"] = number.into();
                listed.push(entry);
            }
            for egress in [false, true] {
                listed.push(json!({"Egress": egress, "RuleNumber": 32767, "Protocol": "-1", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0"}));
                listed.push(json!({"Egress": egress, "RuleNumber": 32768, "Protocol": "-1", "RuleAction": "deny", "Ipv6CidrBlock": "::/0"}));
            }
            json!({"NetworkAclId": id, "VpcId": "vpc-1", "Associations": [{"SubnetId": subnet}], "Entries": listed})
        };
        json!({
            "NetworkInterfaces": [
                {"NetworkInterfaceId": "eni-1", "SubnetId": "subnet-1", "VpcId": "vpc-1", "PrivateIpAddress": "10.0.0.10",
                 "Ipv6Addresses": [{"Ipv6Address": "2001:db8:0:1::10"}], "Groups": [{"GroupId": "sg-a"}]},
                {"NetworkInterfaceId": "eni-2", "SubnetId": "subnet-1", "VpcId": "vpc-1", "PrivateIpAddress": "10.0.0.11",
                 "Groups": [{"GroupId": "sg-a"}, {"GroupId": "sg-b"}]},
                {"NetworkInterfaceId": "eni-3", "SubnetId": "subnet-2", "VpcId": "vpc-1", "PrivateIpAddress": "10.0.1.10",
                 "Ipv6Addresses": [{"Ipv6Address": "2001:db8:0:2::10"}], "Groups": [{"GroupId": "sg-b"}, {"GroupId": "sg-gone"}]},
            ],
            "Subnets": [
                {"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24",
                 "Ipv6CidrBlockAssociationSet": [{"Ipv6CidrBlock": "2001:db8:0:1::/64"}]},
                {"SubnetId": "subnet-2", "VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24",
                 "Ipv6CidrBlockAssociationSet": [{"Ipv6CidrBlock": "2001:db8:0:2::/64"}]},
            ],
            "SecurityGroups": [
                {"GroupId": "sg-a", "IpPermissions": permissions[0], "IpPermissionsEgress": permissions[1]},
                {"GroupId": "sg-b", "IpPermissions": permissions[2], "IpPermissionsEgress": permissions[3]},
            ],
            "NetworkAcls": [acl("acl-1", "subnet-1", entries), acl("acl-2", "subnet-2", other)],
            "PrefixLists": [{"PrefixListId": "pl-known", "Cidrs": ["203.0.113.0/24", "192.168.1.1/32"]}],
        })
    }
}

/// A packet at an interface.
#[derive(Debug, Clone)]
struct Packet {
    interface: usize,
    egress: bool,
    remote: &'static str,
    protocol: u8,
    srcport: u16,
    dstport: u16,
    icmp: (u8, u8),
}

fn packet() -> impl Strategy<Value = Packet> {
    let protocol = proptest::sample::select(vec![6_u8, 6, 17, 1, 58, 50, 132]);
    let remote = proptest::sample::select(ADDRESSES.to_vec());
    (0_usize..3, any::<bool>(), remote, protocol, port(), port(), (0_u8..12, 0_u8..3)).prop_map(
        |(interface, egress, remote, protocol, srcport, dstport, icmp)| {
            let has_ports = matches!(protocol, 6 | 17 | 132);
            let (srcport, dstport) = if has_ports { (srcport as u16, dstport as u16) } else { (0, 0) };
            Packet { interface, egress, remote, protocol, srcport, dstport, icmp }
        },
    )
}

// -- the literal reading --------------------------------------------------------------------------------------------

/// Whether a range holds an address, bit by bit.
fn holds(cidr: &str, address: IpAddr) -> bool {
    let (base, bits) = cidr.split_once('/').unwrap();
    let base: IpAddr = base.parse().unwrap();
    let bits: usize = bits.parse().unwrap();
    let bytes = |address: IpAddr| match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let (base, address) = (bytes(base), bytes(address));
    base.len() == address.len()
        && (0..bits).all(|bit| (base[bit / 8] ^ address[bit / 8]) >> (7 - bit % 8) & 1 == 0)
}

fn list<'a>(value: &'a Value, key: &str) -> Vec<&'a Value> {
    value[key].as_array().map(|list| list.iter().collect()).unwrap_or_default()
}

/// The private addresses of the interfaces that have a group.
fn members(model: &Value, group: &str) -> Vec<IpAddr> {
    let mut addresses = Vec::new();
    for interface in list(model, "NetworkInterfaces") {
        if list(interface, "Groups").iter().any(|has| has["GroupId"] == group) {
            addresses.push(interface["PrivateIpAddress"].as_str().unwrap().parse().unwrap());
            for v6 in list(interface, "Ipv6Addresses") {
                addresses.push(v6["Ipv6Address"].as_str().unwrap().parse().unwrap());
            }
        }
    }
    addresses
}

/// `Some(true)` allowed, `Some(false)` not, `None` not known: what one permission says.
fn permission_says(model: &Value, permission: &Value, packet: &Packet, remote: IpAddr) -> Option<bool> {
    let number = match permission["IpProtocol"].as_str().unwrap() {
        "-1" => None,
        "tcp" => Some(6),
        "udp" => Some(17),
        "icmp" => Some(1),
        "icmpv6" => Some(58),
        number => Some(number.parse::<u8>().unwrap()),
    };
    let from = permission["FromPort"].as_i64().unwrap_or(-1);
    let to = permission["ToPort"].as_i64().unwrap_or(-1);
    let fits = match number {
        None => true,
        Some(number) if number != packet.protocol => false,
        Some(6 | 17) => from == -1 || (from <= i64::from(packet.dstport) && i64::from(packet.dstport) <= to),
        Some(1 | 58) => {
            from == -1 || (from == i64::from(packet.icmp.0) && (to == -1 || to == i64::from(packet.icmp.1)))
        }
        Some(_) => true,
    };
    if !fits {
        return Some(false);
    }
    let mut says = Some(false);
    for range in list(permission, "IpRanges") {
        if holds(range["CidrIp"].as_str().unwrap(), remote) {
            says = Some(true);
        }
    }
    for range in list(permission, "Ipv6Ranges") {
        if holds(range["CidrIpv6"].as_str().unwrap(), remote) {
            says = Some(true);
        }
    }
    for group in list(permission, "UserIdGroupPairs") {
        let id = group["GroupId"].as_str().unwrap();
        let described = list(model, "SecurityGroups").iter().any(|group| group["GroupId"] == id);
        // a reference means private addresses only
        let public = ["203.0.113.5", "203.0.113.77", "198.51.100.1"];
        if members(model, id).contains(&remote) {
            says = Some(true);
        } else if !described && !public.contains(&remote.to_string().as_str()) && says == Some(false) {
            says = None;
        }
    }
    for prefix_list in list(permission, "PrefixListIds") {
        let known = list(model, "PrefixLists");
        let known = known.iter().find(|known| known["PrefixListId"] == prefix_list["PrefixListId"]);
        match known {
            Some(known) if list(known, "Cidrs").iter().any(|cidr| holds(cidr.as_str().unwrap(), remote)) => {
                says = Some(true);
            }
            Some(_) => {}
            None if says == Some(false) => says = None,
            None => {}
        }
    }
    says
}

fn groups_say(model: &Value, packet: &Packet, remote: IpAddr) -> Option<bool> {
    let interface = &model["NetworkInterfaces"][packet.interface];
    let mut unknown = false;
    for group in list(interface, "Groups") {
        let described = list(model, "SecurityGroups");
        let Some(described) = described.iter().find(|known| known["GroupId"] == group["GroupId"]) else {
            unknown = true;
            continue;
        };
        let key = if packet.egress { "IpPermissionsEgress" } else { "IpPermissions" };
        for permission in list(described, key) {
            match permission_says(model, permission, packet, remote) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => unknown = true,
            }
        }
    }
    if unknown { None } else { Some(false) }
}

fn acl_says(model: &Value, packet: &Packet, remote: IpAddr) -> bool {
    let interface = &model["NetworkInterfaces"][packet.interface];
    let subnets = list(model, "Subnets");
    let subnet = subnets.iter().find(|subnet| subnet["SubnetId"] == interface["SubnetId"]).unwrap();
    let mut ranges = vec![subnet["CidrBlock"].as_str().unwrap()];
    ranges.extend(
        list(subnet, "Ipv6CidrBlockAssociationSet").iter().map(|v6| v6["Ipv6CidrBlock"].as_str().unwrap()),
    );
    if ranges.iter().any(|range| holds(range, remote)) {
        return true;
    }
    let acls = list(model, "NetworkAcls");
    let acl = acls.iter().find(|acl| acl["Associations"][0]["SubnetId"] == interface["SubnetId"]).unwrap();
    for number in 1..=32768 {
        for entry in list(acl, "Entries") {
            if entry["RuleNumber"] != number || entry["Egress"] != packet.egress {
                continue;
            }
            let cidr = entry["CidrBlock"].as_str().or(entry["Ipv6CidrBlock"].as_str()).unwrap();
            let protocol: i64 = entry["Protocol"].as_str().unwrap().parse().unwrap();
            let fits = match protocol {
                -1 => true,
                other if other != i64::from(packet.protocol) => false,
                6 | 17 => {
                    let range = &entry["PortRange"];
                    range["From"].as_i64().unwrap() <= i64::from(packet.dstport)
                        && i64::from(packet.dstport) <= range["To"].as_i64().unwrap()
                }
                // with an IPv4 range, all types of ICMPv6
                58 if entry["CidrBlock"].is_string() => true,
                1 | 58 => {
                    let (kind, code) =
                        (entry["IcmpTypeCode"]["Type"].as_i64(), entry["IcmpTypeCode"]["Code"].as_i64());
                    (kind == Some(-1) || kind == Some(i64::from(packet.icmp.0)))
                        && (code == Some(-1) || code == Some(i64::from(packet.icmp.1)))
                }
                _ => true,
            };
            if fits && holds(cidr, remote) {
                return entry["RuleAction"] == "allow";
            }
        }
    }
    false
}

fn traffic(model: &Value, packet: &Packet, remote: IpAddr) -> Option<Traffic> {
    let interface = &model["NetworkInterfaces"][packet.interface];
    let own = if remote.is_ipv4() {
        interface["PrivateIpAddress"].as_str()
    } else {
        interface["Ipv6Addresses"][0]["Ipv6Address"].as_str()
    };
    let own: IpAddr = own?.parse().unwrap();
    let (srcaddr, dstaddr) = if packet.egress { (own, remote) } else { (remote, own) };
    let flow = FlowKey {
        srcaddr,
        dstaddr,
        protocol: Protocol(packet.protocol),
        srcport: packet.srcport,
        dstport: packet.dstport,
    };
    let is_icmp = matches!(packet.protocol, 1 | 58);
    let icmp = is_icmp.then_some(IcmpType { icmp_type: packet.icmp.0, code: packet.icmp.1 });
    Some(Traffic { ports_known: true, ..Traffic::new(flow, icmp) })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_engines_are_the_literal_reading(
        model in description(),
        packets in proptest::collection::vec(packet(), 1..12),
    ) {
        let mut builder = ModelBuilder::default();
        builder.add("model.json", &model.to_string()).unwrap();
        let vpc = Vpc::new(builder.finish());
        for packet in &packets {
            let remote: IpAddr = packet.remote.parse().unwrap();
            let Some(traffic) = traffic(&model, packet, remote) else { continue };
            let id = model["NetworkInterfaces"][packet.interface]["NetworkInterfaceId"].as_str().unwrap();
            let interface = vpc.interface_named(id).unwrap();
            let answer = |says: Option<bool>| match says {
                Some(true) => Answer::Yes,
                Some(false) => Answer::No,
                None => Answer::Unknown,
            };
            let groups = vpc.groups_allow(interface, packet.egress, &traffic);
            prop_assert_eq!(groups.answer, answer(groups_say(&model, packet, remote)), "groups: {:?}", packet);
            prop_assert_eq!(groups.rule.is_some(), groups.answer == Answer::Yes);
            let acl = vpc.acl_allows(interface, packet.egress, &traffic, None);
            prop_assert_eq!(acl.answer, Answer::from(acl_says(&model, packet, remote)), "ACL: {:?}", packet);
        }
    }
}
