//! A share of the flows, so that a log larger than the memory can be worked on in turns.

use std::hash::BuildHasher;
use std::net::IpAddr;

use foldhash::fast::FixedState;

use crate::flow::FlowKey;

/// The most shares: each is a reading of all inputs.
const MOST: u64 = 1 << 12;

/// One of so many shares of all flows. A flow and its reverse are always in the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Partition {
    number: u64,
    of: u64,
}

impl Default for Partition {
    fn default() -> Self {
        Partition::WHOLE
    }
}

impl Partition {
    /// All flows.
    pub(super) const WHOLE: Partition = Partition { number: 0, of: 1 };

    /// This share cut in two; the first half.
    pub(super) fn halved(self) -> Partition {
        Partition { of: self.of * 2, ..self }
    }

    /// Whether it is not to be cut any more.
    pub(super) fn is_smallest(self) -> bool {
        self.of >= MOST
    }

    /// Whether it is all flows.
    pub(super) fn is_whole(self) -> bool {
        self.of == 1
    }

    /// All shares of this size.
    pub(super) fn all(self) -> impl Iterator<Item = Partition> {
        (0..self.of).map(move |number| Partition { number, ..self })
    }

    /// The finer cut of two, its first share.
    pub(super) fn finer(self, other: Partition) -> Partition {
        Partition { number: 0, of: self.of.max(other.of) }
    }

    /// Whether a flow is in it.
    #[inline]
    pub(super) fn holds(self, key: &FlowKey) -> bool {
        self.is_whole() || hash(key) % self.of == self.number
    }
}

/// The same for a flow and its reverse.
fn hash(key: &FlowKey) -> u64 {
    let end = |address: IpAddr, port: u16| {
        let bits = match address {
            IpAddr::V4(v4) => u128::from(v4.to_bits()),
            IpAddr::V6(v6) => v6.to_bits(),
        };
        // not the hash of `FlowIndex`, or the flows of a share would crowd its slots
        FixedState::with_seed(0x5eed).hash_one((bits, port, key.protocol.0))
    };
    // the sum of both ends does not depend on their order; its upper bits are well mixed
    end(key.srcaddr, key.srcport).wrapping_add(end(key.dstaddr, key.dstport)) >> 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Protocol;

    #[test]
    fn every_flow_is_in_one_share_together_with_its_reverse() {
        let shares: Vec<Partition> = Partition::WHOLE.halved().halved().all().collect();
        let mut counts = [0; 4];
        for port in 0..4000 {
            let key = FlowKey {
                srcaddr: "10.0.0.1".parse().unwrap(),
                dstaddr: "10.0.0.2".parse().unwrap(),
                protocol: Protocol::TCP,
                srcport: 1024 + port,
                dstport: 443,
            };
            let holding: Vec<usize> = (0..4).filter(|share| shares[*share].holds(&key)).collect();
            assert_eq!(holding.len(), 1);
            assert!(shares[holding[0]].holds(&key.reversed()));
            counts[holding[0]] += 1;
        }
        assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
    }
}
