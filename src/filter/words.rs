//! The tables of a filter's language: its words, the words of tcpdump's that it lacks, port and protocol names.

use super::program::{Test, Version};
use crate::packet::{PacketDirection, Protocol};

/// What a word by itself asks.
const TESTS: &[(&str, Test)] = &[
    ("ip", Test::Version(Version::V4)),
    ("ip6", Test::Version(Version::V6)),
    ("tcp", Test::Protocol(None, Protocol::TCP)),
    ("udp", Test::Protocol(None, Protocol::UDP)),
    ("sctp", Test::Protocol(None, Protocol::SCTP)),
    ("icmp", Test::Protocol(Some(Version::V4), Protocol::ICMP)),
    ("icmp6", Test::Protocol(Some(Version::V6), Protocol::ICMPV6)),
    ("igmp", Test::Protocol(Some(Version::V4), Protocol::IGMP)),
    ("esp", Test::Protocol(None, Protocol::ESP)),
    ("ah", Test::Protocol(None, Protocol::AH)),
    ("pim", Test::Protocol(None, Protocol(103))),
    ("vrrp", Test::Protocol(Some(Version::V4), Protocol(112))),
    ("inbound", Test::Direction(PacketDirection::Inbound)),
    ("outbound", Test::Direction(PacketDirection::Outbound)),
];

/// Words that qualify or join.
const OTHERS: &[&str] =
    &["src", "dst", "host", "net", "mask", "port", "portrange", "proto", "and", "or", "not"];

const LINK_LAYER: &str = "only IP packets are filtered, by `host`, `net`, `port`, `portrange` and `proto`";
const NOT_IP: &str = "only IP packets are filtered; every other packet is counted by its own reason";
const NO_TUNNEL: &str = "link headers are opened anyway; tunnels are opened by `--decap`";
const NO_CASTS: &str = "write the addresses, such as `net 224.0.0.0/4`";
const NO_LENGTH: &str = "packets are not filtered by length";
const NO_ARITHMETIC: &str = "packets are not filtered by their bytes or lengths";
const NO_CHAIN: &str = "`proto` looks behind IPv6 extension headers already";

/// Words of tcpdump's that are not known here, and why.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("ether", LINK_LAYER),
    ("link", LINK_LAYER),
    ("fddi", LINK_LAYER),
    ("tr", LINK_LAYER),
    ("wlan", LINK_LAYER),
    ("ppp", LINK_LAYER),
    ("llc", LINK_LAYER),
    ("type", LINK_LAYER),
    ("subtype", LINK_LAYER),
    ("dir", LINK_LAYER),
    ("ifname", LINK_LAYER),
    ("on", LINK_LAYER),
    ("gateway", LINK_LAYER),
    ("arp", NOT_IP),
    ("rarp", NOT_IP),
    ("stp", NOT_IP),
    ("ipx", NOT_IP),
    ("iso", NOT_IP),
    ("isis", NOT_IP),
    ("netbeui", NOT_IP),
    ("decnet", NOT_IP),
    ("atalk", NOT_IP),
    ("aarp", NOT_IP),
    ("lat", NOT_IP),
    ("pppoed", NOT_IP),
    ("vlan", NO_TUNNEL),
    ("mpls", NO_TUNNEL),
    ("pppoes", NO_TUNNEL),
    ("geneve", NO_TUNNEL),
    ("vxlan", NO_TUNNEL),
    ("broadcast", NO_CASTS),
    ("multicast", NO_CASTS),
    ("less", NO_LENGTH),
    ("greater", NO_LENGTH),
    ("len", NO_LENGTH),
    ("protochain", NO_CHAIN),
];

/// Ports that have a name here, with any of TCP, UDP and SCTP; IANA's service names and a few common ones.
const PORTS: &[(&str, u16)] = &[
    ("ftp-data", 20),
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("domain", 53),
    ("bootps", 67),
    ("bootpc", 68),
    ("tftp", 69),
    ("http", 80),
    ("kerberos", 88),
    ("pop3", 110),
    ("ntp", 123),
    ("imap", 143),
    ("snmp", 161),
    ("bgp", 179),
    ("ldap", 389),
    ("https", 443),
    ("syslog", 514),
    ("submission", 587),
    ("ldaps", 636),
    ("imaps", 993),
    ("pop3s", 995),
    ("ms-sql-s", 1433),
    ("nfs", 2049),
    ("mysql", 3306),
    ("ms-wbt-server", 3389),
    ("rdp", 3389),
    ("vxlan", 4789),
    ("postgresql", 5432),
    ("geneve", 6081),
    ("redis", 6379),
];

/// What a word asks by itself, if it can stand by itself.
pub(super) fn test(word: &str) -> Option<Test> {
    find(TESTS, word)
}

/// Whether the word is one of the language's, and so never a value.
pub(super) fn is_known(word: &str) -> bool {
    test(word).is_some() || OTHERS.contains(&word)
}

/// Why a word of tcpdump's is not known here.
pub(super) fn unsupported(word: &str) -> Option<&'static str> {
    find(UNSUPPORTED, word).or_else(|| word.contains(ARITHMETIC).then_some(NO_ARITHMETIC))
}

/// What only stands in expressions about a packet's bytes.
const ARITHMETIC: [char; 7] = ['[', ']', '<', '>', '=', '&', '|'];

/// The port that a number or a name means.
pub(super) fn port(word: &str) -> Option<u16> {
    number(word).and_then(|port| u16::try_from(port).ok()).or_else(|| find(PORTS, word))
}

/// The protocol that a number or a name means; tcpdump's backslash before a name may stand there.
pub(super) fn protocol(word: &str) -> Option<Protocol> {
    if let Some(number) = number(word) {
        return u8::try_from(number).ok().map(Protocol);
    }
    match word.strip_prefix('\\').unwrap_or(word) {
        "icmp6" | "ipv6-icmp" => Some(Protocol::ICMPV6),
        name => (0..=u8::MAX).map(Protocol).find(|protocol| protocol.name() == Some(name)),
    }
}

/// Reads a decimal number; no sign, no leading zeros that other tools take for octal.
pub(super) fn number(word: &str) -> Option<u32> {
    let plain = word.bytes().all(|byte| byte.is_ascii_digit()) && (word == "0" || !word.starts_with('0'));
    if plain { word.parse().ok() } else { None }
}

/// What to write in place of a word that is not known.
pub(super) fn advice(word: &str) -> String {
    if protocol(word).is_some() {
        return format!("write `proto {word}`");
    }
    if port(word).is_some() {
        return format!("write `port {word}`");
    }
    match nearest(word) {
        Some(known) => format!("did you mean `{known}`?"),
        None => {
            let known: Vec<_> = known().map(|word| format!("`{word}`")).collect();
            format!("an address or one of {} is expected", known.join(", "))
        }
    }
}

/// All words of the language.
fn known() -> impl Iterator<Item = &'static str> {
    OTHERS.iter().copied().chain(TESTS.iter().map(|(name, _)| *name))
}

/// The known word that a wrong one resembles.
fn nearest(word: &str) -> Option<&'static str> {
    const ALIKE: f64 = 0.75;
    let lower = word.to_lowercase();
    let rated = known().map(|name| (strsim::jaro_winkler(&lower, name), name));
    let best = rated.max_by(|(first, _), (second, _)| first.total_cmp(second))?;
    (best.0 >= ALIKE).then_some(best.1)
}

fn find<T: Copy>(table: &[(&'static str, T)], word: &str) -> Option<T> {
    table.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_has_two_meanings() {
        for (word, _) in UNSUPPORTED {
            assert!(!is_known(word), "{word}");
        }
        for (index, (name, _)) in PORTS.iter().enumerate() {
            assert!(PORTS.iter().skip(index + 1).all(|(other, _)| other != name), "{name}");
        }
    }

    #[test]
    fn numbers_are_plain() {
        assert_eq!(port("65535"), Some(65535));
        assert_eq!(protocol("255"), Some(Protocol(255)));
        assert_eq!(protocol("\\tcp"), Some(Protocol::TCP));
        assert_eq!(protocol("gre"), Some(Protocol::GRE));
        for bad in ["65536", "-1", "+1", "080", "0x50", "", " 1", "99999999999"] {
            assert_eq!(port(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_nearest_word_is_near() {
        assert_eq!(nearest("prot"), Some("proto"));
        assert_eq!(nearest("TCP"), Some("tcp"));
        assert_eq!(nearest("hots"), Some("host"));
        assert_eq!(nearest("zebra"), None);
    }
}
