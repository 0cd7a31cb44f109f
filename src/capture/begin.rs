//! The start of a capture: where its bytes come from, and what its header says.

use std::io::{self, Read};

use super::compressed::Decompressor;
use super::error::CaptureErrorKind;
use super::info::CaptureInfo;
use super::pcap::{self, PcapHeader, PcapWalk};
use super::pcapng::PcapngWalk;
use super::readahead::ReadAhead;
use super::sniff::{Foreign, Sniffed, sniff};
use super::source::Source;
use super::{Compression, InterfaceInfo};

/// The parser that cuts the bytes.
pub(super) enum Walk {
    Pcap(PcapWalk),
    Pcapng(Box<PcapngWalk>),
}

/// Where the bytes come from.
pub(super) enum Input {
    Plain(Source),
    Compressed(Box<Decompressor>),
    /// The same on a thread of its own.
    Ahead(Box<ReadAhead>),
    /// Only while one of the others is made of another.
    Moving,
}

impl Input {
    /// The source underneath, where it is not with another thread.
    pub(super) fn source(&self) -> Option<&Source> {
        match self {
            Input::Plain(source) => Some(source),
            _ => self.decompressor()?.source(),
        }
    }

    /// The decompressor, where there is one and it is not with another thread.
    pub(super) fn decompressor(&self) -> Option<&Decompressor> {
        match self {
            Input::Compressed(decompressor) => Some(decompressor),
            Input::Ahead(ahead) => ahead.ended(),
            Input::Plain(_) | Input::Moving => None,
        }
    }

    /// Goes on decompressing on another thread, if there is anything to decompress.
    pub(super) fn read_ahead(&mut self) {
        *self = match std::mem::replace(self, Input::Moving) {
            Input::Compressed(decompressor) => match ReadAhead::start(decompressor) {
                Ok(ahead) => Input::Ahead(Box::new(ahead)),
                Err(decompressor) => Input::Compressed(decompressor),
            },
            other => other,
        };
    }

    /// What a reading error means.
    pub(super) fn verdict(&self, error: io::Error) -> CaptureErrorKind {
        match self.decompressor() {
            Some(decompressor) => decompressor.verdict(error),
            None => CaptureErrorKind::Read(error),
        }
    }
}

impl Read for Input {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        match self {
            Input::Plain(source) => source.read(target),
            Input::Compressed(decompressor) => decompressor.read(target),
            Input::Ahead(ahead) => ahead.read(target),
            Input::Moving => Ok(0),
        }
    }
}

/// Reads a container's header; also says how many bytes it took.
pub(super) fn begin(
    bytes: &[u8],
    compression: Option<Compression>,
) -> Result<(Walk, CaptureInfo, usize), CaptureErrorKind> {
    match sniff(bytes) {
        Sniffed::Pcap(format, byte_order) => {
            let header = PcapHeader::parse(bytes, format, byte_order)?;
            let mut info = CaptureInfo::new(format, byte_order, header.version);
            info.sections = 1;
            info.interfaces.push(InterfaceInfo {
                section: 1,
                link_type: header.link_type,
                snap_length: Some(header.snap_length).filter(|&length| length > 0),
                ..InterfaceInfo::default()
            });
            Ok((Walk::Pcap(PcapWalk::new(&header)), info, pcap::HEADER_LENGTH))
        }
        Sniffed::Pcapng => {
            let (walk, info) = PcapngWalk::begin(bytes)?;
            Ok((Walk::Pcapng(Box::new(walk)), info, 0))
        }
        Sniffed::Compressed(inner) => match compression {
            Some(outer) => Err(CaptureErrorKind::NestedCompression { outer, inner }),
            None => Err(not_a_capture(bytes, None)),
        },
        Sniffed::SkippableFrame => Err(not_a_capture(bytes, None)),
        Sniffed::Empty => Err(CaptureErrorKind::Empty),
        Sniffed::Other(looks_like) => Err(not_a_capture(bytes, looks_like)),
    }
}

/// The error for bytes that are no capture.
fn not_a_capture(bytes: &[u8], looks_like: Option<Foreign>) -> CaptureErrorKind {
    let first: Vec<String> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    CaptureErrorKind::NotACapture { first: first.join(" "), looks_like }
}
