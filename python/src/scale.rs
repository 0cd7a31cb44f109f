//! What tasks on many machines need beside `partials` and `records`: objects listed, captures that can be cut, and AWS's
//! objects written of rows that an engine has added up.

use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_pyarrow::FromPyArrow;
use flowtruth::capture::CaptureErrorKind;
use flowtruth::deliver::{DirectoryStore, FlowLogId, NamePart, ObjectNames, ObjectStore, Partitions};
use flowtruth::partial::PartialKeys;
use flowtruth::pipeline::{
    BucketStore, MergeError, MergedPartials, MeterOptions, ObjectDelivery, ObjectSink, Progress,
    RecordOptions, opening,
};
use flowtruth::record::{FileFormat, FlowRecord};
use flowtruth::store::ObjectAddress;
use pyo3::prelude::*;

use super::error::Trouble;
use super::inputs;
use super::objects::Objects;
use super::options::{Metering, Recording, optional, parsed};

/// Refuses options with which pieces cannot be counted by themselves.
#[pyfunction]
pub fn check_partials(metering: Metering) -> PyResult<()> {
    opening(&[], &metering.options()?, PartialKeys::default()).map_err(Trouble::from)?;
    Ok(())
}

/// The object of an address, or the objects below it: addresses and sizes in bytes.
#[pyfunction]
pub fn objects(py: Python<'_>, address: &str) -> PyResult<Vec<(String, u64)>> {
    py.detach(|| {
        let objects = Objects::default().list(Path::new(address))?;
        Ok(objects.into_iter().map(|object| (object.name().to_owned(), object.size())).collect())
    })
    .map_err(|trouble: Trouble| trouble.into())
}

/// Whether a capture can be read in pieces: an uncompressed pcap. What is wrong with one that is no capture is told by
/// those who read it.
#[pyfunction]
pub fn can_be_cut(py: Python<'_>, capture: PathBuf) -> PyResult<bool> {
    py.detach(|| match inputs::pieces(&capture)? {
        Ok(_) => Ok(true),
        Err(error) => match error.kind() {
            CaptureErrorKind::Open(_) | CaptureErrorKind::Read(_) => Err(error.into()),
            _ => Ok(false),
        },
    })
    .map_err(|trouble: Trouble| trouble.into())
}

/// How objects are written.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Delivery {
    /// A folder or an address; `None` where only the rest is to be checked.
    path: Option<PathBuf>,
    file_format: String,
    hive_compatible_partitions: bool,
    per_hour_partition: bool,
    flow_log_id: Option<String>,
}

impl Delivery {
    fn objects(&self, records: &RecordOptions) -> Result<ObjectDelivery, Trouble> {
        let file_format: FileFormat = parsed("file_format", &self.file_format)?;
        let flow_log = optional::<FlowLogId>("flow_log_id", self.flow_log_id.as_deref())?;
        let FlowRecord { account_id, region, vpc_id, interface_id, .. } = &records.identity;
        let shared = [account_id, region, vpc_id, interface_id].map(|part| part.as_deref().unwrap_or("-"));
        let derived = format!("{} {} {file_format}", shared.join(" "), records.format);
        Ok(ObjectDelivery {
            names: ObjectNames {
                flow_log: flow_log.unwrap_or_else(|| FlowLogId::derived_from(&derived)),
                partitions: Partitions {
                    hive_compatible: self.hive_compatible_partitions,
                    per_hour: self.per_hour_partition,
                },
                file_format,
            },
            format: records.format.clone(),
            header: file_format == FileFormat::PlainText,
            account: Some(name_part("account_id", account_id.as_deref())?),
            region: Some(name_part("set={\"region\": …}", region.as_deref())?),
        })
    }
}

fn name_part(option: &str, value: Option<&str>) -> Result<NamePart, Trouble> {
    match value.filter(|value| *value != "unknown") {
        Some(value) => parsed(option, value),
        None => {
            let hint = "give them with `account_id=\"123456789012\"` and `set={\"region\": \"us-east-1\"}`";
            Err(Trouble::new("the names of objects on S3 need the account and the Region")
                .with_hint(Some(hint)))
        }
    }
}

fn store(path: &Path) -> Result<Box<dyn ObjectStore>, Trouble> {
    match ObjectAddress::of_path(path) {
        Some(Ok(address)) => Ok(Box::new(BucketStore::new(Objects::default().connect(&address)?, address))),
        Some(Err(error)) => {
            Err(Trouble::new(format!("`{}` is no address", path.display())).caused_by(&error))
        }
        None => {
            let made = DirectoryStore::new(path);
            let made = made.map_err(|error| {
                Trouble::new(format!("`{}` cannot be written", path.display())).caused_by(&error)
            })?;
            Ok(Box::new(made))
        }
    }
}

/// Writes AWS's objects of complete rows; how many objects and records there are.
#[pyfunction]
pub fn write_flow_log(
    py: Python<'_>,
    rows: &Bound<'_, PyAny>,
    metering: Metering,
    recording: Recording,
    delivery: Delivery,
) -> PyResult<(u64, u64)> {
    let (meter, records) = (metering.options()?, recording.options()?);
    let objects = delivery.objects(&records)?;
    let Some(path) = delivery.path else { return Ok((0, 0)) };
    let settings = opening(
        &[],
        &MeterOptions { interface_addresses: Default::default(), ..meter.clone() },
        PartialKeys::default(),
    );
    let settings = settings.map_err(Trouble::from)?.settings;
    let batches = rows.try_iter()?.map(|batch| Ok(RecordBatch::from_pyarrow_bound(&batch?)?));
    let sums = MergedPartials::of_rows("the sums", &settings, batches, &meter);
    let sums = sums.map_err(|Failed(error)| error)?;
    py.detach(|| {
        let mut store = store(&path)?;
        let mut sink = ObjectSink::new(objects, &mut *store);
        let written = sums.write_into(&records, &mut sink, &Progress::new());
        let written = written.map_err(|error| {
            Trouble::new(format!("`{}` cannot be written", path.display())).caused_by(&error)
        })?;
        Ok((sink.objects(), written.ledger.total.records))
    })
    .map_err(|trouble: Trouble| trouble.into())
}

/// Why rows could not be added up: something in Python, or a row.
struct Failed(PyErr);

impl From<PyErr> for Failed {
    fn from(error: PyErr) -> Failed {
        Failed(error)
    }
}

impl From<MergeError> for Failed {
    fn from(error: MergeError) -> Failed {
        let hint = error.hint();
        Failed(Trouble::of(&error).with_hint(hint).into())
    }
}
