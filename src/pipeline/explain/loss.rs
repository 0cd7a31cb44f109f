//! What a whole capture loses when it becomes a flow log.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use super::placed::walk;
use super::{ExplainOptions, Explained};
use crate::capture::CaptureInput;
use crate::dissect::{Fate, Layer, dissect};
use crate::packet::{CapturedPacket, IpPacket, LinkType, Protocol, SkipReason};
use crate::pipeline::{ConvertError, Progress, RecordOptions, convert};
use crate::record::{Field, LogFormat};

/// Bytes and facts before and after.
#[derive(Clone, Debug)]
pub struct Loss {
    /// Packets of the capture.
    pub packets: u64,
    /// Those that are in records.
    pub packets_in_records: u64,
    /// The frames' lengths on the wire, in bytes.
    pub wire_bytes: u64,
    /// What was captured of them, in bytes.
    pub captured_bytes: u64,
    /// The IP lengths that records add up, in bytes.
    pub ip_bytes: u64,
    /// Records.
    pub records: u64,
    /// The records' lines, in bytes.
    pub record_bytes: u64,
    /// The kinds of packets, the most frequent first.
    pub kinds: Vec<Kind>,
}

/// Packets of one kind: the same link type, IP version and protocol.
#[derive(Clone, Debug)]
pub struct Kind {
    /// How many.
    pub packets: u64,
    /// The facts of the first of them, layer by layer.
    pub layers: Vec<LayerLoss>,
}

/// The facts of a layer: header fields, and payload as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerLoss {
    /// The layer.
    pub name: &'static str,
    /// How many facts it holds.
    pub facts: usize,
    /// How many of them are values of the record.
    pub kept: usize,
    /// How many of them are added to a value of the record.
    pub summed: usize,
}

impl LayerLoss {
    /// What a log format has of a layer.
    pub fn of(layer: &Layer, format: &LogFormat) -> LayerLoss {
        let mut loss = LayerLoss { name: layer.name, facts: 0, kept: 0, summed: 0 };
        for part in layer.parts.iter().filter(|part| part.value.is_some()) {
            loss.facts += part.facts;
            match part.fate {
                Fate::Kept(fields) => {
                    loss.kept += usize::from(fields.iter().any(|field| format.contains(*field)));
                }
                Fate::Summed(field) => loss.summed += usize::from(format.contains(field)),
                Fate::Steers | Fate::Lost => {}
            }
        }
        loss
    }

    /// The time of a packet: a fact of the capture, of which a record has the earliest and the latest.
    pub fn of_time(format: &LogFormat, is_in_record: bool) -> LayerLoss {
        let is_shown = format.contains(Field::Start) || format.contains(Field::End);
        let summed = usize::from(is_in_record && is_shown);
        LayerLoss { name: "time", facts: 1, kept: 0, summed }
    }
}

/// What tells kinds of packets apart.
type KindKey = (LinkType, Option<(bool, Protocol)>, Option<SkipReason>);

/// How many kinds are told apart at most; the others are counted with the last.
const KINDS: usize = 64;

/// Counts what a capture loses.
///
/// # Errors
/// As [`convert`], which makes the records that are counted.
pub fn loss(
    capture: &Path,
    options: &ExplainOptions,
    records: &RecordOptions,
) -> Result<Explained<Loss>, ConvertError> {
    let mut written = Written(0);
    let inputs = vec![CaptureInput::Path(capture.to_owned())];
    let conversion = convert(inputs, &options.meter, records, &mut written, false, &Progress::new())?;
    let total = &conversion.ledger.total;
    let mut loss = Loss {
        packets: total.tally.packets_read,
        packets_in_records: total.tally.packets_in_records,
        wire_bytes: 0,
        captured_bytes: 0,
        ip_bytes: total.written_bytes,
        records: total.records,
        record_bytes: written.0,
        kinds: Vec::new(),
    };
    let mut kinds: BTreeMap<KindKey, Kind> = BTreeMap::new();
    let walked = walk(capture, &options.meter, |seen| {
        loss.wire_bytes += u64::from(seen.packet.original_length);
        loss.captured_bytes += seen.packet.data.len() as u64;
        let key = kind(seen.packet, &seen.decoded);
        if let Some(kind) = kinds.get_mut(&key) {
            kind.packets += 1;
        } else if kinds.len() < KINDS {
            let layers = dissect(seen.packet, seen.decoded.as_ref().ok());
            let mut layers: Vec<LayerLoss> =
                layers.iter().map(|layer| LayerLoss::of(layer, &records.format)).collect();
            layers.insert(
                0,
                LayerLoss::of_time(&records.format, seen.decoded.is_ok() && seen.placed.is_some()),
            );
            kinds.insert(key, Kind { packets: 1, layers });
        } else if let Some((_, last)) = kinds.iter_mut().next_back() {
            last.packets += 1;
        }
    });
    loss.kinds = kinds.into_values().collect();
    loss.kinds.sort_by_key(|kind| std::cmp::Reverse(kind.packets));
    Ok(Explained { found: loss, packets_read: walked.packets, failure: walked.failure })
}

fn kind(packet: &CapturedPacket<'_>, decoded: &Result<IpPacket, SkipReason>) -> KindKey {
    let ip = decoded.map(|ip| (ip.srcaddr.is_ipv4(), ip.protocol));
    (packet.link_type, ip.ok(), decoded.err())
}

/// Counts bytes.
struct Written(u64);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
