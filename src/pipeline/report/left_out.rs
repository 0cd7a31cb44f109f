//! Why packets that were metered are in no record after all: what is asked for of a VPC leaves them out.

use super::packets::{Read, fate_of};
use crate::packet::SkipReason;
use crate::pipeline::Ledger;
use crate::report::PacketFate;
use crate::vpc::{Special, Traffic, Vpc};

/// The reasons that the ledger knows of.
pub(super) struct LeftOut<'a> {
    reasons: Vec<SkipReason>,
    vpc: Option<&'a Vpc>,
}

impl<'a> LeftOut<'a> {
    pub(super) fn new(ledger: &Ledger, vpc: Option<&'a Vpc>) -> LeftOut<'a> {
        let of_vpc = |reason: &&SkipReason| {
            matches!(
                reason,
                SkipReason::UnknownInterface
                    | SkipReason::OtherInterface
                    | SkipReason::NeverLogged(_)
                    | SkipReason::OtherAction
            )
        };
        let reasons = ledger.total.tally.packets_skipped.keys().filter(of_vpc).copied().collect();
        LeftOut { reasons, vpc }
    }

    /// Why a packet is left out: the ledger's only reason, or what AWS never logs of its kind; else each reason that it can be.
    pub(super) fn fate(&self, read: &Read) -> PacketFate {
        let unlogged = SkipReason::NeverLogged(self.unlogged(read).unwrap_or_default());
        match self.reasons.as_slice() {
            [] => PacketFate::NotFollowed,
            [reason] => fate_of(*reason),
            reasons if reasons.contains(&unlogged) => fate_of(unlogged),
            reasons => {
                let named: Vec<String> = reasons.iter().map(ToString::to_string).collect();
                PacketFate::Skipped {
                    reason: named.join(" or "),
                    meaning: "what is asked for of the VPC leaves it out".to_owned(),
                }
            }
        }
    }

    fn unlogged(&self, read: &Read) -> Option<&'static str> {
        let (vpc, flow) = (self.vpc?, read.flow?);
        let traffic = Traffic::new(flow, read.icmp);
        let ends = [flow.srcaddr, flow.dstaddr].into_iter().filter_map(|address| vpc.interface_at(address));
        let special = ends.filter_map(|interface| vpc.special(interface, &traffic));
        special.chain(vpc.special_of_strangers(&traffic)).find_map(Special::unlogged_name)
    }
}
