//! What is to be known of packets that are in records, in words: once for the command line and for a page.

use super::ledger::Ledger;

/// Something to be known of packets in records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerNote {
    /// Its name, as the ledger has it.
    pub name: &'static str,
    /// How many packets.
    pub packets: u64,
    /// What it means.
    pub meaning: String,
}

impl Ledger {
    /// What is to be known of packets in records, as far as there are any. `of_their_own` says in what late packets are:
    /// `3 records`.
    pub fn to_be_known(&self, of_their_own: &str) -> Vec<LedgerNote> {
        let (total, tally) = (&self.total, &self.total.tally);
        let late = format!("in {of_their_own} of their own");
        let said = tally.notes.iter().map(|(note, packets)| (note.name(), packets, note.explanation()));
        let notes = [("late", tally.late_packets, late.as_str())].into_iter().chain(said).chain([
            (
                "unbelieved-times",
                total.unbelieved_times,
                "over an hour ahead of all others, in windows of their own",
            ),
            (
                "unresolved-fragments",
                total.unresolved_fragments,
                "ports `0 0`, for no first fragment was found",
            ),
            ("suspected-duplicates", tally.suspected_duplicates, "second sights of one packet"),
        ]);
        notes
            .filter(|(_, packets, _)| *packets > 0)
            .map(|(name, packets, meaning)| LedgerNote { name, packets, meaning: meaning.to_owned() })
            .collect()
    }
}
