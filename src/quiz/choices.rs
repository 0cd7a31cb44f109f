//! Choices: one is right, and none of the others says the same.

use super::{FEWEST, MOST, Question, Subject, shuffle};
use crate::random::Random;

/// Choices as they gather.
pub(super) struct Choices {
    right: String,
    wrong: Vec<String>,
}

impl Choices {
    pub(super) fn new(right: impl Into<String>) -> Choices {
        Choices { right: right.into(), wrong: Vec::new() }
    }

    /// Adds a wrong choice, unless it is there already or is the right one.
    pub(super) fn add(&mut self, wrong: impl Into<String>) {
        let wrong = wrong.into();
        if wrong != self.right && !self.wrong.contains(&wrong) {
            self.wrong.push(wrong);
        }
    }

    /// The same of many.
    pub(super) fn with<T: Into<String>>(mut self, wrong: impl IntoIterator<Item = T>) -> Choices {
        wrong.into_iter().for_each(|wrong| self.add(wrong));
        self
    }

    /// A question of these choices: those that were added first, in a random order. `None` where they are too few.
    pub(super) fn ask(
        self,
        subject: Subject,
        random: &mut Random,
        shown: Vec<String>,
        text: impl Into<String>,
        explanation: impl Into<String>,
    ) -> Option<Question> {
        let Choices { right, mut wrong } = self;
        wrong.truncate(MOST - 1);
        if wrong.len() + 1 < FEWEST {
            return None;
        }
        let mut choices = wrong;
        choices.push(right.clone());
        shuffle(&mut choices, random);
        let answer = choices.iter().position(|choice| *choice == right)?;
        let (text, explanation, page) = (text.into(), explanation.into(), subject.page());
        Some(Question { subject, shown, text, choices, answer, explanation, page })
    }
}
