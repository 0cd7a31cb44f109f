//! Parquet written by the crate's own writer, read back; and what hostile hands make of it.

use std::io::{Cursor, Write};
use std::sync::Arc;

use ::parquet::basic::{Compression, Encoding};
use ::parquet::column::writer::ColumnWriter;
use ::parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use ::parquet::file::properties::{WriterProperties, WriterVersion};
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;
use proptest::prelude::*;

use crate::flowlog::read::{
    Content, LogReadErrorKind, LogReadOptions, LogReader, LogShape, LogUnit, sniff_log,
};
use crate::record::FlowRecord;

const SCHEMA: &str = "message log {
    required int32 version; optional binary interface_id (UTF8); optional binary srcaddr (UTF8);
    optional int32 srcport; optional double dstport; optional int64 bytes; required int64 start (TIMESTAMP_MILLIS);
    optional binary log_status (UTF8); optional boolean odd; repeated int32 many; }";

/// So many rows in groups of so many; every seventh lacks what can be missing.
fn written(rows: usize, group: usize, properties: WriterProperties) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let mut file = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut file, schema, Arc::new(properties)).unwrap();
    let mut first = 0;
    while first < rows {
        let last = (first + group).min(rows);
        let range = first..last;
        first = last;
        let levels: Vec<i16> = range.clone().map(|row| i16::from(row % 7 != 3)).collect();
        let there: Vec<usize> = range.clone().filter(|row| row % 7 != 3).collect();
        let text = |make: fn(usize) -> String| -> Vec<ByteArray> {
            there.iter().map(|row| ByteArray::from(make(*row).as_str())).collect()
        };
        let mut group = writer.next_row_group().unwrap();
        let mut index = 0;
        while let Some(mut column) = group.next_column().unwrap() {
            let levels = Some(levels.as_slice());
            match index {
                0 => {
                    let values: Vec<i32> = range.clone().map(|_| 2).collect();
                    column.typed::<Int32Type>().write_batch(&values, None, None).unwrap();
                }
                1 => {
                    let values = text(|_| "-".to_owned());
                    column.typed::<ByteArrayType>().write_batch(&values, levels, None).unwrap();
                }
                2 => {
                    let values = text(|row| format!("10.0.{}.{}", row / 250 % 250, row % 250));
                    column.typed::<ByteArrayType>().write_batch(&values, levels, None).unwrap();
                }
                3 => {
                    let values: Vec<i32> = there.iter().map(|row| (*row % 65536) as i32).collect();
                    column.typed::<Int32Type>().write_batch(&values, levels, None).unwrap();
                }
                4 => {
                    let values: Vec<f64> = there
                        .iter()
                        .map(|row| if row.is_multiple_of(2) { 443.0 } else { f64::NAN })
                        .collect();
                    column.typed::<DoubleType>().write_batch(&values, levels, None).unwrap();
                }
                5 => {
                    let values: Vec<i64> = there.iter().map(|row| *row as i64 * 40).collect();
                    column.typed::<Int64Type>().write_batch(&values, levels, None).unwrap();
                }
                6 => {
                    let values: Vec<i64> = range.clone().map(|row| row as i64 * 1000 + 999).collect();
                    column.typed::<Int64Type>().write_batch(&values, None, None).unwrap();
                }
                7 => {
                    let values = text(|_| "OK".to_owned());
                    column.typed::<ByteArrayType>().write_batch(&values, levels, None).unwrap();
                }
                8 => {
                    let values: Vec<bool> = there.iter().map(|_| true).collect();
                    column.typed::<BoolType>().write_batch(&values, levels, None).unwrap();
                }
                _ => match column.untyped() {
                    ColumnWriter::Int32ColumnWriter(column) => {
                        let levels: Vec<i16> = range.clone().map(|_| 0).collect();
                        column.write_batch(&[], Some(&levels), Some(&levels)).unwrap();
                    }
                    _ => panic!("no such column"),
                },
            }
            index += 1;
            column.close().unwrap();
        }
        group.close().unwrap();
    }
    writer.close().unwrap();
    file
}

fn plain() -> WriterProperties {
    WriterProperties::builder().set_compression(Compression::UNCOMPRESSED).build()
}

/// The rows of a whole file as lines, and how reading ended.
fn lines(bytes: &[u8]) -> (Vec<String>, Option<LogReadErrorKind>) {
    read(bytes, |record| assert_eq!(record.bytes.is_none(), record.srcaddr.is_none()))
}

/// The same of any bytes.
fn read(bytes: &[u8], check: impl Fn(&FlowRecord)) -> (Vec<String>, Option<LogReadErrorKind>) {
    let mut reader = LogReader::new("x", Box::new(Cursor::new(bytes.to_vec())), LogReadOptions::default());
    let mut lines = Vec::new();
    loop {
        match reader.advance() {
            Ok(true) => {}
            Ok(false) => return (lines, None),
            Err(error) => {
                let kind = match error.kind() {
                    LogReadErrorKind::Parquet { reason, hint } => {
                        LogReadErrorKind::Parquet { reason: reason.clone(), hint: *hint }
                    }
                    other => panic!("{other}"),
                };
                return (lines, Some(kind));
            }
        }
        let entry = reader.entry();
        assert_eq!(entry.unit, LogUnit::Record);
        match entry.content {
            Content::Record(read) => {
                check(read.record);
                lines.push(String::from_utf8(entry.text.to_vec()).unwrap());
            }
            Content::Bad(bad) => lines.push(bad.to_string()),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn rows_come_back_with_any_encoding_and_compression() {
    let expected: Vec<String> = (0..3000)
        .map(|row: usize| {
            if row % 7 == 3 {
                return format!("2 - - - - - {row} - -");
            }
            let dstport = if row.is_multiple_of(2) { "443" } else { "-" };
            let (high, low) = (row / 250 % 250, row % 250);
            format!("2 - 10.0.{high}.{low} {row} {dstport} {} {row} OK true", row * 40)
        })
        .collect();
    let gzip = Compression::GZIP(Default::default());
    for compression in
        [Compression::UNCOMPRESSED, Compression::SNAPPY, gzip, Compression::LZ4, Compression::LZ4_RAW]
    {
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            for dictionary in [true, false] {
                let properties = WriterProperties::builder()
                    .set_compression(compression)
                    .set_writer_version(version)
                    .set_dictionary_enabled(dictionary)
                    .set_data_page_row_count_limit(500)
                    .build();
                let bytes = written(3000, 1100, properties);
                assert_eq!(sniff_log(&bytes[..64]), Some(LogShape::Parquet));
                let (lines, error) = lines(&bytes);
                assert!(error.is_none(), "{compression:?} {version:?}: {error:?}");
                assert_eq!(lines, expected, "{compression:?} {version:?} {dictionary}");
            }
        }
    }
    let delta = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_column_encoding("srcaddr".into(), Encoding::DELTA_BYTE_ARRAY);
    assert_eq!(lines(&written(3000, 700, delta.build())).0, expected);
}

#[test]
fn a_file_is_read_in_place_and_a_stream_from_its_copy() {
    let bytes = written(10, 10, plain());
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&bytes).unwrap();
    let mut reader = LogReader::open(file.path(), LogReadOptions::default()).unwrap();
    let mut count = 0;
    while reader.advance().unwrap() {
        count += 1;
    }
    assert_eq!((count, lines(&bytes).0.len()), (10, 10));
    let names: Vec<_> = reader.columns().columns().iter().map(|column| column.name().to_owned()).collect();
    assert_eq!(names.join(" "), "version interface-id srcaddr srcport dstport bytes start log-status odd");
}

#[test]
fn a_file_of_something_else_was_read_as_records_without_values() {
    for (names, shown) in
        [("a b", Some("`a`, `b`")), ("a b c d e f", Some("`a`, `b`, `c`, `d`, `e`, …")), ("a tgw_id", None)]
    {
        let columns: String = names.split(' ').map(|name| format!("required int32 {name}; ")).collect();
        let schema = Arc::new(parse_message_type(&format!("message other {{ {columns} }}")).unwrap());
        let mut file = Vec::new();
        SerializedFileWriter::new(&mut file, schema, Arc::new(plain())).unwrap().close().unwrap();
        let mut reader = LogReader::new("x", Box::new(Cursor::new(file)), LogReadOptions::default());
        let told = reader.advance().err().map(|error| error.to_string());
        let expected =
            shown.map(|shown| format!("`x`: none of its columns is a field of flow logs: {shown}"));
        assert_eq!(told, expected, "{names}");
    }
}

#[test]
fn a_value_that_its_field_cannot_hold_is_a_bad_record() {
    let mut bytes = written(8, 8, plain());
    // an address that is none
    let at = bytes.windows(8).position(|bytes| bytes == b"10.0.0.4").unwrap();
    bytes[at] = b'x';
    let (read, error) = lines(&bytes);
    assert!(error.is_none());
    assert_eq!(read[4], "record 5: `srcaddr` cannot be `x0.0.0.4`: expected an IPv4 or IPv6 address");
    bytes[at] = 0xff;
    assert_eq!(
        lines(&bytes).0[4],
        "record 5: the data cannot be decoded: the value of `srcaddr` is not UTF-8"
    );
}

fn reason(bytes: &[u8]) -> String {
    match lines(bytes).1 {
        Some(LogReadErrorKind::Parquet { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_that_is_cut_is_an_error() {
    let bytes = written(100, 50, plain());
    for length in 4..bytes.len() {
        assert!(lines(&bytes[..length]).1.is_some(), "{length} bytes");
    }
    assert!(reason(&bytes[..bytes.len() - 1]).contains("does not end with `PAR1`"));
    assert_eq!(reason(b"PAR1PAR1"), "it has 8 bytes, which is less than any Parquet file has");
}

#[test]
fn a_description_longer_than_the_file_is_refused() {
    let mut bytes = written(10, 10, plain());
    let at = bytes.len() - 8;
    bytes[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(reason(&bytes).starts_with("it says that its description has 4294967295 bytes"));
}

#[test]
fn a_page_that_says_it_is_huge_is_refused_before_it_is_made() {
    let properties = WriterProperties::builder()
        .set_compression(Compression::GZIP(Default::default()))
        .set_dictionary_enabled(false);
    let mut bytes = written(10, 10, properties.build());
    // the first page's header: the fields 1 (data page) and 2 (its size); both zigzag
    assert_eq!(bytes[4..7], [0x15, 0, 0x15]);
    let size = u64::from(bytes[7] & 0x7f);
    assert!(bytes[7] & 0x80 == 0 && size > 0);
    // as long a number as there was: a claim of two gigabytes needs five bytes, so the header is written anew
    let huge = [0xfe, 0xff, 0xff, 0xff, 0x0f];
    bytes.splice(7..8, huge);
    let message = reason(&bytes);
    assert!(message.contains("its open pages have 2147483647 bytes"), "{message}");
}

#[test]
fn a_dictionary_that_says_it_is_huge_is_refused_before_it_is_made() {
    let mut bytes = written(10, 10, plain());
    // the first page is a dictionary: type 2, sizes, field 7 a struct with its number of values
    assert_eq!(bytes[4..6], [0x15, 4]);
    let at = bytes[6..40].windows(2).position(|bytes| bytes == [0x4c, 0x15]).unwrap() + 6 + 2;
    bytes.splice(at..at + 1, [0xfe, 0xff, 0xff, 0xff, 0x0f]);
    let message = reason(&bytes);
    assert!(message.contains("is said to have 2147483647 values"), "{message}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn a_damaged_file_is_read_or_refused(
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        from_the_end in any::<bool>(),
    ) {
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY);
        let mut bytes = written(60, 40, properties.build());
        let length = bytes.len();
        for (place, value) in places {
            let at = if from_the_end { length - 1 - place.index(length.min(700)) } else { place.index(length) };
            bytes[at] = value;
        }
        bytes[..4].copy_from_slice(b"PAR1");
        let (lines, _) = read(&bytes, |_| {});
        prop_assert!(lines.len() < 10_000_000);
    }
}
