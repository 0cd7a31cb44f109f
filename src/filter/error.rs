//! What is wrong with a filter expression.

/// Why an expression is not a filter: the column (in characters, from 1), what stands there, what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// A word of tcpdump's that is not known here.
    #[error("filter, column {column}: `{word}` is not supported: {reason}")]
    Unsupported {
        /// Where the word begins.
        column: usize,
        /// The word found.
        word: String,
        /// Why not, and what is.
        reason: &'static str,
    },
    /// A word that is neither tcpdump's nor a value.
    #[error("filter, column {column}: `{word}` is not known; {advice}")]
    Unknown {
        /// Where the word begins.
        column: usize,
        /// The word found.
        word: String,
        /// The known word that it resembles, or all of them.
        advice: String,
    },
    /// Qualifiers that do not go together.
    #[error("filter, column {column}: {advice}")]
    Qualifier {
        /// Where the first of them begins.
        column: usize,
        /// The first of them.
        word: String,
        /// Which do, and what to write.
        advice: &'static str,
    },
    /// A value that its qualifier cannot take.
    #[error("filter, column {column}: `{word}` is not {expected}")]
    Value {
        /// Where the value begins.
        column: usize,
        /// The value found.
        word: String,
        /// What the qualifier takes.
        expected: &'static str,
    },
    /// Words that are known, but not in this place.
    #[error("filter, column {column}: found {found}, expected {expected}")]
    Misplaced {
        /// Where the word begins; one past the last character for the end.
        column: usize,
        /// The word found in backticks, or `the end`.
        found: String,
        /// What may stand there.
        expected: &'static str,
    },
    /// Parentheses within parentheses, deeper than anybody writes.
    #[error("filter, column {column}: parentheses are nested more than {limit} deep")]
    TooDeep {
        /// Where the parenthesis stands.
        column: usize,
        /// How deep they may be nested.
        limit: usize,
    },
}

impl FilterError {
    /// The column that is at fault, in characters from 1.
    pub fn column(&self) -> usize {
        match *self {
            FilterError::Unsupported { column, .. }
            | FilterError::Unknown { column, .. }
            | FilterError::Qualifier { column, .. }
            | FilterError::Value { column, .. }
            | FilterError::Misplaced { column, .. }
            | FilterError::TooDeep { column, .. } => column,
        }
    }
}
