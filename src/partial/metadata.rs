//! What partial records say of themselves.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use arrow_schema::Schema;

use super::error::PartialErrorKind;
use super::schema::with_metadata;
use crate::flow::{AggregationInterval, Windows};
use crate::packet::Timestamp;

/// The version of columns and metadata that is written, and the greatest that is read.
pub const FORMAT_VERSION: u32 = 1;

const VERSION: &str = "flowtruth.partial_version";
const PROGRAM: &str = "flowtruth.version";
const INTERVAL: &str = "flowtruth.interval";
const ORIGIN: &str = "flowtruth.window_origin_ns";
const DECAP: &str = "flowtruth.decap";
const FILTER: &str = "flowtruth.filter";
const FROM: &str = "flowtruth.from_ns";
const UNTIL: &str = "flowtruth.until_ns";
const KEYS: &str = "flowtruth.partial_keys";
const CAPTURES: &str = "flowtruth.captures";
const LEDGER: &str = "flowtruth.ledger";
const ROWS: &str = "flowtruth.rows";
const FIRST_PACKET: &str = "flowtruth.first_packet_ns";

/// What rows may be told apart by beside the record's key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartialKeys {
    /// ICMP's type and code.
    pub icmp: bool,
    /// The capture and its interface.
    pub observation_point: bool,
}

/// A word that names no further key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is no key of partial records: expected `icmp` or `observation-point`, separated by commas")]
pub struct ParseKeysError {
    /// The word.
    pub word: String,
}

impl FromStr for PartialKeys {
    type Err = ParseKeysError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut keys = PartialKeys::default();
        if text == "none" {
            return Ok(keys);
        }
        for word in text.split(',') {
            match word {
                "icmp" => keys.icmp = true,
                "observation-point" => keys.observation_point = true,
                _ => return Err(ParseKeysError { word: word.to_owned() }),
            }
        }
        Ok(keys)
    }
}

/// What [`FromStr`] reads.
impl fmt::Display for PartialKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.icmp, self.observation_point) {
            (true, true) => "icmp,observation-point",
            (true, false) => "icmp",
            (false, true) => "observation-point",
            (false, false) => "none",
        })
    }
}

/// What changes what is counted: rows add up only where all of it is equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long packets are gathered into one row.
    pub interval: AggregationInterval,
    /// A time at which a window begins.
    pub origin: Timestamp,
    /// The tunnels that were opened, as `--decap` names them, or `none`.
    pub decap: String,
    /// The filter's expression.
    pub filter: Option<String>,
    /// Packets before this were skipped.
    pub from: Option<Timestamp>,
    /// Packets at or after this were skipped.
    pub until: Option<Timestamp>,
}

/// A setting in which two partials differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The option of `convert`.
    pub option: &'static str,
    /// The value of the first.
    pub first: String,
    /// The value of the second.
    pub second: String,
}

impl Settings {
    /// How time is cut into windows.
    pub fn windows(&self) -> Windows {
        Windows::new(self.interval, self.origin)
    }

    /// The first setting in which two differ.
    pub fn difference(&self, other: &Settings) -> Option<Setting> {
        let time = |time: Option<Timestamp>| time.map_or("none".to_owned(), |time| time.to_string());
        let values = |settings: &Settings| {
            [
                ("--max-aggregation-interval", settings.interval.to_string()),
                ("--window-origin", settings.origin.to_string()),
                ("--decap", settings.decap.clone()),
                ("--filter", settings.filter.clone().unwrap_or_else(|| "none".to_owned())),
                ("--from", time(settings.from)),
                ("--until", time(settings.until)),
            ]
        };
        let pairs = values(self).into_iter().zip(values(other));
        let mut different = pairs.filter(|((_, first), (_, second))| first != second);
        different.next().map(|((option, first), (_, second))| Setting { option, first, second })
    }
}

/// What is known before the first row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// What changes what is counted.
    pub settings: Settings,
    /// What rows are told apart by beside the record's key.
    pub keys: PartialKeys,
    /// The captures, as they were named.
    pub captures: Vec<String>,
}

/// What only the end tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The ledger of the conversion, as JSON.
    pub ledger: String,
    /// How many rows there are.
    pub rows: u64,
    /// The time of the packet that was read first.
    pub first_packet: Option<Timestamp>,
}

/// Names and values, as Arrow's and Parquet's metadata hold them.
type Pairs = Vec<(String, String)>;

fn nanos(time: Timestamp) -> String {
    time.nanos().to_string()
}

impl Opening {
    /// The columns of partial records, with this as their metadata.
    pub fn schema(&self) -> Schema {
        with_metadata(self.pairs())
    }

    /// As metadata.
    pub(super) fn pairs(&self) -> Pairs {
        let Settings { interval, origin, decap, filter, from, until } = &self.settings;
        let captures = serde_json::Value::from(self.captures.clone()).to_string();
        let always = [
            (VERSION, FORMAT_VERSION.to_string()),
            (PROGRAM, env!("CARGO_PKG_VERSION").to_owned()),
            (INTERVAL, interval.to_string()),
            (ORIGIN, nanos(*origin)),
            (DECAP, decap.clone()),
            (KEYS, self.keys.to_string()),
            (CAPTURES, captures),
        ];
        let if_given =
            [(FILTER, filter.clone()), (FROM, from.map(nanos)), (UNTIL, until.map(nanos))].into_iter();
        let given = if_given.filter_map(|(name, value)| Some((name, value?)));
        always.into_iter().chain(given).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// From metadata.
    ///
    /// # Errors
    /// Where they are not of partial records, of a later version, or damaged.
    pub(super) fn of(pairs: &HashMap<String, String>) -> Result<Opening, PartialErrorKind> {
        let Some(version) = pairs.get(VERSION) else { return Err(PartialErrorKind::NoMetadata) };
        match version.parse::<u32>() {
            Ok(1..=FORMAT_VERSION) => {}
            _ => return Err(PartialErrorKind::Version(version.clone())),
        }
        let settings = Settings {
            interval: required(pairs, INTERVAL)?,
            origin: Timestamp::from_nanos(required(pairs, ORIGIN)?),
            decap: required(pairs, DECAP)?,
            filter: pairs.get(FILTER).cloned(),
            from: optional(pairs, FROM)?.map(Timestamp::from_nanos),
            until: optional(pairs, UNTIL)?.map(Timestamp::from_nanos),
        };
        let captures: String = required(pairs, CAPTURES)?;
        let captures = serde_json::from_str(&captures).map_err(|_| wrong(CAPTURES, &captures))?;
        Ok(Opening { settings, keys: required(pairs, KEYS)?, captures })
    }
}

impl Closing {
    /// As metadata.
    pub(super) fn pairs(&self) -> Pairs {
        let first_packet = self.first_packet.map(|first| (FIRST_PACKET.to_owned(), nanos(first)));
        let always = [(LEDGER, self.ledger.clone()), (ROWS, self.rows.to_string())];
        let always = always.map(|(name, value)| (name.to_owned(), value));
        always.into_iter().chain(first_packet).collect()
    }

    /// From metadata.
    ///
    /// # Errors
    /// Where they are missing or damaged.
    pub(super) fn of(pairs: &HashMap<String, String>) -> Result<Closing, PartialErrorKind> {
        Ok(Closing {
            ledger: required(pairs, LEDGER)?,
            rows: required(pairs, ROWS)?,
            first_packet: optional(pairs, FIRST_PACKET)?.map(Timestamp::from_nanos),
        })
    }
}

fn optional<T: FromStr>(pairs: &HashMap<String, String>, name: &str) -> Result<Option<T>, PartialErrorKind> {
    pairs.get(name).map(|value| value.parse().map_err(|_| wrong(name, value))).transpose()
}

fn required<T: FromStr>(pairs: &HashMap<String, String>, name: &str) -> Result<T, PartialErrorKind> {
    let missing = || PartialErrorKind::Damaged(format!("its metadata have no `{name}`"));
    optional(pairs, name)?.ok_or_else(missing)
}

fn wrong(name: &str, value: &str) -> PartialErrorKind {
    // a value may be as long as a ledger
    let beginning: String = value.chars().take(60).collect();
    PartialErrorKind::Damaged(format!("its metadata say `{beginning}` for `{name}`, which cannot be"))
}
