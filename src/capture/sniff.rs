//! What a stream of bytes is, from its first bytes and never from its name.

use std::fmt;

use serde::Serialize;

use super::{ByteOrder, ContainerFormat};

/// How many first bytes are looked at.
pub(super) const SNIFF_LENGTH: usize = 24;

/// A compression that is opened: one layer around a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// gzip (RFC 1952), any number of members.
    Gzip,
    /// Zstandard (RFC 8878), any number of frames.
    Zstd,
    /// xz, any number of streams.
    Xz,
    /// bzip2, any number of streams.
    Bzip2,
    /// LZ4 frames, any number of them.
    Lz4,
}

impl Compression {
    /// The bytes that a member, frame or stream begins with.
    pub(super) const fn magic(self) -> &'static [u8] {
        match self {
            Compression::Gzip => b"\x1f\x8b",
            Compression::Zstd => b"\x28\xb5\x2f\xfd",
            Compression::Xz => b"\xfd7zXZ\x00",
            Compression::Bzip2 => b"BZh",
            Compression::Lz4 => b"\x04\x22\x4d\x18",
        }
    }

    /// All of them.
    pub(super) const ALL: [Compression; 5] =
        [Compression::Gzip, Compression::Zstd, Compression::Xz, Compression::Bzip2, Compression::Lz4];
}

/// `gzip`, `zstd`, `xz`, `bzip2`, `lz4`.
impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
            Compression::Xz => "xz",
            Compression::Bzip2 => "bzip2",
            Compression::Lz4 => "lz4",
        })
    }
}

/// What the first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sniffed {
    /// A pcap header of this kind.
    Pcap(ContainerFormat, ByteOrder),
    /// A pcapng section header.
    Pcapng,
    /// A compressed stream.
    Compressed(Compression),
    /// A skippable frame, in front of either zstd or lz4 frames.
    SkippableFrame,
    /// No byte at all.
    Empty,
    /// Neither a capture nor a compression that is opened.
    Other(Option<Foreign>),
}

/// Recognises a stream by its first bytes; 24 are enough, fewer will do for a shorter stream.
pub fn sniff(bytes: &[u8]) -> Sniffed {
    if bytes.is_empty() {
        return Sniffed::Empty;
    }
    if let Some(magic) = bytes.first_chunk::<4>() {
        let big = u32::from_be_bytes(*magic);
        let pcap = |magic| match magic {
            0xa1b2_c3d4 => Some(ContainerFormat::PcapMicroseconds),
            0xa1b2_3c4d => Some(ContainerFormat::PcapNanoseconds),
            0xa1b2_cd34 => Some(ContainerFormat::PcapModified),
            _ => None,
        };
        if let Some(format) = pcap(big) {
            return Sniffed::Pcap(format, ByteOrder::Big);
        }
        if let Some(format) = pcap(big.swap_bytes()) {
            return Sniffed::Pcap(format, ByteOrder::Little);
        }
        if big == 0x0a0d_0d0a {
            return Sniffed::Pcapng;
        }
        if is_skippable_frame(bytes) {
            return Sniffed::SkippableFrame;
        }
    }
    for compression in Compression::ALL {
        if bytes.starts_with(compression.magic()) {
            return Sniffed::Compressed(compression);
        }
    }
    // more may be at hand, but how much depends on how the bytes come
    Sniffed::Other(Foreign::recognise(bytes.get(..SNIFF_LENGTH).unwrap_or(bytes)))
}

/// Whether a zstd or lz4 skippable frame begins here (magic 0x184D2A50 to 0x184D2A5F, little-endian).
pub(super) fn is_skippable_frame(bytes: &[u8]) -> bool {
    matches!(bytes, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// Something that is no capture this program reads, but that can be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign {
    description: &'static str,
    hint: &'static str,
}

/// The advice for other captures.
const CONVERT: &str = "convert it with `editcap -F pcapng`";
/// The advice for archives.
const UNPACK: &str = "unpack the archive first; only gzip, zstd, xz, bzip2 and lz4 are opened";
/// The advice for logs.
const NOT_PACKETS: &str = "this needs the packets themselves: a pcap or pcapng capture";

/// First bytes, what they are, and what to do about it.
const FOREIGN: &[(&[u8], &str, &str)] = &[
    (b"snoop\0\0\0", "a Sun snoop capture", CONVERT),
    (b"GMBU", "a Microsoft Network Monitor 2 capture", CONVERT),
    (b"RTSS", "a Microsoft Network Monitor 1 capture", CONVERT),
    (b"btsnoop\0", "a Bluetooth btsnoop capture", CONVERT),
    (b"TRSNIFF data", "a Network General Sniffer capture", CONVERT),
    (b"XCP\0", "a Network General Sniffer capture", CONVERT),
    (b"\x1c\x00\x01\xac", "an Ixia lcap capture", CONVERT),
    (b"\x1c\x00\x01\xab", "an Ixia lcap capture", CONVERT),
    (b"\xac\x01\x00\x1c", "an Ixia lcap capture", CONVERT),
    (b"\xab\x01\x00\x1c", "an Ixia lcap capture", CONVERT),
    (b"\x02\x21\x4c\x18", "an lz4 stream of the legacy format", "recompress it with a current `lz4`"),
    (b"\x1f\x9d", "a stream of the Unix `compress` program", "decompress it with `gzip -d` first"),
    (b"PK\x03\x04", "a zip archive", UNPACK),
    (b"PK\x05\x06", "an empty zip archive", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", UNPACK),
    (b"PAR1", "a Parquet file", NOT_PACKETS),
    (b"SQLite format 3\0", "an SQLite database", NOT_PACKETS),
    (b"\x7fELF", "a program", NOT_PACKETS),
    (b"%PDF", "a PDF document", NOT_PACKETS),
    (b"version ", "a flow log with its header", NOT_PACKETS),
];

impl Foreign {
    /// Recognises what is no capture.
    fn recognise(bytes: &[u8]) -> Option<Foreign> {
        for &(magic, description, hint) in FOREIGN {
            if bytes.starts_with(magic) {
                return Some(Foreign { description, hint });
            }
        }
        let text = |byte: &u8| matches!(byte, 0x20..=0x7e | b'\t' | b'\n' | b'\r' | 0x80..=0xff);
        if bytes.iter().take(4).all(u8::is_ascii) && bytes.iter().all(text) {
            let description = match bytes {
                [b'2'..=b'9', b' ', b'0'..=b'9', ..] => "a flow log",
                [b'{' | b'[', ..] => "JSON text",
                [b'<', ..] => "XML or HTML text",
                _ => "text",
            };
            return Some(Foreign { description, hint: NOT_PACKETS });
        }
        looks_like_erf(bytes)
            .then_some(Foreign { description: "perhaps an Endace ERF capture", hint: CONVERT })
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

/// ERF has no magic: a record begins with a little-endian fixed-point time, a type, flags and big-endian
/// lengths. Taken for ERF if the time lies between 1995 and 2106 and type and length are possible.
fn looks_like_erf(bytes: &[u8]) -> bool {
    let Some(&[_, _, _, _, a, b, c, d, kind, _, high, low, ..]) = bytes.first_chunk::<16>() else {
        return false;
    };
    let seconds = u32::from_le_bytes([a, b, c, d]);
    let length = u16::from_be_bytes([high, low]);
    seconds > 788_918_400 && matches!(kind & 0x7f, 1..=48) && (20..=9600).contains(&length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_every_magic_in_either_order() {
        use ContainerFormat::{PcapMicroseconds, PcapModified, PcapNanoseconds};
        for (magic, format) in
            [(0xa1b2_c3d4_u32, PcapMicroseconds), (0xa1b2_3c4d, PcapNanoseconds), (0xa1b2_cd34, PcapModified)]
        {
            assert_eq!(sniff(&magic.to_be_bytes()), Sniffed::Pcap(format, ByteOrder::Big));
            assert_eq!(sniff(&magic.to_le_bytes()), Sniffed::Pcap(format, ByteOrder::Little));
        }
        assert_eq!(sniff(b"\x0a\x0d\x0d\x0a"), Sniffed::Pcapng);
        for compression in Compression::ALL {
            assert_eq!(sniff(compression.magic()), Sniffed::Compressed(compression));
        }
        assert_eq!(sniff(b"\x5e\x2a\x4d\x18"), Sniffed::SkippableFrame);
        assert_eq!(sniff(b""), Sniffed::Empty);
    }

    #[test]
    fn what_is_no_capture_is_named_by_its_first_bytes_alone() {
        let text = [&[b'.'; SNIFF_LENGTH][..], &[0]].concat();
        assert_eq!(sniff(&text), sniff(&text[..SNIFF_LENGTH]));
        assert_ne!(sniff(&text), Sniffed::Other(None));
    }

    #[test]
    fn names_what_is_no_capture() {
        for (bytes, description) in [
            (&b"snoop\0\0\0\0\0\0\x02"[..], Some("a Sun snoop capture")),
            (b"PK\x03\x04....", Some("a zip archive")),
            (b"PAR1", Some("a Parquet file")),
            (b"{\"a\": 1}", Some("JSON text")),
            (b"2 123456789010 eni-1235b8ca1", Some("a flow log")),
            (b"version account-id interface", Some("a flow log with its header")),
            (b"20:57:27 IP 10.0.0.1 > 10.0.", Some("text")),
            (b"\0\0\0\0\0\0\0\x65\x02\x04\0\x60\0\0\0\x4e", Some("perhaps an Endace ERF capture")),
            (b"\0\0\0\0", None),
            (b"\x1f", None),
        ] {
            let Sniffed::Other(foreign) = sniff(bytes) else { panic!("{bytes:?} was taken for a capture") };
            assert_eq!(foreign.map(Foreign::description), description, "{bytes:?}");
        }
    }
}
