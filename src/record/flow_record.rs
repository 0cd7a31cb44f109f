//! One flow log record, with a typed value for every field.

use std::net::IpAddr;

use crate::flow::{FlowCounters, FlowKey};
use crate::packet::{Protocol, TcpFlags};

use super::table::field_table;
use super::{Action, Field, FlowDirection, LogStatus, Origin, RecordType};

macro_rules! define_record {
    ($(
        $variant:ident $member:ident : $type:ty = $name:literal, $version:literal, $parquet:ident, $origin:ident,
        $source:path {
            meaning: $meaning:literal,
            missing: $missing:expr,
            values: $values:expr
        }
    )*) => {
        /// One flow log record: a typed value for every field, `None` where it prints `-`.
        ///
        /// It is made to be used again: set what is constant for an interface once, then overwrite what differs
        /// from flow to flow with [`set_flow`](FlowRecord::set_flow), which allocates nothing. It is large
        /// (hundreds of bytes), so hand it on by reference.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
        pub struct FlowRecord {
            $(
                #[doc = concat!("`", $name, "`: ", $meaning)]
                pub $member: Option<$type>,
            )*
        }
    };
}

field_table!(define_record);

impl FlowRecord {
    /// Overwrites what the packets of one flow in one window say: addresses (also the packet's), ports,
    /// protocol, counters, times, `tcp-flags` (TCP only), `type` and `log-status` `OK`.
    ///
    /// Everything else stays, `action` and `flow-direction` included.
    #[inline]
    pub fn set_flow(&mut self, flow: &FlowKey, counters: &FlowCounters) {
        self.srcaddr = Some(flow.srcaddr);
        self.dstaddr = Some(flow.dstaddr);
        self.srcport = Some(flow.srcport);
        self.dstport = Some(flow.dstport);
        self.protocol = Some(flow.protocol);
        self.packets = Some(counters.packets);
        self.bytes = Some(counters.bytes);
        self.start = Some(counters.first.seconds());
        self.end = Some(counters.last.seconds());
        self.log_status = Some(LogStatus::Ok);
        self.tcp_flags = (flow.protocol == Protocol::TCP).then_some(counters.tcp_flags);
        self.record_type = Some(RecordType::from(flow.srcaddr));
        self.pkt_srcaddr = Some(flow.srcaddr);
        self.pkt_dstaddr = Some(flow.dstaddr);
    }

    /// The record that says that the same interface has no record for a window: its constants, the status, and
    /// the window's bounds in Unix seconds. Everything about traffic is missing, the action included.
    pub fn without_data(&self, status: LogStatus, start: i64, end: i64) -> FlowRecord {
        let mut record = self.clone();
        for field in Field::ALL {
            if field != Field::Version && field.origin() != Origin::Constant {
                field.clear(&mut record);
            }
        }
        record.action = None;
        record.flow_direction = None;
        record.start = Some(start);
        record.end = Some(end);
        record.log_status = Some(status);
        record
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Timestamp;

    #[test]
    fn a_template_is_filled_flow_by_flow() {
        let mut record = FlowRecord { action: Some(Action::Accept), ..FlowRecord::default() };
        Field::AccountId.set(&mut record, "123456789012").unwrap();
        Field::FlowDirection.set(&mut record, "egress").unwrap();
        let mut flow = FlowKey {
            srcaddr: "10.0.0.1".parse().unwrap(),
            dstaddr: "10.0.0.2".parse().unwrap(),
            protocol: Protocol::TCP,
            srcport: 443,
            dstport: 12345,
        };
        let mut counters = FlowCounters::EMPTY;
        counters.count(Timestamp::from_nanos(-1), 60, TcpFlags::SYN);
        record.set_flow(&flow, &counters);
        assert_eq!((record.packets, record.bytes), (Some(1), Some(60)));
        assert_eq!((record.start, record.end), (Some(-1), Some(-1)));
        assert_eq!((record.srcport, record.dstport), (Some(443), Some(12345)));
        assert_eq!(record.tcp_flags, Some(TcpFlags::SYN));
        assert_eq!(record.record_type, Some(RecordType::Ipv4));
        assert_eq!(record.pkt_dstaddr, Some(flow.dstaddr));

        flow.protocol = Protocol::UDP;
        flow.srcaddr = "2001:db8::1".parse().unwrap();
        record.set_flow(&flow, &counters);
        assert_eq!(record.tcp_flags, None);
        assert_eq!(record.record_type, Some(RecordType::Ipv6));
        assert_eq!(record.account_id.as_deref(), Some("123456789012"));
        assert_eq!(record.flow_direction, Some(FlowDirection::Egress));

        let empty = record.without_data(LogStatus::NoData, -60, 0);
        let mut expected = FlowRecord {
            account_id: record.account_id.clone(),
            start: Some(-60),
            end: Some(0),
            log_status: Some(LogStatus::NoData),
            ..FlowRecord::default()
        };
        assert_eq!(empty, expected);
        expected.version = Some(2);
        record.version = Some(2);
        assert_eq!(record.without_data(LogStatus::NoData, -60, 0), expected);
    }
}
