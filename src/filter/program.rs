//! A filter laid out as tests with two exits each.

use std::net::IpAddr;

use crate::packet::{Fragment, IpPacket, Note, PacketDirection, Protocol};

/// The exit that says yes: no index, because an expression of so many tests does not fit memory.
pub(super) const ACCEPT: u32 = u32::MAX;
/// The exit that says no.
const REJECT: u32 = u32::MAX - 1;

/// Which of a packet's two addresses or ports is asked about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Side {
    /// The source.
    Source,
    /// The destination.
    Destination,
    /// Either of them.
    #[default]
    Either,
    /// Both of them.
    Both,
}

impl Side {
    /// Asks about the side or sides meant.
    #[inline]
    fn test<T>(self, source: T, destination: T, wanted: impl Fn(T) -> bool) -> bool {
        match self {
            Side::Source => wanted(source),
            Side::Destination => wanted(destination),
            Side::Either => wanted(source) || wanted(destination),
            Side::Both => wanted(source) && wanted(destination),
        }
    }
}

/// IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Version {
    /// Whether the packet is of this version.
    #[inline]
    fn matches(self, packet: &IpPacket) -> bool {
        packet.srcaddr.is_ipv4() == (self == Version::V4)
    }
}

/// One question about a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Test {
    /// IPv4 or IPv6?
    Version(Version),
    /// This protocol (of this version)?
    Protocol(Option<Version>, Protocol),
    /// An IPv4 address that has these bits under this mask?
    Net4(Side, u32, u32),
    /// An IPv6 address that has these bits under this mask?
    Net6(Side, u128, u128),
    /// A port from the first to the last, both included (of this protocol)?
    Ports(Side, Option<Protocol>, u16, u16),
    /// Into or out of the host that captured it?
    Direction(PacketDirection),
}

impl Test {
    /// Asks it.
    #[inline]
    pub fn matches(&self, packet: &IpPacket) -> bool {
        match *self {
            Test::Version(version) => version.matches(packet),
            Test::Protocol(version, protocol) => {
                packet.protocol == protocol && version.is_none_or(|version| version.matches(packet))
            }
            Test::Net4(side, net, mask) => side.test(
                packet.srcaddr,
                packet.dstaddr,
                |address| matches!(address, IpAddr::V4(address) if address.to_bits() & mask == net),
            ),
            Test::Net6(side, net, mask) => side.test(
                packet.srcaddr,
                packet.dstaddr,
                |address| matches!(address, IpAddr::V6(address) if address.to_bits() & mask == net),
            ),
            Test::Ports(side, protocol, first, last) => {
                protocol.is_none_or(|protocol| packet.protocol == protocol)
                    && has_ports(packet)
                    && side.test(packet.srcport, packet.dstport, |port| (first..=last).contains(&port))
            }
            Test::Direction(direction) => packet.direction == direction,
        }
    }
}

/// Whether the packet's ports are known: `port 0` must not find a `0 0` that only says that they are not.
/// A later fragment has ports only where it was tracked to its first.
#[inline]
fn has_ports(packet: &IpPacket) -> bool {
    packet.protocol.has_ports()
        && !packet.notes.contains(Note::PortsCut)
        && (!matches!(packet.fragment, Fragment::Later(_)) || (packet.srcport, packet.dstport) != (0, 0))
}

/// A test and where to go on from it: a later step, or one of the two exits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub test: Test,
    pub if_true: u32,
    pub if_false: u32,
}

/// How two terms are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joint {
    /// Both must hold.
    And,
    /// One must hold.
    Or,
}

/// Terms joined one after another, as they are written; they bind from the left.
#[derive(Debug, Default)]
pub(super) struct Chain {
    /// Each term, whether it is negated, and how it is joined to what stands before it (the first to nothing).
    pub terms: Vec<(Joint, bool, Term)>,
}

/// One term of a chain.
#[derive(Debug)]
pub(super) enum Term {
    /// A test.
    Test(Test),
    /// A chain in parentheses.
    Group(Chain),
}

impl Chain {
    /// How many tests it has.
    fn tests(&self) -> usize {
        self.terms.iter().map(|(.., term)| term.tests()).sum()
    }
}

impl Term {
    fn tests(&self) -> usize {
        match self {
            Term::Test(_) => 1,
            Term::Group(chain) => chain.tests(),
        }
    }
}

/// Where a walk begins: nothing to test matches everything.
#[inline]
pub(super) fn entry(steps: &[Step]) -> u32 {
    if steps.is_empty() { ACCEPT } else { 0 }
}

/// Lays a chain out as steps.
pub(super) fn lay_out(chain: &Chain) -> Box<[Step]> {
    let mut steps = Vec::with_capacity(chain.tests());
    append(chain, ACCEPT, REJECT, &mut steps);
    steps.into_boxed_slice()
}

/// Appends a chain's steps. `((t1 . t2) . t3) …`: where a term holds, the walk goes on with the first later term
/// joined by `and`, where it does not, with the first later one joined by `or`; where there is none, the whole
/// chain is decided. Read from the back, these are known for all terms at once.
fn append(chain: &Chain, if_true: u32, if_false: u32, steps: &mut Vec<Step>) {
    let mut starts = Vec::with_capacity(chain.terms.len());
    let mut start = steps.len();
    for (.., term) in &chain.terms {
        starts.push(u32::try_from(start).unwrap_or(REJECT));
        start += term.tests();
    }
    let (mut next_and, mut next_or) = (if_true, if_false);
    let mut exits = Vec::with_capacity(chain.terms.len());
    for ((joint, negated, _), start) in chain.terms.iter().zip(starts).rev() {
        exits.push(if *negated { (next_or, next_and) } else { (next_and, next_or) });
        match joint {
            Joint::And => next_and = start,
            Joint::Or => next_or = start,
        }
    }
    for ((.., term), (if_true, if_false)) in chain.terms.iter().zip(exits.into_iter().rev()) {
        match term {
            Term::Test(test) => steps.push(Step { test: *test, if_true, if_false }),
            Term::Group(chain) => append(chain, if_true, if_false, steps),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exits_lead_forward_and_skip_what_is_decided() {
        let term = |joint, negated| (joint, negated, Term::Test(Test::Version(Version::V4)));
        // a or b and not c or d
        let chain = Chain {
            terms: vec![
                term(Joint::And, false),
                term(Joint::Or, false),
                term(Joint::And, true),
                term(Joint::Or, false),
            ],
        };
        let exits: Vec<_> = lay_out(&chain).iter().map(|step| (step.if_true, step.if_false)).collect();
        assert_eq!(exits, [(2, 1), (2, 3), (3, ACCEPT), (ACCEPT, REJECT)]);
    }
}
