//! Records of short intervals into records of long ones.
//!
//! Records with the same values in every field but the measures, and in the same window, become one: `packets` and `bytes`
//! are added, `start` is the first, `end` the last, `tcp-flags` are brought together bit by bit. Measures that one record
//! has and another lacks keep them apart.
//!
//! - A record's window is the one that its `start` lies in. A record that reaches beyond it, lacks a time, or comes after
//!   its window was written is left alone: so nothing that is written is longer than the interval, unless it came so.
//! - NODATA and SKIPDATA are merged alike. A NODATA record goes where its interface has a record of traffic in the window.
//! - Records come out window by window, in the order in which their first parts came.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write;

use super::RelogOptions;
use crate::flow::{WindowIndex, Windows};
use crate::packet::{TcpFlags, Timestamp};
use crate::record::{Field, FlowRecord, LogStatus};

/// Nanoseconds in a second.
const NANOS: i64 = 1_000_000_000;

/// What a flow takes beside its key, in bytes, by and large.
const BESIDE_KEY: usize = 160;

/// Stands for a column that is no field.
const OTHER: u8 = u8::MAX;

/// A second as a time of packets, if it is one.
pub(super) fn timestamp(second: i64) -> Option<Timestamp> {
    second.checked_mul(NANOS).map(Timestamp::from_nanos)
}

/// What is summed up.
struct Sum {
    order: u64,
    parts: u64,
    packets: Option<u64>,
    bytes: Option<u64>,
    start: i64,
    end: i64,
    tcp_flags: Option<TcpFlags>,
}

/// A window that still grows.
#[derive(Default)]
struct Open {
    flows: HashMap<Box<[u8]>, Sum>,
    /// The interfaces that have traffic.
    busy: HashSet<Box<[u8]>>,
}

/// Merges records.
pub(super) struct Merge {
    windows: Windows,
    /// How long after its end a window is open, in nanoseconds.
    patience: i128,
    open: BTreeMap<WindowIndex, Open>,
    /// Windows below it were written.
    closed: WindowIndex,
    /// The latest start so far.
    latest: Option<Timestamp>,
    order: u64,
    held: usize,
    memory: usize,
    key: Vec<u8>,
}

impl Merge {
    pub(super) fn new(windows: Windows, options: &RelogOptions) -> Merge {
        let length = windows.window(WindowIndex(0)).map_or(0, |window| window.end - window.start);
        Merge {
            windows,
            patience: length + i128::from(options.allowed_lateness) * i128::from(NANOS),
            open: BTreeMap::new(),
            closed: WindowIndex(i64::MIN),
            latest: None,
            order: 0,
            held: 0,
            memory: usize::try_from(options.memory).unwrap_or(usize::MAX),
            key: Vec::new(),
        }
    }

    /// Takes a record into its window; `false` where it has to be left alone.
    pub(super) fn take<'a>(
        &mut self,
        record: &FlowRecord,
        others: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> bool {
        let (Some(start), Some(end)) = (record.start, record.end) else { return false };
        let Some(time) = timestamp(start) else { return false };
        let index = self.windows.index_of(time);
        let reaches_beyond =
            |window: crate::flow::CaptureWindow| i128::from(end) * i128::from(NANOS) > window.end;
        if end < start || index < self.closed || self.windows.window(index).is_some_and(reaches_beyond) {
            return false;
        }
        write_key(record, others, &mut self.key);
        let open = self.open.entry(index).or_default();
        if let Some(sum) = open.flows.get_mut(&*self.key) {
            if !sum.add(record, start, end) {
                return false;
            }
        } else {
            self.order += 1;
            self.held += self.key.len() + BESIDE_KEY;
            open.flows.insert(self.key.as_slice().into(), Sum::new(record, start, end, self.order));
        }
        if !matches!(record.log_status, Some(LogStatus::NoData | LogStatus::SkipData)) {
            let interface = interface(record);
            if !open.busy.contains(&interface) {
                self.held += interface.len() + BESIDE_KEY;
                open.busy.insert(interface);
            }
        }
        self.latest = self.latest.max(Some(time));
        true
    }

    /// The windows that time has passed, which are not open any more.
    pub(super) fn passed(&mut self) -> Vec<Closed> {
        let Some(latest) = self.latest else { return Vec::new() };
        let passed = self.windows.passed_at(i128::from(latest.nanos()) - self.patience);
        if self.open.keys().next().is_none_or(|first| *first >= passed) {
            return Vec::new();
        }
        let later = self.open.split_off(&passed);
        let closed = std::mem::replace(&mut self.open, later);
        self.closed = self.closed.max(passed);
        self.close(closed)
    }

    /// All windows. Others may be opened in their place.
    pub(super) fn all(&mut self) -> Vec<Closed> {
        let closed = std::mem::take(&mut self.open);
        self.close(closed)
    }

    /// Whether the memory is full.
    pub(super) fn is_full(&self) -> bool {
        self.held >= self.memory
    }

    fn close(&mut self, windows: BTreeMap<WindowIndex, Open>) -> Vec<Closed> {
        let closed: Vec<Closed> = windows
            .into_iter()
            .map(|(index, open)| Closed { open, end: self.windows.window(index).map(|window| window.end) })
            .collect();
        let keys = |open: &Open| {
            let flows: usize = open.flows.keys().map(|key| key.len() + BESIDE_KEY).sum();
            flows + open.busy.iter().map(|key| key.len() + BESIDE_KEY).sum::<usize>()
        };
        self.held -= closed.iter().map(|closed| keys(&closed.open)).sum::<usize>().min(self.held);
        closed
    }
}

impl Sum {
    fn new(record: &FlowRecord, start: i64, end: i64, order: u64) -> Sum {
        let &FlowRecord { packets, bytes, tcp_flags, .. } = record;
        Sum { order, parts: 1, packets, bytes, start, end, tcp_flags }
    }

    /// Whether it says that an interface has no traffic that has some. A record that counts packets all the same is kept,
    /// whatever it says: they would be lost.
    fn is_wrong(&self, record: &FlowRecord, busy: &HashSet<Box<[u8]>>) -> bool {
        let counts_none = self.packets.unwrap_or(0) == 0 && self.bytes.unwrap_or(0) == 0;
        counts_none && record.log_status == Some(LogStatus::NoData) && busy.contains(&interface(record))
    }

    /// Adds a record of the same key; `false` where a sum would be too large.
    fn add(&mut self, record: &FlowRecord, start: i64, end: i64) -> bool {
        let sum = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (Some(a), Some(b)) => a.checked_add(b).map(Some),
            _ => Some(None),
        };
        let (Some(packets), Some(bytes)) = (sum(self.packets, record.packets), sum(self.bytes, record.bytes))
        else {
            return false;
        };
        (self.packets, self.bytes) = (packets, bytes);
        (self.start, self.end) = (self.start.min(start), self.end.max(end));
        if let (Some(flags), Some(more)) = (&mut self.tcp_flags, record.tcp_flags) {
            flags.0 |= more.0;
        }
        self.parts += 1;
        true
    }
}

/// A window that is complete.
pub(super) struct Closed {
    open: Open,
    end: Option<i128>,
}

impl Closed {
    /// The second in which the window ended.
    pub(super) fn end(&self) -> Option<i64> {
        self.end.and_then(|nanos| i64::try_from(nanos.div_euclid(i128::from(NANOS))).ok())
    }

    /// How many records say that an interface had no traffic that has some. They are not among the records.
    pub(super) fn without_traffic(&self) -> u64 {
        let wrong = self.open.flows.iter().filter(|(key, sum)| sum.is_wrong(&read_key(key), &self.open.busy));
        wrong.map(|(_, sum)| sum.parts).sum()
    }

    /// The records, with how many each stands for.
    pub(super) fn records(self) -> impl Iterator<Item = (FlowRecord, u64)> {
        let Closed { open: Open { flows, busy }, .. } = self;
        let mut flows: Vec<(Box<[u8]>, Sum)> = flows.into_iter().collect();
        flows.sort_unstable_by_key(|(_, sum)| sum.order);
        flows.into_iter().filter_map(move |(key, sum)| {
            let mut record = read_key(&key);
            let is_wrong = sum.is_wrong(&record, &busy);
            (record.packets, record.bytes) = (sum.packets, sum.bytes);
            (record.start, record.end) = (Some(sum.start), Some(sum.end));
            record.tcp_flags = sum.tcp_flags;
            (!is_wrong).then_some((record, sum.parts))
        })
    }
}

/// Which interface a record is of.
fn interface(record: &FlowRecord) -> Box<[u8]> {
    let mut key = Vec::new();
    for field in [Field::AccountId, Field::InterfaceId, Field::ResourceId] {
        write_part(field as u8, format_args!("{}", field.get(record)), &mut key);
    }
    key.into()
}

/// Whether a field is summed up, and not part of the key.
const fn is_measure(field: Field) -> bool {
    matches!(field, Field::Packets | Field::Bytes | Field::Start | Field::End | Field::TcpFlags)
}

/// Makes the key of a record: every value but the measures, and which measures there are.
fn write_key<'a>(record: &FlowRecord, others: impl Iterator<Item = (&'a str, &'a str)>, key: &mut Vec<u8>) {
    key.clear();
    for field in Field::ALL {
        let value = field.get(record);
        if is_measure(field) && !value.is_missing() {
            write_part(field as u8, format_args!(""), key);
        } else if !value.is_missing() {
            write_part(field as u8, format_args!("{value}"), key);
        }
    }
    for (name, value) in others {
        write_part(OTHER, format_args!("{name} {value}"), key);
    }
}

/// Appends a field's number, the length of its text, and the text.
fn write_part(field: u8, text: std::fmt::Arguments<'_>, key: &mut Vec<u8>) {
    key.push(field);
    let length_at = key.len();
    key.extend_from_slice(&[0; 4]);
    // memory takes everything
    let _ = key.write_fmt(text);
    let length = u32::try_from(key.len() - length_at - 4).unwrap_or(u32::MAX);
    if let Some(place) = key.get_mut(length_at..length_at + 4) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

/// The record that a key was made of, without the measures.
fn read_key(mut key: &[u8]) -> FlowRecord {
    let mut record = FlowRecord::default();
    while let Some((field, rest)) = key.split_first() {
        let Some((length, rest)) = rest.split_first_chunk() else { break };
        let Some((text, rest)) = rest.split_at_checked(u32::from_le_bytes(*length) as usize) else { break };
        key = rest;
        let field = Field::ALL.get(usize::from(*field)).filter(|field| !is_measure(**field));
        if let (Some(field), Ok(text)) = (field, std::str::from_utf8(text)) {
            // a value is read back as it was shown
            let _ = field.read(&mut record, text);
        }
    }
    record
}
