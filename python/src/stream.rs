//! A conversion on a thread of its own, and the iterator over its batches.
//!
//! The thread knows nothing of the interpreter. Whoever reads waits without holding the interpreter, in steps, so that
//! Ctrl-C is heard. A stream that is dropped early interrupts its conversion: the thread ends by itself, at the next packet
//! or batch, and nobody waits for it.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use flowtruth::flowlog;
use flowtruth::partial::PartialKeys;
use flowtruth::pipeline::{Conversion, ConvertError, Progress, convert_into, convert_to_partials, opening};
use pyo3::prelude::*;

use super::arrow::{Batch, Columns};
use super::error::Trouble;
use super::inputs;
use super::options::{Metering, Recording, parsed};
use super::sinks::{PartialChannel, RecordChannel, Sender};

/// How many batches may wait for the reader.
const QUEUE: usize = 4;

/// How often signals are looked for while a batch is waited for.
const TICK: Duration = Duration::from_millis(50);

type Outcome = Result<Conversion, ConvertError>;

/// The batches of a conversion, one after another.
#[pyclass(frozen)]
pub struct Stream {
    schema: Schema,
    progress: Arc<Progress>,
    reading: Mutex<Reading>,
}

/// What the one who reads holds.
struct Reading {
    /// `None` once the conversion has ended.
    conversion: Option<(Receiver<RecordBatch>, JoinHandle<Outcome>)>,
    /// The ledger, as JSON, once it has.
    ledger: Option<String>,
}

/// What waiting for a while came to.
enum Step {
    Batch(RecordBatch),
    Nothing,
    Ended(Box<Conversion>),
    /// It had ended before.
    Over,
}

impl Stream {
    /// Begins a conversion.
    fn start(
        schema: Schema,
        convert: impl FnOnce(Sender, &Progress) -> Outcome + Send + 'static,
    ) -> Result<Stream, Trouble> {
        let (sender, receiver) = sync_channel(QUEUE);
        let progress = Arc::new(Progress::new());
        let watched = Arc::clone(&progress);
        let thread = thread::Builder::new()
            .name("flowtruth".to_owned())
            .spawn(move || convert(Sender(sender), &watched))
            .map_err(|error| Trouble::new("no thread can be started").caused_by(&error))?;
        let reading = Mutex::new(Reading { conversion: Some((receiver, thread)), ledger: None });
        Ok(Stream { schema, progress, reading })
    }

    fn reading(&self) -> std::sync::MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reading {
    /// Waits for a while.
    ///
    /// # Errors
    /// What ended the conversion.
    fn step(&mut self) -> Result<Step, Trouble> {
        let Some((receiver, thread)) = self.conversion.take() else { return Ok(Step::Over) };
        let step = match receiver.recv_timeout(TICK) {
            Ok(batch) => Step::Batch(batch),
            Err(RecvTimeoutError::Timeout) => Step::Nothing,
            Err(RecvTimeoutError::Disconnected) => {
                return match thread.join() {
                    Ok(outcome) => Ok(Step::Ended(Box::new(outcome?))),
                    Err(_) => Err(Trouble::new("the conversion broke down; that is a fault of flowtruth")),
                };
            }
        };
        self.conversion = Some((receiver, thread));
        Ok(step)
    }

    /// Keeps the ledger.
    ///
    /// # Errors
    /// The captures that were not read to their end; numbers that do not add up.
    fn end(&mut self, conversion: &Conversion) -> Result<(), Trouble> {
        let ledger = serde_json::to_string(&conversion.ledger).map_err(|error| Trouble::of(&error))?;
        self.ledger = Some(ledger);
        match Trouble::of_captures(&conversion.failures) {
            Some(trouble) => Err(trouble),
            None => conversion.ledger.check().map_err(|imbalance| Trouble::of(&imbalance)),
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.progress.interrupt();
    }
}

#[pymethods]
impl Stream {
    /// The columns of the batches.
    #[getter]
    fn columns(&self) -> Columns {
        Columns(self.schema.clone())
    }

    /// The ledger as JSON; `None` until the last batch was read.
    #[getter]
    fn ledger(&self) -> Option<String> {
        self.reading().ledger.clone()
    }

    /// Stops the conversion.
    fn close(&self, py: Python<'_>) {
        self.progress.interrupt();
        py.detach(|| self.reading().conversion = None);
    }

    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        loop {
            match py.detach(|| self.reading().step())? {
                Step::Batch(batch) => return Ok(Some(Batch(batch))),
                Step::Nothing => py.check_signals()?,
                Step::Ended(conversion) => {
                    self.reading().end(&conversion)?;
                    return Ok(None);
                }
                Step::Over => return Ok(None),
            }
        }
    }
}

/// Begins to convert captures to records.
#[pyfunction]
pub fn flows(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    metering: Metering,
    recording: Recording,
) -> PyResult<Stream> {
    py.detach(move || {
        let meter = metering.options()?;
        let records = recording.options()?;
        let inputs = inputs::captures(&paths)?;
        let schema = Schema::clone(&flowlog::encode::record_schema(&records.format));
        Stream::start(schema, move |sender, progress| {
            let mut sink = RecordChannel::new(&records.format, sender);
            convert_into(inputs, &meter, &records, &mut sink, false, progress)
        })
    })
    .map_err(PyErr::from)
}

/// Begins to convert captures, or a piece of one, to partial records.
#[pyfunction]
#[pyo3(signature = (paths, metering, keys, byte_range = None))]
pub fn partials(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    metering: Metering,
    keys: String,
    byte_range: Option<(u64, u64)>,
) -> PyResult<Stream> {
    py.detach(move || {
        let meter = metering.options()?;
        let keys: PartialKeys = parsed("keys", &keys)?;
        // before anything is opened
        opening(&[], &meter, keys)?;
        let inputs = match byte_range {
            None => inputs::captures(&paths)?,
            Some((start, end)) => inputs::piece(&paths, start..end)?,
        };
        let schema = opening(&inputs, &meter, keys)?.schema();
        let of_batches = Arc::new(schema.clone());
        Stream::start(schema, move |sender, progress| {
            let mut sink = PartialChannel::new(of_batches, sender);
            convert_to_partials(inputs, &meter, keys, &mut sink, false, progress)
        })
    })
    .map_err(PyErr::from)
}
