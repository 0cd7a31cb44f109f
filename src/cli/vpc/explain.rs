//! `explain-action`: what the rules say to a flow, without a capture.

use std::io::Write;

use anstyle::Style;
use flowtruth::flow::{FlowKey, FlowPattern};
use flowtruth::packet::{IcmpType, Protocol};
use flowtruth::vpc::{Answer, Passage, PathEdition, Traffic, Vpc};
use serde_json::{Value, json};

use super::args::ExplainArgs;
use super::load::{load, warn};
use crate::cli::extract::flow;
use crate::cli::messages::{Trouble, cannot_write, hint};
use crate::cli::{Exit, Result, table};

pub fn run(args: &ExplainArgs) -> Result {
    let pattern = flow::parse(&args.flow).map_err(|error| {
        let advice = error.hint;
        Trouble::new("the flow cannot be used").caused_by(error).with_hint(advice)
    })?;
    let (flow, icmp) = settle(&pattern, args.icmp.as_deref())?;
    let vpc = load(&args.paths)?.vpc;
    warn(&vpc, true);
    let trace = vpc.trace(&Traffic::new(flow, icmp));
    if trace.packet.is_empty() {
        return Err(Trouble::new(format!(
            "neither {} nor {} is an address of an interface of the VPC",
            flow.srcaddr, flow.dstaddr
        ))
        .with_hint("`flowtruth inspect --vpc` lists the interfaces and their addresses"));
    }
    let text = if args.json {
        let passages =
            |passages: &[Passage]| passages.iter().map(|passage| as_json(&vpc, passage)).collect::<Vec<_>>();
        let whole = json!({
            "flow": flow.to_string(),
            "packet": passages(&trace.packet),
            "reply": passages(&trace.reply),
        });
        serde_json::to_string_pretty(&whole).unwrap_or_default() + "\n"
    } else {
        let bold = Style::new().bold();
        let mut text = format!("{bold}{flow}{bold:#}\n");
        text.push_str(&page(&vpc, &flow, &trace.packet));
        if !trace.reply.is_empty() {
            text.push_str(&format!("\n{bold}Reply{bold:#}\n"));
            text.push_str(&page(&vpc, &flow.reversed(), &trace.reply));
        }
        text
    };
    let mut output = anstream::stdout();
    output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
        .map_err(|error| cannot_write("standard output", error))?;
    if flow.protocol == Protocol::TCP && !args.json {
        hint("a security group is asked about the first packet of a connection; what follows passes with it");
    }
    Ok(Exit::Fine)
}

/// The flow, of which nothing may be open.
fn settle(
    pattern: &FlowPattern,
    icmp: Option<&str>,
) -> std::result::Result<(FlowKey, Option<IcmpType>), Trouble> {
    const HINT: &str = "name both addresses, the protocol and, for TCP and UDP, the destination port";
    let protocol =
        pattern.protocol.ok_or_else(|| Trouble::new("the protocol is not named").with_hint(HINT))?;
    let (Some(srcaddr), Some(dstaddr)) = (pattern.srcaddr, pattern.dstaddr) else {
        return Err(Trouble::new("an address is not named").with_hint(HINT));
    };
    let has_ports = protocol.has_ports();
    if has_ports && pattern.dstport.is_none() {
        return Err(Trouble::new("the destination port is not named").with_hint(HINT));
    }
    // rules do not look at the source port; any other than 0 will do
    let srcport = if has_ports { pattern.srcport.unwrap_or(50_000) } else { 0 };
    let flow = FlowKey { srcaddr, dstaddr, protocol, srcport, dstport: pattern.dstport.unwrap_or(0) };
    let is_icmp = matches!(protocol, Protocol::ICMP | Protocol::ICMPV6);
    let icmp = match icmp {
        None if is_icmp => {
            // an echo request
            Some(IcmpType { icmp_type: if protocol == Protocol::ICMP { 8 } else { 128 }, code: 0 })
        }
        None => None,
        Some(_) if !is_icmp => {
            return Err(Trouble::new("`--icmp` is for flows of ICMP and ICMPv6"));
        }
        Some(text) => {
            let (kind, code) = text.split_once('/').unwrap_or((text, "0"));
            match (kind.parse(), code.parse()) {
                (Ok(icmp_type), Ok(code)) => Some(IcmpType { icmp_type, code }),
                _ => {
                    return Err(Trouble::new(format!(
                        "`--icmp {text}` is no ICMP type: expected a type as in `8`, or a type and a code as in `3/4`"
                    )));
                }
            }
        }
    };
    Ok((flow, icmp))
}

/// An action's word, `-` where it cannot be decided.
fn action(answer: Answer) -> &'static str {
    match answer {
        Answer::Yes => "ACCEPT",
        Answer::No => "REJECT",
        Answer::Unknown => "-",
    }
}

fn word(answer: Answer) -> &'static str {
    match answer {
        Answer::Yes => "allow",
        Answer::No => "deny",
        Answer::Unknown => "-",
    }
}

/// Where the packet goes from an interface, in words.
fn way(vpc: &Vpc, flow: &FlowKey, passage: &Passage) -> Option<String> {
    if passage.direction != flowtruth::record::FlowDirection::Egress {
        return None;
    }
    let route = vpc.route(passage.interface, flow.dstaddr)?;
    let path = vpc.traffic_path(passage.interface, flow.dstaddr, PathEdition::Current);
    let path = path.map_or_else(|| "-".to_owned(), |path| path.to_string());
    Some(format!("{}, traffic-path {path}", route.target.id()))
}

fn page(vpc: &Vpc, flow: &FlowKey, passages: &[Passage]) -> String {
    let mut text = String::new();
    for passage in passages {
        let id = vpc.interface(passage.interface).map_or("-", |interface| interface.id.as_str());
        let egress = passage.direction == flowtruth::record::FlowDirection::Egress;
        text.push_str(&format!(
            "{id}  {}  {}  {}\n",
            passage.direction,
            action(passage.verdict.answer),
            vpc.explain(passage.verdict.why, Some(passage.interface), egress)
        ));
        let mut rows = table::plain();
        let groups = ("security groups", word(passage.groups.0), passage.groups.1.as_str());
        let acl = ("network ACL", word(passage.acl.0), passage.acl.1.as_str());
        // in the order in which the packet passes them
        let ordered = if egress { [groups, acl] } else { [acl, groups] };
        for (name, answer, why) in ordered {
            rows.add_row([name, answer, why]);
        }
        if let Some(way) = way(vpc, flow, passage) {
            rows.add_row(["route", "", &way]);
        }
        for line in table::text(&rows).lines() {
            text.push_str(&format!("  {}\n", line.trim_start()));
        }
    }
    text
}

fn as_json(vpc: &Vpc, passage: &Passage) -> Value {
    let egress = passage.direction == flowtruth::record::FlowDirection::Egress;
    json!({
        "interface-id": vpc.interface(passage.interface).map(|interface| interface.id.as_str()),
        "flow-direction": passage.direction.as_str(),
        "action": action(passage.verdict.answer),
        "why": vpc.explain(passage.verdict.why, Some(passage.interface), egress),
        "security-groups": {"answer": word(passage.groups.0), "why": passage.groups.1},
        "network-acl": {"answer": word(passage.acl.0), "why": passage.acl.1},
    })
}
