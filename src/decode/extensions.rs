//! The walk over IPv6 extension headers (accounting rule 6; RFC 8200 §4).
//!
//! Cut by hand, since etherparse walks by other rules: it wants every header whole and hop-by-hop options
//! first, goes on behind an authentication header, and goes on behind a fragment header that is not the first.

use crate::packet::{Fragment, Protocol};

/// The option of a jumbogram (RFC 2675).
const JUMBO_PAYLOAD: u8 = 0xc2;

/// Where the walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Walked {
    /// The header that the extensions lead to, or the one at which the walk was cut.
    pub protocol: Protocol,
    /// How many bytes of extension headers were passed; more than are captured where the last one is cut.
    pub length: usize,
    /// Whether too little was captured of an extension header to pass it.
    pub cut: bool,
    /// What the fragment headers say.
    pub fragment: Fragment,
    /// The offset and flags of the fragment header that decided it.
    pub fragment_word: u16,
    /// That header's identification.
    pub identification: u32,
}

/// Walks from the first next header over what is captured behind the IPv6 header and inside the IP length.
pub(super) fn walk(first: Protocol, inside: &[u8]) -> Walked {
    let mut walked = Walked {
        protocol: first,
        length: 0,
        cut: false,
        fragment: Fragment::Whole,
        fragment_word: 0,
        identification: 0,
    };
    loop {
        let rest = inside.get(walked.length..).unwrap_or_default();
        let next = match walked.protocol {
            Protocol::HOP_BY_HOP | Protocol::ROUTING | Protocol::DESTINATION_OPTIONS => {
                rest.first_chunk().map(|[next, units]| (*next, (usize::from(*units) + 1) * 8))
            }
            Protocol::FRAGMENT => rest.first_chunk().map(|[next, _, high, low]| {
                let identification = rest.get(4..).and_then(|rest| rest.first_chunk());
                walked.fragment_header(
                    u16::from_be_bytes([*high, *low]),
                    identification.map_or(0, |bytes| u32::from_be_bytes(*bytes)),
                );
                (*next, 8)
            }),
            _ => return walked,
        };
        let Some((next, length)) = next else {
            walked.cut = true;
            return walked;
        };
        walked.protocol = Protocol(next);
        walked.length += length;
        if matches!(walked.fragment, Fragment::Later(_)) {
            // what follows is the middle of something
            return walked;
        }
    }
}

impl Walked {
    /// Takes in a fragment header. A packet may have several: a later one never makes a fragment whole again.
    fn fragment_header(&mut self, word: u16, identification: u32) {
        let (offset, more) = (word & 0xfff8, word & 1 != 0);
        let fragment = match (offset, more) {
            (0, false) => Fragment::Atomic,
            (0, true) => Fragment::First(identification),
            _ => Fragment::Later(identification),
        };
        if !(matches!(self.fragment, Fragment::First(_)) && fragment == Fragment::Atomic) {
            self.fragment = fragment;
            self.fragment_word = word;
            self.identification = identification;
        }
    }
}

/// The payload length in bytes that a jumbogram's hop-by-hop options hold, where one of them is the jumbo
/// payload option and captured.
pub(super) fn jumbo_payload_length(hop_by_hop: &[u8]) -> Option<u32> {
    let [_, units] = hop_by_hop.first_chunk()?;
    let length = (usize::from(*units) + 1) * 8;
    let mut options = hop_by_hop.get(2..length).or_else(|| hop_by_hop.get(2..))?;
    loop {
        // an option of type 0 is one byte of padding; all others have a length
        let (kind, rest) = options.split_first()?;
        options = match kind {
            0 => rest,
            _ => {
                let (length, rest) = rest.split_first()?;
                if (*kind, *length) == (JUMBO_PAYLOAD, 4) {
                    return rest.first_chunk().map(|length| u32::from_be_bytes(*length));
                }
                rest.get(usize::from(*length)..)?
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_jumbo_payload_option() {
        let cases: [(&[u8], Option<u32>); 8] = [
            (&[6, 0, 0xc2, 4, 0, 1, 0, 0], Some(0x1_0000)),
            (&[6, 1, 0, 0, 0, 1, 1, 9, 0xc2, 4, 0, 1, 0, 2, 0, 0], Some(0x1_0002)),
            // outside the header, cut, of another length, not there
            (&[6, 0, 1, 4, 0, 0, 0, 0, 0xc2, 4, 0, 1, 0, 0], None),
            (&[6, 0, 0xc2, 4, 0, 1, 0], None),
            (&[6, 0, 0xc2, 3, 0, 1, 0, 0], None),
            (&[6, 0, 1, 4, 0, 0, 0, 0], None),
            (&[6], None),
            (&[], None),
        ];
        for (bytes, length) in cases {
            assert_eq!(jumbo_payload_length(bytes), length, "{bytes:?}");
        }
    }

    #[test]
    fn walks_as_far_as_is_captured() {
        // routing, destination options, atomic fragment, TCP
        let chain = [
            60, 0, 0, 0, 0, 0, 0, 0, 44, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 7,
        ];
        for length in 0..=chain.len() {
            let walked = walk(Protocol::ROUTING, &chain[..length]);
            let (protocol, passed, cut) = match length {
                0..2 => (43, 0, true),
                2..10 => (60, 8, true),
                10..28 => (44, 24, true),
                _ => (6, 32, false),
            };
            assert_eq!(
                (walked.protocol, walked.length, walked.cut),
                (Protocol(protocol), passed, cut),
                "{length}"
            );
            let atomic = if length < 28 { Fragment::Whole } else { Fragment::Atomic };
            assert_eq!(walked.fragment, atomic, "{length}");
        }
    }

    #[test]
    fn headers_that_are_not_passed_are_the_protocol() {
        for protocol in [50, 51, 59, 135, 139, 140, 6, 17, 58, 255].map(Protocol) {
            let walked = walk(protocol, &[0; 16]);
            assert_eq!((walked.protocol, walked.length, walked.cut), (protocol, 0, false));
        }
    }

    #[test]
    fn a_later_fragment_ends_the_walk_and_stays_one() {
        let later = [60, 0, 0, 8, 0, 0, 0, 9, 6, 0, 0, 0, 0, 0, 0, 0];
        let walked = walk(Protocol::FRAGMENT, &later);
        assert_eq!((walked.protocol, walked.length), (Protocol::DESTINATION_OPTIONS, 8));
        assert_eq!(walked.fragment, Fragment::Later(9));
        // first, then atomic
        let first = [44, 0, 0, 1, 0, 0, 0, 5, 17, 0, 0, 0, 0, 0, 0, 6];
        let walked = walk(Protocol::FRAGMENT, &first);
        assert_eq!((walked.protocol, walked.fragment), (Protocol::UDP, Fragment::First(5)));
    }
}
