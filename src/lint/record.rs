//! The values of one record against each other.

use std::net::IpAddr;

use crate::flow::{FlowKey, UnloggedTraffic};
use crate::packet::{Protocol, TcpFlags};
use crate::record::{Action, Field, FlowDirection, FlowRecord, LogStatus, RecordType, Value, shown};

use super::Rule;
use super::columns::bit;
use super::linter::Report;
use super::value::MILLISECONDS;

/// Until here custom formats said version 3, whatever fields they had (AWS "Flow log records", editions up to June 2020).
const VERSIONS_COUNT: i64 = 1_593_561_600;

/// The most bytes behind an IP header's length field, and what IPv6 does not count in it.
const MOST: u64 = 65_535;
const IPV6_HEADER: u64 = 40;
const IPV4_HEADER: u64 = 20;

/// Fields that are `-` where an interval has no record.
const OF_TRAFFIC: [Field; 17] = [
    Field::SrcAddr,
    Field::DstAddr,
    Field::SrcPort,
    Field::DstPort,
    Field::Protocol,
    Field::Packets,
    Field::Bytes,
    Field::Action,
    Field::TcpFlags,
    Field::Type,
    Field::PktSrcAddr,
    Field::PktDstAddr,
    Field::PktSrcAwsService,
    Field::PktDstAwsService,
    Field::FlowDirection,
    Field::TrafficPath,
    Field::RejectReason,
];

/// What stands between the rules and a record: fields whose value was not understood.
#[derive(Clone, Copy, Default)]
pub(super) struct NotUnderstood(pub(super) u64);

impl NotUnderstood {
    pub(super) fn has(self, field: Field) -> bool {
        self.0 & bit(field) != 0
    }
}

/// Says what cannot be true of a record.
pub(super) fn judge(report: &mut Report<'_>, record: &FlowRecord, bad: NotUnderstood) {
    let judge = Judge { record, bad };
    judge.version(report);
    judge.times(report);
    judge.needs(report, &[Field::LogStatus]);
    match record.log_status {
        Some(LogStatus::NoData | LogStatus::SkipData) => judge.without_data(report),
        Some(LogStatus::Ok) => judge.traffic(report),
        // a record without data, if the log does not say what it is
        None if OF_TRAFFIC.iter().all(|field| field.get(record).is_missing()) => {}
        None => judge.traffic(report),
    }
}

struct Judge<'a> {
    record: &'a FlowRecord,
    bad: NotUnderstood,
}

impl Judge<'_> {
    fn version(&self, report: &mut Report<'_>) {
        self.needs(report, &[Field::Version]);
        let columns = report.columns;
        let (Some(said), Some(expected)) = (self.record.version, columns.version) else { return };
        let is_old =
            said == 3 && expected == 2 && self.record.start.is_some_and(|start| start < VERSIONS_COUNT);
        // a field that is not known may be newer
        let may_be_newer = said > expected && columns.has_unknown();
        if said != expected && !is_old && !may_be_newer {
            report.of(Rule::VersionMismatch, Field::Version, || {
                let reason = match columns.of_transit_gateway {
                    true => "as in all records of transit gateways",
                    false => "the highest version among the fields",
                };
                format!("`version` is {said}, expected {expected}, {reason}")
            });
        }
    }

    /// Says which of these fields the record must have and does not.
    fn needs(&self, report: &mut Report<'_>, fields: &[Field]) {
        for field in fields {
            let is_missing = field.get(self.record).is_missing() && !self.bad.has(*field);
            if is_missing && report.columns.has(*field) {
                report.of(Rule::MissingValue, *field, || format!("`{field}` is `-`, expected a value"));
            }
        }
    }

    fn times(&self, report: &mut Report<'_>) {
        self.needs(report, &[Field::Start, Field::End]);
        let (Some(start), Some(end)) = (self.record.start, self.record.end) else { return };
        // of times in other units that is said, and the rest follows from it
        if start >= MILLISECONDS || end >= MILLISECONDS {
            return;
        }
        let interval = report.options.max_aggregation_interval;
        if end < start {
            report
                .of(Rule::EndBeforeStart, Field::End, || format!("`end` {end} comes before `start` {start}"));
        } else if end.abs_diff(start) > interval {
            report.of(Rule::LongInterval, Field::End, || {
                format!("the record spans {} seconds, expected at most {interval}", end.abs_diff(start))
            });
        }
    }

    fn without_data(&self, report: &mut Report<'_>) {
        let mut has = OF_TRAFFIC.iter().filter(|field| !field.get(self.record).is_missing());
        let Some(first) = has.next() else { return };
        let others = has.count();
        let status = self.record.log_status.map_or("", LogStatus::as_str);
        report.of(Rule::DataInNodata, *first, || {
            let value = shown(&first.get(self.record).to_string());
            let more =
                if others > 0 { format!(", and {others} more fields have values") } else { String::new() };
            format!("`{first}` is `{value}` in a {status} record, expected `-`{more}")
        });
    }

    fn traffic(&self, report: &mut Report<'_>) {
        self.needs(report, &[Field::SrcAddr, Field::DstAddr, Field::Protocol, Field::Packets, Field::Action]);
        let record = self.record;
        if record.action != Some(Action::Reject) {
            self.needs(report, &[Field::Bytes]);
        }
        if record.protocol.is_none_or(Protocol::has_ports) {
            self.needs(report, &[Field::SrcPort, Field::DstPort]);
        }
        self.families(report);
        self.ports(report);
        self.counters(report);
        self.flags(report);
        if record.flow_direction == Some(FlowDirection::Ingress)
            && let Some(path) = record.traffic_path
        {
            report.of(Rule::PathOfIngress, Field::TrafficPath, || {
                format!("`traffic-path` is {path} of incoming traffic, expected `-`")
            });
        }
        if record.action == Some(Action::Accept)
            && let Value::Text(reason) = Field::RejectReason.get(record)
        {
            report.of(Rule::ReasonWithoutReject, Field::RejectReason, || {
                format!("`reject-reason` is `{}` of accepted traffic, expected `-`", shown(reason))
            });
        }
        if let Some(flow) = flow(record)
            && let Some(unlogged) = UnloggedTraffic::default().of(&flow)
        {
            report.of(Rule::NeverLogged, Field::DstAddr, || {
                format!("the record is of {}, which AWS never logs", unlogged.meaning())
            });
        }
    }

    fn families(&self, report: &mut Report<'_>) {
        let record = self.record;
        for (src, dst, field) in [
            (record.srcaddr, record.dstaddr, Field::DstAddr),
            (record.pkt_srcaddr, record.pkt_dstaddr, Field::PktDstAddr),
        ] {
            if let (Some(src), Some(dst)) = (src, dst)
                && src.is_ipv4() != dst.is_ipv4()
            {
                report.of(Rule::MixedFamilies, field, || {
                    format!("`{src}` and `{dst}` are of two families, expected both IPv4 or both IPv6")
                });
            }
        }
        let Some(address) = record.srcaddr else { return };
        let kind = RecordType::from(address);
        if let Some(said) = record.record_type
            && said != kind
            && said != RecordType::Efa
        {
            report.of(Rule::MixedFamilies, Field::Type, || {
                format!("`type` is `{said}` beside the address `{address}`, expected `{kind}`")
            });
        }
        let (wrong, right) = match address {
            IpAddr::V4(_) => (Protocol::ICMPV6, Protocol::ICMP),
            IpAddr::V6(_) => (Protocol::ICMP, Protocol::ICMPV6),
        };
        if record.protocol == Some(wrong) {
            report.of(Rule::IcmpFamily, Field::Protocol, || {
                format!("`protocol` is {} beside the address `{address}`, expected {}", wrong.0, right.0)
            });
        }
    }

    fn ports(&self, report: &mut Report<'_>) {
        let record = self.record;
        let Some(protocol) = record.protocol else { return };
        // DCCP and UDP-Lite have ports too, whatever is counted under them
        let has_ports = protocol.has_ports() || matches!(protocol.0, 33 | 136);
        for (port, field) in [(record.srcport, Field::SrcPort), (record.dstport, Field::DstPort)] {
            match port {
                Some(port @ 1..) if !has_ports => report.of(Rule::UnexpectedPorts, field, || {
                    format!("`{field}` is {port} of protocol {}, which has no ports, expected 0", protocol.0)
                }),
                Some(0) if protocol == Protocol::TCP || protocol == Protocol::UDP => {
                    report.of(Rule::PortZero, field, || {
                        format!(
                            "`{field}` is 0 of protocol {}; only later fragments have no port",
                            protocol.0
                        )
                    });
                }
                _ => {}
            }
        }
    }

    fn counters(&self, report: &mut Report<'_>) {
        let record = self.record;
        let Some(packets) = record.packets else { return };
        if packets == 0 {
            report.of(Rule::ZeroPackets, Field::Packets, || {
                "`packets` is 0, expected at least 1 in a record of traffic".to_owned()
            });
            return;
        }
        let Some(bytes) = record.bytes.filter(|_| record.record_type != Some(RecordType::Efa)) else {
            return;
        };
        let is_ipv6 = match record.srcaddr {
            Some(address) => address.is_ipv6(),
            None => record.record_type == Some(RecordType::Ipv6),
        };
        let (least, most, family) = match is_ipv6 {
            true => (IPV6_HEADER, MOST + IPV6_HEADER, "IPv6"),
            false => (IPV4_HEADER, MOST, "IPv4"),
        };
        let (least, most) = (packets.saturating_mul(least), packets.saturating_mul(most));
        let packets = if packets == 1 { "1 packet".to_owned() } else { format!("{packets} packets") };
        if bytes < least {
            report.of(Rule::TooFewBytes, Field::Bytes, || {
                format!("`bytes` is {bytes}, expected at least {least}, the {family} headers of {packets}")
            });
        } else if bytes > most {
            report.of(Rule::TooManyBytes, Field::Bytes, || {
                format!("`bytes` is {bytes}, expected at most {most}, which {packets} of {family} can have")
            });
        }
    }

    fn flags(&self, report: &mut Report<'_>) {
        let record = self.record;
        let Some(flags) = record.tcp_flags else { return };
        if let Some(protocol) = record.protocol.filter(|protocol| *protocol != Protocol::TCP) {
            if flags != TcpFlags::default() {
                report.of(Rule::FlagsWithoutTcp, Field::TcpFlags, || {
                    format!("`tcp-flags` is {} of protocol {}, expected `-`", flags.0, protocol.0)
                });
            }
            return;
        }
        // the ACK bit of a SYN-ACK makes both bits possible in the OR of all packets
        let logged = flags.as_logged();
        let possible = if report.columns.of_transit_gateway { TcpFlags(flags.0 & 0x3f) } else { logged };
        if flags != possible {
            report.of(Rule::ImpossibleFlags, Field::TcpFlags, || {
                format!("`tcp-flags` is {}, expected a sum of 1, 2, 4 and, beside 2, 16", flags.0)
            });
        }
    }
}

/// The flow that a record names; ports and protocol are 0 where it lacks them.
pub(super) fn flow(record: &FlowRecord) -> Option<FlowKey> {
    Some(FlowKey {
        srcaddr: record.srcaddr?,
        dstaddr: record.dstaddr?,
        protocol: record.protocol.unwrap_or(Protocol(0)),
        srcport: record.srcport.unwrap_or(0),
        dstport: record.dstport.unwrap_or(0),
    })
}
