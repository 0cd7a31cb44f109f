//! Random scenarios: what is true of them by arithmetic is what the rest of the program makes of their files.
//!
//! In the first test nothing but the VPC's rules decides, so that all agrees down to the verdict of `diff`. The second
//! draws every word that a scenario has; there actions are not looked at, because the scenario rejects where it likes and
//! a capture that lost a SYN cannot be judged as its hosts were.

use std::collections::BTreeMap;
use std::fs;

use proptest::prelude::*;

use crate::written::{Counts, FORMAT, Flows, Written, flowtruth};

/// A conversation of a random scenario, and what its fate is.
#[derive(Debug, Clone)]
struct Talk {
    kind: &'static str,
    v6: bool,
    inside: bool,
    rejected: bool,
    numbers: [u32; 6],
    flags: [bool; 3],
}

fn talk() -> impl Strategy<Value = Talk> {
    let kind = prop_oneof![Just("tcp"), Just("udp"), Just("ping")];
    let numbers = [0_u32..400, 1..5, 0..7, 1..9000, 0..60_000, 0..90];
    (kind, any::<bool>(), any::<bool>(), any::<bool>(), numbers, any::<[bool; 3]>()).prop_map(
        |(kind, v6, inside, rejected, numbers, flags)| Talk { kind, v6, inside, rejected, numbers, flags },
    )
}

impl Talk {
    fn toml(&self) -> String {
        let [start, count, exchanges, request, response, pause] = self.numbers;
        let exchanges = if self.kind == "tcp" { exchanges } else { exchanges.max(1) };
        let (from, to) = match self.inside {
            true => ("eni-a", "eni-b"),
            false => ("client", "eni-b"),
        };
        let port = match (self.kind, self.rejected) {
            ("ping", _) => "",
            (_, false) => ":443",
            (_, true) => ":3389",
        };
        // a group that lets no ping in is another interface's
        let to = if self.kind == "ping" && self.rejected { "eni-closed" } else { to };
        let fate = if self.rejected { format!("rejected = \"{to} ingress\"\n") } else { String::new() };
        let [retransmitted, reset, half_open] = self.flags;
        let mut more = String::new();
        if self.kind == "tcp" {
            more += if retransmitted { "retransmit = 3\n" } else { "" };
            more += if reset { "ending = \"reset\"\n" } else { "" };
            more += if half_open { "handshake = \"half-open\"\n" } else { "" };
        }
        let response = if self.kind == "ping" { String::new() } else { format!("response = {response}\n") };
        // later fragments of what passes and of what does not are one flow, of which a capture cannot tell which is which
        let request = if self.rejected { request.min(1200) } else { request };
        format!(
            "[[conversation]]\nkind = \"{}\"\nfrom = \"{from}\"\nto = \"{to}{port}\"\nip = {}\n{fate}{more}start = {start}\n\
             count = {count}\nevery = 3.5\njitter = 0.3\nexchanges = {exchanges}\nrequest = {request}\n\
             {response}pause = {}.{pause}\n",
            self.kind,
            if self.v6 { 6 } else { 4 },
            pause / 7,
        )
    }
}

const RANDOM_VPC: &str = r#"title = "random"
duration = 600
account = "123456789012"

[vpc]
id = "vpc-random"
cidrs = ["10.0.0.0/16", "2001:db8:1::/56"]

[[subnet]]
id = "subnet-random"
cidrs = ["10.0.1.0/24", "2001:db8:1:1::/64"]

[[security-group]]
id = "sg-random"
ingress = [
    "tcp 443 from 0.0.0.0/0", "tcp 443 from ::/0", "udp 443 from 0.0.0.0/0", "udp 443 from ::/0",
    "icmp 8 from 0.0.0.0/0", "icmpv6 128 from ::/0",
]

[[security-group]]
id = "sg-closed"

[[interface]]
id = "eni-a"
subnet = "subnet-random"
addresses = ["10.0.1.10", "2001:db8:1:1::10"]
groups = ["sg-random"]

[[interface]]
id = "eni-b"
subnet = "subnet-random"
addresses = ["10.0.1.20", "2001:db8:1:1::20"]
groups = ["sg-random"]

[[interface]]
id = "eni-closed"
subnet = "subnet-random"
addresses = ["10.0.1.30", "2001:db8:1:1::30"]
groups = ["sg-closed"]

[[host]]
name = "client"
addresses = ["203.0.113.5", "2001:db8:ff::5"]

"#;

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn random_scenarios_agree_with_the_program(
        talks in prop::collection::vec(talk(), 1..6),
        wire in any::<bool>(),
        loss in prop_oneof![Just(0.0), Just(0.05)],
        seed in 0_u64..1000,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let conversations: String = talks.iter().map(Talk::toml).collect();
        let placement = if wire { "wire" } else { "host" };
        // a lost SYN would have the rest of its connection judged in the middle; a lost packet that both ends logged is
        // missing twice
        let loss = if talks.iter().any(|talk| talk.kind == "tcp" || talk.inside) { 0.0 } else { loss };
        // an answer that is read before its question is judged without it
        let reorder = if talks.iter().any(|talk| talk.inside) { 0.0 } else { 0.01 };
        let text = format!(
            "{RANDOM_VPC}{conversations}\n[capture]\nplacement = \"{placement}\"\nloss = {loss}\nreorder = {reorder}\n\n[log]\n\
             interval = 60\ndelay = 30\n"
        );
        let scenario = folder.path().join("random.toml");
        fs::write(&scenario, &text).unwrap();
        let seed = seed.to_string();
        let options = ["--log-format", FORMAT, "--seed", &seed];
        let written = Written::of(scenario.to_str().unwrap(), &folder.path().join("out"), &options);
        prop_assert_eq!(written.converted(), written.truth("captured"), "{}", text);
        prop_assert_eq!(written.logged(), written.truth_of_the_log(), "{}", text);
        let explained = flowtruth(&["diff", "--quiet", "--vpc"])
            .arg(written.file("vpc")).arg(written.capture()).arg(written.file("flow.log")).output().unwrap();
        prop_assert!(explained.status.success(), "{}\n{}", text, String::from_utf8_lossy(&explained.stdout));
    }
}

/// What stands between the two ends, and the words of one conversation.
#[derive(Debug, Clone)]
struct Words {
    kind: &'static str,
    /// Which of the ends: outside or inside, each.
    ends: (bool, bool),
    v6: bool,
    middle: Option<&'static str>,
    numbers: [u32; 10],
    flags: [bool; 4],
}

fn words() -> impl Strategy<Value = Words> {
    let kind = prop_oneof![3 => Just("tcp"), 2 => Just("udp"), 1 => Just("ping")];
    let middle = prop_oneof![
        3 => Just(None),
        1 => Just(Some("nat = \"eni-nat\"")),
        1 => Just(Some("through = [\"eni-tgw-1\", \"eni-tgw-2\"]")),
        1 => Just(Some("through = \"eni-tgw-1\"")),
    ];
    let numbers = [0_u32..400, 1..5, 1..6, 1..20_000, 0..60_000, 0..90, 0..3, 0..4, 0..9, 0..8];
    (kind, any::<(bool, bool)>(), any::<bool>(), middle, numbers, any::<[bool; 4]>())
        .prop_map(|(kind, ends, v6, middle, numbers, flags)| Words { kind, ends, v6, middle, numbers, flags })
}

impl Words {
    fn toml(&self, place: usize) -> String {
        let [start, count, exchanges, request, response, pause, mtu, way, fate, word] = self.numbers;
        // a gateway is asked from inside, and has no IPv6 address
        let is_translated = self.middle.is_some_and(|middle| middle.starts_with("nat"));
        let (from, to) = match self.ends {
            _ if is_translated => ("eni-a", "client"),
            (_, true) => (if self.ends.0 { "eni-a" } else { "clients" }, "eni-b"),
            (_, false) => ("eni-b", "client"),
        };
        let port =
            if self.kind == "ping" { String::new() } else { format!(":{}-{}", 440 + place, 443 + place) };
        let mut toml = format!(
            "[[conversation]]\nkind = \"{}\"\nfrom = \"{from}\"\nto = \"{to}{port}\"\nip = {}\nstart = {start}\n\
             count = {count}\nevery = 3.5\njitter = 0.3\nexchanges = {exchanges}\nrequest = {request}\n\
             pause = {}.{pause}\nrtt = 0.{:02}\nmtu = {}\n",
            self.kind,
            if self.v6 && !is_translated { 6 } else { 4 },
            pause / 7,
            pause + 1,
            [576, 1500, 9001][mtu as usize],
        );
        toml += &self.middle.map(|middle| format!("{middle}\n")).unwrap_or_default();
        if self.kind != "ping" {
            toml += &format!("response = {response}\n");
        }
        if self.kind == "udp" && self.flags[0] {
            toml += &format!("from-port = {}\ncount = 1\n", 1000 + place);
            toml = toml.replace(&format!("count = {count}\nevery"), "every");
        }
        if self.flags[1] {
            toml += &format!("vlan = {}\n", 1 + 500 * word);
        }
        if self.flags[2] {
            toml += "logged = false\n";
        }
        if self.kind == "tcp" {
            let handshake = ["full", "full", "half-open", "refused"][way as usize];
            let ending = ["fin", "reset", "open"][mtu as usize];
            toml += &format!("handshake = \"{handshake}\"\nending = \"{ending}\"\nretries = {}\n", word % 3);
            toml += &format!("retransmit = {word}\nrate = {}\n", 1 << (10 + 2 * word));
        }
        // what is rejected on its way out must have no interface at the other end: the rules let it pass, and the program
        // would count it there
        let is_outside = self.middle.is_none() && !(from.starts_with("eni") && to.starts_with("eni"));
        let (inside, there, back) = match to.starts_with("eni") {
            true => (to, "ingress", "egress"),
            false => (from, "egress", "ingress"),
        };
        match fate {
            0 | 1 if is_outside || there == "ingress" => {
                toml += &format!("rejected = \"{inside} {there}\"\n")
            }
            2 if self.kind != "udp" && (is_outside || back == "ingress") => {
                toml += &format!("replies-rejected = \"{inside} {back}\"\n");
            }
            _ => {}
        }
        toml
    }
}

/// Interfaces between the two ends.
const BETWEEN: &str = r#"[[interface]]
id = "eni-nat"
type = "nat_gateway"
subnet = "subnet-random"
addresses = ["10.0.1.220"]

[[interface]]
id = "eni-tgw-1"
type = "transit_gateway"
subnet = "subnet-random"
addresses = ["10.0.1.231", "2001:db8:1:1::231"]

[[interface]]
id = "eni-tgw-2"
type = "transit_gateway"
subnet = "subnet-random"
addresses = ["10.0.1.232", "2001:db8:1:1::232"]

[[host]]
name = "clients"
addresses = ["198.51.100.0/29", "192.0.2.0/31", "2001:db8:aa::/64"]

"#;

/// `[capture]` and `[log]`.
fn capture_and_log() -> impl Strategy<Value = (String, bool, bool)> {
    let at = prop_oneof![Just(""), Just("at = \"eni-b\"\n"), Just("at = [\"eni-a\", \"eni-nat\"]\n")];
    let share = || prop_oneof![2 => Just(0.0), 1 => 0.0..0.3_f64];
    let arrival = prop_oneof![
        2 => Just("".to_owned()),
        1 => (2_u32..=7).prop_map(|segments| format!("offload = {segments}\n")),
        1 => (0_u32..1 << 24).prop_map(|vni| {
            format!("mirror = {{ vni = {vni}, from = \"10.9.0.1\", to = \"10.9.0.2\" }}\n")
        }),
    ];
    let snaplen = prop_oneof![Just(0_u32), 160..400_u32];
    let log = (1_u32..700, any::<bool>(), 0_u32..=60, 0_u32..400, any::<bool>(), any::<bool>());
    (at, any::<bool>(), share(), share(), arrival, snaplen, log).prop_map(
        |(at, wire, loss, reorder, arrival, snaplen, (interval, aligned, lag, delay, nodata, skips))| {
            let placement = if wire { "wire" } else { "host" };
            let snaplen = if snaplen > 0 { format!("snaplen = {snaplen}\n") } else { String::new() };
            let skipped = if skips { "skipped = [{ interface = \"eni-b\", at = 200 }]\n" } else { "" };
            let options = if arrival.starts_with("mirror") { "\"--decap\", \"vxlan\"" } else { "" };
            let text = format!(
                "[expected]\nverdict = \"same\"\noptions = [{options}]\n[capture]\n{at}{arrival}{snaplen}placement = \
                 \"{placement}\"\nloss = {loss}\nreorder = {reorder}\n[log]\ninterval = {interval}\naligned = {aligned}\n\
                 lag = {lag}\ndelay = {delay}\nnodata = {nodata}\n{skipped}"
            );
            (text, lag > 0, skips)
        },
    )
}

/// The same, whatever became of the packets.
fn without_action(flows: Flows) -> Flows {
    let mut all = Flows::new();
    for (key, counts) in flows {
        let words: Vec<&str> = key.split(' ').collect();
        let key = [&words[..2], &words[3..]].concat().join(" ");
        crate::written::add(&mut all, key, counts);
    }
    all
}

/// Packets and bytes alone.
fn without_times(flows: &Flows) -> BTreeMap<&str, (u64, u64, Option<u64>)> {
    let counts = |counts: &Counts| (counts.packets, counts.bytes, counts.flags);
    flows.iter().map(|(key, flow)| (key.as_str(), counts(flow))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn every_word_is_counted_in_the_truth_as_in_the_capture_and_the_log(
        all in prop::collection::vec(words(), 1..6),
        (rest, is_late, skips) in capture_and_log(),
        seed in any::<u64>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let conversations: String = all.iter().enumerate().map(|(place, words)| words.toml(place)).collect();
        // every rule lets everything pass; what is rejected only the scenario says
        let (vpc, interfaces) = RANDOM_VPC.split_once("[[security-group]]").unwrap();
        let (_, interfaces) = interfaces.split_once("[[interface]]").unwrap();
        let open = "ingress = [\"all from 0.0.0.0/0\", \"all from ::/0\"]";
        let groups = ["sg-random", "sg-closed"].map(|id| format!("[[security-group]]\nid = \"{id}\"\n{open}\n\n")).concat();
        let is_mirrored = rest.contains("mirror");
        let conversations = if is_mirrored { conversations.replace("vlan", "# vlan") } else { conversations };
        let text = format!("{vpc}{groups}[[interface]]{interfaces}{BETWEEN}{conversations}{rest}");
        let scenario = folder.path().join("random.toml");
        fs::write(&scenario, &text).unwrap();
        let seed = seed.to_string();
        let options = ["--log-format", FORMAT, "--seed", &seed];
        let written = Written::of(scenario.to_str().unwrap(), &folder.path().join("out"), &options);
        let captured = without_action(written.truth("captured"));
        prop_assert_eq!(without_action(written.converted()), captured, "{}", text);
        let (logged, sent) = (written.logged(), written.truth_of_the_log());
        if skips {
            let is_part = |(key, counts): (&String, &Counts)| {
                sent.get(key).is_some_and(|sent| counts.packets <= sent.packets && counts.bytes <= sent.bytes)
            };
            prop_assert!(logged.iter().all(is_part), "{}", text);
        } else if is_late {
            prop_assert_eq!(without_times(&logged), without_times(&sent), "{}", text);
        } else {
            prop_assert_eq!(logged, sent, "{}", text);
        }
    }
}
