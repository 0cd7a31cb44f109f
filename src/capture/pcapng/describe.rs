//! The pcapng blocks that describe: section headers, interface descriptions, interface statistics.
//!
//! The options are decoded by the pcap-file crate, each in a block of its own: the crate refuses a whole block for one
//! option it does not like (a name that is not UTF-8, an address of the wrong size, a resolution finer than
//! nanoseconds), but the packets of such an interface are still good. An option it refuses is left out. The
//! resolution is read here, because the crate knows only some.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::blocks::interface_statistics::InterfaceStatisticsOption;
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::pcapng::blocks::{
    INTERFACE_DESCRIPTION_BLOCK, INTERFACE_STATISTIC_BLOCK, SECTION_HEADER_BLOCK,
};
use pcap_file::pcapng::{Block, PcapNgState, RawBlock};
use pcap_file::{DataLink, Endianness};

use super::clock::Clock;
use crate::capture::info::{ByteOrder, CaptureInfo, InterfaceAddress, InterfaceInfo, MacAddress};
use crate::packet::LinkType;

/// Addresses kept of one interface.
const MAX_ADDRESSES: usize = 64;
/// Bytes kept of one text.
const MAX_TEXT: usize = 256;
/// `if_tsresol`.
const IF_TSRESOL: u16 = 9;

/// Decodes the options of describing blocks in one byte order.
pub(super) struct Describer {
    byte_order: ByteOrder,
    /// The crate's state: this byte order, and one interface for statistics to refer to.
    state: PcapNgState,
    /// The one-option block, reused.
    scratch: Vec<u8>,
}

impl Describer {
    /// For blocks of a section in this byte order.
    pub(super) fn new(byte_order: ByteOrder) -> Self {
        let endianness = match byte_order {
            ByteOrder::Big => Endianness::Big,
            ByteOrder::Little => Endianness::Little,
        };
        let mut state = PcapNgState::default();
        let section = SectionHeaderBlock { endianness, ..SectionHeaderBlock::default() };
        state.update_from_block(&Block::SectionHeader(section));
        let interface = InterfaceDescriptionBlock::new(DataLink::ETHERNET, 0);
        state.update_from_block(&Block::InterfaceDescription(interface));
        Describer { byte_order, state, scratch: Vec::new() }
    }

    /// Takes up what a section header's options say; the first section that says something is kept.
    pub(super) fn section(&mut self, block: &[u8], info: &mut CaptureInfo) {
        let fixed = block.get(8..24).unwrap_or_default();
        for (code, value) in options(self.byte_order, block, 24) {
            let decoded = self.decode(SECTION_HEADER_BLOCK, fixed, code, value);
            let Some(Block::SectionHeader(mut decoded)) = decoded else { continue };
            let (place, text) = match decoded.options.pop() {
                Some(SectionHeaderOption::Hardware(text)) => (&mut info.hardware, text),
                Some(SectionHeaderOption::OS(text)) => (&mut info.os, text),
                Some(SectionHeaderOption::UserApplication(text)) => (&mut info.application, text),
                _ => continue,
            };
            place.get_or_insert_with(|| clipped(&text));
        }
    }

    /// What an interface description says, and the interface's clock.
    pub(super) fn interface(&mut self, block: &[u8]) -> (InterfaceInfo, Clock) {
        let byte_order = self.byte_order;
        let mut info = InterfaceInfo::default();
        if let Some(&[a, b, _, _, e, f, g, h]) = block.get(8..).and_then(|fixed| fixed.first_chunk::<8>()) {
            info.link_type = LinkType(byte_order.u16([a, b]));
            info.snap_length = Some(byte_order.u32([e, f, g, h])).filter(|&length| length > 0);
        }
        let (mut resolution, mut offset) = (None, 0);
        for (code, value) in options(byte_order, block, 16) {
            if let (IF_TSRESOL, &[exponent]) = (code, value) {
                resolution.get_or_insert(exponent);
                continue;
            }
            let decoded = self.decode(INTERFACE_DESCRIPTION_BLOCK, &[0; 8], code, value);
            let Some(Block::InterfaceDescription(mut decoded)) = decoded else { continue };
            match decoded.options.pop() {
                Some(InterfaceDescriptionOption::IfTsOffset(seconds)) => offset = seconds,
                Some(option) => info.take_up(option),
                None => {}
            }
        }
        (info, Clock::new(resolution, offset))
    }

    /// Takes up what an interface statistics block says about its interface.
    pub(super) fn statistics(&mut self, block: &[u8], info: &mut InterfaceInfo) {
        for (code, value) in options(self.byte_order, block, 20) {
            let decoded = self.decode(INTERFACE_STATISTIC_BLOCK, &[0; 12], code, value);
            let Some(Block::InterfaceStatistics(mut decoded)) = decoded else { continue };
            match decoded.options.pop() {
                Some(InterfaceStatisticsOption::IsbIfRecv(count)) => info.received = Some(count),
                Some(InterfaceStatisticsOption::IsbIfDrop(count)) => info.dropped_by_interface = Some(count),
                Some(InterfaceStatisticsOption::IsbOsDrop(count)) => info.dropped_by_os = Some(count),
                Some(InterfaceStatisticsOption::IsbFilterAccept(count)) => {
                    info.accepted_by_filter = Some(count);
                }
                _ => {}
            }
        }
    }

    /// Decodes a block of these fixed fields and this one option; `None` where the crate refuses it.
    fn decode(&mut self, type_: u32, fixed: &[u8], code: u16, value: &[u8]) -> Option<Block<'_>> {
        let half = |number: u16| match self.byte_order {
            ByteOrder::Big => number.to_be_bytes(),
            ByteOrder::Little => number.to_le_bytes(),
        };
        self.scratch.clear();
        self.scratch.extend_from_slice(fixed);
        self.scratch.extend_from_slice(&half(code));
        self.scratch.extend_from_slice(&half(u16::try_from(value.len()).ok()?));
        self.scratch.extend_from_slice(value);
        self.scratch.resize(self.scratch.len().next_multiple_of(4), 0);
        let length = u32::try_from(self.scratch.len() + 12).ok()?;
        let body = Cow::Borrowed(&self.scratch[..]);
        let raw = RawBlock { type_, initial_len: length, body, trailer_len: length };
        raw.try_into_block(&self.state).ok()
    }
}

impl InterfaceInfo {
    /// Takes up one option.
    fn take_up(&mut self, option: InterfaceDescriptionOption<'_>) {
        match option {
            InterfaceDescriptionOption::IfName(text) => self.name = Some(clipped(&text)),
            InterfaceDescriptionOption::IfDescription(text) => self.description = Some(clipped(&text)),
            InterfaceDescriptionOption::IfHardware(text) => self.hardware = Some(clipped(&text)),
            InterfaceDescriptionOption::IfOs(text) => self.os = Some(clipped(&text)),
            InterfaceDescriptionOption::IfFilter(bytes) => {
                // 0 in front of a filter expression, 1 in front of compiled instructions
                if let Some((0, text)) = bytes.split_first() {
                    self.filter = std::str::from_utf8(text).ok().map(clipped);
                }
            }
            InterfaceDescriptionOption::IfMacAddr(bytes) => {
                self.mac = bytes.first_chunk::<6>().copied().map(MacAddress);
            }
            InterfaceDescriptionOption::IfIpv4Addr(bytes) => {
                if let Some(&[a, b, c, d, mask @ ..]) = bytes.first_chunk::<8>() {
                    let prefix_length = u32::from_be_bytes(mask).leading_ones() as u8;
                    self.add_address(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), prefix_length);
                }
            }
            InterfaceDescriptionOption::IfIpv6Addr(bytes) => {
                if let Some((address, &[prefix_length])) = bytes.split_first_chunk::<16>() {
                    self.add_address(IpAddr::V6(Ipv6Addr::from(*address)), prefix_length.min(128));
                }
            }
            _ => {}
        }
    }

    /// Adds an address, within the limit.
    fn add_address(&mut self, address: IpAddr, prefix_length: u8) {
        if self.addresses.len() < MAX_ADDRESSES {
            self.addresses.push(InterfaceAddress { address, prefix_length });
        }
    }
}

/// A text's first part, without the zero bytes that some writers end it with.
fn clipped(text: &str) -> String {
    let text = text.trim_end_matches('\0');
    let end = text.floor_char_boundary(MAX_TEXT);
    text.get(..end).unwrap_or_default().to_owned()
}

/// The options of a block, from this place up to its trailing length; ends at the first that does not fit.
pub(super) fn options(
    byte_order: ByteOrder,
    block: &[u8],
    start: usize,
) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = block.get(start..block.len().saturating_sub(4)).unwrap_or_default();
    std::iter::from_fn(move || {
        let (&[a, b, c, d], after) = rest.split_first_chunk::<4>()?;
        let code = byte_order.u16([a, b]);
        let length = usize::from(byte_order.u16([c, d]));
        let value = after.get(..length)?;
        rest = after.get(length.next_multiple_of(4)..).unwrap_or_default();
        (code != 0).then_some((code, value))
    })
}
