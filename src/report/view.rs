//! Numbers and sentences as the page shows them.

use super::data::{LedgerAbout, LedgerPart, Sample};
use crate::packet::Timestamp;

/// How wide the picture of the ledger is, in its own units.
pub(super) const LEDGER_WIDTH: f64 = 1000.0;
/// The least that a part of the ledger is drawn with, so that one packet among millions is seen.
const LEAST_WIDTH: f64 = 6.0;
/// How many parts of the ledger have a colour of their own.
const COLOURS: usize = 7;
/// How many reasons a sentence names.
const NAMED: usize = 4;

/// `1,234,567`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 packet`, `2,000 packets`.
pub(super) fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", count(number), if number == 1 { "" } else { "s" })
}

/// A text as HTML: escaped, and what stands between two backticks as code.
pub(super) fn code(text: &str) -> String {
    let escaped = |piece: &str| {
        let mut html = String::with_capacity(piece.len());
        for character in piece.chars() {
            match character {
                '&' => html.push_str("&amp;"),
                '<' => html.push_str("&lt;"),
                '>' => html.push_str("&gt;"),
                '"' => html.push_str("&quot;"),
                '\'' => html.push_str("&#39;"),
                character => html.push(character),
            }
        }
        html
    };
    let mut html = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('`')
        && let Some((quoted, after)) = behind.split_once('`')
    {
        html.push_str(&format!("{}<code>{}</code>", escaped(before), escaped(quoted)));
        rest = after;
    }
    html.push_str(&escaped(rest));
    html
}

/// A time that may lie outside of what a [`Timestamp`] holds.
pub(super) fn time(nanos: i128) -> String {
    Timestamp::from_wide_nanos(nanos).map_or_else(|| "the end of time".to_owned(), |time| time.to_string())
}

/// What became of the packets, in one sentence.
pub(super) fn sentence(ledger: &LedgerAbout, records: u64) -> String {
    let skipped: u64 = ledger.skipped.iter().map(|part| part.packets).sum();
    let became = match ledger.in_records {
        0 if ledger.read == 0 => return "There is no packet in it, so there is no record.".to_owned(),
        0 => format!("None of {} is in a record", counted(ledger.read, "packet")),
        kept if kept == ledger.read => {
            return format!(
                "{} became {}; every packet is in a record.",
                counted(kept, "packet"),
                counted(records, "record")
            );
        }
        kept => format!(
            "{} of {} became {}",
            count(kept),
            counted(ledger.read, "packet"),
            counted(records, "record")
        ),
    };
    let mut named: Vec<String> = ledger
        .skipped
        .iter()
        .take(NAMED)
        .map(|part| format!("{} {}", count(part.packets), part.name))
        .collect();
    let rest: u64 = ledger.skipped.iter().skip(NAMED).map(|part| part.packets).sum();
    if rest > 0 {
        named.push(format!("{} for other reasons", count(rest)));
    }
    let are = if skipped == 1 { "is" } else { "are" };
    format!("{became}; {} {are} in none: {}.", count(skipped), named.join(", "))
}

/// One part of the ledger's picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Segment<'a> {
    /// What it is.
    pub(super) name: &'a str,
    /// What that means.
    pub(super) meaning: &'a str,
    /// How many packets.
    pub(super) packets: u64,
    /// How many of a hundred packets read, in words.
    pub(super) share: String,
    /// Where it begins.
    pub(super) x: String,
    /// How wide it is.
    pub(super) width: String,
    /// The number of its colour.
    pub(super) colour: usize,
}

/// The ledger as a bar: packets in records first, then each reason.
pub(super) fn segments(ledger: &LedgerAbout) -> Vec<Segment<'_>> {
    let parts = || {
        let kept = (ledger.in_records > 0).then_some(("in records", "counted", ledger.in_records));
        let skipped = ledger
            .skipped
            .iter()
            .map(|LedgerPart { name, meaning, packets }| (name.as_str(), meaning.as_str(), *packets));
        kept.into_iter().chain(skipped)
    };
    let share = |packets: u64| packets as f64 / ledger.read.max(1) as f64;
    let width = |packets: u64| (share(packets) * LEDGER_WIDTH).max(LEAST_WIDTH);
    let sum: f64 = parts().map(|(.., packets)| width(packets)).sum();
    let mut x = 0.0;
    let mut segments = Vec::new();
    for (at, (name, meaning, packets)) in parts().enumerate() {
        let width = width(packets) * LEDGER_WIDTH / sum;
        let colour = match at {
            0 if ledger.in_records > 0 => 0,
            at => 1 + (at - usize::from(ledger.in_records > 0)) % (COLOURS - 1),
        };
        segments.push(Segment {
            name,
            meaning,
            packets,
            share: percentage(share(packets)),
            x: format!("{x:.1}"),
            width: format!("{width:.1}"),
            colour,
        });
        x += width;
    }
    segments
}

fn percentage(share: f64) -> String {
    match share * 100.0 {
        percent if percent > 0.0 && percent < 0.1 => "under 0.1 %".to_owned(),
        percent if percent < 100.0 && percent > 99.9 => "over 99.9 %".to_owned(),
        percent => format!("{percent:.1} %"),
    }
}

/// What is left out of a sample; `None` where it is whole.
pub(super) fn admission<T>(sample: &Sample<T>, what: &str) -> Option<String> {
    sample.is_part().then(|| {
        format!(
            "{} of {} are shown: {}.",
            count(sample.shown.len() as u64),
            counted(sample.total, what),
            sample.rule
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(in_records: u64, skipped: &[(&str, u64)]) -> LedgerAbout {
        let skipped: Vec<LedgerPart> = skipped
            .iter()
            .map(|(name, packets)| LedgerPart {
                name: (*name).to_owned(),
                meaning: String::new(),
                packets: *packets,
            })
            .collect();
        let read = in_records + skipped.iter().map(|part| part.packets).sum::<u64>();
        LedgerAbout { read, in_records, skipped, ..LedgerAbout::default() }
    }

    #[test]
    fn numbers_have_commas() {
        let cases = [(0, "0"), (999, "999"), (1000, "1,000"), (u64::MAX, "18,446,744,073,709,551,615")];
        for (number, text) in cases {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn the_sentence_accounts_for_every_packet() {
        let cases = [
            (ledger(0, &[]), 0, "There is no packet in it, so there is no record."),
            (ledger(1, &[]), 1, "1 packet became 1 record; every packet is in a record."),
            (ledger(32, &[("arp", 2)]), 15, "32 of 34 packets became 15 records; 2 are in none: 2 arp."),
            (ledger(0, &[("arp", 1)]), 0, "None of 1 packet is in a record; 1 is in none: 1 arp."),
            (
                ledger(1, &[("a", 5), ("b", 4), ("c", 3), ("d", 2), ("e", 1), ("f", 1)]),
                1,
                "1 of 17 packets became 1 record; 16 are in none: 5 a, 4 b, 3 c, 2 d, 2 for other reasons.",
            ),
        ];
        for (ledger, records, text) in cases {
            assert_eq!(sentence(&ledger, records), text);
        }
    }

    #[test]
    fn the_smallest_part_is_seen_and_the_bar_is_full() {
        let ledger = ledger(10_000_000, &[("arp", 1), ("lldp", 1)]);
        let segments = segments(&ledger);
        let width = |segment: &Segment<'_>| segment.width.parse::<f64>().unwrap();
        assert!((segments.iter().map(width).sum::<f64>() - LEDGER_WIDTH).abs() < 0.2);
        assert!(segments.iter().all(|segment| width(segment) >= 5.0));
        assert_eq!(segments[1].share, "under 0.1 %");
        assert_eq!(segments[0].share, "over 99.9 %");
        assert_eq!(segments.iter().map(|segment| segment.colour).collect::<Vec<_>>(), [0, 1, 2]);
    }

    #[test]
    fn a_sample_is_admitted() {
        let mut sample = Sample { shown: vec![(); 2], total: 2, rule: "the first".to_owned() };
        assert_eq!(admission(&sample, "packet"), None);
        sample.total = 1000;
        assert_eq!(admission(&sample, "packet").unwrap(), "2 of 1,000 packets are shown: the first.");
    }

    #[test]
    fn code_is_marked_and_everything_is_escaped() {
        assert_eq!(code("a `b<c` & d"), "a <code>b&lt;c</code> &amp; d");
        assert_eq!(code("`-` means `0`"), "<code>-</code> means <code>0</code>");
        assert_eq!(code("a ` b <i>\"'"), "a ` b &lt;i&gt;&quot;&#39;");
    }
}
