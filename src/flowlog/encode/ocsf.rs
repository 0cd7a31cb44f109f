//! Events of the Open Cybersecurity Schema Framework, version 1.1.0, class 4001 (Network Activity), one a line.
//!
//! The mapping is the one published for Amazon VPC flow logs (`ocsf/examples`, AWS VPC Flow, v1.1.0), which Security
//! Lake's version 2 source follows; `docs/formats.md` lists it. Where that leaves a choice:
//! - the endpoint's address is the packet's own, and the record's address is its intermediate address where it is
//!   another;
//! - what belongs to the recorded interface stands at the endpoint that `flow-direction` makes it, and among the
//!   unmapped values where there is no direction;
//! - every other field of the log format is unmapped, under its column name; a missing value is absent.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;

use super::RecordEncoder;
use crate::record::{Action, Field, FlowDirection, FlowRecord, LogFormat, LogStatus, RecordType, Value};

/// Fields that have a place of their own in the schema, whatever the record.
const MAPPED: &[Field] = &[
    Field::Version,
    Field::AccountId,
    Field::SrcAddr,
    Field::DstAddr,
    Field::SrcPort,
    Field::DstPort,
    Field::Protocol,
    Field::Packets,
    Field::Bytes,
    Field::Start,
    Field::End,
    Field::Action,
    Field::LogStatus,
    Field::TcpFlags,
    Field::Type,
    Field::PktSrcAddr,
    Field::PktDstAddr,
    Field::Region,
    Field::AzId,
    Field::PktSrcAwsService,
    Field::PktDstAwsService,
    Field::FlowDirection,
    Field::TrafficPath,
];

/// Fields that belong to the endpoint that is the recorded interface.
const OF_INTERFACE: &[Field] = &[Field::InterfaceId, Field::VpcId, Field::SubnetId, Field::InstanceId];

#[derive(Serialize)]
struct Event<'a> {
    metadata: Metadata,
    category_uid: u8,
    category_name: &'static str,
    class_uid: u16,
    class_name: &'static str,
    activity_id: u8,
    activity_name: &'static str,
    type_uid: u32,
    type_name: String,
    severity_id: u8,
    severity: &'static str,
    /// Milliseconds since 1970, as all times.
    time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<&'static str>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
    cloud: Cloud<'a>,
    src_endpoint: Endpoint<'a>,
    dst_endpoint: Endpoint<'a>,
    connection_info: ConnectionInfo,
    #[serde(skip_serializing_if = "Option::is_none")]
    traffic: Option<Traffic>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    unmapped: BTreeMap<&'static str, Value<'a>>,
}

#[derive(Serialize)]
struct Metadata {
    product: Product,
    profiles: [&'static str; 2],
    version: &'static str,
}

#[derive(Serialize)]
struct Product {
    name: &'static str,
    feature: Feature,
    vendor_name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

#[derive(Serialize)]
struct Feature {
    name: &'static str,
}

/// What `action` comes to in the security control profile.
#[derive(Clone, Copy, Serialize)]
struct Verdict {
    status_id: u8,
    status: &'static str,
    action_id: u8,
    action: &'static str,
    disposition_id: u8,
    disposition: &'static str,
}

#[derive(Serialize)]
struct Cloud<'a> {
    provider: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<Account<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Value<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<Value<'a>>,
}

#[derive(Serialize)]
struct Account<'a> {
    uid: Value<'a>,
}

#[derive(Serialize)]
struct Endpoint<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<Value<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<Value<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    svc_name: Option<Value<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    intermediate_ips: Option<[Value<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interface_uid: Option<Value<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vpc_uid: Option<Value<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subnet_uid: Option<Value<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_uid: Option<Value<'a>>,
}

#[derive(Serialize)]
struct ConnectionInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol_num: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol_ver_id: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol_ver: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tcp_flags: Option<u8>,
    direction_id: u8,
    direction: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    boundary_id: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    boundary: Option<&'static str>,
}

#[derive(Serialize)]
struct Traffic {
    #[serde(skip_serializing_if = "Option::is_none")]
    packets: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
}

pub(super) struct OcsfEncoder {
    format: LogFormat,
    /// The fields without a place of their own.
    unmapped: Vec<Field>,
}

impl OcsfEncoder {
    pub(super) fn new(format: &LogFormat) -> Self {
        let has_place = |field: &Field| MAPPED.contains(field) || OF_INTERFACE.contains(field);
        let unmapped = format.fields().iter().copied().filter(|field| !has_place(field)).collect();
        OcsfEncoder { format: format.clone(), unmapped }
    }

    /// A member of the record, if the log format shows its field.
    fn shown<T>(&self, field: Field, member: Option<T>) -> Option<T> {
        member.filter(|_| self.format.contains(field))
    }

    /// A field's value, if the log format shows it and the record has it.
    fn value<'a>(&self, field: Field, record: &'a FlowRecord) -> Option<Value<'a>> {
        self.shown(field, Some(self.format.value(field, record))).filter(|value| !value.is_missing())
    }

    fn endpoint<'a>(&self, record: &'a FlowRecord, is_source: bool) -> Endpoint<'a> {
        let [address, packet_address, port, service] = if is_source {
            [Field::SrcAddr, Field::PktSrcAddr, Field::SrcPort, Field::PktSrcAwsService]
        } else {
            [Field::DstAddr, Field::PktDstAddr, Field::DstPort, Field::PktDstAwsService]
        };
        let own = if is_source { FlowDirection::Egress } else { FlowDirection::Ingress };
        let is_interface = self.direction(record) == Some(own);
        let of_interface = |field| self.value(field, record).filter(|_| is_interface);
        let (address, packet_address) = (self.value(address, record), self.value(packet_address, record));
        let other = address.filter(|_| packet_address.is_some() && packet_address != address);
        Endpoint {
            ip: packet_address.or(address),
            port: self.value(port, record),
            svc_name: self.value(service, record),
            intermediate_ips: other.map(|address| [address]),
            interface_uid: of_interface(Field::InterfaceId),
            vpc_uid: of_interface(Field::VpcId),
            subnet_uid: of_interface(Field::SubnetId),
            instance_uid: of_interface(Field::InstanceId),
        }
    }

    fn direction(&self, record: &FlowRecord) -> Option<FlowDirection> {
        self.shown(Field::FlowDirection, record.flow_direction)
    }

    fn connection(&self, record: &FlowRecord) -> ConnectionInfo {
        let version = self.shown(Field::Type, record.record_type).and_then(|version| match version {
            RecordType::Ipv4 => Some((4, "Internet Protocol version 4 (IPv4)")),
            RecordType::Ipv6 => Some((6, "Internet Protocol version 6 (IPv6)")),
            RecordType::Efa => None,
        });
        let (direction_id, direction) = match self.direction(record) {
            Some(FlowDirection::Ingress) => (1, "Inbound"),
            Some(FlowDirection::Egress) => (2, "Outbound"),
            None => (0, "Unknown"),
        };
        let boundary = self.shown(Field::TrafficPath, record.traffic_path).map(boundary);
        ConnectionInfo {
            protocol_num: self.shown(Field::Protocol, record.protocol).map(|protocol| protocol.0),
            protocol_ver_id: version.map(|(id, _)| id),
            protocol_ver: version.map(|(_, name)| name),
            tcp_flags: self.shown(Field::TcpFlags, record.tcp_flags).map(|flags| flags.0),
            direction_id,
            direction,
            boundary_id: boundary.map(|(id, _)| id),
            boundary: boundary.map(|(_, name)| name),
        }
    }

    fn event<'a>(&self, record: &'a FlowRecord) -> io::Result<Event<'a>> {
        let milliseconds = |seconds: i64| {
            let too_far = || {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("time `{seconds}` is too far off for OCSF"),
                )
            };
            seconds.checked_mul(1000).ok_or_else(too_far)
        };
        let Some(time) = record.start.or(record.end) else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a record without `start` has no time, which OCSF needs",
            ));
        };
        let action = self.shown(Field::Action, record.action);
        let (activity_id, activity_name) = match action {
            Some(Action::Accept) => (6, "Traffic"),
            Some(Action::Reject) => (5, "Refuse"),
            None => (0, "Unknown"),
        };
        let mut unmapped: BTreeMap<_, _> = BTreeMap::new();
        let without_place = if self.direction(record).is_none() { OF_INTERFACE } else { &[] };
        for field in self.unmapped.iter().chain(without_place) {
            unmapped.extend(self.value(*field, record).map(|value| (field.column(), value)));
        }
        let traffic = Traffic {
            packets: self.shown(Field::Packets, record.packets),
            bytes: self.shown(Field::Bytes, record.bytes),
        };
        Ok(Event {
            metadata: Metadata {
                product: Product {
                    name: "Amazon VPC",
                    feature: Feature { name: "Flowlogs" },
                    vendor_name: "AWS",
                    version: self.value(Field::Version, record).map(|version| version.to_string()),
                },
                profiles: ["cloud", "security_control"],
                version: "1.1.0",
            },
            category_uid: 4,
            category_name: "Network Activity",
            class_uid: 4001,
            class_name: "Network Activity",
            activity_id,
            activity_name,
            type_uid: 400_100 + u32::from(activity_id),
            type_name: format!("Network Activity: {activity_name}"),
            severity_id: 1,
            severity: "Informational",
            time: milliseconds(time)?,
            start_time: self.shown(Field::Start, record.start).map(milliseconds).transpose()?,
            end_time: self.shown(Field::End, record.end).map(milliseconds).transpose()?,
            status_code: self.shown(Field::LogStatus, record.log_status).map(LogStatus::as_str),
            verdict: action.map(verdict),
            cloud: Cloud {
                provider: "AWS",
                account: self.value(Field::AccountId, record).map(|uid| Account { uid }),
                region: self.value(Field::Region, record),
                zone: self.value(Field::AzId, record),
            },
            src_endpoint: self.endpoint(record, true),
            dst_endpoint: self.endpoint(record, false),
            connection_info: self.connection(record),
            traffic: Some(traffic).filter(|traffic| traffic.packets.is_some() || traffic.bytes.is_some()),
            unmapped,
        })
    }
}

fn verdict(action: Action) -> Verdict {
    match action {
        Action::Accept => Verdict {
            status_id: 1,
            status: "Success",
            action_id: 1,
            action: "Allowed",
            disposition_id: 1,
            disposition: "Allowed",
        },
        Action::Reject => Verdict {
            status_id: 2,
            status: "Failure",
            action_id: 2,
            action: "Denied",
            disposition_id: 2,
            disposition: "Blocked",
        },
    }
}

/// OCSF's boundary of a traffic path.
fn boundary(path: u8) -> (u8, &'static str) {
    match path {
        1 => (4, "Same VPC"),
        2 => (5, "Internet/VPC Gateway"),
        3 => (6, "Virtual Private Gateway"),
        4 => (7, "Intra-region VPC"),
        5 => (8, "Inter-region VPC"),
        6 => (9, "Local Gateway"),
        7 => (10, "Gateway VPC"),
        8 => (11, "Internet Gateway"),
        _ => (99, "Other"),
    }
}

impl RecordEncoder for OcsfEncoder {
    fn begin(&mut self, _: &mut Vec<u8>) {}

    fn record(&mut self, record: &FlowRecord, out: &mut Vec<u8>) -> io::Result<()> {
        let event = self.event(record)?;
        serde_json::to_writer(&mut *out, &event)?;
        out.push(b'\n');
        Ok(())
    }
}
