//! A set of addresses as sorted ranges, asked by binary search.

use std::net::IpAddr;

use ipnet::IpNet;

/// Ranges of both families, sorted and without overlap.
#[derive(Clone, Debug, Default)]
pub(super) struct RangeSet {
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
}

/// The number of a range's first and last address.
fn bounds(cidr: &IpNet) -> Result<(u32, u32), (u128, u128)> {
    match cidr {
        IpNet::V4(net) => Ok((net.network().to_bits(), net.broadcast().to_bits())),
        IpNet::V6(net) => Err((net.network().to_bits(), net.broadcast().to_bits())),
    }
}

fn merged<T: Copy + Ord>(mut ranges: Vec<(T, T)>) -> Vec<(T, T)> {
    ranges.sort_unstable();
    let mut merged: Vec<(T, T)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match merged.last_mut() {
            Some((_, end)) if first <= *end => *end = last.max(*end),
            _ => merged.push((first, last)),
        }
    }
    merged
}

fn holds<T: Copy + Ord>(ranges: &[(T, T)], value: T) -> bool {
    let after = ranges.partition_point(|(first, _)| *first <= value);
    after.checked_sub(1).and_then(|at| ranges.get(at)).is_some_and(|(_, last)| value <= *last)
}

impl FromIterator<IpNet> for RangeSet {
    fn from_iter<I: IntoIterator<Item = IpNet>>(cidrs: I) -> Self {
        let mut set = RangeSet::default();
        for cidr in cidrs {
            match bounds(&cidr) {
                Ok(range) => set.v4.push(range),
                Err(range) => set.v6.push(range),
            }
        }
        RangeSet { v4: merged(set.v4), v6: merged(set.v6) }
    }
}

impl RangeSet {
    /// Whether an address is in it.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => holds(&self.v4, address.to_bits()),
            IpAddr::V6(address) => holds(&self.v6, address.to_bits()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_holds_what_any_of_its_ranges_holds(
            ranges in proptest::collection::vec((0_u32..4096, 20_u8..=32), 0..12),
            address in 0_u32..4096,
        ) {
            let nets: Vec<IpNet> = ranges
                .iter()
                .map(|(base, bits)| IpNet::new(IpAddr::V4((*base << 4).into()), *bits).unwrap().trunc())
                .collect();
            let address = IpAddr::V4((address << 4 | 3).into());
            let set: RangeSet = nets.iter().copied().collect();
            prop_assert_eq!(set.contains(address), nets.iter().any(|net| net.contains(&address)));
        }
    }
}
