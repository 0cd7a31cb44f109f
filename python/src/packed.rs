//! Rows of partial records in six columns, as engines move them that pay for each column of each row.
//!
//! What rows are told apart by is one column of bytes, so an engine compares and hashes one value:
//!
//! ```text
//! key        marker, window (8), srcaddr, dstaddr (4 or 16 each), srcport, dstport (2 each), protocol (1)
//! packets, bytes, first_ns, last_ns
//! flags      tcp_flags, and raw_tcp_flags eight bits higher: the OR of both is the OR of each
//! ```
//!
//! ICMP types and observation points have no place in it: rows with one are refused.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, Int32Builder, Int64Builder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch};
use arrow_pyarrow::PyArrowType;
use arrow_schema::Schema;
use flowtruth::flow::{FlowCounters, FlowKey};
use flowtruth::packet::{PacketDirection, Protocol, TcpFlags, Timestamp};
use flowtruth::partial::{self, PartialRow, RowBuilder, Rows};
use pyo3::prelude::*;

use super::arrow::{Batch, Columns};
use super::error::Trouble;

/// The most bytes that a key has.
const LONGEST: usize = 46;

/// Bits of the marker: what the key has, and which way the packets went.
const WINDOW: u8 = 1;
const V6: u8 = 2;
const INBOUND: u8 = 4;
const OUTBOUND: u8 = 8;
const KNOWN: u8 = WINDOW | V6 | INBOUND | OUTBOUND;

/// The columns of packed rows.
#[pyfunction]
pub fn packed_schema() -> PyResult<Columns> {
    let nothing = pack(&RecordBatch::new_empty(partial::schema()), false)?;
    Ok(Columns(Schema::clone(&nothing.schema())))
}

/// Rows of partial records → packed rows; directions are part of the key if they are to be told apart.
#[pyfunction]
pub fn packed(py: Python<'_>, rows: PyArrowType<RecordBatch>, with_direction: bool) -> PyResult<Batch> {
    py.detach(move || pack(&rows.0, with_direction).map(Batch)).map_err(PyErr::from)
}

/// Packed rows → rows of partial records.
#[pyfunction]
pub fn unpacked(py: Python<'_>, rows: PyArrowType<RecordBatch>) -> PyResult<Batch> {
    py.detach(move || unpack(&rows.0).map(Batch)).map_err(PyErr::from)
}

fn pack(batch: &RecordBatch, with_direction: bool) -> Result<RecordBatch, Trouble> {
    let count = batch.num_rows();
    let mut keys = BinaryBuilder::with_capacity(count, count * LONGEST);
    let [mut packets, mut bytes, mut first, mut last] =
        std::array::from_fn(|_| Int64Builder::with_capacity(count));
    let mut flags = Int32Builder::with_capacity(count);
    let mut key = Vec::with_capacity(LONGEST);
    for row in Rows::new(batch).map_err(Trouble::new)?.iter() {
        let row = row.map_err(Trouble::new)?;
        if row.icmp.is_some() || row.observation_point.is_some() {
            return Err(Trouble::new("rows with ICMP types or observation points cannot be packed"));
        }
        write_key(&mut key, &row, with_direction);
        keys.append_value(&key);
        let FlowCounters { tcp_flags, raw_tcp_flags, .. } = row.counters;
        packets.append_value(signed(row.counters.packets)?);
        bytes.append_value(signed(row.counters.bytes)?);
        first.append_value(row.counters.first.nanos());
        last.append_value(row.counters.last.nanos());
        flags.append_value(i32::from(tcp_flags.0) | i32::from(raw_tcp_flags.0) << 8);
    }
    let columns: [(&str, ArrayRef); 6] = [
        ("key", Arc::new(keys.finish())),
        ("packets", Arc::new(packets.finish())),
        ("bytes", Arc::new(bytes.finish())),
        ("first_ns", Arc::new(first.finish())),
        ("last_ns", Arc::new(last.finish())),
        ("flags", Arc::new(flags.finish())),
    ];
    RecordBatch::try_from_iter(columns).map_err(|error| Trouble::of(&error))
}

fn signed(count: u64) -> Result<i64, Trouble> {
    i64::try_from(count).map_err(|_| Trouble::new(format!("a row counts {count}, more than 63 bits hold")))
}

fn write_key(key: &mut Vec<u8>, row: &PartialRow<'_>, with_direction: bool) {
    let FlowKey { srcaddr, dstaddr, protocol, srcport, dstport } = row.flow;
    let mut marker = match row.direction {
        PacketDirection::Inbound if with_direction => INBOUND,
        PacketDirection::Outbound if with_direction => OUTBOUND,
        _ => 0,
    };
    if row.window_start.is_some() {
        marker |= WINDOW;
    }
    // both are of one family: `Rows` reads them so
    if srcaddr.is_ipv6() {
        marker |= V6;
    }
    key.clear();
    key.push(marker);
    key.extend(row.window_start.iter().flat_map(|start| start.to_be_bytes()));
    for address in [srcaddr, dstaddr] {
        match address {
            IpAddr::V4(address) => key.extend(address.octets()),
            IpAddr::V6(address) => key.extend(address.octets()),
        }
    }
    key.extend(srcport.to_be_bytes());
    key.extend(dstport.to_be_bytes());
    key.push(protocol.0);
}

fn unpack(batch: &RecordBatch) -> Result<RecordBatch, Trouble> {
    let strange = |name: &str| Trouble::new(format!("the column `{name}` of packed rows is of another type"));
    let column = |name: &str| match batch.column_by_name(name) {
        None => Err(Trouble::new(format!("packed rows have no column `{name}`"))),
        Some(column) if column.null_count() > 0 => Err(Trouble::new(format!(
            "the column `{name}` of packed rows has a null, expected a value in every row"
        ))),
        Some(column) => Ok(column),
    };
    let numbers = |name: &str| column(name)?.as_primitive_opt::<Int64Type>().ok_or_else(|| strange(name));
    let keys = column("key")?.as_binary_opt::<i32>().ok_or_else(|| strange("key"))?;
    let flags = column("flags")?.as_primitive_opt::<Int32Type>().ok_or_else(|| strange("flags"))?;
    let (packets, bytes) = (numbers("packets")?, numbers("bytes")?);
    let (first, last) = (numbers("first_ns")?, numbers("last_ns")?);
    let mut rows = RowBuilder::new(batch.num_rows());
    for row in 0..batch.num_rows() {
        let (window_start, flow, direction) =
            read_key(keys.value(row)).ok_or_else(|| Trouble::new("a packed row has a malformed key"))?;
        let count = |column: &Int64Array| {
            let count = column.value(row);
            u64::try_from(count).map_err(|_| Trouble::new(format!("a packed row counts {count}")))
        };
        let [tcp_flags, raw_tcp_flags, ..] = flags.value(row).to_le_bytes().map(TcpFlags);
        let counters = FlowCounters {
            packets: count(packets)?,
            bytes: count(bytes)?,
            first: Timestamp::from_nanos(first.value(row)),
            last: Timestamp::from_nanos(last.value(row)),
            tcp_flags,
            raw_tcp_flags,
        };
        let row = PartialRow { window_start, flow, direction, icmp: None, observation_point: None, counters };
        rows.push(&row).map_err(|error| Trouble::of(&error))?;
    }
    rows.finish().map_err(|error| Trouble::of(&error))
}

/// The window, the flow and the direction of a key; `None` where it is none.
fn read_key(key: &[u8]) -> Option<(Option<i64>, FlowKey, PacketDirection)> {
    let (&marker, rest) = key.split_first()?;
    let direction = match marker & (INBOUND | OUTBOUND) {
        _ if marker & !KNOWN != 0 => return None,
        0 => PacketDirection::Unknown,
        INBOUND => PacketDirection::Inbound,
        OUTBOUND => PacketDirection::Outbound,
        _ => return None,
    };
    let (window, rest) = match marker & WINDOW {
        0 => (None, rest),
        _ => {
            let (start, rest) = rest.split_first_chunk()?;
            (Some(i64::from_be_bytes(*start)), rest)
        }
    };
    let (srcaddr, dstaddr, rest): (IpAddr, IpAddr, _) = if marker & V6 == 0 {
        let (srcaddr, rest) = rest.split_first_chunk::<4>()?;
        let (dstaddr, rest) = rest.split_first_chunk::<4>()?;
        (Ipv4Addr::from(*srcaddr).into(), Ipv4Addr::from(*dstaddr).into(), rest)
    } else {
        let (srcaddr, rest) = rest.split_first_chunk::<16>()?;
        let (dstaddr, rest) = rest.split_first_chunk::<16>()?;
        (Ipv6Addr::from(*srcaddr).into(), Ipv6Addr::from(*dstaddr).into(), rest)
    };
    let &[source_high, source_low, destination_high, destination_low, protocol] = rest else { return None };
    let flow = FlowKey {
        srcaddr,
        dstaddr,
        protocol: Protocol(protocol),
        srcport: u16::from_be_bytes([source_high, source_low]),
        dstport: u16::from_be_bytes([destination_high, destination_low]),
    };
    Some((window, flow, direction))
}
