//! Link-layer header types.

use std::fmt;

/// What a captured frame begins with: a LINKTYPE value of the tcpdump.org registry.
///
/// The low 16 bits of a pcap header's network field; a pcapng interface description's link type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u16);

macro_rules! link_types {
    ($($constant:ident = $value:literal, $name:literal;)*) => {
        #[allow(missing_docs, reason = "the registry's own names")]
        impl LinkType {
            $(pub const $constant: LinkType = LinkType($value);)*

            /// The registry's name without `LINKTYPE_`, or `None` for a value this program has no name for.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($name),)*
                    _ => None,
                }
            }
        }
    };
}

link_types! {
    NULL = 0, "NULL";
    ETHERNET = 1, "ETHERNET";
    AX25 = 3, "AX25";
    TOKEN_RING = 6, "IEEE802_5";
    ARCNET_BSD = 7, "ARCNET_BSD";
    SLIP = 8, "SLIP";
    PPP = 9, "PPP";
    FDDI = 10, "FDDI";
    RAW_12 = 12, "RAW";
    RAW_14 = 14, "RAW";
    PPP_HDLC = 50, "PPP_HDLC";
    PPP_ETHER = 51, "PPP_ETHER";
    ATM_RFC1483 = 100, "ATM_RFC1483";
    RAW = 101, "RAW";
    C_HDLC = 104, "C_HDLC";
    IEEE802_11 = 105, "IEEE802_11";
    FRELAY = 107, "FRELAY";
    LOOP = 108, "LOOP";
    ENC = 109, "ENC";
    LINUX_SLL = 113, "LINUX_SLL";
    PFLOG = 117, "PFLOG";
    IEEE802_11_PRISM = 119, "IEEE802_11_PRISM";
    IP_OVER_FC = 122, "IP_OVER_FC";
    IEEE802_11_RADIOTAP = 127, "IEEE802_11_RADIOTAP";
    DOCSIS = 143, "DOCSIS";
    USER0 = 147, "USER0";
    IEEE802_11_AVS = 163, "IEEE802_11_AVS";
    PPP_PPPD = 166, "PPP_PPPD";
    USB_LINUX = 189, "USB_LINUX";
    PPI = 192, "PPI";
    IEEE802_15_4_WITHFCS = 195, "IEEE802_15_4_WITHFCS";
    PPP_WITH_DIR = 204, "PPP_WITH_DIR";
    C_HDLC_WITH_DIR = 205, "C_HDLC_WITH_DIR";
    FRELAY_WITH_DIR = 206, "FRELAY_WITH_DIR";
    USB_LINUX_MMAPPED = 220, "USB_LINUX_MMAPPED";
    IPV4 = 228, "IPV4";
    IPV6 = 229, "IPV6";
    NFLOG = 239, "NFLOG";
    BLUETOOTH_LE_LL = 251, "BLUETOOTH_LE_LL";
    LINUX_SLL2 = 276, "LINUX_SLL2";
}

/// `ETHERNET`, or `LINKTYPE 254` where there is no name.
impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "LINKTYPE {}", self.0),
        }
    }
}
