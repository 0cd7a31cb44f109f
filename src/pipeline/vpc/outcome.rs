//! What the verdicts over a packet come to: the records that it is counted in, or why in none.

use super::classes::{Classes, Owner, Sighted};
use super::flows::{Flow, Verdicts};
use super::options::VpcOptions;
use crate::flow::FlowKey;
use crate::packet::SkipReason;
use crate::record::Action;
use crate::vpc::{Answer, Special, Traffic, Why};

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is counted under this class.
    Count {
        class: u32,
        /// In how many records.
        sights: u8,
        /// How many of them have no action.
        undecided: u8,
        /// Whether it is of no known interface.
        unknown_owner: bool,
    },
    /// It is skipped.
    Skip(SkipReason),
}

/// What the verdicts over a packet come to.
pub(super) fn outcome(
    options: &VpcOptions,
    classes: &mut Classes,
    unknown_action: Action,
    flow: &Flow,
    traffic: &Traffic,
    verdicts: &Verdicts,
) -> Outcome {
    let action = |answer| match answer {
        Answer::Yes => Some(Action::Accept),
        Answer::No => Some(Action::Reject),
        Answer::Unknown => None,
    };
    let mut sights: Vec<(Sighted, Option<&'static str>)> = Vec::with_capacity(3);
    let others = flow.ends.iter().rev();
    for (at, ((side, verdict), peer)) in flow.sides.iter().zip(verdicts).zip(others).enumerate() {
        let (Some(sight), Some(verdict)) = (flow.sight(at), verdict) else { continue };
        let between = peer
            .is_some_and(|peer| options.vpc.is_endpoint_and_load_balancer(sight.interface, peer.interface));
        let unlogged = side.special.and_then(Special::unlogged_name);
        let sighted = Sighted {
            owner: Owner::Interface(sight.interface),
            egress: sight.egress,
            action: action(verdict.answer),
            peer: *peer,
            why: options.why.then_some(verdict.why),
        };
        sights.push((sighted, unlogged.or(between.then_some("endpoint-to-load-balancer"))));
    }
    if let Some((nat, egress)) = flow.regional {
        // what the interface in front of it refuses does not reach it
        let refused = verdicts
            .first()
            .is_some_and(|verdict| verdict.is_some_and(|verdict| verdict.answer == Answer::No));
        if !refused {
            let sighted = Sighted {
                owner: Owner::RegionalNat(nat),
                egress,
                action: Some(Action::Accept),
                peer: None,
                why: options.why.then_some(Why::RegionalNat),
            };
            sights.push((sighted, None));
        }
    }
    if sights.is_empty() {
        if !options.wants(Owner::Unknown) {
            return Outcome::Skip(SkipReason::UnknownInterface);
        }
        let FlowKey { srcaddr, dstaddr, .. } = traffic.flow;
        let is_ambiguous = [srcaddr, dstaddr].into_iter().any(|address| options.vpc.is_ambiguous(address));
        let sighted = Sighted {
            owner: Owner::Unknown,
            egress: false,
            action: Some(unknown_action).filter(|_| !is_ambiguous),
            peer: None,
            why: (options.why && is_ambiguous).then_some(Why::Ambiguous),
        };
        let special = options.vpc.special_of_strangers(traffic);
        sights.push((sighted, special.and_then(Special::unlogged_name)));
    }
    sights.retain(|(sighted, _)| options.wants(sighted.owner));
    if sights.is_empty() {
        return Outcome::Skip(SkipReason::OtherInterface);
    }
    if options.like_aws {
        let name = sights.iter().find_map(|(_, unlogged)| *unlogged);
        sights.retain(|(_, unlogged)| unlogged.is_none());
        if let (true, Some(name)) = (sights.is_empty(), name) {
            return Outcome::Skip(SkipReason::NeverLogged(name));
        }
    }
    sights.retain(|(sighted, _)| options.traffic_type.wants(sighted.action));
    let class: Vec<Sighted> = sights.into_iter().map(|(sighted, _)| sighted).collect();
    if class.is_empty() {
        return Outcome::Skip(SkipReason::OtherAction);
    }
    let undecided = class.iter().filter(|sighted| sighted.action.is_none()).count();
    Outcome::Count {
        class: classes.number(&class),
        sights: u8::try_from(class.len()).unwrap_or(u8::MAX),
        undecided: u8::try_from(undecided).unwrap_or(u8::MAX),
        unknown_owner: class.iter().any(|sighted| sighted.owner == Owner::Unknown),
    }
}
