use std::io::Read;
use std::sync::{Arc, Mutex};

use flate2::read::GzDecoder;

use super::*;
use crate::deliver::Partitions;
use crate::record::{FileFormat, LogStatus};

/// A bucket in memory.
#[derive(Clone, Default)]
struct Bucket(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl ObjectStore for Bucket {
    fn put(&mut self, key: &str, content: &[u8]) -> io::Result<()> {
        let before = self.0.lock().unwrap().insert(key.to_owned(), content.to_vec());
        assert!(before.is_none(), "`{key}` was put twice");
        Ok(())
    }
}

impl Bucket {
    /// What follows the flow log's identifier in the names, and the lines without the header.
    fn objects(&self) -> Vec<(String, Vec<String>)> {
        let objects = self.0.lock().unwrap();
        objects
            .iter()
            .map(|(key, content)| {
                let mut text = String::new();
                GzDecoder::new(&content[..]).read_to_string(&mut text).unwrap();
                assert!(text.starts_with("end bytes\n"));
                let name = key.split("_fl-1_").nth(1).unwrap();
                (name.to_owned(), text.lines().skip(1).map(str::to_owned).collect())
            })
            .collect()
    }
}

fn sink(bucket: &Bucket) -> ObjectSink<Bucket> {
    let names = ObjectNames {
        flow_log: "fl-1".parse().unwrap(),
        partitions: Partitions::default(),
        file_format: FileFormat::PlainText,
    };
    let delivery = ObjectDelivery {
        names,
        format: "${end} ${bytes}".parse().unwrap(),
        header: true,
        account: Some("1".parse().unwrap()),
        region: Some("r".parse().unwrap()),
    };
    ObjectSink::new(delivery, bucket.clone())
}

fn ending_at(end: i64) -> FlowRecord {
    FlowRecord { end: Some(end), bytes: Some(1), log_status: Some(LogStatus::Ok), ..FlowRecord::default() }
}

#[test]
fn a_slot_is_one_object_until_time_has_passed_it() {
    let bucket = Bucket::default();
    let mut sink = sink(&bucket);
    for end in [299, 0, 300] {
        sink.record(&ending_at(end)).unwrap();
    }
    sink.passed(299).unwrap();
    assert!(bucket.objects().is_empty());
    sink.passed(300).unwrap();
    let lines = |ends: &[i64]| ends.iter().map(|end| format!("{end} 1")).collect::<Vec<_>>();
    assert_eq!(bucket.objects().len(), 1);
    // a late record, of the same text, gets another object
    sink.record(&ending_at(299)).unwrap();
    sink.record(&ending_at(0)).unwrap();
    sink.finish().unwrap();
    let objects = bucket.objects();
    let contents: Vec<_> = objects.iter().map(|(name, lines)| (&name[..14], lines.clone())).collect();
    let first = "19700101T0000Z";
    assert_eq!(
        contents,
        [(first, lines(&[299, 0])), (first, lines(&[299, 0])), ("19700101T0005Z", lines(&[300]))]
    );
    assert_eq!(sink.objects(), 3);
}

#[test]
fn the_same_records_give_the_same_objects() {
    let (one, other) = (Bucket::default(), Bucket::default());
    for bucket in [&one, &other] {
        let mut sink = sink(bucket);
        (0..500).for_each(|n| sink.record(&ending_at(n * 7)).unwrap());
        sink.finish().unwrap();
    }
    assert_eq!(*one.0.lock().unwrap(), *other.0.lock().unwrap());
}

#[test]
fn open_objects_never_take_more_memory_than_they_may() {
    let bucket = Bucket::default();
    let mut sink = sink(&bucket);
    sink.most = 100 << 10;
    for round in 0..20 {
        for slot in 0..200 {
            sink.record(&ending_at(slot * 300 + round)).unwrap();
            let held: usize = sink.open.values().map(|object| object.held).sum();
            assert_eq!(held, sink.held);
            assert!(held < sink.most);
        }
    }
    sink.finish().unwrap();
    assert_eq!(sink.held, 0);
    let records: usize = bucket.objects().iter().map(|(_, lines)| lines.len()).sum();
    assert_eq!(records, 4000);
}

#[test]
fn records_without_a_place_are_refused_and_the_others_go_on() {
    let bucket = Bucket::default();
    let mut sink = sink(&bucket);
    let mut elsewhere = ending_at(0);
    elsewhere.account_id = Some("../x".into());
    for bad in [ending_at(i64::MAX), ending_at(i64::MIN), FlowRecord::default(), elsewhere] {
        assert_eq!(sink.record(&bad).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
    let mut unknown = ending_at(0);
    unknown.account_id = Some("unknown".into());
    sink.record(&unknown).unwrap();
    sink.delivery.region = None;
    let error = sink.record(&ending_at(0)).unwrap_err();
    assert_eq!(error.to_string(), "a record has no `region`, which the name of its object needs");
    sink.finish().unwrap();
    assert_eq!(bucket.objects().len(), 1);
}
