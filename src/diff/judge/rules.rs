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
    let ruling = |interface: Option<&str>| {
        let ruling = vpc.ruling(key, interface)?;
        // a reply belongs to something; what agrees was settled together with its reverse, so it would be here
        let passes_as_reply = ruling.passes_as_reply && has_flow(state, &key.reversed());
        Some(Ruling { passes_as_reply, ..ruling })
    };
    match claim {
        Some(claim) => {
            let interface = (claim.interface > 0).then(|| state.interface(claim.interface));
            let ruling = claim.action.zip(ruling(interface));
            ruling.map(|(action, ruling)| of_record(action, &ruling, differs.kind)).unwrap_or_default()
        }
        None if state.witness_is_capture => match ruling(None) {
            Some(Ruling { interface, action: Action::Reject, rule, passes_as_reply: false }) => {
                format!(
                    "; the rules refuse them at `{interface}` ({rule}), so a REJECT record should be there"
                )
            }
            _ => String::new(),
        },
        None => String::new(),
    }
}

/// Whether a flow is among those that were not settled before. They are in order of their keys.
fn has_flow(state: &State<'_>, key: &FlowKey) -> bool {
    state.flows.binary_search_by(|flow| flow.id.key.cmp(key)).is_ok()
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
