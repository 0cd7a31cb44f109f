//! `explain`: packets and the records that they went into.
//!
//! Packets are placed as `convert` places them: by the same decoder, event clock and windows. A capture is read twice,
//! first for what is asked for, then for everything that went into the same records; so it has to be a file.

mod loss;
pub(super) mod placed;
pub(super) mod records;

pub use loss::{Kind, LayerLoss, Loss, loss};
pub use records::{CountedPacket, ExplainedRecord};

use std::path::Path;

use self::placed::{Seen, walk};
use self::records::{RecordKey, Records};
use super::MeterOptions;
use crate::capture::CaptureError;
use crate::dissect::{Layer, dissect};
use crate::flow::{FlowKey, FlowPattern};
use crate::packet::{IpPacket, LinkType, PacketTime, SkipReason};

/// How records are made.
#[derive(Clone, Debug)]
pub struct ExplainOptions {
    /// The interval, its origin, the lateness that is allowed, and which tunnels are opened. Nothing else counts here.
    pub meter: MeterOptions,
    /// Whether the record's format tells apart the directions of one 5-tuple.
    pub with_direction: bool,
}

/// One packet, whole.
#[derive(Clone, Debug)]
pub struct ExplainedPacket {
    /// Its number in the capture, from 1.
    pub number: u64,
    /// Where its record or block begins, in bytes of the uncompressed capture.
    pub offset: u64,
    /// When it was captured.
    pub time: PacketTime,
    /// Its length on the wire, in bytes.
    pub original_length: u32,
    /// What its first header is.
    pub link_type: LinkType,
    /// What was captured of it.
    pub data: Vec<u8>,
    /// The IP packet that counts, or why it is in no record.
    pub decoded: Result<IpPacket, SkipReason>,
    /// Its headers.
    pub layers: Vec<Layer>,
    /// The record that it went into.
    pub record: Option<ExplainedRecord>,
}

/// What an explanation came to.
#[derive(Debug)]
pub struct Explained<T> {
    /// What was asked for.
    pub found: T,
    /// How many packets the capture has, as far as it could be read.
    pub packets_read: u64,
    /// Why the capture could not be read to its end.
    pub failure: Option<CaptureError>,
}

/// Explains the packet of a number, from 1, of a capture; `None` where there is no such packet.
pub fn explain_packet(
    capture: &Path,
    number: u64,
    options: &ExplainOptions,
) -> Explained<Option<ExplainedPacket>> {
    let mut found: Option<(ExplainedPacket, Option<RecordKey>)> = None;
    let walked = walk(capture, &options.meter, |seen| {
        if seen.packet.number == number {
            found = Some((of_packet(seen), RecordKey::of(seen, options.with_direction)));
        }
    });
    let found = found.map(|(mut packet, key)| {
        if let Some(key) = key {
            let mut records = Records::default();
            walk(capture, &options.meter, |seen| {
                if let Some(same) = RecordKey::of(seen, options.with_direction).filter(|same| *same == key) {
                    records.count(same, seen);
                }
            });
            packet.record = records.into_sorted(&walked).pop();
        }
        packet
    });
    Explained { found, packets_read: walked.packets, failure: walked.failure }
}

/// A packet without its record.
pub(super) fn of_packet(seen: &Seen<'_>) -> ExplainedPacket {
    let packet = seen.packet;
    ExplainedPacket {
        number: packet.number,
        offset: packet.offset,
        time: packet.time,
        original_length: packet.original_length,
        link_type: packet.link_type,
        data: packet.data.to_vec(),
        decoded: seen.decoded,
        layers: dissect(packet, seen.decoded.as_ref().ok()),
        record: None,
    }
}

/// Explains the records of a flow, in the order in which they are written.
pub fn explain_flow(
    capture: &Path,
    pattern: &FlowPattern,
    options: &ExplainOptions,
) -> Explained<Vec<ExplainedRecord>> {
    let mut records = Records::default();
    let walked = walk(capture, &options.meter, |seen| {
        let wanted = seen.decoded.is_ok_and(|ip| pattern.matches(&FlowKey::from(&ip)));
        if wanted && let Some(key) = RecordKey::of(seen, options.with_direction) {
            records.count(key, seen);
        }
    });
    let found = records.into_sorted(&walked);
    Explained { found, packets_read: walked.packets, failure: walked.failure }
}
