//! What `lint` is to look for.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::Rule;
use crate::consumer::Consumer;

/// How much a text must be like a rule's name (Jaro–Winkler, 0 to 1) for that to be suggested.
const SIMILAR: f64 = 0.75;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Possible, but worth a look. A log with notes alone is clean.
    Note,
    /// Unlikely in a log of AWS's, or known to break readers.
    Warning,
    /// Cannot be true, or cannot be read.
    Error,
}

impl Level {
    /// The word, `warning`; SARIF has the same three.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

/// The word.
impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The word.
impl Serialize for Level {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A name that is no rule's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownRule {
    /// The text found; control characters are escaped, a long text is cut.
    pub text: String,
    /// The rule that was probably meant.
    pub nearest: Option<Rule>,
}

impl std::error::Error for UnknownRule {}

impl fmt::Display for UnknownRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no rule", self.text)?;
        self.nearest.map_or(Ok(()), |rule| write!(f, "; the nearest is `{rule}`"))
    }
}

/// Reads the name.
impl FromStr for Rule {
    type Err = UnknownRule;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Rule::ALL.into_iter().find(|rule| rule.name() == text).ok_or_else(|| {
            // a comparison takes the product of both lengths; no name is this long
            let head: String = text.chars().take(64).collect();
            let likeness = |rule: &Rule| strsim::jaro_winkler(&head, rule.name());
            let nearest = Rule::ALL.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
            UnknownRule {
                text: crate::record::shown(text),
                nearest: nearest.filter(|rule| likeness(rule) > SIMILAR),
            }
        })
    }
}

/// What to look for.
#[derive(Clone, Debug)]
pub struct LintOptions {
    /// The longest time that a record may span, in seconds.
    pub max_aggregation_interval: u64,
    /// The consumer whose rules hold too.
    pub target: Option<Consumer>,
    /// The level of each rule, `None` where it is switched off; by the rule's place in [`Rule::ALL`].
    levels: [Option<Level>; Rule::ALL.len()],
}

impl Default for LintOptions {
    fn default() -> Self {
        LintOptions {
            max_aggregation_interval: 600,
            target: None,
            levels: Rule::ALL.map(|rule| Some(rule.level())),
        }
    }
}

impl LintOptions {
    /// The rule's level, or `None` where it is switched off.
    #[inline]
    pub fn level(&self, rule: Rule) -> Option<Level> {
        self.levels.get(rule as usize).copied().flatten()
    }

    /// Gives a rule another level, or switches it off.
    pub fn set_level(&mut self, rule: Rule, level: Option<Level>) {
        if let Some(slot) = self.levels.get_mut(rule as usize) {
            *slot = level;
        }
    }
}
