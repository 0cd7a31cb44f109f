//! `diff --vpc` of captures and the logs that `convert --vpc` makes of them: the same, whatever the log is of.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::HashSet;
use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use flowtruth::capture::CaptureInput;
use flowtruth::diff::{CompareOptions, Comparison, Surroundings, Verdict};
use flowtruth::pipeline::{
    DiffOptions, DiffSide, DiffVpc, LogInput, MeterOptions, Progress, RecordOptions, TrafficType, VpcOptions,
    convert_with_vpc, diff,
};
use flowtruth::record::{FlowRecord, LogFormat};
use flowtruth::vpc::{ModelBuilder, Vpc};
use proptest::prelude::*;

mod vpc_traffic;

use vpc_traffic::{Plan, VPC, capture, plan, vpc};

fn input(bytes: &[u8]) -> Vec<CaptureInput> {
    vec![CaptureInput::Reader("capture".to_owned(), Box::new(Cursor::new(bytes.to_vec())))]
}

/// A VPC of the fixtures: a file, or a folder of files.
fn described(name: &str) -> Arc<Vpc> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/vpc").join(name);
    let mut files = if path.is_dir() {
        fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect()
    } else {
        vec![path]
    };
    files.sort();
    let mut builder = ModelBuilder::default();
    for file in files {
        builder.add(&file.to_string_lossy(), &fs::read_to_string(&file).unwrap()).unwrap();
    }
    Arc::new(Vpc::new(builder.finish()))
}

fn log(capture: &[u8], options: &VpcOptions, format: &str, interval: &str) -> String {
    let meter = MeterOptions { interval: interval.parse().unwrap(), ..MeterOptions::default() };
    let identity = FlowRecord { account_id: Some("unknown".into()), ..FlowRecord::default() };
    let records = RecordOptions { format: LogFormat::preset(format).unwrap(), header: true, identity };
    let mut output = Vec::new();
    convert_with_vpc(input(capture), &meter, &records, options, &mut output, false, &Progress::new())
        .unwrap();
    String::from_utf8(output).unwrap()
}

fn compared(capture: &[u8], log: &str, scope: DiffVpc) -> Comparison {
    let options = DiffOptions {
        compare: CompareOptions {
            unlogged: scope.vpc.unlogged().clone(),
            vpc: Some(Arc::clone(&scope.vpc) as Arc<dyn Surroundings>),
            ..CompareOptions::default()
        },
        vpc: Some(scope),
        ..DiffOptions::default()
    };
    let reader = LogInput::Reader("log".to_owned(), Box::new(Cursor::new(log.as_bytes().to_vec())));
    let sides = (DiffSide::Captures(input(capture)), DiffSide::Logs(vec![reader], None));
    diff(sides.0, sides.1, &options, &Progress::new()).comparison
}

/// The scopes that a log may be read with: that which is told, and that which its records show.
fn scopes(options: &VpcOptions, log: &str) -> Vec<DiffVpc> {
    let told = DiffVpc {
        vpc: Arc::clone(&options.vpc),
        only: options.only.clone(),
        traffic_type: Some(options.traffic_type),
    };
    let shown = DiffVpc { only: HashSet::new(), traffic_type: None, ..told.clone() };
    // a log without records shows nothing, and one of a gateway alone no name
    let shows = log.lines().count() > 1 && log.lines().skip(1).any(|line| line.contains(" eni-"));
    if shows { vec![told, shown] } else { vec![told] }
}

/// Every way in which a log may be less than all records.
fn ways(vpc: &Arc<Vpc>) -> Vec<VpcOptions> {
    let all = VpcOptions::new(Arc::clone(vpc));
    let mut ways = vec![all.clone(), VpcOptions { known_only: true, ..all.clone() }];
    for interface in &vpc.model().interfaces {
        ways.push(VpcOptions { only: [interface.id.clone()].into(), ..all.clone() });
    }
    for nat in vpc.model().nat_gateways.iter().filter(|nat| nat.is_regional) {
        ways.push(VpcOptions { only: [nat.id.clone()].into(), ..all.clone() });
    }
    let typed = [TrafficType::Accept, TrafficType::Reject];
    let of_actions: Vec<VpcOptions> = ways
        .iter()
        .flat_map(|way| typed.map(|traffic_type| VpcOptions { traffic_type, ..way.clone() }))
        .collect();
    ways.extend(of_actions);
    ways
}

#[test]
fn the_log_of_a_conversion_differed_from_its_capture() {
    let mut compared_logs = 0;
    for (name, captures) in [
        ("ping", vec!["aws/ping"]),
        ("ping-denied", vec!["aws/ping"]),
        ("rdp", vec!["aws/rdp"]),
        ("ssh", vec!["aws/ssh"]),
        ("ipv6-ssh", vec!["aws/ipv6-ssh"]),
        ("tcp-flags", vec!["aws/flags-2-43418", "aws/flags-18-43418", "aws/flags-3-43638"]),
        ("s3", vec!["aws/flags-19-s3", "aws/flags-3-s3"]),
        ("nat", vec!["vpc/nat"]),
        ("regional-nat", vec!["vpc/regional-nat"]),
        ("transit-gateway", vec!["vpc/transit-gateway"]),
        ("vpn.toml", vec!["vpc/vpn-ping"]),
        ("vpn-without-rule.toml", vec!["vpc/vpn-ping"]),
        ("web.toml", vec!["vpc/teardown", "vpc/unlogged", "vpc/silence"]),
        ("incomplete", vec!["aws/ping"]),
    ] {
        let vpc = described(name);
        for capture in captures {
            let path =
                Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/captures/{capture}.pcap"));
            let bytes = fs::read(path).unwrap();
            for options in ways(&vpc) {
                for (format, interval) in [("v2", "600"), ("v5", "60"), ("all", "capture")] {
                    let text = log(&bytes, &options, format, interval);
                    for scope in scopes(&options, &text) {
                        let told = !scope.only.is_empty() || scope.traffic_type.is_some();
                        let comparison = compared(&bytes, &text, scope);
                        assert_eq!(
                            (comparison.verdict, comparison.differences.len()),
                            (Verdict::Same, 0),
                            "{name} {capture} {format} {interval} only {:?} {:?}, told: {told}\n{text}\n{:#?}",
                            options.only,
                            options.traffic_type,
                            comparison.differences
                        );
                        compared_logs += 1;
                    }
                }
            }
        }
    }
    assert!(compared_logs > 500, "only {compared_logs} logs");
}

#[test]
fn a_rejected_record_that_the_rules_let_pass_said_nothing() {
    let bytes =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures/aws/ssh.pcap")).unwrap();
    let options = VpcOptions::new(described("ssh"));
    let scope = || DiffVpc {
        vpc: Arc::clone(&options.vpc),
        only: HashSet::new(),
        traffic_type: Some(TrafficType::All),
    };
    let right = log(&bytes, &options, "v5", "600");
    assert_eq!(compared(&bytes, &right, scope()).verdict, Verdict::Same);
    let wrong = right.replacen("ACCEPT", "REJECT", 1);
    assert_ne!(wrong, right);
    let comparison = compared(&bytes, &wrong, scope());
    let causes: Vec<String> = comparison.causes.keys().map(ToString::to_string).collect();
    assert_eq!((comparison.verdict, causes), (Verdict::Different, vec!["other-action".to_owned()]));
    let detail = &comparison.differences[0].detail;
    assert!(detail.contains("it is REJECT, and the rules let packets of it pass"), "{detail}");
}

/// Whether a packet is of two interfaces: what one sends to itself is in two records that a log without directions
/// cannot tell apart.
fn is_between_two(plan: &Plan) -> bool {
    let (from, to) = plan.ends;
    let interface = |end: usize| if end < 2 { 0 } else { end };
    interface(from) != interface(to) && !(plan.mac && to == 2)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn secondary_addresses_of_one_record_differed(plans in proptest::collection::vec(plan(), 1..150), way in any::<proptest::sample::Index>()) {
        let plans: Vec<Plan> = plans.into_iter().filter(is_between_two).collect();
        let bytes = capture(&plans);
        let ways = ways(&vpc(VPC));
        let options = way.get(&ways);
        for (format, interval) in [("v2", "60"), ("v5", "600"), ("all", "60")] {
            if options.known_only && format != "all" {
                // without `resource-id` the gateway's records are like those of nobody, which are left out
                continue;
            }
            let text = log(&bytes, options, format, interval);
            for scope in scopes(options, &text) {
                let comparison = compared(&bytes, &text, scope);
                prop_assert_eq!(
                    comparison.verdict,
                    Verdict::Same,
                    "{} only {:?} {:?}\n{}\n{:#?}",
                    format, options.only, options.traffic_type, text, comparison.differences
                );
            }
        }
    }
}
