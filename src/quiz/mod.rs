//! Questions about a capture and its records: pure, facts in, questions out.
//!
//! ```text
//!  Facts ──► one file a subject (ask) ──► Question: choices, which of them is right, why, where to read on
//! ```
//!
//! Nothing here knows an answer. A question takes the right choice from a fact that the program's own metering gave, and
//! the wrong ones from what else the capture has, or from mistakes that people make; a wrong choice that says the same
//! as the right one is left out, and a question that is left with fewer than [`FEWEST`] choices is not asked.
//!
//! The same facts and seed give the same questions on every machine.

mod ask;
mod choices;
mod facts;
mod question;

pub use facts::{
    ConnectionFacts, CountedFacts, Facts, Fate, LayerFacts, PacketFacts, PartFacts, RecordFacts, RuleSetup,
    SkippedFacts, VerdictFacts,
};
pub use question::{Question, Subject};

use crate::random::Random;

/// How many choices a question has at least.
pub const FEWEST: usize = 3;

/// How many it has at most.
pub const MOST: usize = 4;

/// Up to so many questions about some subjects; fewer where the capture does not have the facts for more. One of each
/// subject comes before the second of any.
pub fn questions(facts: &Facts, subjects: &[Subject], seed: u64, count: usize) -> Vec<Question> {
    let mut random = Random::of(seed, 0);
    let mut by_subject: Vec<_> = Subject::ALL
        .into_iter()
        .zip(1..)
        .filter(|(subject, _)| subjects.contains(subject))
        .map(|(subject, number)| ask::all(subject, facts, &mut Random::of(seed, number), count).into_iter())
        .collect();
    shuffle(&mut by_subject, &mut random);
    let mut questions = Vec::new();
    while questions.len() < count {
        let before = questions.len();
        questions.extend(by_subject.iter_mut().filter_map(Iterator::next).take(count - before));
        if questions.len() == before {
            break;
        }
    }
    questions
}

/// Brings things into a random order.
fn shuffle<T>(things: &mut [T], random: &mut Random) {
    for end in (1..things.len()).rev() {
        things.swap(end, random.below(end as u64 + 1) as usize);
    }
}

#[cfg(test)]
mod tests;
