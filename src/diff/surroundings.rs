//! What a description of the VPC says of the traffic that is compared.

use std::fmt;
use std::net::IpAddr;

use crate::flow::FlowKey;
use crate::record::Action;

/// The VPC around the traffic, as far as a comparison asks about it. What it does not know is `None` or no.
pub trait Surroundings: fmt::Debug + Send + Sync {
    /// The identifiers of the two interfaces that a flow passes, where both its ends are interfaces of the VPC.
    fn both_ends(&self, flow: &FlowKey) -> Option<[String; 2]>;

    /// What the rules say to a flow: at this interface, else where it is refused, else at the last that it passes.
    fn ruling(&self, flow: &FlowKey, interface: Option<&str>) -> Option<Ruling>;

    /// The identifier of the NAT gateway or interface that translates one of these addresses into the other.
    fn translator(&self, one: IpAddr, other: IpAddr) -> Option<String>;

    /// Whether one interface has both addresses, and the first is its primary IPv4 address.
    fn is_primary_of(&self, primary: IpAddr, other: IpAddr) -> bool;
}

/// What the rules say to the first packet of a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The identifier of the interface.
    pub interface: String,
    /// Whether it passes.
    pub action: Action,
    /// The rule that decides, in words.
    pub rule: String,
    /// Whether it would pass as the reply to a flow that the other end began.
    pub passes_as_reply: bool,
}
