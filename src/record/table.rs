//! THE table of the fields: one row a field, in the order of AWS's documentation.
//!
//! Everything that depends on the list of fields is made from it: [`Field`](super::Field) and its reference,
//! [`FlowRecord`](super::FlowRecord) and the access to its values, and `docs/fields.md`. A row reads
//!
//! ```text
//! Variant member: type = "aws-name", version, ParquetType, Origin, source {
//!     meaning: "…", missing: "when it is -", values: Values::…
//! }
//! ```
//!
//! A macro that is called with a macro: `field_table!(consumer)` hands all rows to `consumer!`.

/// Page titles of the Amazon VPC User Guide.
pub(super) mod page {
    pub(in crate::record) const RECORDS: &str = "Flow log records";
    pub(in crate::record) const LIMITS: &str = "Flow log records; Flow log limitations";
    pub(in crate::record) const EXAMPLES: &str = "Flow log records; Flow log record examples";
}

/// When the ECS fields have no value.
pub(super) const NOT_ECS: &str =
    "No ECS task of your own account in `awsvpc` network mode owns the interface";

/// Codes of `ip-ranges.json` that AWS lists for the service fields.
pub(super) const AWS_SERVICES: &[&str] = &[
    "AMAZON",
    "AMAZON_APPFLOW",
    "AMAZON_CONNECT",
    "API_GATEWAY",
    "AURORA_DSQL",
    "CHIME_MEETINGS",
    "CHIME_VOICECONNECTOR",
    "CLOUD9",
    "CLOUDFRONT",
    "CLOUDFRONT_ORIGIN_FACING",
    "CODEBUILD",
    "DYNAMODB",
    "EBS",
    "EC2",
    "EC2_INSTANCE_CONNECT",
    "GLOBALACCELERATOR",
    "IVS_LOW_LATENCY",
    "IVS_REALTIME",
    "KINESIS_VIDEO_STREAMS",
    "MEDIA_PACKAGE_V2",
    "ROUTE53",
    "ROUTE53_HEALTHCHECKS",
    "ROUTE53_HEALTHCHECKS_PUBLISHING",
    "ROUTE53_RESOLVER",
    "S3",
    "WORKSPACES_GATEWAYS",
];

/// What `interface-type` and `next-hop-interface-type` can say.
pub(super) const INTERFACE_TYPES: &[(&str, &str)] = &[
    ("nat_gateway", "a NAT gateway"),
    ("network_load_balancer", "a Network Load Balancer"),
    ("regional_nat_gateway", "a regional NAT gateway"),
    ("transit_gateway", "a transit gateway attachment"),
    ("vpc_endpoint", "a VPC endpoint"),
];

/// Hands every row to the macro `consumer`.
macro_rules! field_table {
    ($consumer:ident) => { $consumer! {
Version version: u8 = "version", 2, Int32, Computed, page::RECORDS {
    meaning: "The flow log version. The default format has 2; a custom format has the highest version among its fields.",
    missing: "Never",
    values: Values::Listed(&[
        ("2", "nothing but fields of the default format"),
        ("3", "and VPC, subnet, instance, TCP flags, packet addresses"),
        ("4", "and Region, zone, sublocation"),
        ("5", "and AWS service, direction, path"),
        ("7", "and ECS; 6 is for transit gateways only"),
        ("8", "and reason of refusal"),
        ("9", "and regional NAT gateway"),
        ("10", "and encryption"),
        ("11", "and tags, interface type, next hop"),
    ])
}
AccountId account_id: Box<str> = "account-id", 2, String, Constant, page::RECORDS {
    meaning: "The AWS account that owns the interface. For interfaces that an AWS service made (VPC endpoints, load balancers) AWS may write `unknown`.",
    missing: "No account is known",
    values: Values::Described("12 digits, or `unknown`")
}
InterfaceId interface_id: Box<str> = "interface-id", 2, String, Constant, page::RECORDS {
    meaning: "The network interface whose traffic is recorded.",
    missing: "Traffic of a regional NAT gateway, which has no interface",
    values: Values::Described("`eni-` and hexadecimal digits")
}
SrcAddr srcaddr: IpAddr = "srcaddr", 2, String, Computed, page::LIMITS {
    meaning: "The source address. For outgoing traffic AWS writes the interface's own primary private address here, also where the packet has another one; `pkt-srcaddr` has the packet's.",
    missing: "NODATA and SKIPDATA",
    values: Values::Described("an IPv4 or IPv6 address")
}
DstAddr dstaddr: IpAddr = "dstaddr", 2, String, Computed, page::LIMITS {
    meaning: "The destination address. For incoming traffic AWS writes the interface's own primary private address here, also where the packet has another one; `pkt-dstaddr` has the packet's.",
    missing: "NODATA and SKIPDATA",
    values: Values::Described("an IPv4 or IPv6 address")
}
SrcPort srcport: u16 = "srcport", 2, Int32, Computed, page::EXAMPLES {
    meaning: "The source port. It stands before `dstport`.",
    missing: "NODATA and SKIPDATA; a protocol without ports, such as ICMP, has 0",
    values: Values::Range(0, 65535)
}
DstPort dstport: u16 = "dstport", 2, Int32, Computed, page::EXAMPLES {
    meaning: "The destination port. It stands after `srcport`.",
    missing: "NODATA and SKIPDATA; a protocol without ports, such as ICMP, has 0",
    values: Values::Range(0, 65535)
}
Protocol protocol: Protocol = "protocol", 2, Int32, Computed, page::RECORDS {
    meaning: "The IP protocol by its IANA number: 1 ICMP, 6 TCP, 17 UDP, 58 ICMPv6.",
    missing: "NODATA and SKIPDATA",
    values: Values::Range(0, 255)
}
Packets packets: u64 = "packets", 2, Int64, Computed, page::RECORDS {
    meaning: "How many packets of the flow passed in the interval.",
    missing: "NODATA and SKIPDATA",
    values: Values::Described("a whole number")
}
Bytes bytes: u64 = "bytes", 2, Int64, Computed, page::LIMITS {
    meaning: "How many bytes those packets had: IP header and all that follows it, without link headers and padding.",
    missing: "NODATA and SKIPDATA; traffic that VPC Block Public Access refused",
    values: Values::Described("a whole number")
}
Start start: i64 = "start", 2, Int64, Computed, page::RECORDS {
    meaning: "When the first packet of the flow in the interval was seen. In NODATA and SKIPDATA: when the interval began.",
    missing: "Never",
    values: Values::Described("Unix seconds")
}
End end: i64 = "end", 2, Int64, Computed, page::RECORDS {
    meaning: "When the last packet of the flow in the interval was seen. In NODATA and SKIPDATA: when the interval ended.",
    missing: "Never",
    values: Values::Described("Unix seconds")
}
Action action: Action = "action", 2, String, Mixed, page::RECORDS {
    meaning: "Whether the traffic was let through. It is part of what makes a flow: the accepted and the refused packets of one 5-tuple are two records.",
    missing: "NODATA and SKIPDATA",
    values: Values::Listed(&[
        ("ACCEPT", "security groups and network ACLs let it through"),
        ("REJECT", "they did not, or it came after the connection was closed"),
    ])
}
LogStatus log_status: LogStatus = "log-status", 2, String, Computed, page::RECORDS {
    meaning: "Whether the interval could be logged.",
    missing: "Never",
    values: Values::Listed(&[
        ("OK", "logged normally"),
        ("NODATA", "the interface had no traffic in the interval"),
        ("SKIPDATA", "some flows of the interval were lost to a capacity limit or an internal error; one line may stand for many"),
    ])
}
VpcId vpc_id: Box<str> = "vpc-id", 3, String, Constant, page::RECORDS {
    meaning: "The VPC that the interface is in.",
    missing: "No VPC is known",
    values: Values::Described("`vpc-` and hexadecimal digits")
}
SubnetId subnet_id: Box<str> = "subnet-id", 3, String, Constant, page::RECORDS {
    meaning: "The subnet that the interface is in.",
    missing: "Traffic of a regional NAT gateway, which is in no subnet",
    values: Values::Described("`subnet-` and hexadecimal digits")
}
InstanceId instance_id: Box<str> = "instance-id", 3, String, Constant, page::RECORDS {
    meaning: "The instance that the interface is attached to, if you own it.",
    missing: "Interfaces that an AWS service manages, such as a NAT gateway's",
    values: Values::Described("`i-` and hexadecimal digits")
}
TcpFlags tcp_flags: TcpFlags = "tcp-flags", 3, Int32, Computed, page::RECORDS {
    meaning: "The TCP flags of all packets in the interval, OR-ed. ACK counts only in a packet that also has SYN, so that data and pure acknowledgments add 0.",
    missing: "Protocols other than TCP; NODATA and SKIPDATA; a combination that AWS cannot make sense of",
    values: Values::Bits(&[("1", "FIN"), ("2", "SYN"), ("4", "RST"), ("16", "ACK, only beside SYN: a SYN-ACK is 18")])
}
Type record_type: RecordType = "type", 3, String, Computed, page::RECORDS {
    meaning: "The kind of traffic.",
    missing: "NODATA and SKIPDATA",
    values: Values::Listed(&[
        ("IPv4", "IP version 4"),
        ("IPv6", "IP version 6"),
        ("EFA", "Elastic Fabric Adapter"),
    ])
}
PktSrcAddr pkt_srcaddr: IpAddr = "pkt-srcaddr", 3, String, Computed, page::RECORDS {
    meaning: "The source address that the packets really have, where `srcaddr` may show an intermediate interface's.",
    missing: "NODATA and SKIPDATA",
    values: Values::Described("an IPv4 or IPv6 address")
}
PktDstAddr pkt_dstaddr: IpAddr = "pkt-dstaddr", 3, String, Computed, page::RECORDS {
    meaning: "The destination address that the packets really have, where `dstaddr` may show an intermediate interface's.",
    missing: "NODATA and SKIPDATA",
    values: Values::Described("an IPv4 or IPv6 address")
}
Region region: Box<str> = "region", 4, String, Constant, page::RECORDS {
    meaning: "The Region that the interface is in.",
    missing: "No Region is known",
    values: Values::Described("a Region code such as `eu-central-1`")
}
AzId az_id: Box<str> = "az-id", 4, String, Constant, page::RECORDS {
    meaning: "The Availability Zone that the interface is in, by its ID, which is the same in all accounts.",
    missing: "The interface is in a sublocation",
    values: Values::Described("a zone ID such as `apse2-az3`")
}
SublocationType sublocation_type: Box<str> = "sublocation-type", 4, String, Constant, page::RECORDS {
    meaning: "The kind of sublocation that the interface is in.",
    missing: "The interface is in no sublocation",
    values: Values::Listed(&[
        ("wavelength", "a Wavelength Zone"),
        ("outpost", "an Outpost"),
        ("localzone", "a Local Zone"),
    ])
}
SublocationId sublocation_id: Box<str> = "sublocation-id", 4, String, Constant, page::RECORDS {
    meaning: "The sublocation that the interface is in.",
    missing: "The interface is in no sublocation",
    values: Values::Described("an identifier")
}
PktSrcAwsService pkt_src_aws_service: Box<str> = "pkt-src-aws-service", 5, String, Vpc, page::RECORDS {
    meaning: "The AWS service whose published address ranges (`ip-ranges.json`) hold `pkt-srcaddr`; one code, also where the ranges of several overlap.",
    missing: "The address is no public address of an AWS service",
    values: Values::Codes(AWS_SERVICES)
}
PktDstAwsService pkt_dst_aws_service: Box<str> = "pkt-dst-aws-service", 5, String, Vpc, page::RECORDS {
    meaning: "The AWS service whose published address ranges (`ip-ranges.json`) hold `pkt-dstaddr`; one code, also where the ranges of several overlap.",
    missing: "The address is no public address of an AWS service",
    values: Values::Codes(AWS_SERVICES)
}
FlowDirection flow_direction: FlowDirection = "flow-direction", 5, String, Mixed, page::RECORDS {
    meaning: "Which way the traffic passed the interface.",
    missing: "NODATA and SKIPDATA",
    values: Values::Listed(&[
        ("ingress", "into the interface"),
        ("egress", "out of the interface"),
    ])
}
TrafficPath traffic_path: u8 = "traffic-path", 5, Int32, Vpc, page::EXAMPLES {
    meaning: "Which way outgoing traffic takes to its destination. AWS's documentation has two editions, up to 2024 and since, that differ in 1 and 6.",
    missing: "Incoming traffic; none of the listed ways",
    values: Values::Listed(&[
        ("1", "to something in the same VPC, an interface that AWS manages included; since the newer edition also through an Outpost's local gateway"),
        ("2", "through an internet gateway or a gateway VPC endpoint"),
        ("3", "through a virtual private gateway"),
        ("4", "over a VPC peering within the Region"),
        ("5", "over a VPC peering to another Region"),
        ("6", "newer edition: to a Local Zone or a Wavelength Zone; older edition: through a local gateway"),
        ("7", "through a gateway VPC endpoint, from an instance on Nitro"),
        ("8", "through an internet gateway, from an instance on Nitro"),
    ])
}
EcsClusterArn ecs_cluster_arn: Box<str> = "ecs-cluster-arn", 7, String, Constant, page::RECORDS {
    meaning: "The ARN of the ECS cluster whose task owns the interface.",
    missing: NOT_ECS,
    values: Values::Described("an ARN")
}
EcsClusterName ecs_cluster_name: Box<str> = "ecs-cluster-name", 7, String, Constant, page::RECORDS {
    meaning: "The name of the ECS cluster whose task owns the interface.",
    missing: NOT_ECS,
    values: Values::Described("a name")
}
EcsContainerInstanceArn ecs_container_instance_arn: Box<str> = "ecs-container-instance-arn", 7, String, Constant, page::RECORDS {
    meaning: "The ARN of the container instance that the task runs on.",
    missing: "The task runs on Fargate, or there is no such task",
    values: Values::Described("an ARN")
}
EcsContainerInstanceId ecs_container_instance_id: Box<str> = "ecs-container-instance-id", 7, String, Constant, page::RECORDS {
    meaning: "The ID of the container instance that the task runs on.",
    missing: "The task runs on Fargate, or there is no such task",
    values: Values::Described("an identifier")
}
EcsContainerId ecs_container_id: Box<str> = "ecs-container-id", 7, String, Constant, page::RECORDS {
    meaning: "The runtime ID of the task's first container, in the order of ECS's event stream.",
    missing: NOT_ECS,
    values: Values::Described("an identifier")
}
EcsSecondContainerId ecs_second_container_id: Box<str> = "ecs-second-container-id", 7, String, Constant, page::RECORDS {
    meaning: "The runtime ID of the task's second container, in the order of ECS's event stream.",
    missing: "The task has one container, or there is no such task",
    values: Values::Described("an identifier")
}
EcsServiceName ecs_service_name: Box<str> = "ecs-service-name", 7, String, Constant, page::RECORDS {
    meaning: "The ECS service that started the task.",
    missing: "No service started the task, or there is no such task",
    values: Values::Described("a name")
}
EcsTaskDefinitionArn ecs_task_definition_arn: Box<str> = "ecs-task-definition-arn", 7, String, Constant, page::RECORDS {
    meaning: "The ARN of the definition that the task was started from.",
    missing: NOT_ECS,
    values: Values::Described("an ARN")
}
EcsTaskArn ecs_task_arn: Box<str> = "ecs-task-arn", 7, String, Constant, page::RECORDS {
    meaning: "The ARN of the ECS task that owns the interface.",
    missing: NOT_ECS,
    values: Values::Described("an ARN")
}
EcsTaskId ecs_task_id: Box<str> = "ecs-task-id", 7, String, Constant, page::RECORDS {
    meaning: "The ID of the ECS task that owns the interface.",
    missing: NOT_ECS,
    values: Values::Described("an identifier")
}
RejectReason reject_reason: Box<str> = "reject-reason", 8, String, Unknown, page::RECORDS {
    meaning: "Why traffic was refused, where neither a security group nor a network ACL was the reason.",
    missing: "Any other reason, security groups and network ACLs included; accepted traffic",
    values: Values::Listed(&[
        ("BPA", "VPC Block Public Access"),
        ("EC", "a VPC endpoint refused it because of the VPC's encryption controls"),
    ])
}
ResourceId resource_id: Box<str> = "resource-id", 9, String, Constant, page::RECORDS {
    meaning: "The regional NAT gateway whose traffic is recorded.",
    missing: "Anything but a regional NAT gateway",
    values: Values::Described("`nat-` and hexadecimal digits")
}
EncryptionStatus encryption_status: u8 = "encryption-status", 10, Int32, Unknown, page::RECORDS {
    meaning: "How the traffic was encrypted. AWS judges encryption by the application by port and peer, not by content.",
    missing: "The VPC has no encryption controls, or the status is not known",
    values: Values::Listed(&[
        ("0", "not encrypted"),
        ("1", "encrypted by the Nitro system"),
        ("2", "encrypted by the application: TCP port 443 to an interface or gateway endpoint, or a Redshift endpoint"),
        ("3", "both"),
    ])
}
InstanceTag instance_tag: Box<str> = "instance-tag", 11, String, Constant, page::RECORDS {
    meaning: "The value of the first tag chosen for instances, special characters percent-encoded.",
    missing: "The instance has no such tag, another account owns it, or no tag was chosen",
    values: Values::Described("a percent-encoded tag value")
}
InstanceTag2 instance_tag_2: Box<str> = "instance-tag-2", 11, String, Constant, page::RECORDS {
    meaning: "The value of the second tag chosen for instances, special characters percent-encoded.",
    missing: "The instance has no such tag, another account owns it, or no second tag was chosen",
    values: Values::Described("a percent-encoded tag value")
}
InterfaceTag interface_tag: Box<str> = "interface-tag", 11, String, Constant, page::RECORDS {
    meaning: "The value of the first tag chosen for network interfaces, special characters percent-encoded.",
    missing: "The interface has no such tag, another account owns it, or no tag was chosen",
    values: Values::Described("a percent-encoded tag value")
}
InterfaceTag2 interface_tag_2: Box<str> = "interface-tag-2", 11, String, Constant, page::RECORDS {
    meaning: "The value of the second tag chosen for network interfaces, special characters percent-encoded.",
    missing: "The interface has no such tag, another account owns it, or no second tag was chosen",
    values: Values::Described("a percent-encoded tag value")
}
AsgTag asg_tag: Box<str> = "asg-tag", 11, String, Constant, page::RECORDS {
    meaning: "The value of the first tag chosen for Auto Scaling groups, special characters percent-encoded.",
    missing: "The instance is in no group with such a tag, or no tag was chosen",
    values: Values::Described("a percent-encoded tag value")
}
AsgTag2 asg_tag_2: Box<str> = "asg-tag-2", 11, String, Constant, page::RECORDS {
    meaning: "The value of the second tag chosen for Auto Scaling groups, special characters percent-encoded.",
    missing: "The instance is in no group with such a tag, or no second tag was chosen",
    values: Values::Described("a percent-encoded tag value")
}
InterfaceType interface_type: Box<str> = "interface-type", 11, String, Constant, page::RECORDS {
    meaning: "The AWS service that the interface belongs to.",
    missing: "An ordinary interface, or one of a service that is not listed",
    values: Values::Listed(INTERFACE_TYPES)
}
NextHopInterfaceId next_hop_interface_id: Box<str> = "next-hop-interface-id", 11, String, Vpc, page::RECORDS {
    meaning: "The interface at the other end of this hop: the one that receives outgoing traffic, or sent incoming traffic. With a middlebox between, the middlebox's.",
    missing: "The next hop has no interface (an internet gateway), is in another account or Region, or the traffic comes in from a transit gateway or a Network Load Balancer",
    values: Values::Described("`eni-` and hexadecimal digits")
}
NextHopSubnetId next_hop_subnet_id: Box<str> = "next-hop-subnet-id", 11, String, Vpc, page::RECORDS {
    meaning: "The subnet of the next hop's interface.",
    missing: "As `next-hop-interface-id`",
    values: Values::Described("`subnet-` and hexadecimal digits")
}
NextHopAzId next_hop_az_id: Box<str> = "next-hop-az-id", 11, String, Vpc, page::RECORDS {
    meaning: "The Availability Zone of the next hop's interface, by its ID.",
    missing: "As `next-hop-interface-id`, except that a zone is also shown where another account owns the interface",
    values: Values::Described("a zone ID such as `apse2-az3`")
}
NextHopVpcId next_hop_vpc_id: Box<str> = "next-hop-vpc-id", 11, String, Vpc, page::RECORDS {
    meaning: "The VPC of the next hop's interface.",
    missing: "As `next-hop-interface-id`",
    values: Values::Described("`vpc-` and hexadecimal digits")
}
NextHopInterfaceType next_hop_interface_type: Box<str> = "next-hop-interface-type", 11, String, Vpc, page::RECORDS {
    meaning: "The AWS service that the next hop's interface belongs to.",
    missing: "As `next-hop-interface-id`; an ordinary interface",
    values: Values::Listed(INTERFACE_TYPES)
}
    } };
}

pub(super) use field_table;
