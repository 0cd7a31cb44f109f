//! The ledgers of parts, added up.

use serde::Deserialize;

use crate::pipeline::{CaptureTally, DuplicateSights, Ledger};

/// What is asked of a part's ledger.
#[derive(Deserialize)]
pub(super) struct PartLedger {
    captures: Vec<CaptureTally>,
    #[serde(default)]
    duplicates: Vec<DuplicateSights>,
    total: PartTotal,
}

#[derive(Deserialize)]
struct PartTotal {
    #[serde(default)]
    unbelieved_times: u64,
}

impl PartLedger {
    /// Whether it says that so many packets and IP bytes are in rows, and adds up by itself.
    pub(super) fn agrees_with(&self, packets: u64, bytes: u64) -> bool {
        let mut alone = Ledger { captures: self.captures.clone(), ..Ledger::default() };
        alone.add_up();
        (alone.total.written_packets, alone.total.written_bytes) = (packets, bytes);
        alone.check().is_ok()
    }

    /// The packets that are in rows.
    pub(super) fn packets(&self) -> u64 {
        self.captures.iter().fold(0, |sum, capture| sum.saturating_add(capture.tally.packets_in_records))
    }

    /// The captures that were not read to their end, and why.
    pub(super) fn cut(&self) -> impl Iterator<Item = (&str, &str)> {
        self.captures.iter().filter_map(|capture| Some((&*capture.path, capture.error.as_deref()?)))
    }

    /// What two parts share only if they are of the same packets: the captures' names, counts and times.
    pub(super) fn identity(&self) -> Result<String, serde_json::Error> {
        let mut captures = self.captures.clone();
        captures.iter_mut().for_each(|capture| capture.tally.late_packets = 0);
        serde_json::to_string(&captures)
    }

    /// Adds it to the ledger of the whole. Late packets are united with the others of their windows, so none is late.
    pub(super) fn add_to(self, ledger: &mut Ledger) {
        ledger.captures.extend(self.captures.into_iter().map(|mut capture| {
            capture.tally.late_packets = 0;
            capture
        }));
        ledger.duplicates.extend(self.duplicates);
        let unbelieved = &mut ledger.total.unbelieved_times;
        *unbelieved = unbelieved.saturating_add(self.total.unbelieved_times);
    }
}
