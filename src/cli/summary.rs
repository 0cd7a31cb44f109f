//! The short form of the ledger, on standard error.

use flowtruth::pipeline::{DuplicateSights, Ledger, Tally};
use indicatif::HumanCount;

use super::messages::{clean, hint, say};

/// How many reasons, notes or places are named before the rest is summed up.
const NAMED: usize = 6;

/// Shows what became of the packets.
pub fn show(ledger: &Ledger) {
    show_as(ledger, "record");
}

/// Shows what became of the packets, with another word for what they are counted in.
pub fn show_as(ledger: &Ledger, record: &str) {
    let total = &ledger.total;
    let tally = &total.tally;
    say(format_args!(
        "{} read: {} in {}, {} skipped{}",
        counted(tally.packets_read, "packet"),
        HumanCount(tally.packets_in_records),
        counted(total.records, record),
        HumanCount(tally.skipped()),
        skipped(tally)
    ));
    for line in beside(ledger, record) {
        say(format_args!("  {line}"));
    }
    if tally.suspected_duplicates > 0 {
        for sights in ledger.duplicates.iter().take(NAMED) {
            let DuplicateSights { first, second, packets } = sights;
            let packets = HumanCount(*packets);
            let (first, second) = (clean(first), clean(second));
            if first == second {
                say(format_args!("    {packets} twice at {first}"));
            } else {
                say(format_args!("    {packets} at {first}, then at {second}"));
            }
        }
        if ledger.duplicates.len() > NAMED {
            say(format_args!("    and {} other pairs of places", ledger.duplicates.len() - NAMED));
        }
        if !tally.packets_skipped.contains_key(&flowtruth::packet::SkipReason::Duplicate) {
            hint("`--dedup` leaves the second sight of a packet out");
        }
    }
}

/// `1 packet`, `2,000 packets`.
pub fn counted(count: u64, what: &str) -> String {
    format!("{} {what}{}", HumanCount(count), if count == 1 { "" } else { "s" })
}

/// ` (5 arp, 1 lldp)`, the most first.
fn skipped(tally: &Tally) -> String {
    let mut reasons: Vec<_> = tally.packets_skipped.iter().collect();
    reasons.sort_by_key(|(reason, packets)| (std::cmp::Reverse(**packets), **reason));
    let mut words: Vec<_> = reasons
        .iter()
        .take(NAMED)
        .map(|(reason, packets)| format!("{} {reason}", HumanCount(**packets)))
        .collect();
    let rest: u64 = reasons.iter().skip(NAMED).map(|(_, packets)| **packets).sum();
    if rest > 0 {
        words.push(format!("{} for other reasons", HumanCount(rest)));
    }
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
}

/// What else there is to know.
fn beside(ledger: &Ledger, record: &str) -> Vec<String> {
    let notes = ledger.to_be_known(&counted(ledger.total.late_records, record));
    notes
        .iter()
        .map(|note| format!("{}: {}, {}", note.name, HumanCount(note.packets), note.meaning))
        .collect()
}
