use std::io::{self, Cursor, Read};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, UInt8Array, UInt64Array};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{DataType, Field, Schema};

use super::*;
use crate::flow::{AggregationInterval, FlowCounters, FlowKey};
use crate::packet::{IcmpType, PacketDirection, Protocol, TcpFlags, Timestamp};

const FORMS: [PartialForm; 2] = [PartialForm::Arrow, PartialForm::Parquet];

fn opening() -> Opening {
    Opening {
        settings: Settings {
            interval: AggregationInterval::MINUTE,
            origin: Timestamp::from_nanos(-5),
            decap: "vxlan,gre".to_owned(),
            filter: Some("tcp port 443".to_owned()),
            from: Some(Timestamp::from_nanos(i64::MIN)),
            until: None,
        },
        keys: PartialKeys { icmp: true, observation_point: true },
        captures: vec!["a \"b\".pcap".to_owned(), "ü.pcap".to_owned()],
    }
}

fn closing(rows: u64) -> Closing {
    Closing { ledger: "{\"total\":{}}".to_owned(), rows, first_packet: Some(Timestamp::from_nanos(7)) }
}

fn rows() -> Vec<PartialRow<'static>> {
    let flow = FlowKey {
        srcaddr: "10.0.0.1".parse().unwrap(),
        dstaddr: "255.255.255.255".parse().unwrap(),
        protocol: Protocol::TCP,
        srcport: 65_535,
        dstport: 0,
    };
    let counters = FlowCounters {
        packets: u64::MAX,
        bytes: 0,
        first: Timestamp::MIN,
        last: Timestamp::MAX,
        tcp_flags: TcpFlags(0x13),
        raw_tcp_flags: TcpFlags(0xff),
    };
    let v4 = PartialRow {
        window_start: Some(i64::MIN),
        flow,
        direction: PacketDirection::Inbound,
        icmp: None,
        observation_point: Some("a.pcap, interface eth0"),
        counters,
    };
    // an IPv6 packet between mapped addresses stays one
    let mapped = FlowKey {
        srcaddr: "::ffff:10.0.0.1".parse().unwrap(),
        dstaddr: "2001:db8::1".parse().unwrap(),
        ..flow
    };
    let v6 = PartialRow {
        window_start: None,
        flow: mapped,
        direction: PacketDirection::Outbound,
        icmp: Some(IcmpType { icmp_type: 8, code: 255 }),
        observation_point: None,
        counters: FlowCounters { packets: 1, ..counters },
    };
    vec![v4, v6, PartialRow { direction: PacketDirection::Unknown, ..v4 }]
}

fn batch(rows: &[PartialRow<'_>]) -> RecordBatch {
    let mut builder = RowBuilder::new(4);
    rows.iter().for_each(|row| builder.push(row).unwrap());
    assert_eq!(builder.len(), rows.len());
    builder.finish().unwrap()
}

/// A part of two batches.
fn written(form: PartialForm) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = PartialWriter::new(form, &mut bytes, &opening()).unwrap();
    writer.batch(&batch(&rows())).unwrap();
    writer.batch(&batch(&rows()[..1])).unwrap();
    writer.finish(&closing(4)).unwrap();
    drop(writer);
    bytes
}

/// Reads a part to its end; how many rows it has.
fn read(bytes: &[u8]) -> Result<u64, PartialError> {
    let mut reader = PartialReader::new("part", Box::new(Cursor::new(bytes.to_vec())))?;
    let mut found = 0;
    while let Some(batch) = reader.next_batch()? {
        let wrong = |reason| reader.error(PartialErrorKind::Columns(reason));
        for row in Rows::new(&batch).map_err(wrong)?.iter() {
            row.map_err(wrong)?;
            found += 1;
        }
    }
    reader.closing().map(|_| found)
}

#[test]
fn what_is_written_is_read() {
    for form in FORMS {
        let bytes = written(form);
        assert_eq!(sniff_partial(&bytes), Some(form));
        let mut reader = PartialReader::new("part", Box::new(Cursor::new(bytes))).unwrap();
        assert_eq!(*reader.opening(), opening());
        let mut batches = Vec::new();
        while let Some(batch) = reader.next_batch().unwrap() {
            assert_eq!(batch.schema().fields(), schema().fields());
            batches.push(batch);
        }
        let found: Vec<PartialRow<'_>> = batches
            .iter()
            .flat_map(|batch| Rows::new(batch).unwrap().iter().collect::<Vec<_>>())
            .map(Result::unwrap)
            .collect();
        assert_eq!(found, [rows(), rows()[..1].to_vec()].concat());
        assert_eq!(reader.closing().unwrap(), closing(4));
    }
}

#[test]
fn the_same_rows_are_the_same_bytes() {
    for form in FORMS {
        assert_eq!(written(form), written(form));
    }
}

#[test]
fn a_cut_part_is_an_error_wherever_it_is_cut() {
    for form in FORMS {
        let bytes = written(form);
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end]).is_err(), "{form:?} cut at {end} of {}", bytes.len());
        }
        assert_eq!(read(&bytes).unwrap(), 4);
    }
}

#[test]
fn what_stands_behind_the_end_of_a_stream_is_an_error() {
    let bytes = written(PartialForm::Arrow);
    for behind in [&b"x"[..], &[0; 8], &bytes] {
        let error = read(&[&bytes, behind].concat()).unwrap_err().to_string();
        assert!(error.contains("stands behind its end"), "{error}");
    }
}

#[test]
fn damaged_bytes_never_panic() {
    // a panic of a crate is an error; it need not be told
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let outcome = std::panic::catch_unwind(|| {
        for form in FORMS {
            let bytes = written(form);
            for at in 0..bytes.len() {
                for value in [0, 0xff, bytes[at] ^ 0x80, bytes[at].wrapping_add(1)] {
                    let mut damaged = bytes.clone();
                    damaged[at] = value;
                    // whether it is noticed depends on the place
                    let _ = read(&damaged);
                }
            }
        }
    });
    std::panic::set_hook(hook);
    assert!(outcome.is_ok());
}

/// A stream with columns and metadata of a test's own.
fn stream(fields: Vec<Field>, columns: Vec<ArrayRef>, metadata: &[(&str, &str)]) -> Vec<u8> {
    let mut pairs: Vec<(String, String)> = opening().pairs();
    pairs.extend(metadata.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let schema =
        Arc::new(Schema::new_with_metadata(fields, pairs.into_iter().collect::<arrow_schema::Metadata>()));
    let mut bytes = Vec::new();
    let mut writer = StreamWriter::try_new(&mut bytes, &schema).unwrap();
    writer.write(&RecordBatch::try_new(Arc::clone(&schema), columns).unwrap()).unwrap();
    writer.finish().unwrap();
    drop(writer);
    bytes
}

fn fields() -> Vec<Field> {
    schema().fields().iter().map(|field| Field::clone(field)).collect()
}

/// The columns of a good batch, one of them replaced.
fn with_column(name: &str, kind: DataType, nullable: bool, array: ArrayRef) -> Vec<u8> {
    let (mut fields, mut columns) = (fields(), batch(&rows()).columns().to_vec());
    let place = fields.iter().position(|field| field.name() == name).unwrap();
    fields[place] = Field::new(name, kind, nullable);
    columns[place] = array;
    stream(fields, columns, &[])
}

fn said(bytes: &[u8]) -> String {
    read(bytes).unwrap_err().to_string()
}

#[test]
fn wrong_columns_are_named() {
    let columns = || batch(&rows()).columns().to_vec();
    let without = |name: &str| {
        let (mut fields, mut columns) = (fields(), columns());
        let place = fields.iter().position(|field| field.name() == name).unwrap();
        fields.remove(place);
        columns.remove(place);
        stream(fields, columns, &[])
    };
    assert_eq!(said(&without("srcport")), "`part` cannot be merged: it has no column `srcport`");
    let more = fields().into_iter().chain([Field::new("host", DataType::UInt8, true)]).collect();
    let host: ArrayRef = Arc::new(UInt8Array::from(vec![1, 2, 3]));
    let columns = columns().into_iter().chain([host]).collect();
    assert!(
        said(&stream(more, columns, &[])).contains("it has a column `host`, which no partial record has")
    );
    let wide: ArrayRef = Arc::new(UInt64Array::from(vec![1, 2, 3]));
    assert!(
        said(&with_column("protocol", DataType::UInt64, false, wide))
            .contains("its column `protocol` is UInt64, expected UInt8")
    );
    let null: ArrayRef = Arc::new(UInt64Array::from(vec![Some(1), None, Some(3)]));
    assert!(
        said(&with_column("packets", DataType::UInt64, true, null))
            .contains("its column `packets` has a null")
    );
}

#[test]
fn values_that_cannot_be_are_named() {
    let cases: [(&str, DataType, ArrayRef, &str); 3] = [
        ("packets", DataType::UInt64, Arc::new(UInt64Array::from(vec![1, 0, 3])), "`packets` is 0"),
        (
            "ip_version",
            DataType::UInt8,
            Arc::new(UInt8Array::from(vec![4, 5, 4])),
            "`ip_version` is 5, expected 4 or 6",
        ),
        (
            "ip_version",
            DataType::UInt8,
            Arc::new(UInt8Array::from(vec![4, 4, 4])),
            "`dstaddr` is `2001:db8::1`",
        ),
    ];
    for (name, kind, array, expected) in cases {
        let error = said(&with_column(name, kind, false, array));
        assert!(error.contains(expected), "{error}");
    }
    let backwards = FlowCounters { first: Timestamp::MAX, last: Timestamp::MIN, ..rows()[0].counters };
    let wrong = batch(&[PartialRow { counters: backwards, ..rows()[0] }]);
    let error = Rows::new(&wrong).unwrap().iter().next().unwrap().unwrap_err();
    assert!(error.contains("which is after `last_ns`"), "{error}");
}

#[test]
fn metadata_that_cannot_be_are_named() {
    let with =
        |metadata: &[(&str, &str)]| said(&stream(fields(), batch(&rows()).columns().to_vec(), metadata));
    assert!(
        with(&[("flowtruth.partial_version", "2")])
            .contains("it is of version 2 of partial records, expected at most 1")
    );
    assert!(
        with(&[("flowtruth.interval", "ten")]).contains("its metadata say `ten` for `flowtruth.interval`")
    );
    assert!(with(&[]).contains("it ends before its end"));
    let mut bytes = Vec::new();
    StreamWriter::try_new(&mut bytes, &schema()).unwrap().finish().unwrap();
    assert!(said(&bytes).contains("do not say how its rows were counted"));
    for (bytes, expected) in
        [(&b""[..], "neither"), (b"ARROW1\0\0", "Arrow IPC file"), (b"10.0.0.1 x", "neither")]
    {
        assert!(said(bytes).contains(expected), "{}", said(bytes));
    }
}

/// Gives its bytes, then fails as a disk does.
struct Failing(Cursor<Vec<u8>>);

impl Read for Failing {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        match self.0.read(target)? {
            0 => Err(io::Error::from_raw_os_error(5)),
            count => Ok(count),
        }
    }
}

#[test]
fn a_disk_that_fails_is_not_called_damage() {
    for form in FORMS {
        let mut bytes = written(form);
        bytes.truncate(bytes.len() / 2);
        let read = PartialReader::new("part", Box::new(Failing(Cursor::new(bytes))));
        let error = match read {
            Err(error) => error,
            Ok(mut reader) => loop {
                match reader.next_batch() {
                    Ok(Some(_)) => {}
                    Ok(None) => break reader.closing().unwrap_err(),
                    Err(error) => break error,
                }
            },
        };
        assert!(matches!(error.kind, PartialErrorKind::Read(_)), "{error:?}");
    }
}

#[test]
fn keys_are_read_as_they_are_printed() {
    for (icmp, observation_point) in [(false, false), (true, false), (false, true), (true, true)] {
        let keys = PartialKeys { icmp, observation_point };
        assert_eq!(keys.to_string().parse(), Ok(keys));
    }
    assert!("icmp,".parse::<PartialKeys>().is_err());
}

#[test]
fn a_difference_is_named_by_its_option() {
    let first = opening().settings;
    assert_eq!(first.difference(&first), None);
    let second = Settings { filter: None, ..first.clone() };
    let difference = first.difference(&second).unwrap();
    assert_eq!(
        (difference.option, &*difference.first, &*difference.second),
        ("--filter", "tcp port 443", "none")
    );
}
