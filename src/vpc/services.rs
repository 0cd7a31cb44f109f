//! AWS's public ranges: which service an address belongs to.
//!
//! A record shows one code where ranges overlap. Every range is also `AMAZON`'s, and many are also `EC2`'s although
//! another service uses them; so another code goes before `EC2`, and `EC2` before `AMAZON`. Among codes of the same
//! standing the longer prefix goes first, then the alphabet. AWS documents only that one code is shown; its example has
//! `S3` for an address that is also in `AMAZON` and `EC2`.

use std::cmp::Reverse;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use prefix_trie::PrefixMap;

use super::model::ServiceRange;

/// Ranges by prefix, each with its codes.
#[derive(Debug, Default)]
pub(super) struct Services {
    names: Vec<String>,
    v4: PrefixMap<Ipv4Net, Vec<u16>>,
    v6: PrefixMap<Ipv6Net, Vec<u16>>,
}

/// How much a code says.
fn standing(name: &str) -> u8 {
    match name {
        "AMAZON" => 0,
        "EC2" => 1,
        _ => 2,
    }
}

impl Services {
    pub(super) fn new(ranges: &[ServiceRange]) -> Services {
        let mut services = Services::default();
        for range in ranges {
            let at = services.names.iter().position(|name| *name == range.service).unwrap_or_else(|| {
                services.names.push(range.service.clone());
                services.names.len() - 1
            });
            let at = u16::try_from(at).unwrap_or(u16::MAX);
            match range.cidr {
                IpNet::V4(net) => services.v4.entry(net).or_default().push(at),
                IpNet::V6(net) => services.v6.entry(net).or_default().push(at),
            }
        }
        services
    }

    /// The code for an address.
    pub(super) fn of(&self, address: IpAddr) -> Option<&str> {
        match address {
            IpAddr::V4(address) => {
                self.best(self.v4.cover(&address.into()).map(|(p, c)| (p.prefix_len(), c)))
            }
            IpAddr::V6(address) => {
                self.best(self.v6.cover(&address.into()).map(|(p, c)| (p.prefix_len(), c)))
            }
        }
    }

    fn best<'a>(&self, covering: impl Iterator<Item = (u8, &'a Vec<u16>)>) -> Option<&str> {
        let codes = covering.flat_map(|(length, codes)| codes.iter().map(move |code| (length, *code)));
        let named =
            codes.filter_map(|(length, code)| Some((length, self.names.get(usize::from(code))?.as_str())));
        named.max_by_key(|(length, name)| (standing(name), *length, Reverse(*name))).map(|(_, name)| name)
    }
}
