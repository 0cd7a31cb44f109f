//! Partial records → flow tables → the records of all captures together.
//!
//! All rows are added up before the first record is written: a row of any window may come last. What does not fit the
//! memory goes to the temporary file, as flows of a conversion do.
//!
//! Nothing is written unless every part is whole: its rows are as many as it says, and count what its ledger says.

use std::collections::HashMap;
use std::io::Write;

use super::emit::window_start;
use super::input::PartialInput;
use super::ledger::PartLedger;
use crate::flow::{MeteringKey, Windows};
use crate::meter::{Batch, Meter, Placement, SpillError};
use crate::packet::Timestamp;
use crate::partial::{
    Closing, Opening, PartialError, PartialErrorKind, PartialReader, PartialRow, RecordBatch, Rows, Setting,
    Settings,
};
use crate::pipeline::convert::in_background;
use crate::pipeline::emit::{Emitter, RecordEmitter, Written};
use crate::pipeline::ledger::{DUPLICATES_NAMED, Ledger};
use crate::pipeline::workers::Emit;
use crate::pipeline::{Conversion, ConvertError, MeterOptions, Progress, RecordOptions, RecordSink};

/// Why partial records cannot be merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// One of them cannot be read.
    #[error(transparent)]
    Partial(#[from] PartialError),
    /// They were counted with different settings.
    #[error(
        "`{second}` was made with `{} {}`, and `{first}` with `{} {}`: their rows do not add up",
        difference.option, difference.second, difference.option, difference.first
    )]
    Mixed {
        /// The part that was read first.
        first: String,
        /// The part that differs from it.
        second: String,
        /// What differs.
        difference: Setting,
    },
    /// Two of them are of the same packets.
    #[error("`{second}` holds the same packets as `{first}`: the same captures, with the same counts")]
    Twice {
        /// The part that was read first.
        first: String,
        /// The part with the same packets.
        second: String,
    },
    /// Counts that 64 bits do not hold.
    #[error("with `{name}` there are more {what} than can be counted")]
    Overflow {
        /// The part with which they became too many.
        name: String,
        /// Packets or bytes.
        what: &'static str,
    },
    /// The flows outgrew the memory, and the temporary directory could not take them.
    #[error(transparent)]
    Spill(#[from] SpillError),
}

impl MergeError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            MergeError::Partial(error) => error.hint(),
            MergeError::Mixed { .. } => Some("convert one of them again, with the options of the other"),
            MergeError::Twice { .. } => Some("name each part once"),
            MergeError::Overflow { .. } => Some("merge fewer at once"),
            MergeError::Spill(_) => {
                Some("set `TMPDIR` to a directory with more room, or raise `--memory-limit`")
            }
        }
    }
}

/// What merging came to.
pub struct Merged {
    /// The rows, added up; `None` where merging was interrupted.
    pub partials: Option<MergedPartials>,
    /// The captures that had not been read to their end when the parts were made, and why.
    pub cut: Vec<(String, String)>,
    /// How many parts there are.
    pub parts: u64,
    /// How many rows they have.
    pub rows: u64,
}

/// The rows of all parts, added up.
pub struct MergedPartials {
    meter: Meter,
    windows: Windows,
    first_packet: Option<Timestamp>,
    ledger: Ledger,
}

/// How parts are added up.
struct Merger<'a> {
    options: &'a MeterOptions,
    meter: Meter,
    batch: Batch,
    /// The first part: its name, and what it says.
    first: Option<(String, Opening)>,
    /// Each part's name, by what it is of.
    parts: HashMap<String, String>,
    ledger: Ledger,
    first_packet: Option<Timestamp>,
    /// The earliest packet of all rows.
    earliest: Option<Timestamp>,
    packets: u64,
    bytes: u64,
    rows: u64,
}

impl MergedPartials {
    /// Reads partial records and adds them up. Of the options only the memory, the threads and the addresses of the
    /// interface count; the others are what the parts say.
    ///
    /// # Errors
    /// Where a part cannot be read, is damaged, differs from the first in what changes the counts, or is of the same
    /// packets as another.
    pub fn read(
        inputs: Vec<PartialInput>,
        options: &MeterOptions,
        progress: &Progress,
    ) -> Result<Merged, MergeError> {
        let mut merger = Merger::new(options);
        let mut merged = Merged { partials: None, cut: Vec::new(), parts: 0, rows: 0 };
        for input in inputs {
            if !merger.part(input.open()?, &mut merged.cut, progress)? {
                return Ok(merged);
            }
            merged.parts += 1;
        }
        merged.rows = merger.rows;
        let Merger { meter, first, mut ledger, first_packet, .. } = merger;
        ledger.duplicates.sort_by(|a, b| {
            b.packets.cmp(&a.packets).then_with(|| (&a.first, &a.second).cmp(&(&b.first, &b.second)))
        });
        ledger.duplicates.truncate(DUPLICATES_NAMED);
        ledger.add_up();
        let windows = first
            .map_or_else(|| options.windows(Timestamp::from_nanos(0)), |(_, part)| part.settings.windows());
        merged.partials = Some(MergedPartials { meter, windows, first_packet, ledger });
        Ok(merged)
    }

    /// Adds up rows that were counted with these settings and that an engine has brought together: `name` says whose they
    /// are, for messages. Without the ends of parts there is no ledger of theirs to hold the rows against, so the
    /// conversion's has nothing but what was written.
    ///
    /// # Errors
    /// Where a row cannot be, where counts outgrow 64 bits, or where the temporary file fails.
    pub fn of_rows<E: From<MergeError>>(
        name: &str,
        settings: &Settings,
        batches: impl IntoIterator<Item = Result<RecordBatch, E>>,
        options: &MeterOptions,
    ) -> Result<MergedPartials, E> {
        let mut merger = Merger::new(options);
        let windows = settings.windows();
        for batch in batches {
            let batch = batch?;
            merger.rows(name, &batch, &windows, merger.rows)?;
            merger.rows += batch.num_rows() as u64;
        }
        let Merger { meter, ledger, earliest, .. } = merger;
        Ok(MergedPartials { meter, windows, first_packet: earliest, ledger })
    }

    /// Writes the records as lines, as [`convert`](crate::pipeline::convert()) does.
    ///
    /// # Errors
    /// As `convert`.
    pub fn write(
        self,
        options: &MeterOptions,
        records: &RecordOptions,
        output: impl Write + Send,
        progress: &Progress,
    ) -> Result<Conversion, ConvertError> {
        in_background(options, records, output, |output| {
            let mut emitter = Emitter::new(records, output);
            self.emit(&mut emitter, progress, Emitter::written)
        })
    }

    /// Hands the records to a sink, which is finished unless the run was interrupted.
    ///
    /// # Errors
    /// As `convert`.
    pub fn write_into(
        self,
        records: &RecordOptions,
        sink: &mut dyn RecordSink,
        progress: &Progress,
    ) -> Result<Conversion, ConvertError> {
        let mut emitter = RecordEmitter::new(records, &mut *sink);
        let conversion = self.emit(&mut emitter, progress, RecordEmitter::written)?;
        if !conversion.interrupted {
            sink.finish().map_err(ConvertError::Write)?;
        }
        Ok(conversion)
    }

    fn emit<E: Emit>(
        mut self,
        emitter: &mut E,
        progress: &Progress,
        written: impl Fn(&E) -> Written,
    ) -> Result<Conversion, ConvertError> {
        if let Some(first) = self.first_packet {
            emitter.begin(self.windows, first);
        }
        for window in self.meter.finish() {
            if progress.is_interrupted() {
                break;
            }
            // what came before it is complete, as if packets had come in order
            emitter.closing(window.placement().window);
            emitter.flush()?;
            emitter.window(&self.meter, &window)?;
            self.meter.recycle(window);
        }
        emitter.flush()?;
        let mut ledger = self.ledger;
        written(emitter).account(&mut ledger);
        Ok(Conversion { ledger, failures: Vec::new(), interrupted: progress.is_interrupted() })
    }
}

impl Merger<'_> {
    fn new(options: &MeterOptions) -> Merger<'_> {
        Merger {
            options,
            meter: Meter::new(options.table_memory()),
            batch: Batch::default(),
            first: None,
            parts: HashMap::new(),
            ledger: Ledger::default(),
            first_packet: None,
            earliest: None,
            packets: 0,
            bytes: 0,
            rows: 0,
        }
    }

    /// Adds a part; `false` where the run was interrupted.
    fn part(
        &mut self,
        mut reader: PartialReader,
        cut: &mut Vec<(String, String)>,
        progress: &Progress,
    ) -> Result<bool, MergeError> {
        self.check_settings(&reader)?;
        let windows = reader.opening().settings.windows();
        let (packets, bytes, before) = (self.packets, self.bytes, self.rows);
        while let Some(batch) = reader.next_batch()? {
            if progress.is_interrupted() {
                return Ok(false);
            }
            self.rows(reader.name(), &batch, &windows, self.rows - before)?;
            self.rows += batch.num_rows() as u64;
            progress.report(self.packets, 0);
        }
        let closing = reader.closing()?;
        self.close(&reader, closing, self.packets - packets, self.bytes - bytes, cut)?;
        Ok(true)
    }

    fn check_settings(&mut self, reader: &PartialReader) -> Result<(), MergeError> {
        let Some((name, first)) = &self.first else {
            self.first = Some((reader.name().to_owned(), reader.opening().clone()));
            return Ok(());
        };
        match first.settings.difference(&reader.opening().settings) {
            Some(difference) => {
                Err(MergeError::Mixed { first: name.clone(), second: reader.name().to_owned(), difference })
            }
            None => Ok(()),
        }
    }

    /// Adds the rows of a batch, of which so many of the same part came before.
    fn rows(
        &mut self,
        name: &str,
        batch: &RecordBatch,
        windows: &Windows,
        before: u64,
    ) -> Result<(), MergeError> {
        let error = |kind| PartialError { name: name.to_owned(), kind };
        let columns = |reason| error(PartialErrorKind::Columns(reason));
        for (number, row) in (before + 1..).zip(Rows::new(batch).map_err(columns)?.iter()) {
            let wrong = |reason| error(PartialErrorKind::Row { row: number, reason });
            let row = row.map_err(wrong)?;
            let placement = place(&row, windows).map_err(wrong)?;
            let too_many = |what| MergeError::Overflow { name: name.to_owned(), what };
            let sum = self.packets.checked_add(row.counters.packets);
            self.packets = sum.ok_or_else(|| too_many("packets"))?;
            let sum = self.bytes.checked_add(row.counters.bytes);
            self.bytes = sum.ok_or_else(|| too_many("bytes"))?;
            let first = row.counters.first;
            self.earliest = Some(self.earliest.map_or(first, |earliest| earliest.min(first)));
            let given = self.options.direction((row.flow.srcaddr, row.flow.dstaddr));
            let direction = given.unwrap_or(row.direction);
            let key = MeteringKey { direction, ..MeteringKey::from(row.flow) };
            self.batch.push_counted(placement, &key, row.counters);
        }
        self.meter.count(&self.batch)?;
        self.batch.clear();
        Ok(())
    }

    /// Holds the rows of a part against what its end says of them.
    fn close(
        &mut self,
        reader: &PartialReader,
        closing: Closing,
        packets: u64,
        bytes: u64,
        cut: &mut Vec<(String, String)>,
    ) -> Result<(), MergeError> {
        let damaged = |reason| MergeError::from(reader.error(PartialErrorKind::Damaged(reason)));
        let Closing { ledger, first_packet, .. } = closing;
        let part: PartLedger = serde_json::from_str(&ledger)
            .map_err(|error| damaged(format!("its ledger cannot be read ({error})")))?;
        if !part.agrees_with(packets, bytes) {
            return Err(damaged(format!(
                "its rows count {packets} packets of {bytes} bytes, and its ledger does not agree: it has {} packets",
                part.packets()
            )));
        }
        if packets > 0
            && let Ok(identity) = part.identity()
            && let Some(first) = self.parts.insert(identity, reader.name().to_owned())
        {
            return Err(MergeError::Twice { first, second: reader.name().to_owned() });
        }
        cut.extend(part.cut().map(|(path, why)| (path.to_owned(), why.to_owned())));
        part.add_to(&mut self.ledger);
        self.first_packet = match (self.first_packet, first_packet) {
            (Some(first), Some(other)) => Some(first.min(other)),
            (first, other) => first.or(other),
        };
        Ok(())
    }
}

/// The window that a row's packets lie in; an error where they lie in several, or not in the one that it names.
fn place(row: &PartialRow<'_>, windows: &Windows) -> Result<Placement, String> {
    let (first, last) = (row.counters.first, row.counters.last);
    let window = windows.index_of(first);
    if windows.index_of(last) != window {
        return Err(format!("`first_ns` and `last_ns`, {first} and {last}, are not in one window"));
    }
    let start = window_start(windows, window);
    if row.window_start != start {
        let say = |start: Option<i64>| start.map_or("null".to_owned(), |nanos| nanos.to_string());
        return Err(format!(
            "`window_start_ns` is {}, and packets of {first} are in the window that begins at {}",
            say(row.window_start),
            say(start)
        ));
    }
    Ok(Placement { window, late: false })
}
