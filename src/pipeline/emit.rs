//! Closed windows → records → bytes.

use std::io::Write;

use super::{ConvertError, RecordOptions};
use crate::flowlog::text::{LineWriter, write_header_line};
use crate::meter::{ClosedWindow, Flow, Meter};
use crate::packet::PacketDirection;
use crate::record::{Action, Field, FlowDirection, FlowRecord, LogFormat};

/// How many bytes are gathered before they are written.
const BUFFER: usize = 256 * 1024;

/// What was written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Written {
    pub(super) records: u64,
    pub(super) late_records: u64,
    pub(super) packets: u64,
    pub(super) bytes: u64,
}

/// Writes the records of closed windows. One record is kept and filled anew for each flow.
pub(super) struct Emitter<W> {
    lines: LineWriter,
    with_direction: bool,
    record: FlowRecord,
    /// What the user says of packets whose own direction is not known.
    identity_direction: Option<FlowDirection>,
    buffer: Vec<u8>,
    output: W,
    written: Written,
}

/// Whether records in this format tell apart the directions of one 5-tuple.
pub(super) fn shows_direction(format: &LogFormat) -> bool {
    format.contains(Field::FlowDirection)
}

impl<W: Write> Emitter<W> {
    pub(super) fn new(options: &RecordOptions, output: W) -> Self {
        let mut record = options.identity.clone();
        record.action.get_or_insert(Action::Accept);
        let mut buffer = Vec::with_capacity(BUFFER + 4096);
        if options.header {
            write_header_line(&options.format, &mut buffer);
        }
        Emitter {
            lines: LineWriter::new(&options.format, &record),
            with_direction: shows_direction(&options.format),
            identity_direction: record.flow_direction,
            record,
            buffer,
            output,
            written: Written::default(),
        }
    }

    /// Writes the records of a window.
    pub(super) fn window(&mut self, meter: &Meter, window: &ClosedWindow) -> Result<(), ConvertError> {
        let before = self.written.records;
        meter.for_each_flow(window, self.with_direction, |flow| -> Result<(), ConvertError> {
            self.fill(flow);
            self.lines.write(&self.record, &mut self.buffer);
            self.written.records += 1;
            self.written.packets += flow.counters.packets;
            self.written.bytes += flow.counters.bytes;
            if self.buffer.len() < BUFFER {
                return Ok(());
            }
            self.output.write_all(&self.buffer).map_err(ConvertError::Write)?;
            self.buffer.clear();
            Ok(())
        })?;
        if window.placement().late {
            self.written.late_records += self.written.records - before;
        }
        Ok(())
    }

    fn fill(&mut self, flow: &Flow) {
        let record = &mut self.record;
        record.set_flow(&flow.key.flow, &flow.counters);
        record.flow_direction = match flow.key.direction {
            PacketDirection::Inbound => Some(FlowDirection::Ingress),
            PacketDirection::Outbound => Some(FlowDirection::Egress),
            PacketDirection::Unknown => self.identity_direction,
        };
    }

    /// Hands everything written so far to whoever reads the output.
    pub(super) fn flush(&mut self) -> Result<(), ConvertError> {
        self.output
            .write_all(&self.buffer)
            .and_then(|()| self.output.flush())
            .map_err(ConvertError::Write)?;
        self.buffer.clear();
        Ok(())
    }

    pub(super) fn written(&self) -> Written {
        self.written
    }
}
