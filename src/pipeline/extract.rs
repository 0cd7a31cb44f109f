//! `extract`: captures in, the packets of chosen flows out.
//!
//! Each packet is decoded as a conversion decodes it and looked up by its flow and second. So the packets extracted
//! for a record, converted with the same options, are that record again.

use std::io::{self, Write};

use super::held::{Candidate, HeldFragments};
use super::selection::Verdict;
use super::{Fragments, MeterOptions, PacketSelection, Progress};
use crate::capture::{
    CaptureError, CaptureInput, CaptureWriter, MergeStep, MergedCaptures, PacketOrigin, WriteError,
    WriteFormat,
};
use crate::decode::decode;
use crate::flow::{FlowKey, FlowPattern};
use crate::packet::{CapturedPacket, Fragment, IpPacket, PacketTime, Timestamp};

/// After how many packets progress is reported.
const REPORT_EVERY: u64 = 4096;

/// How packets are read, and how they are written.
#[derive(Clone, Debug, Default)]
pub struct ExtractOptions {
    /// How packets are read: `tunnels`, `fragments`, `filter`, `from`, `until` and `count` (of packets written). The
    /// rest says how packets are put into records and changes nothing here; `dedup` too, so that both sights of a
    /// packet are written.
    pub meter: MeterOptions,
    /// The container that is written; [`WriteFormat::fitting`] the captures, if `None`.
    pub format: Option<WriteFormat>,
    /// After an interruption reading goes on until the inputs end, which is theirs to do soon.
    pub read_after_interrupt: bool,
}

/// What an extraction came to.
#[derive(Debug)]
pub struct Extraction {
    /// Packets read, of any kind.
    pub packets_read: u64,
    /// Packets written.
    pub packets_written: u64,
    /// IP bytes of the packets written, counted as a record's `bytes` are.
    pub ip_bytes_written: u64,
    /// The container that was written.
    pub format: WriteFormat,
    /// What was found for each entry of the selection, by its number.
    pub entries: Vec<Extracted>,
    /// What came near without being wanted.
    pub missed: Missed,
    /// The captures that could not be read to their end, in the order in which that was found. What came before the
    /// damage is written.
    pub failures: Vec<CaptureError>,
    /// Whether it was broken off by [`Progress::interrupt`].
    pub interrupted: bool,
}

/// What was found for one entry of a selection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extracted {
    /// Packets.
    pub packets: u64,
    /// IP bytes.
    pub bytes: u64,
}

/// Packets that were not written although something about them was asked for: what explains an empty result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missed {
    /// Packets of a wanted flow at other times.
    pub other_times: u64,
    /// When the first and the last of them were captured.
    pub other_times_span: Option<(Timestamp, Timestamp)>,
    /// Packets of the other direction of a wanted flow, in its time; counted until the first packet is written.
    pub reversed: u64,
    /// Packets that were wanted but for the filter, `from` or `until`.
    pub left_out: u64,
    /// Packets of a wanted flow that the capture has no time for; such are in no record either.
    pub without_time: u64,
}

/// Why an extraction could not be completed.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// The output could not be written.
    #[error("cannot write the packets")]
    Output(#[source] io::Error),
    /// A packet does not fit the container.
    #[error("packet {number} of `{capture}` cannot be written")]
    Packet {
        /// The packet's number in its capture, from 1.
        number: u64,
        /// The capture, as it was named.
        capture: String,
        /// Why not.
        #[source]
        source: WriteError,
    },
}

/// Reads captures in time order as one and writes the packets that are wanted, as they were captured.
///
/// Packets are written in the order in which they are read, except that with [`Fragments::Track`] a later fragment
/// that comes before its first is written with it, up to 62 s later. A fragment that stays without a first counts
/// under ports `0 0`, as in a record. Packets without a time are in no record and not written.
///
/// A capture that cannot be read to its end is reported in [`Extraction::failures`], and the others go on. What is
/// written is a whole capture also after an interruption.
///
/// # Errors
/// The output cannot be written, or `options.format` cannot hold a packet.
pub fn extract(
    inputs: Vec<CaptureInput>,
    options: &ExtractOptions,
    wanted: &PacketSelection,
    output: impl Write,
    progress: &Progress,
) -> Result<Extraction, ExtractError> {
    let mut captures = MergedCaptures::new(inputs);
    let infos = (0..captures.count()).filter_map(|capture| captures.info(capture));
    let format = options.format.unwrap_or_else(|| WriteFormat::fitting(infos));
    let mut walk = Walk {
        options: &options.meter,
        wanted,
        writer: CaptureWriter::new(output, format),
        held: (options.meter.fragments == Fragments::Track).then(HeldFragments::default),
        extraction: Extraction {
            packets_read: 0,
            packets_written: 0,
            ip_bytes_written: 0,
            format,
            entries: vec![Extracted::default(); wanted.entries()],
            missed: Missed::default(),
            failures: Vec::new(),
            interrupted: false,
        },
    };
    while !walk.has_enough()
        && (options.read_after_interrupt || !progress.is_interrupted())
        && let Some(step) = captures.step()
    {
        match step {
            MergeStep::Packet(capture) => {
                walk.take(&captures, capture, &captures.current())?;
                if walk.extraction.packets_read.is_multiple_of(REPORT_EVERY) {
                    progress.report(walk.extraction.packets_read, captures.bytes_read());
                }
            }
            // whoever reads a live extraction sees what there is
            MergeStep::Paused => walk.writer.flush().map_err(ExtractError::Output)?,
            MergeStep::Failed { error, .. } => walk.extraction.failures.push(error),
        }
    }
    if let Some(mut held) = walk.held.take() {
        held.give_up(&mut |candidate| walk.consider(&captures, candidate))?;
    }
    progress.report(walk.extraction.packets_read, captures.bytes_read());
    walk.writer.finish().map_err(ExtractError::Output)?;
    walk.extraction.interrupted = progress.is_interrupted();
    Ok(walk.extraction)
}

/// The walk's state.
struct Walk<'a, W> {
    options: &'a MeterOptions,
    wanted: &'a PacketSelection,
    writer: CaptureWriter<W>,
    held: Option<HeldFragments>,
    extraction: Extraction,
}

impl<W: Write> Walk<'_, W> {
    /// Whether as many packets as were asked for are written.
    fn has_enough(&self) -> bool {
        self.options.count.is_some_and(|count| self.extraction.packets_written >= count)
    }

    /// Takes the next packet.
    fn take(
        &mut self,
        captures: &MergedCaptures,
        capture: usize,
        packet: &CapturedPacket<'_>,
    ) -> Result<(), ExtractError> {
        self.extraction.packets_read += 1;
        let Ok(ip) = decode(packet, self.options.tunnels) else { return Ok(()) };
        let flow = FlowKey::from(&ip);
        let PacketTime::At(time) = packet.time else {
            let verdict = self.wanted.look_up(&flow, 0, |_| {});
            self.extraction.missed.without_time += u64::from(verdict != Verdict::OtherFlow);
            return Ok(());
        };
        if !self.is_asked_for(time, &ip) {
            let verdict = self.wanted.look_up(&flow, time.seconds(), |_| {});
            self.extraction.missed.left_out += u64::from(verdict == Verdict::Wanted);
            return Ok(());
        }
        let candidate = Candidate { capture, packet: *packet, time, flow, ip_length: ip.ip_length };
        let is_fragment = matches!(ip.fragment, Fragment::First(_) | Fragment::Later(_));
        if is_fragment && let Some(mut held) = self.held.take() {
            let taken = held.take(&candidate, &ip, &mut |candidate| self.consider(captures, candidate));
            self.held = Some(held);
            return taken;
        }
        self.consider(captures, &candidate)
    }

    /// Whether a packet passes `--from`, `--until` and the filter.
    #[inline]
    fn is_asked_for(&self, time: Timestamp, ip: &IpPacket) -> bool {
        let MeterOptions { from, until, filter, .. } = self.options;
        from.is_none_or(|from| time >= from)
            && until.is_none_or(|until| time < until)
            && filter.as_ref().is_none_or(|filter| filter.matches(ip))
    }

    /// Writes a packet if its flow is wanted at its time.
    fn consider(&mut self, captures: &MergedCaptures, candidate: &Candidate<'_>) -> Result<(), ExtractError> {
        if self.has_enough() {
            return Ok(());
        }
        let Candidate { capture, ref packet, time, flow, ip_length } = *candidate;
        let Extraction { entries, missed, packets_written, .. } = &mut self.extraction;
        let bytes = u64::from(ip_length);
        let verdict = self.wanted.look_up(&flow, time.seconds(), |entry| {
            if let Some(found) = entries.get_mut(entry) {
                found.packets += 1;
                found.bytes += bytes;
            }
        });
        match verdict {
            Verdict::Wanted => {}
            Verdict::OtherTime => {
                missed.other_times += 1;
                let (first, last) = missed.other_times_span.unwrap_or((time, time));
                missed.other_times_span = Some((first.min(time), last.max(time)));
                return Ok(());
            }
            Verdict::OtherFlow => {
                // it only explains why nothing was found
                if *packets_written == 0
                    && let Some(reversed) = FlowPattern::from(flow).reversed().flow()
                {
                    let verdict = self.wanted.look_up(&reversed, time.seconds(), |_| {});
                    missed.reversed += u64::from(verdict == Verdict::Wanted);
                }
                return Ok(());
            }
        }
        // of several captures each names the packets that came from it
        let name = if captures.count() > 1 { captures.name(capture) } else { None };
        let interfaces = captures.info(capture).map_or(&[][..], |info| &info.interfaces);
        let interface = interfaces.get(packet.interface as usize);
        self.writer.write(&PacketOrigin { capture, name, interface }, packet).map_err(
            |error| match error {
                WriteError::Output(error) => ExtractError::Output(error),
                source => ExtractError::Packet {
                    number: packet.number,
                    capture: captures.name(capture).unwrap_or_default().to_owned(),
                    source,
                },
            },
        )?;
        self.extraction.packets_written += 1;
        self.extraction.ip_bytes_written += bytes;
        Ok(())
    }
}
