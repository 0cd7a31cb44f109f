//! A flow as it is typed.
//!
//! ```text
//! flow      = sender "->" receiver [ "/" protocol ]      ">" is as good as "->"
//!           | protocol sender "->" receiver
//!           | srcaddr dstaddr srcport dstport protocol   as in a record
//! sender    = address [ ":" port ]                       the receiver too
//! address   = IPv4 | "[" IPv6 "]" | "*"
//! port      = number | "*"
//! protocol  = name | number | "*"
//! ```
//!
//! What is left out, and `*`, is any. An IPv6 address must stand in brackets where a port could follow: `2001:db8::1:443`
//! is an address of its own.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use flowtruth::flow::FlowPattern;
use flowtruth::packet::Protocol;

/// Why a text is no flow: the column (in characters, from 1), what is wrong there, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {problem}")]
pub struct FlowTextError {
    /// Where it is.
    pub column: usize,
    problem: String,
    /// Advice for a person.
    pub hint: &'static str,
}

const FORM: &str =
    "write `10.0.0.1:443->10.0.0.2:5000/tcp`, or a record's `SRCADDR DSTADDR SRCPORT DSTPORT PROTOCOL`";
const QUOTES: &str = "put the flow in quotes, or the shell takes `>` for itself";
const DIRECTIONS: &str = "a flow is one direction; `--both-directions` adds the other";
const ADDRESS: &str = "an IPv4 address has four numbers, an IPv6 address stands in brackets, `*` is any address; names are not looked up";
const BRACKETS: &str = "put the IPv6 address in brackets, such as `[2001:db8::1]:443`";
const PORT: &str = "a port is a number from 0 to 65535; left out or `*`, it is any";
const PROTOCOL: &str =
    "name it, such as `tcp`, `udp` or `icmpv6`, or give its number from 0 to 255; left out or `*`, it is any";
const NO_PORTS: &str = "leave the ports out; a flow log shows ports for TCP, UDP and SCTP only";
const FAMILIES: &str = "both addresses of a flow are IPv4, or both are IPv6";

type Result<T> = std::result::Result<T, FlowTextError>;

/// Reads a flow.
pub fn parse(text: &str) -> Result<FlowPattern> {
    let whole = Part { whole: text, start: 0, end: text.len() }.trimmed();
    let pattern = match whole.split('>') {
        Some((left, right)) => arrow(left, right)?,
        None => values(whole)?,
    };
    let family = |address: Option<IpAddr>| address.map(|address| address.is_ipv4());
    if let (Some(a), Some(b)) = (family(pattern.srcaddr), family(pattern.dstaddr))
        && a != b
    {
        return Err(whole.error("one address is IPv4 and the other IPv6".to_owned(), FAMILIES));
    }
    let has_port = [pattern.srcport, pattern.dstport].into_iter().flatten().any(|port| port != 0);
    match pattern.protocol {
        Some(protocol) if has_port && !protocol.has_ports() => {
            Err(whole.error(format!("protocol {} has no ports", named(protocol)), NO_PORTS))
        }
        _ => Ok(pattern),
    }
}

/// A flow as [`parse`] reads it.
pub struct Shown(pub FlowPattern);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FlowPattern { srcaddr, dstaddr, protocol, srcport, dstport } = self.0;
        // ports that are always 0 say nothing
        let has_ports = protocol.is_none_or(Protocol::has_ports);
        let end = |f: &mut fmt::Formatter<'_>, address: Option<IpAddr>, port: Option<u16>| {
            match address {
                None => f.write_str("*")?,
                Some(IpAddr::V4(address)) => write!(f, "{address}")?,
                Some(IpAddr::V6(address)) => write!(f, "[{address}]")?,
            }
            match port.filter(|_| has_ports) {
                Some(port) => write!(f, ":{port}"),
                None => Ok(()),
            }
        };
        end(f, srcaddr, srcport)?;
        f.write_str("->")?;
        end(f, dstaddr, dstport)?;
        match protocol {
            Some(protocol) => write!(f, "/{}", named(protocol)),
            None => Ok(()),
        }
    }
}

/// A protocol's name, or its number.
fn named(protocol: Protocol) -> String {
    protocol.name().map_or_else(|| protocol.to_string(), str::to_owned)
}

/// A piece of the text, which knows where it is.
#[derive(Clone, Copy)]
struct Part<'a> {
    whole: &'a str,
    start: usize,
    end: usize,
}

impl<'a> Part<'a> {
    fn text(self) -> &'a str {
        self.whole.get(self.start..self.end).unwrap_or_default()
    }

    fn trimmed(self) -> Self {
        let start = self.end - self.text().trim_start().len();
        let end = start + self.text().trim().len();
        Part { start, end, ..self }
    }

    /// The parts on both sides of the first of these characters.
    fn split(self, at: char) -> Option<(Self, Self)> {
        let place = self.start + self.text().find(at)?;
        Some((Part { end: place, ..self }, Part { start: place + at.len_utf8(), ..self }))
    }

    /// The parts before this place of the text, in bytes, and from it on.
    fn cut(self, place: usize) -> (Self, Self) {
        let place = (self.start + place).min(self.end);
        (Part { end: place, ..self }, Part { start: place, ..self })
    }

    /// The words between white space.
    fn words(self) -> Vec<Self> {
        let mut words = Vec::new();
        let mut rest = self.trimmed();
        while !rest.text().is_empty() {
            let length = rest.text().find(char::is_whitespace).unwrap_or(rest.text().len());
            let (word, behind) = rest.cut(length);
            words.push(word);
            rest = behind.trimmed();
        }
        words
    }

    fn error(self, problem: String, hint: &'static str) -> FlowTextError {
        let before = self.whole.get(..self.start).unwrap_or_default();
        FlowTextError { column: before.chars().count() + 1, problem, hint }
    }

    /// An error that says that something is missing at the end of this part.
    fn missing(self, expected: &str, hint: &'static str) -> FlowTextError {
        let end = Part { start: self.end, ..self };
        let next = self.whole.get(self.end..).and_then(|rest| rest.split_whitespace().next());
        let found = next.map_or_else(|| "the end".to_owned(), |word| format!("`{word}`"));
        end.error(format!("found {found}, expected {expected}"), hint)
    }
}

/// A flow with an arrow between sender and receiver.
fn arrow(left: Part<'_>, right: Part<'_>) -> Result<FlowPattern> {
    if let Some((before, _)) = right.split('>') {
        let second = Part { start: before.end, ..before };
        return Err(second.error("found a second `>`".to_owned(), DIRECTIONS));
    }
    let left = left.trimmed();
    let left = match left.text().strip_suffix('-') {
        Some(sender) => left.cut(sender.len()).0.trimmed(),
        None => left,
    };
    let (mut first, sender) = match left.words()[..] {
        [] => return Err(left.missing("the sender", FORM)),
        [sender] => (None, sender),
        [protocol, sender] => (Some(protocol), sender),
        [_, _, third, ..] => {
            let problem = format!("found `{}`, expected `->`", third.text());
            return Err(third.error(problem, FORM));
        }
    };
    let right = right.trimmed();
    let (receiver, last) = match right.split('/') {
        Some((receiver, protocol)) => (receiver.trimmed(), Some(protocol.trimmed())),
        None => (right, None),
    };
    if let (Some(_), Some(last)) = (first, last) {
        return Err(last.error("the protocol is named twice".to_owned(), FORM));
    }
    first = first.or(last);
    let protocol = match first {
        Some(word) => protocol(word)?,
        None => None,
    };
    match receiver.words()[..] {
        [] => return Err(receiver.missing("the receiver", FORM)),
        [_] => {}
        [_, second, ..] => {
            let problem = format!("found `{}`, expected the end or `/` and the protocol", second.text());
            return Err(second.error(problem, FORM));
        }
    }
    let (srcaddr, srcport) = end(sender)?;
    let (dstaddr, dstport) = end(receiver)?;
    Ok(FlowPattern { srcaddr, dstaddr, protocol, srcport, dstport })
}

/// A flow as a record's five values.
fn values(whole: Part<'_>) -> Result<FlowPattern> {
    match whole.words()[..] {
        [srcaddr, dstaddr, srcport, dstport, number] => Ok(FlowPattern {
            srcaddr: lone_address(srcaddr)?,
            dstaddr: lone_address(dstaddr)?,
            srcport: port(srcport)?,
            dstport: port(dstport)?,
            protocol: protocol(number)?,
        }),
        _ if whole.text().ends_with('-') => Err(whole.missing("`>` and the receiver", QUOTES)),
        [_, _, _, _, _, sixth, ..] => {
            let problem = format!("found `{}`, expected the end after five values", sixth.text());
            Err(sixth.error(problem, FORM))
        }
        _ => Err(whole.missing("`->` between sender and receiver, or five values", FORM)),
    }
}

/// An address and its port.
fn end(part: Part<'_>) -> Result<(Option<IpAddr>, Option<u16>)> {
    let text = part.text();
    if text.starts_with('[') {
        let Some(length) = text.find(']') else {
            return Err(part.missing("`]` behind the IPv6 address", BRACKETS));
        };
        let (bracketed, behind) = part.cut(length + 1);
        let address = Part { start: bracketed.start + 1, end: bracketed.end - 1, ..bracketed };
        let Ok(v6) = address.text().parse::<Ipv6Addr>() else {
            let problem = format!("`{}` is not an IPv6 address", address.text());
            return Err(address.error(problem, ADDRESS));
        };
        let port = match (behind.text(), behind.split(':')) {
            ("", _) => None,
            (_, Some((before, number))) if before.text().is_empty() => port(number)?,
            (found, _) => {
                return Err(behind.error(format!("found `{found}`, expected `:` and the port"), BRACKETS));
            }
        };
        return Ok((Some(v6.into()), port));
    }
    if text.matches(':').count() > 1 {
        return Err(part.error(format!("where `{text}` ends its address cannot be told"), BRACKETS));
    }
    match part.split(':') {
        Some((address, number)) => Ok((v4(address)?, port(number)?)),
        None => Ok((v4(part)?, None)),
    }
}

/// An address of a record, with or without brackets.
fn lone_address(part: Part<'_>) -> Result<Option<IpAddr>> {
    let text = part.text();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    match bare.parse() {
        Ok(address) => Ok(Some(address)),
        Err(_) if text == "*" => Ok(None),
        Err(_) => Err(not_an_address(part)),
    }
}

fn v4(part: Part<'_>) -> Result<Option<IpAddr>> {
    match part.text() {
        "*" => Ok(None),
        text => match text.parse::<Ipv4Addr>() {
            Ok(address) => Ok(Some(address.into())),
            Err(_) => Err(not_an_address(part)),
        },
    }
}

fn not_an_address(part: Part<'_>) -> FlowTextError {
    match part.text() {
        "" => part.missing("an address", ADDRESS),
        text => part.error(format!("`{text}` is not an address"), ADDRESS),
    }
}

fn port(part: Part<'_>) -> Result<Option<u16>> {
    match part.text() {
        "*" => Ok(None),
        "" => Err(part.missing("a port", PORT)),
        text => match text.parse() {
            Ok(number) if text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Some(number)),
            _ => Err(part.error(format!("`{text}` is not a port"), PORT)),
        },
    }
}

fn protocol(part: Part<'_>) -> Result<Option<Protocol>> {
    let text = part.text().to_ascii_lowercase();
    let known = (0..=u8::MAX).map(Protocol).find(|protocol| match text.as_str() {
        "icmp6" => *protocol == Protocol::ICMPV6,
        text => protocol.name() == Some(text) || protocol.to_string() == text,
    });
    match (known, text.as_str()) {
        (Some(protocol), _) => Ok(Some(protocol)),
        (None, "*") => Ok(None),
        (None, "") => Err(part.missing("a protocol", PROTOCOL)),
        (None, _) => Err(part.error(format!("`{}` is not a protocol", part.text()), PROTOCOL)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_one_flow_is_read_alike() {
        let expected = FlowPattern {
            srcaddr: Some("10.0.0.1".parse().unwrap()),
            dstaddr: Some("10.0.0.2".parse().unwrap()),
            protocol: Some(Protocol::TCP),
            srcport: Some(443),
            dstport: Some(5000),
        };
        for text in [
            "10.0.0.1:443->10.0.0.2:5000/tcp",
            "10.0.0.1:443>10.0.0.2:5000/6",
            "  10.0.0.1:443 -> 10.0.0.2:5000 / TCP ",
            "tcp 10.0.0.1:443 > 10.0.0.2:5000",
            "6 10.0.0.1:443 - > 10.0.0.2:5000",
            "10.0.0.1 10.0.0.2 443 5000 6",
            "10.0.0.1\t10.0.0.2  443 5000 tcp",
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
        assert_eq!(Shown(expected).to_string(), "10.0.0.1:443->10.0.0.2:5000/tcp");
    }

    #[test]
    fn what_is_left_out_is_any_and_is_shown_as_it_is_read() {
        for text in [
            "*->*",
            "10.0.0.1->*",
            "*:53->10.0.0.2/udp",
            "10.0.0.1:1->10.0.0.2",
            "[2001:db8::1]:443->[2001:db8::2]/tcp",
            "[::1]->*/icmpv6",
            "*->*/253",
        ] {
            assert_eq!(Shown(parse(text).unwrap()).to_string(), text);
        }
        assert_eq!(parse("*:*->*:*/*"), Ok(FlowPattern::default()));
        assert_eq!(parse("* * * * *"), Ok(FlowPattern::default()));
        assert_eq!(parse("::1 [::2] * 0 icmp6").map(|p| p.dstport), Ok(Some(0)));
        assert_eq!(parse("10.0.0.1:0->10.0.0.2:0/icmp").map(|p| Shown(p).to_string()).unwrap(), {
            "10.0.0.1->10.0.0.2/icmp"
        });
    }

    #[test]
    fn every_mistake_is_told_where_it_is() {
        for (text, column, problem, hint) in [
            ("", 1, "found the end, expected `->` between sender and receiver, or five values", FORM),
            (
                "10.0.0.1:443",
                13,
                "found the end, expected `->` between sender and receiver, or five values",
                FORM,
            ),
            ("10.0.0.1:443-", 14, "found the end, expected `>` and the receiver", QUOTES),
            ("1 2 3 4 5 six", 11, "found `six`, expected the end after five values", FORM),
            ("10.0.0.1->", 11, "found the end, expected the receiver", FORM),
            ("->10.0.0.1", 1, "found `->10.0.0.1`, expected the sender", FORM),
            ("10.0.0.1->/tcp", 11, "found `/tcp`, expected the receiver", FORM),
            ("10.0.0.1<->10.0.0.2", 1, "`10.0.0.1<` is not an address", ADDRESS),
            ("10.0.0.1->10.0.0.2->10.0.0.3", 20, "found a second `>`", DIRECTIONS),
            ("a b 10.0.0.1->10.0.0.2", 5, "found `10.0.0.1`, expected `->`", FORM),
            ("10.0.0.1->10.0.0.2 tcp", 20, "found `tcp`, expected the end or `/` and the protocol", FORM),
            ("tcp 10.0.0.1->10.0.0.2/tcp", 24, "the protocol is named twice", FORM),
            ("10.0.0->10.0.0.2", 1, "`10.0.0` is not an address", ADDRESS),
            ("10.0.0.1->example.org:80", 11, "`example.org` is not an address", ADDRESS),
            (":80->10.0.0.2", 1, "found `:80->10.0.0.2`, expected an address", ADDRESS),
            ("10.0.0.1:http->10.0.0.2", 10, "`http` is not a port", PORT),
            ("10.0.0.1:+1->10.0.0.2", 10, "`+1` is not a port", PORT),
            ("10.0.0.1->10.0.0.2:65536", 20, "`65536` is not a port", PORT),
            ("10.0.0.1->10.0.0.2:", 20, "found the end, expected a port", PORT),
            ("10.0.0.1->10.0.0.2/tpc", 20, "`tpc` is not a protocol", PROTOCOL),
            ("10.0.0.1->10.0.0.2/256", 20, "`256` is not a protocol", PROTOCOL),
            ("10.0.0.1->10.0.0.2/", 20, "found the end, expected a protocol", PROTOCOL),
            ("10.0.0.1 10.0.0.2 443 5000 -", 28, "`-` is not a protocol", PROTOCOL),
            ("::1:443->[::2]", 1, "where `::1:443` ends its address cannot be told", BRACKETS),
            ("[::1->*", 5, "found `->*`, expected `]` behind the IPv6 address", BRACKETS),
            ("[::1]443->*", 6, "found `443`, expected `:` and the port", BRACKETS),
            ("[10.0.0.1]->*", 2, "`10.0.0.1` is not an IPv6 address", ADDRESS),
            ("10.0.0.1->[::1]", 1, "one address is IPv4 and the other IPv6", FAMILIES),
            ("10.0.0.1:8->10.0.0.2/icmp", 1, "protocol icmp has no ports", NO_PORTS),
            ("täglich->*", 1, "`täglich` is not an address", ADDRESS),
            ("* -> ä b", 8, "found `b`, expected the end or `/` and the protocol", FORM),
        ] {
            let error = parse(text).unwrap_err();
            let expected = format!("column {column}: {problem}");
            assert_eq!((error.to_string(), error.hint), (expected, hint), "{text}");
        }
    }
}
