//! A scenario's TOML → the scenario. `docs/scenarios.md` describes it word by word.
//!
//! The same file describes the VPC, in the words of `docs/vpc.md`; whoever reads those hands the interfaces in.

mod capture;
mod clash;
mod conversation;
mod endpoint;
mod node;
mod way;

use std::collections::HashSet;
use std::net::IpAddr;

use toml::de::DeTable;

use self::node::{Node, Result, Source, Table, nearest};
use super::error::LAST_SECOND;
use super::network::{Host, Interface, Network, overlap, parse_range};
use super::scenario::{Expected, SECOND, Scenario};
use crate::packet::Timestamp;

/// When scenarios begin that do not say when: no whole minute, as little as AWS's windows are.
const BEGIN: &str = "2026-01-15T09:00:07Z";

/// How long a scenario may last, in seconds: a year.
const LONGEST: i64 = 366 * 86_400;

impl Scenario {
    /// Reads a scenario whose VPC has these interfaces. `name` is its name, `file` the file's in messages.
    ///
    /// # Errors
    /// [`ScenarioError`](super::ScenarioError) at the first thing that cannot be: an unknown word, a value that is none, an address that two
    /// have, a time outside of the scenario.
    pub fn read(name: &str, file: &str, text: &str, interfaces: Vec<Interface>) -> Result<Scenario> {
        let source = Source { file, text };
        let document = parse(source)?;
        let root = Table::root(source, &document);
        let network = Network { interfaces, hosts: hosts(&root)? };
        check_identifiers(&root)?;
        check_references(&root)?;
        check_addresses(&root, &network)?;
        let duration = root.seconds("duration", 600 * SECOND)?;
        if !(SECOND..=LONGEST * SECOND).contains(&duration) {
            let error = format!("expected a `duration` of 1 to {} s, found {} s", LONGEST, duration / SECOND);
            return Err(root.get("duration").map_or_else(|| root.error(&error), |node| node.error(&error)));
        }
        let begin = begin(&root)?;
        check_end(&root, begin, duration)?;
        let mut scenario = Scenario {
            name: name.to_owned(),
            file: file.to_owned(),
            title: root.need("title")?.text()?,
            about: root.text("about")?.unwrap_or_default().trim().to_owned(),
            seed: root.integer("seed", 0..u64::MAX, 1)?,
            begin,
            duration,
            expected: expected(&root)?,
            conversations: Vec::new(),
            capture: capture::read_point(&root, &network)?,
            log: capture::read_delivery(&root, &network, duration)?,
            network,
        };
        scenario.conversations = conversation::read(&root, &scenario)?;
        Ok(scenario)
    }

    /// Checks that a text is TOML and that its words on top are among the known ones: the scenario's and the VPC's, which
    /// stand in one list with whoever reads the latter.
    ///
    /// # Errors
    /// [`ScenarioError`](super::ScenarioError) where it is not, or they are not.
    pub fn check_words(file: &str, text: &str, known: &[&str]) -> Result<()> {
        let source = Source { file, text };
        Table::root(source, &parse(source)?).only(known)
    }
}

fn parse(source: Source<'_>) -> Result<toml::Spanned<DeTable<'_>>> {
    let document = DeTable::parse(source.text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let what = error.message().lines().next().unwrap_or_default();
        let error = source.error(at, format!("is no TOML: {what}"));
        error.advised("text stands in quotes, every key stands once in its table; see https://toml.io")
    })?;
    Table::root(source, &document).check_numbers()?;
    Ok(document)
}

/// The line and column, from 1, of a path in a scenario, such as `subnet[0].cidrs[1]`; of as much of it as is there.
pub fn locate(text: &str, path: &str) -> Option<(usize, usize)> {
    let document = DeTable::parse(text).ok()?;
    let offset = Table::root(Source { file: "", text }, &document).offset_of(path)?;
    let place = super::ScenarioError::at("", text, offset, String::new(), None);
    Some((place.line, place.column))
}

fn begin(root: &Table<'_>) -> Result<Timestamp> {
    let text = root.text("begin")?.unwrap_or_else(|| BEGIN.to_owned());
    let time: Option<Timestamp> = text.parse().ok();
    let of_a_pcap = time.filter(|time| (0..=i64::from(u32::MAX)).contains(&time.seconds()));
    of_a_pcap.map(|time| Timestamp::from_nanos(time.nanos() / 1000 * 1000)).ok_or_else(|| {
        let what = format!("found `{text}`, expected a time from 1970 to 2106, such as `{BEGIN}`");
        root.get("begin").map_or_else(|| root.error(&what), |node| node.error(&what))
    })
}

/// Refuses scenarios that end when no capture can hold it any more.
fn check_end(root: &Table<'_>, begin: Timestamp, duration: i64) -> Result<()> {
    let end = begin.nanos().saturating_add(duration) / SECOND;
    if end <= LAST_SECOND {
        return Ok(());
    }
    let what = format!(
        "it would end {end} s after 1970, expected no time after {LAST_SECOND} s, the last that a pcap holds"
    );
    let node = root.get("begin").or_else(|| root.get("duration"));
    Err(node.map_or_else(
        || root.error(&what),
        |node| node.advised(&what, "let it begin earlier, or lower its `duration`"),
    ))
}

fn expected(root: &Table<'_>) -> Result<Expected> {
    let Some(table) = root.get("expected").map(|node| node.table()).transpose()? else {
        return Ok(Expected { verdict: "same".to_owned(), ..Expected::default() });
    };
    table.only(&["verdict", "causes", "options"])?;
    let verdict = table.need("verdict")?.word(&[("same", "same"), ("explained", "explained")])?;
    let mut causes: Vec<String> = table.texts("causes")?.into_iter().map(|(_, text)| text).collect();
    causes.sort();
    let is_same = verdict == "same";
    match table.get("causes") {
        Some(node) if is_same && !causes.is_empty() => {
            return Err(
                node.advised("found causes of no difference", "a `verdict` with causes is `explained`")
            );
        }
        _ if !is_same && causes.is_empty() => {
            let node = table.need("verdict")?;
            return Err(node.advised("found a verdict without `causes`", "say what explains the differences"));
        }
        _ => {}
    }
    let options = table.texts("options")?.into_iter().map(|(_, text)| text).collect();
    Ok(Expected { verdict: verdict.to_owned(), causes, options })
}

/// `[[host]]`: everybody who has no interface.
fn hosts(root: &Table<'_>) -> Result<Vec<Host>> {
    let mut hosts = Vec::new();
    for table in root.tables("host")? {
        table.only(&["name", "addresses"])?;
        let name = table.need("name")?;
        let text = name.text()?;
        if text.contains([':', '[']) || text.parse::<IpAddr>().is_ok() {
            let what = format!("`{text}` cannot be told from an address, or a host and a port");
            return Err(name.advised(what, "call the host by a word"));
        }
        let mut ranges = Vec::new();
        for (node, text) in table.texts("addresses")? {
            ranges.push(parse_range(&text).ok_or_else(|| {
                node.expected(
                    "an address or a range without bits behind its prefix, such as `203.0.113.0/24`",
                )
            })?);
        }
        if ranges.is_empty() {
            return Err(name.error(format!("the host `{}` has no `addresses`", name.text()?)));
        }
        hosts.push(Host { name: name.text()?, ranges });
    }
    Ok(hosts)
}

/// Refuses two of one kind with one identifier, of which one would be passed over.
fn check_identifiers(root: &Table<'_>) -> Result<()> {
    for (kind, tables) in root.lists() {
        let mut known: HashSet<String> = HashSet::new();
        for node in tables.iter().filter_map(|table| table.get("id")) {
            let id = node.text()?;
            if known.contains(&id) {
                let what = format!("there are two `[[{kind}]]` with the `id` `{id}`");
                return Err(node.advised(what, "give each an `id` of its own"));
            }
            known.insert(id);
        }
    }
    Ok(())
}

/// What may be named: by which tables, under which key, and what it has to be.
const REFERENCES: [(&str, &str, &str, &str); 4] = [
    ("interface", "groups", "security-group", "security group"),
    ("interface", "subnet", "subnet", "subnet"),
    ("subnet", "acl", "acl", "network ACL"),
    ("subnet", "route-table", "route-table", "route table"),
];

/// Refuses names of what the scenario does not describe: a misspelt group would let nothing pass.
fn check_references(root: &Table<'_>) -> Result<()> {
    for (tables, key, kind, words) in REFERENCES {
        let mut known: Vec<String> = Vec::new();
        for node in root.tables(kind)?.iter().filter_map(|table| table.get("id")) {
            known.push(node.text()?);
        }
        for table in root.tables(tables)? {
            let named = match (key, table.get(key)) {
                (_, None) => continue,
                ("groups", Some(_)) => table.texts(key)?,
                (_, Some(node)) => {
                    let name = node.text()?;
                    vec![(node, name)]
                }
            };
            if let Some((node, name)) = named.into_iter().find(|(_, name)| !known.contains(name)) {
                let nearest = nearest(known.iter().map(String::as_str), &name);
                let hint = match nearest {
                    Some(nearest) => format!("the nearest is `{nearest}`"),
                    None => format!("describe it with `[[{kind}]]`"),
                };
                return Err(node.advised(format!("`{name}` is no {words} of the scenario"), hint));
            }
        }
    }
    Ok(())
}

/// Refuses names and addresses that two have.
fn check_addresses(root: &Table<'_>, network: &Network) -> Result<()> {
    let (interfaces, hosts) = (root.tables("interface")?, root.tables("host")?);
    let of_interfaces = network.interfaces.iter().zip(&interfaces).map(|(interface, table)| {
        let ranges: Vec<_> = interface.addresses.iter().map(|address| (*address, 1)).collect();
        (table, "id", interface.id.as_str(), ranges)
    });
    let of_hosts = network.hosts.iter().zip(&hosts);
    let of_hosts = of_hosts.map(|(host, table)| (table, "name", host.name.as_str(), host.ranges.clone()));
    let mut names: HashSet<&str> = HashSet::new();
    let mut taken: Vec<(&str, (IpAddr, u64))> = Vec::new();
    for (table, key, name, ranges) in of_interfaces.chain(of_hosts) {
        if !names.insert(name) {
            let what = format!("two are called `{name}`");
            return Err(table
                .need(key)?
                .advised(what, "give each interface and each host a name of its own"));
        }
        for range in ranges {
            if let Some((other, _)) = taken.iter().find(|(_, other)| overlap(&range, other)) {
                let what = match *other == name {
                    true => format!("`{name}` has the address {} twice", range.0),
                    false => format!("`{name}` and `{other}` share the address {}", range.0),
                };
                return Err(table.need("addresses")?.advised(what, "give each host addresses of its own"));
            }
            taken.push((name, range));
        }
    }
    Ok(())
}

/// An interface by its identifier.
fn interface(node: &Node<'_>, id: &str, network: &Network) -> Result<usize> {
    network.interface_named(id).ok_or_else(|| {
        let known: Vec<_> =
            network.interfaces.iter().map(|interface| format!("`{}`", interface.id)).collect();
        node.advised(
            format!("`{id}` is no interface of the scenario"),
            if known.is_empty() {
                "describe one with `[[interface]]`".to_owned()
            } else {
                format!("there are {}", known.join(", "))
            },
        )
    })
}

#[cfg(test)]
mod tests;
