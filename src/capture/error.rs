//! Why a capture could not be read, or not to its end.

use std::fmt;
use std::io;

use super::sniff::Foreign;
use super::{Compression, MAX_CAPTURED};

/// What ended a capture: which capture, where in it, what was found and what was expected.
///
/// The packets read before it stand; after it the capture yields nothing more.
#[derive(Debug)]
pub struct CaptureError(Box<Inner>);

/// Boxed, so that a `Result` on the hot path stays small.
#[derive(Debug)]
struct Inner {
    name: String,
    place: Option<Place>,
    kind: CaptureErrorKind,
}

/// Where in a capture something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The packet that was being read, from 1 as Wireshark numbers frames.
    pub packet: u64,
    /// Where its record or block begins, in bytes from the start of the (uncompressed) capture.
    pub offset: u64,
}

impl CaptureError {
    /// An error of a whole capture.
    pub(super) fn new(name: &str, kind: CaptureErrorKind) -> Self {
        CaptureError(Box::new(Inner { name: name.to_owned(), place: None, kind }))
    }

    /// An error at a place in a capture.
    pub(super) fn at(name: &str, place: Place, kind: CaptureErrorKind) -> Self {
        CaptureError(Box::new(Inner { name: name.to_owned(), place: Some(place), kind }))
    }

    /// The capture, as it was named when it was opened.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Where in the capture, or `None` where it was not begun.
    pub fn place(&self) -> Option<Place> {
        self.0.place
    }

    /// What is wrong.
    pub fn kind(&self) -> &CaptureErrorKind {
        &self.0.kind
    }

    /// Whether the capture ends in the middle of something.
    pub fn is_cut(&self) -> bool {
        matches!(
            self.0.kind,
            CaptureErrorKind::CompressionCut { .. } | CaptureErrorKind::Damage(Damage::Cut { .. })
        )
    }

    /// Advice for a person, without a full stop.
    pub fn hint(&self) -> Option<&'static str> {
        match &self.0.kind {
            CaptureErrorKind::Open(error) => match error.kind() {
                io::ErrorKind::PermissionDenied => {
                    Some("tcpdump drops its privileges: look at who owns the file")
                }
                // EMFILE, on every Unix
                _ if error.raw_os_error() == Some(24) => {
                    Some("too many captures overlap in time; raise the limit with `ulimit -n`")
                }
                _ => None,
            },
            CaptureErrorKind::Read(_) | CaptureErrorKind::List(_) => None,
            CaptureErrorKind::Directory(_) => Some("name the files in it"),
            CaptureErrorKind::NoCaptures { .. } => {
                Some("only the directory itself is searched, not the directories in it")
            }
            CaptureErrorKind::Empty => Some(
                "a capture without packets still has a header; this one was never begun, or is still buffered",
            ),
            CaptureErrorKind::NotACapture { looks_like, .. } => looks_like.map(Foreign::hint),
            CaptureErrorKind::NotInPieces { .. } => {
                Some("convert it whole; a compressed pcap can be cut once it is decompressed")
            }
            CaptureErrorKind::NestedCompression { .. } => {
                Some("only one layer of compression is opened; decompress the outer one first")
            }
            CaptureErrorKind::CompressionCut { .. } => {
                Some("the packets before the cut were read; the file is incomplete")
            }
            CaptureErrorKind::TrailingBytes { .. } => {
                Some("the packets before them were read; what follows may be damaged, or may be no capture")
            }
            CaptureErrorKind::CompressionDamaged { .. } => Some("the packets before the damage were read"),
            CaptureErrorKind::Damage(damage) => match damage {
                Damage::Cut { .. } => {
                    Some("the packets before it were read; the file is incomplete, or still being written")
                }
                Damage::Version { .. } => None,
                Damage::AnotherCapture => {
                    Some("captures cannot be joined with `cat`; name the pieces one by one")
                }
                _ => Some("the packets before it were read; what follows the damage is lost"),
            },
        }
    }
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: ", self.0.name)?;
        if let Some(Place { packet, offset }) = self.0.place {
            write!(f, "packet {packet} at byte {offset}: ")?;
        }
        self.0.kind.fmt(f)
    }
}

impl std::error::Error for CaptureError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.0.kind)
    }
}

/// What is wrong with a capture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureErrorKind {
    /// It cannot be read in pieces.
    #[error("is {what}, expected an uncompressed pcap file, which can be read in pieces")]
    NotInPieces {
        /// What it is instead.
        what: String,
    },
    /// Something that is no part of the compressed stream follows it.
    #[error(
        "what follows byte {position} of the file is no part of the {compression} stream and was not read"
    )]
    TrailingBytes {
        /// The compression.
        compression: Compression,
        /// Where the stream ends, in bytes of the file.
        position: u64,
    },
    /// The file cannot be opened.
    #[error("cannot be opened")]
    Open(#[source] io::Error),
    /// Reading from it failed.
    #[error("cannot be read")]
    Read(#[source] io::Error),
    /// A directory where a file is needed.
    #[error("is a directory, expected a capture")]
    Directory(#[source] io::Error),
    /// A directory that cannot be listed.
    #[error("cannot be listed")]
    List(#[source] io::Error),
    /// A directory without a capture.
    #[error("holds no capture among its {files} files")]
    NoCaptures {
        /// How many files were looked at.
        files: usize,
    },
    /// No byte in it.
    #[error("is empty, expected a pcap or pcapng capture")]
    Empty,
    /// Neither pcap nor pcapng.
    #[error("begins with {first}{}, expected the magic number of pcap or pcapng", described(*looks_like))]
    NotACapture {
        /// The first bytes, in hex.
        first: String,
        /// What it looks like.
        looks_like: Option<Foreign>,
    },
    /// Compression inside compression.
    #[error("holds {inner} inside {outer}, expected a pcap or pcapng capture")]
    NestedCompression {
        /// The outer compression.
        outer: Compression,
        /// The compression inside it.
        inner: Compression,
    },
    /// The compressed stream ends before its end mark.
    #[error("the {compression} stream is cut short after byte {position} of the file")]
    CompressionCut {
        /// The compression.
        compression: Compression,
        /// How many compressed bytes there were.
        position: u64,
        /// The decoder's words.
        #[source]
        source: io::Error,
    },
    /// The compressed stream cannot be decoded further: damaged, or beyond the memory limits.
    #[error("the {compression} stream cannot be decoded near byte {position} of the file")]
    CompressionDamaged {
        /// The compression.
        compression: Compression,
        /// How many compressed bytes were read.
        position: u64,
        /// The decoder's words.
        #[source]
        source: io::Error,
    },
    /// The container's structure is broken (accounting rule 13).
    #[error(transparent)]
    Damage(#[from] Damage),
}

/// The words after the first bytes of something that is no capture.
fn described(looks_like: Option<Foreign>) -> String {
    looks_like.map(|foreign| format!(" ({})", foreign.description())).unwrap_or_default()
}

/// How the structure of a pcap or pcapng capture is broken (accounting rule 13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// The capture ends inside this.
    #[error("the {what} is cut short: found {found} bytes, expected {expected}")]
    Cut {
        /// What is cut: `file header`, `packet record`, `block`.
        what: &'static str,
        /// How many bytes of it there are.
        found: u64,
        /// How many it needs; of a cut header, those of the header.
        expected: u64,
    },
    /// A version of the format that is not known.
    #[error("found {format} version {major}.{minor}, expected {expected}")]
    Version {
        /// `pcap` or `pcapng`.
        format: &'static str,
        /// The major version.
        major: u16,
        /// The minor version.
        minor: u16,
        /// The versions that are known.
        expected: &'static str,
    },
    /// A section header that says neither byte order.
    #[error("found byte-order magic {found:#010x} in a section header, expected 0x1a2b3c4d in either order")]
    ByteOrder {
        /// The magic, read big-endian.
        found: u32,
    },
    /// More captured bytes than a packet can have.
    #[error("found {captured} captured bytes, expected at most {MAX_CAPTURED}")]
    RecordTooLong {
        /// The captured length.
        captured: u32,
    },
    /// A second file header where a record should be.
    #[error("found the file header of another capture, expected a packet record")]
    AnotherCapture,
    /// More captured bytes than the block has room for.
    #[error("found {captured} captured bytes in a block with room for {room}")]
    CapturedOverBlock {
        /// The captured length.
        captured: u32,
        /// The bytes between the block's fixed fields and its trailing length.
        room: u32,
    },
    /// A block too short for its own fields.
    #[error("found a block of type {block_type:#x} with {length} bytes, expected at least {expected}")]
    BlockTooShort {
        /// The block type.
        block_type: u32,
        /// Its total length.
        length: u32,
        /// The least it can be.
        expected: u32,
    },
    /// A block that would have to be held in memory and is too long for it.
    #[error("found a block of type {block_type:#x} with {length} bytes, expected at most {limit}")]
    BlockTooLong {
        /// The block type.
        block_type: u32,
        /// Its total length.
        length: u32,
        /// The most that is held.
        limit: u32,
    },
    /// The length after a block is not the one before it.
    #[error("found {found} as the block's trailing length, expected {expected}")]
    TrailingLength {
        /// The trailing length.
        found: u32,
        /// The leading length.
        expected: u32,
    },
    /// A packet of an interface that its section did not describe.
    #[error("found a packet of interface {interface}, expected one of the {described} described")]
    UndescribedInterface {
        /// The interface's number in its section.
        interface: u32,
        /// How many the section had described.
        described: u32,
    },
    /// More interfaces than are kept.
    #[error("found more than {limit} interface descriptions")]
    TooManyInterfaces {
        /// The most that are kept.
        limit: u32,
    },
}
