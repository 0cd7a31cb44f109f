//! How an entry was understood, as JSON for programs.
//!
//! `{"line": 2, "kind": "record", "record": {…}, "warnings": […]}`; the kinds are `record`, `nodata`, `skipdata`, `header`,
//! `blank`, `comment`, `control` and `error`. Names are AWS's, with hyphens, and a missing value is null. Numbers are numbers,
//! but `traffic-path` and `encryption-status` are text: what they hold stands for words.

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use crate::flowlog::text::LineError;
use crate::record::{Field, FieldType, FieldValueError, LogStatus, Value};

use super::{BadLine, Column, Content, Entry, LineProblem, LogColumns, ReadRecord};

/// An entry, to be serialised.
#[derive(Clone, Copy, Debug)]
pub struct Understood<'a>(pub Entry<'a>);

impl Serialize for Understood<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entry = &self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("line", &entry.place.line)?;
        match entry.content {
            Content::Record(read) => {
                map.serialize_entry("kind", kind(read.record.log_status))?;
                map.serialize_entry("record", &Members(read))?;
                let leniencies = entry.leniencies.iter().map(|leniency| leniency.name());
                let warnings: Vec<_> = warnings(&read).into_iter().chain(leniencies).collect();
                map.serialize_entry("warnings", &warnings)?;
            }
            Content::Header(columns) => {
                map.serialize_entry("kind", "header")?;
                map.serialize_entry("columns", &Names(columns, |_| true))?;
                map.serialize_entry("unknown", &Names(columns, |column| !column.is_known()))?;
                if !entry.leniencies.is_empty() {
                    let warnings: Vec<_> = entry.leniencies.iter().map(|leniency| leniency.name()).collect();
                    map.serialize_entry("warnings", &warnings)?;
                }
            }
            Content::Blank => map.serialize_entry("kind", "blank")?,
            Content::Comment => map.serialize_entry("kind", "comment")?,
            Content::Control => map.serialize_entry("kind", "control")?,
            Content::Bad(bad) => {
                map.serialize_entry("kind", "error")?;
                problem::<S>(&mut map, bad)?;
            }
        }
        map.end()
    }
}

fn kind(status: Option<LogStatus>) -> &'static str {
    match status {
        Some(LogStatus::NoData) => "nodata",
        Some(LogStatus::SkipData) => "skipdata",
        Some(LogStatus::Ok) | None => "record",
    }
}

/// What a record lacks that most readers look for, and an account that is none.
fn warnings(read: &ReadRecord<'_>) -> Vec<&'static str> {
    let has = |field| read.columns.format().is_some_and(|format| format.contains(field));
    let lacks = |fields: [Field; 2]| !fields.into_iter().all(has);
    let is_odd = |account: &str| {
        account != "unknown" && (account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let found = [
        (!has(Field::Action), "no-action"),
        (lacks([Field::Packets, Field::Bytes]), "no-counters"),
        (!has(Field::InterfaceId), "no-interface"),
        (lacks([Field::Start, Field::End]), "no-times"),
        (read.record.account_id.as_deref().is_some_and(is_odd), "odd-account"),
    ];
    found.into_iter().filter(|(is_so, _)| *is_so).map(|(_, name)| name).collect()
}

/// The values by name, in the order of the columns.
struct Members<'a>(ReadRecord<'a>);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut others = self.0.others();
        let mut map = serializer.serialize_map(None)?;
        for column in self.0.columns.columns() {
            match column {
                Column::Field(field) => match field.get(self.0.record) {
                    Value::UInt(code) if matches!(field, Field::TrafficPath | Field::EncryptionStatus) => {
                        map.serialize_entry(field.name(), &code.to_string())?;
                    }
                    value => map.serialize_entry(field.name(), &value)?,
                },
                Column::Other(name) => {
                    let text = others.next().map(|(_, text)| text).filter(|text| *text != "-");
                    map.serialize_entry(name, &text.map_or(Value::Missing, Value::Text))?;
                }
            }
        }
        map.end()
    }
}

/// Names of columns.
struct Names<'a>(&'a LogColumns, fn(&Column) -> bool);

impl Serialize for Names<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(None)?;
        for column in self.0.columns().iter().filter(|column| self.1(column)) {
            seq.serialize_element(column.name())?;
        }
        seq.end()
    }
}

/// Adds why an entry is bad.
fn problem<S: Serializer>(map: &mut S::SerializeMap, bad: &BadLine) -> Result<(), S::Error> {
    let reason = match &bad.problem {
        LineProblem::Line(LineError::FieldCount { found, expected }) => {
            map.serialize_entry("reason", "columns")?;
            map.serialize_entry("got", found)?;
            return map.serialize_entry("want", expected);
        }
        LineProblem::Line(LineError::Value { error, .. }) | LineProblem::Value(error) => {
            return value::<S>(map, error);
        }
        LineProblem::Line(LineError::NotUtf8 { .. }) => "utf8",
        LineProblem::Line(LineError::Spacing { .. }) => "spacing",
        LineProblem::TooLong { .. } => "length",
        LineProblem::Json { .. } | LineProblem::JsonCut { .. } => "json",
        LineProblem::Event { .. } | LineProblem::NoEvents => "event",
        LineProblem::Data { .. } => "data",
    };
    map.serialize_entry("reason", reason)?;
    map.serialize_entry("message", &bad.problem.to_string())
}

/// Adds which value is wrong, and how.
fn value<S: Serializer>(map: &mut S::SerializeMap, error: &FieldValueError) -> Result<(), S::Error> {
    let text = error.text.as_str();
    let is_number = error.field.field_type() != FieldType::String;
    let number: Option<i128> = text.parse().ok().filter(|_| is_number && !text.starts_with('+'));
    let reason = match number {
        Some(_) => "range",
        None if is_number => "integer",
        None if error.field.is_address() => "address",
        None => "word",
    };
    map.serialize_entry("reason", reason)?;
    map.serialize_entry("field", error.field.name())?;
    match number {
        Some(number) => map.serialize_entry("value", &number),
        None => map.serialize_entry("value", text),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::{LogReadOptions, LogReader};
    use super::*;

    fn read(log: &'static str) -> Vec<String> {
        let mut reader = LogReader::new("log", Box::new(Cursor::new(log)), LogReadOptions::default());
        let mut lines = Vec::new();
        while reader.advance().unwrap() {
            lines.push(serde_json::to_string(&Understood(reader.entry())).unwrap());
        }
        lines
    }

    #[test]
    fn every_kind_of_line_says_what_it_is() {
        let log = "account-id srcaddr SRCPORT tgw-id foo log-status\n1 - 0 - x NODATA\n\n# a\n\
            1 x 0 - x OK\n1 - x - x OK\n1 - 65536 - x OK\n1 - 1 - x ok \n1 - 1 - x good\n1 2\n";
        let expected = [
            r#"{"line":1,"kind":"header","columns":["account-id","srcaddr","srcport","tgw-id","foo","log-status"],"unknown":["foo"],"warnings":["header-case"]}"#,
            r#"{"line":2,"kind":"nodata","record":{"account-id":"1","srcaddr":null,"srcport":0,"tgw-id":null,"foo":"x","log-status":"NODATA"},"warnings":["no-action","no-counters","no-interface","no-times","odd-account"]}"#,
            r#"{"line":3,"kind":"blank"}"#,
            r#"{"line":4,"kind":"comment"}"#,
            r#"{"line":5,"kind":"error","reason":"address","field":"srcaddr","value":"x"}"#,
            r#"{"line":6,"kind":"error","reason":"integer","field":"srcport","value":"x"}"#,
            r#"{"line":7,"kind":"error","reason":"range","field":"srcport","value":65536}"#,
            r#"{"line":8,"kind":"record","record":{"account-id":"1","srcaddr":null,"srcport":1,"tgw-id":null,"foo":"x","log-status":"OK"},"warnings":["no-action","no-counters","no-interface","no-times","odd-account","trailing-space","word-case"]}"#,
            r#"{"line":9,"kind":"error","reason":"word","field":"log-status","value":"good"}"#,
            r#"{"line":10,"kind":"error","reason":"columns","got":2,"want":6}"#,
        ];
        assert_eq!(read(log), expected);
    }

    #[test]
    fn what_is_no_line_has_a_message() {
        let expected =
            r#"{"line":1,"kind":"error","reason":"event","message":"the JSON document has neither"#;
        assert!(read("{}")[0].starts_with(expected), "{:?}", read("{}"));
        let expected = r#"{"line":1,"kind":"error","reason":"json","message":"the JSON ends too early"#;
        assert!(read("[")[0].starts_with(expected), "{:?}", read("["));
    }
}
