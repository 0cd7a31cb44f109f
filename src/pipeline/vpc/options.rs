//! What a conversion with a VPC is asked to do.

use std::collections::HashSet;
use std::str::FromStr;
use std::sync::Arc;

use super::classes::Owner;
use crate::record::Action;
use crate::vpc::{PathEdition, Vpc};

/// Which records a log has, as in `aws ec2 create-flow-logs --traffic-type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrafficType {
    /// All of them.
    #[default]
    All,
    /// Those of accepted traffic.
    Accept,
    /// Those of rejected traffic.
    Reject,
}

impl TrafficType {
    /// Whether a record of this action is asked for; one whose action is not known only among all.
    pub(in crate::pipeline) fn wants(self, action: Option<Action>) -> bool {
        match self {
            TrafficType::All => true,
            TrafficType::Accept => action == Some(Action::Accept),
            TrafficType::Reject => action == Some(Action::Reject),
        }
    }
}

impl FromStr for TrafficType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "ALL" => Ok(TrafficType::All),
            "ACCEPT" => Ok(TrafficType::Accept),
            "REJECT" => Ok(TrafficType::Reject),
            _ => Err("expected `ALL`, `ACCEPT` or `REJECT`".to_owned()),
        }
    }
}

/// The VPC around the captures, and what is wanted of it.
#[derive(Clone, Debug)]
pub struct VpcOptions {
    /// The VPC.
    pub vpc: Arc<Vpc>,
    /// Only records of these interfaces (`eni-…`) and regional NAT gateways (`nat-…`); of all, where none is named.
    pub only: HashSet<String>,
    /// Whether packets of no known interface are skipped.
    pub known_only: bool,
    /// Whether each record says which rule decided.
    pub why: bool,
    /// Whether what AWS never logs is skipped.
    pub like_aws: bool,
    /// Whether empty windows of an interface between two with traffic have a NODATA record.
    pub nodata: bool,
    /// Which records are written.
    pub traffic_type: TrafficType,
    /// Which edition of AWS's table of traffic paths counts.
    pub path_edition: PathEdition,
}

impl VpcOptions {
    /// Everything that is recorded, with nothing left out.
    pub fn new(vpc: Arc<Vpc>) -> Self {
        VpcOptions {
            vpc,
            only: HashSet::new(),
            known_only: false,
            why: false,
            like_aws: false,
            nodata: false,
            traffic_type: TrafficType::All,
            path_edition: PathEdition::Current,
        }
    }

    /// The identifier of an interface or gateway.
    pub(super) fn id_of(&self, owner: Owner) -> Option<&str> {
        match owner {
            Owner::Interface(at) => self.vpc.interface(at).map(|interface| interface.id.as_str()),
            Owner::RegionalNat(at) => self.vpc.nat_gateway(at).map(|nat| nat.id.as_str()),
            Owner::Unknown => None,
        }
    }

    /// Whether records of this interface or gateway are asked for.
    pub(super) fn wants(&self, owner: Owner) -> bool {
        match owner {
            Owner::Unknown => self.only.is_empty() && !self.known_only,
            _ => self.only.is_empty() || self.id_of(owner).is_some_and(|id| self.only.contains(id)),
        }
    }
}
