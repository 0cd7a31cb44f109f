//! `report`: its numbers are `convert`'s, its packets are in the records that it says, it is bounded, and it is the same with
//! any number of threads.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flowtruth::capture::CaptureInput;
use flowtruth::decode::Tunnels;
use flowtruth::pipeline::{
    DiffOptions, Fragments, LogInput, MeterOptions, Progress, RecordOptions, ReportOptions, ReportSources,
    Reported, VpcOptions, convert, convert_with_vpc, report,
};
use flowtruth::record::{FlowRecord, LogFormat};
use flowtruth::report::{PacketFate, ReportData, page};
use flowtruth::vpc::{ModelBuilder, Vpc};

const MEGABYTE: usize = 1_000_000;

fn fixtures(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.to_string_lossy().into_owned();
        if path.is_dir() {
            fixtures(&path, found);
        } else if !name.ends_with(".tsv") && !name.ends_with(".expected") {
            found.push(path);
        }
    }
}

fn captures() -> Vec<PathBuf> {
    let mut found = Vec::new();
    fixtures(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures"), &mut found);
    found.sort();
    assert!(found.len() > 60, "only {} captures were found", found.len());
    found
}

fn vpc(folder: &str) -> Arc<Vpc> {
    let mut builder = ModelBuilder::default();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/vpc").join(folder);
    let mut files: Vec<PathBuf> = match path.is_dir() {
        true => fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect(),
        false => vec![path],
    };
    files.sort();
    for file in files {
        builder.add(&file.to_string_lossy(), &fs::read_to_string(&file).unwrap()).unwrap();
    }
    Arc::new(Vpc::new(builder.finish()))
}

/// Options and whether a packet's flow is its record's.
struct How {
    meter: MeterOptions,
    format: &'static str,
}

fn hows() -> Vec<How> {
    let minute = || MeterOptions { interval: "60".parse().unwrap(), ..MeterOptions::default() };
    vec![
        How { meter: minute(), format: "v2" },
        How { meter: minute(), format: "v5" },
        How { meter: MeterOptions { interval: "capture".parse().unwrap(), ..minute() }, format: "all" },
        How {
            meter: MeterOptions {
                tunnels: "all".parse::<Tunnels>().unwrap(),
                fragments: Fragments::Track,
                dedup: true,
                ..minute()
            },
            format: "v3",
        },
        How {
            meter: MeterOptions {
                filter: Some("not port 22".parse().unwrap()),
                allowed_lateness: 0,
                count: Some(20),
                ..minute()
            },
            format: "v2",
        },
    ]
}

fn records(format: &str) -> RecordOptions {
    RecordOptions {
        format: LogFormat::preset(format).unwrap(),
        header: false,
        identity: FlowRecord { account_id: Some("unknown".into()), ..FlowRecord::default() },
    }
}

fn options(how: &How, vpc: Option<VpcOptions>) -> ReportOptions {
    ReportOptions {
        mask: None,
        quiz: None,
        meter: how.meter.clone(),
        records: records(how.format),
        vpc,
        compare: DiffOptions::default(),
        with_payload: false,
    }
}

fn of(inputs: Vec<CaptureInput>, logs: Vec<LogInput>, options: &ReportOptions) -> Reported {
    report(ReportSources { captures: inputs, logs, log_format: None }, options, &Progress::new()).unwrap()
}

fn path(capture: &Path) -> Vec<CaptureInput> {
    vec![CaptureInput::Path(capture.to_owned())]
}

/// What `convert` makes of the same, line by line, and its ledger.
fn converted(capture: &Path, how: &How, vpc: Option<&VpcOptions>) -> (Vec<String>, String) {
    let (records, progress) = (records(how.format), Progress::new());
    let mut output = Vec::new();
    let conversion = match vpc {
        None => convert(path(capture), &how.meter, &records, &mut output, false, &progress),
        Some(vpc) => {
            convert_with_vpc(path(capture), &how.meter, &records, vpc, &mut output, false, &progress)
        }
    }
    .unwrap();
    let lines = String::from_utf8(output).unwrap().lines().map(str::to_owned).collect();
    (lines, format!("{:?}", conversion.ledger))
}

/// Every record that is shown has the packets that it counts, where all are on the page; and packets that were skipped are
/// skipped for the ledger's reasons.
fn check_packets(data: &ReportData, name: &str) {
    let mut counted = vec![(0_u64, 0_u64); data.records.shown.len()];
    let mut skipped = BTreeMap::<&str, u64>::new();
    for packet in &data.packets.shown {
        match &packet.fate {
            PacketFate::InRecords(places) => {
                assert!(!places.is_empty(), "{name}");
                for place in places {
                    counted[*place].0 += 1;
                    counted[*place].1 += u64::from(packet.ip_length.unwrap());
                }
            }
            PacketFate::Skipped { reason, .. } => *skipped.entry(reason).or_default() += 1,
            PacketFate::NotFollowed => panic!("{name}: packet {} was not followed", packet.number),
        }
    }
    if data.packets.is_part() {
        return;
    }
    assert!(!data.records.is_part(), "{name}: all packets are shown, but not all records");
    for (record, counted) in data.records.shown.iter().zip(&counted) {
        assert_eq!((record.packets, record.bytes), *counted, "{name}: record {}", record.number);
    }
    let ledger: BTreeMap<&str, u64> =
        data.ledger.skipped.iter().map(|part| (part.name.as_str(), part.packets)).collect();
    assert_eq!(skipped, ledger, "{name}");
}

fn check_against_convert(data: &ReportData, lines: &[String], name: &str) {
    assert_eq!(data.records.total, lines.len() as u64, "{name}");
    for record in &data.records.shown {
        let line = &lines[usize::try_from(record.number).unwrap() - 1];
        let own = line.split('\t').next().unwrap();
        assert_eq!(record.values.join(" "), own, "{name}: record {}", record.number);
        if let Some((_, why)) = line.split_once('\t') {
            assert_eq!(record.why.as_deref(), Some(why), "{name}: record {}", record.number);
        }
    }
    let windows: u64 = data.windows.shown.iter().map(|window| window.records).sum();
    assert!(data.windows.is_part() || windows == data.records.total, "{name}: windows hold {windows}");
    let binned: u64 = data.histogram.bins.iter().map(|(_, packets, _)| packets).sum();
    let taken_back = data.ledger.read - data.ledger.in_records;
    assert!(
        binned == data.ledger.in_records || (data.has_vpc && binned <= data.ledger.in_records + taken_back),
        "{name}"
    );
}

#[test]
fn the_numbers_are_those_of_convert() {
    for capture in captures() {
        for how in hows() {
            let name = format!("{} as {}", capture.display(), how.format);
            let Reported { data, conversion, .. } = of(path(&capture), Vec::new(), &options(&how, None));
            let (lines, ledger) = converted(&capture, &how, None);
            assert_eq!(format!("{:?}", conversion.ledger), ledger, "{name}");
            check_against_convert(&data, &lines, &name);
            check_packets(&data, &name);
            let page = page(&data).unwrap();
            assert!(page.len() < MEGABYTE, "{name}: {} bytes", page.len());
        }
    }
}

#[test]
fn with_a_vpc_the_numbers_are_those_of_convert_too() {
    let pairs = [
        ("ssh", "aws/ssh.pcap"),
        ("rdp", "aws/rdp.pcap"),
        ("ping", "aws/ping.pcap"),
        ("ping-denied", "aws/ping.pcap"),
        ("ipv6-ssh", "aws/ipv6-ssh.pcap"),
        ("nat", "vpc/nat.pcap"),
        ("regional-nat", "vpc/regional-nat.pcap"),
        ("transit-gateway", "vpc/transit-gateway.pcap"),
        ("vpn.toml", "vpc/vpn-ping.pcap"),
        ("office.toml", "vpc/unlogged.pcap"),
        ("web.toml", "vpc/teardown.pcap"),
    ];
    for (folder, capture) in pairs {
        let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures").join(capture);
        for (how, like_aws) in hows().iter().take(2).zip([false, true]) {
            let name = format!("{} in {folder} as {}", capture.display(), how.format);
            let vpc = VpcOptions { like_aws, why: true, nodata: like_aws, ..VpcOptions::new(vpc(folder)) };
            let asked = VpcOptions { why: false, ..vpc.clone() };
            let Reported { data, conversion, .. } =
                of(path(&capture), Vec::new(), &options(how, Some(asked)));
            let (lines, ledger) = converted(&capture, how, Some(&vpc));
            assert_eq!(format!("{:?}", conversion.ledger), ledger, "{name}");
            check_against_convert(&data, &lines, &name);
            check_packets(&data, &name);
            let with_interface = data.records.shown.iter().filter(|record| record.path.is_some());
            assert_eq!(data.paths.shown.is_empty(), with_interface.count() == 0, "{name}");
        }
    }
}

#[test]
fn a_packet_is_left_out_for_a_reason_also_where_all_are() {
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures/aws/ssh.pcap");
    let vpc = VpcOptions { known_only: true, ..VpcOptions::new(vpc("web.toml")) };
    let data = of(path(&capture), Vec::new(), &options(&hows()[0], Some(vpc))).data;
    assert_eq!((data.ledger.in_records, data.records.total), (0, 0));
    check_packets(&data, "ssh in another VPC");
}

#[test]
fn any_number_of_threads_makes_the_same_page() {
    for capture in captures() {
        let made = |threads: usize| {
            let how = How {
                meter: MeterOptions { threads, interval: "60".parse().unwrap(), ..MeterOptions::default() },
                format: "v5",
            };
            page(&of(path(&capture), Vec::new(), &options(&how, None)).data).unwrap()
        };
        let one = made(1);
        for threads in [2, 4] {
            assert!(made(threads) == one, "{} with {threads} threads", capture.display());
        }
    }
}

/// A pcap of so many packets, of so many flows, a millisecond apart.
fn large_capture(packets: u32, flows: u32) -> Vec<u8> {
    let mut pcap = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65535, 1] {
        pcap.extend_from_slice(&word.to_le_bytes());
    }
    for number in 0..packets {
        let flow = number % flows;
        let payload = (flow % 7) as usize * 100;
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60, 0, 0, 0];
        frame.extend_from_slice(&(8 + payload as u16).to_be_bytes());
        frame.extend_from_slice(&[17, 64]);
        for end in [flow, !flow] {
            frame
                .extend_from_slice(&[0x20, 0x01, 0x0d, 0xb8, 0xaa, 0xaa, 0xbb, 0xbb, 0xcc, 0xcc, 0xdd, 0xdd]);
            frame.extend_from_slice(&end.to_be_bytes());
        }
        frame.extend_from_slice(&[0xc3, 0x50, 0xea, 0x60]);
        frame.extend_from_slice(&(8 + payload as u16).to_be_bytes());
        frame.extend_from_slice(&[0, 0]);
        frame.resize(frame.len() + payload, b'!');
        let length = frame.len() as u32;
        for word in [1_700_000_000 + number / 1000, number % 1000 * 1000, length, length] {
            pcap.extend_from_slice(&word.to_le_bytes());
        }
        pcap.extend_from_slice(&frame);
    }
    pcap
}

#[test]
fn a_large_capture_is_sampled_and_that_is_said() {
    let bytes = large_capture(60_000, 20_000);
    let input = || vec![CaptureInput::Reader("large".to_owned(), Box::new(Cursor::new(bytes.clone())))];
    let made = |threads: usize| {
        let how = How {
            meter: MeterOptions { threads, interval: "60".parse().unwrap(), ..MeterOptions::default() },
            format: "all",
        };
        of(input(), Vec::new(), &options(&how, None)).data
    };
    let data = made(1);
    assert_eq!((data.packets.shown.len(), data.packets.total), (600, 60_000));
    assert_eq!((data.records.shown.len(), data.records.total), (1000, 40_000));
    check_packets(&data, "large");
    // the records of the packets that are shown, and the largest of the others
    let linked: Vec<usize> = (data.packets.shown.iter())
        .flat_map(|packet| match &packet.fate {
            PacketFate::InRecords(places) => places.clone(),
            _ => panic!("packet {}", packet.number),
        })
        .collect();
    let largest = data.records.shown.iter().map(|record| record.bytes).max().unwrap();
    for (place, record) in data.records.shown.iter().enumerate() {
        assert!(linked.contains(&place) || record.bytes == largest, "record {}", record.number);
    }
    assert!(data.histogram.bins.len() > 100 && data.histogram.bins.len() <= 512);
    let text = page(&data).unwrap();
    assert!(text.len() < 2 * MEGABYTE, "{} bytes", text.len());
    assert!(text.contains("600 of 60,000 packets are shown: the first 600 that were read."));
    assert!(text.contains("1,000 of 40,000 records are shown"));
    assert!(page(&made(4)).unwrap() == text, "with 4 threads");
}

#[test]
fn payload_is_on_the_page_only_where_it_is_asked_for() {
    let secret = "2121212121212121";
    let bytes = large_capture(20, 10);
    for with_payload in [false, true] {
        let inputs = vec![CaptureInput::Reader("a".to_owned(), Box::new(Cursor::new(bytes.clone())))];
        let options = ReportOptions { with_payload, ..options(&hows()[0], None) };
        let text = page(&of(inputs, Vec::new(), &options).data).unwrap();
        assert_eq!(text.contains(secret), with_payload);
    }
}

#[test]
fn padding_behind_a_packet_is_as_private_as_payload() {
    let mut bytes = large_capture(1, 1);
    // the frame grows by what lies behind the IP packet
    let length = (bytes.len() - 24 - 16 + 16) as u32;
    bytes.extend_from_slice(&[0x5a; 16]);
    bytes[32..36].copy_from_slice(&length.to_le_bytes());
    bytes[36..40].copy_from_slice(&length.to_le_bytes());
    let inputs = vec![CaptureInput::Reader("a".to_owned(), Box::new(Cursor::new(bytes)))];
    let text = page(&of(inputs, Vec::new(), &options(&hows()[0], None)).data).unwrap();
    assert!(text.contains("padding or checksum"));
    assert!(!text.contains("5a5a5a5a"));
}

#[test]
fn differences_are_those_of_diff() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/diff");
    let mut with_differences = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let case = entry.unwrap().path();
        let (capture, log) = (case.join("reference.pcap"), case.join("candidate.log"));
        if !capture.exists() || !log.exists() {
            continue;
        }
        let name = case.display().to_string();
        let how = How { meter: MeterOptions::default(), format: "v2" };
        let reported = of(path(&capture), vec![LogInput::Path(log)], &options(&how, None));
        let comparison = reported.comparison.unwrap().comparison;
        let shown = reported.data.comparison.as_ref().unwrap();
        assert_eq!(shown.matched, comparison.matched, "{name}");
        assert_eq!(shown.differences.total, comparison.differences.len() as u64, "{name}");
        let by_cause: BTreeMap<&str, u64> =
            shown.causes.iter().map(|cause| (cause.name, cause.differences)).collect();
        let expected: BTreeMap<&str, u64> =
            comparison.causes.iter().map(|(cause, differences)| (cause.code(), *differences)).collect();
        assert_eq!(by_cause, expected, "{name}");
        // what nothing explains comes first
        assert!(shown.differences.shown.is_sorted_by_key(|found| found.explained), "{name}");
        with_differences += usize::from(shown.differences.total > 0);
        let text = page(&reported.data).unwrap();
        assert!(text.contains("Held against the log") && text.len() < MEGABYTE, "{name}: {}", text.len());
    }
    assert!(with_differences > 15, "only {with_differences} cases differ");
}
