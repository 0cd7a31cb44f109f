//! What is in no record: of anybody, and of AWS.

use super::packet_text;
use crate::flow::{is_of_a_host, may_be_of_aws};
use crate::packet::{IpPacket, SkipReason};
use crate::quiz::choices::Choices;
use crate::quiz::facts::{Facts, PacketFacts, SkippedFacts};
use crate::quiz::{Question, Subject, shuffle};
use crate::random::Random;

/// Which record counts a packet that none does.
pub(super) fn record(facts: &Facts, skipped: &SkippedFacts, random: &mut Random) -> Option<Question> {
    // what has an IP header looks as if it were counted, and why it is not (it is cut, it has no time) is not shown
    if skipped.layers.iter().any(|name| name.starts_with("IPv")) {
        return None;
    }
    let mut records: Vec<String> = facts.records.iter().map(|record| facts.line(&record.record)).collect();
    shuffle(&mut records, random);
    records.truncate(1);
    let choices = Choices::new("none").with(records).with([
        "one with `-` for addresses and ports",
        "one with the protocol 0",
        "one with `SKIPDATA`",
    ]);
    let layers = skipped.layers.join(" / ");
    choices.ask(
        Subject::NoRecord,
        random,
        vec![format!("packet {}, {} bytes on the wire: {layers}", skipped.number, skipped.frame_length)],
        "Which record counts this packet?",
        format!(
            "none: `{}`, {}. The ledger counts it, so that nothing is lost in silence",
            skipped.reason,
            skipped.reason.explanation()
        ),
    )
}

/// The port that traffic mirroring sends to.
const VXLAN: u16 = 4789;

/// ARP's ethertype.
const ARP: SkipReason = SkipReason::Ethertype(0x0806);

/// What AWS never logs, as a line, and why.
pub(super) fn candidates(facts: &Facts) -> Vec<(String, &'static str)> {
    let arp = facts.skipped.iter().filter(|skipped| skipped.reason == ARP).map(|skipped| {
        (
            format!("packet {}: ARP, {} bytes on the wire", skipped.number, skipped.frame_length),
            "ARP is not IP",
        )
    });
    let unlogged =
        facts.unlogged.iter().filter_map(|packet| Some((packet_text(packet), packet.unlogged?.meaning())));
    arp.chain(unlogged).collect()
}

/// Which of several packets AWS never logs.
pub(super) fn never(
    facts: &Facts,
    (line, why): &(String, &'static str),
    random: &mut Random,
) -> Option<Question> {
    let mut others: Vec<String> =
        facts.packets.iter().filter(|packet| is_logged(packet)).map(packet_text).collect();
    shuffle(&mut others, random);
    Choices::new(line.clone()).with(others).ask(
        Subject::NeverLogged,
        random,
        Vec::new(),
        "Which of these packets is in no flow log of AWS?",
        format!(
            "{why}: AWS never logs it, whatever the rules say. Nor does it log other traffic to its DNS server, instance \
             metadata, Time Sync, Windows activation, DHCP, the VPC's router, ARP, and mirrored traffic at its source"
        ),
    )
}

/// Whether AWS surely logs it. Of groups, link-local addresses and the like nobody says so; a private address may be the
/// VPC's router or resolver, which only its ranges tell; and mirrored traffic is not logged at its source. A later fragment may be of
/// any of these.
fn is_logged(packet: &PacketFacts) -> bool {
    let IpPacket { srcaddr, dstaddr, srcport, dstport, .. } = packet.ip;
    let is_plain = |address| is_of_a_host(address) && !may_be_of_aws(address);
    let has_port = |port| srcport == port || dstport == port;
    let is_told = !packet.ip.protocol.has_ports() || (srcport, dstport) != (0, 0);
    is_told
        && packet.unlogged.is_none()
        && is_plain(srcaddr)
        && is_plain(dstaddr)
        && !has_port(53)
        && !has_port(VXLAN)
}
