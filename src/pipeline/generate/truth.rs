//! `truth.json`: what is true of every flow at every interface.
//!
//! As long as there are few, they are kept and written in order; where there are many, they are written as they come.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::net::IpAddr;
use std::path::Path;

use serde::Serialize;

use super::WriteScenarioError;
use super::files::at;
use crate::flow::FlowCounters;
use crate::generate::{Outcome, Scenario, Truth};
use crate::packet::{Protocol, Timestamp};
use crate::record::LogFormat;

/// The file's name.
pub(super) const NAME: &str = "truth.json";

/// How many flows are kept to be sorted.
const KEPT: usize = 1 << 16;

type Result<T> = std::result::Result<T, WriteScenarioError>;

/// One flow at one interface, under AWS's names.
#[derive(Serialize)]
struct Flow<'a> {
    srcaddr: IpAddr,
    dstaddr: IpAddr,
    srcport: u16,
    dstport: u16,
    protocol: u8,
    interface: &'a str,
    direction: &'static str,
    action: &'static str,
    logged: bool,
    first_station: bool,
    sent: Counts,
    captured: Option<Counts>,
}

/// What was counted.
#[derive(Serialize)]
struct Counts {
    packets: u64,
    bytes: u64,
    /// Seconds since 1970, in whole microseconds.
    first: f64,
    last: f64,
    tcp_flags: Option<u8>,
}

/// What the capture holds.
#[derive(Serialize)]
struct CaptureFacts<'a> {
    files: &'a [String],
    packets: u64,
    lost: u64,
}

/// What the log holds.
#[derive(Serialize)]
struct LogFacts<'a> {
    file: &'a str,
    records: u64,
    interval: i64,
    format: String,
}

/// The file.
pub(super) struct TruthFile {
    output: BufWriter<File>,
    kept: Vec<Truth>,
    written: u64,
    interfaces: Vec<String>,
}

fn seconds(time: Timestamp) -> f64 {
    (time.nanos() / 1000) as f64 / 1e6
}

impl Counts {
    fn of(counters: &FlowCounters, protocol: Protocol) -> Counts {
        Counts {
            packets: counters.packets,
            bytes: counters.bytes,
            first: seconds(counters.first),
            last: seconds(counters.last),
            tcp_flags: (protocol == Protocol::TCP).then_some(counters.tcp_flags.0),
        }
    }
}

fn json(value: &impl Serialize) -> String {
    // plain structs of numbers and text always become JSON
    serde_json::to_string(value).unwrap_or_default()
}

impl TruthFile {
    pub(super) fn create(folder: &Path, scenario: &Scenario) -> Result<TruthFile> {
        let mut file = TruthFile {
            output: BufWriter::new(at(NAME, File::create(folder.join(NAME)))?),
            kept: Vec::new(),
            written: 0,
            interfaces: scenario.network.interfaces.iter().map(|interface| interface.id.clone()).collect(),
        };
        let head = format!(
            "{{\"scenario\":{},\"title\":{},\"seed\":{},\"begin\":{},\n\"flows\":[",
            json(&scenario.name),
            json(&scenario.title),
            scenario.seed,
            json(&seconds(scenario.begin)),
        );
        file.write(&head)?;
        Ok(file)
    }

    fn write(&mut self, text: &str) -> Result<()> {
        at(NAME, self.output.write_all(text.as_bytes()))
    }

    pub(super) fn take(&mut self, truth: &Truth) -> Result<()> {
        // nothing passed there
        if truth.sent.packets == 0 {
            return Ok(());
        }
        if self.written > 0 {
            return self.write_flow(truth);
        }
        self.kept.push(*truth);
        if self.kept.len() > KEPT { self.write_kept() } else { Ok(()) }
    }

    fn write_kept(&mut self) -> Result<()> {
        let mut kept = std::mem::take(&mut self.kept);
        kept.sort_by_key(|truth| truth.observed);
        kept.iter().try_for_each(|truth| self.write_flow(truth))
    }

    fn write_flow(&mut self, truth: &Truth) -> Result<()> {
        let observed = &truth.observed;
        let flow = &observed.flow;
        let text = json(&Flow {
            srcaddr: flow.srcaddr,
            dstaddr: flow.dstaddr,
            srcport: flow.srcport,
            dstport: flow.dstport,
            protocol: flow.protocol.0,
            interface: self.interfaces.get(observed.interface).map_or("-", String::as_str),
            direction: if observed.egress { "egress" } else { "ingress" },
            action: observed.action.as_str(),
            logged: observed.logged,
            first_station: observed.first_station,
            sent: Counts::of(&truth.sent, flow.protocol),
            captured: (truth.captured.packets > 0).then(|| Counts::of(&truth.captured, flow.protocol)),
        });
        let comma = if self.written == 0 { "" } else { "," };
        self.written += 1;
        self.write(&format!("{comma}\n{text}"))
    }

    /// Writes the rest; gives how many flows there are.
    pub(super) fn finish(
        &mut self,
        scenario: &Scenario,
        outcome: Outcome,
        captures: &[String],
        (log, records, format): (&str, u64, &LogFormat),
    ) -> Result<u64> {
        self.write_kept()?;
        let capture =
            CaptureFacts { files: captures, packets: outcome.captured_frames, lost: outcome.lost_frames };
        let log =
            LogFacts { file: log, records, interval: scenario.log.interval, format: format.to_string() };
        let tail = format!(
            "\n],\n\"end\":{},\n\"sent_packets\":{},\n\"capture\":{},\n\"log\":{},\n\"expected\":{}}}\n",
            json(&seconds(outcome.end)),
            outcome.sent_packets,
            json(&capture),
            json(&log),
            json(&scenario.expected),
        );
        self.write(&tail)?;
        at(NAME, self.output.flush())?;
        Ok(self.written)
    }
}
