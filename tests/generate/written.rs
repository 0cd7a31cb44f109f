//! What `generate` wrote, read back.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Everything that a flow at an interface is told by.
pub const FORMAT: &str = "${interface-id} ${flow-direction} ${action} ${pkt-srcaddr} ${pkt-dstaddr} ${srcport} \
                          ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${tcp-flags} ${log-status}";

/// How many of the format's fields are the key.
const KEY: usize = 8;

/// What was counted of a flow.
#[derive(Debug, Clone, PartialEq)]
pub struct Counts {
    pub packets: u64,
    pub bytes: u64,
    pub start: i64,
    pub end: i64,
    pub flags: Option<u64>,
}

/// Interface, direction, action, addresses, ports, protocol → what was counted.
pub type Flows = BTreeMap<String, Counts>;

/// A folder that was written.
pub struct Written {
    folder: PathBuf,
    pub json: Value,
}

/// A command.
pub fn flowtruth(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowtruth"));
    command.args(arguments);
    command
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Adds counts to those of a flow.
pub fn add(flows: &mut Flows, key: String, counts: Counts) {
    match flows.get_mut(&key) {
        None => {
            flows.insert(key, counts);
        }
        Some(sum) => {
            sum.packets += counts.packets;
            sum.bytes += counts.bytes;
            sum.start = sum.start.min(counts.start);
            sum.end = sum.end.max(counts.end);
            sum.flags = sum.flags.zip(counts.flags).map(|(one, other)| one | other);
        }
    }
}

/// The records of traffic in a log of [`FORMAT`].
fn records(text: &str) -> Flows {
    let mut flows = Flows::new();
    for line in text.lines() {
        let values: Vec<&str> = line.split(' ').collect();
        if values.last() != Some(&"OK") {
            continue;
        }
        let number = |at: usize| values[KEY + at].parse::<i64>().unwrap();
        let counts = Counts {
            packets: number(0) as u64,
            bytes: number(1) as u64,
            start: number(2),
            end: number(3),
            flags: values[KEY + 4].parse().ok(),
        };
        add(&mut flows, values[..KEY].join(" "), counts);
    }
    flows
}

impl Written {
    /// Runs a scenario.
    pub fn of(scenario: &str, folder: &Path, options: &[&str]) -> Written {
        output(flowtruth(&["generate", "--quiet", scenario, "-o"]).arg(folder).args(options));
        let json = serde_json::from_str(&fs::read_to_string(folder.join("truth.json")).unwrap()).unwrap();
        Written { folder: folder.to_owned(), json }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The first capture.
    pub fn capture(&self) -> PathBuf {
        self.file(self.json["capture"]["files"][0].as_str().unwrap())
    }

    fn options(&self) -> Vec<String> {
        let options = self.json["expected"]["options"].as_array().unwrap();
        options.iter().map(|option| option.as_str().unwrap().to_owned()).collect()
    }

    /// What `diff` says in place of what the scenario declares.
    pub fn wrong_verdict(&self) -> Option<String> {
        let diff = flowtruth(&["diff", "--json", "--quiet", "--vpc"])
            .arg(self.file("vpc"))
            .args(self.options())
            .args([self.capture(), self.file("flow.log")])
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&diff.stdout).unwrap_or_default();
        let mut causes: Vec<_> =
            report["causes"].as_object().into_iter().flatten().map(|(cause, _)| cause).collect();
        causes.sort();
        let expected = &self.json["expected"];
        let is_right = report["verdict"] == expected["verdict"]
            && serde_json::json!(causes) == expected["causes"]
            && diff.status.code() == Some(0);
        (!is_right).then(|| {
            let (verdict, stderr) = (&report["verdict"], String::from_utf8_lossy(&diff.stderr));
            format!("expected {expected}, got {verdict} {causes:?}, {:?} {stderr}", diff.status.code())
        })
    }

    /// What `convert --vpc` makes of the capture. Where it cannot tell an action, as of fragments without ports, the one of
    /// the truth stands.
    pub fn converted(&self) -> Flows {
        let files = self.json["capture"]["files"].as_array().unwrap();
        let decap = self.options();
        let convert = ["convert", "--quiet", "--max-aggregation-interval", "capture", "--log-format", FORMAT];
        let mut command = flowtruth(&convert);
        command.args(decap).arg("--vpc").arg(self.file("vpc"));
        let records =
            records(&output(command.args(files.iter().map(|file| self.file(file.as_str().unwrap())))));
        let truth = self.truth("captured");
        let told = |key: &String| {
            let mut words =
                ["ACCEPT", "REJECT"].into_iter().map(|action| key.replacen(" - ", &format!(" {action} "), 1));
            words.find(|key| truth.contains_key(key)).unwrap_or_else(|| key.clone())
        };
        let mut flows = Flows::new();
        records.into_iter().for_each(|(key, counts)| add(&mut flows, told(&key), counts));
        flows
    }

    /// What `convert` makes of the capture without a VPC, in the default format and one window.
    pub fn records(&self) -> String {
        let convert = ["convert", "--quiet", "--max-aggregation-interval", "capture"];
        output(flowtruth(&convert).args(self.options()).arg(self.capture()))
    }

    /// What the log says, which has [`FORMAT`].
    pub fn logged(&self) -> Flows {
        records(&fs::read_to_string(self.file("flow.log")).unwrap())
    }

    /// What was sent and logged, as a log shows it.
    pub fn truth_of_the_log(&self) -> Flows {
        self.read(|flow| flow["logged"] == true, "sent")
    }

    /// What was `sent`, or `captured`.
    pub fn truth(&self, what: &str) -> Flows {
        self.read(|_| true, what)
    }

    fn read(&self, is_wanted: impl Fn(&Value) -> bool, what: &str) -> Flows {
        let mut flows = Flows::new();
        for flow in self.json["flows"].as_array().unwrap() {
            let counts = &flow[what];
            if counts.is_null() || !is_wanted(flow) {
                continue;
            }
            let text = |key: &str| flow[key].as_str().unwrap().to_owned();
            let number = |key: &str| flow[key].as_u64().unwrap().to_string();
            // a record shows ports and addresses of the packet here, so that the two have one key
            let key = [
                text("interface"),
                text("direction"),
                text("action"),
                text("srcaddr"),
                text("dstaddr"),
                number("srcport"),
                number("dstport"),
                number("protocol"),
            ];
            let counts = Counts {
                packets: counts["packets"].as_u64().unwrap(),
                bytes: counts["bytes"].as_u64().unwrap(),
                start: counts["first"].as_f64().unwrap().floor() as i64,
                end: counts["last"].as_f64().unwrap().floor() as i64,
                flags: counts["tcp_flags"].as_u64(),
            };
            add(&mut flows, key.join(" "), counts);
        }
        flows
    }
}
