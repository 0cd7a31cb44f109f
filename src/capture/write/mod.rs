//! Captures as bytes: packets into pcap or pcapng.
//!
//! Steps: [`WriteFormat::fitting`] chooses the container, [`CaptureWriter::write`] appends one packet,
//! [`CaptureWriter::finish`] hands on what is left. Both containers are little-endian with times in nanoseconds, and a
//! [`Capture`](super::Capture) reads back what was written: time, both lengths, link type and bytes; from pcapng also
//! the interface and the direction.
//!
//! The blocks are put together here and not by the pcap-file crate. Its writer knows no time before 1970, refuses a
//! packet whose original length is below the captured one (which captures do hold), and writes each block twice to
//! learn its length.
//!
//! Memory is bounded: a buffer, and an entry for every interface that packets came from.

mod pcapng;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use self::pcapng::Pcapng;
use super::{CaptureInfo, ContainerFormat, InterfaceInfo, MAX_CAPTURED};
use crate::packet::{CapturedPacket, LinkType, PacketTime, Timestamp};

/// How many bytes are gathered before they are written.
const BUFFER: usize = 256 << 10;

/// The container that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteFormat {
    /// pcap 2.4 with nanoseconds: one link type, times from 1970 to 2106, nothing about interfaces.
    Pcap(LinkType),
    /// pcapng 1.0: an interface for each one that packets come from.
    Pcapng,
}

impl WriteFormat {
    /// The plainest container that loses nothing of these captures' packets: pcap where all of them are pcaps of one
    /// link type, else pcapng.
    ///
    /// A pcapng capture may describe an interface of another link type at any time, so it is never written as pcap.
    pub fn fitting<'a>(captures: impl IntoIterator<Item = &'a CaptureInfo>) -> WriteFormat {
        let mut common = None;
        for info in captures {
            let link_type = match (info.format, info.interfaces.first()) {
                (ContainerFormat::Pcapng, _) | (_, None) => return WriteFormat::Pcapng,
                (_, Some(interface)) => interface.link_type,
            };
            if *common.get_or_insert(link_type) != link_type {
                return WriteFormat::Pcapng;
            }
        }
        common.map_or(WriteFormat::Pcapng, WriteFormat::Pcap)
    }
}

/// Where a packet comes from. A pcap does not show it.
#[derive(Clone, Copy, Debug, Default)]
pub struct PacketOrigin<'a> {
    /// A number for the capture; packets of one capture and interface share an interface of what is written.
    pub capture: usize,
    /// The capture's name; it names the interface where the capture does not.
    pub name: Option<&'a str>,
    /// What the capture says about the packet's interface.
    pub interface: Option<&'a InterfaceInfo>,
}

/// Why a packet could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The bytes could not be written.
    #[error(transparent)]
    Output(#[from] io::Error),
    /// A pcap has one link type for all its packets.
    #[error("its link type is {found}, expected {expected} as all others in the pcap")]
    LinkType {
        /// The packet's.
        found: LinkType,
        /// The pcap's.
        expected: LinkType,
    },
    /// A packet that the capture has no time for, or none that 64 bits of nanoseconds hold.
    #[error("it has no time, expected a time from 1677 to 2262")]
    NoTime,
    /// A pcap holds seconds since 1970 in 32 bits.
    #[error("its time is {found}, expected one from 1970 to 2106 as pcap holds them")]
    TimeOutOfRange {
        /// The packet's time.
        found: Timestamp,
    },
    /// More bytes than any reader takes.
    #[error("{found} bytes were captured of it, expected at most {MAX_CAPTURED}")]
    TooLong {
        /// How many bytes.
        found: usize,
    },
    /// More interfaces than [`Capture`](super::Capture) reads of one capture.
    #[error("it is of one interface more than the {limit} that a capture may have")]
    TooManyInterfaces {
        /// The most that are described.
        limit: u32,
    },
}

/// Writes packets as a capture.
///
/// ```
/// use flowtruth::capture::{Capture, CaptureWriter, PacketOrigin, WriteFormat};
///
/// let mut capture = Capture::open("fixtures/captures/seed.pcap".as_ref())?;
/// let mut writer = CaptureWriter::new(Vec::new(), WriteFormat::fitting([capture.info()]));
/// while capture.advance()? {
///     writer.write(&PacketOrigin::default(), &capture.current())?;
/// }
/// let written = writer.finish()?;
/// assert_eq!(written.get(..4), Some(&[0x4d, 0x3c, 0xb2, 0xa1][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CaptureWriter<W> {
    output: W,
    buffer: Vec<u8>,
    container: Container,
}

enum Container {
    Pcap(LinkType),
    Pcapng(Box<Pcapng>),
}

impl<W: Write> CaptureWriter<W> {
    /// A writer of an empty capture. Its header waits for the first packet, [`flush`](Self::flush) or
    /// [`finish`](Self::finish).
    pub fn new(output: W, format: WriteFormat) -> Self {
        let mut buffer = Vec::with_capacity(BUFFER + 4096);
        let container = match format {
            WriteFormat::Pcap(link_type) => {
                write_pcap_header(link_type, &mut buffer);
                Container::Pcap(link_type)
            }
            WriteFormat::Pcapng => {
                pcapng::write_section(&mut buffer);
                Container::Pcapng(Box::default())
            }
        };
        CaptureWriter { output, buffer, container }
    }

    /// The container that is written.
    pub fn format(&self) -> WriteFormat {
        match self.container {
            Container::Pcap(link_type) => WriteFormat::Pcap(link_type),
            Container::Pcapng(_) => WriteFormat::Pcapng,
        }
    }

    /// Appends a packet.
    ///
    /// # Errors
    ///
    /// [`WriteError`]; except for [`WriteError::Output`] the packet is left out and the capture can go on.
    pub fn write(
        &mut self,
        origin: &PacketOrigin<'_>,
        packet: &CapturedPacket<'_>,
    ) -> Result<(), WriteError> {
        let PacketTime::At(time) = packet.time else { return Err(WriteError::NoTime) };
        if packet.data.len() > MAX_CAPTURED as usize {
            return Err(WriteError::TooLong { found: packet.data.len() });
        }
        match &mut self.container {
            Container::Pcap(expected) if *expected != packet.link_type => {
                return Err(WriteError::LinkType { found: packet.link_type, expected: *expected });
            }
            Container::Pcap(_) => write_pcap_record(time, packet, &mut self.buffer)?,
            Container::Pcapng(container) => container.write(origin, time, packet, &mut self.buffer)?,
        }
        if self.buffer.len() >= BUFFER { Ok(self.hand_on()?) } else { Ok(()) }
    }

    /// Says how many packets were received at an interface and how many of them the capture lost, since the capture's
    /// begin. A pcap cannot say it, and an interface without a packet does not.
    ///
    /// # Errors
    ///
    /// The output cannot be written to.
    pub fn write_statistics(
        &mut self,
        interface: u32,
        time: Timestamp,
        received: u64,
        lost: u64,
    ) -> io::Result<()> {
        if let Container::Pcapng(container) = &self.container {
            container.write_statistics(interface, time, [received, lost], &mut self.buffer);
        }
        if self.buffer.len() >= BUFFER { self.hand_on() } else { Ok(()) }
    }

    /// Hands everything written so far to whoever reads the output.
    ///
    /// # Errors
    ///
    /// The output cannot be written to.
    pub fn flush(&mut self) -> io::Result<()> {
        self.hand_on()?;
        self.output.flush()
    }

    /// Completes the capture and returns the output.
    ///
    /// # Errors
    ///
    /// The output cannot be written to.
    pub fn finish(mut self) -> io::Result<W> {
        self.flush()?;
        Ok(self.output)
    }

    fn hand_on(&mut self) -> io::Result<()> {
        self.output.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

/// Appends a pcap file header: version 2.4, nanoseconds, the longest snap length that readers take.
fn write_pcap_header(link_type: LinkType, out: &mut Vec<u8>) {
    out.extend(0xa1b2_3c4d_u32.to_le_bytes());
    out.extend(2_u16.to_le_bytes());
    out.extend(4_u16.to_le_bytes());
    for word in [0, 0, MAX_CAPTURED, u32::from(link_type.0)] {
        out.extend(word.to_le_bytes());
    }
}

/// Appends a pcap record.
fn write_pcap_record(
    time: Timestamp,
    packet: &CapturedPacket<'_>,
    out: &mut Vec<u8>,
) -> Result<(), WriteError> {
    let seconds = u32::try_from(time.seconds()).map_err(|_| WriteError::TimeOutOfRange { found: time })?;
    let fraction = time.nanos().rem_euclid(1_000_000_000) as u32;
    for word in [seconds, fraction, packet.data.len() as u32, packet.original_length] {
        out.extend(word.to_le_bytes());
    }
    out.extend(packet.data);
    Ok(())
}
