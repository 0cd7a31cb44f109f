//! The ready scenarios: each a lesson.

/// A scenario that comes with the program.
#[derive(Clone, Copy, Debug)]
pub struct ReadyScenario {
    /// Its name.
    pub name: &'static str,
    /// Its TOML.
    pub text: &'static str,
}

macro_rules! ready {
    ($($name:literal)*) => {
        /// Every ready scenario, by name.
        pub const READY: &[ReadyScenario] = &[
            $(ReadyScenario { name: $name, text: include_str!(concat!("scenarios/", $name, ".toml")) },)*
        ];
    };
}

ready! {
    "web-session"
    "ssh-and-rdp"
    "asymmetric-ping"
    "vpn-ping"
    "port-scan"
    "syn-flood"
    "udp-amplification"
    "nat-gateway"
    "transit-gateway"
    "dns-and-metadata"
    "windows-60"
    "windows-600"
    "nodata"
    "skipdata"
    "ipv6"
    "exfiltration"
    "beaconing"
    "lateral-movement"
    "late-log"
    "capture-loss"
    "offload"
    "mirror"
    "datacentre"
}
