//! pcapng blocks, put together.
//!
//! One section; an interface is described in front of its first packet. Times before 1970 are written on an interface
//! of their own, whose clock begins in 1677 (`if_tsoffset`): a packet block's time has no sign.
//!
//! Every interface says that it has no snap length. libpcap, and with it tcpdump, refuses a capture whose interfaces
//! differ in it.
//!
//! Source: draft-ietf-opsawg-pcapng.

use std::collections::HashMap;
use std::net::IpAddr;

use super::{PacketOrigin, WriteError};
use crate::capture::InterfaceInfo;
use crate::packet::{CapturedPacket, LinkType, PacketDirection, Timestamp};

/// The most interfaces that are described, as many as are read.
const MAX_INTERFACES: u32 = 1 << 16;

/// Where the clock of packets before 1970 begins, in seconds since 1970; no [`Timestamp`] is earlier.
const EARLY: i64 = -9_223_372_037;

/// What makes an interface: capture, its interface, link type, and whether its packets are from before 1970.
type Key = (usize, u32, LinkType, bool);

/// The interfaces described so far.
#[derive(Default)]
pub(super) struct Pcapng {
    interfaces: HashMap<Key, u32>,
    /// The interface of the last packet: most packets come from the same one.
    last: Option<(Key, u32)>,
}

impl Pcapng {
    /// Appends a packet, and its interface's description where it is the first.
    pub(super) fn write(
        &mut self,
        origin: &PacketOrigin<'_>,
        time: Timestamp,
        packet: &CapturedPacket<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), WriteError> {
        let key = (origin.capture, packet.interface, packet.link_type, time.nanos() < 0);
        let id = match self.last {
            Some((last, id)) if last == key => id,
            _ => self.interface(key, origin, out)?,
        };
        self.last = Some((key, id));
        let begin = if key.3 { EARLY } else { 0 };
        // from its begin no clock has run for longer than 64 bits of nanoseconds
        let units = (i128::from(time.nanos()) - i128::from(begin) * 1_000_000_000) as u64;
        block(6, out, |out| {
            let length = packet.data.len() as u32;
            for word in [id, (units >> 32) as u32, units as u32, length, packet.original_length] {
                out.extend(word.to_le_bytes());
            }
            out.extend(packet.data);
            pad(packet.data.len(), out);
            let direction: u32 = match packet.direction {
                PacketDirection::Unknown => return,
                PacketDirection::Inbound => 1,
                PacketDirection::Outbound => 2,
            };
            option(2, &direction.to_le_bytes(), out);
            option(0, &[], out);
        });
        Ok(())
    }

    /// Appends an interface's statistics: packets received and lost. Nothing of an interface that no packet was of.
    pub(super) fn write_statistics(
        &self,
        interface: u32,
        time: Timestamp,
        [received, lost]: [u64; 2],
        out: &mut Vec<u8>,
    ) {
        let described = self.interfaces.iter().find(|((_, number, ..), _)| *number == interface);
        let (Some((_, id)), Ok(units)) = (described, u64::try_from(time.nanos())) else { return };
        block(5, out, |out| {
            for word in [*id, (units >> 32) as u32, units as u32] {
                out.extend(word.to_le_bytes());
            }
            option(4, &received.to_le_bytes(), out);
            option(5, &lost.to_le_bytes(), out);
            option(0, &[], out);
        });
    }

    /// The number of an interface, which is described where it is new.
    fn interface(
        &mut self,
        key: Key,
        origin: &PacketOrigin<'_>,
        out: &mut Vec<u8>,
    ) -> Result<u32, WriteError> {
        if let Some(id) = self.interfaces.get(&key) {
            return Ok(*id);
        }
        let id = u32::try_from(self.interfaces.len()).unwrap_or(MAX_INTERFACES);
        if id >= MAX_INTERFACES {
            return Err(WriteError::TooManyInterfaces { limit: MAX_INTERFACES });
        }
        describe(key, origin, out);
        self.interfaces.insert(key, id);
        Ok(id)
    }
}

/// Appends a section header that names this program.
pub(super) fn write_section(out: &mut Vec<u8>) {
    block(0x0a0d_0d0a, out, |out| {
        out.extend(0x1a2b_3c4d_u32.to_le_bytes());
        out.extend(1_u16.to_le_bytes());
        out.extend(0_u16.to_le_bytes());
        // a section of unknown length
        out.extend([0xff; 8]);
        option(4, concat!("flowtruth ", env!("CARGO_PKG_VERSION")).as_bytes(), out);
        option(0, &[], out);
    });
}

/// Appends an interface description: everything that names the interface or tells its own addresses.
fn describe((_, _, link_type, is_early): Key, origin: &PacketOrigin<'_>, out: &mut Vec<u8>) {
    block(1, out, |out| {
        out.extend(link_type.0.to_le_bytes());
        out.extend([0; 6]);
        let info = origin.interface;
        let own_name = info.and_then(|info| info.name.as_deref());
        if let Some(name) = own_name.or(origin.name) {
            option(2, name.as_bytes(), out);
        }
        if let Some(info) = info {
            facts(info, out);
        }
        option(9, &[9], out);
        if is_early {
            option(14, &EARLY.to_le_bytes(), out);
        }
        option(0, &[], out);
    });
}

/// Appends the options that hold for any part of an interface's packets; its statistics do not.
fn facts(info: &InterfaceInfo, out: &mut Vec<u8>) {
    if let Some(description) = &info.description {
        option(3, description.as_bytes(), out);
    }
    for address in &info.addresses {
        match address.address {
            IpAddr::V4(v4) => {
                let host_bits = 32_u32.saturating_sub(u32::from(address.prefix_length));
                let mask = u32::MAX.checked_shl(host_bits).unwrap_or(0);
                option(4, &[v4.octets(), mask.to_be_bytes()].concat(), out);
            }
            IpAddr::V6(v6) => option(5, &[&v6.octets()[..], &[address.prefix_length]].concat(), out),
        }
    }
    if let Some(mac) = info.mac {
        option(6, &mac.0, out);
    }
    if let Some(filter) = &info.filter {
        // 0 in front of an expression
        option(11, &[&[0], filter.as_bytes()].concat(), out);
    }
}

/// Appends a block of this type with the body that is appended in it.
fn block(block_type: u32, out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend(block_type.to_le_bytes());
    out.extend([0; 4]);
    body(out);
    let length = ((out.len() - start + 4) as u32).to_le_bytes();
    out.extend(length);
    if let Some(place) = out.get_mut(start + 4..start + 8) {
        place.copy_from_slice(&length);
    }
}

/// Appends an option; one that is too long for its length field is left out.
fn option(code: u16, value: &[u8], out: &mut Vec<u8>) {
    let Ok(length) = u16::try_from(value.len()) else { return };
    out.extend(code.to_le_bytes());
    out.extend(length.to_le_bytes());
    out.extend(value);
    pad(value.len(), out);
}

/// Appends zeros up to the next multiple of four.
fn pad(length: usize, out: &mut Vec<u8>) {
    out.resize(out.len() + length.next_multiple_of(4) - length, 0);
}
