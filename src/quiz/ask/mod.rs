//! The questions of each subject.
//!
//! A subject takes the facts that it can be asked of, in a random order, and makes a question of each; `None` where the
//! facts do not allow for one. If you add a subject: its wrong choices must be wrong for whoever sees nothing but what is
//! shown, also where the capture is an odd one; `tests/quiz.rs` asks every subject of every fixture, under many seeds.

mod bytes;
mod nowhere;
mod records;
mod rules;
mod times;
mod values;

use super::facts::{CountedFacts, Facts, PacketFacts, RecordFacts};
use super::{Question, Subject, shuffle};
use crate::flow::FlowKey;
use crate::packet::{Protocol, TcpFlags, Timestamp};
use crate::random::Random;

/// How many packets are shown at most for one question.
const SHOWN: usize = 12;

/// All questions of a subject, up to so many.
pub(super) fn all(subject: Subject, facts: &Facts, random: &mut Random, most: usize) -> Vec<Question> {
    match subject {
        Subject::WhichRecord => each(&facts.packets, random, most, |p, r| records::which(facts, p, r)),
        Subject::Ports => each(&facts.records, random, most, |record, r| values::ports(facts, record, r)),
        Subject::PacketBytes => each(&facts.packets, random, most, bytes::of_packet),
        Subject::PacketCount => each(&facts.records, random, most, |own, r| records::count(facts, own, r)),
        Subject::TwoRecords => {
            each(&records::pairs(facts), random, most, |pair, r| records::why(facts, pair, r))
        }
        Subject::StartEnd => each(&facts.records, random, most, times::start_and_end),
        Subject::Interval => each(&facts.connections, random, most, |one, r| times::interval(facts, one, r)),
        Subject::TcpFlags => each(&facts.records, random, most, values::tcp_flags),
        Subject::Protocol => each(&facts.packets, random, most, values::protocol),
        Subject::Survives => each(&facts.packets, random, most, bytes::survives),
        Subject::NoRecord => each(&facts.skipped, random, most, |one, r| nowhere::record(facts, one, r)),
        Subject::NeverLogged => {
            each(&nowhere::candidates(facts), random, most, |one, r| nowhere::never(facts, one, r))
        }
        Subject::Rules => each(&rules::candidates(facts), random, most, rules::log),
        Subject::Missing => {
            each(&values::candidates(facts), random, most, |one, r| values::missing(facts, one, r))
        }
    }
}

/// Questions of things in a random order.
fn each<T>(
    things: &[T],
    random: &mut Random,
    most: usize,
    ask: impl Fn(&T, &mut Random) -> Option<Question>,
) -> Vec<Question> {
    let mut order: Vec<&T> = things.iter().collect();
    shuffle(&mut order, random);
    order.into_iter().filter_map(|thing| ask(thing, random)).take(most).collect()
}

/// One of them, if there is any.
fn one_of<'a, T>(things: &[&'a T], random: &mut Random) -> Option<&'a T> {
    things.get(random.below(things.len() as u64) as usize).copied()
}

/// The flow with its protocol: `192.0.2.10:41000 > 198.51.100.20:8443, tcp`.
fn flow_text(flow: &FlowKey) -> String {
    format!("{flow}, {}", protocol_name(flow.protocol))
}

/// The protocol's name, or its number where people know it only as that.
fn protocol_name(protocol: Protocol) -> String {
    protocol.name().map_or_else(|| format!("protocol {protocol}"), str::to_owned)
}

/// The flags' names, `none` where none is set.
fn flags_text(flags: TcpFlags) -> String {
    const NAMES: [(TcpFlags, &str); 8] = [
        (TcpFlags::SYN, "SYN"),
        (TcpFlags::ACK, "ACK"),
        (TcpFlags::PSH, "PSH"),
        (TcpFlags::FIN, "FIN"),
        (TcpFlags::RST, "RST"),
        (TcpFlags(0x20), "URG"),
        (TcpFlags(0x40), "ECE"),
        (TcpFlags(0x80), "CWR"),
    ];
    let set: Vec<&str> =
        NAMES.iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, name)| *name).collect();
    if set.is_empty() { "none".to_owned() } else { set.join(" ") }
}

/// A packet in a line.
fn packet_text(packet: &PacketFacts) -> String {
    let flow = FlowKey::from(&packet.ip);
    let flags = match flow.protocol {
        Protocol::TCP => format!(", flags {}", flags_text(packet.ip.tcp_flags)),
        _ => String::new(),
    };
    format!("packet {}, {}: {}{flags}", packet.number, packet.time, flow_text(&flow))
}

/// A packet of a record in a line.
fn counted_text(packet: &CountedFacts, protocol: Protocol) -> String {
    let flags = match protocol {
        Protocol::TCP => format!(", flags {}", flags_text(packet.tcp_flags)),
        _ => String::new(),
    };
    format!("packet {}, {}{flags}", packet.number, packet.time)
}

/// Whole seconds as a time.
fn second(seconds: i64) -> String {
    Timestamp::from_parts(seconds, 0).map_or_else(|| format!("{seconds} s"), |time| time.to_string())
}

/// A bound of a window as a time.
fn bound(nanos: i128) -> String {
    Timestamp::from_wide_nanos(nanos).map_or_else(|| "the end of time".to_owned(), |time| time.to_string())
}

/// Whether all packets of a record can be shown.
fn can_be_shown(record: &RecordFacts) -> bool {
    record.whole && record.packets.len() <= SHOWN
}
