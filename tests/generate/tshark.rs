//! The captures as tshark sees them, where it is installed.

use std::collections::BTreeMap;
use std::process::Command;

use crate::ready;
use crate::written::Written;

/// What tshark must not say of a frame.
const WRONG: &str = "_ws.malformed || ip.checksum.status==0 || tcp.checksum.status==0 || udp.checksum.status==0 \
                     || icmp.checksum.status==0 || icmpv6.checksum.status==0 || _ws.expert.severity == \"Error\"";

/// Runs tshark on a capture, and gives the lines that it writes.
fn tshark(written: &Written, arguments: &[&str]) -> Vec<String> {
    let checks = ["ip", "tcp", "udp"].map(|protocol| format!("{protocol}.check_checksum:TRUE"));
    // fragments are counted as they are
    let whole = ["ip", "ipv6"].map(|protocol| format!("{protocol}.defragment:FALSE"));
    let options = checks.iter().chain(&whole).flat_map(|option| ["-o", option]);
    let mut command = Command::new("tshark");
    command.args(options).args(arguments).arg("-r").arg(written.capture());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Packets and bytes from one address to another.
type Totals = BTreeMap<(String, String), (u64, u64)>;

fn add(totals: &mut Totals, pair: (String, String), packets: u64, bytes: u64) {
    let sum = totals.entry(pair).or_default();
    (sum.0, sum.1) = (sum.0 + packets, sum.1 + bytes);
}

/// As tshark counts them; of mirrored packets the inner ones.
fn counted(written: &Written) -> Totals {
    let fields = ["ip.src", "ip.dst", "ip.len", "ipv6.src", "ipv6.dst", "ipv6.plen"];
    let mut arguments = vec!["-T", "fields", "-E", "occurrence=l", "-E", "separator=;"];
    arguments.extend(fields.iter().flat_map(|field| ["-e", field]));
    let mut totals = Totals::new();
    for line in tshark(written, &arguments) {
        let values: Vec<&str> = line.split(';').collect();
        let (from, to, bytes) = match values[..] {
            [from, to, length, "", "", ""] => (from, to, length.parse().unwrap()),
            ["", "", "", from, to, length] => (from, to, 40 + length.parse::<u64>().unwrap()),
            _ => panic!("{line}"),
        };
        add(&mut totals, (from.to_owned(), to.to_owned()), 1, bytes);
    }
    totals
}

fn captured(written: &Written) -> Totals {
    let mut totals = Totals::new();
    for flow in written.json["flows"].as_array().unwrap() {
        let counts = &flow["captured"];
        if flow["first_station"] == true && !counts.is_null() {
            let text = |key: &str| flow[key].as_str().unwrap().to_owned();
            let number = |key: &str| counts[key].as_u64().unwrap();
            add(&mut totals, (text("srcaddr"), text("dstaddr")), number("packets"), number("bytes"));
        }
    }
    totals
}

#[test]
fn tshark_finds_nothing_wrong_and_counts_the_same_where_it_is_installed() {
    if Command::new("tshark").arg("--version").output().is_err() {
        return;
    }
    for (name, folder) in ready() {
        let written = Written::of(name, folder.path(), &[]);
        let frames = written.json["capture"]["packets"].as_u64().unwrap();
        assert_eq!(tshark(&written, &["-T", "fields", "-e", "frame.len"]).len() as u64, frames, "{name}");
        // a packet that was cut cannot be summed up
        let cut = if name == "mirror" { " && frame.cap_len == frame.len" } else { "" };
        assert_eq!(tshark(&written, &["-Y", &format!("({WRONG}){cut}")]), [""; 0], "{name}");
        assert_eq!(counted(&written), captured(&written), "{name}");
    }
}
