//! There and back: the packets extracted for a record, converted again, are that very record.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flowtruth::capture::{Capture, CaptureInput, WriteFormat};
use flowtruth::decode::Tunnels;
use flowtruth::flow::{AggregationInterval, FlowKey, FlowPattern};
use flowtruth::flowlog::text::parse_line;
use flowtruth::packet::{PacketDirection, PacketTime};
use flowtruth::pipeline::{
    Conversion, ExtractError, ExtractOptions, Extracted, Extraction, Fragments, MeterOptions,
    PacketSelection, Progress, RecordOptions, SecondSpan, convert, extract,
};
use flowtruth::record::{FlowRecord, LogFormat};

const FORMAT: &str = "${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${tcp-flags} ${type}";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures")
}

fn captures(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            captures(&path, found);
        } else if !name.ends_with(".tsv") && !name.ends_with(".expected") {
            found.push(path);
        }
    }
    found.sort();
}

fn path(path: &Path) -> CaptureInput {
    CaptureInput::Path(path.to_owned())
}

fn bytes(bytes: &[u8]) -> CaptureInput {
    CaptureInput::Reader("bytes".to_owned(), Box::new(io::Cursor::new(bytes.to_vec())))
}

/// The records of a capture, a line each.
fn records(input: CaptureInput, meter: &MeterOptions) -> (Vec<String>, Conversion) {
    let options =
        RecordOptions { format: FORMAT.parse().unwrap(), header: false, identity: FlowRecord::default() };
    let mut output = Vec::new();
    let conversion = convert(vec![input], meter, &options, &mut output, false, &Progress::new()).unwrap();
    (String::from_utf8(output).unwrap().lines().map(str::to_owned).collect(), conversion)
}

/// A record's flow and time.
fn of_record(line: &str) -> (FlowKey, SecondSpan, Extracted) {
    let record = parse_line(&FORMAT.parse::<LogFormat>().unwrap(), line.as_bytes()).unwrap();
    let flow = FlowKey {
        srcaddr: record.srcaddr.unwrap(),
        dstaddr: record.dstaddr.unwrap(),
        protocol: record.protocol.unwrap(),
        srcport: record.srcport.unwrap(),
        dstport: record.dstport.unwrap(),
    };
    let span = SecondSpan { start: record.start.unwrap(), end: record.end.unwrap() };
    (flow, span, Extracted { packets: record.packets.unwrap(), bytes: record.bytes.unwrap() })
}

fn selection(flow: impl Into<FlowPattern>, span: SecondSpan) -> PacketSelection {
    let mut selection = PacketSelection::new();
    selection.add(flow, span);
    selection
}

fn run(
    inputs: Vec<CaptureInput>,
    options: &ExtractOptions,
    wanted: &PacketSelection,
) -> (Vec<u8>, Extraction) {
    let mut output = Vec::new();
    let extraction = extract(inputs, options, wanted, &mut output, &Progress::new()).unwrap();
    (output, extraction)
}

/// Checks every record of a capture; returns how many there were.
fn there_and_back(capture: &Path, meter: &MeterOptions, format: Option<WriteFormat>) -> usize {
    let (lines, conversion) = records(path(capture), meter);
    // a late packet's record lies in the time of the record that it came too late for
    if conversion.ledger.total.tally.late_packets > 0 {
        return 0;
    }
    let options = ExtractOptions { meter: meter.clone(), format, read_after_interrupt: false };
    for line in &lines {
        let (flow, span, said) = of_record(line);
        let (extracted, extraction) = run(vec![path(capture)], &options, &selection(flow, span));
        let place = || format!("{} {meter:?}\n{line}", capture.display());
        assert_eq!(extraction.entries, [said], "{}", place());
        assert_eq!(extraction.packets_written, said.packets, "{}", place());
        assert_eq!(extraction.ip_bytes_written, said.bytes, "{}", place());
        assert_eq!(extraction.packets_read, conversion.ledger.total.tally.packets_read);
        assert_eq!(extraction.failures.len(), conversion.failures.len());
        let (again, reconversion) = records(bytes(&extracted), meter);
        assert_eq!(again, [line.as_str()], "{}", place());
        assert!(reconversion.failures.is_empty());
    }
    lines.len()
}

#[test]
fn the_packets_of_a_record_are_that_record_again() {
    let minute = MeterOptions { interval: "60".parse().unwrap(), ..MeterOptions::default() };
    let whole = MeterOptions { interval: AggregationInterval::Capture, ..MeterOptions::default() };
    let tunnels: Tunnels = "all".parse().unwrap();
    let opened = MeterOptions { tunnels, ..minute.clone() };
    let tracked = MeterOptions { fragments: Fragments::Track, tunnels, ..minute.clone() };
    let mut found = Vec::new();
    captures(&fixtures(), &mut found);
    let (mut checked, mut with_records) = (0, BTreeSet::new());
    for capture in &found {
        for (meter, format) in [
            (&minute, None),
            (&whole, Some(WriteFormat::Pcapng)),
            (&opened, None),
            (&tracked, Some(WriteFormat::Pcapng)),
        ] {
            let records = there_and_back(capture, meter, format);
            checked += records;
            if records > 0 {
                with_records.insert(capture);
            }
        }
    }
    assert!(checked > 1000, "only {checked} records were checked");
    assert!(with_records.len() > 90, "only {} captures had records", with_records.len());
}

/// Every packet, without its place in the capture: time, both lengths, link type, direction and bytes.
type Packets = Vec<(PacketTime, u32, u16, PacketDirection, Vec<u8>)>;

fn packets(mut capture: Capture) -> Packets {
    let mut packets = Vec::new();
    while capture.advance().unwrap() {
        let packet = capture.current();
        let (length, data) = (packet.original_length, packet.data.to_vec());
        packets.push((packet.time, length, packet.link_type.0, packet.direction, data));
    }
    packets
}

#[test]
fn all_packets_of_all_flows_are_the_ip_packets_as_they_were_captured() {
    let everything = selection(FlowPattern::default(), SecondSpan::ALWAYS);
    let options = ExtractOptions::default();
    for name in [
        "seed.pcap",
        "containers/conversation.told.pcapng",
        "containers/conversation.interfaces.pcapng",
        "containers/conversation.two-sections.pcapng",
        "containers/conversation.be.pcapng",
        "containers/conversation.modified-be.pcap",
        "containers/conversation.us.pcap.zst",
        "containers/nanoseconds.pcap",
        "containers/nanoseconds.pcapng",
        "links/pair.sll2.pcap",
    ] {
        let capture = fixtures().join(name);
        let (extracted, extraction) = run(vec![path(&capture)], &options, &everything);
        let expected = packets(Capture::open(&capture).unwrap());
        let got = packets(Capture::from_reader("extracted", io::Cursor::new(extracted)).unwrap());
        assert_eq!(got, expected, "{name}");
        assert_eq!(extraction.packets_written, expected.len() as u64);
    }
}

#[test]
fn captures_of_several_link_types_become_one_pcapng_that_names_them() {
    let everything = selection(FlowPattern::default(), SecondSpan::ALWAYS);
    let inputs = ["links/pair.raw.pcap", "links/pair.sll.pcap"].map(|name| path(&fixtures().join(name)));
    let (extracted, extraction) = run(inputs.into(), &ExtractOptions::default(), &everything);
    assert_eq!(extraction.format, WriteFormat::Pcapng);
    let mut capture = Capture::from_reader("extracted", io::Cursor::new(extracted)).unwrap();
    while capture.advance().unwrap() {}
    let interfaces = &capture.info().interfaces;
    let names: Vec<_> = interfaces.iter().map(|interface| interface.name.as_deref().unwrap()).collect();
    assert!(names[0].ends_with("pair.raw.pcap") && names[1].ends_with("pair.sll.pcap"), "{names:?}");
    assert_eq!(interfaces.len(), 2);
}

#[test]
fn many_entries_are_counted_each_for_itself() {
    let capture = fixtures().join("traffic/thirty-four.pcap");
    let (lines, _) = records(path(&capture), &MeterOptions::default());
    let mut wanted = PacketSelection::new();
    let mut expected = Vec::new();
    for line in &lines {
        let (flow, span, said) = of_record(line);
        assert_eq!(wanted.add(flow, span), expected.len());
        expected.push(said);
    }
    // once more, by a pattern that overlaps all of them, and a flow that is not there
    wanted.add(FlowPattern::default(), SecondSpan::ALWAYS);
    wanted.add(of_record(&lines[0]).0, SecondSpan { start: 0, end: 1 });
    let (_, extraction) = run(vec![path(&capture)], &ExtractOptions::default(), &wanted);
    let total = |count: fn(&Extracted) -> u64| expected.iter().map(count).sum::<u64>();
    let all = Extracted { packets: total(|e| e.packets), bytes: total(|e| e.bytes) };
    assert_eq!(extraction.entries[..expected.len()], expected);
    assert_eq!(extraction.entries[expected.len()..], [all, Extracted::default()]);
    assert_eq!((extraction.packets_written, extraction.ip_bytes_written), (all.packets, all.bytes));
    assert_eq!(extraction.missed.other_times, 0, "every packet was wanted by another entry");
}

#[test]
fn time_filter_and_count_are_kept_to() {
    let capture = fixtures().join("seed.pcap");
    let (lines, _) = records(path(&capture), &MeterOptions::default());
    let (flow, span, said) = of_record(&lines[0]);
    let wanted = selection(flow, span);
    let of = |meter: MeterOptions| {
        let options = ExtractOptions { meter, ..ExtractOptions::default() };
        run(vec![path(&capture)], &options, &wanted).1
    };
    let three = of(MeterOptions { count: Some(3), ..MeterOptions::default() });
    assert_eq!((three.packets_written, three.packets_read), (3, 3));
    let until = Some("1623101061".parse().unwrap());
    let early = of(MeterOptions { until, ..MeterOptions::default() });
    let late = of(MeterOptions { from: until, ..MeterOptions::default() });
    assert_eq!(early.packets_written, 3);
    assert_eq!(early.missed.left_out, late.packets_written);
    assert_eq!(early.packets_written + late.packets_written, said.packets);
    let none = of(MeterOptions { filter: Some("udp".parse().unwrap()), ..MeterOptions::default() });
    assert_eq!((none.packets_written, none.missed.left_out), (0, said.packets));
}

#[test]
fn what_came_near_explains_an_empty_result() {
    let capture = fixtures().join("seed.pcap");
    let (lines, _) = records(path(&capture), &MeterOptions::default());
    let (flow, span, said) = of_record(&lines[0]);
    let missed = |wanted: &PacketSelection| {
        let (_, extraction) = run(vec![path(&capture)], &ExtractOptions::default(), wanted);
        assert_eq!(extraction.packets_written, 0);
        extraction.missed
    };
    let before = missed(&selection(flow, SecondSpan { start: 0, end: span.start - 1 }));
    assert_eq!(before.other_times, said.packets);
    let (first, last) = before.other_times_span.unwrap();
    assert_eq!((first.seconds(), last.seconds()), (span.start, span.end));
    let reversed = missed(&selection(FlowPattern::from(flow).reversed(), span));
    assert_eq!(reversed.reversed, said.packets);

    let untimed = fixtures().join("containers/simple-and-obsolete.pcapng");
    let everything = selection(FlowPattern::default(), SecondSpan::ALWAYS);
    let (_, extraction) = run(vec![path(&untimed)], &ExtractOptions::default(), &everything);
    let (_, conversion) = records(path(&untimed), &MeterOptions::default());
    assert!(extraction.missed.without_time > 0);
    assert_eq!(extraction.packets_written, conversion.ledger.total.tally.packets_in_records);
}

#[test]
fn an_interruption_leaves_a_whole_capture() {
    let progress = Progress::new();
    progress.interrupt();
    let everything = selection(FlowPattern::default(), SecondSpan::ALWAYS);
    let inputs = || vec![path(&fixtures().join("seed.pcap"))];
    let mut output = Vec::new();
    let stopped = extract(inputs(), &ExtractOptions::default(), &everything, &mut output, &progress).unwrap();
    assert!(stopped.interrupted && stopped.packets_read == 0);
    assert!(packets(Capture::from_reader("output", io::Cursor::new(output)).unwrap()).is_empty());
    let options = ExtractOptions { read_after_interrupt: true, ..ExtractOptions::default() };
    let read_on = extract(inputs(), &options, &everything, io::sink(), &progress).unwrap();
    assert!(read_on.interrupted && read_on.packets_written == 10);
}

/// An output that is full.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_output_and_a_packet_that_does_not_fit_are_errors() {
    let everything = selection(FlowPattern::default(), SecondSpan::ALWAYS);
    let inputs = || vec![path(&fixtures().join("links/pair.raw.pcap"))];
    let full = extract(inputs(), &ExtractOptions::default(), &everything, Full, &Progress::new());
    assert!(matches!(full, Err(ExtractError::Output(_))), "{full:?}");
    let format = Some(WriteFormat::Pcap(flowtruth::packet::LinkType::ETHERNET));
    let options = ExtractOptions { format, ..ExtractOptions::default() };
    let refused = extract(inputs(), &options, &everything, io::sink(), &Progress::new());
    assert!(matches!(refused, Err(ExtractError::Packet { number: 1, .. })), "{refused:?}");
}
