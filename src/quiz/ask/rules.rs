//! What a log shows where a rule refuses.

use super::flow_text;
use crate::quiz::choices::Choices;
use crate::quiz::facts::{ConnectionFacts, Facts, RuleSetup, VerdictFacts};
use crate::quiz::{Question, Subject};
use crate::random::Random;
use crate::record::Action;

/// A connection under rules.
pub(super) type Candidate<'a> = (&'a ConnectionFacts, VerdictFacts);

/// Connections that begin in the capture and are answered, each under all rules.
pub(super) fn candidates(facts: &Facts) -> Vec<Candidate<'_>> {
    let begun = facts.connections.iter().filter(|one| one.begins && one.answered);
    begun.flat_map(|one| one.verdicts.iter().map(move |verdict| (one, *verdict))).collect()
}

/// What the log of the one who is asked shows.
pub(super) fn log((connection, verdict): &Candidate<'_>, random: &mut Random) -> Option<Question> {
    let flow = &connection.flow;
    let (asker, asked) = (flow.srcaddr, flow.dstaddr);
    let there = |action: Action| format!("`{action}` for {asker} to {asked}");
    let both = |one: Action, other: Action| format!("{}, `{other}` for the answers", there(one));
    let say = |packet: Action, reply: Option<Action>| match reply {
        Some(reply) => both(packet, reply),
        None => format!("{}, and no record of answers", there(packet)),
    };
    let (accept, reject) = (Action::Accept, Action::Reject);
    let choices = Choices::new(say(verdict.packet, verdict.reply)).with([
        say(reject, None),
        say(accept, Some(reject)),
        say(accept, Some(accept)),
        "no record at all: what is refused is not logged".to_owned(),
        say(reject, Some(reject)),
    ]);
    let (rule, because) = match verdict.setup {
        RuleSetup::GroupWithoutIngress => (
            format!("the security group of {asked} has no rule that lets it in"),
            "what no rule allows is refused and logged as that; nobody answers what never came",
        ),
        RuleSetup::GroupWithoutEgress => (
            format!("the security group of {asked} lets it in, and has no rule for what goes out"),
            "a security group is stateful: the answers to what it let in pass without a rule",
        ),
        RuleSetup::AclDeniesIngress => (
            format!("the network ACL of the subnet of {asked} denies it on the way in"),
            "what the ACL denies is refused and logged as that; nobody answers what never came",
        ),
        RuleSetup::AclDeniesEgress => (
            format!(
                "the network ACL of the subnet of {asked} lets everything in, and denies all on the way out"
            ),
            "a network ACL is stateless: it judges the answers for themselves, although the security group would let \
             them pass",
        ),
    };
    choices.ask(
        Subject::Rules,
        random,
        vec![flow_text(flow)],
        format!("Suppose that {rule}. What would a flow log of {asked}'s interface show?"),
        because,
    )
}
