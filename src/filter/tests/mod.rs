//! A table of expressions and of errors, and what could break the parser.

mod reference;

use super::*;
use crate::packet::{Fragment, Note, Notes, PacketDirection, Protocol};

/// A packet written as `SRC>DST PROTOCOL SRCPORT DSTPORT`.
fn packet(srcaddr: &str, dstaddr: &str, protocol: u8, srcport: u16, dstport: u16) -> IpPacket {
    IpPacket {
        srcaddr: srcaddr.parse().unwrap(),
        dstaddr: dstaddr.parse().unwrap(),
        protocol: Protocol(protocol),
        srcport,
        dstport,
        ..IpPacket::default()
    }
}

fn matches(expression: &str, packet: &IpPacket) -> bool {
    match Filter::parse(expression) {
        Ok(filter) => filter.matches(packet),
        Err(error) => panic!("{expression}: {error}"),
    }
}

#[test]
fn expressions_mean_what_tcpdump_means() {
    let http = packet("10.0.0.1", "192.0.2.80", 6, 40000, 80);
    let dns = packet("2001:db8::1", "2001:db8:0:1::53", 17, 5353, 53);
    let ping = packet("10.0.0.1", "10.1.2.3", 1, 0, 0);
    let ping6 = packet("2001:db8::1", "2001:db8::2", 58, 0, 0);
    let sctp = packet("10.0.0.1", "10.0.0.2", 132, 80, 9899);
    // expression, then whether http, dns, ping, ping6, sctp match
    let cases = [
        ("", [1, 1, 1, 1, 1]),
        ("ip", [1, 0, 1, 0, 1]),
        ("ip6", [0, 1, 0, 1, 0]),
        ("tcp", [1, 0, 0, 0, 0]),
        ("udp or sctp", [0, 1, 0, 0, 1]),
        ("icmp", [0, 0, 1, 0, 0]),
        ("icmp6", [0, 0, 0, 1, 0]),
        ("igmp or esp or ah or pim or vrrp", [0, 0, 0, 0, 0]),
        ("proto 1", [0, 0, 1, 0, 0]),
        ("ip6 proto 17", [0, 1, 0, 0, 0]),
        ("ip proto 17", [0, 0, 0, 0, 0]),
        ("ip proto 6 or 1", [1, 0, 1, 0, 0]),
        ("proto \\udp or sctp", [0, 1, 0, 0, 1]),
        ("proto gre or icmp6", [0, 0, 0, 1, 0]),
        ("10.0.0.1", [1, 0, 1, 0, 1]),
        ("host 10.0.0.1 and not 10.0.0.2", [1, 0, 1, 0, 0]),
        ("src 192.0.2.80", [0, 0, 0, 0, 0]),
        ("dst host 192.0.2.80", [1, 0, 0, 0, 0]),
        ("ip host 10.0.0.2 or 10.1.2.3", [0, 0, 1, 0, 1]),
        ("ip6 src 2001:db8::1", [0, 1, 0, 1, 0]),
        ("src and dst net 10.0.0.0/8", [0, 0, 1, 0, 1]),
        ("dst and src net 10", [0, 0, 1, 0, 1]),
        ("src or dst net 192.0.2", [1, 0, 0, 0, 0]),
        ("net 10.1", [0, 0, 1, 0, 0]),
        ("net 10.1.2.3", [0, 0, 1, 0, 0]),
        ("net 10.0.0.0 mask 255.255.0.0", [1, 0, 1, 0, 1]),
        ("dst net 10.0.0.0 mask 255.255.0.0 or 192.0.2.0 mask 255.255.255.0", [1, 0, 0, 0, 1]),
        ("net 0.0.0.0/0", [1, 0, 1, 0, 1]),
        ("net ::/0", [0, 1, 0, 1, 0]),
        ("dst net 2001:db8:0:1::/64", [0, 1, 0, 0, 0]),
        ("net 2001:db8::2", [0, 0, 0, 1, 0]),
        ("port 80", [1, 0, 0, 0, 1]),
        ("tcp port 80", [1, 0, 0, 0, 0]),
        ("tcp dst port http", [1, 0, 0, 0, 0]),
        ("tcp src port 80 or 40000", [1, 0, 0, 0, 0]),
        ("src port 80", [0, 0, 0, 0, 1]),
        ("udp port domain", [0, 1, 0, 0, 0]),
        ("sctp port 80", [0, 0, 0, 0, 1]),
        ("port 0", [0, 0, 0, 0, 0]),
        ("portrange 50-60", [0, 1, 0, 0, 0]),
        ("portrange 60-50", [0, 1, 0, 0, 0]),
        ("dst portrange ftp-data-http", [1, 1, 0, 0, 0]),
        ("src and dst portrange 80-10000", [0, 0, 0, 0, 1]),
        ("portrange 80", [1, 0, 0, 0, 1]),
        ("port (53 or 9899)", [0, 1, 0, 0, 1]),
        ("port not 53", [1, 0, 1, 1, 1]),
        ("port not (53 or 80)", [0, 0, 1, 1, 0]),
        ("not port 80 or 53", [0, 1, 1, 1, 0]),
        ("!(port 80||53)", [0, 0, 1, 1, 0]),
        ("tcp&&port 80||icmp", [1, 0, 1, 0, 0]),
        ("icmp or tcp and port 443", [0, 0, 0, 0, 0]),
        ("icmp or (tcp and port 80)", [1, 0, 1, 0, 0]),
        ("not not ip6", [0, 1, 0, 1, 0]),
        ("host 10.0.0.1 and (10.0.0.2 or 192.0.2.80)", [1, 0, 0, 0, 1]),
        ("(port 80) or 10.1.2.3", [1, 0, 1, 0, 1]),
        ("port 81 or (53 or 82) or 9899", [0, 1, 0, 0, 1]),
        ("inbound or outbound", [0, 0, 0, 0, 0]),
    ];
    for (expression, expected) in cases {
        let found = [&http, &dns, &ping, &ping6, &sctp].map(|packet| i32::from(matches(expression, packet)));
        assert_eq!(found, expected, "{expression}");
    }
}

#[test]
fn unknown_ports_match_no_port() {
    let whole = packet("10.0.0.1", "10.0.0.2", 17, 0, 0);
    assert!(matches("port 0", &whole));
    let later = IpPacket { fragment: Fragment::Later(7), ..whole };
    let cut = IpPacket { notes: Notes::from_iter([Note::PortsCut]), ..whole };
    for packet in [later, cut] {
        assert!(!matches("port 0", &packet) && !matches("portrange 0-65535", &packet));
        assert!(matches("not port 0", &packet) && matches("udp", &packet));
    }
    let tracked = IpPacket { srcport: 5000, dstport: 53, ..later };
    assert!(matches("udp port 53", &tracked));
}

#[test]
fn direction_is_what_the_capture_says() {
    let inbound = IpPacket { direction: PacketDirection::Inbound, ..IpPacket::default() };
    assert!(matches("inbound", &inbound) && !matches("outbound", &inbound));
}

#[test]
fn errors_name_the_word_its_column_and_what_is_known() {
    let cases = [
        (
            "ether host x",
            "filter, column 1: `ether` is not supported: only IP packets are filtered, by `host`, `net`, `port`, `portrange` and `proto`",
        ),
        (
            "ip and  vlan 5",
            "filter, column 9: `vlan` is not supported: link headers are opened anyway; tunnels are opened by `--decap`",
        ),
        (
            "gateway x",
            "filter, column 1: `gateway` is not supported: only IP packets are filtered, by `host`, `net`, `port`, `portrange` and `proto`",
        ),
        ("ip broadcast", "filter, column 4: found `broadcast`, expected `and` or `or`"),
        ("less 100", "filter, column 1: `less` is not supported: packets are not filtered by length"),
        (
            "tcp[13] & 2 != 0",
            "filter, column 1: `tcp[13]` is not supported: packets are not filtered by their bytes or lengths",
        ),
        (
            "host example.com",
            "filter, column 6: `example.com` is not an IP address; host names are not resolved",
        ),
        ("host 10.1", "filter, column 6: `10.1` is not an IP address (`net` takes networks, `port` ports)"),
        (
            "host 010.0.0.1",
            "filter, column 6: `010.0.0.1` is not an IP address (`net` takes networks, `port` ports)",
        ),
        ("prt 80", "filter, column 1: `prt` is not known; did you mean `port`?"),
        ("TCP port 80", "filter, column 1: `TCP` is not known; did you mean `tcp`?"),
        ("tcp and gre", "filter, column 9: `gre` is not known; write `proto gre`"),
        ("https", "filter, column 1: `https` is not known; write `port https`"),
        ("10.0.0.0/8", "filter, column 1: `10.0.0.0/8` is not one address: write `net` before a network"),
        ("net 10.1.2.3/8", "filter, column 5: `10.1.2.3/8` is not a network: bits are set behind its prefix"),
        (
            "net 10.0.0.0/33",
            "filter, column 5: `10.0.0.0/33` is not an IPv4 network: its prefix has at most 32 bits",
        ),
        ("net ::/129", "filter, column 5: `::/129` is not an IPv6 network: its prefix has at most 128 bits"),
        ("net 10.0.0.0 mask x", "filter, column 19: `x` is not a mask such as `255.255.0.0`"),
        (
            "net 10.0.0.0/8 mask 255.0.0.0",
            "filter, column 21: `255.0.0.0` is not needed: the network has a prefix length",
        ),
        (
            "net :: mask ::",
            "filter, column 13: `::` is not for IPv6: write the prefix length, as in `2001:db8::/32`",
        ),
        (
            "net 256",
            "filter, column 5: `256` is not a network such as `10.0.0.0/8`, `10.1` or `2001:db8::/32`",
        ),
        ("port 80 443", "filter, column 9: found `443`, expected `and` or `or`"),
        (
            "port 80,443",
            "filter, column 6: `80,443` is not a port: a number up to 65535, or a name such as `https`",
        ),
        (
            "port 99999",
            "filter, column 6: `99999` is not a port: a number up to 65535, or a name such as `https`",
        ),
        ("portrange 80-x", "filter, column 11: `80-x` is not a range of ports such as `8000-8080`"),
        (
            "proto 256",
            "filter, column 7: `256` is not a protocol: a number up to 255, or a name such as `tcp` or `gre`",
        ),
        ("(port 80", "filter, column 9: found the end, expected `and`, `or` or `)`"),
        ("port 80)", "filter, column 8: found `)`, expected `and` or `or`"),
        ("port 80 or", "filter, column 11: found the end, expected a port"),
        (
            "ip port 80",
            "filter, column 1: `port` and `portrange` take no IP version before them: write `ip and port …`",
        ),
        (
            "tcp host ::1",
            "filter, column 1: `host` and `net` take no protocol before them: write `tcp and host …`",
        ),
        (
            "tcp dst 10.0.0.1",
            "filter, column 1: `host` and `net` take no protocol before them: write `tcp and host …`",
        ),
        ("src proto 6", "filter, column 1: `proto` takes only `ip` or `ip6` before it"),
        ("ip host ::1", "filter, column 9: `::1` is not an IPv4 address, as `ip` asks"),
        ("ip6 net 10", "filter, column 9: `10` is not an IPv6 address, as `ip6` asks"),
        ("src", "filter, column 4: found the end, expected an IP address"),
        ("src or port 80", "filter, column 5: found `or`, expected an IP address"),
        ("port", "filter, column 5: found the end, expected a port"),
        ("()", "filter, column 2: found `)`, expected an IP address"),
        ("tcp or 80", "filter, column 8: `80` is not an IP address (`net` takes networks, `port` ports)"),
    ];
    for (expression, expected) in cases {
        let error = Filter::parse(expression).unwrap_err();
        assert_eq!(error.to_string(), expected, "{expression}");
        assert!(expected.starts_with(&format!("filter, column {}:", error.column())));
    }
}

#[test]
fn neither_length_nor_depth_overflows() {
    let long = vec!["not port 81 and"; 50_000].join(" ") + " port 80";
    assert!(matches(&long, &packet("10.0.0.1", "10.0.0.2", 6, 80, 1)));
    assert!(!matches(&long, &packet("10.0.0.1", "10.0.0.2", 6, 80, 81)));
    let deep = |levels: usize| format!("{}ip{}", "(".repeat(levels), ")".repeat(levels));
    assert!(matches(&deep(100), &packet("10.0.0.1", "10.0.0.2", 6, 80, 1)));
    let error = FilterError::TooDeep { column: 101, limit: 100 };
    assert_eq!(Filter::parse(&deep(101)), Err(error));
    assert!(Filter::parse(&format!("port {}", "(".repeat(100_000))).is_err());
    assert!(matches(&format!("{}ip", "! ".repeat(100_000)), &packet("10.0.0.1", "10.0.0.2", 6, 80, 1)));
}
