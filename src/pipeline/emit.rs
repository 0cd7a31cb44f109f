//! Closed windows → records → bytes.

use std::io::{self, Write};

use super::ledger::Ledger;
use super::workers::Emit;
use super::{ConvertError, RecordOptions, RecordSink};
use crate::flow::{WindowIndex, Windows};
use crate::flowlog::text::{LineWriter, write_header_line};
use crate::meter::{ClosedWindow, Flow, Meter};
use crate::packet::{PacketDirection, Timestamp};
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

impl Written {
    /// Enters it into the ledger.
    pub(super) fn account(self, ledger: &mut Ledger) {
        let total = &mut ledger.total;
        (total.records, total.late_records) = (self.records, self.late_records);
        (total.written_packets, total.written_bytes) = (self.packets, self.bytes);
    }

    pub(super) fn count(&mut self, flow: &Flow) {
        self.records += 1;
        self.packets += flow.counters.packets;
        self.bytes += flow.counters.bytes;
    }
}

/// How many flows are made into lines together.
const TOGETHER: usize = 2048;

/// Makes records of flows. One record is kept and filled anew for each.
#[derive(Clone)]
pub(super) struct Records {
    record: FlowRecord,
    /// What the user says of packets whose own direction is not known.
    identity_direction: Option<FlowDirection>,
}

impl Records {
    pub(super) fn new(options: &RecordOptions) -> Records {
        let mut record = options.identity.clone();
        record.action.get_or_insert(Action::Accept);
        Records { identity_direction: record.flow_direction, record }
    }

    #[inline]
    pub(super) fn fill(&mut self, flow: &Flow) -> &FlowRecord {
        self.record.set_flow(&flow.key.flow, &flow.counters);
        self.record.flow_direction = match flow.key.direction {
            PacketDirection::Inbound => Some(FlowDirection::Ingress),
            PacketDirection::Outbound => Some(FlowDirection::Egress),
            PacketDirection::Unknown => self.identity_direction,
        };
        &self.record
    }
}

/// Makes lines of flows.
#[derive(Clone)]
pub(super) struct Lines {
    writer: LineWriter,
    records: Records,
}

impl Lines {
    pub(super) fn new(options: &RecordOptions) -> Lines {
        let records = Records::new(options);
        Lines { writer: LineWriter::new(&options.format, &records.record), records }
    }

    /// Appends the lines of flows.
    pub(super) fn make(&mut self, flows: &[Flow], out: &mut Vec<u8>) {
        for flow in flows {
            self.writer.write(self.records.fill(flow), out);
        }
    }
}

/// Where lines go. Some can make lines themselves.
pub(super) trait Output: Write {
    /// Whether it has nothing else to do than to make lines.
    fn makes_lines(&self) -> bool;

    /// Makes the lines of flows and writes them.
    fn make(&mut self, flows: &[Flow]) -> io::Result<()>;
}

impl<O: Output + ?Sized> Output for &mut O {
    fn makes_lines(&self) -> bool {
        (**self).makes_lines()
    }

    fn make(&mut self, flows: &[Flow]) -> io::Result<()> {
        (**self).make(flows)
    }
}

/// An output on the same thread.
pub(super) struct Direct<W>(pub(super) W);

impl<W: Write> Write for Direct<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<W: Write> Output for Direct<W> {
    fn makes_lines(&self) -> bool {
        false
    }

    /// Is not asked.
    fn make(&mut self, _: &[Flow]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Writes the records of closed windows as lines: the fast way for the common case.
pub(super) struct Emitter<W> {
    lines: Lines,
    with_direction: bool,
    flows: Vec<Flow>,
    buffer: Vec<u8>,
    output: W,
    written: Written,
}

/// Whether records in this format tell apart the directions of one 5-tuple.
pub(super) fn shows_direction(format: &LogFormat) -> bool {
    format.contains(Field::FlowDirection)
}

impl<W: Output> Emitter<W> {
    pub(super) fn new(options: &RecordOptions, output: W) -> Self {
        let mut buffer = Vec::with_capacity(BUFFER + 4096);
        if options.header {
            write_header_line(&options.format, &mut buffer);
        }
        Emitter {
            lines: Lines::new(options),
            with_direction: shows_direction(&options.format),
            flows: Vec::with_capacity(TOGETHER),
            buffer,
            output,
            written: Written::default(),
        }
    }

    /// Makes the lines of the flows that wait, or has them made.
    fn make(&mut self) -> io::Result<()> {
        if self.flows.len() == TOGETHER && self.output.makes_lines() {
            self.write()?;
            self.output.make(&self.flows)?;
        } else {
            self.lines.make(&self.flows, &mut self.buffer);
            if self.buffer.len() >= BUFFER {
                self.write()?;
            }
        }
        self.flows.clear();
        Ok(())
    }

    fn write(&mut self) -> io::Result<()> {
        if !self.buffer.is_empty() {
            self.output.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    pub(super) fn written(&self) -> Written {
        self.written
    }
}

impl<W: Output> Emit for Emitter<W> {
    fn window(&mut self, meter: &Meter, window: &ClosedWindow) -> Result<(), ConvertError> {
        let before = self.written.records;
        meter.for_each_flow(window, self.with_direction, |flow| -> Result<(), ConvertError> {
            self.written.count(flow);
            self.flows.push(*flow);
            if self.flows.len() < TOGETHER { Ok(()) } else { self.make().map_err(ConvertError::Write) }
        })?;
        self.make().map_err(ConvertError::Write)?;
        if window.placement().late {
            self.written.late_records += self.written.records - before;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ConvertError> {
        self.write().and_then(|()| self.output.flush()).map_err(ConvertError::Write)
    }
}

/// Hands the records of closed windows to a sink.
pub(super) struct RecordEmitter<S> {
    records: Records,
    with_direction: bool,
    windows: Option<Windows>,
    /// The windows below it are closed.
    passed: WindowIndex,
    sink: S,
    written: Written,
}

impl<S: RecordSink> RecordEmitter<S> {
    pub(super) fn new(options: &RecordOptions, sink: S) -> Self {
        RecordEmitter {
            records: Records::new(options),
            with_direction: shows_direction(&options.format),
            windows: None,
            passed: WindowIndex(i64::MIN),
            sink,
            written: Written::default(),
        }
    }

    pub(super) fn written(&self) -> Written {
        self.written
    }
}

impl<S: RecordSink> Emit for RecordEmitter<S> {
    fn window(&mut self, meter: &Meter, window: &ClosedWindow) -> Result<(), ConvertError> {
        let before = self.written.records;
        self.sink.begin_window(window.placement());
        meter.for_each_flow(window, self.with_direction, |flow| -> Result<(), ConvertError> {
            self.written.count(flow);
            self.sink.record(self.records.fill(flow)).map_err(ConvertError::Write)
        })?;
        if window.placement().late {
            self.written.late_records += self.written.records - before;
        }
        self.sink.end_of_window().map_err(ConvertError::Write)
    }

    fn flush(&mut self) -> Result<(), ConvertError> {
        tell_passed(&mut self.sink, self.windows, self.passed)?;
        self.sink.flush().map_err(ConvertError::Write)
    }

    fn begin(&mut self, windows: Windows, first: Timestamp) {
        self.windows = Some(windows);
        self.sink.begin(windows, first);
    }

    fn closing(&mut self, passed: WindowIndex) {
        self.passed = passed;
    }
}

/// Tells a sink that the windows below `passed` have been written.
pub(super) fn tell_passed(
    sink: &mut impl RecordSink,
    windows: Option<Windows>,
    passed: WindowIndex,
) -> Result<(), ConvertError> {
    let begins = windows.and_then(|windows| windows.window(passed)).map(|window| window.start);
    match begins.and_then(|nanos| i64::try_from(nanos.div_euclid(1_000_000_000)).ok()) {
        Some(second) => sink.passed(second).map_err(ConvertError::Write),
        None => Ok(()),
    }
}
