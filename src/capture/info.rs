//! What a capture says about itself.

use std::fmt;
use std::net::IpAddr;

use serde::{Serialize, Serializer};

use super::Compression;
use crate::packet::LinkType;

/// The container format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContainerFormat {
    /// Classic pcap with microseconds, magic 0xa1b2c3d4.
    PcapMicroseconds,
    /// Classic pcap with nanoseconds, magic 0xa1b23c4d.
    PcapNanoseconds,
    /// Kuznetzov's modified pcap, magic 0xa1b2cd34: record headers of 24 bytes.
    PcapModified,
    /// pcapng (draft-ietf-opsawg-pcapng).
    Pcapng,
}

/// `pcap`, `pcap with nanoseconds`, `modified pcap`, `pcapng`.
impl fmt::Display for ContainerFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ContainerFormat::PcapMicroseconds => "pcap",
            ContainerFormat::PcapNanoseconds => "pcap with nanoseconds",
            ContainerFormat::PcapModified => "modified pcap",
            ContainerFormat::Pcapng => "pcapng",
        })
    }
}

/// Which byte of a number comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ByteOrder {
    /// The highest.
    Big,
    /// The lowest.
    Little,
}

impl ByteOrder {
    /// Four bytes as a number.
    #[inline]
    pub(super) const fn u32(self, bytes: [u8; 4]) -> u32 {
        let number = u32::from_le_bytes(bytes);
        if matches!(self, ByteOrder::Big) { number.swap_bytes() } else { number }
    }

    /// Two bytes as a number.
    #[inline]
    pub(super) const fn u16(self, bytes: [u8; 2]) -> u16 {
        let number = u16::from_le_bytes(bytes);
        if matches!(self, ByteOrder::Big) { number.swap_bytes() } else { number }
    }
}

/// A container's version, `2.4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// The major version.
    pub major: u16,
    /// The minor version.
    pub minor: u16,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a capture says about itself, as far as it has been read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaptureInfo {
    /// The container format.
    pub format: ContainerFormat,
    /// The byte order of its header, of a pcapng capture's first section.
    pub byte_order: ByteOrder,
    /// The version of its header, of a pcapng capture's first section.
    pub version: Version,
    /// The compression around it.
    pub compression: Option<Compression>,
    /// Bytes of the file after which something follows the compressed stream that is no part of it; it was not read,
    /// which is an error. Known at the capture's end.
    pub trailing_garbage_at: Option<u64>,
    /// How many pcapng sections were read; 1 for pcap.
    pub sections: u32,
    /// The hardware of the machine that wrote it, of the first pcapng section that says so.
    pub hardware: Option<String>,
    /// The operating system of the machine that wrote it, of the first pcapng section that says so.
    pub os: Option<String>,
    /// The program that wrote it, of the first pcapng section that says so.
    pub application: Option<String>,
    /// The interfaces described so far, counted on over all sections; one for pcap.
    pub interfaces: Vec<InterfaceInfo>,
}

impl CaptureInfo {
    /// What is known from a header alone.
    pub(super) fn new(format: ContainerFormat, byte_order: ByteOrder, version: Version) -> Self {
        CaptureInfo {
            format,
            byte_order,
            version,
            compression: None,
            trailing_garbage_at: None,
            sections: 0,
            hardware: None,
            os: None,
            application: None,
            interfaces: Vec::new(),
        }
    }
}

/// What a capture says about one interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct InterfaceInfo {
    /// The pcapng section it belongs to, from 1.
    pub section: u32,
    /// What its frames begin with.
    #[serde(serialize_with = "displayed")]
    pub link_type: LinkType,
    /// The most bytes captured of a packet, or `None` for no limit.
    pub snap_length: Option<u32>,
    /// Its name, `eth0` (`if_name`).
    pub name: Option<String>,
    /// Its description (`if_description`).
    pub description: Option<String>,
    /// Its hardware (`if_hardware`).
    pub hardware: Option<String>,
    /// The operating system of its machine (`if_os`).
    pub os: Option<String>,
    /// The capture filter in libpcap's language (`if_filter`); packets it did not match were never captured.
    pub filter: Option<String>,
    /// Its addresses (`if_IPv4addr`, `if_IPv6addr`), 64 at most.
    pub addresses: Vec<InterfaceAddress>,
    /// Its hardware address (`if_MACaddr`).
    pub mac: Option<MacAddress>,
    /// Packets received since the capture's start (`isb_ifrecv`), as last said.
    pub received: Option<u64>,
    /// Packets dropped by the interface since the capture's start (`isb_ifdrop`), as last said.
    pub dropped_by_interface: Option<u64>,
    /// Packets dropped by the operating system since the capture's start (`isb_osdrop`), as last said.
    pub dropped_by_os: Option<u64>,
    /// Packets accepted by the capture filter since the capture's start (`isb_filteraccept`), as last said.
    pub accepted_by_filter: Option<u64>,
    /// Packets lost in front of packets that were read (`epb_dropcount`, the drops count of obsolete packet
    /// blocks), added up.
    pub dropped_before_packets: u64,
}

impl InterfaceInfo {
    /// Packets that the capture says it lost here. The counts in front of packets and those of interface statistics tell of
    /// the same packets, so the greater one counts.
    pub fn lost(&self) -> u64 {
        let by_statistics =
            self.dropped_by_interface.unwrap_or(0).saturating_add(self.dropped_by_os.unwrap_or(0));
        self.dropped_before_packets.max(by_statistics)
    }
}

/// An address of an interface with its prefix length, `10.0.0.7/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InterfaceAddress {
    /// The address.
    pub address: IpAddr,
    /// The network's prefix length in bits.
    pub prefix_length: u8,
}

impl fmt::Display for InterfaceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_length)
    }
}

impl Serialize for InterfaceAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A hardware address, `02:00:5e:10:00:01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MacAddress(pub [u8; 6]);

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl Serialize for MacAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Serialises a value as it is displayed.
fn displayed<T: fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}
