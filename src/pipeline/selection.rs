//! Which packets are wanted: flows, each within spans of time.

use std::collections::HashMap;

use crate::flow::{FlowKey, FlowPattern};

/// Whole seconds of Unix time, both ends included, as a record's `start` and `end` are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecondSpan {
    /// The first second.
    pub start: i64,
    /// The last second.
    pub end: i64,
}

impl SecondSpan {
    /// All time.
    pub const ALWAYS: SecondSpan = SecondSpan { start: i64::MIN, end: i64::MAX };

    /// Whether a second is in it.
    #[inline]
    pub const fn contains(self, second: i64) -> bool {
        self.start <= second && second <= self.end
    }
}

/// A wanted span and the entry that asked for it.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    span: SecondSpan,
    /// The latest end of this span and all before it.
    latest_end: i64,
    entry: usize,
}

/// The packets that are wanted. An entry is a flow, or a pattern of flows, in a span of time.
///
/// Whole flows are found by a hash map, however many there are; every pattern is looked at for each packet.
#[derive(Clone, Debug, Default)]
pub struct PacketSelection {
    /// Each flow's spans, sorted by their starts.
    flows: HashMap<FlowKey, Vec<Wanted>>,
    patterns: Vec<(FlowPattern, SecondSpan, usize)>,
    entries: usize,
}

/// What a selection says of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is wanted.
    Wanted,
    /// Its flow is, but not at its time.
    OtherTime,
    /// Nobody asked for its flow.
    OtherFlow,
}

impl PacketSelection {
    /// Nothing is wanted.
    pub fn new() -> Self {
        PacketSelection::default()
    }

    /// Wants the packets of a flow in a span; returns the entry's number, from 0.
    ///
    /// Spans of one flow may overlap; a packet is written once and counted for every entry that wants it. They are
    /// best added in the order of time.
    pub fn add(&mut self, flow: impl Into<FlowPattern>, span: SecondSpan) -> usize {
        let pattern = flow.into();
        let entry = self.entries;
        self.entries += 1;
        let Some(flow) = pattern.flow() else {
            self.patterns.push((pattern, span, entry));
            return entry;
        };
        let spans = self.flows.entry(flow).or_default();
        let place = spans.partition_point(|wanted| wanted.span.start <= span.start);
        spans.insert(place, Wanted { span, latest_end: span.end, entry });
        let mut latest_end = i64::MIN;
        if let Some(before) = place.checked_sub(1).and_then(|before| spans.get(before)) {
            latest_end = before.latest_end;
        }
        for wanted in spans.iter_mut().skip(place) {
            latest_end = latest_end.max(wanted.span.end);
            wanted.latest_end = latest_end;
        }
        entry
    }

    /// How many entries were added.
    pub fn entries(&self) -> usize {
        self.entries
    }

    /// Looks a packet up by its flow and second, and calls `each` with every entry that wants it.
    #[inline]
    pub(super) fn look_up(&self, flow: &FlowKey, second: i64, mut each: impl FnMut(usize)) -> Verdict {
        let mut verdict = Verdict::OtherFlow;
        if let Some(spans) = self.flows.get(flow) {
            verdict = Verdict::OtherTime;
            let begun = spans.partition_point(|wanted| wanted.span.start <= second);
            let begun = spans.get(..begun).unwrap_or_default();
            for wanted in begun.iter().rev().take_while(|wanted| wanted.latest_end >= second) {
                if wanted.span.contains(second) {
                    verdict = Verdict::Wanted;
                    each(wanted.entry);
                }
            }
        }
        for (pattern, span, entry) in &self.patterns {
            if pattern.matches(flow) {
                if span.contains(second) {
                    verdict = Verdict::Wanted;
                    each(*entry);
                } else if verdict == Verdict::OtherFlow {
                    verdict = Verdict::OtherTime;
                }
            }
        }
        verdict
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::packet::Protocol;

    fn flow(srcport: u16) -> FlowKey {
        FlowKey {
            srcaddr: "10.0.0.1".parse().unwrap(),
            dstaddr: "10.0.0.2".parse().unwrap(),
            protocol: Protocol::TCP,
            srcport,
            dstport: 9,
        }
    }

    proptest! {
        #[test]
        fn look_ups_agree_with_a_look_at_every_entry(
            entries in prop::collection::vec((0..3_u16, any::<bool>(), -9..9_i64, 0..9_i64), 0..30),
            packets in prop::collection::vec((0..3_u16, -12..20_i64), 0..30),
        ) {
            let mut selection = PacketSelection::new();
            for (index, &(port, open, start, length)) in entries.iter().enumerate() {
                let span = SecondSpan { start, end: start + length };
                let pattern = FlowPattern::from(flow(port));
                let pattern = if open { FlowPattern { dstport: None, ..pattern } } else { pattern };
                prop_assert_eq!(selection.add(pattern, span), index);
            }
            prop_assert_eq!(selection.entries(), entries.len());
            for (port, second) in packets {
                let mut found = Vec::new();
                let verdict = selection.look_up(&flow(port), second, |entry| found.push(entry));
                found.sort_unstable();
                let of_flow = entries.iter().enumerate().filter(|(_, entry)| entry.0 == port);
                let mut expected = Vec::new();
                let mut expected_verdict = Verdict::OtherFlow;
                for (index, &(_, _, start, length)) in of_flow {
                    if (start..=start + length).contains(&second) {
                        expected.push(index);
                        expected_verdict = Verdict::Wanted;
                    } else if expected_verdict == Verdict::OtherFlow {
                        expected_verdict = Verdict::OtherTime;
                    }
                }
                prop_assert_eq!(found, expected);
                prop_assert_eq!(verdict, expected_verdict);
            }
        }
    }
}
