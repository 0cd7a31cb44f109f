//! The VPC as its descriptions say it: plain data, names not yet looked up.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use super::rules::{AclRule, SecurityRule};
use super::{Mac, Problem};
use crate::record::{Field, LogFormat};

/// Everything that was read, in the order in which it was read.
#[derive(Clone, Debug, Default)]
pub struct VpcModel {
    /// `describe-vpcs`.
    pub vpcs: Vec<VpcDescription>,
    /// `describe-subnets`.
    pub subnets: Vec<Subnet>,
    /// `describe-network-interfaces`.
    pub interfaces: Vec<Interface>,
    /// `describe-security-groups` and `describe-security-group-rules`.
    pub security_groups: Vec<SecurityGroup>,
    /// `describe-network-acls`.
    pub acls: Vec<NetworkAcl>,
    /// `describe-route-tables`.
    pub route_tables: Vec<RouteTable>,
    /// `describe-prefix-lists` and `get-managed-prefix-list-entries`.
    pub prefix_lists: Vec<PrefixList>,
    /// `describe-nat-gateways`.
    pub nat_gateways: Vec<NatGateway>,
    /// `describe-vpc-peering-connections`.
    pub peerings: Vec<Peering>,
    /// `describe-flow-logs`.
    pub flow_logs: Vec<FlowLog>,
    /// `ip-ranges.json`.
    pub service_ranges: Vec<ServiceRange>,
    /// What is missing from it or contradicts itself.
    pub problems: Vec<Problem>,
}

impl VpcModel {
    /// What things are called that are described here: identifiers, names, instances and accounts.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let interfaces = self.interfaces.iter().flat_map(|interface| {
            [Some(&interface.id), interface.instance.as_ref(), interface.account.as_ref()]
        });
        let lists = self.prefix_lists.iter().flat_map(|list| [Some(&list.id), list.name.as_ref()]);
        let groups = self.security_groups.iter().flat_map(|group| [Some(&group.id), group.name.as_ref()]);
        let vpcs = self.vpcs.iter().flat_map(|vpc| [Some(&vpc.id), vpc.account.as_ref()]);
        let others = (self.subnets.iter().map(|subnet| &subnet.id))
            .chain(self.acls.iter().map(|acl| &acl.id))
            .chain(self.route_tables.iter().map(|table| &table.id))
            .chain(self.nat_gateways.iter().map(|gateway| &gateway.id))
            .chain(self.peerings.iter().map(|peering| &peering.id));
        let named = interfaces.chain(lists).chain(groups).chain(vpcs).flatten();
        named.chain(others).map(String::as_str)
    }
}

/// Where something was described: the file and the path in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was named.
    pub file: String,
    /// The path in it, such as `SecurityGroups[0].IpPermissions[1]`.
    pub path: String,
}

/// The file, and the path in it: `` `groups.json`, SecurityGroups[0] ``.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.file)?;
        if self.path.is_empty() { Ok(()) } else { write!(f, ", {}", self.path) }
    }
}

/// One VPC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VpcDescription {
    /// `vpc-…`.
    pub id: String,
    /// Its address ranges, the primary IPv4 range first.
    pub cidrs: Vec<IpNet>,
    /// The account that owns it.
    pub account: Option<String>,
    /// Where it was described.
    pub place: Place,
}

/// One subnet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subnet {
    /// `subnet-…`.
    pub id: String,
    /// The VPC that it is in.
    pub vpc: Option<String>,
    /// Its address ranges.
    pub cidrs: Vec<IpNet>,
    /// The Availability Zone's ID, `apse2-az3`.
    pub az_id: Option<String>,
    /// The Availability Zone's name, `ap-southeast-2a`.
    pub az_name: Option<String>,
    /// The Region.
    pub region: Option<String>,
    /// The Outpost that it is on, `op-…`.
    pub outpost: Option<String>,
    /// The account that owns it.
    pub account: Option<String>,
    /// Where it was described.
    pub place: Place,
}

/// Idle timeouts of connection tracking that an interface sets, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrackingTimeouts {
    /// Of established TCP connections: 60 to 432,000.
    pub tcp_established: Option<u32>,
    /// Of UDP flows with one exchange or none: 30 to 60.
    pub udp: Option<u32>,
    /// Of UDP flows with more exchanges: 60 to 180.
    pub udp_stream: Option<u32>,
}

/// One network interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// `eni-…`.
    pub id: String,
    /// The account that owns it.
    pub account: Option<String>,
    /// The VPC that it is in.
    pub vpc: Option<String>,
    /// The subnet that it is in.
    pub subnet: Option<String>,
    /// The instance that it is attached to.
    pub instance: Option<String>,
    /// Its MAC address.
    pub mac: Option<Mac>,
    /// Its private addresses, the primary IPv4 address first.
    pub addresses: Vec<IpAddr>,
    /// Private addresses and the public ones (Elastic IP addresses) that they are translated into.
    pub public_addresses: Vec<(IpAddr, IpAddr)>,
    /// Prefixes delegated to it.
    pub prefixes: Vec<IpNet>,
    /// The security groups that it has.
    pub groups: Vec<String>,
    /// The API's word for its kind: `interface`, `nat_gateway`, …
    pub kind: String,
    /// The Availability Zone's ID.
    pub az_id: Option<String>,
    /// The Availability Zone's name.
    pub az_name: Option<String>,
    /// The Region.
    pub region: Option<String>,
    /// Tags: key and value.
    pub tags: Vec<(String, String)>,
    /// Idle timeouts of connection tracking that are not the defaults.
    pub timeouts: TrackingTimeouts,
    /// Whether it is on the Nitro system; only the TOML can say that it is not.
    pub nitro: Option<bool>,
    /// Values that the TOML gives for fields which nothing else tells.
    pub fields: Vec<(Field, String)>,
    /// Where it was described.
    pub place: Place,
}

/// One security group: what it allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecurityGroup {
    /// `sg-…`.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// The VPC that it is in.
    pub vpc: Option<String>,
    /// What may come in; `None` where that is not described.
    pub ingress: Option<Vec<SecurityRule>>,
    /// What may go out; `None` where that is not described.
    pub egress: Option<Vec<SecurityRule>>,
    /// Where it was described.
    pub place: Place,
}

/// One network ACL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkAcl {
    /// `acl-…`.
    pub id: String,
    /// The VPC that it is in.
    pub vpc: Option<String>,
    /// Whether it is the one of subnets without another.
    pub is_default: bool,
    /// The subnets that it stands before.
    pub subnets: Vec<String>,
    /// Its rules, in the order in which they are described.
    pub rules: Vec<AclRule>,
    /// Where it was described.
    pub place: Place,
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RouteTarget {
    /// Within the VPC.
    Local,
    /// An internet gateway.
    InternetGateway(String),
    /// A virtual private gateway.
    VirtualPrivateGateway(String),
    /// A gateway VPC endpoint (the destination is a prefix list) or a Gateway Load Balancer endpoint (it is a range).
    Endpoint(String),
    /// A NAT gateway.
    NatGateway(String),
    /// A transit gateway.
    TransitGateway(String),
    /// A VPC peering connection.
    Peering(String),
    /// A network interface.
    Interface(String),
    /// An egress-only internet gateway.
    EgressOnlyInternetGateway(String),
    /// An Outpost's local gateway.
    LocalGateway(String),
    /// A Wavelength Zone's carrier gateway.
    CarrierGateway(String),
    /// Something else.
    Other(String),
}

/// What a route is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RouteDestination {
    /// A range.
    Cidr(IpNet),
    /// The ranges of a prefix list.
    PrefixList(String),
}

/// One route.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Route {
    /// What it is for.
    pub destination: RouteDestination,
    /// Where it leads.
    pub target: RouteTarget,
    /// Whether what it leads to is gone: packets are dropped.
    pub blackhole: bool,
    /// Whether a virtual private gateway put it there by itself; of two routes for one range the other goes before it.
    pub propagated: bool,
}

/// One route table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteTable {
    /// `rtb-…`.
    pub id: String,
    /// The VPC that it is in.
    pub vpc: Option<String>,
    /// Whether it is the one of subnets without another.
    pub is_main: bool,
    /// The subnets that have it.
    pub subnets: Vec<String>,
    /// Its routes.
    pub routes: Vec<Route>,
    /// Where it was described.
    pub place: Place,
}

/// One prefix list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrefixList {
    /// `pl-…`.
    pub id: String,
    /// Its name, `com.amazonaws.eu-central-1.s3`.
    pub name: Option<String>,
    /// Its ranges; `None` where only its name is known.
    pub cidrs: Option<Vec<IpNet>>,
    /// Where it was described.
    pub place: Place,
}

/// One NAT gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NatGateway {
    /// `nat-…`.
    pub id: String,
    /// The VPC that it is in.
    pub vpc: Option<String>,
    /// The account that owns it.
    pub account: Option<String>,
    /// Its interfaces; a regional one has none.
    pub interfaces: Vec<String>,
    /// Its public addresses.
    pub public_addresses: Vec<IpAddr>,
    /// Whether it is regional.
    pub is_regional: bool,
    /// The Region.
    pub region: Option<String>,
    /// Where it was described.
    pub place: Place,
}

/// One VPC peering connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peering {
    /// `pcx-…`.
    pub id: String,
    /// The Regions of the two sides.
    pub regions: [Option<String>; 2],
    /// Where it was described.
    pub place: Place,
}

/// One flow log's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowLog {
    /// `fl-…`.
    pub id: String,
    /// What it logs: an interface, a subnet, a VPC, or a NAT gateway.
    pub resource: Option<String>,
    /// Its fields; `None` for the default ones.
    pub format: Option<LogFormat>,
    /// 60 or 600 seconds.
    pub interval: Option<u32>,
    /// `ALL`, `ACCEPT` or `REJECT`.
    pub traffic_type: Option<String>,
    /// Which tags the tag fields show: the resource type (`network-interface`) and its keys.
    pub tag_fields: Vec<(String, Vec<String>)>,
    /// Where it was described.
    pub place: Place,
}

/// One range of AWS's public addresses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServiceRange {
    /// The range.
    pub cidr: IpNet,
    /// The service's code, `S3`.
    pub service: String,
}
