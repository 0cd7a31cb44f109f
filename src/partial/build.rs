//! Rows → batches.

use std::net::IpAddr;
use std::sync::Arc;

use arrow_array::builder::{
    FixedSizeBinaryBuilder, Int64Builder, StringBuilder, UInt8Builder, UInt16Builder, UInt64Builder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::ArrowError;

use super::row::PartialRow;
use super::schema::{ADDRESS, schema};
use crate::packet::PacketDirection;

/// Gathers rows, column by column.
#[derive(Debug)]
pub struct RowBuilder {
    rows: usize,
    window_start: Int64Builder,
    srcaddr: FixedSizeBinaryBuilder,
    dstaddr: FixedSizeBinaryBuilder,
    ip_version: UInt8Builder,
    srcport: UInt16Builder,
    dstport: UInt16Builder,
    protocol: UInt8Builder,
    packets: UInt64Builder,
    bytes: UInt64Builder,
    first: Int64Builder,
    last: Int64Builder,
    tcp_flags: UInt8Builder,
    raw_tcp_flags: UInt8Builder,
    flow_direction: StringBuilder,
    icmp_type: UInt8Builder,
    icmp_code: UInt8Builder,
    observation_point: StringBuilder,
}

impl RowBuilder {
    /// An empty batch with room for so many rows.
    pub fn new(rows: usize) -> Self {
        RowBuilder {
            rows: 0,
            window_start: Int64Builder::with_capacity(rows),
            srcaddr: FixedSizeBinaryBuilder::with_capacity(rows, ADDRESS),
            dstaddr: FixedSizeBinaryBuilder::with_capacity(rows, ADDRESS),
            ip_version: UInt8Builder::with_capacity(rows),
            srcport: UInt16Builder::with_capacity(rows),
            dstport: UInt16Builder::with_capacity(rows),
            protocol: UInt8Builder::with_capacity(rows),
            packets: UInt64Builder::with_capacity(rows),
            bytes: UInt64Builder::with_capacity(rows),
            first: Int64Builder::with_capacity(rows),
            last: Int64Builder::with_capacity(rows),
            tcp_flags: UInt8Builder::with_capacity(rows),
            raw_tcp_flags: UInt8Builder::with_capacity(rows),
            flow_direction: StringBuilder::with_capacity(rows, 0),
            icmp_type: UInt8Builder::with_capacity(rows),
            icmp_code: UInt8Builder::with_capacity(rows),
            observation_point: StringBuilder::with_capacity(rows, 0),
        }
    }

    /// How many rows it holds.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Adds a row.
    ///
    /// # Errors
    /// None that a row can cause.
    pub fn push(&mut self, row: &PartialRow<'_>) -> Result<(), ArrowError> {
        let PartialRow { window_start, flow, direction, icmp, observation_point, counters } = row;
        let is_v4 = matches!((flow.srcaddr, flow.dstaddr), (IpAddr::V4(_), IpAddr::V4(_)));
        self.srcaddr.append_value(octets(flow.srcaddr))?;
        self.dstaddr.append_value(octets(flow.dstaddr))?;
        self.window_start.append_option(*window_start);
        self.ip_version.append_value(if is_v4 { 4 } else { 6 });
        self.srcport.append_value(flow.srcport);
        self.dstport.append_value(flow.dstport);
        self.protocol.append_value(flow.protocol.0);
        self.packets.append_value(counters.packets);
        self.bytes.append_value(counters.bytes);
        self.first.append_value(counters.first.nanos());
        self.last.append_value(counters.last.nanos());
        self.tcp_flags.append_value(counters.tcp_flags.0);
        self.raw_tcp_flags.append_value(counters.raw_tcp_flags.0);
        self.flow_direction.append_option(match direction {
            PacketDirection::Inbound => Some("ingress"),
            PacketDirection::Outbound => Some("egress"),
            PacketDirection::Unknown => None,
        });
        self.icmp_type.append_option(icmp.map(|icmp| icmp.icmp_type));
        self.icmp_code.append_option(icmp.map(|icmp| icmp.code));
        self.observation_point.append_option(*observation_point);
        self.rows += 1;
        Ok(())
    }

    /// The rows as a batch; the builder is empty again.
    ///
    /// # Errors
    /// None that rows can cause.
    pub fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        self.rows = 0;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.window_start.finish()),
            Arc::new(self.srcaddr.finish()),
            Arc::new(self.dstaddr.finish()),
            Arc::new(self.ip_version.finish()),
            Arc::new(self.srcport.finish()),
            Arc::new(self.dstport.finish()),
            Arc::new(self.protocol.finish()),
            Arc::new(self.packets.finish()),
            Arc::new(self.bytes.finish()),
            Arc::new(self.first.finish()),
            Arc::new(self.last.finish()),
            Arc::new(self.tcp_flags.finish()),
            Arc::new(self.raw_tcp_flags.finish()),
            Arc::new(self.flow_direction.finish()),
            Arc::new(self.icmp_type.finish()),
            Arc::new(self.icmp_code.finish()),
            Arc::new(self.observation_point.finish()),
        ];
        RecordBatch::try_new(schema(), columns)
    }
}

/// An address in 16 bytes, IPv4 as an IPv4-mapped IPv6 address.
fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}
