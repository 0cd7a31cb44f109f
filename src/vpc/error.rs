//! What is wrong with a description of a VPC, and what is missing from it.

use std::fmt;

use super::Place;

/// A description that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct VpcError {
    /// The file, and the path in it.
    pub place: Place,
    /// What was found, and what was expected.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// What kind of thing is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// Something is named that is not described.
    Missing,
    /// A route table or what a route leads to is not described: `traffic-path` and the next hop are not known.
    MissingRoute,
    /// Two descriptions cannot both be right.
    Contradiction,
    /// It is of another account or Region than the rest.
    Elsewhere,
    /// It was not taken up.
    Ignored,
}

/// `missing`, `contradiction`, `elsewhere`, `ignored`.
impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ProblemKind::Missing | ProblemKind::MissingRoute => "missing",
            ProblemKind::Contradiction => "contradiction",
            ProblemKind::Elsewhere => "elsewhere",
            ProblemKind::Ignored => "ignored",
        })
    }
}

/// Something that is missing from the model or contradicts itself; the model can be used all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Of which kind.
    pub kind: ProblemKind,
    /// Where it was found.
    pub place: Place,
    /// What it is, and what follows from it.
    pub what: String,
}

/// The file, the path and what it is.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.file.is_empty() {
            return f.write_str(&self.what);
        }
        write!(f, "{}: {}", self.place, self.what)
    }
}
