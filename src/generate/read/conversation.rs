//! `[[conversation]]`.

use super::endpoint::read_pair;
use super::node::{Node, Result, Table};
use super::{clash, way};
use crate::generate::message::ip_header;
use crate::generate::path::EPHEMERAL;
use crate::generate::scenario::{Ending, Endpoint, Handshake, SECOND, Scenario, Speech, Template};

const WORDS: [&str; 27] = [
    "kind",
    "from",
    "to",
    "from-port",
    "ip",
    "nat",
    "through",
    "start",
    "count",
    "every",
    "jitter",
    "exchanges",
    "request",
    "response",
    "pause",
    "rtt",
    "rate",
    "mtu",
    "handshake",
    "ending",
    "retries",
    "retransmit",
    "rejected",
    "replies-rejected",
    "logged",
    "vlan",
    "about",
];

/// The most data that a datagram has room for (RFC 768: 65,535 bytes less the headers).
const LARGEST_DATAGRAM: u64 = 65_507;

/// The most data that a request or response of TCP has: a tebibyte.
const LARGEST_STREAM: u64 = 1 << 40;

/// The fewest bytes that every link carries in one packet (RFC 8200 §5 asks 1280 of links with IPv6).
const SMALLEST_MTU: u64 = 576;

/// The most that a VPC carries (EC2 User Guide, "Network MTU").
const LARGEST_MTU: u64 = 9001;

/// What the words stand for where they are left out.
struct Defaults {
    exchanges: u64,
    request: u64,
    response: u64,
}

/// Reads every `[[conversation]]` of a scenario of which the rest is read.
pub(super) fn read(root: &Table<'_>, scenario: &Scenario) -> Result<Vec<Template>> {
    let tables = root.tables("conversation")?;
    if tables.is_empty() {
        return Err(root.error("expected a `[[conversation]]`, found none"));
    }
    let mut templates: Vec<Template> = Vec::new();
    for (place, table) in tables.iter().enumerate() {
        let mut template = read_one(table, place, scenario)?;
        // those of the same clients take their ports in turn
        let same_clients = |other: &&Template| shares_clients(&other.from, &template.from);
        template.turn = templates.iter().filter(same_clients).map(|other| other.count).sum();
        clash::check(table, &template, &templates)?;
        templates.push(template);
    }
    let counts: Vec<u64> = templates
        .iter()
        .map(|template| {
            let same = templates.iter().filter(|other| shares_clients(&other.from, &template.from));
            same.map(|other| other.count).sum()
        })
        .collect();
    for (template, count) in templates.iter_mut().zip(counts) {
        template.copies_of_clients = count;
    }
    Ok(templates)
}

fn shares_clients(one: &Endpoint, other: &Endpoint) -> bool {
    one.places.iter().any(|place| other.places.contains(place))
}

fn read_one(table: &Table<'_>, place: usize, scenario: &Scenario) -> Result<Template> {
    table.only(&WORDS)?;
    let network = &scenario.network;
    let kinds = [("tcp", Speech::Tcp), ("udp", Speech::Udp), ("ping", Speech::Ping)];
    let speech = table.need("kind")?.word(&kinds)?;
    let defaults = match speech {
        Speech::Tcp => Defaults { exchanges: 1, request: 300, response: 4000 },
        Speech::Udp => Defaults { exchanges: 1, request: 60, response: 120 },
        Speech::Ping => Defaults { exchanges: 4, request: 56, response: 56 },
    };
    words_of_kind(table, speech)?;
    let families: &[bool] = match table.get("ip") {
        None => &[false, true],
        Some(node) => match node.integer(4..7)? {
            4 => &[false],
            6 => &[true],
            _ => return Err(node.expected("`4` or `6`")),
        },
    };
    let (from, to) = (somebody(table, "from")?, somebody(table, "to")?);
    let (is_v6, [mut from, to]) = read_pair([&from, &to], families, &table.need("from")?, network)?;
    ports(table, speech, &mut from, &to)?;
    let middle = way::read_middle(table, network, is_v6)?;
    let largest = if speech == Speech::Tcp { LARGEST_STREAM } else { LARGEST_DATAGRAM };
    let mtu = table.integer("mtu", SMALLEST_MTU..LARGEST_MTU + 1, 1500)? as u32;
    let smallest = u64::from(speech == Speech::Tcp);
    // a connection may have nothing but its handshake; of datagrams nothing would be left
    let fewest = u64::from(speech != Speech::Tcp);
    let template = Template {
        place,
        begins_at: table.begins_at(),
        turn: 0,
        copies_of_clients: 0,
        speech,
        start: table.seconds("start", 0)?,
        count: table.integer("count", 1..1 << 40, 1)?,
        every: table.seconds("every", SECOND)?,
        jitter: table.share("jitter")?,
        exchanges: table.integer("exchanges", fewest..1 << 31, defaults.exchanges)? as u32,
        request: table.integer("request", smallest..largest + 1, defaults.request)?,
        response: table.integer("response", 0..largest + 1, defaults.response)?,
        pause: table.seconds("pause", SECOND)?,
        rtt: table.seconds("rtt", SECOND / 50)?,
        rate: table.integer("rate", 1..1 << 40, 12_500_000)?,
        mtu,
        handshake: handshake(table)?,
        ending: ending(table)?,
        retries: table.integer("retries", 0..11, 2)? as u32,
        retransmit: table.integer("retransmit", 0..1 << 31, 0)? as u32,
        rejected: way::read_crossing(table, "rejected", network)?,
        replies_rejected: way::read_crossing(table, "replies-rejected", network)?,
        logged: table.flag("logged", true)?,
        vlan: table.get("vlan").map(|node| node.integer(1..4095)).transpose()?.map(|vlan| vlan as u16),
        from,
        to,
        middle,
    };
    if let (Some(node), Some(_)) = (table.get("vlan"), &scenario.capture.mirror) {
        return Err(node.advised("mirrored frames have no VLAN tag", "leave `vlan` out, or `mirror`"));
    }
    way::check_ends(table, &template)?;
    way::check_rejections(table, &template, network)?;
    check_times(table, &template, scenario)?;
    check_offload(table, &template, scenario, is_v6)?;
    Ok(template)
}

/// The hosts of one end, each and where it stands.
fn somebody<'a>(table: &Table<'a>, key: &str) -> Result<Vec<(Node<'a>, String)>> {
    let node = table.need(key)?;
    let hosts = table.texts(key)?;
    if hosts.is_empty() {
        Err(node.error("found an empty list, expected an interface or a host"))
    } else {
        Ok(hosts)
    }
}

/// Refuses words that mean nothing to what is spoken.
fn words_of_kind(table: &Table<'_>, speech: Speech) -> Result<()> {
    const OF_TCP: [&str; 5] = ["rate", "handshake", "ending", "retries", "retransmit"];
    if let (Speech::Ping, Some(node)) = (speech, table.get("response")) {
        return Err(
            node.advised("`response` has no meaning for a `ping`", "a reply has the bytes of its `request`")
        );
    }
    match OF_TCP.iter().find_map(|word| Some((word, table.get(word)?))) {
        Some((word, node)) if speech != Speech::Tcp => {
            Err(node.error(format!("`{word}` has no meaning but for `tcp`")))
        }
        _ => Ok(()),
    }
}

/// Checks that there are ports where they are needed; `from-port` fixes the client's.
fn ports(table: &Table<'_>, speech: Speech, from: &mut Endpoint, to: &Endpoint) -> Result<()> {
    if speech == Speech::Ping {
        let is_without = from.ports.is_none() && to.ports.is_none() && table.get("from-port").is_none();
        return if is_without { Ok(()) } else { Err(table.error("a `ping` has no ports")) };
    }
    if to.ports.is_none() {
        return Err(table.need("to")?.error("expected a port behind the host, such as `eni-web:443`"));
    }
    if from.ports.is_some() {
        return Err(table.need("from")?.advised(
            "found a port, expected a host alone",
            "clients take the ports from 32768 to 60999 in turn; `from-port` fixes another",
        ));
    }
    if let Some(node) = table.get("from-port") {
        let port = node.integer(1..65_536)? as u16;
        if (EPHEMERAL.0..=60_999).contains(&port) {
            return Err(node.error(format!(
                "`{port}` may be another client's: expected a port outside of 32768 to 60999"
            )));
        }
        from.ports = Some((port, port));
    }
    Ok(())
}

fn handshake(table: &Table<'_>) -> Result<Handshake> {
    let words =
        [("full", Handshake::Full), ("half-open", Handshake::HalfOpen), ("refused", Handshake::Refused)];
    table.get("handshake").map_or(Ok(Handshake::Full), |node| node.word(&words))
}

fn ending(table: &Table<'_>) -> Result<Ending> {
    let words = [("fin", Ending::Fin), ("reset", Ending::Reset), ("open", Ending::Open)];
    table.get("ending").map_or(Ok(Ending::Fin), |node| node.word(&words))
}

fn check_times(table: &Table<'_>, template: &Template, scenario: &Scenario) -> Result<()> {
    let copies = i64::try_from(template.count - 1).unwrap_or(i64::MAX);
    let last = copies.checked_mul(template.every).and_then(|time| time.checked_add(template.start));
    if last.is_some_and(|last| last < scenario.duration) {
        return Ok(());
    }
    let node: Node<'_> = match (table.get("count"), table.get("start")) {
        (Some(node), _) if template.count > 1 => node,
        (_, Some(node)) => node,
        _ => return Err(table.error("it begins behind the scenario's end")),
    };
    let begins = match last {
        Some(last) => format!("{} s after the scenario's begin", last / SECOND),
        None => "later than can be counted".to_owned(),
    };
    let which = match template.count {
        1 => "it".to_owned(),
        count => format!("the last of {count}"),
    };
    Err(node.advised(
        format!(
            "{which} would begin {begins}, expected a time before its end, {} s",
            scenario.duration / SECOND
        ),
        "lower `start`, `count` or `every`, or raise the scenario's `duration`",
    ))
}

fn check_offload(table: &Table<'_>, template: &Template, scenario: &Scenario, is_v6: bool) -> Result<()> {
    let data = (template.mtu - ip_header(is_v6) - 32) * scenario.capture.offload;
    if data + ip_header(is_v6) + 32 <= 65_535 {
        return Ok(());
    }
    Err(table.error(format!(
        "{} joined segments of an `mtu` of {} are longer than a packet of 65535 bytes can be",
        scenario.capture.offload, template.mtu
    )))
}
