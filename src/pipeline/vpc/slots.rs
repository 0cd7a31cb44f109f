//! Whose records are written: a record for each, which is filled over and over.

use super::classes::Owner;
use super::options::VpcOptions;
use crate::record::{Action, FlowRecord};
use crate::vpc::InterfaceIndex;

/// The owners in the order of their identifiers, and each one's place. What the VPC does not tell of an interface, the
/// constants that were given do.
pub(super) fn slots(options: &VpcOptions, constants: &FlowRecord) -> (Vec<FlowRecord>, Vec<u32>) {
    let vpc = &options.vpc;
    let model = vpc.model();
    let mut owners: Vec<(&str, Owner)> = Vec::new();
    for (at, interface) in (0..).zip(&model.interfaces) {
        owners.push((&interface.id, Owner::Interface(InterfaceIndex(at))));
    }
    for (at, nat) in (0..).zip(&model.nat_gateways) {
        owners.push((&nat.id, Owner::RegionalNat(at)));
    }
    let mut order: Vec<usize> = (0..owners.len()).collect();
    order.sort_by_key(|at| owners.get(*at).map(|(id, _)| *id));
    let mut places = vec![0; owners.len()];
    let mut unknown = constants.clone();
    unknown.action.get_or_insert(Action::Accept);
    let mut slots = vec![unknown];
    for at in order {
        let Some((_, owner)) = owners.get(at) else { continue };
        let identity = match owner {
            Owner::Interface(at) => with_constants(vpc.identity(*at), constants),
            Owner::RegionalNat(at) => vpc.regional_nat_identity(*at),
            Owner::Unknown => continue,
        };
        if let Some(place) = places.get_mut(at) {
            *place = u32::try_from(slots.len()).unwrap_or(u32::MAX);
        }
        slots.push(identity);
    }
    (slots, places)
}

/// An interface's identity with the constants that every record shares where it has none of its own: its account,
/// VPC, Region. What belongs to one interface alone is not taken over.
fn with_constants(mut record: FlowRecord, constants: &FlowRecord) -> FlowRecord {
    if record.account_id.as_deref() == Some("unknown") && constants.account_id.is_some() {
        record.account_id = constants.account_id.clone();
    }
    record.vpc_id = record.vpc_id.take().or_else(|| constants.vpc_id.clone());
    record.region = record.region.take().or_else(|| constants.region.clone());
    if record.sublocation_type.is_none() {
        record.az_id = record.az_id.take().or_else(|| constants.az_id.clone());
    }
    record
}
