//! What qualifiers mean, and values read under them.

use std::net::{IpAddr, Ipv4Addr};

use super::FilterError;
use super::lex::Word;
use super::program::{Side, Test, Version};
use super::words;
use crate::packet::Protocol;

/// What a value is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Host,
    Net,
    Port,
    PortRange,
    Proto,
}

impl Kind {
    /// The kind that a type word names.
    pub(super) fn from_word(word: &str) -> Option<Kind> {
        Some(match word {
            "host" => Kind::Host,
            "net" => Kind::Net,
            "port" => Kind::Port,
            "portrange" => Kind::PortRange,
            "proto" => Kind::Proto,
            _ => return None,
        })
    }
}

/// What stands before a value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Qualifiers {
    pub(super) version: Option<Version>,
    pub(super) protocol: Option<Protocol>,
    pub(super) side: Side,
    pub(super) kind: Kind,
}

/// The test that a value makes under its qualifiers; `mask` is the word behind `net NET mask`.
pub(super) fn test(
    word: Word<'_>,
    mask: Option<Word<'_>>,
    qualifiers: Qualifiers,
) -> Result<Test, FilterError> {
    match qualifiers.kind {
        Kind::Host => host(word, qualifiers),
        Kind::Net => net(word, mask, qualifiers),
        Kind::Port => ports(word, word.text, word.text, qualifiers),
        Kind::PortRange => port_range(word, qualifiers),
        Kind::Proto => match words::protocol(word.text) {
            Some(protocol) => Ok(Test::Protocol(qualifiers.version, protocol)),
            None => Err(wrong(word, "a protocol: a number up to 255, or a name such as `tcp` or `gre`")),
        },
    }
}

/// Reads one address.
fn host(word: Word<'_>, qualifiers: Qualifiers) -> Result<Test, FilterError> {
    match word.text.parse() {
        Ok(IpAddr::V4(address)) => {
            check_version(word, qualifiers, Version::V4)?;
            Ok(Test::Net4(qualifiers.side, address.to_bits(), u32::MAX))
        }
        Ok(IpAddr::V6(address)) => {
            check_version(word, qualifiers, Version::V6)?;
            Ok(Test::Net6(qualifiers.side, address.to_bits(), u128::MAX))
        }
        Err(_) if word.text.contains('/') => Err(wrong(word, "one address: write `net` before a network")),
        Err(_) if looks_like_a_word(word.text) => {
            Err(wrong(word, "an IP address; host names are not resolved"))
        }
        Err(_) => Err(wrong(word, "an IP address (`net` takes networks, `port` ports)")),
    }
}

/// Reads `NET`, `NET/LENGTH`, or `NET` with the word behind `mask`.
fn net(word: Word<'_>, mask: Option<Word<'_>>, qualifiers: Qualifiers) -> Result<Test, FilterError> {
    const EXPECTED: &str = "a network such as `10.0.0.0/8`, `10.1` or `2001:db8::/32`";
    let (text, length) = match word.text.split_once('/') {
        Some((text, length)) => (text, Some(words::number(length).ok_or_else(|| wrong(word, EXPECTED))?)),
        None => (word.text, None),
    };
    if let Some((net, written)) = ipv4_prefix(text) {
        check_version(word, qualifiers, Version::V4)?;
        let mask = match (length, mask) {
            (None, Some(mask)) => {
                let parsed: Result<Ipv4Addr, _> = mask.text.parse();
                parsed.map_err(|_| wrong(mask, "a mask such as `255.255.0.0`"))?.to_bits()
            }
            (Some(_), Some(mask)) => return Err(wrong(mask, "needed: the network has a prefix length")),
            (length, None) => match length.unwrap_or(written) {
                bits @ 0..=32 => !u32::MAX.checked_shr(bits).unwrap_or(0),
                _ => return Err(wrong(word, "an IPv4 network: its prefix has at most 32 bits")),
            },
        };
        if net & !mask != 0 {
            return Err(wrong(word, "a network: bits are set behind its prefix"));
        }
        return Ok(Test::Net4(qualifiers.side, net, mask));
    }
    let Ok(IpAddr::V6(address)) = text.parse() else { return Err(wrong(word, EXPECTED)) };
    check_version(word, qualifiers, Version::V6)?;
    if let Some(mask) = mask {
        return Err(wrong(mask, "for IPv6: write the prefix length, as in `2001:db8::/32`"));
    }
    let mask = match length.unwrap_or(128) {
        bits @ 0..=128 => !u128::MAX.checked_shr(bits).unwrap_or(0),
        _ => return Err(wrong(word, "an IPv6 network: its prefix has at most 128 bits")),
    };
    if address.to_bits() & !mask != 0 {
        return Err(wrong(word, "a network: bits are set behind its prefix"));
    }
    Ok(Test::Net6(qualifiers.side, address.to_bits(), mask))
}

/// Reads two ports with a dash between them, in either order; a port alone is a range of one.
fn port_range(word: Word<'_>, qualifiers: Qualifiers) -> Result<Test, FilterError> {
    let pairs = word.text.match_indices('-').filter_map(|(at, _)| {
        let (first, last) = word.text.split_at_checked(at)?;
        Some((first, last.strip_prefix('-')?))
    });
    let alone = std::iter::once((word.text, word.text));
    let found = pairs.chain(alone).find_map(|(first, last)| ports(word, first, last, qualifiers).ok());
    found.ok_or_else(|| wrong(word, "a range of ports such as `8000-8080`"))
}

/// The test for the ports between two that are written.
fn ports(word: Word<'_>, first: &str, last: &str, qualifiers: Qualifiers) -> Result<Test, FilterError> {
    let (Some(first), Some(last)) = (words::port(first), words::port(last)) else {
        return Err(wrong(word, "a port: a number up to 65535, or a name such as `https`"));
    };
    Ok(Test::Ports(qualifiers.side, qualifiers.protocol, first.min(last), first.max(last)))
}

/// Refuses `ip host 2001:db8::1` and the like.
fn check_version(word: Word<'_>, qualifiers: Qualifiers, found: Version) -> Result<(), FilterError> {
    match qualifiers.version {
        Some(Version::V4) if found == Version::V6 => Err(wrong(word, "an IPv4 address, as `ip` asks")),
        Some(Version::V6) if found == Version::V4 => Err(wrong(word, "an IPv6 address, as `ip6` asks")),
        _ => Ok(()),
    }
}

/// An IPv4 address or its first one to three numbers, and how many bits are written.
fn ipv4_prefix(text: &str) -> Option<(u32, u32)> {
    let (mut net, mut bits) = (0, 0);
    for part in text.split('.') {
        let byte = words::number(part).and_then(|number| u8::try_from(number).ok())?;
        if bits == 32 {
            return None;
        }
        bits += 8;
        net |= u32::from(byte) << (32 - bits);
    }
    Some((net, bits))
}

/// Whether the text could be a word rather than a number or an address.
pub(super) fn looks_like_a_word(text: &str) -> bool {
    !text.contains(':') && text.starts_with(|first: char| first.is_alphabetic())
}

fn wrong(word: Word<'_>, expected: &'static str) -> FilterError {
    FilterError::Value { column: word.column, word: word.text.to_owned(), expected }
}
