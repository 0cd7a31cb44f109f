//! A tool's output → rows: flow log records, CSV with a header line, JSON (a list of objects, or one a line).

use std::collections::BTreeMap;
use std::io::Cursor;
use std::net::IpAddr;

use serde_json::Value;

use super::Row;
use super::columns::{ColumnMap, Role};
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
    /// A column that was named is not there.
    #[error("`{name}` has no column `{column}` for `{field}`; it has {found}")]
    Named {
        /// The output's name.
        name: String,
        /// The column.
        column: String,
        /// The field.
        field: &'static str,
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

/// What may stand between the columns of a CSV.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

type Result<T> = std::result::Result<T, OutputError>;

/// Reads an output, whatever its form.
pub(super) fn rows(name: &str, bytes: &[u8], columns: &ColumnMap) -> Result<Vec<Row>> {
    let text = String::from_utf8_lossy(bytes);
    let trimmed = text.trim_start_matches('\u{feff}').trim_start();
    let first_line = trimmed.lines().next().unwrap_or_default();
    if trimmed.starts_with(['{', '[']) {
        json(name, trimmed, columns)
    } else if is_packed(bytes) {
        log(name, bytes)
    } else if !columns.is_empty() || first_line.bytes().any(|byte| DELIMITERS.contains(&byte)) {
        csv(name, trimmed, first_line, columns)
    } else {
        log(name, bytes)
    }
}

/// Whether it is compressed, or a container such as Parquet: no text has such a beginning.
fn is_packed(bytes: &[u8]) -> bool {
    let beginning = bytes.get(..64).unwrap_or(bytes);
    beginning.contains(&0)
        || beginning.starts_with(&[0x1f, 0x8b])
        || beginning.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
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
    let delimiter = DELIMITERS.into_iter().max_by_key(count).unwrap_or(b',');
    let failed = |source| OutputError::Csv { name: name.to_owned(), source };
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers().map_err(failed)?.iter().map(str::to_owned).collect();
    let roles: Vec<Option<Role>> = header.iter().map(|column| columns.role(column)).collect();
    check(name, &header, columns, roles.iter().flatten())?;
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
        for object in objects(document, columns) {
            number += 1;
            let mut members = Vec::new();
            flatten("", object, &mut members);
            let values: BTreeMap<Role, String> = members
                .iter()
                .filter_map(|(key, value)| Some((columns.role(key)?, value.clone()?)))
                .collect();
            if number == 1 {
                let keys: Vec<String> = members.into_iter().map(|(key, _)| key).collect();
                check(name, &keys, columns, values.keys())?;
            }
            Values { name, number, values }.rows(&mut rows)?;
        }
    }
    Ok(rows)
}

/// The rows of a document: a list, a list under a name beside words about it, or one row.
fn objects(document: Value, columns: &ColumnMap) -> Vec<Value> {
    match document {
        Value::Array(items) => items,
        Value::Object(members) if !members.keys().any(|key| columns.role(key).is_some()) => {
            let is_alone = members.len() == 1;
            let is_list = |value: &Value| {
                let items = value.as_array().filter(|items| is_alone || !items.is_empty());
                items.is_some_and(|items| items.iter().all(Value::is_object))
            };
            match members.values().filter(|value| is_list(value)).count() {
                1 => members
                    .into_iter()
                    .map(|(_, value)| value)
                    .find(is_list)
                    .into_iter()
                    .flat_map(items)
                    .collect(),
                _ => vec![Value::Object(members)],
            }
        }
        other => vec![other],
    }
}

fn items(value: Value) -> Vec<Value> {
    if let Value::Array(items) = value { items } else { Vec::new() }
}

/// The members of a row and of the objects in it: what `{"flow": {"bytes": 52}}` says is `flow.bytes`.
fn flatten(path: &str, value: Value, members: &mut Vec<(String, Option<String>)>) {
    match value {
        Value::Object(inner) => {
            for (key, value) in inner {
                let key = if path.is_empty() { key } else { format!("{path}.{key}") };
                flatten(&key, value, members);
            }
        }
        _ if path.is_empty() => {}
        Value::Null => members.push((path.to_owned(), None)),
        Value::String(text) => members.push((path.to_owned(), Some(text))),
        other => members.push((path.to_owned(), Some(other.to_string()))),
    }
}

/// Whether the columns are there without which a row says nothing.
fn check<'a>(
    name: &str,
    columns: &[String],
    map: &ColumnMap,
    roles: impl Iterator<Item = &'a Role> + Clone,
) -> Result<()> {
    if let Some((column, field)) = map.missing(columns) {
        let (column, found) = (column.to_owned(), list(columns));
        return Err(OutputError::Named { name: name.to_owned(), column, field, found });
    }
    let needed = [Role::SrcAddr, Role::DstAddr, Role::Protocol, Role::Packets, Role::Bytes];
    for role in needed {
        if !roles.clone().any(|found| *found == role) {
            return Err(OutputError::Column {
                name: name.to_owned(),
                missing: role.name(),
                found: list(columns),
            });
        }
    }
    Ok(())
}

/// Columns as a message names them.
fn list(columns: &[String]) -> String {
    const MOST: usize = 60;
    let mut found: Vec<_> = columns.iter().take(MOST).map(|column| format!("`{column}`")).collect();
    if columns.len() > MOST {
        found.push(format!("and {} more", columns.len() - MOST));
    }
    if found.is_empty() { "none at all".to_owned() } else { found.join(", ") }
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
            field: role.name(),
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
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if let Some(number) = whole.parse::<i64>().ok().filter(|_| fraction.bytes().all(|b| b.is_ascii_digit())) {
        return Some(match number {
            ..100_000_000_000 => number,
            100_000_000_000..100_000_000_000_000 => number / 1000,
            100_000_000_000_000..100_000_000_000_000_000 => number / 1_000_000,
            _ => number / 1_000_000_000,
        });
    }
    let mut text = text.replacen(' ', "T", 1);
    // an offset without a colon is ISO 8601's, not RFC 3339's
    let bytes = text.as_bytes();
    let at = bytes.len().saturating_sub(5);
    if let Some([b'+' | b'-', digits @ ..]) = bytes.get(at..)
        && text.contains(':')
        && digits.iter().all(u8::is_ascii_digit)
    {
        text.insert(at + 3, ':');
    }
    text.parse::<Timestamp>().ok().map(Timestamp::seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_usual_form() {
        let seconds = [
            "1768467609",
            "1768467609.016682",
            "1768467609016",
            "1768467609016682",
            "1768467609016682000",
            "2026-01-15T09:00:09.016682Z",
            "2026-01-15 09:00:09.016",
            "2026-01-15T10:00:09+01:00",
            "2026-01-15T10:00:09.016682+0100",
            "2026-01-15T04:00:09-0500",
        ];
        for text in seconds {
            assert_eq!(second(text), Some(1_768_467_609), "{text}");
        }
        for text in ["yesterday", "", "10.0.0.1", "2026-01-15T09:00"] {
            assert_eq!(second(text), None, "{text}");
        }
    }

    #[test]
    fn a_row_may_stand_under_a_name_and_its_values_in_objects() {
        let columns = |names: &[&str]| names.iter().map(|name| name.parse::<ColumnMap>().unwrap()).collect();
        let flow = r#"{"srcaddr": "10.0.0.1", "dstaddr": "10.0.0.2", "protocol": "TCP",
            "flow": {"packets": 3, "octets": 156, "tags": ["x"]}}"#;
        let nested: ColumnMap = columns(&["packets=flow.packets", "bytes=flow.octets"]);
        let expected = rows("t", flow.as_bytes(), &nested).unwrap();
        assert_eq!((expected.len(), expected[0].packets, expected[0].bytes), (1, 3, 156));
        let list = format!(r#"{{"meta": {{"tool": "x"}}, "warnings": [], "flows": [{flow}, {flow}]}}"#);
        assert_eq!(rows("t", list.as_bytes(), &nested).unwrap().len(), 2);
    }

    #[test]
    fn a_column_that_was_named_and_is_not_there_is_an_error() {
        let csv = "srcaddr|dstaddr|protocol|packets|bytes\n10.0.0.1|10.0.0.2|17|1|60\n";
        assert_eq!(rows("t", csv.as_bytes(), &ColumnMap::default()).unwrap().len(), 1);
        let error = rows("t", csv.as_bytes(), &"start=Begin".parse().unwrap()).unwrap_err();
        assert!(matches!(error, OutputError::Named { field: "start", .. }), "{error}");
    }
}
