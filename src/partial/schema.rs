//! The columns of partial records.

use std::sync::{Arc, OnceLock};

use arrow_schema::{DataType, Field, Metadata, Schema, SchemaRef};

/// The columns by their places: `schema` and whoever builds or reads a batch agree on them here.
#[derive(Clone, Copy, Debug)]
#[repr(usize)]
pub(super) enum Column {
    WindowStart,
    Srcaddr,
    Dstaddr,
    IpVersion,
    Srcport,
    Dstport,
    Protocol,
    Packets,
    Bytes,
    First,
    Last,
    TcpFlags,
    RawTcpFlags,
    FlowDirection,
    IcmpType,
    IcmpCode,
    ObservationPoint,
}

/// The length of an address in bytes.
pub(super) const ADDRESS: i32 = 16;

/// Each column's name, its type, and whether it may be null.
pub(super) const COLUMNS: [(&str, DataType, bool); 17] = [
    ("window_start_ns", DataType::Int64, true),
    ("srcaddr", DataType::FixedSizeBinary(ADDRESS), false),
    ("dstaddr", DataType::FixedSizeBinary(ADDRESS), false),
    ("ip_version", DataType::UInt8, false),
    ("srcport", DataType::UInt16, false),
    ("dstport", DataType::UInt16, false),
    ("protocol", DataType::UInt8, false),
    ("packets", DataType::UInt64, false),
    ("bytes", DataType::UInt64, false),
    ("first_ns", DataType::Int64, false),
    ("last_ns", DataType::Int64, false),
    ("tcp_flags", DataType::UInt8, false),
    ("raw_tcp_flags", DataType::UInt8, false),
    ("flow_direction", DataType::Utf8, true),
    ("icmp_type", DataType::UInt8, true),
    ("icmp_code", DataType::UInt8, true),
    ("observation_point", DataType::Utf8, true),
];

/// The columns of partial records, without metadata.
///
/// | column | what it is |
/// |---|---|
/// | `window_start_ns` | where the capture window begins, in nanoseconds since 1970; null where one window holds everything |
/// | `srcaddr`, `dstaddr` | 16 bytes; IPv4 as an IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) |
/// | `ip_version` | 4 or 6 |
/// | `srcport`, `dstport` | 0 where the protocol has none |
/// | `protocol` | IP protocol number |
/// | `packets`, `bytes` | packets, and their IP bytes |
/// | `first_ns`, `last_ns` | the earliest and the latest packet's time, in nanoseconds since 1970 |
/// | `tcp_flags` | the OR of the packets' flags as a flow log shows them |
/// | `raw_tcp_flags` | the OR of the packets' flags as their headers have them |
/// | `flow_direction` | `ingress` or `egress` where the capture says which way the packets went |
/// | `icmp_type`, `icmp_code` | null unless asked for |
/// | `observation_point` | the capture and its interface; null unless asked for |
pub fn schema() -> SchemaRef {
    static SCHEMA: OnceLock<SchemaRef> = OnceLock::new();
    let fields = || COLUMNS.map(|(name, kind, nullable)| Field::new(name, kind, nullable)).to_vec();
    Arc::clone(SCHEMA.get_or_init(|| Arc::new(Schema::new(fields()))))
}

/// The columns of partial records, with metadata.
pub(super) fn with_metadata(pairs: impl IntoIterator<Item = (String, String)>) -> Schema {
    Schema::new_with_metadata(schema().fields().clone(), pairs.into_iter().collect::<Metadata>())
}

/// What columns have to be for rows to be read from them. Whether values are missing is found in the rows.
///
/// # Errors
/// What is wrong, in words that follow the file's name.
pub(super) fn check(found: &Schema) -> Result<(), String> {
    for (name, kind, _) in &COLUMNS {
        let mut named = found.fields().iter().filter(|field| field.name() == name);
        let Some(field) = named.next() else {
            return Err(format!("it has no column `{name}`"));
        };
        if named.next().is_some() {
            return Err(format!("it has two columns `{name}`"));
        }
        if field.data_type() != kind {
            return Err(format!("its column `{name}` is {}, expected {kind}", field.data_type()));
        }
    }
    let is_known = |name: &str| COLUMNS.iter().any(|(known, _, _)| *known == name);
    match found.fields().iter().find(|field| !is_known(field.name())) {
        Some(field) => Err(format!("it has a column `{}`, which no partial record has", field.name())),
        None => Ok(()),
    }
}
