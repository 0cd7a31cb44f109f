//! What an address is for.

use std::net::IpAddr;

/// Whether an address may be that of a host's interface, as far as routers go: no group, no broadcast, not of one link
/// or one host alone.
///
/// Source: IANA special-purpose address registries.
pub fn is_of_a_host(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            !(v4.is_multicast()
                || v4.is_broadcast()
                || v4.is_link_local()
                || v4.is_loopback()
                || v4.is_unspecified())
        }
        IpAddr::V6(v6) => {
            !(v6.is_multicast() || v6.is_unicast_link_local() || v6.is_loopback() || v6.is_unspecified())
        }
    }
}

/// Whether an address may be one that AWS keeps for itself in a VPC, as far as it tells without the VPC's ranges: the
/// router is the first behind a subnet's base, the resolver the second behind the VPC's.
///
/// Source: AWS "Subnet sizing".
pub fn may_be_of_aws(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(v4) if v4.is_private() && matches!(v4.octets(), [.., 1 | 2]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_from_groups_and_links() {
        for (text, expected) in [
            ("10.0.0.9", true),
            ("8.8.8.8", true),
            ("2001:db8::1", true),
            ("fd00::1", true),
            ("169.254.170.2", false),
            ("224.0.0.251", false),
            ("255.255.255.255", false),
            ("127.0.0.1", false),
            ("0.0.0.0", false),
            ("fe80::1", false),
            ("ff02::1", false),
            ("::1", false),
            ("::", false),
        ] {
            assert_eq!(is_of_a_host(text.parse().unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn what_aws_may_have_kept_is_private() {
        for (text, expected) in [
            ("10.0.0.1", true),
            ("172.31.9.2", true),
            ("10.0.0.3", false),
            ("8.8.8.1", false),
            ("fd00::1", false),
        ] {
            assert_eq!(may_be_of_aws(text.parse().unwrap()), expected, "{text}");
        }
    }
}
