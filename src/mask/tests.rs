use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::*;
use crate::record::{Field, FlowRecord};

const KEY: &str = "0123456789abcdeffedcba98765432101032547698badcfeefcdab8967452301";
const OTHER: &str = "2b7e151628aed2a6abf7158809cf4f3ca9f5ba40db214c3798f2e1c23456789a";

fn mask(key: &str) -> Mask {
    Mask::new(&key.parse().unwrap())
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// What the scheme alone makes of an address.
fn whole(key: &str, text: &str) -> String {
    mask(key).addresses.encrypt_ipaddr(address(text)).to_string()
}

/// The vectors of draft-denis-ipcrypt, ipcrypt-pfx.
#[test]
fn the_scheme_is_the_published_one() {
    for (key, from, to) in [
        (KEY, "0.0.0.0", "151.82.155.134"),
        (KEY, "255.255.255.255", "94.185.169.89"),
        (KEY, "192.0.2.1", "100.115.72.131"),
        (KEY, "2001:db8::1", "c180:5dd4:2587:3524:30ab:fa65:6ab6:f88"),
        (OTHER, "10.0.0.47", "19.214.210.244"),
        (OTHER, "10.0.0.129", "19.214.210.80"),
        (OTHER, "10.0.0.234", "19.214.210.30"),
        (OTHER, "172.16.5.193", "210.78.229.136"),
    ] {
        assert_eq!(whole(key, from), to, "{from}");
    }
}

#[test]
fn behind_the_bits_that_stay_stand_the_scheme_s() {
    // 10/8 stays, 192.0.2.1 is told from 192.168/16 by bit 8
    assert_eq!(mask(OTHER).address(address("10.0.0.47")), address("10.214.210.244"));
    let masked = mask(KEY).address(address("192.0.2.1"));
    assert_eq!(masked, address("192.115.72.131"));
}

#[test]
fn what_an_address_is_for_stays() {
    let mask = mask(KEY);
    for kept in [
        "0.0.0.0",
        "127.0.0.1",
        "169.254.169.254",
        "169.254.169.253",
        "169.254.169.123",
        "169.254.169.250",
        "169.254.169.251",
        "224.0.0.251",
        "255.255.255.255",
        "::",
        "::1",
        "fd00:ec2::254",
        "ff02::1",
        "ff02::fb",
        "ff02::1:2",
    ] {
        assert_eq!(mask.address(address(kept)), address(kept));
    }
    let scope = |address: IpAddr| match address {
        IpAddr::V4(v4) => (v4.is_private(), v4.is_link_local(), v4.is_multicast(), v4.is_loopback()),
        IpAddr::V6(v6) => {
            (v6.is_unique_local(), v6.is_unicast_link_local(), v6.is_multicast(), v6.octets()[0] >> 5 == 1)
        }
    };
    let mut changed = 0;
    for text in [
        "10.1.2.3",
        "172.31.0.9",
        "192.168.7.7",
        "169.254.9.9",
        "239.1.2.3",
        "127.0.0.53",
        "8.8.8.8",
        "100.64.3.3",
        "203.0.113.9",
        "fe80::a0ff:fe12:3456",
        "fd12:3456::9",
        "ff05::9:9",
        "2001:db8::1",
        "ff02::1:ff12:3456",
    ] {
        let masked = mask.address(address(text));
        assert_eq!(scope(masked), scope(address(text)), "{text} {masked}");
        changed += usize::from(masked != address(text));
    }
    assert_eq!(changed, 14);
    assert!(mask.address(address("ff02::1:ff12:3456")).to_string().starts_with("ff02::1:ff"));
}

/// The first bits that two addresses share.
fn shared(a: IpAddr, b: IpAddr) -> u32 {
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
        _ => 0,
    }
}

proptest::proptest! {
    #[test]
    fn ipv4_prefixes_are_kept(a: u32, b: u32, near in 0_u32..32, block in 0_usize..20) {
        // many of them near one another, and near the blocks that stay
        let blocks = [0x0a00_0000, 0xa9fe_a9fe, 0xac10_0000, 0xe000_0000, 0xc0a8_0000, 0x7f00_0001];
        let a = blocks.get(block).map_or(a, |first| first ^ a >> 12);
        let b = a ^ b.checked_shr(near).unwrap_or(0);
        let (a, b) = (IpAddr::V4(Ipv4Addr::from_bits(a)), IpAddr::V4(Ipv4Addr::from_bits(b)));
        let mask = mask(KEY);
        proptest::prop_assert_eq!(shared(a, b), shared(mask.address(a), mask.address(b)));
    }

    #[test]
    fn ipv6_prefixes_are_kept(a: u128, b: u128, near in 0_u32..128, block in 0_usize..12) {
        let blocks = ["fd00:ec2::254", "fe80::1", "ff02::1:ff00:1", "2001:db8::", "64:ff9b::a00:1", "::ffff:a00:1"];
        let a = blocks.get(block).map_or(a, |first| first.parse::<Ipv6Addr>().unwrap().to_bits() ^ a >> 108);
        let b = a ^ b.checked_shr(near).unwrap_or(0);
        let (a, b) = (IpAddr::V6(Ipv6Addr::from_bits(a)), IpAddr::V6(Ipv6Addr::from_bits(b)));
        let mask = mask(KEY);
        proptest::prop_assert_eq!(shared(a, b), shared(mask.address(a), mask.address(b)));
    }
}

/// The numbers of `docs/anonymize.md`.
#[test]
fn so_many_bits_of_an_address_stay() {
    for (text, bits) in [
        ("54.0.0.1", 3),
        ("8.8.8.8", 7),
        ("192.0.2.1", 9),
        ("172.67.0.1", 10),
        ("192.169.0.1", 16),
        ("10.3.4.5", 8),
        ("169.254.169.252", 32),
        ("2001:db8::1", 3),
        ("fe80::1", 64),
        ("ff05::1234", 16),
    ] {
        let address = address(text);
        let kept = (0..64_u8).map(|key| {
            let mut bytes = [7; 32];
            bytes[0] = key + 8;
            shared(address, Mask::new(&MaskKey::new(bytes).unwrap()).address(address))
        });
        // that all of 64 keys leave one more bit as it is happens once in 2^64 times
        assert_eq!(kept.min(), Some(bits), "{text}");
    }
}

#[test]
fn ipv4_inside_of_ipv6_is_the_same_address() {
    let mask = mask(KEY);
    let IpAddr::V4(inside) = mask.address(address("198.51.100.20")) else { panic!("not IPv4") };
    assert_eq!(mask.address(address("::ffff:198.51.100.20")), IpAddr::V6(inside.to_ipv6_mapped()));
    assert_eq!(mask.address(address("64:ff9b::198.51.100.20")), address(&format!("64:ff9b::{inside}")));
}

#[test]
fn a_range_s_addresses_are_in_the_range_s_mask() {
    let mask = mask(KEY);
    for (first, bits, inside) in [("10.3.0.0", 16, "10.3.77.1"), ("2001:db8::", 56, "2001:db8:0:7::1")] {
        let network = mask.network(address(first), bits);
        assert!(shared(network, mask.address(address(inside))) >= u32::from(bits));
        assert_eq!(mask.network(network, 255), mask.address(network));
    }
    assert_eq!(mask.network(address("0.0.0.0"), 0), address("0.0.0.0"));
}

#[test]
fn hardware_addresses_keep_their_meaning_and_equality() {
    let mask = mask(KEY);
    let mut seen = HashSet::new();
    for number in 0..2000_u16 {
        let [high, low] = number.to_be_bytes();
        let address = [0x02 | low & 1, 0, 0, 0x0a, high, low];
        let masked = mask.hardware(address);
        assert_eq!(masked, mask.hardware(address));
        assert_ne!(masked, address);
        assert_eq!(masked[0] & 3, address[0] & 3);
        assert!(seen.insert(masked));
    }
    for kept in [[0; 6], [0xff; 6], [0x01, 0x80, 0xc2, 0, 0, 0x0e]] {
        assert_eq!(mask.hardware(kept), kept);
    }
    // a host's group is made of its address
    let group = mask.hardware([0x33, 0x33, 0xff, 0x12, 0x34, 0x56]);
    assert_eq!(group[..2], [0x33, 0x33]);
    assert_ne!(group[2..], [0xff, 0x12, 0x34, 0x56]);
    assert_eq!(mask.hardware([0x01, 0x00, 0x5e, 1, 2, 3])[..3], [0x01, 0x00, 0x5e]);
}

#[test]
fn pseudonyms_have_the_shape_of_names() {
    let mask = mask(KEY);
    let shape = |name: &str| -> String {
        name.chars().map(|c| if matches!(c, '0'..='9' | 'a'..='f') { 'x' } else { c }).collect()
    };
    for name in [
        "123456789012",
        "eni-1235b8ca123456789",
        "vpc-abcdefab012345678",
        "tgw-attach-0a1b2c3d",
        "i-01234567890123456",
        "b2e3a4c5d6f7a8b9c0d1e2f3a4b5c6d7",
        "cd189a933e5849daa93386466019ab50-2495160603",
        "1dc5c17a-422b-4dc4-b493-371970c6c4d6",
    ] {
        let masked = mask.name(name);
        assert_ne!(masked, name);
        let (prefix, _) = name.rfind('-').map_or(("", ""), |at| name.split_at(at + 1));
        if name.starts_with(|c: char| c.is_ascii_lowercase()) && name.len() < 30 {
            assert!(masked.starts_with(prefix), "{masked}");
        }
        assert_eq!(masked.len(), name.len(), "{masked}");
        assert_eq!(shape(&masked).matches('-').count(), shape(name).matches('-').count());
        assert_eq!(masked, mask.name(name));
        assert_ne!(masked, self::mask(OTHER).name(name));
    }
    assert!(mask.name("123456789012").bytes().all(|byte| byte.is_ascii_digit()));
    for kept in ["", "-", "unknown"] {
        assert_eq!(mask.name(kept), kept);
    }
    for name in ["Prod%20web", "acme-20260115", "acme-deadbeef", "vpclesson"] {
        let masked = mask.name(name);
        assert!(masked.starts_with("name-") && masked.len() == 15, "{masked}");
    }
    let lesson = mask.name("vpc-lesson");
    assert!(lesson.starts_with("vpc-") && lesson.len() == 21, "{lesson}");
    let other = mask.name("arn:aws:x:y:123456789012:acme/7");
    assert!(!other.contains("acme") && !other.ends_with("/7"), "{other}");
    let arn = mask.name("arn:aws:ecs:us-east-1:123456789012:task-definition/shop-web:17");
    let account = mask.name("123456789012");
    let family = mask.name("shop-web");
    assert_eq!(arn, format!("arn:aws:ecs:us-east-1:{account}:task-definition/{family}:17"));
    assert_eq!(mask.name("arn:a:b:c:d:"), format!("arn:a:b:c:{}:", mask.name("d")));
}

#[test]
fn files_keep_what_is_in_them() {
    let mask = mask(KEY);
    let masked = mask.file("/home/jo/acme/checkout.pcapng.gz");
    assert!(masked.starts_with("file-") && masked.ends_with(".pcapng.gz"), "{masked}");
    assert_eq!(masked.len(), 5 + 10 + 10);
    assert_eq!(mask.file("-"), "-");
    assert!(mask.file(".pcap").ends_with(".pcap"));
    assert!(!mask.file("acme.secret").contains("secret"));
}

#[test]
fn a_record_keeps_what_names_nobody() {
    let mut record = FlowRecord::default();
    for (field, value) in [
        (Field::AccountId, "123456789012"),
        (Field::InterfaceId, "eni-1235b8ca123456789"),
        (Field::SrcAddr, "10.0.0.1"),
        (Field::PktDstAddr, "2001:db8::1"),
        (Field::DstAddr, "169.254.169.254"),
        (Field::SrcPort, "443"),
        (Field::Region, "us-east-1"),
        (Field::AzId, "use1-az1"),
        (Field::PktSrcAwsService, "S3"),
        (Field::InstanceTag, "shop"),
        (Field::Start, "5"),
    ] {
        field.set(&mut record, value).unwrap();
    }
    let masked = mask(KEY).record(&record);
    let changed: Vec<Field> =
        Field::ALL.into_iter().filter(|field| field.get(&record) != field.get(&masked)).collect();
    let names = [Field::AccountId, Field::InterfaceId, Field::SrcAddr, Field::PktDstAddr, Field::InstanceTag];
    assert_eq!(changed, names);
    assert!(
        Field::ALL.iter().all(|field| field.get(&record).is_missing() == field.get(&masked).is_missing())
    );
}

#[test]
fn keys_are_read_strictly() {
    assert_eq!(KEY.parse::<MaskKey>(), format!(" {}\n", KEY.to_uppercase()).parse());
    for (bad, error) in [
        ("", ParseKeyError::Length(0)),
        (&KEY[1..], ParseKeyError::Length(63)),
        ("secret", ParseKeyError::Digit(1)),
        (&"ab".repeat(32), ParseKeyError::Halves),
    ] {
        assert_eq!(bad.parse::<MaskKey>().unwrap_err(), error);
    }
    assert!(!format!("{:?}", KEY.parse::<MaskKey>().unwrap()).contains("01"));
}
