//! From the first byte of a frame to its IP header: the headers in front of IP (accounting rule 10).
//!
//! [`open`] walks a frame from its link type, [`open_ethernet`] the Ethernet frame that a tunnel carries. The
//! walk is a loop: each [`Layer`] is a function of one family's file that takes its header off the [`Walk`] and
//! names the layer behind it, until that is IP or a [`SkipReason`]. So nesting may be as deep as the frame is
//! long, on a stack that does not grow.
//!
//! Invariant: every layer but the last takes at least one byte or names a later kind of layer, so the walk
//! is linear in the frame's length.
//!
//! Ethernet and VLAN headers are etherparse's. The rest is cut by hand: etherparse has no MPLS, PPP, LLC, 802.11,
//! SLL2 or loopback header, opens no more than three VLAN tags, and refuses SLL headers with a hardware type
//! it does not know.

mod cooked;
mod ethernet;
mod firewall;
mod frame_relay;
mod lan;
mod llc;
mod loopback;
mod mpls;
mod nflog;
mod ppp;
mod wifi;
mod wifi_capture;

use crate::packet::{LinkType, PacketDirection, SkipReason};

/// The IP version that the layer below announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Announced {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
    /// Either; the header's first four bits say which.
    Either,
}

/// Where an IP header begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IpStart {
    /// Its offset in the frame, in bytes.
    pub offset: usize,
    /// What the layer below says it is.
    pub announced: Announced,
}

/// What the rest of a frame begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layer {
    /// The header of a link type.
    LinkType(LinkType),
    /// An Ethernet header.
    Ethernet,
    /// What an ethertype says.
    Ethertype(u16),
    /// What an Ethernet or VLAN header's last field says: an ethertype, or a length with LLC behind it.
    EthertypeOrLength(u16),
    /// An IEEE 802.2 header.
    Llc,
    /// An MPLS label stack.
    Mpls,
    /// A PPPoE session header.
    Pppoe,
    /// A PPP frame, with or without address and control.
    Ppp,
    /// A Cisco HDLC header.
    CiscoHdlc,
    /// A frame relay address.
    FrameRelay,
    /// An IEEE 802.11 header.
    Wifi {
        /// Whether the header is padded to a multiple of four bytes.
        padded: bool,
    },
    /// An AVS header in front of IEEE 802.11.
    Avs,
    /// An IP header.
    Ip(Announced),
}

/// A walk over a frame's headers: the bytes ahead, and what the headers behind said.
struct Walk<'a> {
    /// What is captured behind the headers taken so far.
    rest: &'a [u8],
    /// Which way the frame went, as far as a header has said.
    direction: PacketDirection,
}

impl<'a> Walk<'a> {
    /// Takes a header of `N` bytes.
    fn take<const N: usize>(&mut self) -> Result<&'a [u8; N], SkipReason> {
        let (header, rest) = self.rest.split_first_chunk().ok_or(SkipReason::LinkHeaderCut)?;
        self.rest = rest;
        Ok(header)
    }

    /// Takes `length` bytes.
    fn take_slice(&mut self, length: usize) -> Result<&'a [u8], SkipReason> {
        let (header, rest) = self.rest.split_at_checked(length).ok_or(SkipReason::LinkHeaderCut)?;
        self.rest = rest;
        Ok(header)
    }

    /// Looks at the next `N` bytes without taking them.
    fn peek<const N: usize>(&self) -> Result<&'a [u8; N], SkipReason> {
        self.rest.first_chunk().ok_or(SkipReason::LinkHeaderCut)
    }

    /// Takes headers until IP begins.
    fn run(&mut self, mut layer: Layer) -> Result<Announced, SkipReason> {
        loop {
            layer = match layer {
                Layer::Ip(announced) => return Ok(announced),
                Layer::LinkType(link_type) => self.link_type(link_type)?,
                Layer::Ethernet => ethernet::ethernet(self)?,
                Layer::Ethertype(ethertype) => ethernet::ethertype(self, ethertype)?,
                Layer::EthertypeOrLength(field) => ethernet::ethertype_or_length(field),
                Layer::Llc => llc::llc(self)?,
                Layer::Mpls => mpls::label_stack(self)?,
                Layer::Pppoe => ppp::pppoe_session(self)?,
                Layer::Ppp => ppp::ppp(self)?,
                Layer::CiscoHdlc => ppp::cisco_hdlc(self)?,
                Layer::FrameRelay => frame_relay::frame_relay(self)?,
                Layer::Wifi { padded } => wifi::wifi(self, padded)?,
                Layer::Avs => wifi_capture::avs(self)?,
            };
        }
    }

    /// The header that a frame of this link type begins with.
    fn link_type(&mut self, link_type: LinkType) -> Result<Layer, SkipReason> {
        match link_type {
            LinkType::ETHERNET => Ok(Layer::Ethernet),
            LinkType::NULL | LinkType::LOOP => loopback::loopback(self),
            LinkType::LINUX_SLL => cooked::sll(self),
            LinkType::LINUX_SLL2 => cooked::sll2(self),
            LinkType::RAW | LinkType::RAW_12 | LinkType::RAW_14 => Ok(Layer::Ip(Announced::Either)),
            LinkType::IPV4 => Ok(Layer::Ip(Announced::Ipv4)),
            LinkType::IPV6 => Ok(Layer::Ip(Announced::Ipv6)),
            LinkType::PPP | LinkType::PPP_HDLC => Ok(Layer::Ppp),
            LinkType::PPP_WITH_DIR => self.direction_byte(Layer::Ppp),
            LinkType::PPP_PPPD => ppp::pppd(self),
            LinkType::PPP_ETHER => Ok(Layer::Pppoe),
            LinkType::C_HDLC => Ok(Layer::CiscoHdlc),
            LinkType::C_HDLC_WITH_DIR => self.direction_byte(Layer::CiscoHdlc),
            LinkType::FRELAY => Ok(Layer::FrameRelay),
            LinkType::FRELAY_WITH_DIR => self.direction_byte(Layer::FrameRelay),
            LinkType::ATM_RFC1483 => Ok(Layer::Llc),
            LinkType::IP_OVER_FC => lan::ip_over_fibre_channel(self),
            LinkType::FDDI => lan::fddi(self),
            LinkType::TOKEN_RING => lan::token_ring(self),
            LinkType::IEEE802_11 => Ok(Layer::Wifi { padded: false }),
            LinkType::IEEE802_11_RADIOTAP => wifi_capture::radiotap(self),
            LinkType::IEEE802_11_PRISM => wifi_capture::prism(self),
            LinkType::IEEE802_11_AVS => Ok(Layer::Avs),
            LinkType::PPI => wifi_capture::ppi(self),
            LinkType::NFLOG => nflog::nflog(self),
            LinkType::PFLOG => firewall::pflog(self),
            LinkType::ENC => firewall::enc(self),
            other => Err(SkipReason::LinkType(other)),
        }
    }

    /// The byte that the `_WITH_DIR` link types begin with: 0 received, else sent.
    fn direction_byte(&mut self, behind: Layer) -> Result<Layer, SkipReason> {
        let [sent] = *self.take()?;
        self.direction = if sent == 0 { PacketDirection::Inbound } else { PacketDirection::Outbound };
        Ok(behind)
    }
}

/// Walks from `offset` in the frame.
fn walk(data: &[u8], offset: usize, layer: Layer) -> Result<(IpStart, PacketDirection), SkipReason> {
    let rest = data.get(offset..).ok_or(SkipReason::LinkHeaderCut)?;
    let mut walk = Walk { rest, direction: PacketDirection::Unknown };
    let announced = walk.run(layer)?;
    Ok((IpStart { offset: data.len() - walk.rest.len(), announced }, walk.direction))
}

/// Walks a frame of this link type to its IP header; says also which way the frame went.
pub(super) fn open(link_type: LinkType, data: &[u8]) -> Result<(IpStart, PacketDirection), SkipReason> {
    walk(data, 0, Layer::LinkType(link_type))
}

/// Walks an Ethernet frame that begins at `offset`.
pub(super) fn open_ethernet(data: &[u8], offset: usize) -> Result<IpStart, SkipReason> {
    walk(data, offset, Layer::Ethernet).map(|(start, _)| start)
}
