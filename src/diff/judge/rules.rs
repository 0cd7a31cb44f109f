//! What the VPC's rules say to a record, or to packets without one: added to the evidence where the action matters.

use super::{Differs, State};
use crate::diff::report::Kind;
use crate::diff::{Cause, Claim, Ruling};
use crate::flow::FlowKey;
use crate::record::Action;

/// What is added to the evidence of a difference; nothing where the VPC is not described or has nothing to say.
pub(super) fn remark(state: &State<'_>, key: &FlowKey, claim: Option<&Claim>, differs: &Differs) -> String {
    let matters = matches!(
        differs.cause,
        Cause::RejectedUnseen | Cause::MissingRecord | Cause::ExtraRecord | Cause::Unexplained
    );
    let Some(vpc) = state.options.vpc.as_ref().filter(|_| matters && state.claims_are_log) else {
        return String::new();
    };
    match claim {
        Some(claim) => {
            let interface = (claim.interface > 0).then(|| state.interface(claim.interface));
            let ruling = claim.action.zip(vpc.ruling(key, interface));
            ruling.map(|(action, ruling)| of_record(action, &ruling, differs.kind)).unwrap_or_default()
        }
        None if state.witness_is_capture => {
            let ruling = vpc.ruling(key, None);
            let refused = ruling.filter(|ruling| ruling.action == Action::Reject && !ruling.passes_as_reply);
            refused.map_or_else(String::new, |Ruling { interface, rule, .. }| {
                format!(
                    "; the rules refuse them at `{interface}` ({rule}), so a REJECT record should be there"
                )
            })
        }
        None => String::new(),
    }
}

fn of_record(action: Action, ruling: &Ruling, kind: Kind) -> String {
    let Ruling { interface, action: ruled, rule, passes_as_reply } = ruling;
    match (action, ruled) {
        (Action::Reject, Action::Reject) => format!("; the rules refuse it at `{interface}`: {rule}"),
        (Action::Reject, Action::Accept) => format!("; but the rules let it pass at `{interface}`: {rule}"),
        (Action::Accept, Action::Reject) if !passes_as_reply => {
            format!("; but the rules refuse it at `{interface}`: {rule}")
        }
        // the logs disagree, and the rules side with this one
        (Action::Accept, Action::Accept) if kind == Kind::Identity => {
            format!("; the rules let it pass at `{interface}`: {rule}")
        }
        (Action::Accept, _) => String::new(),
    }
}
