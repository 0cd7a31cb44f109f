//! Every encoder read back with another library than the one that is tested, or with another part of it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;

use ::parquet::basic::{Compression, Encoding};
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::Field as Cell;
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;
use crate::record::{Field, FieldType, FlowDirection, LogStatus, Value};

/// A file of records in windows.
fn file(file_format: FileFormat, format: &LogFormat, windows: &[Vec<FlowRecord>]) -> Vec<u8> {
    let mut encoder = encoder(file_format, format, false);
    let mut out = Vec::new();
    encoder.begin(&mut out);
    for window in windows {
        window.iter().for_each(|record| encoder.record(record, &mut out).unwrap());
        encoder.end_of_window(&mut out).unwrap();
    }
    encoder.finish(&mut out).unwrap();
    assert_eq!(encoder.held(), 0);
    out
}

fn read_parquet(bytes: Vec<u8>) -> SerializedFileReader<File> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    SerializedFileReader::new(file).unwrap()
}

fn record(srcport: u16) -> FlowRecord {
    let mut record = FlowRecord::default();
    for (field, text) in [
        (Field::AccountId, "123456789012"),
        (Field::InterfaceId, "eni-1"),
        (Field::SrcAddr, "192.0.2.1"),
        (Field::DstAddr, "2001:db8::1"),
        (Field::DstPort, "0"),
        (Field::Protocol, "6"),
        (Field::Packets, "0"),
        (Field::Bytes, "9223372036854775807"),
        (Field::Start, "-1"),
        (Field::End, "1700000000"),
        (Field::Action, "REJECT"),
        (Field::LogStatus, "OK"),
        (Field::TcpFlags, "19"),
        (Field::Type, "IPv4"),
        (Field::InstanceTag, "\"a\\b\u{e9}"),
    ] {
        field.read(&mut record, text).unwrap();
    }
    record.srcport = Some(srcport);
    record
}

/// What a cell of Parquet should hold.
fn cell(field: Field, value: Value<'_>) -> Cell {
    match (field.field_type(), value) {
        (FieldType::String, value) => Cell::Str(value.to_string()),
        (_, Value::Missing) => Cell::Null,
        (FieldType::Int32, Value::UInt(number)) => Cell::Int(number.try_into().unwrap()),
        (FieldType::Int64, Value::UInt(number)) => Cell::Long(number.try_into().unwrap()),
        (FieldType::Int64, Value::Int(number)) => Cell::Long(number),
        other => panic!("{other:?}"),
    }
}

fn check_parquet(format: &LogFormat, windows: &[Vec<FlowRecord>]) {
    let reader = read_parquet(file(FileFormat::Parquet, format, windows));
    let mut rows = reader.get_row_iter(None).unwrap();
    for record in windows.iter().flatten() {
        let row = rows.next().unwrap().unwrap();
        let columns: Vec<_> =
            row.get_column_iter().map(|(name, cell)| (name.as_str(), cell.clone())).collect();
        let expected: Vec<_> = format
            .fields()
            .iter()
            .map(|field| (field.column(), cell(*field, format.value(*field, record))))
            .collect();
        assert_eq!(columns, expected);
    }
    assert!(rows.next().is_none());
}

/// What a cell of an Arrow column should hold, and what it does.
fn check_arrow(format: &LogFormat, windows: &[Vec<FlowRecord>]) {
    let mut builder = RecordBatchBuilder::new(format, 2);
    for window in windows {
        window.iter().for_each(|record| builder.push(record).unwrap());
        assert_eq!((builder.len(), builder.is_empty()), (window.len(), window.is_empty()));
        let batch = builder.finish().unwrap();
        assert_eq!((batch.num_rows(), batch.schema()), (window.len(), record_schema(format)));
        for (place, field) in format.fields().iter().enumerate() {
            assert_eq!(batch.schema().field(place).name(), field.column());
            let column = batch.column(place);
            for (row, record) in window.iter().enumerate() {
                let found = match (column.is_valid(row), field.field_type()) {
                    (false, _) => Cell::Null,
                    (true, FieldType::Int32) => Cell::Int(column.as_primitive::<Int32Type>().value(row)),
                    (true, FieldType::Int64) => Cell::Long(column.as_primitive::<Int64Type>().value(row)),
                    (true, FieldType::String) => Cell::Str(column.as_string::<i32>().value(row).to_owned()),
                };
                assert_eq!(found, cell(*field, format.value(*field, record)), "{field}");
            }
        }
        assert!(builder.is_empty());
    }
}

fn check_json(format: &LogFormat, windows: &[Vec<FlowRecord>]) {
    let text = String::from_utf8(file(FileFormat::Json, format, windows)).unwrap();
    let mut lines = text.lines();
    for record in windows.iter().flatten() {
        let object: BTreeMap<String, Json> = serde_json::from_str(lines.next().unwrap()).unwrap();
        assert_eq!(object.len(), format.fields().len());
        for field in format.fields() {
            let expected = serde_json::to_value(format.value(*field, record)).unwrap();
            assert_eq!(object[field.column()], expected, "{field}");
        }
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn every_field_is_read_back_from_parquet_and_json() {
    let format = LogFormat::preset("all").unwrap();
    let nodata = record(0).without_data(LogStatus::NoData, 0, 60);
    let windows = [vec![record(443), record(0), nodata], vec![], vec![record(65535)]];
    check_parquet(&format, &windows);
    check_arrow(&format, &windows);
    check_json(&format, &windows);
    check_parquet(&format, &[]);
    check_json(&format, &[]);
}

#[test]
fn fields_stand_in_the_order_of_the_format() {
    let format: LogFormat = "${srcport} ${start} ${vpc-id} ${version} ${srcaddr}".parse().unwrap();
    let json = String::from_utf8(file(FileFormat::Json, &format, &[vec![record(443)]])).unwrap();
    assert_eq!(
        json,
        "{\"srcport\":443,\"start\":-1,\"vpc_id\":null,\"version\":3,\"srcaddr\":\"192.0.2.1\"}\n"
    );
}

#[test]
fn parquet_is_what_the_most_simple_reader_reads() {
    let format = LogFormat::default();
    let window: Vec<FlowRecord> = (0..10_000).map(record).collect();
    let reader = read_parquet(file(FileFormat::Parquet, &format, &[window.clone(), window[..10].to_vec()]));
    let metadata = reader.metadata();
    let rows: Vec<_> = metadata.row_groups().iter().map(|group| group.num_rows()).collect();
    assert_eq!(rows, [10_000, 10], "a large window is a row group of its own");
    for (at, group) in metadata.row_groups().iter().enumerate() {
        for (column, chunk) in group.columns().iter().enumerate() {
            assert!(matches!(chunk.compression(), Compression::GZIP(_)));
            assert_eq!(chunk.dictionary_page_offset(), None);
            let pages = reader.get_row_group(at).unwrap().get_column_page_reader(column).unwrap();
            for page in pages {
                let page = page.unwrap();
                assert_eq!(page.page_type(), ::parquet::basic::PageType::DATA_PAGE, "version 1");
                assert_eq!(page.encoding(), Encoding::PLAIN);
            }
        }
    }
    let types: Vec<_> = metadata
        .file_metadata()
        .schema_descr()
        .columns()
        .iter()
        .map(|column| (column.name().to_owned(), column.physical_type().to_string()))
        .collect();
    let expected: Vec<_> = format
        .fields()
        .iter()
        .map(|field| {
            let physical = match field.field_type() {
                FieldType::Int32 => "INT32",
                FieldType::Int64 => "INT64",
                FieldType::String => "BYTE_ARRAY",
            };
            (field.column().to_owned(), physical.to_owned())
        })
        .collect();
    assert_eq!(types, expected);
}

#[test]
fn small_windows_share_a_row_group() {
    let windows: Vec<Vec<FlowRecord>> = (0..1000).map(|port| vec![record(port)]).collect();
    let reader = read_parquet(file(FileFormat::Parquet, &LogFormat::default(), &windows));
    assert_eq!(reader.metadata().num_row_groups(), 1);
}

#[test]
fn a_number_that_parquet_cannot_hold_is_named() {
    let mut large = record(1);
    large.bytes = Some(u64::MAX);
    let error = encoder(FileFormat::Parquet, &LogFormat::default(), false).record(&large, &mut Vec::new());
    assert_eq!(
        error.unwrap_err().to_string(),
        "`bytes` is `18446744073709551615`, which Parquet's INT_64 cannot hold"
    );
}

#[test]
fn a_record_that_a_batch_cannot_hold_leaves_nothing_in_it() {
    let mut builder = RecordBatchBuilder::new(&LogFormat::default(), 0);
    let large = FlowRecord { bytes: Some(u64::MAX), ..record(1) };
    builder.push(&record(2)).unwrap();
    assert_eq!(builder.push(&large).unwrap_err().kind(), io::ErrorKind::InvalidData);
    builder.push(&record(3)).unwrap();
    let batch = builder.finish().unwrap();
    let ports = batch.column_by_name("srcport").unwrap().as_primitive::<Int32Type>().values().to_vec();
    assert_eq!(ports, [2, 3]);
}

#[test]
fn ocsf_says_what_the_mapping_says() {
    let format = LogFormat::preset("all").unwrap();
    let mut record = record(443);
    record.start = Some(1_700_000_000);
    record.flow_direction = Some(FlowDirection::Egress);
    record.pkt_srcaddr = record.srcaddr;
    record.pkt_dstaddr = Some("198.51.100.7".parse().unwrap());
    record.traffic_path = Some(8);
    record.vpc_id = Some("vpc-1".into());
    record.sublocation_id = Some("outpost".into());
    let text = file(FileFormat::Ocsf, &format, &[vec![record]]);
    let event: Json = serde_json::from_slice(&text).unwrap();
    for (pointer, expected) in [
        ("/class_uid", Json::from(4001)),
        ("/type_uid", 400_105.into()),
        ("/activity_name", "Refuse".into()),
        ("/metadata/version", "1.1.0".into()),
        ("/metadata/product/version", "11".into()),
        ("/time", 1_700_000_000_000_i64.into()),
        ("/end_time", 1_700_000_000_000_i64.into()),
        ("/status_code", "OK".into()),
        ("/action_id", 2.into()),
        ("/disposition", "Blocked".into()),
        ("/cloud/account/uid", "123456789012".into()),
        ("/src_endpoint/ip", "192.0.2.1".into()),
        ("/src_endpoint/port", 443.into()),
        ("/src_endpoint/interface_uid", "eni-1".into()),
        ("/src_endpoint/vpc_uid", "vpc-1".into()),
        ("/dst_endpoint/ip", "198.51.100.7".into()),
        ("/dst_endpoint/intermediate_ips/0", "2001:db8::1".into()),
        ("/dst_endpoint/port", 0.into()),
        ("/connection_info/protocol_num", 6.into()),
        ("/connection_info/tcp_flags", 19.into()),
        ("/connection_info/direction_id", 2.into()),
        ("/connection_info/boundary_id", 11.into()),
        ("/traffic/packets", 0.into()),
        ("/traffic/bytes", i64::MAX.into()),
        ("/unmapped/sublocation_id", "outpost".into()),
        ("/unmapped/instance_tag", "\"a\\b\u{e9}".into()),
    ] {
        assert_eq!(event.pointer(pointer), Some(&expected), "{pointer}");
    }
    assert_eq!(event.pointer("/src_endpoint/intermediate_ips"), None);
    assert_eq!(event.pointer("/dst_endpoint/vpc_uid"), None);
    assert_eq!(event.pointer("/unmapped").unwrap().as_object().unwrap().len(), 2);
}

#[test]
fn ocsf_of_no_traffic_and_of_no_direction() {
    let mut nodata = record(0).without_data(LogStatus::NoData, 60, 120);
    let text = file(FileFormat::Ocsf, &LogFormat::default(), &[vec![nodata.clone()]]);
    let event: Json = serde_json::from_slice(&text).unwrap();
    assert_eq!(event.pointer("/activity_id"), Some(&0.into()));
    assert_eq!(event.pointer("/status_code"), Some(&"NODATA".into()));
    assert_eq!(event.pointer("/connection_info/direction_id"), Some(&0.into()));
    assert_eq!(event.pointer("/unmapped/interface_id"), Some(&"eni-1".into()));
    for absent in ["/traffic", "/action", "/src_endpoint/ip", "/connection_info/protocol_num"] {
        assert_eq!(event.pointer(absent), None, "{absent}");
    }
    nodata.start = Some(i64::MAX);
    let mut encoder = encoder(FileFormat::Ocsf, &LogFormat::default(), false);
    assert!(encoder.record(&nodata, &mut Vec::new()).unwrap_err().to_string().contains("too far off"));
}

fn any_record() -> impl Strategy<Value = FlowRecord> {
    let numbers = (any::<Option<u16>>(), any::<Option<u64>>(), any::<Option<i64>>(), any::<Option<u8>>());
    (numbers, proptest::option::of("[!-~é]{1,12}"), any::<Option<std::net::IpAddr>>()).prop_map(
        |((port, packets, start, path), text, address)| FlowRecord {
            srcport: port,
            packets: packets.map(|packets| packets >> 1),
            start,
            traffic_path: path,
            vpc_id: text.map(Into::into),
            srcaddr: address,
            ..FlowRecord::default()
        },
    )
}

proptest! {
    #[test]
    fn any_records_are_read_back(
        windows in proptest::collection::vec(proptest::collection::vec(any_record(), 0..20), 0..5),
    ) {
        let format = LogFormat::preset("v5").unwrap();
        check_parquet(&format, &windows);
        check_arrow(&format, &windows);
        check_json(&format, &windows);
    }
}
