//! What a line may have and is read all the same.

use std::fmt;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

macro_rules! leniencies {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $meaning:literal;)*) => {
        /// Something that AWS does not write, or a strict reader stumbles over, and that is read all the same.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Leniency {
            $($(#[$doc])* $name,)*
        }

        impl Leniency {
            /// Every kind.
            pub const ALL: [Leniency; [$($word),*].len()] = [$(Leniency::$name),*];

            /// The name in reports: `trailing-space`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Leniency::$name => $word,)*
                }
            }

            /// What such a line has, as a phrase: `a space at the end`.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Leniency::$name => $meaning,)*
                }
            }
        }
    };
}

leniencies! {
    /// U+FEFF in front of the line.
    ByteOrderMark = "byte-order-mark", "a byte order mark in front";
    /// `\r\n` for `\n`.
    CarriageReturn = "carriage-return", "a carriage return at the end";
    /// A space or tab before the first value.
    LeadingSpace = "leading-space", "a space in front";
    /// A space or tab behind the last value.
    TrailingSpace = "trailing-space", "a space at the end";
    /// More than one space or tab between two values.
    RepeatedSpace = "repeated-space", "more than one space between values";
    /// A tab where a space should be.
    Tab = "tab", "a tab for a space";
    /// `# …` behind the values.
    TrailingComment = "trailing-comment", "a comment at the end";
    /// A line that is a comment, `# …`.
    CommentLine = "comment-line", "a comment instead of a record";
    /// A line without a value.
    BlankLine = "blank-line", "nothing in it";
    /// Terminal colours, as `aws logs tail` writes them to a terminal.
    AnsiColour = "ansi-colour", "terminal colours";
    /// `log_status` for `log-status` in a header line.
    HeaderUnderscores = "header-underscores", "underscores in a header's names";
    /// `${log-status}` in a header line.
    HeaderBraces = "header-braces", "`${}` around a header's names";
    /// Upper-case letters in a header line.
    HeaderCase = "header-case", "upper-case letters in a header's names";
    /// A header that names a field twice: the first column counts, the second is kept as text.
    RepeatedColumn = "repeated-column", "a field twice in the header";
    /// `accept` for `ACCEPT`, and likewise for the other words that AWS spells in one way only.
    WordCase = "word-case", "a word in other letter case";
}

/// The name in reports.
impl fmt::Display for Leniency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name in reports.
impl Serialize for Leniency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A set of leniencies: those of one line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leniencies(u32);

impl Leniencies {
    /// The empty set.
    pub const NONE: Leniencies = Leniencies(0);

    /// Adds one.
    pub(super) fn insert(&mut self, leniency: Leniency) {
        self.0 |= 1 << leniency as u8;
    }

    /// Adds one if the condition holds.
    pub(super) fn insert_if(&mut self, condition: bool, leniency: Leniency) {
        if condition {
            self.insert(leniency);
        }
    }

    /// Adds all of another set.
    pub(super) fn extend(&mut self, other: Leniencies) {
        self.0 |= other.0;
    }

    /// Whether it is in the set.
    pub const fn contains(self, leniency: Leniency) -> bool {
        self.0 >> leniency as u8 & 1 == 1
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those in the set.
    pub fn iter(self) -> impl Iterator<Item = Leniency> {
        Leniency::ALL.into_iter().filter(move |leniency| self.contains(*leniency))
    }
}

/// How many lines had each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeniencyCounts([u64; Leniency::ALL.len()]);

impl LeniencyCounts {
    /// Counts those of one line.
    #[inline]
    pub(super) fn count(&mut self, leniencies: Leniencies) {
        if leniencies.is_empty() {
            return;
        }
        for leniency in leniencies.iter() {
            if let Some(count) = self.0.get_mut(leniency as usize) {
                *count += 1;
            }
        }
    }

    /// Adds the counts of another log.
    pub(super) fn add(&mut self, other: &LeniencyCounts) {
        self.0.iter_mut().zip(other.0).for_each(|(to, from)| *to += from);
    }

    /// How many lines had this kind.
    pub fn get(&self, leniency: Leniency) -> u64 {
        self.0.get(leniency as usize).copied().unwrap_or(0)
    }

    /// The kinds that occurred, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Leniency, u64)> {
        Leniency::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }
}

/// A map of the kinds that occurred: `{"trailing-space": 3}`.
impl Serialize for LeniencyCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (leniency, count) in self.iter() {
            map.serialize_entry(&leniency, &count)?;
        }
        map.end()
    }
}
