//! Closed windows → rows → batches.

use super::sights::PointNames;
use crate::flow::{WindowIndex, Windows};
use crate::meter::{ClosedWindow, Flow, Meter};
use crate::packet::Timestamp;
use crate::partial::{BatchSink, PartialRow, RowBuilder};
use crate::pipeline::ConvertError;
use crate::pipeline::emit::Written;
use crate::pipeline::workers::Emit;

/// How many rows a batch has at most.
const ROWS: usize = 1 << 15;

/// Hands the flows of closed windows to a sink, as rows.
pub(super) struct PartialEmitter<'a> {
    points: PointNames,
    windows: Option<Windows>,
    first_packet: Option<Timestamp>,
    rows: RowBuilder,
    sink: &'a mut dyn BatchSink,
    written: Written,
}

impl<'a> PartialEmitter<'a> {
    pub(super) fn new(points: PointNames, sink: &'a mut dyn BatchSink) -> Self {
        PartialEmitter {
            points,
            windows: None,
            first_packet: None,
            rows: RowBuilder::new(ROWS),
            sink,
            written: Written::default(),
        }
    }

    pub(super) fn written(&self) -> Written {
        self.written
    }

    /// The time of the packet that was read first.
    pub(super) fn first_packet(&self) -> Option<Timestamp> {
        self.first_packet
    }
}

/// Hands on the rows that were gathered.
fn hand_on(rows: &mut RowBuilder, sink: &mut dyn BatchSink) -> Result<(), ConvertError> {
    if rows.is_empty() {
        return Ok(());
    }
    let batch = rows.finish().map_err(std::io::Error::other).map_err(ConvertError::Write)?;
    sink.batch(&batch).map_err(ConvertError::Write)
}

/// Where a window begins, as near as 64 bits hold; `None` where one window holds everything.
pub(super) fn window_start(windows: &Windows, index: WindowIndex) -> Option<i64> {
    let start = windows.window(index)?.start;
    // only of windows that hold the first or the last possible time
    Some(i64::try_from(start).unwrap_or(if start < 0 { i64::MIN } else { i64::MAX }))
}

impl Emit for PartialEmitter<'_> {
    fn window(&mut self, meter: &Meter, window: &ClosedWindow) -> Result<(), ConvertError> {
        self.points.learn();
        let placement = window.placement();
        let start = self.windows.and_then(|windows| window_start(&windows, placement.window));
        let before = self.written.records;
        let PartialEmitter { points, rows, sink, written, .. } = self;
        meter.for_each_key(window, |flow: &Flow| -> Result<(), ConvertError> {
            let Flow { key, counters } = flow;
            let row = PartialRow {
                window_start: start,
                flow: key.flow,
                direction: key.direction,
                icmp: key.icmp,
                observation_point: points.of(key.point),
                counters: *counters,
            };
            rows.push(&row).map_err(std::io::Error::other).map_err(ConvertError::Write)?;
            written.count(flow);
            if rows.len() < ROWS { Ok(()) } else { hand_on(rows, *sink) }
        })?;
        if placement.late {
            written.late_records += written.records - before;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ConvertError> {
        hand_on(&mut self.rows, self.sink)?;
        self.sink.flush().map_err(ConvertError::Write)
    }

    fn begin(&mut self, windows: Windows, first: Timestamp) {
        (self.windows, self.first_packet) = (Some(windows), Some(first));
    }
}
