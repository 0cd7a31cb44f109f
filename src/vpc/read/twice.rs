//! Things that are described more than once: alike they are one, unlike the first counts and both places are told.
//!
//! An order that means nothing, such as that of a group's rules, makes no difference.

use std::collections::HashSet;
use std::hash::Hash;

use super::ModelBuilder;
use crate::vpc::model::{
    FlowLog, Interface, NatGateway, NetworkAcl, Peering, Place, PrefixList, RouteTable, SecurityGroup,
    Subnet, VpcDescription, VpcModel,
};
use crate::vpc::{Problem, ProblemKind};

/// Something with an identifier, which may be described in several places.
pub(super) trait Described: Sized {
    /// The name of its kind.
    const KIND: &'static str;

    /// Where all of its kind are.
    fn all(model: &mut VpcModel) -> &mut Vec<Self>;

    fn id(&self) -> &str;

    fn place(&self) -> &Place;

    /// Whether another description says the same.
    fn is_like(&self, other: &Self) -> bool;
}

/// A list without an order; `None` where it is not known.
trait Unordered {
    fn has_same_members(&self, other: &Self) -> bool;
}

impl<T: Hash + Eq> Unordered for Vec<T> {
    fn has_same_members(&self, other: &Self) -> bool {
        self.iter().collect::<HashSet<_>>() == other.iter().collect::<HashSet<_>>()
    }
}

impl<T: Hash + Eq> Unordered for Option<Vec<T>> {
    fn has_same_members(&self, other: &Self) -> bool {
        match (self, other) {
            (Some(one), Some(other)) => one.has_same_members(other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }
}

macro_rules! described {
    ($($type:ident in $list:ident, whatever the order of [$($unordered:ident)*], the [$($left_out:ident)*];)*) => {
        $(impl Described for $type {
            const KIND: &'static str = stringify!($list);

            fn all(model: &mut VpcModel) -> &mut Vec<Self> {
                &mut model.$list
            }

            fn id(&self) -> &str {
                &self.id
            }

            fn place(&self) -> &Place {
                &self.place
            }

            fn is_like(&self, other: &Self) -> bool {
                let ordered = |thing: &Self| $type {
                    place: Place::default(),
                    $($unordered: Default::default(),)*
                    $($left_out: Default::default(),)*
                    ..thing.clone()
                };
                ordered(self) == ordered(other) $(&& self.$unordered.has_same_members(&other.$unordered))*
            }
        })*
    };
}

described! {
    VpcDescription in vpcs, whatever the order of [], the [];
    Subnet in subnets, whatever the order of [], the [];
    Interface in interfaces, whatever the order of [groups tags], the [];
    // not every description has a name
    SecurityGroup in security_groups, whatever the order of [ingress egress], the [name];
    NetworkAcl in acls, whatever the order of [subnets rules], the [];
    RouteTable in route_tables, whatever the order of [subnets routes], the [];
    PrefixList in prefix_lists, whatever the order of [cidrs], the [name];
    NatGateway in nat_gateways, whatever the order of [interfaces public_addresses], the [];
    Peering in peerings, whatever the order of [], the [];
    FlowLog in flow_logs, whatever the order of [], the [];
}

impl ModelBuilder {
    /// Adds a thing, unless it is there already.
    pub(super) fn put<T: Described>(&mut self, thing: T) {
        let all = T::all(&mut self.model);
        let at = *self.places.entry((T::KIND, thing.id().to_owned())).or_insert(all.len());
        match all.get(at) {
            Some(known) => {
                let contradiction = (!known.is_like(&thing)).then(|| contradiction(known, &thing));
                self.model.problems.extend(contradiction);
            }
            None => all.push(thing),
        }
    }
}

/// Two descriptions that are not alike.
pub(super) fn contradiction<T: Described>(first: &T, second: &T) -> Problem {
    Problem {
        kind: ProblemKind::Contradiction,
        place: second.place().clone(),
        what: format!(
            "`{}` is described twice, and not alike; the first counts: {}",
            second.id(),
            first.place()
        ),
    }
}
