//! Descriptions of a VPC, and a capture judged by them.

use std::io::Cursor;
use std::sync::Arc;

use flowtruth::capture::CaptureInput;
use flowtruth::flow::FlowKey;
use flowtruth::flowlog::text::parse_line;
use flowtruth::packet::{IcmpType, Protocol};
use flowtruth::pipeline::{
    DiffOptions, DiffSide, DiffVpc, LogInput, MeterOptions, Progress, RecordOptions, TrafficType, VpcOptions,
    convert_with_vpc, diff,
};
use flowtruth::record::{FlowRecord, LogFormat};
use flowtruth::vpc::{ModelBuilder, PathEdition, Traffic, Vpc};

use super::Bytes;

/// Two descriptions with a zero behind each, and a capture, judged with options that the first bytes choose: an error
/// names its file, the ledger adds up, threads and memory change nothing, every line reads back, and a comparison of the
/// capture with its own log ends.
pub fn vpc(data: &[u8]) {
    let mut bytes = Bytes(data);
    let bits = bytes.u8();
    let flag = |bit: u8| bits >> bit & 1 == 1;
    let format = bytes.one_of(&["v2", "v5", "all"]);
    let traffic_type = bytes.one_of(&[TrafficType::All, TrafficType::Accept, TrafficType::Reject]);
    let mut parts = bytes.0.splitn(3, |byte| *byte == 0);
    let mut next = || parts.next().unwrap_or_default();
    let mut builder = ModelBuilder::default();
    for name in ["pl-1.json", "b.toml"] {
        if let Err(error) = builder.add(name, &String::from_utf8_lossy(next())) {
            assert!(error.to_string().starts_with(&format!("`{name}`")), "{error}");
        }
    }
    let capture = next();
    let model = builder.finish();
    assert!(model.problems.iter().all(|problem| !problem.to_string().is_empty()));
    let vpc = Arc::new(Vpc::new(model));
    ask(&vpc);
    let first = vpc.model().interfaces.first().map(|interface| interface.id.clone());
    let options = VpcOptions {
        only: first.filter(|_| flag(0)).into_iter().collect(),
        known_only: flag(1),
        why: flag(2),
        like_aws: flag(3),
        nodata: flag(4),
        traffic_type,
        path_edition: if flag(5) { PathEdition::Of2021 } else { PathEdition::Current },
        ..VpcOptions::new(Arc::clone(&vpc))
    };
    let format = LogFormat::preset(format).unwrap();
    let records = RecordOptions { format: format.clone(), header: false, identity: FlowRecord::default() };
    let input = || CaptureInput::Reader("capture".to_owned(), Box::new(Cursor::new(capture.to_vec())));
    let run = |threads| {
        let meter = MeterOptions {
            memory_limit: (threads > 1).then_some(1 << 12),
            interval: if flag(6) { "60" } else { "capture" }.parse().unwrap(),
            threads,
            ..MeterOptions::default()
        };
        let mut output = Vec::new();
        let (to, progress) = (&mut output, Progress::new());
        let conversion = convert_with_vpc(vec![input()], &meter, &records, &options, to, true, &progress)
            .expect("a vector can always be written");
        (output, conversion)
    };
    let (output, conversion) = run(1);
    conversion.ledger.check().expect("the ledger adds up");
    let (other, again) = run(2);
    assert!(output == other, "two threads, little memory");
    assert_eq!(conversion.ledger.total, again.ledger.total);
    let text = std::str::from_utf8(&output).expect("records are text");
    for line in text.lines() {
        let record = line.split('\t').next().unwrap_or_default();
        parse_line(&format, format!("{record}\n").as_bytes()).expect("a record reads back");
    }
    assert_eq!(text.lines().count() as u64, conversion.ledger.total.records);
    if flag(7) && !options.why {
        let scope = DiffVpc { vpc, only: options.only.clone(), traffic_type: None };
        let options = DiffOptions { vpc: Some(scope), ..DiffOptions::default() };
        let log = LogInput::Reader("log".to_owned(), Box::new(Cursor::new(output)));
        let sides = (DiffSide::Captures(vec![input()]), DiffSide::Logs(vec![log], Some(format)));
        diff(sides.0, sides.1, &options, &Progress::new());
    }
}

/// Asks a VPC whatever can be asked of its interfaces.
fn ask(vpc: &Vpc) {
    let addresses: Vec<_> =
        vpc.model().interfaces.iter().flat_map(|interface| interface.addresses.iter().copied()).collect();
    let other = "203.0.113.5".parse().unwrap();
    for address in addresses.into_iter().take(4).chain([other]) {
        for (protocol, icmp) in [
            (Protocol::TCP, None),
            (Protocol::UDP, None),
            (Protocol::ICMP, Some(IcmpType { icmp_type: 8, code: 0 })),
            (Protocol::ICMP, Some(IcmpType { icmp_type: 3, code: 4 })),
        ] {
            let port = if protocol.has_ports() { 22 } else { 0 };
            let flow = FlowKey { srcaddr: address, dstaddr: other, protocol, srcport: port, dstport: port };
            for flow in [flow, flow.reversed()] {
                let trace = vpc.trace(&Traffic::new(flow, icmp));
                for passage in trace.packet.iter().chain(&trace.reply) {
                    assert!(!vpc.explain(passage.verdict.why, Some(passage.interface), true).is_empty());
                }
            }
        }
    }
}
