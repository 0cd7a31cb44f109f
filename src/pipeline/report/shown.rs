//! The one place that every address, MAC address and name of a report passes on its way to the page.
//!
//! Whatever stands on a page and came from a capture, a log or the description of a VPC was made a string by one of these
//! methods. Who wants other strings, masked ones for instance, gives these methods something else to say. What they all do:
//! characters that steer a terminal, or turn the direction of the text around them, become visible escapes.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::capture::{CaptureInfo, MacAddress};
use crate::dissect::Layer;
use crate::flow::FlowKey;
use crate::mask::{KnownNames, Mask};
use crate::packet::{CapturedPacket, IpPacket};
use crate::pipeline::masked::mask_layers;
use crate::pipeline::{DiffReport, Ledger};
use crate::record::{FlowRecord, Value};
use crate::vpc::Vpc;

/// Makes strings of what a report is about.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) masked: Option<Masked<'a>>,
}

/// Names and addresses are masked.
#[derive(Clone, Copy)]
pub(super) struct Masked<'a> {
    pub(super) mask: &'a Mask,
    /// Names that stand in sentences.
    pub(super) names: &'a KnownNames,
}

/// The names that sentences about these may hold.
pub(super) fn names(
    ledger: &Ledger,
    infos: &[Option<CaptureInfo>],
    vpc: Option<&Vpc>,
    comparison: Option<&DiffReport>,
) -> KnownNames {
    let mut names: Vec<&str> = vpc.into_iter().flat_map(|vpc| vpc.model().names()).collect();
    for info in infos.iter().flatten() {
        names.extend([&info.hardware, &info.os, &info.application].into_iter().flatten().map(String::as_str));
        for interface in &info.interfaces {
            names.extend([&interface.name, &interface.description].into_iter().flatten().map(String::as_str));
        }
    }
    let captures = ledger.captures.iter().map(|capture| capture.path.as_str());
    let logs = comparison.into_iter().flat_map(|found| &found.candidate.paths).map(String::as_str);
    KnownNames::new(names, captures.chain(logs))
}

impl Shown<'_> {
    /// An IP address.
    pub(super) fn address(&self, address: IpAddr) -> String {
        self.masked.map_or(address, |masked| masked.mask.address(address)).to_string()
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

    /// A name: of a capture's interface or machine, of something in a VPC.
    pub(super) fn name(&self, name: &str) -> String {
        self.masked.map_or_else(|| clean(name), |masked| masked.mask.name(name))
    }

    /// What somebody else wrote, of which nobody knows what is in it.
    pub(super) fn free_text(&self, text: &str) -> String {
        self.masked.map_or_else(|| clean(text), |_| "hidden".to_owned())
    }

    /// The name of a file.
    pub(super) fn file(&self, path: &str) -> String {
        if path == "standard input" {
            return path.to_owned();
        }
        self.masked.map_or_else(|| clean(path), |masked| masked.mask.file(path))
    }

    /// A MAC address.
    pub(super) fn hardware(&self, address: [u8; 6]) -> String {
        let address = self.masked.map_or(address, |masked| masked.mask.hardware(address));
        MacAddress(address).to_string()
    }

    /// A sentence in which addresses and names may stand: an error, the evidence for a cause, a rule.
    pub(super) fn sentence(&self, text: &str) -> String {
        self.masked.map_or_else(|| clean(text), |Masked { mask, names }| clean(&mask.sentence(text, names)))
    }

    /// A record, of which values are shown.
    pub(super) fn record<'r>(&self, record: &'r FlowRecord) -> Cow<'r, FlowRecord> {
        self.masked.map_or(Cow::Borrowed(record), |masked| Cow::Owned(masked.mask.record(record)))
    }

    /// A value of such a record.
    pub(super) fn value(&self, value: Value<'_>) -> String {
        match value {
            Value::Text(text) => clean(text),
            value => value.to_string(),
        }
    }

    /// A packet's headers and its bytes.
    pub(super) fn layers<'p>(
        &self,
        packet: &CapturedPacket<'p>,
        ip: Option<&IpPacket>,
    ) -> (Vec<Layer>, Cow<'p, [u8]>) {
        let mut layers = crate::dissect::dissect(packet, ip);
        let Some(Masked { mask, .. }) = self.masked else { return (layers, Cow::Borrowed(packet.data)) };
        let mut data = packet.data.to_vec();
        mask_layers(&mut layers, &mut data, mask);
        (layers, Cow::Owned(data))
    }

    /// Whether what stands in an order by addresses, or has a number in one, has to be put into another: the order would
    /// say which of two addresses was the greater.
    pub(super) fn reorders(&self) -> bool {
        self.masked.is_some()
    }
}

pub(super) fn clean(text: &str) -> String {
    let steers = |character: char| {
        character.is_control()
            || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}'..='\u{2029}' | '\u{2066}'..='\u{2069}')
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

    const OPEN: Shown<'static> = Shown { masked: None };

    #[test]
    fn nothing_steers() {
        assert_eq!(OPEN.name("a\u{202e}b\n\u{1b}[1mc"), "a\\u{202e}b\\n\\u{1b}[1mc");
        assert_eq!(OPEN.name("a\u{61c}b\u{2028}c"), "a\\u{61c}b\\u{2028}c");
        assert_eq!(OPEN.name("Größe – 文"), "Größe – 文");
    }

    #[test]
    fn a_capture_filter_gave_hosts_away() {
        let mask =
            Mask::new(&"5b1f0c6d7e8a99aa0b1c2d3e4f506172839405a6b7c8d9eafb0c1d2e3f405162".parse().unwrap());
        let names = KnownNames::default();
        let masked = Shown { masked: Some(Masked { mask: &mask, names: &names }) };
        assert_eq!(masked.free_text("host www.acme.example or net 93.184.216"), "hidden");
        assert_eq!(OPEN.free_text("port 80"), "port 80");
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
        assert_eq!(OPEN.flow(&flow), "10.0.0.1:1 > [2001:db8::1]:2 tcp");
        flow.protocol = crate::packet::Protocol(250);
        assert_eq!(OPEN.flow(&flow), "10.0.0.1 > 2001:db8::1 protocol 250");
    }
}
