//! Questions about the capture of a page. They are found as `quiz` finds them, by a reading of their own.

use std::path::Path;

use super::shown::clean;
use crate::mask::Mask;
use crate::pipeline::emit::shows_direction;
use crate::pipeline::{ExplainOptions, MeterOptions, QuizOptions, RecordOptions, quiz_facts};
use crate::quiz::{Question, Subject, questions};
use crate::report::QuestionAbout;

/// Which questions are on a page.
#[derive(Clone, Copy, Debug)]
pub struct ReportQuiz {
    /// The same seed and capture give the same questions.
    pub seed: u64,
    /// How many at most.
    pub questions: usize,
}

/// The questions about a capture.
pub(super) fn quiz(
    capture: &Path,
    asked: ReportQuiz,
    meter: &MeterOptions,
    records: &RecordOptions,
    mask: Option<&Mask>,
) -> Vec<QuestionAbout> {
    let ReportQuiz { seed, questions: count } = asked;
    let explain = ExplainOptions { meter: meter.clone(), with_direction: shows_direction(&records.format) };
    let options = QuizOptions { explain, records: records.clone(), seed };
    // what could not be read was said by the conversion
    let facts = quiz_facts(capture, &options, mask).found;
    questions(&facts, &Subject::ALL, seed, count).into_iter().map(about).collect()
}

fn about(question: Question) -> QuestionAbout {
    let cleaned = |texts: &[String]| texts.iter().map(|text| clean(text)).collect();
    QuestionAbout {
        shown: cleaned(&question.shown),
        text: clean(&question.text),
        choices: cleaned(&question.choices),
        answer: question.answer,
        right: clean(question.right()),
        explanation: clean(&question.explanation),
        page: question.page,
    }
}
