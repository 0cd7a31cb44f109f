//! The ways of flows through a VPC that are on a page.

use std::collections::HashMap;

use super::shown::Shown;
use crate::flow::FlowKey;
use crate::packet::IcmpType;
use crate::record::FlowDirection;
use crate::report::{PathAbout, StepAbout};
use crate::vpc::{Answer, Passage, Traffic, Vpc};

/// How many ways are on a page at most.
pub(super) const PATHS: usize = 200;

/// A flow whose way is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) flow: FlowKey,
    pub(super) icmp: Option<IcmpType>,
    /// What of both directions comes first, by the order of its packets: the lower one opened the connection.
    pub(super) order: u64,
}

/// The ways of flows, those of both directions of a connection as one; and how many there are in all.
#[derive(Default)]
pub(super) struct Paths {
    pub(super) shown: Vec<PathAbout>,
    pub(super) total: u64,
    /// Each flow that was asked for → its way.
    pub(super) places: Vec<Option<usize>>,
}

/// Follows flows through a VPC.
pub(super) fn paths(vpc: &Vpc, asked: &[Option<Asked>], shown: Shown<'_>) -> Paths {
    let pair = |flow: FlowKey| flow.min(flow.reversed());
    let mut opened: HashMap<FlowKey, Asked> = HashMap::new();
    for asked in asked.iter().flatten() {
        let first = opened.entry(pair(asked.flow)).or_insert(*asked);
        if asked.order < first.order {
            *first = *asked;
        }
    }
    let mut paths = Paths::default();
    let mut known: HashMap<FlowKey, Option<usize>> = HashMap::new();
    for asked in asked {
        let place = asked.and_then(|asked| {
            let pair = pair(asked.flow);
            let first = opened.get(&pair)?;
            *known.entry(pair).or_insert_with(|| {
                let way = follow(vpc, first, shown)?;
                paths.total += 1;
                (paths.shown.len() < PATHS).then(|| {
                    paths.shown.push(way);
                    paths.shown.len() - 1
                })
            })
        });
        paths.places.push(place);
    }
    paths
}

/// A flow's way; `None` where it meets no interface of the VPC.
fn follow(vpc: &Vpc, asked: &Asked, shown: Shown<'_>) -> Option<PathAbout> {
    let trace = vpc.trace(&Traffic::new(asked.flow, asked.icmp));
    let steps = |passages: &[Passage], flow: &FlowKey| {
        passages.iter().map(|passage| step(vpc, passage, flow, shown)).collect::<Vec<_>>()
    };
    (!trace.packet.is_empty()).then(|| PathAbout {
        flow: shown.flow(&asked.flow),
        packet: steps(&trace.packet, &asked.flow),
        reply: steps(&trace.reply, &asked.flow.reversed()),
    })
}

fn step(vpc: &Vpc, passage: &Passage, flow: &FlowKey, shown: Shown<'_>) -> StepAbout {
    let Passage { interface, direction, verdict, groups, acl, .. } = passage;
    let egress = *direction == FlowDirection::Egress;
    let groups = ("security groups", word(groups.0), shown.sentence(&groups.1));
    let acl = ("network ACL", word(acl.0), shown.sentence(&acl.1));
    // in the order in which the packet passes them
    let mut asked = if egress { vec![groups, acl] } else { vec![acl, groups] };
    if egress && let Some(route) = vpc.route(*interface, flow.dstaddr) {
        asked.push(("route", "", shown.name(route.target.id())));
    }
    StepAbout {
        interface: vpc
            .interface(*interface)
            .map_or_else(|| "-".to_owned(), |interface| shown.name(&interface.id)),
        direction: direction.as_str(),
        action: match verdict.answer {
            Answer::Yes => "ACCEPT",
            Answer::No => "REJECT",
            Answer::Unknown => "-",
        },
        why: shown.sentence(&vpc.explain(verdict.why, Some(*interface), egress)),
        asked,
    }
}

fn word(answer: Answer) -> &'static str {
    match answer {
        Answer::Yes => "allow",
        Answer::No => "deny",
        Answer::Unknown => "-",
    }
}
