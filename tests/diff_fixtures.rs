//! Every pair under `fixtures/diff`, compared by the real binary, against what its generator says of it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use flowtruth::capture::CaptureInput;
use flowtruth::diff::Cause;
use flowtruth::flow::UnloggedTraffic;
use flowtruth::pipeline::{DiffOptions, DiffSide, LogInput, Progress, diff};
use flowtruth::vpc::{ModelBuilder, Vpc};
use serde_json::Value;

/// The file `expected` of a pair.
#[derive(Clone, Debug, Default, PartialEq)]
struct Expected {
    verdict: String,
    matched: u64,
    offset: f64,
    options: Vec<String>,
    causes: BTreeMap<String, u64>,
}

impl Expected {
    fn read(path: &Path) -> Expected {
        let mut expected = Expected::default();
        for line in fs::read_to_string(path).unwrap().lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["verdict", verdict] => expected.verdict = verdict.to_owned(),
                ["matched", matched] => expected.matched = matched.parse().unwrap(),
                ["clock-offset-seconds", offset] => expected.offset = offset.parse().unwrap(),
                ["options", ref options @ ..] => {
                    expected.options = options.iter().map(|option| (*option).to_owned()).collect();
                }
                ["cause", cause, differences] => {
                    expected.causes.insert(cause.to_owned(), differences.parse().unwrap());
                }
                _ => panic!("{}: {line}", path.display()),
            }
        }
        expected
    }

    /// With the sides exchanged: what is missing is extra, and the other way round.
    fn exchanged(&self) -> Expected {
        let other = |cause: &str| match cause {
            "missing-record" => "extra-record".to_owned(),
            "extra-record" => "missing-record".to_owned(),
            _ => cause.to_owned(),
        };
        let causes = self.causes.iter().map(|(cause, differences)| (other(cause), *differences)).collect();
        Expected { causes, offset: -self.offset, ..self.clone() }
    }
}

fn pairs() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/diff");
    let mut pairs: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    pairs.sort();
    assert!(pairs.len() > 40, "only {} pairs were found", pairs.len());
    pairs
}

fn side(pair: &Path, name: &str) -> PathBuf {
    let files = fs::read_dir(pair).unwrap().map(|entry| entry.unwrap().path());
    let of_side = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with(name);
    files.into_iter().find(of_side).unwrap_or_else(|| panic!("{} has no {name}", pair.display()))
}

/// What is wrong with a comparison, if anything.
fn compare(reference: &Path, candidate: &Path, expected: &Expected) -> Option<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_flowtruth"))
        .args(["diff", "--json", "--quiet"])
        .args(&expected.options)
        .args([reference, candidate])
        .output()
        .unwrap();
    let status = if expected.verdict == "different" { 1 } else { 0 };
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let causes = report["causes"].as_object().cloned().unwrap_or_default();
    let offset = report["clock_offset_seconds"].as_f64().unwrap_or(f64::NAN);
    let got = Expected {
        verdict: report["verdict"].as_str().unwrap_or_default().to_owned(),
        matched: report["matched"].as_u64().unwrap_or(u64::MAX),
        // tenths are estimated
        offset: if (offset - expected.offset).abs() <= expected.offset.fract().abs() / 2.0 {
            expected.offset
        } else {
            offset
        },
        options: expected.options.clone(),
        causes: causes.iter().map(|(cause, number)| (cause.clone(), number.as_u64().unwrap())).collect(),
    };
    (got != *expected || output.status.code() != Some(status)).then(|| {
        format!(
            "{} {}\n    expected {expected:?}\n    got      {got:?}, {:?} {}",
            reference.display(),
            candidate.display(),
            output.status.code(),
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

#[test]
fn pairs_differ_as_they_were_made_to() {
    let mut wrong = Vec::new();
    for pair in pairs() {
        let expected = Expected::read(&pair.join("expected"));
        wrong.extend(compare(&side(&pair, "reference"), &side(&pair, "candidate"), &expected));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn exchanged_sides_differ_the_other_way_round() {
    let mut wrong = Vec::new();
    for pair in pairs() {
        let expected = Expected::read(&pair.join("expected")).exchanged();
        wrong.extend(compare(&side(&pair, "candidate"), &side(&pair, "reference"), &expected));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The files of a side as the library takes them.
fn input(path: &Path) -> DiffSide {
    let is_capture =
        path.extension().is_some_and(|extension| extension.to_string_lossy().starts_with("pcap"));
    if is_capture {
        DiffSide::Captures(vec![CaptureInput::Path(path.to_owned())])
    } else {
        DiffSide::Logs(vec![LogInput::Path(path.to_owned())], None)
    }
}

/// The report of a comparison that may use so many bytes and threads.
fn report(
    reference: &Path,
    candidate: &Path,
    expected: &Expected,
    memory_limit: u64,
    threads: usize,
) -> Value {
    let mut options = DiffOptions::default();
    options.meter.memory_limit = Some(memory_limit);
    options.meter.threads = threads;
    match expected.options.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {}
        ["--decap", tunnels] => options.meter.tunnels = tunnels.parse().unwrap(),
        ["--vpc-cidr", cidr] => options.compare.unlogged = UnloggedTraffic::new(vec![cidr.parse().unwrap()]),
        ["--vpc", file] => {
            let mut builder = ModelBuilder::default();
            builder.add(file, &fs::read_to_string(file).unwrap()).unwrap();
            let vpc = Vpc::new(builder.finish());
            options.compare.unlogged = vpc.unlogged().clone();
            options.compare.vpc = Some(Arc::new(vpc));
        }
        _ => panic!("{:?}", expected.options),
    }
    serde_json::to_value(diff(input(reference), input(candidate), &options, &Progress::new())).unwrap()
}

#[test]
fn little_memory_and_more_threads_change_nothing() {
    let mut cut = 0;
    for pair in pairs() {
        let expected = Expected::read(&pair.join("expected"));
        let (reference, candidate) = (side(&pair, "reference"), side(&pair, "candidate"));
        for (one, other) in [(&reference, &candidate), (&candidate, &reference)] {
            let ample = report(one, other, &expected, u64::MAX, 1);
            assert_eq!(report(one, other, &expected, u64::MAX, 2), ample, "{}: two threads", pair.display());
            // a share of a handful of flows cannot tell the clocks' offset
            if expected.offset == 0.0 {
                cut += 1;
                for limit in [1, 2_000, 6_000] {
                    let little = report(one, other, &expected, limit, 1 + limit as usize % 2);
                    assert_eq!(little, ample, "{}: {limit} bytes", pair.display());
                }
            }
        }
    }
    assert!(cut > 80, "only {cut} comparisons were cut");
}

#[test]
fn every_cause_has_a_pair_of_its_name() {
    let mut claimed = BTreeSet::new();
    for pair in pairs() {
        let name = pair.file_name().unwrap().to_string_lossy().into_owned();
        if Expected::read(&pair.join("expected")).causes.contains_key(&name) {
            claimed.insert(name);
        }
    }
    let causes: BTreeSet<String> = Cause::ALL.iter().map(|cause| cause.code().to_owned()).collect();
    assert_eq!(claimed.intersection(&causes).cloned().collect::<BTreeSet<_>>(), causes);
}

#[test]
fn every_cause_has_its_section_in_their_order() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/causes.md")).unwrap();
    let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).skip(1).collect();
    assert_eq!(sections, Cause::ALL.map(Cause::code));
}
