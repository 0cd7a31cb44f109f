//! Captures: bytes into [`CapturedPacket`](crate::packet::CapturedPacket)s, and back.
//!
//! ```text
//! file, pipe ─ source ─ [compressed] ─ block ─ pcap / pcapng ─ Capture ─ MergedCaptures
//! ```
//!
//! 1. [`sniff`] recognises compression and container from the first bytes, never from a name.
//! 2. One layer of compression is opened; the bytes are gathered into blocks.
//! 3. Slice parsers cut records and blocks from the bytes: pure functions that own no reader.
//! 4. [`Capture`] owns one reader and yields its packets; [`MergedCaptures`] reads many in time order.
//! 5. [`CaptureWriter`] writes packets as a capture again.
//!
//! Invariants:
//! - every packet is yielded once, in the capture's order, numbered from 1 as Wireshark numbers frames;
//! - the first damage ends a capture (accounting rule 13): what came before it stands, and [`CaptureError`] says
//!   where and what;
//! - memory is bounded whatever lengths a capture claims, and nothing is allocated for a packet;
//! - how the bytes arrive (in one piece, one by one, compressed) changes nothing in what is yielded, but that a
//!   decoder may notice damage inside a compressed stream a little sooner or later.

mod ahead;
mod begin;
mod block;
mod compressed;
mod error;
mod info;
mod inputs;
mod losses;
mod merge;
mod openable;
pub mod pcap;
mod pcapng;
mod pieces;
mod readahead;
mod reader;
mod sniff;
mod source;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod walk;
mod write;

pub use ahead::TakePacket;
pub use error::{CaptureError, CaptureErrorKind, Damage, Place};
pub use info::{
    ByteOrder, CaptureInfo, ContainerFormat, InterfaceAddress, InterfaceInfo, MacAddress, Version,
};
pub use inputs::{CaptureInput, ExpandedInputs, SkippedFile, expand_inputs};
pub use losses::{Loss, Losses};
pub use merge::{MergeStep, MergedCaptures};
pub use openable::Openable;
pub use pieces::PcapPieces;
pub use reader::Capture;
pub use sniff::{Compression, Foreign, Sniffed, sniff};
pub use write::{CaptureWriter, PacketOrigin, WriteError, WriteFormat};

/// The most bytes captured of one packet; more is damage (accounting rule 13).
pub const MAX_CAPTURED: u32 = 262_144;
