//! A tool's output → rows: flow log records, CSV with a header line, JSON (a list of objects, or one a line).

use std::collections::BTreeMap;
use std::io::Cursor;
use std::net::IpAddr;

use serde_json::Value;

use super::Row;
use super::columns::{ColumnMap, ROLES, Role};
use crate::flow::FlowKey;
use crate::flowlog::read::{Content, LogReadError, LogReadOptions, LogReader};
use crate::packet::{Protocol, Timestamp};
use crate::record::FlowRecord;

/// An output that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// It is a flow log that cannot be read.
    #[error(transparent)]
    Log(#[from] LogReadError),
    /// A line of a flow log that is no record.
    #[error("`{name}`, {what}")]
    Line {
        /// The output's name.
        name: String,
        /// The line, and what is wrong with it.
        what: String,
    },
    /// It is no CSV.
    #[error("`{name}` cannot be read as CSV")]
    Csv {
        /// The output's name.
        name: String,
        /// Why.
        source: csv::Error,
    },
    /// It is no JSON.
    #[error("`{name}` cannot be read as JSON")]
    Json {
        /// The output's name.
        name: String,
        /// Why.
        source: serde_json::Error,
    },
    /// A column that is needed is not there.
    #[error("`{name}` has no column for `{missing}`; it has {found}")]
    Column {
        /// The output's name.
        name: String,
        /// The field.
        missing: &'static str,
        /// The columns that it has.
        found: String,
    },
    /// A value that its field cannot hold.
    #[error("`{name}`, row {row}: `{value}` cannot be `{field}`")]
    Value {
        /// The output's name.
        name: String,
        /// The row, from 1.
        row: usize,
        /// The field.
        field: &'static str,
        /// The text found.
        value: String,
    },
}

type Result<T> = std::result::Result<T, OutputError>;

/// Reads an output, whatever its form.
pub(super) fn rows(name: &str, bytes: &[u8], columns: &ColumnMap) -> Result<Vec<Row>> {
    let text = String::from_utf8_lossy(bytes);
    let trimmed = text.trim_start_matches('\u{feff}').trim_start();
    let first_line = trimmed.lines().next().unwrap_or_default();
    if trimmed.starts_with(['{', '[']) {
        json(name, trimmed, columns)
    } else if !columns.is_empty() || first_line.contains([',', ';', '\t']) {
        csv(name, trimmed, first_line, columns)
    } else {
        log(name, bytes)
    }
}

fn log(name: &str, bytes: &[u8]) -> Result<Vec<Row>> {
    let reader = Box::new(Cursor::new(bytes.to_vec()));
    let mut reader = LogReader::new(name, reader, LogReadOptions::default());
    let mut rows = Vec::new();
    while reader.advance()? {
        let entry = reader.entry();
        match entry.content {
            // records without traffic have no flow
            Content::Record(read) => rows.extend(row(read.record)),
            Content::Bad(bad) => {
                return Err(OutputError::Line { name: name.to_owned(), what: bad.to_string() });
            }
            _ => {}
        }
    }
    Ok(rows)
}

fn row(record: &FlowRecord) -> Option<Row> {
    let flow = FlowKey {
        srcaddr: record.pkt_srcaddr.or(record.srcaddr)?,
        dstaddr: record.pkt_dstaddr.or(record.dstaddr)?,
        protocol: record.protocol?,
        srcport: record.srcport.unwrap_or(0),
        dstport: record.dstport.unwrap_or(0),
    };
    Some(Row {
        flow,
        packets: record.packets?,
        bytes: record.bytes?,
        span: record.start.zip(record.end),
        flags: record.tcp_flags.map(|flags| flags.0),
    })
}

fn csv(name: &str, text: &str, first_line: &str, columns: &ColumnMap) -> Result<Vec<Row>> {
    let count = |delimiter: &u8| first_line.bytes().filter(|byte| byte == delimiter).count();
    let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(count).unwrap_or(b',');
    let failed = |source| OutputError::Csv { name: name.to_owned(), source };
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers().map_err(failed)?.iter().map(str::to_owned).collect();
    let roles: Vec<Option<Role>> = header.iter().map(|column| columns.role(column)).collect();
    check(name, &header, roles.iter().flatten())?;
    let mut rows = Vec::new();
    for (number, record) in reader.records().enumerate() {
        let record = record.map_err(failed)?;
        let values = roles.iter().zip(&record).filter_map(|(role, value)| Some(((*role)?, value.to_owned())));
        Values { name, number: number + 1, values: values.collect() }.rows(&mut rows)?;
    }
    Ok(rows)
}

fn json(name: &str, text: &str, columns: &ColumnMap) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut number = 0;
    for document in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        let document = document.map_err(|source| OutputError::Json { name: name.to_owned(), source })?;
        let objects = match document {
            Value::Array(items) => items,
            // a list under a name, as many tools write it
            Value::Object(members) if members.len() == 1 && members.values().all(Value::is_array) => {
                members.into_iter().filter_map(|(_, list)| list.as_array().cloned()).flatten().collect()
            }
            other => vec![other],
        };
        for object in &objects {
            number += 1;
            let members = object.as_object().into_iter().flatten();
            let values: BTreeMap<Role, String> = members
                .filter_map(|(key, value)| {
                    let text = match value {
                        Value::String(text) => text.clone(),
                        Value::Null => return None,
                        other => other.to_string(),
                    };
                    Some((columns.role(key)?, text))
                })
                .collect();
            if number == 1 {
                let keys: Vec<String> =
                    object.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect();
                check(name, &keys, values.keys())?;
            }
            Values { name, number, values }.rows(&mut rows)?;
        }
    }
    Ok(rows)
}

/// Whether the columns are there without which a row says nothing.
fn check<'a>(name: &str, columns: &[String], roles: impl Iterator<Item = &'a Role> + Clone) -> Result<()> {
    let needed = [Role::SrcAddr, Role::DstAddr, Role::Protocol, Role::Packets, Role::Bytes];
    for role in needed {
        if !roles.clone().any(|found| *found == role) {
            let missing = field(role);
            let found: Vec<_> = columns.iter().map(|column| format!("`{column}`")).collect();
            let found = if found.is_empty() { "none at all".to_owned() } else { found.join(", ") };
            return Err(OutputError::Column { name: name.to_owned(), missing, found });
        }
    }
    Ok(())
}

fn field(role: Role) -> &'static str {
    ROLES.iter().find(|(_, other)| *other == role).map_or("", |(name, _)| name)
}

/// The values of one row.
struct Values<'a> {
    name: &'a str,
    number: usize,
    values: BTreeMap<Role, String>,
}

impl Values<'_> {
    /// Adds the row, and one for the other direction where it has any.
    fn rows(&self, rows: &mut Vec<Row>) -> Result<()> {
        let protocol = self.need(Role::Protocol, protocol)?;
        let port = |role| self.get(role, |text| whole(text)?.try_into().ok());
        let (srcport, dstport) = (port(Role::SrcPort)?, port(Role::DstPort)?);
        let address = |text: &str| text.parse::<IpAddr>().ok();
        let flow = FlowKey {
            srcaddr: self.need(Role::SrcAddr, address)?,
            dstaddr: self.need(Role::DstAddr, address)?,
            protocol,
            srcport: srcport.unwrap_or(0),
            dstport: dstport.unwrap_or(0),
        };
        let span = self.get(Role::Start, second)?.zip(self.get(Role::End, second)?);
        let flags = self.get(Role::TcpFlags, |text| whole(text)?.try_into().ok())?;
        let (packets, bytes) = (self.need(Role::Packets, whole)?, self.need(Role::Bytes, whole)?);
        let forward = Row { flow, packets, bytes, span, flags };
        rows.extend(Some(forward).filter(|row| row.packets > 0));
        if let (Some(packets), Some(bytes)) =
            (self.get(Role::ReversePackets, whole)?, self.get(Role::ReverseBytes, whole)?)
        {
            // flags of both directions together tell nothing of either
            let back = Row { flow: flow.reversed(), packets, bytes, span, flags: None };
            rows.extend(Some(back).filter(|row| row.packets > 0));
        }
        Ok(())
    }

    fn get<T>(&self, role: Role, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>> {
        let Some(text) = self.values.get(&role).filter(|text| !matches!(text.as_str(), "" | "-")) else {
            return Ok(None);
        };
        parse(text).map(Some).ok_or_else(|| self.wrong(role, text))
    }

    fn need<T>(&self, role: Role, parse: impl Fn(&str) -> Option<T>) -> Result<T> {
        let value = self.get(role, parse)?;
        value.ok_or_else(|| self.wrong(role, self.values.get(&role).map_or("", String::as_str)))
    }

    fn wrong(&self, role: Role, value: &str) -> OutputError {
        OutputError::Value {
            name: self.name.to_owned(),
            row: self.number,
            field: field(role),
            value: value.to_owned(),
        }
    }
}

/// A whole number, also one that is written with a fraction of zeros.
fn whole(text: &str) -> Option<u64> {
    text.split_once('.')
        .filter(|(_, fraction)| fraction.bytes().all(|digit| digit == b'0'))
        .map_or(text, |(whole, _)| whole)
        .parse()
        .ok()
}

/// A protocol by number or name.
fn protocol(text: &str) -> Option<Protocol> {
    let named =
        || (0..=255).map(Protocol).find(|protocol| protocol.name() == Some(&text.to_ascii_lowercase()));
    text.parse().ok().map(Protocol).or_else(named)
}

/// A time as its second: Unix seconds, milliseconds, microseconds or nanoseconds by their size, or RFC 3339.
fn second(text: &str) -> Option<i64> {
    if let Some(number) = text.split('.').next().and_then(|whole| whole.parse::<i64>().ok()) {
        return Some(match number {
            ..100_000_000_000 => number,
            100_000_000_000..100_000_000_000_000 => number / 1000,
            100_000_000_000_000..100_000_000_000_000_000 => number / 1_000_000,
            _ => number / 1_000_000_000,
        });
    }
    let text = text.replacen(' ', "T", 1);
    text.parse::<Timestamp>().ok().map(Timestamp::seconds)
}
