//! The VPC around a capture: whose interface it was, whether a packet passed, where it went next.
//!
//! ```text
//!  JSON of the AWS CLI, TOML ──► ModelBuilder ──► VpcModel ──► Vpc ──► identity, routes, services
//!                                (errors with      (plain     (looked    security groups, network ACLs
//!                                 file and path)    data)       up once)
//!                                                                            │
//!                                                  Connection ◄──────────────┘  one interface's memory of a connection
//! ```
//!
//! Pure: text in, answers out. [`ModelBuilder`] reads descriptions, [`VpcModel`] is what they say and what is missing
//! from them, [`Vpc`] answers. [`Vpc::judge`] puts a packet to everything that it passes in the right order. What
//! cannot be decided is [`Answer::Unknown`] and prints `-`.

mod acl;
mod connection;
mod error;
mod identity;
mod judge;
mod lookup;
mod missing;
mod model;
mod ranges;
mod read;
mod routes;
mod rules;
mod security;
mod services;
mod special;
mod trace;
mod why;
mod words;
mod write;

pub use acl::AclAnswer;
pub use connection::{Connection, Question, Timeouts, Verdict};
pub use error::{Problem, ProblemKind, VpcError};
pub use identity::Peer;
pub use judge::{Asked, Moment, Sight};
pub use lookup::Vpc;
pub use model::{
    FlowLog, Interface, NatGateway, NetworkAcl, Peering, Place, PrefixList, Route as RouteDescription,
    RouteDestination, RouteTable, RouteTarget, SecurityGroup, ServiceRange, Subnet, TrackingTimeouts,
    VpcDescription, VpcModel,
};
pub use read::{ModelBuilder, TOML_WORDS};
pub use routes::{PathEdition, Route};
pub use rules::{AclRule, Peer as RulePeer, Ports, RuleError, SecurityRule};
pub use security::GroupAnswer;
pub use special::Special;
pub use trace::{Passage, Trace};
pub use why::{RuleRef, Why};
pub use words::{Answer, InterfaceIndex, Mac, ParseMacError, Traffic};
