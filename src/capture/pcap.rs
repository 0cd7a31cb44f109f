//! Classic pcap: the file header and the records, cut from bytes.
//!
//! Steps: [`PcapHeader::parse`] reads the 24 bytes in front; `PcapWalk::cut` cuts one record from the bytes it is
//! given, or says how many it needs.
//!
//! The records are walked here and not by the pcap-file crate, for two reasons. Leniency: it knows no modified
//! magic, no swapped lengths, and its header keeps the link type's upper 16 bits. Speed: it takes 10 ns a packet, this
//! walk about half of that. Its header parser would have to be repeated for the modified magic, so it is not used either.
//!
//! Sources: draft-ietf-opsawg-pcap; libpcap's handling of lengths in versions before 2.4.

use super::walk::{Cut, PacketFields};
use super::{ByteOrder, ContainerFormat, Damage, MAX_CAPTURED, Sniffed, Version, sniff};
use crate::packet::{LinkType, PacketDirection, PacketTime, Timestamp};

/// The file header's length in bytes.
pub const HEADER_LENGTH: usize = 24;

/// How many bytes of a record header say how long the record is.
pub(super) const RECORD_HEADER: usize = 16;

/// A pcap file header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PcapHeader {
    /// Which pcap, by its magic.
    pub format: ContainerFormat,
    /// The byte order of the header and the record headers.
    pub byte_order: ByteOrder,
    /// The version, 2.x.
    pub version: Version,
    /// The most bytes captured of a packet; not relied on.
    pub snap_length: u32,
    /// What the frames begin with: the low 16 bits of the network field.
    pub link_type: LinkType,
}

impl PcapHeader {
    /// Reads a file header whose magic was recognised as this format in this byte order.
    ///
    /// # Errors
    ///
    /// [`Damage::Cut`] for fewer than 24 bytes, [`Damage::Version`] for a major version other than 2.
    pub fn parse(bytes: &[u8], format: ContainerFormat, byte_order: ByteOrder) -> Result<Self, Damage> {
        let Some(header) = bytes.first_chunk::<HEADER_LENGTH>() else {
            return Err(Damage::Cut {
                what: "file header",
                found: bytes.len() as u64,
                expected: HEADER_LENGTH as u64,
            });
        };
        let &[_, _, _, _, a, b, c, d, _, _, _, _, _, _, _, _, e, f, g, h, i, j, k, l] = header;
        let version = Version { major: byte_order.u16([a, b]), minor: byte_order.u16([c, d]) };
        if version.major != 2 {
            let Version { major, minor } = version;
            return Err(Damage::Version { format: "pcap", major, minor, expected: "version 2" });
        }
        let network = byte_order.u32([i, j, k, l]);
        Ok(PcapHeader {
            format,
            byte_order,
            version,
            snap_length: byte_order.u32([e, f, g, h]),
            link_type: LinkType((network & 0xffff) as u16),
        })
    }
}

/// Which of a record's two lengths is the captured one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lengths {
    /// The first.
    InOrder,
    /// The second: versions before 2.3.
    Swapped,
    /// The smaller one: version 2.3 was written both ways.
    Smaller,
}

/// Cuts records. Everything it needs from the header is settled beforehand.
#[derive(Clone, Copy, Debug)]
pub(super) struct PcapWalk {
    format: ContainerFormat,
    byte_order: ByteOrder,
    lengths: Lengths,
    /// A record header's length: 16, or 24 for the modified format.
    header_length: usize,
    /// Nanoseconds in a unit of the sub-second field.
    unit: u64,
    link_type: LinkType,
}

impl PcapWalk {
    /// The walk that follows a header.
    pub(super) fn new(header: &PcapHeader) -> Self {
        PcapWalk {
            format: header.format,
            byte_order: header.byte_order,
            lengths: match header.version.minor {
                0..3 => Lengths::Swapped,
                3 => Lengths::Smaller,
                _ => Lengths::InOrder,
            },
            header_length: if header.format == ContainerFormat::PcapModified { 24 } else { 16 },
            unit: if header.format == ContainerFormat::PcapNanoseconds { 1 } else { 1000 },
            link_type: header.link_type,
        }
    }

    /// Cuts the record that the bytes begin with, where it is an ordinary one and whole; else `None`, and
    /// [`cut`](Self::cut) says what it is.
    #[inline(always)]
    pub(super) fn record(&self, bytes: &[u8]) -> Option<(PacketFields, usize)> {
        let &[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = bytes.first_chunk::<16>()?;
        let captured = self.byte_order.u32([i, j, k, l]);
        let length = self.header_length + captured as usize;
        if self.lengths != Lengths::InOrder
            || captured == 0
            || captured > MAX_CAPTURED
            || bytes.len() < length
        {
            return None;
        }
        let (seconds, fraction) = (self.byte_order.u32([a, b, c, d]), self.byte_order.u32([e, f, g, h]));
        Some((self.fields(seconds, fraction, captured, self.byte_order.u32([m, n, o, p])), length))
    }

    /// The sub-second field, the captured and the original length of the record header that the bytes begin with.
    pub(super) fn fraction_and_lengths(&self, bytes: &[u8]) -> Option<[u32; 3]> {
        let &[_, _, _, _, e, f, g, h, i, j, k, l, m, n, o, p] = bytes.first_chunk::<16>()?;
        Some([[e, f, g, h], [i, j, k, l], [m, n, o, p]].map(|field| self.byte_order.u32(field)))
    }

    /// How many units of the sub-second field a second has.
    pub(super) fn units_a_second(&self) -> u32 {
        if self.unit == 1 { 1_000_000_000 } else { 1_000_000 }
    }

    /// What a record says about its packet.
    #[inline(always)]
    fn fields(&self, seconds: u32, fraction: u32, captured: u32, original_length: u32) -> PacketFields {
        // 2^32 seconds and 2^32 microseconds fit 63 bits of nanoseconds
        let nanos = u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * self.unit;
        PacketFields {
            time: PacketTime::At(Timestamp::from_nanos(nanos as i64)),
            original_length,
            link_type: self.link_type,
            interface: 0,
            direction: PacketDirection::Unknown,
            data_start: self.header_length as u32,
            data_length: captured,
        }
    }

    /// How long the record with this header is, header included; `None` where it is longer than any that is read.
    pub(super) fn record_length(&self, header: &[u8; RECORD_HEADER]) -> Option<usize> {
        let &[.., i, j, k, l, m, n, o, p] = header;
        let (first, second) = (self.byte_order.u32([i, j, k, l]), self.byte_order.u32([m, n, o, p]));
        let captured = match self.lengths {
            Lengths::InOrder => first,
            Lengths::Swapped => second,
            Lengths::Smaller => first.min(second),
        };
        (captured <= MAX_CAPTURED).then(|| self.header_length + captured as usize)
    }

    /// Cuts the record that the bytes begin with.
    pub(super) fn cut(&self, bytes: &[u8]) -> Cut {
        let Some(&[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]) = bytes.first_chunk::<16>() else {
            return Cut::More(self.header_length);
        };
        let seconds = self.byte_order.u32([a, b, c, d]);
        let fraction = self.byte_order.u32([e, f, g, h]);
        let mut captured = self.byte_order.u32([i, j, k, l]);
        let mut original_length = self.byte_order.u32([m, n, o, p]);
        if self.lengths != Lengths::InOrder
            && (self.lengths == Lengths::Swapped || captured > original_length)
        {
            std::mem::swap(&mut captured, &mut original_length);
        }
        if captured > MAX_CAPTURED {
            return Cut::Damage(Damage::RecordTooLong { captured });
        }
        if captured == 0
            && let Some(cut) = self.another_capture(bytes)
        {
            return cut;
        }
        let length = self.header_length + captured as usize;
        if bytes.len() < length {
            return Cut::More(length);
        }
        Cut::Packet(self.fields(seconds, fraction, captured, original_length), length)
    }

    /// Looks whether an empty record is the file header of a capture that `cat` put behind this one: as a record it
    /// would be a packet of the year 2055, and damage would follow.
    #[cold]
    fn another_capture(&self, bytes: &[u8]) -> Option<Cut> {
        if sniff(bytes.get(..4)?) != Sniffed::Pcap(self.format, self.byte_order) {
            return None;
        }
        match PcapHeader::parse(bytes, self.format, self.byte_order) {
            Ok(_) => Some(Cut::Damage(Damage::AnotherCapture)),
            Err(Damage::Cut { expected, .. }) => Some(Cut::More(expected as usize)),
            Err(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(bytes: &[u8]) -> Result<PcapHeader, Damage> {
        let Sniffed::Pcap(format, order) = sniff(bytes) else { panic!("no pcap") };
        PcapHeader::parse(bytes, format, order)
    }

    /// A header and one record of 4 bytes, big- or little-endian, with these lengths.
    fn file(magic: u32, big: bool, minor: u16, network: u32, lengths: [u32; 2]) -> Vec<u8> {
        let word = |n: u32| if big { n.to_be_bytes() } else { n.to_le_bytes() };
        let half = |n: u16| if big { n.to_be_bytes() } else { n.to_le_bytes() };
        let mut bytes = word(magic).to_vec();
        bytes.extend(half(2));
        bytes.extend(half(minor));
        for n in [0, 0, 65_535, network, 4_000_000_000, 1_500_000, lengths[0], lengths[1]] {
            bytes.extend(word(n));
        }
        if magic == 0xa1b2_cd34 {
            bytes.extend([0; 8]);
        }
        bytes.extend(*b"data");
        bytes
    }

    #[test]
    fn reads_every_header_variant() {
        use ContainerFormat::{PcapMicroseconds, PcapModified, PcapNanoseconds};
        let variants = [
            (0xa1b2_c3d4, PcapMicroseconds, 4_000_000_001_500_000_000_i64),
            (0xa1b2_3c4d, PcapNanoseconds, 4_000_000_000_001_500_000),
            (0xa1b2_cd34, PcapModified, 4_000_000_001_500_000_000),
        ];
        // minor version, lengths as written, captured and original length
        let lengths = [
            (4, [4, 9], (4, 9)),
            (4, [4, 2], (4, 2)),
            (9, [4, 9], (4, 9)),
            (3, [4, 9], (4, 9)),
            (3, [9, 4], (4, 9)),
            (2, [9, 4], (4, 9)),
            (0, [9, 4], (4, 9)),
        ];
        for (magic, format, nanos) in variants {
            for (minor, written, (captured, original)) in lengths {
                for big in [false, true] {
                    let bytes = file(magic, big, minor, 0xf400_0071, written);
                    let header = header(&bytes).unwrap();
                    assert_eq!(header.format, format);
                    assert_eq!(header.version, Version { major: 2, minor });
                    assert_eq!((header.snap_length, header.link_type), (65_535, LinkType(0x71)));
                    let record = &bytes[HEADER_LENGTH..];
                    let Cut::Packet(fields, length) = PcapWalk::new(&header).cut(record) else { panic!() };
                    assert_eq!(length, record.len());
                    assert_eq!((fields.data_length, fields.original_length), (captured, original));
                    assert_eq!(&record[fields.data_start as usize..], b"data");
                    assert_eq!(fields.time, PacketTime::At(Timestamp::from_nanos(nanos)));
                    for short in 0..record.len() {
                        let need = PcapWalk::new(&header).cut(&record[..short]);
                        assert!(
                            matches!(need, Cut::More(n) if n > short && n <= length),
                            "{short}: {need:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn refuses_other_versions_and_short_headers() {
        let mut bytes = file(0xa1b2_c3d4, false, 4, 1, [4, 4]);
        for short in 4..HEADER_LENGTH {
            assert!(
                matches!(header(&bytes[..short]), Err(Damage::Cut { found, .. }) if found == short as u64)
            );
        }
        bytes[4] = 3;
        let expected = Damage::Version { format: "pcap", major: 3, minor: 4, expected: "version 2" };
        assert_eq!(header(&bytes), Err(expected));
    }

    #[test]
    fn a_record_over_the_limit_is_damage() {
        for (captured, damaged) in [(MAX_CAPTURED, false), (MAX_CAPTURED + 1, true), (u32::MAX, true)] {
            let bytes = file(0xa1b2_c3d4, true, 4, 1, [captured, captured]);
            let cut = PcapWalk::new(&header(&bytes).unwrap()).cut(&bytes[HEADER_LENGTH..]);
            assert_eq!(matches!(cut, Cut::Damage(Damage::RecordTooLong { .. })), damaged);
        }
    }
}
