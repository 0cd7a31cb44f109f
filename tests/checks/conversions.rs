//! The whole of `convert`.

use flowtruth::capture::{CaptureError, CaptureErrorKind, CaptureInput};
use flowtruth::decode::Tunnels;
use flowtruth::filter::Filter;
use flowtruth::flowlog::text::{parse_line, write_record_line};
use flowtruth::packet::Timestamp;
use flowtruth::pipeline::{
    Conversion, Fragments, MeterOptions, Progress, RecordOptions, WindowOrigin, convert as convert_all,
};
use flowtruth::record::{FlowRecord, LogFormat};

use super::{Bytes, Pieces, WHOLE};

/// Any bytes as a capture, converted with options that the first bytes choose: the ledger adds up, the output is
/// the same for one thread and for two and however the bytes come, and every line reads back.
pub fn convert(data: &[u8]) {
    let mut bytes = Bytes(data);
    let seconds = |n: i64| Timestamp::from_nanos(n.saturating_mul(1_000_000_000));
    let time = seconds(i64::from(bytes.u8()) * 13_421_773);
    let bits = bytes.u8();
    let flag = |bit: u8| bits >> bit & 1 == 1;
    let interval = bytes.one_of(&["60", "1", "600", "capture", "4294967295"]).parse().unwrap();
    let origin = bytes.one_of(&[
        WindowOrigin::Epoch,
        WindowOrigin::FirstPacket,
        WindowOrigin::At(time),
        WindowOrigin::At(Timestamp::MIN),
        WindowOrigin::At(Timestamp::MAX),
    ]);
    let allowed_lateness = bytes.one_of(&[10_000_000_000, 0, 1, u64::MAX]);
    let filter =
        bytes.one_of(&["", "", "tcp", "not udp and net 10.0.0.0/8", "port 53 or icmp or inbound", "ip6"]);
    let format = bytes.one_of(&[
        "v2",
        "v5",
        "all",
        "${tcp-flags} ${flow-direction} ${srcaddr}",
        "${bytes} ${end} ${pkt-srcaddr} ${type}",
    ]);
    let selection = bytes.u8();
    let options = |threads| MeterOptions {
        // with several threads also little memory, so that the temporary file is used
        memory_limit: (threads > 1).then_some(1 << 12),
        interval,
        origin,
        allowed_lateness,
        tunnels: Tunnels { vxlan: flag(0), geneve: flag(1), gre: flag(2) },
        fragments: if flag(3) { Fragments::Track } else { Fragments::Zero },
        dedup: flag(4),
        duplicate_window: if flag(5) { u64::MAX } else { 10_000_000 },
        filter: (!filter.is_empty()).then(|| Filter::parse(filter).unwrap()),
        from: (selection & 1 == 1).then_some(time),
        until: (selection & 2 == 2).then_some(seconds(1 << 31)),
        count: (selection & 4 == 4).then_some(u64::from(selection >> 3)),
        interface_addresses: flag(6).then(|| "10.0.0.1".parse().unwrap()).into_iter().collect(),
        threads,
    };
    let format: LogFormat =
        if format.starts_with('v') || format == "all" { LogFormat::preset(format) } else { format.parse() }
            .unwrap();
    let records = RecordOptions { format, header: flag(7), identity: FlowRecord::default() };
    let run = |threads, piece| {
        let input = CaptureInput::Reader("bytes".to_owned(), Box::new(Pieces::new(bytes.0, piece)));
        let mut output = Vec::new();
        let conversion =
            convert_all(vec![input], &options(threads), &records, &mut output, true, &Progress::new())
                .expect("a vector can always be written");
        (output, conversion)
    };
    let (output, Conversion { ledger, failures, interrupted }) = run(1, WHOLE);
    ledger.check().expect("the ledger adds up");
    assert!(!interrupted && failures.len() <= 1);
    assert_eq!(failures.is_empty(), ledger.captures[0].error.is_none());
    // how much comes out of a damaged stream depends on how it comes
    let damaged = |error: &CaptureError| matches!(error.kind(), CaptureErrorKind::CompressionDamaged { .. });
    for (threads, piece) in [(2, WHOLE), (1, 3)] {
        let (other, conversion) = run(threads, piece);
        if piece == 3 && failures.iter().chain(&conversion.failures).any(damaged) {
            continue;
        }
        assert!(output == other, "{threads} threads, pieces of {piece}");
        assert_eq!(ledger.total, conversion.ledger.total);
        assert_eq!(ledger.duplicates, conversion.ledger.duplicates);
    }

    let text = std::str::from_utf8(&output).expect("records are text");
    let mut lines = text.split_inclusive('\n');
    if records.header {
        assert_eq!(lines.next(), Some(records.format.header() + "\n").as_deref());
    }
    let mut count = 0;
    for line in lines {
        let record = parse_line(&records.format, line.as_bytes()).expect("a record reads back");
        let mut again = Vec::new();
        write_record_line(&records.format, &record, &mut again);
        assert_eq!(again, line.as_bytes());
        count += 1;
    }
    assert_eq!(count, ledger.total.records);
    if options(1).count.is_some_and(|count| ledger.total.tally.packets_in_records > count) {
        panic!("more packets than were asked for");
    }
}
