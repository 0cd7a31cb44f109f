//! Batches → rows, each of them checked.

use std::net::{IpAddr, Ipv6Addr};

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Int64Type, UInt8Type, UInt16Type, UInt64Type};
use arrow_array::{Array, FixedSizeBinaryArray, PrimitiveArray, RecordBatch, StringArray};

use super::schema::{COLUMNS, Column};
use crate::flow::{FlowCounters, FlowKey};
use crate::packet::{IcmpType, PacketDirection, Protocol, TcpFlags, Timestamp};

/// What was counted of a metering key in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartialRow<'a> {
    /// Where the window begins, in nanoseconds since 1970 and as near as 64 bits hold; `None` where one window holds
    /// everything.
    pub window_start: Option<i64>,
    /// The record's key.
    pub flow: FlowKey,
    /// Which way the packets went, as far as the capture says.
    pub direction: PacketDirection,
    /// ICMP's type and code, where they were asked for.
    pub icmp: Option<IcmpType>,
    /// Where the packets were seen, where that was asked for.
    pub observation_point: Option<&'a str>,
    /// What was counted.
    pub counters: FlowCounters,
}

/// The rows of a batch.
#[derive(Debug)]
pub struct Rows<'a> {
    length: usize,
    window_start: &'a PrimitiveArray<Int64Type>,
    srcaddr: &'a FixedSizeBinaryArray,
    dstaddr: &'a FixedSizeBinaryArray,
    ip_version: &'a PrimitiveArray<UInt8Type>,
    srcport: &'a PrimitiveArray<UInt16Type>,
    dstport: &'a PrimitiveArray<UInt16Type>,
    protocol: &'a PrimitiveArray<UInt8Type>,
    packets: &'a PrimitiveArray<UInt64Type>,
    bytes: &'a PrimitiveArray<UInt64Type>,
    first: &'a PrimitiveArray<Int64Type>,
    last: &'a PrimitiveArray<Int64Type>,
    tcp_flags: &'a PrimitiveArray<UInt8Type>,
    raw_tcp_flags: &'a PrimitiveArray<UInt8Type>,
    flow_direction: &'a StringArray,
    icmp_type: &'a PrimitiveArray<UInt8Type>,
    icmp_code: &'a PrimitiveArray<UInt8Type>,
    observation_point: &'a StringArray,
}

/// A column by its name, with no null where none may be.
fn column(batch: &RecordBatch, place: Column) -> Result<&dyn Array, String> {
    let Some((name, _, nullable)) = COLUMNS.get(place as usize) else {
        return Err("it has no columns".to_owned());
    };
    let array = batch.column_by_name(name).ok_or_else(|| format!("it has no column `{name}`"))?;
    if array.null_count() > 0 && !nullable {
        return Err(format!("its column `{name}` has a null, expected a value in every row"));
    }
    Ok(array)
}

fn wrong_type(place: Column) -> String {
    let name = COLUMNS.get(place as usize).map_or("", |(name, _, _)| name);
    format!("its column `{name}` is of another type")
}

fn numbers<T: ArrowPrimitiveType>(batch: &RecordBatch, place: Column) -> Result<&PrimitiveArray<T>, String> {
    column(batch, place)?.as_primitive_opt().ok_or_else(|| wrong_type(place))
}

fn addresses(batch: &RecordBatch, place: Column) -> Result<&FixedSizeBinaryArray, String> {
    column(batch, place)?.as_fixed_size_binary_opt().ok_or_else(|| wrong_type(place))
}

fn texts(batch: &RecordBatch, place: Column) -> Result<&StringArray, String> {
    column(batch, place)?.as_string_opt().ok_or_else(|| wrong_type(place))
}

impl<'a> Rows<'a> {
    /// The rows of a batch.
    ///
    /// # Errors
    /// Which column is missing, of another type, or null where it may not be.
    pub fn new(batch: &'a RecordBatch) -> Result<Self, String> {
        Ok(Rows {
            length: batch.num_rows(),
            window_start: numbers(batch, Column::WindowStart)?,
            srcaddr: addresses(batch, Column::Srcaddr)?,
            dstaddr: addresses(batch, Column::Dstaddr)?,
            ip_version: numbers(batch, Column::IpVersion)?,
            srcport: numbers(batch, Column::Srcport)?,
            dstport: numbers(batch, Column::Dstport)?,
            protocol: numbers(batch, Column::Protocol)?,
            packets: numbers(batch, Column::Packets)?,
            bytes: numbers(batch, Column::Bytes)?,
            first: numbers(batch, Column::First)?,
            last: numbers(batch, Column::Last)?,
            tcp_flags: numbers(batch, Column::TcpFlags)?,
            raw_tcp_flags: numbers(batch, Column::RawTcpFlags)?,
            flow_direction: texts(batch, Column::FlowDirection)?,
            icmp_type: numbers(batch, Column::IcmpType)?,
            icmp_code: numbers(batch, Column::IcmpCode)?,
            observation_point: texts(batch, Column::ObservationPoint)?,
        })
    }

    /// The rows, one after another.
    ///
    /// # Errors
    /// Of each row, what in it cannot be.
    pub fn iter(&self) -> impl Iterator<Item = Result<PartialRow<'a>, String>> {
        (0..self.length).map(|row| self.row(row))
    }

    fn row(&self, row: usize) -> Result<PartialRow<'a>, String> {
        let version = self.ip_version.value(row);
        let address = |column: &FixedSizeBinaryArray, name: &str| {
            let octets =
                <[u8; 16]>::try_from(column.value(row)).map_err(|_| format!("`{name}` has not 16 bytes"))?;
            let address = Ipv6Addr::from(octets);
            match version {
                4 => address.to_ipv4_mapped().map(IpAddr::V4).ok_or_else(|| {
                    format!("`{name}` is `{address}`, which is no IPv4-mapped address, and `ip_version` is 4")
                }),
                6 => Ok(IpAddr::V6(address)),
                _ => Err(format!("`ip_version` is {version}, expected 4 or 6")),
            }
        };
        let flow = FlowKey {
            srcaddr: address(self.srcaddr, "srcaddr")?,
            dstaddr: address(self.dstaddr, "dstaddr")?,
            protocol: Protocol(self.protocol.value(row)),
            srcport: self.srcport.value(row),
            dstport: self.dstport.value(row),
        };
        let direction = match text(self.flow_direction, row) {
            None => PacketDirection::Unknown,
            Some("ingress") => PacketDirection::Inbound,
            Some("egress") => PacketDirection::Outbound,
            Some(_) => return Err("`flow_direction` is neither `ingress` nor `egress`".to_owned()),
        };
        let icmp = match (number(self.icmp_type, row), number(self.icmp_code, row)) {
            (Some(icmp_type), Some(code)) => Some(IcmpType { icmp_type, code }),
            (None, None) => None,
            _ => return Err("of `icmp_type` and `icmp_code` one is null".to_owned()),
        };
        let (packets, first, last) = (self.packets.value(row), self.first.value(row), self.last.value(row));
        if packets == 0 {
            return Err("`packets` is 0, expected at least 1".to_owned());
        }
        if first > last {
            return Err(format!("`first_ns` is {first}, which is after `last_ns`, {last}"));
        }
        Ok(PartialRow {
            window_start: number(self.window_start, row),
            flow,
            direction,
            icmp,
            observation_point: text(self.observation_point, row),
            counters: FlowCounters {
                packets,
                bytes: self.bytes.value(row),
                first: Timestamp::from_nanos(first),
                last: Timestamp::from_nanos(last),
                tcp_flags: TcpFlags(self.tcp_flags.value(row)),
                raw_tcp_flags: TcpFlags(self.raw_tcp_flags.value(row)),
            },
        })
    }
}

fn number<T: ArrowPrimitiveType>(column: &PrimitiveArray<T>, row: usize) -> Option<T::Native> {
    column.is_valid(row).then(|| column.value(row))
}

fn text(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}
