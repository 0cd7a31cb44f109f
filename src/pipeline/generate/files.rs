//! The files of a scenario, written as it yields them.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::truth::TruthFile;
use super::{Container, GenerateOptions, Generated, WriteScenarioError};
use crate::capture::{CaptureWriter, PacketOrigin, WriteError, WriteFormat};
use crate::flowlog::text::{write_header_line, write_record_line};
use crate::generate::{Outcome, RecordContext, Scenario, Truth, Yield};
use crate::packet::{CapturedPacket, LinkType, PacketDirection, PacketTime, Timestamp};
use crate::pipeline::Progress;
use crate::pipeline::vpc::Shown;
use crate::record::{FlowRecord, LogFormat};
use crate::vpc::{InterfaceIndex, PathEdition, Peer, Vpc, VpcModel};

/// How many bytes of the log are gathered before they are written.
const BUFFER: usize = 256 << 10;

/// How many frames, or records, go between two looks at whether to stop.
const FRAMES: u64 = 4096;

type Result<T> = std::result::Result<T, WriteScenarioError>;

/// The open files.
pub(super) struct Files<'a> {
    folder: PathBuf,
    progress: &'a Progress,
    capture: Captures,
    log: Log,
    truth: TruthFile,
    /// What was written besides.
    others: Vec<String>,
}

/// The capture, or the captures one after another.
struct Captures {
    format: WriteFormat,
    split: Option<u64>,
    writer: CaptureWriter<File>,
    names: Vec<String>,
    frames: u64,
    /// Bytes of the capture that is written.
    bytes: u64,
    /// Bytes of those before.
    bytes_before: u64,
    last: Timestamp,
}

/// The flow log.
struct Log {
    file: File,
    format: LogFormat,
    buffer: Vec<u8>,
    records: u64,
    shown: Shown,
    vpc: Vpc,
    /// A record that is filled in over and over, where the format shows what only the VPC knows.
    filled: FlowRecord,
}

/// The log's name.
const LOG: &str = "flow.log";

pub(super) fn at<T>(name: &str, result: io::Result<T>) -> Result<T> {
    result.map_err(|source| WriteScenarioError::File { name: name.to_owned(), source })
}

impl<'a> Files<'a> {
    pub(super) fn create(
        folder: &Path,
        scenario: &Scenario,
        model: &VpcModel,
        options: &GenerateOptions,
        progress: &'a Progress,
    ) -> Result<Files<'a>> {
        let others = write_vpc(folder, model)?;
        let is_pcapng = options.container == Container::Pcapng || scenario.capture.loss > 0.0;
        let format = if is_pcapng { WriteFormat::Pcapng } else { WriteFormat::Pcap(LinkType(1)) };
        let mut buffer = Vec::with_capacity(BUFFER + 4096);
        let log_format = scenario.log.format.clone();
        if options.header {
            write_header_line(&log_format, &mut buffer);
        }
        Ok(Files {
            capture: Captures::create(folder, format, options.split)?,
            log: Log {
                file: at(LOG, File::create(folder.join(LOG)))?,
                shown: Shown::new(&log_format),
                format: log_format,
                buffer,
                records: 0,
                vpc: Vpc::new(model.clone()),
                filled: FlowRecord::default(),
            },
            truth: TruthFile::create(folder, scenario)?,
            folder: folder.to_owned(),
            progress,
            others,
        })
    }

    /// Whether records show anything that depends on the packets' own addresses.
    pub(super) fn shows_packets(&self) -> bool {
        self.log.shown.packet_addresses
    }

    pub(super) fn finish(mut self, scenario: &Scenario, outcome: Outcome) -> Result<Generated> {
        self.capture.finish(&outcome)?;
        self.log.drain()?;
        let records = self.log.records;
        let flows =
            self.truth.finish(scenario, outcome, &self.capture.names, (LOG, records, &self.log.format))?;
        let mut files = self.capture.names;
        let capture_bytes = files
            .iter()
            .map(|name| at(name, fs::metadata(self.folder.join(name))).map(|metadata| metadata.len()))
            .sum::<Result<u64>>()?;
        files.push(LOG.to_owned());
        files.push(super::truth::NAME.to_owned());
        files.append(&mut self.others);
        Ok(Generated { outcome, files, capture_bytes, records, flows })
    }
}

impl Yield for Files<'_> {
    type Error = WriteScenarioError;

    #[inline]
    fn frame(&mut self, time: Timestamp, kept: &[u8], original: u32) -> Result<()> {
        self.capture.write(&self.folder, time, kept, original)?;
        if self.capture.frames.is_multiple_of(FRAMES) {
            self.progress.report(self.capture.frames, self.capture.bytes_before + self.capture.bytes);
            if self.progress.is_interrupted() {
                return Err(WriteScenarioError::Interrupted);
            }
        }
        Ok(())
    }

    fn record(&mut self, record: &FlowRecord, context: RecordContext) -> Result<()> {
        // a log may go on for long without a frame
        if self.log.records.is_multiple_of(FRAMES) && self.progress.is_interrupted() {
            return Err(WriteScenarioError::Interrupted);
        }
        self.log.write(record, context)
    }

    fn truth(&mut self, truth: &Truth) -> Result<()> {
        self.truth.take(truth)
    }
}

impl Captures {
    fn create(folder: &Path, format: WriteFormat, split: Option<u64>) -> Result<Captures> {
        let name = name(format, split.map(|_| 0));
        let file = at(&name, File::create(folder.join(&name)))?;
        Ok(Captures {
            format,
            split,
            writer: CaptureWriter::new(file, format),
            names: vec![name],
            frames: 0,
            bytes: 0,
            bytes_before: 0,
            last: Timestamp::default(),
        })
    }

    fn name(&self) -> &str {
        self.names.last().map_or("", String::as_str)
    }

    #[inline]
    fn write(&mut self, folder: &Path, time: Timestamp, kept: &[u8], original: u32) -> Result<()> {
        if self.split.is_some_and(|split| self.bytes >= split) {
            self.next(folder)?;
        }
        self.frames += 1;
        // what a record or a block adds is near enough for where to split
        self.bytes += kept.len() as u64 + 16;
        self.last = time;
        let packet = CapturedPacket {
            number: self.frames,
            offset: 0,
            time: PacketTime::At(time),
            original_length: original,
            link_type: LinkType(1),
            interface: 0,
            direction: PacketDirection::Unknown,
            data: kept,
        };
        self.writer.write(&PacketOrigin::default(), &packet).map_err(|error| {
            let source = match error {
                WriteError::Output(error) => error,
                other => io::Error::other(other),
            };
            WriteScenarioError::File { name: self.name().to_owned(), source }
        })
    }

    #[cold]
    fn next(&mut self, folder: &Path) -> Result<()> {
        let name = name(self.format, Some(self.names.len()));
        let file = at(&name, File::create(folder.join(&name)))?;
        let mut writer = std::mem::replace(&mut self.writer, CaptureWriter::new(file, self.format));
        at(self.name(), writer.flush())?;
        self.names.push(name);
        self.bytes_before += std::mem::take(&mut self.bytes);
        Ok(())
    }

    fn finish(&mut self, outcome: &Outcome) -> Result<()> {
        if outcome.lost_frames > 0 {
            let received = outcome.captured_frames + outcome.lost_frames;
            let written = self.writer.write_statistics(0, self.last, received, outcome.lost_frames);
            at(self.names.last().map_or("", String::as_str), written)?;
        }
        at(self.names.last().map_or("", String::as_str), self.writer.flush())
    }
}

/// A capture's name; of several with its number.
fn name(format: WriteFormat, number: Option<usize>) -> String {
    let extension = if format == WriteFormat::Pcapng { "pcapng" } else { "pcap" };
    match number {
        Some(number) => format!("capture.{number:05}.{extension}"),
        None => format!("capture.{extension}"),
    }
}

impl Log {
    fn write(&mut self, record: &FlowRecord, context: RecordContext) -> Result<()> {
        let record = if self.shown.packet_addresses && record.packets.is_some() {
            self.filled.clone_from(record);
            let index = |at: usize| InterfaceIndex(u32::try_from(at).unwrap_or(u32::MAX));
            let peer = context.peer.map(|at| Peer { interface: index(at), by_mac: true });
            let own = Some(index(context.interface));
            let edition = PathEdition::Current;
            self.shown.fill(&mut self.filled, &self.vpc, own, context.egress, peer, edition);
            &self.filled
        } else {
            record
        };
        write_record_line(&self.format, record, &mut self.buffer);
        self.records += 1;
        if self.buffer.len() >= BUFFER { self.drain() } else { Ok(()) }
    }

    fn drain(&mut self) -> Result<()> {
        at(LOG, self.file.write_all(&self.buffer))?;
        self.buffer.clear();
        Ok(())
    }
}

/// Writes the VPC's descriptions.
fn write_vpc(folder: &Path, model: &VpcModel) -> Result<Vec<String>> {
    at("vpc", fs::create_dir(folder.join("vpc")))?;
    let mut names = Vec::new();
    for (file, document) in model.to_aws_json() {
        let name = format!("vpc/{file}");
        let mut output = BufWriter::new(at(&name, File::create(folder.join(&name)))?);
        let written = serde_json::to_writer_pretty(&mut output, &document).map_err(io::Error::from);
        at(&name, written.and_then(|()| output.write_all(b"\n")).and_then(|()| output.flush()))?;
        names.push(name);
    }
    Ok(names)
}
