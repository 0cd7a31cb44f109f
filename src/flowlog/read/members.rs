//! A JSON object as names and values in their order, and what it may be: a record, or data that is packed.

use std::fmt;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::Value as Json;

use super::columns::{field_named, is_of_transit_gateway};
use super::ocsf;

/// How many names of fields make an object a record, however many other names it has.
const ENOUGH_FIELDS: usize = 4;

/// A column's name and its text; `None` where there is no value.
pub(super) type NamedText = (String, Option<String>);

/// The members of an object, in their order.
#[derive(Debug, Default)]
pub(super) struct Members(Vec<(String, Json)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

impl Members {
    /// The member of this exact name; of several the first.
    fn get(&self, name: &str) -> Option<&Json> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The value at the end of a path of names.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Json> {
        let (first, rest) = path.split_first()?;
        let mut value = self.get(first)?;
        for name in rest {
            value = value.get(name)?;
        }
        Some(value)
    }

    /// The record that the object is, as columns with their texts.
    ///
    /// It is one if it is an OCSF event of network activity, or if half of its names, or at least four, are names of
    /// fields.
    pub(super) fn record(&self) -> Option<Vec<NamedText>> {
        if let Some(record) = ocsf::record(self) {
            return Some(record);
        }
        let names = || self.0.iter().map(|(name, _)| name.as_str());
        let fields = names().filter(|name| field_named(name).is_some()).count();
        let known = fields + names().filter(|name| is_of_transit_gateway(name)).count();
        if fields == 0 || (known < ENOUGH_FIELDS && known * 2 < self.0.len()) {
            return None;
        }
        Some(self.0.iter().map(|(name, value)| (name.clone(), text(value))).collect())
    }

    /// Whether it has events, or is one.
    pub(super) fn holds_events(&self) -> bool {
        const NAMES: [&str; 6] = ["message", "events", "logEvents", "awslogs", "Records", "records"];
        self.0.iter().any(|(name, _)| NAMES.contains(&name.as_str()))
    }

    /// The base64 text of a record of Kinesis (as Lambda and the API give it) or Firehose.
    pub(super) fn packed(&self) -> Option<&str> {
        let data = self.at(&["kinesis", "data"]).or_else(|| self.get("data")).or_else(|| self.get("Data"));
        data.and_then(Json::as_str)
    }
}

/// A value as text; `None` where there is none: null and `-`.
pub(super) fn text(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::String(text) if text == "-" => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(text: &str) -> Option<Vec<NamedText>> {
        serde_json::from_str::<Members>(text).unwrap().record()
    }

    #[test]
    fn names_make_an_object_a_record() {
        for (text, is_record) in [
            (r#"{"srcaddr":"10.0.0.1"}"#, true),
            (r#"{"pkt-srcaddr":null,"log_status":"OK"}"#, true),
            (r#"{"tgw_id":"tgw-1","srcaddr":"10.0.0.1","tgw-src-eni":"-","x":1,"y":2}"#, true),
            (r#"{"srcaddr":1,"dstaddr":2,"bytes":3,"packets":4,"a":0,"b":0,"c":0,"d":0,"e":0,"f":0}"#, true),
            (r#"{"version":"1.0","name":"x","files":[]}"#, false),
            (r#"{"tgw_id":"tgw-1"}"#, false),
            (r#"{}"#, false),
        ] {
            assert_eq!(record(text).is_some(), is_record, "{text}");
        }
    }

    #[test]
    fn values_keep_their_order_and_become_text() {
        let expected =
            [("srcport", Some("443")), ("bytes", None), ("action", None), ("x", Some("[1,{\"a\":2}]"))];
        let expected = expected.map(|(name, text)| (name.to_owned(), text.map(str::to_owned)));
        let read = record(r#"{"srcport":443,"bytes":null,"action":"-","x":[1,{"a":2}]}"#).unwrap();
        assert_eq!(read, expected);
    }
}
