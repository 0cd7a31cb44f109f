//! Any bytes as a flow log, written anew in any way.

use std::collections::BTreeMap;
use std::io;

use flowtruth::deliver::{ObjectNames, ObjectStore, Partitions, check_key};
use flowtruth::flow::AggregationInterval;
use flowtruth::flowlog::encode::encoder;
use flowtruth::packet::Timestamp;
use flowtruth::pipeline::{
    EncodedOutput, EventForm, EventSink, LogInput, LogRecords, ObjectDelivery, ObjectSink, Progress,
    RebaseTo, Rebased, RecordSink, RelogOptions, relog as relog_all,
};
use flowtruth::record::{FileFormat, FlowRecord};

use super::Bytes;

/// A bucket in memory, which takes each key once.
#[derive(Default)]
struct Bucket(BTreeMap<String, usize>);

impl ObjectStore for &mut Bucket {
    fn put(&mut self, key: &str, content: &[u8]) -> io::Result<()> {
        check_key(key).expect("a key leads downwards");
        assert!(self.0.insert(key.to_owned(), content.len()).is_none(), "`{key}` was put twice");
        Ok(())
    }
}

/// Whatever the log, the file format, the layout, the interval and the time: every record is accounted for.
///
/// The first twelve bytes choose.
pub fn relog(data: &[u8]) {
    let mut bytes = Bytes(data);
    let file_format = FileFormat::ALL[usize::from(bytes.u8()) % 4];
    let layout = bytes.u8() % 4;
    let interval = match bytes.u8() % 4 {
        0 => None,
        1 => Some("60".parse().unwrap()),
        2 => Some("600".parse().unwrap()),
        _ => Some(AggregationInterval::Capture),
    };
    let flags = bytes.u8();
    let rebase = u64::from(bytes.u32()) << 32 | u64::from(bytes.u32());
    let options = RelogOptions {
        interval,
        origin: Timestamp::from_nanos(0),
        allowed_lateness: 10,
        memory: if flags & 1 == 1 { 1000 } else { u64::MAX },
        constants: FlowRecord::default(),
        own_format: None,
    };
    let input = LogInput::Reader("bytes".to_owned(), Box::new(io::Cursor::new(bytes.0.to_vec())));
    let mut records = LogRecords::new(vec![input], None);
    let format = records.first_format().unwrap_or_default();
    let run = |sink: &mut dyn RecordSink| {
        let relogged = if flags & 2 == 2 {
            let to = RebaseTo(Timestamp::from_nanos(rebase.cast_signed()));
            relog_all(records, &options, &mut Rebased::new(to, sink), &Progress::new())
        } else {
            relog_all(records, &options, sink, &Progress::new())
        };
        let ledger = relogged.expect("memory takes everything").ledger;
        ledger.check().expect("the ledger adds up");
        ledger.records_written
    };
    let mut bucket = Bucket::default();
    match layout {
        0 => {
            let mut output = Vec::new();
            let written = run(&mut EncodedOutput::new(encoder(file_format, &format, false), &mut output));
            if file_format != FileFormat::Parquet {
                assert_eq!(output.iter().filter(|byte| **byte == b'\n').count() as u64, written);
            }
        }
        1 => {
            let names = ObjectNames {
                flow_log: "fl-1".parse().unwrap(),
                partitions: Partitions { hive_compatible: flags & 4 == 4, per_hour: flags & 8 == 8 },
                file_format,
            };
            let region = Some("r".parse().unwrap());
            let delivery = ObjectDelivery { names, format, header: true, account: region.clone(), region };
            let written = run(&mut ObjectSink::new(delivery, &mut bucket));
            assert_eq!(bucket.0.is_empty(), written == 0);
        }
        _ => {
            let form = if layout == 2 { EventForm::Put } else { EventForm::Subscription };
            let written = run(&mut EventSink::new(form, format, "g".to_owned(), "1".to_owned(), &mut bucket));
            assert_eq!(bucket.0.is_empty(), written == 0);
        }
    }
}
