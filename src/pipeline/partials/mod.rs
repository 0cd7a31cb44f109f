//! Captures → partial records, and partial records → the records of all captures together.
//!
//! [`convert_to_partials`] walks captures as `convert` does and writes the flows of closed windows by their whole keys.
//! [`MergedPartials`] adds rows up in the same flow tables, and writes records with the same emitters, so that every byte
//! is as if one conversion had read all captures.

mod complete;
mod emit;
mod input;
mod ledger;
mod merge;
mod options;
mod sights;

use std::io;

use super::convert::Reading;
use super::workers::Worker;
use super::{Conversion, ConvertError, MeterOptions, Progress};
use crate::capture::CaptureInput;
use crate::partial::{BatchSink, Closing, PartialKeys};
pub use complete::{RowsError, records_of_rows};
use emit::PartialEmitter;
pub use input::PartialInput;
pub use merge::{MergeError, Merged, MergedPartials};
pub use options::{NotInParts, opening};
pub(super) use sights::PartialSights;

/// Reads captures in time order as one and hands partial records to a sink: one row for each window and metering key, and
/// a further one where packets came late.
///
/// The [`opening`] of these captures and options belongs in front of the rows. The sink is finished unless reading was
/// broken off before its end.
///
/// # Errors
/// As [`convert`](super::convert()).
pub fn convert_to_partials(
    inputs: Vec<CaptureInput>,
    meter: &MeterOptions,
    keys: PartialKeys,
    sink: &mut dyn BatchSink,
    write_after_interrupt: bool,
    progress: &Progress,
) -> Result<Conversion, ConvertError> {
    let names = inputs.iter().map(options::name).collect();
    let (sights, points) = PartialSights::new(keys, names);
    let worker = Worker::new(PartialEmitter::new(points, &mut *sink), meter.table_memory());
    let reading = Reading { meter, with_direction: true, interfaces: None, partials: Some(sights) };
    let (mut conversion, worker) = reading.walk(inputs, worker, write_after_interrupt, progress);
    let write_open_windows = !conversion.interrupted || write_after_interrupt;
    let emitter = worker.finish(write_open_windows)?;
    let (written, first_packet) = (emitter.written(), emitter.first_packet());
    written.account(&mut conversion.ledger);
    if write_open_windows {
        let ledger = serde_json::to_string(&conversion.ledger).map_err(io::Error::from);
        let ledger = ledger.map_err(ConvertError::Write)?;
        let closing = Closing { ledger, rows: written.records, first_packet };
        sink.finish(&closing).map_err(ConvertError::Write)?;
    }
    Ok(conversion)
}
