//! Times and intervals.

use super::{SHOWN, bound, flow_text, second};
use crate::flow::AggregationInterval;
use crate::packet::Timestamp;
use crate::quiz::choices::Choices;
use crate::quiz::facts::{ConnectionFacts, CountedFacts, Facts, RecordFacts};
use crate::quiz::{Question, Subject};
use crate::random::Random;

/// What `start` and `end` hold.
pub(super) fn start_and_end(record: &RecordFacts, random: &mut Random) -> Option<Question> {
    let span = |start: String, end: String| format!("{start} to {end}");
    let (first, last) = (record.first.seconds(), record.last.seconds());
    let up = |time: Timestamp| time.seconds() + i64::from(time.nanos().rem_euclid(1_000_000_000) != 0);
    let mut choices = Choices::new(span(second(first), second(last)));
    let mut window = String::new();
    if let Some(bounds) = record.window {
        let (begins, ends) = (bound(bounds.start), bound(bounds.end));
        window = format!("; its interval goes from {begins} to {ends}");
        choices.add(span(begins.clone(), ends.clone()));
        choices.add(span(second(first), ends));
        choices.add(span(begins, second(last)));
    }
    choices.add(span(second(up(record.first)), second(up(record.last))));
    choices.add(span(second(first), second(last + 1)));
    choices.add(span(second(first - 1), second(last)));
    let shown = vec![
        flow_text(&record.flow),
        format!("its first packet came at {}, its last at {}{window}", record.first, record.last),
    ];
    choices.ask(
        Subject::StartEnd,
        random,
        shown,
        "Which times do `start` and `end` hold, as Unix seconds?",
        "the times of the first and of the last packet in the interval, rounded down to whole seconds; not the \
         interval's own bounds, which only NODATA and SKIPDATA have",
    )
}

/// How many records another interval makes.
pub(super) fn interval(facts: &Facts, connection: &ConnectionFacts, random: &mut Random) -> Option<Question> {
    let (AggregationInterval::Seconds(own), AggregationInterval::Seconds(other)) =
        (facts.interval, facts.other_interval)
    else {
        return None;
    };
    let records: Vec<&RecordFacts> =
        facts.records.iter().filter(|record| record.flow == connection.flow).collect();
    let mut packets: Vec<&CountedFacts> = records.iter().flat_map(|record| &record.packets).collect();
    let (now, then) = (records.len() as u64, connection.records_otherwise?);
    // a packet that came late makes a record that nobody expects
    // and directions make more records than times do
    let direction = records.first()?.record.flow_direction;
    let is_plain = facts.aligned
        && records
            .iter()
            .all(|record| record.whole && !record.late && record.record.flow_direction == direction);
    if !is_plain || packets.len() > SHOWN || now == then {
        return None;
    }
    packets.sort_by_key(|packet| packet.number);
    let mut shown = vec![flow_text(&connection.flow)];
    shown.extend(packets.iter().map(|packet| format!("packet {}, {}", packet.number, packet.time)));
    let number = packets.len() as u64;
    let choices = Choices::new(then.to_string()).with(
        [now, number, then + 1, then.saturating_sub(1).max(1), then * 2].map(|count| count.to_string()),
    );
    choices.ask(
        Subject::Interval,
        random,
        shown,
        format!(
            "With an interval of {own} s these packets are {}. How many are they with {other} s? Intervals begin at \
             multiples of their length.",
            if now == 1 { "1 record".to_owned() } else { format!("{now} records") }
        ),
        format!(
            "{then}: one for each interval of {other} s that a packet fell into. AWS has 60 and 600 s, and on Nitro \
             instances never more than 60"
        ),
    )
}
