//! Why a log could not be read, or not to its end.

use std::fmt;
use std::io;

use super::gzip::{GzipTrouble, GzipTroubleKind};
use super::{LogUnit, Place};

/// What ended a log: which log, where in it, and why.
///
/// The entries read before it stand; after it the log yields nothing more.
#[derive(Debug)]
pub struct LogReadError(Box<Inner>);

/// Boxed, so that a `Result` on the hot path stays small.
#[derive(Debug)]
struct Inner {
    name: String,
    place: Option<Place>,
    unit: LogUnit,
    kind: LogReadErrorKind,
}

impl LogReadError {
    /// An error of a whole log.
    pub(super) fn new(name: &str, kind: LogReadErrorKind) -> Self {
        LogReadError(Box::new(Inner { name: name.to_owned(), place: None, unit: LogUnit::Line, kind }))
    }

    /// A log that cannot be opened.
    pub fn cannot_open(name: &str, error: io::Error) -> Self {
        LogReadError::new(name, LogReadErrorKind::Open(error))
    }

    /// An error at a place in a log.
    pub(super) fn at(name: &str, place: Place, unit: LogUnit, kind: LogReadErrorKind) -> Self {
        LogReadError(Box::new(Inner { name: name.to_owned(), place: Some(place), unit, kind }))
    }

    /// The log, as it was named when it was opened.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The line or event that was being read, or `None` where the log was not begun.
    pub fn place(&self) -> Option<Place> {
        self.0.place
    }

    /// What is wrong.
    pub fn kind(&self) -> &LogReadErrorKind {
        &self.0.kind
    }

    /// Advice for a person, without a full stop.
    pub fn hint(&self) -> Option<&'static str> {
        match &self.0.kind {
            LogReadErrorKind::Open(_) => None,
            LogReadErrorKind::Read(error) => match error.kind() {
                io::ErrorKind::IsADirectory => Some("name the files in it"),
                _ => None,
            },
            LogReadErrorKind::NotALog { looks_like } => Some(looks_like.hint()),
            LogReadErrorKind::GzipCut { .. } => {
                Some("the whole lines before the cut were read; the file is incomplete")
            }
            LogReadErrorKind::GzipDamaged { .. } => Some("the whole lines before the damage were read"),
            LogReadErrorKind::Parquet { hint, .. } => *hint,
            LogReadErrorKind::NoField { .. } => {
                Some("columns are called as AWS calls them, such as `srcaddr` or `log_status`")
            }
            LogReadErrorKind::AfterGzip { .. } => {
                Some("the whole lines of the gzip data were read, what is behind it was not")
            }
        }
    }
}

impl fmt::Display for LogReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: ", self.0.name)?;
        if let Some(Place { line, offset }) = self.0.place {
            match self.0.unit {
                LogUnit::Record => write!(f, "record {line}: ")?,
                unit => write!(f, "{unit} {line} at byte {offset}: ")?,
            }
        }
        self.0.kind.fmt(f)
    }
}

impl std::error::Error for LogReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.0.kind)
    }
}

/// What is wrong with a log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogReadErrorKind {
    /// The file cannot be opened.
    #[error("cannot be opened")]
    Open(#[source] io::Error),
    /// Reading from it failed.
    #[error("cannot be read")]
    Read(#[source] io::Error),
    /// Not text.
    #[error("is {looks_like}, expected a flow log: lines of text or JSON, gzip or not, or Parquet")]
    NotALog {
        /// What it looks like.
        looks_like: NotText,
    },
    /// The gzip data ends before its end mark.
    #[error("the gzip data is cut short after byte {position} of the file")]
    GzipCut {
        /// How many compressed bytes there were.
        position: u64,
        /// The decoder's words.
        #[source]
        source: io::Error,
    },
    /// The gzip data cannot be decoded further.
    #[error("the gzip data cannot be decoded near byte {position} of the file")]
    GzipDamaged {
        /// How many compressed bytes were read.
        position: u64,
        /// The decoder's words.
        #[source]
        source: io::Error,
    },
    /// The Parquet file is damaged, says what is not so, or is made in a way that is not read.
    #[error("the Parquet file cannot be read: {reason}")]
    Parquet {
        /// What is wrong with it.
        reason: String,
        /// What to do about it, where that is known.
        hint: Option<&'static str>,
    },
    /// A Parquet file of something else.
    #[error("none of its columns is a field of flow logs: {columns}")]
    NoField {
        /// The first columns' names.
        columns: String,
    },
    /// Behind the gzip data is something else.
    #[error("found something else behind the gzip data at byte {position} of the file, expected its end")]
    AfterGzip {
        /// Where it begins in the file.
        position: u64,
    },
}

impl LogReadErrorKind {
    /// What an error of the bytes below means.
    pub(super) fn of_read(error: io::Error) -> Self {
        let GzipTrouble { position, kind } = match error.downcast::<GzipTrouble>() {
            Ok(trouble) => trouble,
            Err(error) => return LogReadErrorKind::Read(error),
        };
        match kind {
            GzipTroubleKind::Cut(source) => LogReadErrorKind::GzipCut { position, source },
            GzipTroubleKind::Damaged(source) => LogReadErrorKind::GzipDamaged { position, source },
            GzipTroubleKind::Behind => LogReadErrorKind::AfterGzip { position },
        }
    }
}

/// What the beginning of something looks like that is not text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotText {
    description: &'static str,
    hint: &'static str,
}

/// How many first bytes are looked at: enough for every magic, and for a zero among them.
pub(super) const FIRST_BYTES: usize = 16;

/// The advice for captures.
const CAPTURE: &str = "`convert` makes a flow log of a capture";
/// The advice for other compressions.
const DECOMPRESS: &str = "decompress it first; of flow logs only gzip is opened";
/// The advice for UTF-16.
const UTF_8: &str = "save it as UTF-8; `>` in PowerShell writes UTF-16";

/// First bytes, what they are, and what to do about it.
const NOT_TEXT: &[(&[u8], &str, &str)] = &[
    (b"PAR1", "Parquet inside gzip", "decompress it first; Parquet is read as it is"),
    (b"PARE", "an encrypted Parquet file", "decrypt it first"),
    (b"\xff\xfe", "UTF-16 text", UTF_8),
    (b"\xfe\xff", "UTF-16 text", UTF_8),
    (b"\xd4\xc3\xb2\xa1", "a pcap capture", CAPTURE),
    (b"\xa1\xb2\xc3\xd4", "a pcap capture", CAPTURE),
    (b"\x4d\x3c\xb2\xa1", "a pcap capture", CAPTURE),
    (b"\xa1\xb2\x3c\x4d", "a pcap capture", CAPTURE),
    (b"\x34\xcd\xb2\xa1", "a pcap capture", CAPTURE),
    (b"\xa1\xb2\xcd\x34", "a pcap capture", CAPTURE),
    (b"\x0a\x0d\x0d\x0a", "a pcapng capture", CAPTURE),
    (b"\x1f\x8b", "gzip inside gzip inside gzip", "decompress it first"),
    (b"\x28\xb5\x2f\xfd", "a zstd stream", DECOMPRESS),
    (b"\xfd7zXZ\0", "an xz stream", DECOMPRESS),
    (b"\x04\x22\x4d\x18", "an lz4 stream", DECOMPRESS),
    (b"BZh", "a bzip2 stream", DECOMPRESS),
    (b"PK\x03\x04", "a zip archive", "unpack the archive first"),
];

impl NotText {
    /// Recognises what is not text by its first bytes.
    pub(super) fn recognise(bytes: &[u8]) -> Option<NotText> {
        for &(magic, description, hint) in NOT_TEXT {
            if bytes.starts_with(magic) {
                return Some(NotText { description, hint });
            }
        }
        let has_zero = bytes.iter().take(FIRST_BYTES).any(|&byte| byte == 0);
        has_zero.then_some(NotText { description: "binary data", hint: "this needs the lines of a flow log" })
    }

    /// What it looks like, `a zip archive`.
    pub const fn description(self) -> &'static str {
        self.description
    }

    /// What to do about it.
    pub const fn hint(self) -> &'static str {
        self.hint
    }
}

/// What it looks like.
impl fmt::Display for NotText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description)
    }
}
