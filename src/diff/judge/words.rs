//! Phrases of the evidence.

use crate::diff::judge::State;
use crate::diff::{Cell, Claim, Sum};

/// `1 packet`, `12 packets`.
pub(super) fn counted(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// `10 packets and 840 bytes`.
pub(super) fn sum(sum: Sum) -> String {
    format!("{} and {}", counted(sum.packets, "packet"), counted(sum.bytes, "byte"))
}

/// `3 s`, with its sign where it has one.
pub(super) fn seconds(seconds: i64) -> String {
    match seconds {
        0 => "right".to_owned(),
        1.. => format!("{seconds} s late"),
        _ => format!("{} s early", seconds.unsigned_abs()),
    }
}

impl State<'_> {
    /// What the side of the cells is called.
    pub(super) fn witness_name(&self) -> &'static str {
        match (self.witness_is_capture, self.options.witness_is_candidate) {
            (true, _) if self.claims_are_log => "the capture",
            (_, true) => "the candidate",
            (_, false) => "the reference",
        }
    }

    /// What the side of the records is called.
    pub(super) fn claims_name(&self) -> &'static str {
        match (self.claims_are_log, self.options.witness_is_candidate) {
            (true, _) if self.witness_is_capture => "the log",
            (_, true) => "the reference",
            (_, false) => "the candidate",
        }
    }

    /// `the log has 12 packets and 700 bytes, the capture 10 packets and 600 bytes`
    pub(super) fn both(&self, claim: &Claim, said: Option<&Cell>) -> String {
        let witness = match said {
            Some(said) => sum(said.sum()),
            None => "nothing".to_owned(),
        };
        format!("{} has {}, {} {witness}", self.claims_name(), sum(claim.sum()), self.witness_name())
    }

    /// An interface's name.
    pub(super) fn interface(&self, number: u32) -> &str {
        let place = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        place.and_then(|place| self.interfaces.get(place)).map_or("an unnamed interface", String::as_str)
    }
}
