//! The one place that every address, MAC address and name of a report passes on its way to the page.
//!
//! Whatever stands on a page and came from a capture, a log or the description of a VPC was made a string by one of these
//! methods. Who wants other strings, masked ones for instance, gives these methods something else to say. What they all do:
//! characters that steer a terminal, or turn the direction of the text around them, become visible escapes.

use std::net::IpAddr;

use crate::dissect::Part;
use crate::flow::FlowKey;
use crate::record::Value;

/// Makes strings of what a report is about.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shown;

impl Shown {
    /// An IP address.
    pub(super) fn address(&self, address: IpAddr) -> String {
        address.to_string()
    }

    /// A flow: its addresses, its ports where it has some, and its protocol.
    pub(super) fn flow(&self, flow: &FlowKey) -> String {
        let end = |address: IpAddr, port: u16| match address {
            _ if !flow.protocol.has_ports() => self.address(address),
            IpAddr::V4(_) => format!("{}:{port}", self.address(address)),
            IpAddr::V6(_) => format!("[{}]:{port}", self.address(address)),
        };
        let (from, to) = (end(flow.srcaddr, flow.srcport), end(flow.dstaddr, flow.dstport));
        let protocol =
            flow.protocol.name().map_or_else(|| format!("protocol {}", flow.protocol), str::to_owned);
        format!("{from} > {to} {protocol}")
    }

    /// A name: of a file, of a capture's interface or machine, of something in a VPC.
    pub(super) fn name(&self, name: &str) -> String {
        clean(name)
    }

    /// A sentence in which addresses and names may stand: an error, the evidence for a cause, a rule.
    pub(super) fn sentence(&self, text: &str) -> String {
        clean(text)
    }

    /// A record's value.
    pub(super) fn value(&self, value: Value<'_>) -> String {
        match value {
            Value::Addr(address) => self.address(address),
            Value::Text(text) => self.name(text),
            value => value.to_string(),
        }
    }

    /// The value of a header field: addresses and MAC addresses are among them.
    pub(super) fn header_value(&self, part: &Part) -> Option<String> {
        part.value.as_deref().map(clean)
    }

    /// The bytes of a header field, in hexadecimal.
    pub(super) fn header_bytes(&self, _part: &Part, bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn clean(text: &str) -> String {
    let steers = |character: char| {
        character.is_control()
            || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut cleaned = String::with_capacity(text.len());
    for character in text.chars() {
        if steers(character) {
            cleaned.extend(character.escape_default());
        } else {
            cleaned.push(character);
        }
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers() {
        assert_eq!(Shown.name("a\u{202e}b\n\u{1b}[1mc"), "a\\u{202e}b\\n\\u{1b}[1mc");
        assert_eq!(Shown.name("Größe – 文"), "Größe – 文");
    }

    #[test]
    fn flows_have_ports_where_they_have_some() {
        let mut flow = FlowKey {
            srcaddr: "10.0.0.1".parse().unwrap(),
            dstaddr: "2001:db8::1".parse().unwrap(),
            protocol: crate::packet::Protocol::TCP,
            srcport: 1,
            dstport: 2,
        };
        assert_eq!(Shown.flow(&flow), "10.0.0.1:1 > [2001:db8::1]:2 tcp");
        flow.protocol = crate::packet::Protocol(250);
        assert_eq!(Shown.flow(&flow), "10.0.0.1 > 2001:db8::1 protocol 250");
    }
}
