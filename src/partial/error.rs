//! Partial records that cannot be read.

use std::io;

use super::metadata::FORMAT_VERSION;

/// What cannot be read, and why.
#[derive(Debug, thiserror::Error)]
#[error("`{name}` cannot be merged: {kind}")]
pub struct PartialError {
    /// The file or stream.
    pub name: String,
    /// What is wrong with it.
    #[source]
    pub kind: PartialErrorKind,
}

/// What is wrong.
#[derive(Debug, thiserror::Error)]
pub enum PartialErrorKind {
    /// It cannot be opened or read.
    #[error("it cannot be read")]
    Read(#[source] io::Error),
    /// It is something else.
    #[error("it is neither an Arrow IPC stream nor a Parquet file")]
    Other,
    /// An Arrow file where a stream is expected.
    #[error("it is an Arrow IPC file, expected an Arrow IPC stream")]
    ArrowFile,
    /// A table of somebody else, or one that lost what it said of itself.
    #[error("its metadata do not say how its rows were counted")]
    NoMetadata,
    /// Written by a later version of this program.
    #[error("it is of version {0} of partial records, expected at most {FORMAT_VERSION}")]
    Version(String),
    /// Its columns are not those of partial records.
    #[error("{0}")]
    Columns(String),
    /// It is not as it says.
    #[error("{0}")]
    Damaged(String),
    /// A row that cannot be.
    #[error("row {row}: {reason}")]
    Row {
        /// Which, from 1.
        row: u64,
        /// What cannot be.
        reason: String,
    },
}

impl PartialError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match &self.kind {
            PartialErrorKind::Other => Some("`flowtruth convert --partials -o FILE` makes partial records"),
            PartialErrorKind::ArrowFile => Some("write it as a stream, or as Parquet"),
            PartialErrorKind::NoMetadata => {
                Some("merge what `flowtruth convert --partials` wrote; engines that write tables drop it")
            }
            PartialErrorKind::Version(_) => Some("it was written by a later flowtruth; merge it with that"),
            PartialErrorKind::Damaged(_) | PartialErrorKind::Row { .. } => {
                Some("make it again with `flowtruth convert --partials`; nothing was written")
            }
            PartialErrorKind::Read(_) | PartialErrorKind::Columns(_) => None,
        }
    }
}
