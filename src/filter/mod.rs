//! `--filter`: which IP packets are wanted, in tcpdump's words (the common subset of pcap-filter(7)).
//!
//! A filter is asked about the packet that is counted: the outermost IP header, or the inner one of opened
//! tunnels. Steps: `lex` cuts the expression into words, `parse` reads them into a tree (`value` what stands
//! behind qualifiers, by the tables of `words`), `program` lays the tree out as tests with two exits each, and
//! [`Filter::matches`] walks those.
//!
//! Invariants: every exit of a step leads forward, so a walk ends after at most as many tests as the expression
//! has; nothing is allocated per packet; no expression, however long or deep, overflows the stack.
//!
//! # The language
//!
//! - `[ip|ip6] [DIR] host ADDRESS`, `[ip|ip6] [DIR] net NET`, where `NET` is `10.0.0.0/8`, `2001:db8::/32`,
//!   `10.0.0.0 mask 255.0.0.0`, or the first one to three numbers of an IPv4 network: `10`, `10.1`, `10.1.2`
//! - `[tcp|udp|sctp] [DIR] port PORT`, `[tcp|udp|sctp] [DIR] portrange PORT-PORT`
//! - `[ip|ip6] proto PROTOCOL`, a number or a name
//! - `ip`, `ip6`, `tcp`, `udp`, `sctp`, `icmp`, `icmp6`, `igmp`, `esp`, `ah`, `pim`, `vrrp`
//! - `inbound`, `outbound`, where the capture says so
//! - `DIR` is `src`, `dst`, `src or dst` (where none is given) or `src and dst`
//! - `not` or `!` binds tightest; `and` or `&&`, `or` or `||` bind alike and from the left, as in tcpdump:
//!   `a or b and c` is `(a or b) and c`
//! - a value alone takes the qualifiers before it: `tcp port 80 or 443` is `tcp port 80 or tcp port 443`;
//!   an address with none before it is a host
//! - nothing at all matches everything
//!
//! # Where it differs from tcpdump
//!
//! - A packet's protocol is the record's: IPv6 extension headers are walked, so `tcp` and `port` see behind them.
//! - ARP is no IP packet, and never matches an address.
//! - A port's name stands for its number with any of the three protocols; `/etc/services` is not read.
//! - A host is a whole address: names are not resolved, and `host 10.1` must be written `net 10.1`.

mod error;
mod lex;
mod parse;
mod program;
mod value;
mod words;

use std::str::FromStr;

pub use error::FilterError;
use program::Step;

use crate::packet::IpPacket;

/// A filter expression, read and laid out to be asked about many packets.
///
/// ```
/// use flowtruth::filter::Filter;
/// use flowtruth::packet::{IpPacket, Protocol};
///
/// let filter = Filter::parse("tcp port 80 or 443 and not src net 10.0.0.0/8")?;
/// let packet = IpPacket { protocol: Protocol::TCP, srcport: 443, ..IpPacket::default() };
/// assert!(filter.matches(&packet));
/// # Ok::<(), flowtruth::filter::FilterError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    steps: Box<[Step]>,
    expression: Box<str>,
}

impl Filter {
    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// [`FilterError`] names the first word that cannot be read and its column.
    pub fn parse(expression: &str) -> Result<Filter, FilterError> {
        let chain = parse::parse(&lex::words(expression))?;
        Ok(Filter { steps: program::lay_out(&chain), expression: expression.into() })
    }

    /// What was read.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// Whether the packet is wanted.
    #[inline]
    pub fn matches(&self, packet: &IpPacket) -> bool {
        let mut next = program::entry(&self.steps);
        while let Some(step) = self.steps.get(next as usize) {
            next = if step.test.matches(packet) { step.if_true } else { step.if_false };
        }
        next == program::ACCEPT
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(expression: &str) -> Result<Self, Self::Err> {
        Filter::parse(expression)
    }
}

#[cfg(test)]
mod tests;
