//! Packets and records: which is whose, and why there are two.

use super::{SHOWN, can_be_shown, counted_text, flow_text, packet_text};
use crate::packet::Protocol;
use crate::quiz::choices::Choices;
use crate::quiz::facts::{CountedFacts, Facts, PacketFacts, RecordFacts};
use crate::quiz::{Question, Subject, shuffle};
use crate::random::Random;
use crate::record::Field;

/// What a line needs to be told from others.
const TELLING: [Field; 7] = [
    Field::SrcAddr,
    Field::DstAddr,
    Field::SrcPort,
    Field::DstPort,
    Field::Protocol,
    Field::Start,
    Field::End,
];

/// Which record counts a packet.
pub(super) fn which(facts: &Facts, packet: &PacketFacts, random: &mut Random) -> Option<Question> {
    if !facts.has(&TELLING) {
        return None;
    }
    let own = facts.records.get(packet.record?)?;
    let second = packet.time.seconds();
    let spans = |other: &RecordFacts| (other.first.seconds()..=other.last.seconds()).contains(&second);
    // of one flow it must be told by the times
    let can_be_told = |other: &&RecordFacts| other.flow != own.flow || !spans(other);
    let mut others: Vec<&RecordFacts> = facts.records.iter().filter(can_be_told).collect();
    shuffle(&mut others, random);
    let reversed = own.flow.reversed();
    // the most alike first
    others.sort_by_key(|other| (other.flow != reversed, other.flow != own.flow));
    let mut choices = Choices::new(facts.line(&own.record));
    let mut alike = others.into_iter();
    alike.by_ref().take(2).for_each(|other| choices.add(facts.line(&other.record)));
    if own.flow.srcport != own.flow.dstport {
        let mut exchanged = own.record.clone();
        (exchanged.srcport, exchanged.dstport) = (exchanged.dstport, exchanged.srcport);
        choices.add(facts.line(&exchanged));
    }
    alike.for_each(|other| choices.add(facts.line(&other.record)));
    let at = (own.record.start.unwrap_or_default(), own.record.end.unwrap_or_default());
    choices.ask(
        Subject::WhichRecord,
        random,
        vec![packet_text(packet)],
        "Which record counts this packet?",
        format!(
            "the one of {}, source first and the source port before the destination port, whose times {} to {} \
             hold the packet's",
            flow_text(&own.flow),
            at.0,
            at.1
        ),
    )
}

/// Another record of the same window, of the other direction.
fn answer<'a>(facts: &'a Facts, own: &RecordFacts) -> Option<&'a RecordFacts> {
    let reversed = own.flow.reversed();
    let same_window = |other: &&RecordFacts| {
        other.flow == reversed && other.flow != own.flow && other.window == own.window && !other.late
    };
    let mut found = facts.records.iter().filter(same_window);
    // two of them are of one window only where directions are told apart
    found.next().filter(|_| found.next().is_none() && !own.late)
}

/// How many packets a record counts.
pub(super) fn count(facts: &Facts, own: &RecordFacts, random: &mut Random) -> Option<Question> {
    let other = answer(facts, own)?;
    let both = own.packets.len() + other.packets.len();
    if !can_be_shown(own) || !can_be_shown(other) || both > SHOWN {
        return None;
    }
    let mut packets: Vec<(&CountedFacts, &RecordFacts)> = own
        .packets
        .iter()
        .map(|packet| (packet, own))
        .chain(other.packets.iter().map(|packet| (packet, other)))
        .collect();
    packets.sort_by_key(|(packet, _)| packet.number);
    let shown = packets
        .iter()
        .map(|(packet, record)| {
            format!("{}: {}", counted_text(packet, Protocol::default()), flow_text(&record.flow))
        })
        .collect();
    let number = own.packets.len();
    let choices = Choices::new(number.to_string()).with(
        [both, other.packets.len(), number + 1, number.saturating_sub(1).max(1)]
            .map(|count| count.to_string()),
    );
    choices.ask(
        Subject::PacketCount,
        random,
        shown,
        format!(
            "These packets came in one interval. What is `packets` in the record of {}?",
            flow_text(&own.flow)
        ),
        format!(
            "{number}: a record counts one direction alone; the {} the other way are in a record of their own",
            other.packets.len()
        ),
    )
}

/// Why two records are not one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Apart {
    Directions,
    Windows,
    Lateness,
}

/// Two records that people take for one.
pub(super) struct Pair<'a> {
    records: [&'a RecordFacts; 2],
    apart: Apart,
}

/// The pairs that the capture has.
pub(super) fn pairs(facts: &Facts) -> Vec<Pair<'_>> {
    let mut pairs = Vec::new();
    let mut add = |one, other, apart| pairs.push(Pair { records: [one, other], apart });
    for (at, own) in facts.records.iter().enumerate() {
        let rest = facts.records.get(at + 1..).unwrap_or_default();
        if let Some(other) = answer(facts, own)
            && own.flow < other.flow
        {
            add(own, other, Apart::Directions);
        }
        // those that differ in their direction too have two reasons
        let direction = own.record.flow_direction;
        let same =
            rest.iter().filter(|other| other.flow == own.flow && other.record.flow_direction == direction);
        for other in same {
            match (own.window == other.window, own.late || other.late) {
                (false, false) => add(own, other, Apart::Windows),
                (true, true) if own.late != other.late => add(own, other, Apart::Lateness),
                _ => continue,
            }
            break;
        }
    }
    pairs
}

/// Why there are two.
pub(super) fn why(facts: &Facts, pair: &Pair<'_>, random: &mut Random) -> Option<Question> {
    const REASONS: [(Apart, &str); 3] = [
        (Apart::Directions, "each direction of a conversation is a record of its own"),
        (Apart::Windows, "the aggregation interval ended between their packets"),
        (Apart::Lateness, "the second one's packets came after the interval's records had been written"),
    ];
    const MISTAKES: [&str; 3] = [
        "the second one counts the packets that were sent again",
        "one is what the security group saw, the other what the network ACL saw",
        "a record holds a limited number of packets",
    ];
    if !facts.has(&TELLING) {
        return None;
    }
    let lines = pair.records.map(|record| facts.line(&record.record));
    if let [one, other] = &lines
        && one == other
    {
        return None;
    }
    let right = REASONS.iter().find(|(apart, _)| *apart == pair.apart)?.1;
    let others = REASONS.iter().filter(|(apart, _)| *apart != pair.apart).map(|(_, reason)| *reason);
    let mut wrong: Vec<&str> = others.collect();
    let mut mistakes = MISTAKES;
    shuffle(&mut mistakes, random);
    // lateness is a case that few know; where it is not the reason it is not offered often
    wrong.truncate(1);
    wrong.extend(mistakes);
    let explanation = match pair.apart {
        Apart::Directions => {
            "the key of a record is source, destination, ports and protocol in this order: what comes \
                              back has another key"
                .to_owned()
        }
        Apart::Windows => format!(
            "an interval of {} s ended between them, and a record never spans two; both add up to the flow",
            facts.interval
        ),
        Apart::Lateness => {
            "packets that come after their interval was written are written later, as a record of their \
                            own with the times of the earlier interval"
                .to_owned()
        }
    };
    Choices::new(right).with(wrong).ask(
        Subject::TwoRecords,
        random,
        lines.to_vec(),
        "Why are these two records and not one?",
        explanation,
    )
}
