//! Flow keys with parts left open.

use std::net::IpAddr;

use super::FlowKey;
use crate::packet::Protocol;

/// One direction of a 5-tuple, of which parts may be anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FlowPattern {
    /// Source address; any, if `None`.
    pub srcaddr: Option<IpAddr>,
    /// Destination address; any, if `None`.
    pub dstaddr: Option<IpAddr>,
    /// IP protocol number; any, if `None`.
    pub protocol: Option<Protocol>,
    /// Source port; any, if `None`.
    pub srcport: Option<u16>,
    /// Destination port; any, if `None`.
    pub dstport: Option<u16>,
}

impl FlowPattern {
    /// Whether a flow fits it.
    #[inline]
    pub fn matches(&self, flow: &FlowKey) -> bool {
        self.srcaddr.is_none_or(|srcaddr| srcaddr == flow.srcaddr)
            && self.dstaddr.is_none_or(|dstaddr| dstaddr == flow.dstaddr)
            && self.protocol.is_none_or(|protocol| protocol == flow.protocol)
            && self.srcport.is_none_or(|srcport| srcport == flow.srcport)
            && self.dstport.is_none_or(|dstport| dstport == flow.dstport)
    }

    /// The one flow that fits it; `None` where a part is left open.
    pub fn flow(&self) -> Option<FlowKey> {
        Some(FlowKey {
            srcaddr: self.srcaddr?,
            dstaddr: self.dstaddr?,
            protocol: self.protocol?,
            srcport: self.srcport?,
            dstport: self.dstport?,
        })
    }

    /// The other direction.
    pub fn reversed(&self) -> FlowPattern {
        FlowPattern {
            srcaddr: self.dstaddr,
            dstaddr: self.srcaddr,
            protocol: self.protocol,
            srcport: self.dstport,
            dstport: self.srcport,
        }
    }
}

impl From<FlowKey> for FlowPattern {
    fn from(flow: FlowKey) -> Self {
        FlowPattern {
            srcaddr: Some(flow.srcaddr),
            dstaddr: Some(flow.dstaddr),
            protocol: Some(flow.protocol),
            srcport: Some(flow.srcport),
            dstport: Some(flow.dstport),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow() -> FlowKey {
        FlowKey {
            srcaddr: "10.0.0.1".parse().unwrap(),
            dstaddr: "10.0.0.2".parse().unwrap(),
            protocol: Protocol::TCP,
            srcport: 443,
            dstport: 5000,
        }
    }

    #[test]
    fn every_part_that_is_given_must_fit() {
        let whole = FlowPattern::from(flow());
        assert!(whole.matches(&flow()) && FlowPattern::default().matches(&flow()));
        assert!(!whole.reversed().matches(&flow()));
        let others = [
            FlowKey { srcaddr: "::1".parse().unwrap(), ..flow() },
            FlowKey { dstaddr: "10.0.0.1".parse().unwrap(), ..flow() },
            FlowKey { protocol: Protocol::UDP, ..flow() },
            FlowKey { srcport: 444, ..flow() },
            FlowKey { dstport: 5001, ..flow() },
        ];
        for other in others {
            assert!(!whole.matches(&other), "{other:?}");
            assert_eq!(FlowPattern::from(other).flow(), Some(other));
        }
        assert_eq!(FlowPattern { srcport: None, ..whole }.flow(), None);
        assert_eq!(whole.reversed().reversed(), whole);
    }
}
