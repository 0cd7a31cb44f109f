//! Rules of security groups and network ACLs, and how they are written in a line.
//!
//! `tcp 22 from 203.0.113.0/24`, `icmp 8 from 10.0.0.0/8`, `all to sg-0a1b`; a network ACL's rule has its number and
//! what it does in front: `100 allow tcp 1024-65535 from 0.0.0.0/0`. The same text stands in the TOML and in `--why`.

use std::fmt;

use ipnet::IpNet;

use crate::packet::Protocol;

/// Which ports, or ICMP types, a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ports {
    /// All of them; also for a protocol that has none.
    All,
    /// Destination ports, first and last.
    Range(u16, u16),
    /// An ICMP type (`None`: all) and code (`None`: all).
    Icmp(Option<u8>, Option<u8>),
}

/// Who is at the other end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// A range.
    Cidr(IpNet),
    /// The interfaces that have this security group.
    Group(String),
    /// The ranges of this prefix list.
    PrefixList(String),
}

/// One rule of a security group; it allows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SecurityRule {
    /// The protocol; all, if `None`.
    pub protocol: Option<Protocol>,
    /// The ports or ICMP types.
    pub ports: Ports,
    /// The other end.
    pub peer: Peer,
}

/// One rule of a network ACL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AclRule {
    /// Its number: the lowest is looked at first. 32767 and 32768 are the `*` rules.
    pub number: u32,
    /// Whether it is for outgoing packets.
    pub egress: bool,
    /// Whether it allows.
    pub allow: bool,
    /// The protocol; all, if `None`.
    pub protocol: Option<Protocol>,
    /// The ports or ICMP types.
    pub ports: Ports,
    /// The source of incoming packets, the destination of outgoing ones.
    pub cidr: IpNet,
}

/// A protocol and its ports.
struct What<'a>(Option<Protocol>, &'a Ports);

impl fmt::Display for What<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let What(protocol, ports) = self;
        match protocol.map(|protocol| (protocol, protocol.name())) {
            None => f.write_str("all")?,
            Some((_, Some(name))) => f.write_str(name)?,
            Some((protocol, None)) => write!(f, "{protocol}")?,
        }
        match ports {
            Ports::All | Ports::Icmp(None, _) => Ok(()),
            Ports::Range(first, last) if first == last => write!(f, " {first}"),
            Ports::Range(first, last) => write!(f, " {first}-{last}"),
            Ports::Icmp(Some(kind), None) => write!(f, " {kind}"),
            Ports::Icmp(Some(kind), Some(code)) => write!(f, " {kind}/{code}"),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Cidr(cidr) => cidr.fmt(f),
            Peer::Group(id) | Peer::PrefixList(id) => f.write_str(id),
        }
    }
}

/// `from` for what comes in, `to` for what goes out.
pub(super) const fn preposition(egress: bool) -> &'static str {
    if egress { "to" } else { "from" }
}

impl SecurityRule {
    /// The rule in a line, `tcp 22 from 203.0.113.0/24`.
    pub fn text(&self, egress: bool) -> String {
        format!("{} {} {}", What(self.protocol, &self.ports), preposition(egress), self.peer)
    }
}

/// `100 allow tcp 22 from 203.0.113.0/24`.
impl fmt::Display for AclRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AclRule { number, egress, allow, protocol, ports, cidr } = self;
        let verb = if *allow { "allow" } else { "deny" };
        write!(f, "{number} {verb} {} {} {cidr}", What(*protocol, ports), preposition(*egress))
    }
}

/// What is wrong with a rule that was written in a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// Words are missing or too many.
    #[error("expected `PROTOCOL [PORTS] {0} RANGE`, such as `tcp 22 {0} 10.0.0.0/8`")]
    Form(&'static str),
    /// Words are missing or too many.
    #[error(
        "expected `NUMBER allow|deny PROTOCOL [PORTS] {0} RANGE`, such as `100 allow tcp 22 {0} 10.0.0.0/8`"
    )]
    AclForm(&'static str),
    /// No such protocol.
    #[error(
        "`{0}` is not a protocol: expected `all`, `tcp`, `udp`, `icmp`, `icmpv6` or a number from 0 to 255"
    )]
    Protocol(String),
    /// No such ports.
    #[error("`{0}` are no ports: expected a port, or the first and the last as in `1024-65535`")]
    Ports(String),
    /// No such ICMP type.
    #[error("`{0}` is no ICMP type: expected a type as in `8`, or a type and a code as in `3/4`")]
    Icmp(String),
    /// Ports where there are none.
    #[error("`{0}` has no ports")]
    NoPorts(String),
    /// No such range.
    #[error("{0}")]
    Cidr(String),
    /// No such number.
    #[error("`{0}` is no rule number: expected 1 to 32766")]
    Number(String),
}

/// A range without bits behind its prefix.
pub(super) fn parse_cidr(text: &str) -> Result<IpNet, String> {
    let cidr: IpNet = text.parse().map_err(|_| {
        format!(
            "`{text}` is not a CIDR range: expected an address and a prefix length, such as `10.0.0.0/16`"
        )
    })?;
    if cidr.addr() == cidr.network() {
        Ok(cidr)
    } else {
        Err(format!("`{text}` has bits behind its prefix: the range that holds it is `{}`", cidr.trunc()))
    }
}

/// A protocol by name or number, as the AWS CLI and the TOML have it; `None` for all.
pub(super) fn parse_protocol(text: &str) -> Result<Option<Protocol>, RuleError> {
    Ok(Some(match text {
        "-1" | "all" => return Ok(None),
        "tcp" => Protocol::TCP,
        "udp" => Protocol::UDP,
        "icmp" => Protocol::ICMP,
        "icmpv6" => Protocol::ICMPV6,
        other => {
            let named = || (0..=255).map(Protocol).find(|protocol| protocol.name() == Some(other));
            let protocol = other.parse().ok().map(Protocol).or_else(named);
            protocol.ok_or_else(|| RuleError::Protocol(text.to_owned()))?
        }
    }))
}

fn parse_ports(protocol: Option<Protocol>, name: &str, text: Option<&str>) -> Result<Ports, RuleError> {
    let Some(text) = text else { return Ok(Ports::All) };
    match protocol {
        Some(Protocol::ICMP | Protocol::ICMPV6) => {
            let error = || RuleError::Icmp(text.to_owned());
            let (kind, code) = text.split_once('/').map_or((text, None), |(kind, code)| (kind, Some(code)));
            let kind = kind.parse().map_err(|_| error())?;
            let code = code.map(str::parse).transpose().map_err(|_| error())?;
            Ok(Ports::Icmp(Some(kind), code))
        }
        Some(Protocol::TCP | Protocol::UDP) => {
            let error = || RuleError::Ports(text.to_owned());
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            let (first, last) = (first.parse().map_err(|_| error())?, last.parse().map_err(|_| error())?);
            if first > last { Err(error()) } else { Ok(Ports::Range(first, last)) }
        }
        _ => Err(RuleError::NoPorts(name.to_owned())),
    }
}

/// `PROTOCOL [PORTS] from|to PEER`, after which the words end.
fn parse_tail<'a>(
    words: &mut impl Iterator<Item = &'a str>,
    egress: bool,
    form: RuleError,
) -> Result<(Option<Protocol>, Ports, &'a str), RuleError> {
    let form = || form.clone();
    let name = words.next().ok_or_else(form)?;
    let protocol = parse_protocol(name)?;
    let mut word = words.next().ok_or_else(form)?;
    let mut ports = None;
    if word != preposition(egress) {
        ports = Some(word);
        word = words.next().ok_or_else(form)?;
    }
    let peer = words.next().ok_or_else(form)?;
    if word != preposition(egress) || words.next().is_some() {
        return Err(form());
    }
    Ok((protocol, parse_ports(protocol, name, ports)?, peer))
}

impl SecurityRule {
    /// Reads a rule in a line.
    ///
    /// # Errors
    /// [`RuleError`]: what was found and what was expected.
    pub fn parse(text: &str, egress: bool) -> Result<SecurityRule, RuleError> {
        let form = RuleError::Form(preposition(egress));
        let (protocol, ports, peer) = parse_tail(&mut text.split_whitespace(), egress, form)?;
        let peer = match peer {
            id if id.starts_with("sg-") => Peer::Group(id.to_owned()),
            id if id.starts_with("pl-") => Peer::PrefixList(id.to_owned()),
            cidr => Peer::Cidr(parse_cidr(cidr).map_err(RuleError::Cidr)?),
        };
        Ok(SecurityRule { protocol, ports, peer })
    }
}

impl AclRule {
    /// Reads a rule in a line.
    ///
    /// # Errors
    /// [`RuleError`]: what was found and what was expected.
    pub fn parse(text: &str, egress: bool) -> Result<AclRule, RuleError> {
        let form = RuleError::AclForm(preposition(egress));
        let mut words = text.split_whitespace();
        let number = words.next().ok_or_else(|| form.clone())?;
        let number: u32 = match number.parse() {
            Ok(number @ 1..=32766) => number,
            _ => return Err(RuleError::Number(number.to_owned())),
        };
        let allow = match words.next() {
            Some("allow") => true,
            Some("deny") => false,
            _ => return Err(form),
        };
        let (protocol, ports, cidr) = parse_tail(&mut words, egress, form)?;
        let cidr = parse_cidr(cidr).map_err(RuleError::Cidr)?;
        Ok(AclRule { number, egress, allow, protocol, ports, cidr })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_read_what_they_write() {
        for (text, egress) in [
            ("tcp 22 from 203.0.113.0/24", false),
            ("all to 0.0.0.0/0", true),
            ("icmp 8 from 10.0.0.0/8", false),
            ("icmp 3/4 from 0.0.0.0/0", false),
            ("icmpv6 from ::/0", false),
            ("udp 1024-65535 to sg-0a1b", true),
            ("tcp 443 to pl-63a5400a", true),
            ("gre from 10.0.0.0/8", false),
        ] {
            let rule = SecurityRule::parse(text, egress).unwrap();
            assert_eq!(rule.text(egress), text);
            if !text.contains("sg-") && !text.contains("pl-") {
                let text = format!("100 deny {text}");
                let rule = AclRule::parse(&text, egress).unwrap();
                assert_eq!(rule.to_string(), text);
            }
        }
    }

    #[test]
    fn a_wrong_rule_says_what_was_expected() {
        for (text, message) in [
            ("", "expected `PROTOCOL [PORTS] from RANGE`, such as `tcp 22 from 10.0.0.0/8`"),
            (
                "tcp 22 to 10.0.0.0/8",
                "expected `PROTOCOL [PORTS] from RANGE`, such as `tcp 22 from 10.0.0.0/8`",
            ),
            (
                "tpc 22 from 10.0.0.0/8",
                "`tpc` is not a protocol: expected `all`, `tcp`, `udp`, `icmp`, `icmpv6` or a number from 0 to 255",
            ),
            (
                "tcp 23-22 from 10.0.0.0/8",
                "`23-22` are no ports: expected a port, or the first and the last as in `1024-65535`",
            ),
            (
                "icmp 300 from 10.0.0.0/8",
                "`300` is no ICMP type: expected a type as in `8`, or a type and a code as in `3/4`",
            ),
            ("47 5 from 10.0.0.0/8", "`47` has no ports"),
            (
                "tcp 22 from 10.0.0.1/8",
                "`10.0.0.1/8` has bits behind its prefix: the range that holds it is `10.0.0.0/8`",
            ),
        ] {
            assert_eq!(SecurityRule::parse(text, false).unwrap_err().to_string(), message, "{text}");
        }
        let error = AclRule::parse("0 allow all from 0.0.0.0/0", false).unwrap_err();
        assert_eq!(error.to_string(), "`0` is no rule number: expected 1 to 32766");
    }
}
