//! Why a packet is in no record.

use std::fmt;

use super::LinkType;

/// Why a packet of the capture is in no record; the ledger counts each by its [`Display`](fmt::Display) name.
///
/// A skipped packet is a counted fact, never an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkipReason {
    // -- not IP --
    /// No IP behind this ethertype (IEEE 802 numbers): `arp`, `lldp`, … or `ethertype-0x1234`.
    Ethertype(u16),
    /// An LLC frame whose service access point is not IP's: `llc-0x42` (spanning tree), …
    Llc(u8),
    /// A SNAP header of an organisation whose protocols are not ethertypes (CDP, VTP, …).
    SnapOrganisation,
    /// A PPP protocol that is not IP: link control, authentication, …
    Ppp(u16),
    /// Something other than IP behind an MPLS label stack (a pseudowire).
    MplsPseudowire,
    /// An address family in a loopback, PFLOG, ENC or NFLOG header that is not IP's.
    AddressFamily(u32),
    /// A frame relay network-layer protocol other than IP.
    FrameRelay(u8),
    /// An IEEE 802.11 management or control frame, or one without data.
    WifiNotData,
    /// An encrypted IEEE 802.11 frame.
    WifiProtected,
    /// A fragment of an IEEE 802.11 frame.
    WifiFragment,
    /// An aggregate of IEEE 802.11 frames (A-MSDU).
    WifiAggregate,
    /// A frame with which FDDI or a token ring manages itself.
    MacManagement,
    /// A link type that is not opened.
    LinkType(LinkType),

    // -- damaged --
    /// The headers in front of IP are cut, or lie about their own length.
    LinkHeaderCut,
    /// The fixed IP header (20 or 40 bytes) was not captured whole.
    IpHeaderCut,
    /// The layer below says IPv4 or IPv6, the header's version another.
    IpVersion,
    /// An IPv4 header length under 20 bytes.
    Ipv4HeaderLength,
    /// An IPv4 total length shorter than its own header.
    Ipv4TotalLength,

    // -- no time --
    /// The container holds no time for it.
    NoTimestamp,
    /// Its time does not fit 64 bits of nanoseconds since 1970.
    TimestampOutOfRange,

    // -- not asked for --
    /// `--filter` does not match it.
    Filtered,
    /// Before `--from`.
    BeforeFrom,
    /// At or after `--until`.
    AfterUntil,
    /// The second sight of one packet, dropped by `--dedup`.
    Duplicate,

    // -- of the VPC around the capture --
    /// Of no interface that is known, dropped by `--known-only`.
    UnknownInterface,
    /// Of no interface that `--only-interface` names.
    OtherInterface,
    /// Of a kind that AWS never logs, dropped by `--like-aws`; its name.
    NeverLogged(&'static str),
    /// Of another action than `--traffic-type` asks for.
    OtherAction,
}

impl SkipReason {
    /// What a person should know about it, without a full stop.
    pub const fn explanation(self) -> &'static str {
        match self {
            SkipReason::Ethertype(0x0806) => "address resolution; AWS never logs ARP either",
            SkipReason::Ethertype(_) => "not IP behind this ethertype",
            SkipReason::Llc(_) => "a link-layer protocol, not IP",
            SkipReason::SnapOrganisation => "a vendor's link-layer protocol (CDP and the like), not IP",
            SkipReason::Ppp(_) => "a PPP protocol other than IP",
            SkipReason::MplsPseudowire => "an MPLS pseudowire; not opened",
            SkipReason::AddressFamily(_) => "an address family other than IP",
            SkipReason::FrameRelay(_) => "a frame relay protocol other than IP",
            SkipReason::WifiNotData => "an 802.11 frame without data",
            SkipReason::WifiProtected => "an encrypted 802.11 frame",
            SkipReason::WifiFragment => "a fragment of an 802.11 frame",
            SkipReason::WifiAggregate => "an aggregated 802.11 frame; not opened",
            SkipReason::MacManagement => "a frame that manages an FDDI or token ring, without data",
            SkipReason::LinkType(_) => "a link type that is not opened",
            SkipReason::LinkHeaderCut => "cut before the IP header",
            SkipReason::IpHeaderCut => "cut inside the IP header",
            SkipReason::IpVersion => "the IP version is not what the layer below says",
            SkipReason::Ipv4HeaderLength => "an IPv4 header length under 20 bytes",
            SkipReason::Ipv4TotalLength => "an IPv4 total length shorter than its header",
            SkipReason::NoTimestamp => "no time in the capture, so no window",
            SkipReason::TimestampOutOfRange => "a time before 1677 or after 2262",
            SkipReason::Filtered => "`--filter` does not match",
            SkipReason::BeforeFrom => "before `--from`",
            SkipReason::AfterUntil => "at or after `--until`",
            SkipReason::Duplicate => "seen before, dropped by `--dedup`",
            SkipReason::UnknownInterface => "of no interface that the VPC has, dropped by `--known-only`",
            SkipReason::OtherInterface => "of no interface that `--only-interface` names",
            SkipReason::NeverLogged(_) => "never logged by AWS, dropped by `--like-aws`",
            SkipReason::OtherAction => "of another action than `--traffic-type` asks for",
        }
    }
}

/// The well-known names of ethertypes that do not lead to IP.
const ETHERTYPES: [(u16, &str); 19] = [
    (0x0806, "arp"),
    (0x8035, "rarp"),
    (0x0842, "wake-on-lan"),
    (0x2000, "cdp"),
    (0x8100, "vlan"),
    (0x8137, "ipx"),
    (0x8809, "slow-protocols"),
    (0x8863, "pppoe-discovery"),
    (0x888e, "eapol"),
    (0x88cc, "lldp"),
    (0x88e5, "macsec"),
    (0x88e7, "provider-backbone-bridge"),
    (0x88f7, "ptp"),
    (0x8902, "cfm"),
    (0x8903, "fabricpath"),
    (0x8926, "vn-tag"),
    (0x894f, "nsh"),
    (0x22f3, "trill"),
    (0x9000, "loopback"),
];

/// The well-known name of an ethertype that does not lead to IP.
fn ethertype_name(ethertype: u16) -> Option<&'static str> {
    ETHERTYPES.iter().find(|(number, _)| *number == ethertype).map(|(_, name)| *name)
}

/// Reasons whose names have no number in them. What a VPC is needed for is not among them.
const NAMED: [SkipReason; 18] = [
    SkipReason::SnapOrganisation,
    SkipReason::MplsPseudowire,
    SkipReason::WifiNotData,
    SkipReason::WifiProtected,
    SkipReason::WifiFragment,
    SkipReason::WifiAggregate,
    SkipReason::MacManagement,
    SkipReason::LinkHeaderCut,
    SkipReason::IpHeaderCut,
    SkipReason::IpVersion,
    SkipReason::Ipv4HeaderLength,
    SkipReason::Ipv4TotalLength,
    SkipReason::NoTimestamp,
    SkipReason::TimestampOutOfRange,
    SkipReason::Filtered,
    SkipReason::BeforeFrom,
    SkipReason::AfterUntil,
    SkipReason::Duplicate,
];

impl SkipReason {
    /// The reason that the ledger counts under this name; `None` for others, and for those that only a VPC gives.
    pub fn from_name(name: &str) -> Option<SkipReason> {
        let hex = |prefix: &str| u32::from_str_radix(name.strip_prefix(prefix)?.strip_prefix("0x")?, 16).ok();
        let decimal = |prefix: &str| name.strip_prefix(prefix)?.parse::<u32>().ok();
        let ethertype = ETHERTYPES.iter().find(|(_, known)| *known == name).map(|(number, _)| *number);
        let small = |number: u32| u16::try_from(number).ok();
        let smallest = |number: u32| u8::try_from(number).ok();
        let numbered = [
            ethertype.or_else(|| hex("ethertype-").and_then(small)).map(SkipReason::Ethertype),
            hex("llc-").and_then(smallest).map(SkipReason::Llc),
            hex("ppp-").and_then(small).map(SkipReason::Ppp),
            decimal("address-family-").map(SkipReason::AddressFamily),
            hex("frame-relay-").and_then(smallest).map(SkipReason::FrameRelay),
            decimal("link-type-").and_then(small).map(|number| SkipReason::LinkType(LinkType(number))),
        ];
        let named = NAMED.into_iter().find(|reason| reason.to_string() == name);
        named.or_else(|| numbered.into_iter().flatten().next())
    }
}

/// The name under which the ledger counts it.
impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            SkipReason::Ethertype(value) => match ethertype_name(value) {
                Some(name) => f.write_str(name),
                None => write!(f, "ethertype-{value:#06x}"),
            },
            SkipReason::Llc(sap) => write!(f, "llc-{sap:#04x}"),
            SkipReason::SnapOrganisation => f.write_str("llc-snap-other"),
            SkipReason::Ppp(protocol) => write!(f, "ppp-{protocol:#06x}"),
            SkipReason::MplsPseudowire => f.write_str("mpls-pseudowire"),
            SkipReason::AddressFamily(family) => write!(f, "address-family-{family}"),
            SkipReason::FrameRelay(nlpid) => write!(f, "frame-relay-{nlpid:#04x}"),
            SkipReason::WifiNotData => f.write_str("wifi-not-data"),
            SkipReason::WifiProtected => f.write_str("wifi-protected"),
            SkipReason::WifiFragment => f.write_str("wifi-fragment"),
            SkipReason::WifiAggregate => f.write_str("wifi-aggregate"),
            SkipReason::MacManagement => f.write_str("mac-management"),
            SkipReason::LinkType(link_type) => write!(f, "link-type-{}", link_type.0),
            SkipReason::LinkHeaderCut => f.write_str("link-header-cut"),
            SkipReason::IpHeaderCut => f.write_str("ip-header-cut"),
            SkipReason::IpVersion => f.write_str("ip-version-mismatch"),
            SkipReason::Ipv4HeaderLength => f.write_str("ipv4-header-length"),
            SkipReason::Ipv4TotalLength => f.write_str("ipv4-total-length"),
            SkipReason::NoTimestamp => f.write_str("no-timestamp"),
            SkipReason::TimestampOutOfRange => f.write_str("timestamp-out-of-range"),
            SkipReason::Filtered => f.write_str("filtered"),
            SkipReason::BeforeFrom => f.write_str("before-from"),
            SkipReason::AfterUntil => f.write_str("after-until"),
            SkipReason::Duplicate => f.write_str("duplicate"),
            SkipReason::UnknownInterface => f.write_str("unknown-interface"),
            SkipReason::OtherInterface => f.write_str("other-interface"),
            SkipReason::NeverLogged(name) => write!(f, "never-logged-{name}"),
            SkipReason::OtherAction => f.write_str("other-action"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_or_numbers() {
        assert_eq!(SkipReason::Ethertype(0x0806).to_string(), "arp");
        assert_eq!(SkipReason::Ethertype(0x1234).to_string(), "ethertype-0x1234");
        assert_eq!(SkipReason::Llc(0x42).to_string(), "llc-0x42");
        assert_eq!(SkipReason::LinkType(LinkType(254)).to_string(), "link-type-254");
    }

    #[test]
    fn a_reason_is_found_by_its_name() {
        let numbers = |n: u16| {
            let byte = n as u8;
            [
                SkipReason::Ethertype(n),
                SkipReason::Llc(byte),
                SkipReason::Ppp(n),
                SkipReason::AddressFamily(u32::from(n) << 16),
                SkipReason::FrameRelay(byte),
                SkipReason::LinkType(LinkType(n)),
            ]
        };
        for reason in
            (0..=u16::MAX).step_by(7).chain(ETHERTYPES.map(|(n, _)| n)).flat_map(numbers).chain(NAMED)
        {
            assert_eq!(SkipReason::from_name(&reason.to_string()), Some(reason));
        }
        for unknown in ["", "arp ", "ethertype-", "llc-0x1ff", "never-logged-dns", "link-type--1"] {
            assert_eq!(SkipReason::from_name(unknown), None, "{unknown}");
        }
    }
}
