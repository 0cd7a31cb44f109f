//! Values of fields: ports, protocol, flags, and no value at all.

use super::{can_be_shown, counted_text, flags_text, flow_text, protocol_name};
use crate::packet::{Protocol, TcpFlags};
use crate::quiz::choices::Choices;
use crate::quiz::facts::{Facts, PacketFacts, RecordFacts};
use crate::quiz::{Question, Subject, shuffle};
use crate::random::Random;
use crate::record::{Field, LogFormat};

/// Whose port is which.
pub(super) fn ports(facts: &Facts, record: &RecordFacts, random: &mut Random) -> Option<Question> {
    let (from, to) = (record.flow.srcport, record.flow.dstport);
    let named = facts.has(&[Field::SrcAddr, Field::DstAddr, Field::SrcPort, Field::DstPort]);
    if !named || !record.flow.protocol.has_ports() || from == to {
        return None;
    }
    let is_source = random.below(2) == 0;
    let (right, wrong) = if is_source { (from, to) } else { (to, from) };
    let (srcaddr, dstaddr) = (record.flow.srcaddr, record.flow.dstaddr);
    let text = match is_source {
        true => format!("From which port did {srcaddr} send?"),
        false => format!("On which port was {dstaddr} to receive?"),
    };
    let choices = Choices::new(right.to_string()).with([
        wrong.to_string(),
        record.flow.protocol.to_string(),
        "the record does not tell".to_owned(),
    ]);
    let is_default = facts.format == LogFormat::default();
    let order = match is_default {
        true => {
            "in the default format the source port stands first, as the source address does; many tutorials read \
                 it the other way round"
        }
        false => "`srcport` is of the sender, `srcaddr`, and `dstport` of the receiver, wherever they stand",
    };
    let mut shown = vec![facts.line(&record.record)];
    // the default format's order is what is asked
    if !is_default {
        shown.insert(0, facts.format.header());
    }
    choices.ask(Subject::Ports, random, shown, text, format!("{right}: {order}"))
}

/// Protocols that people mix up.
const COMMON: [Protocol; 6] =
    [Protocol::TCP, Protocol::UDP, Protocol::ICMP, Protocol::ICMPV6, Protocol::GRE, Protocol::IPV4];

/// What `protocol` holds.
pub(super) fn protocol(packet: &PacketFacts, random: &mut Random) -> Option<Question> {
    let protocol = packet.ip.protocol;
    protocol.name()?;
    let mut common = COMMON;
    shuffle(&mut common, random);
    let version: u8 = if packet.ip.srcaddr.is_ipv4() { 4 } else { 6 };
    let choices = Choices::new(protocol.to_string())
        .with([version.to_string()])
        .with(common.map(|other| other.to_string()));
    choices.ask(
        Subject::Protocol,
        random,
        vec![super::packet_text(packet)],
        "What does `protocol` hold?",
        format!("{protocol}: the number that IANA gave {}, as the IP header has it", protocol_name(protocol)),
    )
}

/// What `tcp-flags` adds up to.
pub(super) fn tcp_flags(record: &RecordFacts, random: &mut Random) -> Option<Question> {
    let logged = record.record.tcp_flags?;
    if !can_be_shown(record) {
        return None;
    }
    let raw = record.packets.iter().fold(TcpFlags(0), |all, packet| all | packet.tcp_flags);
    let last = record.packets.last()?.tcp_flags;
    let sum: u64 = record.packets.iter().map(|packet| u64::from(packet.tcp_flags.as_logged().0)).sum();
    let choices = Choices::new(logged.0.to_string()).with([
        raw.0.to_string(),
        last.0.to_string(),
        sum.to_string(),
        (raw.0 & 0x07).to_string(),
        (logged.0 | 0x08).to_string(),
        "0".to_owned(),
        "-".to_owned(),
    ]);
    let shown = std::iter::once(flow_text(&record.flow))
        .chain(record.packets.iter().map(|packet| counted_text(packet, Protocol::TCP)))
        .collect();
    choices.ask(
        Subject::TcpFlags,
        random,
        shown,
        "What is `tcp-flags` of the record of these packets?",
        format!(
            "{}: FIN 1, SYN 2 and RST 4 are logged, ACK 16 only beside a SYN, PSH and the others never; what all packets \
             had is OR-ed, not added up. Here that is {}",
            logged.0,
            flags_text(logged)
        ),
    )
}

/// A field that has no value, or the value 0.
pub(super) struct Bare<'a> {
    record: &'a RecordFacts,
    field: Field,
    /// What one has to know to say.
    about: String,
    because: &'static str,
}

/// The fields that the capture's records have so.
pub(super) fn candidates(facts: &Facts) -> Vec<Bare<'_>> {
    let mut found: Vec<Bare<'_>> = Vec::new();
    for record in &facts.records {
        let mut add = |field, about: String, because| {
            // of many records the question is the same
            if !found.iter().any(|bare| bare.field == field) {
                found.push(Bare { record, field, about, because });
            }
        };
        let flow = flow_text(&record.flow);
        if !record.flow.protocol.has_ports() {
            let because = "a protocol without ports has the ports 0, which is a value; `-` would say that it is not known";
            add(Field::SrcPort, flow.clone(), because);
            add(Field::DstPort, flow.clone(), because);
        }
        if record.record.tcp_flags == Some(TcpFlags(0)) && can_be_shown(record) {
            add(
                Field::TcpFlags,
                format!("{flow}; no packet had SYN, FIN or RST"),
                "nothing that is logged was set, and that is the value 0; `-` would say that the field does not apply",
            );
        }
        let private = |address| matches!(address, std::net::IpAddr::V4(v4) if v4.is_private());
        if private(record.flow.srcaddr) && record.record.pkt_src_aws_service.is_none() {
            add(
                Field::PktSrcAwsService,
                format!("{flow}; the packets came from a private address"),
                "a private address is of no AWS service, so the field does not apply",
            );
        }
        if record.record.instance_id.is_none() {
            add(
                Field::InstanceId,
                format!(
                    "{flow}; suppose that the interface is of a load balancer, and of no instance of yours"
                ),
                "the field does not apply: the interface is of no instance that you own",
            );
        }
    }
    found
}

/// What stands where there is nothing to say.
pub(super) fn missing(facts: &Facts, bare: &Bare<'_>, random: &mut Random) -> Option<Question> {
    let value = bare.field.get(&bare.record.record).to_string();
    if !matches!(value.as_str(), "-" | "0") {
        return None;
    }
    let choices = Choices::new(format!("`{value}`")).with([
        "`-`",
        "`0`",
        "nothing: two spaces follow one another",
        "the word `null`",
    ]);
    let mut shown = vec![bare.about.clone()];
    // with the value itself it would be no question
    if !facts.format.contains(bare.field) {
        shown.push(facts.line(&bare.record.record));
    }
    choices.ask(
        Subject::Missing,
        random,
        shown,
        format!("What stands in `{}` of its record?", bare.field),
        format!("`{value}`: {}", bare.because),
    )
}
