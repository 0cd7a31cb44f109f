//! A slow literal evaluator to differ from, and expressions and packets made at random.

use std::net::IpAddr;

use proptest::prelude::*;

use super::super::*;
use crate::packet::{Fragment, Protocol};

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
