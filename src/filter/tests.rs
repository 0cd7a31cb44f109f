//! A table of expressions, a slow literal evaluator to differ from, and everything that could break the parser.

use std::net::IpAddr;

use proptest::prelude::*;

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

/// An expression as a person thinks of it, evaluated by doing what it says.
#[derive(Clone, Debug)]
enum Expression {
    Word(&'static str),
    Host(Dir, IpAddr),
    Net(Dir, IpAddr, u32),
    Port(Dir, &'static str, u16),
    PortRange(Dir, &'static str, u16, u16),
    Proto(&'static str, u8),
    Not(Box<Expression>),
    Chain(Box<Expression>, Vec<(bool, Expression)>),
}

type Dir = &'static str;

fn either<T>(dir: Dir, source: T, destination: T, wanted: impl Fn(T) -> bool) -> bool {
    let (source, destination) = (wanted(source), wanted(destination));
    match dir {
        "src " => source,
        "dst " => destination,
        "src and dst " => source & destination,
        _ => source | destination,
    }
}

/// An address as a string of bits, an IPv4 one marked as such.
fn bits(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.octets().iter().fold("4:".to_owned(), |s, b| format!("{s}{b:08b}")),
        IpAddr::V6(address) => address.octets().iter().fold("6:".to_owned(), |s, b| format!("{s}{b:08b}")),
    }
}

impl Expression {
    fn holds(&self, packet: &IpPacket) -> bool {
        let number = packet.protocol.0;
        let v4 = packet.srcaddr.is_ipv4();
        let has_ports = [6, 17, 132].contains(&number) && !matches!(packet.fragment, Fragment::Later(_));
        let is = |name: &str| match name.trim() {
            "" => true,
            "tcp" => number == 6,
            "udp" => number == 17,
            "sctp" => number == 132,
            "icmp" => v4 && number == 1,
            "icmp6" => !v4 && number == 58,
            "ip" => v4,
            _ => !v4,
        };
        match self {
            Expression::Word(word) => is(word),
            Expression::Host(dir, host) => either(dir, packet.srcaddr, packet.dstaddr, |a| a == *host),
            Expression::Net(dir, net, length) => either(dir, packet.srcaddr, packet.dstaddr, |a| {
                bits(a).starts_with(&bits(*net)[..2 + *length as usize])
            }),
            Expression::Port(dir, proto, port) => {
                is(proto) && has_ports && either(dir, packet.srcport, packet.dstport, |p| p == *port)
            }
            Expression::PortRange(dir, proto, a, b) => {
                let wanted = |p| p >= *a.min(b) && p <= *a.max(b);
                is(proto) && has_ports && either(dir, packet.srcport, packet.dstport, wanted)
            }
            Expression::Proto(version, protocol) => is(version) && number == *protocol,
            Expression::Not(inner) => !inner.holds(packet),
            Expression::Chain(first, rest) => rest.iter().fold(first.holds(packet), |so_far, (and, term)| {
                if *and { so_far & term.holds(packet) } else { so_far | term.holds(packet) }
            }),
        }
    }

    /// The qualifiers and the value of a primitive; a word has no value.
    fn parts(&self) -> (String, String) {
        match self {
            Expression::Word(word) => (word.to_string(), String::new()),
            Expression::Host(dir, host) => (format!("{dir}host "), host.to_string()),
            Expression::Net(dir, net, length) => (format!("{dir}net "), format!("{net}/{length}")),
            Expression::Port(dir, proto, port) => (format!("{proto}{dir}port "), port.to_string()),
            Expression::PortRange(dir, proto, a, b) => {
                (format!("{proto}{dir}portrange "), format!("{a}-{b}"))
            }
            Expression::Proto(version, protocol) => (format!("{version}proto "), protocol.to_string()),
            Expression::Not(_) | Expression::Chain(..) => unreachable!("no primitives"),
        }
    }

    /// Writes it; with `elide`, without qualifiers that the primitive before it on the same level has.
    fn write(&self, elide: bool, before: &mut String, text: &mut String) {
        match self {
            Expression::Not(inner) => {
                text.push_str(if elide { "!" } else { "not " });
                inner.write(elide, before, text);
            }
            Expression::Chain(first, rest) => {
                // parentheses inherit what stands before them and leave nothing behind
                text.push('(');
                first.write(elide, before, text);
                for (and, term) in rest {
                    text.push_str(match (and, elide) {
                        (true, true) => " && ",
                        (true, false) => " and ",
                        (false, true) => " || ",
                        (false, false) => " or ",
                    });
                    term.write(elide, before, text);
                }
                text.push(')');
                before.clear();
            }
            primitive => {
                let (qualifiers, value) = primitive.parts();
                if !(elide && *before == qualifiers && !value.is_empty()) {
                    text.push_str(&qualifiers);
                }
                text.push_str(&value);
                *before = if value.is_empty() { String::new() } else { qualifiers };
            }
        }
    }
}

fn addresses() -> impl Strategy<Value = IpAddr> {
    prop::sample::select(vec![
        "10.0.0.1",
        "10.0.0.2",
        "10.128.0.1",
        "192.0.2.1",
        "::",
        "2001:db8::1",
        "2001:db8::8000:0:0:1",
    ])
    .prop_map(|text| text.parse().unwrap())
}

fn ports() -> impl Strategy<Value = u16> {
    prop::sample::select(vec![0, 53, 80, 81, 65535])
}

fn primitives() -> impl Strategy<Value = Expression> {
    let dir = || prop::sample::select(vec!["", "src ", "dst ", "src or dst ", "src and dst "]);
    let proto = || prop::sample::select(vec!["", "tcp ", "udp ", "sctp "]);
    let version = prop::sample::select(vec!["", "ip ", "ip6 "]);
    let number = prop::sample::select(vec![1, 6, 17, 47, 58, 132]);
    prop_oneof![
        prop::sample::select(vec!["ip", "ip6", "tcp", "udp", "sctp", "icmp", "icmp6"])
            .prop_map(Expression::Word),
        (dir(), addresses()).prop_map(|(dir, host)| Expression::Host(dir, host)),
        (dir(), addresses(), 0..=128_u32).prop_map(|(dir, address, length)| match address {
            IpAddr::V4(address) => {
                let length = length % 33;
                let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
                Expression::Net(dir, IpAddr::V4((address.to_bits() & mask).into()), length)
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
                Expression::Net(dir, IpAddr::V6((address.to_bits() & mask).into()), length)
            }
        }),
        (dir(), proto(), ports()).prop_map(|(dir, proto, port)| Expression::Port(dir, proto, port)),
        (dir(), proto(), ports(), ports())
            .prop_map(|(dir, proto, a, b)| Expression::PortRange(dir, proto, a, b)),
        (version, number).prop_map(|(version, number)| Expression::Proto(version, number)),
    ]
}

fn expressions() -> impl Strategy<Value = Expression> {
    primitives().prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            1 => inner.clone().prop_map(|inner| Expression::Not(Box::new(inner))),
            4 => (inner.clone(), prop::collection::vec((any::<bool>(), inner), 1..6))
                .prop_map(|(first, rest)| Expression::Chain(Box::new(first), rest)),
        ]
    })
}

fn packets() -> impl Strategy<Value = IpPacket> {
    let number = prop::sample::select(vec![1, 6, 17, 47, 58, 132]);
    (addresses(), addresses(), number, ports(), ports(), any::<bool>())
        .prop_filter("one version", |(a, b, ..)| a.is_ipv4() == b.is_ipv4())
        .prop_map(|(srcaddr, dstaddr, protocol, srcport, dstport, later)| {
            let protocol = Protocol(protocol);
            let has_ports = protocol.has_ports() && !later;
            IpPacket {
                srcaddr,
                dstaddr,
                protocol,
                srcport: if has_ports { srcport } else { 0 },
                dstport: if has_ports { dstport } else { 0 },
                fragment: if later { Fragment::Later(1) } else { Fragment::Whole },
                ..IpPacket::default()
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_program_does_what_the_expression_says(
        expression in expressions(),
        packets in prop::collection::vec(packets(), 1..20),
    ) {
        for elide in [false, true] {
            let mut text = String::new();
            expression.write(elide, &mut String::new(), &mut text);
            let filter = Filter::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            for packet in &packets {
                prop_assert_eq!(filter.matches(packet), expression.holds(packet), "{} on {:?}", text, packet);
            }
        }
    }

    #[test]
    fn any_words_are_a_filter_or_an_error_inside_them(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "src", "dst", "host", "net", "mask", "port", "portrange", "proto", "and", "or", "not", "(", ")",
                "!", "&&", "||", "tcp", "ip", "ip6", "icmp", "10.0.0.1", "10.0.0.0/8", "80", "1-2", "::", "é", "-",
                "/", "ether", "255.0.0.0",
            ]),
            0..12,
        ),
    ) {
        let text = words.join(" ");
        if let Err(error) = Filter::parse(&text) {
            prop_assert!((1..=text.chars().count() + 1).contains(&error.column()), "{}: {}", text, error);
        }
    }

    #[test]
    fn any_text_is_read_without_panic(text in "\\PC{0,40}") {
        let _ = Filter::parse(&text);
    }
}
