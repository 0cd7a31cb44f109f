//! What was given in Python → what it means to the library, with the words of the command line.

use std::fmt::Display;
use std::net::IpAddr;
use std::str::FromStr;

use flowtruth::decode::Tunnels;
use flowtruth::packet::Timestamp;
use flowtruth::pipeline::{Fragments, MeterOptions, RecordOptions, WindowOrigin, memory};
use flowtruth::record::{Field, FlowRecord, LogFormat, Origin};
use pyo3::prelude::*;

use super::error::Trouble;

/// How packets are counted: each value as it would be typed, `None` where nothing was given.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Metering {
    interval: String,
    window_origin: String,
    allowed_lateness: String,
    decap: Option<String>,
    fragments: String,
    dedup: bool,
    duplicate_window: String,
    filter: Option<String>,
    from_: Option<String>,
    until: Option<String>,
    count: Option<u64>,
    interface_addresses: Vec<String>,
    memory_limit: Option<String>,
    threads: Option<usize>,
}

/// What records look like.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Recording {
    format: String,
    account_id: String,
    interface_id: Option<String>,
    set: Vec<(String, String)>,
}

impl Metering {
    /// The library's options.
    pub fn options(&self) -> Result<MeterOptions, Trouble> {
        let from = optional("from_", self.from_.as_deref())?;
        let until = optional("until", self.until.as_deref())?;
        check_times(from, until)?;
        let addresses: Result<_, _> = self
            .interface_addresses
            .iter()
            .map(|text| parsed::<IpAddr>("interface_addresses", text))
            .collect();
        if self.count == Some(0) {
            return Err(Trouble::invalid("count", "0", "expected at least 1"));
        }
        if self.threads == Some(0) {
            return Err(Trouble::invalid("threads", "0", "expected at least 1"));
        }
        Ok(MeterOptions {
            interval: parsed("interval", &self.interval)?,
            origin: self.origin()?,
            allowed_lateness: seconds("allowed_lateness", &self.allowed_lateness)?,
            tunnels: optional("decap", self.decap.as_deref())?.unwrap_or(Tunnels::NONE),
            fragments: self.fragments()?,
            dedup: self.dedup,
            duplicate_window: seconds("duplicate_window", &self.duplicate_window)?,
            filter: optional("filter", self.filter.as_deref())?,
            from,
            until,
            count: self.count,
            interface_addresses: addresses?,
            memory_limit: memory_limit(self.memory_limit.as_deref())?,
            threads: threads(self.threads),
        })
    }

    fn origin(&self) -> Result<WindowOrigin, Trouble> {
        match self.window_origin.as_str() {
            "epoch" => Ok(WindowOrigin::Epoch),
            "first-packet" => Ok(WindowOrigin::FirstPacket),
            time => time.parse::<Timestamp>().map(WindowOrigin::At).map_err(|error| {
                Trouble::new("`window_origin` takes `epoch`, `first-packet` or a time").caused_by(&error)
            }),
        }
    }

    fn fragments(&self) -> Result<Fragments, Trouble> {
        match self.fragments.as_str() {
            "zero" => Ok(Fragments::Zero),
            "track" => Ok(Fragments::Track),
            other => Err(Trouble::invalid("fragments", other, "expected `zero` or `track`")),
        }
    }
}

impl Recording {
    /// The library's options.
    pub fn options(&self) -> Result<RecordOptions, Trouble> {
        let format = log_format("format", &self.format)?;
        let mut identity = FlowRecord::default();
        set(&mut identity, Field::AccountId, &self.account_id, "account_id")?;
        if let Some(interface_id) = &self.interface_id {
            set(&mut identity, Field::InterfaceId, interface_id, "interface_id")?;
        }
        for (name, value) in &self.set {
            let field = Field::from_name(name)
                .map_err(|error| Trouble::new("`set` cannot be used").caused_by(&error))?;
            if field.origin() == Origin::Computed {
                return Err(Trouble::new(format!(
                    "`{field}` cannot be set: it comes from the packets and the log format"
                )));
            }
            set(&mut identity, field, value, "set")?;
        }
        Ok(RecordOptions { format, header: false, identity })
    }
}

fn set(identity: &mut FlowRecord, field: Field, value: &str, option: &str) -> Result<(), Trouble> {
    field
        .set(identity, value)
        .map_err(|error| Trouble::new(format!("`{option}` cannot be used")).caused_by(&error))
}

/// A ready format by its name, or AWS's syntax.
pub fn log_format(option: &str, text: &str) -> Result<LogFormat, Trouble> {
    let format = if text.contains('$') { text.parse() } else { LogFormat::preset(text) };
    format.map_err(|error| {
        let hint = "`flowtruth fields` lists the fields; ready formats are `v2`, `v3`, `v4`, `v5` and `all`";
        Trouble::new(format!("`{option}` cannot be used")).caused_by(&error).with_hint(Some(hint))
    })
}

/// The value of an option, as its text means it.
pub fn parsed<T: FromStr<Err: Display>>(option: &str, text: &str) -> Result<T, Trouble> {
    text.parse().map_err(|error| Trouble::invalid(option, text, error))
}

/// The same of an option that may be left out.
pub fn optional<T: FromStr<Err: Display>>(option: &str, text: Option<&str>) -> Result<Option<T>, Trouble> {
    text.map(|text| parsed(option, text)).transpose()
}

/// Memory to use at most; half of what there is, where nothing was given.
pub fn memory_limit(given: Option<&str>) -> Result<Option<u64>, Trouble> {
    match given {
        None => Ok(memory::half()),
        Some(text) => memory::parse_size(text)
            .map(Some)
            .map_err(|reason| Trouble::invalid("memory_limit", text, reason)),
    }
}

/// As many threads as were asked for, or as there are cores.
pub fn threads(asked: Option<usize>) -> usize {
    asked.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// Refuses a span of time that nothing can be in.
fn check_times(from: Option<Timestamp>, until: Option<Timestamp>) -> Result<(), Trouble> {
    match (from, until) {
        (Some(from), Some(until)) if from >= until => {
            Err(Trouble::new(format!("`from_={from}` is not before `until={until}`"))
                .with_hint(Some("packets at `from_` count, packets at `until` do not")))
        }
        _ => Ok(()),
    }
}

/// Seconds with up to nine digits of fraction → nanoseconds.
fn seconds(option: &str, text: &str) -> Result<u64, Trouble> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let time = text.parse::<Timestamp>().ok().filter(|_| is_number);
    time.and_then(|time| u64::try_from(time.nanos()).ok())
        .ok_or_else(|| Trouble::invalid(option, text, "expected seconds, such as `10` or `0.5`"))
}
