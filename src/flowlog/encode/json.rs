//! JSON, one object a line, with the column names that Parquet has.

use std::io::{self, Write};

use super::RecordEncoder;
use crate::record::{Field, FlowRecord, LogFormat, Value};

pub(super) struct JsonEncoder {
    format: LogFormat,
    /// Each field with what stands in front of its value: `{"version":`, `,"account_id":`.
    fields: Vec<(Field, String)>,
}

impl JsonEncoder {
    pub(super) fn new(format: &LogFormat) -> Self {
        let before = |at: usize| if at == 0 { '{' } else { ',' };
        let named = |(at, field): (usize, &Field)| (*field, format!("{}\"{}\":", before(at), field.column()));
        JsonEncoder {
            fields: format.fields().iter().enumerate().map(named).collect(),
            format: format.clone(),
        }
    }
}

/// Appends one value as JSON.
pub(super) fn write_json(value: Value<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    match value {
        Value::Missing => out.extend_from_slice(b"null"),
        Value::UInt(number) => out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
        Value::Int(number) => out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
        Value::Addr(address) => write!(out, "\"{address}\"")?,
        Value::Text(text) => serde_json::to_writer(out, text)?,
    }
    Ok(())
}

impl RecordEncoder for JsonEncoder {
    fn begin(&mut self, _: &mut Vec<u8>) {}

    fn record(&mut self, record: &FlowRecord, out: &mut Vec<u8>) -> io::Result<()> {
        for (field, name) in &self.fields {
            out.extend_from_slice(name.as_bytes());
            write_json(self.format.value(*field, record), out)?;
        }
        out.extend_from_slice(b"}\n");
        Ok(())
    }
}
